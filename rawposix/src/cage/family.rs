//! The tree of processes: parents and children, process groups and sessions. What wait(2) reports is in `wait`, what the
//! end of a process changes in `end`.
//!
//! All of it is behind one lock, as in Linux. Process 1 is the sandbox itself: it adopts orphans and reaps them at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::{Errno, Signal};

use super::usage::Used;
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
    pub(super) tree: Mutex<Tree>,
}

#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: HashMap<Pid, Node>,
    /// Ids in use: of processes, of threads, of groups and sessions that still have members.
    ids: HashMap<Pid, u32>,
    last: i32,
    threads: usize,
    /// Processes without threads that wait to be reaped: they count as one thread each.
    zombies: usize,
    /// No process is added any more: the sandbox ends.
    is_closed: bool,
}

/// A process in the tree.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) process: Arc<Process>,
    pub(super) parent: Pid,
    pub(super) children: Vec<Pid>,
    pub(super) group: Pid,
    pub(super) session: Pid,
    /// The signal that the parent gets at the end; `None` for a child that only `__WCLONE` waits for.
    pub(super) exit_signal: Option<Signal>,
    /// Set when it has ended and waits to be reaped.
    pub(super) ended: Option<(ExitStatus, Used)>,
    /// Whether it counts although it has no threads.
    is_zombie: bool,
    /// A stop or continuation that the parent has not waited for.
    pub(super) change: Option<Change>,
    /// Whether it has executed a program since it was made, which ends the parent's right to move it to another group.
    pub(super) executed: bool,
    /// What the children have used that were waited for.
    pub(super) children_times: Used,
}

/// A change that wait(2) can report beside the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Stopped(Signal),
    Continued,
}

/// Where a new process stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) parent: Pid,
    pub(crate) exit_signal: Option<Signal>,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            tree: Mutex::new(Tree {
                nodes: HashMap::new(),
                ids: HashMap::from([(INIT, 1)]),
                last: INIT.0,
                threads: 0,
                zombies: 0,
                is_closed: false,
            }),
        }
    }
}

impl Family {
    /// A new id for a thread, or for a process and its first thread. `EAGAIN` when there are `limit` threads and zombies
    /// already.
    pub(crate) fn new_id(&self, limit: u64) -> Result<Pid, Errno> {
        let mut tree = self.tree.lock();
        let counted = tree.threads.saturating_add(tree.zombies);
        if u64::try_from(counted).unwrap_or(u64::MAX) >= limit {
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

    /// The same of the last thread of a process that has ended. Until somebody waits for the process, it counts.
    pub(crate) fn release_last_thread(&self, tid: Pid, pid: Pid) {
        let mut tree = self.tree.lock();
        tree.threads = tree.threads.saturating_sub(1);
        let Tree { nodes, zombies, .. } = &mut *tree;
        if let Some(node) = nodes.get_mut(&pid)
            && node.ended.is_some()
            && !std::mem::replace(&mut node.is_zombie, true)
        {
            *zombies += 1;
        }
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
    /// `ESRCH` when the parent is no longer there, `EAGAIN` when the sandbox ends.
    pub(crate) fn add(
        &self,
        creator: Pid,
        process: Arc<Process>,
        place: Place,
    ) -> Result<(), Errno> {
        let mut tree = self.tree.lock();
        if tree.is_closed {
            return Err(Errno::EAGAIN);
        }
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

    /// Lets no process be added from now on; gives those that have not ended.
    pub(crate) fn close(&self) -> Vec<Arc<Process>> {
        self.tree.lock().is_closed = true;
        self.living()
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

    /// The living and dead children of a process, in no order.
    pub(crate) fn children(&self, pid: Pid) -> Vec<Pid> {
        let tree = self.tree.lock();
        tree.nodes
            .get(&pid)
            .map_or_else(Vec::new, |node| node.children.clone())
    }

    /// What the children have used that the process has waited for.
    pub(crate) fn children_times(&self, pid: Pid) -> Used {
        let tree = self.tree.lock();
        tree.nodes
            .get(&pid)
            .map_or_else(Used::default, |node| node.children_times)
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

    /// The id that was given out last.
    pub(crate) fn last_id(&self) -> i32 {
        self.tree.lock().last
    }

    /// Whether the program's first thread has been the only one ever.
    pub(crate) fn was_alone(&self) -> bool {
        self.tree.lock().last == PROGRAM.0
    }
}

impl Tree {
    pub(super) fn node(&self, pid: Pid) -> Result<&Node, Errno> {
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
                is_zombie: false,
                change: None,
                executed: false,
                children_times: Used::default(),
            },
        );
    }

    /// Forgets a process.
    pub(super) fn remove(&mut self, pid: Pid) {
        let Some(node) = self.nodes.remove(&pid) else {
            return;
        };
        if node.is_zombie {
            self.zombies = self.zombies.saturating_sub(1);
        }
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
}
