//! Descriptors and open file descriptions.
//!
//! A guest's descriptor is a number in a table of its process; it refers to an open file description, which owns one
//! descriptor of the host's however many guest descriptors share it.

mod async_io;
mod file;
mod own;
mod table;
mod watches;

pub(crate) use async_io::{AsyncIo, Owner};
pub(crate) use file::{DirFile, HostFile, MappedFile, Object, OpenFile, Origin};
pub(crate) use own::{Bell, OwnFile, Ready, Watcher};
pub(crate) use table::{CloseOnExec, FdTable};
pub(crate) use watches::{Change, Watched};
