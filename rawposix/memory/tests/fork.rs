//! Copies of an address space.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::{
    AddressSpace, FileSource, GuestPtr, MapFlags, MapRequest, Protection, Writers,
};

const PAGE: u32 = 4096;
const HEAP: u32 = 0x10_0000;
const RW: Protection = Protection::READ.union(Protection::WRITE);

fn byte(addr: u32) -> GuestPtr<u8> {
    GuestPtr::new(addr)
}

fn map(space: &AddressSpace, len: u32, flags: u32, file: Option<FileSource>) -> u32 {
    let flags = MapFlags::from_bits_retain(flags);
    let request = MapRequest {
        addr: 0,
        len,
        prot: RW,
        flags,
        file,
    };
    space.mmap(request).unwrap()
}

#[test]
fn private_memory_is_copied_and_shared_memory_is_shared() {
    let parent = AddressSpace::new().unwrap();
    parent.map_image(u64::from(HEAP)).unwrap();
    parent.brk(HEAP + 10 * PAGE);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[7; 3 * PAGE as usize]).unwrap();
    let source = Some(FileSource {
        file: Arc::new(OwnedFd::from(file)),
        offset: 0,
    });
    let shared = map(&parent, 4 * PAGE, 0x21, None);
    let private_file = map(&parent, 3 * PAGE, 2, source.clone());
    let shared_file = map(&parent, 3 * PAGE, 1, source);
    let hidden = map(&parent, 2 * PAGE, 0x22, None);
    let absent = map(&parent, PAGE, 0x22, None);
    let wiped = map(&parent, PAGE, 0x22, None);
    let all = [
        0x1_0000,
        HEAP + 9 * PAGE,
        shared,
        private_file + PAGE,
        hidden,
        absent,
        wiped,
    ];
    for addr in all {
        parent.write(byte(addr), &1).unwrap();
    }
    parent
        .mprotect(hidden, 2 * PAGE, Protection::empty())
        .unwrap();
    parent.mprotect(0x1_0000, PAGE, Protection::READ).unwrap();
    parent.madvise(absent, PAGE, 10).unwrap();
    parent.madvise(wiped, PAGE, 18).unwrap();

    let child = parent.fork(Writers::Caller).unwrap();
    let mut expected = parent.mappings();
    expected.retain(|mapping| mapping.start != absent);
    assert_eq!(child.mappings(), expected);
    assert_eq!(child.brk(0), HEAP + 10 * PAGE);
    assert_eq!(child.usage().total, parent.usage().total - u64::from(PAGE));
    for addr in [0x1_0000, HEAP + 9 * PAGE, shared, private_file + PAGE] {
        assert_eq!(child.read(byte(addr)), Ok(1), "{addr:#x}");
    }
    assert_eq!(child.read(byte(private_file)), Ok(7));
    assert_eq!(child.read(byte(hidden)), Err(Errno::EFAULT));
    assert_eq!(parent.read(byte(hidden)), Err(Errno::EFAULT));
    assert_eq!(child.write(byte(0x1_0000), &2), Err(Errno::EFAULT));
    child.mprotect(hidden, PAGE, Protection::READ).unwrap();
    assert_eq!(child.read(byte(hidden)), Ok(1));
    assert_eq!(child.read(byte(absent)), Err(Errno::EFAULT));
    assert_eq!(child.read(byte(wiped)), Ok(0));

    for addr in [HEAP, private_file, shared + PAGE, shared_file + PAGE] {
        child.write(byte(addr), &9).unwrap();
    }
    assert_eq!(parent.read(byte(HEAP)), Ok(0));
    assert_eq!(parent.read(byte(private_file)), Ok(7));
    assert_eq!(parent.read(byte(shared + PAGE)), Ok(9));
    assert_eq!(parent.read(byte(shared_file + PAGE)), Ok(9));
    drop(parent);
    assert_eq!(child.read(byte(shared)), Ok(1));
}

#[test]
fn only_pages_that_exist_are_copied() {
    let parent = AddressSpace::new().unwrap();
    let addr = map(&parent, 0x8000_0000, 0x4022, None);
    for page in [0, 1, 8191, 8192, 0x7_ffff] {
        parent.write(byte(addr + page * PAGE), &5).unwrap();
    }
    let child = parent.fork(Writers::Caller).unwrap();
    let resident = map(&child, 0x8_0000, 0x22, None);
    child.mincore(addr, 0x8000_0000, byte(resident)).unwrap();
    let mut seen = vec![0; 0x8_0000];
    child.read_bytes(byte(resident), &mut seen).unwrap();
    let pages: Vec<usize> = (0..seen.len())
        .filter(|&n| seen.get(n) == Some(&1))
        .collect();
    assert_eq!(pages, [0, 1, 8191, 8192, 0x7_ffff]);
}
