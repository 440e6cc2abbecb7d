//! The life of a process: exit, wait, limits, usage, prctl. See exit(2), waitid(2), prlimit(2), prctl(2).

use std::sync::atomic::Ordering;

use rawposix_abi::flags::resource::RLIMIT_CPU;
use rawposix_abi::flags::{CloneFlags, prctl};
use rawposix_abi::structs::{OldTimeval, Rlimit64, Rusage};
use rawposix_abi::{Errno, Signal};
use rawposix_memory::GuestPtr;

pub(super) use super::clone::{clone, clone3};
pub(super) use super::compare::kcmp;
pub(super) use super::exec::{execve, execveat};
pub(super) use super::landlock::{
    landlock_add_rule, landlock_create_ruleset, landlock_restrict_self,
};
use super::pidfd::PidFile;
pub(super) use super::pidfd::{pidfd_getfd, pidfd_open};
pub(super) use super::seccomp::seccomp;
pub(super) use super::wait::{wait4, waitid};

use super::args::{Fd, Hex, In, Int, Len, Out, Pid, PrctlOption, Ptr, Resource};
use super::seccomp::set_mode;
use crate::cage::usage::Used;
use crate::cage::{BOUNDING, CapabilitySet, Pid as Id};
use crate::clone::NAMESPACES;
use crate::control::ExitStatus;
use crate::thread::Thread;

/// The low byte of a status is what a parent sees.
fn status(code: Int) -> ExitStatus {
    let [low, ..] = code.0.to_le_bytes();
    ExitStatus::Exited(low)
}

pub(super) fn exit(thread: &mut Thread, code: Int) -> Result<(), Errno> {
    thread.end(status(code));
    Ok(())
}

pub(super) fn exit_group(thread: &mut Thread, code: Int) -> Result<(), Errno> {
    thread.process.finish(status(code));
    thread.end(status(code));
    Ok(())
}

pub(super) fn set_tid_address(thread: &mut Thread, tidptr: Ptr) -> Result<i32, Errno> {
    thread.clear_tid = tidptr.0;
    Ok(thread.tid().0)
}

/// Bytes of `struct robust_list_head`.
const ROBUST_LIST_HEAD: u32 = 12;

pub(super) fn set_robust_list(thread: &mut Thread, head: Ptr, len: Len) -> Result<(), Errno> {
    if len.0 != ROBUST_LIST_HEAD {
        return Err(Errno::EINVAL);
    }
    thread.task.robust_list.store(head.0, Ordering::Relaxed);
    Ok(())
}

pub(super) fn get_robust_list(
    thread: &mut Thread,
    pid: Pid,
    head: Out<u32>,
    len: Out<u32>,
) -> Result<(), Errno> {
    let list = match pid.0 {
        0 => thread.robust_list(),
        tid => {
            let (process, task) = thread.find_thread(Id(tid))?;
            if !process.may_be_inspected(&thread.process) {
                return Err(Errno::EPERM);
            }
            task.robust_list.load(Ordering::Relaxed)
        }
    };
    thread.memory().write(len.0, &ROBUST_LIST_HEAD)?;
    thread.memory().write(head.0, &list)
}

pub(super) fn prlimit64(
    thread: &mut Thread,
    pid: Pid,
    resource: Resource,
    new: In<Rlimit64>,
    old: Out<Rlimit64>,
) -> Result<(), Errno> {
    let wanted = match new.0.non_null() {
        Some(ptr) => Some(thread.memory().read(ptr)?),
        None => None,
    };
    let process = thread.process_of(pid.0)?;
    if !process.has_ids_of(&thread.process) {
        return Err(Errno::EPERM);
    }
    let before = process.limit(resource.0)?;
    if let Some(wanted) = wanted {
        process.set_limit(resource.0, wanted)?;
        if resource.0 == RLIMIT_CPU {
            process.watch_processor_time();
        }
    }
    match old.0.non_null() {
        Some(ptr) => thread.memory().write(ptr, &before),
        None => Ok(()),
    }
}

pub(super) fn getrusage(thread: &mut Thread, who: Int, usage: Out<Rusage>) -> Result<(), Errno> {
    let times = match who.0 {
        0 => thread.process_times(),
        1 => thread.own_times(),
        -1 => thread.world.family.children_times(thread.process.pid),
        _ => return Err(Errno::EINVAL),
    };
    let mut answer = rusage(times);
    if who.0 != -1 {
        answer.maxrss = i32::try_from(thread.memory().usage().total / 1024).unwrap_or(i32::MAX);
    }
    thread.memory().write(usage.0, &answer)
}

/// Processor time as getrusage(2) reports it.
pub(super) fn rusage(times: Used) -> Rusage {
    Rusage {
        utime: OldTimeval {
            sec: i32::try_from(times.user.as_secs()).unwrap_or(i32::MAX),
            usec: i32::try_from(times.user.subsec_micros()).unwrap_or(0),
        },
        ..Rusage::default()
    }
}

pub(super) fn personality(thread: &mut Thread, persona: Hex) -> Result<i32, Errno> {
    let former = thread.process.with_settings(|settings| match persona.0 {
        u32::MAX => settings.persona,
        persona => std::mem::replace(&mut settings.persona, persona),
    });
    Ok(former.cast_signed())
}

/// `CLONE_NEWTIME`, which clone(2) does not know.
const NEWTIME: u32 = 0x80;

pub(super) fn unshare(thread: &mut Thread, flags: CloneFlags) -> Result<(), Errno> {
    // The memory and what belongs to it can be given up by execve(2) only.
    let shared = CloneFlags::SIGHAND | CloneFlags::VM | CloneFlags::THREAD;
    let own = CloneFlags::FILES | CloneFlags::FS | CloneFlags::SYSVSEM | shared;
    if flags.intersects(NAMESPACES) {
        return Err(Errno::EPERM);
    }
    // Threads of one process have one table and one working directory here.
    let alone = thread.process.is_single();
    if !own.contains(flags) || (!alone && flags.intersects(own - CloneFlags::SYSVSEM)) {
        return Err(Errno::EINVAL);
    }
    if flags.contains(CloneFlags::FILES) {
        thread.process.unshare_files();
    }
    if flags.contains(CloneFlags::FS) {
        thread.process.unshare_context();
    }
    Ok(())
}

/// There are no files that stand for namespaces, and all processes have the same ones.
pub(super) fn setns(thread: &mut Thread, fd: Fd, nstype: Hex) -> Result<(), Errno> {
    let file = thread.file(fd.0)?;
    let pid_file = file.own::<PidFile>().ok_or(Errno::EINVAL)?;
    let known = NAMESPACES.bits() | NEWTIME;
    if nstype.0 == 0 || nstype.0 & !known != 0 {
        return Err(Errno::EINVAL);
    }
    let process = pid_file.process(thread).ok_or(Errno::ESRCH)?;
    if process.end().is_some() {
        return Err(Errno::ESRCH);
    }
    // Nobody enters the user namespace that he is in, and the others need CAP_SYS_ADMIN.
    if nstype.0 & CloneFlags::NEWUSER.bits() != 0 {
        return Err(Errno::EINVAL);
    }
    Err(Errno::EPERM)
}

/// Bytes of a thread's name, with its NUL.
const NAME_SIZE: usize = 16;

pub(super) fn prctl(
    thread: &mut Thread,
    option: PrctlOption,
    arg2: Hex,
    arg3: Hex,
    arg4: Hex,
    arg5: Hex,
) -> Result<i32, Errno> {
    let rest_is_zero = arg3.0 == 0 && arg4.0 == 0 && arg5.0 == 0;
    let memory = thread.memory();
    let process = &thread.process;
    let give = |value: u32| memory.write(GuestPtr::new(arg2.0), &value).map(|()| 0);
    match option.0 {
        prctl::PR_SET_NAME => {
            let mut name = [0; NAME_SIZE - 1];
            let length = read_name(thread, arg2.0, &mut name)?;
            thread.task.set_name(name.get(..length).unwrap_or_default());
            Ok(0)
        }
        prctl::PR_GET_NAME => {
            let mut name = thread.task.name();
            name.resize(NAME_SIZE, 0);
            memory.write_bytes(GuestPtr::new(arg2.0), &name).map(|()| 0)
        }
        prctl::PR_SET_PDEATHSIG => {
            let signal = match arg2.0 {
                0 => None,
                number => Some(Signal::from_raw(number).ok_or(Errno::EINVAL)?),
            };
            process.with_settings(|s| s.parent_death_signal = signal);
            Ok(0)
        }
        prctl::PR_GET_PDEATHSIG => {
            let signal = process.with_settings(|s| s.parent_death_signal);
            give(signal.map_or(0, |s| u32::from(s.raw())))
        }
        prctl::PR_SET_DUMPABLE if arg2.0 <= 1 => {
            process.with_settings(|s| s.dumpable = arg2.0);
            Ok(0)
        }
        prctl::PR_GET_DUMPABLE => Ok(process.with_settings(|s| s.dumpable.cast_signed())),
        prctl::PR_SET_NO_NEW_PRIVS if arg2.0 == 1 && rest_is_zero => {
            process.with_settings(|s| s.no_new_privileges = true);
            Ok(0)
        }
        prctl::PR_GET_NO_NEW_PRIVS if arg2.0 == 0 && rest_is_zero => {
            Ok(i32::from(process.with_settings(|s| s.no_new_privileges)))
        }
        prctl::PR_SET_SECCOMP => set_mode(thread, arg2.0, arg3.0),
        prctl::PR_GET_SECCOMP => Ok(i32::from(thread.task.seccomp.mode() as u8)),
        prctl::PR_SET_CHILD_SUBREAPER => {
            process.with_settings(|s| s.child_subreaper = arg2.0 != 0);
            Ok(0)
        }
        prctl::PR_GET_CHILD_SUBREAPER => {
            give(u32::from(process.with_settings(|s| s.child_subreaper)))
        }
        prctl::PR_SET_TIMERSLACK => {
            let slack = if arg2.0.cast_signed() <= 0 {
                50_000
            } else {
                arg2.0
            };
            process.with_settings(|s| s.timer_slack = slack);
            Ok(0)
        }
        prctl::PR_GET_TIMERSLACK => Ok(process.with_settings(|s| s.timer_slack.cast_signed())),
        prctl::PR_GET_TID_ADDRESS => give(thread.clear_tid),
        prctl::PR_GET_KEEPCAPS => Ok(i32::from(process.credentials().keeps_capabilities)),
        prctl::PR_GET_SECUREBITS | prctl::PR_GET_THP_DISABLE => Ok(0),
        prctl::PR_SET_KEEPCAPS if arg2.0 <= 1 => {
            process.with_credentials(|c| c.keeps_capabilities = arg2.0 == 1);
            Ok(0)
        }
        prctl::PR_CAPBSET_READ if arg2.0 <= LAST_CAPABILITY => {
            Ok(i32::from(BOUNDING.0 >> arg2.0 & 1 != 0))
        }
        prctl::PR_CAP_AMBIENT => ambient(thread, arg2.0, arg3.0, arg4.0 | arg5.0),
        prctl::PR_CAPBSET_DROP if arg2.0 <= LAST_CAPABILITY => Err(Errno::EPERM),
        _ => Err(Errno::EINVAL),
    }
}

/// What PR_CAP_AMBIENT does with one capability, or with all.
fn ambient(thread: &Thread, what: u32, capability: u32, rest: u32) -> Result<i32, Errno> {
    const IS_SET: u32 = 1;
    const RAISE: u32 = 2;
    const LOWER: u32 = 3;
    const CLEAR_ALL: u32 = 4;
    if rest != 0 || capability > LAST_CAPABILITY || (what == CLEAR_ALL && capability != 0) {
        return Err(Errno::EINVAL);
    }
    let one = CapabilitySet(1 << capability);
    thread.process.with_credentials(|credentials| {
        let ambient = &mut credentials.capabilities.ambient;
        match what {
            IS_SET => return Ok(i32::from(ambient.contains(one))),
            RAISE => credentials.raise_ambient(one)?,
            LOWER => ambient.0 &= !one.0,
            CLEAR_ALL => *ambient = CapabilitySet::EMPTY,
            _ => return Err(Errno::EINVAL),
        }
        Ok(0)
    })
}

/// `CAP_LAST_CAP` of capabilities(7).
const LAST_CAPABILITY: u32 = 40;

/// Reads a name up to its NUL; what does not fit is cut off.
fn read_name(thread: &Thread, address: u32, name: &mut [u8]) -> Result<usize, Errno> {
    let mut length = 0;
    for (place, ahead) in name.iter_mut().zip(0..) {
        let byte: u8 = thread.memory().read(
            GuestPtr::new(address)
                .checked_add(ahead)
                .ok_or(Errno::EFAULT)?,
        )?;
        if byte == 0 {
            break;
        }
        *place = byte;
        length += 1;
    }
    Ok(length)
}
