//! Keeps upstream sources as a pin, a queue of patches and an overlay of new files.
//!
//! `README.md` beside this crate says how to work with it.

mod checkout;
mod compose;
mod diff;
mod failure;
mod fetch;
mod import;
mod pin;
mod series;
mod tree;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use failure::{Explain, Failure, Result};
use import::Unexported;
use pin::Queue;

#[derive(Parser)]
#[command(name = "cargo tool", bin_name = "cargo tool", version, about)]
struct Cli {
    /// The repository; a queue is a directory in it that has an `upstream.toml`.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Queues {
    /// The queues to work on [default: all].
    #[arg(value_name = "QUEUE")]
    names: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Download the pinned archives and verify their digests.
    Fetch(Queues),
    /// Unpack, patch and overlay the sources under target/; nothing happens if nothing changed.
    Import {
        #[command(flatten)]
        queues: Queues,
        /// Stop after this patch (PATCH or SOURCE/PATCH), to edit what it makes.
        #[arg(long, value_name = "PATCH")]
        until: Option<String>,
        /// Replace trees even if they have edits that were not exported: the edits are lost.
        #[arg(long)]
        force: bool,
    },
}

/// The queues below the root, by name: those named, or all.
fn queues(root: &Path, chosen: &Queues) -> Result<Vec<Queue>> {
    let doing = format!("read {}", root.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(root).explain(&doing)? {
        let entry = entry.explain(&doing)?;
        if entry.path().join("upstream.toml").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let all = names.join(", ");
    if !chosen.names.is_empty() {
        let given = |n: &String| n.trim_end_matches('/').to_owned();
        if let Some(wrong) = chosen.names.iter().map(given).find(|n| !names.contains(n)) {
            return Err(Failure::new(format!("there is no queue '{wrong}'")).hint(if all.is_empty() {
                "run this in the repository's root directory".to_owned()
            } else {
                format!("the queues are: {all}")
            }));
        }
        names = chosen.names.iter().map(given).collect();
    }
    if names.is_empty() {
        return Err(Failure::new(format!("no directory of {} has an upstream.toml", root.display()))
            .hint("run this in the repository's root directory"));
    }
    names.iter().map(|n| Queue::load(root, n)).collect()
}

/// Waits until no other instance changes trees or queues; the lock lasts as long as the file is open.
fn lock(target: &Path) -> Result<fs::File> {
    let path = target.join("patch-queue.lock");
    let doing = format!("lock {}", path.display());
    fs::create_dir_all(target).explain(&doing)?;
    let file = fs::File::create(&path).explain(&doing)?;
    if file.try_lock().is_err() {
        eprintln!("waiting for another `cargo tool` to finish");
        file.lock().explain(&doing)?;
    }
    Ok(file)
}

fn run(cli: &Cli) -> Result<()> {
    let target = cli.root.join("target");
    let downloads = target.join("downloads");
    let _lock = lock(&target)?;
    match &cli.command {
        Command::Fetch(chosen) => {
            for queue in queues(&cli.root, chosen)? {
                for path in fetch::archives(&queue, &downloads)? {
                    println!("{}: {}", queue.name, path.display());
                }
            }
            Ok(())
        }
        Command::Import { queues: chosen, until, force } => {
            let queues = queues(&cli.root, chosen)?;
            let until = until.as_deref().map(|text| import::find_patch(&queues, text)).transpose()?;
            let edits = if *force { Unexported::Discard } else { Unexported::Keep };
            queues.iter().try_for_each(|q| import::queue(q, &downloads, until.as_ref(), edits))
        }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cargo tool: {failure}");
            ExitCode::FAILURE
        }
    }
}
