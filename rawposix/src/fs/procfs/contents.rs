//! The texts of the files of `/proc`.

use std::fmt::Write;

use rawposix_abi::flags::resource;
use rawposix_memory::{Protection, RegionKind, Sharing};

use super::{ProcDir, ProcFile};
use crate::cage::{Pid, Process, UNLIMITED};
use crate::fs::mount::MountRoot;
use crate::fs::place;

/// The kernel release that the sandbox presents.
pub(crate) const RELEASE: &str = "6.1.0-lind";
/// The kernel version that the sandbox presents.
pub(crate) const VERSION: &str = "#1 SMP lind";

pub(super) fn contents(file: ProcFile, process: &Process) -> Vec<u8> {
    let text = match (file.dir, file.name) {
        (ProcDir::Root, name) => system(name, process),
        (ProcDir::Process(_) | ProcDir::Thread(..), "cmdline") => {
            return strings(&process.image().argv);
        }
        (ProcDir::Process(_) | ProcDir::Thread(..), "environ") => {
            return strings(&process.image().envp);
        }
        (ProcDir::Process(_) | ProcDir::Thread(..), "auxv") => return Vec::new(),
        (ProcDir::Process(_) | ProcDir::Thread(..), "maps") => return maps(process),
        (ProcDir::Process(pid) | ProcDir::Thread(_, pid), name) => of_process(name, process, pid),
        (_, name) => sysctl(name, process),
    };
    text.into_bytes()
}

fn strings(strings: &[Vec<u8>]) -> Vec<u8> {
    strings
        .iter()
        .flat_map(|s| s.iter().copied().chain([0]))
        .collect()
}

/// What the host's file of the same name says: figures of the machine that a container would see as well.
fn of_host(name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{name}")).unwrap_or_default()
}

fn system(name: &str, process: &Process) -> String {
    match name {
        "cpuinfo" => of_host("cpuinfo"),
        "meminfo" => of_host("meminfo"),
        "loadavg" => format!("0.00 0.00 0.00 1/1 {}\n", process.pid),
        "filesystems" => String::from("nodev\tproc\nnodev\ttmpfs\n\thostfs\n"),
        "uptime" => {
            let up = process.uptime();
            format!("{}.{:02} 0.00\n", up.as_secs(), up.subsec_millis() / 10)
        }
        "version" => format!("Linux version {RELEASE} (lind) {VERSION}\n"),
        "stat" => {
            let start = process.sandbox_start().tv_sec;
            format!(
                "cpu  0 0 0 0 0 0 0 0 0 0\nintr 0\nctxt 0\nbtime {start}\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"
            )
        }
        _ => String::new(),
    }
}

fn sysctl(name: &str, process: &Process) -> String {
    let value = match name {
        "hostname" => process.hostname().to_owned(),
        "domainname" => String::from("(none)"),
        "osrelease" => RELEASE.to_owned(),
        "ostype" => String::from("Linux"),
        "version" => VERSION.to_owned(),
        "pid_max" => String::from("4194304"),
        "ngroups_max" => String::from("65536"),
        "cap_last_cap" => String::from("40"),
        "boot_id" => uuid(process.boot_id()),
        "uuid" => uuid(crate::entropy::random()),
        "entropy_avail" | "poolsize" => String::from("256"),
        "overcommit_memory" => String::from("1"),
        "max_map_count" => String::from("65530"),
        "mmap_min_addr" => String::from("65536"),
        "pipe-max-size" => String::from("1048576"),
        "file-max" => String::from("9223372036854775807"),
        "nr_open" => String::from("1048576"),
        _ => String::new(),
    };
    value + "\n"
}

fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let byte = match i {
            6 => (byte & 0x0f) | 0x40,
            8 => (byte & 0x3f) | 0x80,
            _ => *byte,
        };
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn of_process(name: &str, process: &Process, tid: Pid) -> String {
    let pid = process.pid;
    let comm = match process.task(tid) {
        Some(task) => String::from_utf8_lossy(&task.name()).into_owned(),
        None => process.name(),
    };
    let usage = process.space().usage();
    let pages = usage.total / 4096;
    let family = &process.world().family;
    let parent = family.parent(pid);
    let group = family.group_of(pid).unwrap_or(pid);
    let session = family.session_of(pid).unwrap_or(pid);
    let state = if family.is_zombie(pid) {
        ('Z', "zombie")
    } else {
        ('R', "running")
    };
    match name {
        "comm" => format!("{comm}\n"),
        "statm" => format!("{pages} {pages} 0 0 0 {} 0\n", usage.data / 4096),
        "stat" => format!(
            "{tid} ({comm}) {} {parent} {group} {session} 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 0 {} {pages} 18446744073709551615 65536 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
            state.0, usage.total
        ),
        "status" => {
            let ids = process.credentials();
            let (uid, gid) = (ids.user, ids.group);
            format!(
                "Name:\t{comm}\nUmask:\t{:04o}\nState:\t{} ({})\nTgid:\t{pid}\nNgid:\t0\nPid:\t{tid}\nPPid:\t{parent}\nTracerPid:\t0\nUid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nFDSize:\t64\nGroups:\t{} \nVmSize:\t{:8} kB\nVmRSS:\t{:8} kB\nVmData:\t{:8} kB\nThreads:\t{}\nNoNewPrivs:\t1\nSeccomp:\t0\n",
                process.umask().0,
                state.0,
                state.1,
                uid.real,
                uid.effective,
                uid.saved,
                uid.effective,
                gid.real,
                gid.effective,
                gid.saved,
                gid.effective,
                gid.effective,
                usage.total / 1024,
                usage.total / 1024,
                usage.data / 1024,
                process.tasks().len(),
            )
        }
        "limits" => limits(process),
        "mounts" => mounts(process),
        "mountinfo" => mountinfo(process),
        _ => String::new(),
    }
}

fn limits(process: &Process) -> String {
    const ROWS: [(&str, u32, &str); 16] = [
        ("Max cpu time", resource::RLIMIT_CPU, "seconds"),
        ("Max file size", resource::RLIMIT_FSIZE, "bytes"),
        ("Max data size", resource::RLIMIT_DATA, "bytes"),
        ("Max stack size", resource::RLIMIT_STACK, "bytes"),
        ("Max core file size", resource::RLIMIT_CORE, "bytes"),
        ("Max resident set", resource::RLIMIT_RSS, "bytes"),
        ("Max processes", resource::RLIMIT_NPROC, "processes"),
        ("Max open files", resource::RLIMIT_NOFILE, "files"),
        ("Max locked memory", resource::RLIMIT_MEMLOCK, "bytes"),
        ("Max address space", resource::RLIMIT_AS, "bytes"),
        ("Max file locks", resource::RLIMIT_LOCKS, "locks"),
        (
            "Max pending signals",
            resource::RLIMIT_SIGPENDING,
            "signals",
        ),
        ("Max msgqueue size", resource::RLIMIT_MSGQUEUE, "bytes"),
        ("Max nice priority", resource::RLIMIT_NICE, ""),
        ("Max realtime priority", resource::RLIMIT_RTPRIO, ""),
        ("Max realtime timeout", resource::RLIMIT_RTTIME, "us"),
    ];
    let show = |value: u64| {
        if value == UNLIMITED {
            String::from("unlimited")
        } else {
            value.to_string()
        }
    };
    let mut text = format!(
        "{:<25} {:<20} {:<20} {:<10}\n",
        "Limit", "Soft Limit", "Hard Limit", "Units"
    );
    for (name, number, unit) in ROWS {
        if let Ok(limit) = process.limit(number) {
            let _ = writeln!(
                text,
                "{name:<25} {:<20} {:<20} {unit:<10}",
                show(limit.current),
                show(limit.max)
            );
        }
    }
    text
}

/// Path, type and options of every mount.
fn each_mount(process: &Process, mut each: impl FnMut(usize, &str, &str, &str)) {
    let mounts = process.mounts();
    for (id, point) in mounts.iter() {
        let path = match (mounts.root_of(id), &point.parent) {
            (Ok(Some(dir)), _) => place::path_of_dir(mounts, &dir),
            (_, Some(parent)) => place::path_of_dir(mounts, parent).map(|mut path| {
                path.push(b'/');
                path.extend_from_slice(&point.name);
                path
            }),
            _ => continue,
        };
        let Ok(path) = path else { continue };
        let kind = match point.root {
            MountRoot::Proc => "proc",
            MountRoot::Terminals => "devpts",
            MountRoot::Static(_) => "tmpfs",
            MountRoot::Private(_) => "tmpfs",
            MountRoot::Dir(_) | MountRoot::File(_) => "hostfs",
        };
        let options = if mounts.is_read_only(id) {
            "ro,relatime"
        } else {
            "rw,relatime"
        };
        each(id.0 + 1, &escape(&path), kind, options);
    }
}

/// A path as /proc/mounts writes it: blanks and backslashes as octal escapes.
fn escape(path: &[u8]) -> String {
    let mut text = String::new();
    for byte in path {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' | 0x80.. => {
                let _ = write!(text, "\\{byte:03o}");
            }
            byte => text.push(char::from(*byte)),
        }
    }
    text
}

fn mounts(process: &Process) -> String {
    let mut text = String::new();
    each_mount(process, |_, path, kind, options| {
        let _ = writeln!(text, "{kind} {path} {kind} {options} 0 0");
    });
    text
}

fn mountinfo(process: &Process) -> String {
    let mut text = String::new();
    each_mount(process, |id, path, kind, options| {
        let parent = if id == 1 { 0 } else { 1 };
        let _ = writeln!(
            text,
            "{id} {parent} 0:{id} / {path} {options} - {kind} {kind} {options}"
        );
    });
    text
}

fn maps(process: &Process) -> Vec<u8> {
    let mut text = Vec::new();
    for mapping in process.space().mappings() {
        let flag = |set: bool, letter: char| if set { letter } else { '-' };
        let line = format!(
            "{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {}",
            mapping.start,
            mapping.end,
            flag(mapping.protection.contains(Protection::READ), 'r'),
            flag(mapping.protection.contains(Protection::WRITE), 'w'),
            flag(mapping.protection.contains(Protection::EXEC), 'x'),
            if mapping.sharing == Sharing::Shared {
                's'
            } else {
                'p'
            },
            mapping.offset,
            mapping.label.device >> 8 & 0xff,
            mapping.label.device & 0xff,
            mapping.label.inode,
        );
        // Paths stand in one column.
        text.extend_from_slice(format!("{line:<73}").as_bytes());
        let path = match mapping.kind {
            RegionKind::Heap => b"[heap]".to_vec(),
            RegionKind::Image => process.program_path(),
            RegionKind::Mapping => mapping.label.path,
        };
        text.extend_from_slice(&path);
        text.push(b'\n');
    }
    text
}
