//! Copies between host and guest memory: every bad pointer is EFAULT, nothing is worse.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a panic is how a test fails"
)]

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use rawposix_abi::Errno;
use rawposix_memory::{
    AddressSpace, FileSource, GuestCStr, GuestPtr, GuestSlice, MapFlags, MapRequest, Protection,
    TOP, fault,
};

const PAGE: u32 = 4096;
const IMAGE_END: u32 = 0x2_0000;

fn space() -> Arc<AddressSpace> {
    let space = AddressSpace::new().unwrap();
    space.map_image(u64::from(IMAGE_END)).unwrap();
    space
}

fn bytes(addr: u32) -> GuestPtr<u8> {
    GuestPtr::new(addr)
}

fn anonymous(addr: u32, pages: u32, prot: Protection) -> MapRequest {
    MapRequest {
        addr,
        len: pages * PAGE,
        prot,
        flags: MapFlags::PRIVATE | MapFlags::ANONYMOUS | MapFlags::FIXED,
        file: None,
    }
}

#[test]
fn values_come_back_as_written() {
    let space = space();
    let ptr = GuestPtr::<u64>::new(0x1_0003);
    space.write(ptr, &0x0123_4567_89ab_cdef).unwrap();
    assert_eq!(space.read(ptr), Ok(0x0123_4567_89ab_cdef));
    let array = GuestPtr::<u32>::new(0x1_1000);
    space.write_slice(array, &[1, 2, 3]).unwrap();
    assert_eq!(
        space.read_slice(GuestSlice::new(array, 4)),
        Ok(vec![1, 2, 3, 0])
    );
    space.zero(array.cast(), 8).unwrap();
    assert_eq!(
        space.read_slice(GuestSlice::new(array, 3)),
        Ok(vec![0, 0, 3])
    );
}

#[test]
fn bad_pointers_are_efault() {
    let space = space();
    for addr in [
        0,
        0xffff,
        IMAGE_END - 3,
        IMAGE_END,
        TOP - 4,
        TOP,
        u32::MAX - 3,
        u32::MAX,
    ] {
        let ptr = GuestPtr::<u32>::new(addr);
        assert_eq!(space.read(ptr), Err(Errno::EFAULT), "{addr:#x}");
        assert_eq!(space.write(ptr, &0), Err(Errno::EFAULT), "{addr:#x}");
        assert_eq!(space.load_u32(ptr), Err(Errno::EFAULT), "{addr:#x}");
        assert_eq!(space.zero(ptr.cast(), 4), Err(Errno::EFAULT), "{addr:#x}");
        if addr % 4 == 0 {
            assert_eq!(space.swap_u32(ptr, 1), Err(Errno::EFAULT), "{addr:#x}");
            let exchanged = space.compare_exchange_u32(ptr, 0, 1);
            assert_eq!(exchanged, Err(Errno::EFAULT), "{addr:#x}");
        }
        assert_eq!(
            space.read_cstr(GuestCStr::new(addr), 10).is_err(),
            addr != IMAGE_END - 3
        );
    }
    let huge = GuestSlice::<u64>::new(GuestPtr::new(0x1_0000), u32::MAX);
    assert_eq!(space.read_slice(huge), Err(Errno::EFAULT));
}

#[test]
fn nothing_is_no_access() {
    let space = space();
    assert_eq!(space.read_bytes(bytes(0), &mut []), Ok(()));
    assert_eq!(space.write_bytes(bytes(u32::MAX), &[]), Ok(()));
    assert_eq!(space.zero(bytes(0), 0), Ok(()));
}

#[test]
fn protection_is_obeyed() {
    let space = space();
    let ptr = GuestPtr::<u32>::new(0x1_1000);
    space.write(ptr, &7).unwrap();
    space.mprotect(0x1_1000, PAGE, Protection::READ).unwrap();
    assert_eq!(space.read(ptr), Ok(7));
    assert_eq!(space.write(ptr, &8), Err(Errno::EFAULT));
    assert_eq!(space.swap_u32(ptr, 8), Err(Errno::EFAULT));
    space.mprotect(0x1_1000, PAGE, Protection::EXEC).unwrap();
    assert_eq!(space.read(ptr), Ok(7));
    space.mprotect(0x1_1000, PAGE, Protection::empty()).unwrap();
    assert_eq!(space.read(ptr), Err(Errno::EFAULT));
    let both = Protection::READ | Protection::WRITE;
    space.mprotect(0x1_1000, PAGE, both).unwrap();
    assert_eq!(space.read(ptr), Ok(7));
}

#[test]
fn a_copy_stops_at_the_bad_page() {
    let space = space();
    space.munmap(0x1_2000, PAGE).unwrap();
    let data = vec![0xaa; 3 * PAGE as usize];
    assert_eq!(
        space.write_bytes(bytes(0x1_1000), &data),
        Err(Errno::EFAULT)
    );
    assert_eq!(space.read(bytes(0x1_1fff)), Ok(0xaa));
    assert_eq!(space.read(bytes(0x1_3000)), Ok(0));
    let mut buffer = data;
    assert_eq!(
        space.read_bytes(bytes(0x1_1000), &mut buffer),
        Err(Errno::EFAULT)
    );
}

#[test]
fn a_string_may_end_where_memory_ends() {
    let space = space();
    let text = vec![b'x'; 5000];
    let start = IMAGE_END - 5001;
    space.write_bytes(bytes(start), &text).unwrap();
    let string = space.read_cstr(GuestCStr::new(start), 1 << 20).unwrap();
    assert_eq!(string.as_bytes(), text);
    // The terminator counts.
    assert!(space.read_cstr(GuestCStr::new(start), 5001).is_ok());
    let short = space.read_cstr(GuestCStr::new(start), 5000);
    assert_eq!(short, Err(Errno::ENAMETOOLONG));
    // Without a terminator the end is a fault.
    space.write(bytes(IMAGE_END - 1), &b'x').unwrap();
    let open = space.read_cstr(GuestCStr::new(start), 1 << 20);
    assert_eq!(open, Err(Errno::EFAULT));
    assert_eq!(
        space
            .read_cstr(GuestCStr::new(0x1_0000), 1)
            .map(|s| s.as_bytes().len()),
        Ok(0)
    );
}

#[test]
fn words_change_atomically() {
    let space = space();
    let word = GuestPtr::<u32>::new(0x1_0008);
    assert_eq!(space.compare_exchange_u32(word, 0, 5), Ok(Ok(0)));
    assert_eq!(space.compare_exchange_u32(word, 0, 6), Ok(Err(5)));
    assert_eq!(space.swap_u32(word, 9), Ok(5));
    assert_eq!(space.load_u32(word), Ok(9));
    let odd = GuestPtr::<u32>::new(0x1_0009);
    assert_eq!(space.compare_exchange_u32(odd, 0, 5), Err(Errno::EINVAL));
    assert_eq!(space.store_u32(odd, 0), Err(Errno::EINVAL));
}

#[test]
fn a_mapping_past_the_end_of_its_file_is_efault() {
    let space = space();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"short").unwrap();
    let addr = map_file(&space, file, 2);
    let mut start = [1; 6];
    space.read_bytes(bytes(addr), &mut start).unwrap();
    assert_eq!(&start, b"short\0");
    assert_eq!(space.read(bytes(addr + PAGE)), Err(Errno::EFAULT));
    assert_eq!(space.write(bytes(addr + PAGE), &1), Err(Errno::EFAULT));
}

fn map_file(space: &AddressSpace, file: File, pages: u32) -> u32 {
    space
        .mmap(MapRequest {
            addr: 0,
            len: pages * PAGE,
            prot: Protection::READ | Protection::WRITE,
            flags: MapFlags::SHARED,
            file: Some(FileSource {
                file: Arc::new(OwnedFd::from(file)),
                offset: 0,
            }),
        })
        .unwrap()
}

#[test]
fn unmapping_during_copies_is_efault_or_a_copy() {
    let space = space();
    let addr = 0x100_0000;
    let pages = 16;
    let both = Protection::READ | Protection::WRITE;
    space.mmap(anonymous(addr, pages, both)).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..3000 {
                space.munmap(addr + 4 * PAGE, 4 * PAGE).unwrap();
                space.mmap(anonymous(addr + 4 * PAGE, 4, both)).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        for byte in 1..3_u8 {
            let (space, done) = (&space, &done);
            scope.spawn(move || {
                let data = vec![byte; (pages * PAGE) as usize];
                let mut buffer = data.clone();
                let mut faults = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    for result in [
                        space.write_bytes(bytes(addr), &data),
                        space.read_bytes(bytes(addr), &mut buffer),
                    ] {
                        match result {
                            Ok(()) => {}
                            Err(error) => {
                                assert_eq!(error, Errno::EFAULT);
                                faults += 1;
                            }
                        }
                    }
                    assert!(buffer.iter().all(|&byte| byte < 3));
                }
                faults
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The copy routine is memmove, for every length and overlap.
    #[test]
    fn copy_is_memmove(from in 0..3000_usize, to in 0..3000_usize, len in prop_oneof![0..70_usize, 0..2500_usize]) {
        let mut memory: Vec<u8> = (0..6000_u32).map(|i| (i * 7 + i / 256) as u8).collect();
        let mut expected = memory.clone();
        expected.copy_within(from..from + len, to);
        let base = memory.as_mut_ptr();
        let dst = base.wrapping_add(to);
        let src = base.wrapping_add(from);
        // SAFETY: both ranges lie in the vector.
        let result = unsafe { fault::copy(dst, src, len) };
        prop_assert_eq!(result, 0);
        prop_assert!(memory == expected);
    }

    /// The fill routine sets exactly its range, for every length.
    #[test]
    fn fill_is_memset(at in 0..100_usize, byte: u8, len in prop_oneof![0..70_usize, 0..2500_usize]) {
        let mut memory = vec![byte.wrapping_add(1); 3000];
        let mut expected = memory.clone();
        expected[at..at + len].fill(byte);
        let dst = memory.as_mut_ptr().wrapping_add(at);
        // SAFETY: the range lies in the vector.
        let result = unsafe { fault::fill(dst, byte, len) };
        prop_assert_eq!(result, 0);
        prop_assert!(memory == expected);
    }

    /// A copy near a bad page faults exactly when it touches it, and changes nothing behind.
    #[test]
    fn copies_across_a_page_end(start in 1..200_u32, len in 1..400_u32) {
        let space = space();
        let start = IMAGE_END - start;
        let data = vec![0x55; len as usize];
        let fits = start + len <= IMAGE_END;
        let result = space.write_bytes(bytes(start), &data);
        prop_assert_eq!(result, if fits { Ok(()) } else { Err(Errno::EFAULT) });
        let mut back = vec![0; len as usize];
        let result = space.read_bytes(bytes(start), &mut back);
        prop_assert_eq!(result, if fits { Ok(()) } else { Err(Errno::EFAULT) });
        if fits {
            prop_assert_eq!(back, data);
        }
    }
}
