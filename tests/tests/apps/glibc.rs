//! glibc's own tests against the library that they test: Debian's natively, the port under lind, by a user who is not root.
//!
//! `glibc.mk` builds the tests of some directories that need nothing but an installed library.

use std::path::Path;
use std::process::Command;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built};
use lind_tests::apps::root::{Place, installed};

use crate::suite::{Setting, Suite, Verdict, programs};

/// How the tests are built.
const MAKEFILE: &str = include_str!("glibc.mk");

/// What the tests are made of.
const PARTS: &[&str] = &[
    "dirent",
    "include",
    "io",
    "login",
    "malloc",
    "misc",
    "posix",
    "resource",
    "rt",
    "signal",
    "socket",
    "support",
    "sysdeps",
    "sysvipc",
    "test-skeleton.c",
    "time",
];

/// One test may take this long, in seconds: twice as long as it gives itself.
const LIMIT: &str = "40";

/// Where the tests run.
const SCRATCH: &str = "scratch";

/// Takes many seconds, and does the like of others.
const SLOW: &str = "takes long";

/// Tests that are not run, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("posix/tst-getaddrinfo4", "asks a name server"),
    ("rt/tst-cputimer1", SLOW),
    ("rt/tst-cputimer2", SLOW),
    ("rt/tst-cputimer3", SLOW),
];

/// Does not compile.
const LIBRARIES: &str =
    "asks for the names of shared libraries (gnu/lib-names.h), and there are none";
/// Natively a test may see more than its own descriptors.
const INHERITED: &str = "natively it counts descriptors that whoever runs the tests left open";
/// A kernel younger than the tests.
const NEWER: &str = "natively it fails where the kernel knows more flags than the test";
/// Debian's library keeps to itself what the test needs.
const RSEQ: &str = "natively it does not compile; under lind it finds no rseq";
/// Looks from within or at another namespace.
const NAMESPACES: &str = "a sandbox has no other namespaces";

/// Results that may differ.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "io/tst-faccessat",
        "where lind runs as root, modes shut nobody out",
    ),
    ("io/tst-getcwd-abspath", NAMESPACES),
    ("io/tst-close_range", INHERITED),
    ("io/tst-closefrom", INHERITED),
    ("misc/tst-gethostid", LIBRARIES),
    ("misc/tst-preadvwritev2", NEWER),
    ("misc/tst-preadvwritev64v2", NEWER),
    ("sysdeps/unix/sysv/linux/tst-rseq", RSEQ),
    ("sysdeps/unix/sysv/linux/tst-rseq-nptl", RSEQ),
    ("posix/tst-sysconf-empty-chroot", NAMESPACES),
    (
        "sysdeps/unix/sysv/linux/tst-clone3",
        "clang refuses its atomic operations on what is not atomic",
    ),
    ("sysdeps/unix/sysv/linux/tst-getcwd-smallbuff", NAMESPACES),
    (
        "sysdeps/unix/sysv/linux/tst-getdents64",
        "clang has no arrays of variable length in structures",
    ),
    ("sysdeps/unix/sysv/linux/tst-mount", NAMESPACES),
    ("sysdeps/unix/sysv/linux/tst-ttyname", NAMESPACES),
];

/// Builds the tests and compares their results.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    Suite {
        name: "glibc",
        build,
        root: installed,
        prepare,
        tests,
        command,
        verdict: Verdict::One(verdict),
        equal: 95,
        differences: DIFFERENCES,
    }
    .check(builder)
}

fn build(builder: &Builder) -> Result<Built<'_>> {
    let write = ["sh", "-c", "printf %s \"$0\" > lind.mk", MAKEFILE];
    let tools = ["cc", "ar"].map(|tool| (tool.to_uppercase(), builder.tool(tool)));
    let tools = tools.map(|(variable, tool)| format!("{variable}={tool}"));
    let mut make = vec!["make", "--silent", "-k", "-j2", "-f", "lind.mk"];
    make.extend(tools.iter().map(String::as_str));
    builder.build_parts("glibc", PARTS, &[&write, &make])
}

/// Makes a directory for the user who runs the tests.
fn prepare(setting: &Setting<'_>) -> Result<()> {
    let built = setting.built;
    built.step(&["rm", "-rf", SCRATCH])?;
    built.step(&["mkdir", SCRATCH])?;
    // Some write beside themselves.
    setting.give(SCRATCH)?;
    setting.give("run")
}

/// All programs that the makefile made.
fn tests(built: &Built<'_>) -> Result<Vec<String>> {
    let is_left_out = |test: &String| LEFT_OUT.iter().any(|(name, _)| name == test);
    Ok(programs(&built.directory().join("run"))?
        .into_iter()
        .filter(|test| !is_left_out(test))
        .collect())
}

/// A script that runs a test in an empty directory.
fn command(setting: &Setting<'_>, test: &str) -> Result<Command> {
    let script = format!(
        "cd {SCRATCH} && rm -rf here && mkdir here && cd here && export TMPDIR=$PWD && timeout {LIMIT} ../../run/{test} 2>&1 < /dev/null; echo \"status $?\""
    );
    let place = Place {
        host: setting.built.directory(),
        guest: "/glibc",
    };
    Ok(setting.as_user(&place, &script))
}

/// The result that the status of a test is.
fn verdict(_: &Path, _: &str, printed: &str) -> String {
    let status = printed
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("status "));
    match status {
        Some("0") => "PASS",
        Some("77") => "SKIP",
        _ => "FAIL",
    }
    .to_owned()
}
