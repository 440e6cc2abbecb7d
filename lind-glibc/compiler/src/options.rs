//! The driver's command line, as GCC and clang define it.
//!
//! The parser knows every option that takes a separate value (so that the value is not mistaken for an input), every
//! option that concerns linking, and those that mean nothing on Wasm. All others are clang's.

mod table;

pub(crate) use table::shared;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::slice::Iter;

use crate::command::Show;
use crate::error::Error;
use crate::linker_args::Item;
use crate::text;

/// What a link consists of beside the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standard {
    /// Link the start file.
    pub(crate) start_file: bool,
    /// Link the C library.
    pub(crate) c_library: bool,
    /// Link the compiler's run-time functions.
    pub(crate) builtins: bool,
}

/// The optimisation level, as far as the driver cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Optimization {
    /// -O0, -O1, -Og.
    #[default]
    None,
    /// -Os, -Oz.
    Size,
    /// -O2.
    Speed,
    /// -O3, -Ofast.
    Most,
}

/// What a definition without an initialiser is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tentative {
    /// A definition like others.
    #[default]
    Strong,
    /// One of several that may be.
    Common,
}

/// A question that is answered on standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// `-print-prog-name=NAME`
    ProgramName(String),
    /// `-print-file-name=NAME`
    FileName(String),
    /// `-print-libgcc-file-name`
    Builtins,
    /// `-print-search-dirs`
    SearchDirectories,
    /// `-print-sysroot`
    Sysroot,
    /// `-print-lind-share`
    Share,
    /// `--version`
    Version,
    /// A question with the same answer always.
    Constant(&'static str),
    /// A question for clang.
    Clang,
}

/// A parsed command line.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The question to answer instead of working.
    pub(crate) question: Option<Question>,
    /// Flags and inputs for a call of clang that finishes the job alone, in the user's order.
    pub(crate) clang: Vec<OsString>,
    /// Flags for compiling each source of a link.
    pub(crate) flags: Vec<OsString>,
    /// Sources, objects and linker options of a link, in the user's order.
    pub(crate) items: Vec<Item>,
    /// `-o`
    pub(crate) output: Option<OsString>,
    /// `--sysroot`
    pub(crate) sysroot: Option<OsString>,
    /// `-O…`
    pub(crate) optimization: Optimization,
    /// `-v`, `-###`
    pub(crate) show: Show,
    /// `-r`
    pub(crate) relocatable: bool,
    /// `-nostdlib` and relatives.
    pub(crate) standard: Standard,
    /// `-MD` or `-MMD` without `-MF`: the dependency file is named after the output.
    pub(crate) dependencies: bool,
    /// `-fcommon`
    pub(crate) tentative: Tentative,
    /// `-std=`, the last one
    pub(crate) standard_of_language: Option<String>,
    /// `-c`
    pub(crate) makes_objects: bool,
    stops_before_link: bool,
}

impl Invocation {
    /// Whether the command line asks for a link.
    pub(crate) fn is_link(&self) -> bool {
        let headers_only = || {
            let mut inputs = self
                .items
                .iter()
                .filter(|item| !matches!(item, Item::Raw(_)))
                .peekable();
            inputs.peek().is_some() && inputs.all(Item::is_header)
        };
        !self.stops_before_link && !headers_only()
    }

    /// Whether a link-time optimisation was asked for.
    pub(crate) fn is_lto(&self) -> bool {
        self.flags.iter().any(|flag| {
            matches!(
                flag.to_str(),
                Some("-flto" | "-flto=full" | "-flto=thin" | "-flto=auto")
            )
        })
    }
}

/// Parses a command line without response files.
pub(crate) fn parse(args: &[OsString]) -> Result<Invocation, Error> {
    let mut parser = Parser::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        parser.take(arg, &mut rest)?;
    }
    parser.finish()
}

struct Parser {
    invocation: Invocation,
    language: Option<OsString>,
    dependency_flag: bool,
    dependency_file: bool,
    sanitizer: bool,
    sanitizer_traps: bool,
}

impl Parser {
    fn new() -> Self {
        let invocation = Invocation {
            question: None,
            clang: Vec::new(),
            flags: Vec::new(),
            items: Vec::new(),
            output: None,
            sysroot: None,
            optimization: Optimization::None,
            show: Show::Nothing,
            relocatable: false,
            standard: Standard {
                start_file: true,
                c_library: true,
                builtins: true,
            },
            dependencies: false,
            tentative: Tentative::Strong,
            standard_of_language: None,
            makes_objects: false,
            stops_before_link: false,
        };
        Self {
            invocation,
            language: None,
            dependency_flag: false,
            dependency_file: false,
            sanitizer: false,
            sanitizer_traps: false,
        }
    }

    fn take<'a>(&mut self, arg: &'a OsStr, rest: &mut Iter<'a, OsString>) -> Result<(), Error> {
        let option = match arg.to_str() {
            Some(text) if text.starts_with('-') && text != "-" => text,
            _ if text::strip(arg, "-").is_some_and(|rest| !rest.is_empty()) => {
                self.keep(&[arg]);
                return Ok(());
            }
            _ => {
                self.input(arg);
                return Ok(());
            }
        };
        if let Some(refusal) = table::refusal(option) {
            return Err(refusal);
        }
        if table::is_meaningless(option) || self.tentative(option) || self.question(option) {
            return Ok(());
        }
        if self.stage(option) || self.observe(option) {
            self.keep(&[arg]);
            return Ok(());
        }
        if self.linking(arg, option, rest)? || self.own_value(arg, option, rest)? {
            return Ok(());
        }
        if table::takes_value(option) {
            self.dependency_file |= option == "-MF";
            let value = value(option, rest)?;
            self.keep(&[arg, value]);
        } else {
            self.dependency_file |= option.starts_with("-MF");
            self.keep(&[arg]);
        }
        Ok(())
    }

    /// Keeps a flag of clang's.
    fn keep(&mut self, args: &[&OsStr]) {
        self.invocation
            .clang
            .extend(args.iter().map(OsString::from));
        self.invocation
            .flags
            .extend(args.iter().map(OsString::from));
    }

    fn input(&mut self, arg: &OsStr) {
        self.invocation.clang.push(arg.to_owned());
        let item = match &self.language {
            Some(language) => Item::Source {
                path: arg.to_owned(),
                language: Some(language.clone()),
            },
            None if table::is_source(Path::new(arg)) => Item::Source {
                path: arg.to_owned(),
                language: None,
            },
            None => Item::Object(arg.to_owned()),
        };
        self.invocation.items.push(item);
    }

    fn question(&mut self, option: &str) -> bool {
        let question = table::question(option);
        let found = question.is_some();
        if self.invocation.question.is_none() {
            self.invocation.question = question;
        }
        if found {
            self.invocation.clang.push(OsString::from(option));
        }
        found
    }

    /// `-fcommon`, which clang does not do right for Wasm.
    fn tentative(&mut self, option: &str) -> bool {
        self.invocation.tentative = match option {
            "-fcommon" => Tentative::Common,
            "-fno-common" => Tentative::Strong,
            _ => return false,
        };
        true
    }

    /// Options that end the work before the link.
    fn stage(&mut self, option: &str) -> bool {
        let found = table::STAGES.contains(&option);
        self.invocation.stops_before_link |= found;
        self.invocation.makes_objects |= matches!(option, "-c" | "--compile");
        found
    }

    /// Options of clang's that the driver takes note of.
    fn observe(&mut self, option: &str) -> bool {
        if let Some(level) = table::optimization(option) {
            self.invocation.optimization = level;
            return true;
        }
        match option {
            "-v" | "--verbose" => self.invocation.show = self.invocation.show.max(Show::Run),
            "-###" => self.invocation.show = Show::Only,
            "-MD" | "-MMD" => self.dependency_flag = true,
            "-ansi" | "--ansi" => self.invocation.standard_of_language = None,
            _ if option.starts_with("-fsanitize=") => self.sanitizer = true,
            _ if option.starts_with("-fsanitize-trap") => self.sanitizer_traps = true,
            _ => match option.trim_start_matches('-').strip_prefix("std=") {
                Some(name) => self.invocation.standard_of_language = Some(name.to_owned()),
                None => return false,
            },
        }
        true
    }

    /// Options that concern only the link.
    fn linking(
        &mut self,
        arg: &OsStr,
        option: &str,
        rest: &mut Iter<'_, OsString>,
    ) -> Result<bool, Error> {
        let standard = &mut self.invocation.standard;
        match option {
            "-nostdlib" => {
                *standard = Standard {
                    start_file: false,
                    c_library: false,
                    builtins: false,
                }
            }
            "-nodefaultlibs" => {
                *standard = Standard {
                    c_library: false,
                    builtins: false,
                    ..*standard
                }
            }
            "-nolibc" => standard.c_library = false,
            "-nostartfiles" => standard.start_file = false,
            "-r" | "--relocatable" => self.invocation.relocatable = true,
            "-s" => self.raw("--strip-all"),
            // Refused by the link; without one it has no effect, as with GCC.
            "-shared" | "--shared" => self.raw("-shared"),
            "-Xlinker" | "--for-linker" => {
                let value = value(option, rest)?.to_owned();
                self.raw(value);
            }
            "-l" | "-L" | "--library-directory" => {
                let value = value(option, rest)?;
                let head = if option == "-l" { "-l" } else { "-L" };
                self.raw(text::join(head, value));
            }
            "-z" | "-u" | "-e" | "--entry" | "-T" => {
                let value = value(option, rest)?.to_owned();
                self.raw(option);
                self.raw(value);
            }
            _ => {
                if let Some(list) = text::strip(arg, "-Wl,") {
                    let args: Vec<OsString> = text::split_commas(list).collect();
                    args.into_iter().for_each(|arg| self.raw(arg));
                } else if option.starts_with("-l")
                    || option.starts_with("-L")
                    || table::is_joined_linker_option(option)
                {
                    self.raw(arg);
                } else {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn raw(&mut self, arg: impl Into<OsString>) {
        self.invocation.items.push(Item::Raw(arg.into()));
    }

    /// Options with a value that the driver itself needs.
    fn own_value<'a>(
        &mut self,
        arg: &'a OsStr,
        option: &str,
        rest: &mut Iter<'a, OsString>,
    ) -> Result<bool, Error> {
        if let Some(path) = attached_or_next(arg, option, &["-o", "--output"], rest)? {
            self.invocation
                .clang
                .extend([OsString::from("-o"), path.to_owned()]);
            self.invocation.output = Some(path.to_owned());
        } else if let Some(language) = attached_or_next(arg, option, &["-x", "--language"], rest)? {
            self.invocation
                .clang
                .extend([OsString::from("-x"), language.to_owned()]);
            self.language = Some(language.to_owned()).filter(|language| language != "none");
        } else if let Some(path) = attached_or_next(arg, option, &["--sysroot"], rest)? {
            self.invocation.sysroot = Some(path.to_owned());
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn finish(mut self) -> Result<Invocation, Error> {
        match (self.sanitizer, self.sanitizer_traps) {
            (true, false) => return Err(table::no_sanitizer()),
            // LLVM cannot put data before a Wasm function, which this check needs; calls are checked by Wasm anyway.
            (true, true) => self.keep(&[OsStr::new("-fno-sanitize=function")]),
            _ => {}
        }
        self.invocation.dependencies = self.dependency_flag && !self.dependency_file;
        let invocation = self.invocation;
        let idle = invocation.items.is_empty() && invocation.question.is_none();
        match (idle, invocation.show) {
            (true, Show::Nothing) => Err(Error::new("no input files")),
            (true, _) => Ok(Invocation {
                question: Some(Question::Clang),
                ..invocation
            }),
            _ => Ok(invocation),
        }
    }
}

/// The value of an option that is one of `names`: a short name has it attached, a long one after `=`, both may have it
/// as the next argument.
fn attached_or_next<'a>(
    arg: &'a OsStr,
    option: &str,
    names: &[&str],
    rest: &mut Iter<'a, OsString>,
) -> Result<Option<&'a OsStr>, Error> {
    for name in names {
        if option == *name {
            return value(option, rest).map(Some);
        }
        let prefix = if name.starts_with("--") {
            format!("{name}=")
        } else {
            (*name).to_owned()
        };
        if let Some(attached) =
            text::strip(arg, &prefix).filter(|_| !table::OTHER_MEANING.contains(&option))
        {
            return Ok(Some(attached));
        }
    }
    Ok(None)
}

fn value<'a>(option: &str, rest: &mut Iter<'a, OsString>) -> Result<&'a OsStr, Error> {
    rest.next()
        .map(OsString::as_os_str)
        .ok_or_else(|| Error::new(format!("argument to '{option}' is missing")))
}

#[cfg(test)]
mod tests;
