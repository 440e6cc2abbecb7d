/* A program that uses iconv_open has all character sets.  */
#define GCONV_CHARSETS_NEEDED 1
#include <iconv/iconv_open.c>
#include <gconv_charsets.h>

static const struct gconv_charsets *const charsets __attribute__ ((used))
  = &__gconv_charsets;
