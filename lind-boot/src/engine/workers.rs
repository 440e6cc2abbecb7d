//! Host threads for guest threads: those whose guest has ended are used again.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, Thread};

use parking_lot::Mutex;
use rawposix_memory::ThreadShare;

use super::THREAD_STACK;

/// Idle host threads that are kept.
const IDLE: usize = 64;

/// What a worker does.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The host threads that have nothing to do.
#[derive(Clone, Default)]
pub(super) struct Workers(Arc<Mutex<Vec<Worker>>>);

/// A host thread that waits for a guest thread.
pub(super) struct Worker {
    slot: Arc<Slot>,
    thread: Thread,
    is_free: bool,
}

/// Where a worker looks for its next job. The lock is held only to put one there or to take it, and the worker is woken
/// when it is free again: a channel's receiver would run into the sender's lock.
type Slot = Mutex<Option<Job>>;

impl Workers {
    /// A host thread that is ready: an idle one or a new one.
    pub(super) fn get(&self) -> io::Result<Worker> {
        let idle = self.0.lock().pop();
        match idle {
            Some(worker) => Ok(worker),
            None => self.start(),
        }
    }

    fn start(&self) -> io::Result<Worker> {
        let share = ThreadShare::new().ok_or(io::ErrorKind::OutOfMemory)?;
        let slot = Arc::new(Slot::default());
        let own = Arc::clone(&slot);
        let workers = self.clone();
        let thread = thread::Builder::new()
            .name("guest".to_owned())
            .stack_size(THREAD_STACK)
            .spawn(move || {
                workers.work(&own);
                drop(share);
            })?
            .thread()
            .clone();
        Ok(Worker::new(&slot, thread))
    }

    /// The life of a host thread.
    fn work(&self, slot: &Arc<Slot>) {
        loop {
            let job = slot.lock().take();
            let Some(job) = job else {
                thread::park();
                continue;
            };
            // A panic is a defect of lind; the guest thread is dropped, which kills its process and no other.
            let _ = catch_unwind(AssertUnwindSafe(job));
            let mut idle = self.0.lock();
            if idle.len() >= IDLE {
                return;
            }
            idle.push(Worker::new(slot, thread::current()));
        }
    }
}

impl Worker {
    fn new(slot: &Arc<Slot>, thread: Thread) -> Self {
        Self {
            slot: Arc::clone(slot),
            thread,
            is_free: true,
        }
    }

    /// Runs the job on the host thread, at once.
    pub(super) fn run(mut self, job: Job) {
        self.give(job);
    }

    fn give(&mut self, job: Job) {
        self.is_free = false;
        *self.slot.lock() = Some(job);
        self.thread.unpark();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.is_free {
            // It was not needed; having done nothing, it is idle again.
            self.give(Box::new(|| ()));
        }
    }
}
