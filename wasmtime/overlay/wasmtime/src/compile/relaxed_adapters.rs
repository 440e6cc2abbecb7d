//! The adapters of `Config::relaxed_calls` as inputs of a compilation.

use super::{CompileInputs, CompileOutput};
use crate::prelude::*;
use std::collections::HashSet;
use wasmtime_environ::{
    FilePos, FuncKey, ModuleTranslation, ModuleTypesBuilder, StaticModuleIndex,
};

impl<'a> CompileInputs<'a> {
    /// Adds one adapter for every function type of the module that a
    /// `call_indirect` can name.
    pub(super) fn collect_relaxed_adapters(
        &mut self,
        types: &'a ModuleTypesBuilder,
        module: StaticModuleIndex,
        translation: &'a ModuleTranslation<'a>,
    ) {
        let mut seen = HashSet::new();
        for (_, ty) in translation.module.types.iter() {
            let ty = ty.unwrap_module_type_index();
            if !types[ty].is_func() || !seen.insert(ty) {
                continue;
            }
            self.push_input(move |compiler| {
                let key = FuncKey::RelaxedAdapter(module, ty);
                let symbol = format!("relaxed_adapter[{}][{}]", module.as_u32(), ty.as_u32());
                let function = compiler
                    .compile_trampoline(Some(translation), key, types, &symbol)
                    .with_context(|| format!("failed to compile: {symbol}"))?;
                Ok(CompileOutput {
                    key,
                    function,
                    symbol,
                    start_srcloc: FilePos::default(),
                    translation: None,
                    func_body: None,
                })
            });
        }
    }
}
