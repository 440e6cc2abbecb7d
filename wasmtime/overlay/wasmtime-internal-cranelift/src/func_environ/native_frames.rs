//! Code whose suspended frames can be copied to another store.
//!
//! The rule: across a call no value that was derived from the `vmctx` is alive,
//! except in the slots that the native-frames map lists (`vmctx` itself, the
//! base of table 0) and except pointers that are equal in every instance of the
//! module (the type ids).

use super::FuncEnvironment;
use cranelift_codegen::ir;
use cranelift_frontend::FunctionBuilder;
use wasmparser::Operator;
use wasmtime_environ::{
    FuncIndex, GlobalIndex, TableIndex, TypeIndex, WasmError, WasmFuncType, WasmResult, WasmValType,
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
        check_type(self.wasm_func_ty)?;

        // `vmctx` goes through a slot across every call and is a new value
        // after it: hence nothing that is loaded through it (heap base, store
        // context, ..) can be carried across a call either.
        let vmctx = builder
            .func
            .special_param(ir::ArgumentPurpose::VMContext)
            .expect("a Wasm function has a vmctx");
        builder.declare_value_needs_stack_map(vmctx);

        // Indirect calls need the table's base and the type ids every time, so
        // those are kept across calls: the former in a slot of its own.
        if !self.module.tables.is_empty() {
            let table = TableIndex::from_u32(0);
            self.get_or_create_table(builder.func, table);
            let data = self.entities.tables[table].as_mut().unwrap();
            if data.base.is_readonly() {
                let base = data.base.emit(&mut builder.cursor(), vmctx);
                builder.declare_value_needs_stack_map(base);
                data.pinned_base = Some(base);
            }
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

    /// Takes out, after the body, what the function turned out not to need: a
    /// load that stays where it is is not removed as dead.
    pub(crate) fn finish_native_frames(&mut self, builder: &mut FunctionBuilder<'_>) {
        if let Some(PinnedValue { value, used: false }) = self.pinned_type_ids.take() {
            let load = builder.func.dfg.value_def(value).unwrap_inst();
            builder.func.layout.remove_inst(load);
        }
    }

    /// Refuses operators whose results could be pointers to the instance.
    pub(crate) fn check_native_frames_operator(&self, op: &Operator<'_>) -> WasmResult<()> {
        if !self.tunables.native_frames {
            return Ok(());
        }
        match *op {
            Operator::RefFunc { .. } | Operator::TableGet { .. } => Err(reference()),
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
