//! A package's own test suite: every test under lind and natively; the results must be the same both ways.
//!
//! The table of all results is written to `target/apps/results`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built, Toolchain};
use lind_tests::apps::root::Place;
use lind_tests::install::repository;
use lind_tests::run::{Ending, run};

/// One test may not take longer.
const LIMIT: Duration = Duration::from_secs(400);

/// The variable that chooses tests by a text in their names.
const ONLY: &str = "LIND_SUITE_ONLY";

/// Closes what a shell inherits beside its standard streams: natively that is whatever who runs the tests has open, and bash's
/// tests show the numbers of descriptors that they get.
const STANDARD_STREAMS: &str = "for fd in /proc/self/fd/*; do case ${fd##*/} in [012]) ;; *) eval \"exec ${fd##*/}>&-\" ;; esac; done; unset fd";

/// The user outside, for `--user`: root may do more.
pub(crate) fn own_user() -> String {
    format!(
        "{}:{}",
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw()
    )
}

/// Who runs tests that are not for root: natively if the tests' own user is root, and always under lind.
const USER: u32 = 1000;

/// A package's test suite.
pub(crate) struct Suite {
    /// The name of the table.
    pub(crate) name: &'static str,
    /// Builds the package.
    pub(crate) build: fn(&Builder) -> Result<Built<'_>>,
    /// Makes the root directory that tests run in; returns its path.
    pub(crate) root: fn(&Builder) -> Result<PathBuf>,
    /// Steps on this machine that build what the tests need, without running them.
    /// Programs are stripped, as installed ones are.
    pub(crate) prepare: fn(&Setting<'_>) -> Result<()>,
    /// The names of all tests.
    pub(crate) tests: fn(&Built<'_>) -> Result<Vec<String>>,
    /// The command that runs one test.
    pub(crate) command: fn(&Setting<'_>, &str) -> Result<Command>,
    /// What a test's results are.
    pub(crate) verdict: Verdict,
    /// How many results must be equal, in percent.
    pub(crate) equal: usize,
    /// Results that may differ, with the reason; a test's name stands for all of its cases.
    pub(crate) differences: &'static [(&'static str, &'static str)],
}

/// How the results of a test are found.
#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    /// It has one: from the package's directory, the test's name and what its command printed.
    One(fn(&Path, &str, &str) -> String),
    /// It has one for each of its cases, with their names, from what its command printed.
    Cases(fn(&str) -> Vec<(String, String)>),
}

/// Where a test runs.
pub(crate) struct Setting<'a> {
    /// The toolchain.
    pub(crate) builder: &'a Builder,
    /// The package.
    pub(crate) built: &'a Built<'a>,
    /// The root directory of the toolchain's programs.
    pub(crate) root: &'a Path,
}

impl Setting<'_> {
    /// A script for the root directory's bash, in the package's directory; lind gets some options more.
    pub(crate) fn script(&self, options: &[&str], text: &str) -> Result<Command> {
        let directory = self.built.directory();
        // Makefiles have absolute paths in them: the directory keeps its name.
        let place = Place {
            host: directory,
            guest: directory.to_str().ok_or("a build's path is text")?,
        };
        let mut command = place.program(self.builder, self.root, "bash", options);
        command.args(["-c", &format!("{STANDARD_STREAMS}; {text}")]);
        Ok(command)
    }

    /// Gives a directory of the build to the user who runs tests: natively, and under lind where root runs that.
    pub(crate) fn give(&self, directory: &str) -> Result<()> {
        if rustix::process::geteuid().is_root() {
            let owner = format!("{USER}:{USER}");
            self.built.step(&["chown", "-Rh", &owner, directory])?;
        }
        Ok(())
    }

    /// A script that the system's shell runs for that user, natively with the system's programs.
    pub(crate) fn as_user(&self, place: &Place<'_>, script: &str) -> Command {
        let mut command = match self.builder.toolchain() {
            Toolchain::Native => {
                let mut command = Command::new("/bin/sh");
                command
                    .current_dir(place.host)
                    .env_clear()
                    .env("PATH", "/usr/bin:/bin")
                    .env("HOME", "/")
                    .env("LC_ALL", "C");
                if rustix::process::geteuid().is_root() {
                    command.uid(USER).gid(USER);
                }
                command
            }
            Toolchain::Lind(_) => {
                let user = format!("{USER}:{USER}");
                place.program(self.builder, self.root, "sh", &["--user", &user])
            }
        };
        command.args(["-c", script]);
        command
    }
}

/// The results of one toolchain, by their names.
type Results = BTreeMap<String, String>;

impl Suite {
    /// Runs every test both ways, writes the table, and fails if too many results differ or one does unexpectedly.
    pub(crate) fn check(&self, builder: &Builder) -> Result<()> {
        let twin = builder.twin();
        let (mut native, mut lind) = (self.results(&twin, None)?, self.results(builder, None)?);
        // Some tests depend on who is faster, either way.
        let again: BTreeSet<String> = names(&native, &lind)
            .into_iter()
            .filter(|name| of(&native, name) != of(&lind, name) && self.reason(name).is_none())
            .map(|name| name.split(": ").next().unwrap_or(name).to_owned())
            .collect();
        if !again.is_empty() {
            native.extend(self.results(&twin, Some(&again))?);
            lind.extend(self.results(builder, Some(&again))?);
        }
        let mut table = String::new();
        let (mut equal, mut wrong) = (0, Vec::new());
        let names = names(&native, &lind);
        for &name in &names {
            let (theirs, ours) = (of(&native, name), of(&lind, name));
            let reason = self.reason(name);
            let note = reason.unwrap_or_default();
            let _ = writeln!(table, "{name}\t{theirs}\t{ours}\t{note}");
            equal += usize::from(theirs == ours);
            if theirs != ours && reason.is_none() {
                wrong.push(format!("{name}: {theirs} natively, {ours} under lind"));
            }
        }
        let passed = lind.values().filter(|result| passes(result)).count();
        let summary = format!(
            "{}: {equal} of {} results equal, {passed} pass under lind, {} tests were asked twice",
            self.name,
            names.len(),
            again.len()
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
        // A few chosen tests are no measure of the suite.
        let too_few = std::env::var_os(ONLY).is_none() && equal * 100 < names.len() * self.equal;
        if names.is_empty() || too_few || !wrong.is_empty() {
            return Err(format!("{summary}\n{}", wrong.join("\n")));
        }
        Ok(())
    }

    /// Why a test's results may differ, if they may.
    fn reason(&self, name: &str) -> Option<&'static str> {
        let known = self.differences.iter().find(|(known, _)| {
            let rest = name.strip_prefix(known);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
        });
        known.map(|(_, reason)| *reason)
    }

    /// The results of every test with one toolchain, or of some tests.
    fn results(&self, builder: &Builder, some: Option<&BTreeSet<String>>) -> Result<Results> {
        let root = (self.root)(builder)?;
        let built = (self.build)(builder)?;
        let setting = Setting {
            builder,
            built: &built,
            root: &root,
        };
        (self.prepare)(&setting)?;
        let mut tests = (self.tests)(&built)?;
        // The system has no Perl, natively as little as under lind.
        #[allow(clippy::case_sensitive_file_extension_comparisons)]
        tests.retain(|test| !test.ends_with(".pl"));
        if let Ok(only) = std::env::var(ONLY) {
            tests.retain(|test| test.contains(&only));
        }
        tests.retain(|test| some.is_none_or(|some| some.contains(test)));
        tests.sort();
        tests.dedup();
        let mut results = Results::new();
        for test in tests {
            let mut command = (self.command)(&setting, &test)?;
            let outcome = run(&mut command, b"", LIMIT)
                .map_err(|e| format!("cannot run {command:?}: {e}"))?;
            if outcome.ending == Ending::TimedOut {
                results.insert(test.clone(), "takes too long".to_owned());
            }
            match self.verdict {
                Verdict::One(verdict) => {
                    let of_test = || verdict(built.directory(), &test, &outcome.text());
                    results.entry(test.clone()).or_insert_with(of_test);
                }
                Verdict::Cases(cases) => {
                    // Cases may have the same name.
                    let mut seen: HashMap<String, usize> = HashMap::new();
                    for (case, result) in cases(&outcome.text()) {
                        let count = seen.entry(case.clone()).or_default();
                        *count += 1;
                        let name = match *count {
                            1 => format!("{test}: {case}"),
                            count => format!("{test}: {case} ({count})"),
                        };
                        results.insert(name, result);
                    }
                }
            }
        }
        Ok(results)
    }
}

fn names<'a>(native: &'a Results, lind: &'a Results) -> BTreeSet<&'a String> {
    native.keys().chain(lind.keys()).collect()
}

fn of(results: &Results, name: &str) -> String {
    let result = results.get(name).map(String::as_str);
    result.unwrap_or("no result").to_owned()
}

fn passes(result: &str) -> bool {
    ["passes", "PASS", "SKIP", "XFAIL"].contains(&result)
}

/// The files below a directory whose names have no suffix: the programs that a makefile of a recipe made there.
pub(crate) fn programs(directory: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    collect(directory, "", &mut found)?;
    Ok(found)
}

fn collect(directory: &Path, above: &str, into: &mut BTreeSet<String>) -> Result<()> {
    let entries = fs::read_dir(directory)
        .map_err(|e| format!("cannot read '{}': {e}", directory.display()))?;
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().display().to_string());
        if path.is_dir() {
            collect(&path, &format!("{above}{name}/"), into)?;
        } else if path.extension().is_none() {
            into.insert(format!("{above}{name}"));
        }
    }
    Ok(())
}

/// Strips a program of the package.
pub(crate) fn strip(setting: &Setting<'_>, program: &str) -> Result<()> {
    let strip = setting.built.tool("strip");
    setting.built.step(&[&strip, program]).map(drop)
}

/// The words of a variable of a package's makefile.
pub(crate) fn listed(built: &Built<'_>, directory: &str, words: &str) -> Result<Vec<String>> {
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

/// The result in a file that automake's driver wrote.
pub(crate) fn driver_result(file: &Path) -> String {
    fs::read_to_string(file)
        .ok()
        .and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix(":test-result: "))
                .map(str::to_owned)
        })
        .unwrap_or_else(|| "no result".to_owned())
}
