//! Reads an archive into a tree.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use tar::EntryType;

use crate::failure::{Explain, Failure, Result};
use crate::tree::{File, Kind, Tree, is_inside};

/// Reads a `.tar.gz`, `.crate` or `.tar.xz`. The first component of every path is left out.
pub(crate) fn archive(path: &Path) -> Result<Tree> {
    let doing = format!("unpack {}", path.display());
    let file = fs::File::open(path).explain(&doing)?;
    if path.extension().is_some_and(|e| e == "xz") {
        let mut xz = Command::new("xz")
            .args(["--decompress", "--stdout"])
            .stdin(file)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Failure::new(format!("cannot run xz: {e}")).hint("install xz-utils"))?;
        let tree = match xz.stdout.take() {
            Some(out) => read(out).explain(&doing),
            None => Err(Failure::new(format!("cannot {doing}: xz has no output"))),
        };
        let status = xz.wait().explain(&doing)?;
        if !status.success() {
            return Err(Failure::new(format!(
                "cannot {doing}: xz failed ({status})"
            )));
        }
        tree
    } else {
        read(flate2::read::GzDecoder::new(file)).explain(doing)
    }
}

fn read(input: impl Read) -> io::Result<Tree> {
    let mut tree = Tree::new();
    let mut archive = tar::Archive::new(input);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry
            .path()?
            .to_str()
            .map(str::to_owned)
            .ok_or_else(|| io::Error::other("a path is not UTF-8"))?;
        let kind = match entry.header().entry_type() {
            EntryType::Regular if entry.header().mode()? & 0o111 != 0 => Kind::Executable,
            EntryType::Regular => Kind::Plain,
            EntryType::Symlink => Kind::Link,
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            other => {
                return Err(io::Error::other(format!(
                    "{path}: entries of type {other:?} are not supported"
                )));
            }
        };
        let Some(rest) = path
            .split_once('/')
            .map(|(_, rest)| rest)
            .filter(|p| is_inside(p))
        else {
            return Err(io::Error::other(format!(
                "{path}: the path leaves the archive's directory"
            )));
        };
        let mut bytes = Vec::new();
        if kind == Kind::Link {
            let target = entry
                .link_name()?
                .ok_or_else(|| io::Error::other("a link without a target"))?;
            bytes.extend_from_slice(std::os::unix::ffi::OsStrExt::as_bytes(target.as_os_str()));
        } else {
            entry.read_to_end(&mut bytes)?;
        }
        tree.insert(
            rest.to_owned(),
            File {
                kind,
                bytes: bytes.into(),
            },
        );
    }
    // The rest is padding; the decompressor wants to write it, and verifies its checksum at the end.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(tree)
}
