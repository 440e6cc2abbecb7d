//! The sandbox: what all its processes share.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rawposix_abi::flags::OpenFlags;
use rawposix_abi::structs::Rlimit64;
use rawposix_abi::{Errno, Signal};
use rawposix_memory::AddressSpace;
use rustix::fs::{Access, FileType, OFlags};
use rustix::time::{ClockId, Timespec};

use crate::builder;
use crate::cage::family::{Family, PROGRAM};
use crate::cage::{FsContext, IdMap, Limits, Process, Umask};
use crate::config::{Config, ConfigError, Limit};
use crate::control::ExitStatus;
use crate::entropy;
use crate::exec::Program;
use crate::fd::{AsyncIo, CloseOnExec, FdTable, OpenFile, Origin};
use crate::fs::busy::Busy;
use crate::fs::dir::FileId;
use crate::fs::hints::WriteHints;
use crate::fs::mount::Mounts;
use crate::fs::node::Node;
use crate::fs::owners::Owners;
use crate::fs::private::PrivateStore;
use crate::fs::walk::{Follow, Walk};
use crate::futex::Futexes;
use crate::ipc::Ipc;
use crate::locks::LockWaits;
use crate::net::Network;
use crate::processors::Processors;
use crate::share::Shares;
use crate::signal::Crowds;
use crate::startup::Startup;
use crate::terminal::{End, Terminals};
use crate::thread::Thread;
use crate::timer::Alarms;
use crate::trace::Tracer;

/// A world of processes with its own files, ids and clock settings.
///
/// Dropping the last reference, and the last [`Thread`], removes the private `/tmp`; a caller that ends by
/// `std::process::exit` drops them first.
#[derive(Debug)]
pub struct Sandbox {
    world: Arc<World>,
}

/// What every process can reach of its sandbox.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) mounts: Mounts,
    pub(crate) hostname: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) ids: IdMap,
    pub(crate) started: Instant,
    pub(crate) started_at: Timespec,
    pub(crate) boot_id: [u8; 16],
    pub(crate) tracer: Option<Tracer>,
    pub(crate) family: Family,
    pub(crate) busy: Arc<Busy>,
    pub(crate) owners: Owners,
    pub(crate) write_hints: WriteHints,
    pub(crate) processors: Processors,
    /// Signals that are queued, which RLIMIT_SIGPENDING limits.
    pub(crate) queued: Arc<Shares>,
    pub(crate) crowds: Crowds,
    pub(crate) futexes: Futexes,
    pub(crate) lock_waits: LockWaits,
    pub(crate) ipc: Ipc,
    pub(crate) async_io: AsyncIo,
    /// Requests that contexts of kernel AIO have room for: `fs.aio-nr`.
    pub(crate) aio: Arc<Shares>,
    /// Rules of landlock(7).
    pub(crate) landlock: Arc<Shares>,
    pub(crate) alarms: Alarms,
    pub(crate) terminals: Terminals,
    pub(crate) network: Arc<Network>,
    /// How the program has ended, and how many processes have not.
    population: Mutex<Population>,
    changed: Condvar,
    cwd: Vec<u8>,
    limits: Vec<Limit>,
    /// The memory of processes that have ended: none.
    nowhere: OnceLock<Arc<AddressSpace>>,
    /// Removed when the world ends, or earlier by [`Sandbox::abandon`].
    private: Arc<PrivateStore>,
}

/// The processes of a sandbox, as the outside sees them.
#[derive(Debug, Default)]
struct Population {
    /// Of the program that the sandbox was started with.
    status: Option<ExitStatus>,
}

/// The program that [`Sandbox::start`] starts.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Argument strings, without terminating zeros.
    pub argv: Vec<Vec<u8>>,
    /// Environment strings (`NAME=value`), without terminating zeros.
    pub envp: Vec<Vec<u8>>,
    /// The path in the sandbox by which the program is executed: `AT_EXECFN`; its last part is the process's name.
    pub path: Vec<u8>,
    /// Bytes of memory that the program declares: mapped from 64 KiB up to here, the program break starts here.
    pub initial_memory: u64,
}

impl Sandbox {
    /// Makes a sandbox: opens the root and the mounts.
    ///
    /// The host process's umask becomes 0, since the modes of new files are the guests' own business; whoever creates
    /// files beside the sandbox gives them an explicit mode.
    ///
    /// # Errors
    /// A directory that cannot be opened, or a mount that has no place.
    pub fn new(config: Config) -> Result<Arc<Self>, ConfigError> {
        rustix::process::umask(rustix::fs::Mode::empty());
        let (mounts, private) = builder::build(&config)?;
        let world = World {
            mounts,
            hostname: config.hostname,
            uid: config.uid,
            gid: config.gid,
            ids: IdMap {
                host_uid: rustix::process::geteuid().as_raw(),
                host_gid: rustix::process::getegid().as_raw(),
                guest_uid: config.uid,
                guest_gid: config.gid,
                users: config.host_users,
            },
            started: Instant::now(),
            started_at: rustix::time::clock_gettime(ClockId::Realtime),
            boot_id: entropy::random(),
            tracer: config.trace.map(Tracer::new),
            family: Family::default(),
            busy: Arc::default(),
            owners: Owners::default(),
            write_hints: WriteHints::default(),
            processors: Processors::of_host(),
            queued: Arc::default(),
            crowds: Crowds::default(),
            futexes: Futexes::default(),
            lock_waits: LockWaits::default(),
            ipc: Ipc::default(),
            async_io: AsyncIo::default(),
            aio: Arc::default(),
            landlock: Arc::default(),
            alarms: Alarms::default(),
            terminals: Terminals::new(),
            network: Network::new(config.net),
            population: Mutex::default(),
            changed: Condvar::new(),
            cwd: builder::bytes(&config.cwd),
            limits: config.limits,
            nowhere: OnceLock::new(),
            private,
        };
        world.first_context().map_err(|errno| ConfigError {
            what: format!("cannot enter '{}' in the sandbox", config.cwd.display()),
            errno,
        })?;
        Ok(Arc::new(Self {
            world: Arc::new(world),
        }))
    }

    /// Starts the first process: an address space with the image's initial memory, the standard streams as
    /// descriptors 0 to 2, and the program's arguments.
    ///
    /// # Errors
    /// `ENOMEM` when the host has no address space left; `E2BIG` when arguments and environment are too large.
    pub fn start(self: &Arc<Self>, image: Image) -> Result<Thread, Errno> {
        let startup = Startup::new(&image, self.world.uid, self.world.gid)?;
        let memory = AddressSpace::new()?;
        memory.map_image(image.initial_memory)?;
        let files = standard_streams(&self.world)?;
        let pid = self.world.family.new_id(u64::MAX)?;
        if pid != PROGRAM {
            self.world.family.release_thread(pid);
            return Err(Errno::EBUSY);
        }
        let world = || Arc::clone(&self.world);
        let process = Arc::new(Process::first(world(), pid, memory, image, files)?);
        self.world.family.add_program(Arc::clone(&process));
        process.watch_processor_time();
        Thread::first(world(), process, startup)
    }

    /// Waits until the program has ended, kills all other processes and gives the program's exit status. Processes
    /// whose threads have not noticed within `patience` are left to the end of the host process.
    pub fn wait(&self, patience: Duration) -> ExitStatus {
        let mut population = self.world.population.lock();
        let status = loop {
            match population.status {
                Some(status) => break status,
                None => self.world.changed.wait(&mut population),
            }
        };
        drop(population);
        for process in self.world.family.close() {
            process.kill(Signal::SIGKILL);
        }
        let end = Instant::now() + patience;
        let mut population = self.world.population.lock();
        while !self.world.family.living().is_empty() {
            if self
                .world
                .changed
                .wait_until(&mut population, end)
                .timed_out()
            {
                break;
            }
        }
        status
    }

    /// Writes the end of the trace: the summary, if one is asked for.
    pub fn finish_trace(&self) {
        if let Some(tracer) = &self.world.tracer {
            tracer.finish();
        }
    }

    /// Removes the private `/tmp` while guests still run: for a lind that is about to end by a signal.
    pub fn abandon(&self) {
        self.world.private.abandon();
    }

    /// Sends a signal of the terminal that lind runs at to the processes in its foreground: SIGINT, SIGQUIT, SIGTSTP,
    /// SIGWINCH.
    pub fn terminal_signal(&self, signal: Signal) {
        self.world.terminals.outer_signal(&self.world, signal);
    }

    /// lind was stopped and goes on: so does the program's process group.
    pub fn go_on(&self) {
        self.world.terminals.go_on(&self.world, PROGRAM);
    }

    /// Finds and opens a program as execvp(3) would in the sandbox: a name without a slash is looked for in the
    /// directories of `search`, which is formatted as `PATH`. Gives its absolute path in the sandbox.
    ///
    /// # Errors
    /// Those of execve(2): `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES` for what is no executable file.
    pub fn open_program(&self, path: &Path, search: &OsStr) -> Result<(PathBuf, File), Errno> {
        self.world
            .open_program(path.as_os_str().as_bytes(), search.as_bytes())
    }
}

impl World {
    /// An address space without anything, which all processes have that have ended; `None` when the host has no room.
    pub(crate) fn nowhere(&self) -> Option<Arc<AddressSpace>> {
        if let Some(nowhere) = self.nowhere.get() {
            return Some(Arc::clone(nowhere));
        }
        let nowhere = AddressSpace::new().ok()?;
        Some(Arc::clone(self.nowhere.get_or_init(|| nowhere)))
    }
}

impl Image {
    /// The name that a process gets from its program: the last part of the path, at most 15 bytes.
    pub(crate) fn name(&self) -> Vec<u8> {
        let name = self.path.rsplit(|byte| *byte == b'/').next();
        let name = name.unwrap_or_default();
        name.get(..15).unwrap_or(name).to_vec()
    }
}

impl World {
    /// Whether the host's check of lind's user is none for somebody in the sandbox.
    pub(crate) fn is_foreign(&self, uid: u32, gid: u32) -> bool {
        uid != 0 && (self.ids.are_same() || (uid, gid) != (self.uid, self.gid))
    }

    /// The process that the sandbox was started with has ended.
    pub(crate) fn program_ended(&self, status: ExitStatus) {
        self.population.lock().status = Some(status);
        self.changed.notify_all();
    }

    /// A process has ended.
    pub(crate) fn process_ended(&self) {
        let population = self.population.lock();
        if population.status.is_some() {
            self.changed.notify_all();
        }
    }

    /// Root, working directory and mask of the first process.
    pub(crate) fn first_context(&self) -> Result<FsContext, Errno> {
        let root = self.mounts.root()?;
        let mut walk = Walk::new(&self.mounts, root.clone(), None);
        match walk.node(root.clone(), &self.cwd, Follow::Yes)? {
            Node::Dir(cwd) => Ok(FsContext {
                root,
                cwd,
                umask: Umask(0o022),
            }),
            _ => Err(Errno::ENOTDIR),
        }
    }

    /// The first process's program, if its path leads to a file.
    pub(crate) fn first_program(&self, path: &[u8]) -> Option<Arc<Program>> {
        let context = self.first_context().ok()?;
        let mut walk = Walk::new(&self.mounts, context.root, None);
        let Ok(Node::Host(host)) = walk.node(context.cwd, path, Follow::Yes) else {
            return None;
        };
        let file = File::from(host.open(OFlags::RDONLY).ok()?);
        let in_use = self.busy.execute(FileId::of(&file).ok()?).ok()?;
        let origin = Origin::Mount(host.mount);
        let file = OpenFile::host_file(file.into(), origin, OpenFlags::empty());
        Some(Arc::new(Program::new(file, in_use)))
    }

    fn open_program(&self, path: &[u8], search: &[u8]) -> Result<(PathBuf, File), Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if path.contains(&b'/') {
            return self.open_executable(path);
        }
        let mut refused = None;
        for directory in search.split(|byte| *byte == b':') {
            let mut candidate = directory.to_vec();
            if !candidate.is_empty() {
                candidate.push(b'/');
            }
            candidate.extend_from_slice(path);
            match self.open_executable(&candidate) {
                Err(Errno::EACCES) => refused = Some(Errno::EACCES),
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                found => return found,
            }
        }
        Err(refused.unwrap_or(Errno::ENOENT))
    }

    fn open_executable(&self, path: &[u8]) -> Result<(PathBuf, File), Errno> {
        let context = self.first_context()?;
        let node =
            Walk::new(&self.mounts, context.root, None).node(context.cwd, path, Follow::Yes)?;
        let Node::Host(host) = node else {
            return Err(Errno::EACCES);
        };
        if host.kind != FileType::RegularFile {
            return Err(Errno::EACCES);
        }
        rustix::fs::access(host.proc_path(), Access::EXEC_OK)?;
        let file = File::from(host.open(OFlags::RDONLY)?);
        let absolute = if path.starts_with(b"/") {
            path.to_vec()
        } else {
            [&*self.cwd, b"/", path].concat()
        };
        Ok((PathBuf::from(std::ffi::OsString::from_vec(absolute)), file))
    }

    /// Limits of the first process.
    pub(crate) fn first_limits(&self) -> Limits {
        let mut limits = Limits::default();
        for limit in &self.limits {
            limits.force(
                limit.resource,
                Rlimit64 {
                    current: limit.value,
                    max: limit.value,
                },
            );
        }
        limits
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.network.flights.clear();
    }
}

/// Descriptors 0 to 2, those of lind that are open.
fn standard_streams(world: &World) -> Result<FdTable<OpenFile>, Errno> {
    let mut table = FdTable::default();
    let streams = [
        rustix::stdio::stdin(),
        rustix::stdio::stdout(),
        rustix::stdio::stderr(),
    ];
    for (fd, stream) in (0..).zip(streams) {
        let Ok(owned) = rustix::io::fcntl_dupfd_cloexec(stream, 3) else {
            continue;
        };
        let mode = rustix::fs::fcntl_getfl(&owned)?;
        let flags = OpenFlags::from_bits_truncate(mode.bits() & OpenFlags::ACCMODE);
        table.replace(fd, stream_file(world, owned, flags), CloseOnExec::No, 3)?;
    }
    Ok(table)
}

fn stream_file(world: &World, fd: OwnedFd, flags: OpenFlags) -> Arc<OpenFile> {
    let origin = if rustix::termios::isatty(&fd) {
        Origin::Terminal(End::Line(Arc::clone(world.terminals.outer())))
    } else {
        Origin::Stream
    };
    OpenFile::host_file(fd, origin, flags)
}
