//! What processes, threads, signals and small system calls cost, under lind and natively.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::asyncify;
use lind_tests::run::run;

use crate::columns::Programs;
use crate::stats::median;

/// A thing that is measured.
struct Measure {
    /// As `programs/processes.c` calls it.
    name: &'static str,
    what: &'static str,
    /// How often a run does it.
    count: u32,
    /// lind against native, pinned, may be this.
    goal: f64,
}

const fn measure_of(name: &'static str, what: &'static str, count: u32, goal: f64) -> Measure {
    Measure {
        name,
        what,
        count,
        goal,
    }
}

const MEASURES: [Measure; 14] = [
    measure_of("fork_0", "fork, exit, wait", 1000, 1.0),
    measure_of(
        "fork_1",
        "the same with 1 MiB dirty, written by the child",
        300,
        1.0,
    ),
    measure_of(
        "fork_16",
        "the same with 16 MiB dirty, not touched",
        100,
        1.0,
    ),
    measure_of(
        "vfork_exec",
        "vfork, exec of a small program, wait",
        200,
        1.0,
    ),
    measure_of("fork_exec", "fork, exec of a small program, wait", 200, 1.0),
    measure_of("spawn", "posix_spawn of a small program, wait", 200, 1.0),
    measure_of("thread", "pthread_create, pthread_join", 2000, 1.5),
    measure_of("ping_pong", "a byte to another process and back", 5000, 1.0),
    measure_of("switches", "two threads take a turn each", 5000, 1.5),
    measure_of(
        "signal",
        "a signal to the own process, handled",
        20_000,
        1.5,
    ),
    measure_of("setjmp", "setjmp", 200_000, f64::INFINITY),
    measure_of(
        "longjmp_5",
        "setjmp, longjmp over 5 frames",
        200_000,
        f64::INFINITY,
    ),
    measure_of("getppid", "getppid", 500_000, 0.5),
    measure_of("read_zero", "1 byte of /dev/zero", 200_000, 1.3),
];

/// Runs of each program in each column; they take turns.
const ROUNDS: usize = 7;
const LIMIT: Duration = Duration::from_secs(120);

/// Whether the processes may run on all processors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// All on one processor, by taskset(1).
    Pinned,
    Free,
}

/// Measures everything and describes the result.
pub(crate) fn measure(programs: &Programs) -> Result<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/programs/processes.c");
    let module = programs.lind_compiler.build(&source, &[], &[])?;
    let native = programs.static_compiler.build(&source, &[], &[])?;
    let lind = programs.installation.tool("lind");
    let asyncified = match &programs.no_asyncify {
        None => Some(asyncify::instrument(&module, "-O2")?),
        Some(_) => None,
    };
    let mut report = format!(
        "## Processes, threads and signals\n\nWall time of one, medians of {ROUNDS} runs taking turns; `pinned` means on one \
         processor. Ratios to native. `asyncify` is the same module under lind after `wasm-opt -O2 --asyncify`, which makes \
         it unwind itself to fork.\n\n| what | native pinned, µs | lind pinned | ratio | asyncify pinned | native free, µs | \
         lind free | ratio | asyncify free | goal |\n|---|---|---|---|---|---|---|---|---|---|\n"
    );
    let under_lind = |module: &Path| vec![lind.clone(), module.to_path_buf()];
    let commands = [
        Some(vec![native]),
        Some(under_lind(&module)),
        asyncified.as_deref().map(under_lind),
    ];
    for measure in MEASURES {
        eprintln!("bench: {}", measure.what);
        let [pinned, free] = [Placement::Pinned, Placement::Free]
            .map(|placement| compare(&measure, placement, &commands));
        let (
            [native_pinned, lind_pinned, asyncify_pinned],
            [native_free, lind_free, asyncify_free],
        ) = (pinned?, free?);
        let ratio = lind_pinned / native_pinned;
        let goal = if measure.goal.is_finite() {
            let verdict = if ratio <= measure.goal {
                "reached"
            } else {
                "MISSED"
            };
            format!("{} {verdict}", measure.goal)
        } else {
            String::new()
        };
        let _ = writeln!(
            report,
            "| {} | {native_pinned:.2} | {lind_pinned:.2} | {ratio:.2} | {} | {native_free:.2} | {lind_free:.2} | {:.2} | {} | \
             {goal} |",
            measure.what,
            show(asyncify_pinned),
            lind_free / native_free,
            show(asyncify_free),
        );
    }
    report.push('\n');
    Ok(report)
}

fn show(microseconds: f64) -> String {
    if microseconds.is_nan() {
        "-".to_owned()
    } else {
        format!("{microseconds:.2}")
    }
}

/// Microseconds natively, under lind, and there with asyncify; not a number without a command.
fn compare(
    measure: &Measure,
    placement: Placement,
    commands: &[Option<Vec<PathBuf>>; 3],
) -> Result<[f64; 3]> {
    let mut samples: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (words, samples) in commands.iter().zip(&mut samples) {
            let Some((program, arguments)) = words.as_ref().and_then(|words| words.split_first())
            else {
                continue;
            };
            let mut command = Command::new(program);
            command.args(arguments);
            samples.push(sample(command, measure, placement)?);
        }
    }
    Ok(samples.map(|all| median(&all).unwrap_or(f64::NAN)))
}

fn sample(command: Command, measure: &Measure, placement: Placement) -> Result<f64> {
    let mut command = match placement {
        Placement::Free => command,
        Placement::Pinned => {
            let mut pinned = Command::new("taskset");
            pinned
                .args(["-c", "0"])
                .arg(command.get_program())
                .args(command.get_args());
            pinned
        }
    };
    command.args([measure.name, &measure.count.to_string()]);
    let outcome =
        run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    let nanoseconds = outcome.text().trim().parse::<f64>();
    match nanoseconds {
        Ok(nanoseconds) if outcome.succeeded() => Ok(nanoseconds / 1e3),
        _ => Err(format!(
            "{}: {command:?} ended with {}\n{}{}",
            measure.what,
            outcome.ending,
            outcome.text(),
            String::from_utf8_lossy(&outcome.stderr)
        )),
    }
}
