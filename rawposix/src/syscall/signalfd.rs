//! Descriptors from which signals are read. See signalfd(2).

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::flags::{OpenFlags, SignalfdFlags};
use rawposix_abi::structs::{Siginfo, SignalfdSiginfo};
use rawposix_abi::{Errno, Signal, SignalSet};
use rustix::event::PollFlags;
use zerocopy::IntoBytes;

use super::args::{Fd, In, Len};
use crate::cage::{Pid, Process};
use crate::fd::{Bell, CloseOnExec, OpenFile, OwnFile, Ready, Watcher};
use crate::signal::{SI_KERNEL, SI_TIMER};
use crate::thread::Thread;

/// Signals that are read from a descriptor instead of being handled. What is pending is the reader's matter, not the
/// opener's: every thread that waits has a bell of its own, and every process whose epoll sets it is in.
#[derive(Debug)]
pub(crate) struct SignalFile {
    /// For the processes whose signals it shows.
    me: Weak<Self>,
    wanted: Mutex<SignalSet>,
    bells: Mutex<Vec<OwnedBell>>,
}

#[derive(Debug)]
struct OwnedBell {
    process: Weak<Process>,
    /// The thread whose signals it shows beside its process's; those of all of them if there is none.
    tid: Option<Pid>,
    bell: Arc<Bell>,
}

impl OwnedBell {
    fn show(&self, process: &Process, wanted: SignalSet) {
        self.bell.show(|| {
            let pending = process.pending_for(self.tid);
            Ready::reading(pending.bits() & wanted.bits() != 0)
        });
    }
}

impl SignalFile {
    fn wanted(&self) -> SignalSet {
        *self.wanted.lock()
    }

    /// The pending signals of a process have changed.
    pub(crate) fn pending_has_changed(&self, process: &Process) {
        let wanted = self.wanted();
        for owned in self.bells.lock().iter() {
            if std::ptr::eq(owned.process.as_ptr(), process) {
                owned.show(process, wanted);
            }
        }
    }

    fn want(&self, signals: SignalSet) {
        *self.wanted.lock() = signals;
        for owned in self.bells.lock().iter() {
            if let Some(process) = owned.process.upgrade() {
                owned.show(&process, signals);
            }
        }
    }
}

impl OwnFile for SignalFile {
    fn label(&self) -> String {
        String::from("anon_inode:[signalfd]")
    }

    fn details(&self) -> String {
        format!("sigmask:\t{:016x}\n", self.wanted().bits())
    }

    fn events(&self) -> PollFlags {
        PollFlags::IN
    }

    fn bell(&self, thread: &Thread, watcher: Watcher) -> Result<Arc<Bell>, Errno> {
        let tid = (watcher == Watcher::Thread).then(|| thread.tid());
        let process = &thread.process;
        let mut bells = self.bells.lock();
        let known = bells.iter().find(|owned| {
            owned.tid == tid && std::ptr::eq(owned.process.as_ptr(), Arc::as_ptr(process))
        });
        if let Some(owned) = known {
            return Ok(Arc::clone(&owned.bell));
        }
        // Those of threads that are no more go.
        bells.retain(|owned| {
            let process = owned.process.upgrade();
            process.is_some_and(|process| owned.tid.is_none_or(|tid| process.task(tid).is_some()))
        });
        let bell = Arc::new(Bell::new()?);
        let owned = OwnedBell {
            process: Arc::downgrade(process),
            tid,
            bell: Arc::clone(&bell),
        };
        process.signals.watch(self.me.clone());
        owned.show(process, self.wanted());
        bells.push(owned);
        Ok(bell)
    }

    fn read(&self, thread: &Thread, room: usize, wait: bool) -> Result<Vec<u8>, Errno> {
        let count = room / size_of::<SignalfdSiginfo>();
        if count == 0 {
            return Err(Errno::EINVAL);
        }
        let mut bytes = Vec::new();
        for _ in 0..count {
            let info = match thread.take_signal(self.wanted()) {
                Some(info) => info,
                None if !bytes.is_empty() => break,
                None if wait => self.wait(thread)?,
                None => return Err(Errno::EAGAIN),
            };
            bytes.extend_from_slice(description(&info).as_bytes());
        }
        Ok(bytes)
    }
}

impl SignalFile {
    fn wait(&self, thread: &Thread) -> Result<Siginfo, Errno> {
        let bell = self.bell(thread, Watcher::Thread)?;
        loop {
            if let Some(info) = thread.take_signal(self.wanted()) {
                return Ok(info);
            }
            bell.wait(thread, PollFlags::IN)?;
        }
    }
}

/// What read(2) gives of a signal: the fields that signals of its kind have.
fn description(info: &Siginfo) -> SignalfdSiginfo {
    let [first, second, third, fourth, fifth, ..] = info.fields;
    let common = SignalfdSiginfo {
        signo: info.signo.cast_unsigned(),
        errno: info.errno,
        code: info.code,
        ..SignalfdSiginfo::default()
    };
    let of_kind = (1..SI_KERNEL).contains(&info.code);
    let signal = Signal::from_raw(info.signo.cast_unsigned());
    match signal {
        _ if info.code == SI_TIMER => SignalfdSiginfo {
            tid: first,
            overrun: second,
            int: third.cast_signed(),
            ptr: u64::from(third),
            ..common
        },
        _ if info.code < 0 => SignalfdSiginfo {
            pid: first,
            uid: second,
            int: third.cast_signed(),
            ptr: u64::from(third),
            ..common
        },
        Some(Signal::SIGCHLD) if of_kind => SignalfdSiginfo {
            pid: first,
            uid: second,
            status: third.cast_signed(),
            utime: u64::from(fourth),
            stime: u64::from(fifth),
            ..common
        },
        Some(Signal::SIGIO) if of_kind => SignalfdSiginfo {
            band: first,
            fd: second.cast_signed(),
            ..common
        },
        Some(
            Signal::SIGSEGV | Signal::SIGBUS | Signal::SIGILL | Signal::SIGFPE | Signal::SIGTRAP,
        ) if of_kind => SignalfdSiginfo {
            addr: u64::from(first),
            ..common
        },
        _ => SignalfdSiginfo {
            pid: first,
            uid: second,
            ..common
        },
    }
}

pub(super) fn signalfd4(
    thread: &mut Thread,
    fd: Fd,
    mask: In<u64>,
    size: Len,
    flags: SignalfdFlags,
) -> Result<i32, Errno> {
    super::signal::check_size(size)?;
    let wanted = SignalSet::from_bits(thread.memory().read(mask.0)?).blockable();
    if fd.0 != -1 {
        let file = thread.file(fd.0)?;
        file.own::<SignalFile>().ok_or(Errno::EINVAL)?.want(wanted);
        return Ok(fd.0);
    }
    let file = Arc::new_cyclic(|me| SignalFile {
        me: me.clone(),
        wanted: Mutex::new(wanted),
        bells: Mutex::default(),
    });
    let mut open = OpenFlags::RDWR;
    open.set(OpenFlags::NONBLOCK, flags.contains(SignalfdFlags::NONBLOCK));
    let file = OpenFile::own_file(file, open);
    let close_on_exec = CloseOnExec::from_flag(flags.contains(SignalfdFlags::CLOEXEC));
    thread.process.install(file, close_on_exec)
}
