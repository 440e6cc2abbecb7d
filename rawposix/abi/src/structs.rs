//! Structures that cross the guest boundary, in their wasm32 layout.
//!
//! Every field is public and every byte belongs to a field: nothing of the host's can leak through padding.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The layout of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The structure's name here.
    pub name: &'static str,
    /// Its size in bytes.
    pub size: usize,
    /// Its fields, in their order.
    pub fields: &'static [Field],
}

/// Where a field of a structure is.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The field's name here.
    pub name: &'static str,
    /// Bytes before it.
    pub offset: usize,
    /// Its size in bytes.
    pub size: usize,
}

macro_rules! guest_structs {
    ($($(#[$meta:meta])* $name:ident: $size:literal { $($field:ident: $ty:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
        #[repr(C)]
        #[allow(missing_docs, reason = "the fields are those of the manual page")]
        pub struct $name { $(pub $field: $ty,)* }
        const _: () = assert!(size_of::<$name>() == $size);
        impl Default for $name {
            fn default() -> Self {
                zerocopy::FromZeros::new_zeroed()
            }
        }
    )*
        /// Every structure, as data: for checks against the C headers.
        pub const LAYOUTS: &[Layout] = &[$(Layout {
            name: stringify!($name),
            size: $size,
            fields: &[$(Field {
                name: stringify!($field),
                offset: core::mem::offset_of!($name, $field),
                size: size_of::<$ty>(),
            },)*],
        },)*];
    };
}

guest_structs! {
    /// `struct timespec` with 64-bit time; libc leaves the padding undefined. See timespec(3).
    Timespec: 16 { sec: i64, nsec: i32, pad: u32, }
    /// Access and modification time of utimensat(2).
    TimespecPair: 32 { access: Timespec, modification: Timespec, }
    /// `struct itimerspec` of timer_settime(2).
    Itimerspec: 32 { interval: Timespec, value: Timespec, }
    /// `struct timeval` of the calls that never got a 64-bit form.
    OldTimeval: 8 { sec: i32, usec: i32, }
    /// `struct itimerval` of getitimer(2).
    Itimerval: 16 { interval: OldTimeval, value: OldTimeval, }
    /// `struct tms` of times(2), in clock ticks.
    Tms: 16 { utime: i32, stime: i32, cutime: i32, cstime: i32, }
    /// `struct rusage` of getrusage(2).
    Rusage: 72 {
        utime: OldTimeval, stime: OldTimeval,
        maxrss: i32, ixrss: i32, idrss: i32, isrss: i32, minflt: i32, majflt: i32, nswap: i32,
        inblock: i32, oublock: i32, msgsnd: i32, msgrcv: i32, nsignals: i32, nvcsw: i32, nivcsw: i32,
    }
    /// `struct rlimit64` of prlimit(2).
    Rlimit64: 16 { current: u64, max: u64, }
    /// `struct iovec` of readv(2).
    Iovec: 8 { base: u32, len: u32, }
    /// The two descriptors of pipe(2) and socketpair(2).
    FdPair: 8 { first: i32, second: i32, }
    /// `struct pollfd` of poll(2).
    Pollfd: 8 { fd: i32, events: u16, revents: u16, }
    /// `struct epoll_event` of epoll_ctl(2); it is packed on x86-64 only.
    EpollEvent: 16 { events: u32, pad: u32, data: u64, }
    /// `struct open_how` of openat2(2).
    OpenHow: 24 { flags: u64, mode: u64, resolve: u64, }
    /// `struct flock64` of fcntl(2).
    Flock64: 32 { kind: i16, whence: i16, pad1: u32, start: i64, len: i64, pid: i32, pad2: u32, }
    /// `struct statx_timestamp` of statx(2).
    StatxTimestamp: 16 { sec: i64, nsec: u32, pad: u32, }
    /// `struct statx` of statx(2).
    Statx: 256 {
        mask: u32, blksize: u32, attributes: u64, nlink: u32, uid: u32, gid: u32, mode: u16, pad0: u16,
        ino: u64, size: u64, blocks: u64, attributes_mask: u64,
        atime: StatxTimestamp, btime: StatxTimestamp, ctime: StatxTimestamp, mtime: StatxTimestamp,
        rdev_major: u32, rdev_minor: u32, dev_major: u32, dev_minor: u32,
        mnt_id: u64, dio_mem_align: u32, dio_offset_align: u32, pad1: [u64; 12],
    }
    /// `struct statfs64` of statfs(2).
    Statfs64: 88 {
        kind: u32, bsize: u32, blocks: u64, bfree: u64, bavail: u64, files: u64, ffree: u64,
        fsid: [u32; 2], namelen: u32, frsize: u32, flags: u32, spare: [u32; 4], pad: u32,
    }
    /// `struct utsname` of uname(2).
    Utsname: 390 {
        sysname: [u8; 65], nodename: [u8; 65], release: [u8; 65], version: [u8; 65], machine: [u8; 65], domainname: [u8; 65],
    }
    /// `struct sysinfo` of sysinfo(2).
    Sysinfo: 64 {
        uptime: i32, loads: [u32; 3], totalram: u32, freeram: u32, sharedram: u32, bufferram: u32, totalswap: u32, freeswap: u32,
        procs: u16, pad: u16, totalhigh: u32, freehigh: u32, mem_unit: u32, reserved: [u32; 2],
    }
    /// `struct timex` of clock_adjtime(2), as the kernel has it with 64-bit time.
    Timex: 208 {
        modes: u32, pad0: u32, offset: i64, freq: i64, maxerror: i64, esterror: i64, status: i32, pad1: u32, constant: i64,
        precision: i64, tolerance: i64, sec: i64, usec: i64, tick: i64, ppsfreq: i64, jitter: i64, shift: i32, pad2: u32,
        stabil: i64, jitcnt: i64, calcnt: i64, errcnt: i64, stbcnt: i64, tai: i32, pad3: [u32; 11],
    }
    /// `struct winsize` of ioctl_tty(2).
    Winsize: 8 { row: u16, col: u16, xpixel: u16, ypixel: u16, }
    /// `struct termios` of ioctl_tty(2), as the kernel has it.
    Termios: 36 { iflag: u32, oflag: u32, cflag: u32, lflag: u32, line: u8, cc: [u8; 19], }
    /// `struct sigaction` of sigaction(2), as the kernel has it.
    Sigaction: 16 { handler: u32, flags: u32, mask: [u32; 2], }
    /// `stack_t` of sigaltstack(2).
    StackT: 12 { sp: u32, flags: u32, size: u32, }
    /// `struct clone_args` of clone3(2).
    CloneArgs: 88 {
        flags: u64, pidfd: u64, child_tid: u64, parent_tid: u64, exit_signal: u64, stack: u64, stack_size: u64, tls: u64,
        set_tid: u64, set_tid_size: u64, cgroup: u64,
    }
    /// `siginfo_t` of sigaction(2).
    Siginfo: 128 { signo: i32, errno: i32, code: i32, fields: [u32; 29], }
    /// `struct sock_fprog` of seccomp(2).
    SockFprog: 8 { len: u16, pad: u16, filter: u32, }
    /// `struct sock_filter`: an instruction of such a program.
    SockFilter: 8 { code: u16, jt: u8, jf: u8, k: u32, }
    /// `struct signalfd_siginfo` of signalfd(2).
    SignalfdSiginfo: 128 {
        signo: u32, errno: i32, code: i32, pid: u32, uid: u32, fd: i32, tid: u32, band: u32, overrun: u32, trapno: u32,
        status: i32, int: i32, ptr: u64, utime: u64, stime: u64, addr: u64, addr_lsb: u16, pad: [u8; 46],
    }
    /// `ucontext_t` and what surrounds it: a signal handler's frame, made by lind and read by the C library.
    Sigframe: 356 {
        handler: u32, signo: u32, flags: u32, more: u32,
        result: i32, restart: u32, interrupted: u32, number: u32, words: [u32; 6], reserved: [u32; 2],
        info: Siginfo,
        context_flags: u32, link: u32, stack: StackT, registers: [u32; 4], mask: [u32; 32],
    }
    /// `struct sigevent` of sigevent(7).
    Sigevent: 64 { value: u32, signo: i32, notify: i32, tid: i32, pad: [u32; 12], }
    /// `struct ipc_perm`: owner and mode of an object of sysvipc(7).
    IpcPerm: 36 { key: i32, uid: u32, gid: u32, cuid: u32, cgid: u32, mode: u32, seq: u16, pad: u16, reserved: [u32; 2], }
    /// `struct msqid_ds` of msgctl(2), as the kernel has it: times are split into two words, low half first.
    MsqidDs: 88 {
        perm: IpcPerm, stime: [u32; 2], rtime: [u32; 2], ctime: [u32; 2],
        cbytes: u32, qnum: u32, qbytes: u32, lspid: i32, lrpid: i32, reserved: [u32; 2],
    }
    /// `struct msginfo` of msgctl(2).
    Msginfo: 32 { pool: i32, map: i32, max: i32, mnb: i32, mni: i32, ssz: i32, tql: i32, seg: u16, pad: u16, }
    /// `struct semid_ds` of semctl(2), as the kernel has it.
    SemidDs: 64 { perm: IpcPerm, otime: [u32; 2], ctime: [u32; 2], nsems: u32, reserved: [u32; 2], }
    /// `struct seminfo` of semctl(2).
    Seminfo: 40 { map: i32, mni: i32, mns: i32, mnu: i32, msl: i32, opm: i32, ume: i32, usz: i32, vmx: i32, aem: i32, }
    /// `struct sembuf` of semop(2).
    Sembuf: 6 { number: u16, change: i16, flags: i16, }
    /// `struct shmid_ds` of shmctl(2), as the kernel has it.
    ShmidDs: 84 {
        perm: IpcPerm, segsz: u32, atime: [u32; 2], dtime: [u32; 2], ctime: [u32; 2],
        cpid: i32, lpid: i32, nattch: u32, reserved: [u32; 2],
    }
    /// `struct shminfo` of shmctl(2).
    Shminfo: 36 { max: u32, min: u32, mni: u32, seg: u32, all: u32, reserved: [u32; 4], }
    /// `struct shm_info` of shmctl(2).
    ShmInfo: 24 { used_ids: i32, total: u32, resident: u32, swapped: u32, swap_attempts: u32, swap_successes: u32, }
    /// `struct mq_attr` of mq_getattr(3).
    MqAttr: 32 { flags: i32, maxmsg: i32, msgsize: i32, curmsgs: i32, reserved: [i32; 4], }
    /// `struct msghdr` of sendmsg(2).
    Msghdr: 28 { name: u32, namelen: u32, iov: u32, iovlen: u32, control: u32, controllen: u32, flags: u32, }
    /// `struct mmsghdr` of sendmmsg(2).
    Mmsghdr: 32 { header: Msghdr, len: u32, }
    /// `struct cmsghdr` of cmsg(3); data follows, and the next header at a multiple of four.
    Cmsghdr: 12 { len: u32, level: i32, kind: i32, }
    /// `struct ucred` of unix(7).
    Ucred: 12 { pid: i32, uid: u32, gid: u32, }
    /// `struct linger` of socket(7).
    Linger: 8 { onoff: i32, linger: i32, }
    /// `struct sockaddr_in` of ip(7); port and address are in network order.
    SockaddrIn: 16 { family: u16, port: [u8; 2], addr: [u8; 4], zero: [u8; 8], }
    /// `struct sockaddr_in6` of ipv6(7); port, flow and address are in network order.
    SockaddrIn6: 28 { family: u16, port: [u8; 2], flowinfo: [u8; 4], addr: [u8; 16], scope_id: u32, }
    /// `struct sockaddr_nl` of netlink(7).
    SockaddrNl: 12 { family: u16, pad: u16, pid: u32, groups: u32, }
    /// `struct timeval` with 64-bit time, of `SO_RCVTIMEO_NEW`.
    Timeval64: 16 { sec: i64, usec: i64, }
    /// `struct nlmsghdr` of netlink(7).
    Nlmsghdr: 16 { len: u32, kind: u16, flags: u16, seq: u32, pid: u32, }
    /// `struct ifinfomsg` of rtnetlink(7).
    Ifinfomsg: 16 { family: u8, pad: u8, kind: u16, index: i32, flags: u32, change: u32, }
    /// `struct ifaddrmsg` of rtnetlink(7).
    Ifaddrmsg: 8 { family: u8, prefixlen: u8, flags: u8, scope: u8, index: u32, }
    /// `struct ifreq` of netdevice(7).
    Ifreq: 32 { name: [u8; 16], value: [u8; 16], }
    /// `struct ifconf` of netdevice(7).
    Ifconf: 8 { len: i32, buf: u32, }
    /// `struct sched_attr` of sched_setattr(2).
    SchedAttr: 56 {
        size: u32, policy: u32, flags: u64, nice: i32, priority: u32, runtime: u64, deadline: u64, period: u64, util_min: u32, util_max: u32,
    }
    /// `struct futex_waitv` of futex_waitv(2).
    FutexWaitv: 24 { value: u64, address: u64, flags: u32, reserved: u32, }
    /// `struct iocb` of io_submit(2).
    Iocb: 64 {
        data: u64, key: u32, rw_flags: u32, lio_opcode: u16, reqprio: i16, fildes: u32, buf: u64, nbytes: u64, offset: i64,
        reserved2: u64, flags: u32, resfd: u32,
    }
    /// `struct io_event` of io_getevents(2).
    IoEvent: 32 { data: u64, obj: u64, res: i64, res2: i64, }
    /// What io_pgetevents(2) takes as its signal mask: where it is, and its size in bytes.
    AioSigset: 8 { sigmask: u32, size: u32, }
    /// The header of capget(2).
    CapHeader: 8 { version: u32, pid: i32, }
    /// One element of capget(2)'s data.
    CapData: 12 { effective: u32, permitted: u32, inheritable: u32, }
}

/// Bytes before the name in `struct dirent64`: inode (8), offset (8), record length (2), type (1). See getdents(2).
pub const DIRENT64_NAME: usize = 19;

impl Sigframe {
    /// Where the word `more` is.
    pub const MORE: u32 = 12;
}
