//! Timers that are descriptors. See timerfd_create(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::{OpenFlags, clock};
use rawposix_abi::structs::Itimerspec;
use rustix::time::{TimerfdClockId, TimerfdFlags, TimerfdTimerFlags};

use super::args::{ClockId, Fd, Hex, In, Out};
use super::time::{checked, to_guest};
use crate::fd::{CloseOnExec, OpenFile, Origin};
use crate::thread::Thread;

pub(super) fn timerfd_create(thread: &mut Thread, id: ClockId, flags: Hex) -> Result<i32, Errno> {
    let flags = OpenFlags::from_bits(flags.0).ok_or(Errno::EINVAL)?;
    if !(OpenFlags::NONBLOCK | OpenFlags::CLOEXEC).contains(flags) {
        return Err(Errno::EINVAL);
    }
    let id = match id.0 {
        clock::CLOCK_REALTIME => TimerfdClockId::Realtime,
        clock::CLOCK_MONOTONIC => TimerfdClockId::Monotonic,
        clock::CLOCK_BOOTTIME => TimerfdClockId::Boottime,
        clock::CLOCK_REALTIME_ALARM | clock::CLOCK_BOOTTIME_ALARM => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    };
    let mut host_flags = TimerfdFlags::CLOEXEC;
    host_flags.set(TimerfdFlags::NONBLOCK, flags.contains(OpenFlags::NONBLOCK));
    let fd = rustix::time::timerfd_create(id, host_flags)?;
    let origin = Origin::Nameless(String::from("anon_inode:[timerfd]"));
    let file = OpenFile::host_file(fd, origin, OpenFlags::RDWR);
    thread.process.install(
        file,
        CloseOnExec::from_flag(flags.contains(OpenFlags::CLOEXEC)),
    )
}

fn from_host(time: &rustix::time::Itimerspec) -> Itimerspec {
    Itimerspec {
        interval: to_guest(time.it_interval),
        value: to_guest(time.it_value),
    }
}

pub(super) fn timerfd_settime64(
    thread: &mut Thread,
    fd: Fd,
    flags: Hex,
    new: In<Itimerspec>,
    old: Out<Itimerspec>,
) -> Result<(), Errno> {
    const TFD_TIMER_ABSTIME: u32 = 1;
    const TFD_TIMER_CANCEL_ON_SET: u32 = 2;
    let wanted: Itimerspec = thread.memory().read(new.0)?;
    if flags.0 & !(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) != 0 {
        return Err(Errno::EINVAL);
    }
    let wanted = rustix::time::Itimerspec {
        it_interval: checked(wanted.interval)?,
        it_value: checked(wanted.value)?,
    };
    let file = thread.file(fd.0)?;
    let host = &file.host().map_err(|_| Errno::EINVAL)?.fd;
    let before =
        rustix::time::timerfd_settime(host, TimerfdTimerFlags::from_bits_retain(flags.0), &wanted)?;
    match old.0.non_null() {
        Some(ptr) => thread.memory().write(ptr, &from_host(&before)),
        None => Ok(()),
    }
}

pub(super) fn timerfd_gettime64(
    thread: &mut Thread,
    fd: Fd,
    value: Out<Itimerspec>,
) -> Result<(), Errno> {
    let file = thread.file(fd.0)?;
    let host = &file.host().map_err(|_| Errno::EINVAL)?.fd;
    let now = rustix::time::timerfd_gettime(host)?;
    thread.memory().write(value.0, &from_host(&now))
}
