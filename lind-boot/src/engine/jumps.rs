//! setjmp and longjmp: a call that returns twice, by copies of the caller's native frame.
//!
//! The guest's buffer holds nothing but a number that matters. The frame, the guest's stack pointer and the saved signal mask stay
//! here, so a guest that writes to its buffer can at most jump to another live buffer of the same thread.

use std::mem;

use rawposix::{Signal, SignalSet};
use rawposix_memory::{AddressSpace, GuestPtr};
use wasmtime::{Caller, native_frames};

use super::contexts;
use super::guest::{Ended, Guest};

/// What a jump restores beside the native frame and the stack pointer, and where the guest has the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    pub(super) env: u32,
    mask: Option<SignalSet>,
}

/// `lind.setjmp(env, savemask) -> i32`: 0 now, and longjmp's value when it returns again.
pub(super) fn setjmp(
    mut caller: Caller<'_, Guest>,
    env: u32,
    savemask: i32,
) -> wasmtime::Result<i32> {
    let mask = (savemask != 0).then(|| caller.data().thread.signal_mask());
    let mut buffers = mem::take(&mut caller.data_mut().jumps);
    let id = buffers.setjmp(&mut caller, Saved { env, mask });
    caller.data_mut().jumps = buffers;
    // The stack pointer is for libc's own use; longjmp does not trust it.
    let stack_pointer = native_frames::stack_pointer(&caller).cast_unsigned();
    match caller
        .data()
        .thread
        .memory()
        .write(GuestPtr::new(env), &[id?, stack_pointer])
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
    let saved = if caller.data().jumps.contains(id) {
        let mut buffers = mem::take(&mut caller.data_mut().jumps);
        let saved = buffers.longjmp(&mut caller, id).copied();
        caller.data_mut().jumps = buffers;
        saved.ok()
    } else {
        contexts::longjmp(&mut caller, env, id)
    };
    let Some(saved) = saved else {
        return Err(Ended::fault(
            Signal::SIGSEGV,
            "longjmp to a function that has returned",
        ));
    };
    if let Some(mask) = saved.mask {
        caller.data_mut().thread.set_signal_mask(mask);
    }
    Ok(if value == 0 { 1 } else { value })
}

/// Does the guest's buffer at `env` have this number?
pub(super) fn has(space: &AddressSpace, env: u32, id: u32) -> bool {
    space.read(GuestPtr::<u32>::new(env)) == Ok(id)
}
