//! The short way of the most frequent system calls: reads and writes of what the host reads and writes directly, and waiting for
//! many descriptors.
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
use rawposix_memory::{GuestPtr, GuestSlice};

use rustix::event::epoll;
use rustix::time::Timespec;

use crate::cage::UNLIMITED;
use crate::control::Control;
use crate::fd::{HostFile, Object, OpenFile, Origin};
use crate::fs::device::Device;
use crate::syscall::args::access_mode;
use crate::syscall::{is_special, is_special_to_write, write_events};
use crate::thread::Thread;

/// The calls, by their numbers.
const EPOLL_PWAIT: i32 = 22;
const READ: i32 = 63;
const WRITE: i32 = 64;
const PREAD: i32 = 67;
const PWRITE: i32 = 68;

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

/// What a call moves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Read,
    Write,
}

impl Thread {
    /// Performs a system call if it goes the short way.
    #[inline(always)]
    pub(crate) fn quickly(&mut self, number: i32, words: [u32; 6]) -> Option<Control> {
        match number {
            READ | PREAD => self.move_quickly(Direction::Read, number, words),
            WRITE | PWRITE => self.move_quickly(Direction::Write, number, words),
            EPOLL_PWAIT => self.wait_quickly(words),
            _ => None,
        }
    }

    #[inline(always)]
    fn move_quickly(
        &mut self,
        direction: Direction,
        number: i32,
        words: [u32; 6],
    ) -> Option<Control> {
        self.task.host.enter();
        let [fd, address, count, low, high, _] = words;
        let mut shared = None;
        let file = quick_file!(self, fd, shared);
        let Object::Host(host) = file.as_opened() else {
            return None;
        };
        let range = GuestSlice::new(GuestPtr::new(address), count);
        let has_offset = matches!(number, PREAD | PWRITE);
        match host.short_way(direction) {
            ShortWay::Device(device) if !has_offset => {
                let moved = Ok(self.use_device(device, file, direction, range)?);
                self.count(direction, moved);
                return Some(self.leave_quickly(number, words, moved));
            }
            ShortWay::None | ShortWay::Device(_) => return None,
            ShortWay::Host => {}
        }
        let is_limited = self.process.file_size_limit() != UNLIMITED || host.quota.is_some();
        if direction == Direction::Write && is_limited {
            return None;
        }
        let fd = host.fd.as_fd();
        let at = (u64::from(high) << 32 | u64::from(low)).cast_signed();
        let result = self.task.host.block(|| match (direction, has_offset) {
            (Direction::Read, false) => self.space.read_fd(fd, range),
            (Direction::Write, false) => self.space.write_fd(fd, range),
            (Direction::Read, true) => self.space.pread_fd(fd, range, at),
            (Direction::Write, true) => self.space.pwrite_fd(fd, range, at),
        });
        let room = usize::try_from(count).unwrap_or(usize::MAX);
        let result = match direction {
            Direction::Read => host.received(result, room),
            Direction::Write => self.broken_pipe(host.sent(result, room)),
        };
        drop(shared);
        self.count(direction, result);
        Some(self.leave_quickly(number, words, result))
    }

    #[inline(always)]
    fn count(&self, direction: Direction, result: Result<usize, Errno>) {
        match direction {
            Direction::Read => self.task.transfers.has_read(result),
            Direction::Write => self.task.transfers.has_written(result),
        }
    }

    /// epoll_pwait(2) without a mask, and without a time that would have to be measured.
    ///
    /// Not inlined, for its buffer's sake.
    #[inline(never)]
    fn wait_quickly(&mut self, words: [u32; 6]) -> Option<Control> {
        const MOST: usize = crate::syscall::FEW_EVENTS;
        let [fd, events, max, milliseconds, mask, _] = words;
        if mask != 0 || max.cast_signed() <= 0 || milliseconds.cast_signed() > 0 {
            return None;
        }
        self.task.host.enter();
        let mut shared = None;
        let file = quick_file!(self, fd, shared);
        let Object::Host(host) = file.as_opened() else {
            return None;
        };
        let set = host.fd.as_fd();
        let limit = (milliseconds == 0).then(Timespec::default);
        let mut room = [const { MaybeUninit::<epoll::Event>::uninit() }; MOST];
        let room = room.get_mut(..usize::try_from(max).ok()?)?;
        let result = self.task.host.block(|| {
            let (ready, _) = epoll::wait(set, room, limit.as_ref())?;
            Ok::<_, Errno>(ready)
        });
        let result = result.and_then(|ready| {
            write_events(&self.space, GuestPtr::new(events), ready)?;
            Ok(ready.len())
        });
        drop(shared);
        Some(self.leave_quickly(EPOLL_PWAIT, words, result))
    }

    #[inline(always)]
    fn leave_quickly(
        &mut self,
        number: i32,
        words: [u32; 6],
        result: Result<usize, Errno>,
    ) -> Control {
        let word = match result {
            Ok(count) => Ok(i32::try_from(count).unwrap_or(i32::MAX)),
            Err(errno) => Err(errno),
        };
        match word {
            Ok(word) if self.saved_mask.is_none() && self.task.host.leave().is_ok() => {
                Control::Return(word)
            }
            word => self.leave_the_long_way(number, words, word),
        }
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
        direction: Direction,
        range: GuestSlice<u8>,
    ) -> Option<usize> {
        /// More may take long, and then signals end the call early.
        const MOST: u32 = 1 << 16;
        let mode = access_mode(file.flags);
        let allowed = match direction {
            Direction::Read => mode != OpenFlags::WRONLY.bits(),
            Direction::Write => mode != 0,
        };
        if !allowed || range.len() > MOST {
            return None;
        }
        match (direction, device) {
            (Direction::Read, Device::Zero) => {
                self.space.zero(range.start(), range.len()).ok()?;
            }
            (Direction::Write, Device::Zero | Device::Null) => {
                self.space.check_range(range).ok()?;
            }
            _ => return None,
        }
        usize::try_from(range.len()).ok()
    }
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
    fn short_way(&self, direction: Direction) -> ShortWay {
        match (&self.origin, direction) {
            (Origin::Mount(_) | Origin::Stream | Origin::Nameless(_), _) => ShortWay::Host,
            (Origin::Device(device @ (Device::Zero | Device::Null)), _) => {
                ShortWay::Device(*device)
            }
            (Origin::Socket(_), Direction::Read) if !is_special(self) => ShortWay::Host,
            (Origin::Socket(_), Direction::Write) if !is_special_to_write(self) => ShortWay::Host,
            _ => ShortWay::None,
        }
    }
}
