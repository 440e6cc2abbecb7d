//! See semget(2), semop(2), semctl(2).

use rawposix_abi::Errno;
use rawposix_abi::structs::{Sembuf, SemidDs, Seminfo, Timespec};
use rawposix_memory::{GuestPtr, GuestSlice};

use super::super::args::{Hex, In, Int, IpcFlags, IpcKey, SemOps, SemaphoreCommand, Uint};
use super::super::time::timeout;
use super::{IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT, count};
use crate::futex::Deadline;
use crate::ipc::semaphore::{GREATEST, OPERATIONS, PER_SET, Question, SETS};
use crate::ipc::{Caller, NO_WAIT, Operation, Settings};
use crate::thread::Thread;

const GETPID: i32 = 11;
const GETVAL: i32 = 12;
const GETALL: i32 = 13;
const GETNCNT: i32 = 14;
const GETZCNT: i32 = 15;
const SETVAL: i32 = 16;
const SETALL: i32 = 17;
const SEM_STAT: i32 = 18;
const SEM_INFO: i32 = 19;
const SEM_STAT_ANY: i32 = 20;

const SEM_UNDO: u32 = 0x1000;
/// What Linux calls the number of all semaphores.
const ALL: i32 = 1_024_000_000;

pub(in crate::syscall) fn semget(
    thread: &mut Thread,
    key: IpcKey,
    count: Int,
    flags: IpcFlags,
) -> Result<i32, Errno> {
    let wanted = (key.0, flags.0);
    thread
        .world
        .ipc
        .semaphores
        .get(&Caller::of(thread), wanted, count.0)
}

pub(in crate::syscall) fn semop(
    thread: &mut Thread,
    id: Int,
    ops: SemOps,
    count: Uint,
) -> Result<(), Errno> {
    operate(thread, id, ops, count, None)
}

pub(in crate::syscall) fn semtimedop_time64(
    thread: &mut Thread,
    id: Int,
    ops: SemOps,
    count: Uint,
    limit: In<Timespec>,
) -> Result<(), Errno> {
    operate(thread, id, ops, count, Some(limit))
}

fn operate(
    thread: &Thread,
    id: Int,
    ops: SemOps,
    count: Uint,
    limit: Option<In<Timespec>>,
) -> Result<(), Errno> {
    // The kernel reads the limit before all else, but judges it last.
    let limit = limit.map(|limit| timeout(thread, limit));
    if let Some(Err(Errno::EFAULT)) = limit {
        return Err(Errno::EFAULT);
    }
    if count.0 < 1 || id.0 < 0 {
        return Err(Errno::EINVAL);
    }
    if count.0 > OPERATIONS {
        return Err(Errno::E2BIG);
    }
    let list = GuestSlice::new(GuestPtr::<Sembuf>::new(ops.0), count.0);
    let operations = thread.memory().read_slice(list)?;
    let deadline = match limit {
        Some(Err(errno)) => return Err(errno),
        Some(Ok(Some(limit))) => Deadline::after(limit),
        Some(Ok(None)) | None => Deadline::Never,
    };
    let operations = operations.iter().map(|operation| {
        let flags = u32::from(operation.flags.cast_unsigned());
        Operation {
            number: operation.number,
            change: operation.change,
            no_wait: flags & NO_WAIT != 0,
            undo: flags & SEM_UNDO != 0,
        }
    });
    let operations = operations.collect();
    thread
        .world
        .ipc
        .semaphores
        .operate(thread, id.0, operations, deadline)
}

pub(in crate::syscall) fn semctl(
    thread: &mut Thread,
    id: Int,
    num: Int,
    cmd: SemaphoreCommand,
    arg: Hex,
) -> Result<i32, Errno> {
    if id.0 < 0 {
        return Err(Errno::EINVAL);
    }
    let caller = Caller::of(thread);
    let sets = &thread.world.ipc.semaphores;
    let memory = thread.memory();
    let structure = GuestPtr::<SemidDs>::new(arg.0);
    let array = GuestPtr::<u16>::new(arg.0);
    let ask = |question| sets.ask(&caller, id.0, num.0, question);
    match cmd.0 {
        GETVAL => ask(Question::Value),
        GETPID => ask(Question::LastProcess),
        GETNCNT => ask(Question::WaitingForMore),
        GETZCNT => ask(Question::WaitingForZero),
        GETALL => {
            let values = sets.values(&caller, id.0)?;
            memory.write_slice(array, &values).map(|()| 0)
        }
        SETVAL => sets
            .set_value(&caller, id.0, num.0, arg.0.cast_signed())
            .map(|()| 0),
        SETALL => {
            let count = sets.count(&caller, id.0)?;
            let values = memory.read_slice(GuestSlice::new(array, count))?;
            sets.set_values(&caller, id.0, &values).map(|()| 0)
        }
        IPC_RMID => sets.remove(&caller, id.0).map(|()| 0),
        IPC_SET => {
            let settings = Settings::of(&memory.read(structure)?.perm);
            sets.set(&caller, id.0, settings).map(|()| 0)
        }
        IPC_STAT => {
            let status = sets.status(&caller, id.0)?;
            memory.write(structure, &status).map(|()| 0)
        }
        SEM_STAT | SEM_STAT_ANY => {
            let checked = (cmd.0 == SEM_STAT).then_some(&caller);
            let (id, status) = sets.status_at(checked, id.0)?;
            memory.write(structure, &status).map(|()| id)
        }
        IPC_INFO | SEM_INFO => {
            let (greatest, used, all) = sets.totals();
            let mut info = Seminfo {
                map: ALL,
                mni: i32::from(SETS),
                mns: ALL,
                mnu: ALL,
                msl: i32::from(PER_SET),
                opm: OPERATIONS.cast_signed(),
                ume: OPERATIONS.cast_signed(),
                usz: 20,
                vmx: GREATEST,
                aem: GREATEST,
            };
            if cmd.0 == SEM_INFO {
                info.usz = count(used);
                info.aem = count(all);
            }
            memory.write(GuestPtr::new(arg.0), &info).map(|()| greatest)
        }
        _ => Err(Errno::EINVAL),
    }
}
