//! The wall time of a whole small program, under lind and natively.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lind_tests::Result;

use crate::columns::Programs;
use crate::stats::median;

/// Runs before the measured ones, to fill caches.
const WARM_UP: usize = 3;
/// Measured runs of each command; they take turns.
const RUNS: usize = 60;

/// Measures hello and describes the result.
pub(crate) fn measure(programs: &Programs, target: &Path) -> Result<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c/hello.c");
    let module = programs.lind_compiler.build(&source, &[], &[])?;
    let dynamic = programs.native_compiler.build(&source, &[], &[])?;
    let fixed = programs.static_compiler.build(&source, &[], &[])?;
    let lind = |cache: &Path| {
        let mut command = Command::new(programs.installation.tool("lind"));
        command.arg(&module).env("XDG_CACHE_HOME", cache);
        command
    };
    let empty = tempfile::tempdir_in(target).map_err(|e| format!("cannot create a cache: {e}"))?;
    let first = wall(&mut lind(empty.path()))?;
    let mut commands = [
        (
            "lind hello, compiled before",
            lind(empty.path()),
            Vec::new(),
        ),
        ("native hello, dynamic", Command::new(dynamic), Vec::new()),
        ("native hello, static", Command::new(fixed), Vec::new()),
    ];
    for run in 0..WARM_UP + RUNS {
        for (_, command, times) in &mut commands {
            let time = wall(command)?;
            if run >= WARM_UP {
                times.push(milliseconds(time));
            }
        }
    }
    let mut report = format!(
        "## Start\n\nWall time of the whole command, {RUNS} runs taking turns.\n\n| command | median, ms | least, ms |\n|---|---|---|\n"
    );
    for (name, _, times) in &commands {
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        report.push_str(&format!(
            "| {name} | {:.2} | {least:.2} |\n",
            median(times).unwrap_or(f64::NAN)
        ));
    }
    report.push_str(&format!(
        "| lind hello, first time (compiles) | {:.0} | |\n",
        milliseconds(first)
    ));
    Ok(report)
}

fn wall(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command
        .status()
        .map_err(|e| format!("cannot run {command:?}: {e}"))?;
    let time = start.elapsed();
    if status.success() {
        Ok(time)
    } else {
        Err(format!("{command:?} ended with {status}"))
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
