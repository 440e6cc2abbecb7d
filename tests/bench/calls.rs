//! What system calls cost, under lind and natively.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lind_tests::Result;

use crate::columns::Programs;
use crate::sources;
use crate::turns::{Placement, ROUNDS, compare, verdict};

/// Where the file is that is opened, named and read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the private `/tmp`; natively also in the host's directory.
    Private,
    /// In a directory of the host's that is granted with `--dir`.
    Granted,
}

/// A thing that is measured.
struct Measure {
    /// As `programs/calls.c` calls it.
    name: &'static str,
    what: &'static str,
    /// How often a run does it.
    count: u32,
    /// lind against native, pinned, may be this.
    goal: f64,
    place: Place,
    /// Options of lind's.
    options: &'static [&'static str],
}

/// For calls that the microvisor answers alone.
const OWN: f64 = 0.5;
/// For calls that need a call of the host's.
const HOST: f64 = 1.3;
/// For the throughput and the turns of pipes.
const PIPE: f64 = 1.0;

const fn call(name: &'static str, what: &'static str, count: u32, goal: f64) -> Measure {
    Measure {
        name,
        what,
        count,
        goal,
        place: Place::Private,
        options: &[],
    }
}

const fn granted(name: &'static str, what: &'static str, count: u32) -> Measure {
    Measure {
        place: Place::Granted,
        ..call(name, what, count, HOST)
    }
}

const fn host_net(name: &'static str, what: &'static str, count: u32) -> Measure {
    Measure {
        options: &["--net=host"],
        ..call(name, what, count, HOST)
    }
}

const MEASURES: [Measure; 21] = [
    call("getppid", "getppid", 500_000, OWN),
    call("read_zero", "read 1 byte of /dev/zero", 400_000, HOST),
    call("write_null", "write 1 byte to /dev/null", 400_000, HOST),
    call("event", "write to an eventfd", 400_000, HOST),
    granted("open_close", "open, close", 50_000),
    call(
        "open_close",
        "open, close in the private /tmp",
        50_000,
        HOST,
    ),
    granted("stat", "stat", 100_000),
    call("stat", "stat in the private /tmp", 100_000, HOST),
    granted("read_64k", "pread of 64 KiB in the page cache", 20_000),
    call(
        "read_64k",
        "pread of 64 KiB in the private /tmp",
        20_000,
        HOST,
    ),
    call("pipe_mib", "1 MiB through a pipe", 1000, PIPE),
    call(
        "unix_round",
        "a byte over a unix socket and back",
        5000,
        HOST,
    ),
    call("unix_mib", "1 MiB through a unix socket", 1000, HOST),
    call("tcp_round", "a byte over TCP and back", 5000, HOST),
    call("tcp_mib", "1 MiB over TCP", 500, HOST),
    host_net("tcp_round", "a byte over TCP and back, --net=host", 5000),
    host_net("tcp_mib", "1 MiB over TCP, --net=host", 500),
    call("poll_500", "poll of 500 descriptors, one ready", 2000, HOST),
    call(
        "epoll_500",
        "epoll_wait with 500 descriptors, one ready",
        100_000,
        HOST,
    ),
    call("map_16", "mmap, touch 16 pages, munmap", 5000, HOST),
    call("fault", "a page fault", 20_000, HOST),
];

/// Where the granted directory is in the sandbox.
const GRANTED: &str = "/data";

/// Measures everything and describes the result.
pub(crate) fn measure(programs: &Programs, target: &Path) -> Result<String> {
    let source = sources().join("programs/calls.c");
    let module = programs.lind_compiler.build(&source, &[], &[])?;
    let native = programs.static_compiler.build(&source, &[], &[])?;
    let lind = programs.installation.tool("lind");
    let directory = target.join("calls");
    fs::create_dir_all(&directory)
        .map_err(|e| format!("cannot create '{}': {e}", directory.display()))?;
    let grant = format!("{}::{GRANTED}", directory.display());
    let mut report = format!(
        "## System calls\n\nWall time of one, medians of {ROUNDS} runs taking turns; `pinned` means on one processor. Ratios to \
         native.\n\n| what | native pinned, µs | lind pinned | ratio | native free, µs | lind free | ratio | goal |\n\
         |---|---|---|---|---|---|---|---|\n"
    );
    for measure in &MEASURES {
        eprintln!("bench: {}", measure.what);
        let arguments = |file: &Path| {
            [
                measure.name.into(),
                measure.count.to_string().into(),
                file.into(),
            ]
        };
        let mut natively = vec![native.clone().into()];
        natively.extend(arguments(&directory.join("file")));
        let mut under_lind = vec![lind.clone().into()];
        under_lind.extend(measure.options.iter().map(|&option| option.into()));
        let there = match measure.place {
            Place::Private => "/tmp",
            Place::Granted => {
                under_lind.extend(["--dir".into(), grant.clone().into()]);
                GRANTED
            }
        };
        under_lind.push(module.clone().into());
        under_lind.extend(arguments(&Path::new(there).join("file")));
        let columns = [Some(natively), Some(under_lind)];
        let [native_pinned, lind_pinned] = compare(&columns, Placement::Pinned)?;
        let [native_free, lind_free] = compare(&columns, Placement::Free)?;
        let ratio = lind_pinned / native_pinned;
        let _ = writeln!(
            report,
            "| {} | {native_pinned:.3} | {lind_pinned:.3} | {ratio:.2} | {native_free:.3} | {lind_free:.3} | {:.2} | {} |",
            measure.what,
            lind_free / native_free,
            verdict(measure.goal, ratio),
        );
    }
    report.push('\n');
    Ok(report)
}
