//! `call_indirect`s that call a callee of another type through an adapter.

use super::Call;
use crate::compiler::relaxed_adapter::is_adaptable;
use cranelift_codegen::ir::{self, InstBuilder};
use wasmtime_environ::{FuncKey, ModuleInternedTypeIndex};

impl Call<'_, '_, '_> {
    /// Does a call of type `ty` use an adapter if the callee has another type?
    pub(super) fn is_relaxed(&self, ty: ModuleInternedTypeIndex) -> bool {
        self.env.tunables.relaxed_calls && is_adaptable(self.env.types[ty].unwrap_func())
    }

    /// What to call, and the vmctx to call it with, for a call of type `ty` of
    /// `funcref`, whose type is the same if `matches` is true.
    ///
    /// The adapter takes the funcref in place of the callee's vmctx.
    pub(super) fn relaxed_code_and_vmctx(
        &mut self,
        ty: ModuleInternedTypeIndex,
        funcref: ir::Value,
        matches: ir::Value,
    ) -> (ir::Value, ir::Value) {
        let pointer = self.env.pointer_type();
        let hit = self.builder.create_block();
        let miss = self.builder.create_block();
        let next = self.builder.create_block();
        let code = self.builder.append_block_param(next, pointer);
        let vmctx = self.builder.append_block_param(next, pointer);
        self.builder.set_cold_block(miss);
        self.builder.ins().brif(matches, hit, &[], miss, &[]);
        self.builder.seal_block(hit);
        self.builder.seal_block(miss);

        self.builder.switch_to_block(miss);
        let adapter = self.relaxed_adapter(ty);
        let adapter = self.builder.ins().func_addr(pointer, adapter);
        self.builder
            .ins()
            .jump(next, &[adapter.into(), funcref.into()]);

        self.builder.switch_to_block(hit);
        let (callee, callee_vmctx) = self.load_code_and_vmctx(funcref, None);
        self.builder
            .ins()
            .jump(next, &[callee.into(), callee_vmctx.into()]);

        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        (code, vmctx)
    }

    fn relaxed_adapter(&mut self, ty: ModuleInternedTypeIndex) -> ir::FuncRef {
        let func = &mut *self.builder.func;
        let signature = self.env.get_or_create_interned_sig_ref(func, ty);
        let key = FuncKey::RelaxedAdapter(self.env.translation.module_index(), ty);
        let (namespace, index) = key.into_raw_parts();
        let name = ir::UserExternalName { namespace, index };
        let name = ir::ExternalName::User(func.declare_imported_user_function(name));
        func.import_function(ir::ExtFuncData {
            name,
            signature,
            colocated: true,
            patchable: false,
        })
    }
}
