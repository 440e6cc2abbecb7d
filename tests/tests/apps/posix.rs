//! The Open POSIX Test Suite, which holds an implementation against the text of the standard: threads, signals, timers, semaphores,
//! message queues, shared memory, asynchronous input and output. By a user who is not root.
//!
//! Many of its tests do little but sleep, so those of one interface run side by side.

use std::collections::BTreeSet;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built};
use lind_tests::apps::root::{Place, installed};
use lind_tests::debian::Patches;

use crate::suite::{Setting, Suite, Verdict, programs};

/// How the tests are built.
const MAKEFILE: &str = include_str!("posix.mk");

/// Where the tests run.
const SCRATCH: &str = "scratch";

/// One test may take this long, in seconds.
const LIMIT: u32 = 60;

/// How many tests run side by side.
const AT_ONCE: u32 = 8;

/// Tests that are not run: natively they wait for ever.
const LEFT_OUT: &[&str] = &[
    "conformance/interfaces/fork/11-1",
    "conformance/interfaces/pthread_barrier_destroy/2-1",
    "conformance/interfaces/pthread_equal/2-1",
    "conformance/interfaces/timer_settime/5-3",
];

/// Sends signals for as long as threads work, and depends on which comes first at the beginning or the end.
const RACE: &str = "a race of its own: natively it fails now and then as well";
/// The stack of the program that is started counts with all that it may grow to.
const STACK: &str = "with its stack of 8 MiB the program is larger than what may be locked";
/// What a sandbox's first process is.
const INIT: &str = "it takes process 1 for another user's";

/// Results that may differ.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "conformance/interfaces/clock_getres: 6-2",
        "natively a newer kernel has a clock 17",
    ),
    ("conformance/interfaces/mlockall: 3-6", STACK),
    ("conformance/interfaces/mlockall: 8-1", STACK),
    (
        "conformance/interfaces/pthread_barrier_wait: 6-1",
        "it uses a barrier that it has not made",
    ),
    ("conformance/interfaces/pthread_cond_init: 1-3", RACE),
    ("conformance/interfaces/pthread_cond_init: 4-2", RACE),
    ("conformance/interfaces/pthread_cond_timedwait: 4-3", RACE),
    ("conformance/interfaces/pthread_cond_wait: 4-1", RACE),
    ("conformance/interfaces/pthread_detach: 4-3", RACE),
    ("conformance/interfaces/pthread_mutex_lock: 3-1", RACE),
    ("conformance/interfaces/pthread_mutex_trylock: 4-3", RACE),
    ("conformance/interfaces/sigaction: 10-1", RACE),
    ("conformance/interfaces/sigqueue: 12-1", INIT),
    ("conformance/interfaces/sigqueue: 3-1", INIT),
    (
        "conformance/interfaces/sigqueue: 7-1",
        "another one uses up the queued signals of a user, which are fewer in a sandbox",
    ),
];

/// Builds the tests and compares their results.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    Suite {
        name: "posix",
        build,
        root: installed,
        prepare,
        tests,
        command: |setting, test| {
            let place = Place {
                host: setting.built.directory(),
                guest: "/posix",
            };
            Ok(setting.as_user(&place, &script(setting.built, test)?))
        },
        verdict: Verdict::Cases(cases),
        equal: 97,
        differences: DIFFERENCES,
    }
    .check(builder)
}

fn build(builder: &Builder) -> Result<Built<'_>> {
    let write = ["sh", "-c", "printf %s \"$0\" > lind.mk", MAKEFILE];
    let compiler = format!("CC={}", builder.tool("cc"));
    let make = ["make", "--silent", "-k", "-j2", "-f", "lind.mk", &compiler];
    builder.build("posixtestsuite", Patches::Applied, &[&write, &make])
}

/// Makes a directory for the user who runs the tests.
fn prepare(setting: &Setting<'_>) -> Result<()> {
    setting.built.step(&["rm", "-rf", SCRATCH])?;
    setting.built.step(&["mkdir", SCRATCH])?;
    setting.give(SCRATCH)
}

/// The directories of tests.
fn tests(built: &Built<'_>) -> Result<Vec<String>> {
    let programs = programs(&built.directory().join("run"))?;
    let directory = |test: &String| Some(test.rsplit_once('/')?.0.to_owned());
    let directories: BTreeSet<String> = programs.iter().filter_map(directory).collect();
    Ok(directories.into_iter().collect())
}

/// Runs the tests of a directory, each in an empty one of its own, and tells their statuses.
fn script(built: &Built<'_>, directory: &str) -> Result<String> {
    let home = built.directory().join("run").join(directory);
    let is_left_out = |name: &String| LEFT_OUT.contains(&format!("{directory}/{name}").as_str());
    let mut names: Vec<String> = programs(&home)?.into_iter().collect();
    names.retain(|name| !is_left_out(name));
    Ok(format!(
        "run() {{ mkdir here-$1; cd here-$1; TMPDIR=$PWD timeout -k 5 {LIMIT} ../../run/{directory}/$1 > /dev/null 2>&1 < /dev/null; echo \"$1 $?\"; }}\n\
         rm -rf {SCRATCH}/*; cd {SCRATCH}; n=0; for test in {}; do run $test & n=$((n + 1)); [ $n -lt {AT_ONCE} ] || {{ wait; n=0; }}; done; wait",
        names.join(" ")
    ))
}

/// What the statuses mean that the suite's `posixtest.h` lists.
fn cases(printed: &str) -> Vec<(String, String)> {
    let case = |line: &str| {
        let (name, status) = line.split_once(' ')?;
        let result = match status {
            "0" => "PASS",
            "1" => "FAIL",
            "2" => "unresolved",
            "4" | "5" => "SKIP",
            "124" | "137" => "takes too long",
            status => &format!("ends with {status}"),
        };
        Some((name.to_owned(), result.to_owned()))
    };
    printed.lines().filter_map(case).collect()
}
