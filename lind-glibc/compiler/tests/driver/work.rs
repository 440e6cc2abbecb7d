//! A place to work in, and calls of the driver.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A directory to work in, with sources.
pub(crate) struct Work {
    pub(crate) directory: TempDir,
}

/// What a call printed, and its status.
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Work {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, contents) in files {
            fs::write(directory.path().join(name), contents).unwrap();
        }
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A call of the driver by one of its names.
    pub(crate) fn tool(&self, name: &str, line: &str) -> Command {
        let link = self.path(name);
        if !link.exists() {
            symlink(env!("CARGO_BIN_EXE_lind-cc"), &link).unwrap();
        }
        let mut command = Command::new(link);
        command
            .args(line.split_whitespace())
            .current_dir(self.directory.path())
            .env("LIND_SYSROOT", self.path("sysroot"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, name: &str, line: &str) -> Answer {
        answer(self.tool(name, line).output().unwrap())
    }

    pub(crate) fn cc(&self, line: &str) -> Answer {
        self.run("lind-cc", line)
    }

    /// Calls the driver, which must succeed.
    pub(crate) fn ok(&self, line: &str) -> Answer {
        let answer = self.cc(line);
        assert_eq!(answer.status, 0, "lind-cc {line}: {}", answer.stderr);
        answer
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }
}

/// What a call came to.
pub(crate) fn answer(output: Output) -> Answer {
    Answer {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A program without a C library.
pub(crate) const BARE: (&str, &str) = (
    "bare.c",
    "extern int twice(int); int counter; void _start(void) { counter = twice(counter); }\n",
);
/// A function of its own.
pub(crate) const TWICE: (&str, &str) = ("twice.c", "int twice(int x) { return 2 * x; }\n");

/// Whether a file has these bytes somewhere.
pub(crate) fn has(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path)
        .unwrap()
        .windows(bytes.len())
        .any(|window| window == bytes)
}
