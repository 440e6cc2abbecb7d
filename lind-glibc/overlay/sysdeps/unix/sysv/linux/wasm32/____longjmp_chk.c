/* Not used; see longjmp_chk.c.  */
