//! Descriptor tables against a model: whatever processes do with descriptors, that fork, share and unshare their tables
//! and execute programs, every one of them has the numbers, flags and open file descriptions that a few maps say.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;

use common::world::World;
use common::{CWD, Guest};
use proptest::prelude::*;
use rawposix::{Control, Errno, Thread};
use rawposix_abi::table;
use rawposix_memory::GuestPtr;

/// RLIMIT_NOFILE of all processes.
const LIMIT: u32 = 12;
/// The most processes at a time.
const PROCESSES: usize = 5;

const RLIMIT_NOFILE: u32 = 7;
const F_DUPFD: u32 = 0;
const F_GETFD: u32 = 1;
const F_SETFD: u32 = 2;
const F_DUPFD_CLOEXEC: u32 = 1030;
const O_CLOEXEC: u32 = 0o2_000_000;
const CLOSE_RANGE_UNSHARE: u32 = 2;
const CLOSE_RANGE_CLOEXEC: u32 = 4;
const CLONE_FILES: u32 = 0x400;
const SIGCHLD: u32 = 17;
const SEEK_SET: u32 = 0;
const SEEK_CUR: u32 = 1;

/// Where strings and results lie in guest memory.
const PATH: u32 = 0x2_0000;
const RESULT: u32 = 0x2_0100;
const INITIAL_MEMORY: u64 = 4 << 20;

type Answer = Result<u32, Errno>;

/// What one process does next.
#[derive(Clone, Debug)]
enum Step {
    Open { flags: u32 },
    Pipe { flags: u32 },
    Dup { fd: u32 },
    Dup3 { old: u32, new: u32, flags: u32 },
    DupFrom { fd: u32, from: u32, command: u32 },
    SetFlag { fd: u32, flag: u32 },
    Seek { fd: u32, to: u32 },
    Close { fd: u32 },
    CloseRange { first: u32, last: u32, flags: u32 },
    Fork { flags: u32 },
    Unshare,
    Execute,
    Exit,
}

fn descriptor() -> impl Strategy<Value = u32> {
    prop_oneof![
        12 => 0..LIMIT,
        1 => LIMIT..LIMIT + 2,
        1 => Just(u32::MAX),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let cloexec = || prop_oneof![Just(0), Just(O_CLOEXEC)];
    let fd = descriptor;
    let range_flags = prop_oneof![
        Just(0),
        Just(CLOSE_RANGE_CLOEXEC),
        Just(CLOSE_RANGE_UNSHARE),
        Just(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC),
        Just(1),
    ];
    prop_oneof![
        6 => cloexec().prop_map(|flags| Step::Open { flags }),
        2 => cloexec().prop_map(|flags| Step::Pipe { flags }),
        3 => fd().prop_map(|fd| Step::Dup { fd }),
        4 => (fd(), fd(), prop_oneof![4 => cloexec(), 1 => Just(1)])
            .prop_map(|(old, new, flags)| Step::Dup3 { old, new, flags }),
        3 => (fd(), fd(), prop_oneof![Just(F_DUPFD), Just(F_DUPFD_CLOEXEC)])
            .prop_map(|(fd, from, command)| Step::DupFrom { fd, from, command }),
        2 => (fd(), 0..4_u32).prop_map(|(fd, flag)| Step::SetFlag { fd, flag }),
        3 => (fd(), 1..1_000_000_u32).prop_map(|(fd, to)| Step::Seek { fd, to }),
        5 => fd().prop_map(|fd| Step::Close { fd }),
        1 => (fd(), fd(), range_flags)
            .prop_map(|(first, last, flags)| Step::CloseRange { first, last, flags }),
        2 => prop_oneof![Just(0), Just(CLONE_FILES)].prop_map(|flags| Step::Fork { flags }),
        1 => Just(Step::Unshare),
        1 => Just(Step::Execute),
        1 => Just(Step::Exit),
    ]
}

/// An open file description: the offset of a file, which every descriptor of it shows; pipes have none.
type Description = Rc<Option<Cell<u32>>>;

/// Descriptors, and whether execve(2) closes them.
type Table = BTreeMap<u32, (Description, bool)>;

/// What a table is to be.
#[derive(Clone, Default)]
struct Model(Rc<RefCell<Table>>);

impl Model {
    fn free(&self, from: u32) -> Option<u32> {
        (from..LIMIT).find(|fd| !self.0.borrow().contains_key(fd))
    }

    fn get(&self, fd: u32) -> Result<Description, Errno> {
        let table = self.0.borrow();
        table
            .get(&fd)
            .map(|slot| Rc::clone(&slot.0))
            .ok_or(Errno::EBADF)
    }

    fn install(&self, file: Description, from: u32, close_on_exec: bool) -> Answer {
        let fd = self.free(from).ok_or(Errno::EMFILE)?;
        self.0.borrow_mut().insert(fd, (file, close_on_exec));
        Ok(fd)
    }

    /// A table of the same descriptors.
    fn copy(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// What a step comes to that concerns one table only.
    fn apply(&mut self, step: &Step) -> Answer {
        match *step {
            Step::Open { flags } => self.install(Rc::new(Some(Cell::new(0))), 0, flags != 0),
            Step::Pipe { flags } => {
                if (0..LIMIT)
                    .filter(|fd| !self.0.borrow().contains_key(fd))
                    .count()
                    < 2
                {
                    return Err(Errno::EMFILE);
                }
                self.install(Rc::new(None), 0, flags != 0)?;
                self.install(Rc::new(None), 0, flags != 0).map(|_| 0)
            }
            Step::Dup { fd } => self.install(self.get(fd)?, 0, false),
            Step::Dup3 { old, new, flags } => {
                if flags == 1 || old == new {
                    return Err(Errno::EINVAL);
                }
                let file = self.get(old)?;
                if new >= LIMIT {
                    return Err(Errno::EBADF);
                }
                self.0.borrow_mut().insert(new, (file, flags != 0));
                Ok(new)
            }
            Step::DupFrom { fd, from, command } => {
                let file = self.get(fd)?;
                if from >= LIMIT {
                    return Err(Errno::EINVAL);
                }
                self.install(file, from, command == F_DUPFD_CLOEXEC)
            }
            Step::SetFlag { fd, flag } => {
                self.get(fd)?;
                self.0
                    .borrow_mut()
                    .entry(fd)
                    .and_modify(|slot| slot.1 = flag & 1 != 0);
                Ok(0)
            }
            Step::Seek { fd, to } => match &*self.get(fd)? {
                Some(offset) => {
                    offset.set(to);
                    Ok(0)
                }
                None => Err(Errno::ESPIPE),
            },
            Step::Close { fd } => {
                let closed = self.0.borrow_mut().remove(&fd);
                closed.map(|_| 0).ok_or(Errno::EBADF)
            }
            Step::CloseRange { first, last, flags } => {
                if flags == 1 || first > last {
                    return Err(Errno::EINVAL);
                }
                if flags & CLOSE_RANGE_UNSHARE != 0 {
                    *self = self.copy();
                }
                let mut table = self.0.borrow_mut();
                if flags & CLOSE_RANGE_CLOEXEC != 0 {
                    table
                        .range_mut(first..=last)
                        .for_each(|(_, slot)| slot.1 = true);
                } else {
                    table.retain(|fd, _| !(first..=last).contains(fd));
                }
                Ok(0)
            }
            Step::Unshare => {
                *self = self.copy();
                Ok(0)
            }
            Step::Execute => {
                *self = self.copy();
                self.0.borrow_mut().retain(|_, slot| !slot.1);
                Ok(0)
            }
            Step::Fork { .. } | Step::Exit => panic!("this concerns others, too"),
        }
    }
}

fn control(thread: &mut Thread, name: &str, arguments: &[u32]) -> Control {
    let mut words = [0; 6];
    words[..arguments.len()].copy_from_slice(arguments);
    thread.syscall(i32::from(table::by_name(name).unwrap().number), words)
}

fn call(thread: &mut Thread, name: &str, arguments: &[u32]) -> Answer {
    match control(thread, name, arguments) {
        Control::Return(word) if (-4095..0).contains(&word) => {
            Err(Errno::from_raw(u16::try_from(-word).unwrap()).unwrap())
        }
        Control::Return(word) => Ok(word.cast_unsigned()),
        other => panic!("{name} did not return: {other:?}"),
    }
}

/// The new program has the path where the old one had it.
fn place_path(thread: &Thread) {
    thread
        .memory()
        .write_bytes(GuestPtr::new(PATH), b"/file\0")
        .unwrap();
}

/// Does what a step says with the real table.
fn perform(thread: &mut Thread, step: &Step) -> Answer {
    match *step {
        Step::Open { flags } => call(thread, "openat", &[CWD, PATH, flags, 0]),
        Step::Pipe { flags } => call(thread, "pipe2", &[RESULT, flags]),
        Step::Dup { fd } => call(thread, "dup", &[fd]),
        Step::Dup3 { old, new, flags } => call(thread, "dup3", &[old, new, flags]),
        Step::DupFrom { fd, from, command } => call(thread, "fcntl64", &[fd, command, from]),
        Step::SetFlag { fd, flag } => call(thread, "fcntl64", &[fd, F_SETFD, flag]),
        Step::Seek { fd, to } => call(thread, "llseek", &[fd, 0, to, RESULT, SEEK_SET]),
        Step::Close { fd } => call(thread, "close", &[fd]),
        Step::CloseRange { first, last, flags } => {
            call(thread, "close_range", &[first, last, flags])
        }
        Step::Unshare => call(thread, "unshare", &[CLONE_FILES]),
        Step::Execute => {
            let Control::Exec(request) = control(thread, "execve", &[PATH, 0, 0]) else {
                panic!("the program is not executed");
            };
            thread.execute(*request, INITIAL_MEMORY).unwrap();
            place_path(thread);
            Ok(0)
        }
        Step::Fork { .. } | Step::Exit => panic!("this concerns others, too"),
    }
}

fn fork(parent: &mut Thread, flags: u32) -> Thread {
    let Control::Clone(request) = control(parent, "clone", &[flags | SIGCHLD]) else {
        panic!("no child was prepared");
    };
    let mut started = None;
    let control = parent.start_child(request, |child| started = Some(child));
    assert!(matches!(control, Control::Return(pid) if pid > 0));
    started.unwrap()
}

/// Whether a table is as the model says.
fn check(thread: &mut Thread, model: &Model) {
    for fd in 0..LIMIT + 2 {
        let slot = model.0.borrow().get(&fd).cloned();
        let flag = call(thread, "fcntl64", &[fd, F_GETFD]);
        let wanted = slot
            .as_ref()
            .map(|slot| u32::from(slot.1))
            .ok_or(Errno::EBADF);
        assert_eq!(flag, wanted, "the flag of {fd}");
        let Some((file, _)) = slot else { continue };
        let offset = call(thread, "llseek", &[fd, 0, 0, RESULT, SEEK_CUR]);
        match &*file {
            None => assert_eq!(offset, Err(Errno::ESPIPE), "the offset of {fd}"),
            Some(wanted) => {
                offset.unwrap();
                let offset: u64 = thread.memory().read(GuestPtr::new(RESULT)).unwrap();
                assert_eq!(offset, u64::from(wanted.get()), "the offset of {fd}");
            }
        }
    }
}

fn play(steps: Vec<(prop::sample::Index, Step)>) {
    let world = World::new();
    let file = world.root().join("file");
    fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    let Guest {
        mut thread,
        sandbox,
        ..
    } = world.guest();
    place_path(&thread);
    call(&mut thread, "close_range", &[0, u32::MAX, 0]).unwrap();
    let limit = [u64::from(LIMIT); 2];
    thread
        .memory()
        .write(GuestPtr::new(RESULT), &limit)
        .unwrap();
    call(&mut thread, "prlimit64", &[0, RLIMIT_NOFILE, RESULT, 0]).unwrap();
    let mut processes = vec![(thread, Model::default())];
    for (place, step) in steps {
        let place = place.index(processes.len());
        match step {
            Step::Fork { flags } => {
                if processes.len() < PROCESSES {
                    let (parent, table) = &mut processes[place];
                    let child = fork(parent, flags);
                    let table = if flags == 0 {
                        table.copy()
                    } else {
                        table.clone()
                    };
                    processes.push((child, table));
                }
            }
            Step::Exit => {
                // The first one's end is the sandbox's.
                if place > 0 {
                    let (mut thread, _) = processes.remove(place);
                    assert!(matches!(
                        control(&mut thread, "exit_group", &[0]),
                        Control::Exit(_)
                    ));
                }
            }
            step => {
                let (thread, table) = &mut processes[place];
                assert_eq!(perform(thread, &step), table.apply(&step), "{step:?}");
            }
        }
        for (thread, table) in &mut processes {
            check(thread, table);
        }
    }
    for (thread, _) in processes.iter_mut().rev() {
        assert!(matches!(
            control(thread, "exit_group", &[0]),
            Control::Exit(_)
        ));
    }
    drop(sandbox);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn tables_behave_like_maps(
        steps in prop::collection::vec((any::<prop::sample::Index>(), step()), 0..120)
    ) {
        play(steps);
    }
}
