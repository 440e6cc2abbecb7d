//! The mapping calls as Linux documents them: results and errors.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::{
    AddressSpace, FileSource, GuestPtr, MIN_ADDR, MapFlags, MapRequest, MemoryLimits, Protection,
    RegionKind, RemapFlags, RemapRequest, Sharing, TOP,
};

const PAGE: u32 = 4096;
const HEAP: u32 = 0x10_0000;
const RW: Protection = Protection::READ.union(Protection::WRITE);

fn space() -> Arc<AddressSpace> {
    let space = AddressSpace::new().unwrap();
    space.map_image(u64::from(HEAP)).unwrap();
    space
}

fn request(addr: u32, len: u32, flags: u32) -> MapRequest {
    MapRequest {
        addr,
        len,
        prot: RW,
        flags: MapFlags::from_bits_retain(flags),
        file: None,
    }
}

const PRIVATE: u32 = 0x22;
const SHARED: u32 = 0x21;
const FIXED: u32 = 0x10;

fn byte(addr: u32) -> GuestPtr<u8> {
    GuestPtr::new(addr)
}

fn file(pages: usize) -> File {
    let mut file = tempfile::tempfile().unwrap();
    for value in 1..=pages {
        let value = u8::try_from(value).unwrap();
        file.write_all(&[value; PAGE as usize]).unwrap();
    }
    file
}

fn file_request(file: &File, flags: u32, len: u32, offset: u64) -> MapRequest {
    MapRequest {
        file: Some(FileSource {
            file: Arc::new(OwnedFd::from(file.try_clone().unwrap())),
            offset,
        }),
        ..request(0, len, flags)
    }
}

#[test]
fn mmap_errors() {
    let space = space();
    let error = |request| space.mmap(request).unwrap_err();
    assert_eq!(error(request(0, 0, PRIVATE)), Errno::EINVAL);
    assert_eq!(error(request(0, PAGE, 0x20)), Errno::EINVAL, "no type");
    assert_eq!(
        error(request(0, PAGE, 0x23)),
        Errno::EINVAL,
        "validate needs a file"
    );
    assert_eq!(error(request(0, PAGE, 2)), Errno::EBADF);
    assert_eq!(error(request(0, u32::MAX, PRIVATE)), Errno::ENOMEM);
    assert_eq!(error(request(0, 0xffff_0000, PRIVATE)), Errno::ENOMEM);
    assert_eq!(
        error(request(HEAP + 1, PAGE, PRIVATE | FIXED)),
        Errno::EINVAL
    );
    assert_eq!(error(request(0, PAGE, PRIVATE | FIXED)), Errno::EPERM);
    assert_eq!(
        error(request(0xf000, 2 * PAGE, PRIVATE | FIXED)),
        Errno::EPERM
    );
    assert_eq!(error(request(TOP, PAGE, PRIVATE | FIXED)), Errno::ENOMEM);
    assert_eq!(
        error(request(0xffff_f000, PAGE, PRIVATE | FIXED)),
        Errno::ENOMEM
    );
    assert_eq!(
        error(request(MIN_ADDR, PAGE, PRIVATE | 0x10_0000)),
        Errno::EEXIST
    );
    assert_eq!(
        error(request(0, PAGE, PRIVATE | 0x4_0000)),
        Errno::ENOMEM,
        "huge pages"
    );
    let file = file(1);
    assert_eq!(error(file_request(&file, 2, PAGE, 1)), Errno::EINVAL);
    assert_eq!(
        error(file_request(&file, 2, PAGE, u64::MAX - 4095)),
        Errno::EOVERFLOW
    );
    assert_eq!(
        error(file_request(&file, 3 | 0x8_0000, PAGE, 0)),
        Errno::EOPNOTSUPP
    );
    assert_eq!(
        error(file_request(&file, 3 | 0x8000_0000, PAGE, 0)),
        Errno::EOPNOTSUPP
    );
    // A part of MAP_HUGE_1GB, which Linux lets pass.
    assert!(
        space
            .mmap(file_request(&file, 3 | 0x4000_0000, PAGE, 0))
            .is_ok()
    );
    assert!(space.mmap(file_request(&file, 3, PAGE, 0)).is_ok());
    assert!(
        space
            .mmap(file_request(&file, 2 | 0x4000_0000, PAGE, 0))
            .is_ok()
    );
}

#[test]
fn the_search_goes_down_from_the_top() {
    let space = space();
    let first = space.mmap(request(0, PAGE, PRIVATE)).unwrap();
    assert_eq!(first, TOP - PAGE);
    let second = space.mmap(request(0, 2 * PAGE + 1, PRIVATE)).unwrap();
    assert_eq!(second, first - 3 * PAGE);
    assert_eq!(space.mappings().len(), 2, "neighbours merge");
    space.munmap(first, PAGE).unwrap();
    assert_eq!(space.mmap(request(0, PAGE, PRIVATE)), Ok(first));
    assert_eq!(
        space.mmap(request(0x4000_0123, PAGE, PRIVATE)),
        Ok(0x4000_0000)
    );
    let taken = space.mmap(request(0x4000_0000, PAGE, PRIVATE)).unwrap();
    assert_eq!(taken, second - PAGE);
    // A hint below the lowest address is moved up; here something is mapped.
    assert_eq!(space.mmap(request(0x1000, PAGE, PRIVATE)), Ok(taken - PAGE));
}

#[test]
fn everything_can_be_mapped_but_no_more() {
    let space = space();
    let all = TOP - HEAP;
    let addr = space.mmap(request(0, all, PRIVATE | 0x4000)).unwrap();
    assert_eq!(addr, HEAP);
    assert_eq!(space.mmap(request(0, PAGE, PRIVATE)), Err(Errno::ENOMEM));
    assert_eq!(space.brk(HEAP + 1), HEAP);
    space.munmap(addr, all).unwrap();
    assert_eq!(space.brk(HEAP + 1), HEAP + 1);
}

#[test]
fn munmap_errors() {
    let space = space();
    assert_eq!(space.munmap(HEAP + 1, PAGE), Err(Errno::EINVAL));
    assert_eq!(space.munmap(HEAP, 0), Err(Errno::EINVAL));
    assert_eq!(space.munmap(TOP, PAGE), Err(Errno::EINVAL));
    assert_eq!(space.munmap(HEAP, u32::MAX), Err(Errno::EINVAL));
    assert_eq!(space.munmap(HEAP, PAGE), Ok(()), "nothing is mapped there");
    assert_eq!(space.munmap(0, PAGE), Ok(()));
}

#[test]
fn mprotect_errors() {
    let space = space();
    assert_eq!(space.mprotect(MIN_ADDR + 1, 1, RW), Err(Errno::EINVAL));
    let unknown = Protection::from_bits_retain(0x10);
    assert_eq!(space.mprotect(MIN_ADDR, PAGE, unknown), Err(Errno::EINVAL));
    assert_eq!(
        space.mprotect(MIN_ADDR, PAGE, Protection::GROWSDOWN),
        Err(Errno::EINVAL)
    );
    assert_eq!(space.mprotect(MIN_ADDR, 0, RW), Ok(()));
    assert_eq!(space.mprotect(HEAP, PAGE, RW), Err(Errno::ENOMEM));
    assert_eq!(space.mprotect(MIN_ADDR, u32::MAX, RW), Err(Errno::ENOMEM));
    let read_only = File::open("/proc/self/exe").unwrap();
    let error = space.mmap(file_request(&read_only, 1, PAGE, 0));
    assert_eq!(
        error,
        Err(Errno::EACCES),
        "shared and writable, opened for reading"
    );
    let mut readable = file_request(&read_only, 1, PAGE, 0);
    readable.prot = Protection::READ;
    let addr = space.mmap(readable).unwrap();
    assert_eq!(space.mprotect(addr, PAGE, RW), Err(Errno::EACCES));
    assert_eq!(
        space.mprotect(addr, PAGE, Protection::all() & Protection::EXEC),
        Ok(())
    );
}

#[test]
fn a_file_that_cannot_be_mapped_leaves_what_was_there() {
    let space = space();
    space.write(byte(MIN_ADDR), &7).unwrap();
    let (pipe, _end) = std::io::pipe().unwrap();
    let mut bad = request(MIN_ADDR, PAGE, 2 | FIXED);
    bad.file = Some(FileSource {
        file: Arc::new(OwnedFd::from(pipe)),
        offset: 0,
    });
    assert_eq!(space.mmap(bad), Err(Errno::ENODEV));
    assert_eq!(space.read(byte(MIN_ADDR)), Ok(7));
}

#[test]
fn mremap_errors() {
    let space = space();
    let remap = |addr, old_len, new_len, flags, new_addr| {
        space.mremap(RemapRequest {
            addr,
            old_len,
            new_len,
            flags: RemapFlags::from_bits_retain(flags),
            new_addr,
        })
    };
    let a = 0x4000_0000;
    space.mmap(request(a, 4 * PAGE, PRIVATE | FIXED)).unwrap();
    assert_eq!(remap(a, PAGE, PAGE, 8, 0), Err(Errno::EINVAL));
    assert_eq!(remap(a, PAGE, PAGE, 2, HEAP), Err(Errno::EINVAL));
    assert_eq!(remap(a + 1, PAGE, PAGE, 1, 0), Err(Errno::EINVAL));
    assert_eq!(remap(a, PAGE, 0, 1, 0), Err(Errno::EINVAL));
    assert_eq!(
        remap(a, 0, PAGE, 1, 0),
        Err(Errno::EINVAL),
        "private memory is not duplicated"
    );
    assert_eq!(remap(a, PAGE, 2 * PAGE, 5, 0), Err(Errno::EINVAL));
    assert_eq!(remap(a, PAGE, PAGE, 3, HEAP + 1), Err(Errno::EINVAL));
    assert_eq!(remap(a, PAGE, 2 * PAGE, 3, a), Err(Errno::EINVAL));
    assert_eq!(remap(a, PAGE, PAGE, 3, 0), Err(Errno::EPERM));
    assert_eq!(remap(a, PAGE, PAGE, 3, TOP), Err(Errno::EINVAL));
    assert_eq!(remap(HEAP, PAGE, 2 * PAGE, 1, 0), Err(Errno::EFAULT));
    assert_eq!(remap(a, 5 * PAGE, 6 * PAGE, 1, 0), Err(Errno::EFAULT));
    assert_eq!(
        remap(a, PAGE, 2 * PAGE, 0, 0),
        Err(Errno::ENOMEM),
        "no room in place"
    );
    assert_eq!(remap(a, 4 * PAGE, 8 * PAGE, 0, 0), Ok(a));
    assert_eq!(remap(a, 8 * PAGE, 0xf000_0000, 1, 0), Err(Errno::ENOMEM));
}

#[test]
fn a_shared_mapping_can_be_duplicated() {
    let space = space();
    let first = space.mmap(request(0, 2 * PAGE, SHARED)).unwrap();
    space.write(byte(first + PAGE), &9).unwrap();
    let second = space
        .mremap(RemapRequest {
            addr: first,
            old_len: 0,
            new_len: 2 * PAGE,
            flags: RemapFlags::MAYMOVE,
            new_addr: 0,
        })
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(space.read(byte(second + PAGE)), Ok(9));
    space.write(byte(second), &4).unwrap();
    assert_eq!(space.read(byte(first)), Ok(4));
}

#[test]
fn a_moved_file_mapping_keeps_its_private_pages() {
    let space = space();
    let file = file(4);
    let addr = space
        .mmap(file_request(&file, 2, 2 * PAGE, u64::from(PAGE)))
        .unwrap();
    space.write(byte(addr), &99).unwrap();
    let moved = space
        .mremap(RemapRequest {
            addr,
            old_len: 2 * PAGE,
            new_len: 3 * PAGE,
            flags: RemapFlags::MAYMOVE,
            new_addr: 0,
        })
        .unwrap();
    assert_ne!(moved, addr);
    assert_eq!(space.read(byte(addr)), Err(Errno::EFAULT));
    let seen = [0, 1, 2].map(|page| space.read(byte(moved + page * PAGE)));
    assert_eq!(seen, [Ok(99), Ok(3), Ok(4)]);
    assert_eq!(
        space.read(byte(moved + 1)),
        Ok(2),
        "the rest of the page is the file's"
    );
}

#[test]
fn the_break_moves_by_bytes_and_maps_pages() {
    let space = space();
    assert_eq!(space.brk(0), HEAP);
    assert_eq!(space.brk(HEAP + 5), HEAP + 5);
    space.write(byte(HEAP + PAGE - 1), &1).unwrap();
    assert_eq!(space.write(byte(HEAP + PAGE), &1), Err(Errno::EFAULT));
    assert_eq!(space.brk(HEAP - 1), HEAP + 5, "never below its start");
    assert_eq!(space.brk(u32::MAX), HEAP + 5);
    assert_eq!(space.brk(HEAP), HEAP);
    assert_eq!(space.read(byte(HEAP)), Err(Errno::EFAULT));
    assert_eq!(space.brk(HEAP + 1), HEAP + 1);
    assert_eq!(
        space.read(byte(HEAP + PAGE - 1)),
        Ok(0),
        "fresh pages are zero"
    );
    space
        .mmap(request(HEAP + 4 * PAGE, PAGE, PRIVATE | FIXED))
        .unwrap();
    assert_eq!(
        space.brk(HEAP + 4 * PAGE + 1),
        HEAP + 1,
        "a mapping is in the way"
    );
    assert_eq!(space.brk(HEAP + 4 * PAGE), HEAP + 4 * PAGE);
    let heap: Vec<_> = space.mappings();
    let heap = heap
        .iter()
        .find(|mapping| mapping.kind == RegionKind::Heap)
        .unwrap();
    assert_eq!((heap.start, heap.end), (HEAP, HEAP + 4 * PAGE));
}

#[test]
fn limits_are_enomem() {
    let space = space();
    let image = u64::from(HEAP - MIN_ADDR);
    let pages = |count: u32| u64::from(count * PAGE);
    space.set_limits(MemoryLimits {
        address_space: image + pages(4),
        data: image + pages(2),
        locked: pages(1),
    });
    assert_eq!(
        space.mmap(request(0, 3 * PAGE, PRIVATE)),
        Err(Errno::ENOMEM),
        "data"
    );
    assert_eq!(space.mmap(request(0, 5 * PAGE, SHARED)), Err(Errno::ENOMEM));
    let shared = space.mmap(request(0, 2 * PAGE, SHARED)).unwrap();
    let private = space.mmap(request(0, 2 * PAGE, PRIVATE)).unwrap();
    assert_eq!(space.brk(HEAP + 1), HEAP);
    assert_eq!(
        space.mmap(request(private, 2 * PAGE, PRIVATE | FIXED)),
        Ok(private),
        "replaced"
    );
    assert_eq!(space.mlock(private, 2 * PAGE), Err(Errno::ENOMEM));
    assert_eq!(space.mlock(private + 1, 1), Ok(()));
    assert_eq!(space.mlock(private + 1, 1), Ok(()), "counts once");
    assert_eq!(space.usage().locked, pages(1));
    assert_eq!(
        space.madvise(private, PAGE, 4),
        Err(Errno::EINVAL),
        "locked"
    );
    space.munlockall();
    assert_eq!(space.usage().locked, 0);
    space.munmap(shared, 2 * PAGE).unwrap();
    let grown = space.mremap(RemapRequest {
        addr: private,
        old_len: 2 * PAGE,
        new_len: 3 * PAGE,
        flags: RemapFlags::MAYMOVE,
        new_addr: 0,
    });
    assert_eq!(grown, Err(Errno::ENOMEM));
    let usage = space.usage();
    assert_eq!(
        (usage.total, usage.data, usage.shared),
        (image + pages(2), image + pages(2), 0)
    );
}

#[test]
fn shared_files_are_written_through() {
    let space = space();
    let mut file = file(2);
    let addr = space.mmap(file_request(&file, 1, 2 * PAGE, 0)).unwrap();
    space.write(byte(addr + PAGE), &77).unwrap();
    assert_eq!(space.msync(addr, 2 * PAGE, 4), Ok(()));
    assert_eq!(space.msync(addr, 2 * PAGE, 5), Err(Errno::EINVAL));
    assert_eq!(space.msync(addr, 2 * PAGE, 8), Err(Errno::EINVAL));
    assert_eq!(space.msync(addr + 1, PAGE, 4), Err(Errno::EINVAL));
    assert_eq!(space.msync(addr - PAGE, 2 * PAGE, 4), Err(Errno::ENOMEM));
    let mut seen = [0];
    file.seek(SeekFrom::Start(u64::from(PAGE))).unwrap();
    file.read_exact(&mut seen).unwrap();
    assert_eq!(seen, [77]);
    space.munmap(addr, PAGE).unwrap();
    assert_eq!(
        space.read(byte(addr + PAGE)),
        Ok(77),
        "the rest keeps its offset"
    );
    let mapping = space.mappings().pop().unwrap();
    assert_eq!(
        (mapping.offset, mapping.sharing),
        (u64::from(PAGE), Sharing::Shared)
    );
}

#[test]
fn advice() {
    let space = space();
    space.write(byte(MIN_ADDR), &5).unwrap();
    assert_eq!(space.madvise(MIN_ADDR, PAGE, 99), Err(Errno::EINVAL));
    assert_eq!(space.madvise(MIN_ADDR + 1, PAGE, 4), Err(Errno::EINVAL));
    assert_eq!(space.madvise(MIN_ADDR, u32::MAX, 4), Err(Errno::EINVAL));
    assert_eq!(space.madvise(MIN_ADDR, 0, 4), Ok(()));
    assert_eq!(space.madvise(MIN_ADDR, PAGE, 100), Err(Errno::EPERM));
    assert_eq!(
        space.madvise(MIN_ADDR, PAGE, 9),
        Err(Errno::EINVAL),
        "REMOVE of private memory"
    );
    for hint in [0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 20, 21, 22, 23, 25] {
        assert_eq!(space.madvise(MIN_ADDR, PAGE, hint), Ok(()), "{hint}");
    }
    assert_eq!(space.read(byte(MIN_ADDR)), Ok(5));
    assert_eq!(space.madvise(HEAP - PAGE, 2 * PAGE, 4), Err(Errno::ENOMEM));
    assert_eq!(space.madvise(HEAP, PAGE, 23), Err(Errno::ENOMEM));
    space.madvise(MIN_ADDR, PAGE, 4).unwrap();
    assert_eq!(space.read(byte(MIN_ADDR)), Ok(0));
    let shared = space.mmap(request(0, PAGE, SHARED)).unwrap();
    space.write(byte(shared), &5).unwrap();
    space.madvise(shared, PAGE, 4).unwrap();
    assert_eq!(space.read(byte(shared)), Ok(5), "shared memory stays");
    space.madvise(shared, PAGE, 9).unwrap();
    assert_eq!(space.read(byte(shared)), Ok(0));
    assert_eq!(
        space.madvise(shared, PAGE, 8),
        Err(Errno::EINVAL),
        "FREE of shared memory"
    );
}

#[test]
fn residency() {
    let space = space();
    let addr = space.mmap(request(0, 3 * PAGE, PRIVATE)).unwrap();
    space.write(byte(addr + PAGE), &1).unwrap();
    assert_eq!(space.mincore(addr, 3 * PAGE, byte(MIN_ADDR)), Ok(()));
    let seen: [u8; 3] = space.read(GuestPtr::new(MIN_ADDR)).unwrap();
    assert_eq!(seen.map(|byte| byte & 1), [0, 1, 0]);
    assert_eq!(
        space.mincore(addr + 1, PAGE, byte(MIN_ADDR)),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        space.mincore(addr - PAGE, PAGE, byte(MIN_ADDR)),
        Err(Errno::ENOMEM)
    );
    assert_eq!(space.mincore(addr, PAGE, byte(0)), Err(Errno::EFAULT));
    assert_eq!(
        space.mincore(addr, u32::MAX, byte(MIN_ADDR)),
        Err(Errno::ENOMEM)
    );
}

#[test]
fn locking() {
    let space = space();
    assert_eq!(space.mlockall(0), Err(Errno::EINVAL));
    assert_eq!(space.mlockall(8), Err(Errno::EINVAL));
    assert_eq!(space.mlock(HEAP, PAGE), Err(Errno::ENOMEM));
    assert_eq!(space.mlock(MIN_ADDR, u32::MAX), Err(Errno::EINVAL));
    space.mlockall(3).unwrap();
    space.mmap(request(0, PAGE, PRIVATE)).unwrap();
    assert_eq!(space.usage().locked, space.usage().total);
    space.set_limits(MemoryLimits {
        locked: 0,
        ..MemoryLimits::default()
    });
    assert_eq!(space.mlock(MIN_ADDR, PAGE), Err(Errno::EPERM));
    assert_eq!(space.mlockall(1), Err(Errno::EPERM));
}

#[test]
fn one_guest_cannot_take_all_of_the_hosts_mappings() {
    let space = space();
    let other = self::space();
    let a = 0x4000_0000;
    let pages = 60_000;
    space
        .mmap(request(a, pages * PAGE, PRIVATE | FIXED))
        .unwrap();
    let mut refused = 0;
    for page in (0..pages).step_by(2) {
        match space.mprotect(a + page * PAGE, PAGE, Protection::READ) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error, Errno::ENOMEM);
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    assert!(other.mmap(request(0, PAGE, PRIVATE)).is_ok());
    space.munmap(a, pages * PAGE).unwrap();
    // What could not be merged by the kernel is known to be gone.
    assert!(space.mmap(request(0, PAGE, PRIVATE)).is_ok());
}

#[test]
fn merging_in_the_map_does_not_fool_the_limit() {
    let space = space();
    let a = 0x4000_0000;
    let pages = 40_000;
    let mut refused = 0;
    // Pages touched one by one, then the pages between: one mapping here, many for the kernel.
    for first in [0, 1] {
        for page in (first..pages).step_by(2) {
            let addr = a + page * PAGE;
            match space.mmap(request(addr, PAGE, PRIVATE | FIXED)) {
                Ok(_) => space.write(byte(addr), &1).unwrap(),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 0);
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.lines().count() < 45_000);
}

#[test]
fn the_file_stays_open_while_it_is_mapped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    std::fs::write(&path, b"abc").unwrap();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let source: Arc<OwnedFd> = Arc::new(file.into());
    let space = space();
    let mut wanted = request(0, PAGE, 1);
    wanted.file = Some(FileSource {
        file: source.clone(),
        offset: 0,
    });
    let addr = space.mmap(wanted).unwrap();
    assert_eq!(Arc::strong_count(&source), 2);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(space.read(byte(addr)), Ok(b'a'));
    space.munmap(addr, PAGE).unwrap();
    assert_eq!(Arc::strong_count(&source), 1);
}

/// What was the heap is anonymous memory like any other once it is moved: with such memory beside it, it is one mapping.
#[test]
fn a_moved_heap_joins_anonymous_memory() {
    let space = space();
    assert_eq!(space.brk(HEAP + PAGE), HEAP + PAGE);
    let target = HEAP + 0x10 * PAGE;
    space
        .mmap(request(target + PAGE, PAGE, PRIVATE | FIXED))
        .unwrap();
    let moved = space.mremap(RemapRequest {
        addr: HEAP,
        old_len: PAGE,
        new_len: PAGE,
        flags: RemapFlags::MAYMOVE | RemapFlags::FIXED,
        new_addr: target,
    });
    assert_eq!(moved, Ok(target));
    let both = space.mappings();
    let both = both.iter().find(|mapping| mapping.start == target).unwrap();
    assert_eq!(both.end, target + 2 * PAGE);
}
