//! clone(2): how processes and threads are made.
//!
//! Everything of the child is built before anybody can see it. Whatever fails on the way, here or in the engine, drops
//! the request and leaves nothing behind. The engine then publishes the child with [`Thread::start_child`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rawposix_abi::flags::{CloneFlags, PidfdFlags};
use rawposix_abi::{Errno, Signal};
use rawposix_interrupt::Freeze;
use rawposix_memory::{AddressSpace, GuestPtr, Writers};

use crate::cage::family::Place;
use crate::cage::{Pid, Process, Task};
use crate::control::Control;
use crate::fd::CloseOnExec;
use crate::signal::{Forking, NO_STACK};
use crate::syscall::pidfd;
use crate::thread::{Step, Thread};
use crate::trace::TracedCall;

/// What clone(2) was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CloneArguments {
    pub(crate) flags: CloneFlags,
    pub(crate) handlers: Handlers,
    /// The number of the signal that the parent gets, 0 for none.
    pub(crate) exit_signal: u32,
    pub(crate) entry: Entry,
    /// Where `CLONE_PIDFD` writes.
    pub(crate) pidfd: u32,
    /// Where `CLONE_PARENT_SETTID` writes.
    pub(crate) parent_tid: u32,
    /// Where `CLONE_CHILD_SETTID` and `CLONE_CHILD_CLEARTID` write.
    pub(crate) child_tid: u32,
}

impl CloneArguments {
    /// Whether the same word is to have the child's id and its descriptor, which clone(2) refuses.
    pub(crate) fn wants_both_in_one_place(&self) -> bool {
        self.flags
            .contains(CloneFlags::PIDFD | CloneFlags::PARENT_SETTID)
    }
}

/// What becomes of the handlers of signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handlers {
    /// The child has them, too.
    Kept,
    /// Caught signals get their default action: `CLONE_CLEAR_SIGHAND`.
    Cleared,
}

/// Where a new thread begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It returns from the same call, with 0.
    Here,
    /// It calls a function on a stack of its own.
    Function {
        /// The function's index in the table.
        function: u32,
        /// Its argument.
        argument: u32,
        /// The stack's upper end.
        stack: u32,
        /// The thread pointer.
        tls: u32,
    },
}

/// A child that is ready but for the engine's part.
#[derive(Debug)]
pub struct CloneRequest {
    child: Thread,
    arguments: CloneArguments,
    place: Option<Place>,
    vfork: Option<Arc<Vfork>>,
    pidfd: Option<NewPidfd>,
    fork: Forking,
    pub(crate) traced: Option<TracedCall>,
}

impl CloneRequest {
    /// Where the child begins.
    pub fn entry(&self) -> Entry {
        self.arguments.entry
    }

    /// The child's address space.
    pub fn memory(&self) -> &Arc<AddressSpace> {
        self.child.memory()
    }

    /// Whether the child has the same address space as `parent`.
    pub fn shares_memory(&self, parent: &Thread) -> bool {
        Arc::ptr_eq(self.memory(), parent.memory())
    }
}

/// The parent's descriptor of the child, which goes if the child is not made.
#[derive(Debug)]
struct NewPidfd {
    parent: Arc<Process>,
    fd: i32,
    is_kept: bool,
}

impl Drop for NewPidfd {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = self.parent.with_files(|files| files.remove(self.fd));
        }
    }
}

/// A parent that waits in vfork(2).
#[derive(Debug)]
pub(crate) struct Vfork {
    released: AtomicBool,
    parent: Arc<Task>,
}

impl Vfork {
    /// Lets the parent go on.
    pub(crate) fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
        self.parent.unpark();
    }
}

/// Flags that ask for what a sandbox does not have: other namespaces.
pub(crate) const NAMESPACES: CloneFlags = CloneFlags::NEWNS
    .union(CloneFlags::NEWCGROUP)
    .union(CloneFlags::NEWUTS)
    .union(CloneFlags::NEWIPC)
    .union(CloneFlags::NEWUSER)
    .union(CloneFlags::NEWPID)
    .union(CloneFlags::NEWNET);

fn check(arguments: &CloneArguments) -> Result<Option<Signal>, Errno> {
    let flags = arguments.flags;
    let without = |flag, needed| flags.contains(flag) && !flags.contains(needed);
    if flags.intersects(NAMESPACES)
        || without(CloneFlags::SIGHAND, CloneFlags::VM)
        || without(CloneFlags::THREAD, CloneFlags::SIGHAND)
        || (flags.contains(CloneFlags::PIDFD)
            && flags.intersects(CloneFlags::THREAD | CloneFlags::DETACHED))
    {
        return Err(Errno::EINVAL);
    }
    match arguments.exit_signal {
        0 => Ok(None),
        number => Signal::from_raw(number).map(Some).ok_or(Errno::EINVAL),
    }
}

impl Thread {
    /// Builds what clone(2) asks for, but for the engine's part.
    pub(crate) fn prepare_child(&self, arguments: CloneArguments) -> Result<CloneRequest, Errno> {
        let exit_signal = check(&arguments)?;
        let flags = arguments.flags;
        let tid = self.world.family.new_id(self.process.thread_limit())?;
        let made = self
            .begin_fork(tid)
            .and_then(|fork| Ok((fork, self.make_child(tid, flags)?)));
        let (fork, mut child) = match made {
            Ok(made) => made,
            Err(errno) => {
                self.world.family.release_thread(tid);
                return Err(errno);
            }
        };
        if arguments.handlers == Handlers::Cleared {
            child.process.signals.execute();
        }
        if flags.contains(CloneFlags::CHILD_CLEARTID) {
            child.clear_tid = arguments.child_tid;
        }
        if flags.contains(CloneFlags::VM) && !flags.contains(CloneFlags::VFORK) {
            child.signal_stack = NO_STACK;
        }
        let vfork = flags.contains(CloneFlags::VFORK).then(|| {
            Arc::new(Vfork {
                released: AtomicBool::new(false),
                parent: Arc::clone(&self.task),
            })
        });
        child.vfork.clone_from(&vfork);
        let pidfd = if flags.contains(CloneFlags::PIDFD) {
            Some(self.open_pidfd(&child.process, arguments.pidfd)?)
        } else {
            None
        };
        let place = (!flags.contains(CloneFlags::THREAD)).then(|| Place {
            parent: if flags.contains(CloneFlags::PARENT) {
                self.world.family.parent(self.process.pid)
            } else {
                self.process.pid
            },
            exit_signal,
        });
        Ok(CloneRequest {
            child,
            arguments,
            place,
            vfork,
            pidfd,
            fork,
            traced: None,
        })
    }

    /// Opens a descriptor of the child, after its descriptors were copied: it has none of itself.
    fn open_pidfd(&self, child: &Arc<Process>, address: u32) -> Result<NewPidfd, Errno> {
        let file = pidfd::describe(child, PidfdFlags::empty())?;
        let made = NewPidfd {
            parent: Arc::clone(&self.process),
            fd: self.process.install(file, CloseOnExec::Yes)?,
            is_kept: false,
        };
        self.memory().write(GuestPtr::new(address), &made.fd)?;
        Ok(made)
    }

    fn make_child(&self, tid: Pid, flags: CloneFlags) -> Result<Self, Errno> {
        if flags.contains(CloneFlags::THREAD) {
            return Ok(self.child(Arc::clone(&self.process), tid, Arc::clone(&self.space)));
        }
        let space = if flags.contains(CloneFlags::VM) {
            Arc::clone(&self.space)
        } else {
            self.fork_space()?
        };
        let process = self.process.child(tid, Arc::clone(&space), flags);
        Ok(self.child(Arc::new(process), tid, space))
    }

    /// Copies the address space while no other thread of the process runs the guest's code, so that the copy is of one
    /// moment.
    fn fork_space(&self) -> Result<Arc<AddressSpace>, Errno> {
        // No thread is added meanwhile, which would run.
        let _settled = self.process.keep_threads();
        let tasks = self.process.tasks();
        let others = tasks.iter().filter(|task| task.tid != self.tid());
        let _frozen = Freeze::new(others.map(|task| Arc::clone(&task.host)));
        let writers = if self.is_only_user() {
            Writers::Caller
        } else {
            Writers::Others
        };
        self.space.fork(writers)
    }

    /// Makes the child known and hands it to `run`, which gives it to the host thread that was made ready for it.
    /// For vfork(2), waits until the child has executed a program or ended.
    pub fn start_child(&mut self, request: Box<CloneRequest>, run: impl FnOnce(Self)) -> Control {
        let CloneRequest {
            child,
            arguments,
            place,
            vfork,
            pidfd,
            fork,
            traced,
        } = *request;
        let result = self.publish(child, &arguments, place.map(|place| (place, fork)), run);
        if let (Ok(_), Some(mut pidfd)) = (&result, pidfd) {
            pidfd.is_kept = true;
        }
        if let (Ok(_), Some(vfork)) = (&result, vfork) {
            // As on Linux, only the end of the process ends this wait.
            while !vfork.released.load(Ordering::SeqCst) && self.process.end().is_none() {
                self.task.host.park_uninterrupted();
            }
        }
        self.leave(traced, result)
    }

    fn publish(
        &self,
        mut child: Self,
        arguments: &CloneArguments,
        place: Option<(Place, Forking)>,
        run: impl FnOnce(Self),
    ) -> Result<i32, Errno> {
        let tid = child.tid().0;
        if arguments.flags.contains(CloneFlags::CHILD_SETTID) {
            // The kernel ignores an address that cannot be written.
            let _ = child
                .memory()
                .write(GuestPtr::new(arguments.child_tid), &tid);
        }
        if arguments.flags.contains(CloneFlags::PARENT_SETTID) {
            let _ = self
                .memory()
                .write(GuestPtr::new(arguments.parent_tid), &tid);
        }
        let process = Arc::clone(&child.process);
        let publishing = place.is_some().then(|| self.world.crowds.publishing());
        if self.process.end().is_some() {
            // Whatever has ended the process ends the child as well, which is why it is not made.
            return Err(Errno::EINTR);
        }
        let _settled = process.keep_threads();
        // Another thread may have given all threads new filters since the child was made.
        child.task.seccomp.inherit(&self.task.seccomp);
        process.add_task(Arc::clone(&child.task))?;
        if let Some((place, fork)) = place {
            self.world
                .family
                .add(self.process.pid, Arc::clone(&process), place)?;
            fork.tell(&process);
            drop(publishing);
            process.watch_processor_time();
        }
        child.published();
        if let Some(tracer) = &self.world.tracer {
            tracer.attached(child.tid());
        }
        run(child);
        Ok(tid)
    }

    /// The engine could not do its part: the call fails with `errno` and the child was never there.
    pub fn fail_child(&mut self, request: Box<CloneRequest>, errno: Errno) -> Control {
        let CloneRequest { child, traced, .. } = *request;
        drop(child);
        self.leave(traced, Err(errno))
    }

    /// Lets the guest's code run while the thread is in a call: it can be stopped and ended, but runs no handlers until
    /// [`Self::go_on_with_call`].
    pub fn run_guest_within_call(&mut self) -> Control {
        match self.task.host.leave_informed() {
            Ok(()) => Control::Return(0),
            Err(_) => self.exit_as_told(),
        }
    }

    /// The guest's code has done what [`Self::run_guest_within_call`] was for.
    pub fn go_on_with_call(&mut self) {
        self.enter();
    }

    /// What clone(2) returns to a child that the engine has brought to where it was called, after
    /// [`Self::go_on_with_call`].
    pub fn return_to_clone(&mut self) -> Control {
        self.leave(None, Ok(0))
    }

    /// The engine's import `lind.clone`: clone(2) with its arguments in memory, and with a function to call.
    /// The words are: function, argument, stack, thread pointer, flags, address for the parent, address for the child.
    pub fn clone_from_block(&mut self, address: u32) -> Control {
        self.enter();
        let Ok([_, _, stack, tls, flags, parent_tid, child_tid]) = self.read_block(address) else {
            return self.leave(None, Err(Errno::EFAULT));
        };
        let traced = self.trace(CLONE, [flags, stack, parent_tid, tls, child_tid, 0]);
        self.perform(traced, (CLONE_FROM_BLOCK, [address, 0, 0, 0, 0, 0]))
    }

    fn read_block(&self, address: u32) -> Result<[u32; 7], Errno> {
        self.memory().read(GuestPtr::<[u32; 7]>::new(address))
    }

    /// What [`CLONE_FROM_BLOCK`] does.
    pub(crate) fn prepare_from_block(&mut self, address: u32) -> Result<i32, Errno> {
        let [function, argument, stack, tls, flags, parent_tid, child_tid] =
            self.read_block(address)?;
        if let Some(result) = self.screen((CLONE, [flags, stack, parent_tid, tls, child_tid, 0])) {
            return result;
        }
        let entry = match stack {
            0 => Entry::Here,
            stack => Entry::Function {
                function,
                argument,
                stack,
                tls,
            },
        };
        let arguments = CloneArguments {
            flags: CloneFlags::from_bits_retain(flags & !EXIT_SIGNAL),
            handlers: Handlers::Kept,
            exit_signal: flags & EXIT_SIGNAL,
            entry,
            // One place for both, which is why both flags together are refused.
            pidfd: parent_tid,
            parent_tid,
            child_tid,
        };
        if arguments.wants_both_in_one_place() {
            return Err(Errno::EINVAL);
        }
        let request = self.prepare_child(arguments)?;
        self.step = Some(Step::Clone(Box::new(request)));
        Ok(0)
    }
}

/// clone(2) in the list of system calls.
pub(crate) const CLONE: i32 = 220;
pub(crate) const CLONE3: i32 = 435;
/// The import `lind.clone`, as a call that is made again after a handler; it is in no list.
pub(crate) const CLONE_FROM_BLOCK: i32 = -CLONE;
/// `CSIGNAL`: the bits of clone(2)'s flags that are the exit signal.
pub(crate) const EXIT_SIGNAL: u32 = 0xff;
