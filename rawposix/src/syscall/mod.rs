//! System calls: from the list to the handlers, one file a family.

mod aio;
pub(crate) mod args;
mod attributes;
mod clone;
mod compare;
mod control;
mod epoll;
mod exec;
mod extensible;
mod futex;
mod futex_waitv;
mod identity;
mod inotify;
mod io;
mod io_priority;
mod ioctl;
mod ipc;
mod landlock;
mod membarrier;
mod memory;
mod message;
mod metadata;
mod network;
mod network_ioctl;
mod open;
mod owner;
mod path;
pub(crate) mod pidfd;
mod poll;
mod process;
mod process_memory;
mod room;
mod schedule;
mod schedule_attributes;
mod seccomp;
mod signal;
pub(crate) mod signalfd;
mod socket_options;
mod splice;
mod storage;
mod system;
mod time;
mod timer;
mod timerfd;
pub(crate) mod wait;

pub(crate) use epoll::{FEW_EVENTS, write_events};
pub(crate) use futex::futex_waits_for_lock;
pub(crate) use io::{is_special, is_special_to_write};
pub(crate) use wait::child_info;

use rawposix_abi::Errno;
use rawposix_abi::flags::{
    AccessMode, AtFlags, CloneFlags, CloseRangeFlags, DupFlags, EventfdFlags, FallocMode, FlockOp,
    GetrandomFlags, MapFlags, MemfdFlags, MremapFlags, MsgFlags, MsyncFlags, OpenFlags, PidfdFlags,
    PipeFlags, Prot, RenameFlags, RwFlags, SeccompFlags, SignalfdFlags, SockFlags, SpliceFlags,
    StatxMask, TimerFlags, XattrFlags,
};
use rawposix_abi::structs::{
    AioSigset, CapHeader, EpollEvent, FdPair, Iocb, Itimerspec, Itimerval, MqAttr, OpenHow,
    Rlimit64, Rusage, Sigaction, Sigevent, Siginfo, StackT, Statfs64, Statx, Sysinfo, Timespec,
    TimespecPair, Timex, Tms, Utsname,
};

use args::{
    AioContext, Argument, Argv, ClockId, CloneWord, DirFd, Envp, EpollOp, Family, FcntlCmd, Fd,
    FutexOp, Gid, Hex, Hex64, IdType, In, InAddr, InBuf, InMsg, InOption, InOut, Int, IntoWord,
    IoCbs, IoEvents, IoVec, IoctlCmd, IpcFlags, IpcKey, KcmpType, Len, MessageCommand,
    MessageFlags, Mode, Off, Out, OutAddr, OutBuf, OutMsg, OutOption, OutStr, Path, Pid, PollFds,
    PrctlOption, Ptr, Resource, SeccompOperation, SegmentCommand, SegmentFlags, SemOps,
    SemaphoreCommand, ShutdownHow, SigHow, SignalArg, SocketKind, SocketLevel, SocketOption, Str,
    Uid, Uint, WaitOptions, WaitStatus, Whence, Words,
};

use crate::cage::usage::Transfers;
use crate::clone::CLONE_FROM_BLOCK;
use crate::thread::Thread;
use crate::trace::Shown;

macro_rules! dispatch {
    ($($family:ident {$(
        $number:literal $name:ident($($parameter:ident: $kind:ty),*) -> $result:ident: $level:ident $($note:literal)?;
    )*})*) => {
        /// Decodes the arguments of a call and runs its handler. The result is the word for the guest.
        pub(crate) fn perform(thread: &mut Thread, number: i32, words: [u32; 6]) -> Result<i32, Errno> {
            match number {
                $($($number => dispatch!(@call $level $family $name ($($parameter: $kind),*) thread words),)*)*
                CLONE_FROM_BLOCK => clone::from_block(thread, words),
                _ => Err(Errno::ENOSYS),
            }
        }

        /// Shows the arguments of a call, as strace does.
        pub(crate) fn show(number: i32, words: [u32; 6], shown: &mut Shown<'_>) {
            let mut words = Words::new(words);
            match number {
                $($($number => { $(shown.argument::<$kind>(&mut words);)* })*)*
                _ => {}
            }
            let _ = words;
        }
    };
    (@call absent $family:ident $name:ident $parameters:tt $thread:ident $words:ident) => {{
        let _ = $words;
        Err(Errno::ENOSYS)
    }};
    (@call denied $family:ident $name:ident $parameters:tt $thread:ident $words:ident) => {{
        let _ = $words;
        Err(Errno::EPERM)
    }};
    (@call $level:ident $family:ident $name:ident ($($parameter:ident: $kind:ty),*) $thread:ident $words:ident) => {{
        #[allow(unused_mut, unused_variables, reason = "a call without arguments decodes none")]
        let mut words = Words::new($words);
        $(let $parameter = <$kind as Argument>::decode(&mut words)?;)*
        $family::$name($thread, $($parameter),*).map(IntoWord::into_word)
    }};
}

rawposix_abi::syscalls!(dispatch);

/// Counts what a call has moved that goes the long way, by its number.
pub(crate) fn count(transfers: &Transfers, number: i32, result: Result<i32, Errno>) {
    let moved = || result.map(|word| usize::try_from(word).unwrap_or(0));
    match number {
        // read, readv, pread64, preadv, preadv2
        63 | 65 | 67 | 69 | 286 => transfers.has_read(moved()),
        // write, writev, pwrite64, pwritev, pwritev2
        64 | 66 | 68 | 70 | 287 => transfers.has_written(moved()),
        // sendfile64, copy_file_range
        71 | 285 => {
            transfers.has_read(moved());
            transfers.has_written(moved());
        }
        _ => {}
    }
}
