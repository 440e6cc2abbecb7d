//! The columns of the compute table: what is built for each and how it is run.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lind_tests::Result;
use lind_tests::asyncify;
use lind_tests::compile::Compiler;
use lind_tests::install::Installation;
use lind_tests::run::run;

use crate::sources;

/// Building the comparison engine from nothing takes minutes.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);
/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// clang -O2 for this machine.
    Native,
    /// lind-cc's module on unpatched Wasmtime.
    Stock,
    /// The same module under lind.
    Lind,
    /// The same module after `wasm-opt -O2 --asyncify` on unpatched Wasmtime.
    Asyncify,
}

impl Column {
    pub(crate) const ALL: [Self; 4] = [Self::Native, Self::Stock, Self::Lind, Self::Asyncify];
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Stock => "stock",
            Self::Lind => "lind",
            Self::Asyncify => "asyncify on stock",
        })
    }
}

/// Everything that the benchmarks run.
pub(crate) struct Programs {
    pub(crate) installation: Installation,
    pub(crate) native_compiler: Compiler,
    pub(crate) static_compiler: Compiler,
    pub(crate) lind_compiler: Compiler,
    /// Why there is no asyncify column, if there is none.
    pub(crate) no_asyncify: Option<String>,
    stock: PathBuf,
    native: HashMap<String, PathBuf>,
    wasm: HashMap<String, PathBuf>,
    asyncified: HashMap<String, PathBuf>,
}

impl Programs {
    /// The command that runs a kernel in a column, without its arguments; `None` when the column is missing.
    pub(crate) fn command(&self, column: Column, kernel: &str) -> Option<Command> {
        let on = |host: &Path, module: Option<&PathBuf>| {
            let mut command = Command::new(host);
            command.arg(module?);
            Some(command)
        };
        match column {
            Column::Native => self.native.get(kernel).map(Command::new),
            Column::Stock => on(&self.stock, self.wasm.get(kernel)),
            Column::Lind => on(&self.installation.tool("lind"), self.wasm.get(kernel)),
            Column::Asyncify => on(&self.stock, self.asyncified.get(kernel)),
        }
    }
}

/// Builds every program of every column.
pub(crate) fn prepare(target: &Path, kernels: &[&str]) -> Result<Programs> {
    let installation = Installation::find()?;
    let clang = |options: &[&str]| Compiler::native("clang-22", options, &target.join("native"));
    let identity = installation.toolchain_identity()?;
    let mut programs = Programs {
        native_compiler: clang(&["-O2"])?,
        static_compiler: clang(&["-O2", "-static"])?,
        lind_compiler: Compiler::new(
            &installation.tool("lind-cc"),
            &["-O2"],
            identity,
            &target.join("lind"),
        ),
        installation,
        no_asyncify: asyncify::missing(),
        stock: build_stock()?,
        native: HashMap::new(),
        wasm: HashMap::new(),
        asyncified: HashMap::new(),
    };
    for &kernel in kernels {
        let source = sources().join("kernels").join(kernel).with_extension("c");
        programs.native.insert(
            kernel.to_owned(),
            programs.native_compiler.build(&source, &[], &[])?,
        );
        let wasm = programs.lind_compiler.build(&source, &[], &[])?;
        if programs.no_asyncify.is_none() {
            match asyncify::instrument(&wasm, "-O2") {
                Ok(module) => drop(programs.asyncified.insert(kernel.to_owned(), module)),
                Err(message) => programs.no_asyncify = Some(message),
            }
        }
        programs.wasm.insert(kernel.to_owned(), wasm);
    }
    Ok(programs)
}

/// Builds the runner on unpatched Wasmtime; it is a workspace of its own.
fn build_stock() -> Result<PathBuf> {
    let package = sources().join("stock");
    eprintln!("bench: building unpatched Wasmtime (minutes at the first time)");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--release", "--quiet", "--locked"])
        .current_dir(&package)
        .env_remove("CARGO_TARGET_DIR");
    let outcome =
        run(&mut cargo, b"", BUILD_LIMIT).map_err(|e| format!("cannot run cargo: {e}"))?;
    if outcome.succeeded() {
        Ok(package.join("target/release/lind-bench-stock"))
    } else {
        Err(format!(
            "building '{}' failed\n{}",
            package.display(),
            String::from_utf8_lossy(&outcome.stderr)
        ))
    }
}
