//! Guest ABI of lind: system calls, errno values, signals, flags and structures.
//!
//! The ABI is that of a 32-bit little-endian Linux on its generic system-call table with 64-bit time
//! (`asm-generic/unistd.h`): the numbers, constants and layouts here are facts of that ABI.
#![forbid(unsafe_code)]

mod errno;
mod signal;

pub use errno::Errno;
pub use signal::{DefaultAction, Signal, SignalSet};
