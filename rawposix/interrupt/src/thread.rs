//! The handle of a host thread that runs a guest.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering, compiler_fence};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::thread::futex;
use rustix::time::Timespec;

use crate::handler;
use crate::timer::{self, Timer};

/// Bits of the word.
pub(crate) const TOKEN: u32 = 1;
pub(crate) const ATTENTION: u32 = 2;
pub(crate) const END: u32 = 4;
/// How many freezes are on.
pub(crate) const FREEZE_ONE: u32 = 1 << 3;
pub(crate) const FREEZES: u32 = (1 << 13) - FREEZE_ONE;
/// How many freezes there have been, modulo what fits: a thread that is about to wait for the end of one must not miss
/// that another has begun, which waits for its answer.
pub(crate) const FREEZE_NUMBER: u32 = 1 << 13;
/// What keeps a thread from going back to the guest.
const REASONS: u32 = ATTENTION | END | FREEZES;

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
    /// Processor time that the host thread had used before, in nanoseconds.
    used: AtomicU64,
}

/// The thread has been interrupted and stays in the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// How a wait in [`HostThread::park`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// Somebody called [`HostThread::unpark`].
    Woken,
    /// Somebody called [`HostThread::interrupt`] or [`HostThread::end`].
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
            used: AtomicU64::new(0),
        })
    }

    /// Makes this handle the calling host thread's, until another one is attached, [`Self::detach`], or the thread's end.
    ///
    /// # Errors
    /// The host's signal handler could not be installed.
    pub fn attach(self: &Arc<Self>) -> io::Result<()> {
        handler::prepare()?;
        handler::set_current(Some(Arc::clone(self)));
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        let used = u64::try_from(timer::processor_time(tid).as_nanos()).unwrap_or(0);
        self.used.store(used, Ordering::Relaxed);
        *self.tid.lock() = Some(tid);
        Ok(())
    }

    /// Ends what [`Self::attach`] began, for the calling host thread.
    pub fn detach() {
        handler::set_current(None);
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
        if self.word.fetch_or(bits, Ordering::SeqCst) & bits == bits {
            // Who asked first sends the signal; the thread has not looked since.
            return;
        }
        if handler::is_current(self) && self.place() == Place::Host {
            // It looks when it leaves the host.
            return;
        }
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

    /// Processor time of the thread since it was attached; none before that and when it is detached.
    pub fn processor_time(&self) -> Duration {
        let used = Duration::from_nanos(self.used.load(Ordering::Relaxed));
        let tid = self.tid.lock();
        tid.map_or(Duration::ZERO, timer::processor_time)
            .saturating_sub(used)
    }

    /// The letter that the host shows for the thread in `/proc`: `R` when it runs, `S` or `D` when it waits. `None` when it
    /// is not attached.
    pub fn state(&self) -> Option<char> {
        let tid = (*self.tid.lock())?;
        let stat = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(") ")?;
        rest.chars().next()
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
        if word & REASONS == 0 {
            return Ok(());
        }
        self.leave_slowly()
    }

    #[cold]
    fn leave_slowly(&self) -> Result<(), Interrupted> {
        loop {
            self.set_place(Place::Host);
            self.wait_while_frozen();
            if self.word.load(Ordering::Acquire) & (ATTENTION | END) != 0 {
                return Err(Interrupted);
            }
            self.set_place(Place::Guest);
            if self.word.load(Ordering::Acquire) & REASONS == 0 {
                return Ok(());
            }
        }
    }

    /// Goes back to the guest, which has been told to ask for its signals: no redirection until it has entered the host.
    ///
    /// # Errors
    /// The thread has to end.
    pub fn leave_informed(&self) -> Result<(), Interrupted> {
        self.inform();
        loop {
            self.set_place(Place::Guest);
            let word = self.word.load(Ordering::Acquire);
            if word & (FREEZES | END) == 0 {
                return Ok(());
            }
            self.set_place(Place::Host);
            self.wait_while_frozen();
            if self.is_ending() {
                return Err(Interrupted);
            }
        }
    }

    /// Begins to run the guest's code, as far as others are concerned. What they have wanted before happens as soon as that
    /// code really runs.
    pub fn begin(&self) {
        self.informed.store(false, Ordering::Relaxed);
        self.set_place(Place::Guest);
        if self.word.load(Ordering::Acquire) & REASONS != 0 {
            self.signal();
        }
    }

    /// Whether there was an interruption; it counts as seen from now on. Look for signals afterwards.
    pub fn take_attention(&self) -> bool {
        self.word.fetch_and(!ATTENTION, Ordering::SeqCst) & ATTENTION != 0
    }

    /// Whether there was an interruption since [`Self::take_attention`].
    pub fn has_attention(&self) -> bool {
        self.word.load(Ordering::Acquire) & ATTENTION != 0
    }

    /// Makes the next [`Self::leave`] fail, or the present call of [`Self::park`] end.
    pub fn keep_attention(&self) {
        self.word.fetch_or(ATTENTION, Ordering::SeqCst);
    }

    /// Runs a host call that may block. An interruption makes it fail with `EINTR` if it blocks, also one that was before;
    /// it may also fail with `EINTR` for no reason.
    #[inline(always)]
    pub fn block<T>(&self, call: impl FnOnce() -> T) -> T {
        self.begin_block();
        let result = call();
        self.end_block();
        result
    }

    /// The beginning of what [`Self::block`] does, for a caller in whose own frame the call is made.
    #[inline(always)]
    pub fn begin_block(&self) {
        self.set_place(Place::Blocking);
        if self.word.load(Ordering::Acquire) & ATTENTION != 0 {
            // The call is made all the same, since it has a result if it does not block.
            self.timer.arm(handler::BLOCKING_AGAIN);
        }
    }

    /// The end of what [`Self::begin_block`] began.
    #[inline(always)]
    pub fn end_block(&self) {
        self.set_place(Place::Host);
    }

    /// Waits for [`Self::unpark`], an interruption, or the deadline. A wake-up may be one for an earlier wait, so look
    /// whether what was waited for has happened.
    pub fn park(&self, deadline: Option<Instant>) -> Parked {
        self.park_unless(ATTENTION | END, deadline)
    }

    /// Waits for [`Self::unpark`] or [`Self::end`] only.
    pub fn park_uninterrupted(&self) -> Parked {
        self.park_unless(END, None)
    }

    fn park_unless(&self, bits: u32, deadline: Option<Instant>) -> Parked {
        loop {
            let word = self.word.load(Ordering::Acquire);
            if word & TOKEN != 0 {
                self.word.fetch_and(!TOKEN, Ordering::SeqCst);
                return Parked::Woken;
            }
            if word & bits != 0 {
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

    /// Says that the guest is on its way to ask for its signals; see [`Self::leave_informed`]. Async-signal-safe.
    pub fn inform(&self) {
        self.informed.store(true, Ordering::Relaxed);
    }

    /// The host thread is no longer this one's; the handler does not know it any more.
    pub(crate) fn on_detach(&self) {
        *self.tid.lock() = None;
        self.timer.delete();
        self.set_place(Place::Host);
        self.answer_freeze();
    }
}
