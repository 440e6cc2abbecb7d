//! What lind sets up in its own host process.

use std::fs;
use std::io;
use std::sync::Weak;

use rawposix::Sandbox;
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

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
/// # Errors
/// The system's error, if the signals cannot be watched.
pub fn end_on_signals(sandbox: Weak<Sandbox>) -> io::Result<()> {
    let ignored = ignored_signals();
    let watched = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU]
        .into_iter()
        .filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(watched)?;
    let terminal = saved_terminal();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let Some(signal) = signals.forever().next() else {
                return;
            };
            if let Some(terminal) = terminal {
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, &terminal);
            }
            if let Some(sandbox) = sandbox.upgrade() {
                sandbox.abandon();
            }
            let _ = emulate_default_handler(signal);
        })?;
    Ok(())
}

/// The settings of the terminal on standard input, if it is one.
fn saved_terminal() -> Option<Termios> {
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
