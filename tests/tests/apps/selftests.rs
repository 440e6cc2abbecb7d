//! Linux's own self tests of its calls (`tools/testing/selftests`): each program natively and under lind, by a user who is not root.
//!
//! A test's cases are the lines of its report, in the Test Anything Protocol or in the older forms, and its status.

use std::path::PathBuf;
use std::process::Command;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built};
use lind_tests::apps::root::{Place, installed};

use crate::suite::{Setting, Suite, Verdict};

/// Where the tests are in the kernel's source.
const HOME: &str = "tools/testing/selftests";

/// The copy of them that is run.
const SCRATCH: &str = "scratch";

/// One test may take this long, in seconds: the longest takes 40 on an idle machine, and a case that hangs fails by itself after
/// 30.
const LIMIT: &str = "200";

/// One directory of tests.
struct Directory {
    name: &'static str,
    /// What its makefile is told.
    variables: &'static [&'static str],
    /// What else it has to make.
    files: &'static [&'static str],
    /// The programs and scripts, with their arguments.
    tests: &'static [&'static str],
    /// The others that its makefile would run, with the reason why they are not here.
    left_out: &'static [(&'static str, &'static str)],
}

/// Most directories.
const fn directory(name: &'static str, tests: &'static [&'static str]) -> Directory {
    Directory {
        name,
        variables: &[],
        files: &[],
        tests,
        left_out: &[],
    }
}

/// Needs what no port of a library gives.
const LIBRARY: &str = "needs a library (libcap, popt, fuse)";
/// Has code for each processor.
const PROCESSOR: &str = "has code for each processor, and none for WebAssembly";
/// Looks at an ELF program.
const ELF: &str = "looks at how an ELF program is loaded";

const DIRECTORIES: &[Directory] = &[
    Directory {
        variables: &["LDLIBS="],
        left_out: &[("clone3_cap_checkpoint_restore", LIBRARY)],
        ..directory(
            "clone3",
            &["clone3", "clone3_clear_sighand", "clone3_set_tid"],
        )
    },
    directory("core", &["close_range_test"]),
    Directory {
        files: &["execveat.symlink", "execveat.denatured", "script", "subdir"],
        left_out: &[
            ("load_address.0x1000", ELF),
            ("load_address.0x200000", ELF),
            ("load_address.0x1000000", ELF),
            ("load_address.static.0x1000", ELF),
            ("load_address.static.0x200000", ELF),
            ("load_address.static.0x1000000", ELF),
            ("recursion-depth", "mounts a file system"),
            ("binfmt_script.py", "is written in Python"),
        ],
        ..directory("exec", &["execveat", "non-regular", "null-argv"])
    },
    directory("filesystems", &["devpts_pts"]),
    // Its last two cases take longer than the limit.
    directory("filesystems/epoll", &["epoll_wakeup_test"]),
    Directory {
        left_out: &[(
            "run.sh",
            "calls the others, with the same arguments as here",
        )],
        ..directory(
            "futex/functional",
            &[
                "futex_requeue",
                "futex_requeue_pi",
                "futex_requeue_pi -b -l",
                "futex_requeue_pi -b -l -t 500000",
                "futex_requeue_pi -b -o -t 5000",
                "futex_requeue_pi -l -t 2000000000",
                "futex_requeue_pi_mismatched_ops",
                "futex_requeue_pi_signal_restart",
                "futex_wait",
                "futex_wait_private_mapped_file",
                "futex_wait_timeout",
                "futex_wait_uninitialized_heap",
                "futex_wait_wouldblock",
                "futex_waitv",
            ],
        )
    },
    directory("ipc", &["msgque"]),
    directory("kcmp", &["kcmp_test"]),
    directory(
        "membarrier",
        &[
            "membarrier_test_multi_thread",
            "membarrier_test_single_thread",
        ],
    ),
    Directory {
        left_out: &[
            ("run_fuse_test.sh", LIBRARY),
            ("run_hugetlbfs_test.sh", "sets up huge pages, as root"),
        ],
        ..directory("memfd", &["memfd_test"])
    },
    directory("mincore", &["mincore_selftest"]),
    Directory {
        // The makefile means the sanitizers of the host, and clang takes no header among the sources.
        variables: &["CFLAGS=-O2", "LOCAL_HDRS=helpers.h"],
        left_out: &[("rename_attack_test", "takes minutes")],
        ..directory("openat2", &["openat2_test", "resolve_test"])
    },
    directory(
        "pidfd",
        &[
            "pidfd_fdinfo_test",
            "pidfd_getfd_test",
            "pidfd_open_test",
            "pidfd_poll_test",
            "pidfd_setns_test",
            "pidfd_test",
            "pidfd_wait",
        ],
    ),
    Directory {
        left_out: &[
            ("proc-empty-vm", PROCESSOR),
            ("read", "reads all of /proc, natively that of the machine"),
        ],
        ..directory(
            "proc",
            &[
                "fd-001-lookup",
                "fd-002-posix-eq",
                "fd-003-kthread",
                "proc-fsconfig-hidepid",
                "proc-loadavg-001",
                "proc-multiple-procfs",
                "proc-pid-vm",
                "proc-self-map-files-001",
                "proc-self-map-files-002",
                "proc-self-syscall",
                "proc-self-wchan",
                "proc-subset-pid",
                "proc-tid0",
                "proc-uptime-001",
                "proc-uptime-002",
                "self",
                "setns-dcache",
                "setns-sysvipc",
                "thread-self",
            ],
        )
    },
    Directory {
        files: &["default_file_splice_read"],
        left_out: &[("short_splice_read.sh", "needs a module of the kernel")],
        ..directory("splice", &["default_file_splice_read.sh"])
    },
    Directory {
        left_out: &[
            ("inconsistency-check", "takes minutes"),
            ("nsleep-lat", "takes minutes"),
            ("raw_skew", "takes minutes"),
            ("set-timer-lat", "takes minutes"),
            ("rtcpie", "needs a real-time clock"),
        ],
        ..directory(
            "timers",
            &[
                "mqueue-lat",
                "nanosleep",
                "posix_timers",
                "threadtest -n 4 -t 5",
            ],
        )
    },
    directory("tmpfs", &["bug-link-o-tmpfile"]),
    Directory {
        // A header of the kernel itself is among what all of them depend on.
        variables: &["LOCAL_HDRS="],
        left_out: &[
            ("run_vmtests.sh", "calls these and those of large pages"),
            ("soft-dirty", "reads the numbers of pages"),
            ("split_huge_page_test", "needs debugfs, and large pages"),
        ],
        ..directory(
            "vm",
            &[
                "madv_populate",
                "map_fixed_noreplace",
                "map_populate",
                "mlock2-tests",
                "mremap_dontunmap",
                "mremap_test",
                "on-fault-limit",
            ],
        )
    },
];

/// Makes or enters namespaces.
const NAMESPACES: &str = "a sandbox has no other namespaces";
/// Looks for a file of `/proc`.
const PROC: &str = "a file of /proc that is not there";

/// Results that may differ.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "kcmp/kcmp_test: line 3",
        "it asks for an entry of an epoll set (KCMP_EPOLL_TFD), which sets here do not know by number",
    ),
    (
        "mincore/mincore_selftest: 5",
        "a private directory's files are the host's, which reads them ahead",
    ),
    (
        "mincore/mincore_selftest: status",
        "because of the case before it",
    ),
    ("pidfd/pidfd_fdinfo_test", NAMESPACES),
    ("pidfd/pidfd_setns_test", NAMESPACES),
    ("proc/proc-self-map-files-001", PROC),
    ("proc/proc-self-map-files-002", PROC),
    ("proc/proc-self-syscall", PROC),
    (
        "timers/posix_timers",
        "it measures, and fails on a busy machine, either way",
    ),
    ("vm/madv_populate", PROC),
    (
        "vm/mlock2-tests",
        "a program's whole stack is mapped from the start, and with it there is more than may be locked",
    ),
    (
        "vm/mremap_test",
        "its greatest mappings do not fit an address space of 4 GiB",
    ),
];

/// Builds the tests and compares their reports.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    Suite {
        name: "selftests",
        build,
        root: installed,
        prepare,
        tests,
        command,
        verdict: Verdict::Cases(cases),
        equal: 90,
        differences: DIFFERENCES,
    }
    .check(builder)
}

fn build(builder: &Builder) -> Result<Built<'_>> {
    let steps: Vec<Vec<String>> = DIRECTORIES
        .iter()
        .map(|directory| {
            let programs = directory.tests.iter().filter_map(|test| {
                let program = test.split(' ').next()?;
                (!program.contains('.')).then_some(program)
            });
            let mut targets: Vec<&str> = programs.chain(directory.files.iter().copied()).collect();
            targets.dedup();
            let place = format!("{HOME}/{}", directory.name);
            let compiler = format!("CC={}", builder.tool("cc"));
            let mut words: Vec<String> = ["make", "-j2", "-C", &place, &compiler, "OUTPUT=."]
                .map(str::to_owned)
                .to_vec();
            words.extend(directory.variables.iter().map(|&v| v.to_owned()));
            words.extend(targets.iter().map(|target| format!("./{target}")));
            words
        })
        .collect();
    let steps: Vec<Vec<&str>> = steps
        .iter()
        .map(|step| step.iter().map(String::as_str).collect())
        .collect();
    let steps: Vec<&[&str]> = steps.iter().map(Vec::as_slice).collect();
    builder.build_parts("linux", &[HOME, "tools/include", "tools/scripts"], &steps)
}

/// Makes a fresh copy of the built tests, which belongs to the user who runs them.
fn prepare(setting: &Setting<'_>) -> Result<()> {
    let built = setting.built;
    built.step(&["rm", "-rf", SCRATCH])?;
    built.step(&["mkdir", SCRATCH])?;
    for directory in DIRECTORIES {
        let from = format!("{HOME}/{}", directory.name);
        let to = format!("{SCRATCH}/{}", directory.name);
        built.step(&["mkdir", "-p", &to])?;
        built.step(&["cp", "-aT", &from, &to])?;
    }
    setting.give(SCRATCH)
}

/// The tests of all directories, which are all that the makefiles know.
fn tests(built: &Built<'_>) -> Result<Vec<String>> {
    let mut tests = Vec::new();
    for directory in DIRECTORIES {
        let place = format!("{HOME}/{}", directory.name);
        let known = built.step(&["make", "-s", "-C", &place, "emit_tests"])?;
        for line in known.text().lines() {
            let Some((_, program)) = line.rsplit_once(':') else {
                continue;
            };
            let here = directory.tests.iter().any(|test| {
                let rest = test.strip_prefix(program);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            });
            let left_out = directory.left_out.iter().any(|(name, _)| *name == program);
            if here == left_out {
                return Err(format!(
                    "{}/{program} is a test that the recipe does not know",
                    directory.name
                ));
            }
        }
        let names = directory.tests.iter();
        tests.extend(names.map(|test| format!("{}/{test}", directory.name)));
    }
    Ok(tests)
}

/// A script that runs a test in its directory of the copy.
fn command(setting: &Setting<'_>, test: &str) -> Result<Command> {
    let scratch: PathBuf = setting.built.directory().join(SCRATCH);
    let (directory, program) = DIRECTORIES
        .iter()
        .find_map(|directory| {
            let rest = test.strip_prefix(directory.name)?.strip_prefix('/')?;
            directory.tests.contains(&rest).then_some((directory, rest))
        })
        .ok_or("a test of no directory")?;
    let script = format!(
        "cd {} && timeout {LIMIT} ./{program} 2>&1 < /dev/null; echo \"status $?\"",
        directory.name
    );
    let place = Place {
        host: &scratch,
        guest: "/selftests",
    };
    Ok(setting.as_user(&place, &script))
}

/// The results in a report. Names of cases have process ids in them and come and go, so a case is known by its number.
fn cases(printed: &str) -> Vec<(String, String)> {
    let mut lines = 0;
    printed
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            if let Some(status) = line.strip_prefix("status ") {
                return Some(("status".to_owned(), status.to_owned()));
            }
            for (start, result) in [("ok ", "PASS"), ("not ok ", "FAIL")] {
                let Some(rest) = line.strip_prefix(start) else {
                    continue;
                };
                let number = rest.split(' ').next().unwrap_or_default();
                if number.parse::<u32>().is_ok() {
                    let skipped = rest.contains("# SKIP");
                    let result = if skipped { "SKIP" } else { result };
                    return Some((number.to_owned(), result.to_owned()));
                }
            }
            let result = if line.contains("[FAIL]") || line.starts_with("FAIL") {
                "FAIL"
            } else if line.contains("[OK]") || line.starts_with("PASS") {
                "PASS"
            } else {
                return None;
            };
            lines += 1;
            Some((format!("line {lines}"), result.to_owned()))
        })
        .collect()
}
