//! What becomes of the locks that a thread holds when it ends, see get_robust_list(2) and the kernel's
//! Documentation/locking/robust-futexes.

use rawposix_abi::Errno;
use rawposix_memory::GuestPtr;

use super::pi::{OWNER_DIED, TID_MASK, WAITERS};
use super::{Key, Sharing};
use crate::thread::Thread;

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
    let list = thread.robust_list();
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
            let lock = at.wrapping_add(head.offset);
            release_lock(thread, lock, Pending::No, Kind::of(entry))?;
        }
        entry = next?;
    }
    if head.pending & !1 != 0 {
        let lock = (head.pending & !1).wrapping_add(head.offset);
        release_lock(thread, lock, Pending::Yes, Kind::of(head.pending))?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    Yes,
    No,
}

/// Whether the word is one of `FUTEX_LOCK_PI`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Owned,
}

impl Kind {
    /// The lowest bit of a list's pointer tells.
    fn of(pointer: u32) -> Self {
        if pointer & 1 == 0 {
            Self::Plain
        } else {
            Self::Owned
        }
    }
}

fn release_lock(thread: &Thread, address: u32, pending: Pending, kind: Kind) -> Result<(), Errno> {
    if !address.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    let word = GuestPtr::<u32>::new(address);
    let wake = || {
        let key = Key::of(thread, address, Sharing::Either);
        // Who waits for the lock of another kind is not woken; the guest mixed them.
        let _ = thread.world.futexes.wake(key, 1, u32::MAX);
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
        if kind == Kind::Owned && value & WAITERS != 0 {
            let key = Key::of(thread, address, Sharing::Either);
            let futexes = &thread.world.futexes;
            match futexes.hand_over(thread, address, key, OWNER_DIED) {
                // Nobody waits for the lock itself: it is marked and no more.
                Err(Errno::EINVAL) => {}
                result => return result,
            }
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
