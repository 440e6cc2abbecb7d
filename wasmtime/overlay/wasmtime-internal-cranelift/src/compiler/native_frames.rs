//! What the compiler does for frames that can be copied to another store: the
//! map of those frames, trampolines to the host that hold all registers, and
//! the vmctx in the pinned register.

use super::Compiler;
use crate::CompiledFunction;
use crate::alias_region::AliasRegions;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use std::ops::Range;
use wasmtime_environ::{
    FuncKey, FuncKeyKind, GetPtrSize, NativeFrameKind, NativeFrameMapBuilder, VMCONTEXT_MAGIC,
};

impl Compiler {
    /// Makes `vmctx` that of the Wasm code which an entry trampoline calls.
    ///
    /// Wasm code has its own vmctx in the pinned register all the time. Returns
    /// what the host had there, for `leave_pinned_vmctx`.
    pub(super) fn enter_pinned_vmctx(
        &self,
        builder: &mut FunctionBuilder<'_>,
        vmctx: Value,
    ) -> Option<Value> {
        if !self.tunables.native_frames {
            return None;
        }
        let outer = builder.ins().get_pinned_reg(self.isa.pointer_type());
        builder.ins().set_pinned_reg(vmctx);
        Some(outer)
    }

    /// Calls the host function `callee` of signature `sig`, which returns a
    /// bool, in a way that the calling frame holds every callee-saved register
    /// of its own caller.
    ///
    /// A `try_call` without handlers does so: nothing survives it in a register
    /// (see `get_regs_clobbered_by_call` of the x86-64 backend), hence the
    /// prologue saves all of them.
    pub(super) fn call_host_saving_registers(
        &self,
        builder: &mut FunctionBuilder<'_>,
        sig: ir::SigRef,
        callee: Value,
        args: &[Value],
    ) -> Value {
        let next = builder.create_block();
        let succeeded = builder.append_block_param(next, ir::types::I8);
        let dfg = &mut builder.func.dfg;
        let normal = ir::BlockCall::new(next, [ir::BlockArg::TryCallRet(0)], &mut dfg.value_lists);
        let table = dfg.exception_tables.push(ir::ExceptionTableData::new(
            sig,
            normal,
            core::iter::empty(),
        ));
        builder.ins().try_call_indirect(callee, args, table);
        builder.switch_to_block(next);
        builder.seal_block(next);
        succeeded
    }
}

/// Gives the host back what it had in the pinned register.
pub(super) fn leave_pinned_vmctx(builder: &mut FunctionBuilder<'_>, outer: Option<Value>) {
    if let Some(outer) = outer {
        builder.ins().set_pinned_reg(outer);
    }
}

/// Traps if `callee_vmctx` is the context of another instance than the one of
/// `own_vmctx`: that instance's code would run with this one's context in the
/// pinned register. Host functions have contexts of another kind.
pub(crate) fn refuse_other_instance<O: GetPtrSize>(
    builder: &mut FunctionBuilder<'_>,
    regions: &mut AliasRegions<O>,
    callee_vmctx: Value,
    own_vmctx: Value,
) {
    let magic = regions.vmctx_magic(&mut builder.cursor(), callee_vmctx);
    let wasm = builder
        .ins()
        .icmp_imm_s(IntCC::Equal, magic, i64::from(VMCONTEXT_MAGIC));
    let other = builder.ins().icmp(IntCC::NotEqual, callee_vmctx, own_vmctx);
    let refused = builder.ins().band(wasm, other);
    builder.ins().trapnz(refused, crate::TRAP_BAD_SIGNATURE);
}

/// Appends the calls of `func`, which `range` of the text section holds, to the
/// map if frames of `key` can be copied or end the frames that can.
pub(super) fn append_calls(
    map: &mut NativeFrameMapBuilder,
    key: FuncKey,
    func: &CompiledFunction,
    range: Range<u64>,
) {
    let kind = match key.kind() {
        FuncKeyKind::DefinedWasmFunction | FuncKeyKind::RelaxedAdapter => NativeFrameKind::Wasm,
        FuncKeyKind::ArrayToWasmTrampoline => NativeFrameKind::Entry,
        _ => return,
    };
    let Some(layout) = func.buffer.frame_layout() else {
        return;
    };
    map.start_function();
    for call in func.buffer.call_sites() {
        map.push(
            range.start + u64::from(call.ret_addr),
            kind,
            range.start,
            layout.frame_to_fp_offset,
            call.callee_pop_size,
        );
    }
}
