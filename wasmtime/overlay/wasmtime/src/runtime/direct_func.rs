//! Host functions that WebAssembly calls without a trampoline.
//!
//! An ordinary call of a host function goes through a trampoline, which puts the
//! arguments into an array and says where WebAssembly was left, and through a
//! function that catches what the host function may raise. Each of them is a
//! return that the processor has to predict, which it cannot after a system call
//! that the host function made. A direct function is called by the WebAssembly
//! function itself. It has the store's data and nothing else of the store; what
//! needs more, it leaves to the ordinary function.

use crate::prelude::*;
use crate::runtime::vm::{self, VMContext};
use crate::{FuncType, IntoFunc, Linker, StoreContextMut, ValType};
use core::array;
use core::ffi::c_void;
use core::ptr::NonNull;

/// The direct part of a host function with `N` parameters of type `i32` and one
/// result of type `i32`; see [`Linker::func_wrap_direct`].
pub trait DirectFunc<T, const N: usize>: 'static {
    /// The function's result, or `None` to have the ordinary function called.
    ///
    /// A panic here ends the process.
    fn call(data: &mut T, arguments: [u32; N]) -> Option<u32>;
}

/// The most parameters that a direct function can have.
const MAX_PARAMETERS: usize = 7;

impl<T: 'static> Linker<T> {
    /// Defines a host function as [`Linker::func_wrap`] does, of which `direct`
    /// is tried first when a module calls it as an import.
    ///
    /// The call is a plain one: no [`CallHook`](crate::CallHook) runs, no
    /// backtrace begins here. When `direct` has no result, `func` is called as
    /// usual with the same arguments. It is also called alone: through tables,
    /// by tail calls, by the host, and if the engine's `Config` has no
    /// `native_frames`.
    ///
    /// # Errors
    ///
    /// As [`Linker::func_wrap`], and if `func` has other parameters than `N` of
    /// type `i32` (7 at most), or another result than an `i32`.
    pub fn func_wrap_direct<D, const N: usize, Params, Args>(
        &mut self,
        module: &str,
        name: &str,
        direct: D,
        func: impl IntoFunc<T, Params, Args>,
    ) -> Result<&mut Self>
    where
        D: DirectFunc<T, N>,
    {
        // Its type says all.
        let _ = direct;
        let func = func.into_func(self.engine())?;
        let ty = FuncType::from_shared_type_index(self.engine(), func.sig_index());
        let words = ty.params().chain(ty.results());
        ensure!(
            ty.params().len() == N
                && ty.results().len() == 1
                && words.into_iter().all(|ty| matches!(ty, ValType::I32)),
            "a direct function of {N} words for a function of another type"
        );
        let Some(entry) = entry::<T, D, N>() else {
            bail!("a direct function has 1 to {MAX_PARAMETERS} parameters");
        };
        func.set_direct(entry);
        self.func_insert(module, name, func)
    }
}

/// What the ordinary function has to be called for: no `u32`.
const NOT_HANDLED: u64 = u64::MAX;

/// Calls `D` for the instance of `vmctx`.
///
/// # Safety
///
/// `vmctx` is the context of an instance whose store has data of type `T` and
/// whose code runs on this thread and waits for this call.
#[inline(always)]
unsafe fn answer<T, D, const N: usize>(vmctx: NonNull<VMContext>, words: [u32; N]) -> u64
where
    T: 'static,
    D: DirectFunc<T, N>,
{
    // SAFETY: it is an instance's context, by the caller's promise.
    let Some(mut store) = (unsafe { vm::Instance::store_of(vmctx) }) else {
        return NOT_HANDLED;
    };
    // SAFETY: the instance lives as long as its store, and nothing else uses the
    // store while the instance's code waits.
    let store = unsafe { store.as_mut() };
    // SAFETY: the type of its data is `T`, by the caller's promise.
    let mut store: StoreContextMut<'_, T> = unsafe { store.unchecked_context_mut() };
    match D::call(store.data_mut(), words) {
        Some(word) => u64::from(word),
        None => NOT_HANDLED,
    }
}

macro_rules! entries {
    ($($count:literal $function:ident ($($word:ident)*))*) => {
        $(
            /// What compiled code calls. Panics end the process, since none gets
            /// out of such a function.
            unsafe extern "C" fn $function<T, D, const N: usize>(
                vmctx: NonNull<VMContext>,
                $($word: u32),*
            ) -> u64
            where
                T: 'static,
                D: DirectFunc<T, N>,
            {
                let words = [$($word),*];
                // SAFETY: compiled code passes its own context, of an instance
                // that imports this function, which is for stores of `T` only.
                unsafe { answer::<T, D, N>(vmctx, array::from_fn(|i| words[i])) }
            }
        )*

        /// The function for `N` parameters.
        fn entry<T, D, const N: usize>() -> Option<NonNull<c_void>>
        where
            T: 'static,
            D: DirectFunc<T, N>,
        {
            let entry = match N {
                $($count => $function::<T, D, N> as *mut c_void,)*
                _ => return None,
            };
            NonNull::new(entry)
        }
    };
}

entries! {
    1 entry1 (a)
    2 entry2 (a b)
    3 entry3 (a b c)
    4 entry4 (a b c d)
    5 entry5 (a b c d e)
    6 entry6 (a b c d e f)
    7 entry7 (a b c d e f g)
}
