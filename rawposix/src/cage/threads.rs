//! The threads of a process.

use std::sync::Arc;

use parking_lot::MutexGuard;
use rawposix_abi::Errno;

use super::usage::Used;
use super::{Pid, Process, Task};
use crate::control::ExitStatus;

/// The threads of a process.
#[derive(Debug, Default)]
pub(super) struct Threads {
    pub(super) tasks: Vec<Arc<Task>>,
    /// Those of them that wait for a child.
    pub(super) waiting: Vec<Arc<Task>>,
    /// The one that executes a program: the others have to end.
    pub(super) executing: Option<Pid>,
    /// With what the first thread ended, if it ended before the others.
    pub(super) leader: Option<ExitStatus>,
    /// Processor time of threads that have ended.
    pub(super) times: Used,
}

impl Process {
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
}
