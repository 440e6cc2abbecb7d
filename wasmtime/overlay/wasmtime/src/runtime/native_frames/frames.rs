//! Capturing all Wasm frames of an activation and resuming them in another
//! store.

use super::interrupt::Word;
use super::pointers::{ranges, vmctx};
use super::regions::{Place, Regions};
use super::stack::{Registers, Stack, Suspended, Why};
use crate::prelude::*;
use crate::runtime::func::invoke_wasm_and_catch_traps;
use crate::runtime::vm::VMStoreContext;
use crate::{AsContextMut, Caller, Instance, Module};
use core::ffi::c_void;
use core::ops::Range;

/// A copy of the Wasm frames of one activation.
///
/// All offsets are relative to the lowest address of the copied range.
#[derive(Clone)]
pub struct Frames {
    module: Module,
    /// The frames, then the stack arguments of the oldest one.
    bytes: Vec<u8>,
    /// How many of the bytes are arguments of the oldest frame.
    entry_arguments: usize,
    /// The frame pointers, the youngest first.
    frame_pointers: Vec<usize>,
    /// Words of interrupted frames and of interruption frames that are pointers.
    places: Vec<(usize, Place)>,
    /// Words with the offset of another word, as pointers.
    links: Vec<(usize, usize)>,
    /// By how much interruption frames have lowered the stack limit.
    shift: usize,
    /// The lowest address, modulo the alignment that the copy needs.
    alignment: usize,
    registers: Registers,
    /// Where to go on, and with which stack pointer.
    pc: usize,
    sp: usize,
}

impl core::fmt::Debug for Frames {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Frames")
            .field("depth", &self.depth())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Frames {
    /// The number of frames, at least one.
    pub fn depth(&self) -> usize {
        self.frame_pointers.len()
    }

    /// The size of the copy in bytes.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Overwrites every word of the copy that lies in one of the `ranges`,
    /// except the chain of frames, and says how many. A test of the compiler:
    /// all of them are dead, so the frames still run.
    #[doc(hidden)]
    pub fn poison(&mut self, ranges: &[Range<usize>]) -> usize {
        const POISON: usize = 0x4141_4141_4141_4141;
        let is_pointer = |word: usize| ranges.iter().any(|range| range.contains(&word));
        let known = |at: usize| {
            let mut fps = self.frame_pointers.iter();
            self.places.iter().any(|(word, _)| *word == at)
                || self.links.iter().any(|(word, _)| *word == at)
                || fps.any(|fp| *fp == at || fp + 8 == at)
        };
        let mut count = 0;
        for (i, word) in self.bytes.chunks_exact_mut(8).enumerate() {
            let value = usize::from_ne_bytes(word.try_into().unwrap_or_default());
            if is_pointer(value) && !known(8 * i) {
                word.copy_from_slice(&POISON.to_ne_bytes());
                count += 1;
            }
        }
        for register in &mut self.registers {
            if is_pointer(*register) {
                *register = POISON;
                count += 1;
            }
        }
        count
    }

    /// The address ranges that no copied word may point to: the caller's
    /// instance, its store and its stack.
    #[doc(hidden)]
    pub fn foreign_ranges<T: 'static>(caller: &mut Caller<'_, T>) -> Result<Vec<Range<usize>>> {
        let stack = Stack::of(caller)?;
        let mut all = ranges(caller.store.0, caller.caller).to_vec();
        all.push(stack.lowest() - (1 << 16)..stack.entry_fp() + (1 << 16));
        Ok(all)
    }
}

/// Is the current host function called, directly or not, by a guest's function
/// that was called for a signal ([`Interrupted::call`](super::Interrupted::call))?
///
/// Such a function returns to the code that the signal has interrupted, which
/// does not expect it: code that unwinds itself by returning must not do it there.
///
/// # Errors
///
/// As [`capture`].
pub fn is_interrupted<T: 'static>(caller: &mut Caller<'_, T>) -> Result<bool> {
    let stack = Stack::of(caller)?;
    let mut next = Some(stack.youngest()?);
    while let Some(frame) = next {
        if frame.why == Why::Interruption {
            return Ok(true);
        }
        next = stack.next(frame)?;
    }
    Ok(false)
}

/// Copies the frames of the Wasm code that called the current host function.
///
/// # Errors
///
/// The frames cannot be copied, see the module's documentation.
pub fn capture<T: 'static>(caller: &mut Caller<'_, T>) -> Result<Frames> {
    ensure!(
        !caller.store.0.engine().tunables().native_frames_stay,
        "the frames of this engine stay where they are"
    );
    let stack = Stack::of(caller)?;
    let base = stack.lowest();
    let mut frame = stack.youngest()?;
    let pc = frame.pc;
    let sp = stack.sp_after_return(frame)? - base;
    let mut frame_pointers = Vec::new();
    let mut interrupted = Interrupted::default();
    loop {
        if frame.why == Why::Call {
            stack.lookup_wasm(frame.pc)?;
        } else {
            if interrupted.regions.is_none() {
                interrupted.regions = Some(Regions::of(caller.store.0, caller.caller)?);
            }
            interrupted.add(&stack, frame)?;
        }
        frame_pointers.push(frame.fp - base);
        match stack.next(frame)? {
            Some(next) => frame = next,
            None => break,
        }
    }
    let entry_arguments = stack.entry_arguments(frame)?;
    ensure!(
        stack.entry_sp() + entry_arguments <= stack.entry_fp(),
        "the arguments of the oldest frame are not where they should be"
    );
    Ok(Frames {
        module: stack.module().clone(),
        bytes: stack.bytes(base, stack.entry_sp() - base + entry_arguments),
        entry_arguments,
        frame_pointers,
        places: interrupted.places,
        links: interrupted.links,
        shift: interrupted.shift,
        alignment: base % ALIGNMENT,
        registers: stack.registers(),
        pc,
        sp,
    })
}

/// What XSAVE needs.
pub(super) const ALIGNMENT: usize = 64;

/// What interrupted frames and interruption frames have besides what all have.
/// Offsets are relative to the lowest address of the frames.
#[derive(Default)]
pub(super) struct Interrupted {
    regions: Option<Regions>,
    pub(super) places: Vec<(usize, Place)>,
    pub(super) links: Vec<(usize, usize)>,
    pub(super) shift: usize,
    /// The stack pointer of the next frame, which is interrupted.
    sp: usize,
}

impl Interrupted {
    pub(super) fn with(regions: Regions) -> Self {
        Self {
            regions: Some(regions),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, stack: &Stack, frame: Suspended) -> Result<()> {
        let base = stack.lowest();
        if frame.why == Why::Interruption {
            for word in Word::pointers(frame.fp) {
                self.add_word(stack, word);
            }
            let top = stack.word(Word::Top.of(frame.fp));
            ensure!(
                top % 8 == 0 && top >= frame.fp + 16 && top <= stack.entry_sp() - 16,
                "an interruption frame is not as it should be"
            );
            self.links.push((Word::Top.of(frame.fp) - base, top - base));
            self.shift += stack.word(Word::Shift.of(frame.fp));
            self.sp = top + 16;
        } else {
            for word in (self.sp..frame.fp).step_by(8) {
                self.add_word(stack, word);
            }
        }
        Ok(())
    }

    fn add_word(&mut self, stack: &Stack, address: usize) {
        let regions = self.regions.as_ref();
        if let Some(place) = regions.and_then(|regions| regions.find(stack.word(address))) {
            self.places.push((address - stack.lowest(), place));
        }
    }
}

/// Runs the frames in `store`, under `instance`, as if the host function that
/// captured them had returned `value`.
///
/// The host function has one integer result, or none. Returns the integer
/// result of the oldest frame, in the low bits if it is of 32 bits; it has no
/// meaning if that function has no integer result.
///
/// The stack of the current thread must have room for
/// [`Config::max_wasm_stack`](crate::Config::max_wasm_stack), as for any call.
///
/// # Errors
///
/// As for a call of a Wasm function. Besides: `instance` is not of the module
/// that the frames are of, Wasm code of the store runs already, or the frames
/// do not fit into the stack that Wasm code may use.
///
/// # Panics
///
/// If `store` does not own `instance`.
pub fn resume(
    mut store: impl AsContextMut,
    instance: &Instance,
    frames: &Frames,
    value: i32,
) -> Result<u64> {
    let mut store = store.as_context_mut();
    ensure!(
        Module::same(instance._module(store.0), &frames.module),
        "the frames are of another module than the instance"
    );
    let context = store.0.vm_store_context_ptr();
    // SAFETY: the store owns its context, and nothing else uses it now.
    let limit = unsafe { *context.as_ref().stack_limit.get() };
    ensure!(limit == usize::MAX, "Wasm code of the store runs already");
    let max = store.engine().config().max_wasm_stack;
    ensure!(
        frames.len().saturating_add(RESERVE) <= max,
        "the frames do not fit into the stack for Wasm code"
    );
    let mut places = Vec::new();
    if !frames.places.is_empty() {
        let regions = Regions::of(store.0, *instance)?;
        for (word, place) in &frames.places {
            places.push((*word, regions.address(*place)?));
        }
    }
    let mut resumed = Resumed {
        pc: frames.pc,
        fp: 0,
        // Zero-extended, as compiled code has 32-bit values in registers.
        value: usize::try_from(value.cast_unsigned())?,
        failed: 0,
        result: 0,
        registers: frames.registers,
        vmctx: vmctx(store.0, *instance),
        sp: frames.sp,
        frames,
        context: context.as_ptr(),
        places,
    };
    let room = frames.len().next_multiple_of(ALIGNMENT);
    invoke_wasm_and_catch_traps(&mut store, |_caller, _interpreter| {
        // SAFETY: `resumed` describes frames of the instance's own code, which
        // the module in `frames` keeps; there is room for them.
        unsafe {
            wasmtime_native_frames_enter((&raw mut resumed).cast(), room, frames.alignment);
        }
        resumed.failed == 0
    })?;
    Ok(u64::try_from(resumed.result)?)
}

/// What resumed frames leave of the stack for calls they make, at least.
const RESERVE: usize = 16 << 10;

/// An activation that was resumed. Its address is in the entry frame.
#[repr(C)]
pub(super) struct Resumed<'a> {
    // The assembly below knows the offsets of these.
    pc: usize,            // 0
    fp: usize,            // 8
    value: usize,         // 16
    failed: usize,        // 24
    result: usize,        // 32
    registers: Registers, // 40
    vmctx: usize,         // 72
    sp: usize,            // 80, relative to the lowest address
    frames: &'a Frames,
    context: *const VMStoreContext,
    /// Words and their values.
    places: Vec<(usize, usize)>,
}

impl Resumed<'_> {
    /// The activation whose entry frame is at `entry_fp`.
    ///
    /// # Safety
    ///
    /// There is one, and it lives as long as the reference is used.
    pub(super) unsafe fn at<'a>(entry_fp: usize) -> &'a Resumed<'a> {
        let slot = core::ptr::with_exposed_provenance::<*const Resumed<'a>>(entry_fp - 48);
        // SAFETY: the entry frame has the pointer there.
        let resumed = unsafe { *slot };
        // SAFETY: it points to a `Resumed` in the frame of `resume`.
        unsafe { &*resumed }
    }

    pub(super) fn entry_arguments(&self) -> usize {
        self.frames.entry_arguments
    }
}

/// Where the oldest frame of a resumed activation returns to.
pub(super) fn resumed_entry() -> usize {
    (wasmtime_native_frames_returned as *const ()).addr()
}

core::arch::global_asm!(
    "
    .text
    .p2align 4
    .globl wasmtime_native_frames_enter
    .hidden wasmtime_native_frames_enter
    .type wasmtime_native_frames_enter, @function
wasmtime_native_frames_enter:           # rdi = resumed, rsi = room, rdx = alignment
    push rbp
    mov rbp, rsp
    push rbx
    push r12
    push r13
    push r14
    push r15
    push rdi                            # [rbp - 48], see `Resumed::at`
    mov rbx, rdi
    mov r12, rsp
    sub r12, rsi
    and r12, -64
    sub r12, 64
    add r12, rdx                        # the lowest address of the frames
    mov rsi, r12
    mov rdx, rbp
    mov rsp, r12
    call wasmtime_native_frames_fill    # (resumed, lowest, entry fp)
    mov rsp, r12
    add rsp, [rbx + 80]
    mov rcx, [rbx]
    mov rbp, [rbx + 8]
    mov rax, [rbx + 16]
    mov r12, [rbx + 48]
    mov r13, [rbx + 56]
    mov r14, [rbx + 64]
    mov r15, [rbx + 72]
    mov rbx, [rbx + 40]
    jmp rcx

    .globl wasmtime_native_frames_returned
    .hidden wasmtime_native_frames_returned
wasmtime_native_frames_returned:        # the oldest frame returns here
    lea rsp, [rbp - 48]
    pop rdi
    mov [rdi + 32], rax
    jmp 2f

    .globl wasmtime_native_frames_trapped
    .hidden wasmtime_native_frames_trapped
wasmtime_native_frames_trapped:         # traps of the activation go here
    lea rsp, [rbp - 48]
    pop rdi
    mov qword ptr [rdi + 24], 1
2:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret
    .size wasmtime_native_frames_enter, . - wasmtime_native_frames_enter
"
);

unsafe extern "C" {
    fn wasmtime_native_frames_enter(resumed: *mut c_void, room: usize, alignment: usize);
    fn wasmtime_native_frames_returned();
    fn wasmtime_native_frames_trapped();
}

/// Puts the frames at `lowest` and makes the store's context that of an
/// activation whose entry frame is at `entry_fp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn wasmtime_native_frames_fill(
    resumed: *mut Resumed<'_>,
    lowest: usize,
    entry_fp: usize,
) {
    // SAFETY: the entry frame was made with a valid one.
    let resumed = unsafe { &mut *resumed };
    let frames = resumed.frames;
    let to = core::ptr::with_exposed_provenance_mut::<u8>(lowest);
    // SAFETY: there is room for the copy between this frame and the entry frame.
    unsafe { core::ptr::copy_nonoverlapping(frames.bytes.as_ptr(), to, frames.bytes.len()) };
    let set = |offset: usize, value: usize| {
        let word = core::ptr::with_exposed_provenance_mut::<usize>(lowest + offset);
        // SAFETY: `offset` is that of an aligned word of the copy.
        unsafe { *word = value };
    };
    for (word, value) in &resumed.places {
        set(*word, *value);
    }
    for (word, offset) in &frames.links {
        set(*word, lowest + offset);
    }
    let mut older = entry_fp;
    for (i, fp) in frames.frame_pointers.iter().enumerate().rev() {
        set(*fp, older);
        older = lowest + fp;
        if i + 1 == frames.frame_pointers.len() {
            set(fp + 8, resumed_entry());
        }
    }
    resumed.fp = older;
    // SAFETY: the store outlives the activation, and runs no Wasm code yet.
    let context = unsafe { &*resumed.context };
    let entry_sp = lowest + frames.bytes.len() - frames.entry_arguments;
    let trapped = (wasmtime_native_frames_trapped as *const ()).addr();
    // SAFETY: as above.
    unsafe { *context.last_wasm_entry_fp.get() = entry_fp };
    // SAFETY: as above.
    unsafe { *context.last_wasm_entry_sp.get() = entry_sp };
    // SAFETY: as above.
    unsafe { *context.last_wasm_entry_trap_handler.get() = trapped };
    // SAFETY: as above. Each interruption frame adds its part when it ends.
    unsafe { *context.stack_limit.get() -= frames.shift };
}
