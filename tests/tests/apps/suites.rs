//! The packages' own test suites, each test run by the small system's bash: under lind, and natively.
//!
//! A test's result must be the same both ways. The table of all results is written to `target/apps/results`.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built, Toolchain};
use lind_tests::apps::packages::{BASH, GAWK, GREP, MAKE, Package, SED};
use lind_tests::install::repository;
use lind_tests::run::{Ending, run};

use lind_tests::apps::root::{Place, installed};

/// One test may not take longer.
const LIMIT: Duration = Duration::from_secs(400);
/// How many of a suite's tests must have equal results, in percent.
const EQUAL: usize = 95;

/// A package's test suite.
struct Suite {
    name: &'static str,
    package: &'static Package,
    /// Steps on this machine that build what the tests need, without running them.
    /// Programs are stripped, as installed ones are.
    prepare: fn(&Built<'_>) -> Result<()>,
    /// The names of all tests.
    tests: fn(&Built<'_>) -> Result<Vec<String>>,
    /// The command that runs one test.
    command: fn(&Setting<'_>, &str) -> Result<Command>,
    /// The test's result, from the package's directory and what the command printed.
    verdict: fn(&Path, &str, &str) -> String,
    /// Tests whose results may differ, with the reason.
    differences: &'static [(&'static str, &'static str)],
}

/// Where a test runs.
struct Setting<'a> {
    builder: &'a Builder,
    built: &'a Built<'a>,
    /// The root directory of the toolchain's small system.
    root: &'a Path,
}

impl Setting<'_> {
    /// A script for the small system's bash, in the package's directory.
    fn script(&self, text: &str) -> Result<Command> {
        let directory = self.built.directory();
        // Makefiles have absolute paths in them: the directory keeps its name.
        let place = Place {
            host: directory,
            guest: directory.to_str().ok_or("a build's path is text")?,
        };
        let mut command = place.shell(self.builder, self.root);
        command.args(["-c", text]);
        Ok(command)
    }
}

/// bash: each `run-*` script compares what a test prints with what is right, and prints the difference.
pub(crate) fn check_bash(builder: &Builder) -> Result<()> {
    Suite {
        name: "bash",
        package: &BASH,
        prepare: |built| {
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
            setting.script(&format!(
                "unset LC_ALL; cd tests && export THIS_SH=$(command -v bash) BUILD_DIR=$PWD/.. TMPDIR=/tmp PATH=.:$PATH BASH_TSTOUT=/tmp/bashtst-{test} && rm -f $BASH_TSTOUT && sh ./{test} 2>/dev/null; rm -f $BASH_TSTOUT"
            ))
        },
        verdict: |_, _, printed| {
            let lines = printed.lines().filter(|line| line.starts_with(['<', '>'])).count();
            match (lines, printed.is_empty()) {
                (0, true) => "passes".to_owned(),
                _ => "fails".to_owned(),
            }
        },
        differences: &[
            ("run-new-exp", "natively it fails for root, and a sandbox's user is not root"),
        ],
    }
    .check(builder)
}

/// sed: automake's test driver writes each result to a file.
pub(crate) fn check_sed(builder: &Builder) -> Result<()> {
    Suite {
        name: "sed",
        package: &SED,
        prepare: |built| {
            built
                .step(&["make", "testsuite/get-mb-cur-max", "testsuite/test-mbrtowc"])
                .map(drop)
        },
        tests: |built| listed(built, ".", "$(TESTS)"),
        command: |setting, test| {
            setting.script(&format!(
                "rm -f {0}.trs; make check-TESTS check_PROGRAMS= TESTS={1}",
                stem(test),
                test
            ))
        },
        verdict: |directory, test, _| {
            driver_result(&directory.join(stem(test)).with_extension("trs"))
        },
        differences: &[],
    }
    .check(builder)
}

/// grep: the same driver, in a directory of its own.
pub(crate) fn check_grep(builder: &Builder) -> Result<()> {
    Suite {
        name: "grep",
        package: &GREP,
        prepare: |built| {
            built.step(&["make", "-C", "tests", "get-mb-cur-max"])?;
            built.step(&[&built.tool("strip"), "src/grep"]).map(drop)
        },
        tests: |built| listed(built, "tests", "$(TESTS)"),
        command: |setting, test| {
            setting.script(&format!(
                "rm -f tests/{test}.trs; make -C tests check-TESTS check_PROGRAMS= TESTS={test}"
            ))
        },
        verdict: |directory, test, _| {
            driver_result(&directory.join("tests").join(format!("{test}.trs")))
        },
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
        package: &GAWK,
        prepare: |built| built.step(&[&built.tool("strip"), "gawk"]).map(drop),
        tests: |built| {
            listed(
                built,
                "test",
                "$(BASIC_TESTS) $(UNIX_TESTS) $(GAWK_EXT_TESTS) $(LOCALE_CHARSET_TESTS)",
            )
        },
        command: |setting, test| {
            setting.script(&format!(
                "rm -f test/_{test}; make -C test {test} && echo made"
            ))
        },
        verdict: |directory, test, printed| {
            let wrong = directory.join("test").join(format!("_{test}")).exists();
            match (printed.ends_with("made\n"), wrong) {
                (true, false) => "passes".to_owned(),
                _ => "fails".to_owned(),
            }
        },
        differences: &[],
    }
    .check(builder)
}

/// make: its test driver is written in Perl, so it stays outside and calls a make that runs inside.
pub(crate) fn check_make(builder: &Builder) -> Result<()> {
    Suite {
        name: "make",
        package: &MAKE,
        prepare: |built| built.step(&[&built.tool("strip"), "make"]).map(drop),
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
        verdict: |_, test, printed| {
            let line = printed.lines().find_map(|line| line.strip_prefix(test));
            match line.map(|rest| rest.trim_start_matches(['.', ' '])) {
                Some(rest) if rest.starts_with("ok") || rest.starts_with("N/A") => {
                    "passes".to_owned()
                }
                Some(rest) => rest.split_whitespace().collect::<Vec<_>>().join(" "),
                None => "no result".to_owned(),
            }
        },
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

impl Suite {
    /// Runs every test both ways, writes the table, and fails if too many results differ or one does unexpectedly.
    fn check(&self, builder: &Builder) -> Result<()> {
        let twin = builder.twin();
        let (native, lind) = (self.results(&twin)?, self.results(builder)?);
        let mut table = String::new();
        let (mut equal, mut wrong) = (0, Vec::new());
        for ((test, theirs), (_, ours)) in native.iter().zip(&lind) {
            let reason = self.differences.iter().find(|(name, _)| name == test);
            let note = reason.map_or("", |(_, reason)| reason);
            let _ = writeln!(table, "{test}\t{theirs}\t{ours}\t{note}");
            equal += usize::from(theirs == ours);
            if theirs != ours && reason.is_none() {
                wrong.push(format!("{test}: {theirs} natively, {ours} under lind"));
            }
        }
        let passed = lind.iter().filter(|(_, result)| passes(result)).count();
        let summary = format!(
            "{}: {equal} of {} results equal, {passed} pass under lind",
            self.name,
            native.len()
        );
        let directory = repository().join("target/apps/results");
        let file = directory.join(self.name);
        fs::create_dir_all(&directory)
            .and_then(|()| {
                fs::write(
                    &file,
                    format!("{summary}\ntest\tnative\tlind\twhy\n{table}"),
                )
            })
            .map_err(|e| format!("cannot write '{}': {e}", file.display()))?;
        println!("{summary}");
        if native.is_empty() || equal * 100 < native.len() * EQUAL || !wrong.is_empty() {
            return Err(format!("{summary}\n{}", wrong.join("\n")));
        }
        Ok(())
    }

    /// The result of every test with one toolchain, in the order of their names.
    fn results(&self, builder: &Builder) -> Result<Vec<(String, String)>> {
        let root = installed(builder)?;
        let built = self.package.build(builder)?;
        (self.prepare)(&built)?;
        let mut tests = (self.tests)(&built)?;
        // The system has no Perl, natively as little as under lind.
        #[allow(clippy::case_sensitive_file_extension_comparisons)]
        tests.retain(|test| !test.ends_with(".pl"));
        if let Ok(only) = std::env::var("LIND_SUITE_ONLY") {
            tests.retain(|test| test.contains(&only));
        }
        tests.sort();
        tests.dedup();
        let setting = Setting {
            builder,
            built: &built,
            root: &root,
        };
        tests
            .into_iter()
            .map(|test| {
                let mut command = (self.command)(&setting, &test)?;
                let outcome = run(&mut command, b"", LIMIT)
                    .map_err(|e| format!("cannot run {command:?}: {e}"))?;
                let result = match outcome.ending {
                    Ending::TimedOut => "takes too long".to_owned(),
                    Ending::Status(_) => (self.verdict)(built.directory(), &test, &outcome.text()),
                };
                Ok((test, result))
            })
            .collect()
    }
}

fn passes(result: &str) -> bool {
    ["passes", "PASS", "SKIP", "XFAIL"].contains(&result)
}

/// The words of a variable of a package's makefile.
fn listed(built: &Built<'_>, directory: &str, words: &str) -> Result<Vec<String>> {
    let rule = format!("words-of-the-recipe: ; @echo {words}");
    let outcome = built.step(&[
        "make",
        "--silent",
        "-C",
        directory,
        "--eval",
        &rule,
        "words-of-the-recipe",
    ])?;
    Ok(outcome
        .text()
        .split_whitespace()
        .map(str::to_owned)
        .collect())
}

/// A test's name without the extension that the driver drops.
fn stem(test: &str) -> &str {
    test.strip_suffix(".sh").unwrap_or(test)
}

/// The result in a file that automake's driver wrote.
fn driver_result(file: &Path) -> String {
    fs::read_to_string(file)
        .ok()
        .and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix(":test-result: "))
                .map(str::to_owned)
        })
        .unwrap_or_else(|| "no result".to_owned())
}
