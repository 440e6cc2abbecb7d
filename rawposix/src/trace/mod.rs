//! `--strace`: system calls as strace(1) prints them, from the one list.

mod aio;
mod events;
mod filter;
mod ipc;
mod kinds;
mod lines;
mod results;
mod sockets;
mod summary;
mod text;

use std::time::Instant;

use parking_lot::Mutex;
use rawposix_abi::flags::OpenFlags;
use rawposix_abi::structs::Siginfo;
use rawposix_abi::{Errno, Signal, Syscall, table};
use rawposix_memory::AddressSpace;

use crate::cage::Pid;
use crate::config::{Trace, TraceContent, TraceFilter, TraceLabels};
use crate::control::ExitStatus;
use crate::syscall;
use crate::syscall::args::Words;
use crate::thread::Thread;

use lines::Lines;
use summary::Summary;

pub use filter::is_known_filter;
pub(crate) use kinds::Show;

/// Writes the trace.
pub(crate) struct Tracer {
    filter: TraceFilter,
    content: TraceContent,
    labels: TraceLabels,
    lines: Mutex<Lines>,
    summary: Mutex<Summary>,
}

impl std::fmt::Debug for Tracer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracer")
            .field("filter", &self.filter)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

/// A call that has been entered: its arguments as they were then.
#[derive(Debug)]
pub(crate) struct TracedCall {
    number: i32,
    words: [u32; 6],
    known: Option<&'static Syscall>,
    /// How many arguments the beginning of the line has.
    told: usize,
    arguments: Vec<Option<String>>,
    since: Instant,
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

impl TracedCall {
    fn name(&self) -> String {
        match self.known {
            Some(known) => known.name.to_owned(),
            None => format!("syscall_{:#x}", self.number),
        }
    }
}

impl Tracer {
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            filter: trace.filter,
            content: trace.content,
            labels: trace.labels,
            lines: Mutex::new(Lines::new(trace.sink)),
            summary: Mutex::default(),
        }
    }

    /// Begins a call's line; `None` when the call is not traced.
    pub(crate) fn enter(
        &self,
        thread: &Thread,
        number: i32,
        words: [u32; 6],
    ) -> Option<TracedCall> {
        let known = table::by_number(number);
        if !self.filter.takes(known) {
            return None;
        }
        let mut call = TracedCall {
            number,
            words,
            known,
            told: 0,
            arguments: Vec::new(),
            since: Instant::now(),
        };
        if self.content.has_calls() {
            call.arguments = arguments(thread.memory(), &call, Moment::Before);
            let known: Vec<&str> = call.arguments.iter().map_while(Option::as_deref).collect();
            call.told = known.len();
            let mut text = format!("{}({}", call.name(), known.join(", "));
            if (1..call.arguments.len()).contains(&call.told) {
                text.push_str(", ");
            }
            let label = self.label(thread);
            self.lines.lock().begin(thread.tid(), &label, &text);
        }
        Some(call)
    }

    /// Ends a call's line with its result.
    pub(crate) fn leave(
        &self,
        thread: &Thread,
        call: TracedCall,
        word: i32,
        end: Option<ExitStatus>,
    ) {
        if self.content.has_summary() {
            let failed = end.is_none() && errno_of(word).is_some();
            let time = call.since.elapsed();
            self.summary.lock().add(&call.name(), time, failed);
        }
        if !self.content.has_calls() {
            return;
        }
        let after = arguments(thread.memory(), &call, Moment::After(word));
        let result = match end {
            Some(_) => String::from("?"),
            None => results::result(&call, thread.memory(), word),
        };
        let name = call.name();
        let rest: Vec<String> = call
            .arguments
            .into_iter()
            .zip(after)
            .skip(call.told)
            .map(|(before, after)| before.or(after).unwrap_or_default())
            .collect();
        let rest = rest.join(", ") + ")";
        let label = self.label(thread);
        self.lines
            .lock()
            .end(thread.tid(), &label, &name, &rest, &result);
    }

    /// Tells of a signal that the thread takes.
    pub(crate) fn signal(&self, thread: &Thread, info: &Siginfo) {
        if self.content.has_calls() {
            let label = self.label(thread);
            self.lines
                .lock()
                .after_call(thread.tid(), &label, &events::taken(info));
        }
    }

    /// Tells of a signal that stops the thread's process.
    pub(crate) fn stopped(&self, thread: &Thread, signal: Signal) {
        self.event(thread, &events::stopped(signal));
    }

    /// Tells of the thread's end.
    pub(crate) fn ended(&self, thread: &Thread, status: ExitStatus) {
        self.event(thread, &events::ended(status));
    }

    /// Tells of a new process or thread.
    pub(crate) fn attached(&self, child: Pid) {
        if self.content.has_calls() {
            let text = format!("strace: Process {child} attached\n");
            self.lines.lock().text(&text);
        }
    }

    /// Writes the table of all calls, if it is asked for.
    pub(crate) fn finish(&self) {
        if self.content.has_summary() {
            let table = self.summary.lock().table();
            self.lines.lock().text(&table);
        }
    }

    fn event(&self, thread: &Thread, text: &str) {
        if self.content.has_calls() {
            let label = self.label(thread);
            self.lines.lock().event(&label, text);
        }
    }

    /// Who it is that a line is about.
    fn label(&self, thread: &Thread) -> String {
        match self.labels {
            TraceLabels::Always => format!("{:<5} ", thread.tid().0),
            TraceLabels::WhenSeveral if thread.world.family.was_alone() => String::new(),
            TraceLabels::WhenSeveral => format!("[pid {:5}] ", thread.tid().0),
        }
    }
}

fn arguments(memory: &AddressSpace, call: &TracedCall, moment: Moment) -> Vec<Option<String>> {
    let mut shown = Shown {
        memory,
        moment,
        arguments: Vec::new(),
    };
    match call.known {
        Some(known) => {
            syscall::show(call.number, call.words, &mut shown);
            if known.name == "openat" && !creates(call.words) {
                // The mode means nothing then, and libc passes what happens to be there.
                shown.arguments.pop();
            }
        }
        None => shown
            .arguments
            .extend(call.words.iter().map(|word| Some(format!("{word:#x}")))),
    }
    shown.arguments
}

/// Whether the flags of an openat(2) make its mode an argument.
fn creates(words: [u32; 6]) -> bool {
    let [_, _, flags, ..] = words;
    let flags = OpenFlags::from_bits_truncate(flags);
    flags.contains(OpenFlags::CREAT) || flags.contains(OpenFlags::TMPFILE)
}

/// The error that a result word stands for.
pub(crate) fn errno_of(word: i32) -> Option<Errno> {
    u16::try_from(word.checked_neg()?)
        .ok()
        .and_then(Errno::from_raw)
}
