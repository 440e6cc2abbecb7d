/* cat, and with -w FILE a way to write: standard input goes to the file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int copy(int from, int to)
{
	char buffer[65536];
	ssize_t n;
	while ((n = read(from, buffer, sizeof buffer)) > 0)
		for (ssize_t done = 0, m; done < n; done += m)
			if ((m = write(to, buffer + done, (size_t)(n - done))) < 0)
				return perror("cat: write"), 1;
	return n < 0 ? perror("cat: read"), 1 : 0;
}

int main(int argc, char **argv)
{
	int status = 0;
	if (argc == 1)
		return copy(0, 1);
	if (argc == 3 && !strcmp(argv[1], "-w")) {
		int fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0)
			return fprintf(stderr, "cat: %s: %s\n", argv[2], strerror(errno)), 1;
		return copy(0, fd);
	}
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			fprintf(stderr, "cat: %s: %s\n", argv[i], strerror(errno));
			status = 1;
			continue;
		}
		status |= copy(fd, 1);
		close(fd);
	}
	return status;
}
