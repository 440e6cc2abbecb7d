//! Small helpers for arguments and paths, which need not be UTF-8.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// The rest of `arg` after `prefix`, if it starts with it.
pub(crate) fn strip<'a>(arg: &'a OsStr, prefix: &str) -> Option<&'a OsStr> {
    arg.as_bytes()
        .strip_prefix(prefix.as_bytes())
        .map(OsStr::from_bytes)
}

/// The two halves of `arg` around the first `separator`.
pub(crate) fn split_once(arg: &OsStr, separator: u8) -> Option<(&OsStr, &OsStr)> {
    let bytes = arg.as_bytes();
    let at = bytes.iter().position(|byte| *byte == separator)?;
    let (head, tail) = bytes.split_at(at);
    Some((
        OsStr::from_bytes(head),
        OsStr::from_bytes(tail.get(1..).unwrap_or_default()),
    ))
}

/// The parts of `arg` between commas.
pub(crate) fn split_commas(arg: &OsStr) -> impl Iterator<Item = OsString> + '_ {
    arg.as_bytes()
        .split(|byte| *byte == b',')
        .map(|part| OsString::from_vec(part.to_vec()))
}

/// `head` and `tail` as one argument.
pub(crate) fn join(head: &str, tail: impl AsRef<OsStr>) -> OsString {
    let mut joined = OsString::from(head);
    joined.push(tail);
    joined
}

/// The last component of a path, lossily, for messages and for dispatch.
pub(crate) fn file_name(path: &OsStr) -> String {
    Path::new(path)
        .file_name()
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}
