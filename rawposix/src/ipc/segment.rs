//! System V shared memory, see shmget(2), shmat(2) and shmctl(2).
//!
//! A segment is a nameless file of the host's that processes map. Who has it attached is not counted but looked up in
//! their address spaces, which know best. A segment that is to be destroyed is kept by those mappings alone.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::structs::ShmidDs;
use rawposix_memory::{AddressSpace, MapFile, MapLabel};
use rustix::fs::{MemfdFlags, OFlags};

use super::semaphore::split;
use super::table::{Caller, Settings, Slot, Table};
use super::{READ, WRITE, now};
use crate::cage::{Pid, Process};
use crate::fs::node::reopen;
use crate::sandbox::World;

/// SHMMNI and SHMMAX: segments, and bytes of one.
pub(crate) const SEGMENTS: u16 = 4096;
pub(crate) const SEGMENT: u32 = u32::MAX - (1 << 24);
/// `SHM_DEST` and `SHM_LOCKED` in a mode.
const TO_BE_DESTROYED: u32 = 0o1000;
const LOCKED: u32 = 0o2000;

/// The memory of a segment.
#[derive(Debug)]
struct Memory {
    fd: OwnedFd,
    /// Another one for every segment there ever was.
    serial: u64,
}

/// The memory, by who holds it.
#[derive(Debug)]
enum Holder {
    Segment(Arc<Memory>),
    /// Only those who have it attached.
    Attached(Weak<Memory>),
}

impl Holder {
    fn memory(&self) -> Option<Arc<Memory>> {
        match self {
            Self::Segment(memory) => Some(Arc::clone(memory)),
            Self::Attached(memory) => memory.upgrade(),
        }
    }
}

#[derive(Debug)]
struct Segment {
    memory: Holder,
    serial: u64,
    size: u32,
    locked: bool,
    creator: Pid,
    last: Pid,
    attached: i64,
    detached: i64,
    changed: i64,
}

/// A segment as the file of a mapping.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    memory: Arc<Memory>,
    /// The same file without permission to write.
    read_only: Option<OwnedFd>,
    label: MapLabel,
}

impl MapFile for SegmentFile {
    fn fd(&self) -> BorrowedFd<'_> {
        match &self.read_only {
            Some(fd) => fd.as_fd(),
            None => self.memory.fd.as_fd(),
        }
    }

    fn label(&self) -> MapLabel {
        self.label.clone()
    }

    fn serial(&self) -> Option<u64> {
        Some(self.memory.serial)
    }
}

/// What shmat(2) maps.
#[derive(Debug)]
pub(crate) struct Attachable {
    pub(crate) file: SegmentFile,
    pub(crate) size: u32,
}

/// `SHM_INFO`: the greatest place in use, segments, their pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentInfo {
    pub(crate) greatest: i32,
    pub(crate) segments: usize,
    pub(crate) pages: u64,
    pub(crate) resident: u64,
}

/// The shared memory segments of a sandbox.
#[derive(Debug)]
pub(crate) struct Segments {
    table: Mutex<Table<Segment>>,
    serials: AtomicU64,
}

impl Default for Segments {
    fn default() -> Self {
        Self {
            table: Mutex::new(Table::new(usize::from(SEGMENTS))),
            serials: AtomicU64::new(1),
        }
    }
}

/// How often the segment is attached in the address spaces of a sandbox.
fn attachments(spaces: &[Arc<AddressSpace>], serial: u64) -> usize {
    let count = |space: &Arc<AddressSpace>| {
        let parts = space.mapped_serials();
        parts.iter().filter(|part| part.serial == serial).count()
    };
    spaces.iter().map(count).sum()
}

/// The address spaces of the processes that have not ended.
fn spaces(world: &World) -> Vec<Arc<AddressSpace>> {
    let mut spaces: Vec<_> = world
        .family
        .living()
        .iter()
        .filter(|process| process.end().is_none())
        .map(|process| process.space())
        .collect();
    spaces.sort_by_key(|space| Arc::as_ptr(space).addr());
    spaces.dedup_by_key(|space| Arc::as_ptr(space).addr());
    spaces
}

impl Segments {
    /// Forgets the segments that were to be destroyed and are attached nowhere.
    fn settle(&self, world: &World) {
        let to_be: Vec<u64> = {
            let table = self.table.lock();
            let segments = table.values();
            segments
                .filter(|segment| matches!(segment.memory, Holder::Attached(_)))
                .map(|segment| segment.serial)
                .collect()
        };
        if to_be.is_empty() {
            return;
        }
        let spaces = spaces(world);
        let gone: Vec<u64> = to_be
            .into_iter()
            .filter(|serial| attachments(&spaces, *serial) == 0)
            .collect();
        self.table
            .lock()
            .retain(|segment| !gone.contains(&segment.serial));
    }

    /// shmget(2).
    pub(crate) fn get(
        &self,
        world: &World,
        caller: &Caller,
        wanted: (i32, u32),
        size: u32,
    ) -> Result<i32, Errno> {
        self.settle(world);
        let fits = |segment: &Segment| match size > segment.size {
            true => Err(Errno::EINVAL),
            false => Ok(()),
        };
        let make = |_: &Table<Segment>| {
            if size == 0 || size > SEGMENT {
                return Err(Errno::EINVAL);
            }
            let serial = self.serials.fetch_add(1, Ordering::Relaxed);
            let fd =
                rustix::fs::memfd_create("SYSV", MemfdFlags::CLOEXEC).map_err(|_| Errno::ENOSPC)?;
            rustix::fs::ftruncate(&fd, u64::from(size)).map_err(|_| Errno::ENOMEM)?;
            Ok(Segment {
                memory: Holder::Segment(Arc::new(Memory { fd, serial })),
                serial,
                size,
                locked: false,
                creator: caller.pid,
                last: Pid::NONE,
                attached: 0,
                detached: 0,
                changed: now(),
            })
        };
        self.table.lock().get(wanted, caller, fits, make)
    }

    /// What shmat(2) maps; `wanted` says for what.
    pub(crate) fn attachable(
        &self,
        world: &World,
        caller: &Caller,
        id: i32,
        wanted: u32,
    ) -> Result<Attachable, Errno> {
        self.settle(world);
        let mut table = self.table.lock();
        let slot = table.allowed(id, caller, wanted)?;
        let memory = slot.value.memory.memory().ok_or(Errno::EINVAL)?;
        let read_only = match wanted & WRITE {
            0 => Some(reopen(&memory.fd, OFlags::RDONLY)?),
            _ => None,
        };
        let label = MapLabel {
            device: 1,
            inode: u64::from(id.cast_unsigned()),
            path: format!("/SYSV{:08x} (deleted)", slot.permission.key).into_bytes(),
        };
        Ok(Attachable {
            file: SegmentFile {
                memory,
                read_only,
                label,
            },
            size: slot.value.size,
        })
    }

    /// A process has attached the segment.
    pub(crate) fn attached(&self, id: i32, process: Pid) {
        if let Ok(slot) = self.table.lock().find(id) {
            slot.value.last = process;
            slot.value.attached = now();
        }
    }

    /// A process has detached segments.
    pub(crate) fn detached(&self, serials: &[u64], process: Pid) {
        for segment in self.table.lock().values_mut() {
            if serials.contains(&segment.serial) {
                segment.last = process;
                segment.detached = now();
            }
        }
    }

    /// A process gives up its address space: it ends, or executes a program.
    pub(crate) fn abandon(&self, process: &Process) {
        if self.table.lock().len() == 0 {
            return;
        }
        let space = process.space();
        let others = process.world().family.living();
        let shared = others.iter().any(|other| {
            other.pid != process.pid && other.end().is_none() && Arc::ptr_eq(&other.space(), &space)
        });
        if !shared {
            let parts = space.mapped_serials();
            let serials: Vec<u64> = parts.iter().map(|part| part.serial).collect();
            self.detached(&serials, process.pid);
        }
    }

    /// `IPC_STAT`.
    pub(crate) fn status(&self, world: &World, caller: &Caller, id: i32) -> Result<ShmidDs, Errno> {
        self.settle(world);
        let (serial, status) = {
            let mut table = self.table.lock();
            let slot = table.allowed(id, caller, READ)?;
            (slot.value.serial, status_of(slot))
        };
        Ok(counted(status, &spaces(world), serial))
    }

    /// `SHM_STAT`, and `SHM_STAT_ANY` without a check: the status of the segment in a place, and its id.
    pub(crate) fn status_at(
        &self,
        world: &World,
        caller: Option<&Caller>,
        place: i32,
    ) -> Result<(i32, ShmidDs), Errno> {
        self.settle(world);
        let (id, serial, status) = {
            let table = self.table.lock();
            let (id, slot) = table.at(place)?;
            if let Some(caller) = caller {
                slot.permission.check(caller, READ)?;
            }
            (id, slot.value.serial, status_of(slot))
        };
        Ok((id, counted(status, &spaces(world), serial)))
    }

    /// Bytes of the segment in a place that lie in memory.
    pub(crate) fn resident_at(&self, place: i32) -> u64 {
        let table = self.table.lock();
        let found = table.at(place).ok();
        let blocks = found.and_then(|(_, slot)| {
            let memory = slot.value.memory.memory()?;
            u64::try_from(rustix::fs::fstat(&memory.fd).ok()?.st_blocks).ok()
        });
        blocks.unwrap_or(0) * 512
    }

    /// `SHM_INFO`.
    pub(crate) fn info(&self, world: &World) -> SegmentInfo {
        self.settle(world);
        let table = self.table.lock();
        let pages = |segment: &Segment| u64::from(segment.size.div_ceil(AddressSpace::PAGE_SIZE));
        let resident = |segment: &Segment| {
            let memory = segment.memory.memory()?;
            let blocks = rustix::fs::fstat(&memory.fd).ok()?.st_blocks;
            u64::try_from(blocks / 8).ok()
        };
        SegmentInfo {
            greatest: table.greatest(),
            segments: table.len(),
            pages: table.values().map(pages).sum(),
            resident: table.values().filter_map(resident).sum(),
        }
    }

    /// `IPC_SET`.
    pub(crate) fn set(
        &self,
        world: &World,
        caller: &Caller,
        id: i32,
        settings: Settings,
    ) -> Result<(), Errno> {
        self.settle(world);
        let mut table = self.table.lock();
        let slot = table.owned(id, caller)?;
        slot.permission.set(settings)?;
        slot.value.changed = now();
        Ok(())
    }

    /// `IPC_RMID`: destroyed as soon as it is attached nowhere; its key is free at once.
    pub(crate) fn remove(&self, world: &World, caller: &Caller, id: i32) -> Result<(), Errno> {
        self.settle(world);
        {
            let mut table = self.table.lock();
            let slot = table.owned(id, caller)?;
            slot.permission.key = super::PRIVATE_KEY;
            if let Some(memory) = slot.value.memory.memory() {
                slot.value.memory = Holder::Attached(Arc::downgrade(&memory));
            }
        }
        self.settle(world);
        Ok(())
    }

    /// `SHM_LOCK` and `SHM_UNLOCK`, as a note only. `limit` is RLIMIT_MEMLOCK: `EPERM` when nothing may be locked,
    /// `ENOMEM` above it.
    pub(crate) fn lock(
        &self,
        world: &World,
        caller: &Caller,
        id: i32,
        locked: bool,
        limit: u64,
    ) -> Result<(), Errno> {
        self.settle(world);
        let mut table = self.table.lock();
        let segment = &mut table.owned(id, caller)?.value;
        if locked && limit == 0 {
            return Err(Errno::EPERM);
        }
        if locked && u64::from(segment.size) > limit {
            return Err(Errno::ENOMEM);
        }
        segment.locked = locked;
        Ok(())
    }
}

fn status_of(slot: &Slot<Segment>) -> ShmidDs {
    let segment = &slot.value;
    let mut mode = 0;
    if matches!(segment.memory, Holder::Attached(_)) {
        mode |= TO_BE_DESTROYED;
    }
    if segment.locked {
        mode |= LOCKED;
    }
    ShmidDs {
        perm: slot.permission.to_guest(mode),
        segsz: segment.size,
        atime: split(segment.attached),
        dtime: split(segment.detached),
        ctime: split(segment.changed),
        cpid: segment.creator.0,
        lpid: segment.last.0,
        ..ShmidDs::default()
    }
}

fn counted(status: ShmidDs, spaces: &[Arc<AddressSpace>], serial: u64) -> ShmidDs {
    ShmidDs {
        nattch: u32::try_from(attachments(spaces, serial)).unwrap_or(u32::MAX),
        ..status
    }
}
