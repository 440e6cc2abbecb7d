/* 50 children in a ring of pipes: tokens go round, each child adds its number; and 50 writers share one pipe. */
#include "process.h"

enum { CHILDREN = 50, ROUNDS = 20 };

static void ring(void)
{
	int ends[CHILDREN + 1][2];
	for (int i = 0; i <= CHILDREN; i++)
		CHECK_OK(pipe(ends[i]));
	pid_t pids[CHILDREN];
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = start();
		if (pids[i] != 0)
			continue;
		for (int k = 0; k <= CHILDREN; k++) {
			if (k != i)
				close(ends[k][0]);
			if (k != i + 1)
				close(ends[k][1]);
		}
		int token;
		while (read(ends[i][0], &token, sizeof token) == sizeof token) {
			token += i;
			CHECK_EQ(write(ends[i + 1][1], &token, sizeof token), sizeof token);
		}
		finish();
	}
	for (int k = 0; k <= CHILDREN; k++) {
		if (k != CHILDREN)
			close(ends[k][0]);
		if (k != 0)
			close(ends[k][1]);
	}
	for (int round = 0; round < ROUNDS; round++) {
		int token = round;
		CHECK_EQ(write(ends[0][1], &token, sizeof token), sizeof token);
		CHECK_EQ(read(ends[CHILDREN][0], &token, sizeof token), sizeof token);
		CHECK_EQ(token, round + CHILDREN * (CHILDREN - 1) / 2);
	}
	/* The end travels round as well: each child sees it when its predecessor is gone. */
	close(ends[0][1]);
	int token;
	CHECK_EQ(read(ends[CHILDREN][0], &token, sizeof token), 0);
	close(ends[CHILDREN][0]);
	for (int i = 0; i < CHILDREN; i++)
		CHECK_EQ(ended(pids[i]), 0);
}

static void one_reader(void)
{
	int ends[2], counts[CHILDREN] = { 0 }, torn = 0;
	CHECK_OK(pipe(ends));
	pid_t pids[CHILDREN];
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			unsigned char record[64];
			memset(record, i, sizeof record);
			for (int k = 0; k < ROUNDS; k++)
				CHECK_EQ(write(ends[1], record, sizeof record), sizeof record);
			finish();
		}
	}
	close(ends[1]);
	FILE *in = fdopen(ends[0], "r");
	unsigned char record[64];
	while (fread(record, sizeof record, 1, in) == 1) {
		for (size_t k = 1; k < sizeof record; k++)
			torn += record[k] != record[0];
		counts[record[0]]++;
	}
	fclose(in);
	CHECK_EQ(torn, 0);
	for (int i = 0; i < CHILDREN; i++) {
		CHECK_EQ(counts[i], ROUNDS);
		CHECK_EQ(ended(pids[i]), 0);
	}
}

int main(void)
{
	ring();
	one_reader();
	return check_done();
}
