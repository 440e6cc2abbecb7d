//! Adapters for `call_indirect`s whose callee has another type than the call.
//!
//! A call of type S whose type check fails calls the adapter of S. It has the
//! Wasm signature of S, but gets the `*VMFuncRef` in the place of the callee's
//! vmctx; so a call site stays one call instruction. The adapter finds out the
//! callee's type among those of the module's escaping functions, converts the
//! arguments, calls, and converts the result.
//!
//! No pointer is alive across the adapter's own call: its frame needs no slots
//! in the native-frames map.

use super::native_frames::refuse_other_instance;
use super::{Compiler, box_dyn_any_compiler_context, key_to_name};
use crate::alias_region::AliasRegions;
use crate::wasm_call_signature;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{self, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use wasmtime_environ::{
    CompileError, CompiledFunctionBody, FuncKey, ModuleInternedTypeIndex, ModuleTranslation,
    ModuleTypesBuilder, WasmFuncType, WasmValType,
};

/// Can calls to and from functions of this type be adapted? Only if there are
/// numeric scalars alone, and at most one result.
pub(crate) fn is_adaptable(ty: &WasmFuncType) -> bool {
    use WasmValType::*;
    let mut values = ty.params().iter().chain(ty.results());
    ty.results().len() <= 1 && values.all(|v| matches!(v, I32 | I64 | F32 | F64))
}

/// The types other than `caller` that functions have which can be in a table.
fn callee_types(
    translation: &ModuleTranslation<'_>,
    types: &ModuleTypesBuilder,
    caller: ModuleInternedTypeIndex,
) -> Vec<ModuleInternedTypeIndex> {
    let mut found = Vec::new();
    for (_, func) in translation.module.functions.iter() {
        if !func.is_escaping() {
            continue;
        }
        let ty = func.signature.unwrap_module_type_index();
        if ty != caller && !found.contains(&ty) && is_adaptable(types[ty].unwrap_func()) {
            found.push(ty);
        }
    }
    found
}

/// Converts `value` to type `to` of the same class: zero-extends, wraps,
/// promotes or demotes.
fn convert(builder: &mut FunctionBuilder<'_>, value: Value, to: ir::Type) -> Value {
    match (builder.func.dfg.value_type(value), to) {
        (I32, I64) => builder.ins().uextend(I64, value),
        (I64, I32) => builder.ins().ireduce(I32, value),
        (F32, F64) => builder.ins().fpromote(F64, value),
        (F64, F32) => builder.ins().fdemote(F32, value),
        _ => value,
    }
}

fn zero(builder: &mut FunctionBuilder<'_>, ty: ir::Type) -> Value {
    match ty {
        F32 => builder.ins().f32const(0.0),
        F64 => builder.ins().f64const(0.0),
        ty => builder.ins().iconst(ty, 0),
    }
}

/// Matches `args` to `params` by class, in order: the k-th integer to the k-th
/// integer, the k-th float to the k-th float, as register arguments do.
fn adapt_arguments(
    builder: &mut FunctionBuilder<'_>,
    args: &[Value],
    params: &[ir::AbiParam],
) -> Vec<Value> {
    let (ints, floats): (Vec<Value>, Vec<Value>) = args
        .iter()
        .partition(|arg| builder.func.dfg.value_type(**arg).is_int());
    let (mut ints, mut floats) = (ints.into_iter(), floats.into_iter());
    let mut adapted = Vec::with_capacity(params.len());
    for param in params {
        let ty = param.value_type;
        let arg = if ty.is_int() {
            ints.next()
        } else {
            floats.next()
        };
        adapted.push(match arg {
            Some(arg) => convert(builder, arg, ty),
            None => zero(builder, ty),
        });
    }
    adapted
}

/// Calls `code` and returns from the adapter.
fn call_and_return(
    builder: &mut FunctionBuilder<'_>,
    code: Value,
    callee: ir::Signature,
    args: &[Value],
) {
    let wanted = builder.func.signature.returns.first();
    let wanted = wanted.map(|result| result.value_type);
    let given = callee.returns.first().map(|result| result.value_type);
    let sig = builder.func.import_signature(callee);
    if wanted == given {
        builder.ins().return_call_indirect(sig, code, args);
        return;
    }
    let call = builder.ins().call_indirect(sig, code, args);
    let result = builder.func.dfg.inst_results(call).first().copied();
    let result = wanted.map(|wanted| match (result, given) {
        (Some(result), Some(given)) if given.is_int() == wanted.is_int() => {
            convert(builder, result, wanted)
        }
        _ => zero(builder, wanted),
    });
    builder.ins().return_(result.as_slice());
}

impl Compiler {
    /// Compiles the adapter for calls of type `caller`.
    pub(super) fn compile_relaxed_adapter(
        &self,
        translation: &ModuleTranslation<'_>,
        types: &ModuleTypesBuilder,
        key: FuncKey,
        caller: ModuleInternedTypeIndex,
    ) -> Result<CompiledFunctionBody, CompileError> {
        let isa = &*self.isa;
        let caller_type = types[caller].unwrap_func();
        let signature = wasm_call_signature(isa, caller_type, &self.tunables);
        let mut regions = AliasRegions::new(isa.pointer_bytes());
        let mut compiler = self.function_compiler();
        let func = ir::Function::with_name_signature(key_to_name(key), signature);
        let (mut builder, block) = compiler.builder(func);
        let args = builder.func.dfg.block_params(block).to_vec();
        let (funcref, caller_vmctx, args) = (args[0], args[1], &args[2..]);

        if is_adaptable(caller_type) {
            let flags = ir::MemFlagsData::trusted().with_readonly();
            let mut cursor = builder.cursor();
            let ids = regions.vmctx_shared_type_ids_array(&mut cursor, caller_vmctx);
            let id = regions.vmfuncref_type_index(&mut cursor, flags, funcref);
            let code = regions.vmfuncref_wasm_call(&mut cursor, flags, funcref);
            let callee_vmctx = regions.vmfuncref_vmctx(&mut cursor, flags, funcref);
            if self.tunables.native_frames {
                refuse_other_instance(&mut builder, &mut regions, callee_vmctx, caller_vmctx);
            }
            for callee in callee_types(translation, types, caller) {
                let callee_id = regions.type_ids_array_element(&mut builder.cursor(), ids, callee);
                let same = builder.ins().icmp(IntCC::Equal, id, callee_id);
                let hit = builder.create_block();
                let next = builder.create_block();
                builder.ins().brif(same, hit, &[], next, &[]);
                builder.seal_block(hit);
                builder.seal_block(next);

                builder.switch_to_block(hit);
                let callee = wasm_call_signature(isa, types[callee].unwrap_func(), &self.tunables);
                let mut all = vec![callee_vmctx, caller_vmctx];
                all.extend(adapt_arguments(&mut builder, args, &callee.params[2..]));
                call_and_return(&mut builder, code, callee, &all);

                builder.switch_to_block(next);
            }
        }
        builder.ins().trap(crate::TRAP_BAD_SIGNATURE);
        builder.finalize(isa.frontend_config());
        Ok(CompiledFunctionBody {
            code: box_dyn_any_compiler_context(Some(compiler.cx)),
            needs_gc_heap: false,
        })
    }
}
