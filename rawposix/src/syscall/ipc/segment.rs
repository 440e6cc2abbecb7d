//! See shmget(2), shmop(2), shmctl(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{MapFlags, Prot, resource};
use rawposix_abi::structs::{ShmInfo, ShmidDs, Shminfo};
use rawposix_memory::{AddressSpace, FileSource, GuestPtr, MapRequest};

use super::super::args::{Int, IpcFlags, IpcKey, Len, Ptr, SegmentCommand, SegmentFlags};
use super::{IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT, count};
use crate::ipc::segment::{SEGMENT, SEGMENTS};
use crate::ipc::{Attachable, Caller, READ, Settings, WRITE};
use crate::thread::Thread;

const SHM_LOCK: i32 = 11;
const SHM_UNLOCK: i32 = 12;
const SHM_STAT: i32 = 13;
const SHM_INFO: i32 = 14;
const SHM_STAT_ANY: i32 = 15;

const SHM_RDONLY: u32 = 0o10_000;
const SHM_RND: u32 = 0o20_000;
const SHM_REMAP: u32 = 0o40_000;
const SHM_EXEC: u32 = 0o100_000;
/// Of shmget(2).
const SHM_HUGETLB: u32 = 0o4000;

/// Permission to execute, for everybody.
const EXECUTE: u32 = 0o111;

pub(in crate::syscall) fn shmget(
    thread: &mut Thread,
    key: IpcKey,
    size: Len,
    flags: IpcFlags,
) -> Result<i32, Errno> {
    if flags.0 & SHM_HUGETLB != 0 {
        // Needs CAP_IPC_LOCK or a group that the administrator names.
        return Err(Errno::EPERM);
    }
    let wanted = (key.0, flags.0);
    let world = &thread.world;
    world
        .ipc
        .segments
        .get(world, &Caller::of(thread), wanted, size.0)
}

pub(in crate::syscall) fn shmat(
    thread: &mut Thread,
    id: Int,
    addr: Ptr,
    flags: SegmentFlags,
) -> Result<u32, Errno> {
    if id.0 < 0 {
        return Err(Errno::EINVAL);
    }
    let mut map = MapFlags::SHARED;
    let mut start = addr.0;
    if addr.0 != 0 {
        if !addr.0.is_multiple_of(AddressSpace::PAGE_SIZE) {
            if flags.0 & SHM_RND == 0 {
                return Err(Errno::EINVAL);
            }
            start -= start % AddressSpace::PAGE_SIZE;
            if start == 0 && flags.0 & SHM_REMAP != 0 {
                return Err(Errno::EINVAL);
            }
        }
        map |= match flags.0 & SHM_REMAP {
            0 => MapFlags::FIXED_NOREPLACE,
            _ => MapFlags::FIXED,
        };
    } else if flags.0 & SHM_REMAP != 0 {
        return Err(Errno::EINVAL);
    }
    let (mut prot, mut wanted) = match flags.0 & SHM_RDONLY {
        0 => (Prot::READ | Prot::WRITE, READ | WRITE),
        _ => (Prot::READ, READ),
    };
    if flags.0 & SHM_EXEC != 0 {
        prot |= Prot::EXEC;
        wanted |= EXECUTE;
    }
    let world = &thread.world;
    let caller = Caller::of(thread);
    let Attachable { file, size } = world
        .ipc
        .segments
        .attachable(world, &caller, id.0, wanted)?;
    let request = MapRequest {
        addr: start,
        len: size,
        prot,
        flags: map,
        file: Some(FileSource {
            file: Arc::new(file),
            offset: 0,
        }),
    };
    let place = thread.memory().mmap(request).map_err(|errno| match errno {
        Errno::EEXIST => Errno::EINVAL,
        errno => errno,
    })?;
    world.ipc.segments.attached(id.0, caller.pid);
    Ok(place)
}

pub(in crate::syscall) fn shmdt(thread: &mut Thread, addr: Ptr) -> Result<(), Errno> {
    if !addr.0.is_multiple_of(AddressSpace::PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    // A part of an attached segment still tells where its first byte was, or would be.
    let parts = thread.memory().mapped_serials();
    let origin = |part: &rawposix_memory::SerialPart| {
        u64::from(part.start).checked_sub(part.offset) == Some(u64::from(addr.0))
    };
    let first = parts
        .iter()
        .find(|part| origin(part))
        .ok_or(Errno::EINVAL)?;
    for part in &parts {
        if origin(part) && part.serial == first.serial {
            thread.memory().munmap(part.start, part.end - part.start)?;
        }
    }
    let process = thread.process.pid;
    thread.world.ipc.segments.detached(&[first.serial], process);
    Ok(())
}

pub(in crate::syscall) fn shmctl(
    thread: &mut Thread,
    id: Int,
    cmd: SegmentCommand,
    buf: Ptr,
) -> Result<i32, Errno> {
    if id.0 < 0 || cmd.0 < 0 {
        return Err(Errno::EINVAL);
    }
    let caller = Caller::of(thread);
    let world = &thread.world;
    let segments = &world.ipc.segments;
    let memory = thread.memory();
    let structure = GuestPtr::<ShmidDs>::new(buf.0);
    match cmd.0 {
        IPC_RMID => segments.remove(world, &caller, id.0).map(|()| 0),
        IPC_SET => {
            let settings = Settings::of(&memory.read(structure)?.perm);
            segments.set(world, &caller, id.0, settings).map(|()| 0)
        }
        IPC_STAT => {
            let status = segments.status(world, &caller, id.0)?;
            memory.write(structure, &status).map(|()| 0)
        }
        SHM_STAT | SHM_STAT_ANY => {
            let checked = (cmd.0 == SHM_STAT).then_some(&caller);
            let (id, status) = segments.status_at(world, checked, id.0)?;
            memory.write(structure, &status).map(|()| id)
        }
        SHM_LOCK | SHM_UNLOCK => {
            let limit = thread.process.limit(resource::RLIMIT_MEMLOCK)?.current;
            let locked = cmd.0 == SHM_LOCK;
            segments
                .lock(world, &caller, id.0, locked, limit)
                .map(|()| 0)
        }
        IPC_INFO => {
            let limits = Shminfo {
                max: SEGMENT,
                min: 1,
                mni: u32::from(SEGMENTS),
                seg: u32::from(SEGMENTS),
                all: SEGMENT,
                ..Shminfo::default()
            };
            let info = segments.info(world);
            memory.write(GuestPtr::new(buf.0), &limits)?;
            Ok(info.greatest)
        }
        SHM_INFO => {
            let info = segments.info(world);
            let pages = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            let text = ShmInfo {
                used_ids: count(info.segments),
                total: pages(info.pages),
                resident: pages(info.resident),
                ..ShmInfo::default()
            };
            memory.write(GuestPtr::new(buf.0), &text)?;
            Ok(info.greatest)
        }
        _ => Err(Errno::EINVAL),
    }
}
