//! What a process in the background may do with its terminal.

use rawposix_abi::{Errno, Signal};
use rustix::termios::LocalModes;

use super::{Line, send};
use crate::cage::family::PROGRAM;
use crate::cage::{Pid, Process};
use crate::fd::{HostFile, Origin};
use crate::signal::Due;
use crate::thread::Thread;

/// What a process group in the background does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    /// Writes, and changes of the terminal's settings.
    Write,
}

impl Thread {
    /// Before a read: stops a process in the background of the file's terminal, until it is in the foreground.
    ///
    /// # Errors
    /// `EIO` when it does not listen to SIGTTIN, or when nobody could continue it; `EINTR` when a handler has to run.
    pub(crate) fn before_read(&self, file: &HostFile) -> Result<(), Errno> {
        match &file.origin {
            Origin::Terminal(end) if !end.is_master() => {
                self.in_foreground(end.line(), Access::Read)
            }
            _ => Ok(()),
        }
    }

    /// Before a write: the same, if the terminal's settings have `TOSTOP`.
    ///
    /// # Errors
    /// As [`Thread::before_change`].
    pub(crate) fn before_write(&self, file: &HostFile) -> Result<(), Errno> {
        let end = match &file.origin {
            Origin::Terminal(end) if !end.is_master() => end,
            _ => return Ok(()),
        };
        let stops = self.background(end.line()).is_some()
            && rustix::termios::tcgetattr(&file.fd)
                .is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP));
        if stops {
            self.in_foreground(end.line(), Access::Write)
        } else {
            Ok(())
        }
    }

    /// Before a change of a terminal's settings: a process in the background is stopped, unless it ignores or blocks
    /// SIGTTOU.
    ///
    /// # Errors
    /// `EIO` when nobody could continue it; `EINTR` when a handler has to run.
    pub(crate) fn before_change(&self, line: &Line) -> Result<(), Errno> {
        self.in_foreground(line, Access::Write)
    }

    fn background(&self, line: &Line) -> Option<Pid> {
        self.world
            .terminals
            .background(&self.world, self.process.pid, line)
    }

    fn in_foreground(&self, line: &Line, access: Access) -> Result<(), Errno> {
        let signal = match access {
            Access::Read => Signal::SIGTTIN,
            Access::Write => Signal::SIGTTOU,
        };
        while let Some(group) = self.background(line) {
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
            send(&self.world, group, &[signal]);
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
        world.terminals.has_host() && world.family.group_of(self.pid) == Ok(PROGRAM)
    }

    /// Stops lind with the sandbox's program, so that the shell that started it takes over the terminal.
    pub(crate) fn stop_host(&self) {
        if self.pid == PROGRAM && self.world().terminals.has_host() {
            // Nothing is lost if it fails: the program is stopped all the same.
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::STOP,
            );
        }
    }
}
