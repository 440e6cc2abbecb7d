//! Descriptor tables of lind's own threads.

use std::ffi::{c_long, c_uint};

/// Gives the calling thread a descriptor table of its own, with all descriptors that are open now.
///
/// In a system call of a thread that shares its table the kernel counts references to the file, which makes a call that
/// does little a seventh slower. So the threads that only wait while a guest runs have tables of their own, and a guest
/// that is alone in lind has the first one for itself.
///
/// Such a thread uses descriptors only that were opened before. Closing one closes its copy, so what is closed later by
/// others stays open here: the tables part before a guest runs. That the kernel cannot do it is no error; the table then
/// stays shared.
pub fn separate_descriptors() {
    let none = c_long::from(c_uint::MAX);
    // SAFETY: the range has no descriptor, so none is closed; what the call does else is to copy the thread's table.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            none,
            none,
            c_long::from(libc::CLOSE_RANGE_UNSHARE),
        )
    };
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;
    use std::thread;

    use super::separate_descriptors;

    #[test]
    fn descriptors_made_later_are_the_threads_own() {
        let earlier = tempfile::NamedTempFile::new().unwrap();
        let later = tempfile::NamedTempFile::new().unwrap();
        let path = |file: &tempfile::NamedTempFile| file.path().canonicalize().unwrap();
        let link = |of: &str, fd: i32| -> Option<PathBuf> {
            fs::read_link(format!("/proc/{of}/fd/{fd}")).ok()
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                separate_descriptors();
                let fd = earlier.as_raw_fd();
                assert_eq!(link("thread-self", fd), Some(path(&earlier)));
                let file = File::open(later.path()).unwrap();
                assert_eq!(link("thread-self", file.as_raw_fd()), Some(path(&later)));
                assert_ne!(link("self", file.as_raw_fd()), Some(path(&later)));
            });
        });
    }
}
