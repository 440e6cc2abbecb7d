//! The trace prints calls as strace(1) does.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use common::{CWD, Guest, mount};
use rawposix::{Access, Config, Signal, Trace, TraceFilter, is_known_filter};
use rawposix_abi::Errno;
use rawposix_abi::structs::Timespec;
use rawposix_memory::GuestPtr;

/// A sink that keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    /// The lines since the last call.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

fn traced(filter: TraceFilter) -> (tempfile::TempDir, Guest, Kept) {
    let dir = tempfile::tempdir().unwrap();
    let kept = Kept::default();
    let guest = Guest::new(Config {
        mounts: vec![mount(dir.path(), "/data", Access::ReadWrite)],
        trace: Some(Trace {
            filter,
            ..Trace::new(Box::new(kept.clone()))
        }),
        ..Config::default()
    });
    (dir, guest, kept)
}

#[test]
fn paths_flags_and_errors() {
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    guest.open("/etc/x", 0o2_000_000).unwrap_err();
    assert_eq!(
        kept.take(),
        "openat(AT_FDCWD, \"/etc/x\", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)\n"
    );
    guest.open("/data/new\n\"", 0o1102).unwrap();
    assert_eq!(
        kept.take(),
        "openat(AT_FDCWD, \"/data/new\\n\\\"\", O_RDWR|O_CREAT|O_TRUNC, 0666) = 3\n"
    );
    guest.call("openat", &[CWD, 16, 0, 0]).unwrap_err();
    assert_eq!(
        kept.take(),
        "openat(AT_FDCWD, 0x10, O_RDONLY)        = -1 EFAULT (Bad address)\n"
    );
}

#[test]
fn buffers_are_shown_when_they_are_known() {
    let (_dir, mut guest, kept) = traced(TraceFilter::Only(vec!["%desc".into()]));
    let fd = guest.open("/data/file", 0o102).unwrap();
    let bytes = guest.bytes(b"0123456789012345678901234567890123456789");
    guest.call("write", &[fd, bytes, 40]).unwrap();
    guest.call("pread64", &[fd, bytes, 5, 2, 0]).unwrap();
    guest.call("read", &[fd, bytes, 5]).unwrap();
    let text = kept.take();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "write(3, \"01234567890123456789012345678901\"..., 40) = 40",
            "pread64(3, \"23456\", 5, 2)               = 5",
            "read(3, \"\", 5)                          = 0",
        ]
    );
}

#[test]
fn structures_are_shown() {
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    let room = guest.room(16);
    guest
        .thread
        .memory()
        .write(
            GuestPtr::new(room),
            &Timespec {
                nsec: 5,
                ..Timespec::default()
            },
        )
        .unwrap();
    guest
        .call("clock_nanosleep_time64", &[0, 0, room, 0])
        .unwrap();
    assert_eq!(
        kept.take(),
        "clock_nanosleep_time64(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=5}, NULL) = 0\n"
    );
    guest.call("prlimit64", &[0, 7, 0, room]).unwrap();
    assert_eq!(
        kept.take(),
        "prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1024, rlim_max=4096}) = 0\n"
    );
    guest.call("rt_sigprocmask", &[0, 0, room, 8]).unwrap();
    assert_eq!(kept.take(), "rt_sigprocmask(SIG_BLOCK, NULL, [], 8)  = 0\n");
    guest
        .call("mmap2", &[0, 4096, 3, 0x22, u32::MAX, 0])
        .unwrap();
    let line = kept.take();
    assert!(
        line.starts_with(
            "mmap2(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0) = 0x"
        ),
        "{line}"
    );
}

#[test]
fn unknown_numbers_are_visible() {
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    let _ = guest.thread.syscall(0x1f5, [1, 2, 3, 4, 5, 6]);
    assert_eq!(
        kept.take(),
        "syscall_0x1f5(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS (Function not implemented)\n"
    );
    guest.call("io_uring_setup", &[1, 0]).unwrap_err();
    assert_eq!(
        kept.take(),
        "io_uring_setup(1, NULL)                 = -1 ENOSYS (Function not implemented)\n"
    );
}

#[test]
fn kernel_aio_shows_requests_and_events() {
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    let word = guest.bytes(&[0; 4]);
    guest.call("io_setup", &[4, word]).unwrap();
    let line = kept.take();
    let id = line.strip_prefix("io_setup(4, [0x").unwrap();
    let id = u32::from_str_radix(id.split(']').next().unwrap(), 16).unwrap();
    let name = guest.bytes(b"file\0");
    let fd = guest.call("memfd_create", &[name, 0]).unwrap();
    kept.take();
    let mut request = [0; 64];
    request[0] = 7;
    // IOCB_CMD_FDSYNC
    request[16] = 3;
    request[20..24].copy_from_slice(&fd.to_le_bytes());
    let request = guest.bytes(&request);
    let array = guest.bytes(&request.to_le_bytes());
    let room = guest.room(32);
    guest.call("io_submit", &[id, 1, array]).unwrap();
    assert_eq!(
        kept.take(),
        format!(
            "io_submit({id:#x}, 1, [{{aio_data=0x7, aio_lio_opcode=IOCB_CMD_FDSYNC, aio_fildes={fd}, aio_buf=0x0, aio_nbytes=0, aio_offset=0}}]) = 1\n"
        )
    );
    guest
        .call("io_pgetevents_time64", &[id, 1, 1, room, 0, 0])
        .unwrap();
    assert_eq!(
        kept.take(),
        format!(
            "io_pgetevents_time64({id:#x}, 1, 1, [{{data=0x7, obj={request:#x}, res=0, res2=0}}], NULL, NULL) = 1\n"
        )
    );
}

#[test]
fn sockets_show_addresses_options_and_messages() {
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    let fd = guest.call("socket", &[2, 2 | 0o4000, 0]).unwrap();
    let address = guest.bytes(&[2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    guest.call("bind", &[fd, address, 16]).unwrap();
    let one = guest.bytes(&[1, 0, 0, 0]);
    guest.call("setsockopt", &[fd, 1, 2, one, 4]).unwrap();
    let room = guest.room(16);
    let length = guest.bytes(&[4, 0, 0, 0]);
    guest.call("getsockopt", &[fd, 1, 3, room, length]).unwrap();
    let text = guest.bytes(b"text");
    let part = guest.bytes(&[text.to_le_bytes(), 4_u32.to_le_bytes()].concat());
    let words = [address, 16, part, 1, 0, 0, 0];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let message = guest.bytes(&bytes);
    guest.call("sendmsg", &[fd, message, 0x4000]).unwrap();
    let room = guest.room(16);
    let length = guest.bytes(&[16, 0, 0, 0]);
    guest
        .call("recvfrom", &[fd, room, 16, 2, room, length])
        .unwrap();
    guest.call("recvfrom", &[fd, room, 16, 0, 0, 0]).unwrap();
    guest.call("shutdown", &[fd, 2]).unwrap_err();
    let name = guest.bytes(b"\x01\0\0name");
    let fd = guest.call("socket", &[1, 1, 0]).unwrap();
    guest.call("connect", &[fd, name, 7]).unwrap_err();
    let shown = kept.take();
    let lines: Vec<(&str, &str)> = shown
        .lines()
        .map(|line| line.split_once(" = ").unwrap())
        .map(|(call, result)| (call.trim_end(), result))
        .collect();
    let to = "{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}";
    let message = format!(
        "{{msg_name={to}, msg_namelen=16, msg_iov=[{{iov_base=\"text\", iov_len=4}}], msg_iovlen=1, msg_controllen=0, msg_flags=0}}"
    );
    let expected = [
        ("socket(AF_INET, SOCK_DGRAM|SOCK_NONBLOCK, 0)", "3"),
        (&*format!("bind(3, {to}, 16)"), "0"),
        ("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4)", "0"),
        ("getsockopt(3, SOL_SOCKET, SO_TYPE, [2], [4])", "0"),
        (&*format!("sendmsg(3, {message}, MSG_NOSIGNAL)"), "4"),
        (
            &*format!("recvfrom(3, \"\\2\\0\\0P\", 16, MSG_PEEK, {to}, [16])"),
            "4",
        ),
        ("recvfrom(3, \"text\", 16, 0, NULL, NULL)", "4"),
        (
            "shutdown(3, SHUT_RDWR)",
            "-1 ENOTCONN (Transport endpoint is not connected)",
        ),
        ("socket(AF_UNIX, SOCK_STREAM, 0)", "4"),
        (
            "connect(4, {sa_family=AF_UNIX, sun_path=@\"name\"}, 7)",
            "-1 ECONNREFUSED (Connection refused)",
        ),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn ends_are_shown() {
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    guest.end("exit_group", &[7]);
    assert_eq!(
        kept.take(),
        "exit_group(7)                           = ?\n+++ exited with 7 +++\n"
    );
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    guest.end("tgkill", &[2, 2, 6]);
    assert_eq!(
        kept.take(),
        "tgkill(2, 2, SIGABRT)                   = ?\n--- SIGABRT {si_signo=SIGABRT, si_code=SI_TKILL, si_pid=2, si_uid=1000} ---\n+++ killed by SIGABRT (core dumped) +++\n"
    );
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    let _ = guest.thread.fault(Signal::SIGFPE);
    assert_eq!(
        kept.take(),
        "--- SIGFPE {si_signo=SIGFPE, si_code=SI_KERNEL} ---\n+++ killed by SIGFPE (core dumped) +++\n"
    );
}

#[test]
fn filters_choose_calls() {
    let (_dir, mut guest, kept) = traced(TraceFilter::Only(vec!["lseek".into(), "%memory".into()]));
    guest.call("getpid", &[]).unwrap();
    guest.call("brk", &[0]).unwrap();
    guest.call("llseek", &[0, 0, 0, 0, 9]).unwrap_err();
    let text = kept.take();
    let names: Vec<&str> = text
        .lines()
        .map(|line| line.split('(').next().unwrap())
        .collect();
    assert_eq!(names, ["brk", "llseek"]);
    for known in [
        "read",
        "lseek",
        "fcntl",
        "futex",
        "%file",
        "%network",
        "ftruncate",
        "pipe",
    ] {
        assert!(is_known_filter(known), "{known}");
    }
    for unknown in ["", "%", "readx", "%nothing", "open"] {
        assert!(!is_known_filter(unknown), "{unknown}");
    }
}

#[test]
fn interprocess_communication() {
    let (_dir, mut guest, kept) = traced(TraceFilter::All);
    let segment = guest.call("shmget", &[0, 4096, 0o1600]).unwrap();
    guest.call("shmctl", &[segment, 0, 0]).unwrap();
    let set = guest.call("semget", &[7, 2, 0o3640]).unwrap();
    let ops = guest.bytes(&[0, 0, 1, 0, 0, 16, 1, 0, 255, 255, 0, 8]);
    guest.call("semop", &[set, ops, 2]).unwrap_err();
    guest.call("semctl", &[set, 1, 16, 3]).unwrap();
    let queue = guest.call("msgget", &[0, 0]).unwrap();
    let room = guest.room(64);
    guest
        .call("msgrcv", &[queue, room, 8, 0, 0o14000])
        .unwrap_err();
    let name = guest.string("queue");
    let attr = guest.bytes(
        &[
            [0, 0, 0, 0],
            [3, 0, 0, 0],
            [8, 0, 0, 0],
            [0; 4],
            [0; 4],
            [0; 4],
            [0; 4],
            [0; 4],
        ]
        .concat(),
    );
    guest.call("mq_open", &[name, 0o102, 0o600, attr]).unwrap();
    assert_eq!(
        kept.take().replace(&format!("{room:#x}"), "ROOM"),
        "shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = 0\n\
         shmctl(0, IPC_RMID, NULL)               = 0\n\
         semget(0x7, 2, IPC_CREAT|IPC_EXCL|0640) = 0\n\
         semop(0, [{sem_num=0, sem_op=1, sem_flg=SEM_UNDO}, {sem_num=1, sem_op=-1, sem_flg=IPC_NOWAIT}], 2) = \
         -1 EAGAIN (Resource temporarily unavailable)\n\
         semctl(0, 1, SETVAL, 0x3)               = 0\n\
         msgget(IPC_PRIVATE, 000)                = 0\n\
         msgrcv(0, ROOM, 8, 0, IPC_NOWAIT|MSG_NOERROR) = -1 EACCES (Permission denied)\n\
         mq_open(\"queue\", O_RDWR|O_CREAT, 0600, {mq_flags=0, mq_maxmsg=3, mq_msgsize=8, mq_curmsgs=0}) = 3\n"
    );
}

#[test]
fn filters_of_calls_and_what_they_do() {
    let filter = ["seccomp", "getppid"].map(str::to_owned).to_vec();
    let (_dir, mut guest, kept) = traced(TraceFilter::Only(filter));
    // Load the number; SIGSYS with 5 for getppid, everything else is allowed.
    let program: [(u16, u8, u8, u32); 4] = [
        (0x20, 0, 0, 0),
        (0x15, 0, 1, 173),
        (0x06, 0, 0, 0x0003_0005),
        (0x06, 0, 0, 0x7fff_0000),
    ];
    let mut bytes = Vec::new();
    for (code, yes, no, k) in program {
        bytes.extend(code.to_le_bytes());
        bytes.extend([yes, no]);
        bytes.extend(k.to_le_bytes());
    }
    let program = guest.bytes(&bytes);
    let mut head = vec![4, 0, 0, 0];
    head.extend(program.to_le_bytes());
    let head = guest.bytes(&head);
    assert_eq!(guest.call("seccomp", &[1, 0, head]), Err(Errno::EACCES));
    guest.call("prctl", &[38, 1, 0, 0, 0]).unwrap();
    kept.take();
    guest.call("seccomp", &[1, 2, head]).unwrap();
    guest.call("getpid", &[]).unwrap();
    assert_eq!(guest.call("seccomp", &[0, 0, 0]), Err(Errno::EINVAL));
    guest.end("getppid", &[]);
    let arguments = format!("SECCOMP_FILTER_FLAG_LOG, {head:#x}");
    let expected = format!(
        "seccomp(SECCOMP_SET_MODE_FILTER, {arguments}) = 0\n\
         seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL) = -1 EINVAL (Invalid argument)\n\
         getppid()                               = ?\n\
         --- SIGSYS {{si_signo=SIGSYS, si_code=SYS_SECCOMP, si_errno=5, si_call_addr=NULL, si_syscall=__NR_getppid, si_arch=0x40004157}} ---\n\
         +++ killed by SIGSYS (core dumped) +++\n"
    );
    assert_eq!(kept.take(), expected);
}
