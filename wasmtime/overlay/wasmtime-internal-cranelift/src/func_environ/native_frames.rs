//! Code whose suspended frames can be copied to another store.
//!
//! The rule: across a call no value that was derived from the `vmctx` is alive,
//! except pointers that are equal in every instance of the module (the type
//! ids). The `vmctx` itself is in the pinned register and nowhere else.

mod pinned_vmctx;

use super::FuncEnvironment;
use crate::trap::TranslateTrap;
use cranelift_codegen::cursor::FuncCursor;
use cranelift_codegen::ir;
use cranelift_frontend::FunctionBuilder;
use wasmparser::Operator;
use wasmtime_environ::{
    FuncIndex, GlobalIndex, TypeIndex, WasmError, WasmFuncType, WasmResult, WasmValType,
};

/// More results than this are returned through a pointer into the caller's
/// frame, which the callee would keep.
const MAX_RESULTS: usize = 8;

impl FuncEnvironment<'_> {
    /// Prepares the function, in its entry block and before its body.
    pub(crate) fn prepare_native_frames(
        &mut self,
        builder: &mut FunctionBuilder<'_>,
    ) -> WasmResult<()> {
        if !self.tunables.native_frames {
            return Ok(());
        }
        if self.may_copy_frames() {
            check_type(self.wasm_func_ty)?;
        }

        // Indirect calls need the type ids every time, so they are kept across
        // calls: they are equal in all instances of the module.
        if !self.module.tables.is_empty() {
            let vmctx = self.vmctx_val(&mut FuncCursor::new(builder.func));
            let ids = self
                .alias_regions
                .vmctx_shared_type_ids_array_pinned(&mut builder.cursor(), vmctx);
            self.pinned_type_ids = Some(PinnedValue {
                value: ids,
                used: false,
            });
        }
        Ok(())
    }

    /// Takes the vmctx from the pinned register instead of the parameter, after
    /// the body. Takes out what the function turned out not to need: a load
    /// that stays where it is is not removed as dead.
    pub(crate) fn finish_native_frames(&mut self, builder: &mut FunctionBuilder<'_>) {
        if !self.tunables.native_frames {
            return;
        }
        if let Some(PinnedValue { value, used: false }) = self.pinned_type_ids.take() {
            let load = builder.func.dfg.value_def(value).unwrap_inst();
            builder.func.layout.remove_inst(load);
        }
        let vmctx = self.vmctx_val(&mut FuncCursor::new(builder.func));
        pinned_vmctx::read_again_after_calls(builder.func, vmctx);
    }

    fn may_copy_frames(&self) -> bool {
        self.tunables.native_frames && !self.tunables.native_frames_stay
    }

    /// Refuses operators whose results could be pointers to the instance.
    pub(crate) fn check_native_frames_operator(&self, op: &Operator<'_>) -> WasmResult<()> {
        if !self.may_copy_frames() {
            return Ok(());
        }
        match *op {
            Operator::RefFunc { .. }
            | Operator::TableGet { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCallRef { .. } => Err(reference()),
            Operator::GlobalGet { global_index } => {
                let global = &self.module.globals[GlobalIndex::from_u32(global_index)];
                check_value(&global.wasm_ty)
            }
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                let func = &self.module.functions[FuncIndex::from_u32(function_index)];
                let ty = func.signature.unwrap_module_type_index();
                check_type(self.types[ty].unwrap_func())
            }
            Operator::CallIndirect { type_index, .. }
            | Operator::ReturnCallIndirect { type_index, .. } => {
                let ty = self.module.types[TypeIndex::from_u32(type_index)];
                check_type(self.types[ty.unwrap_module_type_index()].unwrap_func())
            }
            _ => Ok(()),
        }
    }
}

/// A value that was made at the start of a function.
pub(super) struct PinnedValue {
    value: ir::Value,
    used: bool,
}

impl PinnedValue {
    pub(super) fn use_value(&mut self) -> ir::Value {
        self.used = true;
        self.value
    }
}

fn check_type(ty: &WasmFuncType) -> WasmResult<()> {
    ty.params()
        .iter()
        .chain(ty.results())
        .try_for_each(check_value)?;
    if ty.results().len() > MAX_RESULTS {
        return Err(WasmError::Unsupported(format!(
            "more than {MAX_RESULTS} results with native frames"
        )));
    }
    Ok(())
}

fn check_value(ty: &WasmValType) -> WasmResult<()> {
    match ty {
        WasmValType::Ref(_) => Err(reference()),
        _ => Ok(()),
    }
}

fn reference() -> WasmError {
    WasmError::Unsupported("references as values with native frames".to_string())
}
