//! Timers that send signals. See getitimer(2), timer_create(2), timer_settime(2).

use std::sync::Arc;
use std::time::Duration;

use rawposix_abi::flags::resource::RLIMIT_SIGPENDING;
use rawposix_abi::flags::{TimerFlags, clock};
use rawposix_abi::structs::{Itimerspec, Itimerval, OldTimeval, Sigevent, Timespec};
use rawposix_abi::{Errno, Signal};
use rawposix_memory::GuestPtr;

use super::args::{ClockId, In, Int, Out, Ptr};
use super::time::{checked, to_guest};
use crate::cage::Pid;
use crate::thread::Thread;
use crate::timer::{Clock, Key, Notify, Setting};

/// How a timer's expiry is told, see sigevent(7).
const SIGEV_SIGNAL: i32 = 0;
const SIGEV_NONE: i32 = 1;
const SIGEV_THREAD: i32 = 2;
const SIGEV_THREAD_ID: i32 = 4;

fn itimer(which: Int) -> Result<Key, Errno> {
    match which.0 {
        0 => Ok(Key::Real),
        1 => Ok(Key::Virtual),
        2 => Ok(Key::Prof),
        _ => Err(Errno::EINVAL),
    }
}

fn from_timeval(time: OldTimeval) -> Result<Duration, Errno> {
    let seconds = u64::try_from(time.sec).map_err(|_| Errno::EINVAL)?;
    match u32::try_from(time.usec) {
        Ok(microseconds @ 0..1_000_000) => Ok(Duration::new(seconds, microseconds * 1000)),
        _ => Err(Errno::EINVAL),
    }
}

fn to_timeval(time: Duration) -> OldTimeval {
    // What is left of an armed timer is never nothing.
    let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let microseconds = Duration::from_micros(nanoseconds.div_ceil(1000));
    OldTimeval {
        sec: i32::try_from(microseconds.as_secs()).unwrap_or(i32::MAX),
        usec: i32::try_from(microseconds.subsec_micros()).unwrap_or(0),
    }
}

fn give_itimer(thread: &Thread, place: Out<Itimerval>, setting: Setting) -> Result<(), Errno> {
    let value = Itimerval {
        interval: to_timeval(setting.interval),
        value: to_timeval(setting.value),
    };
    thread.memory().write(place.0, &value)
}

pub(super) fn getitimer(
    thread: &mut Thread,
    which: Int,
    value: Out<Itimerval>,
) -> Result<(), Errno> {
    let setting = thread.process.timer(itimer(which)?)?;
    give_itimer(thread, value, setting)
}

pub(super) fn setitimer(
    thread: &mut Thread,
    which: Int,
    new: In<Itimerval>,
    old: Out<Itimerval>,
) -> Result<(), Errno> {
    let wanted = match new.0.non_null() {
        Some(ptr) => thread.memory().read(ptr)?,
        None => Itimerval::default(),
    };
    let mut setting = Setting {
        value: from_timeval(wanted.value)?,
        interval: from_timeval(wanted.interval)?,
    };
    let timer = itimer(which)?;
    // The other two keep the interval of a timer that is stopped.
    if timer == Key::Real && setting.value.is_zero() {
        setting = Setting::default();
    }
    let before = thread.process.set_timer(timer, setting)?;
    if old.0.is_null() {
        return Ok(());
    }
    give_itimer(thread, old, before)
}

/// The processor time that a clock counts: of the caller, or of what a number of clock_getcpuclockid(3) names. None for
/// a clock on the wall.
pub(super) fn cpu_clock(thread: &Thread, id: u32) -> Result<Option<Clock>, Errno> {
    const PER_THREAD: i32 = 4;
    const KIND: i32 = 3;
    let own = || Clock::Thread(Arc::clone(&thread.task));
    match id.cast_signed() {
        0.. => Ok(match id {
            clock::CLOCK_PROCESS_CPUTIME_ID => Some(Clock::Process),
            clock::CLOCK_THREAD_CPUTIME_ID => Some(own()),
            _ => None,
        }),
        number if number & KIND == KIND => Err(Errno::EINVAL),
        number => {
            let who = Pid(!(number >> 3));
            Ok(Some(if number & PER_THREAD != 0 {
                match who.0 {
                    0 => own(),
                    _ => Clock::Thread(thread.process.task(who).ok_or(Errno::EINVAL)?),
                }
            } else if who.0 == 0 || who == thread.process.pid {
                Clock::Process
            } else {
                let other = thread.world.family.process(who).ok_or(Errno::EINVAL)?;
                Clock::Other(other)
            }))
        }
    }
}

fn timer_clock(thread: &Thread, id: ClockId) -> Result<Clock, Errno> {
    if let Some(clock) = cpu_clock(thread, id.0)? {
        return Ok(clock);
    }
    match id.0 {
        clock::CLOCK_REALTIME
        | clock::CLOCK_MONOTONIC
        | clock::CLOCK_BOOTTIME
        | clock::CLOCK_TAI => Ok(Clock::Wall),
        clock::CLOCK_REALTIME_ALARM | clock::CLOCK_BOOTTIME_ALARM => Err(Errno::EPERM),
        clock::CLOCK_MONOTONIC_RAW
        | clock::CLOCK_REALTIME_COARSE
        | clock::CLOCK_MONOTONIC_COARSE => Err(Errno::EOPNOTSUPP),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn timer_create(
    thread: &mut Thread,
    id: ClockId,
    event: Ptr,
    timer: Ptr,
) -> Result<(), Errno> {
    let clock = timer_clock(thread, id)?;
    let event = match GuestPtr::<Sigevent>::new(event.0).non_null() {
        Some(ptr) => Some(thread.memory().read(ptr)?),
        None => None,
    };
    let signal =
        |event: &Sigevent| Signal::from_raw(event.signo.cast_unsigned()).ok_or(Errno::EINVAL);
    let notify = match &event {
        None => None,
        Some(event) => Some(match event.notify {
            SIGEV_NONE => Notify::Nothing,
            SIGEV_SIGNAL | SIGEV_THREAD => Notify::Process(signal(event)?, event.value),
            SIGEV_THREAD_ID => {
                let task = thread.process.task(Pid(event.tid)).ok_or(Errno::EINVAL)?;
                Notify::Thread(signal(event)?, event.value, task)
            }
            _ => return Err(Errno::EINVAL),
        }),
    };
    let limit = thread.process.limit(RLIMIT_SIGPENDING)?.current;
    let slot = thread.world.queued.take(1, limit).ok_or(Errno::EAGAIN)?;
    let created = thread.process.timers.create(clock, id.0, slot, |id| {
        notify.unwrap_or(Notify::Process(Signal::SIGALRM, id.cast_unsigned()))
    })?;
    let written = thread.memory().write(GuestPtr::new(timer.0), &created);
    if written.is_err() {
        thread.process.delete_timer(created)?;
    }
    written
}

pub(super) fn timer_delete(thread: &mut Thread, id: Int) -> Result<(), Errno> {
    thread.process.delete_timer(id.0)
}

pub(super) fn timer_getoverrun(thread: &mut Thread, id: Int) -> Result<i32, Errno> {
    thread.process.timers.overrun(id.0)
}

fn to_duration(time: Timespec) -> Result<Duration, Errno> {
    let time = checked(time)?;
    Duration::try_from(time).map_err(|_| Errno::EINVAL)
}

fn from_duration(time: Duration) -> Timespec {
    to_guest(rustix::time::Timespec::try_from(time).unwrap_or_default())
}

fn give(thread: &Thread, place: Out<Itimerspec>, setting: Setting) -> Result<(), Errno> {
    let value = Itimerspec {
        interval: from_duration(setting.interval),
        value: from_duration(setting.value),
    };
    thread.memory().write(place.0, &value)
}

pub(super) fn timer_gettime64(
    thread: &mut Thread,
    id: Int,
    value: Out<Itimerspec>,
) -> Result<(), Errno> {
    let setting = thread.process.timer(Key::Posix(id.0))?;
    give(thread, value, setting)
}

pub(super) fn timer_settime64(
    thread: &mut Thread,
    id: Int,
    flags: TimerFlags,
    new: In<Itimerspec>,
    old: Out<Itimerspec>,
) -> Result<(), Errno> {
    if new.0.is_null() {
        return Err(Errno::EINVAL);
    }
    let wanted = thread.memory().read(new.0)?;
    let mut value = to_duration(wanted.value)?;
    let (clock, clock_id) = thread.process.timers.clock(id.0)?;
    if flags.contains(TimerFlags::ABSTIME) && !value.is_zero() {
        let now = match clock {
            Clock::Wall => {
                let host = super::time::host_clock(clock_id)?;
                to_duration(to_guest(rustix::time::clock_gettime(host)))?
            }
            clock => thread.process.timer_time(&clock),
        };
        value = value.saturating_sub(now).max(Duration::from_nanos(1));
    }
    let setting = Setting {
        value,
        interval: to_duration(wanted.interval)?,
    };
    let before = thread.process.set_timer(Key::Posix(id.0), setting)?;
    if old.0.is_null() {
        return Ok(());
    }
    give(thread, old, before)
}
