//! Processes: everything that fork(2) copies or shares, one small part a file.

mod context;
mod credentials;
mod death;
mod end;
pub(crate) mod family;
mod ids;
mod limits;
mod task;
pub(crate) mod usage;
pub(crate) mod wait;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::{Mutex, MutexGuard};
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
use usage::Used;

use crate::aio::Contexts;
use crate::control::{CoreDump, ExitStatus};
use crate::exec::Program;
use crate::fd::{CloseOnExec, FdTable, OpenFile};
use crate::fs::dir::Dir;
use crate::fs::mount::Mounts;
use crate::fs::walk::Walk;
use crate::ipc::queue::QueueFile;
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

/// The threads of a process.
#[derive(Debug, Default)]
struct Threads {
    tasks: Vec<Arc<Task>>,
    /// Those of them that wait for a child.
    waiting: Vec<Arc<Task>>,
    /// The one that executes a program: the others have to end.
    executing: Option<Pid>,
    /// With what the first thread ended, if it ended before the others.
    leader: Option<ExitStatus>,
    /// Processor time of threads that have ended.
    times: Used,
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

    /// Lets no thread be added until the result is dropped.
    pub(crate) fn keep_threads(&self) -> MutexGuard<'_, ()> {
        self.settled.lock()
    }

    /// Adds a thread. `EAGAIN` when the process ends or executes another program.
    pub(crate) fn add_task(&self, task: Arc<Task>) -> Result<(), Errno> {
        let mut threads = self.threads.lock();
        if self.end().is_some() || threads.executing.is_some() {
            return Err(Errno::EAGAIN);
        }
        threads.tasks.push(task);
        Ok(())
    }

    /// Replaces the task of the thread that executes a program, whose id may change.
    pub(crate) fn become_leader(&self, task: Arc<Task>) {
        let mut threads = self.threads.lock();
        threads.tasks = vec![task];
        threads.executing = None;
        threads.leader = None;
    }

    /// Removes a thread that ends with this status; says how the process has ended if it was the last one.
    pub(crate) fn remove_task(
        &self,
        tid: Pid,
        status: ExitStatus,
        used: Used,
    ) -> Option<(ExitStatus, Used)> {
        let mut threads = self.threads.lock();
        threads.tasks.retain(|task| task.tid != tid);
        threads.waiting.retain(|task| task.tid != tid);
        threads.times = threads.times.with(used);
        if tid == self.pid {
            threads.leader = Some(status);
        }
        if threads.tasks.is_empty() {
            let leader = threads.leader.unwrap_or(status);
            return Some((self.end().unwrap_or(leader), threads.times));
        }
        if threads.executing.is_some() {
            threads.tasks.iter().for_each(|task| task.unpark());
        }
        None
    }

    /// The threads.
    pub(crate) fn tasks(&self) -> Vec<Arc<Task>> {
        self.threads.lock().tasks.clone()
    }

    /// The thread with this id.
    pub(crate) fn task(&self, tid: Pid) -> Option<Arc<Task>> {
        let threads = self.threads.lock();
        threads.tasks.iter().find(|task| task.tid == tid).cloned()
    }

    /// Makes all other threads than `tid` end, for that one to execute a program.
    /// `EAGAIN` when another one does that already.
    pub(crate) fn begin_execute(&self, tid: Pid) -> Result<(), Errno> {
        let mut threads = self.threads.lock();
        if threads.executing.is_some() || self.end().is_some() {
            return Err(Errno::EAGAIN);
        }
        threads.executing = Some(tid);
        let others = threads.tasks.iter().filter(|task| task.tid != tid);
        others.for_each(|task| task.host.end());
        Ok(())
    }

    /// Whether the only thread is left.
    pub(crate) fn is_single(&self) -> bool {
        self.threads.lock().tasks.len() <= 1
    }

    /// How a thread has to end, if it has to.
    pub(crate) fn fate_of(&self, tid: Pid) -> Option<ExitStatus> {
        self.end().or_else(|| {
            let executing = self.threads.lock().executing;
            executing
                .filter(|other| *other != tid)
                .map(|_| ExitStatus::Exited(0))
        })
    }

    /// Notes that a thread waits for children, before it looks for one.
    pub(crate) fn wait_for_children(&self, task: &Arc<Task>) {
        self.threads.lock().waiting.push(Arc::clone(task));
    }

    /// The opposite.
    pub(crate) fn stop_waiting_for_children(&self, task: &Arc<Task>) {
        let mut threads = self.threads.lock();
        if let Some(place) = threads.waiting.iter().position(|t| Arc::ptr_eq(t, task)) {
            threads.waiting.swap_remove(place);
        }
    }

    /// Lets threads that wait for children look again.
    pub(crate) fn child_event(&self) {
        // They take this lock as soon as they run.
        let waiting = self.threads.lock().waiting.clone();
        waiting.iter().for_each(|task| task.unpark());
    }

    /// What all threads have used, those that have ended as well.
    pub(crate) fn used(&self) -> Used {
        let living = self.tasks();
        let living = living.iter().map(|task| task.used());
        living.fold(self.past_times(), Used::with)
    }

    /// What threads have used that have ended.
    pub(crate) fn past_times(&self) -> Used {
        self.threads.lock().times
    }

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

    /// The sandbox.
    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
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

    /// RLIMIT_FSIZE.
    pub(crate) fn file_size_limit(&self) -> u64 {
        self.file_size.load(Ordering::Relaxed)
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
