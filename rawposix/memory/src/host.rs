//! The reservation: the one place where a guest address becomes a host pointer.
//!
//! Every method takes guest addresses, checks the range against [`SIZE`] and does one host
//! operation on it. Nothing here ever leaves a hole in the reservation: ranges are replaced with
//! MAP_FIXED, so no foreign mapping can appear below a guest address.

use std::ffi::{CStr, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};

use rawposix_abi::Errno;

use crate::fault;

/// Bytes a guest address can name: all 32 bits.
pub(crate) const SIZE: u64 = 1 << 32;
/// Inaccessible bytes behind them: an engine may add an instruction's offset to an address.
pub(crate) const GUARD: u64 = 32 << 20;

/// A range of guest memory that lies inside the reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u64,
}

impl Span {
    /// The `len` bytes at `start`, or EFAULT past the end of the 32-bit space.
    #[inline]
    pub(crate) fn new(start: u32, len: u64) -> Result<Self, Errno> {
        match u64::from(start).checked_add(len) {
            Some(end) if end <= SIZE => Ok(Self { start, len }),
            _ => Err(Errno::EFAULT),
        }
    }

    /// The first address.
    pub(crate) fn start(self) -> u32 {
        self.start
    }

    /// The number of bytes.
    #[inline]
    pub(crate) fn len(self) -> usize {
        // A span has at most 2^32 bytes, which a 64-bit usize holds.
        usize::try_from(self.len).unwrap_or(usize::MAX)
    }
}

/// What a range is mapped to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'fd> {
    /// Private zero pages.
    Anonymous,
    /// A private mapping of a file, from a byte offset on.
    Private(BorrowedFd<'fd>, u64),
    /// A shared mapping of a file, from a byte offset on.
    Shared(BorrowedFd<'fd>, u64),
}

/// Host page protection bits (PROT_READ, PROT_WRITE; never PROT_EXEC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostProtection(libc::c_int);

impl HostProtection {
    pub(crate) const NONE: Self = Self(libc::PROT_NONE);
    pub(crate) const READ: Self = Self(libc::PROT_READ);
    pub(crate) const READ_WRITE: Self = Self(libc::PROT_READ | libc::PROT_WRITE);
}

/// 4 GiB and a guard of host address space, mapped for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Reservation {
    base: NonNull<u8>,
    /// Whether it is still this value that unmaps it.
    owned: bool,
}

// SAFETY: the base is an address, not a reference; all accesses go through the kernel or through
// assembly routines, which any thread may use.
unsafe impl Send for Reservation {}
// SAFETY: as for Send.
unsafe impl Sync for Reservation {}

impl Reservation {
    /// Reserves the address space; nothing in it is accessible.
    ///
    /// Its address is a multiple of its size. A word of an interrupted guest whose lower half is a number of 32 bits may
    /// have the upper half of an address; fork takes such a word for an address in the guest's memory, and
    /// puts the child's in its place. Like this, the lower half stays what it is.
    pub(crate) fn new() -> io::Result<Self> {
        let (size, reserved) = (usize_of(SIZE), total() + usize_of(SIZE));
        // SAFETY: a new mapping at a place the kernel chooses replaces nothing.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                reserved,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let before = start.addr().next_multiple_of(size) - start.addr();
        let base = start.wrapping_byte_add(before);
        // SAFETY: the range is the lower part of the mapping just made, which nobody knows.
        unsafe { release(start, before) };
        // SAFETY: as above, the upper part.
        unsafe { release(base.wrapping_byte_add(total()), reserved - before - total()) };
        NonNull::new(base.cast::<u8>())
            .map(|base| Self { base, owned: true })
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))
    }

    /// Hands the reservation on. What is left of this value is an address.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            base: self.base,
            owned: std::mem::take(&mut self.owned),
        }
    }

    /// The host address of guest address 0.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The host address of a guest address.
    #[inline]
    fn host(&self, addr: u32) -> *mut u8 {
        // Every 32-bit value lies inside the reservation.
        self.base.as_ptr().wrapping_add(addr as usize)
    }

    /// The host range of a span, for direct system calls.
    #[inline]
    pub(crate) fn iovec(&self, span: Span) -> libc::iovec {
        libc::iovec {
            iov_base: self.host(span.start).cast::<c_void>(),
            iov_len: span.len(),
        }
    }

    /// Maps `span` anew, atomically replacing what was there.
    pub(crate) fn map(
        &self,
        span: Span,
        protection: HostProtection,
        source: Source<'_>,
    ) -> Result<(), Errno> {
        let (flags, fd, offset) = match source {
            Source::Anonymous => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0),
            Source::Private(fd, offset) => (libc::MAP_PRIVATE, fd.as_raw_fd(), offset),
            Source::Shared(fd, offset) => (libc::MAP_SHARED, fd.as_raw_fd(), offset),
        };
        let offset = libc::off_t::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
        // SAFETY: the span lies inside this reservation, where no Rust object lives; MAP_FIXED
        // replaces guest pages only.
        let mapped = unsafe {
            libc::mmap(
                self.host(span.start).cast::<c_void>(),
                span.len(),
                protection.0,
                flags | libc::MAP_FIXED | libc::MAP_NORESERVE,
                fd,
                offset,
            )
        };
        if mapped == libc::MAP_FAILED {
            Err(last_errno())
        } else {
            Ok(())
        }
    }

    /// Whether `source` can be mapped so: maps as much of it outside the reservation for a moment.
    pub(crate) fn probe(
        &self,
        span: Span,
        protection: HostProtection,
        source: Source<'_>,
    ) -> Result<(), Errno> {
        let (flags, fd, offset) = match source {
            Source::Anonymous => return Ok(()),
            Source::Private(fd, offset) => (libc::MAP_PRIVATE, fd.as_raw_fd(), offset),
            Source::Shared(fd, offset) => (libc::MAP_SHARED, fd.as_raw_fd(), offset),
        };
        let offset = libc::off_t::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
        // SAFETY: a new mapping at a place the kernel chooses replaces nothing.
        let mapped = unsafe {
            libc::mmap(
                ptr::null_mut(),
                span.len(),
                protection.0,
                flags | libc::MAP_NORESERVE,
                fd,
                offset,
            )
        };
        if mapped == libc::MAP_FAILED {
            return Err(last_errno());
        }
        // SAFETY: the mapping was made above and nobody else knows it.
        check(unsafe { libc::munmap(mapped, span.len()) })
    }

    /// Makes `span` inaccessible and gives its pages back.
    pub(crate) fn unmap(&self, span: Span) -> Result<(), Errno> {
        self.map(span, HostProtection::NONE, Source::Anonymous)
    }

    /// Changes the protection of `span`.
    pub(crate) fn protect(&self, span: Span, protection: HostProtection) -> Result<(), Errno> {
        // SAFETY: the span lies inside this reservation, where no Rust object lives.
        check(unsafe {
            libc::mprotect(
                self.host(span.start).cast::<c_void>(),
                span.len(),
                protection.0,
            )
        })
    }

    /// Moves the pages of `from` to `to` (of the same length), replacing what was there; `from`
    /// stays mapped, without the pages it owned.
    pub(crate) fn move_pages(&self, from: Span, to: u32) -> Result<(), Errno> {
        let to = Span::new(to, from.len)?;
        const MREMAP_DONTUNMAP: libc::c_int = 4;
        // SAFETY: both spans lie inside this reservation, where no Rust object lives;
        // MREMAP_DONTUNMAP keeps the source from becoming a hole.
        let moved = unsafe {
            libc::mremap(
                self.host(from.start).cast::<c_void>(),
                from.len(),
                from.len(),
                libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | MREMAP_DONTUNMAP,
                self.host(to.start).cast::<c_void>(),
            )
        };
        if moved == libc::MAP_FAILED {
            Err(last_errno())
        } else {
            Ok(())
        }
    }

    /// madvise(2) on `span`; only advice that keeps the mapping in place may be passed.
    pub(crate) fn advise(&self, span: Span, advice: HostAdvice) -> Result<(), Errno> {
        // SAFETY: the span lies inside this reservation, where no Rust object lives; the advice
        // changes contents or residency, never the mapping.
        check(unsafe {
            libc::madvise(
                self.host(span.start).cast::<c_void>(),
                span.len(),
                advice as libc::c_int,
            )
        })
    }

    /// Writes the changed pages of shared file mappings in `span` back, and waits for it.
    pub(crate) fn sync(&self, span: Span) -> Result<(), Errno> {
        // SAFETY: the span lies inside this reservation; msync changes no memory.
        check(unsafe {
            libc::msync(
                self.host(span.start).cast::<c_void>(),
                span.len(),
                libc::MS_SYNC,
            )
        })
    }

    /// mincore(2): one byte for each page of `span`, as many as `residency` has.
    pub(crate) fn residency(&self, span: Span, residency: &mut [u8]) -> Result<(), Errno> {
        if residency.len() < span.len().div_ceil(crate::PAGE_SIZE as usize) {
            return Err(Errno::EINVAL);
        }
        // SAFETY: the vector has a byte for each page, checked above.
        check(unsafe {
            libc::mincore(
                self.host(span.start).cast::<c_void>(),
                span.len(),
                residency.as_mut_ptr(),
            )
        })
    }

    /// Copies guest bytes out; EFAULT when a page cannot be read.
    pub(crate) fn read(&self, addr: u32, buffer: &mut [u8]) -> Result<(), Errno> {
        let span = Span::new(addr, buffer.len() as u64)?;
        // SAFETY: the source lies inside the reservation; the destination is ours for its length.
        done(unsafe { fault::copy(buffer.as_mut_ptr(), self.host(span.start), span.len()) })
    }

    /// Copies bytes into guest memory; EFAULT when a page cannot be written.
    pub(crate) fn write(&self, addr: u32, bytes: &[u8]) -> Result<(), Errno> {
        let span = Span::new(addr, bytes.len() as u64)?;
        // SAFETY: the destination lies inside the reservation; the source is ours for its length.
        done(unsafe { fault::copy(self.host(span.start), bytes.as_ptr(), span.len()) })
    }

    /// Zeroes guest memory; EFAULT when a page cannot be written.
    pub(crate) fn zero(&self, span: Span) -> Result<(), Errno> {
        // SAFETY: the span lies inside the reservation.
        done(unsafe { fault::fill(self.host(span.start), 0, span.len()) })
    }

    /// Copies a span to the same addresses of another reservation.
    pub(crate) fn copy_to(&self, other: &Self, span: Span) -> Result<(), Errno> {
        // SAFETY: each range lies inside its reservation.
        done(unsafe { fault::copy(other.host(span.start), self.host(span.start), span.len()) })
    }

    /// One atomic 32-bit load.
    pub(crate) fn load32(&self, addr: u32) -> Result<u32, Errno> {
        let span = Span::new(addr, 4)?;
        let mut value = 0;
        // SAFETY: the source lies inside the reservation; `value` is ours.
        done(unsafe { fault::load32(self.host(span.start).cast(), &raw mut value) })?;
        Ok(value)
    }

    /// One atomic 32-bit exchange; EINVAL when not aligned.
    pub(crate) fn exchange32(&self, addr: u32, new: u32) -> Result<u32, Errno> {
        let word = self.aligned_word(addr)?;
        let mut old = 0;
        // SAFETY: the word is aligned and lies inside the reservation; `old` is ours.
        done(unsafe { fault::exchange32(word, new, &raw mut old) })?;
        Ok(old)
    }

    /// One atomic 32-bit compare and exchange; gives the value found. EINVAL when not aligned.
    pub(crate) fn compare_exchange32(
        &self,
        addr: u32,
        expected: u32,
        new: u32,
    ) -> Result<u32, Errno> {
        let word = self.aligned_word(addr)?;
        let mut seen = 0;
        // SAFETY: the word is aligned and lies inside the reservation; `seen` is ours.
        done(unsafe { fault::compare_exchange32(word, expected, new, &raw mut seen) })?;
        Ok(seen)
    }

    fn aligned_word(&self, addr: u32) -> Result<*mut u32, Errno> {
        if !addr.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        Ok(self.host(addr).cast::<u32>())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: the reservation belongs to this value alone, and every user of an address in it
            // holds the address space that owns this value.
            let _ = unsafe { libc::munmap(self.base.as_ptr().cast::<c_void>(), total()) };
        }
    }
}

/// Advice that leaves the mapping in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum HostAdvice {
    /// Drop the pages; anonymous ones become zero, file pages are read again.
    DontNeed = libc::MADV_DONTNEED,
    /// Drop the pages and the storage behind them.
    Remove = libc::MADV_REMOVE,
    /// Read the pages soon.
    WillNeed = libc::MADV_WILLNEED,
    /// Make the pages present for reading.
    PopulateRead = libc::MADV_POPULATE_READ,
    /// Make the pages present for writing.
    PopulateWrite = libc::MADV_POPULATE_WRITE,
}

/// A file of `len` zero bytes that has no name but this one for people who look at the host's mappings.
pub(crate) fn nameless_file(name: &CStr, len: u64) -> Result<OwnedFd, Errno> {
    let len = libc::off_t::try_from(len).map_err(|_| Errno::ENOMEM)?;
    // SAFETY: the name is a C string; the call touches no other memory.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(last_errno());
    }
    // SAFETY: the descriptor is new and nobody else's.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the call touches no memory.
    check(unsafe { libc::ftruncate(fd.as_raw_fd(), len) })?;
    Ok(fd)
}

/// The result of a fault-safe routine.
fn done(fault: u32) -> Result<(), Errno> {
    if fault == 0 {
        Ok(())
    } else {
        Err(Errno::EFAULT)
    }
}

/// The result of a C call that returns 0 or sets errno.
fn check(result: libc::c_int) -> Result<(), Errno> {
    if result == 0 {
        Ok(())
    } else {
        Err(last_errno())
    }
}

/// The calling thread's errno.
pub(crate) fn last_errno() -> Errno {
    io::Error::last_os_error()
        .raw_os_error()
        .and_then(|number| u16::try_from(number).ok())
        .and_then(Errno::from_raw)
        .unwrap_or(Errno::EIO)
}

/// Gives a range of addresses back; one that cannot be given back costs addresses only.
///
/// # Safety
/// Nobody uses the range.
unsafe fn release(start: *mut c_void, len: usize) {
    if len != 0 {
        // SAFETY: the caller's promise.
        let _ = unsafe { libc::munmap(start, len) };
    }
}

/// Bytes of a whole reservation.
fn total() -> usize {
    usize_of(SIZE + GUARD)
}

fn usize_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_half_of_an_address_is_the_guest_s() {
        for _ in 0..3 {
            let reservation = Reservation::new().unwrap();
            assert_eq!(reservation.base().addr().get() % usize_of(SIZE), 0);
        }
    }
}
