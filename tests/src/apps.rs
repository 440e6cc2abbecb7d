//! Real programs, built unmodified from Debian's source packages.
//!
//! `build` builds one package with one toolchain; `packages` lists those that make up a small system; `rootfs` installs
//! them into a root directory.

pub mod build;
pub mod packages;
pub mod root;
pub mod rootfs;
