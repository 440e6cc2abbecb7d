//! The command line's grammar.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{OsStringValueParser, StringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use rawposix::Private;

use super::grant::{self, DirGrant, EnvGrant};
use super::identity::{self, User};
use super::quantity;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  lind-cc -O2 hello.c -o hello               compile a program for lind
  lind hello                                 run ./hello: it sees no file but itself
  lind --dir ./data::/data:ro prog /data/in  show it ./data as /data, read-only
  lind --root ./rootfs /bin/prog             run /bin/prog of a whole root directory
  lind --env LANG --env MODE=fast prog       copy one variable, set another
  lind --strace prog                         show every system call
  lind --strace=openat,read prog             show two of them

Exit status: the program's own; 128+n if signal n killed it; 125 if lind itself failed,
126 if the program cannot be executed, 127 if it was not found.";

/// Run POSIX programs as sandboxed WebAssembly processes.
///
/// `lind PROGRAM` is short for `lind run PROGRAM`; `lind run --help` lists what can be granted.
#[derive(Debug, Parser)]
#[command(
    name = "lind",
    bin_name = "lind",
    styles = STYLES,
    override_usage = "lind [run] [OPTIONS] PROGRAM [ARGS]...\n       lind COMMAND",
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    version
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What lind can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program in a sandbox (the default)
    Run(Box<Run>),
    /// Compile programs ahead of their first run
    Compile(Compile),
    /// List the system calls, with what is supported and its limits
    Syscalls(Syscalls),
    /// Print a completion script for a shell
    Completion(Completion),
}

/// `lind run`.
#[derive(Args, Debug)]
#[command(
    override_usage = "lind [run] [OPTIONS] PROGRAM [ARGS]...",
    after_help = EXAMPLES,
)]
pub struct Run {
    /// Show the program a host directory, under its own absolute path or at GUEST; `:ro` makes it read-only
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro]", help_heading = "Files",
          value_hint = ValueHint::DirPath, value_parser = OsStringValueParser::new().try_map(|spec| DirGrant::parse(&spec)))]
    pub dirs: Vec<DirGrant>,

    /// Make a host directory the program's root; PROGRAM is then a path inside it
    #[arg(long, value_name = "DIR", help_heading = "Files", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// Make an empty directory that only this sandbox has and that ends with it, as there is one at /tmp. OPTIONS are those
    /// of tmpfs, with commas: `size=SIZE` and `nr_inodes=N` are the most bytes and names that it holds (K, M, G; otherwise
    /// what the host's disk does), `mode=MODE` its permissions
    #[arg(long, value_name = "DIR[:OPTIONS]", help_heading = "Files",
          value_parser = OsStringValueParser::new().try_map(|spec| grant::private(&spec)))]
    pub tmpfs: Vec<Private>,

    /// Start in this directory of the sandbox
    #[arg(long, value_name = "DIR", help_heading = "Files", default_value = "/")]
    pub cwd: PathBuf,

    /// Set a variable, or copy the host's value; the program otherwise gets only PATH and HOME
    #[arg(long = "env", short = 'e', value_name = "NAME[=VALUE]", help_heading = "Environment",
          value_parser = OsStringValueParser::new().try_map(|spec| EnvGrant::parse(&spec)))]
    pub env: Vec<EnvGrant>,

    /// Run as this user and group of the sandbox, 1000 by default; files of lind's user are theirs. User 0 is root inside, and
    /// nothing outside. If lind is root itself and this is given, users are the host's, as in a container
    #[arg(long, value_name = "UID[:GID]", help_heading = "Environment",
          value_parser = StringValueParser::new().try_map(|spec| User::parse(&spec)))]
    pub user: Option<User>,

    /// The host name that the program sees
    #[arg(long, value_name = "NAME", help_heading = "Environment", default_value = "lind",
          value_parser = StringValueParser::new().try_map(identity::host_name))]
    pub hostname: String,

    /// What the program reaches of the network
    #[arg(
        long,
        value_name = "NET",
        help_heading = "Environment",
        default_value = "none"
    )]
    pub net: Net,

    /// The filter that limits lind itself to the host's system calls that it needs
    #[arg(
        long,
        value_name = "FILTER",
        help_heading = "Environment",
        default_value = "on"
    )]
    pub seccomp: Seccomp,

    /// Limit the memory of each process, e.g. 64M (K, M, G)
    #[arg(long, value_name = "SIZE", help_heading = "Limits", value_parser = quantity::bytes)]
    pub memory: Option<u64>,

    /// Limit the processes and threads of the sandbox
    #[arg(long, alias = "processes", value_name = "N", help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..))]
    pub pids: Option<u32>,

    /// Limit the open files of each process
    #[arg(long, alias = "files", value_name = "N", help_heading = "Limits")]
    pub nofile: Option<u32>,

    /// Limit the size of the files that the program writes, e.g. 10M
    #[arg(long, value_name = "SIZE", help_heading = "Limits", value_parser = quantity::bytes)]
    pub fsize: Option<u64>,

    /// Limit the processor time of all processes together, e.g. 10s or 2m (a number alone counts seconds)
    #[arg(long, value_name = "TIME", help_heading = "Limits", value_parser = quantity::seconds)]
    pub cpu_time: Option<u64>,

    /// Show every system call on standard error; or the named calls and %groups, or with ! all others
    #[arg(long, value_name = "CALL,...", help_heading = "Observation", num_args = 0..=1, require_equals = true,
          default_missing_value = "")]
    pub strace: Option<String>,

    /// Write what --strace shows to a file
    #[arg(long, value_name = "FILE", help_heading = "Observation", value_hint = ValueHint::FilePath)]
    pub strace_output: Option<PathBuf>,

    /// Count the calls and write a table at the end: instead of the calls, or after them with --strace
    #[arg(long, help_heading = "Observation")]
    pub strace_summary: bool,

    /// The program, and its arguments: nothing after PROGRAM is lind's
    #[arg(value_name = "PROGRAM", required = true, num_args = 1.., trailing_var_arg = true,
          value_hint = ValueHint::CommandWithArguments)]
    pub program: Vec<OsString>,
}

/// What the guest reaches of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Net {
    /// A loopback of its own
    None,
    /// The host's network
    Host,
}

/// Whether lind's own system calls are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Seccomp {
    /// Other calls than lind's end it
    On,
    /// No filter, for hosts that have no seccomp
    Off,
}

/// `lind compile`.
#[derive(Args, Debug)]
pub struct Compile {
    /// The programs to compile into lind's cache
    #[arg(value_name = "PROGRAM", required = true, value_hint = ValueHint::FilePath)]
    pub programs: Vec<PathBuf>,
}

/// `lind syscalls`.
#[derive(Args, Debug)]
pub struct Syscalls {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `lind completion`.
#[derive(Args, Debug)]
pub struct Completion {
    /// The shell
    pub shell: Shell,
}
