//! Transcripts of shell sessions with lind's commands, `cli/*.console`, come out as they are written.
//!
//! `SNAPSHOTS=overwrite` writes what came out into the files, for review with `git diff`.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use lind_tests::Result;
use lind_tests::install::Installation;
use lind_tests::run::{Ending, LIMIT, disable_core_files, run};
use snapbox::data::DataFormat;
use snapbox::{Assert, Data, Redactions};

/// A part of a transcript.
enum Part {
    /// A line for the reader, with its `#`.
    Comment(String),
    /// A command as the shell reads it; it has several lines when they continue with `> `.
    Command(String),
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    disable_core_files();
    let installation = match Installation::find() {
        Ok(installation) => Arc::new(installation),
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(101);
        }
    };
    let trials = sessions().into_iter().map(|path| {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let installation = installation.clone();
        Trial::test(name, move || {
            check(&installation, &path).map_err(Failed::from)
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cli")
}

fn sessions() -> Vec<PathBuf> {
    let entries = fs::read_dir(directory())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut sessions: Vec<_> = entries
        .filter(|path| path.extension() == Some(OsStr::new("console")))
        .collect();
    sessions.sort();
    sessions
}

fn check(installation: &Installation, path: &Path) -> Result<()> {
    let text =
        fs::read_to_string(path).map_err(|e| format!("cannot read '{}': {e}", path.display()))?;
    // At a place whose name in the sandbox does not depend on where the repository lies.
    let home = tempfile::tempdir().map_err(|e| format!("cannot create a directory: {e}"))?;
    let session = home.path().join("session");
    copy_programs(&session).map_err(|e| format!("cannot copy the programs: {e}"))?;
    let mut transcript = String::new();
    for part in parse(&text) {
        if !transcript.is_empty() && !transcript.ends_with("\n\n") {
            transcript.push('\n');
        }
        match part {
            Part::Comment(line) => transcript.push_str(&format!("{line}\n")),
            Part::Command(command) => {
                transcript.push_str(&format!("$ {}\n", command.replace('\n', "\n> ")));
                transcript.push_str(&output(installation, &session, home.path(), &command)?);
            }
        }
    }
    compare(path, transcript, &session, installation)
}

/// Comments directly before a command stay with it: only commands are set apart by empty lines.
fn parse(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut continues = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            parts.push(Part::Command(command.to_owned()));
            continues = true;
        } else if let (true, Some(more), Some(Part::Command(command))) =
            (continues, line.strip_prefix("> "), parts.last_mut())
        {
            command.push('\n');
            command.push_str(more);
        } else if line.starts_with("# ") {
            parts.push(Part::Comment(line.to_owned()));
            continues = false;
        } else {
            continues = false;
        }
    }
    parts
}

/// What a command prints, then its status if that is not 0.
fn output(
    installation: &Installation,
    session: &Path,
    home: &Path,
    command: &str,
) -> Result<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut search = installation.bin().into_os_string();
    search.push(":");
    search.push(&path);
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("exec 2>&1\n{command}"));
    shell
        .current_dir(session)
        .env_clear()
        .env("PATH", search)
        .env("HOME", home);
    shell.env(
        "LIND_CACHE",
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-cache"),
    );
    let outcome = run(&mut shell, b"", LIMIT).map_err(|e| format!("cannot run a shell: {e}"))?;
    let mut text = outcome.text();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str("[no newline]\n");
    }
    match outcome.ending {
        Ending::Status(0) => {}
        Ending::Status(status) => text.push_str(&format!("? {status}\n")),
        Ending::TimedOut => text.push_str("? time out\n"),
    }
    Ok(text)
}

fn copy_programs(session: &Path) -> std::io::Result<()> {
    fs::create_dir(session)?;
    for entry in fs::read_dir(directory().join("programs"))? {
        let entry = entry?;
        fs::copy(entry.path(), session.join(entry.file_name()))?;
    }
    Ok(())
}

fn compare(
    path: &Path,
    transcript: String,
    session: &Path,
    installation: &Installation,
) -> Result<()> {
    let mut redactions = Redactions::new();
    let named = [
        ("[SESSION]", session.to_path_buf()),
        ("[INSTALLATION]", installation.root().to_path_buf()),
    ];
    for (name, value) in named {
        redactions.insert(name, value).map_err(|e| e.to_string())?;
    }
    let expected = Data::read_from(path, Some(DataFormat::Text));
    let assert = Assert::new()
        .action_env("SNAPSHOTS")
        .normalize_paths(false)
        .redact_with(redactions);
    assert
        .try_eq(None, Data::text(transcript), expected)
        .map_err(|e| e.to_string())
}
