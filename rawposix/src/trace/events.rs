//! What a trace tells besides calls: signals and ends.

use rawposix_abi::Signal;
use rawposix_abi::structs::Siginfo;

use super::kinds::signal_name;
use crate::control::{CoreDump, ExitStatus};
use crate::signal::{SI_KERNEL, SI_TIMER, SI_TKILL, SI_USER, SYS_SECCOMP};

/// A signal that is taken, `--- SIGCHLD {si_signo=SIGCHLD, ...} ---`.
pub(super) fn taken(info: &Siginfo) -> String {
    let name = signal_name(info.signo.cast_unsigned());
    format!("--- {name} {} ---", siginfo(info))
}

/// A process that stops.
pub(super) fn stopped(signal: Signal) -> String {
    format!("--- stopped by {signal} ---")
}

/// The end of a thread.
pub(super) fn ended(status: ExitStatus) -> String {
    match status {
        ExitStatus::Exited(code) => format!("+++ exited with {code} +++"),
        ExitStatus::Signaled(signal, CoreDump::No) => format!("+++ killed by {signal} +++"),
        ExitStatus::Signaled(signal, CoreDump::Yes) => {
            format!("+++ killed by {signal} (core dumped) +++")
        }
    }
}

/// `siginfo_t` as strace(1) shows it: which fields mean something depends on the signal and its code.
pub(super) fn siginfo(info: &Siginfo) -> String {
    let signal = Signal::from_raw(info.signo.cast_unsigned());
    let [first, second, third, ..] = info.fields;
    let mut text = format!(
        "{{si_signo={}, si_code={}",
        signal_name(info.signo.cast_unsigned()),
        code(signal, info.code)
    );
    let sender = format!("si_pid={}, si_uid={second}", first.cast_signed());
    let more = match (signal, info.code) {
        (_, SI_KERNEL) => String::new(),
        (_, SI_USER | SI_TKILL) => sender,
        (_, SI_QUEUE | SI_MESGQ) => format!(
            "{sender}, si_int={}, si_ptr={third:#x}",
            third.cast_signed()
        ),
        (_, SI_TIMER) => {
            format!(
                "si_timerid={first:#x}, si_overrun={second}, si_int={}, si_ptr={third:#x}",
                third.cast_signed()
            )
        }
        (Some(Signal::SIGSYS), SYS_SECCOMP) => {
            let number = second.cast_signed();
            let name = rawposix_abi::SYSCALLS
                .iter()
                .find(|call| i32::from(call.number) == number);
            let name =
                name.map_or_else(|| number.to_string(), |call| format!("__NR_{}", call.name));
            let errno = match info.errno {
                0 => String::new(),
                errno => format!("si_errno={errno}, "),
            };
            format!("{errno}si_call_addr=NULL, si_syscall={name}, si_arch={third:#x}")
        }
        (Some(Signal::SIGCHLD), 1..=6) => {
            let [_, _, status, utime, stime, ..] = info.fields;
            let status = match info.code {
                1 => status.to_string(),
                _ => signal_name(status),
            };
            format!("{sender}, si_status={status}, si_utime={utime}, si_stime={stime}")
        }
        (
            Some(
                Signal::SIGSEGV
                | Signal::SIGBUS
                | Signal::SIGFPE
                | Signal::SIGILL
                | Signal::SIGTRAP,
            ),
            _,
        ) => match first {
            0 => String::from("si_addr=NULL"),
            address => format!("si_addr={address:#x}"),
        },
        _ => String::new(),
    };
    if !more.is_empty() {
        text.push_str(", ");
        text.push_str(&more);
    }
    text.push('}');
    text
}

const SI_QUEUE: i32 = -1;
const SI_MESGQ: i32 = -3;
const SI_ASYNCIO: i32 = -4;
const SI_SIGIO: i32 = -5;

/// The name of an `si_code`, see sigaction(2).
fn code(signal: Option<Signal>, code: i32) -> String {
    let general = match code {
        SI_USER => Some("SI_USER"),
        SI_KERNEL => Some("SI_KERNEL"),
        SI_QUEUE => Some("SI_QUEUE"),
        SI_TIMER => Some("SI_TIMER"),
        SI_MESGQ => Some("SI_MESGQ"),
        SI_ASYNCIO => Some("SI_ASYNCIO"),
        SI_SIGIO => Some("SI_SIGIO"),
        SI_TKILL => Some("SI_TKILL"),
        _ => None,
    };
    let own: &[&str] = match signal {
        Some(Signal::SIGCHLD) => &[
            "CLD_EXITED",
            "CLD_KILLED",
            "CLD_DUMPED",
            "CLD_TRAPPED",
            "CLD_STOPPED",
            "CLD_CONTINUED",
        ],
        Some(Signal::SIGSEGV) => &["SEGV_MAPERR", "SEGV_ACCERR"],
        Some(Signal::SIGBUS) => &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"],
        Some(Signal::SIGFPE) => &["FPE_INTDIV", "FPE_INTOVF"],
        Some(Signal::SIGILL) => &["ILL_ILLOPC", "ILL_ILLOPN"],
        Some(Signal::SIGSYS) => &["SYS_SECCOMP"],
        _ => &[],
    };
    let own = usize::try_from(code)
        .ok()
        .and_then(|code| own.get(code.checked_sub(1)?))
        .copied();
    general
        .or(own)
        .map_or_else(|| code.to_string(), str::to_owned)
}
