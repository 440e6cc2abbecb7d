//! The filter that confines the host process: what neither the microvisor nor its engine ever asks the host for, the
//! kernel refuses, whoever asks.
//!
//! It is the second wall. The first is that a guest reaches nothing but the list of system calls; should one ever make the
//! host process run code of its own, it still cannot execute a program, trace or signal other processes, open a socket
//! of a family that was not granted, or reach namespaces, mounts, modules and the like. See seccomp(2).
//!
//! The lists below are the only place that says which host calls there are: a handler that needs another one adds it here,
//! and a call that is missing ends the host process at once, with the call's number.

use std::collections::BTreeMap;
use std::fmt;

use rustix::process::getpid;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

use crate::config::Net;

/// Why the host process could not be confined.
#[derive(Debug)]
pub struct ConfineError(String);

impl ConfineError {
    /// What the host answered, as a reason.
    pub fn new(reason: &dyn fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for ConfineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfineError {}

/// Confines all threads of the host process, for good, to the calls of the microvisor and of its engine.
/// Another call raises SIGSYS in the thread that makes it.
///
/// # Errors
/// A kernel without seccomp(2), or a thread that is confined in another way.
pub fn confine(net: Net) -> Result<(), ConfineError> {
    let listed = filter(net).map_err(|error| ConfineError::new(&error))?;
    // Its flags lie in memory, which a filter does not see; C libraries then make the other call.
    let without_clone3 = compile(
        BTreeMap::from([(libc::SYS_clone3, Vec::new())]),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS.unsigned_abs()),
    )
    .map_err(|error| ConfineError::new(&error))?;
    for program in [without_clone3, listed] {
        apply_filter_all_threads(&program).map_err(|error| ConfineError::new(&error))?;
    }
    Ok(())
}

/// A host call that is allowed, for some of its arguments.
#[derive(Clone, Copy)]
struct HostCall {
    number: libc::c_long,
    when: When,
}

/// When a host call is allowed. Arguments are counted from 0; their low 32 bits are compared.
#[derive(Clone, Copy)]
enum When {
    /// Always.
    Always,
    /// When an argument has one of these values.
    OneOf(u8, &'static [u32]),
    /// When an argument has all of these bits.
    Has(u8, u32),
    /// When an argument is this process's own id.
    Itself(u8),
}

fn filter(net: Net) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules = BTreeMap::new();
    let always = ALWAYS.iter().map(|&number| HostCall {
        number,
        when: When::Always,
    });
    for call in always.chain(SOMETIMES.iter().copied()) {
        rules.insert(call.number, conditions(call.when)?);
    }
    if net == Net::Host {
        rules.insert(libc::SYS_socket, sockets()?);
        for &number in NETWORK {
            rules.insert(number, Vec::new());
        }
    }
    compile(rules, SeccompAction::Trap, SeccompAction::Allow)
}

/// Families of sockets and their types: none of raw packets. Without a network there are pairs of sockets only. Those of
/// AF_UNIX are for sockets at granted paths; what they connect to lies in memory, which a filter does not see.
const SOCKETS: &[(libc::c_int, &[libc::c_int])] = &[
    (
        libc::AF_UNIX,
        &[libc::SOCK_STREAM, libc::SOCK_DGRAM, libc::SOCK_SEQPACKET],
    ),
    (libc::AF_INET, &[libc::SOCK_STREAM, libc::SOCK_DGRAM]),
    (libc::AF_INET6, &[libc::SOCK_STREAM, libc::SOCK_DGRAM]),
    (libc::AF_NETLINK, &[libc::SOCK_RAW, libc::SOCK_DGRAM]),
];

/// Rules for socket(2), of which one has to match.
fn sockets() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    /// `SOCK_TYPE_MASK`: the type without its flags.
    const TYPE: u64 = 0xf;
    let condition = |argument, operator, value: libc::c_int| {
        let value = u64::from(value.unsigned_abs());
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
    };
    let mut rules = Vec::new();
    for (family, kinds) in SOCKETS {
        for kind in *kinds {
            rules.push(SeccompRule::new(vec![
                condition(0, SeccompCmpOp::Eq, *family)?,
                condition(1, SeccompCmpOp::MaskedEq(TYPE), *kind)?,
            ])?);
        }
    }
    Ok(rules)
}

/// Calls of sockets that are no pairs.
const NETWORK: &[libc::c_long] = &[
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_listen,
];

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let arch = if cfg!(target_arch = "aarch64") {
        TargetArch::aarch64
    } else {
        TargetArch::x86_64
    };
    SeccompFilter::new(rules, otherwise, matched, arch)?.try_into()
}

/// Rules of which one has to match.
fn conditions(when: When) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let rule = |argument, operator, value: u32| {
        let condition = SeccompCondition::new(
            argument,
            SeccompCmpArgLen::Dword,
            operator,
            u64::from(value),
        )?;
        SeccompRule::new(vec![condition])
    };
    match when {
        When::Always => Ok(Vec::new()),
        When::OneOf(argument, values) => values
            .iter()
            .map(|value| rule(argument, SeccompCmpOp::Eq, *value))
            .collect(),
        When::Has(argument, bits) => Ok(vec![rule(
            argument,
            SeccompCmpOp::MaskedEq(u64::from(bits)),
            bits,
        )?]),
        When::Itself(argument) => {
            let own = getpid().as_raw_nonzero().get().unsigned_abs();
            Ok(vec![rule(argument, SeccompCmpOp::Eq, own)?])
        }
    }
}

/// Calls that are allowed whatever their arguments are.
const ALWAYS: &[libc::c_long] = &[
    // Memory.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_memfd_create,
    libc::SYS_mincore,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_munmap,
    // Host threads and their signals.
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_gettid,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_timer_create,
    libc::SYS_timer_delete,
    libc::SYS_timer_getoverrun,
    libc::SYS_timer_gettime,
    libc::SYS_timer_settime,
    // The host process itself.
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrusage,
    libc::SYS_getsid,
    libc::SYS_getuid,
    libc::SYS_sysinfo,
    libc::SYS_umask,
    libc::SYS_uname,
    // Time and randomness.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_nanosleep,
    // Waiting.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_rm_watch,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_gettime,
    libc::SYS_timerfd_settime,
    // Descriptors.
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_pipe2,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_read,
    libc::SYS_readahead,
    libc::SYS_readv,
    libc::SYS_sendfile,
    libc::SYS_splice,
    libc::SYS_sync,
    libc::SYS_sync_file_range,
    libc::SYS_syncfs,
    libc::SYS_tee,
    libc::SYS_vmsplice,
    libc::SYS_write,
    libc::SYS_writev,
    // Names.
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_fgetxattr,
    libc::SYS_flistxattr,
    libc::SYS_fremovexattr,
    libc::SYS_fsetxattr,
    libc::SYS_getcwd,
    libc::SYS_getxattr,
    libc::SYS_lgetxattr,
    libc::SYS_linkat,
    libc::SYS_listxattr,
    libc::SYS_llistxattr,
    libc::SYS_lremovexattr,
    libc::SYS_lsetxattr,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_readlinkat,
    libc::SYS_removexattr,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_setxattr,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_symlinkat,
    libc::SYS_truncate,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    // Sockets; those that are no pairs need more, see `NETWORK`.
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    // What C libraries make of the calls above where the architecture has the older ones.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getpgrp,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
];

const fn when(number: libc::c_long, when: When) -> HostCall {
    HostCall { number, when }
}

/// Calls that are allowed for some of their arguments.
const SOMETIMES: &[HostCall] = &[
    // Threads only, no processes.
    when(
        libc::SYS_clone,
        When::Has(0, libc::CLONE_THREAD.unsigned_abs()),
    ),
    // Refused by a filter of its own.
    when(libc::SYS_clone3, When::Always),
    // Signals to nobody else.
    when(libc::SYS_kill, When::Itself(0)),
    when(libc::SYS_tgkill, When::Itself(0)),
    // The limits of nobody else, and the processors of the calling thread.
    when(libc::SYS_prlimit64, When::OneOf(0, &[0])),
    when(libc::SYS_sched_setaffinity, When::OneOf(0, &[0])),
    when(
        libc::SYS_prctl,
        When::OneOf(
            0,
            &[
                libc::PR_SET_NAME.unsigned_abs(),
                libc::PR_GET_NAME.unsigned_abs(),
                libc::PR_SET_TIMERSLACK.unsigned_abs(),
                libc::PR_GET_TIMERSLACK.unsigned_abs(),
                libc::PR_SET_NO_NEW_PRIVS.unsigned_abs(),
                libc::PR_SET_VMA.unsigned_abs(),
                0x4155_5856, // PR_GET_AUXV
            ],
        ),
    ),
    // A second filter can only take more away.
    when(libc::SYS_seccomp, When::Always),
    when(libc::SYS_fcntl, When::OneOf(1, FCNTL)),
    when(
        libc::SYS_socketpair,
        When::OneOf(0, &[libc::AF_UNIX.unsigned_abs()]),
    ),
    when(libc::SYS_ioctl, When::OneOf(1, IOCTL)),
];

/// Commands of fcntl(2): none that makes the host send signals.
const FCNTL: &[u32] = &[
    libc::F_DUPFD.unsigned_abs(),
    libc::F_DUPFD_CLOEXEC.unsigned_abs(),
    libc::F_GETFD.unsigned_abs(),
    libc::F_SETFD.unsigned_abs(),
    libc::F_GETFL.unsigned_abs(),
    libc::F_SETFL.unsigned_abs(),
    libc::F_GETLK.unsigned_abs(),
    libc::F_SETLK.unsigned_abs(),
    libc::F_SETLKW.unsigned_abs(),
    libc::F_OFD_GETLK.unsigned_abs(),
    libc::F_OFD_SETLK.unsigned_abs(),
    libc::F_OFD_SETLKW.unsigned_abs(),
    libc::F_GETPIPE_SZ.unsigned_abs(),
    libc::F_SETPIPE_SZ.unsigned_abs(),
    libc::F_ADD_SEALS.unsigned_abs(),
    libc::F_GET_SEALS.unsigned_abs(),
];

/// Commands of ioctl(2): terminals without the one that types for somebody, sizes of what can be read, network names,
/// and which pages there are, which fork asks.
const IOCTL: &[u32] = &[
    0x5401,      // TCGETS
    0x5402,      // TCSETS
    0x5403,      // TCSETSW
    0x5404,      // TCSETSF
    0x5409,      // TCSBRK
    0x540a,      // TCXONC
    0x540b,      // TCFLSH
    0x540c,      // TIOCEXCL
    0x540d,      // TIOCNXCL
    0x540f,      // TIOCGPGRP
    0x5411,      // TIOCOUTQ
    0x5413,      // TIOCGWINSZ
    0x5414,      // TIOCSWINSZ
    0x541b,      // FIONREAD
    0x5420,      // TIOCPKT
    0x5421,      // FIONBIO
    0x5425,      // TCSBRKP
    0x5429,      // TIOCGSID
    0x5441,      // TIOCGPTPEER
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x8004_5430, // TIOCGPTN
    0x4004_5431, // TIOCSPTLCK
    0x8004_5438, // TIOCGPKT
    0x8004_5439, // TIOCGPTLCK
    0x802c_542a, // TCGETS2
    0xc060_6610, // PAGEMAP_SCAN
    0x402c_542b, // TCSETS2
    0x402c_542c, // TCSETSW2
    0x402c_542d, // TCSETSF2
    0x8905,      // SIOCATMARK
    0x8910,      // SIOCGIFNAME
    0x8912,      // SIOCGIFCONF
    0x8913,      // SIOCGIFFLAGS
    0x8915,      // SIOCGIFADDR
    0x8917,      // SIOCGIFDSTADDR
    0x8919,      // SIOCGIFBRDADDR
    0x891b,      // SIOCGIFNETMASK
    0x8921,      // SIOCGIFMTU
    0x8927,      // SIOCGIFHWADDR
    0x8933,      // SIOCGIFINDEX
    0x8942,      // SIOCGIFTXQLEN
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_compile_and_fit() {
        for net in [Net::None, Net::Host] {
            let program = filter(net).unwrap();
            // BPF_MAXINSNS.
            assert!((100..4096).contains(&program.len()), "{}", program.len());
        }
    }

    #[test]
    fn no_call_stands_twice() {
        let mut numbers: Vec<_> = ALWAYS.to_vec();
        numbers.extend(SOMETIMES.iter().map(|call| call.number));
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }

    #[test]
    fn no_socket_is_for_raw_packets() {
        let packets = SOCKETS.iter().filter(|(family, kinds)| {
            *family != libc::AF_NETLINK && kinds.contains(&libc::SOCK_RAW)
                || *family == libc::AF_PACKET
        });
        assert_eq!(packets.count(), 0);
    }

    #[test]
    fn what_a_sandbox_must_not_do_is_not_listed() {
        let mut numbers: Vec<_> = ALWAYS.to_vec();
        numbers.extend(SOMETIMES.iter().map(|call| call.number));
        for denied in [
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_chroot,
            libc::SYS_bpf,
            libc::SYS_io_uring_setup,
            libc::SYS_keyctl,
            libc::SYS_perf_event_open,
            libc::SYS_pidfd_open,
            libc::SYS_pidfd_send_signal,
            libc::SYS_open_by_handle_at,
            libc::SYS_setuid,
            libc::SYS_init_module,
        ] {
            assert!(!numbers.contains(&denied), "{denied}");
        }
    }
}
