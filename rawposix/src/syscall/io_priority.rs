//! Priorities of input and output, which are kept and told; the host schedules. See ioprio_set(2).

use rawposix_abi::Errno;

use super::args::Int;
use super::schedule::{may_change, named};
use crate::cage::Task;
use crate::thread::Thread;

/// Bits of the level, below the class.
const CLASS_SHIFT: u32 = 13;
/// Levels of the real-time and best-effort classes.
const LEVELS: u32 = 8;
const CLASS_NONE: u32 = 0;
const CLASS_REAL_TIME: u32 = 1;
const CLASS_BEST_EFFORT: u32 = 2;
const CLASS_IDLE: u32 = 3;
/// What a thread without one counts as.
const DEFAULT: u32 = CLASS_BEST_EFFORT << CLASS_SHIFT | 4;

/// `IOPRIO_WHO_*` are one more than the `PRIO_*` of getpriority(2).
fn which(which: Int) -> Result<Int, Errno> {
    match which.0 {
        1..=3 => Ok(Int(which.0 - 1)),
        _ => Err(Errno::EINVAL),
    }
}

/// Whether a priority may be set: `EPERM` for what needs a privilege, `EINVAL` for what is none.
pub(super) fn check_priority(priority: u32) -> Result<(), Errno> {
    let level = priority & ((1 << CLASS_SHIFT) - 1);
    match priority >> CLASS_SHIFT {
        CLASS_REAL_TIME => Err(Errno::EPERM),
        CLASS_BEST_EFFORT if level < LEVELS => Ok(()),
        CLASS_NONE if level == 0 => Ok(()),
        CLASS_IDLE => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn ioprio_set(
    thread: &mut Thread,
    kind: Int,
    who: Int,
    priority: Int,
) -> Result<(), Errno> {
    let priority = priority.0.cast_unsigned();
    check_priority(priority)?;
    for (process, task) in named(thread, which(kind)?, who)? {
        may_change(thread, &process)?;
        task.scheduling.lock().io_priority = priority;
    }
    Ok(())
}

/// That of one thread, or the best of several.
pub(super) fn ioprio_get(thread: &mut Thread, kind: Int, who: Int) -> Result<u32, Errno> {
    const ONE: i32 = 1;
    let stored = |task: &Task| task.scheduling.lock().io_priority;
    let threads = named(thread, which(kind)?, who)?;
    let mut all = threads.iter().map(|(_, task)| match stored(task) {
        0 if kind.0 != ONE => DEFAULT,
        priority => priority,
    });
    let first = all.next().ok_or(Errno::ESRCH)?;
    Ok(all.fold(first, u32::min))
}
