//! A repository with one small local queue named `demo`, and the tool run in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// A line-numbered text, so that hunks have context.
pub(crate) fn numbered(name: &str, lines: usize) -> String {
    (1..=lines).map(|n| format!("{name} {n}\n")).collect()
}

/// Upstream's files in the tests: version 1.0.
pub(crate) fn upstream() -> Vec<(&'static str, String)> {
    vec![
        ("README", "demo\n".to_owned()),
        ("configure", "#!/bin/sh\n".to_owned()),
        ("configure.ac", "AC_INIT\n".to_owned()),
        ("src/a.c", numbered("a", 20)),
        ("src/b.c", numbered("b", 20)),
    ]
}

/// What a run of the tool said.
pub(crate) struct Run {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The repository; it is removed with the value.
pub(crate) struct Repository {
    dir: tempfile::TempDir,
}

impl Repository {
    /// A pinned archive, no patches, no overlay.
    pub(crate) fn new() -> Self {
        let repository = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(repository.path("demo")).unwrap();
        repository.pin("1.0", &upstream());
        repository
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Makes the archive of a version and pins it.
    pub(crate) fn pin(&self, version: &str, files: &[(&str, String)]) {
        self.archive(version, files);
        self.pin_file(version);
    }

    /// Pins the archive of a version as it is now.
    pub(crate) fn pin_file(&self, version: &str) {
        let bytes = fs::read(self.path(&format!("demo/demo-{version}.tar.gz"))).unwrap();
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let text = format!(
            "# The demo.\nkind = \"local\"\noutput = \"target/demo\"\n\n[[source]]\nname = \"demo\"\n\
             version = \"{version}\"\nfile = \"demo-{version}.tar.gz\"\nsha256 = \"{digest}\"\n"
        );
        self.write("demo/upstream.toml", &text);
    }

    /// Makes `demo-VERSION.tar.gz` beside the pin.
    pub(crate) fn archive(&self, version: &str, files: &[(&str, String)]) {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(gzip);
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(text.len()).unwrap());
            header.set_mode(if *path == "configure" { 0o755 } else { 0o644 });
            header.set_mtime(1);
            let path = format!("demo-{version}/{path}");
            tar.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let bytes = tar.into_inner().unwrap().finish().unwrap();
        fs::write(self.path(&format!("demo/demo-{version}.tar.gz")), bytes).unwrap();
    }

    /// Runs `cargo tool ARGS`.
    pub(crate) fn tool(&self, args: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patch-queue"));
        let out = command
            .args(args)
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        Run {
            ok: out.status.success(),
            out: String::from_utf8(out.stdout).unwrap(),
            err: String::from_utf8(out.stderr).unwrap(),
        }
    }

    /// Runs the tool and expects success; returns what it printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let run = self.tool(args);
        assert!(run.ok, "{args:?} failed\n{}{}", run.out, run.err);
        run.out
    }

    /// Runs the tool and expects a failure; returns its message.
    pub(crate) fn fails(&self, args: &[&str]) -> String {
        let run = self.tool(args);
        assert!(!run.ok, "{args:?} did not fail\n{}", run.out);
        assert!(run.err.starts_with("cargo tool: "), "{}", run.err);
        run.err
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a text in a file of the imported tree.
    pub(crate) fn edit(&self, path: &str, old: &str, new: &str) {
        let path = format!("target/demo/{path}");
        let text = self.read(&path);
        assert!(text.contains(old), "{path} has no '{old}'");
        self.write(&path, &text.replace(old, new));
    }

    pub(crate) fn modified(&self, path: &str) -> SystemTime {
        fs::metadata(self.path(path)).unwrap().modified().unwrap()
    }

    pub(crate) fn is_executable(&self, path: &str) -> bool {
        fs::metadata(self.path(path)).unwrap().permissions().mode() & 0o111 != 0
    }

    /// Every file of the queue but the archives, by path.
    pub(crate) fn queue(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.path("demo"), &mut found);
        found.retain(|(p, _)| p.extension().is_none_or(|e| e != "gz"));
        found.sort();
        found
    }

    /// Adds a complete patch at the end of the series that replaces a line of a file as upstream has it.
    pub(crate) fn patch(&self, name: &str, path: &str, line: usize, new: &str) {
        self.ok(&["import"]);
        let word = path.rsplit('/').next().unwrap().trim_end_matches(".c");
        self.edit(path, &format!("{word} {line}\n"), &format!("{new}\n"));
        self.ok(&["export", "--into", name]);
        self.describe(name);
        self.ok(&["import"]);
    }

    /// Fills in the header of a patch.
    pub(crate) fn describe(&self, name: &str) {
        let file = format!("demo/patches/{name}.patch");
        let text = self.read(&file);
        let (_, body) = text.split_once("--- ").unwrap();
        let header =
            "Change the demo.\n\nReason: a test\nUpstream: no\nTest: tests/queue.rs\n\n--- ";
        self.write(&file, &format!("{header}{body}"));
    }
}

fn collect(dir: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push((path.clone(), fs::read(path).unwrap()));
        }
    }
}

/// Lets the clock of the file system move on.
pub(crate) fn tick() {
    std::thread::sleep(Duration::from_millis(20));
}
