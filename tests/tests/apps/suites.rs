//! The packages' own test suites, each test run by the small system's bash: under lind, and natively.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Toolchain};
use lind_tests::apps::packages::{BASH, GAWK, GREP, MAKE, SED};
use lind_tests::apps::root::installed;

use crate::suite::{Setting, Suite, Verdict, driver_result, listed, strip};

/// How many of a suite's tests must have equal results, in percent.
const EQUAL: usize = 95;

/// bash: each `run-*` script compares what a test prints with what is right, and prints the difference.
pub(crate) fn check_bash(builder: &Builder) -> Result<()> {
    Suite {
        name: "bash",
        build: |builder| BASH.build(builder),
        root: installed,
        prepare: |setting| {
            let built = setting.built;
            let cc = format!("CC_FOR_BUILD={}", built.tool("cc"));
            built.step(&["make", &cc, "recho", "zecho", "printenv", "xcase"])?;
            built
                .step(&["cp", "recho", "zecho", "printenv", "xcase", "tests"])
                .map(drop)
        },
        tests: |built| {
            let directory = built.directory().join("tests");
            let entries = fs::read_dir(&directory)
                .map_err(|e| format!("cannot read '{}': {e}", directory.display()))?;
            let names = entries.flatten().map(|e| e.file_name().display().to_string());
            // run-all runs all, the other two some of them.
            Ok(names
                .filter(|name| name.starts_with("run-"))
                .filter(|name| !["run-all", "run-minimal", "run-gprof"].contains(&name.as_str()))
                .collect())
        },
        command: |setting, test| {
            setting.script(&[], &format!(
                "unset LC_ALL; cd tests && export THIS_SH=$(command -v bash) BUILD_DIR=$PWD/.. TMPDIR=/tmp PATH=.:$PATH BASH_TSTOUT=/tmp/bashtst-{test} && rm -f $BASH_TSTOUT && sh ./{test} 2>/dev/null; rm -f $BASH_TSTOUT"
            ))
        },
        verdict: Verdict::One(|_, _, printed| {
            let lines = printed.lines().filter(|line| line.starts_with(['<', '>'])).count();
            match (lines, printed.is_empty()) {
                (0, true) => "passes".to_owned(),
                _ => "fails".to_owned(),
            }
        }),
        equal: EQUAL,
        differences: &[
            (
                "run-nameref",
                "it asks for the variable of a coprocess, which is gone as soon as the end of that is noticed: natively a loop before the question gives the other answer as well",
            ),
            ("run-new-exp", "natively it fails for root, and a sandbox's user is not root"),
        ],
    }
    .check(builder)
}

/// sed: automake's test driver writes each result to a file.
pub(crate) fn check_sed(builder: &Builder) -> Result<()> {
    Suite {
        name: "sed",
        build: |builder| SED.build(builder),
        root: installed,
        prepare: |setting| {
            let built = setting.built;
            built
                .step(&["make", "testsuite/get-mb-cur-max", "testsuite/test-mbrtowc"])
                .map(drop)
        },
        tests: |built| listed(built, ".", "$(TESTS)"),
        command: |setting, test| {
            setting.script(
                &[],
                &format!(
                    "rm -f {0}.trs; make check-TESTS check_PROGRAMS= TESTS={1}",
                    stem(test),
                    test
                ),
            )
        },
        verdict: Verdict::One(|directory, test, _| {
            driver_result(&directory.join(stem(test)).with_extension("trs"))
        }),
        equal: EQUAL,
        differences: &[],
    }
    .check(builder)
}

/// grep: the same driver, in a directory of its own.
pub(crate) fn check_grep(builder: &Builder) -> Result<()> {
    Suite {
        name: "grep",
        build: |builder| GREP.build(builder),
        root: installed,
        prepare: |setting| {
            let built = setting.built;
            built.step(&["make", "-C", "tests", "get-mb-cur-max"])?;
            strip(setting, "src/grep")
        },
        tests: |built| listed(built, "tests", "$(TESTS)"),
        command: |setting, test| {
            setting.script(
                &[],
                &format!(
                    "rm -f tests/{test}.trs; make -C tests check-TESTS check_PROGRAMS= TESTS={test}"
                ),
            )
        },
        verdict: Verdict::One(|directory, test, _| {
            driver_result(&directory.join("tests").join(format!("{test}.trs")))
        }),
        equal: EQUAL,
        differences: &[(
            "file",
            "cp of /dev/null compares the inode of its name with that of the open file",
        )],
    }
    .check(builder)
}

/// gawk: a target each; a wrong output stays as a file with the test's name.
pub(crate) fn check_gawk(builder: &Builder) -> Result<()> {
    Suite {
        name: "gawk",
        build: |builder| GAWK.build(builder),
        root: installed,
        prepare: |setting| strip(setting, "gawk"),
        tests: |built| {
            listed(
                built,
                "test",
                "$(BASIC_TESTS) $(UNIX_TESTS) $(GAWK_EXT_TESTS) $(LOCALE_CHARSET_TESTS)",
            )
        },
        command: |setting, test| {
            setting.script(
                &[],
                &format!("rm -f test/_{test}; make -C test {test} && echo made"),
            )
        },
        verdict: Verdict::One(|directory, test, printed| {
            let wrong = directory.join("test").join(format!("_{test}")).exists();
            match (printed.ends_with("made\n"), wrong) {
                (true, false) => "passes".to_owned(),
                _ => "fails".to_owned(),
            }
        }),
        equal: EQUAL,
        differences: &[],
    }
    .check(builder)
}

/// make: its test driver is written in Perl, so it stays outside and calls a make that runs inside.
pub(crate) fn check_make(builder: &Builder) -> Result<()> {
    Suite {
        name: "make",
        build: |builder| MAKE.build(builder),
        root: installed,
        prepare: |setting| strip(setting, "make"),
        tests: |built| {
            let scripts = built.directory().join("tests/scripts");
            let names = |path: &Path| -> Result<Vec<String>> {
                let entries = fs::read_dir(path)
                    .map_err(|e| format!("cannot read '{}': {e}", path.display()))?;
                Ok(entries
                    .flatten()
                    .map(|e| e.file_name().display().to_string())
                    .collect())
            };
            let mut tests = Vec::new();
            for category in names(&scripts)? {
                // The third category is for one operating system.
                if [
                    "features",
                    "functions",
                    "misc",
                    "options",
                    "targets",
                    "variables",
                ]
                .contains(&category.as_str())
                {
                    let directory = scripts.join(&category);
                    for name in names(&directory)? {
                        let text = fs::read_to_string(directory.join(&name)).unwrap_or_default();
                        // These have make call Perl, which the system does not have.
                        if !["#HELPER#", "#PERL#", "perl_name"]
                            .iter()
                            .any(|p| text.contains(p))
                        {
                            tests.push(format!("{category}/{name}"));
                        }
                    }
                }
            }
            Ok(tests)
        },
        command: |setting, test| {
            let directory = setting.built.directory();
            let make = match setting.builder.toolchain() {
                Toolchain::Native => directory.join("make"),
                Toolchain::Lind(installation) => outer_make(setting, &installation.tool("lind"))?,
            };
            let mut command = Command::new("perl");
            setting.builder.environment(&mut command);
            command
                .current_dir(directory.join("tests"))
                .args(["run_make_tests.pl", "-srcdir"])
                .arg(directory)
                .arg("-make")
                .arg(make)
                .arg(test);
            Ok(command)
        },
        verdict: Verdict::One(|_, test, printed| {
            let line = printed.lines().find_map(|line| line.strip_prefix(test));
            match line.map(|rest| rest.trim_start_matches(['.', ' '])) {
                Some(rest) if rest.starts_with("ok") || rest.starts_with("N/A") => {
                    "passes".to_owned()
                }
                Some(rest) => rest.split_whitespace().collect::<Vec<_>>().join(" "),
                None => "no result".to_owned(),
            }
        }),
        equal: EQUAL,
        differences: &[
            ("features/archives", "the system has no ar"),
            (
                "misc/fopen-fail",
                "natively the limit of open files is so high that make's stack overflows first",
            ),
            ("variables/INCLUDE_DIRS", "the system has no /usr/include"),
        ],
    }
    .check(builder)
}

/// A command outside that runs make inside under the same path, with the caller's directory and variables.
fn outer_make(setting: &Setting<'_>, lind: &Path) -> Result<PathBuf> {
    let directory = setting.built.directory();
    let (outer, inner) = (directory.join("outer"), directory.join("inner"));
    let made = || -> std::io::Result<()> {
        fs::create_dir_all(&outer)?;
        fs::create_dir_all(&inner)?;
        fs::copy(directory.join("make"), inner.join("make"))?;
        let script = format!(
            "#!/bin/sh\nfor name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z_0-9]*\\)=.*/\\1/p'); do options=\"$options --env $name\"; done\nexec {} run --root {} --dir {} --dir {}::{} --cwd \"$PWD\" $options --env PATH=/usr/bin {} \"$@\"\n",
            lind.display(),
            setting.root.display(),
            directory.display(),
            inner.display(),
            outer.display(),
            outer.join("make").display(),
        );
        fs::write(outer.join("make"), script)?;
        fs::set_permissions(outer.join("make"), fs::Permissions::from_mode(0o755))
    };
    made().map_err(|e| format!("cannot write '{}': {e}", outer.display()))?;
    Ok(outer.join("make"))
}

/// A test's name without the extension that the driver drops.
fn stem(test: &str) -> &str {
    test.strip_suffix(".sh").unwrap_or(test)
}
