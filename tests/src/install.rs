//! The installation under test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// A complete lind installation, as `make build` leaves it in `target/dist`.
#[derive(Debug, Clone)]
pub struct Installation {
    root: PathBuf,
}

impl Installation {
    /// Finds the installation: `$LIND_DIST`, else `target/dist` of this repository.
    ///
    /// # Errors
    /// A sentence with a hint when there is no `bin/lind` or `bin/lind-cc` in it.
    pub fn find() -> Result<Self> {
        let root = env::var_os("LIND_DIST")
            .map_or_else(|| repository().join("target/dist"), PathBuf::from);
        let root = fs::canonicalize(&root).map_err(|e| {
            format!(
                "no installation in '{}': {e}\nhint: run `make build` first",
                root.display()
            )
        })?;
        let found = Self { root };
        for tool in ["lind", "lind-cc"] {
            if !found.tool(tool).is_file() {
                return Err(format!(
                    "'{}' is missing\nhint: run `make build` first",
                    found.tool(tool).display()
                ));
            }
        }
        Ok(found)
    }

    /// The directory that holds `bin`, `lib` and `share`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of the commands.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// One of the commands: `lind`, `lind-cc`, `lind-ar`, …
    #[must_use]
    pub fn tool(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }

    /// Text that changes whenever the compiler driver, a file of the sysroot or the answers for configure scripts do.
    ///
    /// # Errors
    /// When the installation cannot be read.
    pub fn toolchain_identity(&self) -> Result<String> {
        let mut identity = String::new();
        describe(
            &fs::canonicalize(self.tool("lind-cc")).map_err(|e| e.to_string())?,
            &mut identity,
        )?;
        describe(&self.root.join("lib"), &mut identity)?;
        describe(&self.root.join("share/lind/config.site"), &mut identity)?;
        Ok(identity)
    }
}

/// The root of this repository.
#[must_use]
pub fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// Appends name, size and modification time of every file under `path`, in a fixed order.
fn describe(path: &Path, into: &mut String) -> Result<()> {
    let failed = |e: std::io::Error| format!("cannot read '{}': {e}", path.display());
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        let mut names = fs::read_dir(path)
            .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
            .map_err(failed)?;
        names.sort_by_key(fs::DirEntry::file_name);
        return names
            .iter()
            .try_for_each(|entry| describe(&entry.path(), into));
    }
    let modified = metadata.modified().map_err(failed)?;
    into.push_str(&format!(
        "{} {} {modified:?}\n",
        path.display(),
        metadata.len()
    ));
    Ok(())
}
