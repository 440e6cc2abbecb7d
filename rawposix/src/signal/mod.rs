//! Signals: what is pending, who takes it, and what it does. See signal(7).
//!
//! Sending puts a signal into the queue of a thread or of its process and interrupts a thread that does not block it.
//! That thread looks at it when its system call ends or blocks, or at once if it is in the guest's code
//! ([`Thread::consider`]). Default actions happen there; a signal that is fatal by default ends the process when it is
//! sent, so that no thread's cooperation is needed.
//!
//! What many processes are sent at once, and how forks fit in, is in `crowd`.
//!
//! # Handlers
//!
//! The guest calls them itself, so that fork, longjmp and exec work in them as anywhere. A system call of a thread that has
//! a handler to run returns [`LIND_SIGNAL`](deliver::LIND_SIGNAL); its result is kept. libc then asks for handlers
//! ([`Thread::next_signal`]) as long as there are any: each gets a frame on its stack, below the interrupted code's or on
//! the alternate stack, which holds what rt_sigreturn(2) restores: the mask, and the result of the interrupted call, or
//! the call itself if it is to be made again. When there was none, restart_syscall(2) gives the result.

mod actions;
mod call;
mod crowd;
mod deliver;
mod info;
mod queue;
mod send;
mod stack;
mod state;

pub(crate) use crowd::{Crowds, Forking};
pub use deliver::Faults;
pub(crate) use deliver::{Due, Interrupted, Resumed};
pub use info::Fault;
pub(crate) use info::{
    SI_KERNEL, SI_TIMER, SI_TKILL, SI_USER, SYS_SECCOMP, from_filter, from_io, from_process,
    from_queue, from_system, from_timer, set_overrun, set_sender, timer as timer_of,
};
pub(crate) use send::Target;
pub(crate) use stack::{
    NO_STACK, checked as checked_stack, contains as stack_contains, report as report_stack,
};
pub(crate) use state::{Signals, TaskSignals};
