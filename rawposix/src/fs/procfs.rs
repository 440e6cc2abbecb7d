//! `/proc`: the sandbox's processes in Linux's formats. See proc(5).

mod contents;
mod name;

pub(crate) use contents::{RELEASE, VERSION};
pub(crate) use name::ThreadName;

use std::sync::Arc;

use rawposix_abi::Errno;

use super::dir::Dir;
use super::listing::{DT_DIR, DT_LNK, DT_REG, ListedName, listed};
use crate::cage::{Pid, Process, Task};
use crate::fd::OpenFile;

/// A directory of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcDir {
    Root,
    Process(Pid),
    Fd(Pid),
    Task(Pid),
    /// A thread of a process: first the process, then the thread.
    Thread(Pid, Pid),
    Sys,
    SysKernel,
    SysKernelRandom,
    SysVm,
    SysFs,
}

/// A file of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcFile {
    pub(crate) dir: ProcDir,
    pub(crate) name: &'static str,
}

/// What a name in `/proc` is.
pub(crate) enum ProcEntry {
    Dir(ProcDir),
    File(ProcFile),
    Link(Vec<u8>),
    /// A link to an open file.
    Open(Arc<OpenFile>),
    /// A link to a directory.
    Shortcut(Dir),
}

const PROCESS_FILES: [&str; 11] = [
    "cmdline",
    "comm",
    "environ",
    "limits",
    "maps",
    "mounts",
    "mountinfo",
    "stat",
    "statm",
    "status",
    "auxv",
];

impl ProcDir {
    /// The files of the directory.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Root => &[
                "cpuinfo",
                "filesystems",
                "loadavg",
                "meminfo",
                "stat",
                "uptime",
                "version",
            ],
            Self::Process(_) | Self::Thread(..) => &PROCESS_FILES,
            Self::Fd(_) | Self::Task(_) | Self::Sys => &[],
            Self::SysKernel => &[
                "hostname",
                "domainname",
                "osrelease",
                "ostype",
                "version",
                "pid_max",
                "ngroups_max",
                "cap_last_cap",
            ],
            Self::SysKernelRandom => &["boot_id", "uuid", "entropy_avail", "poolsize"],
            Self::SysVm => &["overcommit_memory", "max_map_count", "mmap_min_addr"],
            Self::SysFs => &["pipe-max-size", "file-max", "nr_open"],
        }
    }

    /// The directories of the directory that have fixed names.
    fn directories(self) -> Vec<(&'static str, Self)> {
        match self {
            Self::Root => vec![("sys", Self::Sys)],
            Self::Process(pid) => vec![("fd", Self::Fd(pid)), ("task", Self::Task(pid))],
            Self::Thread(pid, _) => vec![("fd", Self::Fd(pid))],
            Self::Sys => vec![
                ("kernel", Self::SysKernel),
                ("vm", Self::SysVm),
                ("fs", Self::SysFs),
            ],
            Self::SysKernel => vec![("random", Self::SysKernelRandom)],
            _ => Vec::new(),
        }
    }

    /// The links of the directory, but those of open files.
    fn links(self) -> &'static [&'static str] {
        match self {
            Self::Root => &["self", "thread-self", "mounts"],
            Self::Process(_) | Self::Thread(..) => &["cwd", "exe", "root"],
            _ => &[],
        }
    }

    /// The directory above; `None` for `/proc` itself.
    pub(crate) fn above(self) -> Option<Self> {
        match self {
            Self::Root => None,
            Self::Process(_) | Self::Sys => Some(Self::Root),
            Self::Fd(pid) | Self::Task(pid) => Some(Self::Process(pid)),
            Self::Thread(pid, _) => Some(Self::Task(pid)),
            Self::SysKernel | Self::SysVm | Self::SysFs => Some(Self::Sys),
            Self::SysKernelRandom => Some(Self::SysKernel),
        }
    }

    /// The path below `/proc`.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Process(pid) => format!("/{pid}"),
            Self::Fd(pid) => format!("/{pid}/fd"),
            Self::Task(pid) => format!("/{pid}/task"),
            Self::Thread(pid, tid) => format!("/{pid}/task/{tid}"),
            Self::Sys => String::from("/sys"),
            Self::SysKernel => String::from("/sys/kernel"),
            Self::SysKernelRandom => String::from("/sys/kernel/random"),
            Self::SysVm => String::from("/sys/vm"),
            Self::SysFs => String::from("/sys/fs"),
        }
    }

    /// A number of its own for stat and listings.
    pub(crate) fn inode(self) -> u64 {
        let (kind, pid) = match self {
            Self::Root => (1, Pid::NONE),
            Self::Process(pid) => (2, pid),
            Self::Fd(pid) => (3, pid),
            Self::Task(pid) => (4, pid),
            Self::Thread(_, tid) => (5, tid),
            Self::Sys => (6, Pid::NONE),
            Self::SysKernel => (7, Pid::NONE),
            Self::SysKernelRandom => (8, Pid::NONE),
            Self::SysVm => (9, Pid::NONE),
            Self::SysFs => (10, Pid::NONE),
        };
        0x10_0000 + u64::from(pid.0.unsigned_abs()) * 0x100 + kind * 0x10
    }

    /// The process that the directory is about, if it is about one; `None` when that is gone.
    fn subject(self, viewer: &Process) -> Option<Arc<Process>> {
        match self {
            Self::Process(pid) | Self::Fd(pid) | Self::Task(pid) | Self::Thread(pid, _) => {
                viewer.world().family.process(pid)
            }
            _ => None,
        }
    }

    /// Looks a name up, for this process.
    pub(crate) fn lookup(self, viewer: &Process, name: &[u8]) -> Result<ProcEntry, Errno> {
        let subject = self.subject(viewer);
        let process = subject.as_deref().unwrap_or(viewer);
        let text = std::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
        if let Some(name) = self.files().iter().find(|file| **file == text) {
            return Ok(ProcEntry::File(ProcFile { dir: self, name }));
        }
        if let Some((_, dir)) = self
            .directories()
            .into_iter()
            .find(|(name, _)| *name == text)
        {
            return Ok(ProcEntry::Dir(dir));
        }
        let number = text.parse::<i32>().ok().filter(|n| n.to_string() == text);
        match (self, text, number) {
            (Self::Root, "self", _) => Ok(ProcEntry::Link(process.pid.to_string().into_bytes())),
            (Self::Root, "thread-self", _) => Ok(ProcEntry::Link(
                format!("{0}/task/{0}", process.pid).into_bytes(),
            )),
            (Self::Root, "mounts", _) => Ok(ProcEntry::Link(b"self/mounts".to_vec())),
            (Self::Root, _, Some(pid)) if viewer.world().family.process(Pid(pid)).is_some() => {
                Ok(ProcEntry::Dir(Self::Process(Pid(pid))))
            }
            (Self::Task(pid), _, Some(tid)) if threads(process).contains(&Pid(tid)) => {
                Ok(ProcEntry::Dir(Self::Thread(pid, Pid(tid))))
            }
            (Self::Process(_) | Self::Thread(..), "cwd", _) => {
                Ok(ProcEntry::Shortcut(process.cwd()))
            }
            (Self::Process(_) | Self::Thread(..), "root", _) => {
                Ok(ProcEntry::Shortcut(process.root()))
            }
            (Self::Process(_) | Self::Thread(..), "exe", _) => {
                Ok(ProcEntry::Link(process.program_path()))
            }
            (Self::Fd(_), _, Some(fd)) => process
                .file(fd)
                .map(ProcEntry::Open)
                .map_err(|_| Errno::ENOENT),
            _ => Err(Errno::ENOENT),
        }
    }

    /// The names of the directory, without `.` and `..`.
    pub(crate) fn names(self, viewer: &Process) -> Vec<ListedName> {
        let subject = self.subject(viewer);
        let process = subject.as_deref().unwrap_or(viewer);
        let mut names = Vec::new();
        for (name, dir) in self.directories() {
            names.push(listed(name.as_bytes(), dir.inode(), DT_DIR));
        }
        for name in self.files() {
            let file = ProcFile { dir: self, name };
            names.push(listed(name.as_bytes(), file.inode(), DT_REG));
        }
        for name in self.links() {
            names.push(listed(name.as_bytes(), 2, DT_LNK));
        }
        let mut directory = |name: Pid, dir: Self| {
            names.push(listed(name.to_string().as_bytes(), dir.inode(), DT_DIR));
        };
        match self {
            Self::Root => {
                for pid in viewer.world().family.pids() {
                    directory(pid, Self::Process(pid));
                }
            }
            Self::Task(pid) => {
                for tid in threads(process) {
                    directory(tid, Self::Thread(pid, tid));
                }
            }
            Self::Fd(_) => {
                for fd in process.descriptors() {
                    names.push(listed(fd.to_string().as_bytes(), 2, DT_LNK));
                }
            }
            _ => {}
        }
        names
    }
}

/// The threads of a process; its first one stays until the others have ended as well.
fn threads(process: &Process) -> Vec<Pid> {
    let mut threads: Vec<_> = process.tasks().iter().map(|task| task.tid).collect();
    if !threads.contains(&process.pid) {
        threads.push(process.pid);
    }
    threads.sort_unstable();
    threads
}

impl ProcFile {
    /// A number of its own for stat and listings.
    pub(crate) fn inode(self) -> u64 {
        let place = self
            .dir
            .files()
            .iter()
            .position(|file| *file == self.name)
            .unwrap_or(0);
        self.dir.inode() + 1 + place as u64
    }

    /// The thread whose name a file is that can be written.
    pub(crate) fn named_thread(self, viewer: &Process) -> Option<Arc<Task>> {
        let process = self.dir.subject(viewer)?;
        let tid = match self.dir {
            ProcDir::Process(pid) => pid,
            ProcDir::Thread(_, tid) => tid,
            _ => return None,
        };
        (self.name == "comm").then(|| process.task(tid))?
    }

    /// The path of the file, with `/proc` at its usual place.
    pub(crate) fn path(self) -> Vec<u8> {
        format!("/proc{}/{}", self.dir.path(), self.name).into_bytes()
    }

    /// What the file says now.
    pub(crate) fn contents(self, viewer: &Process) -> Vec<u8> {
        let subject = self.dir.subject(viewer);
        contents::contents(self, subject.as_deref().unwrap_or(viewer))
    }
}
