/* Streams on files: modes, positions, buffering, end of file and errors.
 *
 * @in scratch
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static void modes(void)
{
	char line[64];
	FILE *f = fopen("text", "w+");
	CHECK(f != NULL);
	CHECK_EQ(fprintf(f, "line %d\nline %d\nline %d\n", 1, 2, 3), 21);
	rewind(f);
	CHECK(fgets(line, sizeof line, f) && !strcmp(line, "line 1\n"));
	CHECK_EQ(ftell(f), 7);
	CHECK_OK(fseek(f, -7, SEEK_END));
	CHECK(fgets(line, sizeof line, f) && !strcmp(line, "line 3\n"));
	CHECK(fgets(line, sizeof line, f) == NULL && feof(f) && !ferror(f));
	CHECK_OK(fclose(f));

	f = fopen("text", "a+");
	fputs("line 4\n", f);
	rewind(f);
	CHECK_EQ(fgetc(f), 'l');
	CHECK_EQ(ungetc('L', f), 'L');
	CHECK_EQ(fgetc(f), 'L');
	fputs("line 5\n", f);
	CHECK_OK(fclose(f));

	f = fopen("text", "r");
	int lines = 0;
	while (fgets(line, sizeof line, f))
		lines++;
	CHECK_EQ(lines, 5);
	CHECK_EQ(fputc('x', f), EOF);
	CHECK_EQ(errno, EBADF);
	CHECK(ferror(f));
	clearerr(f);
	CHECK(!ferror(f));
	CHECK_OK(fclose(f));

	CHECK(fopen("absent", "r") == NULL && errno == ENOENT);
	CHECK(fopen("absent", "r+") == NULL && errno == ENOENT);
	CHECK(fopen("text", "wx") == NULL && errno == EEXIST);
	CHECK(fopen("text", "q") == NULL && errno == EINVAL);
	CHECK(fopen(".", "w") == NULL && errno == EISDIR);
	CHECK(fopen("text/x", "r") == NULL && errno == ENOTDIR);
}

static void binary(void)
{
	static unsigned char data[100000], back[100000];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 31 >> 3);
	FILE *f = fopen("binary", "wb");
	CHECK_EQ(fwrite(data, 1, sizeof data, f), sizeof data);
	CHECK_OK(fclose(f));
	f = fopen("binary", "rb");
	CHECK_EQ(fread(back, 1000, 101, f), 100);
	CHECK(feof(f));
	CHECK(memcmp(data, back, sizeof data) == 0);
	CHECK_OK(fseeko(f, 99999, SEEK_SET));
	CHECK_EQ(fgetc(f), data[99999]);
	fpos_t position;
	CHECK_OK(fgetpos(f, &position));
	CHECK_OK(fseek(f, 0, SEEK_SET));
	CHECK_OK(fsetpos(f, &position));
	CHECK_EQ(ftello(f), 100000);
	CHECK_OK(fclose(f));
}

static void buffering(void)
{
	struct stat st;
	FILE *f = fopen("buffered", "w");
	static char buffer[4096];
	CHECK_OK(setvbuf(f, buffer, _IOFBF, sizeof buffer));
	fputs("held back", f);
	CHECK_OK(stat("buffered", &st));
	CHECK_EQ(st.st_size, 0);
	CHECK_OK(fflush(f));
	CHECK_OK(stat("buffered", &st));
	CHECK_EQ(st.st_size, 9);
	CHECK_OK(fclose(f));

	f = fopen("unbuffered", "w");
	setbuf(f, NULL);
	fputs("at once", f);
	CHECK_OK(stat("unbuffered", &st));
	CHECK_EQ(st.st_size, 7);
	CHECK_OK(fclose(f));

	f = fopen("lines", "w");
	setlinebuf(f);
	fputs("whole\npart", f);
	CHECK_OK(stat("lines", &st));
	CHECK(st.st_size >= 6);
	CHECK_OK(fclose(f));
}

static void reopened(void)
{
	char line[64];
	int fd = open("descriptor", O_RDWR | O_CREAT | O_TRUNC, 0644);
	FILE *f = fdopen(fd, "w+");
	CHECK(f != NULL);
	CHECK_EQ(fileno(f), fd);
	fputs("through a descriptor\n", f);
	CHECK(freopen("other", "w", f) == f);
	fputs("reopened\n", f);
	CHECK_OK(fclose(f));
	f = fopen("other", "r");
	CHECK(fgets(line, sizeof line, f) && !strcmp(line, "reopened\n"));
	CHECK_OK(fclose(f));
	CHECK(fdopen(77, "r") == NULL && errno == EBADF);

	char *text = NULL;
	size_t size = 0;
	f = fopen("descriptor", "r");
	CHECK_EQ(getline(&text, &size, f), 21);
	CHECK_EQ(getline(&text, &size, f), -1);
	rewind(f);
	CHECK_EQ(getdelim(&text, &size, ' ', f), 8);
	free(text);
	CHECK_OK(fclose(f));
}

static void memory_streams(void)
{
	char *text = NULL, line[32];
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	fprintf(f, "%s %d", "grown", 12);
	CHECK_OK(fclose(f));
	CHECK_STR(text, "grown 12");
	CHECK_EQ(size, 8);
	free(text);
	f = fmemopen("one\ntwo\n", 8, "r");
	CHECK(fgets(line, sizeof line, f) && !strcmp(line, "one\n"));
	CHECK(fgets(line, sizeof line, f) && !strcmp(line, "two\n"));
	CHECK(fgets(line, sizeof line, f) == NULL);
	fclose(f);
	CHECK(tmpfile() != NULL);
	char name[] = "made-XXXXXX";
	int fd = mkstemp(name);
	CHECK(fd >= 0 && strcmp(name, "made-XXXXXX") != 0);
	CHECK_OK(unlink(name));
	char directory[] = "dir-XXXXXX";
	CHECK(mkdtemp(directory) == directory);
	CHECK_OK(remove(directory));
	CHECK_ERRNO(remove("absent"), ENOENT);
	CHECK_OK(rename("other", "renamed"));
	CHECK_ERRNO(rename("other", "renamed"), ENOENT);
}

int main(void)
{
	modes();
	binary();
	buffering();
	reopened();
	memory_streams();
	return check_done();
}
