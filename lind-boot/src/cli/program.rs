//! PROGRAM: where its file is, and where the sandbox shows it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rawposix::Sandbox;
use rustix::fs::OFlags;

use super::usage;
use crate::failure::{Failure, reason};

/// A program's file, and the place where the sandbox shows it.
pub(super) struct Found {
    /// The path in the sandbox.
    pub(super) guest: PathBuf,
    /// The file's content.
    pub(super) wasm: Vec<u8>,
    file: File,
}

impl Found {
    /// PROGRAM as a host path, shown in the sandbox at its own absolute path.
    pub(super) fn on_host(typed: &Path, name: &str) -> Result<Self, Failure> {
        let (file, wasm) =
            read_program(typed, name).map_err(|failure| did_you_mean(failure, name))?;
        let absolute = |path: &Path| -> io::Result<PathBuf> {
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let file_name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            Ok(directory.canonicalize()?.join(file_name))
        };
        let guest = absolute(typed).map_err(|error| cannot_open(name, &error))?;
        Ok(Self { guest, file, wasm })
    }

    /// PROGRAM as a path inside the sandbox's root; a name without a slash is looked up in the guest's PATH.
    pub(super) fn in_sandbox(
        sandbox: &Sandbox,
        typed: &Path,
        envp: &[OsString],
        name: &str,
    ) -> Result<Self, Failure> {
        let search = envp
            .iter()
            .find_map(|variable| variable.as_bytes().strip_prefix(b"PATH="));
        let search = OsStr::from_bytes(search.unwrap_or_default());
        let opened = sandbox.open_program(typed, search);
        let (guest, file) = opened.map_err(|errno| {
            let error = io::Error::from_raw_os_error(i32::from(errno.raw()));
            cannot_open(name, &error)
                .hint("with --root, PROGRAM is a path inside the root directory")
        })?;
        let wasm = read_all(&file).map_err(|error| cannot_open(name, &error))?;
        Ok(Self { guest, file, wasm })
    }

    /// The program as a grant: a sandbox sees the file at its place.
    pub(super) fn as_granted(&self) -> Result<rawposix::Program, Failure> {
        let host = self
            .file
            .try_clone()
            .map_err(|error| cannot_open(&self.guest.display().to_string(), &error))?;
        Ok(rawposix::Program {
            guest: self.guest.clone(),
            host,
        })
    }
}

/// Opens and reads the program at a host path.
///
/// # Errors
/// It is not there, is no file, or may not be executed.
pub(super) fn read_program(path: &Path, name: &str) -> Result<(File, Vec<u8>), Failure> {
    let failed = |error: io::Error| cannot_open(name, &error);
    // Opening must not wait for the other side of a FIFO.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Failure::not_executable(format!(
            "cannot run '{name}': Is a directory"
        )));
    }
    if !metadata.is_file() {
        return Err(Failure::not_executable(format!(
            "cannot run '{name}': it is no regular file"
        )));
    }
    if let Err(error) = rustix::fs::access(path, rustix::fs::Access::EXEC_OK) {
        return Err(Failure::not_executable(format!(
            "cannot run '{name}': {}",
            reason(&error.into())
        ))
        .hint(format!("make it executable: chmod +x {name}")));
    }
    let wasm = read_all(&file).map_err(failed)?;
    Ok((file, wasm))
}

fn read_all(mut file: &File) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn cannot_open(name: &str, error: &io::Error) -> Failure {
    let message = format!("cannot open '{name}': {}", reason(error));
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Failure::not_found(message),
        _ => Failure::not_executable(message),
    }
}

/// Hints at the subcommand that a program's name looks like, or at where programs are looked for.
fn did_you_mean(failure: Failure, name: &str) -> Failure {
    if failure.status() != 127 {
        return failure;
    }
    match usage::closest_subcommand(name) {
        Some(known) => failure.hint(format!("did you mean 'lind {known}'?")),
        None if !name.contains('/') => {
            failure.hint("PROGRAM is a path of the host; PATH is not searched")
        }
        None => {
            failure.hint("PROGRAM is a path of the host; with --root it is a path inside the root")
        }
    }
}
