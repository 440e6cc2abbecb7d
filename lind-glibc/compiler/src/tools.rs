//! Finding clang, wasm-ld and the LLVM tools.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::command::Call;
use crate::error::Error;

/// The LLVM release that lind is built and tested with; a newer one is accepted.
const LLVM_MAJOR: u32 = 22;

/// A program of LLVM that this driver calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// The compiler and assembler.
    Clang,
    /// The linker.
    WasmLd,
    /// The archiver.
    Ar,
    /// Writes archive indexes.
    Ranlib,
    /// Lists symbols.
    Nm,
    /// Removes symbols and debug information.
    Strip,
    /// Shows object files.
    Objdump,
    /// Copies object files.
    Objcopy,
    /// Shows object file structures.
    Readelf,
}

impl Tool {
    /// The program's name without a version.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clang => "clang",
            Self::WasmLd => "wasm-ld",
            Self::Ar => "llvm-ar",
            Self::Ranlib => "llvm-ranlib",
            Self::Nm => "llvm-nm",
            Self::Strip => "llvm-strip",
            Self::Objdump => "llvm-objdump",
            Self::Objcopy => "llvm-objcopy",
            Self::Readelf => "llvm-readelf",
        }
    }

    /// The environment variable that names another program, e.g. `LIND_CLANG` or `LIND_WASM_LD`.
    fn variable(self) -> String {
        format!(
            "LIND_{}",
            self.name()
                .trim_start_matches("llvm-")
                .replace('-', "_")
                .to_uppercase()
        )
    }

    fn package(self) -> String {
        match self {
            Self::Clang => format!("clang-{LLVM_MAJOR}"),
            Self::WasmLd => format!("lld-{LLVM_MAJOR}"),
            _ => format!("llvm-{LLVM_MAJOR}"),
        }
    }

    /// The program's path: the environment variable's, else the versioned name's, else the plain name's if its
    /// version fits.
    pub(crate) fn find(self) -> Result<PathBuf, Error> {
        if let Some(program) = std::env::var_os(self.variable()).filter(|value| !value.is_empty()) {
            return in_path(&program).ok_or_else(|| {
                Error::new(format!(
                    "cannot find '{}', which {} names",
                    program.to_string_lossy(),
                    self.variable()
                ))
                .hint(format!(
                    "set {} to the path of {}, or unset it",
                    self.variable(),
                    self.name()
                ))
            });
        }
        let versioned = OsString::from(format!("{}-{LLVM_MAJOR}", self.name()));
        in_path(&versioned)
            .or_else(|| self.in_llvm_directory())
            .or_else(|| self.unversioned())
            .ok_or_else(|| {
                Error::new(format!("{}-{LLVM_MAJOR} not found", self.name())).hint(format!(
                    "install the Debian package {}, or set {} to its path",
                    self.package(),
                    self.variable()
                ))
            })
    }

    fn in_llvm_directory(self) -> Option<PathBuf> {
        let path = Path::new("/usr/lib")
            .join(format!("llvm-{LLVM_MAJOR}"))
            .join("bin")
            .join(self.name());
        is_executable(&path).then_some(path)
    }

    fn unversioned(self) -> Option<PathBuf> {
        let path = in_path(&OsString::from(self.name()))?;
        let answer = Call::new(path.clone()).arg("--version").output().ok()?;
        (major_version(&answer)? >= LLVM_MAJOR).then_some(path)
    }
}

/// The first `N.N` in the first lines of a `--version` answer.
fn major_version(answer: &str) -> Option<u32> {
    answer.split_whitespace().find_map(|word| {
        let (major, rest) = word.split_once('.')?;
        rest.starts_with(|c: char| c.is_ascii_digit())
            .then(|| major.parse().ok())
            .flatten()
    })
}

/// Looks a program up as a shell does.
pub(crate) fn in_path(program: &OsString) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 || path.is_absolute() {
        return is_executable(path).then(|| path.to_path_buf());
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|directory| directory.join(path))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_among_vendor_names() {
        assert_eq!(
            major_version("Debian clang version 22.1.8 (1~deb12u1)\nTarget: x"),
            Some(22)
        );
        assert_eq!(major_version("Debian LLD 14.0.6"), Some(14));
        assert_eq!(
            major_version("LLVM (http://llvm.org/):\n  LLVM version 23.0.0git"),
            Some(23)
        );
        assert_eq!(major_version("no version here."), None);
    }

    #[test]
    fn each_tool_has_its_variable() {
        assert_eq!(Tool::Clang.variable(), "LIND_CLANG");
        assert_eq!(Tool::WasmLd.variable(), "LIND_WASM_LD");
        assert_eq!(Tool::Ranlib.variable(), "LIND_RANLIB");
    }
}
