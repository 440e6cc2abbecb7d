/* The table of the character sets that are linked in.  */
#include <limits.h>
#include <string.h>
#include <gconv_charsets.h>

struct charset
{
  const char *name;
  __gconv_fct fct;
  __gconv_init_fct init_fct;
};

#define CHARSET(id) \
  extern int __gconv_##id (struct __gconv_step *, struct __gconv_step_data *, \
			   const unsigned char **, const unsigned char *, \
			   unsigned char **, size_t *, int, int); \
  extern int __gconv_##id##_init (struct __gconv_step *);
#define CHARSET_MODULE(from, to, cost, id)
#define CHARSET_ALIAS(alias, name)
#include <gconv_charsets_list.h>
#undef CHARSET
#undef CHARSET_MODULE

static const struct charset charsets[] =
{
#define CHARSET(id) { #id, __gconv_##id, __gconv_##id##_init },
#define CHARSET_MODULE(from, to, cost, id)
#include <gconv_charsets_list.h>
#undef CHARSET
#undef CHARSET_MODULE
};

static struct gconv_module modules[] =
{
#define CHARSET(id)
#define CHARSET_MODULE(from, to, cost, id) \
  {									      \
    .from_string = from,						      \
    .to_string = to,							      \
    .cost_hi = cost,							      \
    .cost_lo = INT_MAX,							      \
    .module_name = "+" #id						      \
  },
#include <gconv_charsets_list.h>
#undef CHARSET_MODULE
#undef CHARSET_ALIAS
};

static const char aliases[] =
#define CHARSET_MODULE(from, to, cost, id)
#define CHARSET_ALIAS(alias, name) alias "\0" name "\0"
#include <gconv_charsets_list.h>
  ;

static int
init_step (const char *module_name, struct __gconv_step *step)
{
  size_t i = 0;
  while (strcmp (module_name + 1, charsets[i].name) != 0)
    if (++i == sizeof (charsets) / sizeof (charsets[0]))
      return __GCONV_NOCONV;

  step->__shlib_handle = NULL;
  step->__modname = NULL;
  step->__fct = charsets[i].fct;
  step->__init_fct = NULL;
  /* Steps of the table live as long as the program.  */
  step->__end_fct = NULL;
  step->__btowc_fct = NULL;
  return charsets[i].init_fct (step);
}

const struct gconv_charsets __gconv_charsets =
{
  .modules = modules,
  .nmodules = sizeof (modules) / sizeof (modules[0]),
  .aliases = aliases,
  .init_step = init_step,
};
