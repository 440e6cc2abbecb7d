//! Structures that grow: a caller says by their size which version it knows, and zeros stand for what it does not.

use rawposix_abi::Errno;
use rawposix_memory::GuestPtr;
use zerocopy::{FromBytes, IntoBytes};

use super::args::Len;
use crate::thread::Thread;

/// Bytes of the longest structure that is looked at: a page.
pub(super) const LONGEST: u32 = 4096;

/// Reads a structure of `size` bytes, whose first version had `first`. `EINVAL` when it is shorter than that; `E2BIG` when
/// it is longer than a page, or not zero in what is not known here. See "Extensibility" of openat2(2).
pub(super) fn read<T: FromBytes + IntoBytes>(
    thread: &Thread,
    at: GuestPtr<T>,
    size: Len,
    first: u32,
) -> Result<T, Errno> {
    if size.0 < first {
        return Err(Errno::EINVAL);
    }
    if size.0 > LONGEST {
        return Err(Errno::E2BIG);
    }
    let mut given = vec![0; usize::try_from(size.0).map_err(|_| Errno::E2BIG)?];
    thread.memory().read_bytes(at.cast(), &mut given)?;
    let mut known = T::new_zeroed();
    let bytes = known.as_mut_bytes();
    let both = given.len().min(bytes.len());
    let (given, unknown) = given.split_at(both);
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(Errno::E2BIG);
    }
    bytes
        .get_mut(..both)
        .unwrap_or_default()
        .copy_from_slice(given);
    Ok(known)
}
