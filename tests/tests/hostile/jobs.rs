//! Running many cases at once, and judging how they ended.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use lind_tests::run::{Ending, Outcome};

/// A case: its name, and what to do.
pub(crate) type Job<'a> = (
    String,
    Box<dyn FnOnce() -> Result<(), String> + Send + Sync + 'a>,
);

/// Performs the jobs on some threads; gives what failed.
pub(crate) fn perform(jobs: Vec<Job<'_>>) -> Vec<String> {
    const THREADS: usize = 6;
    let jobs: Vec<Mutex<Option<Job<'_>>>> =
        jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some((name, job)) = job.lock().unwrap().take() else {
                        continue;
                    };
                    if let Err(error) = job() {
                        failures.lock().unwrap().push(format!("{name}: {error}"));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

/// lind itself must be well, whatever happened to the guest.
pub(crate) fn check(outcome: &Outcome) -> Result<(), String> {
    let text = String::from_utf8_lossy(&outcome.stderr);
    if outcome.ending == Ending::Status(125) || text.contains("panicked") {
        return Err(format!("{}: {}", outcome.ending, tail(&text)));
    }
    Ok(())
}

pub(crate) fn expect(outcome: &Outcome, statuses: &[i32]) -> Result<(), String> {
    match outcome.ending {
        Ending::Status(status) if statuses.contains(&status) => Ok(()),
        ending => Err(format!(
            "{ending}, not {statuses:?}: {}",
            tail(&String::from_utf8_lossy(&outcome.stderr))
        )),
    }
}

/// The last lines of a text that may be full of rubbish.
pub(crate) fn tail(text: &str) -> String {
    let printable: String = text
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect();
    let lines: Vec<&str> = printable.lines().rev().take(12).collect();
    lines
        .into_iter()
        .rev()
        .map(|line| line.chars().take(200).collect::<String>())
        .collect::<Vec<_>>()
        .join("\n")
}
