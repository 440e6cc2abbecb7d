/* 64-bit and bit arithmetic, conversions, unaligned access, bit fields, variable arrays, structures by value.
 *
 * @opt -O0 -O2 -O3
 * @cflags -fwrapv
 */
#include <alloca.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include "check.h"

struct pair { int a; long long b; };
struct big { double d[10]; char c; };
struct bits { unsigned a : 3; signed b : 5; unsigned long long c : 40; };
static __thread int local = 5;
static _Thread_local struct pair local_pair = { 1, 2 };

static struct pair swap(struct pair p) { return (struct pair){ (int)p.b, p.a }; }
static struct big grow(struct big b, double by) { for (int i = 0; i < 10; i++) b.d[i] += by; b.c++; return b; }

static long long sum(int n, ...)
{
	va_list list, copy;
	long long total = 0;
	va_start(list, n);
	va_copy(copy, list);
	for (int i = 0; i < n; i++) {
		total += va_arg(list, int);
		total += va_arg(list, long long);
		total += (long long)va_arg(list, double);
		total += va_arg(list, struct pair).b;
	}
	total += va_arg(copy, int);
	va_end(copy);
	va_end(list);
	return total;
}

static int threaded(const unsigned char *code)
{
	static void *const table[] = { &&push, &&add, &&multiply, &&stop };
	int stack[16], top = 0;
	goto *table[*code];
push:
	stack[top++] = code[1];
	code += 2;
	goto *table[*code];
add:
	top--;
	stack[top - 1] += stack[top];
	goto *table[*++code];
multiply:
	top--;
	stack[top - 1] *= stack[top];
	goto *table[*++code];
stop:
	return stack[0];
}

int main(void)
{
	volatile long long a = 0x123456789abcdefLL, b = -1000000007;
	volatile uint64_t u = UINT64_MAX;
	volatile double d = -1e18;
	volatile int shift = 40;
	printf("%lld %lld %lld %llx\n", a * b, a / b, a % b, (unsigned long long)(a << 13));
	printf("%llu %llu %llx\n", u / 10, u % 10, u >> shift);
	printf("%lld %llu %d\n", (long long)d, (unsigned long long)1.8e19, (int)-3.99);
	printf("%d %d %d %d\n", __builtin_clz(12345), __builtin_ctzll(1ULL << 50), __builtin_popcountll(u), __builtin_parity(7));
	printf("%x %llx\n", __builtin_bswap32(0x01020304), (unsigned long long)__builtin_bswap64(0x0102030405060708));
	__int128 wide = (__int128)a * b;
	printf("%llx %llx\n", (unsigned long long)(wide >> 64), (unsigned long long)wide);
	int32_t overflow;
	int overflowed = __builtin_add_overflow(INT32_MAX, 1, &overflow);
	printf("%d %d\n", overflowed, overflow);
	unsigned char bytes[16];
	for (int i = 0; i < 16; i++)
		bytes[i] = (unsigned char)(i * 17);
	for (int i = 0; i < 8; i++) {
		uint64_t value;
		memcpy(&value, bytes + i, 8);
		printf("%016llx%c", (unsigned long long)value, i % 4 == 3 ? '\n' : ' ');
	}
	struct pair p = swap((struct pair){ 3, 4 });
	printf("%d %lld\n", p.a, p.b);
	struct big big = { { 1, 2, 3 }, 'x' };
	big = grow(big, 0.5);
	printf("%.1f %.1f %c\n", big.d[0], big.d[9], big.c);
	struct bits f = { 9, -3, 1ULL << 39 };
	printf("%u %d %llx\n", f.a, f.b, (unsigned long long)f.c);
	printf("%lld\n", sum(2, 1, 2LL, 3.7, p, 10, 20LL, -30.5, p));
	for (int n = 1; n < 2000; n *= 7) {
		int list[n];
		char *space = alloca((size_t)n);
		for (int i = 0; i < n; i++)
			list[i] = i, space[i] = (char)i;
		CHECK(list[n - 1] + space[n / 2] == n - 1 + (char)(n / 2));
	}
	local += 2;
	local_pair.b += local;
	printf("%d %lld\n", local, local_pair.b);
	printf("%d\n", threaded((const unsigned char[]){ 0, 6, 0, 7, 2, 0, 3, 1, 3 }));
	return check_done();
}
