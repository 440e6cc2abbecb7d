//! Opening pseudo-terminals. See pts(4).

use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;

use super::{Attributes, End, HIDDEN, Line, Master, Pair, State, Steal, Terminals};
use crate::cage::family::PROGRAM;
use crate::cage::{Pid, Process};
use crate::fd::{OpenFile, Origin};
use crate::fs::device::Device;
use crate::fs::host::open_flags;
use crate::sandbox::World;

/// What an open of a terminal passes to the host.
const KEPT: OFlags = OFlags::RWMODE.union(OFlags::NONBLOCK).union(OFlags::APPEND);

fn kept(flags: OpenFlags) -> OFlags {
    (open_flags(flags) & KEPT) | OFlags::CLOEXEC | OFlags::NOCTTY
}

/// Opens `/dev/ptmx`: a new pseudo-terminal, of which this is the master's end.
pub(crate) fn open_master(process: &Process, flags: OpenFlags) -> Result<Arc<OpenFile>, Errno> {
    let fd = rustix::fs::open(c"/dev/ptmx", kept(flags), Mode::empty())?;
    // The lock is lind's to keep.
    rustix::pty::unlockpt(&fd)?;
    let credentials = process.credentials();
    let attributes = Attributes {
        uid: credentials.user.effective,
        gid: credentials.group.effective,
        mode: 0o620,
    };
    let world = process.world();
    let line = world.terminals.add(world, attributes)?;
    let number = line.number;
    let end = End::Master(Arc::new(Master { line }));
    let file = OpenFile::host_file(fd, Origin::Terminal(end), flags);
    world.terminals.set_master(number, Arc::downgrade(&file));
    Ok(file)
}

/// Opens a name in `/dev/pts`. The leader of a session without a terminal gets it as its controlling one, unless `flags`
/// have `O_NOCTTY`.
///
/// # Errors
/// `ENOENT` when there is no such terminal, `EIO` when it is locked.
pub(crate) fn open_number(
    process: &Process,
    number: u32,
    flags: OpenFlags,
) -> Result<Arc<OpenFile>, Errno> {
    let world = process.world();
    world.terminals.attributes(world, number)?;
    if number == world.terminals.outer().number {
        let line = Arc::clone(world.terminals.outer());
        return open_outer(process, flags, End::Line(line));
    }
    if world.terminals.is_locked(number)? {
        return Err(Errno::EIO);
    }
    let (fd, line) = world.terminals.open_peer(number, flags)?;
    let file = OpenFile::host_file(fd, Origin::Terminal(End::Line(Arc::clone(&line))), flags);
    adopt(process, &line, flags);
    Ok(file)
}

/// Opens the other end of a master's, whether it is locked or not: TIOCGPTPEER.
pub(crate) fn open_peer_of(
    process: &Process,
    line: &Line,
    flags: OpenFlags,
) -> Result<Arc<OpenFile>, Errno> {
    let world = process.world();
    let (fd, line) = world.terminals.open_peer(line.number, flags)?;
    let file = OpenFile::host_file(fd, Origin::Terminal(End::Line(Arc::clone(&line))), flags);
    adopt(process, &line, flags);
    Ok(file)
}

/// Opens `/dev/tty`: the controlling terminal. `ENXIO` when there is none.
pub(crate) fn open_controlling(
    process: &Process,
    flags: OpenFlags,
) -> Result<Arc<OpenFile>, Errno> {
    let world = process.world();
    let number = world.terminals.controlling(world, process.pid);
    let number = number.ok_or(Errno::ENXIO)?;
    if number == world.terminals.outer().number {
        let line = Arc::clone(world.terminals.outer());
        return open_outer(process, flags, End::Controlling(line));
    }
    let (fd, line) = world.terminals.open_peer(number, flags)?;
    let end = End::Controlling(line);
    Ok(OpenFile::host_file(fd, Origin::Terminal(end), flags))
}

fn open_outer(process: &Process, flags: OpenFlags, end: End) -> Result<Arc<OpenFile>, Errno> {
    let fd = Device::Tty.open(open_flags(flags))?;
    let line = Arc::clone(end.line());
    let file = OpenFile::host_file(fd, Origin::Terminal(end), flags);
    adopt(process, &line, flags);
    Ok(file)
}

/// What opening a terminal makes of it for the leader of a session that has none. The first program does not lead its
/// session in this respect: outside, it would be started by a shell or another program, which does.
fn adopt(process: &Process, line: &Line, flags: OpenFlags) {
    let writes_only = flags.bits() & OpenFlags::ACCMODE == OpenFlags::WRONLY.bits();
    if flags.contains(OpenFlags::NOCTTY) || writes_only || process.pid == PROGRAM {
        return;
    }
    let world = process.world();
    // Whoever cannot have it has opened it all the same.
    let _ = world.terminals.take(world, process.pid, line, Steal::No);
}

impl Terminals {
    /// Notes a new pseudo-terminal, under the lowest free number.
    fn add(&self, world: &Arc<World>, attributes: Attributes) -> Result<Arc<Line>, Errno> {
        let mut table = self.table.lock();
        let mut free = (0..HIDDEN).filter(|number| !table.lines.contains_key(number));
        let number = free.next().ok_or(Errno::ENOSPC)?;
        table.lines.insert(
            number,
            State {
                session: None,
                foreground: Pid::NONE,
                pair: Some(Pair {
                    master: Weak::new(),
                    hung_up: false,
                    locked: true,
                    literal: false,
                    attributes,
                }),
            },
        );
        Ok(Arc::new(Line {
            number,
            world: Arc::downgrade(world),
        }))
    }

    fn set_master(&self, number: u32, master: Weak<OpenFile>) {
        let mut table = self.table.lock();
        let state = table.lines.get_mut(&number);
        if let Some(pair) = state.and_then(|state| state.pair.as_mut()) {
            pair.master = master;
        }
    }

    /// Opens the other end of a pseudo-terminal. `EIO` when nobody has the master's end any more.
    fn open_peer(&self, number: u32, flags: OpenFlags) -> Result<(OwnedFd, Arc<Line>), Errno> {
        let master = {
            let table = self.table.lock();
            let state = table.lines.get(&number);
            let pair = state.and_then(|state| state.pair.as_ref());
            pair.ok_or(Errno::ENXIO)?.master.clone()
        };
        // Not under the lock: this may be the last one who has it when the result is dropped.
        let master = master.upgrade().ok_or(Errno::EIO)?;
        let host = master.host()?;
        let Origin::Terminal(end) = &host.origin else {
            return Err(Errno::EIO);
        };
        let flags = OpenptFlags::from_bits_retain(kept(flags).bits());
        let fd = rustix::pty::ioctl_tiocgptpeer(&host.fd, flags)?;
        Ok((fd, Arc::clone(end.line())))
    }

    /// Whether the other end cannot be opened by name. `ENOTTY` for what is no pseudo-terminal.
    pub(crate) fn is_locked(&self, number: u32) -> Result<bool, Errno> {
        let table = self.table.lock();
        let state = table.lines.get(&number);
        let pair = state.and_then(|state| state.pair.as_ref());
        Ok(pair.ok_or(Errno::ENOTTY)?.locked)
    }

    /// Locks or unlocks the name of the other end. `ENOTTY` for what is no pseudo-terminal.
    pub(crate) fn set_locked(&self, number: u32, locked: bool) -> Result<(), Errno> {
        let mut table = self.table.lock();
        let state = table.lines.get_mut(&number);
        let pair = state.and_then(|state| state.pair.as_mut());
        pair.ok_or(Errno::ENOTTY)?.locked = locked;
        Ok(())
    }
}
