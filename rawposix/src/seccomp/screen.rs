//! What filters do to a thread's calls.

use rawposix_abi::{Errno, Signal};

use super::{ARCHITECTURE, Data, Mode, action, judge};
use crate::clone::CLONE_FROM_BLOCK;
use crate::control::{CoreDump, ExitStatus};
use crate::signal::from_filter;
use crate::thread::{Call, Thread};

const READ: i32 = 63;
const WRITE: i32 = 64;
const EXIT: i32 = 93;
const RESTART_SYSCALL: i32 = 128;
const RT_SIGRETURN: i32 = 139;

/// The greatest error number that a filter gives.
const MAX_ERRNO: u32 = 4095;

impl Thread {
    /// Looks at a call that the thread makes; `None` if it is to be made, else its result.
    #[inline]
    pub(crate) fn screen(&mut self, call: Call) -> Option<Result<i32, Errno>> {
        if !self.task.seccomp.is_on() {
            return None;
        }
        self.judge(call)
    }

    #[cold]
    fn judge(&mut self, (number, arguments): Call) -> Option<Result<i32, Errno>> {
        match number {
            // Its arguments are in memory: it is looked at when they are read, as clone(2).
            CLONE_FROM_BLOCK => return None,
            // How libc asks for the result of a call that no handler interrupted: nothing that Linux has a call for. If a call is
            // made again, that one is looked at.
            RESTART_SYSCALL if self.interrupted.is_some() => return None,
            _ => {}
        }
        match self.task.seccomp.mode() {
            Mode::Disabled => None,
            Mode::Strict => match number {
                READ | WRITE | EXIT | RT_SIGRETURN => None,
                _ => {
                    self.end(ExitStatus::Signaled(Signal::SIGKILL, CoreDump::No));
                    Some(Err(Errno::ENOSYS))
                }
            },
            Mode::Filter => {
                let data = Data::new(number, ARCHITECTURE, arguments);
                let verdict = judge(&self.task.seccomp.filters(), &data);
                self.carry_out(verdict, number)
            }
        }
    }

    fn carry_out(&mut self, verdict: u32, number: i32) -> Option<Result<i32, Errno>> {
        let data = verdict & !action::MASK;
        match verdict & action::MASK {
            action::ALLOW | action::LOG => return None,
            action::ERRNO => {
                let word = data.min(MAX_ERRNO).cast_signed();
                return Some(match word {
                    0 => Ok(0),
                    word => Ok(-word),
                });
            }
            // Nobody traces, nobody listens.
            action::TRACE | action::USER_NOTIF => {}
            action::TRAP => self.trap(number, data),
            action::KILL_THREAD if !self.process.is_single() => {
                self.end(ExitStatus::Signaled(Signal::SIGSYS, CoreDump::No));
            }
            // Whatever is no action kills.
            _ => self.die_of_filter(number, data),
        }
        Some(Err(Errno::ENOSYS))
    }

    /// Sends SIGSYS for a call that was not made. As a fault's, it cannot be ignored or blocked.
    fn trap(&mut self, number: i32, data: u32) {
        let is_caught = self.process.signals.is_caught(Signal::SIGSYS);
        if is_caught && !self.signal_mask().contains(Signal::SIGSYS) {
            // Only signals with values can fail.
            let _ = self
                .process
                .send(from_filter(number, ARCHITECTURE, data), Some(&self.task));
        } else {
            self.die_of_filter(number, data);
        }
    }

    fn die_of_filter(&mut self, number: i32, data: u32) {
        let info = from_filter(number, ARCHITECTURE, data);
        self.process.kill_by(Signal::SIGSYS, info);
        let status = ExitStatus::Signaled(Signal::SIGSYS, CoreDump::No);
        self.end(self.process.end().unwrap_or(status));
    }
}
