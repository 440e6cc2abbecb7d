//! Processes: everything that fork(2) copies or shares, one small part a file.

mod context;
mod ids;
mod limits;
mod signals;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use rawposix_abi::structs::Rlimit64;
use rawposix_abi::{Errno, Signal};
use rawposix_memory::AddressSpace;
use rustix::time::Timespec;

pub(crate) use context::{FsContext, Umask};
pub(crate) use ids::{Credentials, IdMap, Ids, Pid};
pub(crate) use limits::{Limits, UNLIMITED};
pub(crate) use signals::{Disposition, Signals};

use crate::control::{CoreDump, ExitStatus};
use crate::fd::{CloseOnExec, FdTable, OpenFile};
use crate::fs::dir::Dir;
use crate::fs::mount::Mounts;
use crate::fs::walk::Walk;
use crate::futex::Futexes;
use crate::locks::RecordLocks;
use crate::sandbox::{Image, World};

/// A process of the sandbox.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) memory: Arc<AddressSpace>,
    pub(crate) signals: Mutex<Signals>,
    pub(crate) locks: RecordLocks,
    pub(crate) futexes: Futexes,
    world: Arc<World>,
    files: Mutex<FdTable<OpenFile>>,
    context: Mutex<FsContext>,
    credentials: Mutex<Credentials>,
    limits: Mutex<Limits>,
    settings: Mutex<Settings>,
    image: Image,
    end: OnceLock<ExitStatus>,
}

/// What prctl(2), personality(2) and the scheduling calls keep.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The process's name, at most 15 bytes.
    pub(crate) name: Vec<u8>,
    pub(crate) dumpable: u32,
    pub(crate) no_new_privileges: bool,
    pub(crate) child_subreaper: bool,
    pub(crate) parent_death_signal: Option<Signal>,
    pub(crate) timer_slack: u32,
    pub(crate) nice: i32,
    pub(crate) policy: u32,
    /// A mask stored by sched_setaffinity(2).
    pub(crate) affinity: Option<Vec<u8>>,
    pub(crate) group: Pid,
    pub(crate) session: Pid,
}

impl Process {
    /// The first process of a sandbox.
    pub(crate) fn first(
        world: Arc<World>,
        memory: Arc<AddressSpace>,
        image: Image,
        files: FdTable<OpenFile>,
    ) -> Result<Self, Errno> {
        let pid = Pid(1);
        let name = image
            .path
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or_default();
        let name = name.get(..name.len().min(15)).unwrap_or_default().to_vec();
        let context = world.first_context()?;
        let credentials = Credentials::new(world.uid, world.gid);
        let limits = world.first_limits();
        memory.set_limits(limits.memory());
        Ok(Self {
            pid,
            memory,
            signals: Mutex::default(),
            locks: RecordLocks::default(),
            futexes: Futexes::default(),
            world,
            files: Mutex::new(files),
            context: Mutex::new(context),
            credentials: Mutex::new(credentials),
            limits: Mutex::new(limits),
            settings: Mutex::new(Settings {
                name,
                dumpable: 1,
                no_new_privileges: false,
                child_subreaper: false,
                parent_death_signal: None,
                timer_slack: 50_000,
                nice: 0,
                policy: 0,
                affinity: None,
                group: pid,
                session: pid,
            }),
            image,
            end: OnceLock::new(),
        })
    }

    /// The open file that `fd` refers to.
    pub(crate) fn file(&self, fd: i32) -> Result<Arc<OpenFile>, Errno> {
        self.files.lock().get(fd).map(Arc::clone)
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
        self.files.lock().insert(file, close_on_exec, from, limit)
    }

    /// Runs `f` on the descriptor table.
    pub(crate) fn with_files<R>(&self, f: impl FnOnce(&mut FdTable<OpenFile>) -> R) -> R {
        f(&mut self.files.lock())
    }

    /// RLIMIT_FSIZE.
    pub(crate) fn file_size_limit(&self) -> u64 {
        self.limits.lock().file_size()
    }

    /// What a closed descriptor leaves behind: POSIX drops the process's record locks on the file.
    pub(crate) fn after_close(&self, file: &OpenFile) {
        self.locks.release(file);
    }

    /// Descriptors in use, rising.
    pub(crate) fn descriptors(&self) -> Vec<i32> {
        self.files.lock().numbers().collect()
    }

    /// RLIMIT_NOFILE, as an index.
    pub(crate) fn descriptor_limit(&self) -> usize {
        usize::try_from(self.limits.lock().descriptors()).unwrap_or(usize::MAX)
    }

    /// A limit, by its number.
    pub(crate) fn limit(&self, resource: u32) -> Result<Rlimit64, Errno> {
        self.limits.lock().get(resource)
    }

    /// Replaces a limit.
    pub(crate) fn set_limit(&self, resource: u32, value: Rlimit64) -> Result<(), Errno> {
        let mut limits = self.limits.lock();
        limits.set(resource, value)?;
        self.memory.set_limits(limits.memory());
        Ok(())
    }

    /// The working directory.
    pub(crate) fn cwd(&self) -> Dir {
        self.context.lock().cwd.clone()
    }

    /// The root directory.
    pub(crate) fn root(&self) -> Dir {
        self.context.lock().root.clone()
    }

    /// The file mode creation mask.
    pub(crate) fn umask(&self) -> Umask {
        self.context.lock().umask
    }

    /// Runs `f` on the working directory, the root and the mask.
    pub(crate) fn with_context<R>(&self, f: impl FnOnce(&mut FsContext) -> R) -> R {
        f(&mut self.context.lock())
    }

    /// The mount table.
    pub(crate) fn mounts(&self) -> &Mounts {
        &self.world.mounts
    }

    /// A path resolution for this process.
    pub(crate) fn walk<'a>(&'a self, mounts: &'a Mounts) -> Result<Walk<'a>, Errno> {
        Ok(Walk::new(mounts, self.root(), Some(self)))
    }

    /// User and group ids.
    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.lock().clone()
    }

    /// Runs `f` on the user and group ids.
    pub(crate) fn with_credentials<R>(&self, f: impl FnOnce(&mut Credentials) -> R) -> R {
        f(&mut self.credentials.lock())
    }

    /// How ids of the host's appear in the sandbox.
    pub(crate) fn ids(&self) -> IdMap {
        self.world.ids
    }

    /// Runs `f` on the settings of prctl(2) and the scheduling calls.
    pub(crate) fn with_settings<R>(&self, f: impl FnOnce(&mut Settings) -> R) -> R {
        f(&mut self.settings.lock())
    }

    /// The name that PR_SET_NAME sets.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(&self.settings.lock().name).into_owned()
    }

    /// The program and its arguments.
    pub(crate) fn image(&self) -> &Image {
        &self.image
    }

    /// The program's path.
    pub(crate) fn program_path(&self) -> &[u8] {
        &self.image.path
    }

    /// Time since the sandbox started.
    pub(crate) fn uptime(&self) -> Duration {
        self.world.started.elapsed()
    }

    /// When the sandbox started, by the clock on the wall.
    pub(crate) fn sandbox_start(&self) -> Timespec {
        self.world.started_at
    }

    /// The host name.
    pub(crate) fn hostname(&self) -> &str {
        &self.world.hostname
    }

    /// A number that is another in every sandbox.
    pub(crate) fn boot_id(&self) -> [u8; 16] {
        self.world.boot_id
    }

    /// Ends the process; the first of several ends counts.
    pub(crate) fn finish(&self, status: ExitStatus) {
        let _ = self.end.set(status);
    }

    /// How the process ended, if it has.
    pub(crate) fn end(&self) -> Option<ExitStatus> {
        self.end.get().copied()
    }

    /// Ends the process as an uncaught signal does.
    pub(crate) fn kill(&self, signal: Signal) {
        let core = match signal.default_action() {
            rawposix_abi::DefaultAction::Core => CoreDump::Yes,
            _ => CoreDump::No,
        };
        self.finish(ExitStatus::Signaled(signal, core));
    }
}
