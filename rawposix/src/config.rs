//! What a sandbox is made of.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use rawposix_abi::Errno;

/// Whether a mount may be changed through the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every change answers `EROFS`.
    ReadOnly,
    /// Changes reach the host's directory.
    ReadWrite,
}

/// A host directory that the sandbox shows at a path of its own.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Directory (or file) of the host.
    pub host: PathBuf,
    /// Absolute path in the sandbox.
    pub guest: PathBuf,
    /// Whether it may be changed.
    pub access: Access,
}

/// An empty directory that only the sandbox has, and that ends with it.
#[derive(Clone, Debug)]
pub struct Private {
    /// Absolute path in the sandbox.
    pub guest: PathBuf,
    /// What it is like.
    pub options: PrivateOptions,
}

/// What a private directory is like, in the terms of tmpfs(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrivateOptions {
    /// The most bytes that its files have together, rounded up to whole pages of 4096; more is `ENOSPC`. Without one they
    /// take what the host's disk has.
    pub size: Option<u64>,
    /// The most names that it holds, itself included; more is `ENOSPC`.
    pub inodes: Option<u64>,
    /// Its mode at first, up to 0o7777; 0o1777 without one.
    pub mode: Option<u32>,
}

/// The executable that the sandbox is made for; it is visible, read-only, at its own path.
#[derive(Debug)]
pub struct Program {
    /// Absolute path in the sandbox.
    pub guest: PathBuf,
    /// The file, open for reading.
    pub host: File,
}

/// Which network a program reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Net {
    /// None but a loopback of the sandbox's own, with ports that nobody else sees.
    #[default]
    None,
    /// The host's.
    Host,
}

/// A resource limit (soft and hard) that the first process starts with, by its Linux number (`RLIMIT_*`).
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// `RLIMIT_*` number, see getrlimit(2).
    pub resource: u32,
    /// The value of both the soft and the hard limit.
    pub value: u64,
}

/// Which system calls are traced.
#[derive(Clone, Debug, Default)]
pub enum TraceFilter {
    /// All.
    #[default]
    All,
    /// These, by name or by group (`%file`, `%desc`, `%memory`, `%process`, `%signal`, `%network`).
    Only(Vec<String>),
    /// All but these.
    Except(Vec<String>),
}

/// What a trace has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceContent {
    /// Every call, signal and end, as it happens.
    #[default]
    Calls,
    /// A table of the calls at the end, as `strace -c -w` prints it.
    Summary,
    /// Both.
    CallsAndSummary,
}

impl TraceContent {
    pub(crate) fn has_calls(self) -> bool {
        self != Self::Summary
    }

    pub(crate) fn has_summary(self) -> bool {
        self != Self::Calls
    }
}

/// Which lines of a trace say who they are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceLabels {
    /// `[pid N]`, once there is more than one thread: for a person that looks on.
    #[default]
    WhenSeveral,
    /// The number alone, from the first line on: for files.
    Always,
}

/// Where the trace of system calls goes.
pub struct Trace {
    /// Which calls.
    pub filter: TraceFilter,
    /// What is told of them.
    pub content: TraceContent,
    /// How lines begin.
    pub labels: TraceLabels,
    /// Receives lines; that of a call in two parts, so that a call which waits can be seen.
    pub sink: Box<dyn Write + Send>,
}

impl Trace {
    /// A trace of all calls.
    pub fn new(sink: Box<dyn Write + Send>) -> Self {
        Self {
            filter: TraceFilter::All,
            content: TraceContent::Calls,
            labels: TraceLabels::WhenSeveral,
            sink,
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// How users and groups of the host's appear in a sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostUsers {
    /// As in a user namespace with one user: lind's user is the sandbox's, root is root, everybody else is nobody. What a
    /// guest of that user may do with a file is for the host to say, which checks lind's user.
    #[default]
    One,
    /// As in a container: by the same numbers. This is for a lind that is root: the host forbids it nothing, so all is
    /// checked in the sandbox, and what the sandbox's first user makes is given to that user on the host.
    Same,
}

/// Everything a sandbox is made of. The default grants nothing of the host's but the standard streams.
#[derive(Debug)]
pub struct Config {
    /// Host directory that is the sandbox's root; without it the root is an empty read-only directory but for `/etc/hosts`,
    /// `/etc/hostname` and, with the host's network, `/etc/resolv.conf`.
    pub root: Option<PathBuf>,
    /// More of the host's directories, in any order.
    pub mounts: Vec<Mount>,
    /// Empty directories that only this sandbox has, beside `/tmp` and `/dev/shm` or in place of them.
    pub private: Vec<Private>,
    /// First working directory, a path in the sandbox.
    pub cwd: PathBuf,
    /// The executable; `None` when it needs no place of its own.
    pub program: Option<Program>,
    /// Host name that uname(2) reports.
    pub hostname: String,
    /// User id of the first process. Files of the host's user appear as this user's, until a guest gives them away, which
    /// holds for the sandbox only.
    pub uid: u32,
    /// Group id of the first process.
    pub gid: u32,
    /// How users of the host's appear.
    pub host_users: HostUsers,
    /// Network.
    pub net: Net,
    /// Resource limits that differ from the defaults.
    pub limits: Vec<Limit>,
    /// System-call trace.
    pub trace: Option<Trace>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            root: None,
            mounts: Vec::new(),
            private: Vec::new(),
            cwd: PathBuf::from("/"),
            program: None,
            hostname: String::from("lind"),
            uid: 1000,
            gid: 1000,
            host_users: HostUsers::One,
            net: Net::None,
            limits: Vec::new(),
            trace: None,
        }
    }
}

/// Why a sandbox could not be made: a sentence for the command line.
#[derive(Debug)]
pub struct ConfigError {
    /// What was being done, for example `cannot mount '/data'`.
    pub what: String,
    /// What the host answered.
    pub errno: Errno,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.errno)
    }
}

impl std::error::Error for ConfigError {}
