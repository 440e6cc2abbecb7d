//! The binary tools: thin wrappers over LLVM's.
//!
//! llvm-strip keeps custom sections that it does not know, so the mark of an executable survives, and it keeps the file's
//! mode.

use std::ffi::OsString;

use crate::command::Call;
use crate::error::Error;
use crate::install::Sysroot;
use crate::link;
use crate::linker_args::{self, Item};
use crate::options::Optimization;
use crate::target;
use crate::text;
use crate::tools::{self, Tool};

/// A tool that this program is when called by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Utility {
    /// One of LLVM's tools, with its command line unchanged.
    Plain(Tool),
    /// `lind-strip`
    Strip,
    /// `lind-as`
    Assembler,
    /// `lind-ld`
    Linker,
    /// `lind-pkg-config`
    PkgConfig,
}

impl Utility {
    /// The tool of a program name such as `lind-ar` or `wasm32-unknown-linux-gnu-ar`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if name.ends_with("-pkg-config") || name.ends_with("-pkgconf") {
            return Some(Self::PkgConfig);
        }
        match name.rsplit('-').next()? {
            "ar" => Some(Self::Plain(Tool::Ar)),
            "ranlib" => Some(Self::Plain(Tool::Ranlib)),
            "nm" => Some(Self::Plain(Tool::Nm)),
            "objdump" => Some(Self::Plain(Tool::Objdump)),
            "objcopy" => Some(Self::Plain(Tool::Objcopy)),
            "readelf" => Some(Self::Plain(Tool::Readelf)),
            "strip" => Some(Self::Strip),
            "as" => Some(Self::Assembler),
            "ld" => Some(Self::Linker),
            _ => None,
        }
    }
}

/// Runs the tool.
pub(crate) fn run(utility: Utility, args: &[OsString]) -> Result<u8, Error> {
    match utility {
        Utility::Plain(tool) => Call::new(tool.find()?).args(args.iter().cloned()).replace(),
        Utility::Strip => Call::new(Tool::Strip.find()?)
            .args(args.iter().map(strip_option))
            .replace(),
        Utility::Assembler => assembler(args),
        Utility::Linker => linker(args),
        Utility::PkgConfig => pkg_config(args),
    }
}

/// llvm-strip cannot remove only local symbols from a Wasm file. Debug information is the next less that it can remove.
fn strip_option(arg: &OsString) -> OsString {
    match arg.to_str() {
        Some("-x" | "-X" | "--discard-all" | "--discard-locals") => OsString::from("--strip-debug"),
        _ => arg.clone(),
    }
}

/// clang as an assembler. The version is answered in the words that configure scripts look for.
fn assembler(args: &[OsString]) -> Result<u8, Error> {
    if args
        .iter()
        .any(|arg| arg == "--version" || arg == "-v" || arg == "-version")
    {
        crate::query::say(
            "GNU assembler (GNU Binutils) 2.40, played by clang's integrated assembler",
        );
        return Ok(0);
    }
    let mut call = Call::new(Tool::Clang.find()?);
    call.args(target::compile_flags(
        &Sysroot::default(),
        Optimization::None,
    ))
    .arg("-c")
    .arg("-x")
    .arg("assembler");
    if !args
        .iter()
        .any(|arg| arg.as_encoded_bytes().starts_with(b"-o"))
    {
        call.arg("-o").arg("a.out");
    }
    call.args(args.iter().cloned()).replace()
}

/// wasm-ld, with the options of GNU ld that mean nothing to it left out.
fn linker(args: &[OsString]) -> Result<u8, Error> {
    let items: Vec<Item> = args.iter().cloned().map(Item::Raw).collect();
    let translated = linker_args::translate(&items, &Sysroot::default().builtins())?;
    if translated.help {
        return Call::new(Tool::WasmLd.find()?).arg("--help").replace();
    }
    if translated.version {
        crate::query::say(&link::version_line()?);
        return Ok(0);
    }
    let mut call = Call::new(Tool::WasmLd.find()?);
    if translated.relocatable {
        call.arg("-r");
    }
    if let Some(size) = translated.stack_size {
        call.arg("-z").arg(format!("stack-size={size}"));
    }
    call.arg("-o")
        .arg(translated.output.unwrap_or_else(|| OsString::from("a.out")));
    call.args(translated.args).replace()
}

/// pkg-config that sees only libraries built for lind: those of the sysroot and of `PKG_CONFIG_PATH`. Prefixes follow
/// the place of the `.pc` file, so a sysroot can be moved.
fn pkg_config(args: &[OsString]) -> Result<u8, Error> {
    let program = tools::in_path(&OsString::from("pkg-config")).ok_or_else(|| {
        Error::new("pkg-config not found").hint("install the Debian package pkg-config")
    })?;
    let directories = Sysroot::default().pkgconfig_directories();
    let joined = std::env::join_paths(directories)
        .map_err(|failure| Error::new(format!("the sysroot cannot be searched: {failure}")))?;
    let environment =
        tools::in_path(&OsString::from("env")).ok_or_else(|| Error::new("env not found"))?;
    let mut call = Call::new(environment);
    call.arg("-u")
        .arg("PKG_CONFIG_SYSROOT_DIR")
        .arg(text::join("PKG_CONFIG_LIBDIR=", joined));
    call.arg(program)
        .arg("--define-prefix")
        .args(args.iter().cloned())
        .replace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        assert_eq!(
            Utility::from_name("lind-ar"),
            Some(Utility::Plain(Tool::Ar))
        );
        assert_eq!(
            Utility::from_name("wasm32-unknown-linux-gnu-strip"),
            Some(Utility::Strip)
        );
        assert_eq!(
            Utility::from_name("lind-pkg-config"),
            Some(Utility::PkgConfig)
        );
        for driver in [
            "lind-cc",
            "wasm32-unknown-linux-gnu-gcc",
            "lind-clang",
            "cc",
            "anything",
        ] {
            assert_eq!(Utility::from_name(driver), None);
        }
    }

    #[test]
    fn strip_has_a_substitute_for_local_symbols() {
        assert_eq!(strip_option(&OsString::from("-x")), "--strip-debug");
        assert_eq!(strip_option(&OsString::from("-s")), "-s");
    }
}
