//! Gets the pinned archives, through cargo and apt, and verifies their digests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::failure::{Explain, Failure, Result};
use crate::pin::{Origin, Queue, Source};

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Downloads what is not yet in `downloads` and returns the archives of all sources, verified, in order.
pub(crate) fn archives(queue: &Queue, downloads: &Path) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = queue
        .sources
        .iter()
        .map(|s| place(queue, s, downloads))
        .collect();
    let have =
        |path: &Path, source: &Source| fs::read(path).is_ok_and(|b| sha256(&b) == source.sha256);
    let missing: Vec<(&Source, &PathBuf)> = queue
        .sources
        .iter()
        .zip(&paths)
        .filter(|(s, p)| !have(p, s))
        .collect();
    if missing.is_empty() {
        return Ok(paths);
    }
    if queue.origin != Origin::Local {
        let names: Vec<&str> = missing.iter().map(|(s, _)| s.name.as_str()).collect();
        println!("{}: fetching {}", queue.name, names.join(", "));
    }
    fs::create_dir_all(downloads).explain(format_args!("make {}", downloads.display()))?;
    match queue.origin {
        Origin::Crates => {
            let graph = Graph::fetch(&queue.sources)?;
            for (source, path) in missing {
                store(source, &graph.archive(&source.name, &source.version)?, path)?;
            }
        }
        Origin::Debian => {
            for (source, path) in missing {
                debian(source, path)?;
            }
        }
        Origin::Local => {
            for (source, path) in missing {
                store(
                    source,
                    &queue.dir.join(source.file.as_deref().unwrap_or_default()),
                    path,
                )?;
            }
        }
    }
    Ok(paths)
}

fn place(queue: &Queue, source: &Source, downloads: &Path) -> PathBuf {
    let suffix = match queue.origin {
        Origin::Crates => "crate",
        _ if source.file.as_deref().is_some_and(|f| f.ends_with(".xz")) => "tar.xz",
        _ => "tar.gz",
    };
    downloads.join(format!("{}-{}.{suffix}", source.name, source.version))
}

/// Copies an archive to its place, if its digest is the pinned one.
fn store(source: &Source, from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).explain(format_args!("read {}", from.display()))?;
    let digest = sha256(&bytes);
    if digest != source.sha256 {
        return Err(Failure::new(format!(
            "{} {}: the digest of the archive is {digest}, upstream.toml says {}",
            source.name, source.version, source.sha256
        ))
        .hint("do not build from it: either the pin is wrong or the download was altered"));
    }
    let part = to.with_extension("part");
    fs::write(&part, &bytes).explain(format_args!("write {}", part.display()))?;
    fs::rename(&part, to).explain(format_args!("write {}", to.display()))
}

/// Runs a command to its end; its own messages become part of the failure.
fn run(command: &mut Command, hint: &str) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command
        .output()
        .map_err(|e| Failure::new(format!("cannot run {name}: {e}")).hint(hint))?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    let said = String::from_utf8_lossy(&out.stderr);
    Err(Failure::new(format!("{name} failed ({}): {}", out.status, gist(&said))).hint(hint))
}

/// What a command's messages amount to: its first error and the cause that cargo prints last.
fn gist(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let is_error = |l: &&&str| l.starts_with("error") || l.starts_with("E:");
    let first = lines
        .iter()
        .find(is_error)
        .or(lines.last())
        .copied()
        .unwrap_or("no message");
    match lines
        .iter()
        .rposition(|l| *l == "Caused by:")
        .and_then(|i| lines.get(i + 1))
    {
        Some(cause) => format!("{first}: {cause}"),
        None => first.to_owned(),
    }
}

/// Crates that cargo has downloaded for a throw-away package.
#[derive(Debug)]
pub(crate) struct Graph {
    packages: Vec<Value>,
}

impl Graph {
    /// Downloads the given crates in exactly the given versions.
    pub(crate) fn fetch(sources: &[Source]) -> Result<Self> {
        let line = |s: &Source| {
            format!(
                "{} = {{ version = \"={}\", default-features = false }}\n",
                s.name, s.version
            )
        };
        Self::with_dependencies(&sources.iter().map(line).collect::<String>())
    }

    /// Downloads the newest version of a crate that fits `requirement`, and what it depends on.
    pub(crate) fn resolve(name: &str, requirement: &str) -> Result<Self> {
        Self::with_dependencies(&format!("{name} = \"{requirement}\"\n"))
    }

    fn with_dependencies(dependencies: &str) -> Result<Self> {
        let dir = tempfile::tempdir().explain("make a temporary directory")?;
        let manifest = format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{dependencies}"
        );
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::write(&path, text).explain(format_args!("write {}", path.display()))
        };
        fs::create_dir(dir.path().join("src")).explain("make a temporary directory")?;
        write("src/lib.rs", "")?;
        write("Cargo.toml", &manifest)?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let hint = "the crates come from the registry cargo is set up for; is the network there, and the version right?";
        run(
            Command::new(&cargo)
                .args(["fetch", "--quiet"])
                .current_dir(dir.path()),
            hint,
        )?;
        let mut metadata = Command::new(&cargo);
        metadata
            .args(["metadata", "--format-version=1", "--offline"])
            .current_dir(dir.path());
        let json: Value =
            serde_json::from_slice(&run(&mut metadata, hint)?).explain("read cargo's metadata")?;
        Ok(Self {
            packages: json
                .get("packages")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
        })
    }

    fn text<'a>(package: &'a Value, key: &str) -> &'a str {
        package.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The version of a crate that cargo chose, if the crate is there exactly once.
    pub(crate) fn version(&self, name: &str) -> Result<String> {
        let mut found = self
            .packages
            .iter()
            .filter(|p| Self::text(p, "name") == name);
        match (found.next(), found.next()) {
            (Some(package), None) => Ok(Self::text(package, "version").to_owned()),
            _ => Err(Failure::new(format!(
                "cargo does not choose one version of {name}"
            ))),
        }
    }

    /// The downloaded archive of a crate in cargo's cache.
    pub(crate) fn archive(&self, name: &str, version: &str) -> Result<PathBuf> {
        let none = || {
            Failure::new(format!(
                "cargo has downloaded no archive of {name} {version}"
            ))
        };
        let package = self
            .packages
            .iter()
            .find(|p| Self::text(p, "name") == name && Self::text(p, "version") == version)
            .ok_or_else(none)?;
        // <cargo home>/registry/src/<index>/<name>-<version>/Cargo.toml, the archive in registry/cache/<index>.
        let manifest = Path::new(Self::text(package, "manifest_path"));
        let index = manifest.parent().and_then(Path::parent).ok_or_else(none)?;
        let registry = index.parent().and_then(Path::parent).ok_or_else(none)?;
        let archive = registry
            .join("cache")
            .join(index.file_name().ok_or_else(none)?)
            .join(format!("{name}-{version}.crate"));
        if archive.exists() {
            Ok(archive)
        } else {
            Err(none().hint(
                "a registry replaced by a directory keeps no archives; use an ordinary registry",
            ))
        }
    }
}

/// Takes a file out of a Debian package: the installed one if it is the pinned one, else a downloaded one.
fn debian(source: &Source, to: &Path) -> Result<()> {
    let file = source.file.as_deref().unwrap_or_default();
    let installed = Path::new("/").join(file);
    if fs::read(&installed).is_ok_and(|b| sha256(&b) == source.sha256) {
        return store(source, &installed, to);
    }
    let dir = tempfile::tempdir().explain("make a temporary directory")?;
    let (_, unpacked) = debian_package(&source.name, Some(&source.version), dir.path())?;
    store(source, &unpacked.join(file), to)
}

/// Downloads a Debian package, in the given version or the newest, and unpacks it below `dir`. Returns the version.
pub(crate) fn debian_package(
    name: &str,
    version: Option<&str>,
    dir: &Path,
) -> Result<(String, PathBuf)> {
    let what = version.map_or_else(|| name.to_owned(), |v| format!("{name}={v}"));
    let hint = format!(
        "try `apt-get update`; if Debian has only a newer {name}, `cargo tool upgrade` pins it"
    );
    run(
        Command::new("apt-get")
            .args(["--quiet", "download", &what])
            .current_dir(dir),
        &hint,
    )?;
    let package = fs::read_dir(dir)
        .explain(format_args!("read {}", dir.display()))?
        .filter_map(|e| Some(e.ok()?.path()))
        .find(|p| p.extension().is_some_and(|e| e == "deb"))
        .ok_or_else(|| Failure::new(format!("apt-get has downloaded no package {what}")))?;
    let (root, hint) = (dir.join("root"), "dpkg-deb belongs to Debian's base system");
    run(
        Command::new("dpkg-deb").arg("-x").args([&package, &root]),
        hint,
    )?;
    let version = run(
        Command::new("dpkg-deb")
            .arg("-f")
            .arg(&package)
            .arg("Version"),
        hint,
    )?;
    Ok((String::from_utf8_lossy(&version).trim().to_owned(), root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_standard() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_failed_command_is_one_line() {
        assert_eq!(
            gist("  Updating x\nerror: no package `a`\nlocation: b\n"),
            "error: no package `a`"
        );
        assert_eq!(
            gist("error: x\n\nCaused by:\n  y\n\nCaused by:\n  z\n"),
            "error: x: z"
        );
        assert_eq!(gist("W: w\nE: no package b\n"), "E: no package b");
        assert_eq!(gist("lost\n\n"), "lost");
        assert_eq!(gist(""), "no message");
    }

    #[test]
    fn an_altered_archive_is_not_stored() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&from, "abd").unwrap();
        let source = Source {
            name: "x".into(),
            version: "1".into(),
            file: None,
            sha256: sha256(b"abc"),
        };
        let error = store(&source, &from, &to).unwrap_err().to_string();
        assert!(
            error.contains("the digest of the archive is") && error.contains("hint:"),
            "{error}"
        );
        assert!(!to.exists());
    }
}
