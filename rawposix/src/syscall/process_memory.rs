//! The memory of other processes. See process_vm_readv(2), process_mrelease(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::{AddressSpace, GuestPtr, GuestSlice, IoVecs};

use super::args::{Fd, Hex, IoVec, Pid, Uint};
use super::pidfd::PidFile;
use crate::thread::Thread;

/// Most bytes that are copied at once, and no more than to the end of a page of either side, so that what lies before a
/// bad page is copied.
const STEP: u32 = AddressSpace::PAGE_SIZE;
/// Most bytes that one call copies, as on Linux.
const MOST: u32 = 0x7fff_f000;

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn process_vm_readv(
    thread: &mut Thread,
    pid: Pid,
    local: IoVec,
    local_count: Uint,
    remote: IoVec,
    remote_count: Uint,
    flags: Hex,
) -> Result<usize, Errno> {
    let plan = Plan::new(thread, (local, local_count), (remote, remote_count), flags)?;
    let other = space_of(thread, pid)?;
    plan.run(|own, theirs, bytes| {
        other.read_bytes(theirs, bytes)?;
        thread.memory().write_bytes(own, bytes)
    })
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn process_vm_writev(
    thread: &mut Thread,
    pid: Pid,
    local: IoVec,
    local_count: Uint,
    remote: IoVec,
    remote_count: Uint,
    flags: Hex,
) -> Result<usize, Errno> {
    let plan = Plan::new(thread, (local, local_count), (remote, remote_count), flags)?;
    let other = space_of(thread, pid)?;
    plan.run(|own, theirs, bytes| {
        thread.memory().read_bytes(own, bytes)?;
        other.write_from_outside(theirs, bytes)
    })
}

/// The memory of the process with a thread of this id, which the caller has to be allowed to look into.
fn space_of(thread: &Thread, pid: Pid) -> Result<Arc<AddressSpace>, Errno> {
    let process = match pid.0 {
        pid if pid > 0 => thread.process_of(pid)?,
        _ => return Err(Errno::ESRCH),
    };
    if process.end().is_some() {
        return Err(Errno::ESRCH);
    }
    if !process.may_be_inspected(&thread.process) {
        return Err(Errno::EPERM);
    }
    Ok(process.space())
}

/// What is copied between two processes.
struct Plan {
    own: IoVecs,
    theirs: IoVecs,
}

impl Plan {
    fn new(
        thread: &Thread,
        own: (IoVec, Uint),
        theirs: (IoVec, Uint),
        flags: Hex,
    ) -> Result<Self, Errno> {
        if flags.0 != 0 {
            return Err(Errno::EINVAL);
        }
        let memory = thread.memory();
        Ok(Self {
            own: memory.read_iovecs(GuestPtr::new(own.0.0), own.1.0)?,
            theirs: memory.read_iovecs(GuestPtr::new(theirs.0.0), theirs.1.0)?,
        })
    }

    /// Copies by steps until one side is at its end; an error counts when nothing was copied before.
    fn run(
        &self,
        mut copy: impl FnMut(GuestPtr<u8>, GuestPtr<u8>, &mut [u8]) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        let mut own = Cursor::new(self.own.ranges());
        let mut theirs = Cursor::new(self.theirs.ranges());
        let mut buffer = vec![0; STEP as usize];
        let mut copied = 0;
        let mut rest = MOST;
        while rest > 0
            && let (Some((to, room)), Some((from, left))) = (own.here(), theirs.here())
        {
            let step = room.min(left).min(rest);
            let size = usize::try_from(step).map_err(|_| Errno::EINVAL)?;
            let bytes = buffer.get_mut(..size).ok_or(Errno::EINVAL)?;
            match copy(to, from, bytes) {
                Ok(()) => copied += size,
                Err(errno) if copied == 0 => return Err(errno),
                Err(_) => break,
            }
            own.advance(step);
            theirs.advance(step);
            rest -= step;
        }
        Ok(copied)
    }
}

/// A place in a list of ranges.
struct Cursor<I> {
    ranges: I,
    addr: u32,
    left: u32,
}

impl<I: Iterator<Item = GuestSlice<u8>>> Cursor<I> {
    fn new(ranges: I) -> Self {
        Self {
            ranges,
            addr: 0,
            left: 0,
        }
    }

    /// The next byte's place, and how many follow it in its page.
    fn here(&mut self) -> Option<(GuestPtr<u8>, u32)> {
        while self.left == 0 {
            let range = self.ranges.next()?;
            (self.addr, self.left) = (range.start().addr(), range.len());
        }
        let in_page = AddressSpace::PAGE_SIZE - self.addr % AddressSpace::PAGE_SIZE;
        Some((GuestPtr::new(self.addr), self.left.min(in_page)))
    }

    fn advance(&mut self, by: u32) {
        self.addr = self.addr.wrapping_add(by);
        self.left = self.left.saturating_sub(by);
    }
}

pub(super) fn process_mrelease(thread: &mut Thread, pidfd: Fd, flags: Hex) -> Result<(), Errno> {
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(pidfd.0)?;
    let pid_file = file.own::<PidFile>().ok_or(Errno::EBADF)?;
    let process = pid_file.process(thread).ok_or(Errno::ESRCH)?;
    if process.end().is_none() {
        return Err(Errno::EINVAL);
    }
    let living = thread.world.family.living();
    if living.iter().any(|other| Arc::ptr_eq(other, &process)) {
        Ok(())
    } else {
        Err(Errno::ESRCH)
    }
}
