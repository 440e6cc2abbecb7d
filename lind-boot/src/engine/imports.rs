//! The functions of module `lind`: all that a guest can ask of the host.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rawposix::{Control, ExitStatus};
use wasmtime::{Caller, DirectFunc, Linker};

use super::guest::{Ended, Guest, without_backtrace};
use super::program::Freezing;
use super::{asyncify, children, contexts, jumps};

/// Defines the functions of module `lind`, for a module whose threads are frozen in this way.
pub(super) fn define(linker: &mut Linker<Guest>, freezing: Freezing) -> wasmtime::Result<()> {
    linker.func_wrap("lind", "startup_size", |caller: Caller<'_, Guest>| {
        caller.data().thread.startup_size().cast_signed()
    })?;
    match freezing {
        Freezing::NativeFrames => {
            linker.func_wrap_direct("lind", "syscall", Syscall, finish_syscall)?;
            linker.func_wrap("lind", "clone", clone)?;
        }
        Freezing::Asyncify => {
            linker.func_wrap("lind", "syscall", asyncified_syscall)?;
            linker.func_wrap("lind", "clone", asyncified_clone)?;
        }
    }
    linker.func_wrap(
        "lind",
        "startup_copy",
        |mut caller: Caller<'_, Guest>, address: u32| {
            let control = caller.data_mut().thread.startup_copy(address);
            perform(&mut caller, control).map(drop)
        },
    )?;
    linker.func_wrap(
        "lind",
        "signal",
        |mut caller: Caller<'_, Guest>, stack_pointer: u32| {
            asyncify::check(&caller)?;
            let control = caller.data_mut().thread.next_signal(stack_pointer);
            perform(&mut caller, control)
        },
    )?;
    linker.func_wrap("lind", "setjmp", jumps::setjmp)?;
    linker.func_wrap("lind", "longjmp", jumps::longjmp)?;
    linker.func_wrap("lind", "getcontext", contexts::getcontext)?;
    linker.func_wrap("lind", "setcontext", contexts::setcontext)?;
    linker.func_wrap("lind", "makecontext", contexts::makecontext)?;
    linker.func_wrap("lind", "swapcontext", contexts::swapcontext)?;
    Ok(())
}

/// The system call as the guest's code itself calls it: all of it that needs nothing of the engine.
struct Syscall;

impl DirectFunc<Guest, 7> for Syscall {
    #[inline(always)]
    fn call(guest: &mut Guest, [number, words @ ..]: [u32; 7]) -> Option<u32> {
        let thread = &mut guest.thread;
        let call = || thread.syscall_here(number.cast_signed(), words);
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(result) => result.map(i32::cast_unsigned),
            Err(panic) => {
                guest.panic = Some(panic);
                None
            }
        }
    }
}

/// The rest of a system call, or all of one that the guest made through a table.
#[allow(
    clippy::too_many_arguments,
    reason = "the system call's number and six words, as the guest passes them"
)]
fn finish_syscall(
    mut caller: Caller<'_, Guest>,
    number: i32,
    a1: u32,
    a2: u32,
    a3: u32,
    a4: u32,
    a5: u32,
    a6: u32,
) -> wasmtime::Result<i32> {
    let guest = caller.data_mut();
    if let Some(panic) = guest.panic.take() {
        resume_unwind(panic);
    }
    match guest.thread.take_control() {
        None => syscall(caller, number, a1, a2, a3, a4, a5, a6),
        Some(control) => perform(&mut caller, control),
    }
}

#[allow(
    clippy::too_many_arguments,
    reason = "the system call's number and six words, as the guest passes them"
)]
fn syscall(
    mut caller: Caller<'_, Guest>,
    number: i32,
    a1: u32,
    a2: u32,
    a3: u32,
    a4: u32,
    a5: u32,
    a6: u32,
) -> wasmtime::Result<i32> {
    let thread = &mut caller.data_mut().thread;
    match thread.syscall(number, [a1, a2, a3, a4, a5, a6]) {
        Control::Return(value) => Ok(value),
        control => perform(&mut caller, control),
    }
}

fn clone(mut caller: Caller<'_, Guest>, arguments: u32) -> wasmtime::Result<i32> {
    let control = caller.data_mut().thread.clone_from_block(arguments);
    perform(&mut caller, control)
}

/// As [`syscall`], in a module whose functions may have been rewound to it.
#[allow(
    clippy::too_many_arguments,
    reason = "the system call's number and six words, as the guest passes them"
)]
fn asyncified_syscall(
    mut caller: Caller<'_, Guest>,
    number: i32,
    a1: u32,
    a2: u32,
    a3: u32,
    a4: u32,
    a5: u32,
    a6: u32,
) -> wasmtime::Result<i32> {
    if caller.data().asyncify.is_normal() {
        return syscall(caller, number, a1, a2, a3, a4, a5, a6);
    }
    let control = asyncify::again(&mut caller)?;
    perform(&mut caller, control)
}

/// As [`clone`], in a module whose functions may have been rewound to it.
fn asyncified_clone(mut caller: Caller<'_, Guest>, arguments: u32) -> wasmtime::Result<i32> {
    if caller.data().asyncify.is_normal() {
        return clone(caller, arguments);
    }
    let control = asyncify::again(&mut caller)?;
    perform(&mut caller, control)
}

/// Does what a call needs of the engine, until it has a result. The end of a thread is an error, which unwinds the
/// guest's frames.
fn perform(caller: &mut Caller<'_, Guest>, mut control: Control) -> wasmtime::Result<i32> {
    loop {
        control = match control {
            Control::Return(value) => return Ok(value),
            Control::Exit(status) => {
                let ended = Ended::Thread(status).into();
                let tells = matches!(status, ExitStatus::Signaled(..));
                return Err(if tells && caller.data().thread.is_program() {
                    ended
                } else {
                    without_backtrace(caller.engine(), ended)
                });
            }
            Control::Clone(request) => children::clone(caller, request)?,
            Control::Exec(request) => children::exec(caller, *request)?,
        };
    }
}
