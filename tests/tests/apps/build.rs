//! Building a program's sources with a toolchain, and running what came out.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::debian::{Patches, Sources};
use lind_tests::install::Installation;
use lind_tests::run::{Outcome, run};

/// One configure or make may not take longer.
const BUILD_LIMIT: Duration = Duration::from_secs(1200);
/// One run of a built program may not take longer.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// What builds and runs the programs.
pub(crate) enum Toolchain {
    /// This machine's compiler.
    Native,
    /// lind-cc and lind.
    Lind(Installation),
}

/// Builds programs with one toolchain.
pub(crate) struct Builder {
    toolchain: Toolchain,
    home: PathBuf,
    sources: Sources,
}

/// The directory of a built program.
pub(crate) struct Built<'a> {
    builder: &'a Builder,
    directory: PathBuf,
}

impl Builder {
    pub(crate) fn new(toolchain: Toolchain, home: &Path, sources: Sources) -> Self {
        let name = match toolchain {
            Toolchain::Native => "native",
            Toolchain::Lind(_) => "lind",
        };
        Self {
            toolchain,
            home: home.join(name),
            sources,
        }
    }

    /// Unpacks `package` and runs `steps` in it, unless the same toolchain did so before.
    pub(crate) fn build(
        &self,
        package: &str,
        patches: Patches,
        steps: &[&[&str]],
    ) -> Result<Built<'_>> {
        let directory = self.home.join(package);
        let stamp = directory.join(".built");
        let description = self.sources.download(package)?;
        let identity = format!("{}\n{steps:?}\n{}", description.display(), self.identity()?);
        let built = Built {
            builder: self,
            directory,
        };
        if fs::read_to_string(&stamp).is_ok_and(|found| found == identity) {
            return Ok(built);
        }
        self.sources.unpack(package, patches, &built.directory)?;
        for step in steps {
            built.step(step)?;
        }
        fs::write(&stamp, identity)
            .map_err(|e| format!("cannot write '{}': {e}", stamp.display()))?;
        Ok(built)
    }

    /// The compiler and its tools, for a makefile's command line.
    pub(crate) fn tool(&self, name: &str) -> String {
        match (&self.toolchain, name) {
            (Toolchain::Lind(_), name) => format!("lind-{name}"),
            (Toolchain::Native, name) => name.to_owned(),
        }
    }

    /// The options that make a configure script build for this toolchain.
    pub(crate) fn configure(&self) -> Vec<String> {
        match self.toolchain {
            Toolchain::Native => Vec::new(),
            Toolchain::Lind(_) => [
                "--host=wasm32-unknown-linux-gnu",
                "CC=lind-cc",
                "AR=lind-ar",
                "RANLIB=lind-ranlib",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }

    /// How a makefile runs a program in its own directory.
    pub(crate) fn runner(&self) -> &'static str {
        match self.toolchain {
            Toolchain::Native => "env",
            Toolchain::Lind(_) => "lind --dir .::/work --cwd /work",
        }
    }

    fn identity(&self) -> Result<String> {
        match &self.toolchain {
            Toolchain::Native => Ok("native".to_owned()),
            Toolchain::Lind(installation) => installation.toolchain_identity(),
        }
    }

    /// Sets what every command needs: the commands of lind, its answers for configure scripts, a cache of its own.
    fn environment(&self, command: &mut Command) {
        let Toolchain::Lind(installation) = &self.toolchain else {
            return;
        };
        let mut path: OsString = installation.bin().into();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command.env("PATH", path);
        command.env(
            "CONFIG_SITE",
            installation.root().join("share/lind/config.site"),
        );
        command.env("LIND_CACHE", self.home.join("cache"));
    }
}

impl Built<'_> {
    /// The directory that the program was built in.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs one command of a build in the program's directory.
    pub(crate) fn step(&self, words: &[&str]) -> Result<Outcome> {
        let (program, arguments) = words.split_first().ok_or("an empty step")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.directory)
            .env("LC_ALL", "C");
        self.builder.environment(&mut command);
        let outcome = run(&mut command, b"", BUILD_LIMIT)
            .map_err(|e| format!("cannot run {words:?}: {e}"))?;
        if outcome.succeeded() {
            Ok(outcome)
        } else {
            Err(failed(&words.join(" "), &outcome))
        }
    }

    /// Runs the built `program` (a path in its directory), which must succeed; returns its standard output.
    ///
    /// Under lind it is given the directory `data` by `--dir` and starts in it, as natively.
    pub(crate) fn run(
        &self,
        program: &str,
        arguments: &[&str],
        data: &Path,
        input: &str,
    ) -> Result<String> {
        let path = self.directory.join(program);
        let mut command = match &self.builder.toolchain {
            Toolchain::Native => {
                let mut command = Command::new(path);
                command.current_dir(data);
                command
            }
            Toolchain::Lind(installation) => {
                let mut grant = data.as_os_str().to_owned();
                grant.push("::/data");
                let mut command = Command::new(installation.tool("lind"));
                command
                    .arg("--dir")
                    .arg(grant)
                    .args(["--cwd", "/data"])
                    .arg(path);
                command
            }
        };
        self.builder.environment(&mut command);
        command.args(arguments);
        let outcome = run(&mut command, input.as_bytes(), RUN_LIMIT)
            .map_err(|e| format!("cannot run {program}: {e}"))?;
        if outcome.succeeded() {
            Ok(outcome.text())
        } else {
            Err(failed(
                &format!("{program} {}", arguments.join(" ")),
                &outcome,
            ))
        }
    }
}

/// Compares what a program printed.
pub(crate) fn expect(what: &str, expected: &str, actual: &str) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(format!("{what}\nexpected:\n{expected}\nactual:\n{actual}"))
}

/// A command that did not succeed, with the end of what it said.
fn failed(command: &str, outcome: &Outcome) -> String {
    let tail = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .iter()
            .skip(lines.len().saturating_sub(40))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    format!(
        "{command}\nended with {}\n{}{}",
        outcome.ending,
        tail(&outcome.stdout),
        tail(&outcome.stderr)
    )
}
