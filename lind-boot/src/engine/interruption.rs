//! Signals of the host in a guest's code: interruptions by other threads, and faults of the code itself.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rawposix::{Fault, Faults, Signal};
use rawposix_interrupt::{Context, Redirect, Redirected};
use rawposix_memory::{AddressSpace, MIN_ADDR, Protection};
use wasmtime::native_frames::{self, BulkFault, Interrupted};
use wasmtime::unix::StoreExt;
use wasmtime::{Instance, Module, Store, Trap};

use super::crash;
use super::guest::Guest;

/// The function of libc's that runs signal handlers between two instructions of the program.
const SIGNAL_FUNCTION: &str = "__lind_async_signal";

/// `si_code` of sigaction(2).
const ILL_ILLOPN: i32 = 2;
const FPE_INTDIV: i32 = 1;
const SEGV_MAPERR: i32 = 1;
const SEGV_ACCERR: i32 = 2;
const BUS_ADRALN: i32 = 1;
const BUS_ADRERR: i32 = 2;

/// Lets interruptions find the guest's code, once per process.
pub(super) fn install() {
    rawposix_interrupt::install(&Guests);
}

/// Makes the code of a new store's program known to signal handlers.
pub(super) fn prepare(store: &mut Store<Guest>) -> wasmtime::Result<()> {
    let module = store.data().program.module.clone();
    native_frames::set_interruptible(store, &module)
}

/// Lets signal handlers have the guest's own handlers called. A module without libc's function can only be killed.
pub(super) fn complete(store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<()> {
    if instance.get_func(&mut *store, SIGNAL_FUNCTION).is_none() {
        return Ok(());
    }
    native_frames::set_signal_function(&mut *store, instance, SIGNAL_FUNCTION)?;
    let guest = store.data();
    let (faults, space) = (guest.thread.faults(), Arc::clone(guest.thread.memory()));
    let (no_data, moving) = (
        Arc::clone(&guest.no_data),
        Arc::clone(&guest.asyncify.moving),
    );
    let module = guest.program.module.clone();
    let handler = move |signal: c_int, info: *const libc::siginfo_t, context: *const c_void| {
        // SAFETY: the engine's handler for faults is installed with the flags needed, and passes on what it was given.
        let code = unsafe { native_frames::interrupted(context.cast_mut()) };
        // SAFETY: the kernel passes what is known of the signal.
        let info = unsafe { &*info };
        let code = code.filter(|_| !moving.load(Ordering::Relaxed));
        // SAFETY: the kernel passes the context of the interrupted code.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let caught = code.is_some_and(|code| {
            let Some(trap) = code.trap() else {
                return false;
            };
            let mut fault = describe(trap, &space, signal, info);
            if matches!(fault.signal, Signal::SIGFPE | Signal::SIGILL) {
                fault.address = place(&module, registers);
            }
            catch(&faults, fault, code)
        });
        no_data.store(signal == libc::SIGBUS && !caught, Ordering::Relaxed);
        caught
    };
    // SAFETY: the handler takes no lock that the guest's code can hold, and allocates only where that code was
    // interrupted, which is not in the allocator.
    unsafe { store.set_signal_handler(handler) };
    let (faults, space) = (
        store.data().thread.faults(),
        Arc::clone(store.data().thread.memory()),
    );
    native_frames::set_bulk_fault_handler(store, move |accesses: &BulkFault| {
        let fault = bulk_fault(accesses, &space);
        let caught = faults.are_caught(fault.signal);
        if caught {
            faults.send(fault);
        }
        caught
    })
}

/// What a large copy in guest memory met: the first address that is not mapped for it, else one behind a file's end.
fn bulk_fault(accesses: &BulkFault, space: &AddressSpace) -> Fault {
    let base = space.base().as_ptr().addr();
    let guest = |range: &Range<usize>| {
        let start = u32::try_from(range.start.checked_sub(base)?).ok()?;
        Some(start..start.saturating_add(u32::try_from(range.len()).unwrap_or(u32::MAX)))
    };
    let needed = [
        (guest(&accesses.written), Protection::WRITE),
        (guest(&accesses.read), Protection::READ),
    ];
    let denied = needed.iter().find_map(|(range, protection)| {
        let range = range.clone().filter(|range| !range.is_empty())?;
        space.first_denied(range, *protection)
    });
    match denied {
        Some(address) => segmentation_fault(space, address),
        None => Fault {
            signal: Signal::SIGBUS,
            code: BUS_ADRERR,
            address: guest(&accesses.written).map_or(0, |range| range.start),
        },
    }
}

/// Has the guest's handler called for a fault of its code, if there is one. If not, the fault becomes a trap.
fn catch(faults: &Faults, fault: Fault, code: Interrupted<'_>) -> bool {
    if !faults.are_caught(fault.signal) || !code.call() {
        return false;
    }
    faults.send(fault);
    true
}

/// The place of the instruction that has faulted: its offset in the module's file, since code has no address in the
/// guest's memory. Tools for WebAssembly find function and line by it. 0 if it is not known.
fn place(module: &Module, registers: &[libc::greg_t]) -> u32 {
    let counter = usize::try_from(libc::REG_RIP).ok();
    let counter = counter.and_then(|register| registers.get(register).copied());
    let counter = counter.and_then(|counter| usize::try_from(counter).ok());
    let offset = counter.and_then(|counter| counter.checked_sub(module.text().as_ptr().addr()));
    let (Some(offset), Some(map)) = (offset, module.address_map()) else {
        return 0;
    };
    let until = map.take_while(|(code, _)| *code <= offset);
    until.last().and_then(|(_, file)| file).unwrap_or(0)
}

fn describe(trap: Trap, space: &AddressSpace, host_signal: c_int, info: &libc::siginfo_t) -> Fault {
    let is_access = matches!(host_signal, libc::SIGSEGV | libc::SIGBUS) && info.si_code > 0;
    let access = is_access.then(|| {
        // SAFETY: signals of bad accesses come with their address.
        let address = unsafe { info.si_addr() };
        let offset = address.addr().wrapping_sub(space.base().as_ptr().addr());
        (u32::try_from(offset).unwrap_or(0), info.si_code)
    });
    match (trap, access) {
        (Trap::MemoryOutOfBounds, Some((address, code))) if host_signal == libc::SIGBUS => Fault {
            signal: Signal::SIGBUS,
            code,
            address,
        },
        (Trap::MemoryOutOfBounds, Some((address, _))) => segmentation_fault(space, address),
        // Programs tell an overflow by its place: just below the mapping that the stack is in, as `/proc/self/maps` shows
        // it. The stack of the engine's frames has none; the program's own is the first thing in its memory.
        (Trap::StackOverflow, _) => Fault {
            signal: Signal::SIGSEGV,
            code: SEGV_MAPERR,
            address: MIN_ADDR - 1,
        },
        (trap, _) => {
            let signal = crash::signal(trap);
            let code = match signal {
                Signal::SIGFPE => FPE_INTDIV,
                Signal::SIGILL => ILL_ILLOPN,
                Signal::SIGBUS => BUS_ADRALN,
                _ => SEGV_MAPERR,
            };
            Fault {
                signal,
                code,
                address: 0,
            }
        }
    }
}

/// A bad access. The host has the whole address space mapped, so it cannot tell what the guest has.
fn segmentation_fault(space: &AddressSpace, address: u32) -> Fault {
    Fault {
        signal: Signal::SIGSEGV,
        code: if space.is_mapped(address) {
            SEGV_ACCERR
        } else {
            SEGV_MAPERR
        },
        address,
    }
}

/// All guests of this process; which one it is, the engine knows by the host thread.
struct Guests;

/// The guest's code that a signal has interrupted.
fn interrupted(context: &mut Context) -> Option<Interrupted<'_>> {
    // SAFETY: `Redirect` is called in a signal handler with the flags needed, with what the kernel gave it, and the
    // result is used before that returns.
    unsafe { native_frames::interrupted((&raw mut *context).cast()) }
}

impl Redirect for Guests {
    fn can_stop(&self, context: &mut Context) -> bool {
        interrupted(context).is_some()
    }

    fn deliver(&self, context: &mut Context) -> Redirected {
        if interrupted(context).is_some_and(Interrupted::call) {
            Redirected::Yes
        } else {
            Redirected::NotHere
        }
    }

    fn end(&self, context: &mut Context) -> Redirected {
        match interrupted(context) {
            Some(code) => {
                code.kill();
                Redirected::Yes
            }
            None => Redirected::NotHere,
        }
    }
}
