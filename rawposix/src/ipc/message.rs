//! System V message queues, see msgsnd(2) and msgctl(2).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::structs::MsqidDs;

use super::semaphore::split;
use super::table::{Caller, Settings, Slot, Table};
use super::{READ, WRITE, now};
use crate::cage::{Pid, Task};
use crate::thread::Thread;

/// MSGMNI, MSGMAX and MSGMNB: queues, bytes of a message and of a queue.
pub(crate) const QUEUES: u16 = 32_000;
pub(crate) const MESSAGE: u32 = 8192;
pub(crate) const QUEUE: u32 = 16_384;
/// Bytes that all messages together may need, and what one needs beside its text.
const ALL: usize = 64 << 20;
const OVERHEAD: usize = 64;

/// A message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: i32,
    pub(crate) text: Vec<u8>,
}

impl Message {
    fn size(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    fn cost(&self) -> usize {
        self.text.len() + OVERHEAD
    }
}

/// Which message is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    Any,
    Kind(i32),
    /// The first of any other kind.
    Except(i32),
    /// The first of the smallest kind that is not greater.
    UpTo(i32),
    /// `MSG_COPY`: the one in this place, which stays.
    Copy(u32),
}

impl Pick {
    fn takes(self, message: &Message) -> bool {
        match self {
            Self::Any | Self::Copy(_) => true,
            Self::Kind(kind) => message.kind == kind,
            Self::Except(kind) => message.kind != kind,
            Self::UpTo(kind) => message.kind <= kind,
        }
    }
}

/// How msgrcv(2) receives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receive {
    pub(crate) pick: Pick,
    /// The room there is, in bytes.
    pub(crate) room: u32,
    /// `MSG_NOERROR`: what has no room is cut off.
    pub(crate) cut: bool,
    pub(crate) no_wait: bool,
}

impl Receive {
    fn has_room(&self, message: &Message) -> bool {
        self.cut || message.size() <= self.room
    }
}

#[derive(Debug)]
struct Sender {
    number: u64,
    process: Pid,
    message: Message,
    task: Arc<Task>,
}

#[derive(Debug)]
struct Receiver {
    number: u64,
    process: Pid,
    receive: Receive,
    task: Arc<Task>,
}

#[derive(Debug)]
struct Queue {
    messages: VecDeque<Message>,
    bytes: u32,
    limit: u32,
    senders: Vec<Sender>,
    receivers: Vec<Receiver>,
    last_sender: Pid,
    last_receiver: Pid,
    sent: i64,
    received: i64,
    changed: i64,
}

/// How a wait has ended.
#[derive(Debug)]
enum End {
    Sent,
    Received(Message),
    Failed(Errno),
}

#[derive(Debug, Default)]
struct Ends {
    ended: HashMap<u64, End>,
    waits: u64,
}

impl Ends {
    fn finish(&mut self, number: u64, task: &Task, end: End) {
        self.ended.insert(number, end);
        task.unpark();
    }

    fn next(&mut self) -> u64 {
        self.waits += 1;
        self.waits
    }
}

impl Queue {
    fn has_room(&self, message: &Message) -> bool {
        let count = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        self.bytes.saturating_add(message.size()) <= self.limit && count < self.limit
    }

    /// Gives a message to who waits for it, or keeps it.
    fn accept(&mut self, message: Message, sender: Pid, ends: &mut Ends) {
        self.last_sender = sender;
        self.sent = now();
        let mut next = 0;
        while let Some(receiver) = self.receivers.get(next) {
            if !receiver.receive.pick.takes(&message) {
                next += 1;
                continue;
            }
            let receiver = self.receivers.remove(next);
            if receiver.receive.has_room(&message) {
                self.last_receiver = receiver.process;
                self.received = now();
                ends.finish(receiver.number, &receiver.task, End::Received(message));
                return;
            }
            let end = End::Failed(Errno::E2BIG);
            ends.finish(receiver.number, &receiver.task, end);
        }
        self.bytes = self.bytes.saturating_add(message.size());
        self.messages.push_back(message);
    }

    /// Accepts the messages of those who wait for room, as far as there is some.
    fn admit(&mut self, ends: &mut Ends) {
        let mut next = 0;
        while let Some(sender) = self.senders.get(next) {
            if self.has_room(&sender.message) {
                let sender = self.senders.remove(next);
                self.accept(sender.message, sender.process, ends);
                ends.finish(sender.number, &sender.task, End::Sent);
            } else {
                next += 1;
            }
        }
    }

    /// The place of the message that is wanted.
    fn find(&self, pick: Pick) -> Option<usize> {
        let mut found = self.messages.iter().enumerate();
        match pick {
            Pick::Copy(place) => {
                let place = usize::try_from(place).ok()?;
                (place < self.messages.len()).then_some(place)
            }
            Pick::UpTo(_) => {
                let taken = found.filter(|(_, message)| pick.takes(message));
                taken
                    .min_by_key(|(place, message)| (message.kind, *place))
                    .map(|(place, _)| place)
            }
            _ => found
                .find(|(_, message)| pick.takes(message))
                .map(|(place, _)| place),
        }
    }

    fn status(&self) -> MsqidDs {
        MsqidDs {
            stime: split(self.sent),
            rtime: split(self.received),
            ctime: split(self.changed),
            cbytes: self.bytes,
            qnum: u32::try_from(self.messages.len()).unwrap_or(u32::MAX),
            qbytes: self.limit,
            lspid: self.last_sender.0,
            lrpid: self.last_receiver.0,
            ..MsqidDs::default()
        }
    }

    fn cost(&self) -> usize {
        let waiting = self.senders.iter().map(|sender| sender.message.cost());
        self.messages.iter().map(Message::cost).sum::<usize>() + waiting.sum::<usize>()
    }
}

#[derive(Debug)]
struct State {
    queues: Table<Queue>,
    ends: Ends,
    /// What all messages need, an upper bound that is corrected when it is reached.
    cost: usize,
}

/// The message queues of a sandbox.
#[derive(Debug)]
pub(crate) struct MessageQueues(Mutex<State>);

impl Default for MessageQueues {
    fn default() -> Self {
        Self(Mutex::new(State {
            queues: Table::new(usize::from(QUEUES)),
            ends: Ends::default(),
            cost: 0,
        }))
    }
}

impl State {
    /// Counts a message. `ENOMEM` when all together need too much.
    fn charge(&mut self, message: &Message) -> Result<(), Errno> {
        if self.cost + message.cost() > ALL {
            self.cost = self.queues.values().map(Queue::cost).sum();
            if self.cost + message.cost() > ALL {
                return Err(Errno::ENOMEM);
            }
        }
        self.cost += message.cost();
        Ok(())
    }
}

impl MessageQueues {
    /// msgget(2).
    pub(crate) fn get(&self, caller: &Caller, wanted: (i32, u32)) -> Result<i32, Errno> {
        let make = |_: &Table<Queue>| {
            Ok(Queue {
                messages: VecDeque::new(),
                bytes: 0,
                limit: QUEUE,
                senders: Vec::new(),
                receivers: Vec::new(),
                last_sender: Pid::NONE,
                last_receiver: Pid::NONE,
                sent: 0,
                received: 0,
                changed: now(),
            })
        };
        self.0.lock().queues.get(wanted, caller, |_| Ok(()), make)
    }

    /// msgsnd(2); waits for room if `wait`.
    pub(crate) fn send(
        &self,
        thread: &Thread,
        id: i32,
        message: Message,
        no_wait: bool,
    ) -> Result<(), Errno> {
        let caller = Caller::of(thread);
        let number = {
            let mut state = self.0.lock();
            state.queues.allowed(id, &caller, WRITE)?;
            state.charge(&message)?;
            let State { queues, ends, .. } = &mut *state;
            let queue = &mut queues.find(id)?.value;
            if queue.has_room(&message) {
                queue.accept(message, caller.pid, ends);
                return Ok(());
            }
            if no_wait {
                return Err(Errno::EAGAIN);
            }
            let number = ends.next();
            queue.senders.push(Sender {
                number,
                process: caller.pid,
                message,
                task: Arc::clone(&thread.task),
            });
            number
        };
        match self.wait(thread, id, number)? {
            End::Failed(errno) => Err(errno),
            End::Sent | End::Received(_) => Ok(()),
        }
    }

    /// msgrcv(2).
    pub(crate) fn receive(
        &self,
        thread: &Thread,
        id: i32,
        receive: Receive,
    ) -> Result<Message, Errno> {
        let caller = Caller::of(thread);
        let number = {
            let mut state = self.0.lock();
            let State { queues, ends, .. } = &mut *state;
            let queue = &mut queues.allowed(id, &caller, READ)?.value;
            if let Some(place) = queue.find(receive.pick) {
                let found = queue.messages.get(place).ok_or(Errno::ENOMSG)?;
                if !receive.has_room(found) {
                    return Err(Errno::E2BIG);
                }
                if let Pick::Copy(_) = receive.pick {
                    return Ok(Message {
                        kind: found.kind,
                        text: found.text.clone(),
                    });
                }
                let found = queue.messages.remove(place).ok_or(Errno::ENOMSG)?;
                queue.bytes = queue.bytes.saturating_sub(found.size());
                queue.last_receiver = caller.pid;
                queue.received = now();
                queue.admit(ends);
                return Ok(found);
            }
            if receive.no_wait {
                return Err(Errno::ENOMSG);
            }
            let number = ends.next();
            queue.receivers.push(Receiver {
                number,
                process: caller.pid,
                receive,
                task: Arc::clone(&thread.task),
            });
            number
        };
        match self.wait(thread, id, number)? {
            End::Received(message) => Ok(message),
            End::Failed(errno) => Err(errno),
            End::Sent => Err(Errno::EINTR),
        }
    }

    fn wait(&self, thread: &Thread, id: i32, number: u64) -> Result<End, Errno> {
        let ended = || Ok(self.0.lock().ends.ended.remove(&number));
        thread.wait_until(None, ended).or_else(|errno| {
            let mut state = self.0.lock();
            if let Some(end) = state.ends.ended.remove(&number) {
                return Ok(end);
            }
            if let Ok(slot) = state.queues.find(id) {
                slot.value.senders.retain(|sender| sender.number != number);
                slot.value
                    .receivers
                    .retain(|receiver| receiver.number != number);
            }
            Err(errno)
        })
    }

    /// `IPC_STAT`.
    pub(crate) fn status(&self, caller: &Caller, id: i32) -> Result<MsqidDs, Errno> {
        let mut state = self.0.lock();
        let slot = state.queues.allowed(id, caller, READ)?;
        Ok(status_of(slot))
    }

    /// `MSG_STAT`, and `MSG_STAT_ANY` without a check: the status of the queue in a place, and its id.
    pub(crate) fn status_at(
        &self,
        caller: Option<&Caller>,
        place: i32,
    ) -> Result<(i32, MsqidDs), Errno> {
        let state = self.0.lock();
        let (id, slot) = state.queues.at(place)?;
        if let Some(caller) = caller {
            slot.permission.check(caller, READ)?;
        }
        Ok((id, status_of(slot)))
    }

    /// The greatest place in use, the number of queues, of messages and of their bytes.
    pub(crate) fn totals(&self) -> (i32, usize, usize, u64) {
        let state = self.0.lock();
        let queues = || state.queues.values();
        (
            state.queues.greatest(),
            state.queues.len(),
            queues().map(|queue| queue.messages.len()).sum(),
            queues().map(|queue| u64::from(queue.bytes)).sum(),
        )
    }

    /// `IPC_SET`. `EPERM` for a limit above `MSGMNB`, which needs privileges.
    pub(crate) fn set(
        &self,
        caller: &Caller,
        id: i32,
        settings: Settings,
        limit: u32,
    ) -> Result<(), Errno> {
        let mut state = self.0.lock();
        let State { queues, ends, .. } = &mut *state;
        let slot = queues.owned(id, caller)?;
        if limit > QUEUE {
            return Err(Errno::EPERM);
        }
        slot.permission.set(settings)?;
        slot.value.limit = limit;
        slot.value.changed = now();
        slot.value.admit(ends);
        Ok(())
    }

    /// `IPC_RMID`: whoever waits gets `EIDRM`.
    pub(crate) fn remove(&self, caller: &Caller, id: i32) -> Result<(), Errno> {
        let mut state = self.0.lock();
        let queue = state.queues.remove(id, caller)?;
        let ends = &mut state.ends;
        for sender in queue.senders {
            ends.finish(sender.number, &sender.task, End::Failed(Errno::EIDRM));
        }
        for receiver in queue.receivers {
            ends.finish(receiver.number, &receiver.task, End::Failed(Errno::EIDRM));
        }
        Ok(())
    }
}

fn status_of(slot: &Slot<Queue>) -> MsqidDs {
    MsqidDs {
        perm: slot.permission.to_guest(0),
        ..slot.value.status()
    }
}
