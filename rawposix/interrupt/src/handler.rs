//! The host signal and its handler.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_long, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::thread::{ATTENTION, END, FREEZES, HostThread, Place};
use crate::timer;

/// How soon a signal is repeated that may have come before a call blocked.
pub(crate) const BLOCKING_AGAIN: Duration = Duration::from_micros(200);
/// How soon a signal is repeated that came where the guest cannot be redirected.
const GUEST_AGAIN: Duration = Duration::from_micros(50);

/// The interrupted thread's registers.
pub type Context = libc::ucontext_t;

/// Whether the guest's code was redirected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirected {
    /// It goes on elsewhere, or does not need to.
    Yes,
    /// Not from this program counter; the signal is repeated shortly after.
    NotHere,
}

/// What the engine does in the signal handler of a thread that is in the guest's code, or on its way between the guest and
/// the host. Everything here has to be async-signal-safe.
pub trait Redirect: Sync {
    /// Whether the thread may be stopped where it is: in the guest's code, where no lock of the host is held.
    fn can_stop(&self, context: &mut Context) -> bool;

    /// Makes the guest call its signal function and then go on as if nothing had happened.
    fn deliver(&self, context: &mut Context) -> Redirected;

    /// Makes the guest trap.
    fn end(&self, context: &mut Context) -> Redirected;
}

thread_local! {
    /// What the handler reads: the calling thread's handle, or null. It has no destructor, so it is plain storage.
    static CURRENT: Cell<*const HostThread> = const { Cell::new(ptr::null()) };
    /// What keeps it alive.
    static HOLDER: RefCell<Option<Holder>> = const { RefCell::new(None) };
}

struct Holder(Arc<HostThread>);

impl Drop for Holder {
    fn drop(&mut self) {
        CURRENT.set(ptr::null());
        self.0.on_detach();
    }
}

static REDIRECT: OnceLock<&'static dyn Redirect> = OnceLock::new();
static PREPARED: OnceLock<Result<(), i32>> = OnceLock::new();

/// Sets what redirects guests in this process; the first one counts.
pub fn install(redirect: &'static dyn Redirect) {
    let _ = REDIRECT.set(redirect);
}

/// The host signal. A standard one: the kernel keeps one of them for a thread, however many are sent, and never loses it.
/// Real-time signals queue up on a thread that others keep from running, and are lost beyond `RLIMIT_SIGPENDING`. What else
/// sends this one does no harm, since the handler looks at what is wanted of its thread (Go's runtime chose it, too).
pub(crate) const SIGNAL: c_int = libc::SIGURG;

/// Replaces the calling thread's handle.
pub(crate) fn set_current(thread: Option<Arc<HostThread>>) {
    HOLDER.with_borrow_mut(|holder| {
        drop(holder.take());
        if let Some(thread) = thread {
            CURRENT.set(Arc::as_ptr(&thread));
            *holder = Some(Holder(thread));
        }
    });
}

/// Whether `thread` is the calling host thread.
pub(crate) fn is_current(thread: &HostThread) -> bool {
    ptr::eq(CURRENT.get(), thread)
}

/// Installs the handler, once per process, and lets the calling thread receive the signal.
pub(crate) fn prepare() -> io::Result<()> {
    PREPARED
        .get_or_init(|| prepare_now().map_err(|error| error.raw_os_error().unwrap_or(libc::EINVAL)))
        .map_err(io::Error::from_raw_os_error)?;
    unblock()
}

/// Who started this process may have blocked the signal.
fn unblock() -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is writable; the call fills it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: `set` is filled and SIGNAL is a signal.
    unsafe { libc::sigaddset(set.as_mut_ptr(), SIGNAL) };
    // SAFETY: `set` is filled; a null old set is not written.
    match unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn prepare_now() -> io::Result<()> {
    type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    // SAFETY: all-zero is a valid sigaction.
    let mut action = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    action.sa_sigaction = on_signal as Handler as libc::sighandler_t;
    // Without SA_RESTART: calls that block fail with EINTR.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: `action` is a whole sigaction whose handler has the type its flags say.
    match unsafe { libc::sigaction(SIGNAL, &raw const action, ptr::null_mut()) } {
        0 => timer::RESERVE.prepare(),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends the host signal to a thread of this process. Async-signal-safe, but may change errno.
pub(crate) fn send(tid: c_int) {
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: the call takes three numbers; the signal has a handler that asks nothing of foreign threads.
    unsafe {
        libc::syscall(
            libc::SYS_tgkill,
            c_long::from(pid),
            c_long::from(tid),
            c_long::from(SIGNAL),
        )
    };
}

extern "C" fn on_signal(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the C library gives the address of the calling thread's errno.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: `errno` is the calling thread's, readable.
    let saved = unsafe { errno.read() };
    // SAFETY: the kernel passes a whole siginfo.
    if unsafe { (*info).si_code } != libc::SI_TKILL {
        // It may be the timer in reserve. What threads send each other is not: passed on, that would never end.
        timer::RESERVE.pass_on();
    }
    // SAFETY: the pointer is null, or the holder of this thread keeps its target alive.
    if let Some(thread) = unsafe { CURRENT.get().as_ref() } {
        // SAFETY: the kernel passes the interrupted context, which is the handler's alone.
        let context = unsafe { &mut *context.cast::<Context>() };
        thread.on_signal(context);
    }
    // SAFETY: `errno` is the calling thread's, writable.
    unsafe { errno.write(saved) };
}

impl HostThread {
    fn on_signal(&self, context: &mut Context) {
        match self.place() {
            Place::Host => self.answer_freeze(),
            Place::Blocking => {
                self.answer_freeze();
                // Only an interruption has to reach the call; a freeze is looked at when it ends.
                if self.word.load(Ordering::Acquire) & ATTENTION != 0 {
                    self.timer.arm(BLOCKING_AGAIN);
                }
            }
            Place::Guest => self.on_signal_in_guest(context),
        }
    }

    fn on_signal_in_guest(&self, context: &mut Context) {
        // Without an engine nothing is known of the code there; the thread looks at the word when it enters the host.
        let Some(redirect) = REDIRECT.get() else {
            return;
        };
        let mut redirected = Redirected::Yes;
        if self.word.load(Ordering::Acquire) & FREEZES != 0 {
            if redirect.can_stop(context) {
                self.wait_while_frozen();
            } else {
                redirected = Redirected::NotHere;
            }
        }
        let word = self.word.load(Ordering::Acquire);
        if word & END != 0 {
            redirected = redirect.end(context);
        } else if word & ATTENTION != 0 && !self.is_informed() && redirected == Redirected::Yes {
            redirected = redirect.deliver(context);
            if redirected == Redirected::Yes {
                self.inform();
            }
        }
        if redirected == Redirected::NotHere {
            self.timer.arm(GUEST_AGAIN);
        }
    }
}
