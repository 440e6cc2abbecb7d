//! The SIGSEGV and SIGBUS handler behind the fault-safe routines.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use super::routines::{lind_guest_access_end, lind_guest_access_fault, lind_guest_access_start};

const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
type PlainHandler = extern "C" fn(libc::c_int);

/// What was installed before, in the order of [`SIGNALS`]. Set before the handler is.
static PREVIOUS: OnceLock<[libc::sigaction; 2]> = OnceLock::new();
static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();

/// Installs the handler for SIGSEGV and SIGBUS once per process; later calls do nothing.
///
/// Faults elsewhere go to the handler found at that time. An engine with a handler of its own
/// installs it afterwards and passes on what is not its own.
///
/// # Errors
/// What sigaction(2) reports.
pub fn install() -> io::Result<()> {
    INSTALLED
        .get_or_init(|| install_now().map_err(|error| error.raw_os_error().unwrap_or(libc::EINVAL)))
        .map_err(io::Error::from_raw_os_error)
}

fn install_now() -> io::Result<()> {
    PREVIOUS
        .get_or_init(|| SIGNALS.map(|signal| current_action(signal).unwrap_or(default_action())));
    for signal in SIGNALS {
        let mut action = default_action();
        action.sa_sigaction = on_fault as Handler as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        set_action(signal, &action)?;
    }
    Ok(())
}

fn default_action() -> libc::sigaction {
    // SAFETY: all-zero is a valid sigaction: SIG_DFL, an empty mask, no flags.
    unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() }
}

fn current_action(signal: libc::c_int) -> io::Result<libc::sigaction> {
    let mut action = default_action();
    // SAFETY: a null new action only asks; `action` is writable.
    match unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) } {
        0 => Ok(action),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_action(signal: libc::c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: `action` is a whole sigaction whose handler, if any, has the type its flags say.
    match unsafe { libc::sigaction(signal, action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn on_fault(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes siginfo to handlers installed with SA_SIGINFO.
    let code = unsafe { (*info).si_code };
    // Positive codes are faults of this thread; others were sent by kill(2) and the like, and may
    // arrive anywhere, also inside the routines.
    if code > 0 && redirect(context) {
        return;
    }
    pass_on(signal, code, info, context);
}

/// Leaves the fault-safe routine if the fault is in one.
fn redirect(context: *mut libc::c_void) -> bool {
    let start = lind_guest_access_start as *const () as usize;
    let end = lind_guest_access_end as *const () as usize;
    let exit = lind_guest_access_fault as *const () as usize;
    let context = context.cast::<libc::ucontext_t>();
    // SAFETY: the kernel passes the interrupted thread's context, which is ours to change.
    let registers = unsafe { &mut (*context).uc_mcontext.gregs };
    let Some(rip) = usize::try_from(libc::REG_RIP)
        .ok()
        .and_then(|index| registers.get_mut(index))
    else {
        return false;
    };
    let pc = rip.cast_unsigned();
    if pc < start as u64 || pc >= end as u64 {
        return false;
    }
    // The routines push nothing, so their return address is on top of the stack.
    *rip = (exit as u64).cast_signed();
    true
}

/// Gives the signal to whoever handled it before.
fn pass_on(
    signal: libc::c_int,
    code: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let previous = PREVIOUS.get().and_then(|actions| {
        let position = SIGNALS.iter().position(|&known| known == signal)?;
        actions.get(position)
    });
    match previous {
        Some(action)
            if action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN =>
        {
            if action.sa_flags & libc::SA_SIGINFO != 0 {
                // SAFETY: the flag says that the handler takes three arguments.
                let handler: Handler = unsafe { std::mem::transmute(action.sa_sigaction) };
                handler(signal, info, context);
            } else {
                // SAFETY: without the flag the handler takes the signal's number only.
                let handler: PlainHandler = unsafe { std::mem::transmute(action.sa_sigaction) };
                handler(signal);
            }
        }
        _ => {
            // The default action ends the process: when the faulting instruction runs again, or
            // at once for a signal that was sent.
            let _ = set_action(signal, &default_action());
            if code <= 0 {
                // SAFETY: raising a signal is async-signal-safe; it is blocked until we return.
                let _ = unsafe { libc::raise(signal) };
            }
        }
    }
}
