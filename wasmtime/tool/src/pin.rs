//! `upstream.toml`: which sources a queue is made of, in which version, with which digest.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{Explain, Failure, Result};

/// Where the sources of a queue come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// Crates, downloaded by cargo.
    Crates,
    /// A file inside a Debian package, downloaded by apt.
    Debian,
    /// An archive beside `upstream.toml`.
    Local,
}

/// One pinned source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Path of the archive: inside the Debian package, or beside `upstream.toml`.
    pub(crate) file: Option<String>,
    /// SHA-256 of the archive, in hexadecimal.
    pub(crate) sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    kind: Origin,
    output: String,
    /// Cargo.lock files that must agree with the pins.
    #[serde(default)]
    locks: Vec<String>,
    source: Vec<Source>,
}

/// A queue: a directory with `upstream.toml`, `patches/` and `overlay/`.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// Name of the directory, as given on the command line.
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) origin: Origin,
    pub(crate) sources: Vec<Source>,
    /// Cargo.lock files that must agree with the pins.
    pub(crate) locks: Vec<PathBuf>,
    output: PathBuf,
}

/// Where the parts of one source of a queue are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) patches: PathBuf,
    pub(crate) overlay: PathBuf,
    /// The imported tree.
    pub(crate) tree: PathBuf,
}

impl Queue {
    /// Reads `<root>/<name>/upstream.toml`.
    pub(crate) fn load(root: &Path, name: &str) -> Result<Self> {
        let dir = root.join(name);
        let path = dir.join("upstream.toml");
        let text = fs::read_to_string(&path).explain(format_args!("read {}", path.display()))?;
        let manifest: Manifest = toml::from_str(&text)
            .map_err(|e| Failure::new(format!("{}: {}", path.display(), e.message())))?;
        let queue = Self {
            name: name.to_owned(),
            dir,
            origin: manifest.kind,
            output: root.join(manifest.output),
            sources: manifest.source,
            locks: manifest.locks.iter().map(|l| root.join(l)).collect(),
        };
        queue.validate(&path)?;
        Ok(queue)
    }

    fn validate(&self, path: &Path) -> Result<()> {
        let wrong = |what: String| Err(Failure::new(format!("{}: {what}", path.display())));
        if self.origin != Origin::Crates && self.sources.len() != 1 {
            return wrong("a queue of this kind has exactly one source".into());
        }
        for source in &self.sources {
            let digest = &source.sha256;
            if digest.len() != 64
                || !digest
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            {
                return wrong(format!(
                    "sha256 of {} is not 64 lower-case hexadecimal digits",
                    source.name
                ));
            }
            if !crate::tree::is_inside(&source.name) || source.name.contains('/') {
                return wrong(format!("'{}' is not a source name", source.name));
            }
            if (self.origin == Origin::Crates) != source.file.is_none() {
                return wrong(format!(
                    "{}: `file` belongs to every kind but crates",
                    source.name
                ));
            }
        }
        Ok(())
    }

    /// The directories of one source. Only crates have a sub-directory each.
    pub(crate) fn places(&self, source: &Source) -> Places {
        let (patches, overlay) = (self.dir.join("patches"), self.dir.join("overlay"));
        match self.origin {
            Origin::Crates => Places {
                patches: patches.join(&source.name),
                overlay: overlay.join(&source.name),
                tree: self.output.join(&source.name),
            },
            Origin::Debian | Origin::Local => Places {
                patches,
                overlay,
                tree: self.output.clone(),
            },
        }
    }

    /// Replaces version, file and digest of the sources in `upstream.toml`; comments and order stay.
    pub(crate) fn repin(&self, pins: &[Source]) -> Result<()> {
        let path = self.dir.join("upstream.toml");
        let text = fs::read_to_string(&path).explain(format_args!("read {}", path.display()))?;
        let mut out = String::new();
        let mut current: Option<&Source> = None;
        for line in text.lines() {
            let value = |key: &str| {
                line.strip_prefix(key)
                    .and_then(|r| r.trim_start().strip_prefix('='))
            };
            if line.starts_with('[') {
                current = None;
            } else if let Some(name) = value("name") {
                current = pins
                    .iter()
                    .find(|p| name.trim().trim_matches('"') == p.name);
            }
            match current {
                Some(pin) if value("version").is_some() => {
                    out.push_str(&format!("version = \"{}\"", pin.version))
                }
                Some(Source {
                    file: Some(file), ..
                }) if value("file").is_some() => {
                    out.push_str(&format!("file = \"{file}\""));
                }
                Some(pin) if value("sha256").is_some() => {
                    out.push_str(&format!("sha256 = \"{}\"", pin.sha256))
                }
                _ => out.push_str(line),
            }
            out.push('\n');
        }
        fs::write(&path, out).explain(format_args!("write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(text: &str) -> Result<(tempfile::TempDir, Queue)> {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("q")).unwrap();
        fs::write(root.path().join("q/upstream.toml"), text).unwrap();
        let queue = Queue::load(root.path(), "q")?;
        Ok((root, queue))
    }

    #[test]
    fn a_new_pin_keeps_comments() {
        let digest = "0".repeat(64);
        let text = format!(
            "# why\nkind = \"crates\"\noutput = \"target/q\"\n\n[[source]]\nname = \"a\"\nversion = \"1\"\nsha256 = \"{digest}\"\n"
        );
        let (_root, queue) = queue(&text).unwrap();
        let mut pin = queue.sources[0].clone();
        pin.version = "2".into();
        pin.sha256 = "1".repeat(64);
        queue.repin(&[pin]).unwrap();
        let now = fs::read_to_string(queue.dir.join("upstream.toml")).unwrap();
        assert_eq!(
            now,
            text.replace("\"1\"", "\"2\"")
                .replace(&digest, &"1".repeat(64))
        );
    }

    #[test]
    fn a_damaged_pin_is_a_sentence() {
        let text = "kind = \"crates\"\noutput = \"o\"\n[[source]]\nname = \"a\"\nversion = \"1\"\nsha256 = \"zz\"\n";
        let error = queue(text).unwrap_err().to_string();
        assert!(error.contains("sha256 of a is not 64"), "{error}");
    }
}
