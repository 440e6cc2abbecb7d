//! A program at a terminal: a pseudo-terminal whose other end a test types into, reads, and resizes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::Result;
use crate::run::{Ending, LIMIT, shell_status};

/// The keys that a terminal in its usual mode turns into signals and ends.
pub mod key {
    /// Control-C: SIGINT to the foreground.
    pub const INTERRUPT: &str = "\x03";
    /// Control-D: the end of input, at the beginning of a line.
    pub const END: &str = "\x04";
    /// Control-Z: SIGTSTP to the foreground.
    pub const SUSPEND: &str = "\x1a";
    /// Control-\: SIGQUIT to the foreground.
    pub const QUIT: &str = "\x1c";
    /// The key Left, as most terminals send it.
    pub const LEFT: &str = "\x1b[D";
    /// The key Up.
    pub const UP: &str = "\x1b[A";
}

/// A program that runs as leader of a session at its own terminal. Dropping it kills the session's first group.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    /// Kept open so that the terminal stays when the program ends.
    slave: OwnedFd,
    child: Child,
    /// All that has been shown.
    shown: Vec<u8>,
    /// How much of it has been expected already.
    position: usize,
}

impl Terminal {
    /// Starts `program` with a terminal of `rows` and `columns` as its standard streams and controlling terminal.
    ///
    /// The environment is `environment`, with a `PATH`.
    ///
    /// # Errors
    /// When there is no terminal to be had, or the program cannot be started.
    pub fn start(
        program: &[String],
        environment: &[(String, String)],
        (rows, columns): (u16, u16),
    ) -> Result<Self> {
        let failed = |what: &str, error: io::Error| format!("cannot {what}: {error}");
        let (master, slave) = pair().map_err(|e| failed("open a pseudo-terminal", e))?;
        set_size(&slave, rows, columns).map_err(|e| failed("set the window size", e))?;
        let stream = || {
            slave
                .try_clone()
                .map_err(|e| failed("duplicate a terminal", e))
        };
        // setsid(1) makes the session and takes the terminal; it becomes the program without a fork, as it leads no group.
        let mut command = Command::new("setsid");
        command
            .arg("--ctty")
            .args(program)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(stream()?)
            .stdout(stream()?)
            .stderr(stream()?);
        let child = command
            .spawn()
            .map_err(|e| format!("cannot start {command:?}: {e}"))?;
        Ok(Self {
            master: File::from(master),
            slave,
            child,
            shown: Vec::new(),
            position: 0,
        })
    }

    /// Types `text`; see [`key`] for keys that are not text.
    ///
    /// # Errors
    /// When the terminal takes no more.
    pub fn send(&mut self, text: &str) -> Result<()> {
        self.master
            .write_all(text.as_bytes())
            .map_err(|e| format!("cannot type {text:?}: {e}"))
    }

    /// Waits until `text` is shown, after all that was expected before.
    ///
    /// # Errors
    /// When it does not come in time or the program ends first; the message has all that was shown instead.
    pub fn expect(&mut self, text: &str) -> Result<()> {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(at) = find(self.unexpected(), text.as_bytes()) {
                self.position += at + text.len();
                return Ok(());
            }
            let gone = self.has_ended();
            if !self.read_more(end)? && (gone || Instant::now() >= end) {
                return Err(format!(
                    "{text:?} was not shown{}, but\n{}",
                    if gone { " before the end" } else { "" },
                    String::from_utf8_lossy(self.unexpected())
                ));
            }
        }
    }

    /// Types a line and waits until the terminal has echoed it.
    ///
    /// # Errors
    /// As [`Terminal::send`] and [`Terminal::expect`].
    pub fn line(&mut self, text: &str) -> Result<()> {
        self.send(text)?;
        self.send("\n")?;
        self.expect(&format!("{text}\r\n"))
    }

    /// What has been shown after all that was expected.
    #[must_use]
    pub fn unexpected(&self) -> &[u8] {
        self.shown.get(self.position..).unwrap_or_default()
    }

    /// Changes the window's size; the foreground is told by SIGWINCH.
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn resize(&self, rows: u16, columns: u16) -> Result<()> {
        set_size(&self.slave, rows, columns)
            .map_err(|e| format!("cannot change the window size: {e}"))
    }

    /// The terminal's modes at the moment.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn modes(&self) -> Result<Termios> {
        tcgetattr(&self.slave).map_err(|e| format!("cannot read the terminal's modes: {e}"))
    }

    /// Sends a signal to the program itself.
    ///
    /// # Errors
    /// When it has ended.
    pub fn kill(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal)
            .map_err(|e| format!("cannot send {signal:?}: {e}"))
    }

    /// Waits for the end of the program and of all that it shows.
    ///
    /// # Errors
    /// When the program cannot be waited for.
    pub fn end(mut self) -> Result<Ending> {
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            let gone = self.has_ended();
            if !self.read_more(Instant::now() + Duration::from_millis(20))? && gone {
                let status = self.child.wait().map_err(|e| format!("cannot wait: {e}"))?;
                return Ok(Ending::Status(shell_status(status)));
            }
        }
        Ok(Ending::TimedOut)
    }

    /// Whether the program has not ended yet.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        !self.has_ended()
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Reads what there is, or waits for something until `end` (and looks up at least every 100 ms). False: nothing came.
    fn read_more(&mut self, end: Instant) -> Result<bool> {
        let left = end
            .saturating_duration_since(Instant::now())
            .min(Duration::from_millis(100));
        let failed = |e: io::Error| format!("cannot read from the terminal: {e}");
        let timeout = Timespec::try_from(left).map_err(|e| failed(io::Error::other(e)))?;
        match poll(
            &mut [PollFd::new(&self.master, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(failed(error.into())),
        }
        let mut block = [0; 4096];
        match self.master.read(&mut block) {
            Ok(count) => {
                self.shown
                    .extend_from_slice(block.get(..count).unwrap_or_default());
                Ok(count > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Before the child is reaped its group cannot have been given to anyone else.
        if !self.has_ended() {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Both ends of a new pseudo-terminal; reading from the first never blocks.
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let name = PathBuf::from(name.into_string().map_err(io::Error::other)?);
    let flags = i32::try_from(OFlags::NOCTTY.bits()).map_err(io::Error::other)?;
    let slave = std::os::unix::fs::OpenOptionsExt::custom_flags(
        OpenOptions::new().read(true).write(true),
        flags,
    )
    .open(name)?;
    let status = fcntl_getfl(&master)?;
    fcntl_setfl(&master, status | OFlags::NONBLOCK)?;
    Ok((master, slave.into()))
}

fn set_size(terminal: &impl AsFd, rows: u16, columns: u16) -> io::Result<()> {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    Ok(tcsetwinsize(terminal, size)?)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
