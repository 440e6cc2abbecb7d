//! Filters of system calls. See seccomp(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{SeccompFlags, seccomp as operation};
use rawposix_abi::structs::{SockFilter, SockFprog};
use rawposix_memory::GuestPtr;
use zerocopy::IntoBytes;

use super::args::{Ptr, SeccompOperation};
use crate::seccomp::{MAX_INSTRUCTIONS, Mode, Program, action, with};
use crate::thread::Thread;

pub(super) fn seccomp(
    thread: &mut Thread,
    wanted: SeccompOperation,
    flags: SeccompFlags,
    args: Ptr,
) -> Result<i32, Errno> {
    match wanted.0 {
        operation::SECCOMP_SET_MODE_STRICT if flags.is_empty() && args.0 == 0 => {
            thread.task.seccomp.make_strict().map(|()| 0)
        }
        operation::SECCOMP_SET_MODE_FILTER => set_filter(thread, flags, args),
        operation::SECCOMP_GET_ACTION_AVAIL if flags.is_empty() => {
            match thread.memory().read(GuestPtr::new(args.0))? {
                action::KILL_PROCESS
                | action::KILL_THREAD
                | action::TRAP
                | action::ERRNO
                | action::TRACE
                | action::LOG
                | action::ALLOW => Ok(0),
                _ => Err(Errno::EOPNOTSUPP),
            }
        }
        _ => Err(Errno::EINVAL),
    }
}

/// `PR_SET_SECCOMP` of prctl(2).
pub(super) fn set_mode(thread: &mut Thread, mode: u32, filter: u32) -> Result<i32, Errno> {
    if mode == Mode::Strict as u32 {
        thread.task.seccomp.make_strict().map(|()| 0)
    } else if mode == Mode::Filter as u32 {
        set_filter(thread, SeccompFlags::empty(), Ptr(filter))
    } else {
        Err(Errno::EINVAL)
    }
}

fn set_filter(thread: &mut Thread, flags: SeccompFlags, args: Ptr) -> Result<i32, Errno> {
    let program = read_program(thread, args)?;
    let own = &thread.task.seccomp;
    // The threads stay the same meanwhile, and of two that do this, one is first.
    let _settled = thread.process.keep_threads();
    if own.mode() == Mode::Strict {
        return Err(Errno::EINVAL);
    }
    let before = own.filters();
    let filters = with(&before, program)?;
    if !flags.contains(SeccompFlags::TSYNC) {
        own.install(filters);
        return Ok(0);
    }
    let mut others = thread.process.tasks();
    others.retain(|task| task.tid != thread.tid());
    match others.iter().find(|task| !task.seccomp.can_follow(&before)) {
        Some(_) if flags.contains(SeccompFlags::TSYNC_ESRCH) => return Err(Errno::ESRCH),
        Some(other) => return Ok(other.tid.0),
        None => {}
    }
    for task in &others {
        task.seccomp.install(Arc::clone(&filters));
    }
    own.install(filters);
    Ok(0)
}

fn read_program(thread: &Thread, args: Ptr) -> Result<Program, Errno> {
    let given: SockFprog = thread.memory().read(GuestPtr::new(args.0))?;
    let length = usize::from(given.len);
    if length == 0 || length > MAX_INSTRUCTIONS {
        return Err(Errno::EINVAL);
    }
    // CAP_SYS_ADMIN would do as well, but nobody has it.
    if !thread.process.with_settings(|s| s.no_new_privileges) {
        return Err(Errno::EACCES);
    }
    let mut instructions = vec![SockFilter::default(); length];
    thread
        .memory()
        .read_bytes(GuestPtr::new(given.filter), instructions.as_mut_bytes())?;
    Program::new(&instructions)
}
