//! The custom section that marks an executable as lind's.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// A whole custom section: id 0, its size, the name `lind`, and the format's version.
const SECTION: &[u8] = b"\x00\x06\x04lind1";

/// Appends the section to a module. Custom sections may stand anywhere.
pub(crate) fn append(module: &Path) -> io::Result<()> {
    OpenOptions::new()
        .append(true)
        .open(module)?
        .write_all(SECTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_well_formed() {
        let (header, body) = SECTION.split_at(2);
        assert_eq!(header, [0, u8::try_from(body.len()).unwrap()]);
        assert_eq!(body, [&[4], &b"lind"[..], &b"1"[..]].concat());
    }
}
