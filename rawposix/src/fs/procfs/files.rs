//! The fixed names of `/proc`, with their permissions.

use super::ProcDir;

/// A file with a fixed name.
#[derive(Debug)]
pub(super) struct FileEntry {
    pub(super) name: &'static str,
    pub(super) mode: u16,
    /// Whether only those who may trace a process may read it.
    pub(super) private: bool,
}

const fn open(name: &'static str) -> FileEntry {
    FileEntry {
        name,
        mode: 0o444,
        private: false,
    }
}

const fn private(name: &'static str, mode: u16) -> FileEntry {
    FileEntry {
        name,
        mode,
        private: true,
    }
}

const ROOT: [FileEntry; 15] = [
    open("cmdline"),
    open("cpuinfo"),
    open("devices"),
    open("diskstats"),
    open("filesystems"),
    open("loadavg"),
    open("locks"),
    open("meminfo"),
    open("partitions"),
    open("stat"),
    open("swaps"),
    open("uptime"),
    open("version"),
    open("vmstat"),
    open("modules"),
];

/// Of threads and processes, but the first one only of threads, and the last two only of processes.
const PROCESS: [FileEntry; 30] = [
    open("children"),
    private("auxv", 0o400),
    open("cgroup"),
    open("cmdline"),
    FileEntry {
        name: "comm",
        mode: 0o644,
        private: false,
    },
    open("cpuset"),
    private("environ", 0o400),
    open("gid_map"),
    private("io", 0o400),
    open("limits"),
    open("loginuid"),
    private("maps", 0o444),
    open("mountinfo"),
    open("mounts"),
    open("oom_score"),
    FileEntry {
        name: "oom_score_adj",
        mode: 0o644,
        private: false,
    },
    private("personality", 0o400),
    open("projid_map"),
    open("schedstat"),
    open("sessionid"),
    open("setgroups"),
    private("smaps", 0o444),
    private("smaps_rollup", 0o444),
    open("stat"),
    open("statm"),
    open("status"),
    open("uid_map"),
    open("wchan"),
    FileEntry {
        name: "coredump_filter",
        mode: 0o644,
        private: false,
    },
    FileEntry {
        name: "timerslack_ns",
        mode: 0o666,
        private: false,
    },
];

const NET: [FileEntry; 11] = [
    open("arp"),
    open("dev"),
    open("if_inet6"),
    open("raw"),
    open("raw6"),
    open("route"),
    open("tcp"),
    open("tcp6"),
    open("udp"),
    open("udp6"),
    open("unix"),
];

const SYSV_IPC: [FileEntry; 3] = [open("msg"), open("sem"), open("shm")];

const MESSAGE_QUEUES: [FileEntry; 5] = [
    open("msg_default"),
    open("msg_max"),
    open("msgsize_default"),
    open("msgsize_max"),
    open("queues_max"),
];

const KERNEL: [FileEntry; 17] = [
    open("cap_last_cap"),
    open("core_pattern"),
    open("domainname"),
    open("hostname"),
    open("msgmax"),
    open("msgmnb"),
    open("msgmni"),
    open("ngroups_max"),
    open("osrelease"),
    open("ostype"),
    open("pid_max"),
    open("sem"),
    open("shmall"),
    open("shmmax"),
    open("shmmni"),
    open("threads-max"),
    open("version"),
];

const RANDOM: [FileEntry; 4] = [
    open("boot_id"),
    open("entropy_avail"),
    open("poolsize"),
    open("uuid"),
];

const MEMORY: [FileEntry; 4] = [
    open("max_map_count"),
    open("mmap_min_addr"),
    open("overcommit_memory"),
    open("swappiness"),
];

const FILES: [FileEntry; 6] = [
    open("aio-max-nr"),
    open("aio-nr"),
    open("file-max"),
    open("file-nr"),
    open("nr_open"),
    open("pipe-max-size"),
];

const NET_CORE: [FileEntry; 1] = [open("somaxconn")];

/// The files of a directory.
pub(super) fn files(dir: ProcDir) -> &'static [FileEntry] {
    match dir {
        ProcDir::Root => &ROOT,
        ProcDir::Process(who) => match (&PROCESS, who.thread) {
            ([_, of_processes @ ..], None) => of_processes,
            ([of_threads @ .., _, _], Some(_)) => of_threads,
        },
        ProcDir::Net(_) => &NET,
        ProcDir::SysKernel => &KERNEL,
        ProcDir::SysKernelRandom => &RANDOM,
        ProcDir::SysVm => &MEMORY,
        ProcDir::SysFs => &FILES,
        ProcDir::SysFsMqueue => &MESSAGE_QUEUES,
        ProcDir::SysNetCore => &NET_CORE,
        ProcDir::SysvIpc => &SYSV_IPC,
        ProcDir::Fd(_) | ProcDir::FdInfo(_) | ProcDir::Task(_) | ProcDir::Sys | ProcDir::SysNet => {
            &[]
        }
    }
}

/// The links of a directory, but those of open files.
pub(super) fn links(dir: ProcDir) -> &'static [&'static str] {
    match dir {
        ProcDir::Root => &["mounts", "net", "self", "thread-self"],
        ProcDir::Process(_) => &["cwd", "exe", "root"],
        _ => &[],
    }
}
