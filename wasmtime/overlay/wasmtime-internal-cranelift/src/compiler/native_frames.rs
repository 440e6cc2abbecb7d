//! What the compiler does for frames that can be copied to another store: the
//! map of those frames, and trampolines to the host that hold all registers.

use super::Compiler;
use crate::CompiledFunction;
use cranelift_codegen::ir::{self, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use std::ops::Range;
use wasmtime_environ::{FuncKey, FuncKeyKind, NativeFrameKind, NativeFrameMapBuilder};

impl Compiler {
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
    let mut stack_maps = func.buffer.user_stack_maps().iter().peekable();
    for call in func.buffer.call_sites() {
        let mut slots = Vec::new();
        while let Some((offset, size, stack_map)) = stack_maps.peek() {
            if *offset > call.ret_addr {
                break;
            }
            if *offset == call.ret_addr {
                assert_eq!(*size, layout.frame_to_fp_offset);
                slots.extend(
                    stack_map
                        .entries()
                        .filter(|(ty, _)| *ty == ir::types::I64)
                        .map(|(_, slot)| slot),
                );
            }
            stack_maps.next();
        }
        map.push(
            range.start + u64::from(call.ret_addr),
            kind,
            range.start,
            layout.frame_to_fp_offset,
            call.callee_pop_size,
            &slots,
        );
    }
}
