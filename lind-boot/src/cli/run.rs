//! `lind run`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use rawposix::{Errno, ExitStatus, Image, Sandbox, Thread};

use super::args::{Run, Seccomp};
use super::program::Found;
use super::{grant, grants, notice, open_cache, tell};
use crate::cache::Cache;
use crate::engine::{Crash, Engine, Loaded, Program};
use crate::failure::{Failure, reason};
use crate::host::{self, Watch};

/// Lines of a backtrace that are shown.
const BACKTRACE_LINES: usize = 50;

/// Runs a program and returns its exit status.
pub(super) fn run(args: &Run) -> Result<u8, Failure> {
    host::raise_file_limit();
    let cache = open_cache();
    grants::refuse_grants(args, cache.as_ref())?;
    let typed = args
        .program
        .first()
        .ok_or_else(|| Failure::lind("missing PROGRAM"))?;
    let name = typed.display().to_string();
    let on_host = match args.root {
        Some(_) => None,
        None => Some(Found::on_host(Path::new(typed), &name)?),
    };
    let granted = on_host.as_ref().map(Found::as_granted).transpose()?;
    let sandbox = Sandbox::new(grants::config(args, granted)?)
        .map_err(|error| Failure::lind(error.to_string()))?;
    let watch = watch_host(args, &sandbox)?;

    let environment = grant::environment(&args.env, |name| std::env::var_os(name));
    let found = match on_host {
        Some(found) => found,
        None => Found::in_sandbox(&sandbox, Path::new(typed), &environment, &name)?,
    };
    let program = load(&found.wasm, &name, cache.as_ref())?;
    let image = Image {
        argv: args
            .program
            .iter()
            .map(|word| word.as_bytes().to_vec())
            .collect(),
        envp: environment.into_iter().map(OsString::into_vec).collect(),
        path: found.guest.into_os_string().into_vec(),
        initial_memory: program.initial_memory(),
    };
    let thread = start(&sandbox, image, &name)?;
    if args.seccomp == Seccomp::On {
        host::confine_process(grants::net(args)).map_err(|error| {
            Failure::lind(format!("cannot filter lind's own system calls: {error}"))
                .hint("--seccomp=off runs without the filter")
        })?;
    }
    watch.wait();
    let (status, crash) = program.run(&sandbox, thread, cache)?;
    sandbox.finish_trace();
    if let Some(crash) = crash {
        tell_crash(&name, status, &crash);
    }
    Ok(status.code())
}

/// Sets up what reaches lind from outside while the guest runs.
fn watch_host(args: &Run, sandbox: &Arc<Sandbox>) -> Result<Watch, Failure> {
    if let Some(seconds) = args.cpu_time {
        host::limit_processor_time(seconds).map_err(|error| {
            Failure::lind(format!(
                "cannot limit the processor time: {}",
                reason(&error)
            ))
        })?;
    }
    host::watch_signals(Arc::downgrade(sandbox))
        .map_err(|error| Failure::lind(format!("cannot watch signals: {}", reason(&error))))
}

fn load(wasm: &[u8], name: &str, cache: Option<&Cache>) -> Result<Program, Failure> {
    let (program, loaded) = notice::load(&Engine::new()?, wasm, name, cache)?;
    if let (Some(cache), Loaded::NotStored(why)) = (cache, loaded) {
        let path = cache.path().display();
        tell(&format_args!(
            "lind: warning: cannot write to the cache '{path}': {why}"
        ));
    }
    Ok(program)
}

fn start(sandbox: &Arc<Sandbox>, image: Image, name: &str) -> Result<Thread, Failure> {
    sandbox.start(image).map_err(|errno| {
        let message = format!("cannot start '{name}': {errno}");
        match errno {
            Errno::E2BIG => Failure::not_executable(message)
                .hint("the arguments and the environment are too large"),
            Errno::ENOMEM => Failure::not_executable(message)
                .hint("the program needs more memory than the limits or the host allow"),
            _ => Failure::lind(message),
        }
    })
}

/// Says how the guest died, as a shell does, and where it was.
fn tell_crash(name: &str, status: ExitStatus, crash: &Crash) {
    let ExitStatus::Signaled(signal, _) = status else {
        return;
    };
    let mut text = format!("lind: '{name}' killed by {signal} ({})", crash.cause);
    for frame in crash.backtrace.iter().take(BACKTRACE_LINES) {
        text.push_str(&format!("\n  at {frame}"));
    }
    if let Some(more @ 1..) = crash.backtrace.len().checked_sub(BACKTRACE_LINES) {
        text.push_str(&format!("\n  and {more} more"));
    }
    tell(&text);
}
