//! A sandbox's root with something to steal beside it.

use std::fs;
use std::path::PathBuf;

use super::Guest;

/// A host directory with a secret, and inside it the directory that becomes the sandbox's root.
pub struct World {
    outer: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("secret"), "text outside").unwrap();
        fs::create_dir_all(outer.path().join("root/a/b/c")).unwrap();
        fs::write(outer.path().join("root/file"), "inside").unwrap();
        Self { outer }
    }

    pub fn outer(&self) -> PathBuf {
        self.outer.path().canonicalize().unwrap()
    }

    pub fn root(&self) -> PathBuf {
        self.outer().join("root")
    }

    pub fn guest(&self) -> Guest {
        Guest::in_root(&self.root())
    }
}
