//! The handle of a host thread that runs a guest.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering, compiler_fence};
use std::time::Instant;

use parking_lot::Mutex;
use rustix::thread::futex;
use rustix::time::Timespec;

use crate::handler;
use crate::timer::Timer;

/// Bits of the word. The rest counts the freezes.
pub(crate) const TOKEN: u32 = 1;
pub(crate) const ATTENTION: u32 = 2;
pub(crate) const END: u32 = 4;
pub(crate) const FREEZE_ONE: u32 = 1 << 8;

/// Where a host thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Place {
    /// In the microvisor or the engine.
    Host,
    /// In a host call that may wait for long.
    Blocking,
    /// In the guest's code, or between it and the microvisor.
    Guest,
}

/// A host thread that runs a guest; see the crate's documentation.
#[derive(Debug)]
pub struct HostThread {
    pub(crate) word: AtomicU32,
    place: AtomicU8,
    /// The guest is on its way to ask for its signals.
    informed: AtomicBool,
    /// The number of the last freeze, and of the last one that the thread has answered.
    pub(crate) asked: AtomicU32,
    pub(crate) answered: AtomicU32,
    /// The host's thread id while the thread is attached. Held while a signal is sent, so that the id is not another's.
    tid: Mutex<Option<i32>>,
    pub(crate) timer: Timer,
}

/// Why a blocking call did not begin: the thread has been interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// How a wait in [`HostThread::park`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// Somebody called [`HostThread::unpark`].
    Woken,
    /// Somebody called [`HostThread::interrupt`].
    Interrupted,
    /// The deadline has come.
    TimedOut,
}

impl HostThread {
    /// A handle for a thread that is about to run.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            word: AtomicU32::new(0),
            place: AtomicU8::new(Place::Host as u8),
            informed: AtomicBool::new(false),
            asked: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            tid: Mutex::new(None),
            timer: Timer::new(),
        })
    }

    /// Makes this handle the calling host thread's until the result is dropped.
    ///
    /// # Errors
    /// The host's signal handler could not be installed.
    pub fn attach(self: &Arc<Self>) -> io::Result<Attached> {
        handler::prepare()?;
        handler::set_current(Arc::as_ptr(self));
        *self.tid.lock() = Some(rustix::thread::gettid().as_raw_nonzero().get());
        Ok(Attached {
            thread: Arc::clone(self),
            not_send: PhantomData,
        })
    }

    /// Makes the thread look for signals soon.
    pub fn interrupt(&self) {
        self.request(ATTENTION);
    }

    /// Makes the thread leave the guest's code for good.
    pub fn end(&self) {
        self.request(ATTENTION | END);
    }

    fn request(&self, bits: u32) {
        self.word.fetch_or(bits, Ordering::SeqCst);
        self.wake();
        self.signal();
    }

    /// Sends the host signal. Whether the thread is there to receive it.
    pub(crate) fn signal(&self) -> bool {
        let tid = self.tid.lock();
        match *tid {
            Some(tid) => {
                handler::send(tid);
                true
            }
            None => false,
        }
    }

    /// Ends a wait in [`Self::park`], or the next one at once.
    pub fn unpark(&self) {
        self.word.fetch_or(TOKEN, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        let _ = futex::wake(&self.word, futex::Flags::PRIVATE, i32::MAX as u32);
    }

    /// Whether the thread has been told to end.
    pub fn is_ending(&self) -> bool {
        self.word.load(Ordering::Acquire) & END != 0
    }

    // What follows is called by the thread itself.

    /// The guest has called the host.
    #[inline]
    pub fn enter(&self) {
        self.set_place(Place::Host);
        self.informed.store(false, Ordering::Relaxed);
    }

    /// Goes back to the guest, once no freeze is on. `Err` if the thread has been interrupted: then it stays in the host.
    ///
    /// # Errors
    /// There has been an interruption since [`Self::take_attention`].
    #[inline]
    pub fn leave(&self) -> Result<(), Interrupted> {
        self.set_place(Place::Guest);
        let word = self.word.load(Ordering::Acquire);
        if word & !TOKEN == 0 {
            return Ok(());
        }
        self.leave_slowly()
    }

    #[cold]
    fn leave_slowly(&self) -> Result<(), Interrupted> {
        loop {
            self.set_place(Place::Host);
            self.wait_while_frozen();
            if self.word.load(Ordering::Acquire) & ATTENTION != 0 {
                return Err(Interrupted);
            }
            self.set_place(Place::Guest);
            if self.word.load(Ordering::Acquire) & !TOKEN == 0 {
                return Ok(());
            }
        }
    }

    /// Goes back to the guest, which has been told to ask for its signals: no redirection until it has entered the host.
    pub fn leave_informed(&self) {
        self.inform();
        loop {
            self.set_place(Place::Guest);
            if self.word.load(Ordering::Acquire) < FREEZE_ONE {
                return;
            }
            self.set_place(Place::Host);
            self.wait_while_frozen();
        }
    }

    /// Whether there was an interruption; it counts as seen from now on. Look for signals afterwards.
    pub fn take_attention(&self) -> bool {
        self.word.fetch_and(!ATTENTION, Ordering::SeqCst) & ATTENTION != 0
    }

    /// Runs a host call that may block. An interruption makes it fail with `EINTR`, however early it comes.
    ///
    /// # Errors
    /// The thread has been interrupted before; the call has not been made.
    pub fn block<T>(&self, call: impl FnOnce() -> T) -> Result<T, Interrupted> {
        self.set_place(Place::Blocking);
        if self.word.load(Ordering::Acquire) & ATTENTION != 0 {
            self.set_place(Place::Host);
            return Err(Interrupted);
        }
        let result = call();
        self.set_place(Place::Host);
        Ok(result)
    }

    /// Waits for [`Self::unpark`], an interruption, or the deadline. A wake-up may be one for an earlier wait, so look
    /// whether what was waited for has happened.
    pub fn park(&self, deadline: Option<Instant>) -> Parked {
        loop {
            let word = self.word.load(Ordering::Acquire);
            if word & TOKEN != 0 {
                self.word.fetch_and(!TOKEN, Ordering::SeqCst);
                return Parked::Woken;
            }
            if word & ATTENTION != 0 {
                return Parked::Interrupted;
            }
            let left = match deadline {
                Some(end) => match end.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => Timespec::try_from(left).ok(),
                    _ => return Parked::TimedOut,
                },
                None => None,
            };
            let _ = futex::wait(&self.word, futex::Flags::PRIVATE, word, left.as_ref());
        }
    }

    /// Forgets a wake-up that came after the wait had ended otherwise.
    pub fn forget_wakeup(&self) {
        self.word.fetch_and(!TOKEN, Ordering::SeqCst);
    }

    #[inline]
    fn set_place(&self, place: Place) {
        // The one who looks is the signal handler on this very thread.
        compiler_fence(Ordering::SeqCst);
        self.place.store(place as u8, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }

    pub(crate) fn place(&self) -> Place {
        match self.place.load(Ordering::Relaxed) {
            place if place == Place::Guest as u8 => Place::Guest,
            place if place == Place::Blocking as u8 => Place::Blocking,
            _ => Place::Host,
        }
    }

    pub(crate) fn is_informed(&self) -> bool {
        self.informed.load(Ordering::Relaxed)
    }

    pub(crate) fn inform(&self) {
        self.informed.store(true, Ordering::Relaxed);
    }

    fn detach(&self) {
        *self.tid.lock() = None;
        handler::set_current(std::ptr::null());
        self.timer.delete();
        self.set_place(Place::Host);
        self.answer_freeze();
    }
}

/// The calling thread's hold on its handle; see [`HostThread::attach`].
#[derive(Debug)]
pub struct Attached {
    thread: Arc<HostThread>,
    not_send: PhantomData<*const ()>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.thread.detach();
    }
}
