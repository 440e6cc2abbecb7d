//! System calls of the host on guest memory.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_memory::{AddressSpace, GuestIovec, GuestPtr, GuestSlice, IoVecs, Protection};

const END: u32 = 0x2_0000;
const BUFFER: u32 = 0x1_1000;

fn space() -> Arc<AddressSpace> {
    let space = AddressSpace::new().unwrap();
    space.map_image(u64::from(END)).unwrap();
    space
}

fn slice(addr: u32, len: u32) -> GuestSlice<u8> {
    GuestSlice::new(GuestPtr::new(addr), len)
}

fn iovecs(space: &AddressSpace, ranges: &[(u32, u32)]) -> Result<IoVecs, Errno> {
    let array: Vec<GuestIovec> = ranges
        .iter()
        .map(|&(base, len)| GuestIovec { base, len })
        .collect();
    let ptr = GuestPtr::new(0x1_0000);
    space.write_slice(ptr, &array)?;
    space.read_iovecs(ptr, u32::try_from(array.len()).unwrap())
}

#[test]
fn reads_and_writes() {
    let space = space();
    let mut file = tempfile::tempfile().unwrap();
    space.write_bytes(GuestPtr::new(BUFFER), b"hello").unwrap();
    assert_eq!(space.write_fd(file.as_fd(), slice(BUFFER, 5)), Ok(5));
    assert_eq!(space.pwrite_fd(file.as_fd(), slice(BUFFER, 1), 4), Ok(1));
    file.seek(SeekFrom::Start(1)).unwrap();
    assert_eq!(space.read_fd(file.as_fd(), slice(BUFFER + 100, 50)), Ok(4));
    assert_eq!(space.read(GuestPtr::new(BUFFER + 100)), Ok(*b"ellh"));
    assert_eq!(space.pread_fd(file.as_fd(), slice(BUFFER, 2), 3), Ok(2));
    assert_eq!(
        space.pread_fd(file.as_fd(), slice(BUFFER, 2), -1),
        Err(Errno::EINVAL)
    );
    assert_eq!(space.read(GuestPtr::new(BUFFER)), Ok(*b"lhllo"));
}

#[test]
fn bad_ranges_are_efault_or_short() {
    let space = space();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[1; 10_000]).unwrap();
    let fd = file.as_fd();
    assert_eq!(space.pread_fd(fd, slice(0, 8), 0), Err(Errno::EFAULT));
    assert_eq!(space.pread_fd(fd, slice(END, 8), 0), Err(Errno::EFAULT));
    assert_eq!(
        space.pread_fd(fd, slice(u32::MAX, 2), 0),
        Err(Errno::EFAULT)
    );
    assert_eq!(
        space.pread_fd(fd, slice(0x1_0000, 0x8000_0000), 0),
        Err(Errno::EINVAL)
    );
    assert_eq!(space.pread_fd(fd, slice(END - 4096, 8192), 0), Ok(4096));
    space.mprotect(BUFFER, 4096, Protection::READ).unwrap();
    assert_eq!(space.pread_fd(fd, slice(BUFFER, 8), 0), Err(Errno::EFAULT));
    assert_eq!(space.pwrite_fd(fd, slice(BUFFER, 8), 0), Ok(8));
    assert_eq!(space.pwrite_fd(fd, slice(0, 8), 0), Err(Errno::EFAULT));
    assert_eq!(space.getrandom(slice(0, 8), 0), Err(Errno::EFAULT));
    assert_eq!(space.getrandom(slice(END - 8, 8), 0), Ok(8));
    assert_eq!(space.getrandom(slice(END - 8, 8), 0x80), Err(Errno::EINVAL));
}

#[test]
fn vectors() {
    let space = space();
    let mut file = tempfile::tempfile().unwrap();
    space
        .write_bytes(GuestPtr::new(BUFFER), b"hello world")
        .unwrap();
    let ranges = iovecs(&space, &[(BUFFER + 6, 5), (0, 0), (BUFFER, 5)]).unwrap();
    assert_eq!(ranges.total(), 10);
    assert_eq!(ranges.ranges().next(), Some(slice(BUFFER + 6, 5)));
    assert_eq!(space.writev_fd(file.as_fd(), &ranges), Ok(10));
    assert_eq!(space.pwritev_fd(file.as_fd(), &ranges, 10, 0), Ok(10));
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "worldhelloworldhello");
    let target = iovecs(&space, &[(BUFFER, 3), (BUFFER + 8, 100)]).unwrap();
    assert_eq!(space.preadv_fd(file.as_fd(), &target, 5, 0), Ok(15));
    assert_eq!(space.read(GuestPtr::new(BUFFER)), Ok(*b"hel"));
    assert_eq!(space.read(GuestPtr::new(BUFFER + 8)), Ok(*b"loworldhello"));
    file.seek(SeekFrom::Start(18)).unwrap();
    assert_eq!(space.readv_fd(file.as_fd(), &target), Ok(2));
    assert_eq!(
        space.preadv_fd(file.as_fd(), &target, -2, 0),
        Err(Errno::EINVAL)
    );
    assert!(space.preadv_fd(file.as_fd(), &target, 0, 0x4000).is_err());
    let half = iovecs(&space, &[(BUFFER, 3), (0, 100)]).unwrap();
    assert_eq!(space.preadv_fd(file.as_fd(), &half, 0, 0), Ok(3));
}

#[test]
fn hostile_vectors() {
    let space = space();
    let read = |addr, count| space.read_iovecs(GuestPtr::new(addr), count).map(|_| ());
    assert_eq!(read(0x1_0000, 1025), Err(Errno::EINVAL));
    assert_eq!(read(0x1_0000, u32::MAX), Err(Errno::EINVAL));
    assert_eq!(read(0, 1), Err(Errno::EFAULT));
    assert_eq!(read(END - 4, 1), Err(Errno::EFAULT));
    assert_eq!(read(0, 0), Ok(()));
    let error = |ranges: &[(u32, u32)]| iovecs(&space, ranges).map(|_| ());
    assert_eq!(error(&[(0, 0x8000_0000)]), Err(Errno::EINVAL));
    assert_eq!(error(&[(0xffff_ffff, 2)]), Err(Errno::EFAULT));
    let long = vec![(0x1_0000, i32::MAX.cast_unsigned()); 1024];
    assert_eq!(iovecs(&space, &long).unwrap().total(), 1024 * 0x7fff_ffff);
}
