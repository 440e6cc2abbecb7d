//! Answers to `-print-…`, `--version` and the like.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::command::Call;
use crate::compile;
use crate::error::Error;
use crate::install::{self, Sysroot};
use crate::options::{Invocation, Question};
use crate::text;
use crate::tools::Tool;

/// Prints the answer on standard output.
pub(crate) fn answer(
    question: &Question,
    invocation: &Invocation,
    called_as: &OsStr,
) -> Result<u8, Error> {
    let sysroot = Sysroot::find(invocation);
    let text = match question {
        Question::Clang => return compile::run(invocation),
        Question::Version => version(invocation)?,
        Question::Constant(text) => (*text).to_owned(),
        Question::Builtins => sysroot.builtins().display().to_string(),
        Question::Sysroot => sysroot.path().display().to_string(),
        Question::Share => install::share()?.display().to_string(),
        Question::ProgramName(name) => program(name, called_as).unwrap_or_else(|| name.clone()),
        Question::FileName(name) => {
            file(name, &sysroot)?.map_or_else(|| name.clone(), |path| path.display().to_string())
        }
        Question::SearchDirectories => search_directories(&sysroot)?,
    };
    say(&text);
    Ok(0)
}

/// Prints an answer. A reader that has seen enough (`--version | head -1`) is no failure.
pub(crate) fn say(answer: &str) {
    let _ = writeln!(io::stdout(), "{answer}");
}

/// clang's answer, which build systems recognise, and a line of ours.
fn version(invocation: &Invocation) -> Result<String, Error> {
    let clang = compile::clang(invocation)?.arg("--version").output()?;
    Ok(format!(
        "{}\nlind-cc {}",
        clang.trim_end(),
        env!("CARGO_PKG_VERSION")
    ))
}

/// The tool of a name: ours beside this program if it is installed, else LLVM's.
fn program(name: &str, called_as: &OsStr) -> Option<String> {
    let tool = match name {
        "ld" | "wasm-ld" | "ld.lld" => Tool::WasmLd,
        "as" | "cc1" | "cpp" | "clang" => Tool::Clang,
        "ar" => Tool::Ar,
        "ranlib" => Tool::Ranlib,
        "nm" => Tool::Nm,
        "strip" => Tool::Strip,
        "objdump" => Tool::Objdump,
        "objcopy" => Tool::Objcopy,
        "readelf" => Tool::Readelf,
        _ => return None,
    };
    let path = sibling(name, called_as).or_else(|| tool.find().ok())?;
    Some(path.display().to_string())
}

/// `lind-NAME` (or with the prefix that this program is called by) in this program's directories.
fn sibling(name: &str, called_as: &OsStr) -> Option<PathBuf> {
    let own_name = text::file_name(called_as);
    let prefix = own_name
        .rsplit_once('-')
        .map_or("lind", |(prefix, _)| prefix);
    let called_in = crate::tools::in_path(&called_as.to_owned())
        .and_then(|path| path.parent().map(Path::to_path_buf));
    called_in
        .into_iter()
        .chain([install::program_directory()])
        .map(|directory| directory.join(format!("{prefix}-{name}")))
        .find(|path| path.exists())
}

/// A file of the sysroot or of clang's resource directory.
fn file(name: &str, sysroot: &Sysroot) -> Result<Option<PathBuf>, Error> {
    if let Some(path) = sysroot.library(name) {
        return Ok(Some(path));
    }
    let path = resource_directory()?.join(name);
    Ok(path.exists().then_some(path))
}

fn resource_directory() -> Result<PathBuf, Error> {
    let answer = Call::new(Tool::Clang.find()?)
        .arg("-print-resource-dir")
        .output()?;
    Ok(PathBuf::from(answer.trim_end()))
}

fn search_directories(sysroot: &Sysroot) -> Result<String, Error> {
    let libraries = sysroot
        .library_directories()
        .map(|path| path.display().to_string());
    Ok(format!(
        "install: {}\nprograms: ={}\nlibraries: ={}",
        resource_directory()?.display(),
        install::program_directory().display(),
        libraries.join(":")
    ))
}
