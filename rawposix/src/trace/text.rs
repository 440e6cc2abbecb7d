//! Strings and buffers as strace(1) writes them.

use std::fmt::Write;

use rawposix_memory::{AddressSpace, GuestCStr, GuestPtr};

/// Bytes of a buffer or a string that are shown.
const SHOWN: usize = 32;

/// A quoted string with C escapes.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\r' => text.push_str("\\r"),
            0x0b => text.push_str("\\v"),
            0x0c => text.push_str("\\f"),
            0x20..0x7f => text.push(char::from(byte)),
            byte if rest.peek().is_some_and(u8::is_ascii_digit) => {
                let _ = write!(text, "\\{byte:03o}");
            }
            byte => {
                let _ = write!(text, "\\{byte:o}");
            }
        }
    }
    text.push('"');
    text
}

/// The address of something that cannot be shown.
pub(super) fn address(address: u32) -> String {
    if address == 0 {
        String::from("NULL")
    } else {
        format!("{address:#x}")
    }
}

/// A string in guest memory; paths are shown whole.
pub(super) fn string(memory: &AddressSpace, addr: u32, limit: Option<usize>) -> String {
    match memory.read_cstr(GuestCStr::new(addr), 4096) {
        Ok(text) => match limit.and_then(|limit| text.as_bytes().get(..limit)) {
            Some(start) if text.as_bytes().len() > start.len() => quote(start) + "...",
            _ => quote(text.as_bytes()),
        },
        Err(_) => address(addr),
    }
}

/// A string that is no path.
pub(super) fn short_string(memory: &AddressSpace, addr: u32) -> String {
    string(memory, addr, Some(SHOWN))
}

/// The first bytes of a buffer of `length` bytes.
pub(super) fn buffer(memory: &AddressSpace, addr: u32, length: u32) -> String {
    let whole = usize::try_from(length).unwrap_or(usize::MAX);
    let mut bytes = vec![0; whole.min(SHOWN)];
    if memory.read_bytes(GuestPtr::new(addr), &mut bytes).is_err() {
        return address(addr);
    }
    quote(&bytes) + if whole > SHOWN { "..." } else { "" }
}
