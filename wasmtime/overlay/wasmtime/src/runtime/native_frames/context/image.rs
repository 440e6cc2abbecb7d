//! A copy of frames with all that is needed to go on with them, and the code
//! that does.

use crate::Module;
use crate::prelude::*;
use crate::runtime::native_frames::JumpBuffers;
use crate::runtime::native_frames::frames::{ALIGNMENT, Interrupted};
use crate::runtime::native_frames::regions::{Place, Regions};
use crate::runtime::native_frames::stack::{HEADER, Stack};
use crate::store::StoreId;

/// Where frames end, and what they belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Activation {
    pub(super) store: StoreId,
    pub(super) entry_sp: usize,
    pub(super) entry_fp: usize,
    /// Where the oldest frame returns to.
    pub(super) entry_pc: usize,
}

/// All frames of a context.
#[derive(Debug)]
pub(in crate::runtime::native_frames) struct Image {
    /// What `Stack::copy` gives. It ends at `activation.entry_sp`.
    bytes: Vec<u8>,
    activation: Activation,
    pub(super) fiber: u64,
    pub(super) stack_pointer: i32,
    /// By how much interruption frames have lowered the stack limit.
    pub(super) shift: usize,
    interrupted: Option<Box<Pointers>>,
}

/// What is in interrupted frames and interruption frames, by offsets in the bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Pointers {
    /// Pointers into the instance.
    places: Vec<(usize, Place)>,
    /// Pointers to other words.
    links: Vec<(usize, usize)>,
    shift: usize,
}

impl From<Interrupted> for Pointers {
    fn from(found: Interrupted) -> Self {
        let places = found.places.into_iter();
        let links = found.links.into_iter();
        Self {
            places: places.map(|(at, place)| (HEADER + at, place)).collect(),
            links: links.map(|(at, to)| (HEADER + at, HEADER + to)).collect(),
            shift: found.shift,
        }
    }
}

/// What the frames of the running context are, beside their bytes.
pub(super) struct Outline {
    pub(super) activation: Activation,
    pub(super) stack_pointer: i32,
    pub(super) interrupted: Option<Box<Pointers>>,
}

impl Outline {
    pub(super) fn shift(&self) -> usize {
        self.interrupted.as_ref().map_or(0, |found| found.shift)
    }
}

impl Image {
    /// A copy of the frames, in memory that `old` has no more use for.
    pub(super) fn of(stack: &Stack, outline: &Outline, fiber: u64, old: Option<Image>) -> Image {
        let mut bytes = old.map_or_else(Vec::new, |old| old.bytes);
        stack.copy(&mut bytes);
        Image {
            bytes,
            activation: outline.activation,
            fiber,
            stack_pointer: outline.stack_pointer,
            shift: outline.shift(),
            interrupted: outline.interrupted.clone(),
        }
    }

    /// No frames yet: a function at `start`, which gets `argument`, is called by the
    /// host.
    pub(super) fn starting(
        activation: Activation,
        start: usize,
        argument: u32,
        fiber: u64,
    ) -> Image {
        let words = [0, 0, 0, 0, activation.entry_fp, start, activation.entry_pc];
        Image {
            bytes: words.iter().flat_map(|word| word.to_ne_bytes()).collect(),
            activation,
            fiber,
            stack_pointer: argument.cast_signed(),
            shift: 0,
            interrupted: None,
        }
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.capacity()
    }

    /// Where the bytes are, and where they go.
    pub(super) fn copy(&self) -> (usize, usize) {
        let to = self.activation.entry_sp - self.bytes.len();
        (self.bytes.as_ptr().expose_provenance(), to)
    }

    pub(super) fn words(&self) -> usize {
        self.bytes.len() / 8
    }

    /// The lowest address of the frames.
    pub(super) fn lowest(&self) -> usize {
        (self.activation.entry_sp + HEADER) - self.bytes.len()
    }

    fn stack<'a>(&'a self, module: &'a Module) -> Stack<'a> {
        let Activation {
            entry_sp, entry_fp, ..
        } = self.activation;
        Stack::in_copy(module, &self.bytes, entry_sp, entry_fp)
    }

    /// The same frames in another activation. `None` if that is the one that they
    /// are of.
    pub(super) fn moved(
        &self,
        module: &Module,
        to: Activation,
        regions: impl FnOnce() -> Result<Regions>,
    ) -> Result<Option<Image>> {
        if self.activation == to {
            return Ok(None);
        }
        let distance = to.entry_sp.wrapping_sub(self.activation.entry_sp);
        let mut bytes = self.bytes.clone();
        let mut set = |at: usize, value: usize| {
            if let Some(word) = bytes.get_mut(at..at + 8) {
                word.copy_from_slice(&value.to_ne_bytes());
            }
        };
        let stack = self.stack(module);
        let start = self.activation.entry_sp - self.bytes.len();
        let mut fp = stack.trampoline_fp();
        let mut frame = stack.youngest()?;
        loop {
            set(fp - start, frame.fp.wrapping_add(distance));
            fp = frame.fp;
            match stack.next(frame)? {
                Some(next) => frame = next,
                None => break,
            }
        }
        set(fp - start, to.entry_fp);
        set(fp + 8 - start, to.entry_pc);
        if let Some(pointers) = &self.interrupted {
            ensure!(
                distance % ALIGNMENT == 0,
                "interrupted frames cannot go on at an address of other alignment"
            );
            let regions = regions()?;
            for (at, place) in &pointers.places {
                set(*at, regions.address(*place)?);
            }
            for (at, target) in &pointers.links {
                set(*at, (start + target).wrapping_add(distance));
            }
        }
        Ok(Some(Image {
            bytes,
            activation: to,
            interrupted: self.interrupted.clone(),
            ..*self
        }))
    }

    /// The frames after a jump to place number `id` of `places`.
    pub(super) fn jump<D>(
        &self,
        module: &Module,
        places: &JumpBuffers<D>,
        id: u32,
    ) -> Result<Image> {
        let stack = self.stack(module);
        let (bytes, shift, stack_pointer) = places.jump_in_copy(&stack, &self.bytes, id)?;
        Ok(Image {
            bytes,
            shift: self.shift.saturating_sub(shift),
            stack_pointer,
            // It goes on at once, here.
            interrupted: None,
            ..*self
        })
    }
}

/// Where the trampoline of a host function that switches returns to.
pub(super) fn switch_landing() -> usize {
    (wasmtime_native_frames_switch as *const ()).addr()
}

core::arch::global_asm!(
    "
    .text
    .p2align 4
    .globl wasmtime_native_frames_switch
    .hidden wasmtime_native_frames_switch
    .type wasmtime_native_frames_switch, @function
wasmtime_native_frames_switch:          # rbx = *(from, to, words, argument)
    mov rsi, [rbx]
    mov rdi, [rbx + 8]
    mov rcx, [rbx + 16]
    mov rdx, [rbx + 24]
    mov rsp, rdi
    rep movsq
    pop rbx                             # as the trampoline's epilogue does
    pop r12
    pop r13
    pop r14
    pop rbp
    mov rdi, r15                        # for a start function; a caller of
    mov rsi, r15                        # the host expects nothing there
    ret
    .size wasmtime_native_frames_switch, . - wasmtime_native_frames_switch
"
);

unsafe extern "C" {
    fn wasmtime_native_frames_switch();
}
