/* Nothing: a statically linked malloc has no hook for -lmcheck.  */
