//! libuv and libevent: their own tests, which use every kind of event, signals, processes, threads, files and sockets.

use std::collections::BTreeMap;
use std::process::Command;

use lind_tests::Result;
use lind_tests::apps::build::Builder;
use lind_tests::apps::root::installed;
use lind_tests::debian::Patches;

use crate::suite::{Setting, Suite, Verdict};

/// What is printed before a test's status.
const STATUS: &str = "the test ends with ";

/// Why a test's results depend on the network that a machine has.
const OUTSIDE: &str = "it connects to an address outside, and a sandbox has no way there";

/// libuv: each test in a program of its own, with the helpers that it starts.
pub(crate) fn check_libuv(builder: &Builder) -> Result<()> {
    Suite {
        name: "libuv",
        build: |builder| {
            let mut configure = vec!["./configure", "--quiet", "--disable-shared"];
            let options = builder.configure();
            configure.extend(options.iter().map(String::as_str));
            let tests = ["make", "-j2", "test/run-tests"];
            let steps: &[&[&str]] = &[&["sh", "autogen.sh"], &configure, &["make", "-j2"], &tests];
            builder.build("libuv1", Patches::Applied, steps)
        },
        root: installed,
        prepare: |_| Ok(()),
        tests: |built| {
            // The list is a header, with entries for each system.
            let list = format!(
                "{} -E -P -Iinclude test/test-list.h | sed -n 's/^ *TEST_ENTRY\\(_CUSTOM\\)\\? *(\\([a-z0-9_A-Z]*\\).*/\\2/p'",
                built.tool("cc")
            );
            let listed = built.step(&["sh", "-c", &list])?;
            let names = listed.text();
            Ok(names.split_whitespace().map(str::to_owned).collect())
        },
        command: |setting, test| command(setting, "", &format!("./test/run-tests {test}")),
        verdict: Verdict::One(|_, _, printed| {
            match printed.lines().find_map(|line| line.strip_prefix(STATUS)) {
                Some("0") => "passes".to_owned(),
                Some("7") => "SKIP".to_owned(),
                Some(_) => "fails".to_owned(),
                None => "no result".to_owned(),
            }
        }),
        equal: 98,
        differences: &[
            ("spawn_setuid_setgid", "it asks for root, and a sandbox's user is not root"),
            ("tcp_close_while_connecting", OUTSIDE),
            ("tcp_connect_timeout", OUTSIDE),
            (
                "udp_mmsg",
                "libuv knows recvmmsg(2) by its first number only, which systems that began with 64-bit time do not have",
            ),
        ],
    }
    .check(builder)
}

/// libevent: groups of tests, with each way to wait for events.
pub(crate) fn check_libevent(builder: &Builder) -> Result<()> {
    Suite {
        name: "libevent",
        build: |builder| {
            let mut configure = vec![
                "./configure",
                "--quiet",
                "--disable-shared",
                "--disable-openssl",
            ];
            let options = builder.configure();
            configure.extend(options.iter().map(String::as_str));
            let update = ["autoreconf", "--force", "--install"];
            let tests = ["make", "-j2", "test/regress"];
            let steps: &[&[&str]] = &[&update, &configure, &["make", "-j2"], &tests];
            builder.build("libevent", Patches::Applied, steps)
        },
        root: installed,
        prepare: |_| Ok(()),
        tests: |_| {
            let all = ALL.iter().map(|group| format!("epoll/{group}"));
            let others = WAYS
                .iter()
                .map(|(way, _)| way)
                .filter(|&&way| way != "epoll");
            let some =
                others.flat_map(|way| SOME.iter().map(move |group| format!("{way}/{group}")));
            Ok(all.chain(some).collect())
        },
        command: |setting, test| {
            let (way, group) = test.split_once('/').ok_or("a way and a group")?;
            let known = WAYS.iter().find(|(name, _)| *name == way);
            let (_, variables) = known.ok_or("a known way")?;
            let left_out = SLOW.iter().chain(EXACT);
            let left_out: String = left_out.map(|test| format!(" :{test}")).collect();
            command(
                setting,
                variables,
                &format!("./test/regress {group}/..{left_out}"),
            )
        },
        verdict: Verdict::Cases(cases),
        equal: 98,
        differences: &[
            (
                "epoll/dns: dns/initialize_nameservers",
                "the root directory has no /etc/resolv.conf, natively it is the machine's",
            ),
            ("epoll/bufferevent: bufferevent/bufferevent_zlib", ZLIB),
            ("changes/bufferevent: bufferevent/bufferevent_zlib", ZLIB),
            ("poll/bufferevent: bufferevent/bufferevent_zlib", ZLIB),
            ("select/bufferevent: bufferevent/bufferevent_zlib", ZLIB),
        ],
    }
    .check(builder)
}

/// Why a test is skipped under lind.
const ZLIB: &str = "natively it is built with the machine's zlib";

/// The ways to wait for events (`changes`: epoll with timerfds, told of all changes at once), and the environment that chooses each.
const WAYS: &[(&str, &str)] = &[
    ("epoll", ""),
    (
        "changes",
        "EVENT_EPOLL_USE_CHANGELIST=yes EVENT_PRECISE_TIMER=1",
    ),
    ("poll", "EVENT_NOEPOLL=1"),
    ("select", "EVENT_NOEPOLL=1 EVENT_NOPOLL=1"),
];

/// The groups of tests.
const ALL: &[&str] = &[
    "bufferevent",
    "dns",
    "et",
    "evbuffer",
    "evtag",
    "finalize",
    "heap",
    "http",
    "listener",
    "main",
    "rpc",
    "signal",
    "thread",
    "util",
];

/// Those to which it matters how events are waited for.
const SOME: &[&str] = &[
    "bufferevent",
    "et",
    "finalize",
    "listener",
    "main",
    "signal",
    "thread",
];

/// Tests that wait for seconds.
const SLOW: &[&str] = &[
    "http/cancel_by_host_inactive_server",
    "http/cancel_by_host_no_ns",
    "http/cancel_by_host_no_ns_inactive_server",
    "http/cancel_by_host_ns_timeout",
    "http/cancel_by_host_ns_timeout_inactive_server",
    "http/cancel_inactive_server",
];

/// Tests that measure time to milliseconds, and fail on a busy machine, natively as well.
const EXACT: &[&str] = &[
    "bufferevent/bufferevent_timeout",
    "main/loopexit_multiple",
    "main/persistent_active_timeout",
    "thread/no_events",
    "util/monotonic_prc",
    "util/monotonic_res",
];

/// The names and the results of tests. A line begins with a test's name and ends with its result, unless the test says
/// something in between. A test that fails is tried again: the last time counts.
fn cases(printed: &str) -> Vec<(String, String)> {
    let mut results = BTreeMap::new();
    let mut current = None;
    for line in printed.lines() {
        let mut rest = line;
        if let Some((name, after)) = line.split_once(": ")
            && name.contains('/')
            && !name.contains(' ')
        {
            current = Some(name);
            results.insert(name, "FAIL");
            rest = after;
        }
        let result = match rest.trim_end() {
            end if end.ends_with("OK") => "PASS",
            end if end.ends_with("SKIPPED") || end.ends_with("DISABLED") => "SKIP",
            _ => continue,
        };
        if let Some(name) = current.take() {
            results.insert(name, result);
        }
    }
    let owned = |(name, result): (&str, &str)| (name.to_owned(), result.to_owned());
    results.into_iter().map(owned).collect()
}

/// A command in the package's directory, and its status. Its user is the one outside.
fn command(setting: &Setting<'_>, variables: &str, line: &str) -> Result<Command> {
    let script = format!("{variables} UV_RUN_AS_ROOT=1 {line} 2>&1; echo \"{STATUS}$?\"");
    setting.script(&[], script.trim_start())
}
