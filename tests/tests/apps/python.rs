//! CPython, with all extension modules that need no other library in the program itself.
//!
//! Its own tests of what an operating system gives are the suite: processes, threads, signals, sockets, files, terminals.

use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Built, Toolchain, expect};
use lind_tests::apps::root::installed;
use lind_tests::debian::Patches;
use lind_tests::run::run;

use crate::suite::{Setting, Suite, Verdict, own_user};

/// The script may not take longer.
const LIMIT: Duration = Duration::from_secs(120);

/// Forks, threads, pipes, subprocesses, sockets, signals, mapped files, and numbers larger than a word.
const SCRIPT: &str = r#"
import json, mmap, multiprocessing, os, signal, socket, subprocess, sys, tempfile, threading
r, w = os.pipe()
child = os.fork()
if child == 0:
    os.write(w, json.dumps({"factorial": str(__import__("math").factorial(30))}).encode())
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), os.read(r, 100).decode())
print(subprocess.run(["sh", "-c", "read x; echo got $x; exit 3"], input=b"text\n", capture_output=True))
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    peer, _ = listener.accept()
    with peer:
        peer.sendall(peer.recv(100).upper())
thread = threading.Thread(target=serve)
thread.start()
with socket.create_connection(listener.getsockname()) as s:
    s.sendall(b"over tcp")
    print(s.recv(100))
thread.join()
with tempfile.TemporaryFile() as f:
    f.truncate(8192)
    m = mmap.mmap(f.fileno(), 0)
    m[4096:4102] = b"mapped"
    print(os.pread(f.fileno(), 6, 4096), m.find(b"mapped"))
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.05)
signal.pause()
print(seen)
try:
    subprocess.run([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"], check=True)
except subprocess.CalledProcessError as e:
    print(e.returncode)
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(pool.map(abs, range(-5, 3)))
"#;

/// What it prints.
const PRINTED: &str = r#"7 {"factorial": "265252859812191058636308480000000"}
CompletedProcess(args=['sh', '-c', 'read x; echo got $x; exit 3'], returncode=3, stdout=b'got text\n', stderr=b'')
b'OVER TCP'
b'mapped' 4096
['alarm']
-11
[5, 4, 3, 2, 1, 0, 1, 2]
"#;

/// Builds it and runs the script.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    let (built, root) = (build(builder)?, installed(builder)?);
    let setting = Setting {
        builder,
        built: &built,
        root: &root,
    };
    let mut command = shell(&setting, "exec ./python -c \"$0\"")?;
    let outcome =
        run(command.arg(SCRIPT), b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    expect("a script", PRINTED, &(outcome.text()))
}

/// The test modules that are about the system below the interpreter.
const TESTS: &[&str] = &[
    "test_asynchat",
    "test_asyncore",
    "test_cmd_line",
    "test_crypt",
    "test_eintr",
    "test_epoll",
    "test_faulthandler",
    "test_fcntl",
    "test_file",
    "test_fileio",
    "test_fork1",
    "test_ftplib",
    "test_glob",
    "test_grp",
    "test_httpservers",
    "test_io",
    "test_ioctl",
    "test_largefile",
    "test_locale",
    "test_mailbox",
    "test_math",
    "test_mmap",
    "test_openpty",
    "test_os",
    "test_pathlib",
    "test_poll",
    "test_popen",
    "test_posix",
    "test_pty",
    "test_pwd",
    "test_queue",
    "test_resource",
    "test_select",
    "test_selectors",
    "test_shutil",
    "test_signal",
    "test_socket",
    "test_socketserver",
    "test_stat",
    "test_strptime",
    "test_struct",
    "test_subprocess",
    "test_syslog",
    "test_tempfile",
    "test_thread",
    "test_threading",
    "test_threadsignals",
    "test_time",
    "test_wait3",
    "test_wait4",
];

/// Prints the results of a file that the test driver wrote, a case a line.
const CONVERT: &str = "
import sys, xml.etree.ElementTree as tree
for case in tree.parse(sys.argv[1]).iter('testcase'):
    kinds = {part.tag for part in case} & {'error', 'failure', 'skipped'}
    print(case.get('name'), min(kinds, default='PASS').replace('skipped', 'SKIP'))
";

/// The results that differ, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "test_crypt: test.test_crypt.CryptTestCase.test_blowfish_rounds",
        "natively crypt is that of libxcrypt, here that of glibc",
    ),
    (
        "test_mmap: test.test_mmap.LargeMmapTests.test_around_2GB",
        LARGE,
    ),
    (
        "test_mmap: test.test_mmap.LargeMmapTests.test_around_4GB",
        LARGE,
    ),
    (
        "test_posix: test.test_posix.PosixTester.test_preadv_overflow_32bits",
        ONLY_32,
    ),
    (
        "test_posix: test.test_posix.PosixTester.test_pwritev_overflow_32bits",
        ONLY_32,
    ),
    (
        "test_posix: test.test_posix.PosixTester.test_readv_overflow_32bits",
        ONLY_32,
    ),
    (
        "test_posix: test.test_posix.PosixTester.test_writev_overflow_32bits",
        ONLY_32,
    ),
    (
        "test_shutil: test.test_shutil.TestCopy.test_copy2_xattr",
        TRUSTED,
    ),
    (
        "test_shutil: test.test_shutil.TestCopy.test_copyxattr",
        TRUSTED,
    ),
    (
        "test_shutil: test.test_shutil.TestCopy.test_copyxattr_symlinks",
        TRUSTED,
    ),
    (
        "test_socket: test.test_socket.GeneralModuleTests.testGetServBy",
        SERVICES,
    ),
    (
        "test_socket: test.test_socket.GeneralModuleTests.testGetaddrinfo",
        SERVICES,
    ),
    (
        "test_socket: test.test_socket.GeneralModuleTests.test_sethostname",
        "natively root names the machine",
    ),
    (
        "test_socket: test.test_socket.NonBlockingTCPTests.testSetBlocking_overflow",
        "it is for systems of 64 bits",
    ),
    (
        "test_subprocess: test.test_subprocess.POSIXProcessTestCase.test_preexec_fork_failure",
        "natively the limit of processes does not count for root",
    ),
    (
        "test_subprocess: test.test_subprocess.ProcessTestCase.test_no_leaking",
        MANY_FILES,
    ),
    (
        "test_subprocess: test.test_subprocess.ProcessTestCaseNoPoll.test_no_leaking",
        MANY_FILES,
    ),
    (
        "test_time: test.test_time.TimeTestCase.test_monotonic_settime",
        "natively root sets the clock",
    ),
];
const LARGE: &str = "32 bits have no room for it";
const ONLY_32: &str = "it is for systems of 32 bits";
const TRUSTED: &str = "natively root sets trusted attributes, which a sandbox has none of";
const SERVICES: &str = "the root directory has no /etc/services";
const MANY_FILES: &str = "natively the limit of open files is not reached";

/// Each module by CPython's own test driver.
pub(crate) fn check_suite(builder: &Builder) -> Result<()> {
    Suite {
        name: "python",
        build,
        root: installed,
        prepare: |_| Ok(()),
        tests: |_| Ok(TESTS.iter().map(|&test| test.to_owned()).collect()),
        command: |setting, test| {
            // UDP-Lite and sockets to other machines of one host are not in every kernel, and the tests do not ask for them.
            let script = format!(
                "r=$(mktemp); ./python -m test --junit-xml $r --tempdir ${{r%/*}} --timeout 300 -u largefile -i '*UDPLITE*' -i '*VSOCK*' {test} > /dev/null 2>&1; ./python -c \"$0\" $r; rm $r"
            );
            let mut command = shell(setting, &script)?;
            command.arg(CONVERT);
            Ok(command)
        },
        verdict: Verdict::Cases(|printed| {
            let case = |line: &str| {
                let (name, result) = line.rsplit_once(' ')?;
                Some((name.to_owned(), result.to_owned()))
            };
            printed.lines().filter_map(case).collect()
        }),
        equal: 98,
        differences: DIFFERENCES,
    }
    .check(builder)
}

/// A script whose user is the one outside: root may do more.
fn shell(setting: &Setting<'_>, script: &str) -> Result<Command> {
    setting.script(&["--user", &own_user()], script)
}

/// Modules that neither of the two is built with: those of libraries that a machine may have and lind has not, and one that
/// cannot be in the program that natively freezes the others.
const WITHOUT: [&str; 11] = [
    "_bz2",
    "_gdbm",
    "_hashlib",
    "_lzma",
    "_sqlite3",
    "_ssl",
    "_testinternalcapi",
    "_tkinter",
    "_uuid",
    "nis",
    "zlib",
];

fn build(builder: &Builder) -> Result<Built<'_>> {
    let without = WITHOUT.map(|module| format!("py_cv_module_{module}=n/a"));
    let mut configure = vec![
        "env".to_owned(),
        // As in the program that is built for wasm32.
        "MODULE_BUILDTYPE=static".to_owned(),
        "./configure".to_owned(),
        "--without-ensurepip".to_owned(),
    ];
    configure.extend(without);
    configure.extend(builder.configure());
    if let Toolchain::Lind(_) = builder.toolchain() {
        // What configure would have to run a program for.
        let answers = [
            "--build=x86_64-pc-linux-gnu",
            "--with-build-python=/usr/bin/python3",
            "READELF=lind-readelf",
            "ac_cv_buggy_getaddrinfo=no",
            "ac_cv_file__dev_ptmx=yes",
            "ac_cv_file__dev_ptc=no",
            "ac_cv_working_tzset=yes",
        ];
        configure.extend(answers.map(str::to_owned));
    }
    let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
    builder.build(
        "python3.11",
        Patches::Skipped,
        &[
            &configure,
            // All modules are built as configure found them.
            &["cp", "Modules/Setup.stdlib", "Modules/Setup.local"],
            &["make", "-j2", "python", "pybuilddir.txt"],
        ],
    )
}
