//! The GS segment of a thread while its WebAssembly runs.
//!
//! With `Config::memory_through_gs`, compiled code reaches the first memory of
//! its module as an offset from the GS base, so the base must be the memory's
//! whenever such code runs. All instances of a store have the same first
//! memory; every entry into WebAssembly sets the base and puts the earlier one
//! back when it ends, by return or by trap. Host code on x86-64 Linux does not
//! use the segment.

use crate::prelude::*;
use crate::runtime::store::StoreOpaque;
use crate::runtime::vm::Imports;
use wasmtime_environ::Module;

impl StoreOpaque {
    /// Makes the memory that `module` imports the one of this store.
    ///
    /// Fails if the store has another one.
    pub(crate) fn adopt_memory(&mut self, module: &Module, imports: &Imports<'_>) -> Result<()> {
        if module.memory_through_gs(self.engine().tunables()).is_none() {
            return Ok(());
        }
        let Some(memory) = imports.memories.first() else {
            bail!("the module's memory is not provided");
        };
        let base = memory.base.as_ptr().addr();
        match self.gs_base {
            None => self.gs_base = Some(base),
            Some(own) => ensure!(
                own == base,
                "the instances of a store must import the same memory: they reach it through one segment"
            ),
        }
        // A host function may instantiate while WebAssembly of this store runs,
        // and that may call the new instance without another entry.
        //
        // SAFETY: the limit is written by entries into this store only, and
        // this is the store's one user.
        let limit = unsafe { *self.vm_store_context().stack_limit.get() };
        if limit != usize::MAX {
            segment::set(base);
        }
        Ok(())
    }

    /// Sets the GS base for an entry into WebAssembly, until the result is
    /// dropped.
    pub(crate) fn enter_memory(&self) -> Option<EnteredMemory> {
        if !self.engine().tunables().memory_through_gs {
            return None;
        }
        let entered = EnteredMemory {
            previous: segment::get(),
        };
        if let Some(base) = self.gs_base {
            segment::set(base);
        }
        Some(entered)
    }
}

/// An entry into WebAssembly. Dropping it puts the earlier GS base back.
pub(crate) struct EnteredMemory {
    previous: usize,
}

impl Drop for EnteredMemory {
    fn drop(&mut self) {
        segment::set(self.previous);
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", feature = "std"))]
mod segment {
    use core::arch::asm;
    use std::sync::OnceLock;

    /// Whether the processor and the kernel let user code access the base, see
    /// the kernel's documentation of `HWCAP2_FSGSBASE`.
    fn has_instructions() -> bool {
        const HWCAP2_FSGSBASE: libc::c_ulong = 1 << 1;
        static ANSWER: OnceLock<bool> = OnceLock::new();
        *ANSWER.get_or_init(|| {
            // SAFETY: `getauxval` has no preconditions.
            let bits = unsafe { libc::getauxval(libc::AT_HWCAP2) };
            bits & HWCAP2_FSGSBASE != 0
        })
    }

    /// The GS base of this thread.
    pub(super) fn get() -> usize {
        let mut base: usize = 0;
        if has_instructions() {
            // SAFETY: reads a register that user code may read.
            unsafe { asm!("rdgsbase {}", out(reg) base, options(nomem, nostack, preserves_flags)) };
        } else {
            const ARCH_GET_GS: libc::c_long = 0x1004;
            // SAFETY: the kernel writes one word to `base`, see arch_prctl(2).
            unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_GET_GS, &raw mut base) };
        }
        base
    }

    /// Sets the GS base of this thread.
    pub(super) fn set(base: usize) {
        if has_instructions() {
            // SAFETY: host code does not use the segment, and `base` is a
            // user-space address or an earlier base, so it is canonical.
            unsafe { asm!("wrgsbase {}", in(reg) base, options(nostack, preserves_flags)) };
        } else {
            const ARCH_SET_GS: libc::c_long = 0x1001;
            // SAFETY: as above; see arch_prctl(2).
            unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, base) };
        }
    }
}

/// `Config::memory_through_gs` is refused here, so nothing calls these.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", feature = "std")))]
mod segment {
    pub(super) fn get() -> usize {
        0
    }

    pub(super) fn set(_base: usize) {}
}
