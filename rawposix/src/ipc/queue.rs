//! POSIX message queues, see mq_overview(7).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::flags::{OpenFlags, resource};
use rawposix_abi::structs::Siginfo;
use rustix::event::PollFlags;

use super::table::{Caller, Permission};
use super::{READ, WRITE};
use crate::cage::{Pid, Process, Task};
use crate::fd::{Bell, OpenFile, OwnFile, Ready, Watcher};
use crate::futex::Deadline;
use crate::share::{Share, Shares};
use crate::signal::set_sender;
use crate::thread::Thread;

/// `fs.mqueue`'s queues_max, msg_max and msgsize_max, which are the defaults of a queue as well.
pub(crate) const QUEUES: usize = 256;
pub(crate) const MESSAGES: u32 = 10;
pub(crate) const MESSAGE: u32 = 8192;
/// What RLIMIT_MSGQUEUE counts for a message beside its text: the kernel's structures.
const OVERHEAD: u64 = 96;
/// `MQ_PRIO_MAX`
pub(crate) const PRIORITIES: u32 = 32_768;

/// How much a queue can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) messages: u32,
    pub(crate) message: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            messages: MESSAGES,
            message: MESSAGE,
        }
    }
}

impl Size {
    /// What a process without privileges may ask for.
    pub(crate) fn new(messages: i32, message: i32) -> Result<Self, Errno> {
        let within = |value: i32, limit: u32| {
            let value = u32::try_from(value).ok();
            value.filter(|value| (1..=limit).contains(value))
        };
        match (within(messages, MESSAGES), within(message, MESSAGE)) {
            (Some(messages), Some(message)) => Ok(Self { messages, message }),
            _ => Err(Errno::EINVAL),
        }
    }

    fn bytes(self) -> u64 {
        u64::from(self.messages) * (u64::from(self.message) + OVERHEAD)
    }
}

/// A message and its priority.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) priority: u32,
    pub(crate) text: Vec<u8>,
}

/// Who is told of a message in an empty queue, once.
#[derive(Debug)]
struct Registration {
    process: Weak<Process>,
    pid: Pid,
    notice: Notice,
}

/// How a process is told of a message.
#[derive(Debug)]
pub(crate) enum Notice {
    /// `SIGEV_NONE`
    None,
    /// `SIGEV_SIGNAL`
    Signal(Siginfo),
    /// `SIGEV_THREAD`: what the C library wants to read from its netlink socket, to start a thread then.
    Thread {
        socket: Arc<OpenFile>,
        cookie: [u8; COOKIE],
    },
}

/// Bytes of the C library's cookie (`NOTIFY_COOKIE_LEN`), the last of which says why it comes.
pub(crate) const COOKIE: usize = 32;
/// `NOTIFY_WOKENUP` and `NOTIFY_REMOVED`
const WOKEN: u8 = 1;
const REMOVED: u8 = 2;

impl Notice {
    /// Sends a cookie back. A socket that is full loses it.
    fn send_back(self, why: u8) {
        let Self::Thread { socket, mut cookie } = self else {
            return;
        };
        if let Some(last) = cookie.last_mut() {
            *last = why;
        }
        let socket = socket.host().and_then(|host| host.socket());
        if let Some(local) = socket.ok().and_then(|socket| socket.local()) {
            let _ = local.answer(&cookie);
        }
    }
}

impl Registration {
    fn is_alive(&self) -> bool {
        self.process
            .upgrade()
            .is_some_and(|process| process.end().is_none())
    }
}

#[derive(Debug)]
struct Sender {
    number: u64,
    letter: Letter,
    caller: (Pid, u32),
    task: Arc<Task>,
}

#[derive(Debug)]
struct Receiver {
    number: u64,
    task: Arc<Task>,
}

#[derive(Debug)]
enum End {
    Sent,
    Received(Letter),
}

#[derive(Debug, Default)]
struct State {
    letters: BTreeMap<u32, VecDeque<Letter>>,
    count: u32,
    senders: VecDeque<Sender>,
    receivers: VecDeque<Receiver>,
    ended: HashMap<u64, End>,
    waits: u64,
    registration: Option<Registration>,
    /// Those of the descriptions that somebody has waited for.
    bells: Vec<Weak<Bell>>,
}

impl State {
    fn take(&mut self) -> Option<Letter> {
        let mut greatest = self.letters.last_entry()?;
        let letter = greatest.get_mut().pop_front();
        if greatest.get().is_empty() {
            greatest.remove();
        }
        self.count -= u32::from(letter.is_some());
        letter
    }

    fn put(&mut self, letter: Letter) {
        self.count += 1;
        self.letters
            .entry(letter.priority)
            .or_default()
            .push_back(letter);
    }

    fn next(&mut self) -> u64 {
        self.waits += 1;
        self.waits
    }
}

/// A message queue. It lives as long as its name or a description of it.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) permission: Permission,
    pub(crate) size: Size,
    label: String,
    state: Mutex<State>,
    /// Its part of the bytes that all queues may need.
    #[expect(dead_code, reason = "its end is what it is for")]
    share: Share,
}

/// What has to be done when the queue is no longer locked.
#[derive(Default)]
struct Effects {
    bells: Vec<Arc<Bell>>,
    notify: Option<(Registration, (Pid, u32))>,
}

impl Queue {
    /// The number of messages in it.
    pub(crate) fn count(&self) -> u32 {
        self.state.lock().count
    }

    fn ready(&self) -> Ready {
        let count = self.count();
        Ready {
            read: count > 0,
            write: count < self.size.messages,
        }
    }

    fn bells(state: &mut State) -> Vec<Arc<Bell>> {
        state.bells.retain(|bell| bell.strong_count() > 0);
        state.bells.iter().filter_map(Weak::upgrade).collect()
    }

    /// Keeps a message, which may be the first one.
    fn keep(state: &mut State, letter: Letter, sender: (Pid, u32)) -> Effects {
        state.put(letter);
        let notify = match state.count {
            1 => state.registration.take().map(|told| (told, sender)),
            _ => None,
        };
        Effects {
            bells: Self::bells(state),
            notify,
        }
    }

    fn after(&self, effects: Effects) {
        for bell in effects.bells {
            bell.show(|| self.ready());
        }
        let Some((told, (pid, uid))) = effects.notify else {
            return;
        };
        match (told.process.upgrade(), told.notice) {
            (Some(process), Notice::Signal(mut info)) => {
                set_sender(&mut info, pid, uid);
                // A queue of signals that is full loses this one, as on Linux.
                let _ = process.send(info, None);
            }
            (_, notice) => notice.send_back(WOKEN),
        }
    }

    /// mq_timedsend(3): `EMSGSIZE`, `EAGAIN`, `ETIMEDOUT`, `EINTR`.
    pub(crate) fn send(
        &self,
        thread: &Thread,
        letter: Letter,
        patience: Option<Deadline>,
    ) -> Result<(), Errno> {
        let uid = thread.process.credentials().user.real;
        let caller = (thread.process.pid, uid);
        let mut state = self.state.lock();
        if let Some(receiver) = state.receivers.pop_front() {
            state.ended.insert(receiver.number, End::Received(letter));
            receiver.task.unpark();
            return Ok(());
        }
        if state.count < self.size.messages {
            let effects = Self::keep(&mut state, letter, caller);
            drop(state);
            self.after(effects);
            return Ok(());
        }
        let deadline = patience.ok_or(Errno::EAGAIN)?;
        let number = state.next();
        state.senders.push_back(Sender {
            number,
            letter,
            caller,
            task: Arc::clone(&thread.task),
        });
        drop(state);
        self.wait(thread, number, deadline).map(|_| ())
    }

    /// mq_timedreceive(3): `EAGAIN`, `ETIMEDOUT`, `EINTR`.
    pub(crate) fn receive(
        &self,
        thread: &Thread,
        patience: Option<Deadline>,
    ) -> Result<Letter, Errno> {
        let mut state = self.state.lock();
        if let Some(letter) = state.take() {
            let effects = match state.senders.pop_front() {
                Some(sender) => {
                    state.ended.insert(sender.number, End::Sent);
                    sender.task.unpark();
                    Self::keep(&mut state, sender.letter, sender.caller)
                }
                None => Effects {
                    bells: Self::bells(&mut state),
                    notify: None,
                },
            };
            drop(state);
            self.after(effects);
            return Ok(letter);
        }
        let deadline = patience.ok_or(Errno::EAGAIN)?;
        let number = state.next();
        state.receivers.push_back(Receiver {
            number,
            task: Arc::clone(&thread.task),
        });
        drop(state);
        match self.wait(thread, number, deadline)? {
            End::Received(letter) => Ok(letter),
            End::Sent => Err(Errno::EINTR),
        }
    }

    fn wait(&self, thread: &Thread, number: u64, deadline: Deadline) -> Result<End, Errno> {
        let ended = || Ok(self.state.lock().ended.remove(&number));
        thread
            .wait_until(deadline.instant(), ended)
            .or_else(|errno| {
                let mut state = self.state.lock();
                if let Some(end) = state.ended.remove(&number) {
                    return Ok(end);
                }
                state.senders.retain(|sender| sender.number != number);
                state.receivers.retain(|receiver| receiver.number != number);
                Err(errno)
            })
    }

    /// mq_notify(3): `EBUSY` when somebody is registered already.
    pub(crate) fn register(&self, process: &Arc<Process>, notice: Notice) -> Result<(), Errno> {
        let former = {
            let mut state = self.state.lock();
            let busy = state.registration.as_ref();
            if busy.is_some_and(Registration::is_alive) {
                return Err(Errno::EBUSY);
            }
            state.registration.replace(Registration {
                process: Arc::downgrade(process),
                pid: process.pid,
                notice,
            })
        };
        drop(former);
        Ok(())
    }

    /// Removes the registration of a process, if it has one.
    pub(crate) fn unregister(&self, process: Pid) {
        let removed = {
            let mut state = self.state.lock();
            state.registration.take_if(|told| told.pid == process)
        };
        if let Some(removed) = removed {
            removed.notice.send_back(REMOVED);
        }
    }
}

/// An open queue.
#[derive(Debug)]
pub(crate) struct QueueFile {
    pub(crate) queue: Arc<Queue>,
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    bell: Mutex<Option<Arc<Bell>>>,
}

impl OwnFile for QueueFile {
    fn label(&self) -> String {
        self.queue.label.clone()
    }

    fn events(&self) -> PollFlags {
        PollFlags::IN | PollFlags::RDNORM | PollFlags::OUT | PollFlags::WRNORM
    }

    fn bell(&self, _: &Thread, _: Watcher) -> Result<Arc<Bell>, Errno> {
        let bell = {
            let mut own = self.bell.lock();
            match &*own {
                Some(bell) => return Ok(Arc::clone(bell)),
                None => Arc::clone(own.insert(Arc::new(Bell::new()?))),
            }
        };
        {
            let mut state = self.queue.state.lock();
            // Those of descriptions that are closed go when the list would grow.
            if state.bells.len() == state.bells.capacity() {
                state.bells.retain(|bell| bell.strong_count() > 0);
            }
            state.bells.push(Arc::downgrade(&bell));
        }
        bell.show(|| self.queue.ready());
        Ok(bell)
    }
}

/// How mq_open(3) opens.
#[derive(Debug)]
pub(crate) struct QueueRequest {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: OpenFlags,
    /// The mode of a new queue, the mask already applied.
    pub(crate) mode: u32,
    /// The size of a new queue, or why there cannot be one.
    pub(crate) size: Result<Size, Errno>,
}

/// The message queues of a sandbox, by name.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    names: Mutex<HashMap<Vec<u8>, Arc<Queue>>>,
    used: Arc<Shares>,
}

impl Queues {
    /// mq_open(3).
    pub(crate) fn open(
        &self,
        thread: &Thread,
        request: QueueRequest,
    ) -> Result<Arc<QueueFile>, Errno> {
        let access = request.flags.bits() & OpenFlags::ACCMODE;
        let (reads, writes) = (access != OpenFlags::WRONLY.bits(), access != 0);
        let caller = Caller::of(thread);
        let create = request.flags.contains(OpenFlags::CREAT);
        let mut names = self.names.lock();
        let queue = match names.get(&request.name) {
            Some(_) if create && request.flags.contains(OpenFlags::EXCL) => {
                return Err(Errno::EEXIST);
            }
            Some(_) if access == OpenFlags::ACCMODE => return Err(Errno::EINVAL),
            Some(queue) => {
                let wanted = if reads { READ } else { 0 } | if writes { WRITE } else { 0 };
                queue.permission.check(&caller, wanted)?;
                Arc::clone(queue)
            }
            None if !create => return Err(Errno::ENOENT),
            None => {
                let limit = thread.process.limit(resource::RLIMIT_MSGQUEUE)?.current;
                if names.len() >= QUEUES {
                    return Err(Errno::ENOSPC);
                }
                let queue = Arc::new(self.make(&caller, &request, limit)?);
                names.insert(request.name, Arc::clone(&queue));
                queue
            }
        };
        Ok(Arc::new(QueueFile {
            queue,
            reads,
            writes,
            bell: Mutex::default(),
        }))
    }

    fn make(&self, caller: &Caller, request: &QueueRequest, limit: u64) -> Result<Queue, Errno> {
        let size = request.size?;
        let share = self.used.take(size.bytes(), limit).ok_or(Errno::EMFILE)?;
        Ok(Queue {
            permission: Permission::new(caller, request.mode),
            size,
            label: format!("/{}", String::from_utf8_lossy(&request.name)),
            state: Mutex::default(),
            share,
        })
    }

    /// mq_unlink(3): `EPERM` for another's queue.
    pub(crate) fn unlink(&self, thread: &Thread, name: &[u8]) -> Result<(), Errno> {
        let removed = {
            let mut names = self.names.lock();
            let queue = names.get(name).ok_or(Errno::ENOENT)?;
            queue.permission.check_owner(&Caller::of(thread))?;
            names.remove(name)
        };
        drop(removed);
        Ok(())
    }
}
