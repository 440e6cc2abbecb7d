//! System V IPC and POSIX message queues without an engine: structures, hostile arguments, limits.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod common;

use common::Guest;
use rawposix::{Config, Errno};
use rawposix_abi::structs::{IpcPerm, Rlimit64, Sembuf, ShmidDs};
use rawposix_memory::GuestPtr;

const CREATE: u32 = 0o1000;
const NO_WAIT: u32 = 0o4000;
const UNDO: u32 = 0x1000;
const RMID: u32 = 0;
const SET: u32 = 1;
const STAT: u32 = 2;

fn guest() -> Guest {
    Guest::new(Config::default())
}

#[test]
fn ids_of_one_sandbox_mean_nothing_in_another() {
    let (mut one, mut two) = (guest(), guest());
    let id = one.call("shmget", &[77, 4096, CREATE | 0o600]).unwrap();
    assert_eq!(two.call("shmget", &[77, 4096, 0]), Err(Errno::ENOENT));
    assert_eq!(two.call("shmat", &[id, 0, 0]), Err(Errno::EINVAL));
    let set = one.call("semget", &[77, 1, CREATE | 0o600]).unwrap();
    assert_eq!(two.call("semget", &[77, 1, 0]), Err(Errno::ENOENT));
    assert_eq!(two.call("semctl", &[set, 0, 12, 0]), Err(Errno::EINVAL));
    let name = two.string("queue");
    let open = one.string("queue");
    one.call("mq_open", &[open, 0o102, 0o600, 0]).unwrap();
    assert_eq!(two.call("mq_open", &[name, 2, 0, 0]), Err(Errno::ENOENT));
}

#[test]
fn segments_are_mapped_and_described() {
    let mut guest = guest();
    let id = guest.call("shmget", &[5, 5000, CREATE | 0o640]).unwrap();
    let one = guest.call("shmat", &[id, 0, 0]).unwrap();
    let two = guest.call("shmat", &[id, 0, 0o10000]).unwrap();
    let memory = guest.thread.memory().clone();
    memory.write(GuestPtr::new(one + 4999), &7_u8).unwrap();
    assert_eq!(memory.read::<u8>(GuestPtr::new(two + 4999)), Ok(7));
    assert_eq!(memory.write(GuestPtr::new(two), &7_u8), Err(Errno::EFAULT));
    let room = guest.room(84);
    guest.call("shmctl", &[id, STAT, room]).unwrap();
    let status: ShmidDs = memory.read(GuestPtr::new(room)).unwrap();
    assert_eq!((status.segsz, status.nattch, status.cpid), (5000, 2, 2));
    assert_eq!((status.perm.key, status.perm.mode), (5, 0o640));
    let shown = memory.mappings();
    let names: Vec<_> = shown
        .iter()
        .filter(|mapping| mapping.label.path.starts_with(b"/SYSV00000005"))
        .collect();
    assert_eq!(names.len(), 2);
    guest.call("shmdt", &[one]).unwrap();
    guest.call("shmctl", &[id, RMID, 0]).unwrap();
    assert_eq!(memory.read::<u8>(GuestPtr::new(two + 4999)), Ok(7));
    assert_eq!(guest.call("shmget", &[5, 0, 0]), Err(Errno::ENOENT));
    guest.call("munmap", &[two, 8192]).unwrap();
    assert_eq!(guest.call("shmctl", &[id, STAT, room]), Err(Errno::EINVAL));
}

#[test]
fn a_segment_counts_for_the_address_space() {
    let mut guest = guest();
    let limit = Rlimit64 {
        current: 8 << 20,
        max: 8 << 20,
    };
    let room = guest.room(16);
    let memory = guest.thread.memory().clone();
    memory.write(GuestPtr::new(room), &limit).unwrap();
    guest.call("prlimit64", &[0, 9, room, 0]).unwrap();
    let id = guest.call("shmget", &[0, 16 << 20, 0o600]).unwrap();
    assert_eq!(guest.call("shmat", &[id, 0, 0]), Err(Errno::ENOMEM));
    guest.call("shmctl", &[id, RMID, 0]).unwrap();
    assert_eq!(guest.call("shmat", &[id, 0, 0]), Err(Errno::EINVAL));
}

#[test]
fn semaphores_do_not_wait_where_they_cannot() {
    let mut guest = guest();
    let set = guest.call("semget", &[0, 2, 0o600]).unwrap();
    let ops = |guest: &mut Guest, ops: &[(u16, i16, u32)]| {
        let list: Vec<u8> = ops
            .iter()
            .flat_map(|&(number, change, flags)| {
                let buf = Sembuf {
                    number,
                    change,
                    flags: i16::try_from(flags).unwrap(),
                };
                zerocopy::IntoBytes::as_bytes(&buf).to_vec()
            })
            .collect();
        let list = guest.bytes(&list);
        guest.call("semop", &[set, list, u32::try_from(ops.len()).unwrap()])
    };
    assert_eq!(ops(&mut guest, &[(0, -1, NO_WAIT)]), Err(Errno::EAGAIN));
    assert_eq!(ops(&mut guest, &[(2, 1, 0)]), Err(Errno::EFBIG));
    assert_eq!(ops(&mut guest, &[(0, 3, UNDO), (1, 1, 0)]), Ok(0));
    assert_eq!(guest.call("semctl", &[set, 0, 12, 0]), Ok(3));
    assert_eq!(
        ops(&mut guest, &[(0, -2, 0), (1, 0, NO_WAIT)]),
        Err(Errno::EAGAIN)
    );
    assert_eq!(guest.call("semctl", &[set, 0, 12, 0]), Ok(3));
    assert_eq!(guest.call("semop", &[set, 8, 1]), Err(Errno::EFAULT));
    assert_eq!(guest.call("semop", &[set, 8, 501]), Err(Errno::E2BIG));
    // What is found in a structure is checked.
    let perm = IpcPerm {
        uid: u32::MAX,
        ..IpcPerm::default()
    };
    let room = guest.bytes(&[zerocopy::IntoBytes::as_bytes(&perm), &[0; 28]].concat());
    assert_eq!(
        guest.call("semctl", &[set, 0, SET, room]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn there_is_an_end_to_everything() {
    let mut guest = guest();
    // Semaphores of all sets together.
    let mut sets = 0;
    let refused = loop {
        match guest.call("semget", &[0, 32_000, 0o600]) {
            Ok(_) => sets += 1,
            Err(errno) => break errno,
        }
    };
    assert_eq!((refused, sets), (Errno::ENOMEM, 32));
    // Bytes of all messages together.
    let text = guest.room(9000);
    let memory = guest.thread.memory().clone();
    memory.write(GuestPtr::new(text), &1_i32).unwrap();
    let refused = 'full: loop {
        let queue = match guest.call("msgget", &[0, 0o600]) {
            Ok(queue) => queue,
            Err(errno) => break errno,
        };
        for _ in 0..2 {
            if let Err(errno) = guest.call("msgsnd", &[queue, text, 8192, NO_WAIT]) {
                break 'full errno;
            }
        }
    };
    assert_eq!(refused, Errno::ENOMEM);
    // RLIMIT_MSGQUEUE.
    let mut queues = 0;
    let refused = loop {
        let name = guest.string(&format!("queue{queues}"));
        match guest.call("mq_open", &[name, 0o102, 0o600, 0]) {
            Ok(_) => queues += 1,
            Err(errno) => break errno,
        }
    };
    assert_eq!((refused, queues), (Errno::EMFILE, 9));
    let name = guest.string("queue0");
    guest.call("mq_unlink", &[name]).unwrap();
    let name = guest.string("queue9");
    // It lives as long as it is open.
    assert_eq!(
        guest.call("mq_open", &[name, 0o102, 0o600, 0]),
        Err(Errno::EMFILE)
    );
    guest.close(3);
    assert_eq!(guest.call("mq_open", &[name, 0o102, 0o600, 0]), Ok(3));
}

#[test]
fn calls_for_files_refuse_queues() {
    let mut guest = guest();
    let name = guest.string("queue");
    let queue = guest.call("mq_open", &[name, 0o102, 0o600, 0]).unwrap();
    let room = guest.room(64);
    assert_eq!(guest.call("write", &[queue, room, 4]), Err(Errno::EINVAL));
    assert_eq!(guest.call("read", &[queue, room, 4]), Err(Errno::EINVAL));
    assert_eq!(
        guest.call("mmap2", &[0, 4096, 1, 1, queue, 0]),
        Err(Errno::ENODEV)
    );
    for (call, arguments) in [
        ("mq_timedsend_time64", [0, room, 4, 0, 0]),
        ("mq_timedreceive_time64", [0, room, 8192, 0, 0]),
        ("mq_notify", [0, 0, 0, 0, 0]),
        ("mq_getsetattr", [0, 0, 0, 0, 0]),
    ] {
        assert_eq!(guest.call(call, &arguments), Err(Errno::EBADF), "{call}");
    }
}

#[test]
fn shared_memory_by_name_is_in_memory_as_far_as_programs_see() {
    const TMPFS: u32 = 0x0102_1994;
    let mut guest = guest();
    let room = guest.room(88);
    let fd = guest.open("/dev/shm/name", 0o102).unwrap();
    for path in ["/dev/shm", "/dev/shm/name"] {
        let name = guest.string(path);
        guest.call("statfs64", &[name, 88, room]).unwrap();
        let kind: u32 = guest.thread.memory().read(GuestPtr::new(room)).unwrap();
        assert_eq!(kind, TMPFS, "{path}");
    }
    guest.call("fstatfs64", &[fd, 88, room]).unwrap();
    let kind: u32 = guest.thread.memory().read(GuestPtr::new(room)).unwrap();
    assert_eq!(kind, TMPFS);
}
