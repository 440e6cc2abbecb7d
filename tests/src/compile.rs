//! Compiling C programs, with a cache keyed by everything that goes in.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::Result;
use crate::run::{Ending, LIMIT, run};

/// A compiler whose results are kept under a directory.
#[derive(Debug, Clone)]
pub struct Compiler {
    command: PathBuf,
    options: Vec<String>,
    identity: String,
    cache: PathBuf,
}

impl Compiler {
    /// A compiler called as `command options… SOURCE -o OUTPUT libraries…`.
    ///
    /// `identity` is text that changes when the compiler does; results are kept in `cache`, in one directory a program.
    #[must_use]
    pub fn new(command: &Path, options: &[&str], identity: String, cache: &Path) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self {
            command: command.to_path_buf(),
            options,
            identity,
            cache: cache.to_path_buf(),
        }
    }

    /// The system's C compiler for this machine.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn native(command: &str, options: &[&str], cache: &Path) -> Result<Self> {
        let version = run(Command::new(command).arg("--version"), b"", LIMIT)
            .map_err(|e| format!("cannot run the native compiler '{command}': {e}"))?;
        Ok(Self::new(
            Path::new(command),
            options,
            version.text(),
            cache,
        ))
    }

    /// Compiles `source` with further `options` and `libraries`, or finds the result of an earlier run.
    ///
    /// Files that the source includes by quotes must lie beside it or in a directory that an option `-IDIRECTORY` names: a
    /// change to any header there compiles again.
    ///
    /// # Errors
    /// The compiler's own messages, or why the cache cannot be used.
    pub fn build(
        &self,
        source: &Path,
        options: &[String],
        libraries: &[String],
    ) -> Result<PathBuf> {
        let name = source.file_stem().ok_or("a source needs a name")?;
        let mut command = Command::new(&self.command);
        command.args(&self.options).args(options).arg(source);
        let key = self.key(source, &[&self.options, options, libraries])?;
        let directory = self.cache.join(key);
        let program = directory.join(name);
        if program.is_file() {
            return Ok(program);
        }
        fs::create_dir_all(&directory)
            .map_err(|e| format!("cannot create '{}': {e}", directory.display()))?;
        // Two runs may build the same program: each writes a file of its own, the last rename wins.
        let temporary = tempfile::Builder::new()
            .prefix(".build")
            .tempdir_in(&directory)
            .map_err(|e| format!("cannot create a temporary directory: {e}"))?;
        let output = temporary.path().join(name);
        command.arg("-o").arg(&output).args(libraries);
        let outcome =
            run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
        if outcome.ending != Ending::Status(0) {
            let stderr = String::from_utf8_lossy(&outcome.stderr);
            return Err(format!(
                "{command:?}\nended with {}\n{stderr}",
                outcome.ending
            ));
        }
        fs::rename(&output, &program)
            .map_err(|e| format!("cannot keep '{}': {e}", program.display()))?;
        Ok(program)
    }

    fn key(&self, source: &Path, arguments: &[&[String]]) -> Result<String> {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        };
        add(self.command.as_os_str().as_encoded_bytes());
        add(self.identity.as_bytes());
        for argument in arguments.iter().flat_map(|list| list.iter()) {
            add(argument.as_bytes());
        }
        let mut files = vec![source.to_path_buf()];
        let beside = source.parent().ok_or("a source needs a directory")?;
        let named = arguments.iter().flat_map(|list| list.iter());
        let named = named.filter_map(|option| option.strip_prefix("-I").map(Path::new));
        for directory in std::iter::once(beside).chain(named) {
            files.extend(headers(directory)?);
        }
        for file in files {
            add(file
                .file_name()
                .unwrap_or(OsStr::new(""))
                .as_encoded_bytes());
            add(&fs::read(&file).map_err(|e| format!("cannot read '{}': {e}", file.display()))?);
        }
        let digest = hash.finalize();
        let hex: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(format!(
            "{}-{hex}",
            source.file_stem().unwrap_or_default().to_string_lossy()
        ))
    }
}

/// The header files of a directory, sorted.
fn headers(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)
        .map_err(|e| format!("cannot read '{}': {e}", directory.display()))?;
    let mut headers: Vec<_> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension() == Some(OsStr::new("h")))
        .collect();
    headers.sort();
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_compiles_again_and_nothing_else_does() {
        let home = tempfile::tempdir().unwrap();
        let source = home.path().join("p.c");
        fs::write(
            &source,
            "#include \"p.h\"\nint main(void) { return VALUE; }\n",
        )
        .unwrap();
        fs::write(home.path().join("p.h"), "#define VALUE 3\n").unwrap();
        let compiler = Compiler::native("cc", &["-O1"], &home.path().join("cache")).unwrap();
        let first = compiler.build(&source, &[], &[]).unwrap();
        let made = fs::metadata(&first).unwrap().modified().unwrap();
        assert_eq!(compiler.build(&source, &[], &[]).unwrap(), first);
        assert_eq!(fs::metadata(&first).unwrap().modified().unwrap(), made);
        fs::write(home.path().join("p.h"), "#define VALUE 4\n").unwrap();
        let second = compiler.build(&source, &[], &[]).unwrap();
        assert_ne!(first, second);
        let outcome = run(&mut Command::new(second), b"", LIMIT).unwrap();
        assert_eq!(outcome.ending, Ending::Status(4));
        assert_ne!(
            compiler.build(&source, &["-O0".to_owned()], &[]).unwrap(),
            first
        );
    }

    #[test]
    fn a_failed_compilation_keeps_nothing() {
        let home = tempfile::tempdir().unwrap();
        let source = home.path().join("p.c");
        fs::write(&source, "int main(void) { return nothing; }\n").unwrap();
        let compiler = Compiler::native("cc", &[], &home.path().join("cache")).unwrap();
        assert!(
            compiler
                .build(&source, &[], &[])
                .unwrap_err()
                .contains("nothing")
        );
        assert!(compiler.build(&source, &[], &[]).is_err());
    }
}
