//! What becomes of the locks that a thread holds when it ends, see get_robust_list(2) and the kernel's
//! Documentation/locking/robust-futexes.

use rawposix_abi::Errno;
use rawposix_memory::GuestPtr;

use super::{Key, Sharing};
use crate::thread::Thread;

/// Bits of a lock's word.
const TID_MASK: u32 = 0x3fff_ffff;
const OWNER_DIED: u32 = 0x4000_0000;
const WAITERS: u32 = 0x8000_0000;
/// As many entries are looked at, as the list may be a circle.
const LIMIT: usize = 2048;

/// `struct robust_list_head`.
struct Head {
    first: u32,
    /// From an entry to its lock's word.
    offset: u32,
    /// The entry that was being locked or unlocked.
    pending: u32,
}

/// Marks every lock on the thread's list that it still holds, and wakes one that waits for it.
/// A list that cannot be read ends there; the guest made it.
pub(crate) fn release(thread: &Thread) {
    let _ = walk(thread);
}

fn walk(thread: &Thread) -> Result<(), Errno> {
    let list = thread.robust_list;
    let [first, offset, pending] = thread.memory().read(GuestPtr::<[u32; 3]>::new(list))?;
    let head = Head {
        first,
        offset,
        pending,
    };
    let mut entry = head.first;
    for _ in 0..LIMIT {
        // The lowest bit says that the lock inherits priorities.
        let at = entry & !1;
        if at == list {
            break;
        }
        // The lock may be unlocked as soon as it is marked, and the entry with it.
        let next = thread.memory().read(GuestPtr::<u32>::new(at));
        if at != head.pending & !1 {
            release_lock(thread, at.wrapping_add(head.offset), Pending::No)?;
        }
        entry = next?;
    }
    if head.pending & !1 != 0 {
        release_lock(
            thread,
            (head.pending & !1).wrapping_add(head.offset),
            Pending::Yes,
        )?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Yes,
    No,
}

fn release_lock(thread: &Thread, address: u32, pending: Pending) -> Result<(), Errno> {
    if !address.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    let word = GuestPtr::<u32>::new(address);
    let wake = || {
        let key = Key::of(thread, address, Sharing::Either);
        thread.world.futexes.wake(key, 1, u32::MAX);
    };
    loop {
        let value = thread.memory().load_u32(word)?;
        if pending == Pending::Yes && value & TID_MASK == 0 {
            // It was unlocked, but the wake-up may not have been sent.
            wake();
            return Ok(());
        }
        if value & TID_MASK != thread.tid().0.cast_unsigned() {
            return Ok(());
        }
        let marked = value & WAITERS | OWNER_DIED;
        if thread
            .memory()
            .compare_exchange_u32(word, value, marked)?
            .is_ok()
        {
            if value & WAITERS != 0 {
                wake();
            }
            return Ok(());
        }
    }
}
