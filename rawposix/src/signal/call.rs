//! Signals at the edges of system calls: masks, and what becomes of a call that a handler interrupts.

use rawposix_abi::{Errno, Signal, SignalSet};

use super::deliver::{Due, Interrupted, LIND_SIGNAL, Outcome};
use super::info::from_system;
use crate::clone::{CLONE, CLONE_FROM_BLOCK, CLONE3};
use crate::control::Control;
use crate::syscall::futex_waits_for_lock;
use crate::thread::Thread;

/// Whether a call that a handler interrupts is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repetition {
    Never,
    /// If the handler was set with `SA_RESTART`.
    IfAsked,
    /// Whatever the handler.
    Always,
}

/// What becomes of an interrupted call; see signal(7) for those that are never made again.
fn repetition(number: i32, words: [u32; 6]) -> Repetition {
    const EPOLL_PWAIT: i32 = 22;
    const NANOSLEEP: i32 = 101;
    const CLOCK_NANOSLEEP: i32 = 115;
    const RT_SIGSUSPEND: i32 = 133;
    const RT_SIGTIMEDWAIT: i32 = 421;
    const MSGRCV: i32 = 188;
    const MSGSND: i32 = 189;
    const SEMTIMEDOP: i32 = 192;
    const SEMOP: i32 = 193;
    const SEMTIMEDOP_TIME64: i32 = 420;
    const CLOCK_NANOSLEEP_TIME64: i32 = 407;
    const PSELECT6_TIME64: i32 = 413;
    const PPOLL_TIME64: i32 = 414;
    const RT_SIGPROCMASK: i32 = 135;
    const FUTEX_TIME64: i32 = 422;
    const IO_PGETEVENTS_TIME64: i32 = 416;
    const EPOLL_PWAIT2: i32 = 441;
    match number {
        EPOLL_PWAIT
        | EPOLL_PWAIT2
        | NANOSLEEP
        | CLOCK_NANOSLEEP
        | CLOCK_NANOSLEEP_TIME64
        | RT_SIGSUSPEND
        | RT_SIGTIMEDWAIT
        | MSGRCV
        | MSGSND
        | SEMOP
        | SEMTIMEDOP
        | SEMTIMEDOP_TIME64
        | IO_PGETEVENTS_TIME64
        | PSELECT6_TIME64
        | PPOLL_TIME64 => Repetition::Never,
        FUTEX_TIME64 => {
            let [_, operation, _, limit, ..] = words;
            if futex_waits_for_lock(operation) {
                Repetition::Always
            } else if limit == 0 {
                Repetition::IfAsked
            } else {
                Repetition::Never
            }
        }
        CLONE | CLONE3 | CLONE_FROM_BLOCK | RT_SIGPROCMASK => Repetition::Always,
        _ => Repetition::IfAsked,
    }
}

impl Thread {
    /// Leaves a system call with `result` for the handlers of pending signals.
    pub(crate) fn leave_for_handler(
        &mut self,
        call: Option<(i32, [u32; 6])>,
        result: Result<i32, Errno>,
    ) -> Control {
        let outcome = match (result, call) {
            (Err(Errno::EINTR), Some((number, words))) => match repetition(number, words) {
                Repetition::Never => Outcome::Result(Errno::EINTR.to_word()),
                Repetition::IfAsked => Outcome::Restart,
                Repetition::Always => Outcome::Again,
            },
            (result, _) => Outcome::Result(result.unwrap_or_else(Errno::to_word)),
        };
        let (number, words) = call.unwrap_or_default();
        self.interrupted = Some(Interrupted {
            number,
            words,
            outcome,
        });
        match self.task.host.leave_informed() {
            Ok(()) => Control::Return(LIND_SIGNAL),
            Err(_) => self.exit_as_told(),
        }
    }

    /// The thread ends where it is, since its process ends, or another thread executes a program.
    pub fn exit_as_told(&mut self) -> Control {
        self.task.host.enter();
        match self.consider() {
            Due::End(status) => self.exit(status),
            _ => self.fault(Signal::SIGKILL),
        }
    }

    /// The thread's signal mask.
    pub fn signal_mask(&self) -> SignalSet {
        self.task.signals.lock().mask
    }

    /// Replaces the thread's signal mask (SIGKILL and SIGSTOP stay unblocked).
    pub fn set_signal_mask(&mut self, mask: SignalSet) {
        let mask = mask.blockable();
        let before = {
            let mut own = self.task.signals.lock();
            std::mem::replace(&mut own.mask, mask)
        };
        let blocked = mask.bits() & !before.bits();
        if blocked != 0 {
            self.process.redirect_signals(SignalSet::from_bits(blocked));
        }
        if before.bits() & !mask.bits() != 0 && self.has_open_signal() {
            self.task.interrupt();
        }
    }

    /// A signal that came before a call that may block it is not for afterwards: `EINTR`, which makes the call again.
    pub(crate) fn take_what_came_before(&self) -> Result<(), Errno> {
        if self.task.host.has_attention() && self.has_open_signal() {
            return Err(Errno::EINTR);
        }
        Ok(())
    }

    /// Replaces the mask until the system call has ended, or its handlers have.
    pub(crate) fn set_temporary_mask(&mut self, mask: SignalSet) {
        let before = self.signal_mask();
        self.saved_mask.get_or_insert(before);
        self.set_signal_mask(mask);
    }

    /// Ends what [`Self::set_temporary_mask`] began.
    pub(crate) fn restore_mask(&mut self) {
        if let Some(mask) = self.saved_mask.take() {
            self.set_signal_mask(mask);
        }
    }

    /// Sends the thread a signal of its own doing.
    pub(crate) fn raise(&self, signal: Signal) {
        // Only signals with values can fail.
        let _ = self.process.send(from_system(signal), Some(&self.task));
    }

    /// A write into a pipe that nobody reads sends SIGPIPE.
    pub(crate) fn broken_pipe<T>(&self, result: Result<T, Errno>) -> Result<T, Errno> {
        if matches!(result, Err(Errno::EPIPE)) {
            self.raise(Signal::SIGPIPE);
        }
        result
    }
}
