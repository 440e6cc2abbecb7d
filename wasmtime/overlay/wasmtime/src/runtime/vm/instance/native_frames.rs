//! The pointers of an instance that its frames hold.

use super::Instance;
use wasmtime_environ::TableIndex;

impl Instance {
    /// The size of the `VMContext` in bytes.
    pub(crate) fn vmctx_size(&self) -> usize {
        usize::try_from(self.offsets().size_of_vmctx()).unwrap()
    }

    /// The first element of a table, which the instance defines or imports.
    pub(crate) fn table_base(&self, index: TableIndex) -> *mut u8 {
        let table = match self.env_module().defined_table_index(index) {
            Some(index) => self.table(index),
            // SAFETY: an import points to a definition that the store owns.
            None => unsafe { self.imported_table(index).from.as_non_null().read() },
        };
        table.base.as_ptr()
    }
}
