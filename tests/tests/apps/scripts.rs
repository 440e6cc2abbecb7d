//! Scripts in the small system that use more programs, under lind and natively.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, failed};
use lind_tests::run::{Outcome, run};

use lind_tests::apps::root::{Place, installed};

/// A script may not take longer.
const LIMIT: Duration = Duration::from_secs(120);

/// What is shown, and a script.
pub(crate) type Script = (&'static str, &'static str);

/// Runs every script both ways, in a directory that holds the programs that `build` gives; what they print and how they
/// end must be equal.
pub(crate) fn compare(
    builder: &Builder,
    build: impl Fn(&Builder) -> Result<Vec<PathBuf>>,
    scripts: &[Script],
) -> Result<()> {
    let twin = builder.twin();
    let mut outcomes = Vec::new();
    for builder in [&twin, builder] {
        let root = installed(builder)?;
        let programs = build(builder)?;
        let all = scripts
            .iter()
            .map(|(_, script)| one(builder, &root, &programs, script));
        outcomes.push(all.collect::<Result<Vec<_>>>()?);
    }
    match outcomes.as_slice() {
        [native, lind] => differences(scripts, native, lind),
        _ => Err("two toolchains make two results".to_owned()),
    }
}

/// Compares what scripts print and how they end, natively and under lind.
pub(crate) fn differences(scripts: &[Script], native: &[Outcome], lind: &[Outcome]) -> Result<()> {
    let mut wrong = Vec::new();
    for (((name, _), native), lind) in scripts.iter().zip(native).zip(lind) {
        if (native.ending, &native.stdout, &native.stderr)
            != (lind.ending, &lind.stdout, &lind.stderr)
        {
            wrong.push(format!(
                "natively: {}under lind: {}",
                failed(name, native),
                failed(name, lind)
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {} scripts differ\n{}",
        wrong.len(),
        scripts.len(),
        wrong.join("\n")
    ))
}

/// Runs one script in a new directory with copies of the programs.
fn one(builder: &Builder, root: &Path, programs: &[PathBuf], script: &str) -> Result<Outcome> {
    let data = tempfile::tempdir().map_err(|e| e.to_string())?;
    for program in programs {
        let name = program.file_name().unwrap_or_default();
        fs::copy(program, data.path().join(name))
            .map_err(|e| format!("cannot copy '{}': {e}", program.display()))?;
    }
    let place = Place {
        host: data.path(),
        guest: "/data",
    };
    let mut command = place.shell(builder, root);
    command.args(["-c", script, "bash"]);
    run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))
}
