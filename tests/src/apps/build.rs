//! Building a program's sources with a toolchain, and running what came out.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Result;
use crate::debian::{Patches, Sources};
use crate::install::Installation;
use crate::run::{Outcome, run};

/// One configure or make may not take longer.
const BUILD_LIMIT: Duration = Duration::from_secs(1200);
/// In a program's directory: what it was built from, and how.
const STAMP: &str = ".built";
/// One run of a built program may not take longer.
const RUN_LIMIT: Duration = Duration::from_secs(120);

/// What builds and runs the programs.
#[derive(Debug)]
pub enum Toolchain {
    /// This machine's compiler.
    Native,
    /// lind-cc and lind.
    Lind(Installation),
}

/// Builds programs with one toolchain.
#[derive(Debug)]
pub struct Builder {
    toolchain: Toolchain,
    home: PathBuf,
    sources: Sources,
}

/// The directory of a built program.
#[derive(Debug)]
pub struct Built<'a> {
    builder: &'a Builder,
    directory: PathBuf,
}

impl Builder {
    /// Builds below `home`, each toolchain in a directory of its own.
    #[must_use]
    pub fn new(toolchain: Toolchain, home: &Path, sources: Sources) -> Self {
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

    /// The same with this machine's compiler: what a program does is compared with what its twin does.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self {
            toolchain: Toolchain::Native,
            home: self.home.with_file_name("native"),
            sources: self.sources.clone(),
        }
    }

    /// The directory of this toolchain's builds.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// What builds and runs.
    #[must_use]
    pub fn toolchain(&self) -> &Toolchain {
        &self.toolchain
    }

    /// Unpacks `package` and runs `steps` in it, unless the same toolchain did so before.
    ///
    /// # Errors
    /// When the source cannot be had, or with the end of a failed step's output.
    pub fn build(&self, package: &str, patches: Patches, steps: &[&[&str]]) -> Result<Built<'_>> {
        self.build_from(package, steps, |directory| {
            self.sources.unpack(package, patches, directory)
        })
    }

    /// The same with some directories of a large package's upstream source.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn build_parts(
        &self,
        package: &str,
        parts: &[&str],
        steps: &[&[&str]],
    ) -> Result<Built<'_>> {
        self.build_from(package, steps, |directory| {
            self.sources.unpack_parts(package, parts, directory)
        })
    }

    fn build_from(
        &self,
        package: &str,
        steps: &[&[&str]],
        unpack: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Built<'_>> {
        let directory = self.home.join(package);
        let stamp = directory.join(STAMP);
        let description = self.sources.download(package)?;
        let identity = format!("{}\n{steps:?}\n{}", description.display(), self.identity()?);
        let built = Built {
            builder: self,
            directory,
        };
        if fs::read_to_string(&stamp).is_ok_and(|found| found == identity) {
            return Ok(built);
        }
        unpack(&built.directory)?;
        for step in steps {
            built.step(step)?;
        }
        fs::write(&stamp, identity)
            .map_err(|e| format!("cannot write '{}': {e}", stamp.display()))?;
        Ok(built)
    }

    /// The compiler and its tools, for a makefile's command line.
    #[must_use]
    pub fn tool(&self, name: &str) -> String {
        match (&self.toolchain, name) {
            (Toolchain::Lind(_), name) => format!("lind-{name}"),
            (Toolchain::Native, name) => name.to_owned(),
        }
    }

    /// The options that make a configure script build for this toolchain.
    #[must_use]
    pub fn configure(&self) -> Vec<String> {
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
    #[must_use]
    pub fn runner(&self) -> &'static str {
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
    pub fn environment(&self, command: &mut Command) {
        // A make that runs the tests is no parent of a build's make.
        for variable in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
            command.env_remove(variable);
        }
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
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The name of the toolchain's compiler or another of its tools.
    #[must_use]
    pub fn tool(&self, name: &str) -> String {
        self.builder.tool(name)
    }

    /// Text that changes when the program is built again for another reason than before.
    ///
    /// # Errors
    /// When the build has left none.
    pub fn identity(&self) -> Result<String> {
        let stamp = self.directory.join(STAMP);
        fs::read_to_string(&stamp).map_err(|e| format!("cannot read '{}': {e}", stamp.display()))
    }

    /// Runs one command of a build in the program's directory.
    ///
    /// # Errors
    /// When it does not succeed, with the end of its output.
    pub fn step(&self, words: &[&str]) -> Result<Outcome> {
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
    ///
    /// # Errors
    /// When it does not succeed, with the end of its output.
    pub fn run(
        &self,
        program: &str,
        arguments: &[&str],
        data: &Path,
        input: &str,
    ) -> Result<String> {
        let outcome = self.try_run(program, arguments, data, input)?;
        if outcome.succeeded() {
            Ok(outcome.text())
        } else {
            Err(failed(
                &format!("{program} {}", arguments.join(" ")),
                &outcome,
            ))
        }
    }

    /// Runs the built `program` as [`Built::run`] does, however it ends.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn try_run(
        &self,
        program: &str,
        arguments: &[&str],
        data: &Path,
        input: &str,
    ) -> Result<Outcome> {
        let path = self.directory.join(program);
        let mut command = match &self.builder.toolchain {
            Toolchain::Native => {
                let mut command = Command::new(path);
                command.current_dir(data).env("LC_ALL", "C");
                command
            }
            Toolchain::Lind(installation) => {
                let mut grant = data.as_os_str().to_owned();
                grant.push("::/data");
                let mut command = Command::new(installation.tool("lind"));
                command
                    .arg("--dir")
                    .arg(grant)
                    .args(["--cwd", "/data", "--env", "LC_ALL=C"])
                    .arg(path);
                command
            }
        };
        self.builder.environment(&mut command);
        command.args(arguments);
        run(&mut command, input.as_bytes(), RUN_LIMIT)
            .map_err(|e| format!("cannot run {program}: {e}"))
    }
}

/// Compares what a program printed.
///
/// # Errors
/// When the two differ, with both.
pub fn expect(what: &str, expected: &str, actual: &str) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(format!("{what}\nexpected:\n{expected}\nactual:\n{actual}"))
}

/// A command that did not succeed, with the end of what it said.
#[must_use]
pub fn failed(command: &str, outcome: &Outcome) -> String {
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
