//! Host-side accesses to linear memory that survive inaccessible pages.
//!
//! A linear memory made from a reservation can have inaccessible pages anywhere
//! within its bounds, and another thread can make a page inaccessible at any
//! time. Compiled code may fault there: the signal handler knows its program
//! counters. The libcalls and the waiting operations run in the host, so they
//! access memory through functions of the embedder's that catch the fault.

use crate::prelude::*;
use std::sync::OnceLock;
use wasmtime_environ::Trap;

/// Functions that access memory whose pages may be inaccessible.
///
/// All of them return 0 if the access was done and 1 if a page was not
/// accessible; a copy or fill may be done in part then.
#[derive(Clone, Copy, Debug)]
pub struct FaultSafeHooks {
    /// Copies `len` bytes from `src` to `dst`; the ranges may overlap.
    pub copy: unsafe extern "C" fn(dst: *mut u8, src: *const u8, len: usize) -> u32,
    /// Sets `len` bytes at `dst` to `byte`.
    pub fill: unsafe extern "C" fn(dst: *mut u8, byte: u8, len: usize) -> u32,
    /// Atomically loads an aligned 32-bit word into `out`.
    pub load32: unsafe extern "C" fn(src: *const u32, out: *mut u32) -> u32,
    /// Atomically loads an aligned 64-bit word into `out`.
    pub load64: unsafe extern "C" fn(src: *const u64, out: *mut u64) -> u32,
}

static HOOKS: OnceLock<FaultSafeHooks> = OnceLock::new();

/// Sets the functions by which the host accesses linear memory, for the whole
/// process.
///
/// # Safety
///
/// The functions do what [`FaultSafeHooks`] says, on any thread.
///
/// # Errors
///
/// They were set before.
pub unsafe fn set_fault_safe_hooks(hooks: FaultSafeHooks) -> Result<()> {
    match HOOKS.set(hooks) {
        Ok(()) => Ok(()),
        Err(_) => bail!("the fault-safe hooks were set before"),
    }
}

fn done(status: u32) -> Result<(), Trap> {
    match status {
        0 => Ok(()),
        _ => Err(Trap::MemoryOutOfBounds),
    }
}

/// Copies `len` bytes from `src` to `dst`; the ranges may overlap.
///
/// # Safety
///
/// Both ranges are within allocations of Wasm or of the host's; without hooks
/// they are accessible.
pub unsafe fn copy(dst: *mut u8, src: *const u8, len: usize) -> Result<(), Trap> {
    match HOOKS.get() {
        // SAFETY: the ranges are the caller's; the hook catches faults.
        Some(hooks) => done(unsafe { (hooks.copy)(dst, src, len) }),
        None => {
            // SAFETY: the ranges are accessible, as the caller says.
            unsafe { src.copy_to(dst, len) };
            Ok(())
        }
    }
}

/// Sets `len` bytes at `dst` to `byte`.
///
/// # Safety
///
/// As for [`copy`].
pub unsafe fn fill(dst: *mut u8, byte: u8, len: usize) -> Result<(), Trap> {
    match HOOKS.get() {
        // SAFETY: the range is the caller's; the hook catches faults.
        Some(hooks) => done(unsafe { (hooks.fill)(dst, byte, len) }),
        None => {
            // SAFETY: the range is accessible, as the caller says.
            unsafe { dst.write_bytes(byte, len) };
            Ok(())
        }
    }
}

/// Atomically loads the 32-bit word at `src`.
///
/// # Safety
///
/// `src` is aligned and within a linear memory; without hooks it is accessible.
#[cfg(feature = "threads")]
pub unsafe fn load32(src: *mut u32) -> Result<u32, Trap> {
    match HOOKS.get() {
        Some(hooks) => {
            let mut value = 0;
            // SAFETY: the word is the caller's; the hook catches faults.
            done(unsafe { (hooks.load32)(src, &mut value) })?;
            Ok(value)
        }
        None => {
            // SAFETY: the word is aligned and accessible, as the caller says.
            let atomic = unsafe { core::sync::atomic::AtomicU32::from_ptr(src) };
            Ok(atomic.load(core::sync::atomic::Ordering::SeqCst))
        }
    }
}

/// Atomically loads the 64-bit word at `src`.
///
/// # Safety
///
/// As for [`load32`].
#[cfg(feature = "threads")]
pub unsafe fn load64(src: *mut u64) -> Result<u64, Trap> {
    match HOOKS.get() {
        Some(hooks) => {
            let mut value = 0;
            // SAFETY: the word is the caller's; the hook catches faults.
            done(unsafe { (hooks.load64)(src, &mut value) })?;
            Ok(value)
        }
        None => {
            // SAFETY: the word is aligned and accessible, as the caller says.
            let atomic = unsafe { core::sync::atomic::AtomicU64::from_ptr(src) };
            Ok(atomic.load(core::sync::atomic::Ordering::SeqCst))
        }
    }
}
