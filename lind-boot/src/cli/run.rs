//! `lind run`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rawposix::{
    Access, Config, Errno, ExitStatus, Image, Limit, Mount, Sandbox, Trace, TraceFilter,
};
use rawposix_abi::{SYSCALLS, Syscall};
use rustix::fs::OFlags;

use super::args::{self, Run};
use super::{grant, open_cache, tell, usage};
use crate::cache::Cache;
use crate::engine::{Crash, Engine, Loaded};
use crate::failure::{Failure, reason};
use crate::host;

/// `RLIMIT_*` numbers, see getrlimit(2).
const RLIMIT_CPU: u32 = 0;
const RLIMIT_NPROC: u32 = 6;
const RLIMIT_NOFILE: u32 = 7;
const RLIMIT_AS: u32 = 9;

/// Runs a program and returns its exit status.
pub(super) fn run(args: Run) -> Result<u8, Failure> {
    host::raise_file_limit();
    let cache = open_cache();
    refuse_grants(&args, cache.as_ref())?;
    let (typed, arguments) = args
        .program
        .split_first()
        .ok_or_else(|| Failure::lind("missing PROGRAM"))?;
    let name = typed.display().to_string();

    let found = match args.root {
        Some(_) => None,
        None => Some(Found::on_host(Path::new(typed), &name)?),
    };
    let program = found.as_ref().map(Found::as_granted).transpose()?;
    let sandbox =
        Sandbox::new(config(&args, program)?).map_err(|error| Failure::lind(error.to_string()))?;
    host::end_on_signals(Arc::downgrade(&sandbox))
        .map_err(|error| Failure::lind(format!("cannot watch signals: {}", reason(&error))))?;

    let engine = Engine::new()?;
    let envp = grant::environment(&args.env, |name| std::env::var_os(name));
    let found = match found {
        Some(found) => found,
        None => Found::in_sandbox(&sandbox, Path::new(typed), &envp, &name)?,
    };
    let (program, loaded) = engine.load(&found.wasm, &name, cache.as_ref())?;
    if let (Some(cache), Loaded::NotStored(why)) = (&cache, loaded) {
        let path = cache.path().display();
        tell(&format_args!(
            "lind: warning: cannot write to the cache '{path}': {why}"
        ));
    }

    let argv = std::iter::once(typed)
        .chain(arguments)
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let envp = envp.into_iter().map(OsString::into_vec).collect();
    let path = found.guest.into_os_string().into_vec();
    let image = Image {
        argv,
        envp,
        path,
        initial_memory: program.initial_memory(),
    };
    let thread = sandbox.start(image).map_err(|errno| {
        let failure = Failure::lind(format!("cannot start '{name}': {errno}"));
        match errno {
            Errno::E2BIG => failure.hint("the arguments and the environment are too large"),
            Errno::ENOMEM => {
                failure.hint("the program needs more memory than the limits or the host allow")
            }
            _ => failure,
        }
    })?;
    let (status, crash) = program.run(thread)?;
    if let Some(crash) = crash {
        tell_crash(&name, status, &crash);
    }
    Ok(status.code())
}

/// The program's file, and the place where the sandbox shows it.
struct Found {
    guest: PathBuf,
    file: File,
    wasm: Vec<u8>,
}

impl Found {
    /// PROGRAM as a host path, shown in the sandbox at its own absolute path.
    fn on_host(typed: &Path, name: &str) -> Result<Self, Failure> {
        let (file, wasm) =
            read_program(typed, name).map_err(|failure| did_you_mean(failure, name))?;
        let absolute = |path: &Path| -> io::Result<PathBuf> {
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let file_name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            Ok(directory.canonicalize()?.join(file_name))
        };
        let guest = absolute(typed).map_err(|error| cannot_open(name, &error))?;
        Ok(Self { guest, file, wasm })
    }

    /// PROGRAM as a path inside the sandbox's root; a name without a slash is looked up in the guest's PATH.
    fn in_sandbox(
        sandbox: &Sandbox,
        typed: &Path,
        envp: &[OsString],
        name: &str,
    ) -> Result<Self, Failure> {
        let search = envp
            .iter()
            .find_map(|variable| variable.as_bytes().strip_prefix(b"PATH="));
        let search = OsStr::from_bytes(search.unwrap_or_default());
        let opened = sandbox.open_program(typed, search);
        let (guest, file) = opened.map_err(|errno| {
            let error = io::Error::from_raw_os_error(i32::from(errno.raw()));
            cannot_open(name, &error)
                .hint("with --root, PROGRAM is a path inside the root directory")
        })?;
        let wasm = read_all(&file).map_err(|error| cannot_open(name, &error))?;
        Ok(Self { guest, file, wasm })
    }

    fn as_granted(&self) -> Result<rawposix::Program, Failure> {
        let host = self
            .file
            .try_clone()
            .map_err(|error| cannot_open(&self.guest.display().to_string(), &error))?;
        Ok(rawposix::Program {
            guest: self.guest.clone(),
            host,
        })
    }
}

/// Opens and reads the program at a host path.
///
/// # Errors
/// It is not there, is no file, or may not be executed.
pub(super) fn read_program(path: &Path, name: &str) -> Result<(File, Vec<u8>), Failure> {
    let failed = |error: io::Error| cannot_open(name, &error);
    // Opening must not wait for the other side of a FIFO.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Failure::not_executable(format!(
            "cannot run '{name}': Is a directory"
        )));
    }
    if !metadata.is_file() {
        return Err(Failure::not_executable(format!(
            "cannot run '{name}': it is no regular file"
        )));
    }
    if let Err(error) = rustix::fs::access(path, rustix::fs::Access::EXEC_OK) {
        return Err(Failure::not_executable(format!(
            "cannot run '{name}': {}",
            reason(&error.into())
        ))
        .hint(format!("make it executable: chmod +x {name}")));
    }
    let wasm = read_all(&file).map_err(failed)?;
    Ok((file, wasm))
}

fn read_all(mut file: &File) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cannot_open(name: &str, error: &io::Error) -> Failure {
    let message = format!("cannot open '{name}': {}", reason(error));
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Failure::not_found(message),
        _ => Failure::not_executable(message),
    }
}

/// Hints at the subcommand that a program's name looks like, or at where programs are looked for.
fn did_you_mean(failure: Failure, name: &str) -> Failure {
    if failure.status() != 127 {
        return failure;
    }
    match usage::closest_subcommand(name) {
        Some(known) => failure.hint(format!("did you mean 'lind {known}'?")),
        None if !name.contains('/') => {
            failure.hint("PROGRAM is a path of the host; PATH is not searched")
        }
        None => {
            failure.hint("PROGRAM is a path of the host; with --root it is a path inside the root")
        }
    }
}

/// Refuses to let the guest write where lind's compiled programs are.
fn refuse_grants(args: &Run, cache: Option<&Cache>) -> Result<(), Failure> {
    let Some(cache) = cache else { return Ok(()) };
    let writable = args
        .dirs
        .iter()
        .filter(|dir| dir.access == Access::ReadWrite)
        .map(|dir| &dir.host);
    for path in writable.chain(&args.root) {
        if let Some(why) = cache
            .refuse_grant(path)
            .map_err(|error| cannot_grant(path, &error))?
        {
            return Err(Failure::lind(why)
                .hint("grant it read-only (:ro), grant less, or move the cache with LIND_CACHE"));
        }
    }
    Ok(())
}

fn cannot_grant(path: &Path, error: &io::Error) -> Failure {
    Failure::lind(format!(
        "cannot open the directory '{}': {}",
        path.display(),
        reason(error)
    ))
}

fn config(args: &Run, program: Option<rawposix::Program>) -> Result<Config, Failure> {
    let mounts = args.dirs.iter().map(|dir| {
        let host = dir
            .host
            .canonicalize()
            .map_err(|error| cannot_grant(&dir.host, &error))?;
        let guest = dir.guest_path(&host).to_owned();
        Ok(Mount {
            host,
            guest,
            access: dir.access,
        })
    });
    let limits = [
        (RLIMIT_AS, args.memory),
        (RLIMIT_NOFILE, args.files.map(u64::from)),
        (RLIMIT_NPROC, args.processes.map(u64::from)),
        (RLIMIT_CPU, args.cpu_time),
    ];
    let limits = limits.into_iter().filter_map(|(resource, value)| {
        Some(Limit {
            resource,
            value: value?,
        })
    });
    Ok(Config {
        root: args.root.clone(),
        mounts: mounts.collect::<Result<_, Failure>>()?,
        cwd: args.cwd.clone(),
        program,
        net: match args.net {
            args::Net::None => rawposix::Net::None,
            args::Net::Host => rawposix::Net::Host,
        },
        limits: limits.collect(),
        trace: trace(args)?,
        ..Config::default()
    })
}

fn trace(args: &Run) -> Result<Option<Trace>, Failure> {
    if args.strace.is_none() && args.strace_output.is_none() {
        return Ok(None);
    }
    let names = args.strace.as_deref().unwrap_or_default();
    let filter = if names.is_empty() {
        TraceFilter::All
    } else {
        TraceFilter::Only(names.split(',').map(traced).collect::<Result<_, _>>()?)
    };
    let sink: Box<dyn Write + Send> = match &args.strace_output {
        Some(path) => Box::new(File::create(path).map_err(|error| {
            Failure::lind(format!(
                "cannot create '{}': {}",
                path.display(),
                reason(&error)
            ))
        })?),
        None => Box::new(io::stderr()),
    };
    Ok(Some(Trace { filter, sink }))
}

/// Checks a name of `--strace=`: a system call's, or a group's with `%`.
fn traced(name: &str) -> Result<String, Failure> {
    let known = |call: &Syscall| match name.strip_prefix('%') {
        Some(group) => call.family == group,
        None => call.name == name,
    };
    if SYSCALLS.iter().any(known) {
        return Ok(name.to_owned());
    }
    let close = usage::closest(name, SYSCALLS.iter().map(|call| call.name));
    let failure = Failure::lind(format!("unknown system call '{name}' in --strace"));
    Err(match close {
        Some(close) => failure.hint(format!("did you mean '{close}'?")),
        None => failure.hint("'lind syscalls' lists the names, and the groups as %GROUP"),
    })
}

/// Says how the guest died, as a shell does, and where it was.
fn tell_crash(name: &str, status: ExitStatus, crash: &Crash) {
    let ExitStatus::Signaled(signal, _) = status else {
        return;
    };
    let mut text = format!("lind: '{name}' killed by {signal} ({})", crash.cause);
    for frame in &crash.backtrace {
        text.push_str(&format!("\n  at {frame}"));
    }
    tell(&text);
}
