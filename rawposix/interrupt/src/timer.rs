//! A one-shot host timer that repeats the host signal on the calling thread.

use std::ffi::c_long;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
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
            // No timer to be had: at once, that is after each instruction. Slow, but it gets there.
            handler::send(rustix::thread::gettid().as_raw_nonzero().get());
        }
    }

    fn id(&self) -> Option<u32> {
        match self.0.load(Ordering::Relaxed).checked_sub(1) {
            Some(id) => Some(id),
            None => {
                let id = create()?;
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

fn create() -> Option<u32> {
    // SAFETY: all-zero is a valid sigevent.
    let mut event = unsafe { MaybeUninit::<libc::sigevent>::zeroed().assume_init() };
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_signo = handler::number();
    event.sigev_notify_thread_id = rustix::thread::gettid().as_raw_nonzero().get();
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
    (result == 0).then(|| id.cast_unsigned())
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
