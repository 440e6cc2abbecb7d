//! A series of patches: `series` lists the patch files in order; each starts with a description and its trailers.

use std::fs;
use std::path::Path;

use crate::diff::{self, FileDiff, Fit};
use crate::failure::{Explain, Failure, Result};
use crate::tree::Tree;

/// What every patch says about itself.
pub(crate) const TRAILERS: [&str; 3] = ["Reason", "Upstream", "Test"];

/// One patch file.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// File name inside the patches directory.
    pub(crate) name: String,
    /// Description and trailers, without the empty line after them.
    pub(crate) header: Vec<u8>,
    pub(crate) files: Vec<FileDiff>,
    /// The file as it is on disk.
    pub(crate) text: Vec<u8>,
}

impl Patch {
    fn parse(name: &str, text: Vec<u8>) -> Result<Self> {
        let mut start = 0;
        for line in text.split_inclusive(|b| *b == b'\n') {
            if line.starts_with(b"--- ") || line.starts_with(b"diff ") {
                break;
            }
            start += line.len();
        }
        let (header, body) = text.split_at_checked(start).unwrap_or((&text, &[]));
        let files = diff::parse(name, body)?;
        if files.is_empty() {
            return Err(Failure::new(format!("{name}: it changes nothing")));
        }
        Ok(Self {
            name: name.to_owned(),
            header: header.trim_ascii_end().to_vec(),
            files,
            text,
        })
    }

    /// The text of a patch file with this patch's header and `body` as its diff.
    pub(crate) fn with_body(&self, body: &[u8]) -> Vec<u8> {
        let mut out = self.header.clone();
        out.extend_from_slice(if out.is_empty() { b"" } else { b"\n\n" });
        out.extend_from_slice(body);
        out
    }

    /// True if the patch changes `path`.
    pub(crate) fn touches(&self, path: &str) -> bool {
        self.files.iter().any(|f| f.path == path)
    }

    /// Applies the patch; a failure names every hunk that does not fit.
    pub(crate) fn apply(&self, tree: &mut Tree, fit: Fit) -> Result<()> {
        let rejects: Vec<String> = self
            .files
            .iter()
            .filter_map(|f| f.apply(tree, fit).err())
            .flatten()
            .collect();
        if rejects.is_empty() {
            return Ok(());
        }
        let failure = Failure::new(format!(
            "{} does not apply\n  {}",
            self.name,
            rejects.join("\n  ")
        ));
        let moved_only = rejects.iter().all(|r| r.ends_with("only"));
        Err(failure.hint(if moved_only {
            "`cargo tool refresh` rewrites line numbers"
        } else {
            "correct the patch by hand, or import with --until the patch before it, edit, and export"
        }))
    }

    /// What is missing in the header, as a sentence.
    pub(crate) fn header_fault(&self) -> Option<String> {
        let header = String::from_utf8_lossy(&self.header);
        let description = header.lines().next().unwrap_or_default();
        if description.is_empty()
            || TRAILERS
                .iter()
                .any(|t| description.starts_with(&format!("{t}:")))
        {
            return Some(format!(
                "{}: it does not start with a description",
                self.name
            ));
        }
        for trailer in TRAILERS {
            let said = header
                .lines()
                .find_map(|l| l.strip_prefix(trailer)?.strip_prefix(':'));
            if said.is_none_or(|s| s.trim().is_empty()) {
                return Some(format!("{}: it has no '{trailer}:' trailer", self.name));
            }
        }
        None
    }
}

/// Reads the series of a patches directory. No directory is an empty series.
pub(crate) fn read(dir: &Path) -> Result<Vec<Patch>> {
    let list = dir.join("series");
    if !list.exists() {
        return match stray_patch(dir, &[])? {
            Some(name) => Err(not_listed(dir, &name)),
            None => Ok(Vec::new()),
        };
    }
    let text = fs::read_to_string(&list).explain(format_args!("read {}", list.display()))?;
    let mut patches: Vec<Patch> = Vec::new();
    for name in text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        if name.contains('/') || !name.ends_with(".patch") {
            return Err(Failure::new(format!(
                "{}: '{name}' is not the name of a patch file",
                list.display()
            )));
        }
        if patches.iter().any(|p| p.name == name) {
            return Err(Failure::new(format!(
                "{}: '{name}' is listed twice",
                list.display()
            )));
        }
        let path = dir.join(name);
        let text =
            fs::read(&path).explain(format_args!("read {} (listed in series)", path.display()))?;
        patches.push(Patch::parse(name, text)?);
    }
    match stray_patch(dir, &patches)? {
        Some(name) => Err(not_listed(dir, &name)),
        None => Ok(patches),
    }
}

fn not_listed(dir: &Path, name: &str) -> Failure {
    Failure::new(format!("{}/{name} is not listed in series", dir.display()))
        .hint("add its name to the file `series`, or delete it")
}

/// A patch file that the series does not list.
fn stray_patch(dir: &Path, patches: &[Patch]) -> Result<Option<String>> {
    if !dir.exists() {
        return Ok(None);
    }
    for entry in fs::read_dir(dir).explain(format_args!("read {}", dir.display()))? {
        let name = entry
            .explain(format_args!("read {}", dir.display()))?
            .file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".patch") && patches.iter().all(|p| p.name != *name) {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

/// Lists `name` in the file `series` after the patch `after`, or as the first one.
pub(crate) fn insert(dir: &Path, name: &str, after: Option<&str>) -> Result<()> {
    edit_list(dir, |lines| {
        let place = after
            .and_then(|a| lines.iter().position(|l| l.trim() == a))
            .map_or(0, |i| i + 1);
        // A comment at the top of the file stays there.
        let comments = lines
            .iter()
            .skip(place)
            .take_while(|l| after.is_none() && l.starts_with('#'))
            .count();
        lines.insert(place + comments, name.to_owned());
    })
}

/// Takes `name` out of the file `series`.
pub(crate) fn remove(dir: &Path, name: &str) -> Result<()> {
    edit_list(dir, |lines| lines.retain(|l| l.trim() != name))
}

fn edit_list(dir: &Path, edit: impl FnOnce(&mut Vec<String>)) -> Result<()> {
    let list = dir.join("series");
    let mut lines: Vec<String> = match fs::read_to_string(&list) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e).explain(format_args!("read {}", list.display())),
    };
    edit(&mut lines);
    let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    fs::write(&list, text).explain(format_args!("write {}", list.display()))
}

/// A patch that does not exist yet, with a header to be filled in.
pub(crate) fn blank(name: &str) -> Patch {
    let header = "Describe the change here.\n\nReason:\nUpstream:\nTest:";
    Patch {
        name: name.to_owned(),
        header: header.into(),
        files: Vec::new(),
        text: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";

    fn fault(header: &str) -> Option<String> {
        Patch::parse("p", format!("{header}\n\n{BODY}").into_bytes())
            .unwrap()
            .header_fault()
    }

    #[test]
    fn a_header_needs_a_description_and_three_trailers() {
        assert_eq!(fault("Why.\n\nReason: r\nUpstream: no\nTest: t"), None);
        assert!(
            fault("Reason: r\nUpstream: no\nTest: t")
                .unwrap()
                .contains("description")
        );
        assert!(
            fault("Why.\n\nReason: r\nUpstream: no")
                .unwrap()
                .contains("'Test:'")
        );
        assert!(
            fault("Why.\n\nReason:\nUpstream: no\nTest: t")
                .unwrap()
                .contains("'Reason:'")
        );
    }

    #[test]
    fn a_canonical_patch_is_written_as_it_was_read() {
        let text = format!("Why.\n\nReason: r\nUpstream: no\nTest: t\n\n{BODY}");
        let patch = Patch::parse("p", text.clone().into_bytes()).unwrap();
        assert_eq!(patch.with_body(BODY.as_bytes()), text.as_bytes());
    }

    #[test]
    fn every_patch_file_is_listed_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.patch"), BODY).unwrap();
        assert!(
            read(dir.path())
                .unwrap_err()
                .to_string()
                .contains("not listed")
        );
        fs::write(dir.path().join("series"), "# order\na.patch\n").unwrap();
        assert_eq!(read(dir.path()).unwrap().len(), 1);
        fs::write(dir.path().join("series"), "a.patch\na.patch\n").unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().contains("twice"));
        fs::write(dir.path().join("series"), "a.patch\nb.patch\n").unwrap();
        assert!(
            read(dir.path())
                .unwrap_err()
                .to_string()
                .contains("b.patch")
        );
    }
}
