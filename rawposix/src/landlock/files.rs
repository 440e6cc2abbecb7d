//! What a domain says of files.

use std::os::fd::AsFd;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rustix::fs::FileType;

use super::ruleset::Rules;
use super::{Domain, FileAccess};
use crate::cage::Process;
use crate::fd::{Object, OpenFile, Origin};
use crate::fs::dir::Dir;
use crate::fs::mount::{MountId, Mounts};
use crate::fs::node::Node;
use crate::fs::place::{host_path, path_of_dir, path_of_node};

/// A name that link(2) or rename(2) takes away or gives, and the file behind it.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The path of the directory.
    dir: Vec<u8>,
    name: Vec<u8>,
    /// The file of this name, if there is one.
    pub(crate) kind: Option<FileType>,
}

impl Change {
    /// A name in a directory.
    pub(crate) fn at(mounts: &Mounts, dir: &Dir, name: &[u8], kind: Option<FileType>) -> Self {
        Self {
            dir: path_of_dir(mounts, dir).unwrap_or_default(),
            name: name.to_vec(),
            kind,
        }
    }

    /// The name of an object that is there.
    pub(crate) fn of(mounts: &Mounts, node: &Node, kind: FileType) -> Self {
        let path = path_of_node(mounts, node).unwrap_or_default();
        let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let (dir, name) = path.split_at(end);
        Self {
            dir: if dir.is_empty() { b"/" } else { dir }.to_vec(),
            name: name.get(1..).unwrap_or_default().to_vec(),
            kind: Some(kind),
        }
    }

    /// The path of the file.
    fn path(&self) -> Vec<u8> {
        let dir = self.dir.strip_suffix(b"/").unwrap_or(&self.dir);
        [dir, b"/", &self.name].concat()
    }

    fn is_directory(&self) -> bool {
        self.kind == Some(FileType::Directory)
    }

    /// What making this name takes.
    fn making(&self) -> FileAccess {
        self.kind.map_or(FileAccess::empty(), FileAccess::to_make)
    }

    /// What removing this name takes.
    fn removing(&self) -> FileAccess {
        self.kind.map_or(FileAccess::empty(), FileAccess::to_remove)
    }
}

impl FileAccess {
    /// What making a file takes, in its directory.
    pub(crate) fn to_make(kind: FileType) -> Self {
        match kind {
            FileType::Directory => Self::MAKE_DIR,
            FileType::Symlink => Self::MAKE_SYM,
            FileType::Fifo => Self::MAKE_FIFO,
            FileType::Socket => Self::MAKE_SOCK,
            FileType::CharacterDevice => Self::MAKE_CHAR,
            FileType::BlockDevice => Self::MAKE_BLOCK,
            _ => Self::MAKE_REG,
        }
    }

    /// What removing a file takes, in its directory.
    fn to_remove(kind: FileType) -> Self {
        match kind {
            FileType::Directory => Self::REMOVE_DIR,
            _ => Self::REMOVE_FILE,
        }
    }

    /// What opening takes.
    fn to_open(flags: OpenFlags, is_directory: bool) -> Self {
        let mut access = Self::empty();
        let mode = flags.bits() & OpenFlags::ACCMODE;
        if mode == 0 || mode == OpenFlags::RDWR.bits() {
            access |= if is_directory {
                Self::READ_DIR
            } else {
                Self::READ_FILE
            };
        }
        if mode == OpenFlags::WRONLY.bits() || mode == OpenFlags::RDWR.bits() {
            access |= Self::WRITE_FILE;
        }
        if flags.contains(OpenFlags::TRUNC) {
            access |= Self::TRUNCATE;
        }
        access
    }
}

impl Rules {
    /// What this layer refuses for the file at a path.
    fn refused(&self, mounts: &Mounts, path: &[u8]) -> FileAccess {
        let mut refused = self.files;
        for rule in &self.file_rules {
            if refused.intersects(rule.allowed)
                && path_of_node(mounts, &rule.node).is_ok_and(|above| is_below(path, &above))
            {
                refused -= rule.allowed;
            }
        }
        // A layer that knows nothing of it lets no file get another directory.
        if self.files.contains(FileAccess::REFER) {
            refused
        } else {
            refused | FileAccess::REFER
        }
    }
}

/// Whether a path leads to `above` or below it.
fn is_below(path: &[u8], above: &[u8]) -> bool {
    match path.strip_prefix(above) {
        Some(rest) => rest.is_empty() || above.ends_with(b"/") || rest.starts_with(b"/"),
        None => false,
    }
}

impl Domain {
    /// What each layer refuses for the file at a path.
    fn refused(&self, mounts: &Mounts, path: &[u8]) -> Vec<FileAccess> {
        let layers = self.0.iter();
        layers.map(|layer| layer.refused(mounts, path)).collect()
    }

    /// Fails with `EACCES` if a layer refuses any of this at a path.
    fn check(&self, mounts: &Mounts, path: &[u8], wanted: FileAccess) -> Result<(), Errno> {
        let layers = self.0.iter();
        let mut asked = layers.filter(|layer| layer.files.intersects(wanted));
        let refuses = asked.any(|layer| layer.refused(mounts, path).intersects(wanted));
        (!refuses).then_some(()).ok_or(Errno::EACCES)
    }
}

impl Process {
    /// Fails with `EACCES` where the process's domain does not let it open an object. What has no name in the file system,
    /// such as a pipe, is not asked about; see landlock(7).
    pub(crate) fn check_domain_to_open(&self, node: &Node, flags: OpenFlags) -> Result<(), Errno> {
        let Some(domain) = self.landlock() else {
            return Ok(());
        };
        let is_directory = match node {
            Node::Dir(_) | Node::Shortcut(_) => !flags.contains(OpenFlags::TMPFILE),
            Node::Open(file) => match named(file) {
                Some(is_directory) => is_directory,
                None => return Ok(()),
            },
            _ => false,
        };
        let access = FileAccess::to_open(flags, is_directory);
        let fails_anyway = if is_directory {
            !FileAccess::READ_DIR.contains(access)
        } else {
            let is_link = matches!(node, Node::Host(host) if host.kind == FileType::Symlink);
            is_link || (flags.contains(OpenFlags::DIRECTORY) && !flags.contains(OpenFlags::TMPFILE))
        };
        if fails_anyway {
            return Ok(());
        }
        let path = path_of_node(self.mounts(), node).unwrap_or_default();
        domain.check(self.mounts(), &path, access)
    }

    /// The same for anything else with an object.
    pub(crate) fn check_domain(&self, node: &Node, wanted: FileAccess) -> Result<(), Errno> {
        let Some(domain) = self.landlock() else {
            return Ok(());
        };
        if let Node::Open(file) = node
            && named(file).is_none()
        {
            return Ok(());
        }
        let path = path_of_node(self.mounts(), node).unwrap_or_default();
        domain.check(self.mounts(), &path, wanted)
    }

    /// The same for a file that the process has just made, where nothing is truncated.
    pub(crate) fn check_domain_of_new(
        &self,
        mount: MountId,
        fd: impl AsFd,
        flags: OpenFlags,
    ) -> Result<(), Errno> {
        let Some(domain) = self.landlock() else {
            return Ok(());
        };
        let path = host_path(self.mounts(), mount, fd).unwrap_or_default();
        let access = FileAccess::to_open(flags - OpenFlags::TRUNC, false);
        domain.check(self.mounts(), &path, access)
    }

    /// Whether the domain refuses to truncate a file that the process opens.
    pub(crate) fn is_truncation_refused(&self, mount: MountId, fd: impl AsFd) -> bool {
        self.landlock().is_some_and(|domain| {
            let path = host_path(self.mounts(), mount, fd).unwrap_or_default();
            let checked = domain.check(self.mounts(), &path, FileAccess::TRUNCATE);
            checked.is_err()
        })
    }

    /// Fails with `EACCES` where the process's domain does not let it do this in a directory.
    pub(crate) fn check_domain_in(&self, dir: &Dir, wanted: FileAccess) -> Result<(), Errno> {
        let Some(domain) = self.landlock() else {
            return Ok(());
        };
        let path = path_of_dir(self.mounts(), dir).unwrap_or_default();
        domain.check(self.mounts(), &path, wanted)
    }

    /// Whether the file of the first name may get the second one, in addition or, where it `moves`, instead; `exchanges`
    /// is set where it is the same the other way round. `EACCES` where a name may not be made or removed; `EXDEV` where a
    /// file may get no other directory, or could be used in more ways there than before; what rename(2) says of directories
    /// that are above each other.
    pub(crate) fn check_domain_to_refer(
        &self,
        (from, to): (&Change, &Change),
        moves: bool,
        exchanges: bool,
    ) -> Result<(), Errno> {
        let Some(domain) = self.landlock() else {
            return Ok(());
        };
        let mounts = self.mounts();
        // Into itself, or in the place of a directory above. rename(2) says so first; it is not asked, since another thread may
        // move the directories meanwhile.
        if moves && is_below(&to.dir, &from.path()) {
            return Err(Errno::EINVAL);
        }
        if moves && is_below(&from.dir, &to.path()) {
            return Err(if exchanges {
                Errno::EINVAL
            } else {
                Errno::ENOTEMPTY
            });
        }
        let (mut at_source, mut at_target) = (FileAccess::empty(), from.making());
        if exchanges {
            at_source |= to.making();
        }
        if moves {
            at_source |= from.removing();
            at_target |= to.removing();
        }
        if from.dir == to.dir {
            return domain.check(mounts, &from.dir, at_source | at_target);
        }
        domain.check(mounts, &from.dir, at_source)?;
        domain.check(mounts, &to.dir, at_target)?;
        let above_source = domain.refused(mounts, &from.dir);
        let above_target = domain.refused(mounts, &to.dir);
        let refers = |layers: &[FileAccess]| !layers.iter().any(|l| l.contains(FileAccess::REFER));
        let gains = |name: &Change, there: &[FileAccess]| {
            let own = domain.refused(mounts, &name.path());
            let counts = if name.is_directory() {
                FileAccess::all()
            } else {
                FileAccess::OF_FILES
            };
            let mut layers = own.iter().zip(there);
            layers.any(|(here, there)| (*here & counts).intersects(!*there))
        };
        let is_consistent = refers(&above_source)
            && refers(&above_target)
            && !gains(from, &above_target)
            && !(exchanges && gains(to, &above_source));
        is_consistent.then_some(()).ok_or(Errno::EXDEV)
    }
}

/// Whether an open file is a directory; nothing for what has no name in the file system.
fn named(file: &OpenFile) -> Option<bool> {
    match file.object() {
        Object::Dir(_) => Some(true),
        Object::Host(host) => match &host.origin {
            Origin::Mount(_) | Origin::Device(_) | Origin::Terminal(_) | Origin::Virtual(..) => {
                Some(false)
            }
            Origin::Stream | Origin::Nameless(_) | Origin::Socket(_) => None,
        },
        // What the handle is of is asked about by itself.
        Object::Path(_) | Object::Own(_) => None,
    }
}
