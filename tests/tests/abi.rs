//! The guest ABI against the C headers that programs are compiled with: sizes, offsets and constants of everything that
//! crosses the boundary, checked by lind-cc.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use lind_tests::install::Installation;
use rawposix_abi::flags::{CONSTANTS, FLAGS};
use rawposix_abi::structs::LAYOUTS;
use rawposix_abi::{Errno, SYSCALLS, Signal};

/// Which headers declare a structure: libc's and the kernel's cannot be included together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Libc,
    Kernel,
}

/// A structure's C declaration.
struct Twin {
    ours: &'static str,
    unit: Unit,
    theirs: &'static str,
    /// What the C names of fields begin with.
    prefix: &'static str,
    /// Fields that are called otherwise; those with an empty name have none in C, those with two names are two in C.
    renamed: &'static [(&'static str, &'static str)],
}

type Renamed = &'static [(&'static str, &'static str)];

const fn libc(
    ours: &'static str,
    theirs: &'static str,
    prefix: &'static str,
    renamed: Renamed,
) -> Twin {
    Twin {
        ours,
        unit: Unit::Libc,
        theirs,
        prefix,
        renamed,
    }
}

const fn kernel(
    ours: &'static str,
    theirs: &'static str,
    prefix: &'static str,
    renamed: Renamed,
) -> Twin {
    Twin {
        ours,
        unit: Unit::Kernel,
        theirs,
        prefix,
        renamed,
    }
}

/// Every structure of the ABI that a header declares. Where libc's differs from the kernel's, libc converts.
const TWINS: &[Twin] = &[
    libc("Timespec", "struct timespec", "tv_", &[("pad", "")]),
    libc("Itimerspec", "struct itimerspec", "it_", &[]),
    kernel("OldTimeval", "struct __kernel_old_timeval", "tv_", &[]),
    kernel("Itimerval", "struct itimerval", "it_", &[]),
    libc("Tms", "struct tms", "tms_", &[]),
    kernel("Rusage", "struct rusage", "ru_", &[]),
    kernel(
        "Rlimit64",
        "struct rlimit64",
        "rlim_",
        &[("current", "rlim_cur")],
    ),
    libc("Iovec", "struct iovec", "iov_", &[]),
    libc("Pollfd", "struct pollfd", "", &[]),
    libc("EpollEvent", "struct epoll_event", "", &[("pad", "")]),
    kernel("OpenHow", "struct open_how", "", &[]),
    libc(
        "Flock64",
        "struct flock64",
        "l_",
        &[("kind", "l_type"), ("pad1", ""), ("pad2", "")],
    ),
    libc(
        "StatxTimestamp",
        "struct statx_timestamp",
        "tv_",
        &[("pad", "")],
    ),
    kernel(
        "Statx",
        "struct statx",
        "stx_",
        &[("pad0", ""), ("pad1", "")],
    ),
    libc(
        "Statfs64",
        "struct statfs64",
        "f_",
        &[("kind", "f_type"), ("pad", "")],
    ),
    libc("Utsname", "struct utsname", "", &[]),
    libc("Sysinfo", "struct sysinfo", "", &[("reserved", "")]),
    kernel(
        "Timex",
        "struct __kernel_timex",
        "",
        &[
            ("sec", "time.tv_sec"),
            ("usec", "time.tv_usec"),
            ("pad0", ""),
            ("pad1", ""),
            ("pad2", ""),
            ("pad3", ""),
        ],
    ),
    libc("Winsize", "struct winsize", "ws_", &[]),
    kernel("Termios", "struct termios", "c_", &[]),
    kernel("Sigaction", "struct sigaction", "sa_", &[]),
    libc("StackT", "stack_t", "ss_", &[]),
    kernel("CloneArgs", "struct clone_args", "", &[]),
    libc("Siginfo", "siginfo_t", "si_", &[("fields", "")]),
    libc(
        "Sigevent",
        "struct sigevent",
        "sigev_",
        &[("tid", "_sigev_un._tid"), ("pad", "")],
    ),
    libc(
        "SignalfdSiginfo",
        "struct signalfd_siginfo",
        "ssi_",
        &[("pad", "")],
    ),
    kernel(
        "IpcPerm",
        "struct ipc64_perm",
        "",
        &[("pad", ""), ("reserved", "")],
    ),
    kernel(
        "MsqidDs",
        "struct msqid64_ds",
        "msg_",
        &[
            ("stime", "msg_stime msg_stime_high"),
            ("rtime", "msg_rtime msg_rtime_high"),
            ("ctime", "msg_ctime msg_ctime_high"),
            ("lspid", "msg_lspid"),
            ("reserved", ""),
        ],
    ),
    kernel("Msginfo", "struct msginfo", "msg", &[("pad", "")]),
    kernel(
        "SemidDs",
        "struct semid64_ds",
        "sem_",
        &[
            ("otime", "sem_otime sem_otime_high"),
            ("ctime", "sem_ctime sem_ctime_high"),
            ("reserved", ""),
        ],
    ),
    kernel("Seminfo", "struct seminfo", "sem", &[]),
    libc(
        "Sembuf",
        "struct sembuf",
        "sem_",
        &[
            ("number", "sem_num"),
            ("change", "sem_op"),
            ("flags", "sem_flg"),
        ],
    ),
    kernel(
        "ShmidDs",
        "struct shmid64_ds",
        "shm_",
        &[
            ("atime", "shm_atime shm_atime_high"),
            ("dtime", "shm_dtime shm_dtime_high"),
            ("ctime", "shm_ctime shm_ctime_high"),
            ("reserved", ""),
        ],
    ),
    kernel("Shminfo", "struct shminfo64", "shm", &[("reserved", "")]),
    kernel(
        "ShmInfo",
        "struct shm_info",
        "",
        &[
            ("total", "shm_tot"),
            ("resident", "shm_rss"),
            ("swapped", "shm_swp"),
        ],
    ),
    libc("MqAttr", "struct mq_attr", "mq_", &[("reserved", "")]),
    libc("Msghdr", "struct msghdr", "msg_", &[]),
    libc(
        "Mmsghdr",
        "struct mmsghdr",
        "msg_",
        &[("header", "msg_hdr")],
    ),
    libc(
        "Cmsghdr",
        "struct cmsghdr",
        "cmsg_",
        &[("kind", "cmsg_type")],
    ),
    libc("Ucred", "struct ucred", "", &[]),
    libc("Linger", "struct linger", "l_", &[]),
    libc("SockaddrIn", "struct sockaddr_in", "sin_", &[]),
    libc("SockaddrIn6", "struct sockaddr_in6", "sin6_", &[]),
    libc("SockaddrNl", "struct sockaddr_nl", "nl_", &[]),
    kernel("Timeval64", "struct __kernel_sock_timeval", "tv_", &[]),
    libc(
        "Nlmsghdr",
        "struct nlmsghdr",
        "nlmsg_",
        &[("kind", "nlmsg_type")],
    ),
    libc(
        "Ifinfomsg",
        "struct ifinfomsg",
        "ifi_",
        &[("pad", "__ifi_pad"), ("kind", "ifi_type")],
    ),
    libc("Ifaddrmsg", "struct ifaddrmsg", "ifa_", &[]),
    libc(
        "Ifreq",
        "struct ifreq",
        "ifr_",
        &[("name", "ifr_ifrn.ifrn_name"), ("value", "ifr_ifru")],
    ),
    libc("Ifconf", "struct ifconf", "ifc_", &[("buf", "ifc_ifcu")]),
    kernel(
        "SchedAttr",
        "struct sched_attr",
        "sched_",
        &[("size", "size")],
    ),
    libc(
        "FutexWaitv",
        "struct futex_waitv",
        "",
        &[
            ("value", "val"),
            ("address", "uaddr"),
            ("reserved", "__reserved"),
        ],
    ),
    kernel("Iocb", "struct iocb", "aio_", &[]),
    kernel("IoEvent", "struct io_event", "", &[]),
    kernel("SockFprog", "struct sock_fprog", "", &[("pad", "")]),
    kernel("SockFilter", "struct sock_filter", "", &[]),
    kernel("CapHeader", "struct __user_cap_header_struct", "", &[]),
    kernel("CapData", "struct __user_cap_data_struct", "", &[]),
];

/// Structures that no header declares, with what they are.
const OURS_ALONE: &[(&str, &str)] = &[
    ("TimespecPair", "an array of two struct timespec"),
    ("FdPair", "an array of two descriptors"),
    ("AioSigset", "a pointer and a size"),
    (
        "Sigframe",
        "made by lind and read by the C library, which checks it itself",
    ),
];

/// Constants that these headers do not declare, or declare as another number.
const NOT_DECLARED: &[(&str, &str)] = &[
    ("EPOLLNVAL", "in the kernel's headers only"),
    ("F_GETLK", "libc's is F_GETLK64, since offsets have 64 bits"),
    ("F_SETLK", "libc's is F_SETLK64"),
    ("F_SETLKW", "libc's is F_SETLKW64"),
    ("PIDFD_NONBLOCK", "newer than libc"),
    ("PROT_SEM", "in the kernel's headers only"),
    ("SA_EXPOSE_TAGBITS", "in the kernel's headers only"),
    ("STATX_RESERVED", "in the kernel's headers only"),
    (
        "TCGETS2",
        "of a structure that is in the kernel's headers only",
    ),
];

/// System calls that `sys/syscall.h` does not name.
const NOT_NAMED: &[(&str, &str)] = &[(
    "wait4",
    "ports with 64-bit time have none; libc itself calls it by its number",
)];

const LIBC_HEADERS: &[&str] = &[
    "fcntl.h",
    "mqueue.h",
    "net/if.h",
    "netinet/in.h",
    "netinet/tcp.h",
    "netinet/udp.h",
    "poll.h",
    "sched.h",
    "signal.h",
    "stdio.h",
    "sys/auxv.h",
    "sys/epoll.h",
    "sys/eventfd.h",
    "sys/file.h",
    "sys/ioctl.h",
    "sys/ipc.h",
    "sys/mman.h",
    "sys/msg.h",
    "sys/prctl.h",
    "sys/random.h",
    "sys/resource.h",
    "sys/sem.h",
    "sys/shm.h",
    "sys/signalfd.h",
    "sys/socket.h",
    "sys/stat.h",
    "sys/statfs.h",
    "sys/sysinfo.h",
    "sys/times.h",
    "sys/uio.h",
    "sys/un.h",
    "sys/utsname.h",
    "sys/wait.h",
    "sys/xattr.h",
    "termios.h",
    "time.h",
    "unistd.h",
    "linux/capability.h",
    "linux/close_range.h",
    "linux/fs.h",
    "linux/futex.h",
    "linux/kcmp.h",
    "linux/netlink.h",
    "linux/rtnetlink.h",
    "linux/seccomp.h",
];

const KERNEL_HEADERS: &[&str] = &[
    "asm/ipcbuf.h",
    "asm/msgbuf.h",
    "asm/sembuf.h",
    "asm/shmbuf.h",
    "asm/signal.h",
    "asm/termbits.h",
    "linux/aio_abi.h",
    "linux/capability.h",
    "linux/filter.h",
    "linux/msg.h",
    "linux/openat2.h",
    "linux/resource.h",
    "linux/sched.h",
    "linux/sched/types.h",
    "linux/sem.h",
    "linux/shm.h",
    "linux/stat.h",
    "linux/time.h",
    "linux/time_types.h",
    "linux/timex.h",
];

fn beginning(headers: &[&str]) -> String {
    headers.iter().fold(String::new(), |mut text, header| {
        let _ = writeln!(text, "#include <{header}>");
        text
    })
}

#[test]
fn structures_are_those_of_the_headers() {
    let mut known: BTreeMap<&str, Option<&Twin>> =
        OURS_ALONE.iter().map(|(name, _)| (*name, None)).collect();
    known.extend(TWINS.iter().map(|twin| (twin.ours, Some(twin))));
    for unit in [Unit::Libc, Unit::Kernel] {
        let mut text = beginning(match unit {
            Unit::Libc => LIBC_HEADERS,
            Unit::Kernel => KERNEL_HEADERS,
        });
        for layout in LAYOUTS {
            let twin = known
                .get(layout.name)
                .unwrap_or_else(|| panic!("{} has no C declaration in the table", layout.name));
            let Some(twin) = twin.filter(|twin| twin.unit == unit) else {
                continue;
            };
            let theirs = twin.theirs;
            let _ = writeln!(
                text,
                "_Static_assert(sizeof({theirs}) == {}, \"{}\");",
                layout.size, layout.name
            );
            for field in layout.fields {
                let renamed = twin.renamed.iter().find(|(ours, _)| *ours == field.name);
                let names = match renamed {
                    Some((_, name)) => (*name).to_owned(),
                    None => format!("{}{}", twin.prefix, field.name),
                };
                let parts = names.split_whitespace();
                let size = field.size / parts.clone().count().max(1);
                for (offset, name) in (field.offset..).step_by(size.max(1)).zip(parts) {
                    let _ = writeln!(
                        text,
                        "_Static_assert(__builtin_offsetof({theirs}, {name}) == {} && sizeof((({theirs} *)0)->{name}) == {}, \"{}.{}\");",
                        offset, size, layout.name, field.name
                    );
                }
            }
        }
        compile("layouts.c", &text);
    }
}

#[test]
fn constants_are_those_of_the_headers() {
    let mut text = beginning(LIBC_HEADERS);
    for (name, value) in FLAGS.iter().chain(CONSTANTS) {
        if !NOT_DECLARED.iter().any(|(known, _)| known == name) {
            let _ = writeln!(
                text,
                "_Static_assert((unsigned)({name}) == {value:#x}u, \"{name}\");"
            );
        }
    }
    compile("constants.c", &text);
}

#[test]
fn numbers_are_those_of_the_headers() {
    let mut text = beginning(&["errno.h", "signal.h", "sys/syscall.h"]);
    let named = |name| !NOT_NAMED.iter().any(|(known, _)| *known == name);
    for call in SYSCALLS.iter().filter(|call| named(call.name)) {
        let _ = writeln!(
            text,
            "_Static_assert(SYS_{0} == {1}, \"{0}\");",
            call.name, call.number
        );
    }
    for signal in (1..=31).filter_map(Signal::from_raw) {
        let _ = writeln!(
            text,
            "_Static_assert({signal} == {}, \"{signal}\");",
            signal.raw()
        );
    }
    for errno in (1..=4095).filter_map(Errno::from_raw) {
        if let Some(name) = errno.name() {
            let _ = writeln!(
                text,
                "_Static_assert({name} == {}, \"{name}\");",
                errno.raw()
            );
        }
    }
    compile("numbers.c", &text);
}

/// Compiles a file of assertions; the messages are the failure.
fn compile(name: &str, text: &str) {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join(name);
    fs::write(&source, text).unwrap();
    let installation = Installation::find().unwrap();
    let output = Command::new(installation.tool("lind-cc"))
        .args([
            "-std=gnu17",
            "-D_GNU_SOURCE",
            "-fsyntax-only",
            "-ferror-limit=0",
        ])
        .arg(&source)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
