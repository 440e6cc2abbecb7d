//! Functions that return twice: `setjmp` and `longjmp`.

use super::interrupt::Word;
use super::stack::{Registers, Stack, Suspended, Why};
use crate::prelude::*;
use crate::{Caller, Module};
use core::hash::{BuildHasher, Hasher};
use std::collections::hash_map::RandomState;

/// The saved frames of one thread may take this much in all.
const MAX_BYTES: usize = 64 << 20;

/// The places to which a thread of Wasm code can jump back, with what the
/// embedder keeps for each (`D`).
///
/// A place is named by a number. It stays valid as long as the frame that it is
/// in; the places of frames that are gone are forgotten. If a frame comes to
/// the same place again, the place is reused.
///
/// A clone is valid in the activation that resumed the [`Frames`](super::Frames)
/// captured at the same time.
#[derive(Clone, Debug)]
pub struct JumpBuffers<D> {
    module: Option<Module>,
    /// The places, those of outer frames first; numbers ascend as well.
    places: Vec<Place<D>>,
    last_id: u32,
    bytes: usize,
    /// Unknown to the module, which could otherwise choose its stack such that
    /// two chains of callers have the same hash.
    hasher: RandomState,
}

#[derive(Clone, Debug)]
struct Place<D> {
    id: u32,
    /// From the frame pointer to where the frames begin.
    depth: usize,
    /// The return address in the frame, which function it is in, and a hash of
    /// the frames further out.
    pc: usize,
    function: u32,
    callers: u64,
    /// The frame below its frame pointer.
    frame: Vec<u8>,
    registers: Registers,
    callee_pop_size: usize,
    data: D,
}

impl<D> Place<D> {
    fn bytes(&self) -> usize {
        self.frame.len() + size_of::<Self>()
    }
}

impl<D> Default for JumpBuffers<D> {
    fn default() -> Self {
        Self {
            module: None,
            places: Vec::new(),
            last_id: 0,
            bytes: 0,
            hasher: RandomState::new(),
        }
    }
}

impl<D> JumpBuffers<D> {
    /// No places.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of places.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Are there no places?
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Makes the call of the current host function a place, and returns its
    /// number, which is not 0. [`longjmp`](Self::longjmp) to it makes the same
    /// call return again.
    ///
    /// The host function has one integer result, or none.
    ///
    /// # Errors
    ///
    /// The frame cannot be saved, see the module's documentation, or the places
    /// take too much memory.
    pub fn setjmp<T: 'static>(&mut self, caller: &mut Caller<'_, T>, data: D) -> Result<u32> {
        let stack = Stack::of(caller)?;
        match &self.module {
            Some(module) if Module::same(module, stack.module()) => {}
            Some(_) => bail!("the places are of another module"),
            None => self.module = Some(stack.module().clone()),
        }
        let frame = stack.youngest()?;
        let entry = stack.lookup_wasm(frame.pc)?;
        let size = usize::try_from(entry.frame_size())?;
        let Some(sp) = frame
            .fp
            .checked_sub(size)
            .filter(|sp| *sp >= stack.lowest())
        else {
            bail!("the frame is not of the size that it should have");
        };
        let depth = stack.entry_sp() - frame.fp;
        let function = entry.function();
        let callers = self.hash_callers(&stack, frame)?;

        // Frames further in are gone, and so is an earlier frame at this depth
        // if it was another one.
        self.forget_while(|place| {
            place.depth > depth
                || (place.depth == depth
                    && (place.function != function || place.callers != callers))
        });
        let place = Place {
            id: 0,
            depth,
            pc: frame.pc,
            function,
            callers,
            frame: stack.bytes(sp, size),
            registers: stack.registers(),
            callee_pop_size: usize::try_from(entry.callee_pop_size())?,
            data,
        };
        let here = self.places.iter_mut().rev();
        let mut here = here.take_while(|place| place.depth == depth);
        if let Some(known) = here.find(|known| known.pc == place.pc) {
            let id = known.id;
            *known = Place { id, ..place };
            return Ok(id);
        }
        let bytes = self.bytes + place.bytes();
        ensure!(bytes <= MAX_BYTES, "too many jump buffers");
        let Some(id) = self.last_id.checked_add(1) else {
            bail!("too many jump buffers");
        };
        self.last_id = id;
        self.bytes = bytes;
        self.places.push(Place { id, ..place });
        Ok(id)
    }

    /// Makes the place number `id` the one to which the current host function
    /// returns, with the value that it returns. What the embedder keeps for the
    /// place is returned.
    ///
    /// From now on the host function may do nothing with the frames but return.
    /// It has one integer result, or none, and no more than four parameters.
    ///
    /// # Errors
    ///
    /// There is no such place, or its frame is gone. Nothing has changed then.
    pub fn longjmp<T: 'static>(&mut self, caller: &mut Caller<'_, T>, id: u32) -> Result<&D> {
        let mut stack = Stack::of(caller)?;
        ensure!(
            self.module
                .as_ref()
                .is_some_and(|module| Module::same(module, stack.module())),
            "there is no such jump buffer"
        );
        let Some(place) = self.place(id) else {
            bail!("there is no such jump buffer");
        };

        // The frame is alive if the stack has one at the same depth, of the same
        // function, with the same callers. It can be a later call of that
        // function: then the callers hold the same kinds of values, which is
        // all that is needed for the stack to be sound.
        let youngest = stack.youngest()?;
        let mut frame = youngest;
        let target = stack.entry_sp().wrapping_sub(place.depth);
        let mut shift = 0;
        while frame.fp != target {
            if frame.why == Why::Interruption {
                shift += stack.word(Word::Shift.of(frame.fp));
            }
            frame = match stack.next(frame)? {
                Some(next) if next.fp <= target => next,
                _ => bail!("the frame of the jump buffer is gone"),
            };
        }
        let size = place.frame.len();
        ensure!(
            frame.why != Why::Interruption
                && stack.function(frame)? == place.function
                && self.hash_callers(&stack, frame)? == place.callers,
            "the frame of the jump buffer is gone"
        );
        ensure!(
            stack.sp_after_return(youngest)? == stack.lowest(),
            "the host function for jumps has too many parameters"
        );
        let Some(sp) = target.checked_sub(size).filter(|sp| *sp >= stack.lowest()) else {
            bail!("the frame of the jump buffer is not of the size that it should have");
        };

        let jump = [sp + place.callee_pop_size, place.pc, place.registers[0]];
        let mut registers = place.registers;
        caller.store.0.native_jump = jump;
        registers[0] = (&raw const caller.store.0.native_jump).expose_provenance();
        // SAFETY: the bytes are of a frame of the same function with the same
        // callers.
        unsafe { stack.replace(frame, &place.frame) };
        // SAFETY: the landing sets the stack pointer and rbx from what rbx
        // points to, and goes on where the registers were saved. The trampoline
        // was found to have no stack arguments.
        unsafe { stack.redirect(frame, landing(), registers) };
        let context = caller.store.0.vm_store_context();
        // SAFETY: no Wasm code runs now. The frames seen from here are those of
        // the place, as a backtrace has to see them.
        unsafe { *context.last_wasm_exit_pc.get() = jump[1] };
        // SAFETY: as above. The interruption frames that lowered the limit are gone.
        unsafe { *context.stack_limit.get() += shift };

        let depth = place.depth;
        self.forget_while(|place| place.depth > depth);
        match self.place(id) {
            Some(place) => Ok(&place.data),
            None => bail!("there is no such jump buffer"),
        }
    }

    fn place(&self, id: u32) -> Option<&Place<D>> {
        let index = self.places.binary_search_by_key(&id, |place| place.id);
        self.places.get(index.ok()?)
    }

    /// Hashes the frames that are further out than `frame`.
    fn hash_callers(&self, stack: &Stack, frame: Suspended) -> Result<u64> {
        let mut hasher = self.hasher.build_hasher();
        let mut frame = frame;
        while let Some(next) = stack.next(frame)? {
            hasher.write_usize(stack.entry_sp() - next.fp);
            hasher.write_usize(next.pc);
            frame = next;
        }
        Ok(hasher.finish())
    }

    /// Forgets the innermost places as long as `gone` says so.
    fn forget_while(&mut self, gone: impl Fn(&Place<D>) -> bool) {
        while self.places.last().is_some_and(&gone) {
            if let Some(place) = self.places.pop() {
                self.bytes -= place.bytes();
            }
        }
    }
}

fn landing() -> usize {
    (wasmtime_native_frames_landing as *const ()).addr()
}

core::arch::global_asm!(
    "
    .text
    .p2align 4
    .globl wasmtime_native_frames_landing
    .hidden wasmtime_native_frames_landing
    .type wasmtime_native_frames_landing, @function
wasmtime_native_frames_landing:         # rbx = *(stack pointer, address, rbx)
    mov rsp, [rbx]
    mov rcx, [rbx + 8]
    mov rbx, [rbx + 16]
    jmp rcx
    .size wasmtime_native_frames_landing, . - wasmtime_native_frames_landing
"
);

unsafe extern "C" {
    fn wasmtime_native_frames_landing();
}
