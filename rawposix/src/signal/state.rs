//! What processes and threads keep of their signals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rawposix_abi::flags::CloneFlags;
use rawposix_abi::structs::Sigaction;
use rawposix_abi::{Signal, SignalSet};

use super::actions::{Actions, Disposition, SA_NOCLDWAIT};
use super::crowd::Fork;
use super::queue::Queue;
use crate::cage::{Pid, Process, Task};
use crate::syscall::signalfd::SignalFile;

/// The signals of a process.
///
/// Locks: what is pending, then the dispositions, then what a thread keeps.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(super) shared: Mutex<Shared>,
    actions: ArcSwap<Mutex<Actions>>,
    /// The signalfds that somebody waits for, and whether there ever was one.
    watchers: Mutex<Vec<Weak<SignalFile>>>,
    is_watched: AtomicBool,
}

/// What is pending for the whole process, and whether it is stopped.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) pending: Queue,
    /// The signal that stopped the process.
    pub(super) stopped: Option<Signal>,
    /// The forks that its threads have begun.
    pub(super) forks: Vec<Fork>,
}

/// The signals of a thread.
#[derive(Debug, Default)]
pub(crate) struct TaskSignals {
    pub(crate) mask: SignalSet,
    /// What the thread waits for in sigtimedwait(2): it is woken by these although it blocks them.
    pub(super) awaited: SignalSet,
    pub(super) pending: Queue,
}

impl TaskSignals {
    /// Those of a new thread.
    pub(crate) fn new(mask: SignalSet) -> Self {
        Self {
            mask,
            ..Self::default()
        }
    }

    /// Sets what the thread waits for in sigtimedwait(2).
    pub(crate) fn await_signals(&mut self, signals: SignalSet) {
        self.awaited = signals;
    }

    /// Whether a signal stays pending whatever its disposition.
    pub(super) fn keeps(&self, signal: Signal) -> bool {
        self.mask.contains(signal) || self.awaited.contains(signal)
    }

    /// Whether the thread takes the signal when it is sent.
    pub(super) fn wants(&self, signal: Signal) -> bool {
        !self.mask.contains(signal) || self.awaited.contains(signal)
    }
}

impl TaskSignals {
    /// The signals that are pending for the thread alone.
    pub(crate) fn own_pending(&self) -> SignalSet {
        self.pending.set()
    }
}

impl Signals {
    /// The signals that are pending for the whole process, that it ignores, and that it catches.
    pub(crate) fn sets(&self) -> (SignalSet, SignalSet, SignalSet) {
        let pending = self.shared.lock().pending.set();
        let (mut ignored, mut caught) = (SignalSet::EMPTY, SignalSet::EMPTY);
        self.with_actions(|actions| {
            for signal in (1..=64).filter_map(Signal::from_raw) {
                match actions.disposition(signal) {
                    Disposition::Ignore => ignored = ignored.with(signal),
                    Disposition::Handler(_) => caught = caught.with(signal),
                    Disposition::Default(_) => {}
                }
            }
        });
        (pending, ignored, caught)
    }

    /// Those of a child: nothing is pending; the dispositions are shared with `CLONE_SIGHAND`.
    pub(crate) fn child(&self, flags: CloneFlags) -> Self {
        let actions = if flags.contains(CloneFlags::SIGHAND) {
            self.actions.load_full()
        } else {
            let actions = self.actions.load().lock().clone();
            Arc::new(Mutex::new(actions))
        };
        Self {
            actions: ArcSwap::new(actions),
            ..Self::default()
        }
    }

    /// What execve(2) and `CLONE_CLEAR_SIGHAND` do: caught signals get their default action, ignored ones stay ignored, pending ones stay.
    pub(crate) fn execute(&self) {
        let mut actions = self.actions.load().lock().clone();
        actions.reset_handlers();
        self.actions.store(Arc::new(Mutex::new(actions)));
    }

    /// The process has ended: nobody takes what is pending.
    pub(crate) fn clear(&self) {
        self.shared.lock().pending = Queue::default();
    }

    /// Runs `f` on the dispositions.
    pub(super) fn with_actions<R>(&self, f: impl FnOnce(&mut Actions) -> R) -> R {
        f(&mut self.actions.load().lock())
    }

    /// What names the dispositions, as long as they are used.
    pub(crate) fn identity_of_actions(&self) -> usize {
        Arc::as_ptr(&self.actions.load()).addr()
    }

    /// What rt_sigaction(2) reports.
    pub(crate) fn action(&self, signal: Signal) -> Sigaction {
        self.with_actions(|actions| actions.get(signal))
    }

    /// What rt_sigaction(2) sets. A pending signal that is ignored from now on is forgotten.
    pub(crate) fn set_action(&self, signal: Signal, action: Sigaction, tasks: &[Arc<Task>]) {
        let mut shared = self.shared.lock();
        let ignored = self.with_actions(|actions| {
            actions.set(signal, action);
            actions.is_ignored(signal)
        });
        if ignored {
            shared.forget(SignalSet::EMPTY.with(signal), tasks);
        }
    }

    /// Whether the signal is caught.
    pub(crate) fn is_caught(&self, signal: Signal) -> bool {
        let disposition = self.with_actions(|actions| actions.disposition(signal));
        matches!(disposition, Disposition::Handler(_))
    }

    /// Whether the signal is set to be ignored.
    pub(crate) fn is_set_to_ignore(&self, signal: Signal) -> bool {
        let disposition = self.with_actions(|actions| actions.disposition(signal));
        disposition == Disposition::Ignore
    }

    /// Whether ended children are not kept for wait(2): SIGCHLD is ignored, or caught with `SA_NOCLDWAIT`.
    pub(crate) fn forgets_children(&self) -> bool {
        let flags = self.action(Signal::SIGCHLD).flags;
        self.is_set_to_ignore(Signal::SIGCHLD) || flags & SA_NOCLDWAIT != 0
    }

    /// The signals that are pending for this thread: its own and the process's.
    pub(crate) fn pending(&self, task: &Task) -> SignalSet {
        let shared = self.shared.lock().pending.set();
        let own = task.signals.lock().pending.set();
        SignalSet::from_bits(shared.bits() | own.bits())
    }

    /// Has a signalfd be told whenever the pending signals change, from now on.
    pub(crate) fn watch(&self, file: Weak<SignalFile>) {
        let mut watchers = self.watchers.lock();
        watchers.retain(|watcher| watcher.strong_count() > 0);
        if !watchers.iter().any(|watcher| watcher.ptr_eq(&file)) {
            watchers.push(file);
        }
        // Before the file looks at what is pending, under the lock that everybody takes who changes that.
        self.is_watched.store(true, Ordering::SeqCst);
    }

    /// Whether the process is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.lock().stopped.is_some()
    }
}

impl Process {
    /// The pending signals have changed: signalfds show it.
    pub(crate) fn pending_has_changed(&self) {
        if !self.signals.is_watched.load(Ordering::SeqCst) {
            return;
        }
        let watchers = self.signals.watchers.lock().clone();
        for file in watchers.iter().filter_map(Weak::upgrade) {
            file.pending_has_changed(self);
        }
    }

    /// The signals that are pending for the process or for one thread of it, or for any of them.
    pub(crate) fn pending_for(&self, tid: Option<Pid>) -> SignalSet {
        let tasks = match tid {
            Some(tid) => self.task(tid).into_iter().collect(),
            None => self.tasks(),
        };
        let shared = self.signals.shared.lock().pending.set();
        let of = |task: &Arc<Task>| task.signals.lock().pending.set().bits();
        let own = tasks.iter().map(of).fold(0, |all, own| all | own);
        SignalSet::from_bits(shared.bits() | own)
    }
}

impl Shared {
    /// Removes signals from all queues.
    pub(super) fn forget(&mut self, signals: SignalSet, tasks: &[Arc<Task>]) {
        self.pending.remove(signals);
        for task in tasks {
            task.signals.lock().pending.remove(signals);
        }
    }
}
