//! The commands that work on text and files, without other processes: diffutils, findutils, gawk, grep, sed, make.

use lind_tests::Result;
use lind_tests::apps::build::Builder;
use lind_tests::apps::packages::{DIFFUTILS, FINDUTILS, GAWK, GREP, MAKE, SED};

use crate::commands::{Case, case, compare, reading};

const DIFF: &[Case] = &[
    case("src/diff", "--label a --label b -u fruit names"),
    case("src/diff", "-y -W 40 fruit names"),
    case("src/diff", "-e fruit names"),
    case("src/diff", "-rq dir/deep dir"),
    reading("src/diff", "-i fruit -", "PEAR\nAPPLE\nFIG\n"),
    case("src/diff", "fruit fruit"),
    case("src/diff", "absent fruit"),
    case("src/cmp", "-l fruit names"),
    case("src/cmp", "fruit fruit"),
    case("src/diff3", "--version"),
    case("src/sdiff", "--version"),
];

const FIND: &[Case] = &[
    case("find/find", "dir -depth -printf '%p %y %s %d\\n'"),
    case("find/find", ". -name '*a*' -type f -size -2"),
    case(
        "find/find",
        "dir -empty -o -path '*/deep/*' -printf '%m %n' -quit -name none",
    ),
    case("find/find", "dir -regex '.*/l[a-e]*f' -prune -print0"),
    case("find/find", "dir -type f -delete"),
    case("find/find", "absent -newer fruit"),
    case(
        "find/find",
        ". -maxdepth 1 -perm -200 -not -type d -printf %f",
    ),
    case("xargs/xargs", "--version"),
    case("locate/locate", "--version"),
];

const AWK: &[Case] = &[
    case("gawk", "-f program.awk numbers"),
    case(
        "gawk",
        "-F '\t' '$1 > 190 { print NR \": \" $2; n++ } END { print n }' numbers",
    ),
    case(
        "gawk",
        "'BEGIN { printf \"%d %5.3f %x %c %s\\n\", 2^31, atan2(0, -1), 255, 65, substr(\"hello\", 2, 3) }'",
    ),
    case(
        "gawk",
        "'BEGIN { s = \"a1b22c333\"; gsub(/[0-9]+/, \"<&>\", s); print s, match(s, /<2/), RSTART, toupper(s) }'",
    ),
    case(
        "gawk",
        "'BEGIN { n = split(\"b a c\", v, \" \"); asort(v); for (i = 1; i <= n; i++) print v[i] }'",
    ),
    case(
        "gawk",
        "'BEGIN { print strftime(\"%F %T\", 2000000000, 1), length(\"h\u{e9}llo\"), substr(systime(), 1, 0) }'",
    ),
    case(
        "gawk",
        "'{ print > \"out.\" NR % 2 } END { close(\"out.1\"); while ((getline l < \"out.1\") > 0) print \"<\" l }' fruit",
    ),
    case(
        "gawk",
        "'function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { print f(20) }'",
    ),
    case(
        "gawk",
        "'BEGIN { PROCINFO[\"sorted_in\"] = \"@ind_str_asc\"; a[3]; a[\"x\"][1] = 2; for (k in a) print k, isarray(a[k]) }'",
    ),
    case(
        "gawk",
        "'BEGIN { print length(12345678901234567890), 2 ** 53 + 1, 1e300 * 1e10, -log(0), int(-3.7) }'",
    ),
    case("gawk", "'BEGIN { exit 3 }'"),
    case("gawk", "'BEGIN { print 1 +'"),
    reading(
        "gawk",
        "'BEGIN { RS = \"\"; FS = \"\\n\" } { print NF, $1 }'",
        "a\nb\n\nc\n",
    ),
    reading(
        "gawk",
        "-v 'FPAT=([^,]+)|(\"[^\"]+\")' '{ print $2 }'",
        "a,\"b,c\",d\n",
    ),
];

const GREP_CASES: &[Case] = &[
    case("src/grep", "-n apple fruit names"),
    case("src/grep", "-ci apple fruit"),
    case("src/grep", "-rho 'l[a-z]*' dir prose"),
    case("src/grep", "-E '^(pe|fi)+.{1,2}$' fruit"),
    case("src/grep", "-vF -e pear -e fig fruit"),
    case("src/grep", "-w -A1 -B1 --color=always fox prose"),
    case("src/grep", "-q absent fruit"),
    case("src/grep", "x absent"),
    case("src/grep", "-E '(a)(p)\\2le' fruit"),
    case("src/grep", "-L pear fruit names prose"),
    case("src/grep", "-bo '[[:digit:]]\\+' prose"),
    case("src/grep", "'a\\{1' fruit"),
    reading("src/grep", "-z line", "one line\0other\0"),
    reading("src/grep", "-m 1 -H --label=pipe b", "a\nb\nb\n"),
];

const SED_CASES: &[Case] = &[
    case("sed/sed", "-n '2,4p;$=' fruit"),
    case("sed/sed", "-E 's/(\\w+) (\\w+)/\\2 \\1/g;y/abc/ABC/' names"),
    case("sed/sed", "-n '/quick/,/lazy/{=;l 20;}' prose"),
    case("sed/sed", "'1!G;h;$!d' names"),
    case("sed/sed", "-i.old 's/apple/APPLE/' fruit"),
    case("sed/sed", "':a;N;$!ba;s/\\n/,/g' fruit"),
    case("sed/sed", "-s -n '$p;1w first' fruit names"),
    case("sed/sed", "'2q5' fruit"),
    case("sed/sed", "'/fig/{r names\n;a after\n;i before\n;}' fruit"),
    case("sed/sed", "'0~3d;s/p/\\U&x/2;s/e$/\\n/' fruit"),
    case("sed/sed", "'s/(/' fruit"),
    case("sed/sed", "-z 's/\\n/|/g' fruit"),
];

const MAKE_CASES: &[Case] = &[
    case("make", "-n"),
    case("make", "-q one"),
    case("make", "-n -B --warn-undefined-variables two X=1"),
    case(
        "make",
        "--eval '$(info $(foreach v,a b,$(v)$(v)) $(filter %.c,x.c y.h) $(call f,1))' -n one 'f=<$(1)>'",
    ),
    case(
        "make",
        "--eval '$(info $(wildcard d*/*) $(notdir a/b) $(abspath /x/../y) $(if ,a,b) $(subst a,b,aa))' -n one",
    ),
    case("make", "--eval '$(error stop here)'"),
];

/// diffutils.
pub(crate) fn check_diffutils(builder: &Builder) -> Result<()> {
    compare(builder, &DIFFUTILS, DIFF)
}

/// findutils.
pub(crate) fn check_findutils(builder: &Builder) -> Result<()> {
    compare(builder, &FINDUTILS, FIND)
}

/// gawk.
pub(crate) fn check_gawk(builder: &Builder) -> Result<()> {
    compare(builder, &GAWK, AWK)
}

/// grep.
pub(crate) fn check_grep(builder: &Builder) -> Result<()> {
    compare(builder, &GREP, GREP_CASES)
}

/// sed.
pub(crate) fn check_sed(builder: &Builder) -> Result<()> {
    compare(builder, &SED, SED_CASES)
}

/// make, as far as it starts nothing.
pub(crate) fn check_make(builder: &Builder) -> Result<()> {
    compare(builder, &MAKE, MAKE_CASES)
}
