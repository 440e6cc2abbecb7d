//! bash and dash, as far as a script starts no other process.

use lind_tests::Result;
use lind_tests::apps::build::Builder;
use lind_tests::apps::packages::{BASH, DASH};

use crate::commands::{Case, case, compare, reading};

const BASH_CASES: &[Case] = &[
    case(
        "bash",
        "-c 'echo $BASH_VERSION $((1 << 40)) $((7 % -3)) $((16#ff))'",
    ),
    case(
        "bash",
        "-c 'a=(x y z); a+=(w); echo ${#a[@]} ${a[@]:1:2} ${a[-1]} ${a[@]/y/Y}'",
    ),
    case(
        "bash",
        "-c 'declare -A m=([k]=v [l]=w); for i in k l; do echo $i=${m[$i]}; done'",
    ),
    case(
        "bash",
        "-c '[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo ${BASH_REMATCH[2]}; [[ a < b ]]; echo $?'",
    ),
    case(
        "bash",
        "-c 'v=path/to/file.txt; echo ${v##*/} ${v%.*} ${v^^} ${v//t/T} ${v:5:2} ${u-unset} ${v@Q}'",
    ),
    case(
        "bash",
        "-c 'echo {1..5} {a..e..2} x{y,z}; echo dir/* *.awk; shopt -s globstar; echo dir/**'",
    ),
    case(
        "bash",
        "-c 'while IFS=\" \" read -r a b; do echo \"$b:$a\"; done < names'",
    ),
    case(
        "bash",
        "-c 'exec 3<fruit; read -u 3 l; echo $l; exec 3<&-; mapfile -t all < fruit; echo ${#all[@]}'",
    ),
    case(
        "bash",
        "-c 'f() { local x=$1; ((x > 0)) && { echo $x; f $((x - 1)); }; }; f 3; echo $?'",
    ),
    case(
        "bash",
        "-c 'printf \"%s-%05.1f-%x-%(%F)T\\n\" a 2.25 255 0; printf -v w %q \"a b\"; echo $w'",
    ),
    case(
        "bash",
        "-c 'trap \"echo leaving\" EXIT; set -e; false; echo never'",
    ),
    case(
        "bash",
        "-c 'case foo.c in *.h) echo h;; *.[ch]) echo c;;& *) echo any;; esac'",
    ),
    case(
        "bash",
        "-c 'select x in a b; do echo $x; break; done <<< 2 2>/dev/null'",
    ),
    case(
        "bash",
        "-c 'echo one > out; echo two >> out; { read a; read b; } < out; echo $b$a; [ -s out ] && echo full'",
    ),
    case(
        "bash",
        "-c 'shopt -s extglob nullglob; echo !(dir|program*) @(x)*; set -- a \"b c\"; echo $# \"${@: -1}\"'",
    ),
    case(
        "bash",
        "-c 'ulimit -n 100; ulimit -n; umask 027; umask; umask -S'",
    ),
    case(
        "bash",
        "-c 'set -m; echo $-; jobs; wait; echo $?; kill -l 9; type cd'",
    ),
    case(
        "bash",
        "-c 'cd dir/deep; pwd -L; cd ..; echo ${PWD##*/}; cd - > /dev/null; echo ${OLDPWD##*/}'",
    ),
    case(
        "bash",
        "-c 'getopts ab: o -b val; echo $o $OPTARG; eval \"x=5\"; echo $x; unset x; echo ${x:-gone}'",
    ),
    case(
        "bash",
        "-c 'history -s one; history -s two; history; fc -l -1'",
    ),
    case("bash", "-c 'syntax error ('"),
    case("bash", "-c 'exit 7'"),
    case("bash", "-n -c 'if true; then echo; fi'"),
    reading(
        "bash",
        "-s arg",
        "read line\ninput for read\necho \"$line $1\"\n",
    ),
];

const DASH_CASES: &[Case] = &[
    case(
        "src/dash",
        "-c 'echo $((1+2)) $((0x10 * -3)); read x < fruit; echo $x'",
    ),
    case(
        "src/dash",
        "-c 'f() { echo f $1 $#; }; f a b; for i in 1 2; do echo $i; done'",
    ),
    case(
        "src/dash",
        "-c 'v=a/b/c.d; echo ${v##*/} ${v%.d} ${#v} ${u:-none}; echo d* dir/*'",
    ),
    case(
        "src/dash",
        "-c 'case abc in a*c) echo yes;; *) echo no;; esac; test -f fruit && echo file'",
    ),
    case(
        "src/dash",
        "-c 'while read -r a b; do echo \"$b $a\"; done < names'",
    ),
    case(
        "src/dash",
        "-c 'trap \"echo bye\" 0; set -eu; echo $undefined'",
    ),
    case(
        "src/dash",
        "-c 'printf \"%03d %s\\n\" 7 x 8 y; umask 077; umask; ulimit -n 64; ulimit -n'",
    ),
    case(
        "src/dash",
        "-c 'exec > out; echo written; exec < out; read w; echo $w >&2; exit 4'",
    ),
    reading(
        "src/dash",
        "",
        "read line\nthe input\necho \"<$line>\"\ncat() { :; }\ncat\n",
    ),
];

/// bash.
pub(crate) fn check_bash(builder: &Builder) -> Result<()> {
    compare(builder, &BASH, BASH_CASES)
}

/// dash.
pub(crate) fn check_dash(builder: &Builder) -> Result<()> {
    compare(builder, &DASH, DASH_CASES)
}
