//! Failures that the user is told about: one sentence, one hint, one exit status.

use std::fmt;
use std::io;

/// What the exit status says when the guest did not get to choose it (as `env(1)` and `docker run` do).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// lind itself failed: 125.
    Lind,
    /// The program was found and cannot be executed: 126.
    NotExecutable,
    /// The program was not found: 127.
    NotFound,
}

/// A failure of lind's, as opposed to the guest's.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// lind itself cannot go on, for the reason in `message`.
    pub fn lind(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Lind,
            message: message.into(),
            hint: None,
        }
    }

    /// The program is there and cannot be executed, for the reason in `message`.
    pub fn not_executable(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::NotExecutable,
            message: message.into(),
            hint: None,
        }
    }

    /// The program is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::NotFound,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit status: 125, 126 or 127.
    pub fn status(&self) -> u8 {
        match self.kind {
            Kind::Lind => 125,
            Kind::NotExecutable => 126,
            Kind::NotFound => 127,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lind: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The system's words for `error`, without the number that Rust appends.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_sentence_and_a_hint() {
        let failure = Failure::not_found("cannot open 'a.wasm': No such file or directory")
            .hint("look again");
        assert_eq!(
            failure.to_string(),
            "lind: cannot open 'a.wasm': No such file or directory\nhint: look again"
        );
        assert_eq!(failure.status(), 127);
    }

    #[test]
    fn reasons_carry_no_numbers() {
        assert_eq!(
            reason(&io::Error::from_raw_os_error(2)),
            "No such file or directory"
        );
    }
}
