/* The locale C.UTF-8, packed by c-utf8.py.  Its data is unpacked when it is
   used first: most of it are big tables of characters.  */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <c-utf8.h>

#define LOCALE_FILE(category, size, ...) \
  static const unsigned char packed_##category[] = { __VA_ARGS__ };
#include <c-utf8-files.h>
#undef LOCALE_FILE

static const struct
{
  const unsigned char *packed;
  size_t size;
} files[__LC_LAST] =
{
#define LOCALE_FILE(category, size, ...) \
  [category] = { packed_##category, size },
#include <c-utf8-files.h>
};

static struct __locale_data *loaded[__LC_LAST];

static size_t
number (const unsigned char **in)
{
  size_t n = 0;
  for (int shift = 0; ; shift += 7)
    {
      unsigned char c = *(*in)++;
      n |= (size_t) (c & 127) << shift;
      if (c < 128)
	return n;
    }
}

static void
unpack (const unsigned char *in, unsigned char *out, size_t size)
{
  for (unsigned char *end = out + size; out < end; )
    {
      size_t n = number (&in);
      out = __mempcpy (out, in, n);
      in += n;
      n = number (&in);
      size_t distance = number (&in);
      while (n-- > 0)
	{
	  *out = out[-distance];
	  ++out;
	}
    }
}

bool
__c_utf8_name (const char *name)
{
  if (strncmp (name, "C.", 2) != 0
      || __strncasecmp_l (name + 2, "utf", 3, _nl_C_locobj_ptr) != 0)
    return false;
  name += 5;
  return strcmp (name + (*name == '-'), "8") == 0;
}

struct __locale_data *
__c_utf8_locale (int category)
{
  if (loaded[category] != NULL)
    return loaded[category];

  unsigned char *data = malloc (files[category].size);
  if (data == NULL)
    return NULL;
  unpack (files[category].packed, data, files[category].size);
  struct __locale_data *locale
    = _nl_intern_locale_data (category, data, files[category].size);
  if (locale == NULL)
    {
      free (data);
      return NULL;
    }
  locale->name = "C.UTF-8";
  locale->usage_count = UNDELETABLE;
  locale->alloc = ld_malloced;
  return loaded[category] = locale;
}
