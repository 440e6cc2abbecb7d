/* Opens the paths of its arguments again and again, and counts how often it reads the word "secret". */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int found = 0;
	time_t end = time(NULL) + 2;
	while (time(NULL) < end)
		for (int i = 1; i < argc; i++) {
			char text[16] = "";
			int fd = open(argv[i], O_RDONLY);
			if (fd < 0)
				continue;
			if (read(fd, text, sizeof text - 1) == 6 && !strcmp(text, "secret"))
				found++;
			close(fd);
		}
	printf("%d secrets\n", found);
	return 0;
}
