//! Address spaces: mmap, munmap and mprotect.

use std::io;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;

use crate::held::HeldFile;
use crate::host::{self, HostAdvice, Reservation, Source, Span};
use crate::layout::{Layout, bytes, page_up, pages};
use crate::pool::Kin;
use crate::region::{
    Backing, FileSource, ForkPolicy, MAPPED, MapLabel, Protection, Region, RegionKind, Sharing,
    host_protection,
};
use crate::{MIN_ADDR, PAGE_SIZE, TOP, fault};

pub use rawposix_abi::flags::MapFlags;

/// The bits of a mapping's type.
const TYPE: u32 = 0x0f;
/// What MAP_SHARED_VALIDATE knows, besides the type.
const LEGACY: MapFlags = MapFlags::FIXED
    .union(MapFlags::ANONYMOUS)
    .union(MapFlags::GROWSDOWN)
    .union(MapFlags::DENYWRITE)
    .union(MapFlags::EXECUTABLE)
    .union(MapFlags::LOCKED)
    .union(MapFlags::NORESERVE)
    .union(MapFlags::POPULATE)
    .union(MapFlags::NONBLOCK)
    .union(MapFlags::STACK)
    .union(MapFlags::HUGETLB)
    // MAP_HUGE_2MB and MAP_HUGE_1GB
    .union(MapFlags::from_bits_retain(0x7c00_0000));

/// The arguments of mmap(2).
#[derive(Clone, Debug)]
pub struct MapRequest {
    /// The wanted address: a hint unless FIXED.
    pub addr: u32,
    /// Length in bytes.
    pub len: u32,
    /// Protection; unknown bits are ignored, as Linux does.
    pub prot: Protection,
    /// Flags.
    pub flags: MapFlags,
    /// The file, unless ANONYMOUS.
    pub file: Option<FileSource>,
}

/// The limits of setrlimit(2) that concern memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// RLIMIT_AS
    pub address_space: u64,
    /// RLIMIT_DATA
    pub data: u64,
    /// RLIMIT_MEMLOCK
    pub locked: u64,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            address_space: u64::MAX,
            data: u64::MAX,
            locked: 8 << 20,
        }
    }
}

/// Sizes of an address space, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All mappings (VmSize).
    pub total: u64,
    /// Private writable mappings (VmData).
    pub data: u64,
    /// Locked mappings (VmLck).
    pub locked: u64,
    /// Shared mappings.
    pub shared: u64,
}

/// One line of /proc/self/maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The first address.
    pub start: u32,
    /// The address after the last.
    pub end: u32,
    /// What the guest may do.
    pub protection: Protection,
    /// Private or shared.
    pub sharing: Sharing,
    /// Offset in the file, in bytes; 0 without one.
    pub offset: u64,
    /// The file; empty for anonymous memory.
    pub label: MapLabel,
    /// What it is for.
    pub kind: RegionKind,
    /// Locked by mlock(2).
    pub locked: bool,
    /// Whether it is memory of the process, private or shared, without a file that has a name.
    pub nameless: bool,
}

/// A mapping of a file that has a serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialPart {
    /// The first address.
    pub start: u32,
    /// The address after the last.
    pub end: u32,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// The file's number.
    pub serial: u64,
}

/// What goes out of the map; dropped when the lock is free, because that may close files.
pub(crate) type Removed = Vec<(Range<u32>, Region)>;

/// The memory of one guest process.
#[derive(Debug)]
pub struct AddressSpace {
    pub(crate) reservation: Reservation,
    pub(crate) layout: Mutex<Layout>,
    pub(crate) kin: Kin,
}

impl AddressSpace {
    /// Bytes that addresses can name: 4 GiB.
    pub const SIZE: u64 = host::SIZE;
    /// Inaccessible bytes above them.
    pub const GUARD: u64 = host::GUARD;
    /// Bytes of a page.
    pub const PAGE_SIZE: u32 = PAGE_SIZE;

    /// An address space in which nothing is mapped.
    ///
    /// # Errors
    /// When the host cannot reserve the addresses or install the fault handler.
    pub fn new() -> io::Result<Arc<Self>> {
        fault::install()?;
        Ok(Arc::new(Self {
            reservation: Reservation::new()?,
            layout: Mutex::new(Layout::new()),
            kin: Kin::default(),
        }))
    }

    /// The host address of guest address 0. For the engine, which runs the guest's code on it;
    /// everything else uses the copies of this crate.
    pub fn base(&self) -> NonNull<u8> {
        self.reservation.base()
    }

    #[inline]
    pub(crate) fn reservation(&self) -> &Reservation {
        &self.reservation
    }

    pub(crate) fn layout(&self) -> &Mutex<Layout> {
        &self.layout
    }

    /// Maps the program's stack, data and bss: from 64 KiB to `initial_bytes`, zero and writable.
    /// The break starts there.
    ///
    /// # Errors
    /// ENOMEM when it does not fit, EEXIST when something is mapped already.
    pub fn map_image(&self, initial_bytes: u64) -> Result<(), Errno> {
        let end = u32::try_from(initial_bytes)
            .ok()
            .and_then(page_up)
            .filter(|&end| end <= TOP)
            .ok_or(Errno::ENOMEM)?
            .max(MIN_ADDR);
        let mut layout = self.layout.lock();
        if layout.regions().len() != 0 {
            return Err(Errno::EEXIST);
        }
        let range = MIN_ADDR..end;
        if !range.is_empty() {
            let region = Region::private(Protection::READ | Protection::WRITE, RegionKind::Image);
            layout.allow(bytes(&range), &region)?;
            self.reservation.map(
                Span::new(range.start, bytes(&range))?,
                host_protection(region.protection),
                Source::Anonymous,
            )?;
            layout.place(range, region);
        }
        layout.heap = end..end;
        Ok(())
    }

    /// Sets RLIMIT_AS, RLIMIT_DATA and RLIMIT_MEMLOCK; they count from the next request on.
    pub fn set_limits(&self, limits: MemoryLimits) {
        self.layout.lock().limits = limits;
    }

    /// Sets how many bytes of private memory a fork copies at most; more than that becomes copy-on-write if it can.
    /// Children inherit it. It starts as 1.5 MiB.
    pub fn set_copy_limit(&self, limit: u64) {
        self.layout.lock().copy_limit = limit;
    }

    /// The limits in force.
    pub fn limits(&self) -> MemoryLimits {
        self.layout.lock().limits
    }

    /// The sizes now.
    pub fn usage(&self) -> Usage {
        self.layout.lock().usage()
    }

    /// Whether something is mapped at `addr`, accessible or not.
    pub fn is_mapped(&self, addr: u32) -> bool {
        self.layout.lock().regions().at(addr).is_some()
    }

    /// The first address in `range` that is not mapped with this protection.
    pub fn first_denied(&self, range: Range<u32>, needed: Protection) -> Option<u32> {
        let layout = self.layout.lock();
        let mut next = range.start;
        for (part, region) in layout.regions().overlapping(range.clone()) {
            let readable = region.protection.intersects(MAPPED);
            let allowed = match needed {
                Protection::READ => readable,
                needed => region.protection.contains(needed),
            };
            if part.start > next || !allowed {
                break;
            }
            next = part.end;
        }
        (next < range.end).then_some(next)
    }

    /// All mappings in ascending order, as they are at this moment.
    pub fn mappings(&self) -> Vec<Mapping> {
        let regions = self.layout.lock().regions().clone();
        regions
            .iter()
            .map(|(range, region)| Mapping {
                start: range.start,
                end: range.end,
                protection: region.protection,
                sharing: region.sharing,
                offset: region.file.as_ref().map_or(0, |file| file.offset),
                label: match &region.file {
                    Some(file) if !region.nameless => file.held.file().label(),
                    Some(_) => MapLabel {
                        path: b"/dev/zero (deleted)".to_vec(),
                        ..MapLabel::default()
                    },
                    None => MapLabel::default(),
                },
                kind: region.kind,
                locked: region.locked,
                nameless: region.file.is_none() || region.nameless,
            })
            .collect()
    }

    /// The mappings of files that have serial numbers, in ascending order.
    pub fn mapped_serials(&self) -> Vec<SerialPart> {
        let layout = self.layout.lock();
        let part = |(range, region): (Range<u32>, &Region)| {
            let file = region.file.as_ref()?;
            Some(SerialPart {
                start: range.start,
                end: range.end,
                offset: file.offset,
                serial: file.held.file().serial()?,
            })
        };
        layout.regions().iter().filter_map(part).collect()
    }

    /// mmap(2).
    ///
    /// # Errors
    /// Those of the manual page; EPERM for a fixed address below 64 KiB, ENOMEM also when the
    /// host's mappings run out.
    pub fn mmap(&self, request: MapRequest) -> Result<u32, Errno> {
        let flags = request.flags;
        let mut region = request.region()?;
        let len = page_up(request.len).ok_or(Errno::ENOMEM)?;
        region.checked_offset(len)?;
        let mut layout = self.layout.lock();
        let range = if flags.intersects(MapFlags::FIXED | MapFlags::FIXED_NOREPLACE) {
            fixed_range(request.addr, len)?
        } else {
            layout.find_free(request.addr, len)?
        };
        if flags.contains(MapFlags::FIXED_NOREPLACE) && !layout.regions().is_free(range.clone()) {
            return Err(Errno::EEXIST);
        }
        if layout.lock_future || flags.contains(MapFlags::LOCKED) {
            if layout.limits.locked == 0 {
                return Err(Errno::EPERM);
            }
            region.locked = true;
        }
        let growth = bytes(&range) - layout.mapped_bytes(range.clone());
        layout.allow(growth, &region)?;
        layout.reserve_host_maps(&self.reservation)?;
        let protection = region.protection;
        let old = self.map_region(&mut layout, range.clone(), region)?;
        drop(layout);
        drop(old);
        if flags.intersects(MapFlags::POPULATE | MapFlags::LOCKED)
            && !flags.contains(MapFlags::NONBLOCK)
        {
            self.populate(Span::new(range.start, bytes(&range))?, protection);
        }
        Ok(range.start)
    }

    /// Maps and records a region; gives what it replaces.
    pub(crate) fn map_region(
        &self,
        layout: &mut Layout,
        range: Range<u32>,
        region: Region,
    ) -> Result<Removed, Errno> {
        let span = Span::new(range.start, bytes(&range))?;
        let protection = host_protection(region.protection);
        // A file may refuse to be mapped after the kernel has removed what was there; that would
        // leave a hole. So it is asked elsewhere first.
        self.reservation.probe(span, protection, region.source())?;
        match self.reservation.map(span, protection, region.source()) {
            Ok(()) => Ok(layout.place(range, region)),
            Err(error) => {
                self.reservation.unmap(span)?;
                layout.clear(range);
                Err(error)
            }
        }
    }

    /// munmap(2).
    ///
    /// # Errors
    /// EINVAL for an unaligned address, no length, or a range outside the address space; ENOMEM
    /// when the host's mappings run out.
    pub fn munmap(&self, addr: u32, len: u32) -> Result<(), Errno> {
        let range = pages(addr, len, Errno::EINVAL)?;
        if range.is_empty() || range.end > TOP {
            return Err(Errno::EINVAL);
        }
        let mut layout = self.layout.lock();
        if layout.regions().is_free(range.clone()) {
            return Ok(());
        }
        // Only a hole inside a mapping makes more of them.
        let splits = matches!(
            layout.regions().at(range.start),
            Some((found, _)) if found.start < range.start && found.end > range.end
        );
        if splits {
            layout.reserve_host_maps(&self.reservation)?;
        }
        self.reservation
            .unmap(Span::new(range.start, bytes(&range))?)?;
        let old = layout.clear(range);
        drop(layout);
        drop(old);
        Ok(())
    }

    /// mprotect(2).
    ///
    /// # Errors
    /// EINVAL for an unaligned address or unknown bits, ENOMEM when part of the range is not
    /// mapped (what lies before it is changed, as on Linux), EACCES when the file's access mode
    /// forbids it.
    pub fn mprotect(&self, addr: u32, len: u32, prot: Protection) -> Result<(), Errno> {
        if !Protection::all().contains(prot)
            || prot.intersects(Protection::GROWSDOWN | Protection::GROWSUP)
        {
            return Err(Errno::EINVAL);
        }
        let range = pages(addr, len, Errno::ENOMEM)?;
        let prot = prot & MAPPED;
        let mut layout = self.layout.lock();
        let mut next = range.start;
        for (part, region) in layout.regions().within(range.clone()) {
            if part.start != next {
                break;
            }
            let mut changed = region.clone();
            changed.protection = prot;
            if changed.is_data() && !region.is_data() {
                let data = layout.usage().data.saturating_add(bytes(&part));
                if data > layout.limits.data {
                    return Err(Errno::ENOMEM);
                }
            }
            if prot != region.protection {
                layout.reserve_host_maps(&self.reservation)?;
                if host_protection(prot) != host_protection(region.protection) {
                    self.reservation
                        .protect(Span::new(part.start, bytes(&part))?, host_protection(prot))?;
                }
                layout.change(part.clone(), |region| region.protection = prot);
            }
            next = part.end;
        }
        if next < range.end {
            Err(Errno::ENOMEM)
        } else {
            Ok(())
        }
    }

    /// Makes the pages of a new mapping present. A page that cannot be had faults later, as on
    /// Linux, where mmap does not report that either.
    pub(crate) fn populate(&self, span: Span, protection: Protection) {
        let advice = if protection.contains(Protection::WRITE) {
            HostAdvice::PopulateWrite
        } else if protection.is_empty() {
            return;
        } else {
            HostAdvice::PopulateRead
        };
        let _ = self.reservation.advise(span, advice);
    }
}

impl MapRequest {
    /// The region it asks for, once its flags make sense.
    fn region(&self) -> Result<Region, Errno> {
        let flags = self.flags;
        if self.len == 0 {
            return Err(Errno::EINVAL);
        }
        let sharing = match flags.bits() & TYPE {
            1 => Sharing::Shared,
            2 => Sharing::Private,
            3 if flags.contains(MapFlags::ANONYMOUS) => return Err(Errno::EINVAL),
            3 => {
                let known = LEGACY | MapFlags::SHARED_VALIDATE;
                if !known.contains(flags) {
                    return Err(Errno::EOPNOTSUPP);
                }
                Sharing::Shared
            }
            _ => return Err(Errno::EINVAL),
        };
        let anonymous = flags.contains(MapFlags::ANONYMOUS);
        if flags.contains(MapFlags::GROWSDOWN) && sharing == Sharing::Shared {
            return Err(Errno::EINVAL);
        }
        let file = match &self.file {
            _ if anonymous => None,
            Some(file) if file.offset.is_multiple_of(u64::from(PAGE_SIZE)) => Some(file.clone()),
            Some(_) => return Err(Errno::EINVAL),
            None => return Err(Errno::EBADF),
        };
        if flags.contains(MapFlags::HUGETLB) {
            return Err(if anonymous {
                Errno::ENOMEM
            } else {
                Errno::EINVAL
            });
        }
        let file = if anonymous && sharing == Sharing::Shared {
            let len = page_up(self.len).ok_or(Errno::ENOMEM)?;
            let memory = host::nameless_file(c"shared", u64::from(len))?;
            Some(FileSource {
                file: Arc::new(memory),
                offset: 0,
            })
        } else {
            file
        };
        let file = match file {
            Some(source) => Some(Backing {
                held: HeldFile::new(source.file)?,
                offset: source.offset,
            }),
            None => None,
        };
        Ok(Region {
            protection: self.prot & MAPPED,
            sharing,
            kind: RegionKind::Mapping,
            file,
            nameless: anonymous && sharing == Sharing::Shared,
            locked: false,
            fork: ForkPolicy::Inherit,
        })
    }
}

/// The range of a fixed mapping.
pub(crate) fn fixed_range(addr: u32, len: u32) -> Result<Range<u32>, Errno> {
    if !addr.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    let end = addr
        .checked_add(len)
        .filter(|&end| end <= TOP)
        .ok_or(Errno::ENOMEM)?;
    if addr < MIN_ADDR {
        return Err(Errno::EPERM);
    }
    Ok(addr..end)
}
