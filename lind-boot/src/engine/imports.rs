//! The functions of module `lind`: all that a guest can ask of the host.

use rawposix::{Control, Thread};
use wasmtime::{Caller, Linker};

use super::guest::{Ended, Guest};
use super::jumps;

/// clone3(2) in the guest's table, which says what the import `clone` can do.
const CLONE3: i32 = 435;
/// Size of the import's argument block: function, argument, stack, TLS, flags and the two places for ids.
const CLONE_ARGUMENTS: u32 = 28;

/// Defines the functions of module `lind`.
pub(super) fn define(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap("lind", "syscall", syscall)?;
    linker.func_wrap("lind", "startup_size", |caller: Caller<'_, Guest>| {
        caller.data().thread.startup_size().cast_signed()
    })?;
    linker.func_wrap(
        "lind",
        "startup_copy",
        |mut caller: Caller<'_, Guest>, address: u32| {
            let control = caller.data_mut().thread.startup_copy(address);
            settle(control).map(drop)
        },
    )?;
    linker.func_wrap(
        "lind",
        "clone",
        |mut caller: Caller<'_, Guest>, arguments: u32| {
            enter(&mut caller, |thread| {
                thread.syscall(CLONE3, [arguments, CLONE_ARGUMENTS, 0, 0, 0, 0])
            })
        },
    )?;
    // No call is interrupted, so there is never a handler to run.
    linker.func_wrap("lind", "signal", |_stack_pointer: u32| 0)?;
    linker.func_wrap("lind", "setjmp", jumps::setjmp)?;
    linker.func_wrap("lind", "longjmp", jumps::longjmp)?;
    Ok(())
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
    enter(&mut caller, |thread| {
        thread.syscall(number, [a1, a2, a3, a4, a5, a6])
    })
}

fn enter(
    caller: &mut Caller<'_, Guest>,
    call: impl FnOnce(&mut Thread) -> Control,
) -> wasmtime::Result<i32> {
    settle(call(&mut caller.data_mut().thread))
}

/// Turns the end of a process into an error, which unwinds the guest's frames.
pub(super) fn settle(control: Control) -> wasmtime::Result<i32> {
    match control {
        Control::Return(value) => Ok(value),
        Control::Exit(status) => Err(Ended::Process(status).into()),
    }
}
