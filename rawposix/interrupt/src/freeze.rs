//! Stopping other threads for a moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::thread::futex;

use crate::thread::{FREEZE_NUMBER, FREEZE_ONE, FREEZES, HostThread};

/// While this lives, its threads run no code of the guest's. Those in a system call stay in it, or wait at its end.
#[derive(Debug)]
pub struct Freeze {
    threads: Vec<Arc<HostThread>>,
}

impl Freeze {
    /// Stops the threads and waits until the last one has stopped. None may be the caller's own.
    pub fn new(threads: impl IntoIterator<Item = Arc<HostThread>>) -> Self {
        let threads: Vec<_> = threads.into_iter().collect();
        let mut awaited = Vec::with_capacity(threads.len());
        for thread in &threads {
            // First, so that a thread that finds itself frozen answers this freeze.
            let number = thread.asked.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
            thread
                .word
                .fetch_add(FREEZE_ONE + FREEZE_NUMBER, Ordering::SeqCst);
            // A thread that is frozen already waits with the signal blocked.
            thread.wake();
            if thread.signal() {
                awaited.push((thread, number));
            }
        }
        for (thread, number) in awaited {
            thread.wait_for_answer(number);
        }
        Self { threads }
    }
}

impl Drop for Freeze {
    fn drop(&mut self) {
        for thread in &self.threads {
            thread.word.fetch_sub(FREEZE_ONE, Ordering::SeqCst);
            thread.wake();
        }
    }
}

impl HostThread {
    fn wait_for_answer(&self, number: u32) {
        loop {
            let answered = self.answered.load(Ordering::Acquire);
            if number.wrapping_sub(answered).cast_signed() <= 0 {
                return;
            }
            let _ = futex::wait(&self.answered, futex::Flags::PRIVATE, answered, None);
        }
    }

    /// Tells those who freeze the thread that it runs nothing of the guest's. Async-signal-safe.
    pub(crate) fn answer_freeze(&self) {
        loop {
            let asked = self.asked.load(Ordering::SeqCst);
            if self.answered.swap(asked, Ordering::SeqCst) != asked {
                let _ = futex::wake(&self.answered, futex::Flags::PRIVATE, i32::MAX as u32);
            }
            // The signal handler may have answered a later one in between.
            if self.asked.load(Ordering::SeqCst) == asked {
                return;
            }
        }
    }

    /// Waits until no freeze is on. Async-signal-safe.
    pub(crate) fn wait_while_frozen(&self) {
        loop {
            let word = self.word.load(Ordering::Acquire);
            if word & FREEZES == 0 {
                return;
            }
            self.answer_freeze();
            let _ = futex::wait(&self.word, futex::Flags::PRIVATE, word, None);
        }
    }
}
