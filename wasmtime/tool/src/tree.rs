//! A source tree in memory: path to content.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use crate::failure::{Explain, Failure, Result};

/// What a path is, apart from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    Plain,
    /// A regular file with the executable bit.
    Executable,
    /// A symbolic link; the content is its target.
    Link,
}

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) kind: Kind,
    pub(crate) bytes: Arc<[u8]>,
}

/// Files by their path relative to the tree's root, `/`-separated, sorted.
pub(crate) type Tree = BTreeMap<String, File>;

/// Left behind by editors and `patch`; never part of a tree.
pub(crate) fn is_litter(name: &str) -> bool {
    name.ends_with('~') || [".orig", ".rej", ".swp"].iter().any(|s| name.ends_with(s))
}

/// True for a path that stays inside the tree it is joined to.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Reads every file below `root`. A missing root is an empty tree.
pub(crate) fn read(root: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    if root.exists() {
        read_into(root, "", &mut tree)?;
    }
    Ok(tree)
}

fn read_into(dir: &Path, prefix: &str, tree: &mut Tree) -> Result<()> {
    let doing = || format!("read {}", dir.display());
    for entry in fs::read_dir(dir).explain(doing())? {
        let entry = entry.explain(doing())?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(Failure::new(format!(
                "{}: a file name is not UTF-8",
                dir.display()
            )));
        };
        let path = format!("{prefix}{name}");
        if entry.file_type().explain(doing())?.is_dir() {
            read_into(&entry.path(), &format!("{path}/"), tree)?;
        } else if !is_litter(name) {
            tree.insert(path, read_file(&entry.path())?);
        }
    }
    Ok(())
}

/// Reads one file or link.
pub(crate) fn read_file(path: &Path) -> Result<File> {
    let doing = format!("read {}", path.display());
    let meta = fs::symlink_metadata(path).explain(&doing)?;
    if meta.file_type().is_symlink() {
        let target = fs::read_link(path).explain(&doing)?;
        return Ok(File {
            kind: Kind::Link,
            bytes: target.as_os_str().as_bytes().into(),
        });
    }
    let kind = if meta.permissions().mode() & 0o111 == 0 {
        Kind::Plain
    } else {
        Kind::Executable
    };
    Ok(File {
        kind,
        bytes: fs::read(path).explain(&doing)?.into(),
    })
}

/// Writes one file or link, making its directory first. The path must not exist.
pub(crate) fn write_file(path: &Path, file: &File) -> Result<()> {
    let doing = format!("write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).explain(&doing)?;
    }
    let mode = match file.kind {
        Kind::Plain => 0o644,
        Kind::Executable => 0o755,
        Kind::Link => {
            let target = std::ffi::OsStr::from_bytes(&file.bytes);
            return std::os::unix::fs::symlink(target, path).explain(doing);
        }
    };
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .explain(&doing)?;
    std::io::Write::write_all(&mut out, &file.bytes).explain(doing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_its_tree() {
        for good in ["a", "a/b.c", "..a/b"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in ["", "/etc/passwd", "a/../b", "..", "a//b", "./a", "a/"] {
            assert!(!is_inside(bad), "{bad}");
        }
    }

    #[test]
    fn a_tree_reads_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut tree = Tree::new();
        tree.insert(
            "a/plain".into(),
            File {
                kind: Kind::Plain,
                bytes: b"x\n"[..].into(),
            },
        );
        tree.insert(
            "a/run".into(),
            File {
                kind: Kind::Executable,
                bytes: b"#!\n"[..].into(),
            },
        );
        tree.insert(
            "link".into(),
            File {
                kind: Kind::Link,
                bytes: b"a/run"[..].into(),
            },
        );
        for (path, file) in &tree {
            write_file(&dir.path().join(path), file).unwrap();
        }
        fs::write(dir.path().join("a/plain.rej"), "litter").unwrap();
        assert_eq!(read(dir.path()).unwrap(), tree);
    }
}
