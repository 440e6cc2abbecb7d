//! Sending signals. See signal(7), kill(2), sigqueue(3).

use std::sync::Arc;

use rawposix_abi::flags::resource::RLIMIT_SIGPENDING;
use rawposix_abi::structs::Siginfo;
use rawposix_abi::{DefaultAction, Errno, Signal, SignalSet};

use super::actions::{Disposition, SA_NOCLDSTOP};
use super::info::{self, Sender};
use crate::cage::family::Change;
use crate::cage::usage::Used;
use crate::cage::wait::{Event, Report};
use crate::cage::{Capability, Process, Task};
use crate::control::ExitStatus;
use crate::syscall::child_info;

const STOPS: SignalSet = SignalSet::EMPTY
    .with(Signal::SIGSTOP)
    .with(Signal::SIGTSTP)
    .with(Signal::SIGTTIN)
    .with(Signal::SIGTTOU);
const CONTINUES: SignalSet = SignalSet::EMPTY.with(Signal::SIGCONT);

/// What sending leaves to be done when nothing is locked any more.
#[derive(Debug, Default)]
struct Effects {
    kill: bool,
    resumed: bool,
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Process,
    Thread(&'a Arc<Task>),
    /// The process, as one of several that get it at once: while [`Crowds::sending`](super::Crowds::sending).
    Crowd,
}

impl Process {
    /// Sends a signal to the process, or to one of its threads. A process that has ended takes it as well.
    ///
    /// # Errors
    /// `EAGAIN` when the user's processes have too many signals queued for another real-time one with a value.
    pub(crate) fn send(&self, info: Siginfo, to: Option<&Arc<Task>>) -> Result<(), Errno> {
        self.send_to(to.map_or(Target::Process, Target::Thread), info)
    }

    /// As [`Self::send`], to one more kind of target.
    pub(crate) fn send_to(&self, target: Target<'_>, info: Siginfo) -> Result<(), Errno> {
        let signal = info::signal(&info).ok_or(Errno::EINVAL)?;
        if self.end().is_some() {
            return Ok(());
        }
        if signal == Signal::SIGKILL {
            self.kill(signal);
            return Ok(());
        }
        let tasks = self.tasks();
        let limit = self.limit(RLIMIT_SIGPENDING)?.current;
        let effects = self.enqueue(signal, info, (target, &tasks), limit);
        self.pending_has_changed();
        let effects = effects?;
        if effects.resumed {
            // Before it runs: it may stop again at once, which is then the last word.
            self.report_change(Change::Continued);
            tasks.iter().for_each(|task| task.interrupt());
        }
        if effects.kill {
            self.kill_by(signal, info);
        }
        Ok(())
    }

    fn enqueue(
        &self,
        signal: Signal,
        info: Siginfo,
        (target, tasks): (Target<'_>, &[Arc<Task>]),
        limit: u64,
    ) -> Result<Effects, Errno> {
        let mut effects = Effects::default();
        let mut shared = self.signals.shared.lock();
        let replaced = match signal {
            Signal::SIGCONT => STOPS,
            stop if STOPS.contains(stop) => CONTINUES,
            _ => SignalSet::EMPTY,
        };
        if replaced != SignalSet::EMPTY {
            shared.forget(replaced, tasks);
        }
        if signal == Signal::SIGCONT {
            effects.resumed = shared.stopped.take().is_some();
        }
        let to = match target {
            Target::Process => None,
            Target::Thread(task) => Some(task),
            Target::Crowd => {
                shared.keep_for_forks(signal, replaced);
                None
            }
        };
        let (ignored, fatal) = self.signals.with_actions(|actions| {
            let fatal = matches!(
                actions.disposition(signal),
                Disposition::Default(DefaultAction::Terminate | DefaultAction::Core)
            );
            (actions.is_ignored(signal), fatal)
        });
        let first = to.or_else(|| {
            tasks
                .iter()
                .find(|task| task.tid == self.pid)
                .or(tasks.first())
        });
        let kept = first.is_some_and(|task| task.signals.lock().keeps(signal));
        if ignored && !kept {
            return Ok(effects);
        }
        let is_real_time = signal.raw() >= Signal::RTMIN;
        let queued = &self.world().queued;
        let (info, slot) = match queued.take(1, limit) {
            // A timer had its place when it was made.
            _ if info::timer(&info).is_some() => (info, None),
            Some(slot) => (info, Some(slot)),
            None if !is_real_time => (info, Some(queued.take_anyway(1))),
            None if info.code < 0 && info.code != info::SI_TKILL => return Err(Errno::EAGAIN),
            // The signal is sent, but nothing is known of it.
            None => (info::anonymous(signal), None),
        };
        match to {
            Some(task) => task.signals.lock().pending.push(signal, info, slot),
            None => shared.pending.push(signal, info, slot),
        }
        let others = tasks.iter().filter(|_| to.is_none());
        let mut candidates = first.into_iter().chain(others);
        let taker = candidates.find(|task| task.signals.lock().wants(signal));
        if let Some(task) = taker {
            // A stopped process sees the signal when it goes on.
            effects.kill = fatal && shared.stopped.is_none() && !task.signals.lock().keeps(signal);
            task.interrupt();
        }
        Ok(effects)
    }

    /// Sends a signal that no process has sent.
    pub(crate) fn send_from_system(&self, signal: Signal) {
        // Only signals with values can fail.
        let _ = self.send(info::from_system(signal), None);
    }

    /// Signals of the process that the caller blocks from now on, or that it was to take when it ended, are for others.
    pub(crate) fn redirect_signals(&self, signals: SignalSet) {
        let waiting = {
            let shared = self.signals.shared.lock();
            shared.pending.set().bits() & signals.bits()
        };
        if waiting == 0 {
            return;
        }
        for task in self.tasks() {
            if waiting & !task.signals.lock().mask.bits() != 0 {
                task.interrupt();
            }
        }
    }

    /// Whether the signal of a timer waits to be taken.
    pub(crate) fn has_timer_signal(&self, id: i32, task: Option<&Arc<Task>>) -> bool {
        match task {
            Some(task) => task.signals.lock().pending.has_timer(id),
            None => self.signals.shared.lock().pending.has_timer(id),
        }
    }

    /// Forgets the signal of a timer that is deleted.
    pub(crate) fn forget_timer(&self, id: i32) {
        self.signals.shared.lock().pending.remove_timer(id);
        for task in self.tasks() {
            task.signals.lock().pending.remove_timer(id);
        }
        self.pending_has_changed();
    }

    /// Tells a parent how its child has ended. One that ignores SIGCHLD is not told, even if it blocks it.
    pub(crate) fn send_child_signal(
        &self,
        signal: Signal,
        child: &Arc<Self>,
        status: ExitStatus,
        times: Used,
    ) {
        if signal == Signal::SIGCHLD && self.signals.is_set_to_ignore(signal) {
            return;
        }
        let mut info = child_info(&Report {
            pid: child.pid,
            uid: child.credentials().user.real,
            event: Event::Ended(status),
            times,
        });
        info.signo = i32::from(signal.raw());
        let _ = self.send(info, None);
    }

    /// Tells the parent that the process was stopped or goes on.
    fn report_change(&self, change: Change) {
        let Some(parent) = self.world().family.changed(self.pid, change) else {
            return;
        };
        if parent.signals.action(Signal::SIGCHLD).flags & SA_NOCLDSTOP == 0 {
            let info = child_info(&Report {
                pid: self.pid,
                uid: self.credentials().user.real,
                event: Event::Changed(change),
                times: self.past_times(),
            });
            let _ = parent.send(info, None);
        }
        parent.child_event();
    }

    /// Stops the process: its threads wait until it is continued or killed.
    pub(super) fn stop(&self, signal: Signal) {
        let family = &self.world().family;
        if signal != Signal::SIGSTOP
            && family.is_orphaned_group_of(self.pid)
            && !self.is_continued_by_host()
        {
            // Nobody could continue it.
            return;
        }
        {
            let mut shared = self.signals.shared.lock();
            if self.end().is_some() || shared.stopped.is_some() {
                return;
            }
            shared.stopped = Some(signal);
        }
        self.tasks().iter().for_each(|task| task.interrupt());
        self.report_change(Change::Stopped(signal));
        self.stop_host();
    }

    /// Whether a process with these ids may send it this signal; see kill(2).
    pub(crate) fn may_be_sent(&self, signal: Option<Signal>, by: &Self) -> bool {
        if by.credentials().can(Capability::Kill) {
            return true;
        }
        let (sender, target) = (by.credentials().user, self.credentials().user);
        let same = |id| id == target.real || id == target.saved;
        let family = &self.world().family;
        same(sender.real)
            || same(sender.effective)
            || (signal == Some(Signal::SIGCONT)
                && family.session_of(self.pid) == family.session_of(by.pid))
    }

    /// What a signal says about this process as its sender.
    pub(crate) fn as_sender(&self) -> Sender {
        Sender {
            pid: self.pid,
            uid: self.credentials().user.real,
        }
    }
}
