//! `--strace`: system calls as strace(1) prints them, from the one list.

mod kinds;
mod text;

use std::io::Write;

use parking_lot::Mutex;
use rawposix_abi::flags::OpenFlags;
use rawposix_abi::{Errno, SYSCALLS, Signal, Syscall, table};
use rawposix_memory::AddressSpace;

use crate::config::{Trace, TraceFilter};
use crate::control::{CoreDump, ExitStatus};
use crate::syscall;
use crate::syscall::args::Words;
use crate::thread::Thread;

pub(crate) use kinds::Show;

/// Writes the trace.
pub(crate) struct Tracer {
    filter: TraceFilter,
    sink: Mutex<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracer")
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// A call that has been entered: its arguments as they were then.
#[derive(Debug)]
pub(crate) struct TracedCall {
    number: i32,
    words: [u32; 6],
    known: Option<&'static Syscall>,
    arguments: Vec<Option<String>>,
}

/// Whether a call is entered or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Only what the call reads can be shown.
    Before,
    /// What the call wrote can be shown, given its result.
    After(i32),
}

/// Receives the arguments of a call, one after the other.
pub(crate) struct Shown<'a> {
    pub(crate) memory: &'a AddressSpace,
    pub(crate) moment: Moment,
    arguments: Vec<Option<String>>,
}

impl Shown<'_> {
    /// Shows the next argument.
    pub(crate) fn argument<T: Show>(&mut self, words: &mut Words) {
        let text = T::show(words, self);
        self.arguments.push(text);
    }
}

impl Tracer {
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            filter: trace.filter,
            sink: Mutex::new(trace.sink),
        }
    }

    /// Notes a call's arguments; `None` when the call is not traced.
    pub(crate) fn enter(
        &self,
        memory: &AddressSpace,
        number: i32,
        words: [u32; 6],
    ) -> Option<TracedCall> {
        let known = table::by_number(number);
        if !self.is_traced(known) {
            return None;
        }
        Some(TracedCall {
            number,
            words,
            known,
            arguments: arguments(memory, number, words, Moment::Before),
        })
    }

    /// Prints a call with its result.
    pub(crate) fn leave(
        &self,
        thread: &Thread,
        call: TracedCall,
        word: i32,
        end: Option<ExitStatus>,
    ) {
        let mut line = match call.known {
            Some(known) => {
                let after = arguments(
                    thread.memory(),
                    call.number,
                    call.words,
                    Moment::After(word),
                );
                let mut words: Vec<String> = call
                    .arguments
                    .into_iter()
                    .zip(after)
                    .map(|(before, after)| before.or(after).unwrap_or_default())
                    .collect();
                if known.name == "openat" && !creates(call.words) {
                    // The mode means nothing then, and libc passes what happens to be there.
                    words.pop();
                }
                format!("{}({})", known.name, words.join(", "))
            }
            None => {
                let words: Vec<String> =
                    call.words.iter().map(|word| format!("{word:#x}")).collect();
                format!("syscall_{:#x}({})", call.number, words.join(", "))
            }
        };
        let result = match (end, call.known) {
            (Some(_), _) => String::from("?"),
            (None, known) => result(known, word),
        };
        line.push_str(" = ");
        line.push_str(&result);
        line.push('\n');
        if let Some(status) = end {
            line.push_str(&prefix(thread));
            line.push_str(&end_of_process(status));
        }
        self.write(&format!("{}{line}", prefix(thread)));
    }

    /// Prints a fault that ends the process.
    pub(crate) fn signal(&self, thread: &Thread, signal: Signal, status: ExitStatus) {
        let prefix = prefix(thread);
        self.write(&format!(
            "{prefix}--- {signal} {{si_signo={signal}}} ---\n{prefix}{}",
            end_of_process(status)
        ));
    }

    fn write(&self, line: &str) {
        // A trace that cannot be written must not disturb the guest.
        let mut sink = self.sink.lock();
        let _ = sink.write_all(line.as_bytes());
        let _ = sink.flush();
    }

    fn is_traced(&self, known: Option<&Syscall>) -> bool {
        let TraceFilter::Only(names) = &self.filter else {
            return true;
        };
        let Some(known) = known else { return false };
        names.iter().any(|name| match name.strip_prefix('%') {
            Some(group) => in_group(known, group),
            None => name == known.name || is_variant(known.name, name),
        })
    }
}

/// Whether the flags of an openat(2) make its mode an argument.
fn creates(words: [u32; 6]) -> bool {
    let [_, _, flags, ..] = words;
    let flags = OpenFlags::from_bits_truncate(flags);
    flags.contains(OpenFlags::CREAT) || flags.contains(OpenFlags::TMPFILE)
}

/// Whether `name` is what the manual calls the system call `known`: `fcntl` for `fcntl64`, `futex` for `futex_time64`.
fn is_variant(known: &str, name: &str) -> bool {
    let suffixes = ["_time64", "64", "_64", "2", "64_64"];
    known
        .strip_prefix(name)
        .is_some_and(|rest| suffixes.contains(&rest))
        || (known == "llseek" && matches!(name, "lseek" | "_llseek"))
}

/// The groups of strace(1).
fn in_group(call: &Syscall, group: &str) -> bool {
    let has = |kinds: &[&str]| {
        call.parameters
            .iter()
            .any(|parameter| kinds.contains(&parameter.kind))
    };
    match group {
        "file" => has(&["Path"]) || call.name == "getcwd",
        "desc" => has(&["Fd", "DirFd", "PollFds"]) || call.result == "Fd",
        "memory" => call.family == "memory",
        "process" => {
            matches!(call.family, "process") || matches!(call.name, "kill" | "tkill" | "tgkill")
        }
        "signal" => call.family == "signal",
        "network" | "net" => call.family == "network",
        "ipc" => call.family == "ipc",
        family => call.family == family,
    }
}

/// Whether a name or `%group` of `--strace` means any call at all.
pub fn is_known_filter(name: &str) -> bool {
    SYSCALLS.iter().any(|call| match name.strip_prefix('%') {
        Some(group) => in_group(call, group),
        None => call.name == name || is_variant(call.name, name),
    })
}

fn arguments(
    memory: &AddressSpace,
    number: i32,
    words: [u32; 6],
    moment: Moment,
) -> Vec<Option<String>> {
    let mut shown = Shown {
        memory,
        moment,
        arguments: Vec::new(),
    };
    syscall::show(number, words, &mut shown);
    shown.arguments
}

fn result(known: Option<&Syscall>, word: i32) -> String {
    if let Some(errno) = errno_of(word) {
        let name = errno
            .name()
            .map_or_else(|| errno.raw().to_string(), str::to_owned);
        return format!("-1 {name} ({})", errno.message());
    }
    match known.map(|call| call.result) {
        Some("Addr") => format!("{word:#x}"),
        Some("Mode") => format!("0{word:03o}"),
        _ => word.to_string(),
    }
}

/// The error that a result word stands for.
pub(crate) fn errno_of(word: i32) -> Option<Errno> {
    u16::try_from(word.checked_neg()?)
        .ok()
        .and_then(Errno::from_raw)
}

/// Who makes the call, as soon as there is more than one thread.
fn prefix(thread: &Thread) -> String {
    match thread.world.family.was_alone() {
        true => String::new(),
        false => format!("[pid {:5}] ", thread.tid()),
    }
}

fn end_of_process(status: ExitStatus) -> String {
    match status {
        ExitStatus::Exited(code) => format!("+++ exited with {code} +++\n"),
        ExitStatus::Signaled(signal, CoreDump::No) => format!("+++ killed by {signal} +++\n"),
        ExitStatus::Signaled(signal, CoreDump::Yes) => {
            format!("+++ killed by {signal} (core dumped) +++\n")
        }
    }
}
