//! A thread of a guest process: the caller of every system call.

mod paths;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rawposix_abi::structs::StackT;
use rawposix_abi::{Errno, Signal, SignalSet};
use rawposix_interrupt::{HostThread, Parked};
use rawposix_memory::{AddressSpace, GuestPtr};

use crate::cage::family::PROGRAM;
use crate::cage::usage::Used;
use crate::cage::{Pid, Process, Task};
use crate::clone::{CloneRequest, Vfork};
use crate::control::{Control, CoreDump, ExitStatus};
use crate::exec::ExecRequest;
use crate::exit;
use crate::futex::{Key, Sharing, robust};
use crate::quick::{Recent, pack, unpack};
use crate::sandbox::World;
use crate::signal::{Due, Interrupted, NO_STACK, Resumed, from_system};
use crate::startup::Startup;
use crate::syscall;
use crate::trace::TracedCall;

/// A guest thread. It belongs to the host thread that runs it; the engine keeps it in its store.
///
/// Dropping it ends the guest thread; if it was not told to end before, its whole process is killed.
#[derive(Debug)]
pub struct Thread {
    pub(crate) world: Arc<World>,
    pub(crate) process: Arc<Process>,
    pub(crate) task: Arc<Task>,
    pub(crate) space: Arc<AddressSpace>,
    /// Where the kernel stores 0 when the thread ends, see set_tid_address(2).
    pub(crate) clear_tid: u32,
    pub(crate) signal_stack: StackT,
    /// The parent that waits for this thread to execute a program or to end.
    pub(crate) vfork: Option<Arc<Vfork>>,
    /// What the system call that runs needs of the engine.
    pub(crate) step: Option<Step>,
    /// The system call that runs.
    call: Option<Call>,
    /// What the thread does instead of returning from the last one, until the engine takes it.
    control: Option<Control>,
    /// The system call that waits for the guest to run handlers.
    pub(crate) interrupted: Option<Interrupted>,
    /// The mask that is restored after a call with a mask of its own, such as sigsuspend(2).
    pub(crate) saved_mask: Option<SignalSet>,
    /// What it has read and written lately.
    pub(crate) recent: Recent,
    startup: Arc<Startup>,
    /// As many references as there are threads that use the address space.
    users: Arc<()>,
    life: Life,
}

/// How far a thread's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// It is made, and nobody knows it.
    Unpublished,
    Running,
    /// It has asked to end with this status.
    Ending(ExitStatus),
    /// Nothing of it is left but the host thread's frames.
    Departed(ExitStatus),
}

/// What a system call needs before it has a result: of the engine, or of the call that it goes on with.
#[derive(Debug)]
pub(crate) enum Step {
    Clone(Box<CloneRequest>),
    Exec(Box<ExecRequest>),
    Resume(Resumed),
}

/// A system call: its number and its arguments' words.
pub(crate) type Call = (i32, [u32; 6]);

/// How far a call has come.
enum Ran {
    Result(Result<i32, Errno>),
    /// The engine has to do its part.
    Control(Control),
}

impl Thread {
    /// The first thread of the first process.
    pub(crate) fn first(
        world: Arc<World>,
        process: Arc<Process>,
        startup: Startup,
    ) -> Result<Self, Errno> {
        let name = process.image().name();
        let task = Arc::new(Task::new(process.pid, name, SignalSet::EMPTY));
        process.add_task(Arc::clone(&task))?;
        Ok(Self {
            space: process.space(),
            world,
            process,
            task,
            clear_tid: 0,
            signal_stack: NO_STACK,
            vfork: None,
            step: None,
            call: None,
            control: None,
            interrupted: None,
            saved_mask: None,
            recent: Recent::default(),
            startup: Arc::new(startup),
            users: Arc::new(()),
            life: Life::Running,
        })
    }

    /// A thread that this one makes: of the same process, or the first one of `process`.
    pub(crate) fn child(&self, process: Arc<Process>, tid: Pid, space: Arc<AddressSpace>) -> Self {
        Self {
            world: Arc::clone(&self.world),
            process,
            task: Arc::new(self.task.child(tid, self.signal_mask())),
            clear_tid: 0,
            signal_stack: self.signal_stack,
            vfork: None,
            step: None,
            call: None,
            control: None,
            interrupted: None,
            saved_mask: None,
            recent: Recent::default(),
            startup: Arc::clone(&self.startup),
            users: if Arc::ptr_eq(&space, &self.space) {
                Arc::clone(&self.users)
            } else {
                Arc::new(())
            },
            space,
            life: Life::Unpublished,
        }
    }

    /// Says that others know the thread from now on.
    pub(crate) fn published(&mut self) {
        self.life = Life::Running;
    }

    /// Says that the calling host thread runs this guest thread from now on.
    pub fn bind(&mut self) {
        // Without the host's signal handler, which nothing prevents from being there, nothing interrupts a loop.
        let _ = self.task.host.attach();
        self.world.processors.begin(&self.task);
        self.task.host.begin();
    }

    /// The thread's id.
    pub(crate) fn tid(&self) -> Pid {
        self.task.tid
    }

    /// Whether it is a thread of the program that the sandbox was started with.
    pub fn is_program(&self) -> bool {
        self.process.pid == PROGRAM
    }

    /// Whether its process has no other thread.
    pub fn is_alone(&self) -> bool {
        self.process.tasks().len() == 1
    }

    /// Puts another program into the place of the present one.
    pub(crate) fn replace_program(
        &mut self,
        task: Arc<Task>,
        space: Arc<AddressSpace>,
        startup: Startup,
    ) {
        self.task = task;
        self.space = space;
        self.startup = Arc::new(startup);
        self.users = Arc::new(());
        self.clear_tid = 0;
        self.signal_stack = NO_STACK;
        self.interrupted = None;
        self.saved_mask = None;
    }

    /// The address space of the thread's process.
    pub fn memory(&self) -> &Arc<AddressSpace> {
        &self.space
    }

    /// Whether no other thread, of this process or another, uses the address space.
    pub(crate) fn is_only_user(&self) -> bool {
        Arc::strong_count(&self.users) == 1
    }

    /// Size of the start-up image in bytes: argc, argv, envp, the auxiliary vector and their strings.
    pub fn startup_size(&self) -> u32 {
        u32::try_from(self.startup.build(0).len()).unwrap_or(u32::MAX)
    }

    /// Writes the start-up image, built for this address, into guest memory.
    /// An address without memory kills the process with SIGSEGV, as the kernel does in execve(2).
    pub fn startup_copy(&mut self, address: u32) -> Control {
        let image = self.startup.build(address);
        match self.space.write_bytes(GuestPtr::new(address), &image) {
            Ok(()) => Control::Return(0),
            Err(_) => self.fault(Signal::SIGSEGV),
        }
    }

    /// The guest has called the host.
    pub(crate) fn enter(&mut self) {
        self.task.host.enter();
        self.recent.clear();
        self.call = None;
    }

    /// Performs the system call `number` with these argument words.
    pub fn syscall(&mut self, number: i32, arguments: [u32; 6]) -> Control {
        let result = self.syscall_here(number, arguments);
        match (result, self.take_control()) {
            (_, Some(control)) => control,
            (word, None) => Control::Return(word.unwrap_or(0)),
        }
    }

    /// The same, compiled into the caller: it pays where that is called by the guest's code itself. `None` if the thread
    /// does something else than return; [`Self::take_control`] says what.
    #[inline(always)]
    pub fn syscall_here(&mut self, number: i32, arguments: [u32; 6]) -> Option<i32> {
        match self.quickly(number, arguments) {
            Some(word) => Some(word),
            None => {
                let (first, second, third) = pack(arguments);
                self.syscall_the_long_way(number, first, second, third)
            }
        }
    }

    /// What [`Self::syscall_here`] left to do.
    pub fn take_control(&mut self) -> Option<Control> {
        self.control.take()
    }

    #[inline(never)]
    fn syscall_the_long_way(
        &mut self,
        number: i32,
        first: u64,
        second: u64,
        third: u64,
    ) -> Option<i32> {
        if self.control.is_some() {
            // It went the short way.
            return None;
        }
        let arguments = unpack((first, second, third));
        self.enter();
        let traced = self.trace(number, arguments);
        let control = self.perform(traced, (number, arguments));
        self.give(control)
    }

    /// Gives a result, or keeps what else the thread does.
    fn give(&mut self, control: Control) -> Option<i32> {
        match control {
            Control::Return(word) => Some(word),
            control => {
                self.control = Some(control);
                None
            }
        }
    }

    /// Performs a call that the guest has entered.
    pub(crate) fn perform(&mut self, mut traced: Option<TracedCall>, call: Call) -> Control {
        match self.run(&mut traced, call) {
            Ran::Result(result) => self.leave(traced, result),
            Ran::Control(control) => control,
        }
    }

    fn run(&mut self, traced: &mut Option<TracedCall>, mut call: Call) -> Ran {
        loop {
            self.call = Some(call);
            let (number, arguments) = call;
            let result = match self.screen(call) {
                None => syscall::perform(self, number, arguments),
                Some(denied) => denied,
            };
            match self.step.take() {
                None => {
                    syscall::count(&self.task.transfers, number, result);
                    return Ran::Result(result);
                }
                Some(Step::Resume(Resumed::Result(word))) => return Ran::Result(Ok(word)),
                Some(Step::Resume(Resumed::Call(number, arguments))) => call = (number, arguments),
                Some(Step::Clone(mut request)) => {
                    self.call = None;
                    request.traced = traced.take();
                    return Ran::Control(Control::Clone(request));
                }
                Some(Step::Exec(mut request)) => {
                    self.call = None;
                    request.traced = traced.take();
                    return Ran::Control(Control::Exec(request));
                }
            }
        }
    }

    /// Notes a system call for the trace.
    pub(crate) fn trace(&self, number: i32, arguments: [u32; 6]) -> Option<TracedCall> {
        let tracer = self.world.tracer.as_ref()?;
        tracer.enter(self, number, arguments)
    }

    /// The end of a call that went the short way but does not simply return.
    #[cold]
    pub(crate) fn leave_the_long_way(
        &mut self,
        number: i32,
        first: u64,
        second: u64,
        third: u64,
        result: Result<i32, Errno>,
    ) -> Option<i32> {
        self.recent.clear();
        self.call = Some((number, unpack((first, second, third))));
        let control = self.leave(None, result);
        self.give(control)
    }

    /// The end of a system call: what the thread does next.
    pub(crate) fn leave(
        &mut self,
        mut traced: Option<TracedCall>,
        mut result: Result<i32, Errno>,
    ) -> Control {
        let due = loop {
            if let Life::Ending(status) | Life::Departed(status) = self.life {
                break Due::End(self.process.end().unwrap_or(status));
            }
            if result == Err(Errno::EINTR) {
                match (self.consider(), self.call) {
                    // A call that only a handler ends goes on.
                    (Due::Nothing, Some(call)) => {
                        match self.run(&mut traced, call) {
                            Ran::Result(again) => result = again,
                            Ran::Control(control) => return control,
                        }
                        continue;
                    }
                    (Due::Nothing, None) => {}
                    (due, _) => break due,
                }
            }
            self.restore_mask();
            if self.task.host.leave().is_ok() {
                break Due::Nothing;
            }
            match self.consider() {
                Due::Nothing => {}
                due => break due,
            }
        };
        let word = result.unwrap_or_else(Errno::to_word);
        let end = match due {
            Due::End(status) => Some(status),
            _ => None,
        };
        if let (Some(tracer), Some(call)) = (&self.world.tracer, traced) {
            tracer.leave(self, call, word, end);
        }
        match due {
            Due::Nothing => Control::Return(word),
            Due::Handler => self.leave_for_handler(self.call, result),
            Due::End(status) => self.exit(status),
        }
    }

    /// Ends the thread here.
    pub(crate) fn exit(&mut self, status: ExitStatus) -> Control {
        self.depart(status);
        Control::Exit(status)
    }

    /// Ends the thread, at the end of the system call that it makes.
    pub(crate) fn end(&mut self, status: ExitStatus) {
        self.life = Life::Ending(status);
    }

    /// Waits until `ready` has a result, an [`unpark`](Task::unpark) of the thread's task making it look again.
    /// `ETIMEDOUT` at `end`, `EINTR` when a handler has to run or the thread has to end.
    pub(crate) fn wait_until<T>(
        &self,
        end: Option<Instant>,
        mut ready: impl FnMut() -> Result<Option<T>, Errno>,
    ) -> Result<T, Errno> {
        loop {
            if let Some(result) = ready()? {
                return Ok(result);
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                return Err(Errno::ETIMEDOUT);
            }
            if self.task.host.park(end) == Parked::Interrupted && self.consider() != Due::Nothing {
                // As on Linux, what has come meanwhile counts, even if a signal tells of it: SIGCHLD of a child.
                return ready()?.ok_or(Errno::EINTR);
            }
        }
    }

    /// The guest's code faulted: delivers `signal` (until handlers exist: its default action).
    pub fn fault(&mut self, signal: Signal) -> Control {
        self.enter();
        // A synchronous fault cannot be ignored or blocked.
        self.process.kill(signal);
        let status = self.process.end().unwrap_or(ExitStatus::Exited(0));
        if let Some(tracer) = &self.world.tracer {
            tracer.signal(self, &from_system(signal));
        }
        self.depart(status);
        Control::Exit(status)
    }

    /// The guest thread is no more: all that is left to do is to tell others. Its host thread may still have frames
    /// of it, but never runs them again.
    fn depart(&mut self, status: ExitStatus) {
        if let Life::Departed(_) | Life::Unpublished = self.life {
            return;
        }
        self.life = Life::Departed(status);
        self.recent.clear();
        if let Some(tracer) = &self.world.tracer {
            if let (Some(info), true) = (self.process.last_signal(), self.tid() == self.process.pid)
            {
                tracer.signal(self, info);
            }
            tracer.ended(self, status);
        }
        let used = self.task.used();
        HostThread::detach();
        self.release_memory();
        let last = self.process.remove_task(self.tid(), status, used);
        let is_last = last.is_some();
        if let Some((status, times)) = last {
            exit::end_process(&self.process, status, times);
        }
        self.process.pending_has_changed();
        self.release_vfork();
        let family = &self.world.family;
        if is_last {
            family.release_last_thread(self.tid(), self.process.pid);
        } else {
            family.release_thread(self.tid());
        }
    }

    /// What a thread does that gives up its address space: robust futexes and the word at `clear_tid`.
    pub(crate) fn release_memory(&mut self) {
        if self.robust_list() != 0 {
            robust::release(self);
            self.task.robust_list.store(0, Ordering::Relaxed);
        }
        if self.clear_tid != 0 {
            let word = GuestPtr::new(self.clear_tid);
            self.clear_tid = 0;
            // As on Linux, only if there is somebody who could look. A wrong address is the guest's own business.
            if !self.is_only_user() && self.memory().write(word, &0_u32).is_ok() {
                let key = Key::of(self, word.addr(), Sharing::Either);
                let _ = self.world.futexes.wake(key, 1, u32::MAX);
            }
        }
    }

    /// The list of set_robust_list(2), 0 if there is none.
    pub(crate) fn robust_list(&self) -> u32 {
        self.task.robust_list.load(Ordering::Relaxed)
    }

    /// What this thread has used.
    pub(crate) fn own_times(&self) -> Used {
        self.task.used()
    }

    /// What the process has used.
    pub(crate) fn process_times(&self) -> Used {
        self.process.used()
    }

    /// Lets the parent go on that waits in vfork(2).
    pub(crate) fn release_vfork(&mut self) {
        if let Some(vfork) = self.vfork.take() {
            vfork.release();
        }
    }

    /// The process with a thread of this id, and the thread; the caller's own threads are looked at first.
    pub(crate) fn find_thread(&self, tid: Pid) -> Result<(Arc<Process>, Arc<Task>), Errno> {
        if let Some(task) = self.process.task(tid) {
            return Ok((Arc::clone(&self.process), task));
        }
        let family = &self.world.family;
        let leader = family.process(tid).into_iter();
        let mut found = leader.chain(family.living()).filter_map(|process| {
            let task = process.task(tid)?;
            Some((process, task))
        });
        found.next().ok_or(Errno::ESRCH)
    }

    /// The process that an argument names by its id or by that of one of its threads; 0 is the caller's.
    pub(crate) fn process_of(&self, tid: i32) -> Result<Arc<Process>, Errno> {
        if tid == 0 || tid == self.process.pid.0 {
            return Ok(Arc::clone(&self.process));
        }
        match self.world.family.process(Pid(tid)) {
            Some(process) => Ok(process),
            None => self.find_thread(Pid(tid)).map(|(process, _)| process),
        }
    }

    /// Runs a host call that may block, again and again while nothing but a host's signal interrupts it. `EINTR` when a
    /// handler has to run or the thread has to end. This is the one place where a guest thread waits in the host.
    #[inline(always)]
    pub(crate) fn block<T>(&self, mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
        loop {
            #[expect(
                clippy::redundant_closure,
                reason = "through a reference, the call would be made out of line"
            )]
            match self.task.host.block(|| call()) {
                Err(Errno::EINTR) if self.consider() == Due::Nothing => {}
                result => return result,
            }
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        match self.life {
            Life::Departed(_) => {}
            Life::Unpublished => {
                self.release_vfork();
                self.world.family.release_thread(self.tid());
            }
            Life::Ending(status) => self.depart(status),
            Life::Running => {
                // The engine could not go on with it.
                self.process.kill(Signal::SIGKILL);
                let killed = ExitStatus::Signaled(Signal::SIGKILL, CoreDump::No);
                self.depart(self.process.end().unwrap_or(killed));
            }
        }
    }
}
