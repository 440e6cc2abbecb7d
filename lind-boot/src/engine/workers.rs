//! Host threads for guest threads: those whose guest has ended are used again.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use parking_lot::Mutex;

use super::THREAD_STACK;

/// Idle host threads that are kept.
const IDLE: usize = 64;

/// What a worker does.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The host threads that have nothing to do.
#[derive(Clone, Default)]
pub(super) struct Workers(Arc<Mutex<Vec<Sender<Job>>>>);

/// A host thread that waits for a guest thread.
pub(super) struct Worker {
    jobs: Sender<Job>,
}

impl Workers {
    /// A host thread that is ready: an idle one or a new one.
    pub(super) fn get(&self) -> io::Result<Worker> {
        let idle = self.0.lock().pop();
        let jobs = match idle {
            Some(jobs) => jobs,
            None => self.start()?,
        };
        Ok(Worker { jobs })
    }

    fn start(&self) -> io::Result<Sender<Job>> {
        let (sender, jobs) = channel::<Job>();
        let own = sender.clone();
        let workers = self.clone();
        std::thread::Builder::new()
            .name("guest".to_owned())
            .stack_size(THREAD_STACK)
            .spawn(move || {
                while let Ok(job) = jobs.recv() {
                    // A panic is a defect of lind; the guest thread is dropped, which kills its process and no other.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                    let mut idle = workers.0.lock();
                    if idle.len() >= IDLE {
                        return;
                    }
                    idle.push(own.clone());
                }
            })?;
        Ok(sender)
    }
}

impl Worker {
    /// Runs the job on the host thread, at once.
    pub(super) fn run(self, job: Job) {
        // The other side lives as long as it is not told to run, since it holds a sender itself.
        let _ = self.jobs.send(job);
    }
}
