//! Rules that a process makes for itself. See landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rawposix_memory::GuestPtr;
use rustix::fs::{FileType, OFlags};

use super::args::{Fd, Hex, Int, Len, Ptr};
use super::extensible;
use crate::fd::{CloseOnExec, Object, OpenFile, Origin};
use crate::fs::device::Device;
use crate::fs::node::{HostNode, Node, reopen};
use crate::landlock::{Domain, FileAccess, PortAccess, Ruleset, VERSION};
use crate::thread::Thread;

/// `LANDLOCK_CREATE_RULESET_VERSION`
const GET_VERSION: u32 = 1;
/// Bytes of the first version of `struct landlock_ruleset_attr`: access to files; access to ports is known, too.
const FIRST_ATTR_SIZE: u32 = 8;
/// `LANDLOCK_RULE_PATH_BENEATH`, with `struct landlock_path_beneath_attr`: eight bytes of access, four of a descriptor.
const PATH_BENEATH: i32 = 1;
/// `LANDLOCK_RULE_NET_PORT`, with `struct landlock_net_port_attr`: eight bytes of access, eight of a port.
const NET_PORT: i32 = 2;

pub(super) fn landlock_create_ruleset(
    thread: &mut Thread,
    attr: Ptr,
    size: Len,
    flags: Hex,
) -> Result<i32, Errno> {
    if flags.0 == GET_VERSION && attr.0 == 0 && size.0 == 0 {
        return Ok(VERSION);
    }
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let handled: [u64; 2] = extensible::read(thread, GuestPtr::new(attr.0), size, FIRST_ATTR_SIZE)?;
    let files = FileAccess::from_bits(handled[0]).ok_or(Errno::EINVAL)?;
    let ports = PortAccess::from_bits(handled[1]).ok_or(Errno::EINVAL)?;
    if files.is_empty() && ports.is_empty() {
        return Err(Errno::ENOMSG);
    }
    let ruleset = Arc::new(Ruleset::new(&thread.world.landlock, files, ports)?);
    let file = OpenFile::own_file(ruleset, OpenFlags::RDWR);
    thread.process.install(file, CloseOnExec::Yes)
}

/// Eight bytes of a structure, zeros behind its end.
fn word(bytes: &[u8], at: usize) -> u64 {
    let part = bytes.get(at..at + 8).and_then(|part| part.try_into().ok());
    part.map_or(0, u64::from_le_bytes)
}

/// The ruleset behind a descriptor. `EBADFD` when it is of something else.
fn ruleset(file: &OpenFile) -> Result<&Ruleset, Errno> {
    match file.object() {
        Object::Path(_) => Err(Errno::EBADF),
        _ => file.own().ok_or(Errno::EBADFD),
    }
}

pub(super) fn landlock_add_rule(
    thread: &mut Thread,
    fd: Fd,
    kind: Int,
    attr: Ptr,
    flags: Hex,
) -> Result<(), Errno> {
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(fd.0)?;
    let ruleset = ruleset(&file)?;
    let mut given = [0; 16];
    let size = match kind.0 {
        PATH_BENEATH => 12,
        NET_PORT => 16,
        _ => return Err(Errno::EINVAL),
    };
    let part = given.get_mut(..size).unwrap_or_default();
    thread.memory().read_bytes(GuestPtr::new(attr.0), part)?;
    let (access, about) = (word(&given, 0), word(&given, 8));
    if access == 0 {
        return Err(Errno::ENOMSG);
    }
    if kind.0 == NET_PORT {
        let access = PortAccess::from_bits(access).ok_or(Errno::EINVAL)?;
        ruleset.check_handled(FileAccess::empty(), access)?;
        let port = u16::try_from(about).map_err(|_| Errno::EINVAL)?;
        return ruleset.allow_port(port, access);
    }
    let access = FileAccess::from_bits(access).ok_or(Errno::EINVAL)?;
    ruleset.check_handled(access, PortAccess::empty())?;
    let below = i32::from_le_bytes([given[8], given[9], given[10], given[11]]);
    let node = named(&*thread.file(below)?)?;
    if !matches!(node, Node::Dir(_)) && !FileAccess::OF_FILES.contains(access) {
        return Err(Errno::EINVAL);
    }
    ruleset.allow_below(node, access)
}

/// What a descriptor is of, as a rule keeps it. `EBADFD` for what has no name in the file system.
fn named(file: &OpenFile) -> Result<Node, Errno> {
    match file.object() {
        Object::Dir(dir) => Ok(Node::Dir(dir.dir.clone())),
        Object::Path(Node::Dir(dir) | Node::Shortcut(dir)) => Ok(Node::Dir(dir.clone())),
        Object::Path(Node::Open(file)) => match file.object() {
            // A handle is never one of a handle.
            Object::Path(_) => Err(Errno::EBADFD),
            _ => named(file),
        },
        Object::Path(node) => Ok(node.clone()),
        Object::Host(host) => match &host.origin {
            Origin::Mount(mount) => {
                let stat = rustix::fs::fstat(&host.fd)?;
                Ok(Node::Host(HostNode {
                    fd: Arc::new(reopen(&host.fd, OFlags::PATH)?),
                    mount: *mount,
                    kind: FileType::from_raw_mode(stat.st_mode),
                }))
            }
            Origin::Device(device) => Ok(Node::Device(*device)),
            Origin::Terminal(end) => Ok(Node::Device(Device::of_end(end))),
            Origin::Virtual(_, file) => Ok(Node::Proc(*file)),
            Origin::Stream | Origin::Nameless(_) | Origin::Socket(_) => Err(Errno::EBADFD),
        },
        Object::Own(_) => Err(Errno::EBADFD),
    }
}

pub(super) fn landlock_restrict_self(thread: &mut Thread, fd: Fd, flags: Hex) -> Result<(), Errno> {
    // CAP_SYS_ADMIN would do as well, but nobody has it.
    if !thread.process.with_settings(|s| s.no_new_privileges) {
        return Err(Errno::EPERM);
    }
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(fd.0)?;
    let domain = Domain::with(thread.process.landlock().as_deref(), ruleset(&file)?)?;
    thread.process.restrict(domain);
    Ok(())
}
