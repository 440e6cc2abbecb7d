//! The pointers of an instance that its frames hold.

use super::Instance;
use crate::runtime::vm::{VMContext, VMStore};
use core::ops::Range;
use core::ptr::NonNull;

impl Instance {
    /// The store of an instance.
    ///
    /// # Safety
    ///
    /// `vmctx` is the context of an instance.
    #[inline(always)]
    pub(crate) unsafe fn store_of(vmctx: NonNull<VMContext>) -> Option<NonNull<dyn VMStore>> {
        // SAFETY: by the caller's promise.
        let instance = unsafe { Self::from_vmctx(vmctx) };
        // SAFETY: the field is set when the instance is made, and never again.
        unsafe { (*instance.as_ptr()).store.as_ref().map(|store| store.0) }
    }

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
