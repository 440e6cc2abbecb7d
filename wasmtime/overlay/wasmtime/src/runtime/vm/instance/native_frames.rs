//! The pointers of an instance that its frames hold.

use super::Instance;
use core::ops::Range;

impl Instance {
    /// The size of the `VMContext` in bytes.
    pub(crate) fn vmctx_size(&self) -> usize {
        usize::try_from(self.offsets().size_of_vmctx()).unwrap()
    }

    /// The addresses of the elements of the tables that the instance defines.
    pub(crate) fn table_ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.tables.keys().map(|index| {
            let table = self.table(index);
            let base = table.base.as_ptr().addr();
            base..base + table.current_elements * size_of::<usize>()
        })
    }
}
