//! Traps as signals, and what is printed about them.

use std::fmt;
use std::sync::atomic::Ordering;

use rawposix::{Control, CoreDump, ExitStatus, Signal};
use wasmtime::{Error, Store, Trap, Val, WasmBacktrace};

use super::guest::{Ended, Guest};
use crate::failure::Failure;

/// A signal that ended the guest, with where it was.
#[derive(Debug)]
pub struct Crash {
    /// What the code did, or what the signal means, in words.
    pub cause: String,
    /// The innermost function first.
    pub backtrace: Vec<Frame>,
}

/// The functions that lead to main, or to the function of a context.
const STARTUP: [&str; 6] = [
    "_start",
    "_start_c",
    "__libc_start_main_impl",
    "__libc_start_call_main",
    "call_main",
    "__lind_context_start",
];

/// A function of the guest that was active.
#[derive(Debug)]
pub struct Frame {
    function: String,
    place: Option<String>,
    times: usize,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        if self.times > 1 {
            write!(f, ", {} times", self.times)?;
        }
        Ok(())
    }
}

/// Ends a thread whose code was ended by this error; gives what is to be said about it.
pub(super) fn settle(store: &mut Store<Guest>, error: &Error) -> Result<Option<Crash>, Failure> {
    let (signal, cause) = match (error.downcast_ref::<Ended>(), error.downcast_ref::<Trap>()) {
        (Some(Ended::Thread(status)), _) => return Ok(sent(*status, error)),
        (Some(Ended::Fault(signal, what)), _) => (*signal, (*what).to_owned()),
        (None, Some(Trap::Interrupt)) => {
            // The thread was told to end in the middle of its code.
            let status = match store.data_mut().thread.exit_as_told() {
                Control::Exit(status) => status,
                _ => return Ok(None),
            };
            return Ok(sent(status, error));
        }
        (None, Some(Trap::MemoryOutOfBounds)) => {
            let no_data = store.data().no_data.load(Ordering::Relaxed);
            let signal = if no_data {
                Signal::SIGBUS
            } else {
                Signal::SIGSEGV
            };
            (signal, bad_access(store, error))
        }
        (None, Some(trap)) => describe(*trap),
        // It did not start: the module wants more than there is, tables beyond the limit for one.
        (None, None) => {
            let sentence = format!("cannot run the program: {error:#}");
            return Err(Failure::not_executable(sentence));
        }
    };
    let _ = store.data_mut().thread.fault(signal);
    Ok(Some(Crash {
        cause,
        backtrace: backtrace(error),
    }))
}

/// What is said about a signal that the guest sent itself: where it was if natively that leaves a core dump, and
/// nothing about the two that shells do not mention either.
fn sent(status: ExitStatus, error: &Error) -> Option<Crash> {
    let (signal, backtrace) = match status {
        ExitStatus::Exited(_) | ExitStatus::Signaled(Signal::SIGINT | Signal::SIGPIPE, _) => {
            return None;
        }
        ExitStatus::Signaled(signal, CoreDump::Yes) => (signal, backtrace(error)),
        ExitStatus::Signaled(signal, CoreDump::No) => (signal, Vec::new()),
    };
    Some(Crash {
        cause: signal.message().to_owned(),
        backtrace,
    })
}

/// What a bad access was: where, or that C's stack, which ends just above the first 64 KiB, had no room left.
fn bad_access(store: &mut Store<Guest>, error: &Error) -> String {
    let Some(address) = fault_address(error) else {
        return "invalid memory access".to_owned();
    };
    let stack_pointer = store
        .data()
        .stack_pointer
        .map(|global| global.get(&mut *store));
    let stack_end = u64::from(rawposix_memory::MIN_ADDR);
    match stack_pointer {
        // A frame that did not fit may lie below the stack pointer.
        Some(Val::I32(value))
            if address < stack_end && u64::from(value.cast_unsigned()) < 2 * stack_end =>
        {
            "stack overflow".to_owned()
        }
        _ => format!("invalid memory access at {address:#x}"),
    }
}

/// The signal that native code would get.
pub(super) fn signal(trap: Trap) -> Signal {
    describe(trap).0
}

/// The signal that native code would get, and the cause in words.
fn describe(trap: Trap) -> (Signal, String) {
    let (signal, cause) = match trap {
        Trap::StackOverflow => (Signal::SIGSEGV, "stack overflow"),
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => {
            (Signal::SIGSEGV, "call through an invalid function pointer")
        }
        Trap::IntegerDivisionByZero => (Signal::SIGFPE, "integer division by zero"),
        Trap::IntegerOverflow => (Signal::SIGFPE, "integer division overflow"),
        Trap::BadConversionToInteger => (
            Signal::SIGFPE,
            "conversion of a number that no integer can hold",
        ),
        Trap::HeapMisaligned => (Signal::SIGBUS, "misaligned atomic access"),
        Trap::UnreachableCodeReached => (Signal::SIGILL, "unreachable code was reached"),
        other => return (Signal::SIGILL, other.to_string()),
    };
    (signal, cause.to_owned())
}

/// The guest address of a bad access, which the engine tells in words only.
fn fault_address(error: &Error) -> Option<u64> {
    error.chain().find_map(|cause| {
        let text = cause.to_string();
        let (_, rest) = text.split_once("memory fault at wasm address 0x")?;
        let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
        u64::from_str_radix(digits, 16).ok()
    })
}

fn backtrace(error: &Error) -> Vec<Frame> {
    let mut frames = Vec::new();
    for frame in error
        .downcast_ref::<WasmBacktrace>()
        .map_or(&[][..], WasmBacktrace::frames)
    {
        let name = || match frame.func_name() {
            Some(name) => source_name(name).to_owned(),
            None => format!("function {}", frame.func_index()),
        };
        if frame.symbols().is_empty() {
            push(&mut frames, name(), None);
        }
        for symbol in frame.symbols() {
            let place = symbol.file().map(|file| match symbol.line() {
                Some(line) => format!("{file}:{line}"),
                None => file.to_owned(),
            });
            push(
                &mut frames,
                symbol
                    .name()
                    .map_or_else(name, |name| source_name(name).to_owned()),
                place,
            );
        }
    }
    // What runs before main is nobody's bug.
    let program = frames
        .iter()
        .rposition(|frame: &Frame| !STARTUP.contains(&frame.function.as_str()));
    frames.truncate(program.map_or(frames.len(), |last| last + 1));
    frames
}

/// Adds a frame; a recursion is one frame, and so are main and the linker's way to it.
fn push(frames: &mut Vec<Frame>, function: String, place: Option<String>) {
    match frames.last_mut() {
        Some(last) if function == "main" && last.function == function && place.is_none() => {}
        Some(last) if last.function == function && last.place == place => last.times += 1,
        _ => frames.push(Frame {
            function,
            place,
            times: 1,
        }),
    }
}

/// The name in C of a function whose name the linker sees.
fn source_name(name: &str) -> &str {
    match name {
        "__original_main" | "__main_argc_argv" | "__main_void" => "main",
        other => other,
    }
}
