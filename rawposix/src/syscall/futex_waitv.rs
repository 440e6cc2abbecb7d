//! Waiting for the first of several futexes. See futex_waitv(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::clock::{CLOCK_MONOTONIC, CLOCK_REALTIME};
use rawposix_abi::structs::{FutexWaitv, Timespec};
use rawposix_memory::{GuestPtr, GuestSlice};

use super::args::{ClockId, Hex, In, Ptr, Uint};
use super::time::{host_clock, timeout};
use crate::futex::{Deadline, Key, Sharing};
use crate::thread::Thread;

/// `FUTEX_WAITV_MAX`
const MOST: u32 = 128;
/// `FUTEX_32` and `FUTEX_PRIVATE_FLAG`
const WORD: u32 = 2;
const PRIVATE: u32 = 128;

pub(super) fn futex_waitv(
    thread: &mut Thread,
    waiters: Ptr,
    count: Uint,
    flags: Hex,
    limit: In<Timespec>,
    clockid: ClockId,
) -> Result<usize, Errno> {
    if flags.0 != 0 || waiters.0 == 0 || !(1..=MOST).contains(&count.0) {
        return Err(Errno::EINVAL);
    }
    let deadline = if limit.0.is_null() {
        Deadline::Never
    } else {
        if !matches!(clockid.0, CLOCK_REALTIME | CLOCK_MONOTONIC) {
            return Err(Errno::EINVAL);
        }
        let limit = timeout(thread, limit)?;
        let clock = host_clock(clockid.0)?;
        limit.map_or(Deadline::Never, |limit| Deadline::at(limit, clock))
    };
    let list = GuestSlice::new(GuestPtr::<FutexWaitv>::new(waiters.0), count.0);
    let list = thread.memory().read_slice(list)?;
    let mut words = Vec::with_capacity(list.len());
    for waiter in &list {
        if waiter.flags & !(WORD | PRIVATE) != 0 || waiter.flags & WORD == 0 || waiter.reserved != 0
        {
            return Err(Errno::EINVAL);
        }
        let address = u32::try_from(waiter.address).map_err(|_| Errno::EFAULT)?;
        if !address.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let sharing = match waiter.flags & PRIVATE {
            0 => Sharing::Either,
            _ => Sharing::Private,
        };
        words.push((
            Key::of(thread, address, sharing),
            GuestPtr::<u32>::new(address),
            // Only the low half of a value is compared.
            u32::try_from(waiter.value & 0xffff_ffff).unwrap_or(0),
        ));
    }
    let keys: Vec<Key> = words.iter().map(|(key, ..)| *key).collect();
    let unchanged = |place: usize| {
        let (_, word, value) = words.get(place).ok_or(Errno::EINVAL)?;
        Ok(thread.memory().load_u32(*word)? == *value)
    };
    let futexes = &thread.world.futexes;
    futexes.wait_many(thread, &keys, unchanged, deadline)
}
