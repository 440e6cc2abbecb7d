//! Whose directory of `/proc` it is, and who may look into it.

use std::sync::Arc;

use rawposix_abi::Errno;

use crate::cage::family::{INIT, PID_MAX};
use crate::cage::{Pid, Process, Task};
use crate::sandbox::World;

/// A process, or one of its threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) pid: Pid,
    pub(crate) thread: Option<Pid>,
}

impl Who {
    /// The process as a whole.
    pub(crate) fn process(pid: Pid) -> Self {
        Self { pid, thread: None }
    }

    /// A number of its own.
    pub(super) fn number(self) -> u64 {
        match self.thread {
            None => u64::from(self.pid.0.unsigned_abs()),
            Some(tid) => u64::from(PID_MAX.unsigned_abs() + 1 + tid.0.unsigned_abs()),
        }
    }

    pub(super) fn path(self) -> String {
        match self.thread {
            None => format!("/{}", self.pid),
            Some(tid) => format!("/{}/task/{tid}", self.pid),
        }
    }
}

/// What a directory of a process shows.
pub(super) enum Subject {
    /// Process 1, which is the sandbox itself: it looks like a thread of the kernel.
    Init,
    /// A process, dead or alive, and the thread that is meant if not all.
    Process(Arc<Process>, Option<Arc<Task>>),
}

impl Subject {
    /// `ENOENT` when there is no such process or thread.
    pub(super) fn of(world: &World, who: Who) -> Result<Self, Errno> {
        if who.pid == INIT {
            return match who.thread {
                None | Some(INIT) => Ok(Self::Init),
                Some(_) => Err(Errno::ENOENT),
            };
        }
        let process = world.family.process(who.pid).ok_or(Errno::ENOENT)?;
        let task = match who.thread {
            None => None,
            // A leader that has ended before the others still has its directory.
            Some(tid) if tid == who.pid => process.task(tid),
            Some(tid) => Some(process.task(tid).ok_or(Errno::ENOENT)?),
        };
        Ok(Self::Process(process, task))
    }

    /// The process, if it is one of the guests'.
    pub(super) fn process(&self) -> Option<&Arc<Process>> {
        match self {
            Self::Init => None,
            Self::Process(process, _) => Some(process),
        }
    }

    /// The process, if it is one of the guests' that has not ended.
    pub(super) fn living(&self) -> Option<&Arc<Process>> {
        self.process().filter(|process| process.end().is_none())
    }

    /// The ids of the threads, rising.
    pub(super) fn threads(&self) -> Vec<Pid> {
        let Self::Process(process, _) = self else {
            return vec![INIT];
        };
        let mut threads: Vec<_> = process.tasks().iter().map(|task| task.tid).collect();
        if !threads.contains(&process.pid) {
            threads.push(process.pid);
        }
        threads.sort_unstable();
        threads
    }

    pub(super) fn has_thread(&self, tid: Pid) -> bool {
        self.threads().contains(&tid)
    }

    /// Who owns the directory: the process's user, or root if it is not to be dumped.
    pub(super) fn owner(&self) -> (u32, u32) {
        match self {
            Self::Init => (0, 0),
            Self::Process(process, _) if process.with_settings(|s| s.dumpable) != 1 => (0, 0),
            Self::Process(process, _) => {
                let credentials = process.credentials();
                (credentials.user.effective, credentials.group.effective)
            }
        }
    }
}

/// Fails if a process may not see what only those see who could trace the other one, as ptrace(2) says it.
pub(super) fn may_look_into(viewer: &Process, subject: &Subject) -> Result<(), Errno> {
    let is_root = viewer.credentials().user.effective == 0;
    let allowed = match subject {
        Subject::Init => is_root && !viewer.is_restricted(),
        Subject::Process(process, _) => {
            viewer.may_reach(process) && (is_root || process.may_be_inspected(viewer))
        }
    };
    if allowed { Ok(()) } else { Err(Errno::EACCES) }
}
