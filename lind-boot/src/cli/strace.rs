//! The options about the trace of system calls.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rawposix::{Trace, TraceContent, TraceFilter, TraceLabels};
use rawposix_abi::SYSCALLS;

use super::args::Run;
use super::usage;
use crate::failure::{Failure, reason};

/// The trace that the options ask for.
pub(super) fn trace(args: &Run) -> Result<Option<Trace>, Failure> {
    if args.strace.is_none() && args.strace_output.is_none() && !args.strace_summary {
        return Ok(None);
    }
    let (sink, labels) = match &args.strace_output {
        Some(path) => (create(path)?, TraceLabels::Always),
        None => (
            Box::new(io::stderr()) as Box<dyn Write + Send>,
            TraceLabels::WhenSeveral,
        ),
    };
    Ok(Some(Trace {
        filter: filter(args.strace.as_deref().unwrap_or_default())?,
        content: match (args.strace_summary, &args.strace) {
            (false, _) => TraceContent::Calls,
            (true, None) => TraceContent::Summary,
            (true, Some(_)) => TraceContent::CallsAndSummary,
        },
        labels,
        ..Trace::new(sink)
    }))
}

fn create(path: &Path) -> Result<Box<dyn Write + Send>, Failure> {
    match File::create(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(Failure::lind(format!(
            "cannot create '{}': {}",
            path.display(),
            reason(&error)
        ))),
    }
}

/// The calls that are named, or with `!` those that are not.
fn filter(names: &str) -> Result<TraceFilter, Failure> {
    let known = |names: &str| names.split(',').map(checked).collect::<Result<Vec<_>, _>>();
    match names.strip_prefix('!') {
        _ if names.is_empty() => Ok(TraceFilter::All),
        Some(names) => known(names).map(TraceFilter::Except),
        None => known(names).map(TraceFilter::Only),
    }
}

/// Checks a name of `--strace=`: a system call's, or a group's with `%`.
fn checked(name: &str) -> Result<String, Failure> {
    if rawposix::is_known_filter(name) {
        return Ok(name.to_owned());
    }
    let close = usage::closest(name, SYSCALLS.iter().map(|call| call.name));
    let failure = Failure::lind(format!("unknown system call '{name}' in --strace"));
    Err(match close {
        Some(close) => failure.hint(format!("did you mean '{close}'?")),
        None => failure.hint("'lind syscalls' lists the names, and the groups as %GROUP"),
    })
}
