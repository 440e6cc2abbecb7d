//! `comm` of a thread, open for writing: the thread's name. See proc(5).

use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rustix::event::PollFlags;

use super::ProcFile;
use crate::cage::Task;
use crate::fd::{Bell, OpenFile, OwnFile, Ready, Watcher};
use crate::fs::stat::VirtualStat;
use crate::thread::Thread;

/// A thread's name as a file. What was written is the name; nothing has to be truncated.
#[derive(Debug)]
pub(crate) struct ThreadName {
    file: ProcFile,
    thread: Arc<Task>,
    /// How far it was read.
    position: Mutex<usize>,
    /// It is always ready.
    bell: Mutex<Option<Arc<Bell>>>,
}

impl ThreadName {
    /// An open description of the name.
    pub(crate) fn open(file: ProcFile, thread: Arc<Task>, flags: OpenFlags) -> Arc<OpenFile> {
        let name = Self {
            file,
            thread,
            position: Mutex::default(),
            bell: Mutex::default(),
        };
        OpenFile::own_file(Arc::new(name), flags)
    }
}

impl OwnFile for ThreadName {
    fn label(&self) -> String {
        String::from_utf8_lossy(&self.file.path()).into_owned()
    }

    fn stat(&self) -> VirtualStat {
        VirtualStat::file(self.file.inode())
    }

    fn events(&self) -> PollFlags {
        PollFlags::all()
    }

    fn bell(&self, _: &Thread, _: Watcher) -> Result<Arc<Bell>, Errno> {
        let mut place = self.bell.lock();
        if let Some(bell) = &*place {
            return Ok(Arc::clone(bell));
        }
        let bell = Arc::new(Bell::new()?);
        bell.show(|| Ready::reading(true));
        *place = Some(Arc::clone(&bell));
        Ok(bell)
    }

    fn read(&self, _: &Thread, room: usize, _: bool) -> Result<Vec<u8>, Errno> {
        let mut text = self.thread.name();
        text.push(b'\n');
        let mut position = self.position.lock();
        let rest = text.get(*position..).unwrap_or_default();
        let bytes = rest.get(..room).unwrap_or(rest).to_vec();
        *position += bytes.len();
        Ok(bytes)
    }

    fn write(&self, thread: &Thread, bytes: &[u8], _: bool) -> Result<usize, Errno> {
        // Only a thread of the same process may change it.
        let own = thread.process.task(self.thread.tid);
        if !own.is_some_and(|task| Arc::ptr_eq(&task, &self.thread)) {
            return Err(Errno::EINVAL);
        }
        let end = bytes.iter().position(|byte| matches!(byte, 0 | b'\n'));
        self.thread
            .set_name(bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default());
        Ok(bytes.len())
    }
}
