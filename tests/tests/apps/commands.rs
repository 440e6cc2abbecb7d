//! Single commands of the small system's packages: they do what the same build for this machine does.

use std::fs;
use std::path::Path;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, failed};
use lind_tests::apps::packages::Package;

/// One run of a program; file names are those that [`fill`] makes.
pub(crate) struct Case {
    /// The program's path in its build directory.
    pub(crate) program: &'static str,
    /// Its arguments, separated by blanks; a part in single quotes is one argument.
    pub(crate) arguments: &'static str,
    /// What it reads from standard input.
    pub(crate) input: &'static str,
}

/// A case without input.
pub(crate) const fn case(program: &'static str, arguments: &'static str) -> Case {
    reading(program, arguments, "")
}

/// A case with input.
pub(crate) const fn reading(
    program: &'static str,
    arguments: &'static str,
    input: &'static str,
) -> Case {
    Case {
        program,
        arguments,
        input,
    }
}

/// Builds `package` with both toolchains and compares output, status and changed files of every case.
pub(crate) fn compare(builder: &Builder, package: &Package, cases: &[Case]) -> Result<()> {
    let twin = builder.twin();
    let (ours, theirs) = (package.build(builder)?, package.build(&twin)?);
    let mut wrong = Vec::new();
    for case in cases {
        let arguments = split(case.arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut seen = Vec::new();
        for built in [&theirs, &ours] {
            let data = tempfile::tempdir().map_err(|e| e.to_string())?;
            fill(data.path())?;
            let outcome = built.try_run(case.program, &arguments, data.path(), case.input)?;
            let place = data.path().display().to_string();
            let text = outcome.text().replace(&place, "/data");
            seen.push((text, outcome.ending, listing(data.path())?, outcome));
        }
        let [native, lind] = seen.as_slice() else {
            return Err("two runs have two results".to_owned());
        };
        let command = format!("{} {}", case.program, case.arguments);
        if (&native.0, native.1, &native.2) != (&lind.0, lind.1, &lind.2) {
            wrong.push(format!(
                "natively: {}{}\nunder lind: {}{}",
                failed(&command, &native.3),
                native.2,
                failed(&command, &lind.3),
                lind.2,
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {} commands differ\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    ))
}

/// Makes the files that commands work on.
pub(crate) fn fill(directory: &Path) -> Result<()> {
    let numbers: String = (1..=200)
        .map(|n| format!("{}\tline {n} of {}\n", n * 7919 % 200, n % 9))
        .collect();
    for (name, text) in [
        ("fruit", "pear\napple\nfig\napple\nquince\nApple\npear\n"),
        ("names", "apple red\nfig purple\npear green\n"),
        ("numbers", numbers.as_str()),
        (
            "prose",
            "The quick brown fox\njumps over the lazy dog.\n\nIt was 42 degrees,\tsaid the fox.\n",
        ),
        ("dir/deep/leaf", "leaf\n"),
        ("dir/empty", ""),
        (
            "program.awk",
            "{ n[$1] += NF }\nEND { for (k in n) s += n[k]; print NR, s }\n",
        ),
        (
            "Makefile",
            "all: one two\none:\n\techo one\ntwo: one\n\techo two\n$(info $(sort b a) $(patsubst %.c,%.o,x.c y.c) $(words a b c))\n",
        ),
    ] {
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|e| format!("cannot write '{}': {e}", path.display()))?;
    }
    Ok(())
}

/// The names and sizes of all files below a directory.
fn listing(directory: &Path) -> Result<String> {
    let failed = |e: std::io::Error| format!("cannot read '{}': {e}", directory.display());
    let mut lines = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().display().to_string();
        let metadata = entry.metadata().map_err(failed)?;
        if metadata.is_dir() {
            let below = listing(&entry.path())?;
            lines.extend(below.lines().map(|line| format!("{name}/{line}")));
            lines.push(format!("{name}/"));
        } else {
            lines.push(format!("{name} {}", metadata.len()));
        }
    }
    lines.sort();
    Ok(lines.join("\n"))
}

/// Splits a command line at blanks outside single quotes.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}
