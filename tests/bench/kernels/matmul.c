/* Floating point in nested loops: product of two matrices of doubles. */
#include "kernel.h"

enum { N = 384, ROUNDS = 4 };

static double left[N][N], right[N][N], product[N][N];

static uint32_t kernel(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			left[i][j] = (i * 7 + j) % 13;
			right[i][j] = (i + j * 5) % 11;
			product[i][j] = 0;
		}
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < N; i++)
			for (int k = 0; k < N; k++) {
				double factor = left[i][k];
				for (int j = 0; j < N; j++)
					product[i][j] += factor * right[k][j];
			}
	double sum = 0;
	for (int i = 0; i < N; i++)
		sum += product[i][i * 31 % N];
	return (uint32_t)sum;
}
