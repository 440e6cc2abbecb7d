//! Programs that print the nanoseconds of one of what they measure, run in turns.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::run::run;

use crate::stats::median;

/// Runs of each program in each column; they take turns.
pub(crate) const ROUNDS: usize = 7;
const LIMIT: Duration = Duration::from_secs(120);

/// Whether the processes may run on all processors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// All on one processor, by taskset(1).
    Pinned,
    Free,
}

/// A program and its arguments.
pub(crate) type Words = Vec<OsString>;

/// The medians of what each program says, in microseconds; not a number for a column without one.
pub(crate) fn compare<const N: usize>(
    columns: &[Option<Words>; N],
    placement: Placement,
) -> Result<[f64; N]> {
    let mut samples = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (words, samples) in columns.iter().zip(&mut samples) {
            if let Some(words) = words {
                samples.push(sample(words, placement)?);
            }
        }
    }
    Ok(samples.map(|all| median(&all).unwrap_or(f64::NAN)))
}

fn sample(words: &Words, placement: Placement) -> Result<f64> {
    let mut command = Command::new("env");
    if placement == Placement::Pinned {
        command.args(["taskset", "-c", "0"]);
    }
    command.args(words);
    let outcome =
        run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    match outcome.text().trim().parse::<f64>() {
        Ok(nanoseconds) if outcome.succeeded() => Ok(nanoseconds / 1e3),
        _ => Err(format!(
            "{command:?} ended with {}\n{}{}",
            outcome.ending,
            outcome.text(),
            String::from_utf8_lossy(&outcome.stderr)
        )),
    }
}

/// A goal for a ratio, and whether it is reached; nothing if there is none.
pub(crate) fn verdict(goal: f64, ratio: f64) -> String {
    match (goal.is_finite(), ratio <= goal) {
        (false, _) => String::new(),
        (true, true) => format!("{goal} reached"),
        (true, false) => format!("{goal} MISSED"),
    }
}
