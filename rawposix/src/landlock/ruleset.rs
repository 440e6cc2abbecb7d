//! Rulesets and their rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use rawposix_abi::Errno;

use super::{FileAccess, PortAccess};
use crate::fd::{Bell, OwnFile, Ready, Watcher};
use crate::fs::node::Node;
use crate::thread::Thread;

/// How many rules of files there are in the sandbox. Each keeps a descriptor of the host's open, beyond the limits of who
/// made it.
#[derive(Debug, Default)]
pub(crate) struct Handles(AtomicU32);

/// All rules of files in a sandbox; more are `ENOMEM`.
const MOST: u32 = 8192;

/// A rule's part of [`Handles`], until it is dropped.
#[derive(Debug)]
struct Handle(Arc<Handles>);

impl Handle {
    fn take(handles: &Arc<Handles>) -> Result<Self, Errno> {
        let more = |count: u32| Some(count + 1).filter(|count| *count <= MOST);
        let taken = handles
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map_err(|_| Errno::ENOMEM)?;
        Ok(Self(Arc::clone(handles)))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is allowed for a file, or below a directory.
#[derive(Clone, Debug)]
pub(super) struct FileRule {
    pub(super) node: Arc<Node>,
    pub(super) allowed: FileAccess,
    #[expect(dead_code, reason = "its end is what it is for")]
    handle: Arc<Handle>,
}

/// The contents of a ruleset.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// What is refused where no rule allows it.
    pub(super) files: FileAccess,
    pub(super) ports: PortAccess,
    pub(super) file_rules: Vec<FileRule>,
    port_rules: Vec<(u16, PortAccess)>,
}

impl Rules {
    /// Whether the rules for a port allow all this.
    pub(super) fn allows_port(&self, port: u16, wanted: PortAccess) -> bool {
        let rules = self.port_rules.iter().filter(|rule| rule.0 == port);
        let allowed = rules.fold(PortAccess::empty(), |all, rule| all | rule.1);
        allowed.contains(wanted & self.ports)
    }
}

/// An open ruleset.
#[derive(Debug)]
pub(crate) struct Ruleset {
    rules: Mutex<Rules>,
    bell: Arc<Bell>,
}

impl Ruleset {
    /// A ruleset without rules.
    pub(crate) fn new(files: FileAccess, ports: PortAccess) -> Result<Self, Errno> {
        let bell = Arc::new(Bell::new()?);
        bell.show(|| Ready::reading(true));
        Ok(Self {
            rules: Mutex::new(Rules {
                files,
                ports,
                file_rules: Vec::new(),
                port_rules: Vec::new(),
            }),
            bell,
        })
    }

    /// What it says now.
    pub(super) fn now(&self) -> Arc<Rules> {
        Arc::new(self.rules.lock().clone())
    }

    /// Whether rules may allow this: `EINVAL` if the ruleset does not handle all of it.
    pub(crate) fn check_handled(&self, files: FileAccess, ports: PortAccess) -> Result<(), Errno> {
        let rules = self.rules.lock();
        let handled = rules.files.contains(files) && rules.ports.contains(ports);
        handled.then_some(()).ok_or(Errno::EINVAL)
    }

    /// Allows something for a file or below a directory.
    pub(crate) fn allow_below(
        &self,
        handles: &Arc<Handles>,
        node: Node,
        allowed: FileAccess,
    ) -> Result<(), Errno> {
        let rule = FileRule {
            node: Arc::new(node),
            allowed,
            handle: Arc::new(Handle::take(handles)?),
        };
        self.rules.lock().file_rules.push(rule);
        Ok(())
    }

    /// Allows something for a port.
    pub(crate) fn allow_port(&self, port: u16, allowed: PortAccess) {
        let rules = &mut self.rules.lock().port_rules;
        match rules.iter_mut().find(|rule| rule.0 == port) {
            Some(rule) => rule.1 |= allowed,
            None => rules.push((port, allowed)),
        }
    }
}

impl OwnFile for Ruleset {
    fn label(&self) -> String {
        String::from("anon_inode:[landlock-ruleset]")
    }

    fn bell(&self, _: &Thread, _: Watcher) -> Result<Arc<Bell>, Errno> {
        Ok(Arc::clone(&self.bell))
    }
}
