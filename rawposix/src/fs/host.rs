//! Flags and names in the host's types.

use rawposix_abi::flags::OpenFlags;
use rustix::fs::OFlags;

/// The host's flags for a guest's, without those that are the guest descriptor's own.
pub(crate) fn open_flags(flags: OpenFlags) -> OFlags {
    // The host's numbers are the guest's. Nothing is opened that signals or becomes a controlling terminal.
    let kept = flags - OpenFlags::CLOEXEC - OpenFlags::ASYNC;
    OFlags::from_bits_retain(kept.bits()) | OFlags::CLOEXEC | OFlags::NOCTTY
}

/// Whether a file opened with these flags can be written.
pub(crate) fn is_for_writing(flags: OpenFlags) -> bool {
    flags.bits() & OpenFlags::ACCMODE != 0
}
