//! Linker options in GNU syntax, translated for wasm-ld.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::error::Error;
use crate::options;
use crate::text;

/// A part of a link, in the user's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A file to compile, with the language of `-x`.
    Source {
        /// The file, or `-`.
        path: OsString,
        /// The value of `-x`.
        language: Option<OsString>,
    },
    /// A file for the linker.
    Object(OsString),
    /// An argument for the linker as the user gave it (`-lNAME`, the parts of `-Wl,`).
    Raw(OsString),
}

impl Item {
    /// Whether compiling it makes a precompiled header.
    pub(crate) fn is_header(&self) -> bool {
        match self {
            Self::Source {
                language: Some(language),
                ..
            } => language
                .to_str()
                .is_some_and(|language| language.ends_with("-header")),
            Self::Source { path, .. } => {
                let extension = Path::new(path).extension().and_then(OsStr::to_str);
                matches!(extension, Some("h" | "hh" | "hpp" | "hxx" | "H"))
            }
            Self::Object(_) | Self::Raw(_) => false,
        }
    }
}

/// The linker's side of a command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkerArgs {
    /// Options and files for wasm-ld.
    pub(crate) args: Vec<OsString>,
    /// Bytes of stack that the user wants.
    pub(crate) stack_size: Option<u64>,
    /// `-r`
    pub(crate) relocatable: bool,
    /// `-o`, when the linker is called directly.
    pub(crate) output: Option<OsString>,
    /// `-v` or `--version`
    pub(crate) version: bool,
    /// `--help`
    pub(crate) help: bool,
    /// Whether an entry point was chosen.
    pub(crate) entry: bool,
    /// Whether there is any file or library.
    pub(crate) has_input: bool,
}

/// Options without a value that have no meaning for a static Wasm module.
const DROPPED: &[&str] = &[
    "(",
    ")",
    "start-group",
    "end-group",
    "as-needed",
    "no-as-needed",
    "add-needed",
    "no-add-needed",
    "copy-dt-needed-entries",
    "no-copy-dt-needed-entries",
    "eh-frame-hdr",
    "no-eh-frame-hdr",
    "build-id",
    "hash-style",
    "no-undefined",
    "no-dynamic-linker",
    "export-dynamic",
    "E",
    "no-export-dynamic",
    "enable-new-dtags",
    "disable-new-dtags",
    "Bstatic",
    "Bdynamic",
    "dn",
    "dy",
    "static",
    "non_shared",
    "call_shared",
    "Bsymbolic",
    "Bsymbolic-functions",
    "Bno-symbolic",
    "pie",
    "no-pie",
    "pic-executable",
    "relax",
    "no-relax",
    "sort-common",
    "warn-common",
    "warn-once",
    "warn-section-align",
    "no-warn-mismatch",
    "no-warn-search-mismatch",
    "warn-shared-textrel",
    "no-warn-rwx-segments",
    "warn-rwx-segments",
    "no-warn-execstack",
    "warn-execstack",
    "allow-shlib-undefined",
    "no-allow-shlib-undefined",
    "no-undefined-version",
    "undefined-version",
    "default-symver",
    "no-keep-memory",
    "reduce-memory-overheads",
    "discard-all",
    "discard-locals",
    "discard-none",
    "x",
    "X",
    "icf",
    "gdb-index",
    "no-gdb-index",
    "compress-debug-sections",
    "no-ld-generated-unwind-info",
    "ld-generated-unwind-info",
    "omagic",
    "nmagic",
    "no-omagic",
    "N",
    "n",
    "d",
    "dc",
    "dp",
    "q",
    "emit-stub-syms",
    "traditional-format",
    "stats",
    "no-mmap-output-file",
    "orphan-handling",
    "pack-dyn-relocs",
    "sysroot",
    "EL",
    "nostdlib",
    "plugin-opt",
    "no-rosegment",
    "rosegment",
    "apply-dynamic-relocs",
    "no-apply-dynamic-relocs",
    "package-metadata",
    "fix-cortex-a53-843419",
];

/// Options with a value (attached by `=` or as the next argument) that have no meaning for a static Wasm module.
const DROPPED_WITH_VALUE: &[&str] = &[
    "rpath",
    "rpath-link",
    "R",
    "soname",
    "h",
    "dynamic-linker",
    "I",
    "version-script",
    "dynamic-list",
    "exclude-libs",
    "plugin",
    "Y",
    "f",
    "F",
    "auxiliary",
    "filter",
    "sort-section",
    "m",
    "b",
    "format",
    "oformat",
    "A",
    "architecture",
    "assert",
    "hash-size",
    "spare-dynamic-tags",
];

/// Files that GCC's specifications name and that a Wasm program does without.
const START_FILES: &[&str] = &[
    "crti.o",
    "crtn.o",
    "crtbegin.o",
    "crtbeginS.o",
    "crtbeginT.o",
    "crtend.o",
    "crtendS.o",
];

/// Translates the items of a link; sources must have become objects.
pub(crate) fn translate(items: &[Item], builtins: &Path) -> Result<LinkerArgs, Error> {
    let mut out = LinkerArgs::default();
    let mut rest = items.iter();
    while let Some(item) = rest.next() {
        match item {
            Item::Source { path, .. } | Item::Object(path) => out.object(path),
            Item::Raw(arg) => {
                let mut next = || match rest.as_slice().first() {
                    Some(Item::Raw(value)) => {
                        rest.next();
                        Some(value.clone())
                    }
                    _ => None,
                };
                out.raw(arg, &mut next, builtins)?;
            }
        }
    }
    Ok(out)
}

impl LinkerArgs {
    fn object(&mut self, path: &OsStr) {
        let absent = || !Path::new(path).exists();
        if START_FILES.iter().any(|name| path == *name) && absent() {
            return;
        }
        self.has_input = true;
        self.args.push(path.to_owned());
    }

    fn raw(
        &mut self,
        arg: &OsStr,
        next: &mut dyn FnMut() -> Option<OsString>,
        builtins: &Path,
    ) -> Result<(), Error> {
        let bytes = arg.as_encoded_bytes();
        if !bytes.starts_with(b"-") {
            self.object(arg);
            return Ok(());
        }
        if self.joined(arg, builtins)? {
            return Ok(());
        }
        let (option, attached) = match text::split_once(arg, b'=') {
            Some((option, value)) => (option, Some(value)),
            None => (arg, None),
        };
        let option = option.to_string_lossy();
        let name = option.trim_start_matches('-');
        if DROPPED.contains(&name) {
            return Ok(());
        }
        let mut value = || {
            attached
                .map(OsStr::to_owned)
                .or_else(&mut *next)
                .ok_or_else(|| {
                    Error::new(format!("argument to linker option '{option}' is missing"))
                })
        };
        if DROPPED_WITH_VALUE.contains(&name) {
            value()?;
            return Ok(());
        }
        match name {
            "shared" | "Bshareable" | "G" => return Err(options::shared(&option)),
            "T" | "script" | "default-script" | "dT" => return Err(linker_script(&option)),
            "r" | "relocatable" | "i" | "Ur" => self.relocatable = true,
            "v" | "V" | "version" => self.version = true,
            "help" => self.help = true,
            "o" | "output" => self.output = Some(value()?),
            "z" => {
                let keyword = value()?;
                self.keyword(&keyword)?;
            }
            "u" | "undefined" | "require-defined" => {
                let symbol = value()?;
                self.args.push(text::join("--undefined=", symbol));
            }
            "e" | "entry" => {
                let symbol = value()?;
                self.args.push(text::join("--entry=", symbol));
                self.entry = true;
            }
            "no-entry" => {
                self.args.push(arg.to_owned());
                self.entry = true;
            }
            "Map" => {
                let file = value()?;
                self.args.push(text::join("--Map=", file));
            }
            "L" | "library-path" => {
                let directory = value()?;
                self.args.push(text::join("-L", directory));
            }
            "l" | "library" => {
                let library = value()?;
                self.library(&library, builtins);
            }
            // Imports that lind does not provide cannot be linked; a call of them is an error only when it happens.
            "allow-undefined" | "import-undefined" => self
                .args
                .push(OsString::from("--unresolved-symbols=ignore-all")),
            _ => self.args.push(arg.to_owned()),
        }
        Ok(())
    }

    /// Options of one letter with their value attached.
    fn joined(&mut self, arg: &OsStr, builtins: &Path) -> Result<bool, Error> {
        let Some(text) = arg
            .to_str()
            .filter(|text| text.len() > 2 && !text.starts_with("--"))
        else {
            return Ok(false);
        };
        if let Some(library) = text.strip_prefix("-l") {
            self.library(OsStr::new(library), builtins);
        } else if text.starts_with("-L") {
            self.args.push(arg.to_owned());
        } else if let Some(keyword) = text.strip_prefix("-z") {
            self.keyword(OsStr::new(keyword))?;
        } else if let Some(symbol) = text.strip_prefix("-u").filter(|_| !text.starts_with("-un")) {
            self.args.push(text::join("--undefined=", symbol));
        } else if text.starts_with("-T") {
            return Err(linker_script(text));
        } else if !text.starts_with("-R/") {
            return Ok(false);
        }
        Ok(true)
    }

    fn library(&mut self, name: &OsStr, builtins: &Path) {
        match name.to_str() {
            Some("gcc" | ":libgcc.a") => self.args.push(builtins.as_os_str().to_owned()),
            // The unwinder is part of the C library, as far as there is one.
            Some("gcc_s" | "gcc_eh") => {}
            _ => self.args.push(text::join("-l", name)),
        }
        self.has_input = true;
    }

    /// `-z KEYWORD`: only the stack size means something.
    fn keyword(&mut self, keyword: &OsStr) -> Result<(), Error> {
        let Some(size) = text::strip(keyword, "stack-size=") else {
            return Ok(());
        };
        let text = size.to_string_lossy();
        let parsed = match text.strip_prefix("0x") {
            Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16),
            None => text.parse(),
        };
        let bytes = parsed
            .map_err(|_| Error::new(format!("'-z stack-size={text}': not a number of bytes")))?;
        self.stack_size = Some(bytes);
        Ok(())
    }
}

fn linker_script(option: &str) -> Error {
    Error::new(format!(
        "linker option '{option}': linker scripts are not possible for WebAssembly"
    ))
    .hint("the linker lays the memory out; `-Wl,-z,stack-size=BYTES` sets the size of the stack")
}

#[cfg(test)]
mod tests;
