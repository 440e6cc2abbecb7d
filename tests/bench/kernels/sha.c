/* Integer arithmetic in registers: SHA-256 (FIPS 180-4) of 50 MiB. */
#include <string.h>
#include "kernel.h"

/* Fractional parts of the cube roots of the first 64 primes, computed once. */
static uint32_t constants[64];

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* The first 32 fractional bits of the root of a prime, by bisection on integers. */
static uint32_t root_fraction(uint32_t prime, int power)
{
	unsigned __int128 target = (unsigned __int128)prime << (power == 3 ? 96 : 64);
	uint64_t low = 0, high = 1ULL << 36;
	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;
		unsigned __int128 value = (unsigned __int128)middle * middle;
		if (power == 3)
			value *= middle;
		if (value <= target)
			low = middle;
		else
			high = middle;
	}
	return (uint32_t)low;
}

static void derive_constants(uint32_t *state)
{
	int found = 0;
	for (uint32_t candidate = 2; found < 64; candidate++) {
		int prime = 1;
		for (uint32_t divisor = 2; divisor * divisor <= candidate; divisor++)
			prime &= candidate % divisor != 0;
		if (!prime)
			continue;
		if (found < 8)
			state[found] = root_fraction(candidate, 2);
		constants[found++] = root_fraction(candidate, 3);
	}
}

OUTLINE static void compress(uint32_t *state, const uint8_t *block)
{
	uint32_t w[64], s[8];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
	memcpy(s, state, sizeof s);
	for (int i = 0; i < 64; i++) {
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]), majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		uint32_t first = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + choice + constants[i] + w[i];
		uint32_t second = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + majority;
		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + first;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = first + second;
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

static uint32_t kernel(void)
{
	static uint8_t text[1 << 16];
	uint32_t state[8];
	derive_constants(state);
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 17 + (i >> 8));
	for (int round = 0; round < 800; round++)
		for (size_t i = 0; i < sizeof text; i += 64)
			compress(state, text + i);
	return state[0] ^ state[7];
}
