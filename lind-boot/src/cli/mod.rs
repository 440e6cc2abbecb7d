//! The command line.

mod args;
mod compile;
mod grant;
mod grants;
mod identity;
mod notice;
mod program;
mod quantity;
mod run;
mod strace;
mod syscalls;
mod usage;
mod version;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

pub use args::{Cli, Command};

use crate::cache::{self, Cache};
use crate::failure::Failure;

/// Runs the command line `args` (the first is lind's own name) and returns the exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(Stop::Answered(answer)) => {
            let _ = answer.print();
            return ExitCode::SUCCESS;
        }
        Err(Stop::Usage(failure)) => {
            tell(&failure);
            return ExitCode::from(failure.status());
        }
    };
    let result = match cli.command {
        Command::Run(run) => run::run(&run),
        Command::Compile(compile) => compile::compile(&compile),
        Command::Syscalls(syscalls) => syscalls::print(&syscalls),
        Command::Completion(completion) => print_completion(completion.shell),
    };
    ExitCode::from(result.unwrap_or_else(|failure| {
        tell(&failure);
        failure.status()
    }))
}

/// Why a command line asks for nothing more.
enum Stop {
    /// It asked for help or for the version.
    Answered(clap::Error),
    /// It is wrong.
    Usage(Failure),
}

/// Parses a command line. `lind PROGRAM` means `lind run PROGRAM`.
fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Stop> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let mut command = Cli::command()
        .version(version::SHORT)
        .long_version(version::long());
    if args
        .get(1)
        .is_some_and(|first| !is_command_word(&command, first))
    {
        args.insert(1, "run".into());
    }
    let subcommand = args
        .get(1)
        .and_then(|word| word.to_str())
        .map(str::to_owned);
    let parsed = command
        .try_get_matches_from_mut(args)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    parsed.map_err(|error| {
        if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        {
            Stop::Usage(usage::failure(&error, &command, subcommand.as_deref()))
        } else {
            Stop::Answered(error)
        }
    })
}

/// Whether a first argument is lind's own: a subcommand, or a question about lind.
fn is_command_word(command: &clap::Command, word: &OsStr) -> bool {
    let questions = ["help", "--help", "-h", "--version", "-V"];
    word.to_str().is_some_and(|word| {
        questions.contains(&word)
            || command
                .get_subcommands()
                .any(|known| known.get_name() == word)
    })
}

fn print_completion(shell: clap_complete::Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "lind", &mut script);
    print(&script)
}

/// Writes to standard output and returns the exit status.
fn print(bytes: &[u8]) -> Result<u8, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // A reader that has seen enough is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::lind(format!(
            "cannot write to standard output: {}",
            crate::failure::reason(&error)
        ))),
        _ => Ok(0),
    }
}

/// Writes a message to standard error, if it is there.
fn tell(message: &impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// Opens the cache; without one lind works as well, and says in one line why it is slower.
fn open_cache() -> Option<Cache> {
    let variable = |name: &str| std::env::var_os(name);
    let path: PathBuf = cache::location(variable)?;
    Cache::open(&path)
        .inspect_err(|why| {
            tell(&format_args!(
                "lind: warning: {why}; programs are compiled anew"
            ))
        })
        .ok()
}
