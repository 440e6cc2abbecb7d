//! Clocks and sleeping. See clock_gettime(2), clock_nanosleep(2), times(2), utimensat(2).

use std::sync::Arc;
use std::time::{Duration, Instant};

use rawposix_abi::Errno;
use rawposix_abi::flags::{TimerFlags, clock};
use rawposix_abi::structs::{Timespec, TimespecPair, Timex, Tms};
use rustix::fs::Timestamps;
use rustix::thread::NanosleepRelativeResult;
use rustix::time::ClockId as HostClock;

use super::args::{ClockId, In, InOut, Out};
use super::timer::cpu_clock;
use crate::cage::usage::ticks;
use crate::thread::Thread;
use crate::timer::Clock;

/// `UTIME_NOW` and `UTIME_OMIT` of utimensat(2).
const UTIME_NOW: i32 = 0x3fff_ffff;
const UTIME_OMIT: i32 = 0x3fff_fffe;

/// A duration or a point in time: `EINVAL` for a negative one or too many nanoseconds.
pub(super) fn checked(time: Timespec) -> Result<rustix::time::Timespec, Errno> {
    if time.sec < 0 || !(0..1_000_000_000).contains(&time.nsec) {
        return Err(Errno::EINVAL);
    }
    Ok(rustix::time::Timespec {
        tv_sec: time.sec,
        tv_nsec: i64::from(time.nsec),
    })
}

/// Reads an optional timeout.
pub(super) fn timeout(
    thread: &Thread,
    time: In<Timespec>,
) -> Result<Option<rustix::time::Timespec>, Errno> {
    match time.0.non_null() {
        Some(ptr) => checked(thread.memory().read(ptr)?).map(Some),
        None => Ok(None),
    }
}

/// The host's time in the guest's layout.
pub(super) fn to_guest(time: rustix::time::Timespec) -> Timespec {
    Timespec {
        sec: time.tv_sec,
        nsec: i32::try_from(time.tv_nsec).unwrap_or(0),
        pad: 0,
    }
}

/// The host's clock for a guest's on the wall; for those of processor time see `cpu_clock`.
pub(super) fn host_clock(id: u32) -> Result<HostClock, Errno> {
    Ok(match id {
        clock::CLOCK_REALTIME => HostClock::Realtime,
        clock::CLOCK_MONOTONIC => HostClock::Monotonic,
        clock::CLOCK_MONOTONIC_RAW => HostClock::MonotonicRaw,
        clock::CLOCK_REALTIME_COARSE => HostClock::RealtimeCoarse,
        clock::CLOCK_MONOTONIC_COARSE => HostClock::MonotonicCoarse,
        clock::CLOCK_BOOTTIME | clock::CLOCK_BOOTTIME_ALARM => HostClock::Boottime,
        clock::CLOCK_REALTIME_ALARM => HostClock::Realtime,
        clock::CLOCK_TAI => HostClock::Realtime,
        _ => return Err(Errno::EINVAL),
    })
}

pub(super) fn clock_gettime64(
    thread: &mut Thread,
    id: ClockId,
    tp: Out<Timespec>,
) -> Result<(), Errno> {
    let now = match cpu_clock(thread, id.0)? {
        Some(clock) => {
            let time = thread.process.timer_time(&clock);
            rustix::time::Timespec::try_from(time).unwrap_or_default()
        }
        None => rustix::time::clock_gettime(host_clock(id.0)?),
    };
    thread.memory().write(tp.0, &to_guest(now))
}

pub(super) fn clock_getres_time64(
    thread: &mut Thread,
    id: ClockId,
    res: Out<Timespec>,
) -> Result<(), Errno> {
    let host = match cpu_clock(thread, id.0)? {
        Some(_) => HostClock::ThreadCPUTime,
        None => host_clock(id.0)?,
    };
    let resolution = rustix::time::clock_getres(host);
    match res.0.non_null() {
        Some(ptr) => thread.memory().write(ptr, &to_guest(resolution)),
        None => Ok(()),
    }
}

pub(super) fn clock_settime64(
    thread: &mut Thread,
    id: ClockId,
    tp: In<Timespec>,
) -> Result<(), Errno> {
    checked(thread.memory().read(tp.0)?)?;
    match id.0 {
        clock::CLOCK_REALTIME => Err(Errno::EPERM),
        _ => Err(Errno::EINVAL),
    }
}

/// The clock of a machine that nobody disciplines. See clock_adjtime(2).
pub(super) fn clock_adjtime64(
    thread: &mut Thread,
    id: ClockId,
    tx: InOut<Timex>,
) -> Result<i32, Errno> {
    const ADJTIME: u32 = 0x8000;
    const SINGLESHOT: u32 = 1;
    const READONLY: u32 = 0x2000;
    const STA_UNSYNC: i32 = 0x40;
    const TIME_ERROR: i32 = 5;
    let wanted = thread.memory().read(tx.0)?;
    if id.0 != clock::CLOCK_REALTIME {
        cpu_clock(thread, id.0)?.map_or_else(|| host_clock(id.0).map(drop), |_| Ok(()))?;
        return Err(Errno::EOPNOTSUPP);
    }
    let reads = if wanted.modes & ADJTIME != 0 {
        if wanted.modes & SINGLESHOT == 0 {
            return Err(Errno::EINVAL);
        }
        wanted.modes & READONLY != 0
    } else {
        wanted.modes == 0
    };
    if !reads {
        return Err(Errno::EPERM);
    }
    let now = rustix::time::clock_gettime(HostClock::Realtime);
    let state = Timex {
        modes: wanted.modes,
        maxerror: 16_000_000,
        esterror: 16_000_000,
        status: STA_UNSYNC,
        constant: 2,
        precision: 1,
        tolerance: 32_768_000,
        sec: now.tv_sec,
        usec: now.tv_nsec / 1000,
        tick: 10_000,
        ..Timex::default()
    };
    thread.memory().write(tx.0, &state)?;
    Ok(TIME_ERROR)
}

pub(super) fn clock_nanosleep_time64(
    thread: &mut Thread,
    id: ClockId,
    flags: TimerFlags,
    request: In<Timespec>,
    remain: Out<Timespec>,
) -> Result<(), Errno> {
    if let Some(clock) = cpu_clock(thread, id.0)? {
        let request = checked(thread.memory().read(request.0)?)?;
        return sleep_by_processor(thread, id, &clock, (flags, request), remain);
    }
    // These wake the machine up, which needs CAP_WAKE_ALARM.
    let wakes = matches!(
        id.0,
        clock::CLOCK_REALTIME_ALARM | clock::CLOCK_BOOTTIME_ALARM
    );
    let id = match id.0 {
        clock::CLOCK_MONOTONIC_RAW
        | clock::CLOCK_REALTIME_COARSE
        | clock::CLOCK_MONOTONIC_COARSE => {
            return Err(Errno::EOPNOTSUPP);
        }
        id => host_clock(id)?,
    };
    let mut request = checked(thread.memory().read(request.0)?)?;
    if wakes {
        return Err(Errno::EPERM);
    }
    if flags.contains(TimerFlags::ABSTIME) {
        return thread
            .block(|| rustix::thread::clock_nanosleep_absolute(id, &request).map_err(Errno::from));
    }
    let slept = thread.block(
        || match rustix::thread::clock_nanosleep_relative(id, &request) {
            NanosleepRelativeResult::Ok => Ok(()),
            NanosleepRelativeResult::Interrupted(left) => {
                request = left;
                Err(Errno::EINTR)
            }
            NanosleepRelativeResult::Err(errno) => Err(errno.into()),
        },
    );
    if slept == Err(Errno::EINTR)
        && let Some(ptr) = remain.0.non_null()
    {
        thread.memory().write(ptr, &to_guest(request))?;
    }
    slept
}

/// Sleeps until a clock of processor time shows a time, or that much more than now.
fn sleep_by_processor(
    thread: &Thread,
    id: ClockId,
    clock: &Clock,
    (flags, request): (TimerFlags, rustix::time::Timespec),
    remain: Out<Timespec>,
) -> Result<(), Errno> {
    match clock {
        // Who sleeps uses no time.
        _ if id.0 == clock::CLOCK_THREAD_CPUTIME_ID => return Err(Errno::EOPNOTSUPP),
        Clock::Thread(task) if Arc::ptr_eq(task, &thread.task) => return Err(Errno::EINVAL),
        _ => {}
    }
    let request = Duration::try_from(request).unwrap_or(Duration::MAX);
    let is_absolute = flags.contains(TimerFlags::ABSTIME);
    let end = if is_absolute {
        request
    } else {
        thread.process.timer_time(clock).saturating_add(request)
    };
    let slept = until_processor_time(thread, clock, end);
    if slept == Err(Errno::EINTR)
        && !is_absolute
        && let Some(ptr) = remain.0.non_null()
    {
        let left = end.saturating_sub(thread.process.timer_time(clock));
        let left = rustix::time::Timespec::try_from(left).unwrap_or_default();
        thread.memory().write(ptr, &to_guest(left))?;
    }
    slept
}

fn until_processor_time(thread: &Thread, clock: &Clock, end: Duration) -> Result<(), Errno> {
    const SHORTEST: Duration = Duration::from_millis(1);
    const LONGEST_IDLE: Duration = Duration::from_millis(50);
    let (mut before, mut idle) = (Duration::ZERO, SHORTEST);
    loop {
        let now = thread.process.timer_time(clock);
        let Some(left) = end.checked_sub(now).filter(|left| !left.is_zero()) else {
            return Ok(());
        };
        let threads = match clock {
            Clock::Wall | Clock::Thread(_) => 1,
            Clock::Process => thread.process.tasks().len(),
            Clock::Other(process) if process.end().is_some() => return Ok(()),
            Clock::Other(process) => process.tasks().len(),
        };
        // Processor time passes as many times as fast as that on the wall at most; often not at all.
        let soonest = left / u32::try_from(threads.max(1)).unwrap_or(u32::MAX);
        idle = if now == before {
            (idle * 2).min(LONGEST_IDLE)
        } else {
            SHORTEST
        };
        before = now;
        let look = Instant::now().checked_add(soonest.max(idle));
        match thread.wait_until(look, || Ok(None::<()>)) {
            Err(Errno::ETIMEDOUT) => {}
            Err(errno) => return Err(errno),
            Ok(()) => return Ok(()),
        }
    }
}

pub(super) fn times(thread: &mut Thread, buf: Out<Tms>) -> Result<i32, Errno> {
    if let Some(ptr) = buf.0.non_null() {
        let own = thread.process_times();
        let children = thread.world.family.children_times(thread.process.pid);
        let used = Tms {
            utime: ticks(own.user).cast_signed(),
            cutime: ticks(children.user).cast_signed(),
            ..Tms::default()
        };
        thread.memory().write(ptr, &used)?;
    }
    let now = rustix::time::clock_gettime(HostClock::Monotonic);
    let now = ticks(Duration::try_from(now).unwrap_or_default()).cast_signed();
    Ok(now & i32::MAX)
}

/// Whether times are asked for that only the owner of a file may set: not "now" for both, not "as they are".
pub(super) fn are_chosen(times: &Timestamps) -> bool {
    let (access, modification) = (times.last_access.tv_nsec, times.last_modification.tv_nsec);
    access != modification || ![UTIME_NOW, UTIME_OMIT].map(i64::from).contains(&access)
}

/// The argument of utimensat(2); no pointer means now.
pub(super) fn file_times(thread: &Thread, times: In<TimespecPair>) -> Result<Timestamps, Errno> {
    let now = Timespec {
        sec: 0,
        nsec: UTIME_NOW,
        pad: 0,
    };
    let pair = match times.0.non_null() {
        Some(ptr) => thread.memory().read(ptr)?,
        None => TimespecPair {
            access: now,
            modification: now,
        },
    };
    let convert = |time: Timespec| match time.nsec {
        0..1_000_000_000 | UTIME_NOW | UTIME_OMIT => Ok(rustix::time::Timespec {
            tv_sec: time.sec,
            tv_nsec: i64::from(time.nsec),
        }),
        _ => Err(Errno::EINVAL),
    };
    Ok(Timestamps {
        last_access: convert(pair.access)?,
        last_modification: convert(pair.modification)?,
    })
}
