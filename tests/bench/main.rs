//! Compute kernels, program start, processes, system calls, with native columns in the same run (`make bench`).
//!
//! `README.md` says what each column runs and how to read the figures. Arguments that name kernels measure only those,
//! `processes` only processes, threads and signals, `calls` system calls, `capacity` how many processes live at once, `system` a shell's loop and
//! a configure script; `--rounds N` sets how often the columns take turns.
#![forbid(unsafe_code)]

mod calls;
mod capacity;
mod columns;
mod processes;
mod start;
mod stats;
mod system;
mod turns;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use lind_tests::Result;
use lind_tests::install::repository;
use lind_tests::run::run;

use crate::columns::{Column, Programs, prepare};
use crate::stats::{geometric_mean, median};

/// The kernels, in the order of the table.
const KERNELS: [&str; 7] = ["fib", "interp", "matmul", "sha", "qsort", "parse", "lisp"];
/// Repetitions of a kernel within one run of its program.
const REPETITIONS: usize = 5;
/// The first repetitions, which do not count: until the processor's predictors have learned the loop, the same code can
/// take three times as long (`interp`, in every column).
const WARM_UP: usize = 2;
/// One run of a program may not take longer.
const LIMIT: Duration = Duration::from_secs(120);
/// lind may be this much slower than stock Wasmtime on the same module.
const GOAL_STOCK: f64 = 1.05;
/// lind's geometric mean against native may be this.
const GOAL_NATIVE: f64 = 1.45;

struct Options {
    kernels: Vec<&'static str>,
    rounds: usize,
    processes: bool,
    calls: bool,
    capacity: bool,
    system: bool,
}

/// The samples of one kernel in one column.
type Samples = Vec<f64>;

fn main() -> ExitCode {
    match options().and_then(|options| measure(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options> {
    let mut options = Options {
        kernels: Vec::new(),
        rounds: 10,
        processes: false,
        calls: false,
        capacity: false,
        system: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--rounds" => {
                let rounds = arguments
                    .next()
                    .and_then(|n| n.parse().ok())
                    .filter(|&n| n > 0);
                options.rounds = rounds.ok_or("--rounds expects a number")?;
            }
            "processes" => options.processes = true,
            "calls" => options.calls = true,
            "capacity" => options.capacity = true,
            "system" => options.system = true,
            name => {
                let known = KERNELS.iter().find(|&&kernel| kernel == name);
                let known = known.ok_or_else(|| {
                    format!(
                        "unknown kernel '{name}'\nhint: one of {}",
                        KERNELS.join(", ")
                    )
                })?;
                options.kernels.push(known);
            }
        }
    }
    let Options {
        processes,
        calls,
        capacity,
        system,
        ..
    } = options;
    if options.kernels.is_empty() && !(processes || calls || capacity || system) {
        options.kernels = KERNELS.to_vec();
        options.processes = true;
        options.calls = true;
        options.capacity = true;
        options.system = system::is_built();
        if !options.system {
            eprintln!("bench: no shells: `cargo bench -p lind-tests -- system` builds them");
        }
    }
    Ok(options)
}

fn measure(options: &Options) -> Result<()> {
    let target = repository().join("target/bench");
    fs::create_dir_all(&target)
        .map_err(|e| format!("cannot create '{}': {e}", target.display()))?;
    let programs = prepare(&target, &options.kernels)?;
    let mut report = String::from("# lind benchmarks\n\n");
    report.push_str(&machine());
    if !options.kernels.is_empty() {
        let rows = kernels(options, &programs)?;
        report.push_str(&compute_table(&options.kernels, &rows, &programs));
        report.push_str(&start::measure(&programs, &target)?);
    }
    if options.processes {
        report.push_str(&processes::measure(&programs)?);
    }
    if options.calls {
        report.push_str(&calls::measure(&programs, &target)?);
    }
    if options.system {
        report.push_str(&system::measure(&programs, &target)?);
    }
    if options.capacity {
        report.push_str(&capacity::measure(&programs)?);
    }
    let path = target.join("results.md");
    fs::write(&path, &report).map_err(|e| format!("cannot write '{}': {e}", path.display()))?;
    println!("{report}\nwritten to {}", path.display());
    Ok(())
}

/// Thread CPU times of each kernel in each column; the columns take turns, round after round.
fn kernels(options: &Options, programs: &Programs) -> Result<Vec<[Samples; Column::ALL.len()]>> {
    let mut rows = vec![<[Samples; Column::ALL.len()]>::default(); options.kernels.len()];
    for round in 1..=options.rounds {
        eprintln!("bench: round {round} of {}", options.rounds);
        for (kernel, row) in options.kernels.iter().zip(&mut rows) {
            let mut expected = None;
            for (column, samples) in Column::ALL.into_iter().zip(row.iter_mut()) {
                let Some(command) = programs.command(column, kernel) else {
                    continue;
                };
                let (times, result) = sample(command, kernel, column)?;
                if *expected.get_or_insert_with(|| result.clone()) != result {
                    return Err(format!(
                        "{kernel}: the column {column} computes {result}, native {expected:?}"
                    ));
                }
                samples.extend(times);
            }
        }
    }
    Ok(rows)
}

/// Runs a kernel's program once: its times in milliseconds and its result.
fn sample(mut command: Command, kernel: &str, column: Column) -> Result<(Samples, String)> {
    command.arg(REPETITIONS.to_string());
    let outcome =
        run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    let wrong = || {
        format!(
            "{kernel}, column {column}: {command:?} ended with {}\n{}{}",
            outcome.ending,
            outcome.text(),
            String::from_utf8_lossy(&outcome.stderr)
        )
    };
    if !outcome.succeeded() {
        return Err(wrong());
    }
    let text = outcome.text();
    let parsed: Option<Vec<(f64, &str)>> = text
        .lines()
        .map(|line| {
            line.split_once(' ')
                .and_then(|(time, result)| Some((time.parse::<f64>().ok()? / 1e6, result)))
        })
        .collect();
    let parsed = parsed
        .filter(|lines| lines.len() == REPETITIONS)
        .ok_or_else(wrong)?;
    let result = parsed
        .first()
        .map(|(_, result)| (*result).to_owned())
        .ok_or_else(wrong)?;
    if parsed.iter().any(|(_, other)| *other != result) {
        return Err(wrong());
    }
    let times = parsed.into_iter().skip(WARM_UP);
    Ok((times.map(|(time, _)| time).collect(), result))
}

/// What was measured on.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "Machine: {}, {cores} cores.\n\n",
        model.trim_start_matches(['\t', ' ', ':'])
    )
}

fn compute_table(
    kernels: &[&str],
    rows: &[[Samples; Column::ALL.len()]],
    programs: &Programs,
) -> String {
    let mut table = String::from(
        "## Compute\n\nThread CPU time, medians; ratios to native, lower is better. `lind/stock` compares two engines on the \
         same module.\n\n| kernel | native, ms | stock | lind | asyncify on stock | lind/stock |\n|---|---|---|---|---|---|\n",
    );
    let mut ratios: [Vec<f64>; 4] = Default::default();
    for (kernel, row) in kernels.iter().zip(rows) {
        let [native, stock, lind, asyncify] = row.each_ref().map(|samples| median(samples));
        let columns = [
            ratio(stock, native),
            ratio(lind, native),
            ratio(asyncify, native),
            ratio(lind, stock),
        ];
        for (all, value) in ratios.iter_mut().zip(columns) {
            all.extend(value);
        }
        let [stock, lind, asyncify, against] = columns.map(show);
        let native = native.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
        let _ = writeln!(
            table,
            "| {kernel} | {native} | {stock} | {lind} | {asyncify} | {against} |"
        );
    }
    let [stock, lind, asyncify, against] = ratios.each_ref().map(|all| show(geometric_mean(all)));
    let _ = writeln!(
        table,
        "| geometric mean | | {stock} | {lind} | {asyncify} | {against} |\n"
    );
    let [_, lind, _, against] = &ratios;
    let worst = against.iter().copied().fold(0.0, f64::max);
    let _ = writeln!(
        table,
        "- lind/stock at most {GOAL_STOCK}: {worst:.2}, {}",
        verdict(worst <= GOAL_STOCK)
    );
    if let Some(mean) = geometric_mean(lind) {
        let _ = writeln!(
            table,
            "- lind against native at most {GOAL_NATIVE}: {mean:.2}, {}",
            verdict(mean <= GOAL_NATIVE)
        );
    }
    if let Some(reason) = &programs.no_asyncify {
        let _ = writeln!(table, "- no asyncify column: {reason}");
    }
    table.push('\n');
    table
}

fn ratio(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    Some(value? / base?)
}

fn show(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2}"))
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

/// Where the sources of the benchmarks are.
fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("bench")
}
