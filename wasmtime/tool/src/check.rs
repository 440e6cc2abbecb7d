//! `check`: everything that must hold for a queue before it is committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::Value;

use crate::checkout::Checkout;
use crate::compose::{Recipe, Stages};
use crate::diff::Fit;
use crate::failure::{Explain, Failure, Result};
use crate::fetch;
use crate::pin::{Queue, Source};
use crate::tree::Tree;

/// Checks a queue from its verified archives, without touching the imported trees. `temporary` is a directory for
/// throw-away trees. Returns the faults, one sentence each.
pub(crate) fn queue(queue: &Queue, downloads: &Path, temporary: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for lock in &queue.locks {
        faults.extend(lock_faults(lock, &queue.sources)?);
    }
    let archives = fetch::archives(queue, downloads)?;
    let mut patches = 0;
    for (source, archive) in queue.sources.iter().zip(&archives) {
        let recipe = Recipe::read(queue, source)?;
        patches += recipe.patches.len();
        let place = |fault: String| format!("{}: {fault}", source.name);
        faults.extend(
            recipe
                .patches
                .iter()
                .filter_map(|p| p.header_fault())
                .map(place),
        );
        match recipe.build(archive, recipe.patches.len(), Fit::Exact) {
            Ok(stages) => faults.extend(
                round_trip(&recipe, &stages, temporary)?
                    .into_iter()
                    .map(place),
            ),
            Err(failure) => faults.push(failure.to_string()),
        }
    }
    if faults.is_empty() {
        println!(
            "{}: {} sources, {patches} patches: in order",
            queue.name,
            queue.sources.len()
        );
    }
    Ok(faults)
}

/// What is not as it was after an import and an export.
fn round_trip(recipe: &Recipe, stages: &Stages, temporary: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (index, patch) in recipe.patches.iter().enumerate() {
        if patch.with_body(&stages.body(index)) != patch.text {
            faults.push(format!(
                "{}: not as export writes it (`cargo tool refresh` rewrites it)",
                patch.name
            ));
        }
    }
    let dir = tempfile::tempdir_in(temporary).explain("make a temporary directory")?;
    let checkout = Checkout::at(&dir.path().join("tree"))?;
    checkout.replace(
        &stages.complete(&recipe.overlay),
        &recipe.stamp(recipe.patches.len()),
        None,
    )?;
    let imported = checkout.read()?;
    let (upstream, new): (Tree, Tree) = imported
        .into_iter()
        .partition(|(path, _)| stages.pristine().contains_key(path));
    if upstream != *stages.last() {
        faults.push("the imported tree is not what archive and patches make".to_owned());
    }
    if new != recipe.overlay {
        faults.push("the new files of the imported tree are not those of the overlay".to_owned());
    }
    Ok(faults)
}

/// Where a Cargo.lock says something else than the pins. A crate that is patched in has no checksum there.
fn lock_faults(lock: &Path, sources: &[Source]) -> Result<Vec<String>> {
    let text = match fs::read_to_string(lock) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e).explain(format_args!("read {}", lock.display())),
    };
    let value: Value = toml::from_str(&text)
        .map_err(|e| Failure::new(format!("{}: {}", lock.display(), e.message())))?;
    let field =
        |package: &Value, key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut locked: BTreeMap<String, Vec<(String, Option<String>)>> = BTreeMap::new();
    for package in value
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let (Some(name), Some(version)) = (field(package, "name"), field(package, "version")) {
            locked
                .entry(name)
                .or_default()
                .push((version, field(package, "checksum")));
        }
    }
    let mut faults = Vec::new();
    for source in sources {
        let Some(entries) = locked.get(&source.name) else {
            continue;
        };
        match entries
            .iter()
            .find(|(version, _)| *version == source.version)
        {
            None => {
                let versions: Vec<&str> = entries.iter().map(|(v, _)| v.as_str()).collect();
                faults.push(format!(
                    "{} has {} {}, upstream.toml pins {}",
                    lock.display(),
                    source.name,
                    versions.join(" and "),
                    source.version
                ));
            }
            Some((_, Some(checksum))) if *checksum != source.sha256 => faults.push(format!(
                "{} has checksum {checksum} for {} {}, upstream.toml pins {}",
                lock.display(),
                source.name,
                source.version,
                source.sha256
            )),
            Some(_) => {}
        }
    }
    Ok(faults)
}
