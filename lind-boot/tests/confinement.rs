//! The filter on lind's own process: each case is a process of its own, which confines itself and then makes one call.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};

use lind_boot::host::confine_process;
use rawposix::Net;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket, socketpair};

/// Names the case that the process is to perform.
const CASE: &str = "LIND_CONFINEMENT_CASE";
/// What a case ends with whose call came back.
const CAME_BACK: i32 = 42;

/// A call, with the network that is granted.
type Case = (&'static str, Net, fn());

/// Makes a system call without looking at its result.
fn raw(number: libc::c_long, arguments: [libc::c_long; 3]) {
    let [a, b, c] = arguments;
    // SAFETY: the calls of the cases below are refused, or take no pointers.
    unsafe { libc::syscall(number, a, b, c) };
}

fn own_pid() -> libc::c_long {
    libc::c_long::from(std::process::id().cast_signed())
}

const BLOCKED: &[Case] = &[
    ("a program is executed", Net::Host, || {
        let _ = Command::new("/bin/true").status();
    }),
    ("execve", Net::Host, || raw(libc::SYS_execve, [0; 3])),
    ("fork", Net::Host, || {
        raw(libc::SYS_clone, [libc::c_long::from(libc::SIGCHLD), 0, 0]);
    }),
    ("a signal to another process", Net::Host, || {
        raw(libc::SYS_kill, [1, 0, 0]);
    }),
    ("a signal to all processes", Net::Host, || {
        raw(libc::SYS_kill, [-1, 0, 0]);
    }),
    ("a signal to another process' thread", Net::Host, || {
        raw(libc::SYS_tgkill, [1, 1, 0]);
    }),
    ("ptrace", Net::Host, || raw(libc::SYS_ptrace, [0; 3])),
    ("the limits of another process", Net::Host, || {
        raw(libc::SYS_prlimit64, [1, 7, 0]);
    }),
    ("a handle to another process", Net::Host, || {
        raw(libc::SYS_pidfd_open, [1, 0, 0]);
    }),
    ("a namespace", Net::Host, || raw(libc::SYS_unshare, [0; 3])),
    ("a mount", Net::Host, || raw(libc::SYS_umount2, [0; 3])),
    ("a program for the kernel", Net::Host, || {
        raw(libc::SYS_bpf, [0; 3]);
    }),
    ("a ring of calls", Net::Host, || {
        raw(libc::SYS_io_uring_setup, [0; 3]);
    }),
    ("a key at a terminal", Net::Host, || {
        raw(libc::SYS_ioctl, [0, 0x5412, 0]);
    }),
    ("signals of a descriptor", Net::Host, || {
        raw(libc::SYS_fcntl, [0, libc::F_SETOWN.into(), own_pid()]);
    }),
    ("a core dump of a set-user-ID program", Net::Host, || {
        raw(libc::SYS_prctl, [libc::PR_SET_DUMPABLE.into(), 1, 0]);
    }),
    ("another user", Net::Host, || raw(libc::SYS_setuid, [0; 3])),
    ("a network that is not granted", Net::None, || {
        let _ = socket(AddressFamily::INET, SocketType::STREAM, None);
    }),
    ("a socket with a name on the host", Net::None, || {
        let _ = socket(AddressFamily::UNIX, SocketType::STREAM, None);
    }),
    ("raw packets", Net::Host, || {
        let _ = socket(AddressFamily::PACKET, SocketType::RAW, None);
    }),
];

const ALLOWED: &[Case] = &[
    ("threads", Net::None, || {
        std::thread::spawn(|| ()).join().unwrap();
    }),
    ("files", Net::None, || {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "text").unwrap();
        std::fs::rename(dir.path().join("file"), dir.path().join("other")).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }),
    ("a signal to itself", Net::None, || {
        raw(libc::SYS_kill, [own_pid(), 0, 0]);
    }),
    ("a network that is granted", Net::Host, || {
        socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    }),
    ("a pair of sockets", Net::None, || {
        let flags = SocketFlags::empty();
        socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
    }),
];

/// Runs a case in a process of its own.
fn perform((name, _, _): &Case) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "one_case", "--nocapture", "--test-threads=1"])
        .env(CASE, name)
        .output()
        .unwrap()
}

/// Not a test of its own: what [`perform`] runs.
#[test]
fn one_case() {
    let Ok(name) = std::env::var(CASE) else {
        return;
    };
    let (_, net, call) = BLOCKED
        .iter()
        .chain(ALLOWED)
        .find(|(known, ..)| *known == name)
        .unwrap();
    confine_process(*net).unwrap();
    call();
    std::process::exit(CAME_BACK);
}

#[test]
fn other_calls_than_linds_end_it() {
    for case in BLOCKED {
        let output = perform(case);
        let text = String::from_utf8_lossy(&output.stderr);
        // Where all signals are blocked, as in posix_spawn(3), the signal ends the process itself.
        if output.status.signal() == Some(libc::SIGSYS) {
            continue;
        }
        assert_eq!(output.status.code(), Some(125), "{}: {text}", case.0);
        assert!(
            text.contains("is not among those that lind makes"),
            "{}: {text}",
            case.0
        );
    }
}

#[test]
fn linds_own_calls_come_back() {
    for case in ALLOWED {
        let output = perform(case);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(CAME_BACK), "{}: {text}", case.0);
    }
}
