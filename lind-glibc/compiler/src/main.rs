//! C compiler driver and binary tools for lind programs.
//!
//! One program dispatches on the name it is called by: `lind-cc` compiles and links, `lind-ar`, `lind-ranlib`,
//! `lind-nm`, `lind-strip`, `lind-as` and `lind-ld` are the matching binary tools, `lind-pkg-config` looks only at
//! libraries built for lind. The work is done by clang, wasm-ld and the LLVM tools; this program knows the target's
//! flags, the sysroot, and how to read a GNU command line.
//!
//! clang's own driver cannot link for `wasm32-unknown-linux-gnu` (its Linux toolchain has no Wasm linker emulation),
//! so a link is: compile every source into a temporary object, call wasm-ld, mark the module as lind's.

#![forbid(unsafe_code)]

mod binutils;
mod command;
mod compile;
mod error;
mod install;
mod link;
mod linker_args;
mod marker;
mod options;
mod query;
mod response;
mod target;
mod tentative;
mod text;
mod tools;
mod variadic;

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use binutils::Utility;
use error::Error;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let called_as = args.next().unwrap_or_else(|| OsString::from("lind-cc"));
    let args: Vec<OsString> = args.collect();
    let name = text::file_name(&called_as);
    match run(&called_as, &name, args) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            error.report(&name);
            ExitCode::FAILURE
        }
    }
}

/// Runs the tool that `name` stands for; any unknown name is the compiler driver.
fn run(called_as: &OsStr, name: &str, args: Vec<OsString>) -> Result<u8, Error> {
    let args = response::expand(args)?;
    match Utility::from_name(name) {
        Some(utility) => binutils::run(utility, &args),
        None => driver(called_as, &args),
    }
}

/// Compiles, links or answers a question, whichever the command line asks for.
fn driver(called_as: &OsStr, args: &[OsString]) -> Result<u8, Error> {
    let invocation = options::parse(args)?;
    if let Some(question) = &invocation.question {
        return query::answer(question, &invocation, called_as);
    }
    if invocation.is_link() {
        link::run(&invocation)
    } else {
        compile::run(&invocation)
    }
}
