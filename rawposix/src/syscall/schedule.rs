//! Scheduling: what a process asks is kept and told, the host schedules. See sched(7), getpriority(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::resource::RLIMIT_NICE;
use rawposix_abi::structs::Timespec;
use rawposix_memory::GuestPtr;
use rustix::thread::CpuSet;

use super::args::{In, Int, Len, Out, Pid, Ptr};
pub(super) use super::io_priority::{ioprio_get, ioprio_set};
pub(super) use super::schedule_attributes::{sched_getattr, sched_setattr};
use crate::cage::family::INIT;
use crate::cage::{Pid as Id, Process, Task};
use crate::thread::Thread;

/// Policies of sched(7).
const SCHED_OTHER: u32 = 0;
const SCHED_FIFO: u32 = 1;
const SCHED_RR: u32 = 2;
const SCHED_BATCH: u32 = 3;
const SCHED_IDLE: u32 = 5;
/// `SCHED_RESET_ON_FORK`, which comes with a policy.
pub(super) const RESET_ON_FORK: u32 = 0x4000_0000;

/// For a process's nice value.
const PRIO_PROCESS: i32 = 0;

/// A thread and its process.
type Found = (Arc<Process>, Arc<Task>);

/// The thread that an argument names, 0 for the caller, and its process.
fn target(thread: &Thread, tid: Pid) -> Result<Found, Errno> {
    match tid.0 {
        0 => Ok((Arc::clone(&thread.process), Arc::clone(&thread.task))),
        tid if tid < 0 => Err(Errno::EINVAL),
        // Process 1 is nobody's.
        tid if Id(tid) == INIT => Err(Errno::EPERM),
        tid => thread.find_thread(Id(tid)),
    }
}

/// The thread that an argument names, to be asked; `None` for process 1, which is scheduled as the host does.
fn asked(thread: &Thread, tid: Pid) -> Result<Option<Arc<Task>>, Errno> {
    if Id(tid.0) == INIT {
        return Ok(None);
    }
    target(thread, tid).map(|(_, task)| Some(task))
}

/// Calls on affinity know no impossible numbers, only those that no thread has.
fn existing(tid: Pid) -> Result<Pid, Errno> {
    if tid.0 < 0 {
        Err(Errno::ESRCH)
    } else {
        Ok(tid)
    }
}

/// Whether the caller may change how the process's threads are scheduled: it has to be the same user's.
pub(super) fn may_change(thread: &Thread, process: &Process) -> Result<(), Errno> {
    let (by, target) = (
        thread.process.credentials().user,
        process.credentials().user,
    );
    if [target.effective, target.real].contains(&by.effective) {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// Whether RLIMIT_NICE lets a thread of the process have this nice value, whatever it has now.
fn may_have_nice(process: &Process, nice: i32) -> bool {
    let limit = process.limit(RLIMIT_NICE).map_or(0, |limit| limit.current);
    u64::try_from(20 - nice).is_ok_and(|needed| needed <= limit)
}

pub(super) fn sched_yield(thread: &mut Thread) -> Result<(), Errno> {
    let _ = thread;
    rustix::thread::sched_yield();
    Ok(())
}

/// A set of processors as a mask, a bit each.
fn mask_of(set: &CpuSet) -> Vec<u8> {
    let mut mask = vec![0_u8; CpuSet::MAX_CPU / 8];
    for (byte, start) in mask.iter_mut().zip((0..).step_by(8)) {
        for bit in 0..8 {
            if set.is_set(start + bit) {
                *byte |= 1 << bit;
            }
        }
    }
    mask
}

/// The processors of a mask.
fn set_of(mask: &[u8]) -> CpuSet {
    let mut set = CpuSet::new();
    for (byte, start) in mask.iter().zip((0..CpuSet::MAX_CPU).step_by(8)) {
        for bit in (0..8).filter(|bit| byte >> bit & 1 != 0) {
            set.set(start + bit);
        }
    }
    set
}

/// Bytes of the kernel's own mask: enough for the processors there are, in the guest's words.
fn mask_size(mask: &[u8]) -> usize {
    let used = mask
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |last| last + 1);
    used.next_multiple_of(4)
}

pub(super) fn sched_getaffinity(
    thread: &mut Thread,
    pid: Pid,
    size: Len,
    ptr: Ptr,
) -> Result<usize, Errno> {
    let task = asked(thread, existing(pid)?)?;
    let mask = mask_of(&thread.world.processors.of(task.as_deref()));
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
    let (process, task) = target(thread, existing(pid)?)?;
    may_change(thread, &process)?;
    let size = usize::try_from(size.0)
        .map_err(|_| Errno::EINVAL)?
        .min(CpuSet::MAX_CPU / 8);
    let mut wanted = vec![0; size];
    thread
        .memory()
        .read_bytes(GuestPtr::new(ptr.0), &mut wanted)?;
    let processors = &thread.world.processors;
    processors.confine(&task, &set_of(&wanted))?;
    if Arc::ptr_eq(&task, &thread.task) {
        processors.keep_up(&task);
    } else {
        task.interrupt();
    }
    Ok(())
}

pub(super) fn sched_getscheduler(thread: &mut Thread, pid: Pid) -> Result<u32, Errno> {
    let Some(task) = asked(thread, pid)? else {
        return Ok(SCHED_OTHER);
    };
    let scheduling = task.scheduling.lock();
    Ok(scheduling.policy
        | if scheduling.resets_on_fork {
            RESET_ON_FORK
        } else {
            0
        })
}

pub(super) fn sched_setscheduler(
    thread: &mut Thread,
    pid: Pid,
    policy: Int,
    param: In<i32>,
) -> Result<(), Errno> {
    if policy.0 < 0 || param.0.is_null() {
        return Err(Errno::EINVAL);
    }
    let priority: i32 = thread.memory().read(param.0)?;
    set_policy(thread, pid, policy.0.cast_unsigned(), priority)
}

/// Sets the policy that a thread asks for, with `SCHED_RESET_ON_FORK` or without.
pub(super) fn set_policy(
    thread: &Thread,
    pid: Pid,
    policy: u32,
    priority: i32,
) -> Result<(), Errno> {
    let (process, task) = target(thread, pid)?;
    let resets_on_fork = policy & RESET_ON_FORK != 0;
    let policy = policy & !RESET_ON_FORK;
    match policy {
        SCHED_OTHER | SCHED_BATCH | SCHED_IDLE if priority == 0 => {}
        SCHED_FIFO | SCHED_RR if (1..=99).contains(&priority) => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    }
    may_change(thread, &process)?;
    let mut scheduling = task.scheduling.lock();
    let leaves_idle = scheduling.policy == SCHED_IDLE && policy != SCHED_IDLE;
    if (leaves_idle && !may_have_nice(&process, scheduling.nice))
        || (scheduling.resets_on_fork && !resets_on_fork)
    {
        return Err(Errno::EPERM);
    }
    scheduling.policy = policy;
    scheduling.resets_on_fork = resets_on_fork;
    Ok(())
}

pub(super) fn sched_getparam(thread: &mut Thread, pid: Pid, param: Out<i32>) -> Result<(), Errno> {
    if param.0.is_null() {
        return Err(Errno::EINVAL);
    }
    asked(thread, pid)?;
    thread.memory().write(param.0, &0)
}

pub(super) fn sched_setparam(thread: &mut Thread, pid: Pid, param: In<i32>) -> Result<(), Errno> {
    if param.0.is_null() {
        return Err(Errno::EINVAL);
    }
    let (process, _) = target(thread, pid)?;
    match thread.memory().read(param.0)? {
        0 => may_change(thread, &process),
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
    asked(thread, pid)?;
    let slice = Timespec {
        nsec: 4_000_000,
        ..Timespec::default()
    };
    thread.memory().write(interval.0, &slice)
}

/// The threads that `which` and `who` name, with their processes. `ESRCH` if there are none.
pub(super) fn named(thread: &Thread, which: Int, who: Int) -> Result<Vec<Found>, Errno> {
    const PRIO_PGRP: i32 = 1;
    const PRIO_USER: i32 = 2;
    let family = &thread.world.family;
    let processes = match which.0 {
        PRIO_PROCESS if who.0 < 0 => return Err(Errno::ESRCH),
        PRIO_PROCESS => return target(thread, Pid(who.0)).map(|found| vec![found]),
        PRIO_PGRP if who.0 == 0 => family.group(family.group_of(thread.process.pid)?),
        PRIO_PGRP => family.group(Id(who.0)),
        PRIO_USER => {
            let user = match who.0.cast_unsigned() {
                0 => thread.process.credentials().user.real,
                user => user,
            };
            let mut living = family.living();
            living.retain(|process| process.credentials().user.real == user);
            living
        }
        _ => return Err(Errno::EINVAL),
    };
    let mut threads = Vec::new();
    for process in processes {
        let tasks = process.tasks();
        threads.extend(tasks.into_iter().map(|task| (Arc::clone(&process), task)));
    }
    if threads.is_empty() {
        return Err(Errno::ESRCH);
    }
    Ok(threads)
}

pub(super) fn setpriority(
    thread: &mut Thread,
    which: Int,
    who: Int,
    nice: Int,
) -> Result<(), Errno> {
    let wanted = nice.0.clamp(-20, 19);
    let set = |process: &Process, task: &Task| {
        may_change(thread, process)?;
        let mut scheduling = task.scheduling.lock();
        if wanted < scheduling.nice && !may_have_nice(process, wanted) {
            return Err(Errno::EACCES);
        }
        scheduling.nice = wanted;
        Ok(())
    };
    // All are tried; the last refusal is the answer.
    let mut result = Ok(());
    for (process, task) in named(thread, which, who)? {
        result = set(&process, &task).and(result);
    }
    result
}

/// The kernel answers 20 less the nice value, so that no answer looks like an error; that of the most favoured thread.
pub(super) fn getpriority(thread: &mut Thread, which: Int, who: Int) -> Result<i32, Errno> {
    if which.0 == PRIO_PROCESS && Id(who.0) == INIT {
        return Ok(20);
    }
    let threads = named(thread, which, who)?;
    let favours = threads
        .iter()
        .map(|(_, task)| 20 - task.scheduling.lock().nice);
    favours.max().ok_or(Errno::ESRCH)
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
