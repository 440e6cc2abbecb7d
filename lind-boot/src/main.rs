//! The command `lind`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    lind_boot::cli::main(std::env::args_os())
}
