//! How long what is written to a file will live, as `F_SET_RW_HINT` of fcntl(2) says. It is kept, and means nothing here.

use std::collections::HashMap;
use std::os::fd::AsFd;

use parking_lot::Mutex;
use rawposix_abi::Errno;

use super::dir::FileId;

/// `RWH_WRITE_LIFE_EXTREME`, the greatest.
const GREATEST: u64 = 5;
/// Of as many files a hint is kept; Linux, too, forgets those of files that nobody has open.
const MOST: usize = 1 << 12;

/// The hints for files of the host's.
#[derive(Debug, Default)]
pub(crate) struct WriteHints(Mutex<HashMap<FileId, u64>>);

impl WriteHints {
    /// A file's hint, 0 (`RWH_WRITE_LIFE_NOT_SET`) without one.
    pub(crate) fn get(&self, file: impl AsFd) -> Result<u64, Errno> {
        let id = FileId::of(file)?;
        Ok(self.0.lock().get(&id).copied().unwrap_or(0))
    }

    /// Sets a file's hint. `EINVAL` for what is none.
    pub(crate) fn set(&self, file: impl AsFd, hint: u64) -> Result<(), Errno> {
        if hint > GREATEST {
            return Err(Errno::EINVAL);
        }
        let id = FileId::of(file)?;
        let mut hints = self.0.lock();
        if hints.len() >= MOST {
            hints.clear();
        }
        if hint == 0 {
            hints.remove(&id);
        } else {
            hints.insert(id, hint);
        }
        Ok(())
    }
}
