//! futex(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::futex::{
    FUTEX_CMP_REQUEUE, FUTEX_REQUEUE, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAKE, FUTEX_WAKE_BITSET,
};
use rawposix_abi::structs::Timespec;
use rawposix_memory::GuestPtr;
use rustix::time::ClockId;

use super::args::{FutexOp, Hex, In, Ptr, Uint};
use super::time::timeout;
use crate::futex::{Deadline, Key, Sharing};
use crate::thread::Thread;

/// `FUTEX_PRIVATE_FLAG` and `FUTEX_CLOCK_REALTIME`.
const PRIVATE: u32 = 128;
const REALTIME: u32 = 256;

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn futex_time64(
    thread: &mut Thread,
    addr: Ptr,
    op: FutexOp,
    value: Uint,
    limit: Ptr,
    addr2: Ptr,
    value3: Hex,
) -> Result<usize, Errno> {
    let command = op.0 & !(PRIVATE | REALTIME);
    let realtime = op.0 & REALTIME != 0;
    if realtime && !matches!(command, FUTEX_WAIT | FUTEX_WAIT_BITSET) {
        return Err(Errno::ENOSYS);
    }
    if !addr.0.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    let futexes = &thread.world.futexes;
    let sharing = if op.0 & PRIVATE != 0 {
        Sharing::Private
    } else {
        Sharing::Either
    };
    let key = Key::of(thread, addr.0, sharing);
    match command {
        FUTEX_WAIT | FUTEX_WAIT_BITSET => {
            let limit = timeout(thread, In(GuestPtr::<Timespec>::new(limit.0)))?;
            let bits = if command == FUTEX_WAIT {
                u32::MAX
            } else {
                value3.0
            };
            if bits == 0 {
                return Err(Errno::EINVAL);
            }
            let deadline = match (limit, command, realtime) {
                (None, ..) => Deadline::Never,
                // FUTEX_WAIT counts from now, FUTEX_WAIT_BITSET names a point in time.
                (Some(limit), FUTEX_WAIT, _) => Deadline::after(limit),
                (Some(limit), _, true) => Deadline::at(limit, ClockId::Realtime),
                (Some(limit), _, false) => Deadline::at(limit, ClockId::Monotonic),
            };
            let memory = thread.memory();
            let unchanged = || Ok(memory.load_u32(GuestPtr::new(addr.0))? == value.0);
            futexes
                .wait(thread, key, bits, unchanged, deadline)
                .map(|()| 0)
        }
        FUTEX_WAKE => Ok(futexes.wake(key, value.0, u32::MAX)),
        FUTEX_WAKE_BITSET if value3.0 == 0 => Err(Errno::EINVAL),
        FUTEX_WAKE_BITSET => Ok(futexes.wake(key, value.0, value3.0)),
        FUTEX_REQUEUE | FUTEX_CMP_REQUEUE => {
            // The fourth argument is a number here.
            let moved = limit.0;
            if value.0.cast_signed() < 0 || moved.cast_signed() < 0 || !addr2.0.is_multiple_of(4) {
                return Err(Errno::EINVAL);
            }
            let memory = thread.memory();
            let unchanged = || match command {
                FUTEX_CMP_REQUEUE => Ok(memory.load_u32(GuestPtr::new(addr.0))? == value3.0),
                _ => Ok(true),
            };
            let counts = (value.0, moved);
            let (woken, requeued) =
                futexes.requeue(key, Key::of(thread, addr2.0, sharing), counts, unchanged)?;
            Ok(if command == FUTEX_REQUEUE {
                woken
            } else {
                woken + requeued
            })
        }
        _ => Err(Errno::ENOSYS),
    }
}
