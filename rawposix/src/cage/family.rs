//! The tree of processes: parents and children, process groups and sessions, and what wait(2) reports.
//!
//! All of it is behind one lock, as in Linux. Process 1 is the sandbox itself: it adopts orphans and reaps them at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::{Errno, Signal};

use super::usage::Times;
use super::{Pid, Process};
use crate::control::ExitStatus;

/// The process that stands for the sandbox itself.
pub(crate) const INIT: Pid = Pid(1);
/// The process that the sandbox was started with.
pub(crate) const PROGRAM: Pid = Pid(2);
/// The greatest id, as `/proc/sys/kernel/pid_max` says (which is one more).
pub(crate) const PID_MAX: i32 = (1 << 22) - 1;
/// Ids that are not given out a second time, so that low ones stay the system's.
const FIRST_RECYCLED: i32 = 300;

/// All processes of a sandbox.
#[derive(Debug)]
pub(crate) struct Family {
    tree: Mutex<Tree>,
}

#[derive(Debug)]
struct Tree {
    nodes: HashMap<Pid, Node>,
    /// Ids in use: of processes, of threads, of groups and sessions that still have members.
    ids: HashMap<Pid, u32>,
    last: i32,
    threads: usize,
}

/// A process in the tree.
#[derive(Debug)]
struct Node {
    process: Arc<Process>,
    parent: Pid,
    children: Vec<Pid>,
    group: Pid,
    session: Pid,
    /// The signal that the parent gets at the end; `None` for a child that only `__WCLONE` waits for.
    exit_signal: Option<Signal>,
    /// Set when it has ended and waits to be reaped.
    ended: Option<(ExitStatus, Times)>,
    /// A stop or continuation that the parent has not waited for.
    change: Option<Change>,
    /// Whether it has executed a program since it was made, which ends the parent's right to move it to another group.
    executed: bool,
    /// CPU time of the children that were waited for.
    children_times: Times,
}

/// A change that wait(2) can report beside the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Stopped(Signal),
    Continued,
}

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
    pub(crate) times: Times,
}

/// Where a new process stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) parent: Pid,
    pub(crate) exit_signal: Option<Signal>,
}

/// What the end of a process leaves to be done when the tree is no longer locked.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    /// The parent to be told, with the signal it gets; it may wait already.
    pub(crate) parent: Option<(Arc<Process>, Option<Signal>)>,
    /// Children whose parent has died.
    pub(crate) orphans: Vec<Arc<Process>>,
    /// Parents that have got zombies of others as children.
    pub(crate) adopters: Vec<Arc<Process>>,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            tree: Mutex::new(Tree {
                nodes: HashMap::new(),
                ids: HashMap::from([(INIT, 1)]),
                last: INIT.0,
                threads: 0,
            }),
        }
    }
}

impl Family {
    /// A new id for a thread, or for a process and its first thread. `EAGAIN` when there are `limit` threads already.
    pub(crate) fn new_id(&self, limit: u64) -> Result<Pid, Errno> {
        let mut tree = self.tree.lock();
        if u64::try_from(tree.threads).unwrap_or(u64::MAX) >= limit {
            return Err(Errno::EAGAIN);
        }
        let pid = tree.free_id().ok_or(Errno::EAGAIN)?;
        tree.hold(pid);
        tree.threads += 1;
        Ok(pid)
    }

    /// A thread's id is free again.
    pub(crate) fn release_thread(&self, tid: Pid) {
        let mut tree = self.tree.lock();
        tree.threads = tree.threads.saturating_sub(1);
        tree.release(tid);
    }

    /// A thread that is not the first of its process takes over the first one's id, which has ended.
    pub(crate) fn take_over(&self, tid: Pid, pid: Pid) {
        let mut tree = self.tree.lock();
        tree.release(tid);
        tree.hold(pid);
    }

    /// Makes the first process known: the leader of its own group and session.
    pub(crate) fn add_program(&self, process: Arc<Process>) {
        let pid = process.pid;
        self.tree.lock().insert(
            process,
            Place {
                parent: INIT,
                exit_signal: Some(Signal::SIGCHLD),
            },
            (pid, pid),
        );
    }

    /// Makes a new process known, in its parent's group and session.
    /// `ESRCH` when the parent is no longer there.
    pub(crate) fn add(
        &self,
        creator: Pid,
        process: Arc<Process>,
        place: Place,
    ) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        let creator = tree.nodes.get(&creator).ok_or(Errno::ESRCH)?;
        let inherited = (creator.group, creator.session);
        tree.insert(process, place, inherited);
        Ok(())
    }

    /// The process with this id, dead or alive.
    pub(crate) fn process(&self, pid: Pid) -> Option<Arc<Process>> {
        let tree = self.tree.lock();
        tree.nodes.get(&pid).map(|node| Arc::clone(&node.process))
    }

    /// Whether there is a thread with this id.
    pub(crate) fn has_thread(&self, tid: Pid) -> bool {
        self.tree.lock().ids.contains_key(&tid)
    }

    /// All processes that have not ended, by rising id.
    pub(crate) fn living(&self) -> Vec<Arc<Process>> {
        self.select(|_| true)
    }

    /// The ids of all processes, those that wait to be reaped as well.
    pub(crate) fn pids(&self) -> Vec<Pid> {
        let mut pids: Vec<_> = self.tree.lock().nodes.keys().copied().collect();
        pids.sort_unstable();
        pids
    }

    /// The processes of a group that have not ended.
    pub(crate) fn group(&self, group: Pid) -> Vec<Arc<Process>> {
        self.select(|node| node.group == group)
    }

    fn select(&self, wanted: impl Fn(&Node) -> bool) -> Vec<Arc<Process>> {
        let tree = self.tree.lock();
        let mut found: Vec<_> = tree
            .nodes
            .values()
            .filter(|node| node.ended.is_none() && wanted(node))
            .map(|node| Arc::clone(&node.process))
            .collect();
        found.sort_unstable_by_key(|process| process.pid);
        found
    }

    /// Whether the process has ended and waits to be reaped.
    pub(crate) fn is_zombie(&self, pid: Pid) -> bool {
        let tree = self.tree.lock();
        tree.nodes
            .get(&pid)
            .is_some_and(|node| node.ended.is_some())
    }

    /// The parent's id; 0 when there is no such process.
    pub(crate) fn parent(&self, pid: Pid) -> Pid {
        let tree = self.tree.lock();
        tree.nodes.get(&pid).map_or(Pid::NONE, |node| node.parent)
    }

    /// The process group.
    pub(crate) fn group_of(&self, pid: Pid) -> Result<Pid, Errno> {
        self.tree.lock().node(pid).map(|node| node.group)
    }

    /// The session.
    pub(crate) fn session_of(&self, pid: Pid) -> Result<Pid, Errno> {
        self.tree.lock().node(pid).map(|node| node.session)
    }

    /// Whether a group has members in this session.
    pub(crate) fn has_group(&self, group: Pid, session: Pid) -> bool {
        self.tree.lock().has_group(group, session)
    }

    /// setpgid(2), of `pid` by `caller`.
    pub(crate) fn set_group(&self, caller: Pid, pid: Pid, group: Pid) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        let session = tree.node(caller)?.session;
        let node = tree.node(pid)?;
        if pid != caller {
            if node.parent != caller {
                return Err(Errno::ESRCH);
            }
            if node.session != session {
                return Err(Errno::EPERM);
            }
            if node.executed {
                return Err(Errno::EACCES);
            }
        }
        if node.session == pid {
            // A session leader stays where it is.
            return Err(Errno::EPERM);
        }
        if group != pid && !tree.has_group(group, session) {
            return Err(Errno::EPERM);
        }
        tree.move_to(pid, group, session);
        Ok(())
    }

    /// setsid(2). `EPERM` for the leader of a group.
    pub(crate) fn new_session(&self, pid: Pid) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        if tree.nodes.values().any(|node| node.group == pid) {
            return Err(Errno::EPERM);
        }
        tree.move_to(pid, pid, pid);
        Ok(())
    }

    /// Notes that the process executes a program.
    pub(crate) fn executed(&self, pid: Pid) {
        if let Some(node) = self.tree.lock().nodes.get_mut(&pid) {
            node.executed = true;
            node.exit_signal = Some(Signal::SIGCHLD);
        }
    }

    /// CPU time of the children that the process has waited for.
    pub(crate) fn children_times(&self, pid: Pid) -> Times {
        let tree = self.tree.lock();
        tree.nodes
            .get(&pid)
            .map_or_else(Times::default, |node| node.children_times)
    }

    /// Notes a stop or a continuation; gives the parent, if there is one to be told.
    pub(crate) fn changed(&self, pid: Pid, change: Change) -> Option<Arc<Process>> {
        let mut tree = self.tree.lock();
        let node = tree.nodes.get_mut(&pid)?;
        node.change = Some(change);
        let parent = node.parent;
        tree.nodes
            .get(&parent)
            .map(|node| Arc::clone(&node.process))
    }

    /// The process has ended. `reaps_itself` says of a parent whether it wants to hear nothing of ended children.
    pub(crate) fn ended(
        &self,
        process: &Process,
        status: ExitStatus,
        times: Times,
        reaps_itself: impl Fn(&Process) -> bool,
    ) -> Aftermath {
        let pid = process.pid;
        let mut tree = self.tree.lock();
        let mut aftermath = Aftermath::default();
        let Some(node) = tree.nodes.get_mut(&pid) else {
            return aftermath;
        };
        node.ended = Some((status, times));
        let (parent, signal) = (node.parent, node.exit_signal);
        let children = std::mem::take(&mut node.children);
        let adopter = tree.adopter(pid);
        for child in children {
            let Some(node) = tree.nodes.get_mut(&child) else {
                continue;
            };
            node.parent = adopter;
            node.exit_signal = Some(Signal::SIGCHLD);
            if node.ended.is_none() {
                aftermath.orphans.push(Arc::clone(&node.process));
            }
            let is_zombie = node.ended.is_some();
            match tree.nodes.get_mut(&adopter) {
                Some(node) => {
                    node.children.push(child);
                    if is_zombie {
                        aftermath.adopters.push(Arc::clone(&node.process));
                    }
                }
                None if is_zombie => tree.remove(child),
                None => {}
            }
        }
        match tree.nodes.get(&parent) {
            None => tree.remove(pid),
            Some(node) => {
                let parent = Arc::clone(&node.process);
                let silent = signal == Some(Signal::SIGCHLD) && reaps_itself(&parent);
                if silent {
                    tree.remove(pid);
                }
                aftermath.parent = Some((parent, signal));
            }
        }
        aftermath
    }

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
        let times = node.ended.map_or_else(Times::default, |(_, times)| times);
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

    /// Whether no member of the process's group has a parent in the same session but in another group, who could continue
    /// it when it is stopped.
    pub(crate) fn is_orphaned_group_of(&self, pid: Pid) -> bool {
        let tree = self.tree.lock();
        let Some(node) = tree.nodes.get(&pid) else {
            return true;
        };
        let (group, session) = (node.group, node.session);
        let mut members = tree.nodes.values().filter(|node| node.group == group);
        !members.any(|member| {
            let parent = tree.nodes.get(&member.parent);
            parent.is_some_and(|parent| parent.session == session && parent.group != group)
        })
    }

    /// Whether the program's first thread has been the only one ever.
    pub(crate) fn was_alone(&self) -> bool {
        self.tree.lock().last == PROGRAM.0
    }
}

impl Tree {
    fn node(&self, pid: Pid) -> Result<&Node, Errno> {
        self.nodes.get(&pid).ok_or(Errno::ESRCH)
    }

    fn has_group(&self, group: Pid, session: Pid) -> bool {
        let mut nodes = self.nodes.values();
        nodes.any(|node| node.group == group && node.session == session)
    }

    /// The next free id after the last one.
    fn free_id(&mut self) -> Option<Pid> {
        for _ in 0..PID_MAX {
            self.last = if self.last >= PID_MAX {
                FIRST_RECYCLED
            } else {
                self.last + 1
            };
            if !self.ids.contains_key(&Pid(self.last)) {
                return Some(Pid(self.last));
            }
        }
        None
    }

    fn hold(&mut self, pid: Pid) {
        *self.ids.entry(pid).or_insert(0) += 1;
    }

    fn release(&mut self, pid: Pid) {
        if let Some(count) = self.ids.get_mut(&pid) {
            *count -= 1;
            if *count == 0 {
                self.ids.remove(&pid);
            }
        }
    }

    fn insert(&mut self, process: Arc<Process>, place: Place, (group, session): (Pid, Pid)) {
        let pid = process.pid;
        for id in [pid, group, session] {
            self.hold(id);
        }
        if let Some(parent) = self.nodes.get_mut(&place.parent) {
            parent.children.push(pid);
        }
        self.nodes.insert(
            pid,
            Node {
                process,
                parent: if self.nodes.contains_key(&place.parent) {
                    place.parent
                } else {
                    INIT
                },
                children: Vec::new(),
                group,
                session,
                exit_signal: place.exit_signal,
                ended: None,
                change: None,
                executed: false,
                children_times: Times::default(),
            },
        );
    }

    /// Forgets a process.
    fn remove(&mut self, pid: Pid) {
        let Some(node) = self.nodes.remove(&pid) else {
            return;
        };
        for id in [pid, node.group, node.session] {
            self.release(id);
        }
        if let Some(parent) = self.nodes.get_mut(&node.parent) {
            parent.children.retain(|child| *child != pid);
        }
    }

    fn move_to(&mut self, pid: Pid, group: Pid, session: Pid) {
        let Some(node) = self.nodes.get_mut(&pid) else {
            return;
        };
        let before = [node.group, node.session];
        node.group = group;
        node.session = session;
        for id in [group, session] {
            self.hold(id);
        }
        for id in before {
            self.release(id);
        }
    }

    /// Who gets the children of a process that ends: the nearest ancestor that asked for them, else the sandbox.
    fn adopter(&self, pid: Pid) -> Pid {
        let mut next = self.nodes.get(&pid).map_or(INIT, |node| node.parent);
        while let Some(node) = self.nodes.get(&next) {
            if node.ended.is_none() && node.process.with_settings(|s| s.child_subreaper) {
                return next;
            }
            next = node.parent;
        }
        INIT
    }
}
