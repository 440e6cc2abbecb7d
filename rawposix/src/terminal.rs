//! The terminal that lind runs at, as the sandbox's sessions see it. See tty_ioctl(4), credentials(7), setsid(2).
//!
//! There is one at most, that of lind's standard streams. To the host, lind is one process group in front of it; which of
//! the guests' groups is in front is the sandbox's own matter: the keys that send signals reach it through
//! [`Sandbox::terminal_signal`](crate::Sandbox::terminal_signal), and the others are stopped when they read.

use parking_lot::Mutex;
use rawposix_abi::{Errno, Signal};
use rustix::termios::LocalModes;

use crate::cage::family::PROGRAM;
use crate::cage::{Pid, Process};
use crate::fd::HostFile;
use crate::sandbox::World;
use crate::signal::Due;
use crate::thread::Thread;

/// Who controls the terminal.
///
/// Its lock comes before the tree of processes.
#[derive(Debug)]
pub(crate) struct Terminal {
    state: Mutex<State>,
    /// Whether lind itself has a controlling terminal, whose shell can stop and continue it.
    has_host: bool,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// The session whose controlling terminal it is.
    session: Option<Pid>,
    /// The process group in the foreground.
    foreground: Pid,
}

/// What a process group in the background does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    /// Writes, and changes of the terminal's settings.
    Write,
}

impl Terminal {
    /// That of a new sandbox: the program's session controls it, the program is in the foreground.
    pub(crate) fn new() -> Self {
        let host = rustix::fs::open(
            c"/dev/tty",
            rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        );
        Self {
            state: Mutex::new(State {
                session: Some(PROGRAM),
                foreground: PROGRAM,
            }),
            has_host: host.is_ok(),
        }
    }

    /// The foreground process group. `ENOTTY` for a session that has another terminal or none.
    pub(crate) fn foreground(&self, world: &World, caller: Pid) -> Result<Pid, Errno> {
        let state = *self.state.lock();
        state.controlled_by(world, caller)?;
        Ok(state.foreground)
    }

    /// The session. `ENOTTY` for another one.
    pub(crate) fn session(&self, world: &World, caller: Pid) -> Result<Pid, Errno> {
        self.state.lock().controlled_by(world, caller)
    }

    /// Whether the caller's session has this controlling terminal.
    pub(crate) fn is_of(&self, world: &World, caller: Pid) -> bool {
        self.session(world, caller).is_ok()
    }

    /// Puts a group of the caller's session into the foreground. `EPERM` for another group.
    pub(crate) fn set_foreground(
        &self,
        world: &World,
        caller: Pid,
        group: i32,
    ) -> Result<(), Errno> {
        let mut state = self.state.lock();
        let session = state.controlled_by(world, caller)?;
        if group < 0 {
            return Err(Errno::EINVAL);
        }
        if !world.family.has_group(Pid(group), session) {
            return Err(Errno::EPERM);
        }
        state.foreground = Pid(group);
        Ok(())
    }

    /// Makes it the controlling terminal of the session that the caller leads. `EPERM` if it does not lead one, or if the
    /// terminal is another session's.
    pub(crate) fn take(&self, world: &World, caller: Pid) -> Result<(), Errno> {
        let mut state = self.state.lock();
        let session = world.family.session_of(caller)?;
        match state.session {
            Some(owner) if owner == session => Ok(()),
            None if session == caller => {
                *state = State {
                    session: Some(session),
                    foreground: world.family.group_of(caller)?,
                };
                Ok(())
            }
            _ => Err(Errno::EPERM),
        }
    }

    /// The caller's session gives it up, if the caller leads the session: the foreground is told.
    pub(crate) fn give_up(&self, world: &World, caller: Pid) -> Result<(), Errno> {
        let foreground = {
            let mut state = self.state.lock();
            if state.controlled_by(world, caller)? != caller {
                return Ok(());
            }
            state.session = None;
            state.foreground
        };
        for signal in [Signal::SIGHUP, Signal::SIGCONT] {
            send(world, foreground, signal);
        }
        Ok(())
    }

    /// Whether a process is in the background of its session's terminal, and its group.
    fn background(&self, world: &World, caller: Pid) -> Option<Pid> {
        let state = *self.state.lock();
        state.controlled_by(world, caller).ok()?;
        let group = world.family.group_of(caller).ok()?;
        (group != state.foreground).then_some(group)
    }

    /// A signal that the terminal sends to the foreground.
    pub(crate) fn signal(&self, world: &World, signal: Signal) {
        let foreground = self.state.lock().foreground;
        send(world, foreground, signal);
    }

    /// Whether the shell that started lind could continue the sandbox's program.
    pub(crate) fn has_host(&self) -> bool {
        self.has_host
    }
}

impl State {
    /// The session, if it is the caller's; `ENOTTY` otherwise.
    fn controlled_by(&self, world: &World, caller: Pid) -> Result<Pid, Errno> {
        let session = world.family.session_of(caller)?;
        if self.session == Some(session) {
            Ok(session)
        } else {
            Err(Errno::ENOTTY)
        }
    }
}

fn send(world: &World, group: Pid, signal: Signal) {
    for process in world.family.group(group) {
        process.send_from_system(signal);
    }
}

impl Thread {
    /// Before a read: stops a process in the background of the file's terminal, until it is in the foreground.
    ///
    /// # Errors
    /// `EIO` when it does not listen to SIGTTIN, or when nobody could continue it; `EINTR` when a handler has to run.
    pub(crate) fn before_read(&self, file: &HostFile) -> Result<(), Errno> {
        if file.is_terminal {
            self.in_foreground(Access::Read)
        } else {
            Ok(())
        }
    }

    /// Before a write: the same, if the terminal's settings have `TOSTOP`.
    ///
    /// # Errors
    /// As [`Thread::before_change`].
    pub(crate) fn before_write(&self, file: &HostFile) -> Result<(), Errno> {
        let stops = file.is_terminal
            && self.background().is_some()
            && rustix::termios::tcgetattr(&file.fd)
                .is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP));
        if stops {
            self.in_foreground(Access::Write)
        } else {
            Ok(())
        }
    }

    /// Before a change of a terminal's settings: a process in the background is stopped, unless it ignores or blocks
    /// SIGTTOU.
    ///
    /// # Errors
    /// `EIO` when nobody could continue it; `EINTR` when a handler has to run.
    pub(crate) fn before_change(&self) -> Result<(), Errno> {
        self.in_foreground(Access::Write)
    }

    fn background(&self) -> Option<Pid> {
        self.world
            .terminal
            .background(&self.world, self.process.pid)
    }

    fn in_foreground(&self, access: Access) -> Result<(), Errno> {
        let signal = match access {
            Access::Read => Signal::SIGTTIN,
            Access::Write => Signal::SIGTTOU,
        };
        while let Some(group) = self.background() {
            let deaf = self.signal_mask().contains(signal)
                || self.process.signals.is_set_to_ignore(signal);
            match access {
                Access::Write if deaf => return Ok(()),
                Access::Read if deaf => return Err(Errno::EIO),
                _ => {}
            }
            if self.world.family.is_orphaned_group_of(self.process.pid)
                && !self.process.is_continued_by_host()
            {
                return Err(Errno::EIO);
            }
            send(&self.world, group, signal);
            if self.consider() != Due::Nothing {
                return Err(Errno::EINTR);
            }
        }
        Ok(())
    }
}

impl Process {
    /// Whether the shell that started lind could continue the process: it is in the group of the sandbox's program.
    pub(crate) fn is_continued_by_host(&self) -> bool {
        let world = self.world();
        world.terminal.has_host() && world.family.group_of(self.pid) == Ok(PROGRAM)
    }

    /// Stops lind with the sandbox's program, so that the shell that started it takes over the terminal.
    pub(crate) fn stop_host(&self) {
        if self.pid == PROGRAM && self.world().terminal.has_host() {
            // Nothing is lost if it fails: the program is stopped all the same.
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::STOP,
            );
        }
    }
}
