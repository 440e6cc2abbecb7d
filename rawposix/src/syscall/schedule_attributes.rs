//! Policy, nice value and flags of a thread in one structure. See sched_setattr(2).

use rawposix_abi::Errno;
use rawposix_abi::structs::SchedAttr;
use rawposix_memory::GuestPtr;
use zerocopy::IntoBytes;

use super::args::{Hex, Int, Len, Pid, Ptr, Uint};
use super::extensible::{self, LONGEST};
use super::schedule::{getpriority, sched_getscheduler, set_policy, setpriority};
use crate::thread::Thread;

/// Bytes of the structure's first version.
const FIRST_SIZE: u32 = 48;

/// `SCHED_FLAG_*`
const RESET_ON_FORK: u64 = 1;
const RECLAIM: u64 = 2;
const OVERRUN: u64 = 4;
const KEEP_POLICY: u64 = 8;
const KEEP_PARAMS: u64 = 0x10;
const UTIL_CLAMP: u64 = 0x60;

/// `SCHED_FIFO`, `SCHED_RR` and `SCHED_DEADLINE`
const REAL_TIME: [u32; 2] = [1, 2];
const DEADLINE: u32 = 6;

pub(super) fn sched_getattr(
    thread: &mut Thread,
    pid: Pid,
    attr: Ptr,
    size: Uint,
    flags: Hex,
) -> Result<(), Errno> {
    let sizes = FIRST_SIZE..=LONGEST;
    if attr.0 == 0 || pid.0 < 0 || flags.0 != 0 || !sizes.contains(&size.0) {
        return Err(Errno::EINVAL);
    }
    let policy = sched_getscheduler(thread, pid)?;
    let nice = 20 - getpriority(thread, Int(0), Int(pid.0))?;
    let full = u32::try_from(size_of::<SchedAttr>()).map_err(|_| Errno::EINVAL)?;
    let found = SchedAttr {
        size: full.min(size.0),
        policy: policy & 0xff,
        flags: u64::from(policy >> 30 & 1) * RESET_ON_FORK,
        nice,
        ..SchedAttr::default()
    };
    let count = usize::try_from(found.size).map_err(|_| Errno::EINVAL)?;
    let bytes = found.as_bytes().get(..count).ok_or(Errno::EINVAL)?;
    thread.memory().write_bytes(GuestPtr::new(attr.0), bytes)
}

/// The structure, whichever version of it the guest has. `E2BIG`, and the size that is known, for one with more in it.
fn read(thread: &Thread, attr: Ptr) -> Result<SchedAttr, Errno> {
    let start = GuestPtr::<u32>::new(attr.0);
    let size = match thread.memory().read(start)? {
        0 => FIRST_SIZE,
        size => size,
    };
    let too_big = || {
        let known = u32::try_from(size_of::<SchedAttr>()).unwrap_or(FIRST_SIZE);
        let _ = thread.memory().write(start, &known);
        Errno::E2BIG
    };
    if !(FIRST_SIZE..=LONGEST).contains(&size) {
        return Err(too_big());
    }
    let found = extensible::read(thread, start.cast(), Len(size), FIRST_SIZE);
    let found: SchedAttr = found.map_err(|error| match error {
        Errno::E2BIG => too_big(),
        error => error,
    })?;
    Ok(SchedAttr { size, ..found })
}

pub(super) fn sched_setattr(
    thread: &mut Thread,
    pid: Pid,
    attr: Ptr,
    flags: Hex,
) -> Result<(), Errno> {
    if attr.0 == 0 || pid.0 < 0 || flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let wanted = read(thread, attr)?;
    let known = RESET_ON_FORK | RECLAIM | OVERRUN | KEEP_POLICY | KEEP_PARAMS | UTIL_CLAMP;
    if wanted.policy.cast_signed() < 0 || wanted.flags & !known != 0 {
        return Err(Errno::EINVAL);
    }
    if wanted.flags & UTIL_CLAMP != 0 {
        let first = wanted.size == FIRST_SIZE;
        return Err(if first {
            Errno::EINVAL
        } else {
            Errno::EOPNOTSUPP
        });
    }
    let current = sched_getscheduler(thread, pid)?;
    let bit = super::schedule::RESET_ON_FORK;
    let (policy, reset) = match wanted.flags & KEEP_POLICY {
        0 if wanted.flags & RESET_ON_FORK != 0 => (wanted.policy, bit),
        0 => (wanted.policy, 0),
        _ => (current & !bit, current & bit),
    };
    if policy == DEADLINE {
        return Err(Errno::EPERM);
    }
    let priority = i32::try_from(wanted.priority).map_err(|_| Errno::EINVAL)?;
    if REAL_TIME.contains(&policy) && (1..=99).contains(&priority) {
        return Err(Errno::EPERM);
    }
    if priority != 0 || REAL_TIME.contains(&policy) {
        return Err(Errno::EINVAL);
    }
    if wanted.flags & KEEP_PARAMS == 0 {
        let nice = wanted.nice.clamp(-20, 19);
        setpriority(thread, Int(0), Int(pid.0), Int(nice)).map_err(|errno| match errno {
            Errno::EACCES => Errno::EPERM,
            errno => errno,
        })?;
    }
    set_policy(thread, pid, policy | reset, 0)
}
