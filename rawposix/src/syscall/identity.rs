//! Who a process is: ids, groups, sessions, capabilities, the system's name. See credentials(7), capabilities(7), uname(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::structs::{CapData, CapHeader, Utsname};
use rawposix_memory::{GuestPtr, GuestSlice};

use super::args::{Gid, InBuf, InOut, Int, Len, Out, Pid, Ptr, Uid};
use crate::cage::{Capabilities, Capability, CapabilitySet, Ids, Pid as Id};
use crate::fs::procfs::{RELEASE, VERSION};
use crate::thread::Thread;

pub(super) fn getpid(thread: &mut Thread) -> Result<i32, Errno> {
    Ok(thread.process.pid.0)
}

pub(super) fn getppid(thread: &mut Thread) -> Result<i32, Errno> {
    Ok(thread.world.family.parent(thread.process.pid).0)
}

pub(super) fn gettid(thread: &mut Thread) -> Result<i32, Errno> {
    Ok(thread.tid().0)
}

pub(super) fn getuid(thread: &mut Thread) -> Result<u32, Errno> {
    Ok(thread.process.credentials().user.real)
}

pub(super) fn geteuid(thread: &mut Thread) -> Result<u32, Errno> {
    Ok(thread.process.credentials().user.effective)
}

pub(super) fn getgid(thread: &mut Thread) -> Result<u32, Errno> {
    Ok(thread.process.credentials().group.real)
}

pub(super) fn getegid(thread: &mut Thread) -> Result<u32, Errno> {
    Ok(thread.process.credentials().group.effective)
}

fn give(thread: &Thread, ids: Ids, [real, effective, saved]: [Out<u32>; 3]) -> Result<(), Errno> {
    let memory = thread.memory();
    memory.write(real.0, &ids.real)?;
    memory.write(effective.0, &ids.effective)?;
    memory.write(saved.0, &ids.saved)
}

pub(super) fn getresuid(
    thread: &mut Thread,
    real: Out<u32>,
    effective: Out<u32>,
    saved: Out<u32>,
) -> Result<(), Errno> {
    give(
        thread,
        thread.process.credentials().user,
        [real, effective, saved],
    )
}

pub(super) fn getresgid(
    thread: &mut Thread,
    real: Out<u32>,
    effective: Out<u32>,
    saved: Out<u32>,
) -> Result<(), Errno> {
    give(
        thread,
        thread.process.credentials().group,
        [real, effective, saved],
    )
}

pub(super) fn setuid(thread: &mut Thread, id: Uid) -> Result<(), Errno> {
    thread.process.with_credentials(|c| c.set_user(id.0))
}

pub(super) fn setgid(thread: &mut Thread, id: Gid) -> Result<(), Errno> {
    thread.process.with_credentials(|c| c.set_group(id.0))
}

pub(super) fn setreuid(thread: &mut Thread, real: Uid, effective: Uid) -> Result<(), Errno> {
    thread
        .process
        .with_credentials(|c| c.set_users(real.0, effective.0))
}

pub(super) fn setregid(thread: &mut Thread, real: Gid, effective: Gid) -> Result<(), Errno> {
    thread
        .process
        .with_credentials(|c| c.set_group_ids(real.0, effective.0))
}

pub(super) fn setresuid(
    thread: &mut Thread,
    real: Uid,
    effective: Uid,
    saved: Uid,
) -> Result<(), Errno> {
    thread
        .process
        .with_credentials(|c| c.set_all_users([real.0, effective.0, saved.0]))
}

pub(super) fn setresgid(
    thread: &mut Thread,
    real: Gid,
    effective: Gid,
    saved: Gid,
) -> Result<(), Errno> {
    thread
        .process
        .with_credentials(|c| c.set_all_groups([real.0, effective.0, saved.0]))
}

/// Answers the id in force; it is always the effective one, and only that can be set.
pub(super) fn setfsuid(thread: &mut Thread, id: Uid) -> Result<u32, Errno> {
    let _ = id;
    geteuid(thread)
}

pub(super) fn setfsgid(thread: &mut Thread, id: Gid) -> Result<u32, Errno> {
    let _ = id;
    getegid(thread)
}

pub(super) fn getgroups(thread: &mut Thread, size: Int, list: Ptr) -> Result<usize, Errno> {
    let groups = thread.process.credentials().groups;
    let size = usize::try_from(size.0).map_err(|_| Errno::EINVAL)?;
    if size != 0 {
        if size < groups.len() {
            return Err(Errno::EINVAL);
        }
        thread
            .memory()
            .write_slice(GuestPtr::new(list.0), &groups)?;
    }
    Ok(groups.len())
}

pub(super) fn setgroups(thread: &mut Thread, size: Int, list: Ptr) -> Result<(), Errno> {
    if !thread.process.credentials().can(Capability::Setgid) {
        return Err(Errno::EPERM);
    }
    let size = u32::try_from(size.0).map_err(|_| Errno::EINVAL)?;
    if size > NGROUPS_MAX {
        return Err(Errno::EINVAL);
    }
    let list = GuestSlice::<u32>::new(GuestPtr::new(list.0), size);
    let groups = thread.memory().read_slice(list)?;
    thread.process.with_credentials(|c| c.groups = groups);
    Ok(())
}

/// As many supplementary groups a process can have.
const NGROUPS_MAX: u32 = 65536;

/// The process that an argument names; 0 is the caller's.
fn named(thread: &Thread, pid: i32) -> Id {
    match pid {
        0 => thread.process.pid,
        pid => Id(pid),
    }
}

pub(super) fn setpgid(thread: &mut Thread, pid: Pid, group: Pid) -> Result<(), Errno> {
    if group.0 < 0 || pid.0 < 0 {
        return Err(if group.0 < 0 {
            Errno::EINVAL
        } else {
            Errno::ESRCH
        });
    }
    let pid = named(thread, pid.0);
    if thread.world.family.process(pid).is_none() && thread.find_thread(pid).is_ok() {
        // Another thread than a process's first.
        return Err(Errno::EINVAL);
    }
    let group = if group.0 == 0 { pid } else { Id(group.0) };
    thread
        .world
        .family
        .set_group(thread.process.pid, pid, group)
}

pub(super) fn getpgid(thread: &mut Thread, pid: Pid) -> Result<i32, Errno> {
    let process = thread.process_of(pid.0)?;
    let group = thread.world.family.group_of(process.pid)?;
    Ok(group.0)
}

pub(super) fn getsid(thread: &mut Thread, pid: Pid) -> Result<i32, Errno> {
    let process = thread.process_of(pid.0)?;
    let session = thread.world.family.session_of(process.pid)?;
    Ok(session.0)
}

pub(super) fn setsid(thread: &mut Thread) -> Result<i32, Errno> {
    let me = thread.process.pid;
    thread.world.family.new_session(me)?;
    let process = &thread.process;
    process.with_settings(|settings| settings.without_terminal = false);
    Ok(me.0)
}

/// Versions of capget(2)'s header: the first has one element of data, the others two.
const CAPABILITY_VERSIONS: [(u32, usize); 3] =
    [(0x1998_0330, 1), (0x2007_1026, 2), (0x2008_0522, 2)];

/// Elements of data that the header's version has; an unknown version is replaced by the preferred one.
fn elements(
    thread: &Thread,
    header: &InOut<CapHeader>,
) -> Result<(CapHeader, Option<usize>), Errno> {
    let given: CapHeader = thread.memory().read(header.0)?;
    let known = CAPABILITY_VERSIONS
        .iter()
        .find(|(version, _)| *version == given.version);
    if known.is_none() {
        let preferred = CapHeader {
            version: 0x2008_0522,
            pid: given.pid,
        };
        thread.memory().write(header.0, &preferred)?;
    }
    Ok((given, known.map(|(_, count)| *count)))
}

pub(super) fn capget(
    thread: &mut Thread,
    header: InOut<CapHeader>,
    data: Ptr,
) -> Result<(), Errno> {
    let (given, count) = elements(thread, &header)?;
    let Some(count) = count else {
        return if data.0 == 0 {
            Ok(())
        } else {
            Err(Errno::EINVAL)
        };
    };
    if given.pid < 0 {
        return Err(Errno::EINVAL);
    }
    let process = match given.pid {
        0 => Some(Arc::clone(&thread.process)),
        pid => thread.world.family.process(Id(pid)),
    };
    let capabilities = process.ok_or(Errno::ESRCH)?.credentials().capabilities;
    let word = |set: CapabilitySet, place: usize| {
        u32::try_from(set.0 >> (32 * place) & 0xffff_ffff).unwrap_or(0)
    };
    let words: Vec<_> = (0..count)
        .map(|place| CapData {
            effective: word(capabilities.effective, place),
            permitted: word(capabilities.permitted, place),
            inheritable: word(capabilities.inheritable, place),
        })
        .collect();
    thread.memory().write_slice(GuestPtr::new(data.0), &words)
}

pub(super) fn capset(
    thread: &mut Thread,
    header: InOut<CapHeader>,
    data: Ptr,
) -> Result<(), Errno> {
    let (given, count) = elements(thread, &header)?;
    let count = count.ok_or(Errno::EINVAL)?;
    if given.pid != 0 && given.pid != thread.process.pid.0 {
        return Err(Errno::EPERM);
    }
    let count = u32::try_from(count).map_err(|_| Errno::EINVAL)?;
    let words = GuestSlice::<CapData>::new(GuestPtr::new(data.0), count);
    let mut wanted = Capabilities::default();
    for (place, word) in thread.memory().read_slice(words)?.into_iter().enumerate() {
        let bits = |word: u32| u64::from(word) << (32 * place);
        wanted.effective.0 |= bits(word.effective);
        wanted.permitted.0 |= bits(word.permitted);
        wanted.inheritable.0 |= bits(word.inheritable);
    }
    thread
        .process
        .with_credentials(|c| c.set_capabilities(wanted))
}

fn field(text: &str) -> [u8; 65] {
    let mut field = [0; 65];
    for (place, byte) in field.iter_mut().take(64).zip(text.bytes()) {
        *place = byte;
    }
    field
}

pub(super) fn uname(thread: &mut Thread, buf: Out<Utsname>) -> Result<(), Errno> {
    let name = Utsname {
        sysname: field("Linux"),
        nodename: field(thread.process.hostname()),
        release: field(RELEASE),
        version: field(VERSION),
        machine: field("wasm32"),
        domainname: field("(none)"),
    };
    thread.memory().write(buf.0, &name)
}

pub(super) fn sethostname(thread: &mut Thread, name: InBuf, len: Len) -> Result<(), Errno> {
    let _ = (thread, name, len);
    Err(Errno::EPERM)
}

pub(super) fn setdomainname(thread: &mut Thread, name: InBuf, len: Len) -> Result<(), Errno> {
    sethostname(thread, name, len)
}
