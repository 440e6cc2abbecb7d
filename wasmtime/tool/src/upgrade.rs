//! `upgrade`: pins another version and carries the patches over as far as they fit.

use std::fs;
use std::path::{Path, PathBuf};

use crate::compose::Recipe;
use crate::diff::Fit;
use crate::failure::{Explain, Failure, Result};
use crate::fetch::{self, Graph, sha256};
use crate::pin::{Origin, Queue, Source};
use crate::rewrite::Rewrite;

/// Pins `version`, or the newest one that is compatible, and rewrites the patches. Trees are not touched.
pub(crate) fn queue(
    queue: &Queue,
    root: &Path,
    downloads: &Path,
    version: Option<&str>,
) -> Result<()> {
    let dir = tempfile::tempdir().explain("make a temporary directory")?;
    let pins = match queue.origin {
        Origin::Crates => crates(queue, version)?,
        Origin::Debian => debian(queue, version, dir.path())?,
        Origin::Local => local(queue, version)?,
    };
    let changed =
        |(old, new): &(&Source, &Source)| old.version != new.version || old.sha256 != new.sha256;
    let steps: Vec<String> = queue
        .sources
        .iter()
        .zip(&pins)
        .filter(changed)
        .map(|(old, new)| {
            format!(
                "{}: {} {} -> {}",
                queue.name, new.name, old.version, new.version
            )
        })
        .collect();
    if steps.is_empty() {
        println!("{}: nothing newer", queue.name);
        return Ok(());
    }
    queue.repin(&pins)?;
    steps.iter().for_each(|s| println!("{s}"));

    let queue = Queue::load(root, &queue.name)?;
    let archives = fetch::archives(&queue, downloads)?;
    let mut misfits = Vec::new();
    for (source, archive) in queue.sources.iter().zip(&archives) {
        let recipe = Recipe::read(&queue, source)?;
        let rewrite = Rewrite::follow(
            Vec::new(),
            recipe.build(archive, 0, Fit::Exact)?,
            &recipe.patches,
        );
        for changed in rewrite.write(&recipe, &queue.places(source))? {
            println!("{}: {}: {changed}", queue.name, source.name);
        }
        misfits.extend(rewrite.misfit(&queue.name, &source.name).err());
    }
    if !queue.locks.is_empty() {
        println!(
            "{}: set the same versions in Cargo.toml, then `cargo tool import {0}` and `cargo build`",
            queue.name
        );
    }
    let mut misfits = misfits.into_iter();
    match misfits.next() {
        None => Ok(()),
        Some(first) => {
            // The first one is the result; the others would only be seen after it is solved.
            misfits.for_each(|m| eprintln!("{m}"));
            Err(first)
        }
    }
}

/// Cargo chooses versions of all crates that go with the first one.
fn crates(queue: &Queue, version: Option<&str>) -> Result<Vec<Source>> {
    let Some(first) = queue.sources.first() else {
        return Ok(Vec::new());
    };
    let requirement = version.map_or_else(|| format!("^{}", first.version), |v| format!("={v}"));
    let graph = Graph::resolve(&first.name, &requirement)?;
    let mut pins = Vec::new();
    for source in &queue.sources {
        let version = graph.version(&source.name)?;
        let archive = graph.archive(&source.name, &version)?;
        // Cargo has compared the archive with the registry's checksum.
        let bytes = fs::read(&archive).explain(format_args!("read {}", archive.display()))?;
        pins.push(Source {
            version,
            sha256: sha256(&bytes),
            ..source.clone()
        });
    }
    Ok(pins)
}

fn debian(queue: &Queue, version: Option<&str>, dir: &Path) -> Result<Vec<Source>> {
    let mut pins = Vec::new();
    for source in &queue.sources {
        let (version, unpacked) = fetch::debian_package(&source.name, version, dir)?;
        let file = matching_file(&unpacked, source.file.as_deref().unwrap_or_default())?;
        let path = unpacked.join(&file);
        let bytes = fs::read(&path).explain(format_args!("read {}", path.display()))?;
        pins.push(Source {
            version,
            sha256: sha256(&bytes),
            file: Some(file),
            ..source.clone()
        });
    }
    Ok(pins)
}

/// The path that `file` has in another version of its package: the archive in the same directory.
fn matching_file(unpacked: &Path, file: &str) -> Result<String> {
    if unpacked.join(file).exists() {
        return Ok(file.to_owned());
    }
    let (dir, name) = file.rsplit_once('/').unwrap_or(("", file));
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    let place = unpacked.join(dir);
    let entries = fs::read_dir(&place).explain(format_args!("read {}", place.display()))?;
    let mut found: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    found.retain(|p| p.extension().is_some_and(|e| e == extension));
    match found.as_slice() {
        [one] => Ok(format!(
            "{dir}/{}",
            one.file_name().unwrap_or_default().to_string_lossy()
        )),
        _ => Err(Failure::new(format!(
            "the package has no one archive in {dir}"
        ))),
    }
}

/// The archive beside `upstream.toml` whose name has the new version in the place of the old one.
fn local(queue: &Queue, version: Option<&str>) -> Result<Vec<Source>> {
    let version = version.ok_or_else(|| Failure::new("a local archive needs --to VERSION"))?;
    let mut pins = Vec::new();
    for source in &queue.sources {
        let file = source
            .file
            .as_deref()
            .unwrap_or_default()
            .replace(&source.version, version);
        let path = queue.dir.join(&file);
        let bytes = fs::read(&path).explain(format_args!("read {}", path.display()))?;
        pins.push(Source {
            version: version.to_owned(),
            sha256: sha256(&bytes),
            file: Some(file),
            ..source.clone()
        });
    }
    Ok(pins)
}
