//! Flag sets and constants, with Linux's asm-generic values.

use bitflags::bitflags;

/// A word of flags from the guest.
pub trait GuestFlags: Sized {
    /// The set with these bits; `None` when Linux refuses one of them.
    fn from_word(word: u32) -> Option<Self>;

    /// The names of the set's bits, as strace writes them.
    fn write(word: u32, out: &mut String);
}

macro_rules! guest_flags {
    ($($(#[$meta:meta])* $unknown:ident $name:ident as $prefix:literal $(or $zero:literal in $mask:literal)? { $($flag:ident = $value:expr;)* })*) => {$(
        bitflags! {
            $(#[$meta])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name: u32 {
                $(#[allow(missing_docs, reason = "the manual page's name")] const $flag = $value;)*
            }
        }
        impl GuestFlags for $name {
            fn from_word(word: u32) -> Option<Self> {
                guest_flags!(@decode $unknown word)
            }
            fn write(word: u32, out: &mut String) {
                let set = Self::from_bits_retain(word);
                let start = out.len();
                $(if word & $mask == 0 {
                    out.push_str($zero);
                })?
                let mut iter = set.iter_names();
                for (name, _) in iter.by_ref() {
                    if out.len() > start {
                        out.push('|');
                    }
                    out.push_str($prefix);
                    out.push_str(name);
                }
                let rest = iter.remaining().bits();
                if rest != 0 || out.len() == start {
                    if out.len() > start {
                        out.push('|');
                    }
                    out.push_str(&if rest == 0 { String::from("0") } else { format!("{rest:#x}") });
                }
            }
        }
    )*
        /// Every flag with its name in C, as data: for checks against the C headers.
        pub const FLAGS: &[(&str, u32)] = &[$($((concat!($prefix, stringify!($flag)), $value),)*)*];
    };
    (@decode refused $word:ident) => { Self::from_bits($word) };
    (@decode ignored $word:ident) => { Some(Self::from_bits_truncate($word)) };
    (@decode kept $word:ident) => { Some(Self::from_bits_retain($word)) };
}

guest_flags! {
    /// Flags of open(2) without the access mode, which is [`OpenFlags::ACCMODE`]; unknown ones are ignored.
    ignored OpenFlags as "O_" or "O_RDONLY" in 3 {
        WRONLY = 0o1; RDWR = 0o2; CREAT = 0o100; EXCL = 0o200; NOCTTY = 0o400; TRUNC = 0o1000; APPEND = 0o2000;
        NONBLOCK = 0o4000; SYNC = 0o4_010_000; DSYNC = 0o10000; ASYNC = 0o20000; DIRECT = 0o40000; LARGEFILE = 0o100_000;
        TMPFILE = 0o20_200_000; DIRECTORY = 0o200_000; NOFOLLOW = 0o400_000; NOATIME = 0o1_000_000; CLOEXEC = 0o2_000_000;
        PATH = 0o10_000_000;
    }
    /// Flags of the at-calls; which of them a call takes is the call's business.
    refused AtFlags as "AT_" {
        SYMLINK_NOFOLLOW = 0x100; REMOVEDIR = 0x200; SYMLINK_FOLLOW = 0x400; NO_AUTOMOUNT = 0x800; EMPTY_PATH = 0x1000;
        STATX_FORCE_SYNC = 0x2000; STATX_DONT_SYNC = 0x4000;
    }
    /// Mode of access(2).
    refused AccessMode as "" or "F_OK" in 7 { R_OK = 4; W_OK = 2; X_OK = 1; }
    /// Flags of pipe2(2).
    refused PipeFlags as "O_" { NONBLOCK = 0o4000; DIRECT = 0o40000; CLOEXEC = 0o2_000_000; }
    /// Flags of dup3(2).
    refused DupFlags as "O_" { CLOEXEC = 0o2_000_000; }
    /// Flags of close_range(2).
    refused CloseRangeFlags as "CLOSE_RANGE_" { UNSHARE = 2; CLOEXEC = 4; }
    /// Operation of flock(2).
    refused FlockOp as "LOCK_" { SH = 1; EX = 2; NB = 4; UN = 8; }
    /// Flags of memfd_create(2).
    refused MemfdFlags as "MFD_" { CLOEXEC = 1; ALLOW_SEALING = 2; }
    /// Flags of eventfd2(2).
    refused EventfdFlags as "EFD_" { SEMAPHORE = 1; NONBLOCK = 0o4000; CLOEXEC = 0o2_000_000; }
    /// Flags of signalfd(2).
    refused SignalfdFlags as "SFD_" { NONBLOCK = 0o4000; CLOEXEC = 0o2_000_000; }
    /// Flags of seccomp(2) with a filter.
    refused SeccompFlags as "SECCOMP_FILTER_FLAG_" { TSYNC = 1; LOG = 2; SPEC_ALLOW = 4; TSYNC_ESRCH = 16; }
    /// Flags of pidfd_open(2).
    refused PidfdFlags as "PIDFD_" { NONBLOCK = 0o4000; }
    /// Flags of preadv2(2); unknown ones are `EOPNOTSUPP`.
    kept RwFlags as "RWF_" { HIPRI = 1; DSYNC = 2; SYNC = 4; NOWAIT = 8; APPEND = 16; }
    /// Flags of splice(2).
    refused SpliceFlags as "SPLICE_F_" { MOVE = 1; NONBLOCK = 2; MORE = 4; GIFT = 8; }
    /// Mode of fallocate(2); what the host does not know is `EOPNOTSUPP`.
    kept FallocMode as "FALLOC_FL_" {
        KEEP_SIZE = 1; PUNCH_HOLE = 2; COLLAPSE_RANGE = 8; ZERO_RANGE = 0x10; INSERT_RANGE = 0x20; UNSHARE_RANGE = 0x40;
    }
    /// Flags of renameat2(2).
    refused RenameFlags as "RENAME_" { NOREPLACE = 1; EXCHANGE = 2; WHITEOUT = 4; }
    /// Mask of statx(2).
    ignored StatxMask as "STATX_" { BASIC_STATS = 0x7ff; BTIME = 0x800; MNT_ID = 0x1000; DIOALIGN = 0x2000; RESERVED = 0x8000_0000; }
    /// Flags of setxattr(2).
    refused XattrFlags as "XATTR_" { CREATE = 1; REPLACE = 2; }
    /// Protection of mmap(2), which ignores unknown bits, and of mprotect(2), which refuses them.
    kept Prot as "PROT_" or "PROT_NONE" in 0xffff_ffff { READ = 1; WRITE = 2; EXEC = 4; SEM = 8; GROWSDOWN = 0x0100_0000; GROWSUP = 0x0200_0000; }
    /// Flags of mmap(2); only MAP_SHARED_VALIDATE refuses unknown ones.
    kept MapFlags as "MAP_" {
        SHARED_VALIDATE = 3; SHARED = 1; PRIVATE = 2; FIXED = 0x10; ANONYMOUS = 0x20; GROWSDOWN = 0x100; DENYWRITE = 0x800; EXECUTABLE = 0x1000;
        LOCKED = 0x2000; NORESERVE = 0x4000; POPULATE = 0x8000; NONBLOCK = 0x10000; STACK = 0x20000; HUGETLB = 0x40000;
        SYNC = 0x80000; FIXED_NOREPLACE = 0x10_0000;
    }
    /// Flags of mremap(2).
    kept MremapFlags as "MREMAP_" { MAYMOVE = 1; FIXED = 2; DONTUNMAP = 4; }
    /// Flags of msync(2).
    refused MsyncFlags as "MS_" { ASYNC = 1; INVALIDATE = 2; SYNC = 4; }
    /// Flags of clock_nanosleep(2) and timer_settime(2).
    refused TimerFlags as "TIMER_" { ABSTIME = 1; }
    /// Flags of getrandom(2).
    refused GetrandomFlags as "GRND_" { NONBLOCK = 1; RANDOM = 2; INSECURE = 4; }
    /// Events of poll(2).
    kept PollEvents as "POLL" {
        IN = 1; PRI = 2; OUT = 4; ERR = 8; HUP = 0x10; NVAL = 0x20; RDNORM = 0x40; RDBAND = 0x80; WRNORM = 0x100; WRBAND = 0x200;
        MSG = 0x400; RDHUP = 0x2000;
    }
    /// Events of epoll_ctl(2).
    kept EpollEvents as "EPOLL" {
        IN = 1; PRI = 2; OUT = 4; ERR = 8; HUP = 0x10; NVAL = 0x20; RDNORM = 0x40; RDBAND = 0x80; WRNORM = 0x100; WRBAND = 0x200;
        MSG = 0x400; RDHUP = 0x2000; EXCLUSIVE = 0x1000_0000; WAKEUP = 0x2000_0000; ONESHOT = 0x4000_0000; ET = 0x8000_0000;
    }
    /// Flags of sigaction(2).
    kept ActionFlags as "SA_" {
        NOCLDSTOP = 1; NOCLDWAIT = 2; SIGINFO = 4; EXPOSE_TAGBITS = 0x800; ONSTACK = 0x800_0000; RESTART = 0x1000_0000;
        NODEFER = 0x4000_0000; RESETHAND = 0x8000_0000;
    }
    /// Options of wait4(2) and waitid(2).
    kept WaitFlags as "W" or "0" in 0xffff_ffff {
        NOHANG = 1; STOPPED = 2; EXITED = 4; CONTINUED = 8; NOWAIT = 0x100_0000;
    }
    /// More options of wait4(2) and waitid(2).
    kept WaitTypes as "__W" or "0" in 0xffff_ffff { NOTHREAD = 0x2000_0000; ALL = 0x4000_0000; CLONE = 0x8000_0000; }
    /// Flags of send(2) and recv(2); unknown ones are ignored.
    ignored MsgFlags as "MSG_" {
        OOB = 1; PEEK = 2; DONTROUTE = 4; CTRUNC = 8; PROXY = 0x10; TRUNC = 0x20; DONTWAIT = 0x40; EOR = 0x80; WAITALL = 0x100; FIN = 0x200;
        SYN = 0x400; CONFIRM = 0x800; RST = 0x1000; ERRQUEUE = 0x2000; NOSIGNAL = 0x4000; MORE = 0x8000; WAITFORONE = 0x10000;
        ZEROCOPY = 0x400_0000; FASTOPEN = 0x2000_0000; CMSG_CLOEXEC = 0x4000_0000;
    }
    /// Flags of accept4(2), and those of socket(2) beside the type.
    refused SockFlags as "SOCK_" { NONBLOCK = 0o4000; CLOEXEC = 0o2_000_000; }
    /// Flags of clone(2); the low byte is the exit signal.
    refused CloneFlags as "CLONE_" {
        VM = 0x100; FS = 0x200; FILES = 0x400; SIGHAND = 0x800; PIDFD = 0x1000; PTRACE = 0x2000; VFORK = 0x4000; PARENT = 0x8000;
        THREAD = 0x1_0000; NEWNS = 0x2_0000; SYSVSEM = 0x4_0000; SETTLS = 0x8_0000; PARENT_SETTID = 0x10_0000;
        CHILD_CLEARTID = 0x20_0000; DETACHED = 0x40_0000; UNTRACED = 0x80_0000; CHILD_SETTID = 0x100_0000; NEWCGROUP = 0x200_0000;
        NEWUTS = 0x400_0000; NEWIPC = 0x800_0000; NEWUSER = 0x1000_0000; NEWPID = 0x2000_0000; NEWNET = 0x4000_0000; IO = 0x8000_0000;
    }
}

impl OpenFlags {
    /// The bits that say how a file is accessed.
    pub const ACCMODE: u32 = 0o3;
}

/// The directory descriptor that stands for the working directory.
pub const AT_FDCWD: i32 = -100;

macro_rules! guest_constants {
    ($($(#[$meta:meta])* $name:ident { $($constant:ident = $value:expr;)* })*) => {$(
        $(#[$meta])*
        #[allow(missing_docs, non_snake_case, reason = "the manual page's names")]
        pub mod $name {
            $(pub const $constant: u32 = $value;)*

            /// The symbolic name of a value.
            pub const fn name(value: u32) -> Option<&'static str> {
                match value {
                    $($constant => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }
    )*
        /// Every constant with its name in C, as data: for checks against the C headers.
        pub const CONSTANTS: &[(&str, u32)] = &[$($((stringify!($constant), $value),)*)*];
    };
}

guest_constants! {
    /// Commands of fcntl(2).
    fcntl {
        F_DUPFD = 0; F_GETFD = 1; F_SETFD = 2; F_GETFL = 3; F_SETFL = 4; F_GETLK = 5; F_SETLK = 6; F_SETLKW = 7; F_SETOWN = 8; F_GETOWN = 9;
        F_SETSIG = 10; F_GETSIG = 11; F_GETLK64 = 12; F_SETLK64 = 13; F_SETLKW64 = 14; F_SETOWN_EX = 15; F_GETOWN_EX = 16;
        F_OFD_GETLK = 36; F_OFD_SETLK = 37; F_OFD_SETLKW = 38; F_SETLEASE = 1024; F_GETLEASE = 1025; F_NOTIFY = 1026;
        F_DUPFD_CLOEXEC = 1030; F_SETPIPE_SZ = 1031; F_GETPIPE_SZ = 1032; F_ADD_SEALS = 1033; F_GET_SEALS = 1034;
        F_GET_RW_HINT = 1035; F_SET_RW_HINT = 1036;
    }
    /// Kinds of record locks of fcntl(2).
    lock { F_RDLCK = 0; F_WRLCK = 1; F_UNLCK = 2; }
    /// Origins of lseek(2).
    whence { SEEK_SET = 0; SEEK_CUR = 1; SEEK_END = 2; SEEK_DATA = 3; SEEK_HOLE = 4; }
    /// Commands of ioctl(2).
    ioctl {
        TCGETS = 0x5401; TCSETS = 0x5402; TCSETSW = 0x5403; TCSETSF = 0x5404; TCSBRK = 0x5409; TCXONC = 0x540a; TCFLSH = 0x540b;
        TIOCEXCL = 0x540c; TIOCNXCL = 0x540d; TIOCSCTTY = 0x540e; TIOCGPGRP = 0x540f; TIOCSPGRP = 0x5410; TIOCOUTQ = 0x5411; TIOCSTI = 0x5412;
        TIOCGWINSZ = 0x5413; TIOCSWINSZ = 0x5414; FIONREAD = 0x541b; TIOCPKT = 0x5420; FIONBIO = 0x5421; TIOCNOTTY = 0x5422; TCSBRKP = 0x5425; TIOCGSID = 0x5429;
        TIOCGETD = 0x5424; TIOCGPTN = 0x8004_5430; TIOCGPKT = 0x8004_5438; TIOCSPTLCK = 0x4004_5431; TIOCSIG = 0x4004_5436; TIOCGPTLCK = 0x8004_5439; TIOCGPTPEER = 0x5441;
        TCGETS2 = 0x802c_542a; FIONCLEX = 0x5450; FIOCLEX = 0x5451; FIOASYNC = 0x5452; FIOQSIZE = 0x5460;
        SIOCATMARK = 0x8905; SIOCGIFNAME = 0x8910; SIOCGIFCONF = 0x8912; SIOCGIFFLAGS = 0x8913; SIOCGIFADDR = 0x8915; SIOCGIFDSTADDR = 0x8917;
        SIOCGIFBRDADDR = 0x8919; SIOCGIFNETMASK = 0x891b; SIOCGIFMTU = 0x8921; SIOCGIFHWADDR = 0x8927; SIOCGIFINDEX = 0x8933;
        SIOCGIFTXQLEN = 0x8942;
        FS_IOC_GETFLAGS = 0x8004_6601; FICLONE = 0x4004_9409;
    }
    /// Clocks of clock_gettime(2).
    clock {
        CLOCK_REALTIME = 0; CLOCK_MONOTONIC = 1; CLOCK_PROCESS_CPUTIME_ID = 2; CLOCK_THREAD_CPUTIME_ID = 3; CLOCK_MONOTONIC_RAW = 4;
        CLOCK_REALTIME_COARSE = 5; CLOCK_MONOTONIC_COARSE = 6; CLOCK_BOOTTIME = 7; CLOCK_REALTIME_ALARM = 8; CLOCK_BOOTTIME_ALARM = 9; CLOCK_TAI = 11;
    }
    /// Resources of getrlimit(2).
    resource {
        RLIMIT_CPU = 0; RLIMIT_FSIZE = 1; RLIMIT_DATA = 2; RLIMIT_STACK = 3; RLIMIT_CORE = 4; RLIMIT_RSS = 5; RLIMIT_NPROC = 6; RLIMIT_NOFILE = 7;
        RLIMIT_MEMLOCK = 8; RLIMIT_AS = 9; RLIMIT_LOCKS = 10; RLIMIT_SIGPENDING = 11; RLIMIT_MSGQUEUE = 12; RLIMIT_NICE = 13; RLIMIT_RTPRIO = 14;
        RLIMIT_RTTIME = 15;
    }
    /// How rt_sigprocmask(2) changes the mask.
    sighow { SIG_BLOCK = 0; SIG_UNBLOCK = 1; SIG_SETMASK = 2; }
    /// Options of prctl(2).
    prctl {
        PR_SET_PDEATHSIG = 1; PR_GET_PDEATHSIG = 2; PR_GET_DUMPABLE = 3; PR_SET_DUMPABLE = 4; PR_GET_KEEPCAPS = 7; PR_SET_KEEPCAPS = 8; PR_SET_NAME = 15;
        PR_GET_NAME = 16; PR_GET_SECCOMP = 21; PR_SET_SECCOMP = 22; PR_CAPBSET_READ = 23; PR_CAPBSET_DROP = 24; PR_GET_SECUREBITS = 27; PR_SET_TIMERSLACK = 29; PR_GET_TIMERSLACK = 30;
        PR_SET_CHILD_SUBREAPER = 36; PR_GET_CHILD_SUBREAPER = 37; PR_SET_NO_NEW_PRIVS = 38; PR_GET_NO_NEW_PRIVS = 39; PR_GET_TID_ADDRESS = 40;
        PR_SET_THP_DISABLE = 41; PR_GET_THP_DISABLE = 42; PR_CAP_AMBIENT = 47;
    }
    /// Operations of seccomp(2).
    seccomp { SECCOMP_SET_MODE_STRICT = 0; SECCOMP_SET_MODE_FILTER = 1; SECCOMP_GET_ACTION_AVAIL = 2; SECCOMP_GET_NOTIF_SIZES = 3; }
    /// What `id` means to waitid(2).
    idtype { P_ALL = 0; P_PID = 1; P_PGID = 2; P_PIDFD = 3; }
    /// What kcmp(2) compares.
    kcmp { KCMP_FILE = 0; KCMP_VM = 1; KCMP_FILES = 2; KCMP_FS = 3; KCMP_SIGHAND = 4; KCMP_IO = 5; KCMP_SYSVSEM = 6; KCMP_EPOLL_TFD = 7; }
    /// Operations of epoll_ctl(2).
    epoll { EPOLL_CTL_ADD = 1; EPOLL_CTL_DEL = 2; EPOLL_CTL_MOD = 3; }
    /// Address families of socket(2).
    family { AF_UNSPEC = 0; AF_UNIX = 1; AF_INET = 2; AF_INET6 = 10; AF_NETLINK = 16; AF_PACKET = 17; }
    /// Types of socket(2).
    kind { SOCK_STREAM = 1; SOCK_DGRAM = 2; SOCK_RAW = 3; SOCK_RDM = 4; SOCK_SEQPACKET = 5; SOCK_DCCP = 6; SOCK_PACKET = 10; }
    /// Protocols of ip(7).
    protocol { IPPROTO_IP = 0; IPPROTO_ICMP = 1; IPPROTO_TCP = 6; IPPROTO_UDP = 17; IPPROTO_ICMPV6 = 58; IPPROTO_UDPLITE = 136; }
    /// Levels of setsockopt(2).
    level { SOL_IP = 0; SOL_SOCKET = 1; SOL_TCP = 6; SOL_UDP = 17; SOL_IPV6 = 41; SOL_NETLINK = 270; }
    /// Options of the level `SOL_SOCKET`, see socket(7).
    sockopt {
        SO_DEBUG = 1; SO_REUSEADDR = 2; SO_TYPE = 3; SO_ERROR = 4; SO_DONTROUTE = 5; SO_BROADCAST = 6; SO_SNDBUF = 7; SO_RCVBUF = 8; SO_KEEPALIVE = 9;
        SO_OOBINLINE = 10; SO_NO_CHECK = 11; SO_PRIORITY = 12; SO_LINGER = 13; SO_REUSEPORT = 15; SO_PASSCRED = 16; SO_PEERCRED = 17; SO_RCVLOWAT = 18;
        SO_SNDLOWAT = 19; SO_RCVTIMEO_OLD = 20; SO_SNDTIMEO_OLD = 21; SO_BINDTODEVICE = 25; SO_TIMESTAMP_OLD = 29; SO_ACCEPTCONN = 30; SO_PEERSEC = 31;
        SO_SNDBUFFORCE = 32; SO_RCVBUFFORCE = 33; SO_TIMESTAMPNS_OLD = 35; SO_MARK = 36; SO_PROTOCOL = 38; SO_DOMAIN = 39; SO_RXQ_OVFL = 40;
        SO_PEEK_OFF = 42; SO_BUSY_POLL = 46; SO_INCOMING_CPU = 49; SO_COOKIE = 57; SO_TIMESTAMP_NEW = 63; SO_TIMESTAMPNS_NEW = 64; SO_RCVTIMEO_NEW = 66;
        SO_SNDTIMEO_NEW = 67;
    }
    /// Options of the level `SOL_TCP`, see tcp(7).
    tcpopt {
        TCP_NODELAY = 1; TCP_MAXSEG = 2; TCP_CORK = 3; TCP_KEEPIDLE = 4; TCP_KEEPINTVL = 5; TCP_KEEPCNT = 6; TCP_SYNCNT = 7; TCP_LINGER2 = 8;
        TCP_DEFER_ACCEPT = 9; TCP_WINDOW_CLAMP = 10; TCP_INFO = 11; TCP_QUICKACK = 12; TCP_CONGESTION = 13; TCP_USER_TIMEOUT = 18; TCP_FASTOPEN = 23;
        TCP_NOTSENT_LOWAT = 25; TCP_FASTOPEN_CONNECT = 30;
    }
    /// Options of the level `SOL_IP`, see ip(7).
    ipopt {
        IP_TOS = 1; IP_TTL = 2; IP_PKTINFO = 8; IP_MTU_DISCOVER = 10; IP_RECVERR = 11; IP_RECVTTL = 12; IP_RECVTOS = 13; IP_MTU = 14; IP_FREEBIND = 15;
        IP_BIND_ADDRESS_NO_PORT = 24; IP_MULTICAST_IF = 32; IP_MULTICAST_TTL = 33; IP_MULTICAST_LOOP = 34; IP_ADD_MEMBERSHIP = 35;
        IP_DROP_MEMBERSHIP = 36; IP_MULTICAST_ALL = 49;
    }
    /// Options of the level `SOL_IPV6`, see ipv6(7).
    ipv6opt {
        IPV6_UNICAST_HOPS = 16; IPV6_MULTICAST_IF = 17; IPV6_MULTICAST_HOPS = 18; IPV6_MULTICAST_LOOP = 19; IPV6_ADD_MEMBERSHIP = 20;
        IPV6_DROP_MEMBERSHIP = 21; IPV6_MTU_DISCOVER = 23; IPV6_MTU = 24; IPV6_RECVERR = 25; IPV6_V6ONLY = 26; IPV6_RECVPKTINFO = 49; IPV6_PKTINFO = 50;
        IPV6_RECVHOPLIMIT = 51; IPV6_HOPLIMIT = 52; IPV6_RECVTCLASS = 66; IPV6_TCLASS = 67;
    }
    /// How shutdown(2) ends a connection.
    shutdown { SHUT_RD = 0; SHUT_WR = 1; SHUT_RDWR = 2; }
    /// Operations of futex(2), without their flags.
    futex {
        FUTEX_WAIT = 0; FUTEX_WAKE = 1; FUTEX_FD = 2; FUTEX_REQUEUE = 3; FUTEX_CMP_REQUEUE = 4; FUTEX_WAKE_OP = 5; FUTEX_LOCK_PI = 6; FUTEX_UNLOCK_PI = 7;
        FUTEX_TRYLOCK_PI = 8; FUTEX_WAIT_BITSET = 9; FUTEX_WAKE_BITSET = 10; FUTEX_WAIT_REQUEUE_PI = 11; FUTEX_CMP_REQUEUE_PI = 12; FUTEX_LOCK_PI2 = 13;
    }
    /// Entries of the auxiliary vector, see getauxval(3).
    auxv {
        AT_NULL = 0; AT_IGNORE = 1; AT_PAGESZ = 6; AT_FLAGS = 8; AT_UID = 11; AT_EUID = 12; AT_GID = 13; AT_EGID = 14; AT_PLATFORM = 15; AT_HWCAP = 16;
        AT_CLKTCK = 17; AT_SECURE = 23; AT_RANDOM = 25; AT_HWCAP2 = 26; AT_EXECFN = 31;
    }
}
