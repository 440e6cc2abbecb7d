//! Instrumenting modules by Binaryen's asyncify, the way to fork without native frames.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::run::run;

/// How long one module may take.
const LIMIT: Duration = Duration::from_secs(600);
/// What lind-cc's modules use, for a wasm-opt that does not read it from the module.
const FEATURES: [&str; 6] = [
    "--enable-threads",
    "--enable-bulk-memory",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-simd",
];

/// Why nothing can be instrumented here, if so.
#[must_use]
pub fn missing() -> Option<String> {
    let found =
        run(Command::new("wasm-opt").arg("--version"), b"", LIMIT).is_ok_and(|o| o.succeeded());
    (!found).then(|| "wasm-opt is not installed (Debian's package binaryen has it)".to_owned())
}

/// Instruments a module so that it can unwind itself at every call of `lind.clone` and `lind.syscall`. `level` is one
/// of wasm-opt's: `-O0` takes half a second for a C program, `-O2` ten times as long.
///
/// The result has the module's name and lies in a directory beside it, whose own directory's name changes with it, and
/// is not made again.
///
/// # Errors
/// wasm-opt's message.
pub fn instrument(module: &Path, level: &str) -> Result<PathBuf> {
    let name = module.file_name().ok_or("a module needs a name")?;
    let directory = module.with_file_name(format!("asyncify{level}"));
    let output = directory.join(name);
    if output.is_file() {
        return Ok(output);
    }
    fs::create_dir_all(&directory)
        .map_err(|e| format!("cannot create '{}': {e}", directory.display()))?;
    // Two runs may instrument the same module: each writes a file of its own.
    let temporary = tempfile::Builder::new()
        .prefix(".asyncify")
        .tempdir_in(&directory)
        .map_err(|e| format!("cannot create a temporary directory: {e}"))?;
    let unfinished = temporary.path().join("module");
    let mut command = Command::new("wasm-opt");
    command
        .args(FEATURES)
        .args([level, "--asyncify"])
        .arg("--pass-arg=asyncify-imports@lind.syscall,lind.clone")
        .arg(module)
        .arg("-o")
        .arg(&unfinished);
    let outcome = run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run wasm-opt: {e}"))?;
    if !outcome.succeeded() {
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        let message = stderr.lines().next().unwrap_or("no message");
        return Err(format!("wasm-opt failed: {message}"));
    }
    let executable = fs::metadata(module).map(|metadata| metadata.permissions());
    executable
        .and_then(|permissions| fs::set_permissions(&unfinished, permissions))
        .and_then(|()| fs::rename(&unfinished, &output))
        .map_err(|e| format!("cannot keep '{}': {e}", output.display()))?;
    Ok(output)
}
