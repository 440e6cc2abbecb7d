//! Running other programs, and showing them for `-v` and `-###`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use crate::error::{self, Error};
use crate::response;

/// Whether commands are shown (`-v`), or shown and not run (`-###`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Show {
    /// Run silently.
    #[default]
    Nothing,
    /// Print each command to standard error, then run it.
    Run,
    /// Only print.
    Only,
}

/// A program with its arguments.
#[derive(Debug)]
pub(crate) struct Call {
    program: PathBuf,
    args: Vec<OsString>,
}

impl Call {
    /// A call of `program` without arguments yet.
    pub(crate) fn new(program: PathBuf) -> Self {
        Self {
            program,
            args: Vec::new(),
        }
    }

    /// Adds one argument.
    pub(crate) fn arg(&mut self, arg: impl Into<OsString>) -> &mut Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(
        &mut self,
        args: I,
    ) -> &mut Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Prints the command, quoted as clang does, to standard error.
    pub(crate) fn show(&self) {
        let mut line = format!(" {}", quoted(self.program.as_os_str()));
        for arg in &self.args {
            line.push(' ');
            line.push_str(&quoted(arg));
        }
        eprintln!("{line}");
    }

    /// Replaces this process by the program.
    pub(crate) fn replace(&self) -> Result<u8, Error> {
        if response::too_long(&self.args) {
            return self.run();
        }
        let failure = Command::new(&self.program).args(&self.args).exec();
        Err(error::io("run", &self.program, &failure))
    }

    /// Runs the program to its end; the result is its exit status as a shell counts it.
    pub(crate) fn run(&self) -> Result<u8, Error> {
        let file = if response::too_long(&self.args) {
            Some(response::write(&self.args)?)
        } else {
            None
        };
        let mut command = Command::new(&self.program);
        match &file {
            Some(file) => command.arg(crate::text::join("@", file.path())),
            None => command.args(&self.args),
        };
        let status = command
            .status()
            .map_err(|failure| error::io("run", &self.program, &failure))?;
        Ok(shell_status(status))
    }

    /// Runs the program and returns what it wrote to standard output.
    pub(crate) fn output(&self) -> Result<String, Error> {
        let output = Command::new(&self.program)
            .args(&self.args)
            .output()
            .map_err(|failure| error::io("run", &self.program, &failure))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn shell_status(status: ExitStatus) -> u8 {
    let number = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    u8::try_from(number).unwrap_or(1)
}

fn quoted(arg: &OsStr) -> String {
    let text = arg.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_so_that_a_shell_can_run_them() {
        assert_eq!(quoted(OsStr::new("-I/usr/include")), "-I/usr/include");
        assert_eq!(quoted(OsStr::new("-DX=\"a b\"")), "\"-DX=\\\"a b\\\"\"");
        assert_eq!(quoted(OsStr::new("")), "\"\"");
    }
}
