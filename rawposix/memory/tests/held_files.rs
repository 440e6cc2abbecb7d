//! The host's descriptors are not used up by mappings. One test: the limit is read once a process.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use rawposix_abi::Errno;
use rawposix_memory::{AddressSpace, MapFlags, MapRequest, Protection};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn shared_mappings_leave_descriptors_for_the_host() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: Some(100),
        maximum,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let space = AddressSpace::new().unwrap();
    let map = || {
        space.mmap(MapRequest {
            addr: 0,
            len: 3 * AddressSpace::PAGE_SIZE,
            prot: Protection::READ | Protection::WRITE,
            flags: MapFlags::SHARED | MapFlags::ANONYMOUS,
            file: None,
        })
    };
    let addresses: Vec<u32> = (0..50).map(|_| map().unwrap()).collect();
    assert_eq!(map(), Err(Errno::ENFILE));
    let first = *addresses.first().unwrap();
    space.munmap(first, AddressSpace::PAGE_SIZE).unwrap();
    assert_eq!(map(), Err(Errno::ENFILE), "part of the mapping is left");
    space.munmap(first, 3 * AddressSpace::PAGE_SIZE).unwrap();
    assert!(map().is_ok());
    std::fs::File::open("/dev/null").unwrap();
}
