//! Writes a queue's patches in their one canonical form.
//!
//! The text of a patch is its header and the differences between the trees before and after it, computed anew. So it
//! depends on nothing but those trees: who edited it, in which order and with which tool leaves no trace.

use std::fs;

use crate::compose::{BEFORE_FIRST, Recipe, Stages};
use crate::diff::Fit;
use crate::failure::{Explain, Failure, Result};
use crate::pin::Places;
use crate::series::{self, Patch};

/// The patches of one source, as far as they fit.
#[derive(Debug)]
pub(crate) struct Rewrite {
    /// Patches in order, one for each stage.
    pub(crate) patches: Vec<Patch>,
    pub(crate) stages: Stages,
    /// Why the next patch does not fit. It and those after it stay as they are.
    pub(crate) misfit: Option<Failure>,
}

impl Rewrite {
    /// Starts from stages that the first patches of `recipe` make, and lets the rest follow.
    pub(crate) fn follow(mut patches: Vec<Patch>, mut stages: Stages, rest: &[Patch]) -> Self {
        for patch in rest {
            if let Err(failure) = stages.push(Some(patch), Fit::Moved) {
                return Self {
                    patches,
                    stages,
                    misfit: Some(failure),
                };
            }
            patches.push(patch.clone());
        }
        Self {
            patches,
            stages,
            misfit: None,
        }
    }

    /// Writes what differs from the files in `places`; returns the names of patches written or removed.
    pub(crate) fn write(&self, recipe: &Recipe, places: &Places) -> Result<Vec<String>> {
        let mut changed = Vec::new();
        let mut before: Option<&str> = None;
        for (index, patch) in self.patches.iter().enumerate() {
            let path = places.patches.join(&patch.name);
            let listed = recipe.patches.iter().any(|p| p.name == patch.name);
            let body = self.stages.body(index);
            if body.is_empty() {
                if listed {
                    series::remove(&places.patches, &patch.name)?;
                    fs::remove_file(&path).explain(format_args!("remove {}", path.display()))?;
                    changed.push(format!("{} removed: it would change nothing", patch.name));
                }
                continue;
            }
            let text = patch.with_body(&body);
            if text != patch.text {
                fs::create_dir_all(&places.patches)
                    .explain(format_args!("make {}", places.patches.display()))?;
                let part = path.with_extension("part");
                fs::write(&part, text).explain(format_args!("write {}", part.display()))?;
                fs::rename(&part, &path).explain(format_args!("write {}", path.display()))?;
                if !listed {
                    series::insert(&places.patches, &patch.name, before)?;
                }
                changed.push(patch.name.clone());
            }
            before = Some(&patch.name);
        }
        Ok(changed)
    }

    /// The failure to report after writing, if a patch does not fit: how to go on from there.
    pub(crate) fn misfit(self, queue: &str, source: &str) -> Result<()> {
        let Some(failure) = self.misfit else {
            return Ok(());
        };
        let until = self
            .patches
            .last()
            .map_or(BEFORE_FIRST, |p| p.name.as_str());
        Err(failure.within(source).hint(format!(
            "the patches before it are written; `cargo tool import {queue} --until {source}/{until}`, make its change \
             by hand, then `cargo tool export {queue} --into` it"
        )))
    }
}
