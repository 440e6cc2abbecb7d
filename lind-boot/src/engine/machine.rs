//! What all guest threads of a run of lind have in common: host threads, loaded programs, and how it went.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, Mutex};
use rawposix::{Errno, ExecRequest, ExitStatus, Sandbox, Thread};

use super::checks::ForkChecks;
use super::guest::{self, Beginning};
use super::workers::Workers;
use super::{Crash, Engine, Program};
use crate::cache::Cache;
use crate::failure::{Failure, reason};
use crate::host::separate_descriptors;

/// Programs that are kept loaded.
const PROGRAMS: usize = 64;
/// Bytes of the largest module that is looked at, as many as the engine takes.
const LARGEST: u64 = 1 << 30;
/// A file that changed more recently may change again without its times telling.
const SETTLED: Duration = Duration::from_secs(2);
/// How long the end of lind waits for guests that are being killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// The context of a run.
pub(super) struct Machine {
    pub(super) workers: Workers,
    pub(super) checks: ForkChecks,
    cache: Option<Cache>,
    programs: Mutex<Vec<(Identity, Program)>>,
    /// Held while a program is compiled that a guest executes: that takes all processors, and memory many times the
    /// module's size, which no limit of the guest's counts.
    compiling: Mutex<()>,
    outcome: Mutex<Outcome>,
    /// A host thread of the program has nothing more to say.
    settled: Condvar,
}

/// How the sandbox's program went.
#[derive(Default)]
struct Outcome {
    /// Host threads that run it.
    threads: usize,
    crash: Option<Crash>,
    failure: Option<Failure>,
}

/// A host thread that runs the sandbox's program.
pub(super) struct Running(Arc<Machine>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.outcome.lock().threads -= 1;
        self.0.settled.notify_all();
    }
}

/// What says that a file is the one that was loaded.
#[derive(Clone, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(file: &File) -> Option<Self> {
        let metadata = file.metadata().ok()?;
        let changed =
            SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(metadata.ctime()).ok()?);
        let settled = changed.elapsed().is_ok_and(|age| age > SETTLED);
        settled.then(|| Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

impl Program {
    /// Runs the program's `_start` as `thread`, and all threads and processes that come of it, until the sandbox's
    /// program has ended. Programs that it executes come from `cache`. The calling thread has a descriptor table of its
    /// own afterwards, see [`separate_descriptors`].
    ///
    /// # Errors
    /// lind could not run it. A crash of the guest is no error: it comes with the exit status.
    pub fn run(
        &self,
        sandbox: &Sandbox,
        thread: Thread,
        cache: Option<Cache>,
    ) -> Result<(ExitStatus, Option<Crash>), Failure> {
        let machine = Arc::new(Machine {
            workers: Workers::default(),
            checks: ForkChecks::from_environment()?,
            cache,
            programs: Mutex::default(),
            compiling: Mutex::default(),
            outcome: Mutex::default(),
            settled: Condvar::new(),
        });
        let worker = machine
            .workers
            .get()
            .map_err(|error| Failure::lind(format!("cannot start a thread: {}", reason(&error))))?;
        separate_descriptors();
        let context = Arc::clone(&machine);
        let program = self.clone();
        worker.run(Box::new(move || {
            guest::run(&context, program, thread, Beginning::Program);
        }));
        let status = sandbox.wait(PATIENCE);
        let end = Instant::now() + PATIENCE;
        let mut outcome = machine.outcome.lock();
        while outcome.threads > 0 && Instant::now() < end {
            machine.settled.wait_until(&mut outcome, end);
        }
        match outcome.failure.take() {
            Some(failure) => Err(failure),
            None => Ok((status, outcome.crash.take())),
        }
    }
}

impl Machine {
    /// Loads the program that a guest executes. `ENOEXEC` for what is no program of lind's.
    pub(super) fn load(&self, engine: &Engine, request: &ExecRequest) -> Result<Program, Errno> {
        let identity = Identity::of(request.file());
        if let Some(identity) = &identity {
            let programs = self.programs.lock();
            if let Some((_, program)) = programs.iter().find(|(known, _)| known == identity) {
                return Ok(program.clone());
            }
        }
        let mut file = request.file();
        if file.metadata().map_err(Errno::from)?.len() > LARGEST {
            return Err(Errno::ENOEXEC);
        }
        let mut wasm = Vec::new();
        // It may have grown, and is then cut off, which no module survives.
        let read = file.by_ref().take(LARGEST).read_to_end(&mut wasm);
        read.map_err(Errno::from)?;
        let name = String::from_utf8_lossy(request.path()).into_owned();
        let mut turn = None;
        let loaded = engine.load(&wasm, &name, self.cache.as_ref(), || {
            turn = Some(self.compiling.lock());
        });
        drop(turn);
        let (program, _) = loaded.map_err(|_| Errno::ENOEXEC)?;
        if let Some(identity) = identity {
            let mut programs = self.programs.lock();
            if programs.len() >= PROGRAMS {
                programs.remove(0);
            }
            programs.push((identity, program.clone()));
        }
        Ok(program)
    }

    /// Says that the calling host thread runs the sandbox's program.
    pub(super) fn running(self: &Arc<Self>) -> Running {
        self.outcome.lock().threads += 1;
        Running(Arc::clone(self))
    }

    /// Notes how the sandbox's program crashed.
    pub(super) fn crashed(&self, crash: Crash) {
        self.outcome.lock().crash.get_or_insert(crash);
    }

    /// Notes why a guest thread could not be run: lind says so if it is the program's; another process is killed.
    pub(super) fn fail(&self, is_program: bool, failure: Failure) {
        if is_program {
            self.outcome.lock().failure.get_or_insert(failure);
        }
    }
}
