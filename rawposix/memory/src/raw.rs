//! System calls without the C library.
//!
//! What happens between the kernel's return and the guest's next instruction is a large part of what a short call costs:
//! each return of a function that was called before the kernel was entered is mispredicted, since the kernel's own
//! calls have displaced what the processor remembers of returns. So the most frequent calls are one instruction in their
//! caller.

use std::arch::asm;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use rawposix_abi::Errno;

/// A system call with four arguments, or fewer; its result, or the host's error.
///
/// # Safety
/// As the system call says.
#[inline(always)]
pub(crate) unsafe fn syscall(
    number: libc::c_long,
    [first, second, third, fourth]: [usize; 4],
) -> Result<usize, Errno> {
    let result: isize;
    // SAFETY: the kernel changes the registers named and, as far as memory goes, does what the caller answers for.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            in("r10") fourth,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags),
        );
    }
    usize::try_from(result).map_err(|_| error(result))
}

/// epoll_wait(2) for as many events as there is room for; -1 milliseconds are no limit.
///
/// # Errors
/// The host's.
#[inline(always)]
pub fn epoll_wait<'a>(
    set: BorrowedFd<'_>,
    room: &'a mut [MaybeUninit<libc::epoll_event>],
    milliseconds: i32,
) -> Result<&'a [libc::epoll_event], Errno> {
    let arguments = [
        usize::try_from(set.as_raw_fd()).map_err(|_| Errno::EBADF)?,
        room.as_mut_ptr().expose_provenance(),
        room.len(),
        usize::from_ne_bytes(i64::from(milliseconds).to_ne_bytes()),
    ];
    // SAFETY: the kernel writes no more events than there is room for.
    let count = unsafe { syscall(libc::SYS_epoll_wait, arguments) }?;
    let ready = room.get(..count).unwrap_or_default();
    // SAFETY: the kernel has written so many events.
    Ok(unsafe { ready.assume_init_ref() })
}

#[inline]
fn error(result: isize) -> Errno {
    u16::try_from(-result)
        .ok()
        .and_then(Errno::from_raw)
        .unwrap_or(Errno::EIO)
}
