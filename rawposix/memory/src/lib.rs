//! Guest address spaces.
//!
//! An [`AddressSpace`] is 4 GiB of host address space, reserved inaccessible for a process's whole
//! life, in which the guest's mappings are real host mappings of the same protection. Unmapping
//! makes a range inaccessible again and never leaves a hole, so a guest address can reach guest
//! memory or fault; there is no third case.
//!
//! Host code names guest memory by [`GuestPtr`], [`GuestSlice`] and [`GuestCStr`] and reaches it
//! by copies that survive a fault (EFAULT) or by system calls on the range, where the kernel
//! answers EFAULT. No Rust reference ever points into guest memory: other guest threads may
//! change or unmap it at any moment.
//!
//! # Locks
//! An address space has one lock, around its list of mappings. It is a leaf: while it is held,
//! nothing else is locked, no guest byte is copied and no call that may wait for a device is
//! made; files whose last mapping goes away are closed after it is released. [`AddressSpace::fork`]
//! is the one exception: it copies while it holds the parent's lock, and the parent's threads
//! must not run then anyway. The list of idle reservations has a lock of its own, which may be taken
//! while an address space's is held.
//!
//! # Where unsafe code is
//! `host` (mappings and the address arithmetic), `fault` (the copy routines and their signal
//! handler), `io`, `raw` and `socket` (system calls on guest ranges), `pages` (what the kernel knows
//! of them) and `packet` (two requests of terminals).

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
compile_error!("guest memory access is written for x86-64 Linux");

mod access;
mod advice;
mod budget;
mod conceal;
pub mod fault;
mod fork;
mod heap;
mod held;
mod host;
mod interval;
mod io;
mod layer;
mod layout;
pub mod packet;
mod pages;
mod pointer;
mod pool;
mod raw;
mod region;
mod remap;
mod shared;
pub mod socket;
mod space;

pub use budget::ThreadShare;
pub use conceal::Concealed;
pub use fork::Writers;
pub use io::{GuestIovec, IoVecs, Transfer};
pub use pages::Residency;
pub use pointer::{GuestCStr, GuestPtr, GuestSlice};
pub use raw::epoll_wait;
pub use region::{FileSource, MapFile, MapLabel, Protection, RegionKind, Sharing};
pub use remap::{RemapFlags, RemapRequest};
pub use shared::SharedWord;
pub use space::{AddressSpace, MapFlags, MapRequest, Mapping, MemoryLimits, SerialPart, Usage};

/// Bytes of a guest page.
pub const PAGE_SIZE: u32 = 4096;
/// The lowest address that can be mapped, as vm.mmap_min_addr.
pub const MIN_ADDR: u32 = 0x1_0000;
/// The first address above everything that can be mapped. Addresses from here on are never
/// valid, so no valid address looks like a negative errno.
pub const TOP: u32 = 0xFFFE_0000;
