//! See msgget(2), msgop(2), msgctl(2).

use rawposix_abi::Errno;
use rawposix_abi::structs::{Msginfo, MsqidDs};
use rawposix_memory::GuestPtr;

use super::super::args::{Int, IpcFlags, IpcKey, Len, MessageCommand, MessageFlags, Ptr};
use super::{IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT, count};
use crate::ipc::message::{MESSAGE, Message, QUEUE, QUEUES};
use crate::ipc::{Caller, NO_WAIT, Pick, Receive, Settings};
use crate::thread::Thread;

const MSG_STAT: i32 = 11;
const MSG_INFO: i32 = 12;
const MSG_STAT_ANY: i32 = 13;

const MSG_NOERROR: u32 = 0o10_000;
const MSG_EXCEPT: u32 = 0o20_000;
const MSG_COPY: u32 = 0o40_000;

/// Bytes before the text of a message: its kind.
const KIND: u32 = 4;

pub(in crate::syscall) fn msgget(
    thread: &mut Thread,
    key: IpcKey,
    flags: IpcFlags,
) -> Result<i32, Errno> {
    let wanted = (key.0, flags.0);
    thread.world.ipc.messages.get(&Caller::of(thread), wanted)
}

pub(in crate::syscall) fn msgsnd(
    thread: &mut Thread,
    id: Int,
    msg: Ptr,
    size: Len,
    flags: MessageFlags,
) -> Result<(), Errno> {
    let kind: i32 = thread.memory().read(GuestPtr::new(msg.0))?;
    if size.0 > MESSAGE || id.0 < 0 || kind < 1 {
        return Err(Errno::EINVAL);
    }
    let text = GuestPtr::<u8>::new(msg.0)
        .checked_byte_add(KIND)
        .ok_or(Errno::EFAULT)?;
    let mut message = Message {
        kind,
        text: vec![0; usize::try_from(size.0).map_err(|_| Errno::EINVAL)?],
    };
    thread.memory().read_bytes(text, &mut message.text)?;
    let no_wait = flags.0 & NO_WAIT != 0;
    thread
        .world
        .ipc
        .messages
        .send(thread, id.0, message, no_wait)
}

/// The message that msgrcv(2) asks for by a number and flags.
fn pick(kind: i32, flags: u32) -> Result<Pick, Errno> {
    if flags & MSG_COPY != 0 {
        if flags & MSG_EXCEPT != 0 || flags & NO_WAIT == 0 {
            return Err(Errno::EINVAL);
        }
        return Ok(Pick::Copy(kind.cast_unsigned()));
    }
    Ok(match kind {
        0 => Pick::Any,
        kind if kind < 0 => Pick::UpTo(kind.checked_neg().unwrap_or(i32::MAX)),
        kind if flags & MSG_EXCEPT != 0 => Pick::Except(kind),
        kind => Pick::Kind(kind),
    })
}

pub(in crate::syscall) fn msgrcv(
    thread: &mut Thread,
    id: Int,
    msg: Ptr,
    size: Len,
    kind: Int,
    flags: MessageFlags,
) -> Result<usize, Errno> {
    if id.0 < 0 || size.0.cast_signed() < 0 {
        return Err(Errno::EINVAL);
    }
    let receive = Receive {
        pick: pick(kind.0, flags.0)?,
        room: size.0,
        cut: flags.0 & MSG_NOERROR != 0,
        no_wait: flags.0 & NO_WAIT != 0,
    };
    let message = thread.world.ipc.messages.receive(thread, id.0, receive)?;
    let room = usize::try_from(size.0).unwrap_or(usize::MAX);
    let text = message.text.get(..room).unwrap_or(&message.text);
    let start = GuestPtr::<u8>::new(msg.0);
    let place = start.checked_byte_add(KIND).ok_or(Errno::EFAULT)?;
    thread.memory().write(start.cast(), &message.kind)?;
    thread.memory().write_bytes(place, text)?;
    Ok(text.len())
}

pub(in crate::syscall) fn msgctl(
    thread: &mut Thread,
    id: Int,
    cmd: MessageCommand,
    buf: Ptr,
) -> Result<i32, Errno> {
    if id.0 < 0 || cmd.0 < 0 {
        return Err(Errno::EINVAL);
    }
    let caller = Caller::of(thread);
    let queues = &thread.world.ipc.messages;
    let memory = thread.memory();
    let structure = GuestPtr::<MsqidDs>::new(buf.0);
    match cmd.0 {
        IPC_RMID => queues.remove(&caller, id.0).map(|()| 0),
        IPC_SET => {
            let wanted = memory.read(structure)?;
            let settings = Settings::of(&wanted.perm);
            queues
                .set(&caller, id.0, settings, wanted.qbytes)
                .map(|()| 0)
        }
        IPC_STAT => {
            let status = queues.status(&caller, id.0)?;
            memory.write(structure, &status).map(|()| 0)
        }
        MSG_STAT | MSG_STAT_ANY => {
            let checked = (cmd.0 == MSG_STAT).then_some(&caller);
            let (id, status) = queues.status_at(checked, id.0)?;
            memory.write(structure, &status).map(|()| id)
        }
        IPC_INFO | MSG_INFO => {
            let (greatest, used, messages, bytes) = queues.totals();
            let limit = QUEUE.cast_signed();
            let mut info = Msginfo {
                pool: i32::from(QUEUES) * limit / 1024,
                map: limit,
                max: MESSAGE.cast_signed(),
                mnb: limit,
                mni: i32::from(QUEUES),
                ssz: 16,
                tql: limit,
                seg: 0xffff,
                ..Msginfo::default()
            };
            if cmd.0 == MSG_INFO {
                info.pool = count(used);
                info.map = count(messages);
                info.tql = i32::try_from(bytes).unwrap_or(i32::MAX);
            }
            memory.write(GuestPtr::new(buf.0), &info).map(|()| greatest)
        }
        _ => Err(Errno::EINVAL),
    }
}
