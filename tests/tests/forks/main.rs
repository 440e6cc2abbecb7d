//! Random programs that fork at random calls compute what they compute without forks, and natively.
//!
//! `LIND_FORK_SEEDS=N` or `FIRST..END` chooses the seeds; each is tested at all optimisation levels.
//! A failing program stays in `target/tmp/forks`; the message says how to run it.
#![forbid(unsafe_code)]

mod generator;
mod random;
mod values;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use lind_tests::Result;
use lind_tests::compile::Compiler;
use lind_tests::install::Installation;
use lind_tests::run::{LIMIT, Outcome, disable_core_files, run};

use crate::random::Random;

/// Programs of a run, unless `LIND_FORK_SEEDS` says otherwise.
const SEEDS: u64 = 8;
const LEVELS: [&str; 6] = ["-O0", "-O1", "-O2", "-O3", "-Os", "-Oz"];
/// Forks of a run whose children go on, and of one where the parents do as well: that makes two processes of each.
const THROUGH: u64 = 24;
const BOTH: u64 = 4;
const TIMER: &str = "12";

/// How a program is run, with what lind checks.
struct Way {
    arguments: Vec<String>,
    checks: &'static str,
    /// Processes that run to the end.
    results: usize,
}

struct Bench {
    native: Compiler,
    lind: Compiler,
    installation: Installation,
    home: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    disable_core_files();
    match prepare() {
        Ok((bench, seeds)) => {
            let trials = seeds.flat_map(|seed| {
                let bench = Arc::clone(&bench);
                LEVELS.map(move |level| {
                    let bench = Arc::clone(&bench);
                    let check = move || bench.check(seed, level).map_err(Failed::from);
                    Trial::test(format!("{seed}{level}"), check)
                })
            });
            libtest_mimic::run(&arguments, trials.collect()).exit_code()
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(101)
        }
    }
}

fn prepare() -> Result<(Arc<Bench>, Range<u64>)> {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("forks");
    fs::create_dir_all(&home).map_err(|e| format!("cannot create '{}': {e}", home.display()))?;
    let installation = Installation::find()?;
    let bench = Bench {
        native: Compiler::native("cc", &["-m64", "-O1"], &home.join("native"))?,
        lind: Compiler::new(
            &installation.tool("lind-cc"),
            &[],
            installation.toolchain_identity()?,
            &home.join("lind"),
        ),
        installation,
        home,
    };
    Ok((Arc::new(bench), seeds()?))
}

/// What `LIND_FORK_SEEDS` says.
fn seeds() -> Result<Range<u64>> {
    let Some(text) = std::env::var_os("LIND_FORK_SEEDS") else {
        return Ok(0..SEEDS);
    };
    let text = text.to_string_lossy();
    let (first, end) = text.split_once("..").unwrap_or(("0", &text));
    match (first.parse(), end.parse()) {
        (Ok(first), Ok(end)) => Ok(first..end),
        _ => Err(format!(
            "LIND_FORK_SEEDS: '{text}' is neither N nor FIRST..END"
        )),
    }
}

impl Bench {
    fn check(&self, seed: u64, level: &str) -> Result<()> {
        let source = self.home.join(format!("{seed}.c"));
        // Tests of several levels write the same.
        let unfinished = self.home.join(format!("{seed}{level}.new"));
        fs::write(&unfinished, generator::generate(seed))
            .and_then(|()| fs::rename(&unfinished, &source))
            .map_err(|e| format!("cannot write '{}': {e}", source.display()))?;
        let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("forks");
        let options =
            ["-D_GNU_SOURCE", "-w", &format!("-I{}", include.display())].map(str::to_owned);
        let native = self.native.build(&source, &options, &[])?;
        let expected = succeed(Command::new(&native))?.text();
        let points = expected
            .split_whitespace()
            .nth(2)
            .and_then(|n| n.parse::<u64>().ok())
            .filter(|&points| points > 0)
            .ok_or_else(|| format!("'{}' prints {expected:?}", native.display()))?;
        let mut options = options.to_vec();
        options.push(level.to_owned());
        let program = self.lind.build(&source, &options, &[])?;
        for way in ways(seed, points) {
            let mut command = Command::new(self.installation.tool("lind"));
            command
                .env("LIND_FORK_CHECKS", way.checks)
                .env("LIND_CACHE", self.home.join("cache"))
                .arg(&program)
                .args(&way.arguments);
            let shown = format!("{command:?}");
            let text = succeed(command)?.text();
            if text != expected.repeat(way.results) {
                return Err(format!(
                    "{shown}\nprints\n{text}instead of {} times\n{expected}The source is '{}'",
                    way.results,
                    source.display()
                ));
            }
        }
        Ok(())
    }
}

/// The runs of a program that passes so many points.
fn ways(seed: u64, points: u64) -> Vec<Way> {
    let mut random = Random::new(!seed);
    let mut chosen = |how: &str, count: u64| {
        let mut chosen: Vec<u64> = (0..count).map(|_| random.below(points)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        let mut arguments = vec![how.to_owned()];
        arguments.extend(chosen.iter().map(u64::to_string));
        arguments
    };
    let (through, both) = (chosen("through", THROUGH), chosen("both", BOTH));
    let results = 1 << (both.len() - 1);
    let way = |arguments, checks, results| Way {
        arguments,
        checks,
        results,
    };
    vec![
        way(Vec::new(), "", 1),
        way(through.clone(), "", 1),
        way(through, "poison,conceal", 1),
        way(both, "poison", results),
        way(
            vec!["timer".to_owned(), TIMER.to_owned()],
            "poison,conceal",
            1,
        ),
    ]
}

/// Runs a program, which has to exit with status 0.
fn succeed(mut command: Command) -> Result<Outcome> {
    let outcome =
        run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    if outcome.succeeded() {
        return Ok(outcome);
    }
    Err(format!(
        "{command:?}\nended with {}\n{}{}",
        outcome.ending,
        outcome.text(),
        String::from_utf8_lossy(&outcome.stderr)
    ))
}
