/* The locale C.UTF-8 is part of the library.  */
#ifndef _C_UTF8_H
#define _C_UTF8_H 1

#include <stdbool.h>
#include <localeinfo.h>

/* Whether NAME is a name of the locale.  */
extern bool __c_utf8_name (const char *name) attribute_hidden;

/* The data of a category; null with errno set if there is no memory.  Called
   with the lock of setlocale held.  */
extern struct __locale_data *__c_utf8_locale (int category) attribute_hidden;

#endif
