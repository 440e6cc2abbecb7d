//! Signals: dispositions and masks are kept, default actions happen. See signal(7), sigaction(2), kill(2).

use rawposix_abi::structs::{Sigaction, StackT};
use rawposix_abi::{Errno, Signal, SignalSet};

use super::args::{In, Len, Out, Pid, SigHow, SignalArg};
use crate::cage::{Pid as Id, Process};
use crate::thread::Thread;
use rawposix_abi::flags::sighow::{SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK};

/// `SS_ONSTACK`, `SS_DISABLE`, `SS_AUTODISARM` of sigaltstack(2).
const SS_ONSTACK: u32 = 1;
const SS_DISABLE: u32 = 2;
const SS_AUTODISARM: u32 = 1 << 31;
/// `MINSIGSTKSZ`
const MIN_STACK: u32 = 2048;

/// No alternate stack.
pub(crate) const NO_STACK: StackT = StackT {
    sp: 0,
    flags: SS_DISABLE,
    size: 0,
};

fn check_size(size: Len) -> Result<(), Errno> {
    if size.0 == 8 {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

fn signal(number: SignalArg) -> Result<Signal, Errno> {
    Signal::from_raw(number.0).ok_or(Errno::EINVAL)
}

pub(super) fn rt_sigaction(
    thread: &mut Thread,
    number: SignalArg,
    new: In<Sigaction>,
    old: Out<Sigaction>,
    size: Len,
) -> Result<(), Errno> {
    check_size(size)?;
    let signal = signal(number)?;
    let wanted = match new.0.non_null() {
        Some(ptr) if signal.is_catchable() => Some(thread.memory().read(ptr)?),
        Some(_) => return Err(Errno::EINVAL),
        None => None,
    };
    let before = thread.process.signals.lock().action(signal);
    if let Some(action) = wanted {
        thread.process.signals.lock().set_action(signal, action);
    }
    match old.0.non_null() {
        Some(ptr) => thread.memory().write(ptr, &before),
        None => Ok(()),
    }
}

pub(super) fn rt_sigprocmask(
    thread: &mut Thread,
    how: SigHow,
    new: In<u64>,
    old: Out<u64>,
    size: Len,
) -> Result<(), Errno> {
    check_size(size)?;
    let before = thread.mask;
    if let Some(ptr) = new.0.non_null() {
        let set = thread.memory().read(ptr)?;
        let mask = match how.0 {
            SIG_BLOCK => before.bits() | set,
            SIG_UNBLOCK => before.bits() & !set,
            SIG_SETMASK => set,
            _ => return Err(Errno::EINVAL),
        };
        thread.set_signal_mask(SignalSet::from_bits(mask));
    }
    match old.0.non_null() {
        Some(ptr) => thread.memory().write(ptr, &before.bits()),
        None => Ok(()),
    }
}

pub(super) fn rt_sigpending(thread: &mut Thread, set: Out<u64>, size: Len) -> Result<(), Errno> {
    if size.0 > 8 {
        return Err(Errno::EINVAL);
    }
    let pending = thread.process.signals.lock().pending.bits();
    let bytes = pending.to_le_bytes();
    let count = usize::try_from(size.0).unwrap_or(0);
    thread
        .memory()
        .write_bytes(set.0.cast(), bytes.get(..count).unwrap_or_default())
}

pub(super) fn sigaltstack(
    thread: &mut Thread,
    new: In<StackT>,
    old: Out<StackT>,
) -> Result<(), Errno> {
    let before = thread.signal_stack;
    if let Some(ptr) = new.0.non_null() {
        let wanted: StackT = thread.memory().read(ptr)?;
        match wanted.flags & !SS_AUTODISARM {
            SS_DISABLE => thread.signal_stack = NO_STACK,
            0 | SS_ONSTACK if wanted.size < MIN_STACK => return Err(Errno::ENOMEM),
            0 | SS_ONSTACK => {
                thread.signal_stack = StackT {
                    flags: wanted.flags & SS_AUTODISARM,
                    ..wanted
                };
            }
            _ => return Err(Errno::EINVAL),
        }
    }
    match old.0.non_null() {
        Some(ptr) => thread.memory().write(ptr, &before),
        None => Ok(()),
    }
}

/// Sends a signal to a process, or only checks that it could be sent.
fn send(thread: &Thread, process: &Process, number: SignalArg) -> Result<(), Errno> {
    if number.0 == 0 {
        return Ok(());
    }
    let mask = if process.pid == thread.process.pid {
        thread.mask
    } else {
        SignalSet::EMPTY
    };
    process.send(signal(number)?, mask)
}

pub(super) fn kill(thread: &mut Thread, pid: Pid, number: SignalArg) -> Result<(), Errno> {
    if number.0 != 0 {
        signal(number)?;
    }
    let family = &thread.world.family;
    let targets = match pid.0 {
        0 => family.group(family.group_of(thread.process.pid)?),
        -1 => family
            .living()
            .into_iter()
            .filter(|process| process.pid != thread.process.pid)
            .collect(),
        pid @ 1.. => family.process(Id(pid)).into_iter().collect(),
        group => family.group(Id(group.checked_neg().ok_or(Errno::ESRCH)?)),
    };
    if targets.is_empty() {
        return Err(Errno::ESRCH);
    }
    targets
        .iter()
        .map(|process| send(thread, process, number))
        .fold(Err(Errno::ESRCH), Result::or)
}

pub(super) fn tkill(thread: &mut Thread, tid: Pid, number: SignalArg) -> Result<(), Errno> {
    if tid.0 <= 0 {
        return Err(Errno::EINVAL);
    }
    if number.0 != 0 {
        signal(number)?;
    }
    if tid.0 == thread.tid().0 {
        send(thread, &thread.process, number)
    } else {
        Err(Errno::ESRCH)
    }
}

pub(super) fn tgkill(
    thread: &mut Thread,
    tgid: Pid,
    tid: Pid,
    number: SignalArg,
) -> Result<(), Errno> {
    if tgid.0 <= 0 {
        return Err(Errno::EINVAL);
    }
    if tgid.0 != thread.process.pid.0 {
        return Err(Errno::ESRCH);
    }
    tkill(thread, tid, number)
}
