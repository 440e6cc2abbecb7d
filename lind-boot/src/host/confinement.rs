//! The filter on lind's own system calls, and what happens when a call meets it.

use std::io;

use rawposix::{ConfineError, Net, confine};
use rustix::stdio::stderr;
use signal_hook::low_level::exit;
use signal_hook_registry::register_sigaction;

/// The exit status of a lind that made a host call which is not on the list: what lind's other failures have.
const STATUS: i32 = 125;

/// Confines this process and all its threads, for good, to the host calls that lind makes. Another one ends lind with a
/// sentence; it is never performed.
///
/// # Errors
/// A kernel without seccomp(2), or the system's error for the handler of SIGSYS.
pub fn confine_process(net: Net) -> Result<(), ConfineError> {
    report_blocked_calls().map_err(|error| ConfineError::new(&error))?;
    confine(net)
}

fn report_blocked_calls() -> io::Result<()> {
    let report = |info: &libc::siginfo_t| {
        let mut text = *b"lind: host call      is not among those that lind makes\nhint: this is a defect of lind; please report it\n";
        write_number(blocked_call(info), text.get_mut(16..20));
        let _ = rustix::io::write(stderr(), &text);
        exit(STATUS);
    };
    // SAFETY: the action only writes to a descriptor and ends the process, which a signal handler may do.
    unsafe { register_sigaction(libc::SIGSYS, report) }.map(drop)
}

/// The number of the call that was refused.
fn blocked_call(info: &libc::siginfo_t) -> u32 {
    let words = std::ptr::from_ref(info).cast::<[u32; 8]>();
    // SAFETY: `siginfo_t` is 128 bytes long and aligned for words, all of them initialised by the kernel.
    let [_, _, _, _, _, _, number, _] = unsafe { *words };
    number
}

/// Writes the last digits of a number, from the right.
fn write_number(mut number: u32, place: Option<&mut [u8]>) {
    for digit in place.into_iter().flatten().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_at_the_right() {
        let mut text = *b"call     .";
        write_number(59, text.get_mut(5..9));
        assert_eq!(&text, b"call   59.");
        write_number(0, text.get_mut(5..9));
        assert_eq!(&text, b"call   50.");
        write_number(12345, text.get_mut(5..9));
        assert_eq!(&text, b"call 2345.");
    }
}
