//! Encodes the map that `crate::native_frame_map` reads.

use crate::NativeFrameKind;
use crate::obj::ELF_WASMTIME_NATIVE_FRAMES;
use crate::prelude::*;
use object::write::{Object, StandardSegment};
use object::{LittleEndian, SectionKind, U32};
use std::collections::HashMap;

type Word = U32<LittleEndian>;

/// Builder for the `ELF_WASMTIME_NATIVE_FRAMES` section.
#[derive(Default)]
pub struct NativeFrameMapBuilder {
    pcs: Vec<Word>,
    index: Vec<Word>,
    data: Vec<Word>,
    /// Where a record that was encoded before starts in `data`: the calls of a
    /// function mostly have equal ones.
    known: HashMap<[u32; 4], u32>,
    last_pc: u32,
}

impl NativeFrameMapBuilder {
    /// Starts the calls of another function.
    pub fn start_function(&mut self) {
        self.known.clear();
    }

    /// Appends the call that returns to `pc`, in ascending order of `pc`.
    ///
    /// `function` is where the function that calls starts; both are relative to
    /// the start of the text section.
    pub fn push(
        &mut self,
        pc: u64,
        kind: NativeFrameKind,
        function: u64,
        frame_size: u32,
        callee_pop_size: u32,
    ) {
        let pc = u32::try_from(pc).unwrap();
        assert!(self.pcs.is_empty() || pc > self.last_pc);
        self.last_pc = pc;
        let record = [
            match kind {
                NativeFrameKind::Wasm => 0,
                NativeFrameKind::Entry => 1,
            },
            u32::try_from(function).unwrap(),
            frame_size,
            callee_pop_size,
        ];
        let data = &mut self.data;
        let at = *self.known.entry(record).or_insert_with_key(|record| {
            let at = u32::try_from(data.len()).unwrap();
            data.extend(record.iter().map(|word| Word::new(LittleEndian, *word)));
            at
        });
        self.pcs.push(Word::new(LittleEndian, pc));
        self.index.push(Word::new(LittleEndian, at));
    }

    /// Adds the section to `obj`, unless it is empty.
    pub fn append_to(self, obj: &mut Object) {
        if self.pcs.is_empty() {
            return;
        }
        let section = obj.add_section(
            obj.segment_name(StandardSegment::Data).to_vec(),
            ELF_WASMTIME_NATIVE_FRAMES.as_bytes().to_vec(),
            SectionKind::ReadOnlyData,
        );
        let count = u32::try_from(self.pcs.len()).unwrap();
        obj.append_section_data(section, &count.to_le_bytes(), 1);
        for words in [&self.pcs, &self.index, &self.data] {
            obj.append_section_data(section, object::bytes_of_slice(words), 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NativeFrame;
    use object::{Object as _, ObjectSection as _};

    #[test]
    fn roundtrip() {
        let mut builder = NativeFrameMapBuilder::default();
        builder.start_function();
        builder.push(5, NativeFrameKind::Wasm, 0, 32, 16);
        builder.push(9, NativeFrameKind::Wasm, 0, 32, 0);
        builder.push(20, NativeFrameKind::Wasm, 0, 32, 16);
        builder.start_function();
        builder.push(40, NativeFrameKind::Entry, 32, 64, 0);
        let mut object = Object::new(
            object::BinaryFormat::Elf,
            object::Architecture::X86_64,
            object::Endianness::Little,
        );
        builder.append_to(&mut object);
        let elf = object.write().unwrap();
        let image = object::File::parse(&elf[..]).unwrap();
        let section = image.section_by_name(ELF_WASMTIME_NATIVE_FRAMES).unwrap();
        let data = section.data().unwrap();

        for pc in [0, 4, 6, 21, 41, u32::MAX] {
            assert!(NativeFrame::lookup(pc, data).is_none());
        }
        let frame = |pc| NativeFrame::lookup(pc, data).unwrap();
        assert_eq!(frame(5).callee_pop_size(), 16);
        assert_eq!(frame(9).callee_pop_size(), 0);
        assert_eq!(frame(20).function(), 0);
        assert_eq!(frame(40).kind(), NativeFrameKind::Entry);
        assert_eq!(frame(40).function(), 32);
        assert_eq!(frame(40).frame_size(), 64);
    }

    #[test]
    fn damaged_sections_have_no_frames() {
        for data in [
            &[][..],
            &[1, 0, 0, 0],
            &[255; 64],
            &[1, 0, 0, 0, 7, 0, 0, 0, 9, 9, 9, 9],
        ] {
            assert!(NativeFrame::lookup(7, data).is_none());
        }
    }
}
