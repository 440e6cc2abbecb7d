//! Path resolution, as path_resolution(7) describes it, inside the sandbox.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use rawposix_abi::Errno;
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};

use super::device::Device;
use super::dir::{Dir, FileId, HostDir, open_directory};
use super::mount::{Above, MountId, MountRoot, Mounts, StaticEntry};
use super::node::{HostNode, Node};
use super::permission::{Guard, Rights};
use super::procfs::{ProcDir, ProcEntry};
use super::rest::Rest;
use super::{MAX_LINKS, NAME_MAX, PATH_MAX};
use crate::cage::{Pid, Process};

/// How many directories a resolution looks at above those that `..` leads to, which is less than a second's work.
const MAX_CLIMBS: u32 = 1 << 18;

/// Whether a symbolic link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    Yes,
    No,
}

/// The directory that holds the last name of a path, and that name.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) dir: Dir,
    pub(crate) name: Vec<u8>,
    /// The path ended in a slash: only a directory may answer to the name.
    pub(crate) slash: bool,
}

/// Where a walk to a parent ends.
#[derive(Clone, Debug)]
pub(crate) enum Parent {
    /// The path ends in a name.
    Entry(Entry),
    /// The path ends in `/`, `.` or `..`, which is this directory.
    Itself(Dir),
}

/// Restrictions of openat2(2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// `RESOLVE_NO_SYMLINKS`
    pub(crate) no_links: bool,
    /// `RESOLVE_NO_MAGICLINKS`
    pub(crate) no_magic_links: bool,
    /// `RESOLVE_NO_XDEV`
    pub(crate) one_mount: bool,
    /// `RESOLVE_BENEATH` or `RESOLVE_IN_ROOT`
    pub(crate) scoped: bool,
    /// `RESOLVE_BENEATH`: with the start as the root, what leads to the root or above it is `EXDEV`.
    pub(crate) beneath: bool,
}

/// One resolution.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    mounts: &'a Mounts,
    root: Dir,
    rules: Rules,
    /// The process whose `/proc/self` it is; `None` while the sandbox is being made.
    process: Option<&'a Process>,
    /// The thread whose `/proc/thread-self` it is, where that is not the first one.
    thread: Option<Pid>,
    links: u32,
    /// How many directories it may still look at on the way up to the root of a mount.
    climbs: Cell<u32>,
    /// The directories that were left by going down, for `..`.
    trail: Vec<Dir>,
    /// Who must be allowed to search what is walked through.
    guard: Option<Guard<'a>>,
}

impl<'a> Walk<'a> {
    /// A resolution in a sandbox with this root.
    pub(crate) fn new(mounts: &'a Mounts, root: Dir, process: Option<&'a Process>) -> Self {
        Self {
            mounts,
            root,
            rules: Rules::default(),
            process,
            thread: None,
            links: 0,
            climbs: Cell::new(MAX_CLIMBS),
            trail: Vec::new(),
            guard: process.and_then(Process::guard),
        }
    }

    /// The resolution with restrictions.
    pub(crate) fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// The resolution for a thread of the process.
    pub(crate) fn by(self, thread: Pid) -> Self {
        let thread = Some(thread);
        Self { thread, ..self }
    }

    /// Resolves a path to the object it names.
    pub(crate) fn node(&mut self, start: Dir, path: &[u8], follow: Follow) -> Result<Node, Errno> {
        let (mut dir, mut rest) = self.begin(start, path)?;
        loop {
            let (entry, slash) = match self.descend(dir, &mut rest)? {
                Parent::Itself(dir) => return Ok(Node::Dir(dir)),
                Parent::Entry(entry) => (entry.clone(), entry.slash),
            };
            let node = self.lookup(&entry.dir, &entry.name)?;
            if follow == Follow::Yes || slash {
                match self.step(&entry.dir, node, &mut rest)? {
                    Step::Link(next) => dir = next,
                    Step::Node(Node::Dir(found)) | Step::Far(Node::Dir(found)) => {
                        return Ok(Node::Dir(found));
                    }
                    Step::Node(_) | Step::Far(_) if slash => return Err(Errno::ENOTDIR),
                    Step::Node(node) | Step::Far(node) => return Ok(node),
                }
            } else {
                return Ok(node);
            }
        }
    }

    /// Resolves all but the last name of a path.
    pub(crate) fn parent(&mut self, start: Dir, path: &[u8]) -> Result<Parent, Errno> {
        let (dir, mut rest) = self.begin(start, path)?;
        self.descend(dir, &mut rest)
    }

    /// Follows a link found at the end of a path: resolves all but the last name of its text.
    pub(crate) fn follow(&mut self, entry: &Entry, text: &[u8]) -> Result<Parent, Errno> {
        let mut rest = Rest::none(entry.slash);
        let dir = self.enter_link(&entry.dir, text, &mut rest)?;
        self.descend(dir, &mut rest)
    }

    /// The directory above `dir`; the root is above itself.
    pub(crate) fn above(&self, dir: &Dir) -> Result<Dir, Errno> {
        if dir.is_same(&self.root) {
            return Ok(dir.clone());
        }
        let above = self.directory_above(dir)?;
        if self.rules.one_mount {
            self.stay(dir, b"..", Some(&above))?;
        }
        Ok(above)
    }

    fn directory_above(&self, dir: &Dir) -> Result<Dir, Errno> {
        match dir {
            Dir::Static(tree) => match self.mounts.tree(*tree)?.above {
                Above::Dir(above) => Ok(Dir::Static(above)),
                Above::Mount(mount) => self.above_mount(mount, dir),
            },
            Dir::Proc(proc) => match proc.above() {
                Some(above) => Ok(Dir::Proc(above)),
                None => {
                    let mount = self
                        .mounts
                        .iter()
                        .find(|(_, point)| matches!(point.root, MountRoot::Proc));
                    mount.map_or(Ok(dir.clone()), |(id, _)| self.above_mount(id, dir))
                }
            },
            Dir::Terminals => self.above_mount(self.mounts.terminals()?, dir),
            Dir::Host(host) => {
                let Some(root) = self.mounts.point(host.mount)?.host_root()? else {
                    return Err(Errno::ENOENT);
                };
                if host.id == root.id {
                    return self.above_mount(host.mount, dir);
                }
                let fd = open_directory(host, c"..", OFlags::NOFOLLOW)?;
                let above = HostDir::new(fd, host.mount)?;
                self.mounts.admit(host.mount, &above, above.id.device)?;
                self.check_below(&above, root)?;
                Ok(Dir::Host(Arc::new(above)))
            }
        }
    }

    /// Fails unless `root` is `dir` or a directory above it. `ENAMETOOLONG` when that takes too long to say: a thread
    /// cannot be ended meanwhile.
    fn check_below(&self, dir: &HostDir, root: &HostDir) -> Result<(), Errno> {
        if dir.id == root.id {
            return Ok(());
        }
        let mut fd = open_directory(dir, c"..", OFlags::NOFOLLOW)?;
        let mut last = dir.id;
        loop {
            let id = FileId::of(&fd)?;
            if id == root.id {
                return Ok(());
            }
            if id == last {
                // The host's own root: the directory was moved out of the mount.
                return Err(Errno::ENOENT);
            }
            let left = self.climbs.get().checked_sub(1);
            self.climbs.set(left.ok_or(Errno::ENAMETOOLONG)?);
            last = id;
            fd = open_directory(&fd, c"..", OFlags::NOFOLLOW)?;
        }
    }

    fn above_mount(&self, mount: MountId, dir: &Dir) -> Result<Dir, Errno> {
        let parent = &self.mounts.point(mount)?.parent;
        Ok(parent.as_ref().unwrap_or(dir).clone())
    }

    fn begin<'p>(&mut self, start: Dir, path: &'p [u8]) -> Result<(Dir, Rest<'p>), Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if path.len() >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let dir = if path.first() == Some(&b'/') {
            self.absolute()?
        } else {
            start
        };
        Ok((dir, Rest::of(path)))
    }

    /// Where an absolute path starts.
    fn absolute(&self) -> Result<Dir, Errno> {
        if self.rules.beneath {
            Err(Errno::EXDEV)
        } else {
            Ok(self.root.clone())
        }
    }

    /// `EXDEV` for a step from `dir` to `found`, by this name, that leads to another mount: of the sandbox or, beneath a
    /// directory of the host's, of the host. Where no directory was found, the object is of the directory's mount.
    fn stay(&self, dir: &Dir, name: &[u8], found: Option<&Dir>) -> Result<(), Errno> {
        if found.is_some_and(|found| self.mounts.mount_of(found) != self.mounts.mount_of(dir)) {
            return Err(Errno::EXDEV);
        }
        if let Dir::Host(host) = dir {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat2(host, name, flags, Mode::empty(), ResolveFlags::NO_XDEV)?;
        }
        Ok(())
    }

    /// Walks down to the directory of the last name.
    fn descend(&mut self, mut dir: Dir, rest: &mut Rest<'_>) -> Result<Parent, Errno> {
        while let Some(place) = rest.take() {
            self.check_search(&dir)?;
            let name = rest.text(place.clone());
            if name.len() > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            if name == b"." {
                continue;
            }
            if name == b".." {
                if dir.is_same(&self.root) {
                    if self.rules.beneath {
                        return Err(Errno::EXDEV);
                    }
                    continue;
                }
                dir = match self.trail.pop() {
                    Some(left) => left,
                    None => self.above(&dir)?,
                };
                continue;
            }
            if rest.is_empty() {
                let (name, slash) = (name.to_vec(), rest.slash());
                return Ok(Parent::Entry(Entry { dir, name, slash }));
            }
            if let Some(far) = self.jump(&dir, place.clone(), rest)? {
                dir = far;
                continue;
            }
            let node = self.lookup(&dir, rest.text(place))?;
            dir = match self.step(&dir, node, rest)? {
                Step::Link(next) => next,
                Step::Node(Node::Dir(found)) => {
                    self.trail.push(dir);
                    found
                }
                Step::Far(Node::Dir(found)) => found,
                Step::Node(_) | Step::Far(_) => return Err(Errno::ENOTDIR),
            };
        }
        Ok(Parent::Itself(dir))
    }

    /// Whether the process is looked at, since the host does not do it.
    pub(crate) fn guard(&self) -> Option<&Guard<'a>> {
        self.guard.as_ref()
    }

    /// Fails with `EACCES` for a directory in which the process may look for no name.
    fn check_search(&self, dir: &Dir) -> Result<(), Errno> {
        match (&self.guard, dir) {
            (Some(guard), Dir::Host(host)) => guard.check(host, Rights::EXECUTE),
            _ => Ok(()),
        }
    }

    /// Walks over several names of a host directory in one call, if no link, mount or `..` is among them.
    fn jump(
        &mut self,
        dir: &Dir,
        first: Range<usize>,
        rest: &mut Rest<'_>,
    ) -> Result<Option<Dir>, Errno> {
        let Dir::Host(host) = dir else {
            return Ok(None);
        };
        if self.guard.is_some() {
            return Ok(None);
        }
        // The last name is the caller's.
        let last = rest.last();
        let plain = |name: &[u8]| name != b".." && name.len() <= NAME_MAX;
        if rest
            .text(rest.place()..last)
            .iter()
            .all(|byte| *byte == b'/')
            || !rest.names().all(plain)
            || !self.mounts.is_plain_below(host, rest.text(first.clone()))
        {
            return Ok(None);
        }
        let path = rest.text(first.start..last);
        let mut resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        resolve.set(ResolveFlags::NO_XDEV, self.rules.one_mount);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat2(host, path, flags, Mode::empty(), resolve) {
            Ok(fd) => {
                rest.skip_to(last);
                // The directories between were not opened, so `..` must ask the host.
                self.trail.clear();
                let far = HostDir::new(fd, host.mount)?;
                self.mounts.admit(host.mount, &far, far.id.device)?;
                Ok(Some(Dir::Host(Arc::new(far))))
            }
            Err(rustix::io::Errno::NOENT) => Err(Errno::ENOENT),
            Err(rustix::io::Errno::ACCESS) => Err(Errno::EACCES),
            // A link, a race, a host without the call: one name at a time.
            Err(_) => Ok(None),
        }
    }

    /// The object with this name in `dir`; links are not followed.
    pub(crate) fn lookup(&self, dir: &Dir, name: &[u8]) -> Result<Node, Errno> {
        let node = self.find(dir, name)?;
        if self.rules.one_mount {
            self.check_crossing(dir, name, &node)?;
        }
        Ok(node)
    }

    /// `EXDEV` for a name that is on another mount than the directory that it was found in.
    fn check_crossing(&self, dir: &Dir, name: &[u8], node: &Node) -> Result<(), Errno> {
        match node {
            Node::Dir(found) => self.stay(dir, name, Some(found)),
            Node::Host(file) if self.mounts.mount_of(dir) != Some(file.mount) => Err(Errno::EXDEV),
            _ => self.stay(dir, name, None),
        }
    }

    /// `EXDEV` for a name of a directory of the host's that another mount of the host's lies on, if that is to be
    /// looked at.
    pub(crate) fn check_host_name(&self, host: &Arc<HostDir>, name: &[u8]) -> Result<(), Errno> {
        if !self.rules.one_mount {
            return Ok(());
        }
        match self.stay(&Dir::Host(Arc::clone(host)), name, None) {
            Err(Errno::EXDEV) => Err(Errno::EXDEV),
            // Whoever opens it finds out what else is wrong.
            _ => Ok(()),
        }
    }

    fn find(&self, dir: &Dir, name: &[u8]) -> Result<Node, Errno> {
        match dir {
            Dir::Static(tree) => match self.mounts.tree(*tree)?.entries.get(name) {
                None => Err(Errno::ENOENT),
                Some(StaticEntry::Dir(id)) => Ok(Node::Dir(Dir::Static(*id))),
                Some(StaticEntry::Mount(id)) => self.mount_root(*id),
                Some(StaticEntry::Link(text)) => Ok(Node::Link(text.clone())),
                Some(StaticEntry::Device(device)) => Ok(Node::Device(*device)),
            },
            Dir::Proc(proc) => match self
                .process
                .map(|process| proc.lookup(process, self.thread, name))
            {
                None => Err(Errno::ENOENT),
                Some(found) => Ok(match found? {
                    ProcEntry::Dir(dir) => Node::Dir(Dir::Proc(dir)),
                    ProcEntry::File(file) => Node::Proc(file),
                    ProcEntry::Link(text) => Node::Link(text),
                    ProcEntry::Open(file) => Node::Open(file),
                    ProcEntry::Shortcut(dir) => Node::Shortcut(dir),
                }),
            },
            Dir::Terminals => self.terminal(name),
            Dir::Host(host) => {
                if let Some(mount) = self.mounts.covering(host, name) {
                    return self.mount_root(mount);
                }
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let fd = rustix::fs::openat(host, name, flags, Mode::empty())?;
                let stat = rustix::fs::fstat(&fd)?;
                self.mounts.admit(host.mount, &fd, stat.st_dev)?;
                let kind = FileType::from_raw_mode(stat.st_mode);
                if kind != FileType::Directory {
                    return Ok(Node::Host(HostNode {
                        fd: Arc::new(fd),
                        mount: host.mount,
                        kind,
                    }));
                }
                let id = FileId {
                    device: stat.st_dev,
                    inode: stat.st_ino,
                };
                let mount = host.mount;
                Ok(Node::Dir(Dir::Host(Arc::new(HostDir { fd, mount, id }))))
            }
        }
    }

    /// The terminal with this name in `/dev/pts`.
    fn terminal(&self, name: &[u8]) -> Result<Node, Errno> {
        if name == b"ptmx" {
            return Ok(Node::Device(Device::Ptmx));
        }
        let text = std::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
        let number: u32 = text.parse().map_err(|_| Errno::ENOENT)?;
        let world = self.process.ok_or(Errno::ENOENT)?.world();
        if number.to_string() != text {
            return Err(Errno::ENOENT);
        }
        world.terminals.attributes(world, number)?;
        Ok(Node::Device(Device::Terminal(number)))
    }

    /// What stands at the root of a mount.
    pub(crate) fn mount_root(&self, id: MountId) -> Result<Node, Errno> {
        match &self.mounts.point(id)?.root {
            MountRoot::Dir(dir) => Ok(Node::Dir(Dir::Host(Arc::clone(dir)))),
            MountRoot::Private(dir) => Ok(Node::Dir(Dir::Host(Arc::clone(dir.get()?)))),
            MountRoot::Static(tree) => Ok(Node::Dir(Dir::Static(*tree))),
            MountRoot::Proc => Ok(Node::Dir(Dir::Proc(ProcDir::Root))),
            MountRoot::Terminals => Ok(Node::Dir(Dir::Terminals)),
            MountRoot::File(fd) => {
                let kind = FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
                Ok(Node::Host(HostNode {
                    fd: Arc::clone(fd),
                    mount: id,
                    kind,
                }))
            }
        }
    }

    /// Follows a link, or leaves the object as it is.
    fn step(&mut self, dir: &Dir, node: Node, rest: &mut Rest<'_>) -> Result<Step, Errno> {
        let text = match node {
            Node::Host(host) if host.kind == FileType::Symlink => host.read_link()?,
            Node::Link(text) => text,
            Node::Open(file) => {
                let target = file.directory();
                self.jump_by_link(dir, target.as_ref())?;
                return Ok(Step::Far(match target {
                    Some(dir) => Node::Dir(dir),
                    None => Node::Open(file),
                }));
            }
            Node::Shortcut(target) => {
                self.jump_by_link(dir, Some(&target))?;
                return Ok(Step::Far(Node::Dir(target)));
            }
            node => return Ok(Step::Node(node)),
        };
        Ok(Step::Link(self.enter_link(dir, &text, rest)?))
    }

    /// Puts a link's text before the rest of the path; gives the directory where its text starts.
    fn enter_link(&mut self, dir: &Dir, text: &[u8], rest: &mut Rest<'_>) -> Result<Dir, Errno> {
        self.count_link()?;
        if text.is_empty() {
            return Err(Errno::ENOENT);
        }
        rest.prepend(text);
        if text.first() == Some(&b'/') {
            self.trail.clear();
            let root = self.absolute()?;
            if self.rules.one_mount && self.mounts.mount_of(dir) != self.mounts.mount_of(&root) {
                return Err(Errno::EXDEV);
            }
            Ok(root)
        } else {
            Ok(dir.clone())
        }
    }

    /// Follows a link of `/proc` found at the end of a path.
    pub(crate) fn through(&mut self, dir: &Dir, node: Node) -> Result<Node, Errno> {
        let mut rest = Rest::none(false);
        match self.step(dir, node, &mut rest)? {
            Step::Node(node) | Step::Far(node) => Ok(node),
            Step::Link(_) => Err(Errno::ELOOP),
        }
    }

    /// Follows a link of `/proc`, which leads to an object and not to a name: to this directory, or to a file, which is
    /// never on the mount of the link.
    fn jump_by_link(&mut self, from: &Dir, target: Option<&Dir>) -> Result<(), Errno> {
        self.count_link()?;
        self.trail.clear();
        if self.rules.no_magic_links {
            return Err(Errno::ELOOP);
        }
        let target = target.and_then(|target| self.mounts.mount_of(target));
        let crosses = target.is_none() || target != self.mounts.mount_of(from);
        if self.rules.scoped || (self.rules.one_mount && crosses) {
            Err(Errno::EXDEV)
        } else {
            Ok(())
        }
    }

    fn count_link(&mut self) -> Result<(), Errno> {
        if self.rules.no_links {
            return Err(Errno::ELOOP);
        }
        self.links += 1;
        if self.links > MAX_LINKS {
            Err(Errno::ELOOP)
        } else {
            Ok(())
        }
    }
}

/// What one name came to.
enum Step {
    /// A link: the walk goes on from this directory.
    Link(Dir),
    /// What the name itself means.
    Node(Node),
    /// Where a link of `/proc` led: no way back from there along the path.
    Far(Node),
}
