//! Calls of imported host functions without a trampoline.

use super::{Call, CallRets};
use crate::alias_region::AliasRegions;
use crate::trap::TranslateTrap as _;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder};
use cranelift_codegen::isa::CallConv;
use smallvec::smallvec;
use wasmtime_environ::{FuncIndex, WasmFuncType, WasmValType};

/// As many words as the runtime has entries for.
const MAX_PARAMETERS: usize = 7;

impl Call<'_, '_, '_> {
    /// Calls an import by its direct function if it has one, else, or if that
    /// has no result, as usual. `args` are those of the usual call.
    ///
    /// `None` if the call cannot be a direct one: it is a tail call, or the
    /// function takes or gives something else than words. With native frames,
    /// all imported functions are the host's.
    pub(super) fn call_host_directly(
        &mut self,
        callee_index: FuncIndex,
        sig_ref: ir::SigRef,
        args: &[ir::Value],
    ) -> Option<CallRets> {
        if self.tail || !self.env.tunables.native_frames {
            return None;
        }
        let ty = self.env.module.functions[callee_index].signature;
        let ty = self.env.types[ty.unwrap_module_type_index()].unwrap_func();
        if !takes_words(ty) {
            return None;
        }
        let [callee_vmctx, caller_vmctx, words @ ..] = args else {
            return None;
        };

        let direct_block = self.builder.create_block();
        let usual_block = self.builder.create_block();
        let next_block = self.builder.create_block();
        let result = self.builder.append_block_param(next_block, ir::types::I32);
        self.builder.set_cold_block(usual_block);

        // Between this and the call nothing points to the instance but what
        // `vmctx` is copied to: the function's context and its code are the same
        // in all instances of a process.
        let direct = self
            .env
            .alias_regions
            .vmarray_call_host_func_context_direct(&mut self.builder.cursor(), *callee_vmctx);
        self.builder
            .ins()
            .brif(direct, direct_block, &[], usual_block, &[]);
        self.builder.seal_block(direct_block);

        self.builder.switch_to_block(direct_block);
        let mut signature = ir::Signature::new(CallConv::triple_default(self.env.isa.triple()));
        signature.params.push(ir::AbiParam::special(
            self.env.pointer_type(),
            ir::ArgumentPurpose::VMContext,
        ));
        let word = ir::AbiParam::new(ir::types::I32);
        signature.params.extend(words.iter().map(|_| word));
        signature.returns.push(ir::AbiParam::new(ir::types::I64));
        let signature = self.builder.import_signature(signature);
        let mut direct_args = vec![*caller_vmctx];
        direct_args.extend_from_slice(words);
        let call = self
            .builder
            .ins()
            .call_indirect(signature, direct, &direct_args);
        let answer = self.builder.func.dfg.inst_results(call)[0];
        let handled = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedGreaterThanOrEqual, answer, 0);
        let word = self.builder.ins().ireduce(ir::types::I32, answer);
        self.builder
            .ins()
            .brif(handled, next_block, &[word.into()], usual_block, &[]);
        self.builder.seal_block(usual_block);

        // The function's context is loaded again, so that it need not be kept.
        self.builder.switch_to_block(usual_block);
        let vmctx = self.env.vmctx_val(&mut self.builder.cursor());
        let regions: &mut AliasRegions<_> = &mut self.env.alias_regions;
        let cursor = &mut self.builder.cursor();
        let callee_vmctx = regions.vmctx_vmfunction_import_vmctx(cursor, vmctx, callee_index);
        let callee = regions.vmctx_vmfunction_import_wasm_call(cursor, vmctx, callee_index);
        let mut usual_args = vec![callee_vmctx];
        usual_args.extend_from_slice(&args[1..]);
        let results = self.indirect_call_inst(sig_ref, callee, &usual_args);
        self.builder.ins().jump(next_block, &[results[0].into()]);
        self.builder.seal_block(next_block);

        self.builder.switch_to_block(next_block);
        Some(smallvec![result])
    }
}

fn takes_words(ty: &WasmFuncType) -> bool {
    let is_word = |ty: &WasmValType| *ty == WasmValType::I32;
    (1..=MAX_PARAMETERS).contains(&ty.params().len())
        && ty.params().iter().all(is_word)
        && ty.results().len() == 1
        && ty.results().iter().all(is_word)
}
