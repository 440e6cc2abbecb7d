//! The instructions that touch guest memory, all in one known range of code.
//!
//! Every routine is a leaf that pushes nothing and changes only caller-saved registers, so the
//! fault handler can leave any of them, at any instruction, by one common exit that returns 1.
//! Being assembly, the accesses are invisible to the compiler: other guest threads may change
//! the bytes at any moment without a data race in Rust's sense.

use core::arch::global_asm;

global_asm!(
    ".pushsection .text.lind_guest_access,\"ax\",@progbits",
    ".balign 64",
    ".globl lind_guest_access_start",
    ".hidden lind_guest_access_start",
    "lind_guest_access_start:",
    //
    // copy(rdi: dst, rsi: src, rdx: len) -> eax; memmove's semantics. Within each step loads
    // come before stores, and the far end is loaded before the loop, so overlap is harmless.
    ".globl lind_guest_copy",
    ".hidden lind_guest_copy",
    ".type lind_guest_copy,@function",
    "lind_guest_copy:",
    ".cfi_startproc",
    "cmp rdx, 16",
    "jb 20f",
    "cmp rdx, 32",
    "jbe 10f",
    "mov rax, rdi",
    "sub rax, rsi",
    "cmp rax, rdx",
    "jb 30f",
    // Forward. rep movsb is the fastest for long copies, but slow when the ranges are close.
    "cmp rdx, 1024",
    "jb 2f",
    "neg rax",
    "cmp rax, 64",
    "jae 5f",
    "2:",
    "movdqu xmm4, [rsi + rdx - 32]",
    "movdqu xmm5, [rsi + rdx - 16]",
    "lea rcx, [rdi + rdx - 32]",
    "3:",
    "movdqu xmm0, [rsi]",
    "movdqu xmm1, [rsi + 16]",
    "movdqu [rdi], xmm0",
    "movdqu [rdi + 16], xmm1",
    "add rsi, 32",
    "add rdi, 32",
    "sub rdx, 32",
    "cmp rdx, 32",
    "ja 3b",
    "movdqu [rcx], xmm4",
    "movdqu [rcx + 16], xmm5",
    "xor eax, eax",
    "ret",
    "5:",
    "mov rcx, rdx",
    "rep movsb",
    "xor eax, eax",
    "ret",
    // 16 to 32 bytes.
    "10:",
    "movdqu xmm0, [rsi]",
    "movdqu xmm1, [rsi + rdx - 16]",
    "movdqu [rdi], xmm0",
    "movdqu [rdi + rdx - 16], xmm1",
    "xor eax, eax",
    "ret",
    // Less than 16 bytes.
    "20:",
    "cmp edx, 8",
    "jae 21f",
    "cmp edx, 4",
    "jae 22f",
    "cmp edx, 2",
    "jae 23f",
    "test edx, edx",
    "jz 24f",
    "movzx eax, byte ptr [rsi]",
    "mov [rdi], al",
    "24:",
    "xor eax, eax",
    "ret",
    "21:",
    "mov r8, [rsi]",
    "mov r9, [rsi + rdx - 8]",
    "mov [rdi], r8",
    "mov [rdi + rdx - 8], r9",
    "xor eax, eax",
    "ret",
    "22:",
    "mov r8d, [rsi]",
    "mov r9d, [rsi + rdx - 4]",
    "mov [rdi], r8d",
    "mov [rdi + rdx - 4], r9d",
    "xor eax, eax",
    "ret",
    "23:",
    "movzx r8d, word ptr [rsi]",
    "movzx r9d, word ptr [rsi + rdx - 2]",
    "mov [rdi], r8w",
    "mov [rdi + rdx - 2], r9w",
    "xor eax, eax",
    "ret",
    // Backward: dst lies inside (or at the start of) the source.
    "30:",
    "movdqu xmm4, [rsi]",
    "movdqu xmm5, [rsi + 16]",
    "31:",
    "movdqu xmm0, [rsi + rdx - 32]",
    "movdqu xmm1, [rsi + rdx - 16]",
    "movdqu [rdi + rdx - 32], xmm0",
    "movdqu [rdi + rdx - 16], xmm1",
    "sub rdx, 32",
    "cmp rdx, 32",
    "ja 31b",
    "movdqu [rdi], xmm4",
    "movdqu [rdi + 16], xmm5",
    "xor eax, eax",
    "ret",
    ".cfi_endproc",
    ".size lind_guest_copy, . - lind_guest_copy",
    //
    // fill(rdi: dst, esi: byte, rdx: len) -> eax
    ".globl lind_guest_fill",
    ".hidden lind_guest_fill",
    ".type lind_guest_fill,@function",
    "lind_guest_fill:",
    ".cfi_startproc",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "xor eax, eax",
    "ret",
    ".cfi_endproc",
    ".size lind_guest_fill, . - lind_guest_fill",
    //
    // load32(rdi: src, rsi: out) -> eax
    ".globl lind_guest_load32",
    ".hidden lind_guest_load32",
    ".type lind_guest_load32,@function",
    "lind_guest_load32:",
    ".cfi_startproc",
    "mov eax, [rdi]",
    "mov [rsi], eax",
    "xor eax, eax",
    "ret",
    ".cfi_endproc",
    ".size lind_guest_load32, . - lind_guest_load32",
    //
    // load64(rdi: src, rsi: out) -> eax
    ".globl lind_guest_load64",
    ".hidden lind_guest_load64",
    ".type lind_guest_load64,@function",
    "lind_guest_load64:",
    ".cfi_startproc",
    "mov rax, [rdi]",
    "mov [rsi], rax",
    "xor eax, eax",
    "ret",
    ".cfi_endproc",
    ".size lind_guest_load64, . - lind_guest_load64",
    //
    // exchange32(rdi: dst, esi: new, rdx: old_out) -> eax; a sequentially consistent store.
    ".globl lind_guest_exchange32",
    ".hidden lind_guest_exchange32",
    ".type lind_guest_exchange32,@function",
    "lind_guest_exchange32:",
    ".cfi_startproc",
    "xchg [rdi], esi",
    "mov [rdx], esi",
    "xor eax, eax",
    "ret",
    ".cfi_endproc",
    ".size lind_guest_exchange32, . - lind_guest_exchange32",
    //
    // compare_exchange32(rdi: dst, esi: expected, edx: new, rcx: seen_out) -> eax
    ".globl lind_guest_compare_exchange32",
    ".hidden lind_guest_compare_exchange32",
    ".type lind_guest_compare_exchange32,@function",
    "lind_guest_compare_exchange32:",
    ".cfi_startproc",
    "mov eax, esi",
    "lock cmpxchg [rdi], edx",
    "mov [rcx], eax",
    "xor eax, eax",
    "ret",
    ".cfi_endproc",
    ".size lind_guest_compare_exchange32, . - lind_guest_compare_exchange32",
    //
    ".globl lind_guest_access_end",
    ".hidden lind_guest_access_end",
    "lind_guest_access_end:",
    //
    // Where the handler sends a faulting routine. Outside the range: it touches no memory but
    // the return address.
    ".globl lind_guest_access_fault",
    ".hidden lind_guest_access_fault",
    "lind_guest_access_fault:",
    ".cfi_startproc",
    "mov eax, 1",
    "ret",
    ".cfi_endproc",
    ".popsection",
);

unsafe extern "C" {
    /// First instruction of the range.
    pub(super) fn lind_guest_access_start();
    /// First address after the range.
    pub(super) fn lind_guest_access_end();
    /// The common exit after a fault.
    pub(super) fn lind_guest_access_fault();

    pub(super) fn lind_guest_copy(dst: *mut u8, src: *const u8, len: usize) -> u32;
    pub(super) fn lind_guest_fill(dst: *mut u8, byte: u8, len: usize) -> u32;
    pub(super) fn lind_guest_load32(src: *const u32, out: *mut u32) -> u32;
    pub(super) fn lind_guest_load64(src: *const u64, out: *mut u64) -> u32;
    pub(super) fn lind_guest_exchange32(dst: *mut u32, new: u32, old: *mut u32) -> u32;
    pub(super) fn lind_guest_compare_exchange32(
        dst: *mut u32,
        expected: u32,
        new: u32,
        seen: *mut u32,
    ) -> u32;
}
