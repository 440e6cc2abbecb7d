//! Scheduling: what a process asks is kept and told, the host schedules. See sched(7), getpriority(2).

use rawposix_abi::Errno;
use rawposix_abi::structs::Timespec;
use rawposix_memory::GuestPtr;

use super::args::{In, Int, Len, Out, Pid, Ptr};
pub(super) use super::schedule_attributes::{sched_getattr, sched_setattr};
use crate::thread::Thread;

/// Policies of sched(7).
const SCHED_OTHER: u32 = 0;
const SCHED_FIFO: u32 = 1;
const SCHED_RR: u32 = 2;
const SCHED_BATCH: u32 = 3;
const SCHED_IDLE: u32 = 5;
const RESET_ON_FORK: u32 = 0x4000_0000;

fn own(thread: &Thread, pid: Pid) -> Result<(), Errno> {
    match pid.0 {
        0 => Ok(()),
        pid if pid < 0 => Err(Errno::EINVAL),
        pid if pid == thread.tid().0 => Ok(()),
        _ => Err(Errno::ESRCH),
    }
}

pub(super) fn sched_yield(thread: &mut Thread) -> Result<(), Errno> {
    let _ = thread;
    rustix::thread::sched_yield();
    Ok(())
}

/// The processors that lind may use, a bit each.
fn host_affinity() -> Result<Vec<u8>, Errno> {
    let set = rustix::thread::sched_getaffinity(None)?;
    let mut mask = vec![0_u8; rustix::thread::CpuSet::MAX_CPU / 8];
    for (byte, start) in mask.iter_mut().zip((0..).step_by(8)) {
        for bit in 0..8 {
            if set.is_set(start + bit) {
                *byte |= 1 << bit;
            }
        }
    }
    Ok(mask)
}

/// Bytes of the kernel's own mask: enough for the processors there are, in words.
fn mask_size(mask: &[u8]) -> usize {
    let used = mask
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |last| last + 1);
    used.next_multiple_of(8)
}

pub(super) fn sched_getaffinity(
    thread: &mut Thread,
    pid: Pid,
    size: Len,
    ptr: Ptr,
) -> Result<usize, Errno> {
    own(thread, pid)?;
    let mask = match thread.process.with_settings(|s| s.affinity.clone()) {
        Some(mask) => mask,
        None => host_affinity()?,
    };
    let size = usize::try_from(size.0).map_err(|_| Errno::EINVAL)?;
    let needed = mask_size(&mask);
    if size < needed || !size.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    let count = size.min(needed);
    thread
        .memory()
        .write_bytes(GuestPtr::new(ptr.0), mask.get(..count).unwrap_or_default())?;
    Ok(count)
}

pub(super) fn sched_setaffinity(
    thread: &mut Thread,
    pid: Pid,
    size: Len,
    ptr: Ptr,
) -> Result<(), Errno> {
    own(thread, pid)?;
    let mut allowed = host_affinity()?;
    let size = usize::try_from(size.0)
        .map_err(|_| Errno::EINVAL)?
        .min(allowed.len());
    let mut wanted = vec![0; size];
    thread
        .memory()
        .read_bytes(GuestPtr::new(ptr.0), &mut wanted)?;
    wanted.resize(allowed.len(), 0);
    for (have, want) in allowed.iter_mut().zip(wanted) {
        *have &= want;
    }
    if allowed.iter().all(|byte| *byte == 0) {
        return Err(Errno::EINVAL);
    }
    thread.process.with_settings(|s| s.affinity = Some(allowed));
    Ok(())
}

pub(super) fn sched_getscheduler(thread: &mut Thread, pid: Pid) -> Result<u32, Errno> {
    own(thread, pid)?;
    Ok(thread.process.with_settings(|s| s.policy))
}

pub(super) fn sched_setscheduler(
    thread: &mut Thread,
    pid: Pid,
    policy: Int,
    param: In<i32>,
) -> Result<(), Errno> {
    own(thread, pid)?;
    let priority: i32 = thread.memory().read(param.0)?;
    set_policy(thread, pid, policy.0.cast_unsigned(), priority)
}

/// Sets the policy that a thread asks for.
pub(super) fn set_policy(
    thread: &Thread,
    pid: Pid,
    policy: u32,
    priority: i32,
) -> Result<(), Errno> {
    own(thread, pid)?;
    let policy = policy & !RESET_ON_FORK;
    match policy {
        SCHED_OTHER | SCHED_BATCH | SCHED_IDLE if priority == 0 => {
            thread.process.with_settings(|s| s.policy = policy);
            Ok(())
        }
        SCHED_FIFO | SCHED_RR if (1..=99).contains(&priority) => Err(Errno::EPERM),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn sched_getparam(thread: &mut Thread, pid: Pid, param: Out<i32>) -> Result<(), Errno> {
    own(thread, pid)?;
    thread.memory().write(param.0, &0)
}

pub(super) fn sched_setparam(thread: &mut Thread, pid: Pid, param: In<i32>) -> Result<(), Errno> {
    own(thread, pid)?;
    match thread.memory().read(param.0)? {
        0 => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn sched_get_priority_max(thread: &mut Thread, policy: Int) -> Result<i32, Errno> {
    priority(thread, policy, 99)
}

pub(super) fn sched_get_priority_min(thread: &mut Thread, policy: Int) -> Result<i32, Errno> {
    priority(thread, policy, 1)
}

fn priority(thread: &Thread, policy: Int, real_time: i32) -> Result<i32, Errno> {
    let _ = thread;
    match policy.0.cast_unsigned() {
        SCHED_FIFO | SCHED_RR => Ok(real_time),
        SCHED_OTHER | SCHED_BATCH | SCHED_IDLE => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn sched_rr_get_interval_time64(
    thread: &mut Thread,
    pid: Pid,
    interval: Out<Timespec>,
) -> Result<(), Errno> {
    own(thread, pid)?;
    let slice = Timespec {
        nsec: 4_000_000,
        ..Timespec::default()
    };
    thread.memory().write(interval.0, &slice)
}

/// The processes that `which` and `who` name include the calling one, or there are none.
fn named(thread: &Thread, which: Int, who: Int) -> Result<(), Errno> {
    let own = match which.0 {
        0 => thread.process.pid.0,
        1 => thread.world.family.group_of(thread.process.pid)?.0,
        2 => thread.process.credentials().user.real.cast_signed(),
        _ => return Err(Errno::EINVAL),
    };
    if who.0 == 0 || who.0 == own {
        Ok(())
    } else {
        Err(Errno::ESRCH)
    }
}

pub(super) fn setpriority(
    thread: &mut Thread,
    which: Int,
    who: Int,
    nice: Int,
) -> Result<(), Errno> {
    named(thread, which, who)?;
    let wanted = nice.0.clamp(-20, 19);
    thread.process.with_settings(|s| {
        if wanted < s.nice {
            return Err(Errno::EACCES);
        }
        s.nice = wanted;
        Ok(())
    })
}

/// The kernel answers 20 less the nice value, so that no answer looks like an error.
pub(super) fn getpriority(thread: &mut Thread, which: Int, who: Int) -> Result<i32, Errno> {
    named(thread, which, who)?;
    Ok(20 - thread.process.with_settings(|s| s.nice))
}

pub(super) fn getcpu(
    thread: &mut Thread,
    cpu: Out<u32>,
    node: Out<u32>,
    cache: Ptr,
) -> Result<(), Errno> {
    let _ = cache;
    let current = u32::try_from(rustix::thread::sched_getcpu()).unwrap_or(0);
    for (ptr, value) in [(cpu.0, current), (node.0, 0)] {
        if let Some(ptr) = ptr.non_null() {
            thread.memory().write(ptr, &value)?;
        }
    }
    Ok(())
}
