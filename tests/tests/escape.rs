//! A host that changes directories under a sandboxed program's feet does not let it out.
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lind_tests::Result;
use lind_tests::compile::Compiler;
use lind_tests::install::Installation;
use lind_tests::run::{LIMIT, run};
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// A granted directory `granted` beside a file `secret` that is not, and the program that looks for it.
struct World {
    installation: Installation,
    program: PathBuf,
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Result<Self> {
        let installation = Installation::find()?;
        let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("escape");
        let compiler = Compiler::new(
            &installation.tool("lind-cc"),
            &["-O2"],
            installation.toolchain_identity()?,
            &cache,
        );
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("escape/seek.c");
        let program = compiler.build(&source, &[], &[])?;
        let home = tempfile::tempdir().map_err(|e| e.to_string())?;
        let world = Self {
            installation,
            program,
            home,
        };
        for directory in ["granted", "granted/inner", "granted/swap"] {
            fs::create_dir(world.path(directory)).map_err(|e| e.to_string())?;
        }
        fs::write(world.path("secret"), "secret").map_err(|e| e.to_string())?;
        fs::write(world.path("granted/inner/secret"), "inside").map_err(|e| e.to_string())?;
        Ok(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs the program, with `PATHS` to try in turn, while `disturb` runs over and over.
    fn seek(&self, paths: &[&str], disturb: impl Fn() + Sync) -> Result<String> {
        let done = AtomicBool::new(false);
        let mut grant = self.path("granted").into_os_string();
        grant.push("::/g");
        let mut command = Command::new(self.installation.tool("lind"));
        command.env(
            "LIND_CACHE",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("escape-cache"),
        );
        command
            .arg("--dir")
            .arg(grant)
            .arg(&self.program)
            .args(paths);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    disturb();
                }
            });
            let outcome = run(&mut command, b"", LIMIT);
            done.store(true, Ordering::Relaxed);
            let outcome = outcome.map_err(|e| format!("cannot run lind: {e}"))?;
            if !outcome.succeeded() {
                let stderr = String::from_utf8_lossy(&outcome.stderr);
                return Err(format!("{}: {stderr}", outcome.ending));
            }
            Ok(outcome.text())
        })
    }
}

fn exchange(a: &Path, b: &Path) {
    let _ = renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE);
}

#[test]
fn a_directory_that_becomes_a_link_up() {
    let world = World::new().unwrap();
    symlink("..", world.path("granted/link")).unwrap();
    let (link, swap) = (world.path("granted/link"), world.path("granted/swap"));
    // `swap` is a directory at one moment and a link to the host's parent directory at the next.
    let seen = world.seek(
        &[
            "/g/swap/secret",
            "/g/swap/../secret",
            "/g/swap/../../secret",
        ],
        || exchange(&link, &swap),
    );
    assert_eq!(seen.unwrap(), "0 secrets\n");
}

#[test]
fn a_directory_that_becomes_an_absolute_link() {
    let world = World::new().unwrap();
    symlink(world.home.path(), world.path("granted/link")).unwrap();
    let (link, swap) = (world.path("granted/link"), world.path("granted/swap"));
    let seen = world.seek(&["/g/swap/secret", "/g/link/secret"], || {
        exchange(&link, &swap)
    });
    assert_eq!(seen.unwrap(), "0 secrets\n");
}

#[test]
fn a_directory_that_moves_out_of_the_grant_while_it_is_walked() {
    let world = World::new().unwrap();
    let (inside, outside) = (world.path("granted/inner"), world.path("moved"));
    let seen = world.seek(
        &[
            "/g/inner/../secret",
            "/g/inner/../../secret",
            "/g/inner/./../inner/../secret",
        ],
        || {
            let _ = fs::rename(&inside, &outside);
            let _ = fs::rename(&outside, &inside);
        },
    );
    assert_eq!(seen.unwrap(), "0 secrets\n");
}
