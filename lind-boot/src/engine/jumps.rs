//! setjmp and longjmp: a call that returns twice, by copies of the caller's native frame.
//!
//! The guest's buffer holds nothing but a number that matters. The frame, the guest's stack pointer and the saved signal mask stay
//! here, so a guest that writes to its buffer can at most jump to another live buffer of the same thread.

use std::mem;

use rawposix::{Signal, SignalSet};
use rawposix_memory::GuestPtr;
use wasmtime::{Caller, Extern, Global, Val};

use super::guest::{Ended, Guest, STACK_POINTER};

/// What a jump restores beside the native frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    stack_pointer: i32,
    mask: Option<SignalSet>,
}

/// `lind.setjmp(env, savemask) -> i32`: 0 now, and longjmp's value when it returns again.
pub(super) fn setjmp(
    mut caller: Caller<'_, Guest>,
    env: u32,
    savemask: i32,
) -> wasmtime::Result<i32> {
    let stack_pointer = match stack_pointer(&mut caller).map(|global| global.get(&mut caller)) {
        Some(Val::I32(value)) => value,
        _ => 0,
    };
    let mask = (savemask != 0).then(|| caller.data().thread.signal_mask());
    let mut buffers = mem::take(&mut caller.data_mut().jumps);
    let id = buffers.setjmp(
        &mut caller,
        Saved {
            stack_pointer,
            mask,
        },
    );
    caller.data_mut().jumps = buffers;
    // The stack pointer is for libc's own use; longjmp does not trust it.
    let buffer = [id?, stack_pointer.cast_unsigned()];
    match caller
        .data()
        .thread
        .memory()
        .write(GuestPtr::new(env), &buffer)
    {
        Ok(()) => Ok(0),
        Err(_) => Err(Ended::fault(
            Signal::SIGSEGV,
            "setjmp with an invalid buffer",
        )),
    }
}

/// `lind.longjmp(env, value) -> i32`: returns in setjmp's caller, with `value` or, for 0, with 1.
pub(super) fn longjmp(
    mut caller: Caller<'_, Guest>,
    env: u32,
    value: i32,
) -> wasmtime::Result<i32> {
    let Ok(id) = caller
        .data()
        .thread
        .memory()
        .read(GuestPtr::<u32>::new(env))
    else {
        return Err(Ended::fault(
            Signal::SIGSEGV,
            "longjmp with an invalid buffer",
        ));
    };
    let mut buffers = mem::take(&mut caller.data_mut().jumps);
    let saved = buffers.longjmp(&mut caller, id).copied();
    caller.data_mut().jumps = buffers;
    let Ok(saved) = saved else {
        return Err(Ended::fault(
            Signal::SIGSEGV,
            "longjmp to a function that has returned",
        ));
    };
    if let Some(global) = stack_pointer(&mut caller) {
        global.set(&mut caller, Val::I32(saved.stack_pointer))?;
    }
    if let Some(mask) = saved.mask {
        caller.data_mut().thread.set_signal_mask(mask);
    }
    Ok(if value == 0 { 1 } else { value })
}

/// The guest's `__stack_pointer`, if its module exports one.
fn stack_pointer(caller: &mut Caller<'_, Guest>) -> Option<Global> {
    if let Some(global) = caller.data().stack_pointer {
        return Some(global);
    }
    let global = match caller.get_export(STACK_POINTER) {
        Some(Extern::Global(global)) => global,
        _ => return None,
    };
    caller.data_mut().stack_pointer = Some(global);
    Some(global)
}
