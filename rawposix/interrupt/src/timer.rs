//! One-shot host timers that repeat the host signal on the calling thread.
//!
//! A thread makes itself a timer when it first needs one. The kernel counts timers with the user's queued signals
//! (`RLIMIT_SIGPENDING`) and may refuse; for that, the process has one in reserve, which the threads without a timer share.

use std::ffi::{c_int, c_long};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use crate::handler;

/// The timer's id in the kernel plus one; 0 for none yet. Most threads never need one.
#[derive(Debug)]
pub(crate) struct Timer(AtomicU32);

impl Timer {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Sends the calling thread the host signal after a while. Async-signal-safe, but changes errno.
    pub(crate) fn arm(&self, after: Duration) {
        let armed = self.id().is_some_and(|id| set(id, after));
        if !armed {
            RESERVE.arm(rustix::thread::gettid().as_raw_nonzero().get(), after);
        }
    }

    fn id(&self) -> Option<u32> {
        match self.0.load(Ordering::Relaxed).checked_sub(1) {
            Some(id) => Some(id),
            None => {
                let tid = rustix::thread::gettid().as_raw_nonzero().get();
                let id = create(libc::SIGEV_THREAD_ID, tid).ok()?;
                self.0.store(id.checked_add(1)?, Ordering::Relaxed);
                Some(id)
            }
        }
    }

    /// Removes the timer.
    pub(crate) fn delete(&self) {
        if let Some(id) = self.0.swap(0, Ordering::Relaxed).checked_sub(1) {
            // SAFETY: the call takes a number; `id` is a timer of this process that nothing else uses.
            unsafe { libc::syscall(libc::SYS_timer_delete, c_long::from(id)) };
        }
    }
}

/// The timer for threads that could not have one. Its signal goes to the process: whoever gets it passes it on.
#[derive(Debug)]
pub(crate) struct Reserve {
    /// As in [`Timer`].
    timer: AtomicU32,
    /// The host thread ids of those who wait for it; 0 for a free place.
    waiting: [AtomicI32; 64],
}

pub(crate) static RESERVE: Reserve = Reserve {
    timer: AtomicU32::new(0),
    waiting: [const { AtomicI32::new(0) }; 64],
};

impl Reserve {
    /// Makes the timer; once per process.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let id = create(libc::SIGEV_SIGNAL, 0)?;
        self.timer.store(id.saturating_add(1), Ordering::Release);
        Ok(())
    }

    fn arm(&self, tid: i32, after: Duration) {
        let enter = |place: &AtomicI32| {
            place
                .compare_exchange(0, tid, Ordering::SeqCst, Ordering::Relaxed)
                .is_ok()
        };
        let waits = self.waiting.iter().any(enter);
        let id = self.timer.load(Ordering::Acquire).checked_sub(1);
        let armed = id.is_some_and(|id| set(id, after));
        if !(waits && armed) {
            // It tries again at once, before its next instruction, until the timer has freed a place.
            handler::send(tid);
        }
    }

    /// Sends the host signal to the threads that wait for the timer. Async-signal-safe, but may change errno.
    pub(crate) fn pass_on(&self) {
        for place in &self.waiting {
            if place.load(Ordering::Relaxed) != 0 {
                let tid = place.swap(0, Ordering::SeqCst);
                // A thread that has ended is not found; one that has its number now looks and goes on.
                if tid != 0 {
                    handler::send(tid);
                }
            }
        }
    }
}

/// Makes a timer that sends the host signal as `notify` says.
fn create(notify: c_int, tid: i32) -> io::Result<u32> {
    // SAFETY: all-zero is a valid sigevent.
    let mut event = unsafe { MaybeUninit::<libc::sigevent>::zeroed().assume_init() };
    event.sigev_notify = notify;
    event.sigev_signo = handler::SIGNAL;
    event.sigev_notify_thread_id = tid;
    let mut id = 0_i32;
    // SAFETY: `event` is a whole sigevent and `id` is writable.
    let result = unsafe {
        libc::syscall(
            libc::SYS_timer_create,
            c_long::from(libc::CLOCK_MONOTONIC),
            &raw const event,
            &raw mut id,
        )
    };
    match result {
        0 => Ok(id.cast_unsigned()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set(id: u32, after: Duration) -> bool {
    let value = libc::itimerspec {
        it_interval: libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
        it_value: libc::timespec {
            tv_sec: 0,
            tv_nsec: i64::from(after.subsec_nanos().max(1)),
        },
    };
    // SAFETY: `id` is a timer of this process; `value` is a whole itimerspec; a null old value is not written.
    let result = unsafe {
        libc::syscall(
            libc::SYS_timer_settime,
            c_long::from(id),
            0 as c_long,
            &raw const value,
            ptr::null_mut::<libc::itimerspec>(),
        )
    };
    result == 0
}

/// Processor time of a thread of this process.
pub(crate) fn processor_time(tid: i32) -> Duration {
    // `CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED` of the thread, as pthread_getcpuclockid(3) makes it.
    let clock = (!tid << 3) | 6;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable; a clock that does not exist is refused.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    match (
        result,
        u64::try_from(time.tv_sec),
        u32::try_from(time.tv_nsec),
    ) {
        (0, Ok(seconds), Ok(nanoseconds)) => Duration::new(seconds, nanoseconds),
        _ => Duration::ZERO,
    }
}
