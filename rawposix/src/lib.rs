//! The POSIX microvisor of lind: processes, files, memory and time as Linux has them, in user space.
//!
//! It knows nothing of WebAssembly. An engine runs the program's code, hands every system call of a thread to
//! [`Thread::syscall`] and does what the returned [`Control`] says:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use rawposix::{Config, Control, Image, Sandbox};
//! let sandbox = Sandbox::new(Config::default())?;
//! let mut thread = sandbox.start(Image { argv: vec![b"hello".to_vec()], ..Image::default() })?;
//! match thread.syscall(172 /* getpid */, [0; 6]) {
//!     Control::Return(pid) => assert_eq!(pid, 1),
//!     Control::Exit(status) => println!("{status:?}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # Lock order
//!
//! A lock may be taken while those before it in this list are held, never the other way round:
//! descriptor table, directory state of an open file description, its offset, record locks, trace sink.
//! No lock is held across a copy from or to guest memory that can block, or across a blocking host call.
#![forbid(unsafe_code)]

mod builder;
mod cage;
mod config;
mod control;
mod entropy;
mod fd;
mod fs;
mod futex;
mod locks;
mod sandbox;
mod startup;
mod syscall;
mod thread;
mod trace;

pub use config::{Access, Config, ConfigError, Limit, Mount, Net, Program, Trace, TraceFilter};
pub use control::{Control, CoreDump, ExitStatus};
pub use rawposix_abi::{Errno, Signal, SignalSet};
pub use sandbox::{Image, Sandbox};
pub use thread::Thread;
pub use trace::is_known_filter;
