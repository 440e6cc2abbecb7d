//! Arguments that a variadic function reads and its caller does not pass.
//!
//! A variadic function gets a pointer to its variable arguments, and from a caller without such arguments a null pointer.
//! A function that reads an argument all the same finds some value on other machines (an `open`-like wrapper that always
//! takes the mode, `printf ("%d")`), and would fault here. So `va_start` replaces null by a pointer to zeros.
//!
//! That is done by a macro in place of clang's built-in function, which `<stdarg.h>` and programs that do without that
//! header use alike, and not by a header, which `-nostdinc` would take away.

use std::ffi::OsString;

/// Zeros for 16 words: constant, so that no call pays for them, and wide, so that they are aligned. clang makes one such
/// object for a source that calls `va_start`.
const ZEROS: &str = r#"L"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0""#;

/// Replaces null. The built-in function only takes the constant out of a string without a cast: no warning that a program
/// can ask for (`-Wcast-qual`, `-Wold-style-cast`) finds anything in it.
fn replaced() -> String {
    format!("(void)((l)||((l)=__builtin_assume_aligned({ZEROS},1)))")
}

/// The flags of a compilation in a language standard, as `-std=` names it.
pub(crate) fn flags(standard: Option<&str>) -> Vec<OsString> {
    // clang's older name of the same function.
    let mut macros = vec![format!(
        "-D__builtin_va_start(l,p)=(__builtin_stdarg_start(l,p),{})",
        replaced()
    )];
    // C23's function takes one argument or more. clang has no other name for it, and warns of macros like this one in the
    // standards that do not have them.
    if standard.is_some_and(has_one_argument_form) {
        macros.push(format!(
            "-D__builtin_c23_va_start(l,...)=(__builtin_c23_va_start(l __VA_OPT__(,)__VA_ARGS__),{})",
            replaced()
        ));
    }
    let mut flags = vec![OsString::from("--start-no-unused-arguments")];
    flags.extend(macros.into_iter().map(OsString::from));
    flags.push(OsString::from("--end-no-unused-arguments"));
    flags
}

/// Whether `va_start` may have one argument: C23 and later, under all of clang's names.
fn has_one_argument_form(standard: &str) -> bool {
    let year = standard
        .strip_prefix("gnu")
        .or_else(|| standard.strip_prefix('c'))
        .or_else(|| standard.strip_prefix("iso9899:20"));
    matches!(year, Some("23" | "24" | "2x" | "2y"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_with_a_va_start_of_one_argument_are_known() {
        for name in [
            "c23",
            "c2x",
            "gnu23",
            "gnu2x",
            "c2y",
            "gnu2y",
            "iso9899:2024",
        ] {
            assert!(has_one_argument_form(name), "{name}");
        }
        for name in [
            "c90",
            "gnu17",
            "c18",
            "iso9899:2018",
            "c++23",
            "gnu++2b",
            "",
        ] {
            assert!(!has_one_argument_form(name), "{name}");
        }
    }
}
