//! Commands in a root directory of a toolchain's own programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::apps::build::{Builder, Toolchain};
use crate::apps::rootfs;

/// Installs the small system for a toolchain; returns its root directory.
///
/// # Errors
/// When a package does not build, or a file cannot be made.
pub fn installed(builder: &Builder) -> Result<PathBuf> {
    let root = builder.home().join("root");
    rootfs::install(builder, &root)?;
    Ok(root)
}

/// The directory that a command works in.
#[derive(Debug)]
pub struct Place<'a> {
    /// Where it is.
    pub host: &'a Path,
    /// Where a sandboxed command sees it.
    pub guest: &'a str,
}

impl Place<'_> {
    /// bash of the root directory, starting here: under lind, or natively with the root's programs only.
    ///
    /// The environment is the same for both.
    #[must_use]
    pub fn shell(&self, builder: &Builder, root: &Path) -> Command {
        self.program(builder, root, "bash", &[])
    }

    /// A program of the root's `/usr/bin`, started like [`Place::shell`]; lind gets some options more.
    #[must_use]
    pub fn program(
        &self,
        builder: &Builder,
        root: &Path,
        program: &str,
        options: &[&str],
    ) -> Command {
        let environment = [("HOME", "/"), ("LC_ALL", "C")];
        match builder.toolchain() {
            Toolchain::Native => {
                let mut command = Command::new(root.join("usr/bin").join(program));
                command
                    .current_dir(self.host)
                    .env_clear()
                    .env("PATH", root.join("usr/bin"))
                    .envs(environment);
                command
            }
            Toolchain::Lind(installation) => {
                let mut grant = self.host.as_os_str().to_owned();
                grant.push("::");
                grant.push(self.guest);
                let mut command = Command::new(installation.tool("lind"));
                builder.environment(&mut command);
                command
                    .args(["run", "--root"])
                    .arg(root)
                    .arg("--dir")
                    .arg(grant)
                    .args(["--cwd", self.guest, "--env", "PATH=/usr/bin"])
                    .args(options);
                for (name, value) in environment {
                    command.arg("--env").arg(format!("{name}={value}"));
                }
                command.arg(format!("/bin/{program}"));
                command
            }
        }
    }
}
