//! Waiting for children. See waitid(2).

use rawposix_abi::structs::{Rusage, Siginfo};
use rawposix_abi::{Errno, Signal};

use super::args::{IdType, Out, Pid, WaitOptions, WaitStatus};
use super::pidfd::PidFile;
use super::process::rusage;
use crate::cage::Pid as Id;
use crate::cage::family::Change;
use crate::cage::usage::ticks;
use crate::cage::wait::{Event, Events, Report, Who};
use crate::control::{CoreDump, ExitStatus};
use crate::fd::Object;
use crate::thread::Thread;

const WNOHANG: u32 = 1;
const WSTOPPED: u32 = 2;
const WEXITED: u32 = 4;
const WCONTINUED: u32 = 8;
const WNOWAIT: u32 = 0x0100_0000;
const WNOTHREAD: u32 = 0x2000_0000;
const WALL: u32 = 0x4000_0000;
const WCLONE: u32 = 0x8000_0000;

/// Kinds of ids.
const P_ALL: i32 = 0;
const P_PID: i32 = 1;
const P_PGID: i32 = 2;
const P_PIDFD: i32 = 3;

/// `si_code` of SIGCHLD.
const CLD_EXITED: i32 = 1;
const CLD_KILLED: i32 = 2;
const CLD_DUMPED: i32 = 3;
const CLD_STOPPED: i32 = 5;
const CLD_CONTINUED: i32 = 6;

pub(super) fn waitid(
    thread: &mut Thread,
    kind: IdType,
    id: Pid,
    info: Out<Siginfo>,
    options: WaitOptions,
    usage: Out<Rusage>,
) -> Result<(), Errno> {
    let states = WSTOPPED | WEXITED | WCONTINUED;
    let known = states | WNOHANG | WNOWAIT | WNOTHREAD | WALL | WCLONE;
    if options.0 & !known != 0 || options.0 & states == 0 {
        return Err(Errno::EINVAL);
    }
    let has = |flag| options.0 & flag != 0;
    let mut nonblocking = false;
    let who = match (kind.0, id.0) {
        (P_ALL, _) => Who::Any,
        (P_PID, pid @ 1..) => Who::Process(Id(pid)),
        (P_PGID, group @ 1..) => Who::Group(Id(group)),
        (P_PGID, 0) => Who::Group(thread.world.family.group_of(thread.process.pid)?),
        (P_PIDFD, fd @ 0..) => {
            let file = thread.file(fd)?;
            let pid_file = file.own::<PidFile>().ok_or(Errno::EBADF)?;
            nonblocking = matches!(file.object(), Object::Own(own) if own.is_nonblocking());
            let process = pid_file.process(thread).ok_or(Errno::ECHILD)?;
            Who::Process(process.pid)
        }
        _ => return Err(Errno::EINVAL),
    };
    let events = Events {
        ended: has(WEXITED),
        stopped: has(WSTOPPED),
        continued: has(WCONTINUED),
        keep: has(WNOWAIT),
        clones: (!has(WALL)).then(|| has(WCLONE)),
    };
    let report = wait(thread, who, events, has(WNOHANG) || nonblocking)?;
    if report.is_none() && nonblocking && !has(WNOHANG) {
        return Err(Errno::EAGAIN);
    }
    if let Some(ptr) = info.0.non_null() {
        let answer = report.map_or_else(Siginfo::default, |report| child_info(&report));
        thread.memory().write(ptr, &answer)?;
    }
    if let (Some(ptr), Some(report)) = (usage.0.non_null(), report) {
        thread.memory().write(ptr, &rusage(report.times))?;
    }
    Ok(())
}

/// Waits for an event; `None` if there is none and nobody waits.
fn wait(thread: &Thread, who: Who, events: Events, at_once: bool) -> Result<Option<Report>, Errno> {
    let me = thread.process.pid;
    let collect = || thread.world.family.collect(me, who, events);
    match collect()? {
        None if !at_once => {
            thread.process.wait_for_children(&thread.task);
            let report = thread.wait_until(None, collect);
            thread.process.stop_waiting_for_children(&thread.task);
            report.map(Some)
        }
        report => Ok(report),
    }
}

pub(super) fn wait4(
    thread: &mut Thread,
    pid: Pid,
    status: WaitStatus,
    options: WaitOptions,
    usage: Out<Rusage>,
) -> Result<i32, Errno> {
    if options.0 & !(WNOHANG | WSTOPPED | WCONTINUED | WNOTHREAD | WALL | WCLONE) != 0 {
        return Err(Errno::EINVAL);
    }
    let has = |flag| options.0 & flag != 0;
    let who = match pid.0 {
        -1 => Who::Any,
        0 => Who::Group(thread.world.family.group_of(thread.process.pid)?),
        pid @ 1.. => Who::Process(Id(pid)),
        group => Who::Group(Id(group.checked_neg().ok_or(Errno::ESRCH)?)),
    };
    let events = Events {
        ended: true,
        stopped: has(WSTOPPED),
        continued: has(WCONTINUED),
        keep: false,
        clones: (!has(WALL)).then(|| has(WCLONE)),
    };
    let Some(report) = wait(thread, who, events, has(WNOHANG))? else {
        return Ok(0);
    };
    if let Some(ptr) = status.0.non_null() {
        thread.memory().write(ptr, &status_word(report.event))?;
    }
    if let Some(ptr) = usage.0.non_null() {
        thread.memory().write(ptr, &rusage(report.times))?;
    }
    Ok(report.pid.0)
}

/// The status word of wait(2).
fn status_word(event: Event) -> i32 {
    /// The low byte of a stop.
    const STOPPED: i32 = 0x7f;
    const CONTINUED: i32 = 0xffff;
    match event {
        Event::Ended(status) => status.wait_status().cast_signed(),
        Event::Changed(Change::Stopped(signal)) => i32::from(signal.raw()) << 8 | STOPPED,
        Event::Changed(Change::Continued) => CONTINUED,
    }
}

/// What SIGCHLD and waitid(2) say of a child.
pub(crate) fn child_info(report: &Report) -> Siginfo {
    let (code, status) = match report.event {
        Event::Ended(ExitStatus::Exited(status)) => (CLD_EXITED, status),
        Event::Ended(ExitStatus::Signaled(signal, CoreDump::No)) => (CLD_KILLED, signal.raw()),
        Event::Ended(ExitStatus::Signaled(signal, CoreDump::Yes)) => (CLD_DUMPED, signal.raw()),
        Event::Changed(Change::Stopped(signal)) => (CLD_STOPPED, signal.raw()),
        Event::Changed(Change::Continued) => (CLD_CONTINUED, Signal::SIGCONT.raw()),
    };
    let mut info = Siginfo {
        signo: i32::from(Signal::SIGCHLD.raw()),
        code,
        ..Siginfo::default()
    };
    // pid, uid, status, utime, stime: one word each.
    let ticks = ticks(report.times.user);
    let words = [
        report.pid.0.cast_unsigned(),
        report.uid,
        u32::from(status),
        ticks,
        0,
    ];
    for (place, word) in info.fields.iter_mut().zip(words) {
        *place = word;
    }
    info
}
