//! Sources of Debian packages, from the mirror that this machine is set up with.
//!
//! A private apt configuration asks for sources only, so neither root nor a change to the system is needed. What was
//! downloaded once stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::run::run;

/// Downloads are small, mirrors may be slow.
const LIMIT: Duration = Duration::from_secs(600);

/// Whether Debian's own patches are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patches {
    /// As Debian builds the package.
    Applied,
    /// As upstream released it.
    Skipped,
}

/// A directory of downloaded source packages.
#[derive(Debug, Clone)]
pub struct Sources {
    home: PathBuf,
}

impl Sources {
    /// Keeps downloads under `home`.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self {
            home: home.to_path_buf(),
        }
    }

    /// Downloads the source package `name`, in the version that this machine's Debian release has, unless it is there.
    ///
    /// # Errors
    /// When apt-get is not there, is set up without a mirror, or cannot download.
    pub fn download(&self, name: &str) -> Result<PathBuf> {
        let directory = self.home.join("packages").join(name);
        if let Some(description) = description_in(&directory) {
            return Ok(description);
        }
        // A download is complete or absent: it moves to its place at the end.
        let partial = self.home.join("partial").join(name);
        let _ = fs::remove_dir_all(&partial);
        create(&partial)?;
        self.apt(&self.home, &["--quiet=2", "update"])?;
        let source = |name: &str| {
            let options = ["--quiet=2", "--download-only", "--only-source", "source"];
            self.apt(&partial, &[&options[..], &[name]].concat())
        };
        // Mirrors drop the files of a security update sooner than its name; those of the release itself stay.
        source(name)
            .or_else(|error| source(&format!("{name}/{}", release())).map_err(|_| error))?;
        create(&self.home.join("packages"))?;
        fs::rename(&partial, &directory)
            .map_err(|e| format!("cannot keep '{}': {e}", directory.display()))?;
        description_in(&directory)
            .ok_or_else(|| format!("apt-get downloaded no description of '{name}'"))
    }

    /// Unpacks a downloaded package to `directory`, replacing what is there.
    ///
    /// # Errors
    /// When dpkg-source is not there or finds a file damaged.
    pub fn unpack(&self, name: &str, patches: Patches, directory: &Path) -> Result<()> {
        let description = self.download(name)?;
        if directory.exists() {
            fs::remove_dir_all(directory)
                .map_err(|e| format!("cannot remove '{}': {e}", directory.display()))?;
        }
        if let Some(parent) = directory.parent() {
            create(parent)?;
        }
        let mut command = Command::new("dpkg-source");
        command.args(["--no-check", "--extract"]);
        if patches == Patches::Skipped {
            command.arg("--skip-patches");
        }
        command.arg(description).arg(directory);
        succeed(&mut command)
    }

    /// Unpacks some directories of a downloaded package to `directory`, replacing what is there: as upstream released them.
    ///
    /// # Errors
    /// When the package has no upstream tarball, or it has none of these directories.
    pub fn unpack_parts(&self, name: &str, parts: &[&str], directory: &Path) -> Result<()> {
        let description = self.download(name)?;
        let tarball = description
            .parent()
            .and_then(|packages| fs::read_dir(packages).ok())
            .into_iter()
            .flat_map(|entries| entries.flatten())
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().contains(".orig.tar."))
            .ok_or_else(|| format!("'{name}' has no upstream tarball"))?;
        if directory.exists() {
            fs::remove_dir_all(directory)
                .map_err(|e| format!("cannot remove '{}': {e}", directory.display()))?;
        }
        create(directory)?;
        let mut command = Command::new("tar");
        command
            .args(["--extract", "--strip-components=1", "--wildcards", "--file"])
            .arg(tarball)
            .arg("--directory")
            .arg(directory)
            .args(parts.iter().map(|part| format!("*/{part}")));
        succeed(&mut command)
    }

    /// Runs apt-get with sources only and all of its state under the home directory.
    fn apt(&self, directory: &Path, arguments: &[&str]) -> Result<()> {
        let parts = self.home.join("apt/sources.list.d");
        for needed in [
            "apt/sources.list.d",
            "apt/lists/partial",
            "apt/cache/archives/partial",
        ] {
            create(&self.home.join(needed))?;
        }
        if copy_sources(&parts)? == 0 {
            return Err("apt is set up without a mirror of this Debian release".to_owned());
        }
        let mut command = Command::new("apt-get");
        let apt = self.home.join("apt");
        for (option, value) in [
            ("Dir::Etc::SourceParts", &parts),
            ("Dir::State::Lists", &apt.join("lists")),
            ("Dir::Cache", &apt.join("cache")),
        ] {
            command
                .arg("-o")
                .arg(format!("{option}={}", value.display()));
        }
        // As root apt would download as a user who may not write here.
        command.args([
            "-o",
            "Dir::Etc::SourceList=/dev/null",
            "-o",
            "APT::Sandbox::User=",
        ]);
        succeed(command.args(arguments).current_dir(directory))
    }
}

/// The package description in a directory, if it is there.
fn description_in(directory: &Path) -> Option<PathBuf> {
    let paths = fs::read_dir(directory)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "dsc"))
        .min()
}

/// The name of this machine's Debian release.
fn release() -> String {
    let description = fs::read_to_string("/etc/os-release").unwrap_or_default();
    description
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .unwrap_or("stable")
        .to_owned()
}

/// Writes the machine's own sources of its Debian release again, as sources of source packages; returns how many.
fn copy_sources(into: &Path) -> Result<usize> {
    let release = release();
    let mut files: Vec<PathBuf> = fs::read_dir("/etc/apt/sources.list.d")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.push(PathBuf::from("/etc/apt/sources.list"));
    let mut copied = 0;
    for file in files {
        let extension = file
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default();
        let text = fs::read_to_string(&file).unwrap_or_default();
        let text = if extension == "sources" {
            from_stanzas(&text, &release)
        } else {
            from_lines(&text, &release)
        };
        if matches!(extension, "sources" | "list") && !text.is_empty() {
            let name = into.join(file.file_name().unwrap_or_default());
            fs::write(&name, text)
                .map_err(|e| format!("cannot write '{}': {e}", name.display()))?;
            copied += 1;
        }
    }
    Ok(copied)
}

/// The stanzas of a `.sources` file that name the release, asking for sources.
fn from_stanzas(text: &str, release: &str) -> String {
    let names_release = |stanza: &&str| {
        stanza.lines().any(|line| {
            line.strip_prefix("Suites:")
                .is_some_and(|suites| suites.split_whitespace().any(|s| s.starts_with(release)))
        })
    };
    let as_source = |line: &str| {
        if line.starts_with("Types:") {
            "Types: deb-src".to_owned()
        } else {
            line.to_owned()
        }
    };
    text.split("\n\n")
        .filter(names_release)
        .map(|stanza| {
            stanza
                .trim()
                .lines()
                .map(as_source)
                .collect::<Vec<_>>()
                .join("\n")
                + "\n\n"
        })
        .collect()
}

/// The lines of a one-line-style file that name the release, asking for sources.
fn from_lines(text: &str, release: &str) -> String {
    text.lines()
        .filter_map(|line| line.strip_prefix("deb "))
        .filter(|rest| {
            rest.split_whitespace()
                .any(|word| word.starts_with(release))
        })
        .map(|rest| format!("deb-src {rest}\n"))
        .collect()
}

fn create(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .map_err(|e| format!("cannot create '{}': {e}", directory.display()))
}

fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let outcome = run(command, b"", LIMIT).map_err(|e| format!("cannot run {program}: {e}"))?;
    if outcome.succeeded() {
        return Ok(());
    }
    Err(format!(
        "{program} ended with {}\n{}",
        outcome.ending,
        String::from_utf8_lossy(&outcome.stderr)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_the_release_become_sources_of_source_packages() {
        let text = "# Debian\nTypes: deb deb-src\nURIs: m\nSuites: stable stable-updates\nComponents: main\n\nTypes: deb\nURIs: x\nSuites: other\n";
        assert_eq!(
            from_stanzas(text, "stable"),
            "# Debian\nTypes: deb-src\nURIs: m\nSuites: stable stable-updates\nComponents: main\n\n"
        );
        let text =
            "# no\ndeb [arch=amd64] m stable main\ndeb-src m stable main\ndeb m other main\n";
        assert_eq!(
            from_lines(text, "stable"),
            "deb-src [arch=amd64] m stable main\n"
        );
    }
}
