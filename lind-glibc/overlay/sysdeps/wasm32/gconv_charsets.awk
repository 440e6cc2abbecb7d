# The list of the character sets CHARSETS, with the names that the gconv-modules
# files give them.
BEGIN {
  n = split (charsets, wanted, " ")
  for (i = 1; i <= n; i++)
    {
      id = wanted[i]
      gsub (/-/, "_", id)
      ids[wanted[i]] = id
      print "CHARSET (" id ")"
    }
}

$1 == "module" && (tolower ($4) in ids) {
  from = toupper ($2)
  to = toupper ($3)
  known[from]
  known[to]
  printf "CHARSET_MODULE (\"%s\", \"%s\", %d, %s)\n",
	 from, to, $5 == "" ? 1 : $5, ids[tolower ($4)]
}

$1 == "alias" { names[toupper ($2)] = toupper ($3) }

END {
  for (a in names)
    if (names[a] in known)
      printf "CHARSET_ALIAS (\"%s\", \"%s\")\n", a, names[a] | "LC_ALL=C sort"
}
