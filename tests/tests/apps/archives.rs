//! The test suites of tar, gzip, patch and m4: archives, pipes to other programs, files of every kind, memory used as it comes.

use std::collections::BTreeSet;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built};
use lind_tests::apps::root::installed;
use lind_tests::debian::Patches;

use crate::suite::{Setting, Suite, Verdict, driver_result, listed, strip};

/// How many of a suite's tests must have equal results, in percent.
const EQUAL: usize = 95;

/// Configures and builds a package without its manuals.
fn build<'a>(builder: &'a Builder, package: &str, options: &[&str]) -> Result<Built<'a>> {
    let mut configure: Vec<String> = ["env", "FORCE_UNSAFE_CONFIGURE=1", "./configure", "--quiet"]
        .map(str::to_owned)
        .to_vec();
    configure.extend(builder.configure());
    configure.extend(options.iter().map(|&option| option.to_owned()));
    let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
    let make = ["make", "-j2", "MAKEINFO=true"];
    builder.build(
        package,
        Patches::Applied,
        &[&["autoreconf", "--force"], &configure, &make],
    )
}

/// tar: a script of numbered tests, made by autotest; twenty of them at a time.
pub(crate) fn check_tar(builder: &Builder) -> Result<()> {
    /// How many tests there are in version 1.34; the script says so itself if there are fewer.
    const TESTS: usize = 233;
    const AT_ONCE: usize = 20;
    Suite {
        name: "tar",
        build: |builder| {
            build(
                builder,
                "tar",
                &[
                    "--without-selinux",
                    "--without-posix-acls",
                    "--without-xattrs",
                ],
            )
        },
        root: installed,
        prepare: |setting| {
            let built = setting.built;
            built.step(&["make", "-C", "tests", "genfile", "checkseekhole"])?;
            strip(setting, "src/tar")
        },
        tests: |_| {
            let firsts = (1..=TESTS).step_by(AT_ONCE);
            Ok(firsts
                .map(|first| format!("{first}-{}", TESTS.min(first + AT_ONCE - 1)))
                .collect())
        },
        command: |setting, test| {
            setting.script(
                &[],
                &format!("cd tests && CONFIG_SHELL=/bin/bash bash ./testsuite {test}"),
            )
        },
        verdict: Verdict::Cases(autotest),
        equal: EQUAL,
        differences: &[],
    }
    .check(builder)
}

/// The lines of autotest's script: a number, what is tested, and the result, which says where it was found.
fn autotest(printed: &str) -> Vec<(String, String)> {
    let case = |line: &str| {
        let (number, rest) = line.trim_start().split_once(": ")?;
        number.parse::<usize>().ok()?;
        let (name, result) = rest.rsplit_once("  ")?;
        let result = match result.trim() {
            "ok" => "PASS",
            result if result.starts_with("skipped") => "SKIP",
            "expected failure" => "XFAIL",
            result if result.starts_with("expected failure") => "XFAIL",
            result => result,
        };
        Some((format!("{number} {}", name.trim()), result.to_owned()))
    };
    printed.lines().filter_map(case).collect()
}

/// gzip: automake's driver.
pub(crate) fn check_gzip(builder: &Builder) -> Result<()> {
    by_driver(
        "gzip",
        |builder| build(builder, "gzip", &[]),
        |setting| strip(setting, "gzip"),
        &[],
    )
    .check(builder)
}

/// patch: the same.
pub(crate) fn check_patch(builder: &Builder) -> Result<()> {
    by_driver(
        "patch",
        |builder| build(builder, "patch", &["--disable-xattr"]),
        |setting| strip(setting, "src/patch"),
        &[(
            "ed-style",
            "it calls the ed that configure found on the machine; the system has none",
        )],
    )
    .check(builder)
}

/// A suite in `tests` that automake's driver runs; it writes each result to a file.
fn by_driver(
    name: &'static str,
    build: fn(&Builder) -> Result<Built<'_>>,
    prepare: fn(&Setting<'_>) -> Result<()>,
    differences: &'static [(&'static str, &'static str)],
) -> Suite {
    Suite {
        name,
        build,
        root: installed,
        prepare,
        tests: |built| listed(built, "tests", "$(TESTS)"),
        command: |setting, test| {
            setting.script(
                &[],
                &format!("rm -f tests/{test}.trs; make -C tests check-TESTS TESTS={test}"),
            )
        },
        verdict: Verdict::One(|directory, test, _| {
            driver_result(&directory.join("tests").join(format!("{test}.trs")))
        }),
        equal: EQUAL,
        differences,
    }
}

/// m4: the examples of its manual, all in one script.
pub(crate) fn check_m4(builder: &Builder) -> Result<()> {
    Suite {
        name: "m4",
        build: |builder| build(builder, "m4", &[]),
        root: installed,
        prepare: |setting| strip(setting, "src/m4"),
        tests: |_| Ok(vec!["checks".to_owned()]),
        command: |setting, _| {
            setting.script(
                &[],
                "cd checks && PATH=$PWD/../src:$PATH bash ./check-them -I ../examples [0-9]*.[a-z]* 2>&1",
            )
        },
        verdict: Verdict::Cases(examples),
        equal: EQUAL,
        differences: &[],
    }
    .check(builder)
}

/// The examples that were tried, and those among them that the end of the output names as failed.
fn examples(printed: &str) -> Vec<(String, String)> {
    let after = printed
        .split_once("Failed checks were:")
        .map_or("", |(_, rest)| rest);
    let failed: BTreeSet<&str> = after
        .split_whitespace()
        .filter_map(|word| word.split_once(':').map(|(name, _)| name))
        .collect();
    let tried = printed
        .lines()
        .filter_map(|line| line.strip_prefix("Checking "));
    tried
        .map(|name| {
            let result = if failed.contains(name) {
                "fails"
            } else {
                "PASS"
            };
            (name.to_owned(), result.to_owned())
        })
        .collect()
}
