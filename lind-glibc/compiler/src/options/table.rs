//! What is known about single options.

use std::path::Path;

use super::{Optimization, Question};
use crate::error::Error;

/// Options after which there is nothing to link.
pub(super) const STAGES: &[&str] = &[
    "-c",
    "-S",
    "-E",
    "-M",
    "-MM",
    "-fsyntax-only",
    "--compile",
    "--assemble",
    "--preprocess",
    "--dependencies",
    "--user-dependencies",
    "--analyze",
    "--precompile",
    "-emit-ast",
    "-module-file-info",
    "-rewrite-objc",
    "-verify-pch",
    "-extract-api",
];

/// Options that begin like `-oFILE` or `-xLANGUAGE` and mean something else.
pub(super) const OTHER_MEANING: &[&str] = &["-object", "-objcmt-migrate-all"];

/// Options whose value is the next argument.
const WITH_VALUE: &[&str] = &[
    "-I",
    "-D",
    "-U",
    "-F",
    "-B",
    "-A",
    "-G",
    "-include",
    "-include-pch",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-isysroot",
    "-iframework",
    "-imultilib",
    "-cxx-isystem",
    "-ivfsoverlay",
    "-MF",
    "-MT",
    "-MQ",
    "-MJ",
    "-Xclang",
    "-Xassembler",
    "-Xpreprocessor",
    "-Xanalyzer",
    "-mllvm",
    "-mthread-model",
    "-arch",
    "-target",
    "--param",
    "-aux-info",
    "-dumpbase",
    "-dumpbase-ext",
    "-dumpdir",
    "-wrapper",
    "-working-directory",
    "-serialize-diagnostics",
    "--serialize-diagnostics",
    "-index-store-path",
    "-framework",
    "--config",
    "--include",
    "--imacros",
    "--include-directory",
    "--include-directory-after",
    "--define-macro",
    "--undefine-macro",
    "--prefix",
    "--param",
    "--include-prefix",
];

/// Options that are accepted everywhere and mean nothing for a static Wasm program.
const MEANINGLESS: &[&str] = &[
    // Position independence: the program has one place.
    "-fPIC",
    "-fpic",
    "-fPIE",
    "-fpie",
    "-fno-PIC",
    "-fno-pic",
    "-fno-PIE",
    "-fno-pie",
    "-pie",
    "-no-pie",
    "-nopie",
    "-static-pie",
    "-fno-plt",
    "-fplt",
    "-mno-red-zone",
    "-fno-semantic-interposition",
    "-fsemantic-interposition",
    // All linking is static.
    "-static",
    "-static-libgcc",
    "-static-libstdc++",
    "-shared-libgcc",
    "-rdynamic",
    "-export-dynamic",
    "-symbolic",
    // There is one floating-point environment.
    "-frounding-math",
    "-ftrapping-math",
    // Hardening of machine stacks and branches: return addresses are not in guest memory, calls are typed.
    "-fstack-clash-protection",
    "-fno-stack-clash-protection",
    "-fcf-protection",
    "-mshstk",
    // Everything is 32-bit already.
    "-m32",
];

const MEANINGLESS_PREFIXES: &[&str] = &[
    "-fuse-ld=",
    "--ld-path=",
    "-rtlib=",
    "--rtlib=",
    "-unwindlib=",
    "--unwindlib=",
    "-fcf-protection=",
    "-specs=",
    "-ftls-model=",
];

const SOURCE_EXTENSIONS: &[&str] = &[
    "c", "i", "h", "s", "S", "sx", "ll", "bc", "C", "cc", "cp", "cpp", "cxx", "CPP", "c++", "ii",
    "m", "mi", "mm", "M", "mii", "hh", "hpp", "hxx", "H", "cppm",
];

/// Whether the option's value is the next argument.
pub(super) fn takes_value(option: &str) -> bool {
    WITH_VALUE.contains(&option)
}

/// Whether the option is accepted and forgotten.
pub(super) fn is_meaningless(option: &str) -> bool {
    MEANINGLESS.contains(&option)
        || MEANINGLESS_PREFIXES
            .iter()
            .any(|prefix| option.starts_with(prefix))
}

/// Whether a file is compiled, by its name.
pub(super) fn is_source(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| SOURCE_EXTENSIONS.contains(&extension))
}

/// Linker options that the driver takes with their value attached.
pub(super) fn is_joined_linker_option(option: &str) -> bool {
    (option.starts_with("-u") && option != "-undef")
        || option.starts_with("-z")
        || option.starts_with("--entry=")
        || option.starts_with("-T") && option.len() > 2
        || option.starts_with("-Wl,")
}

/// The level that an `-O` option stands for.
pub(super) fn optimization(option: &str) -> Option<Optimization> {
    Some(match option.strip_prefix("-O")? {
        "s" | "z" => Optimization::Size,
        "2" => Optimization::Speed,
        "fast" => Optimization::Most,
        "" | "g" | "0" | "1" => Optimization::None,
        digits => digits.parse::<u32>().ok().map(|_| Optimization::Most)?,
    })
}

/// The question that an option asks; one or two dashes make no difference.
pub(super) fn question(option: &str) -> Option<Question> {
    let single = option
        .strip_prefix('-')
        .filter(|rest| rest.starts_with("-print-"))
        .unwrap_or(option);
    if let Some(name) = single.strip_prefix("-print-prog-name=") {
        return Some(Question::ProgramName(name.to_owned()));
    }
    if let Some(name) = single.strip_prefix("-print-file-name=") {
        return Some(Question::FileName(name.to_owned()));
    }
    Some(match single {
        "-print-libgcc-file-name" => Question::Builtins,
        "-print-search-dirs" => Question::SearchDirectories,
        "-print-sysroot" => Question::Sysroot,
        "-print-lind-share" => Question::Share,
        "-print-multi-directory" | "-print-multi-os-directory" => Question::Constant("."),
        "-print-multi-lib" => Question::Constant(".;"),
        "-print-multiarch" | "-print-sysroot-headers-suffix" => Question::Constant(""),
        "--version" => Question::Version,
        "-dumpversion" | "-dumpmachine" | "--help" | "--help-hidden" | "-help"
        | "--target-help" => Question::Clang,
        _ if single.starts_with("-print-") => Question::Clang,
        _ => return None,
    })
}

/// The reason why an option cannot be accepted.
pub(super) fn refusal(option: &str) -> Option<Error> {
    match option {
        "-m64" | "-mx32" | "-m16" => Some(
            Error::new(format!(
                "'{option}' is not possible: lind programs have 32-bit pointers"
            ))
            .hint("leave the option out; long long and off_t have 64 bits"),
        ),
        "-dynamiclib" | "-bundle" => Some(shared(option)),
        _ => None,
    }
}

/// The refusal of shared libraries.
pub(crate) fn shared(option: &str) -> Error {
    Error::new(format!("'{option}' is not supported: lind programs are linked statically"))
        .hint("build static libraries, e.g. with ./configure --disable-shared or cmake -DBUILD_SHARED_LIBS=OFF")
}

/// The refusal of sanitizers that report.
pub(super) fn no_sanitizer() -> Error {
    Error::new("'-fsanitize=' is not possible: there is no sanitizer run-time library for lind programs")
        .hint("-fsanitize=undefined -fsanitize-trap=undefined needs none and stops the program instead of reporting")
}
