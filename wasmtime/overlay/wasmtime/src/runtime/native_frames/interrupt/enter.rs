//! The code of interruption frames, and the vector registers that it saves.

use super::WORDS;
use super::bulk::RETRY_WORDS;
use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

/// The mask for XSAVE and the size of what it saves. The mask is 0 if there is
/// only FXSAVE.
///
/// A signal handler may read it; [`init`] is called before there can be one.
pub(super) static STATE: OnceLock<(u64, usize)> = OnceLock::new();

/// Size of the legacy region and the header.
const LEGACY: usize = 512 + 64;
/// x87, SSE, AVX, and the three of AVX-512. Compiled code has nothing else.
const WANTED: u64 = 0b1110_0111;

/// Finds out what to save.
pub(super) fn init() {
    STATE.get_or_init(|| {
        const OSXSAVE: u32 = 1 << 27;
        if __cpuid(1).ecx & OSXSAVE == 0 {
            return (0, LEGACY);
        }
        // SAFETY: the processor and the kernel have XSAVE.
        let mask = WANTED & unsafe { enabled() };
        let components = (2..8).filter(|component| mask & (1 << component) != 0);
        let ends = components.map(|component| {
            let leaf = __cpuid_count(0xd, component);
            leaf.eax.saturating_add(leaf.ebx)
        });
        let size = ends.max().and_then(|end| usize::try_from(end).ok());
        (mask, size.unwrap_or(0).max(LEGACY))
    });
}

/// The components that the kernel has enabled.
///
/// # Safety
///
/// The processor and the kernel have XSAVE.
#[target_feature(enable = "xsave")]
unsafe fn enabled() -> u64 {
    // SAFETY: the caller's promise.
    unsafe { _xgetbv(0) }
}

/// Where interrupted code goes on.
pub(super) fn interrupt_entry() -> usize {
    (wasmtime_native_frames_interrupt as *const ()).addr()
}

/// Where the trampoline of a libcall that has to be called again returns to.
pub(super) fn retry_entry() -> usize {
    (wasmtime_native_frames_retry as *const ()).addr()
}

/// The return address of the guest's function in an interruption frame.
pub(in crate::runtime::native_frames) fn interruption_return() -> usize {
    (wasmtime_native_frames_interrupted as *const ()).addr()
}

core::arch::global_asm!(
    "
    .text
    .p2align 4
    .globl wasmtime_native_frames_interrupt
    .hidden wasmtime_native_frames_interrupt
    .type wasmtime_native_frames_interrupt, @function
wasmtime_native_frames_interrupt:       # rbp = the frame, rsp = room for XSAVE
    mov eax, [rbp - 160]
    mov edx, [rbp - 156]
    test eax, eax
    jz 1f
    xsave64 [rsp]
    jmp 2f
1:  fxsave64 [rsp]
2:  mov rdi, [rbp - 128]                # the callee's context, the caller's
    mov rsi, rdi
    mov r15, rdi                        # where code with a pinned one has it
    call [rbp - 136]
    .globl wasmtime_native_frames_interrupted
    .hidden wasmtime_native_frames_interrupted
wasmtime_native_frames_interrupted:
    mov eax, [rbp - 160]
    mov edx, [rbp - 156]
    test eax, eax
    jz 1f
    xrstor64 [rsp]
    jmp 2f
1:  fxrstor64 [rsp]
2:  mov rax, [rbp - 144]
    mov rcx, [rbp - 152]
    add [rax + {limit}], rcx
    mov rax, [rbp - 8]
    mov rcx, [rbp - 16]
    mov rdx, [rbp - 24]
    mov rbx, [rbp - 32]
    mov rsi, [rbp - 48]
    mov rdi, [rbp - 56]
    mov r8, [rbp - 64]
    mov r9, [rbp - 72]
    mov r10, [rbp - 80]
    mov r11, [rbp - 88]
    mov r12, [rbp - 96]
    mov r13, [rbp - 104]
    mov r14, [rbp - 112]
    mov r15, [rbp - 120]
    mov rsp, [rbp - 40]
    mov rbp, [rbp]
    popfq
    ret
    .size wasmtime_native_frames_interrupt, . - wasmtime_native_frames_interrupt

    .globl wasmtime_native_frames_retry
    .hidden wasmtime_native_frames_retry
    .type wasmtime_native_frames_retry, @function
wasmtime_native_frames_retry:           # rbp = *(rsp, lowest word, words)
    mov rsi, rbp
    mov rsp, [rsi]
    mov rdi, [rsi + 8]
    lea rbp, [rdi + {words}]
    add rsi, 16
    mov ecx, {count}
    rep movsq
    mov [rbp - 32], rbx
    mov [rbp - 96], r12
    mov [rbp - 104], r13
    mov [rbp - 112], r14
    mov [rbp - 120], r15
    xor eax, eax
    lea rdi, [rsp + 512]                # the header of what XSAVE saves
    mov ecx, 8
    rep stosq
    jmp wasmtime_native_frames_interrupt
    .size wasmtime_native_frames_retry, . - wasmtime_native_frames_retry
",
    limit = const core::mem::offset_of!(crate::runtime::vm::VMStoreContext, stack_limit),
    words = const WORDS,
    count = const RETRY_WORDS - 2,
);

unsafe extern "C" {
    fn wasmtime_native_frames_retry();
    fn wasmtime_native_frames_interrupt();
    fn wasmtime_native_frames_interrupted();
}
