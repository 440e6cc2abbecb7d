//! What a tree consists of: the upstream archive, the patches in order, the overlay on top.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::diff::{self, Fit};
use crate::failure::{Failure, Result};
use crate::pin::{Queue, Source};
use crate::series::{self, Patch};
use crate::tree::{self, File, Kind, Tree};
use crate::unpack;

/// Stands for the name of a patch where no patch is applied yet.
pub(crate) const BEFORE_FIRST: &str = "none";

/// The committed parts of one source: everything but the archive.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) source: Source,
    pub(crate) patches: Vec<Patch>,
    pub(crate) overlay: Tree,
}

impl Recipe {
    /// Reads patches and overlay of a source.
    pub(crate) fn read(queue: &Queue, source: &Source) -> Result<Self> {
        let places = queue.places(source);
        let recipe = Self {
            source: source.clone(),
            patches: series::read(&places.patches)?,
            overlay: tree::read(&places.overlay)?,
        };
        Ok(recipe)
    }

    /// How many patches to apply to have `until` as the last one; all of them for `None`.
    pub(crate) fn count(&self, until: Option<&str>) -> Result<usize> {
        match until {
            None => Ok(self.patches.len()),
            Some(BEFORE_FIRST) => Ok(0),
            Some(name) => match self.patches.iter().position(|p| p.name == name) {
                Some(index) => Ok(index + 1),
                None => Err(Failure::new(format!(
                    "{} has no patch '{name}'",
                    self.source.name
                ))),
            },
        }
    }

    /// A digest of everything that decides what the tree with the first `count` patches contains.
    pub(crate) fn stamp(&self, count: usize) -> String {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        };
        field(b"patch-queue 1");
        field(self.source.sha256.as_bytes());
        for patch in self.patches.iter().take(count) {
            field(&patch.text);
        }
        field(b"overlay");
        for (path, file) in &self.overlay {
            field(path.as_bytes());
            field(match file.kind {
                Kind::Plain => b"-",
                Kind::Executable => b"x",
                Kind::Link => b"l",
            });
            field(&file.bytes);
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Unpacks the archive and applies the first `count` patches.
    pub(crate) fn build(&self, archive: &Path, count: usize, fit: Fit) -> Result<Stages> {
        let mut stages = Stages {
            pristine: unpack::archive(archive)?,
            after: Vec::new(),
        };
        for patch in self.patches.iter().take(count) {
            stages.push(Some(patch), fit).map_err(|e| self.named(e))?;
        }
        if let Some(path) = self
            .overlay
            .keys()
            .find(|p| stages.pristine().contains_key(*p))
        {
            return Err(self.named(
                Failure::new(format!("overlay file {path} exists upstream"))
                    .hint("change upstream's file by a patch"),
            ));
        }
        Ok(stages)
    }

    fn named(&self, failure: Failure) -> Failure {
        failure.within(&format!("{} {}", self.source.name, self.source.version))
    }
}

/// The upstream tree, and the tree after each patch.
#[derive(Clone, Debug)]
pub(crate) struct Stages {
    pristine: Tree,
    /// The tree after each patch.
    after: Vec<Tree>,
}

impl Stages {
    /// Upstream's tree.
    pub(crate) fn pristine(&self) -> &Tree {
        &self.pristine
    }

    /// The tree after the last patch, without the overlay.
    pub(crate) fn last(&self) -> &Tree {
        self.after.last().unwrap_or(&self.pristine)
    }

    /// The tree after the last patch, with the overlay.
    pub(crate) fn complete(&self, overlay: &Tree) -> Tree {
        let mut tree = self.last().clone();
        tree.extend(overlay.iter().map(|(p, f)| (p.clone(), f.clone())));
        tree
    }

    /// The diff that the patch with this index makes.
    pub(crate) fn body(&self, index: usize) -> Vec<u8> {
        let before = index
            .checked_sub(1)
            .map_or(Some(&self.pristine), |i| self.after.get(i));
        match (before, self.after.get(index)) {
            (Some(old), Some(new)) => diff::between(old, new),
            _ => Vec::new(),
        }
    }

    /// Makes `path` look like `file` from the patch with index `from` on; `None` is a deleted file.
    pub(crate) fn edit(&mut self, from: usize, path: &str, file: Option<&File>) {
        for tree in self.after.iter_mut().skip(from) {
            match file {
                Some(file) => tree.insert(path.to_owned(), file.clone()),
                None => tree.remove(path),
            };
        }
    }

    /// Adds a stage: the last tree changed by `patch`, or unchanged for `None`.
    pub(crate) fn push(&mut self, patch: Option<&Patch>, fit: Fit) -> Result<()> {
        let mut next = self.last().clone();
        if let Some(patch) = patch {
            patch.apply(&mut next, fit)?;
        }
        self.after.push(next);
        Ok(())
    }
}
