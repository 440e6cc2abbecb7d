//! Modules that lind-cc would never make: a foreign libc that passes hostile arguments to every system call, bad
//! memory accesses of every kind, and files that are no programs. lind must answer with errors and signals; it must
//! not crash, hang, or touch anything outside of the sandbox.
//!
//! The random part prints its seed; `LIND_HOSTILE_SEED` repeats it and `LIND_HOSTILE_COUNT` sets the cases a call.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lind_tests::install::{Installation, repository};
use lind_tests::run::{Ending, Outcome, disable_core_files, run};
use tempfile::TempDir;

/// The exit status by which the module says that all calls came back.
const CAME_BACK: i32 = 42;
/// Longest time for a process that must not block.
const LIMIT: Duration = Duration::from_secs(120);
/// How long a process that may block is watched.
const WATCH: Duration = Duration::from_secs(2);

/// Calls that may wait forever for something that never comes, as they should.
const BLOCKING: &[i32] = &[
    22,  // epoll_pwait
    25,  // fcntl (locks)
    32,  // flock
    72,  // pselect6
    73,  // ppoll
    81,  // sync: as long as the disk takes
    98,  // futex
    101, // nanosleep
    115, // clock_nanosleep
    133, // rt_sigsuspend
    137, // rt_sigtimedwait
    183, // mq_timedreceive
    188, // msgrcv
    189, // msgsnd
    192, // semtimedop
    193, // semop
    202, // accept
    207, // recvfrom
    212, // recvmsg
    242, // accept4
    407, // clock_nanosleep_time64
    413, // pselect6_time64
    414, // ppoll_time64
    419, // mq_timedreceive_time64
    420, // semtimedop_time64
    421, // rt_sigtimedwait_time64
    422, // futex_time64
    441, // epoll_pwait2
    449, // futex_waitv
];

/// Calls that end the process, or change it so that it ends early or cannot do its other calls.
const ENDING: &[i32] = &[
    93,  // exit
    94,  // exit_group
    103, // setitimer: SIGALRM
    110, // timer_settime
    129, // kill
    130, // tkill
    131, // tgkill
    138, // rt_sigqueueinfo
    139, // rt_sigreturn
    164, // setrlimit
    220, // clone
    221, // execve
    240, // rt_tgsigqueueinfo
    261, // prlimit64
    277, // seccomp
    281, // execveat
    409, // timer_settime64
    424, // pidfd_send_signal
    435, // clone3
];

/// Calls with a process of their own, so that what they make (descriptors to wait on, memory, other roots) does not
/// meet the others.
const ALONE: &[i32] = &[
    19,  // eventfd2
    20,  // epoll_create1
    26,  // inotify_init1
    47,  // fallocate
    49,  // chdir
    50,  // fchdir
    51,  // chroot
    56,  // openat
    59,  // pipe2
    74,  // signalfd4
    85,  // timerfd_create
    198, // socket
    199, // socketpair
    214, // brk
    215, // munmap
    216, // mremap
    222, // mmap
    226, // mprotect
    233, // madvise
    241, // perf_event_open
    262, // fanotify_init
    282, // userfaultfd
    425, // io_uring_setup
    434, // pidfd_open
    436, // close_range
    437, // openat2
];

/// The largest number of the ordinary matrix.
const LAST: i32 = 600;

#[test]
fn every_system_call_survives_hostile_arguments() {
    let sandbox = Sandbox::new("hostile");
    let seed = setting("LIND_HOSTILE_SEED").unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .subsec_nanos()
    });
    let count = setting("LIND_HOSTILE_COUNT").unwrap_or(300);
    println!("LIND_HOSTILE_SEED={seed} LIND_HOSTILE_COUNT={count}");
    let attack = |ranges: &[(i32, i32)], limit| {
        let mut arguments = vec![
            sandbox.canary().into_os_string(),
            "../../../../../../canary/file".into(),
        ];
        arguments.extend([seed.to_string().into(), count.to_string().into()]);
        for (from, to) in ranges {
            arguments.extend([from.to_string().into(), to.to_string().into()]);
        }
        sandbox.run(&arguments, limit)
    };
    let came_back = |ranges: &[(i32, i32)]| {
        let outcome = attack(ranges, LIMIT);
        check(&outcome)?;
        expect(&outcome, &[CAME_BACK])
    };
    let ends_somehow = |number: i32| {
        let outcome = attack(&[(number, number)], LIMIT);
        check(&outcome)?;
        match outcome.ending {
            Ending::TimedOut => Err("it hangs".to_owned()),
            _ => Ok(()),
        }
    };
    let may_block = |number: i32| {
        let outcome = attack(&[(number, number)], WATCH);
        check(&outcome)
    };
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for ranges in ordinary_ranges().chunks(4) {
        let ranges = ranges.to_vec();
        jobs.push((
            format!("calls {ranges:?}"),
            Box::new(move || came_back(&ranges)),
        ));
    }
    let odd = [
        (-5, -1),
        (i32::MIN, i32::MIN + 2),
        (i32::MAX - 2, i32::MAX - 1),
        (1_000_000, 1_000_001),
    ];
    jobs.push((format!("calls {odd:?}"), Box::new(move || came_back(&odd))));
    for &number in ALONE {
        jobs.push((
            format!("call {number}"),
            Box::new(move || came_back(&[(number, number)])),
        ));
    }
    for &number in ENDING {
        jobs.push((
            format!("call {number}"),
            Box::new(move || ends_somehow(number)),
        ));
    }
    for &number in BLOCKING {
        jobs.push((
            format!("call {number}"),
            Box::new(move || may_block(number)),
        ));
    }
    let failures = perform(jobs);
    sandbox.assert_untouched();
    assert!(
        failures.is_empty(),
        "LIND_HOSTILE_SEED={seed}\n{}",
        failures.join("\n")
    );
}

/// What lies between the calls that have a process of their own.
fn ordinary_ranges() -> Vec<(i32, i32)> {
    let mut special: Vec<i32> = [BLOCKING, ENDING, ALONE].concat();
    special.sort_unstable();
    special.dedup();
    special.push(LAST + 1);
    let mut from = 0;
    let mut ranges = Vec::new();
    for number in special {
        if from < number {
            ranges.push((from, number - 1));
        }
        from = number + 1;
    }
    ranges
}

/// Acts of `hostile_memory.wat`: from number, to number, status.
const ACTS: &[(usize, usize, i32)] = &[
    (0, 21, 139),  // accesses to memory that is not there; endless recursion
    (22, 22, 132), // unreachable
    (23, 26, 136), // divisions by zero, overflow, conversion of NaN
    (27, 30, 139), // calls through bad function pointers
    (31, 32, 135), // misaligned atomics
    (33, 37, 139), // bad pointers for lind's own functions
    (38, 45, 42),  // harmless, or refused by a result
];

#[test]
fn bad_memory_accesses_are_signals() {
    let sandbox = Sandbox::new("hostile_memory");
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for &(from, to, status) in ACTS {
        for act in from..=to {
            let sandbox = &sandbox;
            let job = move || {
                let outcome = sandbox.run(&[act.to_string().into()], LIMIT);
                check(&outcome)?;
                expect(&outcome, &[status])
            };
            jobs.push((format!("act {act}"), Box::new(job)));
        }
    }
    let failures = perform(jobs);
    sandbox.assert_untouched();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const MEMORY: &str = r#"(import "env" "memory" (memory 4 65536 shared))"#;
const START: &str = r#"(func (export "_start"))"#;

#[test]
fn what_is_no_program_is_refused_with_a_sentence() {
    let good = wat::parse_str(format!("(module {MEMORY} {START})")).unwrap();
    let module = |body: &str| wat::parse_str(format!("(module {body})")).unwrap();
    let truncated: Vec<u8> = good.iter().copied().take(good.len() - 3).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty file", Vec::new()),
        ("garbage", vec![0x5a; 5000]),
        ("only the magic", b"\0asm".to_vec()),
        ("other version", b"\0asm\x09\0\0\0".to_vec()),
        ("truncated", truncated),
        ("component", b"\0asm\x0d\0\x01\0".to_vec()),
        ("no memory", module(START)),
        ("own memory", module(&format!("(memory 4) {START}"))),
        (
            "unshared memory",
            module(&format!(r#"(import "env" "memory" (memory 4)) {START}"#)),
        ),
        (
            "small maximum",
            module(&format!(
                r#"(import "env" "memory" (memory 4 8 shared)) {START}"#
            )),
        ),
        ("no start", module(MEMORY)),
        (
            "start is no function",
            module(&format!(
                r#"{MEMORY} (global (export "_start") i32 (i32.const 0))"#
            )),
        ),
        (
            "start takes something",
            module(&format!(r#"{MEMORY} (func (export "_start") (param i32))"#)),
        ),
        (
            "unknown module",
            module(&format!(
                r#"(import "wasi" "fd_write" (func)) {MEMORY} {START}"#
            )),
        ),
        (
            "unknown function",
            module(&format!(
                r#"(import "lind" "format_disk" (func)) {MEMORY} {START}"#
            )),
        ),
        (
            "other type",
            module(&format!(
                r#"(import "lind" "syscall" (func (param i32))) {MEMORY} {START}"#
            )),
        ),
        (
            "imported table",
            module(&format!(
                r#"(import "env" "table" (table 1 funcref)) {MEMORY} {START}"#
            )),
        ),
        (
            "imported global",
            module(&format!(
                r#"(import "env" "g" (global i64)) {MEMORY} {START}"#
            )),
        ),
        (
            "invalid body",
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x6a\x0b".to_vec(),
        ),
    ];
    let sandbox = Sandbox::empty();
    let failures = perform_modules(&sandbox, cases, &[126], |outcome| {
        let text = String::from_utf8_lossy(&outcome.stderr).into_owned();
        if text.starts_with("lind: ") {
            Ok(())
        } else {
            Err(format!("no sentence: {text}"))
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn odd_modules_end_like_programs() {
    let module = |body: &str| wat::parse_str(format!("(module {body})")).unwrap();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty program", module(&format!("{MEMORY} {START}"))),
        (
            "data where no memory is",
            module(&format!(
                r#"{MEMORY} (data (i32.const 0x50000000) "x") {START}"#
            )),
        ),
        (
            "data over the end",
            module(&format!(
                r#"{MEMORY} (data (i32.const 0xffffffff) "xx") {START}"#
            )),
        ),
        (
            "data in page zero",
            module(&format!(r#"{MEMORY} (data (i32.const 8) "x") {START}"#)),
        ),
        (
            "elements over the end",
            module(&format!(
                "{MEMORY} (table 1 funcref) (elem (i32.const 7) func $f) (func $f) {START}"
            )),
        ),
        (
            "trap in the start function",
            module(&format!(
                "{MEMORY} (func $s unreachable) (start $s) {START}"
            )),
        ),
        (
            "recursion in the start function",
            module(&format!("{MEMORY} (func $s (call $s)) (start $s) {START}")),
        ),
        (
            "all of memory",
            module(&format!(
                r#"(import "env" "memory" (memory 65536 65536 shared)) {START}"#
            )),
        ),
        (
            "no memory at first",
            module(&format!(
                r#"(import "env" "memory" (memory 0 65536 shared)) {START}"#
            )),
        ),
        (
            "a huge table",
            module(&format!("{MEMORY} (table 0xffffffff funcref) {START}")),
        ),
        (
            "tables beyond number",
            module(&format!(
                "{MEMORY} {} {START}",
                "(table 1000000 funcref)".repeat(50)
            )),
        ),
    ];
    let sandbox = Sandbox::empty();
    let failures = perform_modules(&sandbox, cases, &[0, 126, 132, 134, 136, 137, 139], |_| {
        Ok(())
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs each module; its status must be one of `statuses`.
fn perform_modules(
    sandbox: &Sandbox,
    cases: Vec<(&str, Vec<u8>)>,
    statuses: &[i32],
    also: impl Fn(&Outcome) -> Result<(), String> + Sync,
) -> Vec<String> {
    let also = &also;
    let jobs = cases.into_iter().map(|(name, bytes)| {
        let job = move || {
            let path = sandbox
                .directory
                .path()
                .join(format!("{}.wasm", name.replace(' ', "_")));
            fs::write(&path, bytes).map_err(|error| error.to_string())?;
            make_executable(&path);
            let outcome = sandbox.run_program(&path, &[], LIMIT);
            check(&outcome)?;
            expect(&outcome, statuses)?;
            also(&outcome)
        };
        let job: Job<'_> = (name.to_owned(), Box::new(job));
        job
    });
    let failures = perform(jobs.collect());
    sandbox.assert_untouched();
    failures
}

type Job<'a> = (
    String,
    Box<dyn FnOnce() -> Result<(), String> + Send + Sync + 'a>,
);

/// Performs the jobs on some threads; gives what failed.
fn perform(jobs: Vec<Job<'_>>) -> Vec<String> {
    const THREADS: usize = 6;
    let jobs: Vec<Mutex<Option<Job<'_>>>> =
        jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some((name, job)) = job.lock().unwrap().take() else {
                        continue;
                    };
                    if let Err(error) = job() {
                        failures.lock().unwrap().push(format!("{name}: {error}"));
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}

/// lind itself must be well, whatever happened to the guest.
fn check(outcome: &Outcome) -> Result<(), String> {
    let text = String::from_utf8_lossy(&outcome.stderr);
    if outcome.ending == Ending::Status(125) || text.contains("panicked") {
        return Err(format!("{}: {}", outcome.ending, tail(&text)));
    }
    Ok(())
}

fn expect(outcome: &Outcome, statuses: &[i32]) -> Result<(), String> {
    match outcome.ending {
        Ending::Status(status) if statuses.contains(&status) => Ok(()),
        ending => Err(format!(
            "{ending}, not {statuses:?}: {}",
            tail(&String::from_utf8_lossy(&outcome.stderr))
        )),
    }
}

/// The last lines of a text that may be full of rubbish.
fn tail(text: &str) -> String {
    let printable: String = text
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect();
    let lines: Vec<&str> = printable.lines().rev().take(12).collect();
    lines
        .into_iter()
        .rev()
        .map(|line| line.chars().take(200).collect::<String>())
        .collect::<Vec<_>>()
        .join("\n")
}

fn setting(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

fn make_executable(path: &Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(path, permissions).unwrap();
}

/// A scratch directory for the guests, and beside it files that must stay as they are.
struct Sandbox {
    lind: PathBuf,
    directory: TempDir,
    program: PathBuf,
    before: BTreeMap<PathBuf, String>,
}

impl Sandbox {
    /// With a program from `tests/wat`.
    fn new(name: &str) -> Self {
        let wat = repository().join("tests/wat").join(format!("{name}.wat"));
        let bytes = wat::parse_file(&wat).unwrap();
        let mut sandbox = Self::empty();
        sandbox.program = sandbox.directory.path().join("program");
        fs::write(&sandbox.program, bytes).unwrap();
        make_executable(&sandbox.program);
        sandbox
    }

    fn empty() -> Self {
        disable_core_files();
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in [
            "scratch",
            "scratch/sub",
            "canary",
            "canary/sub",
            "cwd",
            "cache",
        ] {
            fs::create_dir(root.join(name)).unwrap();
        }
        for name in ["canary/file", "canary/sub/file", "scratch/file"] {
            fs::write(root.join(name), "chirp\n").unwrap();
        }
        symlink(root.join("canary"), root.join("scratch/out")).unwrap();
        symlink("../canary/file", root.join("scratch/sub/up")).unwrap();
        let mut sandbox = Self {
            lind: Installation::find().unwrap().tool("lind"),
            directory,
            program: PathBuf::new(),
            before: BTreeMap::new(),
        };
        sandbox.before = sandbox.state();
        sandbox
    }

    fn canary(&self) -> PathBuf {
        self.directory.path().join("canary/file")
    }

    fn run(&self, arguments: &[std::ffi::OsString], limit: Duration) -> Outcome {
        self.run_program(&self.program, arguments, limit)
    }

    /// Runs a program in the sandbox: a scratch directory of its own, some memory, nothing else.
    fn run_program(
        &self,
        program: &Path,
        arguments: &[std::ffi::OsString],
        limit: Duration,
    ) -> Outcome {
        let root = self.directory.path();
        let scratch = tempfile::tempdir_in(root.join("scratch")).unwrap();
        let mut grant = scratch.path().as_os_str().to_owned();
        grant.push("::/scratch");
        let mut command = Command::new(&self.lind);
        command
            .args(["run", "--memory", "64M", "--cwd", "/scratch", "--dir"])
            .arg(grant);
        command.arg(program).args(arguments);
        command
            .current_dir(root.join("cwd"))
            .env("XDG_CACHE_HOME", root.join("cache"))
            .env("HOME", root.join("cache"));
        symlink(root.join("canary"), scratch.path().join("out")).unwrap();
        let outcome = run(&mut command, b"", limit).unwrap();
        // Guests may have taken permissions away; what cannot be removed goes with the sandbox.
        let _ = scratch.close();
        outcome
    }

    /// Type, permissions, size, times and contents of everything that guests may not touch.
    fn state(&self) -> BTreeMap<PathBuf, String> {
        let mut state = BTreeMap::new();
        for name in [
            "canary",
            "cwd",
            "scratch/sub",
            "scratch/file",
            "scratch/out",
        ] {
            describe(&self.directory.path().join(name), &mut state);
        }
        state
    }

    fn assert_untouched(&self) {
        assert_eq!(
            self.state(),
            self.before,
            "a guest reached something outside of its sandbox"
        );
    }
}

fn describe(path: &Path, state: &mut BTreeMap<PathBuf, String>) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let contents = if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            describe(&entry.unwrap().path(), state);
        }
        String::new()
    } else if metadata.is_symlink() {
        fs::read_link(path).unwrap().display().to_string()
    } else {
        fs::read_to_string(path).unwrap()
    };
    let text = format!(
        "{:o} {}:{} {} {} {}.{} {contents}",
        metadata.mode(),
        metadata.uid(),
        metadata.gid(),
        metadata.nlink(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    );
    state.insert(path.to_path_buf(), text);
}
