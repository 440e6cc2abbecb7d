//! The sandbox: what all its processes share.

use std::sync::Arc;

use rawposix_abi::Errno;

use crate::config::{Config, ConfigError};
use crate::thread::Thread;

/// A world of processes with its own files, ids and clock settings.
///
/// Dropping the last reference removes the private `/tmp`; a caller that ends by `std::process::exit` drops it first.
#[derive(Debug)]
pub struct Sandbox {}

/// The program that [`Sandbox::start`] starts.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Argument strings, without terminating zeros.
    pub argv: Vec<Vec<u8>>,
    /// Environment strings (`NAME=value`), without terminating zeros.
    pub envp: Vec<Vec<u8>>,
    /// The executable's path in the sandbox: `AT_EXECFN` and `/proc/self/exe`.
    pub path: Vec<u8>,
    /// Bytes of memory that the program declares: mapped from 64 KiB up to here, the program break starts here.
    pub initial_memory: u64,
}

impl Sandbox {
    /// Makes a sandbox: opens the root and the mounts, creates the private `/tmp`.
    ///
    /// # Errors
    /// A directory that cannot be opened, or a mount that has no place.
    pub fn new(_config: Config) -> Result<Arc<Self>, ConfigError> {
        Ok(Arc::new(Self {}))
    }

    /// Starts the first process: an address space with the image's initial memory, the standard streams as
    /// descriptors 0 to 2, and the program's arguments.
    ///
    /// # Errors
    /// `ENOMEM` when the host has no address space left; `E2BIG` when arguments and environment are too large.
    pub fn start(self: &Arc<Self>, _image: Image) -> Result<Thread, Errno> {
        Err(Errno::ENOSYS)
    }
}
