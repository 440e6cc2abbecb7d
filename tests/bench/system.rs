//! A shell's loop and a configure script, by the small system of `make rootfs` and by the same builds for this machine.
//!
//! No compiler runs in the sandbox. So the script's compiler is, in both columns, `configure/answer.sh`: it says and makes
//! what lind-cc did when it was asked the same in a run before, which `configure/record.sh` has kept. The whole script
//! and all tools that it calls run; what is left out is the compiler's own time.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Toolchain, failed};
use lind_tests::apps::root::{Place, installed};
use lind_tests::debian::{Patches, Sources};
use lind_tests::install::repository;
use lind_tests::run::run;

use crate::columns::Programs;
use crate::sources;
use crate::stats::median;
use crate::turns::Placement;

const LIMIT: Duration = Duration::from_secs(600);
const LOOP: &str = "for i in $(seq 1000); do /bin/true; done";
const ROUNDS: usize = 3;
/// As if for lind, natively as well, so that all asks the same and nothing has to be executed.
const OPTIONS: [&str; 4] = [
    "--build=x86_64-pc-linux-gnu",
    "--host=wasm32-unknown-linux-gnu",
    "--disable-dependency-tracking",
    "--disable-nls",
];

/// One of the columns.
struct Column {
    builder: Builder,
    root: PathBuf,
    /// The shell, as its column's programs name it, and the interpreter of the compiler's script.
    bash: String,
    dash: String,
}

/// Whether both toolchains have built the small system: that takes half an hour.
pub(crate) fn is_built() -> bool {
    let home = repository().join("target/apps");
    ["native", "lind"]
        .iter()
        .all(|name| is_root(&home.join(name).join("root")))
}

fn is_root(root: &Path) -> bool {
    root.join("usr/bin/bash").exists()
}

/// The root directory of a toolchain; one that is there is taken as it is, though the toolchain may have changed since.
fn root(builder: &Builder) -> Result<PathBuf> {
    let root = builder.home().join("root");
    if is_root(&root) {
        return Ok(root);
    }
    installed(builder)
}

/// Measures both and describes the result.
pub(crate) fn measure(programs: &Programs, target: &Path) -> Result<String> {
    let home = repository().join("target/apps");
    let lind = Builder::new(
        Toolchain::Lind(programs.installation.clone()),
        &home,
        Sources::new(&home),
    );
    let native = lind.twin();
    let root = root(&native)?;
    let at = |name: &str| root.join("usr/bin").join(name).display().to_string();
    let columns = [
        Column {
            bash: at("bash"),
            dash: at("dash"),
            root,
            builder: native,
        },
        Column {
            root: self::root(&lind)?,
            bash: "/bin/bash".to_owned(),
            dash: "/bin/dash".to_owned(),
            builder: lind,
        },
    ];
    let place = target.join("configure");
    prepare(&columns, &place)?;
    let mut report = format!(
        "## Shells\n\nWall time of the whole command, medians of {ROUNDS} runs taking turns, by bash and the tools of the small system \
         (`make rootfs`) and by the same builds for this machine.\n\n| what | native pinned, s | lind pinned | ratio | native free, s | \
         lind free | ratio |\n|---|---|---|---|---|---|---|\n"
    );
    let looped = |column: &Column| Ok(column.shell(target, &["-c", LOOP]));
    let configured = |column: &Column| column.configure(&place);
    let _ = writeln!(
        report,
        "| `bash -c '{LOOP}'` | {} |",
        row(&columns, looped)?
    );
    let _ = writeln!(
        report,
        "| `./configure` of GNU hello | {} |",
        row(&columns, configured)?
    );
    report.push('\n');
    Ok(report)
}

/// The figures of a command.
fn row(columns: &[Column; 2], command: impl Fn(&Column) -> Result<Command>) -> Result<String> {
    let mut row = Vec::new();
    for placement in [Placement::Pinned, Placement::Free] {
        let mut samples = [Vec::new(), Vec::new()];
        for round in 0..=ROUNDS {
            for (column, samples) in columns.iter().zip(&mut samples) {
                let time = match placement {
                    Placement::Pinned => wall(pinned(&command(column)?))?,
                    Placement::Free => wall(command(column)?)?,
                };
                // The first fills caches, lind's own among them.
                if round > 0 {
                    samples.push(time);
                }
            }
        }
        let [native, lind] = samples.map(|all| median(&all).unwrap_or(f64::NAN));
        row.push(format!("{native:.2} | {lind:.2} | {:.2}", lind / native));
    }
    Ok(row.join(" | "))
}

/// The command on one processor, with what it sets itself as its environment.
fn pinned(command: &Command) -> Command {
    let mut pinned = Command::new("/usr/bin/taskset");
    pinned
        .args(["-c", "0"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    if let Some(directory) = command.get_current_dir() {
        pinned.current_dir(directory);
    }
    pinned
}

fn wall(mut command: Command) -> Result<f64> {
    let start = Instant::now();
    let outcome =
        run(&mut command, b"", LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))?;
    let time = start.elapsed().as_secs_f64();
    if outcome.succeeded() {
        Ok(time)
    } else {
        Err(failed(&format!("{command:?}"), &outcome))
    }
}

/// Unpacks the sources and records a compiler's answers, unless they are there.
fn prepare([native, lind]: &[Column; 2], place: &Path) -> Result<()> {
    let done = place.join("recorded");
    if done.exists() {
        return Ok(());
    }
    eprintln!("bench: recording what the compiler says to configure");
    let _ = fs::remove_dir_all(place);
    let home = repository().join("target/apps");
    Sources::new(&home).unpack("hello", Patches::Applied, &place.join("hello"))?;
    let Toolchain::Lind(installation) = lind.builder.toolchain() else {
        return Err("the second column is lind's".to_owned());
    };
    native.put_compiler(place, "record.sh")?;
    let compiler = installation.tool("lind-cc");
    let mut command = native.script(place);
    command.env(
        "RECORDED_CC",
        format!("env PATH=/usr/bin:/bin {}", compiler.display()),
    );
    wall(command)?;
    let config = place.join("hello/config.h");
    let recorded =
        fs::read(&config).map_err(|e| format!("cannot read '{}': {e}", config.display()))?;
    for column in [native, lind] {
        wall(column.configure(place)?)?;
        if fs::read(&config).ok().as_ref() != Some(&recorded) || place.join("unanswered").exists() {
            return Err(
                "configure asks other things than when the answers were recorded".to_owned(),
            );
        }
    }
    fs::write(&done, "").map_err(|e| format!("cannot write '{}': {e}", done.display()))
}

impl Column {
    /// bash in a directory that has the same name in both columns.
    fn shell(&self, directory: &Path, arguments: &[&str]) -> Command {
        let guest = directory.display().to_string();
        let place = Place {
            host: directory,
            guest: &guest,
        };
        let mut command = place.shell(&self.builder, &self.root);
        command.args(arguments);
        command
    }

    /// The configure script with recorded answers.
    fn configure(&self, place: &Path) -> Result<Command> {
        self.put_compiler(place, "answer.sh")?;
        Ok(self.script(place))
    }

    fn script(&self, place: &Path) -> Command {
        let (directory, compiler) = (place.join("hello"), place.join("cc"));
        let script = format!(
            "cd {} && CONFIG_SHELL={} {} ./configure {} AR=lind-ar RANLIB=lind-ranlib CC={}",
            directory.display(),
            self.bash,
            self.bash,
            OPTIONS.join(" "),
            compiler.display()
        );
        self.shell(place, &["-c", &script])
    }

    /// Makes the script the compiler, with the column's own shell.
    fn put_compiler(&self, place: &Path, name: &str) -> Result<()> {
        let compiler = place.join("cc");
        let put = || -> std::io::Result<()> {
            let text = fs::read_to_string(sources().join("configure").join(name))?;
            fs::write(&compiler, format!("#!{}\n{text}", self.dash))?;
            fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755))
        };
        put().map_err(|e| format!("cannot write '{}': {e}", compiler.display()))
    }
}
