//! The POSIX microvisor of lind: processes, files, memory and time as Linux has them, in user space.
//!
//! It knows nothing of WebAssembly. An engine runs the program's code, hands every system call of a thread to
//! [`Thread::syscall`] and does what the returned [`Control`] says:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use rawposix::{Config, Control, Image, Sandbox};
//! let sandbox = Sandbox::new(Config::default())?;
//! let mut thread = sandbox.start(Image { argv: vec![b"hello".to_vec()], ..Image::default() })?;
//! match thread.syscall(172 /* getpid */, [0; 6]) {
//!     Control::Return(pid) => assert_eq!(pid, 2),
//!     other => println!("{other:?}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | `syscall` | from the list of `rawposix-abi` to the handlers, one file a family |
//! | `quick` | the short way of reads and writes |
//! | `cage` | processes: what fork(2) copies or shares, and the tree of them |
//! | `clone`, `exec`, `exit` | how threads and processes begin, change and end |
//! | `signal` | sending and delivering signals; what a guest's C library and the engine do for handlers |
//! | `timer` | timers that send signals |
//! | `fd` | descriptor tables and open file descriptions; `fd::own`: objects of rawposix's own (pidfds, signalfds …) and how poll and epoll wait for them |
//! | `terminal` | pseudo-terminals; sessions and process groups at terminals |
//! | `fs` | mounts, path resolution, `/dev`, `/proc`, the private `/tmp` |
//! | `net` | sockets: the sandbox's own, the host's under `Net::Host` |
//! | `processors` | which processors threads run on |
//! | `seccomp` | filters that guests put on their calls |
//! | `landlock` | rules that guests make for the files and ports they use |
//! | `locks`, `futex` | record locks, futexes |
//! | `ipc` | shared memory, semaphores and message queues of System V; message queues of POSIX |
//! | `aio` | the contexts of kernel AIO |
//! | `share` | counts of what a sandbox may have only so much of |
//! | `trace` | `--strace`, from the same list |
//! | `confine` | the filter on the host process |
//! | `builder`, `startup` | how a sandbox and a program's first memory are made |
//!
//! # Locks
//!
//! A lock may be taken while one before it in this list is held, never the other way round. Locks on one line are
//! never held together.
//!
//! 1. the listing of an open directory (held while the names are read from the host, which is the reader's turn)
//! 2. the order of new processes and of signals that many get (`signal::Crowds`)
//! 3. the timers of a process, which send signals; then what they have planned
//! 4. the bells of a signalfd, or those of a process's end; a description's bell of a message queue; then what one bell shows
//! 5. who controls the terminal, then the tree of processes
//! 6. the parts of a process: descriptor table, directories and mask, credentials, limits, settings, files with record
//!    locks; its pending signals, then dispositions, then the signals of a thread, its filters of calls
//! 7. the mappings of an address space (under limits); a private directory, then the store of all of them; the owners of files; the room
//!    in a private directory; the queues
//!    of futexes, then one waiter's state; the objects of one kind of `ipc`; the descriptions with `O_ASYNC`,
//!    then one message queue of POSIX; the contexts of kernel AIO of a process, then what one of them holds
//!    and the entries that epoll sets have of one description; the write hints of files; a ruleset of landlock
//! 8. the turn to listen, then names and ports of sockets, then the state of one; what goes along with messages
//! 9. the sink of the trace
//!
//! No lock is held across a copy from or to guest memory or across a host call that waits for others. The one
//! exception is the futex word, a single load that must not be separated from the queue.
#![forbid(unsafe_code)]

mod aio;
mod builder;
mod cage;
mod clone;
mod config;
mod confine;
mod control;
mod entropy;
mod exec;
mod exit;
mod fd;
mod fs;
mod futex;
mod ipc;
mod landlock;
mod locks;
mod net;
mod processors;
mod quick;
mod sandbox;
mod seccomp;
mod share;
mod signal;
mod startup;
mod syscall;
mod terminal;
mod thread;
mod timer;
mod trace;

pub use clone::{CloneRequest, Entry};
pub use config::{
    Access, Config, ConfigError, HostUsers, Limit, Mount, Net, Private, PrivateOptions, Program,
    Trace, TraceContent, TraceFilter, TraceLabels,
};
pub use confine::{ConfineError, confine};
pub use control::{Control, CoreDump, ExitStatus};
pub use exec::ExecRequest;
pub use rawposix_abi::{Errno, Signal, SignalSet};
pub use sandbox::{Image, Sandbox};
pub use signal::{Fault, Faults};
pub use thread::Thread;
pub use trace::is_known_filter;
