//! What the end of a process changes in the tree: its children get another parent, and process groups may be orphaned.

use std::sync::Arc;

use rawposix_abi::Signal;

use super::family::{Family, INIT, Node, Tree};
use super::usage::Used;
use super::{Pid, Process};
use crate::control::ExitStatus;

/// What the end of a process leaves to be done when the tree is no longer locked.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    /// The parent to be told, with the signal it gets; it may wait already.
    pub(crate) parent: Option<(Arc<Process>, Option<Signal>)>,
    /// Children whose parent has died.
    pub(crate) orphans: Vec<Arc<Process>>,
    /// Parents that have got zombies of others as children.
    pub(crate) adopters: Vec<Arc<Process>>,
    /// Members of groups that were orphaned while some of them are stopped: they get SIGHUP and SIGCONT.
    pub(crate) hung_up: Vec<Arc<Process>>,
}

impl Family {
    /// The process has ended. `reaps_itself` says of a parent whether it wants to hear nothing of ended children.
    pub(crate) fn ended(
        &self,
        process: &Process,
        status: ExitStatus,
        times: Used,
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
        let mut groups: Vec<Pid> = Vec::new();
        for child in children {
            let Some(node) = tree.nodes.get_mut(&child) else {
                continue;
            };
            if !groups.contains(&node.group) {
                groups.push(node.group);
            }
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
        for group in groups {
            aftermath.hung_up.extend(tree.orphaned_by(group, pid));
        }
        if let Some(group) = tree.nodes.get(&pid).map(|node| node.group) {
            aftermath.hung_up.extend(tree.orphaned_by(group, parent));
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

    /// Whether no member of the process's group has a parent in the same session but in another group, who could continue
    /// it when it is stopped.
    pub(crate) fn is_orphaned_group_of(&self, pid: Pid) -> bool {
        let tree = self.tree.lock();
        let Some(node) = tree.nodes.get(&pid) else {
            return true;
        };
        tree.is_orphaned(node.group)
    }
}

impl Tree {
    /// Whether no living member of a group has a parent in the same session but in another group.
    fn is_orphaned(&self, group: Pid) -> bool {
        let is_member = |node: &&Node| node.group == group && node.ended.is_none();
        !self.nodes.values().filter(is_member).any(|member| {
            let parent = self.nodes.get(&member.parent);
            parent.is_some_and(|parent| parent.session == member.session && parent.group != group)
        })
    }

    /// The living members of a group with a stopped one that is orphaned now, if it was `parent` that could have
    /// continued it: it is in the same session, but in another group.
    fn orphaned_by(&self, group: Pid, parent: Pid) -> Vec<Arc<Process>> {
        let members = || self.nodes.values().filter(|node| node.group == group);
        let was_connected = self.nodes.get(&parent).is_some_and(|parent| {
            parent.group != group && members().any(|member| member.session == parent.session)
        });
        let living = members().filter(|member| member.ended.is_none());
        let living: Vec<_> = living.map(|member| Arc::clone(&member.process)).collect();
        let has_stopped = living.iter().any(|process| process.signals.is_stopped());
        if was_connected && has_stopped && self.is_orphaned(group) {
            living
        } else {
            Vec::new()
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
