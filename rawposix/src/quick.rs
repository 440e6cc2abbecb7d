//! The short way of the most frequent system calls: reads and writes of what the host reads and writes directly, and waiting for
//! many descriptors.
//!
//! Everything between the guest's code and the host's call is compiled into one function, which the guest's code calls itself
//! (`Thread::syscall_here`).
//!
//! It does what the handlers do, and leaves to them whatever they do differently: sockets with messages, terminals in the
//! background, file size limits, errors, traces, filtered calls. It is short in the sense of
//! the processor: from the host's call to the guest's next instruction there are as few returns as possible, see
//! `rawposix_memory`'s `raw`, and no lock and no count is taken by a thread that is the only user of its descriptors.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rawposix_memory::{GuestPtr, GuestSlice, Transfer, epoll_wait};

use crate::cage::UNLIMITED;
use crate::fd::{HostFile, Object, OpenFile, Origin};
use crate::fs::device::Device;
use crate::syscall::args::access_mode;
use crate::syscall::{FEW_EVENTS, is_special, is_special_to_write, write_events};
use crate::thread::Thread;

/// The calls, by their numbers.
const EPOLL_PWAIT: i32 = 22;
const READ: i32 = 63;
const WRITE: i32 = 64;
const PREAD: i32 = 67;
const PWRITE: i32 = 68;

/// The bit in which a number less `READ` says that the call writes, and the one that it has an offset.
const BIT_WRITES: i32 = 1;
const BIT_OFFSET: i32 = 4;
const _: () = assert!(
    WRITE == READ + BIT_WRITES
        && PREAD == READ + BIT_OFFSET
        && PWRITE == READ + BIT_WRITES + BIT_OFFSET
);

/// The open file that a descriptor refers to, remembered or held by `$shared`; leaves the function if there is none.
macro_rules! quick_file {
    ($thread:ident, $fd:ident, $shared:ident) => {{
        let fd = $fd.cast_signed();
        if $thread.recent.get(fd).is_none() {
            $shared = $thread.find(fd)?;
        }
        match &$shared {
            Some(file) => &**file,
            None => $thread.recent.get(fd)?,
        }
    }};
}

/// How many descriptors are remembered: those with different remainders.
const SLOTS: usize = 4;

/// What a thread has read and written lately. It is empty during every system call that goes the long way, so that
/// nothing that changes descriptors meets a reference here; and it stays empty in a thread that shares its descriptors
/// with another one, which could change them meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    slots: [Option<(i32, Arc<OpenFile>)>; SLOTS],
    used: bool,
}

impl Recent {
    #[inline(always)]
    fn get(&self, fd: i32) -> Option<&OpenFile> {
        let slot = self.slots.get(Self::place(fd))?.as_ref()?;
        (slot.0 == fd).then_some(&*slot.1)
    }

    fn set(&mut self, fd: i32, file: Arc<OpenFile>) {
        if let Some(slot) = self.slots.get_mut(Self::place(fd)) {
            *slot = Some((fd, file));
            self.used = true;
        }
    }

    /// Forgets everything.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if self.used {
            *self = Self::default();
        }
    }

    #[inline(always)]
    fn place(fd: i32) -> usize {
        usize::try_from(fd.cast_unsigned()).unwrap_or(0) % SLOTS
    }
}

impl Thread {
    /// The result of a system call that goes the short way. `None` if it does not, or if it did and the thread does
    /// something else than return: then that is in `Thread::control`.
    #[inline(always)]
    pub(crate) fn quickly(&mut self, number: i32, words: [u32; 6]) -> Option<i32> {
        // The numbers of reads and writes differ in two bits; so nothing depends on a jump.
        let bits = number.wrapping_sub(READ);
        if bits & !(BIT_WRITES | BIT_OFFSET) == 0 {
            let transfer = Transfer::new(bits & BIT_WRITES != 0, bits & BIT_OFFSET != 0);
            self.move_quickly(transfer, number, words)
        } else if number == EPOLL_PWAIT {
            self.wait_quickly(words)
        } else {
            None
        }
    }

    #[inline(always)]
    fn move_quickly(&mut self, transfer: Transfer, number: i32, words: [u32; 6]) -> Option<i32> {
        self.task.host.enter();
        let [fd, address, count, low, high, _] = words;
        let mut shared = None;
        let file = quick_file!(self, fd, shared);
        let Object::Host(host) = file.as_opened() else {
            return None;
        };
        let range = GuestSlice::new(GuestPtr::new(address), count);
        match host.short_way(transfer) {
            ShortWay::Device(device) if !transfer.has_offset() => {
                let moved = Ok(self.use_device(device, file, transfer, range)?);
                self.count(transfer, moved);
                return self.leave_quickly(number, words, moved);
            }
            ShortWay::None | ShortWay::Device(_) => return None,
            ShortWay::Host => {}
        }
        if transfer.writes()
            && (self.process.file_size_limit() != UNLIMITED || host.quota.is_some())
        {
            return None;
        }
        let at = if transfer.has_offset() {
            (u64::from(high) << 32 | u64::from(low)).cast_signed()
        } else {
            0
        };
        self.task.host.begin_block();
        let result = self.space.transfer_fd(host.fd.as_fd(), range, transfer, at);
        self.task.host.end_block();
        let room = usize::try_from(count).unwrap_or(usize::MAX);
        let result = if transfer.writes() {
            self.broken_pipe(host.sent(result, room))
        } else {
            host.received(result, room)
        };
        drop(shared);
        self.count(transfer, result);
        self.leave_quickly(number, words, result)
    }

    #[inline(always)]
    fn count(&self, transfer: Transfer, result: Result<usize, Errno>) {
        if transfer.writes() {
            self.task.transfers.has_written(result);
        } else {
            self.task.transfers.has_read(result);
        }
    }

    /// epoll_pwait(2) without a mask, and without a time that would have to be measured.
    #[inline(always)]
    fn wait_quickly(&mut self, words: [u32; 6]) -> Option<i32> {
        /// Events for which there is room in the frame that all short calls share.
        const FEW: usize = 8;
        let [_, _, max, milliseconds, mask, _] = words;
        let max = usize::try_from(max.cast_signed()).unwrap_or(0);
        let most = 1..=FEW_EVENTS;
        if mask != 0 || !most.contains(&max) || milliseconds.cast_signed() > 0 {
            return None;
        }
        if max > FEW {
            let (first, second, third) = pack(words);
            return self.wait_for_many(first, second, third, max);
        }
        self.wait_for::<FEW>(words, max)
    }

    /// Not inlined, for its room's sake.
    #[inline(never)]
    fn wait_for_many(&mut self, first: u64, second: u64, third: u64, max: usize) -> Option<i32> {
        self.wait_for::<FEW_EVENTS>(unpack((first, second, third)), max)
    }

    #[inline(always)]
    fn wait_for<const MOST: usize>(&mut self, words: [u32; 6], max: usize) -> Option<i32> {
        self.task.host.enter();
        let [fd, events, _, milliseconds, _, _] = words;
        let mut shared = None;
        let file = quick_file!(self, fd, shared);
        let Object::Host(host) = file.as_opened() else {
            return None;
        };
        let mut room = [const { MaybeUninit::uninit() }; MOST];
        let room = room.get_mut(..max)?;
        self.task.host.begin_block();
        let result = epoll_wait(host.fd.as_fd(), room, milliseconds.cast_signed());
        self.task.host.end_block();
        let result = result.and_then(|ready| {
            let events = GuestPtr::new(events);
            write_events(
                &self.space,
                events,
                ready.iter().map(|event| (event.events, event.u64)),
            )?;
            Ok(ready.len())
        });
        drop(shared);
        self.leave_quickly(EPOLL_PWAIT, words, result)
    }

    #[inline(always)]
    fn leave_quickly(
        &mut self,
        number: i32,
        words: [u32; 6],
        result: Result<usize, Errno>,
    ) -> Option<i32> {
        let result = result.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        if let Ok(word) = result
            && self.saved_mask.is_none()
            && self.task.host.leave().is_ok()
        {
            return Some(word);
        }
        let (first, second, third) = pack(words);
        self.leave_the_long_way(number, first, second, third, result)
    }

    /// Finds an open file: remembers it, or gives it if other threads could close it. `None` for what goes the long way.
    #[inline(never)]
    fn find(&mut self, fd: i32) -> Option<Option<Arc<OpenFile>>> {
        if self.world.tracer.is_some() || self.task.seccomp.is_on() {
            return None;
        }
        let file = self.file(fd).ok()?;
        if self.process.has_own_files() && self.process.is_single() {
            self.recent.set(fd, file);
            Some(None)
        } else {
            Some(Some(file))
        }
    }

    /// Reads or writes a device that needs no host; `None` if it does after all.
    #[inline(never)]
    fn use_device(
        &self,
        device: Device,
        file: &OpenFile,
        transfer: Transfer,
        range: GuestSlice<u8>,
    ) -> Option<usize> {
        /// More may take long, and then signals end the call early.
        const MOST: u32 = 1 << 16;
        let mode = access_mode(file.flags);
        let allowed = if transfer.writes() {
            mode != 0
        } else {
            mode != OpenFlags::WRONLY.bits()
        };
        if !allowed || range.len() > MOST {
            return None;
        }
        match (transfer.writes(), device) {
            (false, Device::Zero) => {
                self.space.zero(range.start(), range.len()).ok()?;
            }
            (true, Device::Zero | Device::Null) => {
                self.space.check_range(range).ok()?;
            }
            _ => return None,
        }
        usize::try_from(range.len()).ok()
    }
}

/// Argument words as two in one, for functions that the short way hardly ever calls: an array would have to be in memory for
/// them, always.
#[inline(always)]
pub(crate) fn pack([a, b, c, d, e, f]: [u32; 6]) -> Packed {
    let two = |low, high| u64::from(low) | u64::from(high) << 32;
    (two(a, b), two(c, d), two(e, f))
}

/// See [`pack`].
pub(crate) type Packed = (u64, u64, u64);

/// The words that were packed.
pub(crate) fn unpack((first, second, third): Packed) -> [u32; 6] {
    /// The lower half of a number.
    fn low(two: u64) -> u32 {
        u32::try_from(two & u64::from(u32::MAX)).unwrap_or(0)
    }
    let high = |two: u64| low(two >> 32);
    [
        low(first),
        high(first),
        low(second),
        high(second),
        low(third),
        high(third),
    ]
}

/// How a file is read or written.
enum ShortWay {
    /// By its handler.
    None,
    /// By rawposix.
    Device(Device),
    /// By the host.
    Host,
}

impl HostFile {
    #[inline(always)]
    fn short_way(&self, transfer: Transfer) -> ShortWay {
        match &self.origin {
            Origin::Mount(_) | Origin::Stream | Origin::Nameless(_) => ShortWay::Host,
            _ => self.special_way(transfer),
        }
    }

    /// Not inlined: the processor has less to predict where nothing is special.
    #[inline(never)]
    fn special_way(&self, transfer: Transfer) -> ShortWay {
        match (&self.origin, transfer.writes()) {
            (Origin::Device(device @ (Device::Zero | Device::Null)), _) => {
                ShortWay::Device(*device)
            }
            (Origin::Socket(_), false) if !is_special(self) => ShortWay::Host,
            (Origin::Socket(_), true) if !is_special_to_write(self) => ShortWay::Host,
            _ => ShortWay::None,
        }
    }
}
