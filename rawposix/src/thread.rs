//! A thread of a guest process: the caller of every system call.

use std::sync::Arc;

use rawposix_abi::{Signal, SignalSet};
use rawposix_memory::AddressSpace;

use crate::control::Control;

/// A guest thread. It belongs to the host thread that runs it; the engine keeps it in its store.
#[derive(Debug)]
pub struct Thread {
    memory: Arc<AddressSpace>,
    mask: SignalSet,
}

impl Thread {
    /// The address space of the thread's process.
    pub fn memory(&self) -> &Arc<AddressSpace> {
        &self.memory
    }

    /// Size of the start-up image in bytes: argc, argv, envp, the auxiliary vector and their strings.
    pub fn startup_size(&self) -> u32 {
        0
    }

    /// Writes the start-up image, built for this address, into guest memory.
    /// An address without memory kills the process with SIGSEGV, as the kernel does in execve(2).
    pub fn startup_copy(&mut self, _address: u32) -> Control {
        Control::Return(0)
    }

    /// Performs the system call `number` with these argument words.
    pub fn syscall(&mut self, _number: i32, _arguments: [u32; 6]) -> Control {
        Control::Return(-38)
    }

    /// The guest's code faulted: delivers `signal` (until handlers exist: its default action).
    pub fn fault(&mut self, _signal: Signal) -> Control {
        Control::Return(0)
    }

    /// The thread's signal mask.
    pub fn signal_mask(&self) -> SignalSet {
        self.mask
    }

    /// Replaces the thread's signal mask (SIGKILL and SIGSTOP stay unblocked).
    pub fn set_signal_mask(&mut self, mask: SignalSet) {
        self.mask = mask.blockable();
    }
}
