//! The names of unix sockets: abstract ones, and those that are files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::Errno;

use super::Socket;
use crate::fs::dir::FileId;

/// Who has which name. A socket that is no more frees its name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: Mutex<Table<Vec<u8>>>,
    files: Mutex<Table<FileId>>,
}

type Table<K> = HashMap<K, Weak<Socket>>;

/// Names that lead nowhere are removed when there are this many names, and that many times more.
const PRUNE: usize = 256;

fn insert<K: std::hash::Hash + Eq>(
    table: &mut Table<K>,
    key: K,
    socket: &Arc<Socket>,
) -> Result<(), Errno> {
    if table.len() >= PRUNE && table.len().is_power_of_two() {
        table.retain(|_, socket| socket.strong_count() > 0);
    }
    match table.entry(key) {
        Entry::Occupied(entry) if entry.get().strong_count() > 0 => Err(Errno::EADDRINUSE),
        Entry::Occupied(mut entry) => {
            entry.insert(Arc::downgrade(socket));
            Ok(())
        }
        Entry::Vacant(entry) => {
            entry.insert(Arc::downgrade(socket));
            Ok(())
        }
    }
}

impl Names {
    /// Gives a socket an abstract name. `EADDRINUSE` when another one has it.
    pub(crate) fn take(&self, name: &[u8], socket: &Arc<Socket>) -> Result<(), Errno> {
        insert(&mut self.names.lock(), name.to_vec(), socket)
    }

    /// Gives a socket the lowest free name that the kernel would choose: five hexadecimal digits.
    pub(crate) fn take_any(&self, socket: &Arc<Socket>) -> Result<Vec<u8>, Errno> {
        let mut names = self.names.lock();
        for number in 1..=0xf_ffff_u32 {
            let name = format!("{number:05x}").into_bytes();
            if insert(&mut names, name.clone(), socket).is_ok() {
                return Ok(name);
            }
        }
        Err(Errno::ENOSPC)
    }

    /// Makes a file the socket's.
    pub(crate) fn take_file(&self, file: FileId, socket: &Arc<Socket>) -> Result<(), Errno> {
        insert(&mut self.files.lock(), file, socket)
    }

    /// The socket with an abstract name.
    pub(crate) fn named(&self, name: &[u8]) -> Option<Arc<Socket>> {
        self.names.lock().get(name).and_then(Weak::upgrade)
    }

    /// The socket whose file it is.
    pub(crate) fn of_file(&self, file: FileId) -> Option<Arc<Socket>> {
        self.files.lock().get(&file).and_then(Weak::upgrade)
    }
}
