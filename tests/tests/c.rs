//! Every program of `c/` does natively what its header says, and the same under lind.
//!
//! A failing native run is a failure of the test itself. `LIND_TESTS=native` runs the native half only, to write tests
//! before the installation exists.
#![forbid(unsafe_code)]

#[path = "c/calls.rs"]
mod calls;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use lind_tests::Result;
use lind_tests::asyncify;
use lind_tests::compile::Compiler;
use lind_tests::header::{Header, Place};
use lind_tests::install::Installation;
use lind_tests::report::difference;
use lind_tests::run::{Ending, LIMIT, Outcome, disable_core_files, run};

/// What lind puts into the environment of every program.
const DEFAULT_ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/")];

/// Programs that run once more as modules that unwind themselves, by what their names begin with: how threads are frozen
/// must not show.
const ASYNCIFIED: [&str; 7] = [
    "exec/", "futex/", "jump/", "process/", "signal/", "thread/", "wait/",
];
/// But not these: makecontext does nothing in such modules.
const NOT_ASYNCIFIED: &str = "jump/context";
/// Those of them that are instrumented with optimisation as well, which takes long.
const ASYNCIFIED_AND_OPTIMISED: [&str; 3] = [
    "process/fork_deep",
    "process/fork_jump",
    "process/fork_qsort",
];

/// What all programs share.
struct Bench {
    native: Compiler,
    native_static: Compiler,
    lind: Option<(Installation, Compiler)>,
    chroot: Option<Vec<String>>,
    scratch: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    disable_core_files();
    match prepare() {
        Ok((bench, trials)) => {
            let bench = Arc::new(bench);
            let mut trials: Vec<Trial> = trials
                .into_iter()
                .flat_map(|path| programs(&bench, &path))
                .collect();
            trials.extend(calls::trial(&bench));
            libtest_mimic::run(&arguments, trials).exit_code()
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(101)
        }
    }
}

fn prepare() -> Result<(Bench, Vec<PathBuf>)> {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("c");
    let lind = if env::var_os("LIND_TESTS").is_some_and(|only| only == "native") {
        None
    } else {
        let installation = Installation::find()?;
        let identity = installation.toolchain_identity()?;
        let compiler = Compiler::new(
            &installation.tool("lind-cc"),
            &[],
            identity,
            &home.join("lind"),
        );
        Some((installation, compiler))
    };
    let bench = Bench {
        native: Compiler::native("cc", &["-m64"], &home.join("native"))?,
        native_static: Compiler::native("cc", &["-m64", "-static"], &home.join("native"))?,
        lind,
        chroot: chroot_command(),
        scratch: home.join("scratch"),
    };
    fs::create_dir_all(&bench.scratch)
        .map_err(|e| format!("cannot create '{}': {e}", bench.scratch.display()))?;
    let sources = sources(&directory())?;
    Ok((bench, sources))
}

/// Where the programs are.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("c")
}

/// All C sources under a directory, sorted.
fn sources(directory: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e| format!("cannot read '{}': {e}", directory.display());
    let mut sources = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            sources.extend(self::sources(&path)?);
        } else if path.extension() == Some(OsStr::new("c")) {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}

/// What both compilers are called with for a program.
fn options(header: &Header, level: &str) -> Vec<String> {
    let include = format!("-I{}", directory().display());
    let mut options = vec![level.to_owned(), "-D_GNU_SOURCE".to_owned(), include];
    options.extend_from_slice(&header.cflags);
    options
}

/// One trial for each optimisation level of a source, and more with asyncify; the name begins with the path in `c/`.
fn programs(bench: &Arc<Bench>, source: &Path) -> Vec<Trial> {
    let name = source
        .strip_prefix(directory())
        .unwrap_or(source)
        .with_extension("")
        .to_string_lossy()
        .into_owned();
    let header = fs::read_to_string(source)
        .map_err(|e| e.to_string())
        .and_then(|text| Header::parse(&text));
    let header = match header {
        Ok(header) => header,
        Err(message) => return vec![Trial::test(name, move || Err(Failed::from(message)))],
    };
    let is_root = rustix::process::geteuid().is_root();
    let ignored = (header.place == Place::Chroot && bench.chroot.is_none())
        || (header.is_root && !is_root)
        || (header.needs_landlock && !has_landlock());
    let several = header.levels.len() > 1;
    let header = Arc::new(header);
    let trial = |level: &String, asyncify: Option<&'static str>| {
        let mut title = name.clone();
        if several {
            title.push_str(level);
        }
        if let Some(level) = asyncify {
            title.push_str("+asyncify");
            title.push_str(level);
        }
        let (bench, header, source, level) = (
            bench.clone(),
            header.clone(),
            source.to_path_buf(),
            level.clone(),
        );
        Trial::test(title, move || {
            bench
                .check(&source, &header, &level, asyncify)
                .map_err(Failed::from)
        })
        .with_ignored_flag(ignored)
    };
    let mut trials: Vec<Trial> = header
        .levels
        .iter()
        .map(|level| trial(level, None))
        .collect();
    if let Some(level) = header.levels.last()
        && bench.asyncifies(&name)
    {
        trials.push(trial(level, Some("-O0")));
        if ASYNCIFIED_AND_OPTIMISED.contains(&name.as_str()) {
            trials.push(trial(level, Some("-O2")));
        }
    }
    trials
}

impl Bench {
    /// Whether a program runs with asyncify as well.
    fn asyncifies(&self, name: &str) -> bool {
        self.lind.is_some()
            && ASYNCIFIED.iter().any(|family| name.starts_with(family))
            && !name.starts_with(NOT_ASYNCIFIED)
    }

    /// Runs a program natively and under lind: as lind-cc makes it, or instrumented at a level of wasm-opt's.
    fn check(
        &self,
        source: &Path,
        header: &Header,
        level: &str,
        asyncify: Option<&str>,
    ) -> Result<()> {
        let options = options(header, level);
        let native = self.run_native(source, header, &options)?;
        if native.ending != Ending::Status(header.status) {
            return Err(format!(
                "the test itself is wrong: natively it ended with {} (its header says {})\n{}{}",
                native.ending,
                header.status,
                native.text(),
                String::from_utf8_lossy(&native.stderr)
            ));
        }
        let Some((installation, compiler)) = &self.lind else {
            return Ok(());
        };
        let runs: &[&str] = if header.fork_checks && asyncify.is_none() {
            &["", "poison", "poison,conceal"]
        } else {
            &[""]
        };
        let compared = compiler
            .build(source, &options, &header.libs)
            .and_then(|program| match asyncify {
                None => Ok(program),
                Some(level) => asyncify::instrument(&program, level),
            })
            .and_then(|program| {
                runs.iter().try_for_each(|checks| {
                    let lind = self.run_lind(installation, &program, header, checks, &[])?;
                    compare(header, &native, &lind).map_err(|message| match *checks {
                        "" => message,
                        checks => format!("with LIND_FORK_CHECKS={checks}: {message}"),
                    })
                })
            });
        match (&header.expect_failure, compared) {
            (None, compared) => compared,
            (Some(_), Err(_)) => Ok(()),
            (Some(reason), Ok(())) => Err(format!(
                "passed, though its header expects a failure ({reason}): remove @expect-failure"
            )),
        }
    }

    fn run_native(&self, source: &Path, header: &Header, options: &[String]) -> Result<Outcome> {
        let compiler = if header.place == Place::Chroot {
            &self.native_static
        } else {
            &self.native
        };
        let program = compiler.build(source, options, &header.libs)?;
        let directory = self.directory()?;
        let mut command = match (&header.place, &self.chroot) {
            (Place::Chroot, Some(chroot)) => {
                let inside = install_program(&program, directory.path())?;
                let mut words = chroot.iter().map(String::as_str);
                let mut command = Command::new(words.next().unwrap_or("/usr/sbin/chroot"));
                command.args(words).arg(directory.path()).arg(inside);
                command
            }
            _ => Command::new(program),
        };
        command
            .args(&header.args)
            .env_clear()
            .envs(DEFAULT_ENVIRONMENT);
        command.envs(header.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(directory.path());
        run(&mut command, &header.stdin, LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))
    }

    fn run_lind(
        &self,
        installation: &Installation,
        program: &Path,
        header: &Header,
        fork_checks: &str,
        options: &[&OsStr],
    ) -> Result<Outcome> {
        let directory = self.directory()?;
        let mut command = Command::new(installation.tool("lind"));
        command.args(options);
        command.env("LIND_FORK_CHECKS", fork_checks);
        command.env("XDG_CACHE_HOME", self.scratch.with_file_name("cache"));
        for (name, value) in &header.env {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        if header.is_root {
            command.args(["--user", "0"]);
        }
        match header.place {
            Place::Nowhere => command.arg(program),
            Place::Scratch => {
                let mut grant = directory.path().as_os_str().to_owned();
                grant.push("::/scratch");
                command
                    .arg("--dir")
                    .arg(grant)
                    .args(["--cwd", "/scratch"])
                    .arg(program)
            }
            Place::Chroot => {
                let inside = install_program(program, directory.path())?;
                command.arg("--root").arg(directory.path()).arg(inside)
            }
        };
        command.args(&header.args);
        run(&mut command, &header.stdin, LIMIT).map_err(|e| format!("cannot run {command:?}: {e}"))
    }

    fn directory(&self) -> Result<tempfile::TempDir> {
        tempfile::tempdir_in(&self.scratch)
            .map_err(|e| format!("cannot create a scratch directory: {e}"))
    }
}

/// Puts a program into a root directory of its own and names it as seen from inside.
fn install_program(program: &Path, root: &Path) -> Result<PathBuf> {
    let name = program.file_name().ok_or("a program needs a name")?;
    fs::copy(program, root.join(name))
        .map_err(|e| format!("cannot install '{}': {e}", program.display()))?;
    Ok(Path::new("/").join(name))
}

fn compare(header: &Header, native: &Outcome, lind: &Outcome) -> Result<()> {
    let mut differences = Vec::new();
    if lind.ending != native.ending {
        differences.push(format!(
            "natively {}, under lind {}\n",
            native.ending, lind.ending
        ));
    }
    differences.extend(difference("stdout", &native.stdout, &lind.stdout));
    let stderr = difference("stderr", &native.stderr, &lind.stderr);
    if header.compare_stderr {
        differences.extend(stderr);
    } else if !differences.is_empty() {
        let shown: String = String::from_utf8_lossy(&lind.stderr)
            .lines()
            .take(30)
            .map(|l| format!("{l}\n"))
            .collect();
        differences.push(format!("stderr under lind:\n{shown}"));
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.concat())
    }
}

/// Whether the kernel can have version 4 of landlock(7), which came with Linux 6.7.
fn has_landlock() -> bool {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut numbers = release.split('.').map(|part| part.parse::<u32>().ok());
    let version = (numbers.next().flatten(), numbers.next().flatten());
    version >= (Some(6), Some(7))
}

/// How this user enters a chroot: directly as root, else through a user namespace; `None` where neither is allowed.
fn chroot_command() -> Option<Vec<String>> {
    let ways: [&[&str]; 2] = [
        &["/usr/sbin/chroot"],
        &["/usr/bin/unshare", "--map-root-user", "/usr/sbin/chroot"],
    ];
    let works = |way: &&&[&str]| {
        way.split_first().is_some_and(|(program, rest)| {
            let mut command = Command::new(program);
            command.args(rest).args(["/", "/bin/true"]);
            run(&mut command, b"", LIMIT).is_ok_and(|outcome| outcome.succeeded())
        })
    };
    ways.iter()
        .find(works)
        .map(|way| way.iter().map(|&word| word.to_owned()).collect())
}
