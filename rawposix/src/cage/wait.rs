//! What wait(2) reports of children.

use rawposix_abi::{Errno, Signal};

use super::Pid;
use super::family::{Change, Family};
use super::usage::Used;
use crate::control::ExitStatus;

/// Which children wait(2) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Any,
    Process(Pid),
    Group(Pid),
}

/// Which events of children wait(2) is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Events {
    pub(crate) ended: bool,
    pub(crate) stopped: bool,
    pub(crate) continued: bool,
    /// Leave it to be reported again.
    pub(crate) keep: bool,
    /// Children without an exit signal: `None` for both kinds.
    pub(crate) clones: Option<bool>,
}

/// What a child has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Ended(ExitStatus),
    Changed(Change),
}

/// What wait(2) reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) pid: Pid,
    pub(crate) uid: u32,
    pub(crate) event: Event,
    pub(crate) times: Used,
}

impl Family {
    /// Looks for a child's event that the caller waits for. `ECHILD` when there is no child to wait for.
    pub(crate) fn collect(
        &self,
        caller: Pid,
        who: Who,
        events: Events,
    ) -> Result<Option<Report>, Errno> {
        let mut tree = self.tree.lock();
        let mut candidates = 0;
        let mut found = None;
        for child in &tree.node(caller)?.children {
            let Some(node) = tree.nodes.get(child) else {
                continue;
            };
            let is_clone = node.exit_signal != Some(Signal::SIGCHLD);
            let wanted = match who {
                Who::Any => true,
                Who::Process(pid) => pid == *child,
                Who::Group(group) => group == node.group,
            };
            if !wanted || events.clones.is_some_and(|clones| clones != is_clone) {
                continue;
            }
            candidates += 1;
            let event = match (node.ended, node.change) {
                (Some((status, _)), _) if events.ended => Some(Event::Ended(status)),
                (None, Some(change @ Change::Stopped(_))) if events.stopped => {
                    Some(Event::Changed(change))
                }
                (None, Some(Change::Continued)) if events.continued => {
                    Some(Event::Changed(Change::Continued))
                }
                _ => None,
            };
            if let Some(event) = event {
                found = Some((*child, event));
                break;
            }
        }
        let Some((pid, event)) = found else {
            return if candidates == 0 {
                Err(Errno::ECHILD)
            } else {
                Ok(None)
            };
        };
        let node = tree.nodes.get_mut(&pid).ok_or(Errno::ECHILD)?;
        let times = node.ended.map_or_else(Used::default, |(_, times)| times);
        let report = Report {
            pid,
            uid: node.process.credentials().user.real,
            event,
            times: times.with(node.children_times),
        };
        if !events.keep {
            match event {
                Event::Changed(_) => node.change = None,
                Event::Ended(_) => {
                    tree.remove(pid);
                    if let Some(node) = tree.nodes.get_mut(&caller) {
                        node.children_times = node.children_times.with(report.times);
                    }
                }
            }
        }
        Ok(Some(report))
    }
}
