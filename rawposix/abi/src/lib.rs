//! Guest ABI of lind: system calls, errno values, signals, flags and structures.
//!
//! The ABI is that of a 32-bit little-endian Linux on its generic system-call table with 64-bit time
//! (`asm-generic/unistd.h`): the numbers, constants and layouts here are facts of that ABI.
//!
//! [`syscalls!`] is the one list of system calls; [`table`] is the same list as data.
#![forbid(unsafe_code)]

mod errno;
pub mod flags;
mod list;
mod signal;
pub mod structs;
pub mod table;

pub use errno::Errno;
pub use signal::{DefaultAction, Signal, SignalSet};
pub use table::{NOT_GENERIC, NOT_OFFERED, SYSCALLS, Support, Syscall, c_header, support_page};
