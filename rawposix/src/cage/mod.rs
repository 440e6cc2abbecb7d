//! Processes: everything that fork(2) copies or shares, one small part a file.

mod context;
mod credentials;
mod death;
mod end;
pub(crate) mod family;
mod files;
mod ids;
mod limits;
mod task;
mod threads;
pub(crate) mod usage;
pub(crate) mod wait;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use rawposix_abi::flags::CloneFlags;
use rawposix_abi::structs::{Rlimit64, Siginfo};
use rawposix_abi::{Errno, Signal};
use rawposix_memory::AddressSpace;
use rustix::time::Timespec;

pub(crate) use context::{FsContext, Umask};
pub(crate) use credentials::{BOUNDING, Capabilities, Capability, CapabilitySet, Credentials};
use death::Death;
pub(crate) use ids::{IdMap, Ids, KEEP, Pid};
pub(crate) use limits::{Limits, UNLIMITED};
pub(crate) use task::Task;
use threads::Threads;

use crate::aio::Contexts;
use crate::control::{CoreDump, ExitStatus};
use crate::exec::Program;
use crate::fd::{FdTable, OpenFile};
use crate::landlock::Domain;
use crate::locks::RecordLocks;
use crate::sandbox::{Image, World};
use crate::signal::Signals;
use crate::timer::Timers;

/// A process of the sandbox: what its threads share.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pub(crate) signals: Signals,
    pub(crate) timers: Timers,
    pub(crate) locks: RecordLocks,
    pub(crate) aio: Contexts,
    pub(crate) death: Death,
    /// When it was made.
    pub(crate) started: Instant,
    world: Arc<World>,
    space: ArcSwap<AddressSpace>,
    files: ArcSwap<Mutex<FdTable<OpenFile>>>,
    context: ArcSwap<Mutex<FsContext>>,
    credentials: Mutex<Credentials>,
    /// Whether the host's check of lind's user is none for the process, of which every path asks.
    is_foreign: AtomicBool,
    limits: Mutex<Limits>,
    /// RLIMIT_FSIZE, of which every write asks.
    file_size: AtomicU64,
    settings: Mutex<Settings>,
    /// What it has restricted itself to, of which every path asks.
    landlock: ArcSwapOption<Domain>,
    image: ArcSwap<Image>,
    /// The file that is executed; none when the process has ended, and for a first program that has no path.
    program: Mutex<Option<Arc<Program>>>,
    threads: Mutex<Threads>,
    /// Held while a thread is added, and while the address space is copied.
    settled: Mutex<()>,
    end: OnceLock<ExitStatus>,
    /// The signal that ended the process when it was sent, for the trace.
    last_signal: OnceLock<Siginfo>,
}

/// What prctl(2) keeps.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) dumpable: u32,
    pub(crate) no_new_privileges: bool,
    pub(crate) child_subreaper: bool,
    pub(crate) parent_death_signal: Option<Signal>,
    /// Whether it has given up its session's controlling terminal for itself.
    pub(crate) without_terminal: bool,
    pub(crate) timer_slack: u32,
    /// `oom_score_adj` of proc(5), 0 to 1000: only shown.
    pub(crate) oom_score: i32,
    /// `coredump_filter` of proc(5): only shown.
    pub(crate) core_filter: u32,
    /// The commands of membarrier(2) that the program has registered for.
    pub(crate) barriers: i32,
    /// What personality(2) has set: only kept.
    pub(crate) persona: u32,
}

impl Process {
    /// The first process of a sandbox.
    pub(crate) fn first(
        world: Arc<World>,
        pid: Pid,
        space: Arc<AddressSpace>,
        image: Image,
        files: FdTable<OpenFile>,
    ) -> Result<Self, Errno> {
        let context = world.first_context()?;
        let credentials = Credentials::new(world.uid, world.gid);
        let limits = world.first_limits();
        space.set_limits(limits.memory());
        let program = world.first_program(&image.path);
        let is_foreign = AtomicBool::new(world.is_foreign(world.uid, world.gid));
        Ok(Self {
            pid,
            signals: Signals::default(),
            timers: Timers::default(),
            locks: RecordLocks::default(),
            aio: Contexts::default(),
            started: Instant::now(),
            death: Death::default(),
            world,
            space: ArcSwap::new(space),
            files: ArcSwap::from_pointee(Mutex::new(files)),
            context: ArcSwap::from_pointee(Mutex::new(context)),
            is_foreign,
            credentials: Mutex::new(credentials),
            file_size: AtomicU64::new(limits.file_size()),
            limits: Mutex::new(limits),
            settings: Mutex::new(Settings {
                dumpable: 1,
                no_new_privileges: false,
                child_subreaper: false,
                parent_death_signal: None,
                without_terminal: false,
                timer_slack: 50_000,
                oom_score: 0,
                core_filter: 0x33,
                barriers: 0,
                persona: 0,
            }),
            landlock: ArcSwapOption::empty(),
            program: Mutex::new(program),
            image: ArcSwap::from_pointee(image),
            threads: Mutex::default(),
            settled: Mutex::default(),
            end: OnceLock::new(),
            last_signal: OnceLock::new(),
        })
    }

    /// A child as clone(2) makes it: `flags` say what is shared and what is copied.
    pub(crate) fn child(&self, pid: Pid, space: Arc<AddressSpace>, flags: CloneFlags) -> Self {
        let files = self.files.load_full();
        let files = if flags.contains(CloneFlags::FILES) {
            files
        } else {
            let copy = files.lock().fork();
            Arc::new(Mutex::new(copy))
        };
        let context = self.context.load_full();
        let context = if flags.contains(CloneFlags::FS) {
            context
        } else {
            let copy = context.lock().clone();
            Arc::new(Mutex::new(copy))
        };
        let mut settings = self.settings.lock().clone();
        settings.child_subreaper = false;
        settings.parent_death_signal = None;
        let limits = self.limits.lock().clone();
        Self {
            pid,
            signals: self.signals.child(flags),
            timers: Timers::default(),
            locks: RecordLocks::default(),
            aio: Contexts::default(),
            started: Instant::now(),
            death: Death::default(),
            world: Arc::clone(&self.world),
            space: ArcSwap::new(space),
            files: ArcSwap::new(files),
            context: ArcSwap::new(context),
            credentials: Mutex::new(self.credentials.lock().clone()),
            is_foreign: AtomicBool::new(self.is_foreign()),
            file_size: AtomicU64::new(limits.file_size()),
            limits: Mutex::new(limits),
            settings: Mutex::new(settings),
            landlock: ArcSwapOption::new(self.landlock()),
            image: ArcSwap::new(self.image.load_full()),
            program: Mutex::new(self.program.lock().clone()),
            threads: Mutex::default(),
            settled: Mutex::default(),
            end: OnceLock::new(),
            last_signal: OnceLock::new(),
        }
    }

    /// Replaces the program: what execve(2) does to a process whose only thread calls it.
    pub(crate) fn execute(&self, space: Arc<AddressSpace>, image: Image, program: Arc<Program>) {
        // First, since the end of descriptors may tell the parent of it.
        self.world.family.executed(self.pid);
        self.world.ipc.segments.abandon(self);
        space.set_limits(self.limits.lock().memory());
        self.space.store(space);
        // Descriptors are no longer shared with others.
        let mut files = self.files.load().lock().fork();
        let closed = files.close_on_exec_ones();
        self.files.store(Arc::new(Mutex::new(files)));
        for file in closed {
            self.after_close(&file);
        }
        self.signals.execute();
        self.timers.execute();
        self.aio.clear();
        {
            let mut settings = self.settings.lock();
            settings.dumpable = 1;
            settings.barriers = 0;
            // The low byte says which system a program is for, and all are for this one.
            settings.persona &= !0xff;
        }
        self.with_credentials(Credentials::execute);
        self.image.store(Arc::new(image));
        *self.program.lock() = Some(program);
    }

    /// The address space.
    pub(crate) fn space(&self) -> Arc<AddressSpace> {
        self.space.load_full()
    }

    /// The sandbox.
    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// RLIMIT_FSIZE.
    pub(crate) fn file_size_limit(&self) -> u64 {
        self.file_size.load(Ordering::Relaxed)
    }

    /// RLIMIT_NOFILE, as an index.
    pub(crate) fn descriptor_limit(&self) -> usize {
        usize::try_from(self.limits.lock().descriptors()).unwrap_or(usize::MAX)
    }

    /// RLIMIT_NPROC: how many threads the user may have.
    pub(crate) fn thread_limit(&self) -> u64 {
        self.limits.lock().threads()
    }

    /// A limit, by its number.
    pub(crate) fn limit(&self, resource: u32) -> Result<Rlimit64, Errno> {
        self.limits.lock().get(resource)
    }

    /// Replaces a limit.
    pub(crate) fn set_limit(&self, resource: u32, value: Rlimit64) -> Result<(), Errno> {
        let mut limits = self.limits.lock();
        limits.set(resource, value)?;
        self.file_size.store(limits.file_size(), Ordering::Relaxed);
        self.space.load().set_limits(limits.memory());
        Ok(())
    }

    /// User and group ids.
    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.lock().clone()
    }

    /// Runs `f` on the user and group ids.
    pub(crate) fn with_credentials<R>(&self, f: impl FnOnce(&mut Credentials) -> R) -> R {
        let mut credentials = self.credentials.lock();
        let result = f(&mut credentials);
        let (user, group) = (credentials.user.effective, credentials.group.effective);
        let is_foreign = self.world.is_foreign(user, group);
        self.is_foreign.store(is_foreign, Ordering::Relaxed);
        result
    }

    /// Whether the host's check of lind's user is none for the process.
    pub(crate) fn is_foreign(&self) -> bool {
        self.is_foreign.load(Ordering::Relaxed)
    }

    /// How ids of the host's appear in the sandbox.
    pub(crate) fn ids(&self) -> IdMap {
        self.world.ids
    }

    /// Runs `f` on the settings of prctl(2) and the scheduling calls.
    pub(crate) fn with_settings<R>(&self, f: impl FnOnce(&mut Settings) -> R) -> R {
        f(&mut self.settings.lock())
    }

    /// The name of the first thread, or the program's when that has ended.
    pub(crate) fn name(&self) -> String {
        let name = match self.task(self.pid) {
            Some(task) => task.name(),
            None => self.image().name(),
        };
        String::from_utf8_lossy(&name).into_owned()
    }

    /// The program and its arguments.
    pub(crate) fn image(&self) -> Arc<Image> {
        self.image.load_full()
    }

    /// The file that is executed.
    pub(crate) fn program(&self) -> Option<Arc<OpenFile>> {
        let program = self.program.lock();
        program.as_ref().map(|program| Arc::clone(&program.file))
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

    /// Ends the process, with all its threads; the first of several ends counts.
    pub(crate) fn finish(&self, status: ExitStatus) {
        if self.end.set(status).is_ok() {
            let threads = self.threads.lock();
            threads.tasks.iter().for_each(|task| task.host.end());
        }
    }

    /// How the process ended, if it has.
    pub(crate) fn end(&self) -> Option<ExitStatus> {
        self.end.get().copied()
    }

    /// What the process has restricted itself to.
    pub(crate) fn landlock(&self) -> Option<Arc<Domain>> {
        self.landlock.load_full()
    }

    /// Whether it has restricted itself.
    pub(crate) fn is_restricted(&self) -> bool {
        self.landlock.load().is_some()
    }

    /// Gives the process another domain.
    pub(crate) fn restrict(&self, domain: Domain) {
        self.landlock.store(Some(Arc::new(domain)));
    }

    /// Whether the process is one that the kernel would dump.
    fn may_dump(&self) -> bool {
        self.settings.lock().dumpable != 0 && self.limits.lock().core() > 0
    }

    /// Whether a process may look into this one, as ptrace(2) may.
    pub(crate) fn may_be_inspected(&self, by: &Self) -> bool {
        self.pid == by.pid
            || (self.has_ids_of(by) && self.settings.lock().dumpable != 0 && by.may_reach(self))
    }

    /// Whether all ids are the real ones of another process.
    pub(crate) fn has_ids_of(&self, other: &Self) -> bool {
        let (viewer, target) = (other.credentials(), self.credentials());
        let same = |viewer: Ids, target: Ids| {
            let real = viewer.real;
            real == target.real && real == target.effective && real == target.saved
        };
        self.pid == other.pid
            || (same(viewer.user, target.user) && same(viewer.group, target.group))
    }

    /// Ends the process as an uncaught signal does.
    pub(crate) fn kill(&self, signal: Signal) {
        let core = match signal.default_action() {
            rawposix_abi::DefaultAction::Core if self.may_dump() => CoreDump::Yes,
            _ => CoreDump::No,
        };
        self.finish(ExitStatus::Signaled(signal, core));
    }

    /// Ends the process by a signal that was sent to it.
    pub(crate) fn kill_by(&self, signal: Signal, info: Siginfo) {
        let _ = self.last_signal.set(info);
        self.kill(signal);
    }

    /// The signal that has ended the process when it was sent.
    pub(crate) fn last_signal(&self) -> Option<&Siginfo> {
        self.last_signal.get()
    }
}
