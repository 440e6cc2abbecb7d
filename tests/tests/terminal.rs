//! Programs at a terminal behave under lind as they do natively: keys, interrupts, job control, window size.
//!
//! Every session is played natively first.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use lind_tests::Result;
use lind_tests::compile::Compiler;
use lind_tests::install::Installation;
use lind_tests::run::{Ending, disable_core_files};
use lind_tests::terminal::{Terminal, key};
use rustix::process::Signal;
use rustix::termios::LocalModes;

/// Where a session's program runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Native,
    Lind,
}

/// A session: plays with the program of its name in `terminal/`.
struct Session {
    name: &'static str,
    program: &'static str,
    play: fn(Terminal, Side) -> Result<()>,
    /// The terminal is the host's shell's, which starts `$PROGRAM`.
    in_shell: bool,
}

const SESSIONS: [Session; 7] = [
    Session {
        name: "keys",
        program: "keys",
        play: keys,
        in_shell: false,
    },
    Session {
        name: "window_size",
        program: "keys",
        play: window_size,
        in_shell: false,
    },
    Session {
        name: "killed_in_raw_mode",
        program: "keys",
        play: killed_in_raw_mode,
        in_shell: false,
    },
    Session {
        name: "stopped_by_a_shell",
        program: "keys",
        play: stopped_by_a_shell,
        in_shell: true,
    },
    Session {
        name: "foreground",
        program: "jobs",
        play: foreground,
        in_shell: false,
    },
    Session {
        name: "background",
        program: "jobs",
        play: background,
        in_shell: false,
    },
    Session {
        name: "end_of_input",
        program: "jobs",
        play: end_of_input,
        in_shell: false,
    },
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    disable_core_files();
    let trials = SESSIONS
        .iter()
        .map(|session| Trial::test(session.name, || check(session).map_err(Failed::from)));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn check(session: &Session) -> Result<()> {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("terminal");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("terminal");
    let source = directory.join(session.program).with_extension("c");
    let options = ["-O2".to_owned(), "-D_GNU_SOURCE".to_owned()];
    let native =
        Compiler::native("cc", &["-m64"], &home.join("native"))?.build(&source, &options, &[])?;
    play(session, Side::Native, &[native.display().to_string()])
        .map_err(|e| format!("the test itself is wrong: natively {e}"))?;
    if std::env::var_os("LIND_TESTS").is_some_and(|only| only == "native") {
        return Ok(());
    }
    let installation = Installation::find()?;
    let identity = installation.toolchain_identity()?;
    let compiler = Compiler::new(
        &installation.tool("lind-cc"),
        &[],
        identity,
        &home.join("lind"),
    );
    let program = compiler.build(&source, &options, &[])?;
    let lind = installation.tool("lind").display().to_string();
    play(session, Side::Lind, &[lind, program.display().to_string()])
        .map_err(|e| format!("under lind {e}"))
}

fn play(session: &Session, side: Side, program: &[String]) -> Result<()> {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("terminal/cache");
    let environment = [
        ("XDG_CACHE_HOME".to_owned(), cache.display().to_string()),
        ("PROGRAM".to_owned(), program.join(" ")),
        ("PS1".to_owned(), "host$ ".to_owned()),
    ];
    let shell = ["bash", "--norc", "--noprofile", "-i"].map(str::to_owned);
    let program = if session.in_shell { &shell } else { program };
    (session.play)(Terminal::start(program, &environment, (24, 80))?, side)
}

/// The program ends with this status.
fn ends(terminal: Terminal, status: i32) -> Result<()> {
    let ending = terminal.end()?;
    if ending == Ending::Status(status) {
        Ok(())
    } else {
        Err(format!("the program ended with {ending}, not {status}"))
    }
}

/// Keys come one by one in raw mode; ^C is a handler's business; the modes are restored.
fn keys(mut terminal: Terminal, _: Side) -> Result<()> {
    let before = terminal.modes()?.local_modes;
    terminal.expect("foreground 1, session 1\r\n")?;
    terminal.expect("size 24 80\r\n")?;
    terminal.expect("ready\r\n")?;
    if terminal.modes()?.local_modes.contains(LocalModes::ICANON) {
        return Err("the terminal is not in raw mode".to_owned());
    }
    terminal.send("a")?;
    terminal.expect("key 97\r\n")?;
    terminal.send(key::UP)?;
    terminal.expect("key 27\r\nkey 91\r\nkey 65\r\n")?;
    for _ in 0..3 {
        terminal.send(key::INTERRUPT)?;
        terminal.expect("interrupt\r\n")?;
    }
    terminal.send(key::END)?;
    terminal.expect("key 4\r\n")?;
    terminal.send("q")?;
    terminal.expect("restored\r\n")?;
    if terminal.modes()?.local_modes != before {
        return Err("the terminal's modes are not what they were".to_owned());
    }
    ends(terminal, 5)
}

/// SIGWINCH comes with a new size, which is the one that is told.
fn window_size(mut terminal: Terminal, _: Side) -> Result<()> {
    terminal.expect("ready\r\n")?;
    for (rows, columns) in [(30, 100), (10, 20), (24, 80)] {
        terminal.resize(rows, columns)?;
        terminal.expect(&format!("size {rows} {columns}\r\n"))?;
    }
    terminal.send("q")?;
    terminal.expect("restored\r\n")?;
    ends(terminal, 5)
}

/// `lind` that is ended by a signal leaves the terminal as it was; a native program would not.
fn killed_in_raw_mode(mut terminal: Terminal, side: Side) -> Result<()> {
    let before = terminal.modes()?.local_modes;
    terminal.expect("ready\r\n")?;
    terminal.kill(Signal::TERM)?;
    loop {
        let running = terminal.is_running();
        let modes = terminal.modes()?.local_modes;
        if side == Side::Native || modes == before {
            return ends(terminal, 143);
        }
        if !running {
            return Err("the terminal is left in raw mode".to_owned());
        }
    }
}

/// ^Z gives the terminal back to the shell that started the program, and `fg` the program to the terminal.
fn stopped_by_a_shell(mut terminal: Terminal, _: Side) -> Result<()> {
    terminal.expect("host$ ")?;
    for _ in 0..2 {
        terminal.line("$PROGRAM")?;
        terminal.expect("ready\r\n")?;
        terminal.send("a")?;
        terminal.expect("key 97\r\n")?;
        for _ in 0..2 {
            terminal.send(key::SUSPEND)?;
            terminal.expect("Stopped")?;
            terminal.expect("host$ ")?;
            terminal.line("fg")?;
            terminal.expect("continued\r\n")?;
            terminal.send("b")?;
            terminal.expect("key 98\r\n")?;
        }
        terminal.send("q")?;
        terminal.expect("restored\r\n")?;
        terminal.expect("host$ ")?;
    }
    terminal.line("exit 4")?;
    ends(terminal, 4)
}

/// A job in the foreground gets the keys' signals, its shell does not; stopped, it goes on by `fg`.
fn foreground(mut terminal: Terminal, _: Side) -> Result<()> {
    terminal.expect("$ ")?;
    terminal.line("run")?;
    terminal.expect("reader: here\r\n")?;
    terminal.line("first")?;
    terminal.expect("reader: <first>\r\n")?;
    terminal.send(key::SUSPEND)?;
    terminal.expect("stopped by TSTP\r\n$ ")?;
    terminal.line("jobs")?;
    terminal.expect("job: stopped\r\n$ ")?;
    terminal.line("fg")?;
    terminal.line("second")?;
    terminal.expect("reader: <second>\r\n")?;
    terminal.send(key::INTERRUPT)?;
    terminal.expect("ended by INT\r\n$ ")?;
    terminal.line("run")?;
    terminal.expect("reader: here\r\n")?;
    terminal.send(key::QUIT)?;
    terminal.expect("ended by QUIT\r\n$ ")?;
    terminal.line("run")?;
    terminal.expect("reader: here\r\n")?;
    terminal.line("end")?;
    terminal.expect("reader: <end>\r\nexit 7\r\n$ ")?;
    // At the prompt the shell ignores it.
    terminal.send(key::INTERRUPT)?;
    terminal.line("jobs")?;
    terminal.expect("job: none\r\n$ ")?;
    terminal.line("exit")?;
    ends(terminal, 3)
}

/// A job in the background that reads is stopped by SIGTTIN until it is in the foreground.
fn background(mut terminal: Terminal, _: Side) -> Result<()> {
    terminal.expect("$ ")?;
    terminal.line("run &")?;
    terminal.expect("stopped by TTIN\r\n$ ")?;
    terminal.line("bg")?;
    terminal.expect("stopped by TTIN\r\n$ ")?;
    terminal.line("fg")?;
    terminal.line("now")?;
    terminal.expect("reader: <now>\r\n")?;
    terminal.send(key::END)?;
    terminal.expect("reader: end of input\r\nexit 8\r\n$ ")?;
    terminal.line("exit")?;
    ends(terminal, 3)
}

/// ^D at the prompt is the end of input.
fn end_of_input(mut terminal: Terminal, _: Side) -> Result<()> {
    terminal.expect("$ ")?;
    terminal.send(key::END)?;
    terminal.expect("bye\r\n")?;
    ends(terminal, 0)
}
