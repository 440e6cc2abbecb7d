//! Calls of clang.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::command::{Call, Show};
use crate::error::{self, Error};
use crate::install::Sysroot;
use crate::linker_args::Item;
use crate::options::{Invocation, Tentative};
use crate::target;
use crate::tentative;
use crate::tools::Tool;
use crate::variadic;

/// Hands the command line to clang, with the target's flags before it.
pub(crate) fn run(invocation: &Invocation) -> Result<u8, Error> {
    let mut call = clang(invocation)?;
    call.args(invocation.clang.iter().cloned());
    if invocation.tentative == Tentative::Strong || !invocation.makes_objects {
        return call.replace();
    }
    let status = call.run()?;
    if status == 0 && invocation.show != Show::Only {
        for object in objects(invocation) {
            weaken(&object)?;
        }
    }
    Ok(status)
}

/// The files that `-c` makes.
fn objects(invocation: &Invocation) -> Vec<PathBuf> {
    if let Some(output) = &invocation.output {
        return vec![PathBuf::from(output)];
    }
    let object = |item: &Item| match item {
        Item::Source { path, .. } => Path::new(path)
            .file_name()
            .map(|name| Path::new(name).with_extension("o")),
        Item::Object(_) | Item::Raw(_) => None,
    };
    invocation.items.iter().filter_map(object).collect()
}

/// Applies `-fcommon` to an object. What is no ordinary file (`-o -`, `-o /dev/null`) is left alone.
fn weaken(object: &Path) -> Result<(), Error> {
    if !object.is_file() {
        return Ok(());
    }
    tentative::weaken(object).map_err(|failure| error::io("rewrite", object, &failure))
}

/// A call of clang with the target's flags.
pub(crate) fn clang(invocation: &Invocation) -> Result<Call, Error> {
    let sysroot = Sysroot::find(invocation);
    let mut call = Call::new(Tool::Clang.find()?);
    call.args(target::compile_flags(&sysroot, invocation.optimization));
    call.args(variadic::flags(invocation.standard_of_language.as_deref()));
    Ok(call)
}

/// Compiles one source of a link into `object`.
pub(crate) fn object(
    invocation: &Invocation,
    source: &OsStr,
    language: Option<&OsStr>,
    object: &Path,
) -> Result<u8, Error> {
    let mut call = clang(invocation)?;
    call.args(invocation.flags.iter().cloned());
    if invocation.dependencies {
        call.args(dependency_flags(invocation, source));
    }
    if let Some(language) = language {
        call.arg("-x").arg(language);
    }
    call.arg("-c").arg("-o").arg(object).arg(source);
    let status = call.run()?;
    if status == 0 && invocation.tentative == Tentative::Common {
        weaken(object)?;
    }
    Ok(status)
}

/// As clang does it: with `-o prog`, the file is `prog.d` and its target `prog`; else they are named after the source.
fn dependency_flags(invocation: &Invocation, source: &OsStr) -> [OsString; 4] {
    let (file, target) = match &invocation.output {
        Some(output) => (Path::new(output).with_extension("d"), output.clone()),
        None => {
            let name = Path::new(Path::new(source).file_name().unwrap_or(source));
            (
                name.with_extension("d"),
                name.with_extension("o").into_os_string(),
            )
        }
    };
    [
        OsString::from("-MF"),
        file.into_os_string(),
        OsString::from("-MT"),
        target,
    ]
}
