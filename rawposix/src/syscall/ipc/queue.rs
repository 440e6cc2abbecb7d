//! See mq_overview(7).

use rawposix_abi::flags::OpenFlags;
use rawposix_abi::flags::family::AF_NETLINK;
use rawposix_abi::structs::{MqAttr, Sigevent, Timespec};
use rawposix_abi::{Errno, Signal};
use rawposix_memory::GuestPtr;
use rustix::time::ClockId;

use super::super::args::{Fd, In, InBuf, Len, Mode, Out, OutBuf, Str, Uint};
use super::super::time::timeout;
use crate::fd::{CloseOnExec, Object, OpenFile};
use crate::fs::PATH_MAX;
use crate::futex::Deadline;
use crate::ipc::queue::{COOKIE, Letter, Notice, PRIORITIES, QueueFile, QueueRequest, Size};
use crate::signal::from_queue;
use crate::thread::Thread;

const SIGEV_SIGNAL: i32 = 0;
const SIGEV_NONE: i32 = 1;
const SIGEV_THREAD: i32 = 2;
/// Bytes of a name.
const NAME_MAX: usize = 255;

/// The name of a queue, which the C library gives without its first slash.
fn name(thread: &Thread, name: Str) -> Result<Vec<u8>, Errno> {
    let name = thread.memory().read_cstr(name.0, PATH_MAX)?.into_bytes();
    match &*name {
        b"" => Err(Errno::ENOENT),
        b"." | b".." => Err(Errno::EACCES),
        name if name.contains(&b'/') => Err(Errno::EACCES),
        name if name.len() > NAME_MAX => Err(Errno::ENAMETOOLONG),
        _ => Ok(name),
    }
}

pub(in crate::syscall) fn mq_open(
    thread: &mut Thread,
    path: Str,
    flags: OpenFlags,
    mode: Mode,
    attr: In<MqAttr>,
) -> Result<i32, Errno> {
    let attr = match attr.0.non_null() {
        Some(ptr) => Some(thread.memory().read(ptr)?),
        None => None,
    };
    let size = match attr {
        Some(attr) => Size::new(attr.maxmsg, attr.msgsize),
        None => Ok(Size::default()),
    };
    let name = name(thread, path)?;
    let request = QueueRequest {
        name,
        flags,
        mode: mode.0 & 0o777 & !thread.process.umask().0,
        size,
    };
    let file = thread.world.ipc.queues.open(thread, request)?;
    let mut open = flags;
    open.remove(OpenFlags::CREAT | OpenFlags::EXCL);
    let file = OpenFile::own_file(file, open);
    thread.process.install(file, CloseOnExec::Yes)
}

pub(in crate::syscall) fn mq_unlink(thread: &mut Thread, path: Str) -> Result<(), Errno> {
    let name = name(thread, path)?;
    thread.world.ipc.queues.unlink(thread, &name)
}

/// How long a call waits: not at all with `O_NONBLOCK`.
fn patience(file: &OpenFile, limit: Option<rustix::time::Timespec>) -> Option<Deadline> {
    match file.object() {
        Object::Own(own) if own.is_nonblocking() => None,
        _ => Some(limit.map_or(Deadline::Never, |limit| {
            Deadline::at(limit, ClockId::Realtime)
        })),
    }
}

pub(in crate::syscall) fn mq_timedsend_time64(
    thread: &mut Thread,
    mq: Fd,
    msg: InBuf,
    len: Len,
    prio: Uint,
    limit: In<Timespec>,
) -> Result<(), Errno> {
    let limit = timeout(thread, limit)?;
    if prio.0 >= PRIORITIES {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(mq.0)?;
    let open = file.own::<QueueFile>().ok_or(Errno::EBADF)?;
    if !open.writes {
        return Err(Errno::EBADF);
    }
    if len.0 > open.queue.size.message {
        return Err(Errno::EMSGSIZE);
    }
    let mut letter = Letter {
        priority: prio.0,
        text: vec![0; usize::try_from(len.0).map_err(|_| Errno::EMSGSIZE)?],
    };
    thread.memory().read_bytes(msg.0, &mut letter.text)?;
    open.queue.send(thread, letter, patience(&file, limit))
}

pub(in crate::syscall) fn mq_timedreceive_time64(
    thread: &mut Thread,
    mq: Fd,
    msg: OutBuf,
    len: Len,
    prio: Out<u32>,
    limit: In<Timespec>,
) -> Result<usize, Errno> {
    let limit = timeout(thread, limit)?;
    let file = thread.file(mq.0)?;
    let open = file.own::<QueueFile>().ok_or(Errno::EBADF)?;
    if !open.reads {
        return Err(Errno::EBADF);
    }
    if len.0 < open.queue.size.message {
        return Err(Errno::EMSGSIZE);
    }
    let letter = open.queue.receive(thread, patience(&file, limit))?;
    if let Some(ptr) = prio.0.non_null() {
        thread.memory().write(ptr, &letter.priority)?;
    }
    thread.memory().write_bytes(msg.0, &letter.text)?;
    Ok(letter.text.len())
}

pub(in crate::syscall) fn mq_notify(
    thread: &mut Thread,
    mq: Fd,
    event: In<Sigevent>,
) -> Result<(), Errno> {
    let event = match event.0.non_null() {
        Some(ptr) => Some(thread.memory().read(ptr)?),
        None => None,
    };
    let notice = event.map(|event| notice(thread, &event)).transpose()?;
    let file = thread.file(mq.0)?;
    let queue = &file.own::<QueueFile>().ok_or(Errno::EBADF)?.queue;
    match notice {
        Some(notice) => queue.register(&thread.process, notice),
        None => {
            queue.unregister(thread.process.pid);
            Ok(())
        }
    }
}

/// How mq_notify(3) wants its process to be told.
fn notice(thread: &Thread, event: &Sigevent) -> Result<Notice, Errno> {
    match event.notify {
        SIGEV_NONE => Ok(Notice::None),
        SIGEV_SIGNAL if event.signo == 0 => Ok(Notice::None),
        SIGEV_SIGNAL => {
            let number = u32::try_from(event.signo).map_err(|_| Errno::EINVAL)?;
            let signal = Signal::from_raw(number).ok_or(Errno::EINVAL)?;
            Ok(Notice::Signal(from_queue(signal, event.value)))
        }
        SIGEV_THREAD => {
            let mut cookie = [0; COOKIE];
            let place = GuestPtr::new(event.value);
            thread.memory().read_bytes(place, &mut cookie)?;
            let socket = thread.file(event.signo)?;
            let host = socket.host().map_err(|_| Errno::ENOTSOCK)?;
            if host.socket()?.domain != AF_NETLINK {
                return Err(Errno::EINVAL);
            }
            Ok(Notice::Thread { socket, cookie })
        }
        _ => Err(Errno::EINVAL),
    }
}

pub(in crate::syscall) fn mq_getsetattr(
    thread: &mut Thread,
    mq: Fd,
    new: In<MqAttr>,
    old: Out<MqAttr>,
) -> Result<(), Errno> {
    const NONBLOCK: i32 = OpenFlags::NONBLOCK.bits().cast_signed();
    let new = match new.0.non_null() {
        Some(ptr) => Some(thread.memory().read(ptr)?),
        None => None,
    };
    if new.is_some_and(|new| new.flags & !NONBLOCK != 0) {
        return Err(Errno::EINVAL);
    }
    let file = thread.file(mq.0)?;
    let (Object::Own(own), Some(open)) = (file.object(), file.own::<QueueFile>()) else {
        return Err(Errno::EBADF);
    };
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let was = MqAttr {
        flags: if own.is_nonblocking() { NONBLOCK } else { 0 },
        maxmsg: number(open.queue.size.messages),
        msgsize: number(open.queue.size.message),
        curmsgs: number(open.queue.count()),
        ..MqAttr::default()
    };
    if let Some(new) = new {
        own.set_nonblocking(new.flags != 0);
    }
    match old.0.non_null() {
        Some(ptr) => thread.memory().write(ptr, &was),
        None => Ok(()),
    }
}
