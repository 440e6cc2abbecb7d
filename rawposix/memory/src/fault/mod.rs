//! Memory accesses that survive a fault.
//!
//! The routines return 0 when done and 1 when a page was not accessible (SIGSEGV) or a file
//! mapping had no data behind it (SIGBUS). Bytes before the fault may have been transferred.
//! They need the handler of [`install`], and SIGSEGV and SIGBUS must not be blocked in the
//! calling thread: the kernel kills a process that faults with the signal blocked.
//!
//! The model is gVisor's `safecopy`: the handler recognises the program counter, not the address.

mod handler;
mod routines;

pub use handler::install;

use routines::{
    lind_guest_compare_exchange32, lind_guest_copy, lind_guest_exchange32, lind_guest_fill,
    lind_guest_load32, lind_guest_load64,
};

/// Copies `len` bytes from `src` to `dst`; the ranges may overlap.
///
/// # Safety
/// Each range must lie in a guest reservation (accessible or not), or be memory the caller may
/// read (`src`) or write (`dst`) for its whole length.
pub unsafe extern "C" fn copy(dst: *mut u8, src: *const u8, len: usize) -> u32 {
    // SAFETY: the caller vouches for both ranges; the routine touches nothing else.
    unsafe { lind_guest_copy(dst, src, len) }
}

/// Sets `len` bytes at `dst` to `byte`.
///
/// # Safety
/// The range must lie in a guest reservation, or be memory the caller may write.
pub unsafe extern "C" fn fill(dst: *mut u8, byte: u8, len: usize) -> u32 {
    // SAFETY: the caller vouches for the range; the routine touches nothing else.
    unsafe { lind_guest_fill(dst, byte, len) }
}

/// Loads 32 bits, in one access when `src` is aligned, with acquire ordering.
///
/// # Safety
/// `src` must lie in a guest reservation or be readable; `out` must be writable.
pub unsafe extern "C" fn load32(src: *const u32, out: *mut u32) -> u32 {
    // SAFETY: the caller vouches for both addresses; the routine touches nothing else.
    unsafe { lind_guest_load32(src, out) }
}

/// Loads 64 bits, in one access when `src` is aligned, with acquire ordering.
///
/// # Safety
/// `src` must lie in a guest reservation or be readable; `out` must be writable.
pub unsafe extern "C" fn load64(src: *const u64, out: *mut u64) -> u32 {
    // SAFETY: the caller vouches for both addresses; the routine touches nothing else.
    unsafe { lind_guest_load64(src, out) }
}

/// Stores `new` atomically and gives the former value in `old`.
///
/// # Safety
/// `dst` must lie in a guest reservation or be writable, and be aligned; `old` must be writable.
pub(crate) unsafe fn exchange32(dst: *mut u32, new: u32, old: *mut u32) -> u32 {
    // SAFETY: the caller vouches for both addresses; the routine touches nothing else.
    unsafe { lind_guest_exchange32(dst, new, old) }
}

/// Stores `new` if the value is `expected`, atomically; gives the value found in `seen`.
///
/// # Safety
/// `dst` must lie in a guest reservation or be writable, and be aligned; `seen` must be writable.
pub(crate) unsafe fn compare_exchange32(
    dst: *mut u32,
    expected: u32,
    new: u32,
    seen: *mut u32,
) -> u32 {
    // SAFETY: the caller vouches for both addresses; the routine touches nothing else.
    unsafe { lind_guest_compare_exchange32(dst, expected, new, seen) }
}
