//! Who gets the signals of input and output. See fcntl(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::fcntl;
use rawposix_memory::GuestPtr;
use rustix::fs::FileType;

use crate::cage::Pid;
use crate::fd::{Object, OpenFile, Owner};
use crate::thread::Thread;

/// The calls about who gets the signals of a description.
pub(super) fn owner(
    thread: &Thread,
    file: &Arc<OpenFile>,
    cmd: u32,
    arg: u32,
) -> Result<i32, Errno> {
    const THREAD: i32 = 0;
    const PROCESS: i32 = 1;
    const GROUP: i32 = 2;
    let (world, owners) = (&thread.world, &thread.world.async_io);
    let structure = GuestPtr::<[i32; 2]>::new(arg);
    match cmd {
        fcntl::F_SETOWN => {
            let owner = match arg.cast_signed() {
                0 => Owner::Nobody,
                pid if pid > 0 => Owner::Process(Pid(pid)),
                group => Owner::Group(Pid(group.checked_neg().ok_or(Errno::EINVAL)?)),
            };
            owners.set_owner(world, file, owner).map(|()| 0)
        }
        fcntl::F_SETOWN_EX => {
            let owner = match thread.memory().read(structure)? {
                [THREAD | PROCESS | GROUP, 0] => Owner::Nobody,
                [THREAD, tid] => Owner::Thread(Pid(tid)),
                [PROCESS, pid] => Owner::Process(Pid(pid)),
                [GROUP, group] => Owner::Group(Pid(group)),
                _ => return Err(Errno::EINVAL),
            };
            owners.set_owner(world, file, owner).map(|()| 0)
        }
        fcntl::F_GETOWN => Ok(match owners.owner(file) {
            Owner::Nobody => 0,
            Owner::Thread(pid) | Owner::Process(pid) => pid.0,
            Owner::Group(group) => -group.0,
        }),
        _ => {
            let found = match owners.owner(file) {
                Owner::Nobody => [THREAD, 0],
                Owner::Thread(tid) => [THREAD, tid.0],
                Owner::Process(pid) => [PROCESS, pid.0],
                Owner::Group(group) => [GROUP, group.0],
            };
            thread.memory().write(structure, &found).map(|()| 0)
        }
    }
}

/// Sets or clears `O_ASYNC`, which only pipes, sockets and terminals have.
pub(super) fn set_async(
    thread: &Thread,
    file: &Arc<OpenFile>,
    fd: i32,
    wanted: bool,
) -> Result<(), Errno> {
    let owners = &thread.world.async_io;
    if !wanted && !owners.is_watched(file) {
        return Ok(());
    }
    let Object::Host(host) = file.object() else {
        return Ok(());
    };
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&host.fd)?.st_mode);
    match kind {
        FileType::Fifo | FileType::Socket | FileType::CharacterDevice => {
            match owners.watch(&thread.world, file, fd, wanted) {
                // A device that is always ready.
                Err(Errno::EPERM) => Ok(()),
                result => result,
            }
        }
        _ => Ok(()),
    }
}
