//! Signals: dispositions, masks, sending and waiting. See signal(7), sigaction(2), kill(2), sigtimedwait(2).

use std::sync::Arc;

use rawposix_abi::flags::sighow::{SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK};
use rawposix_abi::structs::{Sigaction, Siginfo, StackT, Timespec};
use rawposix_abi::{Errno, Signal, SignalSet};

pub(super) use super::pidfd::pidfd_send_signal;
pub(super) use super::signalfd::signalfd4;

use super::args::{In, Len, Out, Pid, Ptr, SigHow, SignalArg};
use super::time::timeout;
use crate::cage::family::INIT;
use crate::cage::{Capability, Pid as Id, Process, Task};
use crate::futex::Deadline;
use crate::signal::{
    SI_TKILL, SI_USER, Target, checked_stack, from_process, report_stack, stack_contains,
};
use crate::thread::{Step, Thread};

pub(super) fn check_size(size: Len) -> Result<(), Errno> {
    if size.0 == 8 {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

fn signal(number: SignalArg) -> Result<Signal, Errno> {
    Signal::from_raw(number.0).ok_or(Errno::EINVAL)
}

/// The signal to send, none to only check whether one could be sent.
pub(super) fn optional(number: SignalArg) -> Result<Option<Signal>, Errno> {
    match number.0 {
        0 => Ok(None),
        _ => signal(number).map(Some),
    }
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
    let before = thread.process.signals.action(signal);
    if let Some(action) = wanted {
        let tasks = thread.process.tasks();
        thread.process.signals.set_action(signal, action, &tasks);
        thread.process.pending_has_changed();
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
    if new.0.non_null().is_some() {
        thread.take_what_came_before()?;
    }
    let before = thread.signal_mask();
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
    let pending = thread.process.signals.pending(&thread.task).bits();
    let blocked = pending & thread.signal_mask().bits();
    let bytes = blocked.to_le_bytes();
    let count = usize::try_from(size.0).unwrap_or(0);
    thread
        .memory()
        .write_bytes(set.0.cast(), bytes.get(..count).unwrap_or_default())
}

pub(super) fn sigaltstack(
    thread: &mut Thread,
    new: In<StackT>,
    old: Out<StackT>,
    stack_pointer: Ptr,
) -> Result<(), Errno> {
    let before = thread.signal_stack;
    if let Some(ptr) = new.0.non_null() {
        let wanted = thread.memory().read(ptr)?;
        if stack_contains(&before, stack_pointer.0) {
            return Err(Errno::EPERM);
        }
        thread.signal_stack = checked_stack(wanted)?;
    }
    match old.0.non_null() {
        Some(ptr) => thread
            .memory()
            .write(ptr, &report_stack(&before, stack_pointer.0)),
        None => Ok(()),
    }
}

/// Sends a process, or one of its threads, what the caller is allowed to send.
pub(super) fn send(
    thread: &Thread,
    process: &Process,
    signal: Option<Signal>,
    info: impl FnOnce(Signal) -> Siginfo,
    target: Target<'_>,
) -> Result<(), Errno> {
    if !process.may_be_sent(signal, &thread.process) {
        return Err(Errno::EPERM);
    }
    match signal {
        Some(signal) => process.send_to(target, info(signal)),
        None => Ok(()),
    }
}

pub(super) fn kill(thread: &mut Thread, pid: Pid, number: SignalArg) -> Result<(), Errno> {
    let signal = optional(number)?;
    if Id(pid.0) == INIT {
        // Process 1 takes no signals, from whoever may send it any.
        return match thread.process.credentials().can(Capability::Kill) {
            true => Ok(()),
            false => Err(Errno::EPERM),
        };
    }
    let family = &thread.world.family;
    let (_sending, target) = if pid.0 > 0 {
        (None, Target::Process)
    } else {
        (Some(thread.world.crowds.sending()), Target::Crowd)
    };
    let targets = match pid.0 {
        0 => family.group(family.group_of(thread.process.pid)?),
        -1 => family
            .living()
            .into_iter()
            .filter(|process| process.pid != thread.process.pid)
            .collect(),
        // The id of any thread stands for its process.
        pid @ 1.. => thread.process_of(pid).into_iter().collect(),
        group => family.group(Id(group.checked_neg().ok_or(Errno::ESRCH)?)),
    };
    // Of several, it is enough that one may be sent the signal.
    let mut result = Err(Errno::ESRCH);
    let sender = thread.process.as_sender();
    for process in targets {
        let info = |signal| from_process(signal, SI_USER, sender);
        result = match send(thread, &process, signal, info, target) {
            Err(_) if result.is_ok() => Ok(()),
            sent => sent,
        };
    }
    result
}

pub(super) fn tkill(thread: &mut Thread, tid: Pid, number: SignalArg) -> Result<(), Errno> {
    if tid.0 <= 0 {
        return Err(Errno::EINVAL);
    }
    let signal = optional(number)?;
    let (process, task) = thread.find_thread(Id(tid.0))?;
    let sender = thread.process.as_sender();
    let info = |signal| from_process(signal, SI_TKILL, sender);
    send(thread, &process, signal, info, Target::Thread(&task))
}

/// The thread `tid` of the process `tgid`.
fn thread_of(thread: &Thread, tgid: Pid, tid: Pid) -> Result<(Arc<Process>, Arc<Task>), Errno> {
    if tgid.0 <= 0 || tid.0 <= 0 {
        return Err(Errno::EINVAL);
    }
    let process = match tgid.0 {
        pid if pid == thread.process.pid.0 => Arc::clone(&thread.process),
        pid => thread.world.family.process(Id(pid)).ok_or(Errno::ESRCH)?,
    };
    let task = process.task(Id(tid.0)).ok_or(Errno::ESRCH)?;
    Ok((process, task))
}

pub(super) fn tgkill(
    thread: &mut Thread,
    tgid: Pid,
    tid: Pid,
    number: SignalArg,
) -> Result<(), Errno> {
    let (process, task) = thread_of(thread, tgid, tid)?;
    let signal = optional(number)?;
    let sender = thread.process.as_sender();
    let info = |signal| from_process(signal, SI_TKILL, sender);
    send(thread, &process, signal, info, Target::Thread(&task))
}

/// What sigqueue(3) sends. Only to itself may a process pretend that a signal is the system's or another's.
pub(super) fn queued(
    thread: &Thread,
    target: Id,
    number: SignalArg,
    info: In<Siginfo>,
) -> Result<(Option<Signal>, Siginfo), Errno> {
    let mut info = thread.memory().read(info.0)?;
    info.signo = number.0.cast_signed();
    let pretends = info.code >= 0 || info.code == SI_TKILL;
    if pretends && target != thread.process.pid {
        return Err(Errno::EPERM);
    }
    Ok((optional(number)?, info))
}

pub(super) fn rt_sigqueueinfo(
    thread: &mut Thread,
    tgid: Pid,
    number: SignalArg,
    info: In<Siginfo>,
) -> Result<(), Errno> {
    let (signal, info) = queued(thread, Id(tgid.0), number, info)?;
    let process = thread.world.family.process(Id(tgid.0));
    let process = process.ok_or(Errno::ESRCH)?;
    send(thread, &process, signal, |_| info, Target::Process)
}

pub(super) fn rt_tgsigqueueinfo(
    thread: &mut Thread,
    tgid: Pid,
    tid: Pid,
    number: SignalArg,
    info: In<Siginfo>,
) -> Result<(), Errno> {
    if tgid.0 <= 0 || tid.0 <= 0 {
        return Err(Errno::EINVAL);
    }
    let (signal, info) = queued(thread, Id(tgid.0), number, info)?;
    let (process, task) = thread_of(thread, tgid, tid)?;
    send(thread, &process, signal, |_| info, Target::Thread(&task))
}

pub(super) fn rt_sigsuspend(thread: &mut Thread, mask: In<u64>, size: Len) -> Result<(), Errno> {
    check_size(size)?;
    let mask = thread.memory().read(mask.0)?;
    thread.set_temporary_mask(SignalSet::from_bits(mask));
    thread.wait_until(None, || Ok(None))
}

pub(super) fn rt_sigtimedwait_time64(
    thread: &mut Thread,
    set: In<u64>,
    info: Out<Siginfo>,
    limit: In<Timespec>,
    size: Len,
) -> Result<i32, Errno> {
    check_size(size)?;
    let wanted = SignalSet::from_bits(thread.memory().read(set.0)?).blockable();
    let deadline = timeout(thread, limit)?.map_or(Deadline::Never, Deadline::after);
    thread.task.signals.lock().await_signals(wanted);
    let taken = thread.wait_until(deadline.instant(), || Ok(thread.take_signal(wanted)));
    thread.task.signals.lock().await_signals(SignalSet::EMPTY);
    let taken = taken.map_err(|errno| match errno {
        Errno::ETIMEDOUT => Errno::EAGAIN,
        errno => errno,
    })?;
    if let Some(ptr) = info.0.non_null() {
        thread.memory().write(ptr, &taken)?;
    }
    Ok(taken.signo)
}

/// Sets the mask that a waiting call has for its duration, if it was given one.
pub(super) fn set_mask_for_call(
    thread: &mut Thread,
    mask: In<u64>,
    size: Len,
) -> Result<(), Errno> {
    if let Some(ptr) = mask.0.non_null() {
        check_size(size)?;
        let mask = thread.memory().read(ptr)?;
        thread.set_temporary_mask(SignalSet::from_bits(mask));
    }
    Ok(())
}

/// A handler has returned: its mask ends, and the system call that it interrupted goes on.
pub(super) fn rt_sigreturn(thread: &mut Thread, frame: Ptr) -> Result<i32, Errno> {
    match thread.sigreturn(frame.0) {
        Ok(resumed) => thread.step = Some(Step::Resume(resumed)),
        Err(_) => thread.process.kill(Signal::SIGSEGV),
    }
    Ok(0)
}

pub(super) fn restart_syscall(thread: &mut Thread) -> Result<i32, Errno> {
    let resumed = thread.resume_interrupted();
    thread.step = Some(Step::Resume(resumed));
    Ok(0)
}
