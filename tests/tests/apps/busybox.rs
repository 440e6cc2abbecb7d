//! busybox, all of it one program: in the configuration of Debian's package `busybox-static`, in a root directory of its own.
//!
//! Its test suite and its shell's run by its own shell and commands, under lind and natively.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built, Toolchain, failed};
use lind_tests::apps::root::Place;
use lind_tests::apps::rootfs::skeleton;
use lind_tests::debian::Patches;
use lind_tests::run::run;

use crate::scripts::{Script, differences};
use crate::suite::{Setting, Suite, Verdict, own_user};

/// A script may not take longer.
const LIMIT: Duration = Duration::from_secs(120);

/// Some of what its commands do together.
const SCRIPTS: &[Script] = &[
    (
        "the commands that it has",
        "busybox | head -n 1 | cut -d ' ' -f 1-2; busybox --list | wc -l; busybox --list | md5sum; for name in awk find ps sed tar vi; do test -x /proc/self/exe && type $name; done | sed 's/ is .*//'",
    ),
    (
        "archives",
        "mkdir -p a/b; seq 1000 > a/numbers; echo text > a/b/file; ln -s b/file a/link; ln a/numbers a/again; for how in z ''; do tar c${how}f a.tar a 2> /dev/null || continue; mkdir out; tar xf a.tar -C out; diff -r a out/a && ls -F out/a && test out/a/numbers -ef out/a/again && echo same; rm -r out; done; find a | sort | cpio -o -H newc 2> /dev/null | cpio -t 2> /dev/null; gzip < a/numbers | gunzip | cmp - a/numbers; bzip2 < a/numbers | bunzip2 | cmp - a/numbers",
    ),
    (
        "text",
        "seq 100 | awk '{ s[$1 % 7] += $1 } END { for (i in s) print i, s[i] }' | sort -n | sed 's/^\\([0-9]\\) /\\1: /; 3d' | tr 0-9 a-j | tac | nl; echo 'one two' | xxd | xxd -r | rev; printf 'b\\na\\nb\\n' | sort | uniq -c; echo '2^200; scale=20; 1/7; sqrt(2)' | bc; echo '3 4 * p' | dc; seq 30 | paste - - - | expand | fold -w 10 | head -n 5 | tail -n 2; printf 'a\\nadded\\n.\\n1,2p\\nw\\nq\\n' > commands; touch new; ed new < commands; cat new",
    ),
    (
        "files",
        "mkdir -p d/e; touch d/x d/e/y; chmod 640 d/x; find d -type f -perm 640; find d -name y -exec stat -c '%n %s %a %F' {} \\;; find d -print0 | xargs -0 ls -dF | sort; mv d/x d/e; cp -a d f; diff -r d f; du -s d | cut -f 2; echo data | dd of=z bs=1 count=3 seek=2 conv=notrunc 2> /dev/null; od -An -tx1 z; (cd d/e && readlink -f ../../z | sed 's,.*/,,'); rm -r d f; ls",
    ),
    (
        "sums",
        "seq 10000 > data; for sum in md5sum sha1sum sha256sum sha512sum sha3sum; do $sum data; done; base64 data | base64 -d | cmp - data; uuencode data < data | uudecode -o - | cmp - data; gzip -9 < data | wc -c",
    ),
    (
        "the shell",
        "f() { local x=$1; echo $((x * 2)) ${#x} ${x%%c*} ${x##*b}; }; f 21; f() { echo ${1%%c*} ${1##*b}; }; f abcabc; for i in 1 2 3; do (sleep 0.$i; echo $i) & done; wait; trap 'echo trapped' TERM; kill -TERM $$; trap - EXIT; (exit 3) || echo $?; cat <<end\n$(echo here)\nend\nset -- a b c; shift; echo \"$@\"; case abc in a*) echo a;; esac; (trap 'echo leaving' EXIT; exit 4); echo $?; read -r a b < /proc/self/comm; echo $a; set -o pipefail; false | true; echo $?; sh -c 'kill -9 $$'; echo $?",
    ),
    (
        "processes",
        "timeout 0.3 sleep 10; echo $?; sleep 100 & kill $!; wait $! 2> /dev/null; echo $?; time true 2>&1 | head -n 1 | cut -c 1-4; seq 20 | xargs -n 3 -P 4 echo | sort -n; (ulimit -f 1; dd if=/dev/zero of=big bs=4096 count=2 2> /dev/null; echo $?); env -i A=b env; mkfifo p; (echo through > p) & cat p; wait; tty; start-stop-daemon -S -b -m -p pid -x sleep -- 100; sleep 0.3; kill $(cat pid) && echo killed",
    ),
    (
        "a web server and its client",
        "mkdir -p www/cgi-bin; seq 5000 > www/numbers; printf '#!/bin/sh\\necho; echo \"got $QUERY_STRING\"' > www/cgi-bin/page; chmod +x www/cgi-bin/page; httpd -f -p 127.0.0.1:47731 -h www & p=$!; for i in $(seq 50); do wget -q -O got http://127.0.0.1:47731/numbers 2> /dev/null && break; sleep 0.1; done; cmp got www/numbers && echo equal; wget -q -O - 'http://127.0.0.1:47731/cgi-bin/page?a=b'; wget -q -O - http://127.0.0.1:47731/absent; echo $?; kill $p; wait $p 2> /dev/null; echo $?",
    ),
    // The server's input stays open: at its end each would hang up, and the client might not have sent anything yet.
    (
        "nc",
        "mkfifo hold; nc -l -p 47732 < hold > got & p=$!; exec 3> hold; for i in $(seq 50); do echo sent | nc 127.0.0.1 47732 2> /dev/null && break; sleep 0.1; done; wait $p; echo $?; cat got",
    ),
];

/// Builds it and runs every script both ways.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    let outcomes = |builder: &Builder| -> Result<Vec<_>> {
        let root = root(builder)?;
        let one = |(_, script): &Script| {
            let data = tempfile::tempdir().map_err(|e| e.to_string())?;
            let place = Place {
                host: data.path(),
                guest: "/data",
            };
            let mut command = shell(builder, &root, &place, script);
            run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))
        };
        SCRIPTS.iter().map(one).collect()
    };
    differences(SCRIPTS, &outcomes(&builder.twin())?, &outcomes(builder)?)
}

/// Why a test of traps passes or fails by chance.
const RACE: &str = "its signal may come before the command whose status it asks for has begun";

/// `testsuite/` has a file or a directory for each command; `shell/ash_test` has directories of scripts.
pub(crate) fn check_suite(builder: &Builder) -> Result<()> {
    Suite {
        name: "busybox",
        build,
        root,
        prepare,
        tests: |built| {
            let mut tests = names(&built.directory().join("testsuite"), |path| {
                path.is_dir() || path.extension().is_some_and(|e| e == "tests")
            })?;
            // This one checks the style of the sources.
            tests.retain(|test| test != "all_sourcecode");
            tests.extend(names(&built.directory().join("shell/ash_test"), Path::is_dir)?);
            Ok(tests)
        },
        command: |setting, test| {
            let directory = setting.built.directory().join(SUITE);
            let place = Place {
                host: &directory,
                guest: "/suite",
            };
            let script = if test.starts_with("ash-") {
                format!("cd shell/ash_test && exec sh ./run-all {test}")
            } else {
                // As Debian's build does.
                format!(
                    "export LANG=C.UTF-8 LC_ALL=C.UTF-8 SKIP_KNOWN_BUGS=y SKIP_INTERNET_TESTS=y SHELL=/bin/sh; cd testsuite && exec sh ./runtest {test}"
                )
            };
            Ok(shell(setting.builder, setting.root, &place, &script))
        },
        verdict: Verdict::Cases(|printed| printed.lines().filter_map(case).collect()),
        equal: 97,
        differences: &[
            ("ash-misc: exitcode_trap2.tests", RACE),
            ("ash-misc: exitcode_trap3.tests", RACE),
            ("ash-misc: exitcode_trap4.tests", RACE),
            ("ash-misc: exitcode_trap5.tests", RACE),
            ("ash-misc: exitcode_trap6.tests", RACE),
            (
                "ash-signals: sigquit_exec.tests",
                "natively it shows the signals that whoever runs the tests ignores",
            ),
            (
                "mdev",
                "it makes devices, and a sandbox has none but its own; Debian's build leaves the test out",
            ),
            (
                "start-stop-daemon: start-stop-daemon with both -x and -a",
                "it needs a /bin/false of another package than busybox, as its source says, and finds one natively",
            ),
        ],
    }
    .check(builder)
}

/// The name and the result of a case, from a line of `runtest` or `run-all`.
fn case(line: &str) -> Option<(String, String)> {
    for result in ["PASS", "FAIL", "SKIPPED", "UNTESTED"] {
        if let Some(name) = line.strip_prefix(result).and_then(|l| l.strip_prefix(": ")) {
            return Some((name.to_owned(), result.to_owned()));
        }
    }
    for (end, result) in [(": ok", "PASS"), (": fail", "FAIL")] {
        if let Some(name) = line.strip_suffix(end) {
            let name = name.split_once('/').map_or(name, |(_, name)| name);
            return Some((name.to_owned(), result.to_owned()));
        }
    }
    None
}

/// A directory of the build: the tests and the program under test.
const SUITE: &str = "suite";

/// Copies the tests, with the programs that they need.
fn prepare(setting: &Setting<'_>) -> Result<()> {
    let built = setting.built;
    built.step(&["rm", "-rf", SUITE])?;
    built.step(&["mkdir", "-p", "suite/shell"])?;
    built.step(&["cp", "-a", "testsuite", "busybox", ".config", SUITE])?;
    built.step(&["cp", "-a", "shell/ash_test", "suite/shell"])?;
    for program in ["printenv", "recho", "zecho"] {
        let path = format!("suite/shell/ash_test/{program}");
        let source = format!("{path}.c");
        built.step(&[&built.tool("cc"), "-w", "-O2", "-o", &path, &source])?;
    }
    if matches!(setting.builder.toolchain(), Toolchain::Native) {
        // Natively, too, it is busybox's shell that runs them.
        let shell = setting.root.join("usr/bin/sh");
        let line = format!(
            "sed -i '1s,^#! */bin/sh,#!{},' testsuite/*.tests testsuite/runtest",
            shell.display()
        );
        built.step(&["sh", "-c", &format!("cd {SUITE} && {line}")])?;
    }
    Ok(())
}

/// The names, without extension, of a directory's entries.
fn names(directory: &Path, wanted: fn(&Path) -> bool) -> Result<Vec<String>> {
    let entries = fs::read_dir(directory)
        .map_err(|e| format!("cannot read '{}': {e}", directory.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let stem = |path: PathBuf| Some(path.file_stem()?.display().to_string());
    Ok(paths.filter(|path| wanted(path)).filter_map(stem).collect())
}

/// A script for busybox's shell, which has no other commands than its own. The user is the one outside: root may do more.
fn shell(builder: &Builder, root: &Path, place: &Place<'_>, script: &str) -> Command {
    let user = own_user();
    // Descriptors that whoever runs the tests left open are none of the script's.
    let close =
        "for fd in /proc/self/fd/*; do test ${fd##*/} -gt 2 && eval \"exec ${fd##*/}>&-\"; done";
    let mut command = place.program(builder, root, "sh", &["--user", &user]);
    command.args(["-c", &format!("{close}; {script}"), "sh"]);
    command
}

fn build(builder: &Builder) -> Result<Built<'_>> {
    let cross: &[&str] = match builder.toolchain() {
        Toolchain::Native => &[],
        Toolchain::Lind(_) => &["CROSS_COMPILE=lind-", "CC=lind-cc", "HOSTCC=cc"],
    };
    let configure = [&["make", "silentoldconfig"], cross].concat();
    let make = [&["make", "-j2"], cross].concat();
    builder.build(
        "busybox",
        Patches::Applied,
        &[
            &["cp", "debian/config/pkg/static", ".config"],
            &configure,
            &make,
        ],
    )
}

/// A root directory with nothing but busybox, which installs its own commands.
fn root(builder: &Builder) -> Result<PathBuf> {
    let built = build(builder)?;
    let root = builder.home().join("busybox-root");
    let fail = |e: std::io::Error| format!("cannot make '{}': {e}", root.display());
    if root.exists() {
        fs::remove_dir_all(&root).map_err(fail)?;
    }
    skeleton(&root)?;
    fs::copy(
        built.directory().join("busybox"),
        root.join("usr/bin/busybox"),
    )
    .map_err(fail)?;
    let place = Place {
        host: &root.join("tmp"),
        guest: "/tmp",
    };
    let mut command = place.program(builder, &root, "busybox", &[]);
    command.args(["--install", "-s"]);
    command.arg(match builder.toolchain() {
        Toolchain::Native => root.join("usr/bin"),
        Toolchain::Lind(_) => PathBuf::from("/usr/bin"),
    });
    let outcome =
        run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    if outcome.succeeded() {
        Ok(root)
    } else {
        Err(failed("busybox --install -s", &outcome))
    }
}
