//! System V semaphores, see semop(2) and semctl(2).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::structs::SemidDs;

use super::table::{Caller, Settings, Slot, Table};
use super::{READ, WRITE, now};
use crate::cage::{Pid, Task};
use crate::futex::Deadline;
use crate::thread::Thread;

/// SEMMNI, SEMMSL, SEMOPM and SEMVMX: sets, semaphores in a set, operations in a call, greatest value.
pub(crate) const SETS: u16 = 32_000;
pub(crate) const PER_SET: u16 = 32_000;
pub(crate) const OPERATIONS: u32 = 500;
pub(crate) const GREATEST: i32 = 32_767;
/// Semaphores of all sets together; what Linux calls the limit is more than it has memory for.
const ALL: usize = 1 << 20;

/// One operation of semop(2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// Which semaphore of the set.
    pub(crate) number: u16,
    /// What is added to it; 0 waits for 0.
    pub(crate) change: i16,
    /// Without `IPC_NOWAIT` and `SEM_UNDO`.
    pub(crate) no_wait: bool,
    pub(crate) undo: bool,
}

#[derive(Clone, Copy, Debug)]
struct Semaphore {
    value: i32,
    /// Who changed it last.
    pid: Pid,
}

#[derive(Debug)]
struct Set {
    semaphores: Vec<Semaphore>,
    /// What the end of a process adds to each semaphore.
    undo: HashMap<Pid, BTreeMap<u16, i32>>,
    waiting: Vec<Waiting>,
    operated: i64,
    changed: i64,
}

/// A call that cannot be done yet.
#[derive(Debug)]
struct Waiting {
    number: u64,
    process: Pid,
    operations: Vec<Operation>,
    /// The operation that cannot be done.
    blocked: Operation,
    task: Arc<Task>,
}

/// What came of a list of operations.
enum Outcome {
    Done,
    Blocked(Operation),
    Failed(Errno),
}

impl Set {
    /// Does all operations, or none of them.
    fn perform(&mut self, process: Pid, operations: &[Operation]) -> Outcome {
        let mut values: BTreeMap<u16, i32> = BTreeMap::new();
        let mut undo = BTreeMap::new();
        let known = self.undo.get(&process);
        for operation in operations {
            let place = usize::from(operation.number);
            let Some(semaphore) = self.semaphores.get(place) else {
                return Outcome::Failed(Errno::EFBIG);
            };
            let value = values.entry(operation.number).or_insert(semaphore.value);
            let change = i32::from(operation.change);
            if *value + change < 0 || (change == 0 && *value != 0) {
                return match operation.no_wait {
                    true => Outcome::Failed(Errno::EAGAIN),
                    false => Outcome::Blocked(*operation),
                };
            }
            *value += change;
            if *value > GREATEST {
                return Outcome::Failed(Errno::ERANGE);
            }
            if operation.undo {
                let known = known.and_then(|undo| undo.get(&operation.number));
                let undone = undo
                    .entry(operation.number)
                    .or_insert(known.copied().unwrap_or(0));
                *undone -= change;
                if !(-GREATEST - 1..=GREATEST).contains(undone) {
                    return Outcome::Failed(Errno::ERANGE);
                }
            }
        }
        for (number, value) in values {
            if let Some(semaphore) = self.semaphores.get_mut(usize::from(number)) {
                *semaphore = Semaphore {
                    value,
                    pid: process,
                };
            }
        }
        if !undo.is_empty() {
            self.undo.entry(process).or_default().extend(undo);
        }
        self.operated = now();
        Outcome::Done
    }

    /// Does what can be done now of what waits, in order.
    fn settle(&mut self, results: &mut Results) {
        let mut next = 0;
        while let Some(call) = self.waiting.get_mut(next) {
            let operations = std::mem::take(&mut call.operations);
            let outcome = {
                let process = call.process;
                self.perform(process, &operations)
            };
            let alters = operations.iter().any(|operation| operation.change != 0);
            let result = match outcome {
                Outcome::Blocked(blocked) => {
                    if let Some(call) = self.waiting.get_mut(next) {
                        call.operations = operations;
                        call.blocked = blocked;
                    }
                    next += 1;
                    continue;
                }
                Outcome::Done => Ok(()),
                Outcome::Failed(errno) => Err(errno),
            };
            results.finish(self.waiting.remove(next), result);
            if result.is_ok() && alters {
                next = 0;
            }
        }
    }

    fn forget_undo(&mut self, number: Option<u16>) {
        match number {
            Some(number) => self.undo.values_mut().for_each(|undo| {
                undo.remove(&number);
            }),
            None => self.undo.clear(),
        }
    }

    fn status(&self) -> SemidDs {
        SemidDs {
            otime: split(self.operated),
            ctime: split(self.changed),
            nsems: u32::try_from(self.semaphores.len()).unwrap_or(0),
            ..SemidDs::default()
        }
    }

    fn at(&mut self, number: i32) -> Result<&mut Semaphore, Errno> {
        let place = usize::try_from(number).map_err(|_| Errno::EINVAL)?;
        self.semaphores.get_mut(place).ok_or(Errno::EINVAL)
    }
}

/// The two halves of a time.
pub(super) fn split(time: i64) -> [u32; 2] {
    let halves = time.cast_unsigned();
    [halves, halves >> 32].map(|half| u32::try_from(half & 0xffff_ffff).unwrap_or(0))
}

/// How waits have ended that nobody has asked about yet.
#[derive(Debug, Default)]
struct Results {
    ended: HashMap<u64, Result<(), Errno>>,
    waits: u64,
}

impl Results {
    fn finish(&mut self, call: Waiting, result: Result<(), Errno>) {
        self.ended.insert(call.number, result);
        call.task.unpark();
    }
}

#[derive(Debug)]
struct State {
    sets: Table<Set>,
    results: Results,
}

/// The sets of semaphores of a sandbox.
#[derive(Debug)]
pub(crate) struct SemaphoreSets(Mutex<State>);

impl Default for SemaphoreSets {
    fn default() -> Self {
        Self(Mutex::new(State {
            sets: Table::new(usize::from(SETS)),
            results: Results::default(),
        }))
    }
}

/// What semctl(2) asks about one semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Value,
    LastProcess,
    WaitingForMore,
    WaitingForZero,
}

impl SemaphoreSets {
    /// semget(2).
    pub(crate) fn get(
        &self,
        caller: &Caller,
        wanted: (i32, u32),
        count: i32,
    ) -> Result<i32, Errno> {
        let count = u16::try_from(count)
            .ok()
            .filter(|count| *count <= PER_SET)
            .ok_or(Errno::EINVAL)?;
        let count = usize::from(count);
        let fits = |set: &Set| match count > set.semaphores.len() {
            true => Err(Errno::EINVAL),
            false => Ok(()),
        };
        let make = |sets: &Table<Set>| {
            if count == 0 {
                return Err(Errno::EINVAL);
            }
            let all: usize = sets.values().map(|set| set.semaphores.len()).sum();
            if all + count > ALL {
                return Err(Errno::ENOMEM);
            }
            let fresh = Semaphore {
                value: 0,
                pid: Pid::NONE,
            };
            Ok(Set {
                semaphores: vec![fresh; count],
                undo: HashMap::new(),
                waiting: Vec::new(),
                operated: 0,
                changed: now(),
            })
        };
        self.0.lock().sets.get(wanted, caller, fits, make)
    }

    /// semtimedop(2): `EAGAIN` at the deadline.
    pub(crate) fn operate(
        &self,
        thread: &Thread,
        id: i32,
        operations: Vec<Operation>,
        deadline: Deadline,
    ) -> Result<(), Errno> {
        let Some(number) = self.begin(thread, id, operations)? else {
            return Ok(());
        };
        let ended = || Ok(self.0.lock().results.ended.remove(&number));
        match thread.wait_until(deadline.instant(), ended) {
            Ok(result) => result,
            Err(errno) => {
                let mut state = self.0.lock();
                if let Some(result) = state.results.ended.remove(&number) {
                    return result;
                }
                if let Ok(slot) = state.sets.find(id) {
                    slot.value.waiting.retain(|call| call.number != number);
                }
                Err(match errno {
                    Errno::ETIMEDOUT => Errno::EAGAIN,
                    errno => errno,
                })
            }
        }
    }

    /// Does the operations, or begins to wait and gives the number of the wait.
    fn begin(
        &self,
        thread: &Thread,
        id: i32,
        operations: Vec<Operation>,
    ) -> Result<Option<u64>, Errno> {
        let caller = Caller::of(thread);
        let alters = operations.iter().any(|operation| operation.change != 0);
        let mut state = self.0.lock();
        let State { sets, results } = &mut *state;
        let Slot {
            permission,
            value: set,
        } = sets.find(id)?;
        let count = set.semaphores.len();
        if operations.iter().any(|o| usize::from(o.number) >= count) {
            return Err(Errno::EFBIG);
        }
        permission.check(&caller, if alters { WRITE } else { READ })?;
        match set.perform(caller.pid, &operations) {
            Outcome::Done => {
                if alters {
                    set.settle(results);
                }
                Ok(None)
            }
            Outcome::Failed(errno) => Err(errno),
            Outcome::Blocked(blocked) => {
                results.waits += 1;
                set.waiting.push(Waiting {
                    number: results.waits,
                    process: caller.pid,
                    operations,
                    blocked,
                    task: Arc::clone(&thread.task),
                });
                Ok(Some(results.waits))
            }
        }
    }

    /// `GETVAL`, `GETPID`, `GETNCNT` and `GETZCNT`.
    pub(crate) fn ask(
        &self,
        caller: &Caller,
        id: i32,
        number: i32,
        question: Question,
    ) -> Result<i32, Errno> {
        let mut state = self.0.lock();
        let set = &mut state.sets.allowed(id, caller, READ)?.value;
        let semaphore = *set.at(number)?;
        let waiting = |zero: bool| {
            let calls = set.waiting.iter().filter(|call| {
                i32::from(call.blocked.number) == number && (call.blocked.change == 0) == zero
            });
            i32::try_from(calls.count()).unwrap_or(i32::MAX)
        };
        Ok(match question {
            Question::Value => semaphore.value,
            Question::LastProcess => semaphore.pid.0,
            Question::WaitingForMore => waiting(false),
            Question::WaitingForZero => waiting(true),
        })
    }

    /// `GETALL`.
    pub(crate) fn values(&self, caller: &Caller, id: i32) -> Result<Vec<u16>, Errno> {
        let mut state = self.0.lock();
        let set = &state.sets.allowed(id, caller, READ)?.value;
        let value = |semaphore: &Semaphore| u16::try_from(semaphore.value).unwrap_or(0);
        Ok(set.semaphores.iter().map(value).collect())
    }

    /// The number of semaphores that `SETALL` sets.
    pub(crate) fn count(&self, caller: &Caller, id: i32) -> Result<u32, Errno> {
        let mut state = self.0.lock();
        let set = &state.sets.allowed(id, caller, WRITE)?.value;
        Ok(u32::try_from(set.semaphores.len()).unwrap_or(0))
    }

    /// `SETVAL`.
    pub(crate) fn set_value(
        &self,
        caller: &Caller,
        id: i32,
        number: i32,
        value: i32,
    ) -> Result<(), Errno> {
        if !(0..=GREATEST).contains(&value) {
            return Err(Errno::ERANGE);
        }
        let mut state = self.0.lock();
        let State { sets, results } = &mut *state;
        let set = &mut sets.allowed(id, caller, WRITE)?.value;
        *set.at(number)? = Semaphore {
            value,
            pid: caller.pid,
        };
        set.forget_undo(u16::try_from(number).ok());
        set.changed = now();
        set.settle(results);
        Ok(())
    }

    /// `SETALL`.
    pub(crate) fn set_values(&self, caller: &Caller, id: i32, values: &[u16]) -> Result<(), Errno> {
        if values.iter().any(|value| i32::from(*value) > GREATEST) {
            return Err(Errno::ERANGE);
        }
        let mut state = self.0.lock();
        let State { sets, results } = &mut *state;
        let set = &mut sets.allowed(id, caller, WRITE)?.value;
        for (semaphore, value) in set.semaphores.iter_mut().zip(values) {
            *semaphore = Semaphore {
                value: i32::from(*value),
                pid: caller.pid,
            };
        }
        set.forget_undo(None);
        set.changed = now();
        set.settle(results);
        Ok(())
    }

    /// `IPC_STAT`.
    pub(crate) fn status(&self, caller: &Caller, id: i32) -> Result<SemidDs, Errno> {
        let mut state = self.0.lock();
        let slot = state.sets.allowed(id, caller, READ)?;
        Ok(SemidDs {
            perm: slot.permission.to_guest(0),
            ..slot.value.status()
        })
    }

    /// `SEM_STAT`, and `SEM_STAT_ANY` without a check: the status of the set in a place, and its id.
    pub(crate) fn status_at(
        &self,
        caller: Option<&Caller>,
        place: i32,
    ) -> Result<(i32, SemidDs), Errno> {
        let state = self.0.lock();
        let (id, slot) = state.sets.at(place)?;
        if let Some(caller) = caller {
            slot.permission.check(caller, READ)?;
        }
        let status = SemidDs {
            perm: slot.permission.to_guest(0),
            ..slot.value.status()
        };
        Ok((id, status))
    }

    /// The greatest place in use, the number of sets and of semaphores.
    pub(crate) fn totals(&self) -> (i32, usize, usize) {
        let state = self.0.lock();
        let all = state.sets.values().map(|set| set.semaphores.len()).sum();
        (state.sets.greatest(), state.sets.len(), all)
    }

    /// `IPC_SET`.
    pub(crate) fn set(&self, caller: &Caller, id: i32, settings: Settings) -> Result<(), Errno> {
        let mut state = self.0.lock();
        let slot = state.sets.owned(id, caller)?;
        slot.permission.set(settings)?;
        slot.value.changed = now();
        Ok(())
    }

    /// `IPC_RMID`: whoever waits gets `EIDRM`.
    pub(crate) fn remove(&self, caller: &Caller, id: i32) -> Result<(), Errno> {
        let mut state = self.0.lock();
        let set = state.sets.remove(id, caller)?;
        for call in set.waiting {
            state.results.finish(call, Err(Errno::EIDRM));
        }
        Ok(())
    }

    /// Whether there is something to undo when a process ends.
    pub(crate) fn undoes_for(&self, process: Pid) -> bool {
        let state = self.0.lock();
        state
            .sets
            .values()
            .any(|set| set.undo.contains_key(&process))
    }

    /// A process has ended: undoes what it did with `SEM_UNDO`.
    pub(crate) fn undo(&self, process: Pid) {
        let mut state = self.0.lock();
        let State { sets, results } = &mut *state;
        for set in sets.values_mut() {
            let Some(undo) = set.undo.remove(&process) else {
                continue;
            };
            for (number, change) in undo {
                if change != 0
                    && let Some(semaphore) = set.semaphores.get_mut(usize::from(number))
                {
                    *semaphore = Semaphore {
                        value: (semaphore.value + change).clamp(0, GREATEST),
                        pid: process,
                    };
                }
            }
            set.settle(results);
        }
    }
}
