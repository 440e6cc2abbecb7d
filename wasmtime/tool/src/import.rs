//! `import`: makes the trees that are built, from archive, patches and overlay.

use std::path::Path;

use crate::checkout::{Checkout, Edits};
use crate::compose::{BEFORE_FIRST, Recipe};
use crate::diff::Fit;
use crate::failure::{Failure, Result};
use crate::fetch;
use crate::pin::{Queue, Source};

/// What to do with edits in a tree that is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unexported {
    /// Leave the tree alone and fail.
    Keep,
    /// Replace the tree.
    Discard,
}

/// Where a source's import stops.
pub(crate) type Until = (Source, String);

/// Finds the patch that `--until` names, as `PATCH` or `SOURCE/PATCH`, in the given queues.
pub(crate) fn find_patch(queues: &[Queue], text: &str) -> Result<Until> {
    let (only, name) = match text.split_once('/') {
        Some((source, name)) => (Some(source), name),
        None => (None, text),
    };
    let name = if name == BEFORE_FIRST {
        name.to_owned()
    } else {
        patch_file(name)
    };
    let mut found = Vec::new();
    for (queue, source) in queues
        .iter()
        .flat_map(|q| q.sources.iter().map(move |s| (q, s)))
    {
        let named = only.is_none_or(|o| o == source.name || o == queue.name);
        if named && Recipe::read(queue, source)?.count(Some(&name)).is_ok() {
            found.push(source);
        }
    }
    match found.as_slice() {
        [source] => Ok(((*source).clone(), name)),
        [] => Err(Failure::new(format!("there is no patch '{text}'"))
            .hint("`cargo tool status` lists the patches")),
        [first, ..] => Err(Failure::new(format!("'{name}' fits several sources"))
            .hint(format!("say which, for example {}/{name}", first.name))),
    }
}

/// The file name of a patch that may be given without its extension.
pub(crate) fn patch_file(name: &str) -> String {
    if name.ends_with(".patch") {
        name.to_owned()
    } else {
        format!("{name}.patch")
    }
}

/// Imports every source of a queue whose tree is not what the queue says. `until` stops one source early.
pub(crate) fn queue(
    queue: &Queue,
    downloads: &Path,
    until: Option<&Until>,
    edits: Unexported,
) -> Result<()> {
    let stale = stale(queue, &queue.sources, until, edits)?;
    if stale.is_empty() {
        println!("{}: up to date", queue.name);
    }
    replace(queue, stale, downloads, edits)
}

/// Imports one source of a queue, over whatever is there.
pub(crate) fn again(
    queue: &Queue,
    source: &Source,
    downloads: &Path,
    until: Option<&str>,
) -> Result<()> {
    let until = until.map(|u| (source.clone(), u.to_owned()));
    let stale = stale(
        queue,
        std::slice::from_ref(source),
        until.as_ref(),
        Unexported::Discard,
    )?;
    replace(queue, stale, downloads, Unexported::Discard)
}

/// A source whose tree has to be made.
struct Stale {
    recipe: Recipe,
    checkout: Checkout,
    until: Option<String>,
}

fn stale(
    queue: &Queue,
    sources: &[Source],
    until: Option<&Until>,
    edits: Unexported,
) -> Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for source in sources {
        let recipe = Recipe::read(queue, source)?;
        let until = until
            .filter(|(s, _)| s.name == source.name)
            .map(|(_, patch)| patch.clone());
        let checkout = Checkout::at(&queue.places(source).tree)?;
        let digest = recipe.stamp(recipe.count(until.as_deref())?);
        let forced =
            edits == Unexported::Discard && !unexported(&checkout)?.is_some_and(|e| e.is_empty());
        if forced || checkout.digest() != Some(digest) {
            stale.push(Stale {
                recipe,
                checkout,
                until,
            });
        }
    }
    Ok(stale)
}

fn replace(queue: &Queue, stale: Vec<Stale>, downloads: &Path, edits: Unexported) -> Result<()> {
    if stale.is_empty() {
        return Ok(());
    }
    if edits == Unexported::Keep {
        for Stale { checkout, .. } in &stale {
            refuse_edits(queue, checkout)?;
        }
    }
    let archives = fetch::archives(queue, downloads)?;
    for Stale {
        recipe,
        checkout,
        until,
    } in stale
    {
        let archives = queue.sources.iter().zip(&archives);
        let Some((_, archive)) = archives
            .into_iter()
            .find(|(s, _)| s.name == recipe.source.name)
        else {
            continue;
        };
        let count = recipe.count(until.as_deref())?;
        let stages = recipe.build(archive, count, Fit::Exact)?;
        let until = until.filter(|_| count < recipe.patches.len());
        checkout.replace(
            &stages.complete(&recipe.overlay),
            &recipe.stamp(count),
            until.as_deref(),
        )?;
        let source = &recipe.source;
        println!(
            "{}: {} {}: {} of {} patches, {} new files",
            queue.name,
            source.name,
            source.version,
            count,
            recipe.patches.len(),
            recipe.overlay.len()
        );
    }
    Ok(())
}

/// The edits in a tree; `None` if there is no imported tree.
fn unexported(checkout: &Checkout) -> Result<Option<Edits>> {
    match checkout.stamp() {
        Ok(Some(stamp)) => checkout.edits(&stamp).map(Some),
        _ => Ok(None),
    }
}

fn refuse_edits(queue: &Queue, checkout: &Checkout) -> Result<()> {
    if !checkout.exists() {
        return Ok(());
    }
    let place = checkout.path().display();
    let Some(stamp) = checkout.stamp()? else {
        return Err(
            Failure::new(format!("{place} exists, but was not made by import"))
                .hint("move it away, or import with --force to replace it"),
        );
    };
    let edits = checkout.edits(&stamp)?;
    if edits.is_empty() {
        return Ok(());
    }
    let mut list: Vec<&str> = edits.keys().take(8).map(String::as_str).collect();
    if edits.len() > list.len() {
        list.push("…");
    }
    let name = &queue.name;
    Err(Failure::new(format!(
        "{place} has edits that are in no patch\n  {}",
        list.join("\n  ")
    ))
    .hint(format!(
        "`cargo tool export {name}` keeps them, `cargo tool import {name} --force` discards them"
    )))
}
