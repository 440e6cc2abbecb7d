//! Links: sources become temporary objects, wasm-ld makes the module, which is then marked and put in its place.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::command::{Call, Show};
use crate::compile;
use crate::error::{self, Error};
use crate::install::Sysroot;
use crate::linker_args::{self, Item, LinkerArgs};
use crate::marker;
use crate::options::{Invocation, Optimization};
use crate::target;
use crate::tools::Tool;

/// Pages below the stack that are never mapped: null pointers and stack overflows end there.
const GUARD: u64 = 64 << 10;

/// Bytes of the main thread's stack, as Linux's default limit.
const STACK: u64 = 8 << 20;

/// Flags of every link of a program.
const PROGRAM_FLAGS: &[&str] = &[
    // The memory is the host's: it comes with its full size, and pages are mapped by system calls.
    "--import-memory",
    "--shared-memory",
    "--max-memory=4294967296",
    // An overflow of the main stack meets the guard below it, not the data.
    "--stack-first",
    // What the host starts threads with, and calls function pointers through.
    "--export-table",
    "--export-if-defined=__stack_pointer",
    "--export-if-defined=__tls_base",
    "--export-if-defined=__wasm_thread_start",
];

/// Compiles the sources and links.
pub(crate) fn run(invocation: &Invocation) -> Result<u8, Error> {
    let sysroot = Sysroot::find(invocation);
    // Options that cannot be linked with are refused before any work.
    let probe = linker_args::translate(&invocation.items, &sysroot.builtins())?;
    if probe.help {
        return Call::new(Tool::WasmLd.find()?).arg("--help").replace();
    }
    if probe.version {
        crate::query::say(&version_line()?);
        if !probe.has_input {
            return Ok(0);
        }
    }
    let temporary = tempfile::Builder::new().prefix("lind-cc-").tempdir();
    let temporary = temporary
        .map_err(|failure| error::io("make a directory in", &std::env::temp_dir(), &failure))?;
    let items = match compile_sources(invocation, &temporary)? {
        Ok(items) => items,
        Err(status) => return Ok(status),
    };
    let mut args = linker_args::translate(&items, &sysroot.builtins())?;
    args.relocatable |= invocation.relocatable;
    let default = OsString::from("a.out");
    let output = Path::new(
        invocation
            .output
            .as_ref()
            .or(args.output.as_ref())
            .unwrap_or(&default),
    );
    let job = Job {
        invocation,
        sysroot: &sysroot,
        args: &args,
    };
    if invocation.show == Show::Only {
        job.call(output, output)?.show();
        return Ok(0);
    }
    job.link(output, &temporary)
}

/// What `--version` of the linker answers: the form that configure scripts know from ld.lld.
pub(crate) fn version_line() -> Result<String, Error> {
    let answer = Call::new(Tool::WasmLd.find()?).arg("--version").output()?;
    let version = answer
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    Ok(format!(
        "LLD {} (compatible with GNU linkers)",
        version.unwrap_or("unknown")
    ))
}

/// The items with every source replaced by its object, or the status of the first compilation that failed.
fn compile_sources(
    invocation: &Invocation,
    temporary: &TempDir,
) -> Result<Result<Vec<Item>, u8>, Error> {
    let mut items = Vec::with_capacity(invocation.items.len());
    for (index, item) in invocation.items.iter().enumerate() {
        let Item::Source { path, language } = item else {
            items.push(item.clone());
            continue;
        };
        let stem = Path::new(path)
            .file_stem()
            .unwrap_or(path)
            .to_string_lossy()
            .replace('-', "stdin");
        let object = temporary.path().join(format!("{index}-{stem}.o"));
        let status = compile::object(invocation, path, language.as_deref(), &object)?;
        if status != 0 {
            return Ok(Err(status));
        }
        items.push(Item::Object(object.into_os_string()));
    }
    Ok(Ok(items))
}

struct Job<'a> {
    invocation: &'a Invocation,
    sysroot: &'a Sysroot,
    args: &'a LinkerArgs,
}

impl Job<'_> {
    /// The call of wasm-ld that writes `module`, which becomes `output`.
    fn call(&self, module: &Path, output: &Path) -> Result<Call, Error> {
        let mut call = Call::new(Tool::WasmLd.find()?);
        if self.args.relocatable {
            call.arg("-r")
                .arg("-o")
                .arg(module)
                .args(self.args.args.iter().cloned());
            return Ok(call);
        }
        call.arg("-o")
            .arg(module)
            .args(PROGRAM_FLAGS.iter().copied());
        // The module's own name, which wasm-ld would take from the temporary file: links are reproducible.
        if let Some(name) = output.file_name() {
            call.arg(crate::text::join("--soname=", name));
        }
        // wasm-ld wants a multiple of 16.
        let stack = self
            .args
            .stack_size
            .unwrap_or(STACK)
            .saturating_add(GUARD)
            .next_multiple_of(16);
        call.arg("-z").arg(format!("stack-size={stack}"));
        if self.invocation.is_lto() {
            let level = match self.invocation.optimization {
                Optimization::None => 1,
                Optimization::Size | Optimization::Speed => 2,
                Optimization::Most => 3,
            };
            call.arg(format!("--lto-O{level}"));
            call.args(
                target::unroll_flags(self.invocation.optimization)
                    .iter()
                    .map(|flag| format!("--mllvm={flag}")),
            );
        }
        let standard = self.invocation.standard;
        if standard.start_file {
            call.arg(self.sysroot.start_file()?);
        } else if !self.args.entry {
            call.arg("--no-entry").arg("--export-if-defined=_start");
        }
        call.args(self.args.args.iter().cloned());
        call.args(
            self.sysroot
                .library_directories()
                .map(|directory| crate::text::join("-L", directory)),
        );
        if standard.c_library {
            call.arg("-lc");
        }
        if standard.builtins {
            call.arg(self.sysroot.builtins());
        }
        Ok(call)
    }

    /// Links into a temporary file beside the output and renames it: the output is complete or untouched.
    fn link(&self, output: &Path, temporary: &TempDir) -> Result<u8, Error> {
        let in_place = fs::metadata(output).is_ok_and(|metadata| !metadata.is_file());
        if output.is_dir() {
            return Err(Error::new(format!(
                "cannot write '{}': Is a directory",
                output.display()
            )));
        }
        let module = if in_place {
            temporary.path().join("module")
        } else {
            beside(output)?
        };
        let status = self.link_to(&module, output);
        if !matches!(status, Ok(0)) {
            // The file is absent when the linker failed before writing it.
            let _ = fs::remove_file(&module);
            return status;
        }
        let placed = if in_place {
            fs::read(&module).and_then(|bytes| fs::write(output, bytes))
        } else {
            fs::rename(&module, output)
        };
        placed.map_err(|failure| {
            let _ = fs::remove_file(&module);
            error::io("write", output, &failure)
        })?;
        Ok(0)
    }

    fn link_to(&self, module: &Path, output: &Path) -> Result<u8, Error> {
        let call = self.call(module, output)?;
        if self.invocation.show == Show::Run {
            call.show();
        }
        let status = call.run()?;
        if status != 0 {
            return Ok(status);
        }
        // wasm-ld sets the executable bits as the umask allows, on objects as well.
        let finished = if self.args.relocatable {
            not_executable(module)
        } else {
            marker::append(module)
        };
        finished.map_err(|failure| error::io("write", module, &failure))?;
        Ok(status)
    }
}

fn not_executable(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o666;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// A name in the directory of `output` that no other link uses.
fn beside(output: &Path) -> Result<PathBuf, Error> {
    let name = output
        .file_name()
        .ok_or_else(|| Error::new(format!("cannot write '{}': not a file", output.display())))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    Ok(output.with_file_name(hidden))
}
