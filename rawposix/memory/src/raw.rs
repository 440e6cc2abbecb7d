//! System calls without the C library.
//!
//! What happens between the kernel's return and the guest's next instruction is a large part of what a short call costs:
//! each return of a function that was called before the kernel was entered is mispredicted, since the kernel's own
//! calls have displaced what the processor remembers of returns. So the most frequent calls are one instruction in their
//! caller.

use std::arch::asm;

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

#[inline]
fn error(result: isize) -> Errno {
    u16::try_from(-result)
        .ok()
        .and_then(Errno::from_raw)
        .unwrap_or(Errno::EIO)
}
