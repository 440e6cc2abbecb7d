//! `/proc`: the sandbox's processes in Linux's formats. See proc(5).
//!
//! A file's text is made when it is opened, and again when its reading starts anew.

mod files;
mod memory;
mod mounts;
mod net;
mod process;
mod settings;
mod subject;
mod sysctl;
mod system;
mod sysvipc;

pub(crate) use sysctl::{RELEASE, VERSION};

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;

use super::dir::Dir;
use super::listing::{DT_DIR, DT_LNK, DT_REG, ListedName, listed};
use super::stat::VirtualStat;
use crate::cage::family::INIT;
use crate::cage::{Pid, Process};
use crate::fd::OpenFile;
use files::{FileEntry, files, links};
use settings::Setting;
pub(crate) use subject::Who;
use subject::{Subject, may_look_into};

/// A directory of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcDir {
    Root,
    /// `/proc/PID` and `/proc/PID/task/TID`.
    Process(Who),
    Fd(Who),
    FdInfo(Who),
    Net(Who),
    Task(Pid),
    Sys,
    SysKernel,
    SysKernelRandom,
    SysVm,
    SysFs,
    SysFsMqueue,
    SysNet,
    SysNetCore,
    SysvIpc,
}

/// A file of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcFile {
    pub(crate) dir: ProcDir,
    pub(crate) name: FileName,
}

/// The name of a file of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileName {
    Fixed(&'static str),
    /// A descriptor, in `fdinfo`.
    Descriptor(i32),
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

/// Numbers of objects that every directory has room for, and of kinds of directories that every process has room for.
const ROOM: u64 = 0x80;
const KINDS: u64 = 8;
/// The place of the first process: those before are for directories that are no process's.
const FIRST: u64 = 4;
/// The number of the first link of a directory, after those of its files.
const LINKS: u64 = 0x60;

impl ProcDir {
    /// The directories of the directory that have fixed names.
    fn directories(self) -> Vec<(&'static str, Self)> {
        match self {
            Self::Root => vec![("sys", Self::Sys), ("sysvipc", Self::SysvIpc)],
            Self::Process(who) => {
                let mut names = vec![
                    ("fd", Self::Fd(who)),
                    ("fdinfo", Self::FdInfo(who)),
                    ("net", Self::Net(who)),
                ];
                if who.thread.is_none() {
                    names.push(("task", Self::Task(who.pid)));
                }
                names
            }
            Self::Sys => vec![
                ("fs", Self::SysFs),
                ("kernel", Self::SysKernel),
                ("net", Self::SysNet),
                ("vm", Self::SysVm),
            ],
            Self::SysFs => vec![("mqueue", Self::SysFsMqueue)],
            Self::SysKernel => vec![("random", Self::SysKernelRandom)],
            Self::SysNet => vec![("core", Self::SysNetCore)],
            _ => Vec::new(),
        }
    }

    /// The directory above; `None` for `/proc` itself.
    pub(crate) fn above(self) -> Option<Self> {
        match self {
            Self::Root => None,
            Self::Process(Who {
                pid,
                thread: Some(_),
            }) => Some(Self::Task(pid)),
            Self::Process(_) | Self::Sys | Self::SysvIpc => Some(Self::Root),
            Self::Fd(who) | Self::FdInfo(who) | Self::Net(who) => Some(Self::Process(who)),
            Self::Task(pid) => Some(Self::Process(Who::process(pid))),
            Self::SysKernel | Self::SysVm | Self::SysFs | Self::SysNet => Some(Self::Sys),
            Self::SysFsMqueue => Some(Self::SysFs),
            Self::SysKernelRandom => Some(Self::SysKernel),
            Self::SysNetCore => Some(Self::SysNet),
        }
    }

    /// The path below `/proc`.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Process(who) => who.path(),
            Self::Fd(who) => who.path() + "/fd",
            Self::FdInfo(who) => who.path() + "/fdinfo",
            Self::Net(who) => who.path() + "/net",
            Self::Task(pid) => format!("/{pid}/task"),
            Self::Sys => String::from("/sys"),
            Self::SysKernel => String::from("/sys/kernel"),
            Self::SysKernelRandom => String::from("/sys/kernel/random"),
            Self::SysVm => String::from("/sys/vm"),
            Self::SysFs => String::from("/sys/fs"),
            Self::SysFsMqueue => String::from("/sys/fs/mqueue"),
            Self::SysNet => String::from("/sys/net"),
            Self::SysNetCore => String::from("/sys/net/core"),
            Self::SysvIpc => String::from("/sysvipc"),
        }
    }

    /// A number of its own for stat and listings.
    pub(crate) fn inode(self) -> u64 {
        let (place, kind) = match self {
            Self::Root => (0, 0),
            Self::Sys => (0, 1),
            Self::SysKernel => (0, 2),
            Self::SysKernelRandom => (0, 3),
            Self::SysVm => (0, 4),
            Self::SysFs => (0, 5),
            Self::SysNet => (0, 6),
            Self::SysNetCore => (0, 7),
            Self::SysFsMqueue => (1, 0),
            Self::SysvIpc => (1, 1),
            Self::Process(who) => (FIRST + who.number(), 0),
            Self::Fd(who) => (FIRST + who.number(), 1),
            Self::FdInfo(who) => (FIRST + who.number(), 2),
            Self::Net(who) => (FIRST + who.number(), 3),
            Self::Task(pid) => (FIRST + Who::process(pid).number(), 4),
        };
        1 + (place * KINDS + kind) * ROOM
    }

    /// The number of a descriptor's name in the directory.
    fn descriptor_inode(self, fd: i32) -> u64 {
        (1 << 56) | self.inode() << 20 | u64::from(fd.unsigned_abs())
    }

    /// Whose directory it is.
    fn who(self) -> Option<Who> {
        match self {
            Self::Process(who) | Self::Fd(who) | Self::FdInfo(who) | Self::Net(who) => Some(who),
            Self::Task(pid) => Some(Who::process(pid)),
            _ => None,
        }
    }

    fn subject(self, viewer: &Process) -> Result<Option<Subject>, Errno> {
        self.who()
            .map(|who| Subject::of(viewer.world(), who))
            .transpose()
    }

    /// Owner and permissions.
    pub(crate) fn stat(self, viewer: &Process) -> VirtualStat {
        let mode = match self {
            Self::Fd(_) => 0o500,
            _ => 0o555,
        };
        let (uid, gid) = self.owner(viewer);
        VirtualStat {
            uid,
            gid,
            ..VirtualStat::proc_dir(self.inode(), mode)
        }
    }

    fn owner(self, viewer: &Process) -> (u32, u32) {
        match self.subject(viewer) {
            Ok(Some(subject)) => subject.owner(),
            _ => (0, 0),
        }
    }

    /// Fails if the caller may not see what is in the directory.
    pub(crate) fn check_readable(self, viewer: &Process) -> Result<(), Errno> {
        match (self, self.subject(viewer)?) {
            (Self::Fd(_) | Self::FdInfo(_), Some(subject)) => may_look_into(viewer, &subject),
            _ => Ok(()),
        }
    }

    /// Looks a name up, for this process and one of its threads.
    pub(crate) fn lookup(
        self,
        viewer: &Process,
        thread: Option<Pid>,
        name: &[u8],
    ) -> Result<ProcEntry, Errno> {
        let subject = self.subject(viewer)?;
        let text = std::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
        if let Some(file) = files(self).iter().find(|file| file.name == text) {
            let name = FileName::Fixed(file.name);
            return Ok(ProcEntry::File(ProcFile { dir: self, name }));
        }
        let directories = self.directories();
        if let Some((_, dir)) = directories.into_iter().find(|(name, _)| *name == text) {
            return Ok(ProcEntry::Dir(dir));
        }
        let number = canonical_number(text);
        match (self, subject) {
            (Self::Root, _) if text == "thread-self" => {
                let tid = thread.unwrap_or(viewer.pid);
                let link = format!("{}/task/{tid}", viewer.pid);
                Ok(ProcEntry::Link(link.into_bytes()))
            }
            (Self::Root, _) => self.lookup_in_root(viewer, text, number),
            (Self::Task(pid), Some(subject)) => {
                let tid = number.map(Pid).ok_or(Errno::ENOENT)?;
                let thread = subject.has_thread(tid).then_some(tid);
                let thread = Some(thread.ok_or(Errno::ENOENT)?);
                Ok(ProcEntry::Dir(Self::Process(Who { pid, thread })))
            }
            (Self::Process(_), Some(subject)) if links(self).contains(&text) => {
                may_look_into(viewer, &subject)?;
                let process = subject.living().ok_or(Errno::ENOENT)?;
                Ok(match text {
                    "cwd" => ProcEntry::Shortcut(process.cwd()),
                    "root" => ProcEntry::Shortcut(process.root()),
                    _ => match process.program() {
                        Some(program) => ProcEntry::Open(program),
                        None => ProcEntry::Link(process.image().path.clone()),
                    },
                })
            }
            (Self::Fd(_) | Self::FdInfo(_), Some(subject)) => {
                may_look_into(viewer, &subject)?;
                let process = subject.process().ok_or(Errno::ENOENT)?;
                let fd = number.ok_or(Errno::ENOENT)?;
                let file = process.file(fd).map_err(|_| Errno::ENOENT)?;
                Ok(match self {
                    Self::Fd(_) => ProcEntry::Open(file),
                    _ => ProcEntry::File(ProcFile {
                        dir: self,
                        name: FileName::Descriptor(fd),
                    }),
                })
            }
            _ => Err(Errno::ENOENT),
        }
    }

    fn lookup_in_root(
        self,
        viewer: &Process,
        text: &str,
        number: Option<i32>,
    ) -> Result<ProcEntry, Errno> {
        let link = |text: String| Ok(ProcEntry::Link(text.into_bytes()));
        match (text, number) {
            ("self", _) => link(viewer.pid.to_string()),
            ("mounts" | "net", _) => link(format!("self/{text}")),
            (_, Some(number)) => {
                let who = Who::process(Pid(number));
                Subject::of(viewer.world(), who)?;
                Ok(ProcEntry::Dir(Self::Process(who)))
            }
            _ => Err(Errno::ENOENT),
        }
    }

    /// What lstat(2) says of a link of the directory; `None` for what is no link.
    pub(crate) fn link_stat(self, viewer: &Process, name: &[u8]) -> Option<VirtualStat> {
        let text = std::str::from_utf8(name).ok()?;
        let (uid, gid) = self.owner(viewer);
        if let Some(place) = links(self).iter().position(|link| *link == text) {
            let inode = self.link_inode(place);
            let stat = VirtualStat::proc_link(inode, 0o777, 0);
            return Some(VirtualStat { uid, gid, ..stat });
        }
        let Self::Fd(_) = self else { return None };
        let subject = self.subject(viewer).ok()??;
        may_look_into(viewer, &subject).ok()?;
        let fd = canonical_number(text)?;
        let file = subject.process()?.file(fd).ok()?;
        let mode = match file.flags.bits() & OpenFlags::ACCMODE {
            _ if file.is_path() => 0o000,
            0 => 0o500,
            1 => 0o300,
            _ => 0o700,
        };
        let stat = VirtualStat::proc_link(self.descriptor_inode(fd), mode, 64);
        Some(VirtualStat { uid, gid, ..stat })
    }

    fn link_inode(self, place: usize) -> u64 {
        self.inode() + LINKS + place as u64
    }

    /// The names of the directory, without `.` and `..`.
    pub(crate) fn names(self, viewer: &Process) -> Vec<ListedName> {
        let mut names = Vec::new();
        for (name, dir) in self.directories() {
            names.push(listed(name.as_bytes(), dir.inode(), DT_DIR));
        }
        for file in files(self) {
            let name = FileName::Fixed(file.name);
            let inode = ProcFile { dir: self, name }.inode();
            names.push(listed(file.name.as_bytes(), inode, DT_REG));
        }
        for (place, name) in links(self).iter().enumerate() {
            names.push(listed(name.as_bytes(), self.link_inode(place), DT_LNK));
        }
        let mut directory = |name: Pid, dir: Self| {
            names.push(listed(name.to_string().as_bytes(), dir.inode(), DT_DIR));
        };
        let subject = self.subject(viewer).ok().flatten();
        match (self, subject) {
            (Self::Root, _) => {
                directory(INIT, Self::Process(Who::process(INIT)));
                for pid in viewer.world().family.pids() {
                    directory(pid, Self::Process(Who::process(pid)));
                }
            }
            (Self::Task(pid), Some(subject)) => {
                for tid in subject.threads() {
                    let thread = Some(tid);
                    directory(tid, Self::Process(Who { pid, thread }));
                }
            }
            (Self::Fd(_) | Self::FdInfo(_), Some(subject)) => {
                let kind = if let Self::Fd(_) = self {
                    DT_LNK
                } else {
                    DT_REG
                };
                for fd in subject.process().map_or(Vec::new(), |p| p.descriptors()) {
                    let inode = self.descriptor_inode(fd);
                    names.push(listed(fd.to_string().as_bytes(), inode, kind));
                }
            }
            _ => {}
        }
        names
    }
}

/// The number that a name is, in the one way to write it.
fn canonical_number(text: &str) -> Option<i32> {
    text.parse::<i32>().ok().filter(|n| n.to_string() == text)
}

impl ProcFile {
    fn entry(self) -> Option<(usize, &'static FileEntry)> {
        let FileName::Fixed(name) = self.name else {
            return None;
        };
        let mut files = files(self.dir).iter().enumerate();
        files.find(|(_, file)| file.name == name)
    }

    /// A number of its own for stat and listings.
    pub(crate) fn inode(self) -> u64 {
        match self.name {
            FileName::Descriptor(fd) => self.dir.descriptor_inode(fd),
            FileName::Fixed(_) => {
                let place = self.entry().map_or(0, |(place, _)| place);
                self.dir.inode() + 1 + place as u64
            }
        }
    }

    /// Owner, permissions and number.
    pub(crate) fn stat(self, viewer: &Process) -> VirtualStat {
        let mode = self.entry().map_or(0o444, |(_, file)| file.mode);
        let (uid, gid) = self.dir.owner(viewer);
        VirtualStat {
            uid,
            gid,
            ..VirtualStat::proc_file(self.inode(), mode)
        }
    }

    /// Whether it may be opened for writing.
    pub(crate) fn is_writable(self) -> bool {
        self.entry().is_some_and(|(_, file)| file.mode & 0o200 != 0)
    }

    /// Writes to the file: those that take it are a thread's name, from its own process, and some settings.
    pub(crate) fn write(self, writer: &Process, bytes: &[u8]) -> Result<usize, Errno> {
        let subject = self.dir.subject(writer).map_err(|_| Errno::ESRCH)?;
        let Some(Subject::Process(process, task)) = &subject else {
            return Err(Errno::EINVAL);
        };
        let end = bytes.iter().position(|byte| *byte == 0);
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
        if let FileName::Fixed(name) = self.name
            && let Some(setting) = Setting::of(name)
        {
            setting.check(writer, process)?;
            setting.set(process, text)?;
            return Ok(bytes.len());
        }
        if process.pid != writer.pid || self.name != FileName::Fixed("comm") {
            return Err(Errno::EINVAL);
        }
        let task = task.clone().or_else(|| process.task(process.pid));
        task.ok_or(Errno::ESRCH)?.set_name(text);
        Ok(bytes.len())
    }

    /// The path of the file, with `/proc` at its usual place.
    pub(crate) fn path(self) -> Vec<u8> {
        let dir = self.dir.path();
        match self.name {
            FileName::Fixed(name) => format!("/proc{dir}/{name}").into_bytes(),
            FileName::Descriptor(fd) => format!("/proc{dir}/{fd}").into_bytes(),
        }
    }

    /// What the file says now.
    ///
    /// # Errors
    /// `EACCES` for what only the process's user may see, `ESRCH` when the process is gone.
    pub(crate) fn contents(self, viewer: &Process) -> Result<Vec<u8>, Errno> {
        let subject = self.dir.subject(viewer).map_err(|_| Errno::ESRCH)?;
        let name = match self.name {
            FileName::Fixed(name) => name,
            FileName::Descriptor(fd) => {
                let subject = subject.ok_or(Errno::ESRCH)?;
                may_look_into(viewer, &subject)?;
                return process::descriptor(&subject, fd);
            }
        };
        let world = viewer.world();
        match (self.dir, subject) {
            (ProcDir::Process(_), Some(subject)) => {
                if self.entry().is_some_and(|(_, file)| file.private) {
                    may_look_into(viewer, &subject)?;
                }
                if let (Some(setting), Some(process)) = (Setting::of(name), subject.process()) {
                    setting.check_reader(viewer, process)?;
                }
                Ok(process::contents(name, viewer, &subject))
            }
            (ProcDir::Net(_), _) => Ok(net::contents(name, world)),
            (ProcDir::SysvIpc, _) => Ok(sysvipc::contents(name, world).into_bytes()),
            (ProcDir::Root, _) => Ok(system::contents(name, world).into_bytes()),
            _ => Ok(sysctl::contents(name, viewer).into_bytes()),
        }
    }
}
