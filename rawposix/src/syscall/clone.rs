//! Making threads and processes. See clone(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::CloneFlags;
use rawposix_abi::structs::CloneArgs;
use rawposix_memory::GuestPtr;

use super::args::{CloneWord, Len, Ptr};
use crate::clone::{CloneArguments, EXIT_SIGNAL, Entry, Handlers};
use crate::thread::{Step, Thread};

/// Sizes of `struct clone_args`: of its first version, of the last known one, and a page, more than which the kernel
/// does not look at.
const FIRST_SIZE: u32 = 64;
const KNOWN_SIZE: usize = 88;
const LARGEST_SIZE: u32 = 4096;

/// `CLONE_CLEAR_SIGHAND`, a flag of clone3(2) only.
const CLEAR_SIGHAND: u64 = 1 << 32;

/// A child with a stack would have to return from this call on that stack, which compiled code cannot do: it keeps
/// addresses of variables on the old one. The import `lind.clone` calls a function instead.
fn without_stack(stack: u64) -> Result<(), Errno> {
    if stack == 0 {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

pub(super) fn clone(
    thread: &mut Thread,
    flags: CloneWord,
    stack: Ptr,
    ptid: Ptr,
    tls: Ptr,
    ctid: Ptr,
) -> Result<i32, Errno> {
    let _ = tls;
    without_stack(u64::from(stack.0))?;
    let exit_signal = flags.0 & EXIT_SIGNAL;
    let flags = CloneFlags::from_bits_retain(flags.0 & !EXIT_SIGNAL);
    if flags.contains(CloneFlags::SETTLS) {
        return Err(Errno::EINVAL);
    }
    let arguments = CloneArguments {
        flags,
        handlers: Handlers::Kept,
        exit_signal,
        entry: Entry::Here,
        pidfd: ptid.0,
        parent_tid: ptid.0,
        child_tid: ctid.0,
    };
    if arguments.wants_both_in_one_place() {
        return Err(Errno::EINVAL);
    }
    let request = thread.prepare_child(arguments)?;
    thread.step = Some(Step::Clone(Box::new(request)));
    Ok(0)
}

/// The import `lind.clone`.
pub(super) fn from_block(thread: &mut Thread, [block, ..]: [u32; 6]) -> Result<i32, Errno> {
    thread.prepare_from_block(block)
}

pub(super) fn clone3(thread: &mut Thread, args: Ptr, size: Len) -> Result<i32, Errno> {
    if size.0 > LARGEST_SIZE {
        return Err(Errno::E2BIG);
    }
    if size.0 < FIRST_SIZE {
        return Err(Errno::EINVAL);
    }
    let given: CloneArgs = thread.memory().read(GuestPtr::new(args.0))?;
    let mut rest = vec![0; usize::try_from(size.0 - FIRST_SIZE).unwrap_or(0)];
    let after = args.0.checked_add(FIRST_SIZE).ok_or(Errno::EFAULT)?;
    thread
        .memory()
        .read_bytes(GuestPtr::new(after), &mut rest)?;
    let (known, newer) = rest.split_at(rest.len().min(KNOWN_SIZE - size_of::<CloneArgs>()));
    let is_set = |bytes: &[u8]| bytes.iter().any(|byte| *byte != 0);
    if is_set(newer) {
        return Err(Errno::E2BIG);
    }
    if is_set(known) {
        // Ids to be given, a cgroup: nothing that an ordinary user has.
        return Err(Errno::EINVAL);
    }
    without_stack(given.stack)?;
    let handlers = if given.flags & CLEAR_SIGHAND == 0 {
        Handlers::Kept
    } else {
        Handlers::Cleared
    };
    let flags = u32::try_from(given.flags & !CLEAR_SIGHAND).map_err(|_| Errno::EINVAL)?;
    let exit_signal = u32::try_from(given.exit_signal).map_err(|_| Errno::EINVAL)?;
    if flags & EXIT_SIGNAL != 0 || given.stack_size != 0 {
        return Err(Errno::EINVAL);
    }
    let flags = CloneFlags::from_bits_retain(flags);
    if handlers == Handlers::Cleared && flags.contains(CloneFlags::SIGHAND) {
        return Err(Errno::EINVAL);
    }
    let no_signal = CloneFlags::THREAD | CloneFlags::PARENT;
    if flags.contains(CloneFlags::SETTLS) || (flags.intersects(no_signal) && exit_signal != 0) {
        return Err(Errno::EINVAL);
    }
    let address = |word: u64| u32::try_from(word).map_err(|_| Errno::EFAULT);
    let request = thread.prepare_child(CloneArguments {
        flags,
        handlers,
        exit_signal,
        entry: Entry::Here,
        pidfd: address(given.pidfd)?,
        parent_tid: address(given.parent_tid)?,
        child_tid: address(given.child_tid)?,
    })?;
    thread.step = Some(Step::Clone(Box::new(request)));
    Ok(0)
}
