//! The map of suspended Wasm frames, by return address.
//!
//! It says, for every call in a function whose frame can be copied to another
//! store, which function the call is in, how big that function's frame is, and
//! how many bytes of arguments the callee pops. It exists only in modules
//! compiled with `Tunables::native_frames`.
//!
//! The encoding is a sequence of little-endian 32-bit words:
//!
//! ```text
//! count | pc[count] | index[count] | data[..]
//! ```
//!
//! `pc` is sorted; `data[index[i]..]` is the record of `pc[i]`:
//!
//! ```text
//! kind | function | frame size | popped
//! ```

use object::{Bytes, LittleEndian, U32};

type Word = U32<LittleEndian>;

/// What kind of function a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeFrameKind {
    /// A Wasm function, or an adapter that Wasm functions call.
    Wasm,
    /// The trampoline by which the host entered Wasm: the end of the frames.
    Entry,
}

/// The frame that is suspended at one return address.
#[derive(Clone, Copy, Debug)]
pub struct NativeFrame {
    kind: NativeFrameKind,
    function: u32,
    frame_size: u32,
    callee_pop_size: u32,
}

impl NativeFrame {
    /// Looks up the return address `pc`, relative to the start of the text
    /// section, in `section`.
    ///
    /// `None` if no frame that can be copied is ever suspended there.
    pub fn lookup(pc: u32, section: &[u8]) -> Option<NativeFrame> {
        let mut section = Bytes(section);
        let count = section.read::<Word>().ok()?.get(LittleEndian);
        let count = usize::try_from(count).ok()?;
        let (pcs, rest) = object::slice_from_bytes::<Word>(section.0, count).ok()?;
        let (index, rest) = object::slice_from_bytes::<Word>(rest, count).ok()?;
        let data = object::slice_from_all_bytes::<Word>(rest).ok()?;
        let i = pcs
            .binary_search_by_key(&pc, |word| word.get(LittleEndian))
            .ok()?;
        let at = usize::try_from(index.get(i)?.get(LittleEndian)).ok()?;
        let record = data.get(at..)?.first_chunk::<4>()?;
        let word = |i: usize| record[i].get(LittleEndian);
        Some(NativeFrame {
            kind: match word(0) {
                0 => NativeFrameKind::Wasm,
                1 => NativeFrameKind::Entry,
                _ => return None,
            },
            function: word(1),
            frame_size: word(2),
            callee_pop_size: word(3),
        })
    }

    /// The kind of function the frame belongs to.
    pub fn kind(&self) -> NativeFrameKind {
        self.kind
    }

    /// Where the function starts, relative to the start of the text section.
    pub fn function(&self) -> u32 {
        self.function
    }

    /// Bytes from the stack pointer at the call to the frame pointer.
    pub fn frame_size(&self) -> u32 {
        self.frame_size
    }

    /// Bytes of stack arguments that the callee pops when it returns.
    pub fn callee_pop_size(&self) -> u32 {
        self.callee_pop_size
    }
}
