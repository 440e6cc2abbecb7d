//! Errors as the user reads them: one sentence and one hint.

use std::fmt;

/// A failure of the driver itself, as opposed to one that clang or wasm-ld reported already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Error {
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error with a message in the form of a sentence without its full stop.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what the user can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints the error in the form compilers use, which build tools and editors recognise.
    pub(crate) fn report(&self, program: &str) {
        eprintln!("{program}: {self}");
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Turns an I/O error into a sentence such as `cannot write 'a.out': Permission denied`.
pub(crate) fn io(action: &str, path: &std::path::Path, error: &std::io::Error) -> Error {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or(&text);
    Error::new(format!("cannot {action} '{}': {reason}", path.display()))
}
