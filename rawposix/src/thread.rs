//! A thread of a guest process: the caller of every system call.

use std::sync::Arc;

use rawposix_abi::flags::{AT_FDCWD, AtFlags};
use rawposix_abi::structs::StackT;
use rawposix_abi::{Errno, Signal, SignalSet};
use rawposix_memory::{AddressSpace, GuestCStr, GuestPtr};

use crate::cage::{Disposition, Pid, Process};
use crate::control::Control;
use crate::fd::OpenFile;
use crate::fs::PATH_MAX;
use crate::fs::dir::Dir;
use crate::fs::node::Node;
use crate::fs::walk::{Entry, Follow, Parent, Walk};
use crate::sandbox::World;
use crate::startup::Startup;
use crate::syscall;

/// A guest thread. It belongs to the host thread that runs it; the engine keeps it in its store.
#[derive(Debug)]
pub struct Thread {
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
    pub(crate) tid: Pid,
    pub(crate) mask: SignalSet,
    /// Where the kernel stores 0 when the thread ends, see set_tid_address(2).
    pub(crate) clear_tid: u32,
    pub(crate) robust_list: u32,
    pub(crate) signal_stack: StackT,
    memory: Arc<AddressSpace>,
    startup: Startup,
}

impl Thread {
    /// The first thread of the first process.
    pub(crate) fn first(world: Arc<World>, process: Arc<Process>, startup: Startup) -> Self {
        let memory = Arc::clone(&process.memory);
        let tid = process.pid;
        Self {
            world,
            process,
            tid,
            mask: SignalSet::EMPTY,
            clear_tid: 0,
            robust_list: 0,
            signal_stack: syscall::signal::NO_STACK,
            memory,
            startup,
        }
    }

    /// The address space of the thread's process.
    pub fn memory(&self) -> &Arc<AddressSpace> {
        &self.memory
    }

    /// Size of the start-up image in bytes: argc, argv, envp, the auxiliary vector and their strings.
    pub fn startup_size(&self) -> u32 {
        u32::try_from(self.startup.build(0).len()).unwrap_or(u32::MAX)
    }

    /// Writes the start-up image, built for this address, into guest memory.
    /// An address without memory kills the process with SIGSEGV, as the kernel does in execve(2).
    pub fn startup_copy(&mut self, address: u32) -> Control {
        let image = self.startup.build(address);
        match self.memory.write_bytes(GuestPtr::new(address), &image) {
            Ok(()) => Control::Return(0),
            Err(_) => self.fault(Signal::SIGSEGV),
        }
    }

    /// Performs the system call `number` with these argument words.
    pub fn syscall(&mut self, number: i32, arguments: [u32; 6]) -> Control {
        let traced = self
            .world
            .tracer
            .as_ref()
            .and_then(|tracer| tracer.enter(&self.memory, number, arguments));
        let result = syscall::perform(self, number, arguments);
        let word = result.unwrap_or_else(Errno::to_word);
        let end = self.process.end();
        if let (Some(tracer), Some(call)) = (&self.world.tracer, traced) {
            tracer.leave(&self.memory, call, word, end);
        }
        match end {
            Some(status) => Control::Exit(status),
            None => Control::Return(word),
        }
    }

    /// The guest's code faulted: delivers `signal` (until handlers exist: its default action).
    pub fn fault(&mut self, signal: Signal) -> Control {
        // A synchronous fault cannot be ignored or blocked.
        self.process.kill(signal);
        let end = self.process.end();
        if let (Some(tracer), Some(status)) = (&self.world.tracer, end) {
            tracer.signal(signal, status);
        }
        end.map_or(Control::Return(0), Control::Exit)
    }

    /// The thread's signal mask.
    pub fn signal_mask(&self) -> SignalSet {
        self.mask
    }

    /// Replaces the thread's signal mask (SIGKILL and SIGSTOP stay unblocked).
    pub fn set_signal_mask(&mut self, mask: SignalSet) {
        self.mask = mask.blockable();
        self.deliver_pending();
    }

    /// Sends a signal to the own process. `ENOSYS` for one that is caught: handlers cannot be called yet.
    pub(crate) fn raise(&self, signal: Signal) -> Result<(), Errno> {
        let mut signals = self.process.signals.lock();
        if signals.is_ignored(signal) {
            return Ok(());
        }
        if self.mask.contains(signal) {
            signals.pending = signals.pending.with(signal);
            return Ok(());
        }
        if let Disposition::Handler(_) = signals.disposition(signal) {
            return Err(Errno::ENOSYS);
        }
        drop(signals);
        self.act(signal)
    }

    /// A write into a pipe that nobody reads sends SIGPIPE.
    pub(crate) fn broken_pipe<T>(&self, result: Result<T, Errno>) -> Result<T, Errno> {
        if matches!(result, Err(Errno::EPIPE)) {
            // A caught SIGPIPE shows as the error alone.
            let _ = self.raise(Signal::SIGPIPE);
        }
        result
    }

    /// The default action of a signal that is not ignored by default.
    fn act(&self, signal: Signal) -> Result<(), Errno> {
        use rawposix_abi::DefaultAction::{Continue, Core, Ignore, Stop, Terminate};
        match signal.default_action() {
            Terminate | Core => self.process.kill(signal),
            // A sandbox of one process that stops would never go on.
            Stop => return Err(Errno::ENOSYS),
            Ignore | Continue => {}
        }
        Ok(())
    }

    /// What was pending and is no longer blocked happens now.
    fn deliver_pending(&self) {
        let mut signals = self.process.signals.lock();
        let ready: Vec<_> = signals
            .pending
            .iter()
            .filter(|signal| !self.mask.contains(*signal))
            .collect();
        let mut due = Vec::new();
        for signal in ready {
            signals.pending = signals.pending.without(signal);
            if signals.disposition(signal) == Disposition::Default {
                due.push(signal);
            }
        }
        drop(signals);
        for signal in due {
            let _ = self.act(signal);
        }
    }

    /// The open file that `fd` refers to.
    pub(crate) fn file(&self, fd: i32) -> Result<Arc<OpenFile>, Errno> {
        self.process.file(fd)
    }

    /// Copies a path in. `ENAMETOOLONG` from 4096 bytes on.
    pub(crate) fn read_path(&self, path: GuestCStr) -> Result<Vec<u8>, Errno> {
        Ok(self.memory.read_cstr(path, PATH_MAX)?.into_bytes())
    }

    /// A path resolution for this thread.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk::new(
            self.process.mounts(),
            self.process.root(),
            Some(&self.process),
        )
    }

    /// Where a path that is given with a directory descriptor starts.
    pub(crate) fn start(&self, dirfd: i32, path: &[u8]) -> Result<Dir, Errno> {
        if path.first() == Some(&b'/') {
            return Ok(self.process.root());
        }
        self.directory(dirfd)
    }

    /// The directory that a descriptor, or `AT_FDCWD`, refers to.
    pub(crate) fn directory(&self, dirfd: i32) -> Result<Dir, Errno> {
        if dirfd == AT_FDCWD {
            return Ok(self.process.cwd());
        }
        self.file(dirfd)?.directory().ok_or(Errno::ENOTDIR)
    }

    /// The object that a path leads to.
    pub(crate) fn node(&self, dirfd: i32, path: &[u8], follow: Follow) -> Result<Node, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        self.walk().node(self.start(dirfd, path)?, path, follow)
    }

    /// The object of a call that takes `AT_EMPTY_PATH`: with an empty path, the descriptor's own.
    pub(crate) fn node_or_file(
        &self,
        dirfd: i32,
        path: &[u8],
        flags: AtFlags,
        follow: Follow,
    ) -> Result<Node, Errno> {
        if !path.is_empty() || !flags.contains(AtFlags::EMPTY_PATH) {
            return self.node(dirfd, path, follow);
        }
        if dirfd == AT_FDCWD {
            return Ok(Node::Dir(self.process.cwd()));
        }
        let file = self.file(dirfd)?;
        Ok(match file.directory() {
            Some(dir) => Node::Dir(dir),
            None => Node::Open(file),
        })
    }

    /// The directory and the name of a path whose last name is to be made, removed or moved.
    /// `last` is the error for a path that ends in `.`, `..` or `/`.
    pub(crate) fn entry(&self, dirfd: i32, path: &[u8], last: Errno) -> Result<Entry, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        match self.walk().parent(self.start(dirfd, path)?, path)? {
            Parent::Entry(entry) => Ok(entry),
            Parent::Itself(_) => Err(last),
        }
    }

    /// Runs a host call that may block. This is the one place where a guest thread waits, so that it can be
    /// interrupted in one place; as no signal interrupts a guest yet, a host's signal only repeats the call.
    pub(crate) fn block<T>(&self, mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
        loop {
            match call() {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }
}
