//! The command `lind`: runs POSIX programs as sandboxed WebAssembly processes.
//!
//! | module | what |
//! |---|---|
//! | [`cli`] | the command line: grammar, subcommands, messages |
//! | [`engine`] | the only place that joins Wasmtime and rawposix |
//! | [`cache`] | compiled programs kept between runs |
//! | [`host`] | what lind sets up in its own process |
//! | [`failure`] | failures as sentences and exit statuses |

pub mod cache;
pub mod cli;
pub mod engine;
pub mod failure;
pub mod host;
