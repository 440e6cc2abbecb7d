//! `make rootfs`: a root directory with shells, coreutils and their like, for `lind run --root`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, Toolchain};
use lind_tests::apps::rootfs;
use lind_tests::debian::Sources;
use lind_tests::install::{Installation, repository};

fn main() -> ExitCode {
    let root = std::env::args_os()
        .nth(1)
        .map_or_else(|| repository().join("target/rootfs"), PathBuf::from);
    let made = make(&root);
    match made {
        Ok(()) => {
            println!("{}", root.display());
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("rootfs: {message}");
            ExitCode::FAILURE
        }
    }
}

fn make(root: &std::path::Path) -> Result<()> {
    let home = repository().join("target/apps");
    let toolchain = Toolchain::Lind(Installation::find()?);
    let builder = Builder::new(toolchain, &home, Sources::new(&home));
    rootfs::install(&builder, root)
}
