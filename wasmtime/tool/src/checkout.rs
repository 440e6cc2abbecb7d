//! An imported tree on disk: its stamp, the edits made in it since, and its replacement as a whole.
//!
//! The stamp is a file inside the tree, so tree and stamp appear together by one rename and a tree without a stamp
//! was never finished. It records every file, so edits are found without unpacking the archive again. Its first lines are
//! the format, the digest of all that the tree was made from (builds may use it as a key), and the last patch if the
//! import stopped early; then comes a line for each file: SHA-256, kind, size, modification time, path.
//!
//! Build tools compare modification times. Therefore a file keeps its time as long as its content stays, all files
//! that change in one import get the same time, taken just before the tree appears, and the input of autoconf never
//! looks newer than the `configure` that upstream or a patch provides: it is the queue that keeps the two in step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::failure::{Explain, Failure, Result};
use crate::fetch::sha256;
use crate::tree::{self, File, Kind, Tree};

/// The stamp's name inside the tree.
const STAMP: &str = ".patch-queue";
/// The stamp's first line.
const FORMAT: &str = "patch-queue 1";

/// What a file was like when it was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    kind: Kind,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    sha256: String,
}

/// What was imported.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// [`crate::compose::Recipe::stamp`] of what the tree was made from.
    pub(crate) digest: String,
    /// The last patch applied, if the import stopped there.
    pub(crate) until: Option<String>,
    files: BTreeMap<String, Entry>,
}

/// Files by path that differ from what was imported; `None` is a deleted one.
pub(crate) type Edits = BTreeMap<String, Option<File>>;

impl Stamp {
    /// The SHA-256 that `path` had when it was imported.
    pub(crate) fn imported(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|e| e.sha256.as_str())
    }
}

/// The place of an imported tree.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    dir: PathBuf,
}

impl Checkout {
    /// The tree at `dir`, which need not exist. An interrupted replacement is undone.
    pub(crate) fn at(dir: &Path) -> Result<Self> {
        let checkout = Self {
            dir: dir.to_owned(),
        };
        let old = checkout.sibling("old");
        if old.exists() && !dir.exists() {
            fs::rename(&old, dir).explain(format_args!("restore {}", dir.display()))?;
        }
        Ok(checkout)
    }

    fn sibling(&self, suffix: &str) -> PathBuf {
        let mut name = self.dir.clone().into_os_string();
        name.push(".");
        name.push(suffix);
        name.into()
    }

    /// The tree's root directory.
    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    /// True if something is there, imported or not.
    pub(crate) fn exists(&self) -> bool {
        self.dir.exists()
    }

    /// What the tree was made from, without reading the rest of the stamp.
    pub(crate) fn digest(&self) -> Option<String> {
        let mut lines = BufReader::new(fs::File::open(self.dir.join(STAMP)).ok()?).lines();
        (lines.next()?.ok()? == FORMAT).then(|| lines.next()?.ok())?
    }

    /// The whole stamp; `None` if nothing was imported here.
    pub(crate) fn stamp(&self) -> Result<Option<Stamp>> {
        let path = self.dir.join(STAMP);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).explain(format_args!("read {}", path.display()))?;
        match parse(&text) {
            Some(stamp) => Ok(Some(stamp)),
            None => Err(Failure::new(format!("{} is damaged", path.display()))
                .hint(format!("remove {} and import again", self.dir.display()))),
        }
    }

    /// The whole tree, without the stamp.
    pub(crate) fn read(&self) -> Result<Tree> {
        let mut tree = Tree::new();
        for path in walk(&self.dir)?.into_iter().filter(|p| p != STAMP) {
            let file = tree::read_file(&self.dir.join(&path))?;
            tree.insert(path, file);
        }
        Ok(tree)
    }

    /// What differs from the import.
    pub(crate) fn edits(&self, stamp: &Stamp) -> Result<Edits> {
        let mut edits = Edits::new();
        let mut seen = BTreeSet::new();
        for path in walk(&self.dir)? {
            let entry = stamp.files.get(&path);
            if entry.is_none() && (path == STAMP || tree::is_litter(&path)) {
                continue;
            }
            let place = self.dir.join(&path);
            if !entry.is_some_and(|e| unchanged(&place, e)) {
                let file = tree::read_file(&place)?;
                if entry.is_none_or(|e| e.kind != file.kind || e.sha256 != sha256(&file.bytes)) {
                    edits.insert(path.clone(), Some(file));
                }
            }
            seen.insert(path);
        }
        edits.extend(
            stamp
                .files
                .keys()
                .filter(|p| !seen.contains(*p))
                .map(|p| (p.clone(), None)),
        );
        Ok(edits)
    }

    /// Puts `tree` in the place of what is there. At every moment either the old or the new tree is there, or none.
    pub(crate) fn replace(&self, tree: &Tree, digest: &str, until: Option<&str>) -> Result<()> {
        let (new, old) = (self.sibling("new"), self.sibling("old"));
        remove(&new)?;
        remove(&old)?;
        fs::create_dir_all(&new).explain(format_args!("make {}", new.display()))?;
        let before = self.stamp().ok().flatten();

        let mut fresh = Vec::new();
        let mut sums = BTreeMap::new();
        for (path, file) in tree {
            let sum = sha256(&file.bytes);
            let recorded = before.as_ref().and_then(|s| s.files.get(path));
            let (from, to) = (self.dir.join(path), new.join(path));
            let same = recorded
                .is_some_and(|e| e.kind == file.kind && e.sha256 == sum && unchanged(&from, e))
                || (from.exists() && tree::read_file(&from).is_ok_and(|f| f == *file));
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent).explain(format_args!("make {}", parent.display()))?;
            }
            if !(same && fs::hard_link(&from, &to).is_ok()) {
                tree::write_file(&to, file)?;
                fresh.push(path.as_str());
            }
            sums.insert(path.as_str(), sum);
        }
        self.set_times(&new, tree, &fresh)?;

        let mut text = format!("{FORMAT}\n{digest}\n{}\n", until.unwrap_or_default());
        for (path, file) in tree {
            let meta = fs::symlink_metadata(new.join(path)).explain(format_args!("read {path}"))?;
            let sum = sums
                .get(path.as_str())
                .map(String::as_str)
                .unwrap_or_default();
            text.push_str(&format!(
                "{sum} {} {} {} {} {path}\n",
                letter(file.kind),
                meta.len(),
                meta.mtime(),
                meta.mtime_nsec()
            ));
        }
        let stamp = new.join(STAMP);
        let write = || fs::File::create(&stamp)?.write_all(text.as_bytes());
        write().explain(format_args!("write {}", stamp.display()))?;
        if let Some(before) = &before {
            self.keep_directory_times(&new, tree, before)?;
        }

        if self.dir.exists() {
            fs::rename(&self.dir, &old)
                .explain(format_args!("move {} away", self.dir.display()))?;
        }
        fs::rename(&new, &self.dir).explain(format_args!("put {} in place", self.dir.display()))?;
        remove(&old)
    }

    /// Gives the fresh files their time, see the module's documentation.
    fn set_times(&self, new: &Path, tree: &Tree, fresh: &[&str]) -> Result<()> {
        let fresh: BTreeSet<&str> = fresh.iter().copied().collect();
        let now = SystemTime::now();
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let kept = tree
            .keys()
            .filter(|p| name(p) == "configure" && !fresh.contains(p.as_str()));
        let oldest = kept
            .filter_map(|p| fs::metadata(new.join(p)).ok()?.modified().ok())
            .min();
        for path in fresh {
            if tree.get(path).is_none_or(|f| f.kind == Kind::Link) {
                continue;
            }
            let input = matches!(name(path).as_str(), "configure.ac" | "aclocal.m4");
            let time = oldest.filter(|_| input).unwrap_or(now);
            touch(&new.join(path), time)?;
        }
        Ok(())
    }

    /// Directories whose entries stay keep their time: build scripts may watch a directory.
    fn keep_directory_times(&self, new: &Path, tree: &Tree, before: &Stamp) -> Result<()> {
        let (then, now) = (directories(before.files.keys()), directories(tree.keys()));
        for (dir, names) in &now {
            if then.get(dir) == Some(names)
                && let Ok(time) = fs::metadata(self.dir.join(dir)).and_then(|m| m.modified())
            {
                touch(&new.join(dir), time)?;
            }
        }
        Ok(())
    }
}

fn touch(path: &Path, time: SystemTime) -> Result<()> {
    fs::File::open(path)
        .and_then(|f| f.set_modified(time))
        .explain(format_args!("set the time of {}", path.display()))
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).explain(format_args!("remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

/// Directories by path, "" for the root, with the names in them.
fn directories<'a>(
    paths: impl Iterator<Item = &'a String>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in paths {
        let mut rest = path.as_str();
        loop {
            let (dir, name) = rest.rsplit_once('/').unwrap_or(("", rest));
            if !all.entry(dir).or_default().insert(name) || dir.is_empty() {
                break;
            }
            rest = dir;
        }
    }
    all
}

fn unchanged(path: &Path, entry: &Entry) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| {
        let kind = match (m.is_symlink(), m.mode() & 0o111) {
            (true, _) => Kind::Link,
            (_, 0) => Kind::Plain,
            _ => Kind::Executable,
        };
        (kind, m.len(), (m.mtime(), m.mtime_nsec())) == (entry.kind, entry.size, entry.modified)
    })
}

/// All files and links below `root`, without the caches of build tools.
fn walk(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut pending = vec![String::new()];
    while let Some(prefix) = pending.pop() {
        let dir = root.join(&prefix);
        let doing = || format!("read {}", dir.display());
        for entry in fs::read_dir(&dir).explain(doing())? {
            let entry = entry.explain(doing())?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(Failure::new(format!(
                    "{}: a file name is not UTF-8",
                    dir.display()
                )));
            };
            if !entry.file_type().explain(doing())?.is_dir() {
                found.push(format!("{prefix}{name}"));
            } else if name != "autom4te.cache" && !entry.path().join("CACHEDIR.TAG").exists() {
                pending.push(format!("{prefix}{name}/"));
            }
        }
    }
    Ok(found)
}

fn letter(kind: Kind) -> char {
    match kind {
        Kind::Plain => '-',
        Kind::Executable => 'x',
        Kind::Link => 'l',
    }
}

fn parse(text: &str) -> Option<Stamp> {
    let mut lines = text.lines();
    if lines.next()? != FORMAT {
        return None;
    }
    let (digest, until) = (lines.next()?.to_owned(), lines.next()?);
    let mut files = BTreeMap::new();
    for line in lines {
        let mut words = line.splitn(6, ' ');
        let sha256 = words.next()?.to_owned();
        let kind = match words.next()? {
            "-" => Kind::Plain,
            "x" => Kind::Executable,
            "l" => Kind::Link,
            _ => return None,
        };
        let size = words.next()?.parse().ok()?;
        let modified = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        files.insert(
            words.next()?.to_owned(),
            Entry {
                kind,
                size,
                modified,
                sha256,
            },
        );
    }
    Some(Stamp {
        digest,
        until: (!until.is_empty()).then(|| until.to_owned()),
        files,
    })
}
