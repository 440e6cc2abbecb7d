//! futex(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::futex::{
    FUTEX_CMP_REQUEUE, FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_REQUEUE,
    FUTEX_TRYLOCK_PI, FUTEX_UNLOCK_PI, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI,
    FUTEX_WAKE, FUTEX_WAKE_BITSET, FUTEX_WAKE_OP,
};
use rawposix_abi::structs::Timespec;
use rawposix_memory::GuestPtr;
use rustix::time::ClockId;

use super::args::{FutexOp, Hex, In, Ptr, Uint};
pub(super) use super::futex_waitv::futex_waitv;
use super::time::timeout;
use crate::futex::{Deadline, Key, Patience, Sharing};
use crate::thread::Thread;

/// `FUTEX_PRIVATE_FLAG` and `FUTEX_CLOCK_REALTIME`.
const PRIVATE: u32 = 128;
const REALTIME: u32 = 256;

/// Whether the operation waits for a lock whose word names the owner, until a point in time: what interrupts it, it goes
/// on afterwards.
pub(crate) fn futex_waits_for_lock(operation: u32) -> bool {
    matches!(
        operation & !(PRIVATE | REALTIME),
        FUTEX_LOCK_PI | FUTEX_LOCK_PI2 | FUTEX_WAIT_REQUEUE_PI
    )
}

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
    let has_clock = matches!(
        command,
        FUTEX_WAIT_BITSET | FUTEX_LOCK_PI2 | FUTEX_WAIT_REQUEUE_PI
    );
    if realtime && !has_clock {
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
        FUTEX_WAKE => futexes.wake(key, value.0, u32::MAX),
        FUTEX_WAKE_BITSET if value3.0 == 0 => Err(Errno::EINVAL),
        FUTEX_WAKE_BITSET => futexes.wake(key, value.0, value3.0),
        FUTEX_REQUEUE | FUTEX_CMP_REQUEUE => {
            // The fourth argument is a number here.
            let moved = limit.0;
            if value.0.cast_signed() < 0 || moved.cast_signed() < 0 || !addr2.0.is_multiple_of(4) {
                return Err(Errno::EINVAL);
            }
            let memory = thread.memory();
            memory.load_u32(GuestPtr::new(addr2.0))?;
            let unchanged = || match command {
                FUTEX_CMP_REQUEUE => Ok(memory.load_u32(GuestPtr::new(addr.0))? == value3.0),
                _ => Ok(true),
            };
            let counts = (value.0, moved);
            let (woken, requeued) =
                futexes.requeue(key, Key::of(thread, addr2.0, sharing), counts, unchanged)?;
            // The manual says otherwise of FUTEX_REQUEUE, but the kernel counts both for it, too.
            Ok(woken + requeued)
        }
        FUTEX_WAIT_REQUEUE_PI => {
            let limit = timeout(thread, In(GuestPtr::<Timespec>::new(limit.0)))?;
            if addr.0 == addr2.0 || !addr2.0.is_multiple_of(4) {
                return Err(Errno::EINVAL);
            }
            let clock = if realtime {
                ClockId::Realtime
            } else {
                ClockId::Monotonic
            };
            let deadline = limit.map_or(Deadline::Never, |limit| Deadline::at(limit, clock));
            let memory = thread.memory();
            memory.load_u32(GuestPtr::new(addr2.0))?;
            let unchanged = || Ok(memory.load_u32(GuestPtr::new(addr.0))? == value.0);
            let keys = [key, Key::of(thread, addr2.0, sharing)];
            futexes
                .wait_for_lock(thread, keys, unchanged, deadline)
                .map(|()| 0)
        }
        FUTEX_CMP_REQUEUE_PI => {
            // The fourth argument is a number here; the third is how many take the lock at once.
            let moved = limit.0;
            let keys = [key, Key::of(thread, addr2.0, sharing)];
            if value.0 != 1
                || moved.cast_signed() < 0
                || !addr2.0.is_multiple_of(4)
                || keys[0] == keys[1]
            {
                return Err(Errno::EINVAL);
            }
            let memory = thread.memory();
            let unchanged = || Ok(memory.load_u32(GuestPtr::new(addr.0))? == value3.0);
            futexes.requeue_to_lock(thread, keys, addr2.0, moved, unchanged)
        }
        FUTEX_LOCK_PI | FUTEX_LOCK_PI2 => {
            let limit = timeout(thread, In(GuestPtr::<Timespec>::new(limit.0)))?;
            let clock = if command == FUTEX_LOCK_PI || realtime {
                ClockId::Realtime
            } else {
                ClockId::Monotonic
            };
            let deadline = limit.map_or(Deadline::Never, |limit| Deadline::at(limit, clock));
            let patience = Patience::Until(deadline);
            futexes
                .lock_owned(thread, addr.0, key, patience)
                .map(|()| 0)
        }
        FUTEX_TRYLOCK_PI => futexes
            .lock_owned(thread, addr.0, key, Patience::None)
            .map(|()| 0),
        FUTEX_UNLOCK_PI => futexes.unlock_owned(thread, addr.0, key).map(|()| 0),
        FUTEX_WAKE_OP => {
            if !addr2.0.is_multiple_of(4) {
                return Err(Errno::EINVAL);
            }
            let keys = [key, Key::of(thread, addr2.0, sharing)];
            let operation = Operation::decode(value3.0)?;
            // The fourth argument is a number here.
            let counts = [value.0, limit.0];
            futexes.wake_two(keys, counts, || operation.apply(thread, addr2.0))
        }
        _ => Err(Errno::ENOSYS),
    }
}

/// What `FUTEX_WAKE_OP` does with the second word, and what it compares it with.
struct Operation {
    kind: u32,
    argument: i32,
    comparison: u32,
    compared: i32,
}

impl Operation {
    fn decode(word: u32) -> Result<Self, Errno> {
        /// The argument is the number of a bit.
        const SHIFT: u32 = 8;
        let signed = |bits: u32| ((bits << 20).cast_signed()) >> 20;
        let kind = word >> 28;
        let mut argument = signed(word >> 12 & 0xfff);
        if kind & SHIFT != 0 {
            argument = 1_i32.wrapping_shl((argument & 31).cast_unsigned());
        }
        let operation = Self {
            kind: kind & !SHIFT,
            argument,
            comparison: word >> 24 & 0xf,
            compared: signed(word & 0xfff),
        };
        if operation.kind > 4 || operation.comparison > 5 {
            return Err(Errno::ENOSYS);
        }
        Ok(operation)
    }

    /// Changes the word atomically; says whether its former value compares.
    fn apply(&self, thread: &Thread, address: u32) -> Result<bool, Errno> {
        let word = GuestPtr::<u32>::new(address);
        loop {
            let value = thread.memory().load_u32(word)?;
            let old = value.cast_signed();
            let new = match self.kind {
                0 => self.argument,
                1 => old.wrapping_add(self.argument),
                2 => old | self.argument,
                3 => old & !self.argument,
                _ => old ^ self.argument,
            };
            let done = thread
                .memory()
                .compare_exchange_u32(word, value, new.cast_unsigned())?;
            if done.is_err() {
                continue;
            }
            return Ok(match self.comparison {
                0 => old == self.compared,
                1 => old != self.compared,
                2 => old < self.compared,
                3 => old <= self.compared,
                4 => old > self.compared,
                _ => old >= self.compared,
            });
        }
    }
}
