//! Contexts of kernel AIO, see io_setup(2): what has been completed waits in them until it is asked for.
//!
//! Requests are carried out by the thread that submits them, which Linux does as well with files that have no asynchronous
//! way. A context is named by the address of a page, as on Linux, where the kernel's ring is: libaio looks there for a
//! ring it could read itself, and asks the kernel if it finds none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::structs::IoEvent;

use crate::cage::Task;
use crate::share::{Share, Shares};
use crate::thread::Thread;

/// `fs.aio-max-nr`: the requests that all contexts of a sandbox together may be made for.
pub(crate) const MOST: u64 = 65_536;
/// The fewest requests that a context has room for; like Linux, it has room for twice as many as were asked for.
const FEWEST: u32 = 8;

/// The contexts of a process, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Contexts(Mutex<BTreeMap<u32, Arc<Context>>>);

impl Contexts {
    /// Adds a context.
    pub(crate) fn add(&self, id: u32, context: Context) {
        let before = self.0.lock().insert(id, Arc::new(context));
        // Its page has been unmapped by the program: nothing leads to it any more.
        if let Some(before) = before {
            before.end();
        }
    }

    /// The context of this id. `EINVAL` when there is none.
    pub(crate) fn find(&self, id: u32) -> Result<Arc<Context>, Errno> {
        self.0.lock().get(&id).cloned().ok_or(Errno::EINVAL)
    }

    /// Removes a context, whose waits end. `EINVAL` when there is none.
    pub(crate) fn remove(&self, id: u32) -> Result<Arc<Context>, Errno> {
        let context = self.0.lock().remove(&id).ok_or(Errno::EINVAL)?;
        context.end();
        Ok(context)
    }

    /// Removes all of them.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.0.lock());
        all.values().for_each(|context| context.end());
    }
}

/// A context.
#[derive(Debug)]
pub(crate) struct Context {
    /// The requests that it has room for, from their submission until their events are taken.
    room: usize,
    state: Mutex<State>,
    #[expect(dead_code, reason = "its end is what it is for")]
    share: Share,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<IoEvent>,
    /// Requests that are carried out now.
    running: usize,
    is_over: bool,
    /// The threads that wait for a change.
    waiting: Vec<Arc<Task>>,
}

impl State {
    fn changed(&self) {
        self.waiting.iter().for_each(|task| task.unpark());
    }
}

/// The place of a request that is carried out, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a Context);

impl Running<'_> {
    /// The request is complete.
    pub(crate) fn complete(self, event: IoEvent) {
        let mut state = self.0.state.lock();
        if !state.is_over {
            state.events.push_back(event);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.running = state.running.saturating_sub(1);
        state.changed();
    }
}

impl Context {
    /// A context for this many requests. `EINVAL` and `EAGAIN` when they are too many, as Linux tells them apart.
    pub(crate) fn new(taken: &Arc<Shares>, requests: u32) -> Result<Self, Errno> {
        /// Events of a ring that has the size of 2^28 bytes.
        const LARGEST: u32 = 0x1000_0000 / 32;
        let slots = requests.max(FEWEST).wrapping_mul(2);
        if slots > LARGEST {
            return Err(Errno::EINVAL);
        }
        let share = taken.take(requests.into(), MOST).ok_or(Errno::EAGAIN)?;
        Ok(Self {
            room: usize::try_from(slots).unwrap_or(0),
            state: Mutex::default(),
            share,
        })
    }

    /// The requests that it has room for.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Begins a request. `EAGAIN` when there is no room for its event.
    pub(crate) fn begin(&self) -> Result<Running<'_>, Errno> {
        let mut state = self.state.lock();
        if state.events.len() + state.running >= self.room {
            return Err(Errno::EAGAIN);
        }
        state.running += 1;
        Ok(Running(self))
    }

    /// Takes events, at most so many. `EINVAL` when the context is destroyed.
    fn take(&self, most: usize) -> Result<Vec<IoEvent>, Errno> {
        let mut state = self.state.lock();
        if state.is_over {
            return Err(Errno::EINVAL);
        }
        let count = most.min(state.events.len());
        Ok(state.events.drain(..count).collect())
    }

    /// Puts events back that could not be given to the program.
    fn put_back(&self, events: Vec<IoEvent>) {
        let mut state = self.state.lock();
        for event in events.into_iter().rev() {
            state.events.push_front(event);
        }
        state.changed();
    }

    /// Waits for `least` events until `end` and gives `most` of them at most, in parts, to `give`, which is told how many
    /// it has got before. The result is their number.
    ///
    /// # Errors
    /// When there is not one event: `EINVAL` when the context is destroyed, `EINTR` when the thread is interrupted, and
    /// those of `give`.
    pub(crate) fn get(
        &self,
        thread: &Thread,
        (least, most): (usize, usize),
        end: Option<Instant>,
        give: impl Fn(usize, &[IoEvent]) -> Result<(), Errno>,
    ) -> Result<usize, Errno> {
        let mut got = 0;
        let result = self.wait(thread, end, || {
            let events = self.take(most - got)?;
            if let Err(errno) = give(got, &events) {
                self.put_back(events);
                return Err(errno);
            }
            got += events.len();
            Ok((got >= least).then_some(()))
        });
        match result {
            Ok(()) | Err(Errno::ETIMEDOUT) => Ok(got),
            Err(_) if got > 0 => Ok(got),
            Err(errno) => Err(errno),
        }
    }

    /// Waits until the requests are complete that others have submitted, or the thread is interrupted.
    pub(crate) fn settle(&self, thread: &Thread) {
        let is_idle = || Ok((self.state.lock().running == 0).then_some(()));
        let _ = self.wait(thread, None, is_idle);
    }

    fn wait(
        &self,
        thread: &Thread,
        end: Option<Instant>,
        ready: impl FnMut() -> Result<Option<()>, Errno>,
    ) -> Result<(), Errno> {
        self.state.lock().waiting.push(Arc::clone(&thread.task));
        let result = thread.wait_until(end, ready);
        let mut state = self.state.lock();
        let place = state
            .waiting
            .iter()
            .position(|task| Arc::ptr_eq(task, &thread.task));
        if let Some(place) = place {
            state.waiting.swap_remove(place);
        }
        result
    }

    /// Nothing is completed any more, and nobody waits for that.
    fn end(&self) {
        let mut state = self.state.lock();
        state.is_over = true;
        state.events.clear();
        state.changed();
    }
}
