//! How many processes live at once, and what each takes of the host.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use lind_tests::Result;

use crate::columns::Programs;

/// Well below the process ids that a machine has by default (32768).
const MOST: &str = "10000";

/// Host memory and mappings at one moment.
#[derive(Clone, Copy)]
struct Taken {
    /// Memory that the whole machine has left, in KiB.
    available: f64,
    /// Resident memory of the process, in KiB.
    resident: f64,
    mappings: f64,
}

/// Starts processes until no more fit and describes the result.
pub(crate) fn measure(programs: &Programs) -> Result<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/programs/capacity.c");
    let module = programs.lind_compiler.build(&source, &[], &[])?;
    let native = programs.static_compiler.build(&source, &[], &[])?;
    let mut under_lind = Command::new(programs.installation.tool("lind"));
    under_lind.args(["--processes", MOST]).arg(&module);
    let mut report = format!(
        "## Live processes\n\nChildren that wait, forked until one fails or there are {MOST}. Memory by what the whole machine has left \
         (the kernel's part included), and by the resident pages of lind's process.\n\n| | processes | why not more | \
         machine's memory of one, KiB | resident of one, KiB | mappings of one |\n|---|---|---|---|---|---|\n"
    );
    for (name, command) in [("native", Command::new(native)), ("lind", under_lind)] {
        eprintln!("bench: live processes, {name}");
        let _ = writeln!(report, "| {name} | {} |", row(command, name == "lind")?);
    }
    report.push('\n');
    Ok(report)
}

fn row(mut command: Command, is_lind: bool) -> Result<String> {
    command
        .arg(MOST)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let failed = |e: std::io::Error| format!("live processes: {e}");
    let before = available()?;
    let mut child = command.spawn().map_err(failed)?;
    let input = child.stdin.take();
    let output = child.stdout.take().ok_or("no standard output")?;
    let mut lines = BufReader::new(output).lines();
    let mut line = || {
        lines
            .next()
            .and_then(std::io::Result::ok)
            .unwrap_or_default()
    };
    let first = line();
    let taken = taken(child.id());
    // Its end ends the children.
    drop(input);
    let last = line();
    let status = child.wait().map_err(failed)?;
    let (count, why) = first.split_once(' ').unwrap_or((&first, ""));
    if !status.success() || last != "0" {
        return Err(format!(
            "live processes: '{first}', then '{last}', {status}"
        ));
    }
    let taken = taken?;
    let count: f64 = count
        .parse()
        .map_err(|_| format!("not a number: '{first}'"))?;
    let memory = (before - taken.available) / count;
    let own = if is_lind {
        format!(
            "{:.0} | {:.1}",
            taken.resident / count,
            taken.mappings / count
        )
    } else {
        "| ".to_owned()
    };
    Ok(format!("{count} | {why} | {memory:.0} | {own}"))
}

fn taken(pid: u32) -> Result<Taken> {
    let available = available()?;
    let status = read(&format!("/proc/{pid}/status"))?;
    let mappings = read(&format!("/proc/{pid}/maps"))?.lines().count();
    Ok(Taken {
        available,
        resident: kib(&status, "VmRSS:")?,
        mappings: f64::from(u32::try_from(mappings).unwrap_or(u32::MAX)),
    })
}

fn available() -> Result<f64> {
    kib(&read("/proc/meminfo")?, "MemAvailable:")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read '{path}': {e}"))
}

/// The number of a line such as `VmRSS:  12 kB`.
fn kib(text: &str, name: &str) -> Result<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| format!("no line '{name}'"))
}
