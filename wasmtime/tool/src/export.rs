//! `export` and `refresh`: from an edited tree back to patches and overlay.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::checkout::{Checkout, Edits, Stamp};
use crate::compose::{BEFORE_FIRST, Recipe, Stages};
use crate::diff::Fit;
use crate::failure::{Explain, Failure, Result};
use crate::fetch::{self, sha256};
use crate::import;
use crate::pin::{Places, Queue, Source};
use crate::rewrite::Rewrite;
use crate::series::{self, Patch};
use crate::tree::{self, File, Kind};

/// What the edits of one source become.
struct Plan {
    recipe: Recipe,
    places: Places,
    rewrite: Rewrite,
    overlay: Edits,
    /// The last patch that the tree will have, if the import stopped before the end.
    until: Option<String>,
}

/// Puts the edits in the trees of `queue` into the patches that touch those files, or into the patch `into`.
pub(crate) fn queue(queue: &Queue, downloads: &Path, into: Option<&str>) -> Result<()> {
    let into = into.map(import::patch_file);
    if let Some(name) = into.as_deref().filter(|n| n.contains('/')) {
        return Err(Failure::new(format!(
            "'{name}' is not the name of a patch file"
        )));
    }
    let mut edited = Vec::new();
    for (index, source) in queue.sources.iter().enumerate() {
        let checkout = Checkout::at(&queue.places(source).tree)?;
        if let Some(stamp) = checkout.stamp()? {
            let edits = checkout.edits(&stamp)?;
            if !edits.is_empty() {
                edited.push((index, source, stamp, edits));
            }
        }
    }
    if edited.is_empty() {
        println!("{}: no edits to export", queue.name);
        return Ok(());
    }
    let archives = fetch::archives(queue, downloads)?;
    let mut plans = Vec::new();
    for (index, source, stamp, edits) in edited {
        let Some(archive) = archives.get(index) else {
            continue;
        };
        plans.push(plan(
            queue,
            source,
            archive,
            &stamp,
            edits,
            into.as_deref(),
        )?);
    }
    for plan in plans {
        let source = plan.recipe.source.clone();
        for changed in plan.rewrite.write(&plan.recipe, &plan.places)? {
            println!("{}: {}: {changed}", queue.name, source.name);
        }
        for (path, file) in &plan.overlay {
            put(&plan.places.overlay, path, file.as_ref())?;
            println!(
                "{}: {}: overlay {path}{}",
                queue.name,
                source.name,
                if file.is_some() { "" } else { " removed" }
            );
        }
        let misfit = plan.rewrite.misfit(&queue.name, &source.name);
        import::again(queue, &source, downloads, plan.until.as_deref())?;
        misfit?;
    }
    Ok(())
}

fn plan(
    queue: &Queue,
    source: &Source,
    archive: &Path,
    stamp: &Stamp,
    edits: Edits,
    into: Option<&str>,
) -> Result<Plan> {
    let places = queue.places(source);
    let recipe = Recipe::read(queue, source)?;
    let count = recipe.count(stamp.until.as_deref())?;
    let mut stages = recipe.build(archive, count, Fit::Exact)?;
    refuse_conflicts(&recipe, &stages, stamp, &edits)?;

    let (upstream, overlay): (Edits, Edits) = edits.into_iter().partition(|(path, _)| {
        stages.pristine().contains_key(path) && !recipe.overlay.contains_key(path)
    });
    refuse_kinds(&stages, &upstream)?;
    let mut patches: Vec<Patch> = recipe.patches.iter().take(count).cloned().collect();
    let mut rest = recipe.patches.get(count..).unwrap_or_default();
    if !upstream.is_empty() {
        if let Some(name) = into.filter(|n| patches.iter().all(|p| p.name != *n)) {
            // The next patch is done again; any other name is a new patch at this place.
            let patch = match rest.split_first() {
                Some((next, others)) if next.name == name => {
                    rest = others;
                    next.clone()
                }
                _ if rest.iter().any(|p| p.name == name) => {
                    return Err(Failure::new(format!(
                        "{name} is not applied in the imported tree"
                    ))
                    .hint(format!(
                        "`cargo tool import {} --until {name}` before editing",
                        queue.name
                    )));
                }
                _ => series::blank(name),
            };
            patches.push(patch);
            stages.push(None, Fit::Exact)?;
        }
        for (path, index) in route(&patches, &upstream, into, &queue.name)? {
            stages.edit(index, path, upstream.get(path).and_then(Option::as_ref));
        }
    }
    let last = patches
        .iter()
        .enumerate()
        .rev()
        .find(|(i, _)| !stages.body(*i).is_empty());
    let until = (!rest.is_empty()).then(|| last.map_or(BEFORE_FIRST, |(_, p)| &p.name).to_owned());
    let rewrite = Rewrite::follow(patches, stages, rest);
    Ok(Plan {
        recipe,
        places,
        rewrite,
        overlay,
        until,
    })
}

/// An edit of a file that the queue has meanwhile changed as well would undo that change.
fn refuse_conflicts(recipe: &Recipe, stages: &Stages, stamp: &Stamp, edits: &Edits) -> Result<()> {
    let now = stages.complete(&recipe.overlay);
    for (path, edit) in edits {
        let file = now.get(path);
        let same = file.map(|f| sha256(&f.bytes)).as_deref() == stamp.imported(path);
        if !same && file != edit.as_ref() {
            return Err(Failure::new(format!(
                "{}: {path} was edited, and the queue's version of it has changed since the import",
                recipe.source.name
            ))
            .hint("copy the edited file, import with --force, and make the edit again"));
        }
    }
    Ok(())
}

/// A patch expresses text only.
fn refuse_kinds(stages: &Stages, upstream: &Edits) -> Result<()> {
    for (path, edit) in upstream {
        let old = stages.pristine().get(path).map_or(Kind::Plain, |f| f.kind);
        if old == Kind::Link || edit.as_ref().is_some_and(|f| f.kind != old) {
            return Err(Failure::new(format!(
                "{path}: a patch cannot change links or the executable bit"
            )));
        }
    }
    Ok(())
}

/// The index of the patch that each edited upstream file belongs to.
fn route<'a>(
    patches: &[Patch],
    edits: &'a Edits,
    into: Option<&str>,
    queue: &str,
) -> Result<BTreeMap<&'a str, usize>> {
    let mut routes = BTreeMap::new();
    let mut homeless = Vec::new();
    for path in edits.keys() {
        let last = patches.iter().rposition(|p| p.touches(path));
        let chosen = into.and_then(|n| patches.iter().position(|p| p.name == n));
        match (chosen, last) {
            (Some(chosen), Some(last)) if last > chosen => {
                let (earlier, later) = (patches.get(chosen), patches.get(last));
                let name = |p: Option<&Patch>| p.map_or_else(String::new, |p| p.name.clone());
                return Err(Failure::new(format!(
                    "{path}: {} changes it after {}",
                    name(later),
                    name(earlier)
                ))
                .hint(format!(
                    "`cargo tool import {queue} --until {}` before editing for that patch",
                    name(earlier)
                )));
            }
            (Some(index), _) | (None, Some(index)) => {
                routes.insert(path.as_str(), index);
            }
            (None, None) => homeless.push(path.as_str()),
        }
    }
    if homeless.is_empty() {
        return Ok(routes);
    }
    Err(Failure::new(format!(
        "no patch touches these files yet\n  {}",
        homeless.join("\n  ")
    ))
    .hint(format!(
        "`cargo tool export {queue} --into NAME` puts them into the patch NAME, making it if needed"
    )))
}

/// Writes or removes an overlay file.
fn put(overlay: &Path, path: &str, file: Option<&File>) -> Result<()> {
    let place = overlay.join(path);
    if fs::symlink_metadata(&place).is_ok() {
        fs::remove_file(&place).explain(format_args!("remove {}", place.display()))?;
    }
    match file {
        Some(file) => tree::write_file(&place, file),
        None => Ok(()),
    }
}

/// Rewrites the patches of every source in canonical form, hunks at their true lines.
pub(crate) fn refresh(queue: &Queue, downloads: &Path) -> Result<()> {
    let archives = fetch::archives(queue, downloads)?;
    for (source, archive) in queue.sources.iter().zip(&archives) {
        let recipe = Recipe::read(queue, source)?;
        let stages = recipe.build(archive, 0, Fit::Exact)?;
        let rewrite = Rewrite::follow(Vec::new(), stages, &recipe.patches);
        for changed in rewrite.write(&recipe, &queue.places(source))? {
            println!("{}: {}: {changed}", queue.name, source.name);
        }
        rewrite.misfit(&queue.name, &source.name)?;
    }
    Ok(())
}
