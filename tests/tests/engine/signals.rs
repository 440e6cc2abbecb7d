//! Signals to a thread that runs a guest, for the tests of interruptions.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::native_frames::interrupted;

/// What the handler does with the code that it interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Nothing,
    Call,
    Kill,
    /// Once each.
    CallThenKill,
}

/// How often it could, and could not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) done: u32,
    pub(crate) unsettled: u32,
    pub(crate) elsewhere: u32,
}

thread_local! {
    static DEED: Cell<Deed> = const { Cell::new(Deed::Nothing) };
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { done: 0, unsettled: 0, elsewhere: 0 }) };
}

extern "C" fn on_signal(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let mut counts = COUNTS.get();
    // SAFETY: this is a signal handler, and the context is its own.
    match (DEED.get(), unsafe { interrupted(context) }) {
        (Deed::Nothing, _) => return,
        (_, None) => counts.elsewhere += 1,
        (deed @ (Deed::Call | Deed::CallThenKill), Some(code)) => match code.call() {
            true => {
                counts.done += 1;
                if deed == Deed::CallThenKill {
                    DEED.set(Deed::Kill);
                }
            }
            false => counts.unsettled += 1,
        },
        (Deed::Kill, Some(code)) => {
            code.kill();
            counts.done += 1;
            DEED.set(Deed::Nothing);
        }
    }
    COUNTS.set(counts);
}

/// A handler for faults of Wasm code that calls the guest's function.
pub(crate) fn call_at_fault(context: *const libc::c_void) -> bool {
    // SAFETY: Wasmtime's signal handler passes its own context.
    let code = unsafe { interrupted(context.cast_mut()) };
    let mut counts = COUNTS.get();
    let called = code.is_some_and(|code| code.trap().is_some() && code.call());
    if called {
        counts.done += 1;
        COUNTS.set(counts);
    }
    called
}

fn install() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: all zeroes is a valid value.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        action.sa_sigaction = (on_signal as *const ()).addr();
        // SAFETY: the handler is one for `SA_SIGINFO`.
        let result =
            unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
        assert_eq!(result, 0);
    });
}

/// Runs `body` while another thread sends signals to this one, with pauses
/// that are a little more or less than `pause`.
pub(crate) fn with_signals<R>(
    deed: Deed,
    pause: Duration,
    body: impl FnOnce() -> R,
) -> (R, Counts) {
    install();
    let stop = AtomicBool::new(false);
    // SAFETY: has no preconditions.
    let thread = unsafe { libc::gettid() };
    let process = std::process::id();
    COUNTS.set(Counts::default());
    DEED.set(deed);
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = 1_u32;
            while !stop.load(Ordering::SeqCst) {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                std::thread::sleep(pause * (random >> 24) / 128);
                // SAFETY: sends a signal for which there is a handler to a thread that waits for this one.
                unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGUSR1) };
            }
        });
        let stopped = StopOnDrop(&stop);
        let result = body();
        drop(stopped);
        result
    });
    DEED.set(Deed::Nothing);
    (result, COUNTS.get())
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Runs `body` with the counts of faults that called the guest's function.
pub(crate) fn counted<R>(body: impl FnOnce() -> R) -> (R, u32) {
    COUNTS.set(Counts::default());
    let result = body();
    (result, COUNTS.get().done)
}
