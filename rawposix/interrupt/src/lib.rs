//! Interrupting, stopping and waking the host threads that run guests.
//!
//! Every guest thread is a host thread with a [`HostThread`], which others use to reach it:
//!
//! | | |
//! |---|---|
//! | [`HostThread::interrupt`] | it looks for signals soon: at the end of its system call, out of a call that blocks, or out of a loop of the guest's code |
//! | [`HostThread::end`] | it stops running the guest's code |
//! | [`HostThread::unpark`] | it leaves [`HostThread::park`] |
//! | [`Freeze`] | it runs nothing of the guest's until the freeze ends |
//!
//! # How it works
//!
//! A request is a bit in the thread's word, and then a host signal directed at it. The signal's handler runs on the thread
//! itself and so sees, in program order, in which [`Place`] it is:
//!
//! - in the **host**: nothing happens, since [`HostThread::leave`] looks at the word after it has changed the place;
//! - in a host call that **blocks**: the signal makes the call fail with `EINTR`. It may have come just before the call began,
//!   so a timer repeats it until the thread has left the section: no wake-up is lost, and blocking costs nothing extra;
//! - in the **guest**'s code: the engine's [`Redirect`] makes the thread call its signal function, or trap; when that is not
//!   possible at this program counter (in a call's prologue in the host, for one), a timer repeats the signal shortly after.
//!
//! Nothing but the word is shared, and no request takes a lock that the target may hold.

mod freeze;
mod handler;
mod thread;
mod timer;

pub use freeze::Freeze;
pub use handler::{Context, Redirect, Redirected, install};
pub use thread::{HostThread, Interrupted, Parked, Place};
