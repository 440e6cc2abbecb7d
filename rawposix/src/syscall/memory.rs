//! Memory. See mmap(2), mremap(2), madvise(2), mlock(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::{MapFlags, MremapFlags, MsyncFlags, OpenFlags, Prot};
use rawposix_memory::{FileSource, GuestPtr, MapLabel, MapRequest, RemapRequest};

use super::args::{Fd, Hex, Int, Len, Ptr, access_mode};
pub(super) use super::process_memory::{process_mrelease, process_vm_readv, process_vm_writev};
use crate::fd::{MappedFile, Object, OpenFile, Origin};
use crate::fs::place;
use crate::thread::Thread;

pub(super) fn brk(thread: &mut Thread, addr: Ptr) -> Result<u32, Errno> {
    Ok(thread.memory().brk(addr.0))
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn mmap2(
    thread: &mut Thread,
    addr: Ptr,
    length: Len,
    prot: Prot,
    flags: MapFlags,
    fd: Fd,
    page: Hex,
) -> Result<u32, Errno> {
    let file = if flags.contains(MapFlags::ANONYMOUS) {
        None
    } else {
        Some(thread.file(fd.0)?)
    };
    let source = match file {
        Some(file) => Some(FileSource {
            file: mappable(thread, file, prot, flags)?,
            // In units of pages, whatever the page size is.
            offset: u64::from(page.0) * 4096,
        }),
        None => None,
    };
    let request = MapRequest {
        addr: addr.0,
        len: length.0,
        prot,
        flags,
        file: source,
    };
    thread.memory().mmap(request)
}

/// A file that may be mapped this way; the errors of mmap(2) when it may not.
fn mappable(
    thread: &Thread,
    file: Arc<OpenFile>,
    prot: Prot,
    flags: MapFlags,
) -> Result<Arc<MappedFile>, Errno> {
    let host = match file.object() {
        Object::Host(host) => host,
        Object::Dir(_) | Object::Own(_) => return Err(Errno::ENODEV),
        Object::Path(_) => return Err(Errno::EBADF),
    };
    let mode = access_mode(file.flags);
    let shared_write = flags.contains(MapFlags::SHARED)
        && !flags.contains(MapFlags::PRIVATE)
        && prot.contains(Prot::WRITE);
    if mode == OpenFlags::WRONLY.bits() || (shared_write && mode != OpenFlags::RDWR.bits()) {
        return Err(Errno::EACCES);
    }
    let stat = rustix::fs::fstat(&host.fd)?;
    let named = matches!(host.origin, Origin::Mount(_) | Origin::Virtual(..));
    let label = MapLabel {
        device: match &host.origin {
            Origin::Mount(mount) => {
                let private = thread.process.mounts().private_device(*mount);
                private.map_or(stat.st_dev, |minor| rustix::fs::makedev(0, minor))
            }
            _ => stat.st_dev,
        },
        inode: stat.st_ino,
        path: if named {
            place::path_of_file(thread.process.mounts(), &file)
        } else {
            Vec::new()
        },
    };
    Ok(Arc::new(MappedFile { file, label }))
}

pub(super) fn munmap(thread: &mut Thread, addr: Ptr, length: Len) -> Result<(), Errno> {
    thread.memory().munmap(addr.0, length.0)
}

pub(super) fn mprotect(
    thread: &mut Thread,
    addr: Ptr,
    length: Len,
    prot: Prot,
) -> Result<(), Errno> {
    thread.memory().mprotect(addr.0, length.0, prot)
}

/// Only with the key -1 is this a call for a processor without protection keys.
pub(super) fn pkey_mprotect(
    thread: &mut Thread,
    addr: Ptr,
    length: Len,
    prot: Prot,
    key: Int,
) -> Result<(), Errno> {
    match key.0 {
        -1 => mprotect(thread, addr, length, prot),
        _ => Err(Errno::EINVAL),
    }
}

pub(super) fn pkey_alloc(thread: &mut Thread, flags: Hex, rights: Hex) -> Result<i32, Errno> {
    /// `PKEY_DISABLE_ACCESS` and `PKEY_DISABLE_WRITE`.
    const RIGHTS: u32 = 3;
    let _ = thread;
    if flags.0 != 0 || rights.0 & !RIGHTS != 0 {
        return Err(Errno::EINVAL);
    }
    Err(Errno::ENOSPC)
}

pub(super) fn pkey_free(thread: &mut Thread, key: Int) -> Result<(), Errno> {
    let _ = (thread, key);
    Err(Errno::EINVAL)
}

pub(super) fn remap_file_pages(
    thread: &mut Thread,
    addr: Ptr,
    size: Len,
    prot: Hex,
    page: Hex,
    flags: Hex,
) -> Result<(), Errno> {
    // MAP_NONBLOCK is the one that Linux looks at: nothing is read ahead here.
    let _ = flags;
    if prot.0 != 0 {
        return Err(Errno::EINVAL);
    }
    thread.memory().remap_file_pages(addr.0, size.0, page.0)
}

pub(super) fn mremap(
    thread: &mut Thread,
    addr: Ptr,
    old: Len,
    new: Len,
    flags: MremapFlags,
    target: Ptr,
) -> Result<u32, Errno> {
    thread.memory().mremap(RemapRequest {
        addr: addr.0,
        old_len: old.0,
        new_len: new.0,
        flags,
        new_addr: target.0,
    })
}

pub(super) fn msync(
    thread: &mut Thread,
    addr: Ptr,
    length: Len,
    flags: MsyncFlags,
) -> Result<(), Errno> {
    thread.block(|| thread.memory().msync(addr.0, length.0, flags.bits()))
}

pub(super) fn madvise(
    thread: &mut Thread,
    addr: Ptr,
    length: Len,
    advice: Int,
) -> Result<(), Errno> {
    thread
        .memory()
        .madvise(addr.0, length.0, advice.0.cast_unsigned())
}

pub(super) fn mincore(thread: &mut Thread, addr: Ptr, length: Len, vec: Ptr) -> Result<(), Errno> {
    thread
        .memory()
        .mincore(addr.0, length.0, GuestPtr::new(vec.0))
}

pub(super) fn mlock(thread: &mut Thread, addr: Ptr, length: Len) -> Result<(), Errno> {
    thread.memory().mlock(addr.0, length.0)
}

pub(super) fn mlock2(thread: &mut Thread, addr: Ptr, length: Len, flags: Hex) -> Result<(), Errno> {
    // MLOCK_ONFAULT, the only flag, makes no difference to pages that are not pinned.
    if flags.0 & !1 != 0 {
        return Err(Errno::EINVAL);
    }
    mlock(thread, addr, length)
}

pub(super) fn munlock(thread: &mut Thread, addr: Ptr, length: Len) -> Result<(), Errno> {
    thread.memory().munlock(addr.0, length.0)
}

pub(super) fn mlockall(thread: &mut Thread, flags: Hex) -> Result<(), Errno> {
    thread.memory().mlockall(flags.0)
}

pub(super) fn munlockall(thread: &mut Thread) -> Result<(), Errno> {
    thread.memory().munlockall();
    Ok(())
}
