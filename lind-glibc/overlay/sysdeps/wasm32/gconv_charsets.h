/* Character sets that are linked in: there is no dlopen.  */
#ifndef _GCONV_CHARSETS_H
#define _GCONV_CHARSETS_H 1

#include <gconv_int.h>

/* The first character of the module name of such a character set.  */
#define GCONV_CHARSET_PREFIX '+'

struct gconv_charsets
{
  struct gconv_module *modules;
  size_t nmodules;
  /* Alias and name by turns, ended by an empty alias.  */
  const char *aliases;
  /* Make STEP a step of the character set with this module name.  */
  int (*init_step) (const char *module_name, struct __gconv_step *step);
};

/* Null unless the program uses iconv_open.  */
extern const struct gconv_charsets __gconv_charsets attribute_hidden
#ifndef GCONV_CHARSETS_NEEDED
  __attribute__ ((weak))
#endif
  ;

#endif
