//! Where the sysroot and the shared files of this installation are.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::options::Invocation;

/// The C library's files, as a Unix root directory: `usr/include`, `usr/lib`.
#[derive(Debug)]
pub(crate) struct Sysroot(PathBuf);

impl Sysroot {
    /// The sysroot of an invocation: `--sysroot`, else `LIND_SYSROOT`, else the one installed beside this program, else
    /// the one of the build tree.
    pub(crate) fn find(invocation: &Invocation) -> Self {
        match &invocation.sysroot {
            Some(path) => Self(PathBuf::from(path)),
            None => Self::default(),
        }
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The directories that hold libraries, in search order.
    pub(crate) fn library_directories(&self) -> [PathBuf; 2] {
        [self.0.join("usr/local/lib"), self.0.join("usr/lib")]
    }

    /// A file in the library directories.
    pub(crate) fn library(&self, name: &str) -> Option<PathBuf> {
        self.library_directories()
            .into_iter()
            .map(|directory| directory.join(name))
            .find(|path| path.exists())
    }

    /// The directories that hold pkg-config files.
    pub(crate) fn pkgconfig_directories(&self) -> [PathBuf; 4] {
        ["usr/local/lib", "usr/local/share", "usr/lib", "usr/share"]
            .map(|directory| self.0.join(directory).join("pkgconfig"))
    }

    /// The compiler's run-time functions, present or not.
    pub(crate) fn builtins(&self) -> PathBuf {
        self.0.join("usr/lib/libclang_rt.builtins-wasm32.a")
    }

    /// The start file of programs.
    pub(crate) fn start_file(&self) -> Result<PathBuf, Error> {
        self.library("crt1.o").ok_or_else(|| {
            Error::new(format!(
                "no C library in '{}': usr/lib/crt1.o is missing",
                self.0.display()
            ))
            .hint("build it with `make sysroot`, or name another with LIND_SYSROOT or --sysroot")
        })
    }
}

impl Default for Sysroot {
    fn default() -> Self {
        if let Some(path) = std::env::var_os("LIND_SYSROOT").filter(|value| !value.is_empty()) {
            return Self(PathBuf::from(path));
        }
        let directory = program_directory();
        let installed = directory.join("../lib/lind/sysroot");
        let built = directory.join("../sysroot");
        Self(if !installed.exists() && built.exists() {
            tidy(&built)
        } else {
            tidy(&installed)
        })
    }
}

/// The directory of the toolchain files, `share/lind`: beside this program, else the source tree's.
pub(crate) fn share() -> Result<PathBuf, Error> {
    let directory = program_directory();
    ["../share/lind", "../../lind-glibc/compiler/share"]
        .into_iter()
        .map(|place| directory.join(place))
        .find(|path| path.join("cmake/lind.cmake").exists())
        .map(|path| tidy(&path))
        .ok_or_else(|| {
            Error::new(format!(
                "no shared files in '{}'",
                directory.join("../share/lind").display()
            ))
            .hint("install lind with `make install`, or call the program in target/dist/bin")
        })
}

/// The directory of this program's file, symbolic links followed.
pub(crate) fn program_directory() -> PathBuf {
    std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .ok()
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from("."))
}

/// The path without `..`, if it exists.
fn tidy(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
