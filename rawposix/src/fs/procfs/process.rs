//! The files of a process's directory, and of a thread's.

use std::collections::HashMap;
use std::fmt::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use rawposix_abi::flags::{OpenFlags, resource};
use rawposix_abi::{Errno, SignalSet};

use super::subject::Subject;
use super::{memory, mounts};
use crate::cage::usage::{Used, ticks};
use crate::cage::{BOUNDING, Pid, Process, Task, UNLIMITED};
use crate::fd::{CloseOnExec, Object, OpenFile, Origin};
use crate::fs::stat::inode_of_file;

/// What a file says.
pub(super) fn contents(name: &str, viewer: &Process, subject: &Subject) -> Vec<u8> {
    let (process, task) = match subject {
        Subject::Init => return of_init(name, viewer),
        Subject::Process(process, task) => (&**process, task.as_deref()),
    };
    let living = subject.living().is_some();
    let text = match name {
        "cmdline" if living => return strings(&process.image().argv),
        "environ" if living => return strings(&process.image().envp),
        "maps" if living => return memory::maps(process),
        "smaps" if living => return memory::smaps(process),
        "smaps_rollup" if living => return memory::rollup(process),
        "cmdline" | "environ" | "maps" | "smaps" | "smaps_rollup" | "auxv" => return Vec::new(),
        "comm" => return [&*name_of(process, task), b"\n"].concat(),
        "stat" => stat(process, task),
        "statm" => {
            let Sizes {
                total,
                resident,
                data,
                shared,
                ..
            } = Sizes::of(process);
            let pages = |bytes: u64| bytes / 4096;
            format!(
                "{} {} {} 0 0 {} 0\n",
                pages(total),
                pages(resident),
                pages(shared),
                pages(data)
            )
        }
        "status" => status(process, task),
        "limits" => limits(process),
        "mounts" => mounts::mounts(process),
        "mountinfo" => mounts::mountinfo(process),
        "schedstat" => format!("{} 0 0\n", times(process, task).user.as_nanos()),
        "io" => io(process, task),
        "children" => children(process, task),
        "coredump_filter" if living => {
            format!("{:08x}\n", process.with_settings(|s| s.core_filter))
        }
        "timerslack_ns" => format!("{}\n", process.with_settings(|s| s.timer_slack)),
        "oom_score" => format!("{}\n", oom_score(process)),
        "oom_score_adj" => format!("{}\n", process.with_settings(|s| s.oom_score)),
        "personality" => format!("{:08x}\n", process.with_settings(|s| s.persona)),
        name => common(name),
    };
    text.into_bytes()
}

/// What the process has moved, with its threads that have ended and the children that it has waited for; or what the
/// thread has. What of it came from a disk is not known.
fn io(process: &Process, task: Option<&Task>) -> String {
    let moved = match task {
        Some(task) => task.transfers.moved(),
        None => {
            let children = process.world().family.children_times(process.pid);
            process.used().with(children).moved
        }
    };
    format!(
        "rchar: {}\nwchar: {}\nsyscr: {}\nsyscw: {}\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
        moved.read, moved.written, moved.reads, moved.writes
    )
}

/// The children: all of them are the first thread's.
fn children(process: &Process, task: Option<&Task>) -> String {
    if task.is_some_and(|task| task.tid != process.pid) {
        return String::new();
    }
    let children = process.world().family.children(process.pid);
    children.iter().map(|child| format!("{child} ")).collect()
}

/// What Linux says of a process that needs little memory.
fn oom_score(process: &Process) -> i32 {
    (1000 + process.with_settings(|settings| settings.oom_score)) * 2 / 3
}

/// Files that say the same of all processes.
fn common(name: &str) -> String {
    String::from(match name {
        "cgroup" => "0::/\n",
        "cpuset" => "/\n",
        "gid_map" | "uid_map" | "projid_map" => "         0          0 4294967295\n",
        "loginuid" | "sessionid" => "4294967295",
        "oom_score" => "666\n",
        "oom_score_adj" => "0\n",
        "personality" => "00000000\n",
        "setgroups" => "allow\n",
        "wchan" => "0",
        _ => "",
    })
}

/// Process 1: lind.
fn of_init(name: &str, viewer: &Process) -> Vec<u8> {
    let text = match name {
        "comm" => String::from("lind\n"),
        "stat" => format!(
            "1 (lind) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 18446744073709551615{} 17 0{}\n",
            " 0".repeat(12),
            " 0".repeat(13)
        ),
        "statm" => String::from("0 0 0 0 0 0 0\n"),
        "status" => String::from(
            "Name:\tlind\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t1\nNgid:\t0\nPid:\t1\nPPid:\t0\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t \nThreads:\t1\n",
        ),
        "limits" => limits(viewer),
        "mounts" => mounts::mounts(viewer),
        "mountinfo" => mounts::mountinfo(viewer),
        "schedstat" => String::from("0 0 0\n"),
        name => common(name),
    };
    text.into_bytes()
}

fn strings(strings: &[Vec<u8>]) -> Vec<u8> {
    strings
        .iter()
        .flat_map(|s| s.iter().copied().chain([0]))
        .collect()
}

fn name_of(process: &Process, task: Option<&Task>) -> Vec<u8> {
    match task {
        Some(task) => task.name(),
        None => process.name().into_bytes(),
    }
}

fn times(process: &Process, task: Option<&Task>) -> Used {
    match task {
        Some(task) => task.used(),
        None => process.used(),
    }
}

/// The letter of what a process, or a thread, does.
pub(super) fn state_of(process: &Process, task: Option<&Task>) -> char {
    if process.end().is_some() {
        return 'Z';
    }
    if process.signals.is_stopped() {
        return 'T';
    }
    let tasks = process.tasks();
    let mut threads: Vec<&Task> = match task {
        Some(task) => vec![task],
        None => tasks.iter().map(|task| &**task).collect(),
    };
    // As on Linux, a process is what its first thread is.
    threads.sort_by_key(|task| task.tid != process.pid);
    threads
        .first()
        .and_then(|task| task.host.state())
        .map_or('R', |state| if state == 'R' { 'R' } else { 'S' })
}

/// Sizes of a process's memory, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    total: u64,
    resident: u64,
    data: u64,
    shared: u64,
    locked: u64,
}

impl Sizes {
    fn of(process: &Process) -> Self {
        if process.end().is_some() {
            return Self::default();
        }
        let space = process.space();
        let usage = space.usage();
        Self {
            total: usage.total,
            resident: space.resident().min(usage.total),
            data: usage.data,
            shared: usage.shared,
            locked: usage.locked,
        }
    }
}

/// Pending, blocked, ignored and caught signals.
struct Masks {
    thread: SignalSet,
    shared: SignalSet,
    blocked: SignalSet,
    ignored: SignalSet,
    caught: SignalSet,
}

impl Masks {
    fn of(process: &Process, task: Option<&Task>) -> Self {
        let tasks = process.tasks();
        let first = tasks.iter().find(|task| task.tid == process.pid);
        let task = task.or(first.map(|task| &**task));
        let (thread, blocked) =
            task.map_or((SignalSet::EMPTY, SignalSet::EMPTY), Task::signal_sets);
        let (shared, ignored, caught) = process.signals.sets();
        Self {
            thread,
            shared,
            blocked,
            ignored,
            caught,
        }
    }
}

/// A time since the start of the sandbox, in hundredths of a second.
fn since_start(process: &Process) -> u128 {
    let began = process.started.duration_since(process.world().started);
    began.as_millis() / 10
}

fn stat(process: &Process, task: Option<&Task>) -> String {
    let world = process.world();
    let family = &world.family;
    let pid = process.pid;
    let id = task.map_or(pid, |task| task.tid);
    let group = family.group_of(pid).unwrap_or(Pid::NONE);
    let session = family.session_of(pid).unwrap_or(Pid::NONE);
    let (terminal, foreground) = match world.terminals.control_of(world, pid) {
        // Major and minor number in one, as the system's calls have them.
        Some((number, group)) => ((number & 0xff) | 136 << 8 | (number & !0xff) << 12, group.0),
        None => (0, -1),
    };
    let sizes = Sizes::of(process);
    let masks = Masks::of(process, task);
    // The first 31 signals.
    let low = |set: SignalSet| set.bits() & 0x7fff_ffff;
    let first = process.task(pid);
    let nice = task
        .or(first.as_deref())
        .map_or(0, |task| task.scheduling.lock().nice);
    let limit = process
        .limit(resource::RLIMIT_RSS)
        .map_or(UNLIMITED, |limit| limit.current);
    let mut text = format!(
        "{id} ({}) {} {} {group} {session} {terminal} {foreground} 4194304 0 0 0 0 ",
        String::from_utf8_lossy(&name_of(process, task)),
        state_of(process, task),
        family.parent(pid),
    );
    let _ = write!(
        text,
        "{} 0 {} 0 {} {nice} {} 0 {} {} {} {limit} ",
        ticks(times(process, task).user),
        ticks(family.children_times(pid).user),
        20 + nice,
        process.tasks().len().max(1),
        since_start(process),
        sizes.total,
        sizes.resident / 4096,
    );
    let _ = writeln!(
        text,
        "0 0 0 0 0 {} {} {} {} 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        low(SignalSet::from_bits(
            masks.thread.bits() | masks.shared.bits()
        )),
        low(masks.blocked),
        low(masks.ignored),
        low(masks.caught),
    );
    text
}

fn status(process: &Process, task: Option<&Task>) -> String {
    let family = &process.world().family;
    let pid = process.pid;
    let state = match state_of(process, task) {
        'R' => "R (running)",
        'T' => "T (stopped)",
        'Z' => "Z (zombie)",
        _ => "S (sleeping)",
    };
    let credentials = process.credentials();
    let ids = |ids: crate::cage::Ids| {
        format!(
            "{}\t{}\t{}\t{}",
            ids.real, ids.effective, ids.saved, ids.effective
        )
    };
    let mut groups = String::new();
    for group in &credentials.groups {
        let _ = write!(groups, "{group} ");
    }
    let mut text = format!(
        "Name:\t{}\nUmask:\t{:04o}\nState:\t{state}\nTgid:\t{pid}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t0\nUid:\t{}\nGid:\t{}\nFDSize:\t{}\nGroups:\t{groups}\n",
        String::from_utf8_lossy(&name_of(process, task)),
        process.umask().0,
        task.map_or(pid, |task| task.tid),
        family.parent(pid),
        ids(credentials.user),
        ids(credentials.group),
        process
            .descriptors()
            .last()
            .map_or(0, |last| last + 1)
            .max(64),
    );
    if process.end().is_none() {
        let sizes = Sizes::of(process);
        let rows = [
            ("VmPeak", sizes.total),
            ("VmSize", sizes.total),
            ("VmLck", sizes.locked),
            ("VmPin", 0),
            ("VmHWM", sizes.resident),
            ("VmRSS", sizes.resident),
            ("RssAnon", sizes.resident.saturating_sub(sizes.shared)),
            ("RssFile", 0),
            ("RssShmem", sizes.shared.min(sizes.resident)),
            ("VmData", sizes.data),
            ("VmStk", 0),
            ("VmExe", 0),
            ("VmLib", 0),
            ("VmPTE", 0),
            ("VmSwap", 0),
        ];
        for (name, bytes) in rows {
            let _ = writeln!(text, "{name}:\t{:8} kB", bytes / 1024);
        }
    }
    let masks = Masks::of(process, task);
    let _ = write!(
        text,
        "Threads:\t{}\nSigQ:\t{}/{}\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n",
        process.tasks().len().max(1),
        masks.shared.bits().count_ones() + masks.thread.bits().count_ones(),
        process
            .limit(resource::RLIMIT_SIGPENDING)
            .map_or(0, |limit| limit.current),
        masks.thread.bits(),
        masks.shared.bits(),
        masks.blocked.bits(),
        masks.ignored.bits(),
        masks.caught.bits(),
    );
    let capabilities = credentials.capabilities;
    let leader = process.task(process.pid);
    let (mode, filters) = task
        .or(leader.as_deref())
        .map_or_else(Default::default, |task| {
            (task.seccomp.mode(), task.seccomp.filters().len())
        });
    let _ = write!(
        text,
        "CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\nNoNewPrivs:\t{}\nSeccomp:\t{}\nSeccomp_filters:\t{}\n",
        capabilities.inheritable.0,
        capabilities.permitted.0,
        capabilities.effective.0,
        BOUNDING.0,
        capabilities.ambient.0,
        i32::from(process.with_settings(|settings| settings.no_new_privileges)),
        mode as u8,
        filters,
    );
    text.push_str("voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n");
    text
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

/// A file of `fdinfo`. `ENOENT` when the descriptor is closed.
pub(super) fn descriptor(subject: &Subject, fd: i32) -> Result<Vec<u8>, Errno> {
    let process = subject.process().ok_or(Errno::ENOENT)?;
    let file = process.file(fd).map_err(|_| Errno::ENOENT)?;
    let close_on_exec = process.with_files(|files| files.close_on_exec(fd));
    let (position, flags) = match file.object() {
        Object::Host(host) => (
            rustix::fs::tell(&host.fd).unwrap_or(0),
            rustix::fs::fcntl_getfl(&host.fd)?.bits() | OpenFlags::LARGEFILE.bits(),
        ),
        Object::Dir(dir) => (dir.listing.lock().position, file.flags.bits()),
        Object::Path(_) | Object::Own(_) => (0, file.flags.bits()),
    };
    let mut flags = flags & !OpenFlags::CLOEXEC.bits();
    if close_on_exec == Ok(CloseOnExec::Yes) {
        flags |= OpenFlags::CLOEXEC.bits();
    }
    let (mount, inode) = inode_of_file(process, &file);
    let mut text =
        format!("pos:\t{position}\nflags:\t0{flags:o}\nmnt_id:\t{mount}\nino:\t{inode}\n");
    match file.object() {
        Object::Own(own) => text.push_str(&own.file().details()),
        Object::Host(host) => match &host.origin {
            Origin::Nameless(label) if label.contains("eventpoll") => {
                text.push_str(&members(process, &file, &host.fd));
            }
            Origin::Nameless(label) if label.starts_with("anon_inode:") => {
                text.push_str(&details_of_host(&host.fd));
            }
            _ => {}
        },
        Object::Dir(_) | Object::Path(_) => {}
    }
    Ok(text.into_bytes())
}

/// What the host says of an eventfd, a timerfd, an inotify or epoll descriptor beside what every descriptor has.
fn details_of_host(fd: impl AsFd) -> String {
    const COMMON: [&str; 4] = ["pos:", "flags:", "mnt_id:", "ino:"];
    let path = format!("/proc/thread-self/fdinfo/{}", fd.as_fd().as_raw_fd());
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let is_own = |line: &&str| !COMMON.iter().any(|name| line.starts_with(name));
    text.split_inclusive('\n').filter(is_own).collect()
}

/// The members of an epoll set whose descriptions the process has, by the guests' descriptors.
fn members(process: &Process, set: &Arc<OpenFile>, host: impl AsFd) -> String {
    let mut numbers = HashMap::new();
    for fd in process.descriptors() {
        if let Ok(file) = process.file(fd) {
            match file.as_opened() {
                Object::Host(host) => numbers.extend(host.watches.of(set, Some(host.fd.as_fd()))),
                Object::Own(own) => numbers.extend(own.watches().of(set, None)),
                Object::Dir(_) | Object::Path(_) => {}
            }
        }
    }
    let mut text = String::new();
    for line in details_of_host(host).lines() {
        let parts = line.strip_prefix("tfd:").map(str::trim_start);
        let parts = parts.and_then(|rest| rest.split_once(' '));
        let Some((number, rest)) = parts else {
            continue;
        };
        if let Some(fd) = number.parse().ok().and_then(|host: i32| numbers.get(&host)) {
            let _ = writeln!(text, "tfd: {fd:8} {rest}");
        }
    }
    text
}
