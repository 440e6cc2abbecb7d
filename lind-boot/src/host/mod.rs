//! What lind sets up in its own host process.

mod confinement;
mod descriptors;

use std::fs;
use std::io;
use std::sync::Weak;
use std::sync::mpsc::{self, Receiver};

use rawposix::{Sandbox, Signal};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, getpgrp, getrlimit, setrlimit};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetpgrp, tcsetattr};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH, SIGXCPU};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

pub use confinement::confine_process;
pub use descriptors::separate_descriptors;

/// Raises the soft limit of open files to the hard one: the guests' descriptors are held by this one process.
pub fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // Without it guests meet EMFILE earlier, and are told so.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// Lets this process use `seconds` of processor time, for all its guests together; then it gets SIGXCPU.
///
/// # Errors
/// The system's error, if the host's own limit is lower.
pub fn limit_processor_time(seconds: u64) -> io::Result<()> {
    let mut limit = getrlimit(Resource::Cpu);
    limit.current = Some(seconds);
    Ok(setrlimit(Resource::Cpu, limit)?)
}

/// Ends lind properly when it is told to end: the sandbox leaves nothing behind, the terminal is as it was, and the
/// parent sees a death by that signal. Signals that lind was started with as ignored stay ignored.
///
/// What a terminal sends to lind in its foreground is for the guests that are in the foreground.
///
/// # Errors
/// The system's error, if the signals cannot be watched.
pub fn watch_signals(sandbox: Weak<Sandbox>) -> io::Result<Watch> {
    let ignored = ignored_signals();
    let terminal = controlling_terminal();
    let ending: &[i32] = &[SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU];
    let of_terminal: &[i32] = match terminal {
        Some(_) => &[SIGTSTP, SIGWINCH, SIGCONT],
        None => &[],
    };
    let watched = ending
        .iter()
        .chain(of_terminal)
        .filter(|&signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(watched)?;
    let modes = saved_modes();
    let (separated, separate) = mpsc::channel();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            separate_descriptors();
            let _ = separated.send(());
            for signal in signals.forever() {
                let Some(sandbox) = sandbox.upgrade() else {
                    return;
                };
                if signal == SIGCONT {
                    sandbox.go_on();
                    continue;
                }
                if let Some(signal) = for_guests(signal).filter(|_| is_in_front_of(&terminal)) {
                    sandbox.terminal_signal(signal);
                    continue;
                }
                match signal {
                    SIGWINCH => continue,
                    SIGTSTP => {}
                    _ => {
                        if let Some(modes) = &modes {
                            let _ = tcsetattr(io::stdin(), OptionalActions::Now, modes);
                        }
                        sandbox.abandon();
                    }
                }
                let _ = emulate_default_handler(signal);
            }
        })?;
    Ok(Watch { separate })
}

/// The thread that watches signals.
#[derive(Debug)]
pub struct Watch {
    separate: Receiver<()>,
}

impl Watch {
    /// Waits until the thread has a descriptor table of its own. Descriptors that are closed before that are closed in it.
    pub fn wait(self) {
        // Without a thread there is nothing to wait for.
        let _ = self.separate.recv();
    }
}

/// The signals that a terminal's keys and window send.
fn for_guests(signal: i32) -> Option<Signal> {
    match signal {
        SIGINT => Some(Signal::SIGINT),
        SIGQUIT => Some(Signal::SIGQUIT),
        SIGTSTP => Some(Signal::SIGTSTP),
        SIGWINCH => Some(Signal::SIGWINCH),
        _ => None,
    }
}

fn controlling_terminal() -> Option<OwnedFd> {
    let flags = OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(c"/dev/tty", flags, Mode::empty()).ok()
}

/// Whether lind is in the foreground, so that the terminal's signals reach it.
fn is_in_front_of(terminal: &Option<OwnedFd>) -> bool {
    let terminal = terminal.as_ref();
    terminal.is_some_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
}

/// The settings of the terminal on standard input, if it is one.
fn saved_modes() -> Option<Termios> {
    let stdin = io::stdin();
    isatty(&stdin).then(|| tcgetattr(&stdin).ok()).flatten()
}

/// The signals that this process ignores, bit n-1 for signal n.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
