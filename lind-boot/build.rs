//! Names the Wasmtime fork that is built in: code compiled by one fork is not reused by another.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let fork = Path::new("../wasmtime");
    let mut digest = DefaultHasher::new();
    for part in ["upstream.toml", "patches", "overlay"] {
        let path = fork.join(part);
        println!("cargo::rerun-if-changed={}", path.display());
        if path.exists() {
            digest_tree(&path, &mut digest)?;
        }
    }
    println!("cargo::rustc-env=LIND_FORK={:016x}", digest.finish());
    Ok(())
}

fn digest_tree(path: &Path, digest: &mut DefaultHasher) -> io::Result<()> {
    path.hash(digest);
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        entries
            .iter()
            .try_for_each(|entry| digest_tree(entry, digest))
    } else {
        fs::read(path)?.hash(digest);
        Ok(())
    }
}
