//! Programs at a terminal behave under lind as they do natively: keys, interrupts, job control, window size.
//!
//! Every session is played natively first.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use lind_tests::Result;
use lind_tests::compile::Compiler;
use lind_tests::install::{Installation, repository};
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

/// What sits at the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    /// A program of `terminal/`.
    C(&'static str),
    /// The same as a job of the host's shell.
    InHostShell(&'static str),
    /// bash: the host's, and the one of `make rootfs`.
    Bash,
}

/// A session: plays with a program.
struct Session {
    name: &'static str,
    program: Program,
    play: fn(Terminal, Side) -> Result<()>,
}

const SESSIONS: [Session; 8] = [
    Session {
        name: "keys",
        program: Program::C("keys"),
        play: keys,
    },
    Session {
        name: "window_size",
        program: Program::C("keys"),
        play: window_size,
    },
    Session {
        name: "killed_in_raw_mode",
        program: Program::C("keys"),
        play: killed_in_raw_mode,
    },
    Session {
        name: "stopped_by_a_shell",
        program: Program::InHostShell("keys"),
        play: stopped_by_a_shell,
    },
    Session {
        name: "foreground",
        program: Program::C("jobs"),
        play: foreground,
    },
    Session {
        name: "background",
        program: Program::C("jobs"),
        play: background,
    },
    Session {
        name: "end_of_input",
        program: Program::C("jobs"),
        play: end_of_input,
    },
    Session {
        name: "bash",
        program: Program::Bash,
        play: bash,
    },
];

/// How an interactive bash is started that reads nobody's settings.
const BASH: [&str; 4] = ["bash", "--norc", "--noprofile", "-i"];
const PROMPT: &str = "ready> ";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    disable_core_files();
    let has_bash = rootfs().join("bin/bash").is_file();
    let trials = SESSIONS.iter().map(|session| {
        Trial::test(session.name, || check(session).map_err(Failed::from))
            .with_ignored_flag(session.program == Program::Bash && !has_bash)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// What `make rootfs` makes.
fn rootfs() -> PathBuf {
    repository().join("target/rootfs")
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("terminal")
}

fn check(session: &Session) -> Result<()> {
    play(session, native(session.program)?, Side::Native)
        .map_err(|e| format!("the test itself is wrong: natively {e}"))?;
    if std::env::var_os("LIND_TESTS").is_some_and(|only| only == "native") {
        return Ok(());
    }
    play(session, under_lind(session.program)?, Side::Lind).map_err(|e| format!("under lind {e}"))
}

fn build(name: &str, compiler: &Compiler) -> Result<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("terminal");
    let source = directory.join(name).with_extension("c");
    let options = ["-O2".to_owned(), "-D_GNU_SOURCE".to_owned()];
    let program = compiler.build(&source, &options, &[])?;
    Ok(program.display().to_string())
}

/// The command of a program on the host.
fn native(program: Program) -> Result<Vec<String>> {
    match program {
        Program::Bash => Ok(BASH.map(str::to_owned).to_vec()),
        Program::C(name) | Program::InHostShell(name) => {
            let compiler = Compiler::native("cc", &["-m64"], &home().join("native"))?;
            Ok(vec![build(name, &compiler)?])
        }
    }
}

/// The command of a program in the sandbox.
fn under_lind(program: Program) -> Result<Vec<String>> {
    let installation = Installation::find()?;
    let lind = installation.tool("lind").display().to_string();
    match program {
        Program::Bash => {
            let root = rootfs().display().to_string();
            let grants = ["run", "--root", &root, "--env", "PS1", "--env", "TERM"];
            compile_commands(&lind, &root)?;
            let words = grants
                .into_iter()
                .chain(["/bin/bash"])
                .chain(BASH.into_iter().skip(1));
            Ok(std::iter::once(lind)
                .chain(words.map(str::to_owned))
                .collect())
        }
        Program::C(name) | Program::InHostShell(name) => {
            let compiler = Compiler::new(
                &installation.tool("lind-cc"),
                &[],
                installation.toolchain_identity()?,
                &home().join("lind"),
            );
            Ok(vec![lind, build(name, &compiler)?])
        }
    }
}

/// Runs each command of the session once, so that no time limit includes its compilation, which takes long on a machine
/// with much else to do.
fn compile_commands(lind: &str, root: &str) -> Result<()> {
    let commands = "tr a b < /dev/null; sleep 0; stty --version";
    let output = std::process::Command::new(lind)
        .args(["run", "--root", root, "/bin/bash", "-c", commands])
        .env("XDG_CACHE_HOME", home().join("cache"))
        .output()
        .map_err(|e| format!("cannot start lind: {e}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("the session's commands do not run: {output:?}"))
    }
}

fn play(session: &Session, mut command: Vec<String>, side: Side) -> Result<()> {
    let variable = |name: &str, value: String| (name.to_owned(), value);
    let environment = [
        variable("XDG_CACHE_HOME", home().join("cache").display().to_string()),
        variable("PROGRAM", command.join(" ")),
        variable("PS1", PROMPT.to_owned()),
        variable("TERM", "xterm".to_owned()),
    ];
    if let Program::InHostShell(_) = session.program {
        command = BASH.map(str::to_owned).to_vec();
    }
    (session.play)(Terminal::start(&command, &environment, (24, 80))?, side)
}

/// What a new terminal has; a program that is fast has changed it before a test can look.
const COOKED: LocalModes = LocalModes::ICANON
    .union(LocalModes::ECHO)
    .union(LocalModes::ISIG);

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
    if !terminal.modes()?.local_modes.contains(COOKED) {
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
    terminal.expect("ready\r\n")?;
    terminal.kill(Signal::TERM)?;
    loop {
        let running = terminal.is_running();
        let modes = terminal.modes()?.local_modes;
        if side == Side::Native || modes.contains(COOKED) {
            return ends(terminal, 143);
        }
        if !running {
            return Err("the terminal is left in raw mode".to_owned());
        }
    }
}

/// ^Z gives the terminal back to the shell that started the program, and `fg` the program to the terminal.
fn stopped_by_a_shell(mut terminal: Terminal, _: Side) -> Result<()> {
    terminal.expect(PROMPT)?;
    for _ in 0..2 {
        terminal.send("$PROGRAM\n")?;
        terminal.expect("ready\r\n")?;
        terminal.send("a")?;
        terminal.expect("key 97\r\n")?;
        for _ in 0..2 {
            terminal.send(key::SUSPEND)?;
            terminal.expect("Stopped")?;
            terminal.expect(PROMPT)?;
            terminal.send("fg\n")?;
            terminal.expect("continued\r\n")?;
            terminal.send("b")?;
            terminal.expect("key 98\r\n")?;
        }
        terminal.send("q")?;
        terminal.expect("restored\r\n")?;
        terminal.expect(PROMPT)?;
    }
    terminal.send("exit 4\n")?;
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

/// Types `keys` at the prompt; what has to be shown then, in this order.
fn command(terminal: &mut Terminal, keys: &str, shown: &[&str]) -> Result<()> {
    terminal.expect(PROMPT)?;
    terminal.send(keys)?;
    shown.iter().try_for_each(|text| terminal.expect(text))
}

/// An interactive shell: editing of lines, history, interrupts, jobs, the window's size.
fn bash(mut terminal: Terminal, _: Side) -> Result<()> {
    command(&mut terminal, "echo $((40+2))\n", &["42\r\n"])?;
    command(
        &mut terminal,
        &format!("echo ab{}-\n", key::LEFT),
        &["a-b\r\n"],
    )?;
    // The line as it is recalled, and what it prints.
    command(
        &mut terminal,
        &format!("{}\n", key::UP),
        &["a-b\r\n", "a-b\r\n"],
    )?;
    command(
        &mut terminal,
        &format!("nonsense{}", key::INTERRUPT),
        &["^C"],
    )?;
    command(&mut terminal, "echo status $?\n", &["status 130\r\n"])?;
    command(
        &mut terminal,
        "echo $(echo one; echo two) | tr a-z A-Z\n",
        &["ONE TWO\r\n"],
    )?;
    command(
        &mut terminal,
        "false || (exit 7); echo status $?\n",
        &["status 7\r\n"],
    )?;
    // tr is in the foreground when it has answered.
    for (interrupt, status) in [(key::INTERRUPT, 130), (key::END, 0), (key::QUIT, 131)] {
        terminal.expect(PROMPT)?;
        terminal.send("tr a-z A-Z\n")?;
        terminal.send("line\n")?;
        terminal.expect("LINE\r\n")?;
        terminal.send(interrupt)?;
        terminal.expect(PROMPT)?;
        terminal.send("echo status $?\n")?;
        terminal.expect(&format!("status {status}\r\n"))?;
    }
    terminal.expect(PROMPT)?;
    terminal.send("tr a-z A-Z\n")?;
    terminal.send("line\n")?;
    terminal.expect("LINE\r\n")?;
    terminal.send(key::SUSPEND)?;
    terminal.expect("Stopped")?;
    terminal.expect(PROMPT)?;
    terminal.send("jobs\n")?;
    terminal.expect("Stopped")?;
    terminal.expect(PROMPT)?;
    terminal.send("fg\n")?;
    terminal.expect("tr a-z A-Z\r\n")?;
    terminal.send("again\n")?;
    terminal.expect("AGAIN\r\n")?;
    terminal.send(key::END)?;
    terminal.expect(PROMPT)?;
    terminal.send("sleep 1000 & kill $!; wait $!; echo status $?\n")?;
    terminal.expect("status 143\r\n")?;
    terminal.expect(PROMPT)?;
    terminal.resize(33, 99)?;
    terminal.send("stty size\n")?;
    terminal.expect("33 99\r\n")?;
    terminal.expect(PROMPT)?;
    terminal.send("echo $LINES-$COLUMNS\n")?;
    terminal.expect("33-99\r\n")?;
    terminal.expect(PROMPT)?;
    terminal.send("exit 3\n")?;
    ends(terminal, 3)
}
