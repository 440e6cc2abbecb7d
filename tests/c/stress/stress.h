/* Stressors for C tests: each is run by several processes at once for a bounded number of rounds, and checks what it does.
 *
 *     static const struct stressor stressors[] = { { "pipe", pipe_stress }, … };
 *     int main(void) { return STRESS(stressors); }
 *
 * A stressor is told which of the workers it is: names and ports of its own are made from that. One line a stressor is
 * printed, so that the natively run program prints the same.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdint.h>
#include "../process.h"

#define WORKERS 3
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define STRESS(list) stress_all(list, COUNT(list))

struct stressor {
	const char *name;
	void (*run)(int worker);
};

/* Numbers that look random, the same in every run. */
static inline uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Fills memory with a pattern of a seed; says whether it is still there. */
static inline void fill(void *memory, size_t size, uint32_t seed)
{
	unsigned char *byte = memory;
	for (size_t i = 0; i < size; i++)
		byte[i] = seed + i * 7 + (i >> 8);
}

static inline int is_filled(const void *memory, size_t size, uint32_t seed)
{
	const unsigned char *byte = memory;
	for (size_t i = 0; i < size; i++)
		if (byte[i] != (unsigned char)(seed + i * 7 + (i >> 8)))
			return 0;
	return 1;
}

/* Reads or writes all of it. */
static inline int read_all(int fd, void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)to + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += n;
	}
	return 0;
}

static inline int write_all(int fd, const void *from, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)from + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += n;
	}
	return 0;
}

static inline int stress_all(const struct stressor *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		pid_t workers[WORKERS];
		int worst = 0;
		for (int w = 0; w < WORKERS; w++) {
			workers[w] = start();
			if (workers[w] == 0) {
				alarm(100);
				list[i].run(w);
				finish();
			}
		}
		for (int w = 0; w < WORKERS; w++) {
			int status = ended(workers[w]);
			if (status != 0)
				worst = status;
		}
		if (worst == 0) {
			printf("%s passes\n", list[i].name);
		} else {
			printf("%s fails with %d\n", list[i].name, worst);
			check_failures++;
		}
		fflush(stdout);
	}
	return check_done();
}

#endif
