//! The file system a sandbox sees: host directories and synthetic trees, joined by a mount table.
//!
//! # How a path stays inside
//!
//! - A directory is always a handle (`Dir`), never a path: what a name meant a moment ago does not matter.
//! - A host directory is entered one name at a time with `O_NOFOLLOW`, or several at once with
//!   `openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)`, or the whole path of a file, if it turns nowhere (`straight`); the host kernel therefore never follows a symbolic link and
//!   never takes `..` for us. Links are read and resolved here, from the sandbox's root.
//! - `..` returns along the way the walk came. Where the walk starts at a handle, the host's `..` is taken and the
//!   result is used only if the mount's root is found above it; so a directory that is moved while it is open leads
//!   to wherever it is in the sandbox, or nowhere.
//! - The host's magic links (`/proc/PID/fd`, …) are links like all others here: their text is resolved in the sandbox.
//! - What happens to a name happens by an at-call on the parent's handle, or on a handle of the object itself.

pub(crate) mod busy;
pub(crate) mod device;
pub(crate) mod dir;
pub(crate) mod hints;
pub(crate) mod host;
pub(crate) mod listing;
pub(crate) mod mount;
pub(crate) mod names;
pub(crate) mod node;
pub(crate) mod open;
pub(crate) mod owners;
pub(crate) mod permission;
pub(crate) mod place;
pub(crate) mod private;
pub(crate) mod procfs;
pub(crate) mod quota;
mod rest;
pub(crate) mod stat;
pub(crate) mod straight;
pub(crate) mod walk;

/// The greatest length of a path, with its NUL. See path_resolution(7).
pub(crate) const PATH_MAX: usize = 4096;
/// The greatest length of one name.
pub(crate) const NAME_MAX: usize = 255;
/// Links followed in one resolution before `ELOOP`.
pub(crate) const MAX_LINKS: u32 = 40;
