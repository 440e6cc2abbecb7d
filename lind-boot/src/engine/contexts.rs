//! getcontext, setcontext, makecontext, swapcontext: the guest's coroutines.
//!
//! A `ucontext_t` has a name for what the engine keeps, and, as on any system, the signal mask, which the guest may
//! change. A guest that writes to the name can at most go on with another context of its own process.

use std::mem;

use rawposix::{Errno, Signal, SignalSet};
use rawposix_memory::GuestPtr;
use wasmtime::Caller;
use wasmtime::native_frames::{ContextName, Contexts, JumpBuffers, Kept};

use super::guest::{Ended, Guest};
use super::jumps::{self, Saved};
use super::program::Freezing;

/// libc's function with which a context begins: `(record on its stack)`.
const START: &str = "__lind_context_start";
/// Where `ucontext_t` has the name, two words, and one word after it the signal mask's first two.
const NAME: u32 = 24;
const WORDS: usize = 5;

/// `lind.getcontext(ucp) -> i32`: 0, now and whenever the context goes on.
pub(super) fn getcontext(mut caller: Caller<'_, Guest>, ucp: u32) -> wasmtime::Result<i32> {
    let saved = with(&mut caller, |caller, contexts, _| {
        save(caller, contexts, ucp)
    })?;
    Ok(saved.map_or_else(failed, |_| 0))
}

/// `lind.swapcontext(oucp, ucp) -> i32`: 0 when `oucp` goes on.
pub(super) fn swapcontext(
    mut caller: Caller<'_, Guest>,
    oucp: u32,
    ucp: u32,
) -> wasmtime::Result<i32> {
    with(&mut caller, |caller, contexts, jumps| {
        let saved = match save(caller, contexts, oucp)? {
            Ok(saved) => saved,
            Err(errno) => return Ok(failed(errno)),
        };
        let (name, mask) = read(caller, ucp)?;
        let switched = contexts.switch(caller, jumps, Some(saved), name);
        Ok(entered(caller, switched, mask))
    })
}

/// `lind.setcontext(ucp, ended) -> i32`: goes on with `ucp`. If `ended` is not 0, the context that calls has come to
/// its end.
pub(super) fn setcontext(
    mut caller: Caller<'_, Guest>,
    ucp: u32,
    ended: i32,
) -> wasmtime::Result<i32> {
    with(&mut caller, |caller, contexts, jumps| {
        let (name, mask) = read(caller, ucp)?;
        let switched = if ended == 0 {
            contexts.switch(caller, jumps, None, name)
        } else {
            forget_ended(caller, contexts);
            contexts.end(caller, jumps, name)
        };
        Ok(entered(caller, switched, mask))
    })
}

/// `lind.makecontext(ucp, record) -> i32`: makes `ucp` call libc's function with `record`, which is its stack pointer,
/// too.
pub(super) fn makecontext(
    mut caller: Caller<'_, Guest>,
    ucp: u32,
    record: u32,
) -> wasmtime::Result<i32> {
    with(&mut caller, |caller, contexts, _| {
        let (known, _) = read(caller, ucp)?;
        purge(caller, contexts);
        // A module that unwinds itself to fork would have to do so down to where the thread began.
        let name = match caller.data().program.freezing {
            Freezing::NativeFrames => contexts.make(caller, ucp, known, START, record),
            Freezing::Asyncify => Ok(ContextName::default()),
        };
        let name = name.unwrap_or_default();
        let words = halves(name.0);
        let space = caller.data().thread.memory();
        if space
            .write(GuestPtr::new(ucp.wrapping_add(NAME)), &words)
            .is_err()
        {
            return Err(invalid());
        }
        Ok(if name == ContextName::default() {
            failed(Errno::ENOMEM)
        } else {
            0
        })
    })
}

/// longjmp to a place of another context than the one that runs.
pub(super) fn longjmp(caller: &mut Caller<'_, Guest>, env: u32, id: u32) -> Option<Saved> {
    with(caller, |caller, contexts, jumps| {
        contexts.longjmp(caller, jumps, id, |saved| saved.env == env)
    })
    .ok()
}

/// Does something with the thread's contexts and places.
fn with<R>(
    caller: &mut Caller<'_, Guest>,
    work: impl FnOnce(&mut Caller<'_, Guest>, &mut Contexts<Saved>, &mut JumpBuffers<Saved>) -> R,
) -> R {
    let guest = caller.data_mut();
    let mut contexts = mem::take(&mut guest.contexts);
    let mut jumps = mem::take(&mut guest.jumps);
    let result = work(caller, &mut contexts, &mut jumps);
    let guest = caller.data_mut();
    guest.contexts = contexts;
    guest.jumps = jumps;
    result
}

/// Saves the caller's frames and writes their name and the signal mask to `ucp`.
fn save(
    caller: &mut Caller<'_, Guest>,
    contexts: &mut Contexts<Saved>,
    ucp: u32,
) -> wasmtime::Result<Result<ContextName, Errno>> {
    let (known, _) = read(caller, ucp)?;
    purge(caller, contexts);
    let Ok(name) = contexts.save(caller, ucp, known) else {
        return Ok(Err(Errno::ENOMEM));
    };
    let thread = &caller.data().thread;
    let [low, high] = halves(name.0);
    let mask = halves(thread.signal_mask().bits());
    let words: [u32; WORDS] = [low, high, 0, mask[0], mask[1]];
    match thread
        .memory()
        .write(GuestPtr::new(ucp.wrapping_add(NAME)), &words)
    {
        Ok(()) => Ok(Ok(name)),
        Err(_) => Err(invalid()),
    }
}

/// What `ucp` says: the name and the signal mask.
fn read(caller: &Caller<'_, Guest>, ucp: u32) -> wasmtime::Result<(ContextName, SignalSet)> {
    let place = GuestPtr::<[u32; WORDS]>::new(ucp.wrapping_add(NAME));
    match caller.data().thread.memory().read(place) {
        Ok([low, high, _, mask, more]) => Ok((
            ContextName(whole(low, high)),
            SignalSet::from_bits(whole(mask, more)),
        )),
        Err(_) => Err(invalid()),
    }
}

/// What a function returns that goes on with a context with this mask, if it does.
fn entered(caller: &mut Caller<'_, Guest>, switched: wasmtime::Result<()>, mask: SignalSet) -> i32 {
    if switched.is_err() {
        return failed(Errno::EINVAL);
    }
    let thread = &mut caller.data_mut().thread;
    if thread.signal_mask() != mask.blockable() {
        thread.set_signal_mask(mask);
    }
    0
}

/// Forgets contexts now and then that have come to their end, one of which is about to: each of them is kept in mind, and
/// they need not be so large that there ever are too many.
fn forget_ended(caller: &mut Caller<'_, Guest>, contexts: &mut Contexts<Saved>) {
    /// So many are nothing.
    const MANY: usize = 1 << 12;
    let ended = &mut caller.data_mut().ended_contexts;
    *ended += 1;
    if *ended > MANY.max(contexts.len()) {
        *ended = 0;
        forget(caller, contexts);
    }
}

/// Forgets contexts whose names the guest has written over, and places of contexts likewise, when there are many.
fn purge(caller: &Caller<'_, Guest>, contexts: &mut Contexts<Saved>) {
    if contexts.is_crowded() {
        forget(caller, contexts);
    }
}

fn forget(caller: &Caller<'_, Guest>, contexts: &mut Contexts<Saved>) {
    let space = caller.data().thread.memory();
    contexts.purge(|kept| match kept {
        Kept::Context(name, ucp) => {
            let words = space.read(GuestPtr::<[u32; 2]>::new(ucp.wrapping_add(NAME)));
            words.is_ok_and(|words| words == halves(name.0))
        }
        Kept::Place(id, saved) => jumps::has(space, saved.env, id),
    });
}

fn invalid() -> wasmtime::Error {
    Ended::fault(Signal::SIGSEGV, "a context at an invalid address")
}

fn failed(errno: Errno) -> i32 {
    -i32::from(errno.raw())
}

fn halves(value: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}

fn whole(low: u32, high: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}
