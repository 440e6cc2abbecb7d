//! What processes, threads and signals cost, under lind and natively.

use std::fmt::Write as _;
use std::path::Path;

use lind_tests::Result;
use lind_tests::asyncify;

use crate::columns::Programs;
use crate::sources;
use crate::turns::{Placement, ROUNDS, Words, compare, verdict};

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

const MEASURES: [Measure; 12] = [
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
];

/// Measures everything and describes the result.
pub(crate) fn measure(programs: &Programs) -> Result<String> {
    let source = sources().join("programs/processes.c");
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
    for measure in MEASURES {
        eprintln!("bench: {}", measure.what);
        let arguments = [measure.name.into(), measure.count.to_string().into()];
        let natively: Words = [native.clone().into()]
            .into_iter()
            .chain(arguments.clone())
            .collect();
        let under_lind = |module: &Path| {
            let program = [lind.clone().into(), module.into()];
            program.into_iter().chain(arguments.clone()).collect()
        };
        let columns = [
            Some(natively),
            Some(under_lind(&module)),
            asyncified.as_deref().map(under_lind),
        ];
        let [pinned, free] =
            [Placement::Pinned, Placement::Free].map(|placement| compare(&columns, placement));
        let (
            [native_pinned, lind_pinned, asyncify_pinned],
            [native_free, lind_free, asyncify_free],
        ) = (pinned?, free?);
        let ratio = lind_pinned / native_pinned;
        let _ = writeln!(
            report,
            "| {} | {native_pinned:.2} | {lind_pinned:.2} | {ratio:.2} | {} | {native_free:.2} | {lind_free:.2} | {:.2} | {} | \
             {} |",
            measure.what,
            show(asyncify_pinned),
            lind_free / native_free,
            show(asyncify_free),
            verdict(measure.goal, ratio),
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
