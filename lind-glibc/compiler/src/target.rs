//! What the compiler is told about the target.

use std::ffi::OsString;

use crate::install::Sysroot;
use crate::options::Optimization;
use crate::text;

/// The target as clang and GNU's config.sub know it.
pub(crate) const TRIPLE: &str = "wasm32-unknown-linux-gnu";

/// Flags of every compilation, each with its reason.
const FLAGS: &[&str] = &[
    // The driver's own behaviour must not depend on the machine's configuration files.
    "--no-default-config",
    // clang's Linux toolchain makes position-independent code by default, which a static Wasm program has no use for.
    "-fno-pie",
    "-ftls-model=local-exec",
    // Hidden is clang's default for Wasm; GCC's and ELF's is the one that programs expect.
    "-fvisibility=default",
    // Threads need atomics; bulk memory makes memcpy and passive segments; the others are what the engine has.
    "-matomics",
    "-mbulk-memory",
    "-mmutable-globals",
    "-msign-ext",
    "-mnontrapping-fptoint",
    "-msimd128",
    // There is one rounding mode and there are no exception flags, whatever -frounding-math says.
    "-Wno-unsupported-floating-point-opt",
    // clang defines it for the Linux targets that it knows.
    "-D__gnu_linux__=1",
    // wint_t is unsigned in glibc's headers and on every Linux.
    "-U__WINT_TYPE__",
    "-D__WINT_TYPE__=unsigned int",
    "-U__WINT_MAX__",
    "-D__WINT_MAX__=4294967295U",
];

/// The flags that come before the user's in every call of clang.
pub(crate) fn compile_flags(sysroot: &Sysroot, optimization: Optimization) -> Vec<OsString> {
    let mut flags = vec![
        OsString::from(format!("--target={TRIPLE}")),
        text::join("--sysroot=", sysroot.path()),
    ];
    flags.push(OsString::from("--start-no-unused-arguments"));
    flags.extend(FLAGS.iter().map(OsString::from));
    for flag in unroll_flags(optimization) {
        flags.extend([OsString::from("-mllvm"), OsString::from(flag)]);
    }
    flags.push(OsString::from("--end-no-unused-arguments"));
    flags
}

/// LLVM options that unroll loops within bounds. LLVM has no cost model for Wasm and leaves loops rolled, where
/// Cranelift gains most from long straight code.
pub(crate) fn unroll_flags(optimization: Optimization) -> Vec<String> {
    let threshold = match optimization {
        Optimization::None | Optimization::Size => return Vec::new(),
        Optimization::Speed => 150,
        Optimization::Most => 300,
    };
    vec![
        "-unroll-runtime".to_owned(),
        "-unroll-allow-partial".to_owned(),
        format!("-unroll-partial-threshold={threshold}"),
    ]
}
