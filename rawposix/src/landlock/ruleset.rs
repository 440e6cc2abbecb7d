//! Rulesets and their rules.

use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;

use super::{FileAccess, PortAccess};
use crate::fd::{Bell, OwnFile, Ready, Watcher};
use crate::fs::node::Node;
use crate::share::{Share, Shares};
use crate::thread::Thread;

/// How many rules a sandbox may have, in rulesets and in the domains that keep a copy of one: they need memory, and those of
/// files a descriptor of the host's, beyond the limits of who made them. More are `ENOMEM`.
const MOST: u64 = 8192;

/// What is allowed for a file, or below a directory.
#[derive(Clone, Debug)]
pub(super) struct FileRule {
    pub(super) node: Arc<Node>,
    pub(super) allowed: FileAccess,
}

/// The contents of a ruleset.
#[derive(Debug)]
pub(crate) struct Rules {
    /// What is refused where no rule allows it.
    pub(super) files: FileAccess,
    pub(super) ports: PortAccess,
    pub(super) file_rules: Vec<FileRule>,
    port_rules: Vec<(u16, PortAccess)>,
    share: Share,
}

impl Rules {
    /// Whether the rules for a port allow all this.
    pub(super) fn allows_port(&self, port: u16, wanted: PortAccess) -> bool {
        let rules = self.port_rules.iter().filter(|rule| rule.0 == port);
        let allowed = rules.fold(PortAccess::empty(), |all, rule| all | rule.1);
        allowed.contains(wanted & self.ports)
    }

    fn copy(&self) -> Result<Self, Errno> {
        Ok(Self {
            files: self.files,
            ports: self.ports,
            file_rules: self.file_rules.clone(),
            port_rules: self.port_rules.clone(),
            share: self.share.twin(MOST).ok_or(Errno::ENOMEM)?,
        })
    }
}

/// An open ruleset.
#[derive(Debug)]
pub(crate) struct Ruleset {
    /// Domains have them as they were; what is added later is not theirs.
    rules: Mutex<Arc<Rules>>,
    bell: Arc<Bell>,
}

impl Ruleset {
    /// A ruleset without rules.
    pub(crate) fn new(
        taken: &Arc<Shares>,
        files: FileAccess,
        ports: PortAccess,
    ) -> Result<Self, Errno> {
        let bell = Arc::new(Bell::new()?);
        bell.show(|| Ready::reading(true));
        Ok(Self {
            rules: Mutex::new(Arc::new(Rules {
                files,
                ports,
                file_rules: Vec::new(),
                port_rules: Vec::new(),
                share: taken.take_anyway(0),
            })),
            bell,
        })
    }

    /// What it says now.
    pub(super) fn now(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.lock())
    }

    /// Whether rules may allow this: `EINVAL` if the ruleset does not handle all of it.
    pub(crate) fn check_handled(&self, files: FileAccess, ports: PortAccess) -> Result<(), Errno> {
        let rules = self.rules.lock();
        let handled = rules.files.contains(files) && rules.ports.contains(ports);
        handled.then_some(()).ok_or(Errno::EINVAL)
    }

    /// Allows something for a file or below a directory.
    pub(crate) fn allow_below(&self, node: Node, allowed: FileAccess) -> Result<(), Errno> {
        let node = Arc::new(node);
        self.add(|rules| rules.file_rules.push(FileRule { node, allowed }))
    }

    /// Allows something for a port.
    pub(crate) fn allow_port(&self, port: u16, allowed: PortAccess) -> Result<(), Errno> {
        self.add(|rules| rules.port_rules.push((port, allowed)))
    }

    /// Adds a rule. `ENOMEM` when there are too many in the sandbox.
    fn add(&self, add: impl FnOnce(&mut Rules)) -> Result<(), Errno> {
        let mut rules = self.rules.lock();
        if Arc::get_mut(&mut rules).is_none() {
            *rules = Arc::new(rules.copy()?);
        }
        if let Some(rules) = Arc::get_mut(&mut rules) {
            rules.share.grow(1, MOST).ok_or(Errno::ENOMEM)?;
            add(rules);
        }
        Ok(())
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
