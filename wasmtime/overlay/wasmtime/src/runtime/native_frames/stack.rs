//! The Wasm frames of the activation that called the current host function.

use super::frames::{Resumed, resumed_entry};
use super::interrupt::{function_at, interruption_return};
use crate::prelude::*;
use crate::runtime::vm::{VMStoreContext, is_only_activation};
use crate::store::StoreOpaque;
use crate::{Caller, Module};
use wasmtime_environ::{NativeFrame, NativeFrameKind};

/// rbx, r12, r13, r14. The fifth callee-saved register, r15, has the vmctx in
/// all Wasm code and is no trampoline's business.
pub(super) type Registers = [usize; 4];

/// Where the trampoline from Wasm to the host keeps them, below its frame
/// pointer: its prologue stores the callee-saved registers in order of their
/// encoding.
const REGISTERS_BELOW_FP: usize = 32;

/// A frame and the address it is suspended at, in its own function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspended {
    pub(super) fp: usize,
    pub(super) pc: usize,
    pub(super) why: Why,
}

/// Why a frame is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It called another function.
    Call,
    /// It is an interruption frame, which called the guest's function.
    Interruption,
    /// It was interrupted: the next younger frame is an interruption frame.
    Interrupted,
}

/// The frames, on the stack of the current thread. They stay as they are until
/// the host function returns.
///
/// Or a copy of them, which is elsewhere: all addresses are those that the
/// frames had.
pub(super) struct Stack<'a> {
    module: &'a Module,
    /// What leads from the address of a word to where it is.
    shift: usize,
    trampoline_fp: usize,
    entry_fp: usize,
    entry_sp: usize,
}

/// Words below the frames in a copy with registers: the registers, the youngest
/// frame's frame pointer and its return address.
pub(super) const HEADER: usize = REGISTERS_BELOW_FP + 16;

impl<'a> Stack<'a> {
    /// The frames of the caller.
    ///
    /// # Errors
    ///
    /// No Wasm code called, or an activation of the store is suspended further
    /// out, or the module was not compiled for this.
    #[inline(always)]
    pub(super) fn of<T: 'static>(caller: &'a Caller<'_, T>) -> Result<Stack<'a>> {
        let instance = caller.caller;
        let store: &StoreOpaque = caller.store.0;
        let Some(module) = instance.id.get(store).runtime_module() else {
            bail!("no Wasm code called this host function");
        };
        ensure!(
            store.engine().tunables().native_frames,
            "native frames are not enabled in this engine"
        );
        let context = store.vm_store_context_ptr();
        ensure!(
            is_only_activation(context),
            "the store has more than one activation of Wasm code"
        );
        // SAFETY: the store owns its context, and no Wasm code runs now.
        let context: &VMStoreContext = unsafe { context.as_ref() };
        // SAFETY: as above.
        let exit_pc = unsafe { *context.last_wasm_exit_pc.get() };
        // SAFETY: as above.
        let trampoline_fp = unsafe { *context.last_wasm_exit_trampoline_fp.get() };
        // SAFETY: as above.
        let entry_fp = unsafe { *context.last_wasm_entry_fp.get() };
        // SAFETY: as above.
        let entry_sp = unsafe { *context.last_wasm_entry_sp.get() };
        ensure!(
            exit_pc != 0 && trampoline_fp != 0,
            "no Wasm code called this host function"
        );
        let stack = Stack {
            module,
            shift: 0,
            trampoline_fp,
            entry_fp,
            entry_sp,
        };
        ensure!(
            trampoline_fp % 16 == 0
                && entry_sp % 16 == 0
                && stack.lowest() < entry_sp
                && entry_sp <= entry_fp,
            "the frames are not where they should be"
        );
        Ok(stack)
    }

    /// The frames in `copy`, which [`copy`](Self::copy) made of frames of
    /// `module` that ended at `entry_sp` and `entry_fp`.
    pub(super) fn in_copy(
        module: &'a Module,
        copy: &'a [u8],
        entry_sp: usize,
        entry_fp: usize,
    ) -> Stack<'a> {
        let lowest = entry_sp - copy.len();
        Stack {
            module,
            shift: copy.as_ptr().expose_provenance().wrapping_sub(lowest),
            trampoline_fp: lowest + REGISTERS_BELOW_FP,
            entry_fp,
            entry_sp,
        }
    }

    pub(super) fn module(&self) -> &'a Module {
        self.module
    }

    /// The frame pointer of the trampoline to the host.
    pub(super) fn trampoline_fp(&self) -> usize {
        self.trampoline_fp
    }

    /// The lowest address of the youngest Wasm frame: its arguments to the
    /// trampoline begin there.
    pub(super) fn lowest(&self) -> usize {
        self.trampoline_fp + 16
    }

    /// Just above the return address of the oldest Wasm frame.
    pub(super) fn entry_sp(&self) -> usize {
        self.entry_sp
    }

    pub(super) fn entry_fp(&self) -> usize {
        self.entry_fp
    }

    /// The youngest frame.
    #[inline]
    pub(super) fn youngest(&self) -> Result<Suspended> {
        let frame = self.linked(self.trampoline_fp, Why::Call);
        self.check(frame, self.lowest())?;
        Ok(frame)
    }

    /// The frame that called the one at `fp`, or `None` if that is the oldest.
    #[inline]
    pub(super) fn next(&self, frame: Suspended) -> Result<Option<Suspended>> {
        let next = self.linked(frame.fp, frame.why);
        if next.fp == self.entry_fp {
            return Ok(None);
        }
        self.check(next, frame.fp + 16)?;
        Ok(Some(next))
    }

    #[inline]
    fn check(&self, frame: Suspended, lowest: usize) -> Result<()> {
        ensure!(
            frame.fp % 16 == 0 && frame.fp >= lowest && frame.fp <= self.entry_sp - 16,
            "the chain of frames is broken"
        );
        Ok(())
    }

    /// The frame pointer and return address stored at `fp`, in a frame that is
    /// suspended for the reason `younger`.
    #[inline]
    fn linked(&self, fp: usize, younger: Why) -> Suspended {
        let pc = self.word(fp + 8);
        Suspended {
            fp: self.word(fp),
            pc,
            why: match younger {
                Why::Interruption => Why::Interrupted,
                _ if pc == interruption_return() => Why::Interruption,
                _ => Why::Call,
            },
        }
    }

    /// Where the function that `frame` is of starts in the text.
    pub(super) fn function(&self, frame: Suspended) -> Result<u32> {
        if frame.why == Why::Call {
            return Ok(self.lookup_wasm(frame.pc)?.function());
        }
        let offset = frame.pc.checked_sub(self.text());
        let range = offset.and_then(|offset| function_at(self.module, offset));
        match range {
            Some(range) => Ok(u32::try_from(range.start)?),
            None => bail!("a frame is not of this module"),
        }
    }

    /// The word at `address`, which is between the trampoline's frame and the
    /// oldest frame's return address.
    #[inline]
    pub(super) fn word(&self, address: usize) -> usize {
        debug_assert!(address % 8 == 0);
        debug_assert!(address >= self.trampoline_fp - REGISTERS_BELOW_FP);
        debug_assert!(address <= self.entry_sp - 8);
        let word = core::ptr::with_exposed_provenance::<usize>(address.wrapping_add(self.shift));
        // SAFETY: the frames in this range are suspended until the host
        // function returns, and this thread is in it. Or they are in a copy,
        // which is borrowed.
        unsafe { *word }
    }

    fn text(&self) -> usize {
        self.module.engine_code().text().as_ptr().addr()
    }

    /// What the map says about the call that returns to `pc`.
    pub(super) fn lookup(&self, pc: usize) -> Result<NativeFrame> {
        let offset = u32::try_from(pc.wrapping_sub(self.text())).ok();
        let map = self.module.engine_code().native_frames_data();
        match offset.and_then(|offset| NativeFrame::lookup(offset, map)) {
            Some(frame) => Ok(frame),
            None => bail!("a frame is not of this module or cannot be copied"),
        }
    }

    /// What the map says about a Wasm frame.
    pub(super) fn lookup_wasm(&self, pc: usize) -> Result<NativeFrame> {
        let frame = self.lookup(pc)?;
        ensure!(
            frame.kind() == NativeFrameKind::Wasm,
            "a frame is not a Wasm frame"
        );
        Ok(frame)
    }

    /// The stack pointer that the youngest frame, `frame`, has when the
    /// trampoline has returned, before the frame takes back the space of the
    /// arguments that were popped.
    pub(super) fn sp_after_return(&self, frame: Suspended) -> Result<usize> {
        let entry = self.lookup_wasm(frame.pc)?;
        let sp = frame
            .fp
            .wrapping_sub(usize::try_from(entry.frame_size())?)
            .wrapping_add(usize::try_from(entry.callee_pop_size())?);
        ensure!(
            sp >= self.lowest() && sp <= frame.fp,
            "a frame is not of the size that it should have"
        );
        Ok(sp)
    }

    /// How many bytes of stack arguments the oldest frame, `frame`, was called
    /// with: they stand at `entry_sp`.
    pub(super) fn entry_arguments(&self, frame: Suspended) -> Result<usize> {
        let pc = self.word(frame.fp + 8);
        if pc == resumed_entry() {
            // SAFETY: only a resumed activation has this return address, and
            // its entry frame is the one that `Resumed` describes.
            return Ok(unsafe { Resumed::at(self.entry_fp) }.entry_arguments());
        }
        let entry = self.lookup(pc)?;
        ensure!(
            entry.kind() == NativeFrameKind::Entry,
            "the oldest frame was not called by the host"
        );
        Ok(usize::try_from(entry.callee_pop_size())?)
    }

    /// Copies the bytes of `lowest()..lowest() + len`.
    pub(super) fn bytes(&self, from: usize, len: usize) -> Vec<u8> {
        debug_assert!(from >= self.lowest());
        let from = core::ptr::with_exposed_provenance::<u8>(from.wrapping_add(self.shift));
        // SAFETY: the callers ask for frames and arguments that are suspended
        // until the host function returns; nothing refers to them as Rust
        // objects.
        unsafe { core::slice::from_raw_parts(from, len) }.to_vec()
    }

    /// Puts a copy of all frames into `to`, from the registers that the trampoline
    /// saved up to the return address of the oldest one.
    pub(super) fn copy(&self, to: &mut Vec<u8>) {
        let lowest = self.trampoline_fp - REGISTERS_BELOW_FP;
        let len = self.entry_sp - lowest;
        to.clear();
        to.reserve_exact(len);
        let from = core::ptr::with_exposed_provenance::<u8>(lowest.wrapping_add(self.shift));
        // SAFETY: as for `bytes`; the trampoline's frame is suspended, too.
        to.extend_from_slice(unsafe { core::slice::from_raw_parts(from, len) });
    }

    /// Copies bytes from `from` on, which is in the youngest frame, to `to`.
    pub(super) fn save(&self, from: usize, to: &mut [u8]) {
        debug_assert!(from >= self.lowest());
        let from = core::ptr::with_exposed_provenance::<u8>(from);
        // SAFETY: as for `bytes`; `to` is not on this stack.
        unsafe { core::ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len()) };
    }

    /// The callee-saved registers of the youngest frame.
    #[inline(always)]
    pub(super) fn registers(&self) -> Registers {
        let at = self.trampoline_fp - REGISTERS_BELOW_FP;
        core::array::from_fn(|i| self.word(at + 8 * i))
    }

    /// Replaces the bytes of `frame`, below its frame pointer.
    ///
    /// # Safety
    ///
    /// `bytes` are those of a suspended frame of the same function. This is no copy.
    pub(super) unsafe fn replace(&self, frame: Suspended, bytes: &[u8]) {
        let to = frame.fp - bytes.len();
        debug_assert!(to >= self.lowest());
        let to = core::ptr::with_exposed_provenance_mut::<u8>(to);
        // SAFETY: the frame is suspended and above the trampoline's; the bytes
        // are the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) }
    }

    /// Makes the trampoline return to the code at `landing`, with the frame
    /// pointer of `frame` and with `registers`.
    ///
    /// # Safety
    ///
    /// Those are right for `landing`. The trampoline has no stack arguments. This is
    /// no copy.
    pub(super) unsafe fn redirect(&self, frame: Suspended, landing: usize, registers: Registers) {
        let fp = self.trampoline_fp;
        let set = |address: usize, value: usize| {
            let word = core::ptr::with_exposed_provenance_mut::<usize>(address);
            // SAFETY: these are the words of the trampoline's frame that its
            // epilogue reads; the values are the caller's promise.
            unsafe { *word = value };
        };
        for (i, value) in registers.into_iter().enumerate() {
            set(fp - REGISTERS_BELOW_FP + 8 * i, value);
        }
        set(fp, frame.fp);
        set(fp + 8, landing);
    }

    /// Makes the trampoline return to the code at `landing`, with `rbx` in that
    /// register.
    ///
    /// # Safety
    ///
    /// As for `redirect`.
    pub(super) unsafe fn divert(&self, landing: usize, rbx: usize) {
        let fp = self.trampoline_fp;
        let word = |address: usize| core::ptr::with_exposed_provenance_mut::<usize>(address);
        // SAFETY: the trampoline's epilogue reads rbx from there.
        unsafe { *word(fp - REGISTERS_BELOW_FP) = rbx };
        // SAFETY: and its return address from there.
        unsafe { *word(fp + 8) = landing };
    }
}
