//! Every system call that is implemented succeeds in some C program, and fails in one if it can.
//!
//! A part of the programs is enough: they run once more, counted by `--strace-summary`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use lind_tests::Result;
use lind_tests::header::Header;
use rawposix_abi::{SYSCALLS, Support};

use crate::{Bench, directory};

/// The programs; what a group of them is there for, if its names do not say it.
const PROGRAMS: [&str; 46] = [
    "errors/attributes",
    "errors/descriptors",
    "errors/events",
    "errors/identity",
    "errors/ipc",
    "errors/memory",
    "errors/paths",
    "errors/processes",
    "errors/sockets",
    "errors/storage",
    "errors/transfer",
    "aio",
    "chroot",
    // getdents64, pread64 and their kind; copy_file_range, tee; faccessat, fchmod, statfs64.
    "directories",
    "file_io",
    "io_corners",
    "metadata",
    "ownership",
    "memory/barriers",
    "memory/flags",
    "memory/remap_pages",
    // times; timer_gettime64; rt_sigqueueinfo, sigaltstack, timer_settime64; rt_tgsigqueueinfo; restart_syscall.
    "clocks",
    "signal/timer_kinds",
    "exec/signals",
    "signal/queue",
    "wait/stopped_threads",
    // chdir, getitimer, getpriority; clone3, waitid, pidfd_getfd; unshare; setsid; execve; execveat; sysinfo.
    "process/fork_inherits",
    "wait/pidfd_more",
    "process/clone_invalid",
    "wait/orphaned_groups",
    "exec/busy",
    "exec/by_descriptor",
    "sort_search",
    "process/io_priority",
    "process/memory_of_others",
    "process/compare",
    "process/scheduling_attributes",
    "futex/errors",
    "futex/robust_list",
    "futex/waitv",
    "socket/credentials",
    "socket/unix_stream",
    // semtimedop_time64; flock.
    "ipc/semaphores",
    "locks/random",
    // seccomp, under whose filters getppid fails.
    "seccomp/threads",
    "landlock/rulesets",
];

/// Calls that cannot succeed: for want of a privilege, of hardware, of a process that takes time to end, or of a request
/// that does; and the one whose success is `EINTR`.
const NEVER_SUCCEED: [&str; 10] = [
    "clock_settime64",
    "io_cancel",
    "name_to_handle_at",
    "pkey_alloc",
    "pkey_free",
    "process_mrelease",
    "rt_sigsuspend",
    "setdomainname",
    "sethostname",
    "setns",
];

/// Calls that cannot fail: the manual page knows no error of theirs, or none that can be provoked.
const NEVER_FAIL: [&str; 18] = [
    "brk",
    "exit",
    "exit_group",
    "getegid",
    "geteuid",
    "getgid",
    "getpid",
    "gettid",
    "getuid",
    "munlockall",
    "personality",
    "restart_syscall",
    "sched_yield",
    "set_tid_address",
    "setfsgid",
    "setfsuid",
    "sync",
    "umask",
];

/// How often a call succeeded and failed.
#[derive(Clone, Copy, Default)]
struct Count {
    successes: u64,
    failures: u64,
}

/// The trial; none without an installation.
pub(super) fn trial(bench: &Arc<Bench>) -> Option<Trial> {
    bench.lind.as_ref()?;
    let bench = Arc::clone(bench);
    Some(Trial::test("calls", move || {
        check(&bench).map_err(Failed::from)
    }))
}

fn check(bench: &Bench) -> Result<()> {
    let mut counts = BTreeMap::new();
    for program in PROGRAMS {
        count(bench, program, &mut counts)?;
    }
    let mut problems = String::new();
    for call in SYSCALLS {
        if matches!(call.support, Support::Absent(_) | Support::Denied(_)) {
            continue;
        }
        let count: Count = counts.get(call.name).copied().unwrap_or_default();
        let sides = [
            (count.successes, &NEVER_SUCCEED[..], "succeeds"),
            (count.failures, &NEVER_FAIL[..], "fails"),
        ];
        for (seen, exceptions, does) in sides {
            match (seen > 0, exceptions.contains(&call.name)) {
                (false, false) => problems += &format!("{} never {does}\n", call.name),
                (true, true) => problems += &format!("{} {does} after all\n", call.name),
                _ => {}
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Adds what one program calls.
fn count(bench: &Bench, name: &str, counts: &mut BTreeMap<String, Count>) -> Result<()> {
    let (installation, compiler) = bench.lind.as_ref().ok_or("there is no installation")?;
    let source = directory().join(name).with_extension("c");
    let text = fs::read_to_string(&source)
        .map_err(|e| format!("cannot read '{}': {e}", source.display()))?;
    let header = Header::parse(&text)?;
    let level = header.levels.last().map_or("-O2", String::as_str);
    let program = compiler.build(&source, &super::options(&header, level), &header.libs)?;
    let place = bench.directory()?;
    let table = place.path().join("table");
    let options = [
        OsStr::new("--strace-summary"),
        OsStr::new("--strace-output"),
        table.as_os_str(),
    ];
    bench.run_lind(installation, &program, &header, "", &options)?;
    let table = fs::read_to_string(&table).map_err(|e| format!("{name} leaves no summary: {e}"))?;
    for line in table.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (calls, errors, name) = match *words {
            [_, _, _, calls, errors, name] => (calls, errors, name),
            [_, _, _, calls, name] => (calls, "0", name),
            _ => continue,
        };
        // The heading and the rules are no numbers.
        if let (Ok(calls), Ok(errors)) = (calls.parse::<u64>(), errors.parse::<u64>()) {
            let count = counts.entry(name.to_owned()).or_default();
            count.successes += calls.saturating_sub(errors);
            count.failures += errors;
        }
    }
    Ok(())
}
