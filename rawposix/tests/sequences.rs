//! Sequences of calls that mean something more often than not, with some that do not among them: processes that fork,
//! signal, map, open, lock and wait at random, under the filter that confines lind. Whatever they do, they can be killed,
//! they reach nothing outside, and nothing of them is left.
//!
//! The seed is printed; `LIND_SEQUENCE_SEED` repeats a run and `LIND_SEQUENCE_COUNT` sets the number of processes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::Guest;
use common::world::World;
use rawposix::{Config, Control, Errno, Limit, Net, Thread, confine};
use rawposix_abi::{SYSCALLS, Support, Syscall, table};
use rawposix_memory::GuestPtr;

/// Processes that each sandbox of a run has.
const PROCESSES: u64 = 25;
/// Calls of a process.
const CALLS: u64 = 60;
/// How long a process that waits is let alone.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long a process may take to die.
const LIMIT: Duration = Duration::from_secs(20);

const SIGCHLD: u32 = 17;
const SIGKILL: u32 = 9;
const WNOHANG: u32 = 1;
/// The result that asks for handlers to be run; see the signal ABI in the crate's documentation.
const LIND_SIGNAL: i32 = -4096;
const RT_SIGRETURN: i32 = 139;
const RESTART_SYSCALL: i32 = 128;

/// Where strings and other arguments lie in guest memory.
const STRINGS: u32 = 0x4_0000;
const ARGUMENTS: u32 = 0x8_0000;
const ARGUMENT_WORDS: u32 = 0x1000;
const STACK: u32 = 0x3f_0000;

const PATHS: &[&str] = &[
    "",
    ".",
    "..",
    "/",
    "file",
    "/file",
    "/a/b/c",
    "../../../../secret",
    "/a/../../secret",
    "/new",
    "/a/new/",
    "/tmp/new",
    "/proc/self/exe",
    "/proc/self/fd/3",
    "/proc/self/cwd/../..",
    "/proc/1/status",
    "/dev/null",
    "/dev/zero",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/shm/new",
    "/dev/fd/0",
    "user.attribute",
    "name",
];

/// A splitmix64 generator: the same numbers for the same seed everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).unwrap()
    }

    fn one_of(&mut self, words: &[u32]) -> u32 {
        words[self.index(words.len())]
    }

    fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).unwrap()).unwrap()
    }

    /// A word for an argument of this kind.
    fn word(&mut self, kind: &str) -> u32 {
        if self.below(20) == 0 {
            return self.one_of(&[
                0,
                1,
                0xffff,
                0x3f_ffff,
                0x40_0000,
                0x7fff_ffff,
                0x8000_0000,
                u32::MAX - 4095,
                u32::MAX,
            ]);
        }
        match kind {
            "Fd" => self.below(12),
            "DirFd" => match self.below(3) {
                0 => self.below(12),
                _ => common::CWD,
            },
            "Path" | "Str" => STRINGS + 32 * self.below(u32::try_from(PATHS.len()).unwrap()),
            "Len" | "Uint" => match self.below(4) {
                0 => self.below(4),
                1 => 8,
                _ => self.below(4096),
            },
            "Int" | "IdType" | "Whence" | "Resource" | "ClockId" | "EpollOp" | "FutexOp"
            | "SigHow" => self.below(16),
            "Pid" | "Uid" | "Gid" => self.one_of(&[0, 0, 2, 3, 4, 1000, u32::MAX]),
            "SignalArg" => self.below(66),
            "FcntlCmd" => match self.below(2) {
                0 => self.below(40),
                _ => 1024 + self.below(16),
            },
            "IoctlCmd" => match self.below(3) {
                0 => 0x5401 + self.below(0x70),
                1 => 0x8910 + self.below(0x30),
                _ => 0x541b,
            },
            "Mode" => self.below(0o10000),
            // Whole flag sets: some bits of a word.
            kind if kind.ends_with("Flags")
                || kind.ends_with("Word")
                || matches!(kind, "Prot" | "Hex" | "WaitOptions" | "FlockOp") =>
            {
                (0..self.below(3)).fold(self.below(4), |word, _| word | 1 << self.below(32))
            }
            // Pointers of all kinds.
            _ => match self.below(5) {
                0 => 0,
                _ => ARGUMENTS + 8 * self.below(ARGUMENT_WORDS / 2),
            },
        }
    }

    fn words(&mut self, call: &Syscall) -> [u32; 6] {
        let mut words = [0; 6];
        let mut next = 0;
        for parameter in call.parameters {
            if matches!(parameter.kind, "Off" | "Hex64") {
                let huge = self.below(10) == 0;
                words[next] = self.below(1 << 20);
                words[next + 1] = if huge {
                    self.one_of(&[0x7fff_ffff, u32::MAX])
                } else {
                    0
                };
                next += 2;
            } else {
                words[next] = self.word(parameter.kind);
                next += 1;
            }
        }
        words
    }
}

/// Calls that wait for the host's disks.
fn is_excepted(call: &Syscall) -> bool {
    matches!(call.support, Support::Absent(_) | Support::Denied(_))
        || matches!(
            call.name,
            "sync" | "syncfs" | "rt_sigreturn" | "restart_syscall"
        )
}

/// Makes calls until the process ends.
fn live(mut thread: Thread, mut random: Random, generation: u32) {
    thread.bind();
    let calls: Vec<&Syscall> = SYSCALLS.iter().filter(|call| !is_excepted(call)).collect();
    for _ in 0..CALLS {
        let call = calls[random.index(calls.len())];
        for _ in 0..8 {
            let place = ARGUMENTS + 4 * random.below(ARGUMENT_WORDS);
            let value = match random.below(4) {
                0 => ARGUMENTS + 4 * random.below(ARGUMENT_WORDS),
                1 => STRINGS + 32 * random.below(8),
                _ => random.below(64),
            };
            // The process may have unmapped it.
            let _ = thread.memory().write(GuestPtr::new(place), &value);
        }
        let words = random.words(call);
        let mut control = thread.syscall(i32::from(call.number), words);
        loop {
            control = match control {
                Control::Clone(request) if generation < 2 => {
                    let seed = random.next();
                    thread.start_child(request, |child| {
                        std::thread::spawn(move || live(child, Random(seed), generation + 1));
                    })
                }
                Control::Clone(request) => thread.fail_child(request, Errno::EAGAIN),
                Control::Exec(request) => thread.fail_exec(*request, Errno::ENOEXEC),
                Control::Return(LIND_SIGNAL) => match thread.next_signal(STACK) {
                    Control::Return(0) => thread.syscall(RESTART_SYSCALL, [0; 6]),
                    Control::Return(frame) => {
                        thread.syscall(RT_SIGRETURN, [frame.cast_unsigned(), 0, 0, 0, 0, 0])
                    }
                    ended => ended,
                },
                Control::Return(_) => break,
                Control::Exit(_) => return,
            };
        }
    }
    let exit = table::by_name("exit_group").unwrap();
    let _ = thread.syscall(i32::from(exit.number), [0; 6]);
}

/// The first process of a sandbox: it starts the others, and ends them.
struct Keeper {
    guest: Guest,
}

impl Keeper {
    fn new(root: &Path) -> Self {
        let mut guest = Guest::new(Config {
            root: Some(root.to_path_buf()),
            // RLIMIT_FSIZE, RLIMIT_NPROC.
            limits: vec![
                Limit {
                    resource: 1,
                    value: 1 << 20,
                },
                Limit {
                    resource: 6,
                    value: 40,
                },
            ],
            ..Config::default()
        });
        // Nothing is written to the test's own streams.
        for fd in 0..3 {
            let _ = guest.call("close", &[fd]);
        }
        for (place, path) in (STRINGS..).step_by(32).zip(PATHS) {
            let text = [path.as_bytes(), &[0]].concat();
            guest
                .thread
                .memory()
                .write_bytes(GuestPtr::new(place), &text)
                .unwrap();
        }
        // The others may stop the keeper.
        let sandbox = Arc::downgrade(&guest.sandbox);
        std::thread::spawn(move || {
            while let Some(sandbox) = sandbox.upgrade() {
                sandbox.go_on();
                drop(sandbox);
                sleep(PATIENCE);
            }
        });
        Self { guest }
    }

    /// A call of the keeper's; `None` when a process has ended it.
    fn call(&mut self, name: &str, words: &[u32]) -> Option<i32> {
        match self.guest.control(name, words) {
            Control::Return(word) => Some(word),
            _ => None,
        }
    }

    /// Whether one of the others, who have the keeper's user, has left it no room for children.
    fn is_sterile(&mut self) -> bool {
        const RLIMIT_NPROC: u32 = 6;
        let words = [0, RLIMIT_NPROC, 0, ARGUMENTS];
        let limit = GuestPtr::<u64>::new(ARGUMENTS);
        self.call("prlimit64", &words).is_none()
            || self
                .guest
                .thread
                .memory()
                .read(limit)
                .is_ok_and(|limit| limit <= 1)
    }

    /// Lets a process live and sees that it dies. `None` when it has ended the keeper.
    fn raise(&mut self, seed: u64) -> Option<()> {
        let begin = Instant::now();
        loop {
            match self.guest.control("clone", &[SIGCHLD, 0, 0, 0, 0]) {
                Control::Clone(request) => {
                    let started = self.guest.thread.start_child(request, |child| {
                        std::thread::spawn(move || live(child, Random(seed), 0));
                    });
                    match started {
                        Control::Return(pid) => assert!(pid > 0, "{pid}"),
                        _ => return None,
                    }
                    break;
                }
                // Orphans that were just being made still live.
                Control::Return(word) if word == Errno::EAGAIN.to_word() => {
                    if self.is_sterile() {
                        return None;
                    }
                    assert!(
                        begin.elapsed() < LIMIT,
                        "orphans do not die: LIND_SEQUENCE_SEED={seed}"
                    );
                    self.call("kill", &[u32::MAX, SIGKILL])?;
                    sleep(Duration::from_millis(1));
                }
                Control::Exit(_) => return None,
                other => panic!("{other:?}"),
            }
        }
        let begin = Instant::now();
        let mut killed = false;
        // wait4(2) for all that there are, orphans have gone to process 1.
        while self.call("wait4", &[u32::MAX, 0, WNOHANG, 0])? != Errno::ECHILD.to_word() {
            if begin.elapsed() > PATIENCE || killed {
                killed = true;
                self.call("kill", &[u32::MAX, SIGKILL])?;
            }
            assert!(
                begin.elapsed() < LIMIT,
                "a process does not die: LIND_SEQUENCE_SEED={seed}"
            );
            sleep(Duration::from_millis(1));
        }
        self.call("kill", &[u32::MAX, SIGKILL]).map(drop)
    }
}

fn count(directory: &str) -> usize {
    fs::read_dir(directory).unwrap().count()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// By how many the mappings may vary: the C library's allocator has some for each thread that there was.
const MAPPINGS_OF_THE_ALLOCATOR: usize = 32;

#[test]
fn processes_that_do_anything_leave_nothing() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = setting("LIND_SEQUENCE_SEED").unwrap_or(u64::from(clock.subsec_nanos()));
    let processes = setting("LIND_SEQUENCE_COUNT").unwrap_or(400);
    println!("LIND_SEQUENCE_SEED={seed} LIND_SEQUENCE_COUNT={processes}");
    confine(Net::None).unwrap();
    let mut random = Random(seed);
    let (mut descriptors, mut mappings) = (None, None);
    for _ in 0..processes.div_ceil(PROCESSES) {
        let world = World::new();
        let mut keeper = Keeper::new(&world.root());
        for _ in 0..PROCESSES {
            if keeper.raise(random.next()).is_none() {
                break;
            }
        }
        let sandbox = keeper.guest.sandbox.clone();
        if let Control::Return(word) = keeper.guest.control("exit_group", &[0]) {
            panic!("exit_group gave {word}");
        }
        drop(keeper);
        sandbox.wait(LIMIT);
        drop(sandbox);
        assert_eq!(
            fs::read(world.outer().join("secret")).unwrap(),
            b"text outside"
        );
        // Threads of the host end a moment after their guests.
        let open = || count("/proc/self/fd");
        let before = *descriptors.get_or_insert_with(|| settled(usize::MAX, open));
        let now = settled(before, open);
        assert!(
            now <= before,
            "{before} descriptors of the host have become {now}"
        );
        let mapped = || {
            fs::read_to_string("/proc/self/maps")
                .unwrap()
                .lines()
                .count()
        };
        let most = *mappings
            .get_or_insert_with(|| settled(usize::MAX, mapped) + MAPPINGS_OF_THE_ALLOCATOR);
        let now = settled(most, mapped);
        assert!(now <= most, "{now} mappings of the host, more than {most}");
    }
}

/// A number of this process's, once it is no more than `expected` or time is up.
fn settled(expected: usize, number: impl Fn() -> usize) -> usize {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        sleep(Duration::from_millis(20));
        let now = number();
        if now <= expected && expected != usize::MAX || Instant::now() > end {
            return now;
        }
    }
}
