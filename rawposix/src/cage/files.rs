//! The descriptors of a process, and where its paths begin.

use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;

use super::{FsContext, Process, Umask};
use crate::fd::{CloseOnExec, FdTable, OpenFile};
use crate::fs::dir::Dir;
use crate::fs::mount::Mounts;
use crate::fs::walk::Walk;
use crate::ipc::queue::QueueFile;

impl Process {
    /// Frees what a process that has ended no longer needs, before its parent is told.
    pub(crate) fn close_all(&self) {
        // Others may share the table.
        let empty = Arc::new(Mutex::new(FdTable::default()));
        drop(self.files.swap(empty));
        drop(self.program.lock().take());
        self.world.ipc.semaphores.undo(self.pid);
        self.world.ipc.segments.abandon(self);
        // Until it is reaped it keeps no memory.
        if let Some(nowhere) = self.world.nowhere() {
            self.space.store(nowhere);
        }
        self.timers.clear();
        self.aio.clear();
        self.signals.clear();
        self.locks.release_all();
    }

    /// The open file that `fd` refers to.
    pub(crate) fn file(&self, fd: i32) -> Result<Arc<OpenFile>, Errno> {
        self.files.load().lock().get(fd).map(Arc::clone)
    }

    /// Gives an open file the lowest free descriptor.
    pub(crate) fn install(
        &self,
        file: Arc<OpenFile>,
        close_on_exec: CloseOnExec,
    ) -> Result<i32, Errno> {
        self.install_from(file, close_on_exec, 0)
    }

    /// Gives an open file the lowest free descriptor that is at least `from`.
    pub(crate) fn install_from(
        &self,
        file: Arc<OpenFile>,
        close_on_exec: CloseOnExec,
        from: usize,
    ) -> Result<i32, Errno> {
        let limit = self.descriptor_limit();
        self.files
            .load()
            .lock()
            .insert(file, close_on_exec, from, limit)
    }

    /// Runs `f` on the descriptor table.
    pub(crate) fn with_files<R>(&self, f: impl FnOnce(&mut FdTable<OpenFile>) -> R) -> R {
        f(&mut self.files.load().lock())
    }

    /// Gives the process a copy of the descriptor table that it may share with other processes.
    pub(crate) fn unshare_files(&self) {
        let shared = self.files.load_full();
        let copy = shared.lock().fork();
        self.files.store(Arc::new(Mutex::new(copy)));
    }

    /// Gives the process directories and a mask of its own, which it may share with other processes.
    pub(crate) fn unshare_context(&self) {
        let shared = self.context.load_full();
        let copy = shared.lock().clone();
        self.context.store(Arc::new(Mutex::new(copy)));
    }

    /// What a closed descriptor leaves behind: POSIX drops the process's record locks on the file.
    pub(crate) fn after_close(&self, file: &OpenFile) {
        self.locks.release(file);
        if let Some(open) = file.own::<QueueFile>() {
            open.queue.unregister(self.pid);
        }
    }

    /// Whether no other process has the same descriptor table.
    pub(crate) fn has_own_files(&self) -> bool {
        Arc::strong_count(&self.files.load()) == 1
    }

    /// What names the descriptor table, as long as it is used.
    pub(crate) fn identity_of_files(&self) -> usize {
        Arc::as_ptr(&self.files.load()).addr()
    }

    /// What names the directories and the mask, as long as they are used.
    pub(crate) fn identity_of_context(&self) -> usize {
        Arc::as_ptr(&self.context.load()).addr()
    }

    /// Descriptors in use, rising.
    pub(crate) fn descriptors(&self) -> Vec<i32> {
        self.files.load().lock().numbers().collect()
    }

    /// The working directory.
    pub(crate) fn cwd(&self) -> Dir {
        self.context.load().lock().cwd.clone()
    }

    /// The root directory.
    pub(crate) fn root(&self) -> Dir {
        self.context.load().lock().root.clone()
    }

    /// The file mode creation mask.
    pub(crate) fn umask(&self) -> Umask {
        self.context.load().lock().umask
    }

    /// Runs `f` on the working directory, the root and the mask.
    pub(crate) fn with_context<R>(&self, f: impl FnOnce(&mut FsContext) -> R) -> R {
        f(&mut self.context.load().lock())
    }

    /// The mount table.
    pub(crate) fn mounts(&self) -> &Mounts {
        &self.world.mounts
    }

    /// A path resolution for this process.
    pub(crate) fn walk<'a>(&'a self, mounts: &'a Mounts) -> Result<Walk<'a>, Errno> {
        Ok(Walk::new(mounts, self.root(), Some(self)))
    }
}
