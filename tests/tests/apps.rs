//! Real programs: Debian's sources, built unmodified with lind-cc by their own configure and make, doing their job.
//!
//! Sources and builds stay under `target/apps`; a build is made again when the toolchain changes. The recipes also run
//! natively (`--ignored`), which shows that a recipe itself is right.
#![forbid(unsafe_code)]

#[path = "apps/archives.rs"]
mod archives;
#[path = "apps/busybox.rs"]
mod busybox;
#[path = "apps/commands.rs"]
mod commands;
#[path = "apps/coreutils.rs"]
mod coreutils;
#[path = "apps/event_loops.rs"]
mod event_loops;
#[path = "apps/fio.rs"]
mod fio;
#[path = "apps/glibc.rs"]
mod glibc;
#[path = "apps/hello.rs"]
mod hello;
#[path = "apps/load.rs"]
mod load;
#[path = "apps/lua.rs"]
mod lua;
#[path = "apps/posix.rs"]
mod posix;
#[path = "apps/procps.rs"]
mod procps;
#[path = "apps/python.rs"]
mod python;
#[path = "apps/redis.rs"]
mod redis;
#[path = "apps/scripts.rs"]
mod scripts;
#[path = "apps/selftests.rs"]
mod selftests;
#[path = "apps/shells.rs"]
mod shells;
#[path = "apps/socat.rs"]
mod socat;
#[path = "apps/sqlite.rs"]
mod sqlite;
#[path = "apps/suite.rs"]
mod suite;
#[path = "apps/suites.rs"]
mod suites;
#[path = "apps/system.rs"]
mod system;
#[path = "apps/text.rs"]
mod text;
#[path = "apps/zlib.rs"]
mod zlib;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use lind_tests::Result;
use lind_tests::apps::build::{Builder, Toolchain};
use lind_tests::debian::Sources;
use lind_tests::install::{Installation, repository};
use lind_tests::run::disable_core_files;

/// A program: builds it and checks what it does.
type Recipe = fn(&Builder) -> Result<()>;

const RECIPES: [(&str, Recipe); 38] = [
    ("bash", shells::check_bash),
    ("bash-suite", suites::check_bash),
    ("busybox", busybox::check),
    ("busybox-suite", busybox::check_suite),
    ("coreutils", coreutils::check),
    ("dash", shells::check_dash),
    ("diffutils", text::check_diffutils),
    ("findutils", text::check_findutils),
    ("fio", fio::check),
    ("gawk", text::check_gawk),
    ("gawk-suite", suites::check_gawk),
    ("glibc-suite", glibc::check),
    ("grep", text::check_grep),
    ("grep-suite", suites::check_grep),
    ("gzip-suite", archives::check_gzip),
    ("hello", hello::check),
    ("libevent-suite", event_loops::check_libevent),
    ("libuv-suite", event_loops::check_libuv),
    ("lua", lua::check),
    ("m4-suite", archives::check_m4),
    ("make", text::check_make),
    ("make-suite", suites::check_make),
    ("patch-suite", archives::check_patch),
    ("posix-suite", posix::check),
    ("postmark", load::check_postmark),
    ("procps", procps::check),
    ("python", python::check),
    ("python-suite", python::check_suite),
    ("redis", redis::check),
    ("sed", text::check_sed),
    ("sed-suite", suites::check_sed),
    ("selftests", selftests::check),
    ("socat", socat::check),
    ("sqlite", sqlite::check),
    ("stress", load::check_stress),
    ("system", system::check),
    ("tar-suite", archives::check_tar),
    ("zlib", zlib::check),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each build runs its own make with a job for each core, and downloads share one apt.
    arguments.test_threads.get_or_insert(1);
    disable_core_files();
    let home = repository().join("target/apps");
    let sources = Sources::new(&home);
    let native = Arc::new(Builder::new(Toolchain::Native, &home, sources.clone()));
    let lind = match Installation::find() {
        Ok(installation) => Arc::new(Builder::new(Toolchain::Lind(installation), &home, sources)),
        Err(message) if arguments.ignored => {
            eprintln!("note: {message}");
            native.clone()
        }
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(101);
        }
    };
    let trials = RECIPES.into_iter().flat_map(|(name, recipe)| {
        let (lind, native) = (lind.clone(), native.clone());
        [
            Trial::test(name, move || recipe(&lind).map_err(Failed::from)),
            Trial::test(format!("{name}-native"), move || {
                recipe(&native).map_err(Failed::from)
            })
            .with_ignored_flag(true),
        ]
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
