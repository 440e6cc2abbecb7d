//! `-fcommon`: definitions without an initialiser (`int x;`) may stand in several files.
//!
//! WebAssembly objects have no common symbols; clang's own `-fcommon` makes objects that cannot be linked. What a linker
//! does with weak definitions comes close: one is used, and an initialised one is preferred. So objects are compiled
//! without common symbols and their zero-filled data are made weak. Unlike with ELF, the first definition is used even
//! if another is larger.

use std::fs;
use std::io;
use std::path::Path;

/// Makes the zero-filled data of an object weak. Other files (bitcode, assembly) are left as they are.
pub(crate) fn weaken(object: &Path) -> io::Result<()> {
    let mut bytes = fs::read(object)?;
    let places = weak_places(&bytes).unwrap_or_default();
    if places.is_empty() {
        return Ok(());
    }
    for place in places {
        if let Some(flags) = bytes.get_mut(place) {
            *flags |= WEAK;
        }
    }
    fs::write(object, bytes)
}

const MAGIC: &[u8] = b"\0asm\x01\0\0\0";
const SEGMENT_INFO: u8 = 5;
const SYMBOL_TABLE: u8 = 8;

// Flags of a symbol, from the tool conventions' "Linking".
const WEAK: u8 = 0x01;
const LOCAL: u32 = 0x02;
const UNDEFINED: u32 = 0x10;
const EXPLICIT_NAME: u32 = 0x40;
const THREAD_LOCAL: u32 = 0x100;

/// Where the flags of the data symbols in `.bss` segments are; none if this is no object.
fn weak_places(bytes: &[u8]) -> Option<Vec<usize>> {
    let linking = linking_section(bytes)?;
    let mut zero_filled = Vec::new();
    let mut symbols = Vec::new();
    let mut reader = linking;
    reader.number()?;
    while !reader.is_at_end() {
        let kind = reader.byte()?;
        let size = reader.size()?;
        let mut part = reader.part(size)?;
        match kind {
            SEGMENT_INFO => zero_filled = segments(&mut part)?,
            SYMBOL_TABLE => symbols = data_symbols(&mut part)?,
            _ => {}
        }
    }
    let in_zeros = |symbol: &DataSymbol| zero_filled.get(symbol.segment).copied().unwrap_or(false);
    Some(
        symbols
            .iter()
            .filter(|symbol| in_zeros(symbol))
            .map(|symbol| symbol.flags_at)
            .collect(),
    )
}

fn linking_section(bytes: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader {
        bytes: bytes.strip_prefix(MAGIC).map(|_| bytes)?,
        at: MAGIC.len(),
    };
    while !reader.is_at_end() {
        let id = reader.byte()?;
        let size = reader.size()?;
        let mut section = reader.part(size)?;
        if id == 0 && section.name()? == b"linking" {
            return Some(section);
        }
    }
    None
}

/// For each data segment, whether it is zero-filled data that threads share.
fn segments(part: &mut Reader<'_>) -> Option<Vec<bool>> {
    let count = part.number()?;
    let mut zero_filled = Vec::new();
    for _ in 0..count {
        let name = part.name()?;
        zero_filled.push(name.starts_with(b".bss"));
        part.number()?;
        part.number()?;
    }
    Some(zero_filled)
}

struct DataSymbol {
    flags_at: usize,
    segment: usize,
}

/// The global strong definitions of data.
fn data_symbols(part: &mut Reader<'_>) -> Option<Vec<DataSymbol>> {
    const DATA: u8 = 1;
    const SECTION: u8 = 3;
    let count = part.number()?;
    let mut symbols = Vec::new();
    for _ in 0..count {
        let kind = part.byte()?;
        let flags_at = part.at;
        let flags = part.number()?;
        match kind {
            DATA => {
                part.name()?;
                if flags & UNDEFINED != 0 {
                    continue;
                }
                let segment = part.size()?;
                part.number()?;
                part.number()?;
                if flags & (u32::from(WEAK) | LOCAL | THREAD_LOCAL) == 0 {
                    symbols.push(DataSymbol { flags_at, segment });
                }
            }
            SECTION => {
                part.number()?;
            }
            _ => {
                part.number()?;
                if flags & UNDEFINED == 0 || flags & EXPLICIT_NAME != 0 {
                    part.name()?;
                }
            }
        }
    }
    Some(symbols)
}

/// Reads a part of the file, and knows where in the file it is.
struct Reader<'a> {
    /// The file up to the end of the part.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// An unsigned number in LEB128.
    fn number(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn size(&mut self) -> Option<usize> {
        self.number()
            .and_then(|number| usize::try_from(number).ok())
    }

    fn part(&mut self, size: usize) -> Option<Self> {
        let end = self.at.checked_add(size)?;
        let part = Self {
            bytes: self.bytes.get(..end)?,
            at: self.at,
        };
        self.at = end;
        Some(part)
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let size = self.size()?;
        let end = self.at.checked_add(size)?;
        let name = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_left_alone() {
        assert_eq!(weak_places(b"BC\xc0\xde"), None);
        assert_eq!(weak_places(b""), None);
        assert_eq!(weak_places(MAGIC), None);
    }

    #[test]
    fn damaged_objects_are_left_alone() {
        let object = [MAGIC, b"\0\x0c\x07linking\x02\x08\x7f"].concat();
        for end in 0..object.len() {
            assert_eq!(
                weak_places(object.get(..end).unwrap()).unwrap_or_default(),
                Vec::<usize>::new()
            );
        }
    }

    #[test]
    fn numbers_are_read() {
        let mut reader = Reader {
            bytes: b"\xe5\x8e\x26",
            at: 0,
        };
        assert_eq!(reader.number(), Some(624_485));
        assert!(reader.is_at_end());
        assert_eq!(
            Reader {
                bytes: b"\xff\xff\xff\xff\xff\xff",
                at: 0
            }
            .number(),
            None
        );
    }
}
