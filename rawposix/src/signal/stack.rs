//! The alternate signal stack. See sigaltstack(2).

use rawposix_abi::Errno;
use rawposix_abi::structs::StackT;

pub(crate) const SS_ONSTACK: u32 = 1;
pub(crate) const SS_DISABLE: u32 = 2;
pub(crate) const SS_AUTODISARM: u32 = 1 << 31;
/// `MINSIGSTKSZ`
const MIN_STACK: u32 = 2048;

/// No alternate stack.
pub(crate) const NO_STACK: StackT = StackT {
    sp: 0,
    flags: SS_DISABLE,
    size: 0,
};

/// Whether there is a stack to switch to.
pub(super) fn is_usable(stack: &StackT) -> bool {
    stack.size != 0
}

/// Whether this stack pointer is on the stack. One that disarms itself is never in use.
pub(crate) fn contains(stack: &StackT, stack_pointer: u32) -> bool {
    stack.flags & SS_AUTODISARM == 0
        && stack_pointer > stack.sp
        && stack_pointer.wrapping_sub(stack.sp) <= stack.size
}

/// What sigaltstack(2) reports.
pub(crate) fn report(stack: &StackT, stack_pointer: u32) -> StackT {
    let state = if stack.size == 0 {
        SS_DISABLE
    } else if contains(stack, stack_pointer) {
        SS_ONSTACK
    } else {
        0
    };
    StackT {
        flags: stack.flags & SS_AUTODISARM | state,
        ..*stack
    }
}

/// What sigaltstack(2) sets.
///
/// # Errors
/// `EINVAL` for unknown flags, `ENOMEM` for a stack that is too small.
pub(crate) fn checked(wanted: StackT) -> Result<StackT, Errno> {
    match wanted.flags & !SS_AUTODISARM {
        SS_DISABLE => Ok(NO_STACK),
        0 | SS_ONSTACK if wanted.size < MIN_STACK => Err(Errno::ENOMEM),
        0 | SS_ONSTACK => Ok(StackT {
            flags: wanted.flags & SS_AUTODISARM,
            ..wanted
        }),
        _ => Err(Errno::EINVAL),
    }
}
