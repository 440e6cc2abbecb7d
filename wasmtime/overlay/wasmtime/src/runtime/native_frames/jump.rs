//! Functions that return twice: `setjmp` and `longjmp`.

use super::interrupt::Word;
use super::stack::{HEADER, Registers, Stack, Suspended, Why};
use crate::prelude::*;
use crate::{Caller, Module};

/// The saved frames of one thread may take this much in all.
const MAX_BYTES: usize = 64 << 20;

/// The places to which a thread of Wasm code can jump back, with what the
/// embedder keeps for each (`D`). The guest's stack pointer is restored if there is a
/// [`set_stack_pointer`](super::set_stack_pointer).
///
/// A place is named by a number. It stays valid as long as the frame that it is
/// in; the places of frames that are gone are forgotten. If a frame comes to
/// the same place again, the place is reused.
///
/// A clone is valid in the activation that resumed the [`Frames`](super::Frames)
/// captured at the same time.
#[derive(Clone, Debug)]
pub struct JumpBuffers<D> {
    buffers: Option<Box<Buffers<D>>>,
    /// The number after which the first place's comes.
    last_id: u32,
}

#[derive(Clone, Debug)]
struct Buffers<D> {
    module: Module,
    /// The places, those of outer frames first; numbers ascend as well.
    places: Vec<Place<D>>,
    /// The saved frames of the places, one after the other.
    frames: Vec<u8>,
    /// The callers of the innermost place, the oldest first. Those of the other
    /// places are the same as far as they go.
    callers: Vec<Link>,
    last_id: u32,
    known: [Call; KNOWN],
}

/// How many calls of the host are known without a search in the map.
const KNOWN: usize = 64;

/// What the map says about a call in a Wasm function.
#[derive(Clone, Copy, Debug, Default)]
struct Call {
    pc: usize,
    function: usize,
    frame_size: usize,
    callee_pop_size: usize,
    /// Which place it may be.
    place: usize,
}

/// A suspended frame, by its distance to where the frames begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    depth: usize,
    pc: usize,
}

impl Link {
    fn of(stack: &Stack, frame: Suspended) -> Link {
        Link {
            depth: stack.entry_sp() - frame.fp,
            pc: frame.pc,
        }
    }
}

#[derive(Clone, Debug)]
struct Place<D> {
    id: u32,
    /// The frame and the call in it.
    link: Link,
    function: usize,
    /// How many frames are further out.
    callers: usize,
    /// Where the frame below its frame pointer is in the saved frames.
    start: usize,
    size: usize,
    registers: Registers,
    callee_pop_size: usize,
    stack_pointer: i32,
    data: D,
}

impl<D> Default for JumpBuffers<D> {
    fn default() -> Self {
        Self {
            buffers: None,
            last_id: 0,
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
        let buffers = self.buffers.as_ref();
        buffers.map_or(0, |buffers| buffers.places.len())
    }

    /// Are there no places?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is there a place of this number?
    pub fn contains(&self, id: u32) -> bool {
        let buffers = self.buffers.as_ref();
        buffers.is_some_and(|buffers| buffers.place(id).is_some())
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
        let last_id = self.last_id;
        let buffers = self
            .buffers
            .get_or_insert_with(|| Box::new(Buffers::new(stack.module(), last_id)));
        ensure!(
            Module::same(&buffers.module, stack.module()),
            "the places are of another module"
        );
        let stack_pointer = caller.store.0.native_frames.stack_pointer();
        buffers.setjmp(&stack, stack_pointer, data)
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
        let stack = Stack::of(caller)?;
        let Some(buffers) = self
            .buffers
            .as_mut()
            .filter(|buffers| Module::same(&buffers.module, stack.module()))
        else {
            bail!("there is no such jump buffer");
        };
        let Some(place) = buffers.place(id) else {
            bail!("there is no such jump buffer");
        };

        let youngest = stack.youngest()?;
        let (frame, shift) = buffers.find(&stack, youngest, place)?;
        ensure!(
            stack.sp_after_return(youngest)? == stack.lowest(),
            "the host function for jumps has too many parameters"
        );
        let bytes = buffers.frames.get(place.start..place.start + place.size);
        let sp = frame.fp.checked_sub(place.size);
        let (Some(bytes), Some(sp)) = (bytes, sp.filter(|sp| *sp >= stack.lowest())) else {
            bail!("the frame of the jump buffer is not of the size that it should have");
        };

        let pc = place.link.pc;
        let jump = [sp + place.callee_pop_size, pc, place.registers[0]];
        let stack_pointer = place.stack_pointer;
        let mut registers = place.registers;
        registers[0] = (&raw const caller.store.0.native_frames.jump).expose_provenance();
        // SAFETY: the bytes are of a frame of the same function with the same
        // callers.
        unsafe { stack.replace(frame, bytes) };
        // SAFETY: the landing sets the stack pointer and rbx from what rbx
        // points to, and goes on where the registers were saved. The trampoline
        // was found to have no stack arguments.
        unsafe { stack.redirect(frame, landing(), registers) };
        let context = caller.store.0.vm_store_context();
        // SAFETY: no Wasm code runs now. The frames seen from here are those of
        // the place, as a backtrace has to see them.
        unsafe { *context.last_wasm_exit_pc.get() = pc };
        // SAFETY: as above. The interruption frames that lowered the limit are gone.
        unsafe { *context.stack_limit.get() += shift };
        let state = &mut caller.store.0.native_frames;
        state.jump = jump;
        state.set_stack_pointer(stack_pointer);
        self.settle(id)
    }

    /// Forgets the places further in than number `id`, which was jumped to.
    pub(super) fn settle(&mut self, id: u32) -> Result<&D> {
        if let Some(buffers) = &mut self.buffers
            && let Some(depth) = buffers.place(id).map(|place| place.link.depth)
        {
            buffers.forget_while(|place| place.link.depth > depth);
            if let Some(place) = buffers.place(id) {
                return Ok(&place.data);
            }
        }
        bail!("there is no such jump buffer")
    }

    /// Forgets the places whose frames are gone.
    pub(super) fn forget_gone(&mut self, stack: &Stack) -> Result<()> {
        if let Some(buffers) = self.buffers.as_mut().filter(|all| !all.places.is_empty()) {
            let frame = stack.youngest()?;
            let depth = Link::of(stack, frame).depth;
            buffers.follow_callers(stack, frame)?;
            buffers.forget_while(|place| place.link.depth > depth);
        }
        Ok(())
    }

    /// Takes the places out. The numbers of later ones go on after theirs.
    pub(super) fn take(&mut self) -> JumpBuffers<D> {
        if let Some(buffers) = &self.buffers {
            self.last_id = self.last_id.max(buffers.last_id);
        }
        let last_id = self.last_id;
        core::mem::replace(
            self,
            JumpBuffers {
                buffers: None,
                last_id,
            },
        )
    }

    /// Puts in places that were taken out. The numbers go on after those of
    /// either.
    pub(super) fn put(&mut self, mut places: JumpBuffers<D>) {
        let last_id = self.take().last_id;
        places.last_id = places.last_id.max(last_id);
        if let Some(buffers) = &mut places.buffers {
            buffers.last_id = buffers.last_id.max(last_id);
        }
        *self = places;
    }

    /// The numbers of the places, and what the embedder keeps for them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &D)> {
        let places = self.buffers.as_ref().map(|buffers| &buffers.places[..]);
        let places = places.unwrap_or_default().iter();
        places.map(|place| (place.id, &place.data))
    }

    /// How much memory the saved frames take.
    pub(super) fn bytes(&self) -> usize {
        self.buffers
            .as_ref()
            .map_or(0, |buffers| size_of::<Buffers<D>>() + buffers.frames.len())
    }

    /// The frames of `copy` as a jump to place number `id` leaves them, by how much
    /// the interruption frames that are gone then have lowered the stack limit, and the
    /// guest's stack pointer.
    pub(super) fn jump_in_copy(
        &self,
        copy: &Stack,
        bytes: &[u8],
        id: u32,
    ) -> Result<(Vec<u8>, usize, i32)> {
        let buffers = self.buffers.as_ref();
        let Some((buffers, place)) =
            buffers.and_then(|buffers| Some((buffers, buffers.place(id)?)))
        else {
            bail!("there is no such jump buffer");
        };
        let (frame, shift) = buffers.find(copy, copy.youngest()?, place)?;
        // What the callee pops is not restored, as the trampoline of the copy
        // has no stack arguments.
        let start = place.start + place.callee_pop_size;
        let saved = buffers.frames.get(start..place.start + place.size);
        let outer = bytes.get(bytes.len() - (copy.entry_sp() - frame.fp)..);
        let (Some(saved), Some(outer)) = (saved, outer) else {
            bail!("the frame of the jump buffer is not of the size that it should have");
        };
        let mut made = Vec::with_capacity(HEADER + saved.len() + outer.len());
        for word in place.registers.iter().chain(&[frame.fp, place.link.pc]) {
            made.extend_from_slice(&word.to_ne_bytes());
        }
        made.extend_from_slice(saved);
        made.extend_from_slice(outer);
        Ok((made, shift, place.stack_pointer))
    }
}

impl<D> Buffers<D> {
    fn new(module: &Module, last_id: u32) -> Self {
        Self {
            module: module.clone(),
            places: Vec::new(),
            frames: Vec::new(),
            callers: Vec::new(),
            last_id,
            known: [Call::default(); KNOWN],
        }
    }

    fn setjmp(&mut self, stack: &Stack, stack_pointer: i32, data: D) -> Result<u32> {
        let frame = stack.youngest()?;
        let slot = slot(frame.pc);
        let call = self.lookup(stack, frame.pc)?;
        let size = call.frame_size;
        let Some(sp) = frame
            .fp
            .checked_sub(size)
            .filter(|sp| *sp >= stack.lowest())
        else {
            bail!("the frame is not of the size that it should have");
        };
        let link = Link::of(stack, frame);
        let callers = self.follow_callers(stack, frame)?;

        // Frames further in are gone, and so is an earlier frame at this depth
        // if it was another one.
        self.forget_while(|place| {
            place.link.depth > link.depth
                || (place.link.depth == link.depth && place.function != call.function)
        });
        if let Some(index) = self.find_place(link, call.place) {
            self.known[slot].place = index;
            let known = &mut self.places[index];
            known.callers = callers;
            known.registers = stack.registers();
            known.stack_pointer = stack_pointer;
            known.data = data;
            let saved = self.frames.get_mut(known.start..known.start + size);
            stack.save(sp, saved.unwrap_or_default());
            return Ok(known.id);
        }
        let start = self.frames.len();
        let bytes = start + size + (self.places.len() + 1) * size_of::<Place<D>>();
        ensure!(bytes <= MAX_BYTES, "too many jump buffers");
        // Numbers that were used up begin again after the newest place.
        let newest = self.places.last().map_or(0, |place| place.id);
        let next = self.last_id.checked_add(1);
        let Some(id) = next.or_else(|| newest.checked_add(1)) else {
            bail!("too many jump buffers");
        };
        self.last_id = id;
        self.frames.resize(start + size, 0);
        stack.save(sp, self.frames.get_mut(start..).unwrap_or_default());
        self.known[slot].place = self.places.len();
        self.places.push(Place {
            id,
            link,
            function: call.function,
            callers,
            start,
            size,
            registers: stack.registers(),
            callee_pop_size: call.callee_pop_size,
            stack_pointer,
            data,
        });
        Ok(id)
    }

    /// The place at `link`, probably number `likely` of those that there are, in
    /// the innermost frame that has places.
    #[inline]
    fn find_place(&self, link: Link, likely: usize) -> Option<usize> {
        let is_it = |place: &Place<D>| place.link == link;
        if self.places.get(likely).is_some_and(is_it) {
            return Some(likely);
        }
        let here = self.places.iter().rev();
        let here = here.take_while(|place| place.link.depth == link.depth);
        let later = here.take_while(|place| !is_it(place)).count();
        let index = self.places.len().checked_sub(later + 1)?;
        self.places.get(index).is_some_and(is_it).then_some(index)
    }

    /// What the map says about the call of the host that returns to `pc`.
    #[inline]
    fn lookup(&mut self, stack: &Stack, pc: usize) -> Result<Call> {
        let known = &mut self.known[slot(pc)];
        if known.pc != pc {
            let frame = stack.lookup_wasm(pc)?;
            *known = Call {
                pc,
                function: usize::try_from(frame.function())?,
                frame_size: usize::try_from(frame.frame_size())?,
                callee_pop_size: usize::try_from(frame.callee_pop_size())?,
                place: 0,
            };
        }
        Ok(*known)
    }

    /// Makes `self.callers` those of the youngest frame, `frame`, forgets the
    /// places whose callers are gone, and returns how many there are.
    #[inline]
    fn follow_callers(&mut self, stack: &Stack, frame: Suspended) -> Result<usize> {
        if self.has_callers(stack, frame) {
            let count = self.callers.len();
            self.forget_while(|place| place.callers > count);
            return Ok(count);
        }
        self.follow_other_callers(stack, frame)
    }

    /// Are `self.callers` those of the youngest frame, `frame`?
    #[inline]
    fn has_callers(&self, stack: &Stack, frame: Suspended) -> bool {
        let mut fp = frame.fp;
        for caller in self.callers.iter().rev() {
            let next = stack.entry_sp() - caller.depth;
            if fp >= next || stack.word(fp) != next || stack.word(fp + 8) != caller.pc {
                return false;
            }
            fp = next;
        }
        stack.word(fp) == stack.entry_fp()
    }

    fn follow_other_callers(&mut self, stack: &Stack, frame: Suspended) -> Result<usize> {
        // How many of the known ones are further out than what was seen, and how
        // many can still be the same.
        let mut left = self.callers.len();
        let mut same = left;
        let mut count = 0;
        let mut next = stack.next(frame)?;
        while let Some(caller) = next {
            let link = Link::of(stack, caller);
            while left > 0 && self.callers[left - 1].depth > link.depth {
                left -= 1;
                same = left;
            }
            if left > 0 && self.callers[left - 1] == link {
                left -= 1;
            } else {
                same = left;
            }
            count += 1;
            next = stack.next(caller)?;
        }
        if left > 0 {
            same = 0;
        }
        let same = same.min(count);
        self.forget_while(|place| place.callers > same);
        self.callers.truncate(same);
        if same < count {
            let mut missing = count - same;
            let mut next = stack.next(frame)?;
            while let Some(caller) = next.filter(|_| missing > 0) {
                self.callers.push(Link::of(stack, caller));
                missing -= 1;
                next = stack.next(caller)?;
            }
            self.callers[same..].reverse();
        }
        Ok(count)
    }

    /// The frame that `place` is in, and by how much interruption frames further
    /// in have lowered the stack limit.
    ///
    /// The frame is alive if the stack has one at the same depth, of the same
    /// function, with the same callers. It can be a later call of that
    /// function: then the callers hold the same kinds of values, which is
    /// all that is needed for the stack to be sound.
    fn find(
        &self,
        stack: &Stack,
        youngest: Suspended,
        place: &Place<D>,
    ) -> Result<(Suspended, usize)> {
        let target = stack.entry_sp().wrapping_sub(place.link.depth);
        let mut frame = youngest;
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
        let mut alive = frame.why != Why::Interruption
            && usize::try_from(stack.function(frame)?)? == place.function;
        let callers = self.callers.get(..place.callers).unwrap_or_default();
        let mut expected = callers.iter().rev();
        let mut next = stack.next(frame)?;
        while let Some(caller) = next.filter(|_| alive) {
            alive = expected.next() == Some(&Link::of(stack, caller));
            next = stack.next(caller)?;
        }
        ensure!(
            alive && expected.next().is_none(),
            "the frame of the jump buffer is gone"
        );
        Ok((frame, shift))
    }

    fn place(&self, id: u32) -> Option<&Place<D>> {
        let last = self.places.last().filter(|place| place.id == id);
        last.or_else(|| {
            let index = self.places.binary_search_by_key(&id, |place| place.id);
            self.places.get(index.ok()?)
        })
    }

    /// Forgets the innermost places as long as `gone` says so.
    fn forget_while(&mut self, gone: impl Fn(&Place<D>) -> bool) {
        while self.places.last().is_some_and(&gone) {
            if let Some(place) = self.places.pop() {
                self.frames.truncate(place.start);
            }
        }
    }
}

/// Where the call that returns to `pc` is known.
#[inline]
fn slot(pc: usize) -> usize {
    // The upper bits of a product depend on all bits of both factors.
    const FACTOR: usize = 0x9e37_79b9_7f4a_7c15;
    (pc.wrapping_mul(FACTOR) >> 32) % KNOWN
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
