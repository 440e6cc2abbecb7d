//! Making threads and processes. See clone(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::CloneFlags;
use rawposix_abi::structs::CloneArgs;
use rawposix_memory::GuestPtr;
use zerocopy::IntoBytes;

use super::args::{CloneWord, Len, Ptr};
use super::extensible;
use crate::cage::family::PID_MAX;
use crate::clone::{CloneArguments, EXIT_SIGNAL, Entry, Handlers};
use crate::thread::{Step, Thread};

/// Bytes of the first version of `struct clone_args`.
const FIRST_SIZE: u32 = 64;
/// `MAX_PID_NS_LEVEL`: namespaces in which a child can be given an id.
const MOST_IDS: u64 = 32;

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

/// The ids that a child shall have: where they are, and how many.
fn wanted_ids(thread: &Thread, given: &CloneArgs) -> Result<Vec<i32>, Errno> {
    let count = given.set_tid_size;
    if count > MOST_IDS || (given.set_tid == 0) != (count == 0) {
        return Err(Errno::EINVAL);
    }
    let at = u32::try_from(given.set_tid).map_err(|_| Errno::EFAULT)?;
    let mut ids = vec![0; usize::try_from(count).unwrap_or(0)];
    let bytes = ids.as_mut_bytes();
    thread.memory().read_bytes(GuestPtr::new(at), bytes)?;
    Ok(ids)
}

/// A sandbox is one namespace, and nobody in it has CAP_CHECKPOINT_RESTORE: `EPERM` for an id that could be given.
fn refuse_ids(ids: &[i32]) -> Result<(), Errno> {
    match ids {
        [] => Ok(()),
        [1..=PID_MAX] => Err(Errno::EPERM),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn clone3(thread: &mut Thread, args: Ptr, size: Len) -> Result<i32, Errno> {
    let given: CloneArgs = extensible::read(thread, GuestPtr::new(args.0), size, FIRST_SIZE)?;
    let ids = wanted_ids(thread, &given)?;
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
    refuse_ids(&ids)?;
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
