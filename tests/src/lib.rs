//! What lind's end-to-end tests and benchmarks share.
//!
//! The tests themselves are in `tests/`, their data beside it: `c/` (programs that run natively and under lind), `cli/`
//! (transcripts of commands), `terminal/` (programs at a terminal), `wat/` (hand-written modules). `README.md` says how to add one.
#![forbid(unsafe_code)]

pub mod apps;
pub mod asyncify;
pub mod compile;
pub mod debian;
pub mod header;
pub mod install;
pub mod report;
pub mod run;
pub mod terminal;

/// A result whose error is a message for the person who reads the test log.
pub type Result<T, E = String> = std::result::Result<T, E>;
