/* libm: the same digits as everywhere for float and double.
 *
 * @libs -lm
 * @cflags -fno-builtin
 */
#include <complex.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include "check.h"

int main(void)
{
	static double (*const one[])(double) = { sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, exp, exp2, expm1, log, log2,
		log10, log1p, sqrt, cbrt, ceil, floor, trunc, round, rint, nearbyint, fabs, erf, erfc, lgamma, tgamma, logb, asinh, acosh, atanh, j0, y1 };
	static double (*const two[])(double, double) = { pow, fmod, atan2, hypot, fmax, fmin, fdim, remainder, copysign, nextafter };
	static const double values[] = { 0.0, 0.5, 1.0, -0.75, 2.5, 3.14159, 1e-5, 100.25, 1e10 };
	static float (*const single[])(float) = { sinf, cosf, expf, logf, sqrtf, cbrtf, tanhf, roundf, log1pf };
	const int n = sizeof values / sizeof *values;

	for (unsigned f = 0; f < sizeof one / sizeof *one; f++) {
		printf("f%u", f);
		for (int i = 0; i < n; i++) {
			double r = one[f](values[i]);
			if (isnan(r))
				printf(" nan");
			else
				printf(" %.15g", r);
		}
		putchar('\n');
	}
	for (unsigned f = 0; f < sizeof two / sizeof *two; f++) {
		printf("g%u", f);
		for (int i = 0; i + 1 < n; i++) {
			double r = two[f](values[i], values[i + 1]);
			if (isnan(r))
				printf(" nan");
			else
				printf(" %.15g", r);
		}
		putchar('\n');
	}
	for (unsigned f = 0; f < sizeof single / sizeof *single; f++)
		printf("s%u %.8g %.8g\n", f, (double)single[f](0.7f), (double)single[f](0.1f));
	int e, q;
	double whole;
	double fraction = frexp(12345.678, &e);
	printf("%.17g %d\n", fraction, e);
	printf("%.17g %.17g\n", ldexp(0.7, 20), scalbn(1.5, -1074));
	fraction = modf(-3.75, &whole);
	printf("%.17g %.17g\n", fraction, whole);
	fraction = remquo(29.0, 3.0, &q);
	printf("%.17g %d\n", fraction, q & 7);
	printf("%ld %lld %ld\n", lround(2.5), llround(-1234567890123.5), lrint(3.5));
	printf("%.17g %.17g\n", fma(1e16, 1e16, -1e32), fma(0.1, 10.0, -1.0));
	double complex z = csqrt(-4.0 + 3.0 * I) * cexp(I);
	printf("%.14g %.14g\n", creal(z), cimag(z));
	CHECK(isnan(sqrt(-1.0)) && isinf(1.0 / 0.0 * 1.0) && signbit(-0.0) && !signbit(0.0));
	CHECK_EQ(fpclassify(5e-324), FP_SUBNORMAL);
	CHECK(fegetround() == FE_TONEAREST);
	printf("%d %d %.17g %.17g\n", DBL_MANT_DIG, DBL_MAX_EXP, DBL_EPSILON, (double)FLT_MAX);
	errno = 0;
	CHECK(exp(1000) == HUGE_VAL);
	CHECK_EQ(errno, ERANGE);
	errno = 0;
	CHECK(isnan(log(-1.0)));
	CHECK_EQ(errno, EDOM);
	return check_done();
}
