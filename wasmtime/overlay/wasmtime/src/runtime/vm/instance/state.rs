//! What an instance has become since it was made, in a form that another
//! instance of the same module can be given.

use super::{Instance, InstanceLayout};
use crate::prelude::*;
use crate::runtime::vm::table::{TableElementType, wasm_to_table_type};
use crate::runtime::vm::vmcontext::VMTableDefinition;
use crate::runtime::vm::{self, VMFuncRef, VMOpaqueContext, VmPtr};
use crate::store::StoreResourceLimiter;
use crate::vm::ValRaw;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::ptr::NonNull;
use wasmtime_environ::{
    DefinedGlobalIndex, DefinedTableIndex, EntityRef, HostPtr, VMOffsets, WasmRefType, WasmValType,
};

/// A reference to a function of the instance: the offset of its `VMFuncRef` or
/// import from the `VMContext`, or [`NULL`].
type Function = u32;

/// No function's offset: the `VMContext` begins with a magic number.
const NULL: Function = 0;

/// A `VMFuncRef` that may be uninitialized.
type RawFuncRef = MaybeUninit<[usize; 4]>;
const _: () = assert!(size_of::<RawFuncRef>() == size_of::<VMFuncRef>());
const _: () = assert!(align_of::<RawFuncRef>() == align_of::<VMFuncRef>());

/// The state of an instance besides its memories.
///
/// The pointers within are those to the code and to the type registry: they
/// are equal in all instances of the module in stores of one engine.
pub(crate) struct InstanceState {
    globals: Vec<u128>,
    /// The globals that hold references.
    references: Vec<(DefinedGlobalIndex, Function)>,
    tables: Vec<Vec<Function>>,
    /// The passive element segments; dropped ones are empty.
    elements: Vec<Vec<Function>>,
    /// The lengths of the data segments; dropped ones have none.
    data_lengths: Vec<u32>,
    func_refs: Vec<RawFuncRef>,
}

// SAFETY: the pointers in `func_refs` are to code, which the module that the
// owner keeps with this keeps, or are overwritten before they are used.
unsafe impl Send for InstanceState {}
// SAFETY: as above; nothing in it changes.
unsafe impl Sync for InstanceState {}

/// The places of function references in a `VMContext`.
struct FuncRefs {
    vmctx: usize,
    imports: core::ops::Range<u32>,
    defined: core::ops::Range<u32>,
}

impl FuncRefs {
    fn of(vmctx: usize, offsets: &VMOffsets<HostPtr>) -> FuncRefs {
        let size = func_ref_size();
        let imports = offsets.vmctx_imported_functions_begin();
        let defined = offsets.vmctx_func_refs_begin();
        FuncRefs {
            vmctx,
            imports: imports..imports + offsets.num_imported_functions * size,
            defined: defined..defined + offsets.num_escaped_funcs * size,
        }
    }

    fn find(&self, address: usize) -> Result<Function> {
        if address == 0 {
            return Ok(NULL);
        }
        // An address below the context becomes an offset beyond its end.
        let offset = u32::try_from(address.wrapping_sub(self.vmctx)).unwrap_or(u32::MAX);
        ensure!(
            self.defined.contains(&offset) || self.imports.contains(&offset),
            "a reference to something of another instance or of the host cannot be copied"
        );
        Ok(offset)
    }

    fn address(&self, function: Function) -> Option<NonNull<VMFuncRef>> {
        if function == NULL {
            return None;
        }
        let address = self.vmctx + usize::try_from(function).ok()?;
        NonNull::new(core::ptr::with_exposed_provenance_mut(address))
    }
}

fn func_ref_size() -> u32 {
    u32::try_from(size_of::<VMFuncRef>()).unwrap()
}

/// Fails unless null and functions are all that a reference of this type can be.
fn check_functions(ty: &WasmRefType) -> Result<()> {
    ensure!(
        wasm_to_table_type(*ty) == TableElementType::Func,
        "references other than of functions cannot be copied"
    );
    Ok(())
}

impl Instance {
    /// `count` values in the `VMContext`, from `offset` on.
    ///
    /// # Safety
    ///
    /// There are as many values of this type, or uninitialized ones if the
    /// type allows them.
    unsafe fn vmctx_values<T>(&self, offset: u32, count: u32) -> NonNull<[T]> {
        // SAFETY: the caller's promise.
        let first = unsafe { self.vmctx_plus_offset_raw::<u8>(offset) }.cast::<T>();
        NonNull::slice_from_raw_parts(first, usize::try_from(count).unwrap())
    }

    /// The elements of a function table that is not initialized lazily.
    ///
    /// # Safety
    ///
    /// It is such a table, and nothing changes or grows it as long as the
    /// pointer is used.
    unsafe fn table_functions(&self, index: DefinedTableIndex) -> NonNull<[usize]> {
        let VMTableDefinition {
            base,
            current_elements,
        } = self.table(index);
        NonNull::slice_from_raw_parts(base.as_non_null().cast(), current_elements)
    }

    fn func_ref_places(&self) -> FuncRefs {
        FuncRefs::of(self.vmctx().as_ptr().expose_provenance(), self.offsets())
    }

    /// Copies the state.
    pub(crate) fn state(&self, table_lazy_init: bool) -> Result<InstanceState> {
        let module = self.env_module();
        ensure!(
            module.num_defined_memories() == 0,
            "the module defines a memory, which is not copied"
        );
        let offsets = self.offsets();
        let places = self.func_ref_places();

        // SAFETY: these are all globals that the instance defines; they have
        // been initialized.
        let globals = unsafe {
            self.vmctx_values::<u128>(offsets.vmctx_globals_begin(), offsets.num_defined_globals)
        };
        // SAFETY: no Wasm code of the store runs, and nothing else writes globals.
        let globals = unsafe { globals.as_ref() }.to_vec();
        let mut references = Vec::new();
        for (index, global) in module.globals.iter() {
            if let (WasmValType::Ref(ty), Some(index)) =
                (global.wasm_ty, module.defined_global_index(index))
            {
                check_functions(&ty)?;
                // SAFETY: the global is initialized, and of this type.
                let function = unsafe { self.global_ptr(index).as_ref().as_func_ref() };
                references.push((index, places.find(function.addr())?));
            }
        }

        let mut tables = Vec::with_capacity(module.num_defined_tables());
        for (index, ty) in module.tables.iter() {
            let Some(index) = module.defined_table_index(index) else {
                continue;
            };
            check_functions(&ty.ref_type)?;
            ensure!(
                !table_lazy_init,
                "tables that are initialized lazily are not copied"
            );
            // SAFETY: that was just checked; no Wasm code of the store runs.
            let elements = unsafe { self.table_functions(index) };
            // SAFETY: the elements are pointers, null or not, that are only read.
            let elements = unsafe { elements.as_ref() };
            let mut functions = Vec::with_capacity(elements.len());
            for address in elements {
                functions.push(places.find(*address)?);
            }
            tables.push(functions);
        }

        let mut elements = Vec::with_capacity(self.passive_elements.len());
        for ((_, (ty, _)), segment) in module.passive_elements.iter().zip(&self.passive_elements) {
            if !segment.elements.is_empty() {
                check_functions(ty)?;
            }
            let functions = segment.elements.iter();
            let functions = functions.map(|value| places.find(value.get_funcref().addr()));
            elements.push(functions.collect::<Result<Vec<_>>>()?);
        }

        // SAFETY: these are the lengths of all data segments.
        let data_lengths = unsafe {
            self.vmctx_values::<u32>(
                offsets.vmctx_runtime_data_lengths_begin(),
                offsets.num_runtime_data,
            )
        };
        // SAFETY: no Wasm code of the store runs, and nothing else writes them.
        let data_lengths = unsafe { data_lengths.as_ref() }.to_vec();

        // SAFETY: these are all defined functions that can be referred to; those
        // that were not yet are uninitialized.
        let func_refs = unsafe {
            self.vmctx_values::<RawFuncRef>(
                offsets.vmctx_func_refs_begin(),
                offsets.num_escaped_funcs,
            )
        };
        // SAFETY: nothing writes them now.
        let func_refs = unsafe { func_refs.as_ref() }.to_vec();

        Ok(InstanceState {
            globals,
            references,
            tables,
            elements,
            data_lengths,
            func_refs,
        })
    }

    /// Gives the instance, which was allocated but not started, a state of
    /// another instance of the same module.
    ///
    /// # Errors
    ///
    /// A table must grow, and the limiter says no.
    ///
    /// # Safety
    ///
    /// The module is the same, in the same engine, and the stores share code.
    pub(crate) unsafe fn set_state(
        mut self: Pin<&mut Self>,
        mut limiter: Option<&mut StoreResourceLimiter<'_>>,
        state: &InstanceState,
    ) -> Result<()> {
        let places = self.func_ref_places();
        let vmctx = VMOpaqueContext::from_vmcontext(self.vmctx());

        for (i, functions) in state.tables.iter().enumerate() {
            let index = DefinedTableIndex::new(i);
            let missing = functions
                .len()
                .checked_sub(self.table(index).current_elements);
            if let Some(missing @ 1..) = missing {
                let missing = u64::try_from(missing)?;
                let limiter = limiter.as_deref_mut();
                // SAFETY: all elements are set below.
                let grow = unsafe { self.as_mut().defined_table_grow(index, limiter, missing) };
                ensure!(
                    vm::assert_ready(grow)?.is_some(),
                    "a table may not grow to the size that it had"
                );
            }
            // SAFETY: the other instance's table was such a one, too.
            let mut elements = unsafe { self.table_functions(index) };
            // SAFETY: the table is this instance's, which nothing uses yet; null
            // and pointers to function references are what its elements can be.
            let elements = unsafe { elements.as_mut() };
            ensure!(elements.len() == functions.len(), "a table is too big");
            for (element, function) in elements.iter_mut().zip(functions) {
                *element = places
                    .address(*function)
                    .map_or(0, |function| function.as_ptr().addr());
            }
        }

        let (_, instance) = self.as_mut().module_and_self();
        for (segment, functions) in instance
            .passive_elements_mut()
            .iter_mut()
            .zip(&state.elements)
        {
            if functions.is_empty() {
                segment.clear(None);
            }
            for (element, function) in segment.elements_mut().iter_mut().zip(functions) {
                let function = places.address(*function);
                *element = ValRaw::funcref(
                    function.map_or(core::ptr::null_mut(), |function| function.as_ptr().cast()),
                );
            }
        }

        let offsets = self.offsets();
        let globals = offsets.vmctx_globals_begin();
        let lengths = offsets.vmctx_runtime_data_lengths_begin();
        let func_refs = offsets.vmctx_func_refs_begin();
        // SAFETY: the instance has as many globals, of the same types.
        unsafe { self.set_vmctx_values(globals, &state.globals) };
        // SAFETY: the instance has as many data segments, at least as long.
        unsafe { self.set_vmctx_values(lengths, &state.data_lengths) };
        // SAFETY: the instance has as many function references.
        unsafe { self.set_vmctx_values(func_refs, &state.func_refs) };
        let offset = u32::try_from(core::mem::offset_of!(VMFuncRef, vmctx))?;
        for i in 0..state.func_refs.len() {
            let at = func_refs + func_ref_size() * u32::try_from(i)? + offset;
            let vmctx = VmPtr::from(vmctx);
            // SAFETY: that is where the `i`th reference has its context.
            unsafe { self.set_vmctx_values::<VmPtr<VMOpaqueContext>>(at, &[vmctx]) };
        }
        for (index, function) in &state.references {
            let function = places.address(*function);
            let function = function.map_or(core::ptr::null_mut(), NonNull::as_ptr);
            // SAFETY: the global is this instance's, which nothing uses yet.
            let global = unsafe { self.global_ptr(*index).as_mut() };
            // SAFETY: it holds a reference to a function.
            unsafe { *global.as_func_ref_mut() = function };
        }
        Ok(())
    }

    /// Writes values to the `VMContext`, from `offset` on.
    ///
    /// # Safety
    ///
    /// There are as many values of this type, and nothing uses the instance yet.
    unsafe fn set_vmctx_values<T: Copy>(&self, offset: u32, values: &[T]) {
        // SAFETY: the caller's promise.
        let to = unsafe { self.vmctx_plus_offset_raw::<u8>(offset) }.cast::<T>();
        // SAFETY: the caller's promise.
        unsafe { to.copy_from_nonoverlapping(NonNull::from(values).cast(), values.len()) };
    }
}
