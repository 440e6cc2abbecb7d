//! Descriptors of processes. See pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).

use std::sync::{Arc, Weak};

use rawposix_abi::Errno;
use rawposix_abi::flags::{OpenFlags, PidfdFlags};
use rawposix_abi::structs::Siginfo;
use rustix::event::PollFlags;

use super::args::{Fd, Hex, In, Int, Pid, SignalArg};
use super::signal::{optional, queued, send};
use crate::cage::{Pid as Id, Process};
use crate::fd::{Bell, CloseOnExec, Object, OpenFile, OwnFile, Watcher};
use crate::fs::dir::Dir;
use crate::fs::procfs::{ProcDir, Who};
use crate::signal::{SI_USER, Target, from_process};
use crate::thread::Thread;

/// What a descriptor of a process refers to. It stays this process's when its id is another one's.
#[derive(Debug)]
pub(crate) struct PidFile {
    pid: Id,
    process: Weak<Process>,
    bell: Arc<Bell>,
}

impl PidFile {
    fn new(process: &Arc<Process>) -> Result<Self, Errno> {
        let bell = Arc::new(Bell::new()?);
        process.death.watch(&bell);
        Ok(Self {
            pid: process.pid,
            process: Arc::downgrade(process),
            bell,
        })
    }

    /// The process, until it is reaped.
    pub(crate) fn process(&self, thread: &Thread) -> Option<Arc<Process>> {
        let process = self.process.upgrade()?;
        let known = thread.world.family.process(self.pid)?;
        Arc::ptr_eq(&process, &known).then_some(process)
    }
}

impl OwnFile for PidFile {
    fn label(&self) -> String {
        String::from("anon_inode:[pidfd]")
    }

    fn details(&self) -> String {
        let known = self.process.upgrade().filter(|process| {
            let now = process.world().family.process(self.pid);
            now.is_some_and(|now| Arc::ptr_eq(&now, process))
        });
        let pid = if known.is_some() { self.pid.0 } else { -1 };
        format!("Pid:\t{pid}\nNSpid:\t{pid}\n")
    }

    fn events(&self) -> PollFlags {
        PollFlags::IN | PollFlags::RDNORM
    }

    fn bell(&self, _: &Thread, _: Watcher) -> Result<Arc<Bell>, Errno> {
        Ok(Arc::clone(&self.bell))
    }
}

/// A new description of a process.
pub(crate) fn describe(process: &Arc<Process>, flags: PidfdFlags) -> Result<Arc<OpenFile>, Errno> {
    let mut open = OpenFlags::RDWR;
    open.set(OpenFlags::NONBLOCK, flags.contains(PidfdFlags::NONBLOCK));
    Ok(OpenFile::own_file(Arc::new(PidFile::new(process)?), open))
}

pub(super) fn pidfd_open(thread: &mut Thread, pid: Pid, flags: PidfdFlags) -> Result<i32, Errno> {
    if pid.0 <= 0 {
        return Err(Errno::EINVAL);
    }
    let Some(process) = thread.world.family.process(Id(pid.0)) else {
        // Another thread than a process's first has none.
        thread.find_thread(Id(pid.0))?;
        return Err(Errno::EINVAL);
    };
    let file = describe(&process, flags)?;
    thread.process.install(file, CloseOnExec::Yes)
}

pub(super) fn pidfd_getfd(
    thread: &mut Thread,
    pidfd: Fd,
    target: Int,
    flags: Hex,
) -> Result<i32, Errno> {
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(pidfd.0)?;
    let pid_file = file.own::<PidFile>().ok_or(Errno::EBADF)?;
    let process = pid_file.process(thread).ok_or(Errno::ESRCH)?;
    if !process.may_be_inspected(&thread.process) {
        return Err(Errno::EPERM);
    }
    let wanted = process.file(target.0)?;
    thread.process.install(wanted, CloseOnExec::Yes)
}

pub(super) fn pidfd_send_signal(
    thread: &mut Thread,
    pidfd: Fd,
    number: SignalArg,
    info: In<Siginfo>,
    flags: Hex,
) -> Result<(), Errno> {
    if flags.0 != 0 {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(pidfd.0)?;
    let process = match (file.object(), file.own::<PidFile>()) {
        (_, Some(pid_file)) => pid_file.process(thread),
        // An open directory of /proc stands for its process as well.
        (Object::Dir(dir), None) => match dir.dir {
            Dir::Proc(ProcDir::Process(Who { pid, thread: None })) => {
                thread.world.family.process(pid)
            }
            _ => return Err(Errno::EBADF),
        },
        _ => return Err(Errno::EBADF),
    };
    if info.0.is_null() {
        let signal = optional(number)?;
        let process = process.ok_or(Errno::ESRCH)?;
        let sender = thread.process.as_sender();
        let info = |signal| from_process(signal, SI_USER, sender);
        return send(thread, &process, signal, info, Target::Process);
    }
    let given: Siginfo = thread.memory().read(info.0)?;
    if given.signo.cast_unsigned() != number.0 {
        return Err(Errno::EINVAL);
    }
    let process = process.ok_or(Errno::ESRCH)?;
    let (signal, info) = queued(thread, process.pid, number, info)?;
    send(thread, &process, signal, |_| info, Target::Process)
}
