//! Terminals: the one that lind runs at, and the sandbox's own pseudo-terminals. See pty(7), tty_ioctl(4), credentials(7).
//!
//! Line discipline, settings and window size are the host's: a pseudo-terminal of the sandbox is one of the host's, with a
//! number of the sandbox's. Who is signalled is the sandbox's own matter, since the host has one process where the sandbox
//! has many: sessions, foreground groups and the stops of background groups are kept here; to the host, none of its
//! pseudo-terminals controls anybody, so its line discipline swallows the keys that send signals and sends none.
//!
//! - The keys of a pseudo-terminal are recognised where the master's end is written, by the settings that the other end
//!   has at that moment (`keys`). They send their signals after the host's line discipline has taken them.
//! - The keys of lind's own terminal arrive as signals to lind: [`Sandbox::terminal_signal`](crate::Sandbox::terminal_signal).

mod access;
mod keys;
mod pair;

pub(crate) use pair::{open_controlling, open_master, open_number, open_peer_of};

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rawposix_abi::{Errno, Signal};

use crate::cage::Pid;
use crate::cage::family::PROGRAM;
use crate::fd::OpenFile;
use crate::sandbox::World;
use crate::signal::{Target, from_system};

/// All terminals, and who is controlled by which.
///
/// Its lock comes before the tree of processes.
#[derive(Debug)]
pub(crate) struct Terminals {
    table: Mutex<Table>,
    /// The terminal that lind runs at.
    outer: Arc<Line>,
    /// Whether lind itself has a controlling terminal, whose shell can stop and continue it.
    has_host: bool,
}

#[derive(Debug, Default)]
struct Table {
    lines: BTreeMap<u32, State>,
    /// Leaders of sessions whose terminal was hung up, and the group that was in its foreground.
    left: Vec<(Pid, Pid)>,
}

/// What is known of a terminal.
#[derive(Debug)]
struct State {
    /// The session whose controlling terminal it is.
    session: Option<Pid>,
    /// The process group in the foreground; none if it is [`Pid::NONE`].
    foreground: Pid,
    /// What a pseudo-terminal has in addition.
    pair: Option<Pair>,
}

#[derive(Debug)]
struct Pair {
    /// The open master's end. It lives as long as somebody has it.
    master: Weak<OpenFile>,
    /// Nobody has the master's end any more.
    hung_up: bool,
    /// The other end cannot be opened by name yet.
    locked: bool,
    /// The next byte is taken literally.
    literal: bool,
    attributes: Attributes,
}

/// Owner and permissions of a terminal's name in `/dev/pts`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mode: u16,
}

/// A terminal, as long as an end of it is open.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) number: u32,
    world: Weak<World>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(world) = self.world.upgrade() {
            world.terminals.table.lock().lines.remove(&self.number);
        }
    }
}

/// The master's end of a pseudo-terminal; dropping it hangs up.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) line: Arc<Line>,
}

impl Drop for Master {
    fn drop(&mut self) {
        if let Some(world) = self.line.world.upgrade() {
            world.terminals.hang_up(&world, self.line.number);
        }
    }
}

/// An end of a terminal.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The end that programs run at.
    Line(Arc<Line>),
    /// The same, opened as `/dev/tty`.
    Controlling(Arc<Line>),
    /// The other one, `/dev/ptmx`.
    Master(Arc<Master>),
}

impl End {
    /// The terminal.
    pub(crate) fn line(&self) -> &Arc<Line> {
        match self {
            Self::Line(line) | Self::Controlling(line) => line,
            Self::Master(master) => &master.line,
        }
    }

    /// Whether it is the master's end.
    pub(crate) fn is_master(&self) -> bool {
        matches!(self, Self::Master(_))
    }
}

/// The number of lind's own terminal if none of lind's streams is one: nobody sees it, but its keys' signals come.
const HIDDEN: u32 = u32::MAX;
/// The number of lind's own terminal.
const OUTER: u32 = 0;

impl Terminals {
    /// Those of a new sandbox: the program's session is controlled by lind's terminal, the program in the foreground.
    pub(crate) fn new() -> Self {
        let host = rustix::fs::open(
            c"/dev/tty",
            rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        );
        let (number, session) = if crate::fs::device::has_terminal() {
            (OUTER, Some(PROGRAM))
        } else {
            (HIDDEN, None)
        };
        let state = State {
            session,
            foreground: PROGRAM,
            pair: None,
        };
        Self {
            table: Mutex::new(Table {
                lines: BTreeMap::from([(number, state)]),
                left: Vec::new(),
            }),
            outer: Arc::new(Line {
                number,
                world: Weak::new(),
            }),
            has_host: host.is_ok(),
        }
    }

    /// lind's own terminal.
    pub(crate) fn outer(&self) -> &Arc<Line> {
        &self.outer
    }

    /// Whether a terminal is lind's own.
    pub(crate) fn is_outer(&self, line: &Line) -> bool {
        line.number == self.outer.number
    }

    /// Whether the shell that started lind could continue the sandbox's program.
    pub(crate) fn has_host(&self) -> bool {
        self.has_host
    }

    /// The numbers of the terminals that have a name in `/dev/pts`, rising.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let table = self.table.lock();
        let named = table.lines.iter().filter(|(_, state)| state.is_named());
        named
            .map(|(number, _)| *number)
            .filter(|number| *number != HIDDEN)
            .collect()
    }

    /// Owner and permissions of a name in `/dev/pts`. `ENOENT` when there is no such name.
    pub(crate) fn attributes(&self, world: &World, number: u32) -> Result<Attributes, Errno> {
        let table = self.table.lock();
        let state = table.lines.get(&number).filter(|_| number != HIDDEN);
        let state = state.filter(|state| state.is_named());
        let state = state.ok_or(Errno::ENOENT)?;
        Ok(state.pair.as_ref().map_or(
            Attributes {
                uid: world.uid,
                gid: world.gid,
                mode: 0o620,
            },
            |pair| pair.attributes,
        ))
    }

    /// Changes owner and permissions of a pseudo-terminal. `EPERM` for lind's own terminal.
    pub(crate) fn change_attributes(
        &self,
        number: u32,
        change: impl FnOnce(&mut Attributes),
    ) -> Result<(), Errno> {
        let mut table = self.table.lock();
        let state = table.lines.get_mut(&number).ok_or(Errno::ENOENT)?;
        let pair = state.pair.as_mut().ok_or(Errno::EPERM)?;
        change(&mut pair.attributes);
        Ok(())
    }

    /// The number of a process's controlling terminal.
    pub(crate) fn controlling(&self, world: &World, caller: Pid) -> Option<u32> {
        self.table.lock().controlling(world, caller)
    }

    /// The number of the terminal that controls a process, and the group in its foreground.
    pub(crate) fn control_of(&self, world: &World, pid: Pid) -> Option<(u32, Pid)> {
        let table = self.table.lock();
        let number = table.controlling(world, pid)?;
        let state = table.lines.get(&number)?;
        Some((number, state.foreground))
    }

    /// The foreground process group. `ENOTTY` for a session that has another terminal or none; whoever has the master's
    /// end may ask as well.
    pub(crate) fn foreground(&self, world: &World, caller: Pid, end: &End) -> Result<Pid, Errno> {
        let table = self.table.lock();
        Ok(table.asked_by(world, caller, end)?.foreground)
    }

    /// The session. `ENOTTY` as for [`Self::foreground`], or if there is none.
    pub(crate) fn session(&self, world: &World, caller: Pid, end: &End) -> Result<Pid, Errno> {
        let table = self.table.lock();
        let state = table.asked_by(world, caller, end)?;
        state.session.ok_or(Errno::ENOTTY)
    }

    /// Puts a group of the caller's session into the foreground. `ESRCH` if there is no such group, `EPERM` if it is
    /// another session's.
    pub(crate) fn set_foreground(
        &self,
        world: &World,
        caller: Pid,
        line: &Line,
        group: i32,
    ) -> Result<(), Errno> {
        let mut table = self.table.lock();
        if table.controlling(world, caller) != Some(line.number) {
            return Err(Errno::ENOTTY);
        }
        let state = table.lines.get_mut(&line.number).ok_or(Errno::ENOTTY)?;
        if group < 0 {
            return Err(Errno::EINVAL);
        }
        let session = world.family.session_of(caller)?;
        if !world.family.has_thread(Pid(group)) {
            return Err(Errno::ESRCH);
        }
        if !world.family.has_group(Pid(group), session) {
            return Err(Errno::EPERM);
        }
        state.foreground = Pid(group);
        Ok(())
    }

    /// Makes it the controlling terminal of the session that the caller leads. `EPERM` if it leads none or has a terminal
    /// already, or if the terminal is another session's and `steal` does not say that it may be taken away.
    pub(crate) fn take(
        &self,
        world: &World,
        caller: Pid,
        line: &Line,
        steal: Steal,
    ) -> Result<(), Errno> {
        let mut table = self.table.lock();
        let session = world.family.session_of(caller)?;
        let group = world.family.group_of(caller)?;
        let current = table.controlling(world, caller);
        let state = table.lines.get_mut(&line.number).ok_or(Errno::EIO)?;
        if state.pair.as_ref().is_some_and(|pair| pair.hung_up) {
            return Err(Errno::EIO);
        }
        if session == caller && state.session == Some(session) {
            return Ok(());
        }
        if session != caller || current.is_some() {
            return Err(Errno::EPERM);
        }
        if state.session.is_some() && steal == Steal::No {
            return Err(Errno::EPERM);
        }
        state.session = Some(session);
        state.foreground = group;
        drop(table);
        if let Some(leader) = world.family.process(caller) {
            leader.with_settings(|settings| settings.without_terminal = false);
        }
        Ok(())
    }

    /// The caller gives up its controlling terminal. If it leads the session, the whole session does, and the foreground
    /// is told. `ENOTTY` if this is not its controlling terminal.
    pub(crate) fn give_up(&self, world: &World, caller: Pid, line: &Line) -> Result<(), Errno> {
        let foreground = {
            let mut table = self.table.lock();
            if table.controlling(world, caller) != Some(line.number) {
                return Err(Errno::ENOTTY);
            }
            if world.family.session_of(caller)? != caller {
                let process = world.family.process(caller).ok_or(Errno::ESRCH)?;
                process.with_settings(|settings| settings.without_terminal = true);
                return Ok(());
            }
            let state = table.lines.get_mut(&line.number).ok_or(Errno::ENOTTY)?;
            state.release()
        };
        send(world, foreground, &[Signal::SIGHUP, Signal::SIGCONT]);
        Ok(())
    }

    /// A process has ended: if it led a session, the foreground of the session's terminal is told.
    pub(crate) fn ended(&self, world: &World, pid: Pid) {
        let mut table = self.table.lock();
        let mut lines = table.lines.values_mut();
        if let Some(state) = lines.find(|state| state.session == Some(pid)) {
            let foreground = state.release();
            drop(table);
            send(world, foreground, &[Signal::SIGHUP]);
            return;
        }
        if let Some(place) = table.left.iter().position(|(leader, _)| *leader == pid) {
            let (_, foreground) = table.left.swap_remove(place);
            drop(table);
            send(world, foreground, &[Signal::SIGHUP, Signal::SIGCONT]);
        }
    }

    /// Nobody has the master's end any more: the terminal is no session's, and the session's leader is told.
    fn hang_up(&self, world: &World, number: u32) {
        let leader = {
            let mut table = self.table.lock();
            let Some(state) = table.lines.get_mut(&number) else {
                return;
            };
            if let Some(pair) = &mut state.pair {
                pair.hung_up = true;
            }
            let Some(leader) = state.session else {
                return;
            };
            let foreground = state.release();
            // As on Linux, it is the last terminal that counts.
            table.left.retain(|(other, _)| *other != leader);
            table.left.push((leader, foreground));
            leader
        };
        if let Some(leader) = world.family.process(leader) {
            leader.send_from_system(Signal::SIGHUP);
            leader.send_from_system(Signal::SIGCONT);
        }
    }

    /// A signal that lind's own terminal sends to its foreground.
    pub(crate) fn outer_signal(&self, world: &World, signal: Signal) {
        self.signal(world, self.outer.number, signal);
    }

    /// lind goes on, and so does this process group.
    pub(crate) fn go_on(&self, world: &World, group: Pid) {
        send(world, group, &[Signal::SIGCONT]);
    }

    /// A signal that a terminal sends to its foreground.
    pub(crate) fn signal(&self, world: &World, number: u32, signal: Signal) {
        let foreground = self.table.lock().lines.get(&number).map(|s| s.foreground);
        send(world, foreground.unwrap_or(Pid::NONE), &[signal]);
    }

    /// Whether a process is in the background of a terminal that controls it, and its group.
    fn background(&self, world: &World, caller: Pid, line: &Line) -> Option<Pid> {
        let table = self.table.lock();
        if table.controlling(world, caller) != Some(line.number) {
            return None;
        }
        let foreground = table.lines.get(&line.number)?.foreground;
        let group = world.family.group_of(caller).ok()?;
        (group != foreground && foreground != Pid::NONE).then_some(group)
    }
}

/// Whether a terminal may be taken away from its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steal {
    Yes,
    No,
}

impl Table {
    fn controlling(&self, world: &World, caller: Pid) -> Option<u32> {
        let session = world.family.session_of(caller).ok()?;
        let mut lines = self.lines.iter();
        let (number, _) = lines.find(|(_, state)| state.session == Some(session))?;
        let process = world.family.process(caller)?;
        process
            .with_settings(|settings| !settings.without_terminal)
            .then_some(*number)
    }

    /// What is known of the terminal behind `end`, if the caller may know it.
    fn asked_by(&self, world: &World, caller: Pid, end: &End) -> Result<&State, Errno> {
        let number = end.line().number;
        if !end.is_master() && self.controlling(world, caller) != Some(number) {
            return Err(Errno::ENOTTY);
        }
        self.lines.get(&number).ok_or(Errno::ENOTTY)
    }
}

impl State {
    /// Whether it has a name in `/dev/pts`.
    fn is_named(&self) -> bool {
        self.pair.as_ref().is_none_or(|pair| !pair.hung_up)
    }

    /// It is no session's any more; gives the group in the foreground.
    fn release(&mut self) -> Pid {
        self.session = None;
        std::mem::replace(&mut self.foreground, Pid::NONE)
    }
}

fn send(world: &World, group: Pid, signals: &[Signal]) {
    if group == Pid::NONE {
        return;
    }
    let _sending = world.crowds.sending();
    for signal in signals {
        for process in world.family.group(group) {
            // Only signals with values can fail.
            let _ = process.send_to(Target::Crowd, from_system(*signal));
        }
    }
}
