//! Keeps upstream sources as a pin, a queue of patches and an overlay of new files.
//!
//! `README.md` beside this crate says how to work with it.

mod check;
mod checkout;
mod compose;
mod diff;
mod export;
mod failure;
mod fetch;
mod import;
mod pin;
mod rewrite;
mod series;
mod status;
mod tree;
mod unpack;
mod upgrade;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use failure::{Explain, Failure, Result};
use import::Unexported;
use pin::Queue;

/// What `--help` teaches beyond the list of commands.
const TEACH: &str = "\
A queue is a directory with
  upstream.toml  the pinned sources: version and SHA-256 of each archive
  patches/       `series` and small patches that change upstream's files
  overlay/       our new files, at the paths they have in the source tree
(patches/ and overlay/ of a queue of crates have one directory for each crate).
Import makes the trees under target/ from them; those trees are what is built.

To change upstream's code:
  cargo tool import                   make the trees, if they are not up to date
  $EDITOR target/wasmtime/…           edit, build, test as usual
  cargo tool status                   see what was edited
  cargo tool export --into NAME       put the edits into patch NAME; edits of files that a
                                      patch touches already go there without --into, and
                                      new files go to overlay/
  cargo tool check                    what must hold before a commit

To change an earlier patch, import with --until PATCH, edit, and export.
To take a newer upstream, upgrade; patches that no longer fit are named one by one.";

#[derive(Parser)]
#[command(name = "cargo tool", bin_name = "cargo tool", version, about, after_help = TEACH)]
struct Cli {
    /// The repository [default: here]; every directory in it with an upstream.toml is a queue.
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,
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
    /// Make the source trees under target/ from archive, patches and overlay.
    ///
    /// Nothing happens to a tree that is up to date. Files whose content stays keep their modification time. A tree
    /// with edits that were not exported is left alone.
    Import {
        #[command(flatten)]
        queues: Queues,
        /// Stop after this patch (PATCH or SOURCE/PATCH, `none` for before the first), to edit what it makes.
        #[arg(long, value_name = "PATCH")]
        until: Option<String>,
        /// Replace trees even if they have edits that were not exported: the edits are lost.
        #[arg(long)]
        force: bool,
    },
    /// Put the edits made in the source trees back into patches and overlay.
    ///
    /// An edited upstream file goes to the last applied patch that touches it; a new file goes to overlay/.
    Export {
        #[command(flatten)]
        queues: Queues,
        /// Put edits of upstream files into this patch instead; a new one if there is none of that name.
        #[arg(long, value_name = "NAME")]
        into: Option<String>,
    },
    /// Rewrite the patches as export writes them, hunks at their true line numbers.
    Refresh(Queues),
    /// Prove that the queues are in order; nothing but target/downloads is changed.
    ///
    /// Digests match, patches apply exactly, export of an import gives the same files, no overlay file hides one of
    /// upstream, every patch has its Reason, Upstream and Test, and Cargo.lock agrees with the pins.
    Check(Queues),
    /// Pin another version and carry the patches over as far as they fit.
    Upgrade {
        /// The queue.
        queue: String,
        /// The version; without it the newest compatible one.
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
    /// Show pins, applied patches and edits.
    Status(Queues),
}

/// The queues below the root, by name: those named, or all.
fn queues(root: &Path, chosen: &Queues) -> Result<Vec<Queue>> {
    let dir = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let doing = format!("read {}", dir.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).explain(&doing)? {
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
            return Err(Failure::new(format!("there is no queue '{wrong}'")).hint(
                if all.is_empty() {
                    "run this in the repository's root directory".to_owned()
                } else {
                    format!("the queues are: {all}")
                },
            ));
        }
        names = chosen.names.iter().map(given).collect();
    }
    if names.is_empty() {
        return Err(Failure::new(format!(
            "no directory of {} has an upstream.toml",
            dir.display()
        ))
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
    let root = cli.root.as_deref().unwrap_or(Path::new(""));
    let target = root.join("target");
    let downloads = target.join("downloads");
    let _lock = lock(&target)?;
    let queues = |chosen: &Queues| queues(root, chosen);
    match &cli.command {
        Command::Fetch(chosen) => {
            for queue in queues(chosen)? {
                for path in fetch::archives(&queue, &downloads)? {
                    println!("{}: {}", queue.name, path.display());
                }
            }
            Ok(())
        }
        Command::Import {
            queues: chosen,
            until,
            force,
        } => {
            let queues = queues(chosen)?;
            let until = until
                .as_deref()
                .map(|text| import::find_patch(&queues, text))
                .transpose()?;
            let edits = if *force {
                Unexported::Discard
            } else {
                Unexported::Keep
            };
            queues
                .iter()
                .try_for_each(|q| import::queue(q, &downloads, until.as_ref(), edits))
        }
        Command::Export {
            queues: chosen,
            into,
        } => queues(chosen)?
            .iter()
            .try_for_each(|q| export::queue(q, &downloads, into.as_deref())),
        Command::Refresh(chosen) => queues(chosen)?
            .iter()
            .try_for_each(|q| export::refresh(q, &downloads)),
        Command::Check(chosen) => {
            let mut faults = Vec::new();
            for queue in queues(chosen)? {
                let found = check::queue(&queue, &downloads, &target)?;
                faults.extend(found.into_iter().map(|f| format!("{}: {f}", queue.name)));
            }
            match faults.len() {
                0 => Ok(()),
                1 => Err(Failure::new(faults.concat())),
                n => Err(Failure::new(format!(
                    "{n} faults\n  {}",
                    faults.join("\n  ")
                ))),
            }
        }
        Command::Upgrade { queue, to } => {
            let chosen = Queues {
                names: vec![queue.clone()],
            };
            queues(&chosen)?
                .iter()
                .try_for_each(|q| upgrade::queue(q, root, &downloads, to.as_deref()))
        }
        Command::Status(chosen) => queues(chosen)?.iter().try_for_each(status::queue),
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
