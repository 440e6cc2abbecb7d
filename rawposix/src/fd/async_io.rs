//! Signals that tell of input and output: `O_ASYNC` and the owners of descriptions, see fcntl(2).
//!
//! The host's own signals cannot say which guest they are for. One host thread per sandbox waits, edge by edge, for the
//! descriptors with `O_ASYNC` and sends the signals; it begins with the first of them.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::structs::Siginfo;
use rawposix_abi::{Errno, Signal};
use rustix::event::{EventfdFlags, PollFd, PollFlags, epoll};

use super::{HostFile, OpenFile};
use crate::cage::Pid;
use crate::sandbox::World;
use crate::signal::{Target, from_io, from_system};

/// Who gets the signals of a description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owner {
    #[default]
    Nobody,
    Thread(Pid),
    Process(Pid),
    Group(Pid),
}

/// What is kept for a description that has an owner, a signal or `O_ASYNC`.
#[derive(Debug)]
struct Entry {
    file: Weak<OpenFile>,
    world: Weak<World>,
    owner: Owner,
    /// Instead of SIGIO, and then with what has happened.
    signal: Option<Signal>,
    /// The descriptor that the signal names, and whether there is `O_ASYNC`.
    fd: i32,
    watched: bool,
    /// The descriptor was ready when the watch began, which is no news.
    stale: bool,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<u64, Entry>,
    numbers: HashMap<usize, u64>,
    last: u64,
    /// What the thread waits with, once there is one.
    host: Option<Arc<Host>>,
}

/// The host's descriptors of the thread.
#[derive(Debug)]
struct Host {
    set: OwnedFd,
    /// Ready when the sandbox ends.
    end: OwnedFd,
}

/// The number that stands for the end of the sandbox.
const END: u64 = 0;

/// The descriptions of a sandbox that have owners.
#[derive(Debug, Default)]
pub(crate) struct AsyncIo {
    state: Arc<Mutex<State>>,
}

impl Drop for AsyncIo {
    fn drop(&mut self) {
        if let Some(host) = &self.state.lock().host {
            let _ = rustix::io::write(&host.end, &1_u64.to_ne_bytes());
        }
    }
}

impl State {
    fn number(&self, file: &Arc<OpenFile>) -> Option<u64> {
        let number = self.numbers.get(&Arc::as_ptr(file).addr())?;
        let entry = self.entries.get(number)?;
        std::ptr::eq(entry.file.as_ptr(), Arc::as_ptr(file)).then_some(*number)
    }

    fn entry(&self, file: &Arc<OpenFile>) -> Option<&Entry> {
        self.entries.get(&self.number(file)?)
    }

    /// The entry of a description, made if there is none.
    fn entry_mut(&mut self, world: &Arc<World>, file: &Arc<OpenFile>) -> (u64, &mut Entry) {
        let number = match self.number(file) {
            Some(number) => number,
            None => {
                self.entries
                    .retain(|_, entry| entry.file.strong_count() > 0);
                let entries = &self.entries;
                self.numbers
                    .retain(|_, number| entries.contains_key(number));
                self.last += 1;
                self.numbers.insert(Arc::as_ptr(file).addr(), self.last);
                self.last
            }
        };
        let entry = self.entries.entry(number).or_insert_with(|| Entry {
            file: Arc::downgrade(file),
            world: Arc::downgrade(world),
            owner: Owner::Nobody,
            signal: None,
            fd: -1,
            watched: false,
            stale: false,
        });
        (number, entry)
    }
}

impl AsyncIo {
    /// F_GETOWN_EX.
    pub(crate) fn owner(&self, file: &Arc<OpenFile>) -> Owner {
        let state = self.state.lock();
        state.entry(file).map_or(Owner::Nobody, |entry| entry.owner)
    }

    /// F_SETOWN_EX: `ESRCH` for an owner that is not there.
    pub(crate) fn set_owner(
        &self,
        world: &Arc<World>,
        file: &Arc<OpenFile>,
        owner: Owner,
    ) -> Result<(), Errno> {
        let family = &world.family;
        let is_there = match owner {
            Owner::Nobody => true,
            Owner::Thread(tid) | Owner::Process(tid) => family.has_thread(tid),
            Owner::Group(group) => !family.group(group).is_empty(),
        };
        if !is_there {
            return Err(Errno::ESRCH);
        }
        self.state.lock().entry_mut(world, file).1.owner = owner;
        Ok(())
    }

    /// F_GETSIG: `None` for SIGIO.
    pub(crate) fn signal(&self, file: &Arc<OpenFile>) -> Option<Signal> {
        self.state.lock().entry(file).and_then(|entry| entry.signal)
    }

    /// F_SETSIG.
    pub(crate) fn set_signal(
        &self,
        world: &Arc<World>,
        file: &Arc<OpenFile>,
        signal: Option<Signal>,
    ) {
        self.state.lock().entry_mut(world, file).1.signal = signal;
    }

    /// Whether the description has `O_ASYNC`.
    pub(crate) fn is_watched(&self, file: &Arc<OpenFile>) -> bool {
        self.state
            .lock()
            .entry(file)
            .is_some_and(|entry| entry.watched)
    }

    /// Sets or clears `O_ASYNC`; `fd` is the descriptor that signals will name.
    pub(crate) fn watch(
        &self,
        world: &Arc<World>,
        file: &Arc<OpenFile>,
        fd: i32,
        wanted: bool,
    ) -> Result<(), Errno> {
        let host = file.host()?;
        let mut state = self.state.lock();
        if state.entry(file).is_some_and(|entry| entry.watched) == wanted {
            return Ok(());
        }
        let stale = wanted && is_ready(host)?;
        let set = self.thread(&mut state)?;
        let (number, entry) = state.entry_mut(world, file);
        entry.watched = wanted;
        entry.fd = fd;
        if !wanted {
            return Ok(epoll::delete(&set.set, &host.fd)?);
        }
        entry.stale = stale;
        let events = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::PRI
            | epoll::EventFlags::ET;
        let data = epoll::EventData::new_u64(number);
        epoll::add(&set.set, &host.fd, data, events).inspect_err(|_| entry.watched = false)?;
        Ok(())
    }

    /// Urgent data was sent to the socket of the sandbox with this number: SIGURG for who owns its description.
    pub(crate) fn urgent(&self, world: &World, inode: u64) {
        let owned: Vec<_> = {
            let state = self.state.lock();
            let entries = state.entries.values();
            entries
                .filter_map(|entry| Some((entry.file.upgrade()?, entry.owner)))
                .collect()
        };
        for (file, owner) in owned {
            let local = file.host().ok().and_then(|host| host.socket().ok());
            let local = local.and_then(|socket| socket.local());
            if local.is_some_and(|local| local.inode() == inode) {
                deliver(world, owner, from_system(Signal::SIGURG));
            }
        }
    }

    /// The thread that waits, started if there is none.
    fn thread(&self, state: &mut State) -> Result<Arc<Host>, Errno> {
        if let Some(host) = &state.host {
            return Ok(Arc::clone(host));
        }
        let host = Arc::new(Host {
            set: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            end: rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?,
        });
        let data = epoll::EventData::new_u64(END);
        epoll::add(&host.set, &host.end, data, epoll::EventFlags::IN)?;
        let (own, shared) = (Arc::clone(&host), Arc::clone(&self.state));
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || run(&own, &shared))
            .map_err(|_| Errno::EAGAIN)?;
        state.host = Some(Arc::clone(&host));
        Ok(host)
    }
}

fn is_ready(host: &HostFile) -> Result<bool, Errno> {
    let fd = host.fd.as_fd();
    let mut polled = [PollFd::from_borrowed_fd(
        fd,
        PollFlags::IN | PollFlags::OUT | PollFlags::PRI,
    )];
    let none = rustix::time::Timespec::default();
    Ok(rustix::event::poll(&mut polled, Some(&none))? > 0)
}

fn run(host: &Host, state: &Mutex<State>) {
    let mut events: Vec<epoll::Event> = Vec::with_capacity(16);
    loop {
        events.clear();
        let room = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&host.set, room, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        for event in &events {
            // Copies: the host's structure is packed.
            let (number, flags) = ({ event.data }.u64(), { event.flags });
            if number == END {
                return;
            }
            tell(state, number, flags);
        }
    }
}

/// Sends the signal of a description.
fn tell(state: &Mutex<State>, number: u64, flags: epoll::EventFlags) {
    let (world, owner, signal, fd) = {
        let mut state = state.lock();
        let Some(entry) = state.entries.get_mut(&number) else {
            return;
        };
        if std::mem::take(&mut entry.stale) || !entry.watched {
            return;
        }
        let Some(world) = entry.world.upgrade() else {
            return;
        };
        (world, entry.owner, entry.signal, entry.fd)
    };
    let info = match signal {
        None => from_system(Signal::SIGIO),
        Some(signal) => {
            // POLL_HUP, POLL_IN, POLL_PRI, POLL_OUT, and the events of poll(2) that they stand for.
            let (code, band) = if flags.contains(epoll::EventFlags::HUP) {
                (6, 0x18)
            } else if flags.contains(epoll::EventFlags::IN) {
                (1, 0x41)
            } else if flags.contains(epoll::EventFlags::PRI) {
                (5, 0x82)
            } else {
                (2, 0x304)
            };
            from_io(signal, code, band, fd)
        }
    };
    deliver(&world, owner, info);
}

/// Sends a signal to an owner. A queue of signals that is full loses it.
fn deliver(world: &World, owner: Owner, info: Siginfo) {
    match owner {
        Owner::Nobody => {}
        Owner::Process(pid) => {
            if let Some(process) = world.family.process(pid) {
                let _ = process.send(info, None);
            }
        }
        Owner::Group(group) => {
            let _sending = world.crowds.sending();
            for process in world.family.group(group) {
                let _ = process.send_to(Target::Crowd, info);
            }
        }
        Owner::Thread(tid) => {
            let living = world.family.living();
            let found = living
                .iter()
                .find_map(|process| Some((process, process.task(tid)?)));
            if let Some((process, task)) = found {
                let _ = process.send(info, Some(&task));
            }
        }
    }
}
