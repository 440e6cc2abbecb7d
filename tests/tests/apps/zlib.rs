//! zlib: its own test program, and compression with minigzip that comes out equal.

use std::fs;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, expect};
use lind_tests::debian::Patches;

/// Runs the example program and packs a file, unpacks it, and has the system's gzip unpack it too.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    // zlib's own configure script takes its tools from the environment.
    let set = |variable: &str, tool: &str| format!("{variable}={}", builder.tool(tool));
    let (cc, ar, ranlib) = (set("CC", "cc"), set("AR", "ar"), set("RANLIB", "ranlib"));
    let configure = ["env", &cc, &ar, &ranlib, "./configure", "--static"];
    let zlib = builder.build(
        "zlib",
        Patches::Applied,
        &[&configure, &["make", "-j2", "static"]],
    )?;
    let tested = zlib
        .step(&[
            "make",
            "teststatic",
            &format!("QEMU_RUN={}", builder.runner()),
        ])?
        .text();
    for line in [
        "hello world\n",
        "inflate with dictionary: hello, hello!\n",
        "*** zlib test OK ***",
    ] {
        if !tested.contains(line) {
            return Err(format!(
                "zlib's own test does not print '{line}':\n{tested}"
            ));
        }
    }
    let data = tempfile::tempdir().map_err(|e| e.to_string())?;
    let file = data.path().join("file");
    let original = sample(zlib.directory())?;
    fs::write(&file, &original).map_err(|e| e.to_string())?;
    zlib.run("minigzip", &["-9", "file"], data.path(), "")?;
    let packed = fs::read(data.path().join("file.gz"))
        .map_err(|e| format!("minigzip wrote nothing: {e}"))?;
    if file.exists() || packed.len() * 2 > original.len() {
        return Err(format!(
            "{} bytes are packed to {}",
            original.len(),
            packed.len()
        ));
    }
    let system = zlib.step(&[
        "gzip",
        "-dc",
        &data.path().join("file.gz").display().to_string(),
    ])?;
    if system.stdout != original {
        return Err("gzip unpacks something else".to_owned());
    }
    zlib.run("minigzip", &["-d", "file.gz"], data.path(), "")?;
    if fs::read(&file).map_err(|e| format!("minigzip -d wrote nothing: {e}"))? != original {
        return Err("minigzip unpacks something else".to_owned());
    }
    expect(
        "a pipe through minigzip -d",
        "",
        &zlib.run("minigzip", &["-d"], data.path(), "")?,
    )
}

/// Some hundred kilobytes of real text: the sources themselves.
fn sample(directory: &std::path::Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for name in ["deflate.c", "inflate.c", "trees.c", "ChangeLog", "zlib.h"] {
        bytes.extend(
            fs::read(directory.join(name)).map_err(|e| format!("cannot read {name}: {e}"))?,
        );
    }
    Ok(bytes)
}
