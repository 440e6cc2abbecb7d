//! Where the guests run: a scratch directory, and beside it what they must not touch.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lind_tests::install::{Installation, repository};
use lind_tests::run::{Outcome, disable_core_files, run};
use tempfile::TempDir;

/// A scratch directory for the guests, and beside it files that must stay as they are.
pub(crate) struct Sandbox {
    lind: PathBuf,
    directory: TempDir,
    program: PathBuf,
    before: BTreeMap<PathBuf, String>,
}

impl Sandbox {
    /// With a program from `tests/wat`.
    pub(crate) fn new(name: &str) -> Self {
        let wat = repository().join("tests/wat").join(format!("{name}.wat"));
        let bytes = wat::parse_file(&wat).unwrap();
        let mut sandbox = Self::empty();
        sandbox.program = sandbox.directory.path().join("program");
        fs::write(&sandbox.program, bytes).unwrap();
        make_executable(&sandbox.program);
        sandbox
    }

    pub(crate) fn empty() -> Self {
        disable_core_files();
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in [
            "scratch",
            "scratch/sub",
            "canary",
            "canary/sub",
            "cwd",
            "cache",
        ] {
            fs::create_dir(root.join(name)).unwrap();
        }
        for name in ["canary/file", "canary/sub/file", "scratch/file"] {
            fs::write(root.join(name), "chirp\n").unwrap();
        }
        symlink(root.join("canary"), root.join("scratch/out")).unwrap();
        symlink("../canary/file", root.join("scratch/sub/up")).unwrap();
        let mut sandbox = Self {
            lind: Installation::find().unwrap().tool("lind"),
            directory,
            program: PathBuf::new(),
            before: BTreeMap::new(),
        };
        sandbox.before = sandbox.state();
        sandbox
    }

    /// The directory of it all.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn canary(&self) -> PathBuf {
        self.directory.path().join("canary/file")
    }

    pub(crate) fn run(&self, arguments: &[OsString], limit: Duration) -> Outcome {
        self.run_program(&self.program, arguments, limit)
    }

    /// Runs a program in the sandbox: a scratch directory of its own, some memory, nothing else.
    pub(crate) fn run_program(
        &self,
        program: &Path,
        arguments: &[OsString],
        limit: Duration,
    ) -> Outcome {
        let root = self.directory.path();
        let scratch = tempfile::tempdir_in(root.join("scratch")).unwrap();
        let mut grant = scratch.path().as_os_str().to_owned();
        grant.push("::/scratch");
        let mut command = Command::new(&self.lind);
        command
            .args(["run", "--memory", "64M", "--cwd", "/scratch", "--dir"])
            .arg(grant);
        command.arg(program).args(arguments);
        command
            .current_dir(root.join("cwd"))
            .env("XDG_CACHE_HOME", root.join("cache"))
            .env("HOME", root.join("cache"));
        symlink(root.join("canary"), scratch.path().join("out")).unwrap();
        let outcome = run(&mut command, b"", limit).unwrap();
        // Guests may have taken permissions away; what cannot be removed goes with the sandbox.
        let _ = scratch.close();
        outcome
    }

    /// Type, permissions, size, times and contents of everything that guests may not touch.
    pub(crate) fn state(&self) -> BTreeMap<PathBuf, String> {
        let mut state = BTreeMap::new();
        for name in [
            "canary",
            "cwd",
            "scratch/sub",
            "scratch/file",
            "scratch/out",
        ] {
            describe(&self.directory.path().join(name), &mut state);
        }
        state
    }

    pub(crate) fn assert_untouched(&self) {
        assert_eq!(
            self.state(),
            self.before,
            "a guest reached something outside of its sandbox"
        );
    }
}

fn describe(path: &Path, state: &mut BTreeMap<PathBuf, String>) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let contents = if metadata.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            describe(&entry.unwrap().path(), state);
        }
        String::new()
    } else if metadata.is_symlink() {
        fs::read_link(path).unwrap().display().to_string()
    } else {
        fs::read_to_string(path).unwrap()
    };
    let text = format!(
        "{:o} {}:{} {} {} {}.{} {contents}",
        metadata.mode(),
        metadata.uid(),
        metadata.gid(),
        metadata.nlink(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    );
    state.insert(path.to_path_buf(), text);
}

/// Sets the file's mode to that of programs.
pub(crate) fn make_executable(path: &Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(path, permissions).unwrap();
}
