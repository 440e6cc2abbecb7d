//! Files that are written and files that are executed: the one excludes the other. See ETXTBSY in execve(2), open(2).
//!
//! Only what the sandbox's processes do counts; programs of the host's are not seen.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;

use super::dir::FileId;

/// The files of a sandbox that are written or executed.
#[derive(Debug, Default)]
pub(crate) struct Busy(Mutex<HashMap<FileId, Use>>);

/// What a file is used for, and how often at once.
#[derive(Clone, Copy, Debug)]
enum Use {
    Written(usize),
    Executed(usize),
}

/// A use of a file, until it is dropped.
#[derive(Debug)]
pub(crate) struct InUse {
    busy: Arc<Busy>,
    file: FileId,
}

impl Busy {
    /// The file is open for writing. `ETXTBSY` when it is executed.
    pub(crate) fn write(self: &Arc<Self>, file: FileId) -> Result<InUse, Errno> {
        self.enter(file, Use::Written(1))
    }

    /// The file is executed. `ETXTBSY` when it is open for writing.
    pub(crate) fn execute(self: &Arc<Self>, file: FileId) -> Result<InUse, Errno> {
        self.enter(file, Use::Executed(1))
    }

    fn enter(self: &Arc<Self>, file: FileId, wanted: Use) -> Result<InUse, Errno> {
        let mut files = self.0.lock();
        let present = files.get(&file).copied();
        let now = match (present, wanted) {
            (None, wanted) => wanted,
            (Some(Use::Written(count)), Use::Written(more)) => Use::Written(count + more),
            (Some(Use::Executed(count)), Use::Executed(more)) => Use::Executed(count + more),
            _ => return Err(Errno::ETXTBSY),
        };
        files.insert(file, now);
        Ok(InUse {
            busy: Arc::clone(self),
            file,
        })
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut files = self.busy.0.lock();
        if let Some(Use::Written(count) | Use::Executed(count)) = files.get_mut(&self.file) {
            *count -= 1;
            if *count == 0 {
                files.remove(&self.file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_and_executing_exclude_each_other() {
        let busy = Arc::new(Busy::default());
        let file = FileId {
            device: 1,
            inode: 2,
        };
        let other = FileId { inode: 3, ..file };
        let first = busy.write(file).unwrap();
        let second = busy.write(file).unwrap();
        assert_eq!(busy.execute(file).unwrap_err(), Errno::ETXTBSY);
        drop(first);
        assert_eq!(busy.execute(file).unwrap_err(), Errno::ETXTBSY);
        let elsewhere = busy.execute(other).unwrap();
        drop(second);
        let program = busy.execute(file).unwrap();
        assert_eq!(busy.write(file).unwrap_err(), Errno::ETXTBSY);
        assert_eq!(busy.write(other).unwrap_err(), Errno::ETXTBSY);
        drop((program, elsewhere));
        drop(busy.write(file).unwrap());
        assert!(busy.0.lock().is_empty());
    }
}
