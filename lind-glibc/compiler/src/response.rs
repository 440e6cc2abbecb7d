//! Response files: `@FILE` on the command line stands for the arguments in that file.
//!
//! The syntax is GCC's: arguments are separated by white space, single and double quotes group, and a backslash keeps
//! the next character, or continues the line. A name that cannot be read is an ordinary argument.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use tempfile::NamedTempFile;

use crate::error::{self, Error};
use crate::text;

/// Response files that name each other in a circle end here.
const MAX_DEPTH: u32 = 16;

/// A command line longer than this many bytes is passed on in a response file (Linux allows about 2 MiB with the
/// environment; one argument may have 128 KiB).
const MAX_COMMAND_LINE: usize = 120_000;

/// Replaces every `@FILE` by the arguments in it.
pub(crate) fn expand(args: Vec<OsString>) -> Result<Vec<OsString>, Error> {
    let mut out = Vec::with_capacity(args.len());
    for arg in args {
        expand_one(arg, 0, &mut out)?;
    }
    Ok(out)
}

fn expand_one(arg: OsString, depth: u32, out: &mut Vec<OsString>) -> Result<(), Error> {
    let contents = match text::strip(&arg, "@") {
        Some(path) => fs::read(path).ok(),
        None => None,
    };
    let Some(contents) = contents else {
        out.push(arg);
        return Ok(());
    };
    if depth == MAX_DEPTH {
        return Err(Error::new(format!(
            "response file '{}' includes itself",
            arg.to_string_lossy()
        )));
    }
    for inner in split(&contents) {
        expand_one(inner, depth + 1, out)?;
    }
    Ok(())
}

fn split(contents: &[u8]) -> Vec<OsString> {
    let mut args = Vec::new();
    let mut current: Option<Vec<u8>> = None;
    let mut quote: Option<u8> = None;
    let mut bytes = contents.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => match bytes.next() {
                Some(b'\n') => {}
                next => current.get_or_insert_default().extend(next),
            },
            (_, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => {
                quote = Some(byte);
                current.get_or_insert_default();
            }
            (_, None) if byte.is_ascii_whitespace() => {
                args.extend(current.take().map(OsString::from_vec))
            }
            _ => current.get_or_insert_default().push(byte),
        }
    }
    args.extend(current.map(OsString::from_vec));
    args
}

/// Whether the arguments should travel in a response file.
pub(crate) fn too_long(args: &[OsString]) -> bool {
    args.iter().map(|arg| arg.len() + 1).sum::<usize>() > MAX_COMMAND_LINE
}

/// Writes the arguments to a temporary response file, which lives as long as the result.
pub(crate) fn write(args: &[OsString]) -> Result<NamedTempFile, Error> {
    let directory = std::env::temp_dir();
    let mut contents = Vec::new();
    for arg in args {
        quote(arg, &mut contents);
    }
    NamedTempFile::new()
        .and_then(|mut file| file.write_all(&contents).map(|()| file))
        .map_err(|failure| error::io("write a response file in", &directory, &failure))
}

fn quote(arg: &OsStr, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in arg.as_bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.extend(b"\"\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        split(text.as_bytes())
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect()
    }

    #[test]
    fn words_are_separated_by_white_space() {
        assert_eq!(words(" -c\ta.c\n-o\r\n a.o "), ["-c", "a.c", "-o", "a.o"]);
    }

    #[test]
    fn quotes_group_and_backslashes_keep_the_next_character() {
        assert_eq!(
            words(r#"-DA="b c" 'd "e' f\ g "" "\"""#),
            ["-DA=b c", "d \"e", "f g", "", "\""]
        );
    }

    #[test]
    fn a_backslash_continues_a_line() {
        assert_eq!(words("-c \\\n a.c b\\\nc"), ["-c", "a.c", "bc"]);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let args: Vec<OsString> = ["-DX=\"a b\"", "c\\d", "", "'"]
            .map(OsString::from)
            .to_vec();
        let file = write(&args).unwrap();
        assert_eq!(expand(vec![text::join("@", file.path())]).unwrap(), args);
    }

    #[test]
    fn a_name_that_cannot_be_read_is_an_ordinary_argument() {
        let args = vec![OsString::from("@no/such/file")];
        assert_eq!(expand(args.clone()).unwrap(), args);
    }

    #[test]
    fn a_file_that_includes_itself_is_an_error() {
        let file = NamedTempFile::new().unwrap();
        let arg = text::join("@", file.path());
        fs::write(file.path(), arg.as_bytes()).unwrap();
        assert!(expand(vec![arg]).is_err());
    }
}
