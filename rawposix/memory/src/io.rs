//! System calls of the host directly on guest ranges: no copy in between, no lock held.
//!
//! The kernel gets host pointers that lie inside the reservation for their whole length. It
//! answers EFAULT, or a short count, for pages the guest cannot access; what other guest threads
//! do to the mappings meanwhile cannot lead anywhere else.

use std::os::fd::{AsRawFd, BorrowedFd};

use rawposix_abi::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::AddressSpace;
use crate::host::{Span, last_errno};
use crate::pointer::{GuestPtr, GuestSlice};
use crate::raw::syscall;

/// Most bytes that one call transfers, as on Linux (INT_MAX rounded down to a page).
const MAX_TRANSFER: usize = 0x7fff_f000;
/// Most elements of an iovec array (UIO_MAXIOV).
const MAX_IOVECS: u32 = 1024;

/// `struct iovec` of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct GuestIovec {
    /// The first address.
    pub base: u32,
    /// Bytes.
    pub len: u32,
}

/// An iovec array, copied in once and range-checked.
#[derive(Clone, Debug, Default)]
pub struct IoVecs {
    spans: Vec<Span>,
}

impl IoVecs {
    /// The sum of the lengths.
    pub fn total(&self) -> u64 {
        self.spans.iter().map(|span| span.len() as u64).sum()
    }

    /// These ranges.
    ///
    /// # Errors
    /// EFAULT when one leaves the 32-bit space.
    pub fn of_ranges(ranges: impl IntoIterator<Item = GuestSlice<u8>>) -> Result<Self, Errno> {
        let spans = ranges
            .into_iter()
            .map(|range| Span::new(range.start().addr(), range.byte_len()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { spans })
    }

    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The ranges, in order.
    pub fn ranges(&self) -> impl Iterator<Item = GuestSlice<u8>> {
        self.spans.iter().map(|span| {
            let len = u32::try_from(span.len()).unwrap_or(u32::MAX);
            GuestSlice::new(GuestPtr::new(span.start()), len)
        })
    }
}

impl AddressSpace {
    /// Copies an iovec array in.
    ///
    /// # Errors
    /// EINVAL for more than 1024 elements or a length above 2^31-1; EFAULT for an array that
    /// cannot be read or an element that leaves the 32-bit space.
    pub fn read_iovecs(&self, array: GuestPtr<GuestIovec>, count: u32) -> Result<IoVecs, Errno> {
        if count > MAX_IOVECS {
            return Err(Errno::EINVAL);
        }
        let spans = self
            .read_slice(GuestSlice::new(array, count))?
            .into_iter()
            .map(|element| {
                i32::try_from(element.len).map_err(|_| Errno::EINVAL)?;
                Span::new(element.base, u64::from(element.len))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(IoVecs { spans })
    }

    /// read(2) into guest memory.
    ///
    /// # Errors
    /// EFAULT, EINVAL for a length above 2^31-1, and the host's.
    #[inline]
    pub fn read_fd(&self, fd: BorrowedFd<'_>, buffer: GuestSlice<u8>) -> Result<usize, Errno> {
        self.transfer_fd(fd, buffer, Transfer::new(false, false), 0)
    }

    /// write(2) from guest memory.
    ///
    /// # Errors
    /// As [`Self::read_fd`].
    #[inline]
    pub fn write_fd(&self, fd: BorrowedFd<'_>, buffer: GuestSlice<u8>) -> Result<usize, Errno> {
        self.transfer_fd(fd, buffer, Transfer::new(true, false), 0)
    }

    /// pread(2) into guest memory.
    ///
    /// # Errors
    /// As [`Self::read_fd`]; EINVAL for a negative offset.
    #[inline]
    pub fn pread_fd(
        &self,
        fd: BorrowedFd<'_>,
        buffer: GuestSlice<u8>,
        offset: i64,
    ) -> Result<usize, Errno> {
        self.transfer_fd(fd, buffer, Transfer::new(false, true), offset)
    }

    /// pwrite(2) from guest memory.
    ///
    /// # Errors
    /// As [`Self::pread_fd`].
    #[inline]
    pub fn pwrite_fd(
        &self,
        fd: BorrowedFd<'_>,
        buffer: GuestSlice<u8>,
        offset: i64,
    ) -> Result<usize, Errno> {
        self.transfer_fd(fd, buffer, Transfer::new(true, true), offset)
    }

    /// readv(2) into guest memory.
    ///
    /// # Errors
    /// The host's.
    pub fn readv_fd(&self, fd: BorrowedFd<'_>, ranges: &IoVecs) -> Result<usize, Errno> {
        self.preadv_fd(fd, ranges, -1, 0)
    }

    /// writev(2) from guest memory.
    ///
    /// # Errors
    /// The host's.
    pub fn writev_fd(&self, fd: BorrowedFd<'_>, ranges: &IoVecs) -> Result<usize, Errno> {
        self.pwritev_fd(fd, ranges, -1, 0)
    }

    /// preadv2(2) into guest memory; offset -1 is the file's own position.
    ///
    /// # Errors
    /// The host's.
    pub fn preadv_fd(
        &self,
        fd: BorrowedFd<'_>,
        ranges: &IoVecs,
        offset: i64,
        flags: i32,
    ) -> Result<usize, Errno> {
        self.vectored(libc::SYS_preadv2, fd, ranges, offset, flags)
    }

    /// pwritev2(2) from guest memory; offset -1 is the file's own position.
    ///
    /// # Errors
    /// The host's.
    pub fn pwritev_fd(
        &self,
        fd: BorrowedFd<'_>,
        ranges: &IoVecs,
        offset: i64,
        flags: i32,
    ) -> Result<usize, Errno> {
        self.vectored(libc::SYS_pwritev2, fd, ranges, offset, flags)
    }

    /// getrandom(2) into guest memory.
    ///
    /// # Errors
    /// EFAULT, EINVAL for unknown flags, EAGAIN.
    pub fn getrandom(&self, buffer: GuestSlice<u8>, flags: u32) -> Result<usize, Errno> {
        let range = self.iovec(buffer)?;
        // SAFETY: the kernel writes inside the reservation only.
        count(unsafe { libc::getrandom(range.iov_base, range.iov_len.min(MAX_TRANSFER), flags) })
    }

    fn vectored(
        &self,
        number: libc::c_long,
        fd: BorrowedFd<'_>,
        ranges: &IoVecs,
        offset: i64,
        flags: i32,
    ) -> Result<usize, Errno> {
        let iovecs: Vec<libc::iovec> = ranges
            .spans
            .iter()
            .map(|&span| self.reservation().iovec(span))
            .collect();
        // The position is split in two words; a 64-bit kernel takes all of it from the first.
        // SAFETY: every element lies inside the reservation, which is all the kernel accesses
        // besides the array itself.
        let result = unsafe {
            libc::syscall(
                number,
                fd.as_raw_fd(),
                iovecs.as_ptr(),
                iovecs.len(),
                offset,
                0_i64,
                flags,
            )
        };
        word(result)
    }

    /// Whether a buffer that is read or written lies in the 32-bit space, as far as that is known without an access.
    ///
    /// # Errors
    /// EFAULT, EINVAL for a length above 2^31-1.
    pub fn check_range(&self, buffer: GuestSlice<u8>) -> Result<(), Errno> {
        self.host_range(buffer).map(drop)
    }

    /// One of the four calls above, made in the caller's own frame; `offset` is for those that have one.
    ///
    /// # Errors
    /// As theirs.
    #[inline(always)]
    pub fn transfer_fd(
        &self,
        fd: BorrowedFd<'_>,
        buffer: GuestSlice<u8>,
        transfer: Transfer,
        offset: i64,
    ) -> Result<usize, Errno> {
        let [start, length] = self.host_range(buffer)?;
        let fd = usize::try_from(fd.as_raw_fd()).map_err(|_| Errno::EBADF)?;
        let offset = usize::try_from(offset).map_err(|_| Errno::EINVAL)?;
        // SAFETY: the kernel reads or writes inside the reservation only.
        unsafe { syscall(transfer.number(), [fd, start, length, offset]) }
    }

    /// The host's address of a buffer, and how much of it one call transfers.
    #[inline(always)]
    fn host_range(&self, buffer: GuestSlice<u8>) -> Result<[usize; 2], Errno> {
        let range = self.iovec(buffer)?;
        i32::try_from(buffer.len()).map_err(|_| Errno::EINVAL)?;
        Ok([
            range.iov_base.expose_provenance(),
            range.iov_len.min(MAX_TRANSFER),
        ])
    }

    #[inline(always)]
    fn iovec(&self, buffer: GuestSlice<u8>) -> Result<libc::iovec, Errno> {
        let span = Span::new(buffer.start().addr(), buffer.byte_len())?;
        Ok(self.reservation().iovec(span))
    }
}

/// The result of `syscall(2)`.
fn word(result: libc::c_long) -> Result<usize, Errno> {
    count(isize::try_from(result).unwrap_or(-1))
}

/// The result of a C call that returns a count or sets errno.
fn count(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last_errno())
}

/// A host call that moves bytes between a file and one buffer.
///
/// No enumeration, whose values would be told apart by jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    writes: bool,
    has_offset: bool,
}

impl Transfer {
    /// read(2), or write(2), or pread(2) and pwrite(2).
    #[inline(always)]
    pub const fn new(writes: bool, has_offset: bool) -> Self {
        Self { writes, has_offset }
    }

    /// Whether it changes the file and not the buffer.
    #[inline(always)]
    pub fn writes(self) -> bool {
        self.writes
    }

    /// Whether it has an offset.
    #[inline(always)]
    pub fn has_offset(self) -> bool {
        self.has_offset
    }

    #[inline(always)]
    fn number(self) -> libc::c_long {
        match (self.writes, self.has_offset) {
            (false, false) => libc::SYS_read,
            (true, false) => libc::SYS_write,
            (false, true) => libc::SYS_pread64,
            (true, true) => libc::SYS_pwrite64,
        }
    }
}
