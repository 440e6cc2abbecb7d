//! What is told about a signal: `siginfo_t` of sigaction(2).

use rawposix_abi::Signal;
use rawposix_abi::structs::Siginfo;

use crate::cage::Pid;

/// `si_code`: sent by kill(2), by the system, by a timer, by tkill(2).
pub(crate) const SI_USER: i32 = 0;
pub(crate) const SI_KERNEL: i32 = 0x80;
pub(crate) const SI_TIMER: i32 = -2;
const SI_MESGQ: i32 = -3;
pub(crate) const SI_TKILL: i32 = -6;
/// Of SIGSYS, by a filter of seccomp(2).
pub(crate) const SYS_SECCOMP: i32 = 1;

/// Who sends a signal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) pid: Pid,
    pub(crate) uid: u32,
}

/// A faulting access or instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// SIGSEGV, SIGBUS, SIGFPE or SIGILL.
    pub signal: Signal,
    /// `si_code`, see sigaction(2).
    pub code: i32,
    /// `si_addr`: the guest's address that was accessed, or 0.
    pub address: u32,
}

fn info(signal: Signal, code: i32, words: &[u32]) -> Siginfo {
    let mut info = Siginfo {
        signo: i32::from(signal.raw()),
        code,
        ..Siginfo::default()
    };
    for (place, word) in info.fields.iter_mut().zip(words) {
        *place = *word;
    }
    info
}

/// A signal that the system sends.
pub(crate) fn from_system(signal: Signal) -> Siginfo {
    info(signal, SI_KERNEL, &[])
}

/// A signal of which nothing is known but that it was sent.
pub(crate) fn anonymous(signal: Signal) -> Siginfo {
    info(signal, SI_USER, &[])
}

/// A signal that a process sends, with `code` [`SI_USER`] or [`SI_TKILL`].
pub(crate) fn from_process(signal: Signal, code: i32, sender: Sender) -> Siginfo {
    info(signal, code, &[sender.pid.0.cast_unsigned(), sender.uid])
}

/// A signal of a POSIX timer.
pub(crate) fn from_timer(signal: Signal, timer: i32, overrun: i32, value: u32) -> Siginfo {
    let words = [timer.cast_unsigned(), overrun.cast_unsigned(), value];
    info(signal, SI_TIMER, &words)
}

/// A signal that tells what has happened to a descriptor: reason and events as sigaction(2) has them.
pub(crate) fn from_io(signal: Signal, code: i32, band: u32, fd: i32) -> Siginfo {
    info(signal, code, &[band, fd.cast_unsigned()])
}

/// A signal that tells of a message; who has sent the message is set later.
pub(crate) fn from_queue(signal: Signal, value: u32) -> Siginfo {
    info(signal, SI_MESGQ, &[0, 0, value])
}

/// Sets who has sent the message that a signal tells of.
pub(crate) fn set_sender(info: &mut Siginfo, pid: Pid, uid: u32) {
    for (place, word) in info.fields.iter_mut().zip([pid.0.cast_unsigned(), uid]) {
        *place = word;
    }
}

/// A system call that a filter traps: its number, the architecture it is of, and what the filter says as a reason.
pub(crate) fn from_filter(number: i32, architecture: u32, reason: u32) -> Siginfo {
    let words = [0, number.cast_unsigned(), architecture];
    Siginfo {
        errno: reason.cast_signed(),
        ..info(Signal::SIGSYS, SYS_SECCOMP, &words)
    }
}

/// A fault of the thread's own.
pub(crate) fn from_fault(fault: Fault) -> Siginfo {
    info(fault.signal, fault.code, &[fault.address])
}

/// The signal a `siginfo_t` is about, if it is one.
pub(crate) fn signal(info: &Siginfo) -> Option<Signal> {
    Signal::from_raw(info.signo.cast_unsigned())
}

/// Sets the overrun count of a timer's signal.
pub(crate) fn set_overrun(info: &mut Siginfo, overrun: i32) {
    if let Some(place) = info.fields.get_mut(1) {
        *place = overrun.cast_unsigned();
    }
}

/// The timer whose signal this is.
pub(crate) fn timer(info: &Siginfo) -> Option<i32> {
    let timer = info.fields.first()?.cast_signed();
    (info.code == SI_TIMER).then_some(timer)
}
