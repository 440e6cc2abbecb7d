//! The addresses that belong to one instance.

use super::Instance;
use crate::prelude::*;
use crate::runtime::vm::vmcontext::VMMemoryDefinition;
use core::ops::Range;
use wasmtime_environ::{EntityRef, FuncIndex};

impl Instance {
    /// The regions of memory that code of the instance has pointers to and that
    /// are others in another instance: the `VMContext`, the tables, the memories
    /// and their definitions, and what imported functions are called with. What
    /// else code has pointers to (code, type ids, the table of libcalls) is the
    /// same for all instances of a module. All instances of a module have as many, in the same order.
    ///
    /// Fails if code can have pointers to still others.
    pub(crate) fn regions(&self, guard: usize) -> Result<Vec<Range<usize>>> {
        let module = self.env_module();
        ensure!(
            module.num_imported_tables == 0
                && module.num_imported_globals == 0
                && module.num_defined_memories() == 0,
            "the module has tables, globals or memories that are not copied"
        );
        let vmctx = self.vmctx().as_ptr().addr();
        let size = usize::try_from(self.offsets().size_of_vmctx())?;
        let mut all = vec![vmctx..vmctx + size];
        all.extend(self.tables.keys().map(|index| {
            let table = self.table(index);
            let base = table.base.as_ptr().addr();
            base..base + table.current_elements * size_of::<usize>()
        }));
        for index in module.memories.keys() {
            // Addresses in code are at most 4 GiB and an offset from the base.
            const MEMORY: usize = 1 << 32;
            let memory = self.imported_memory(index);
            let base = memory.base.as_ptr().addr();
            let end = base.saturating_add(MEMORY).saturating_add(guard);
            all.push(base..end);
            let definition = memory.from.as_ptr().addr();
            all.push(definition..definition + size_of::<VMMemoryDefinition>());
        }
        for index in (0..module.num_imported_funcs).map(FuncIndex::new) {
            let context = self.imported_function(index).vmctx.as_ptr().addr();
            all.push(context..context + size_of::<usize>());
        }
        Ok(all)
    }
}
