/* Names of a character set's functions, when it is linked in.  */
#define GCONV_NAME(id, suffix) GCONV_NAME_ (id, suffix)
#define GCONV_NAME_(id, suffix) __gconv_##id##suffix

#define gconv GCONV_NAME (GCONV_CHARSET,)
#define gconv_init GCONV_NAME (GCONV_CHARSET, _init)
#define gconv_end GCONV_NAME (GCONV_CHARSET, _end)
