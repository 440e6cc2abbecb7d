//! ioctl(2): an allow list. See ioctl_tty(2).

use rawposix_abi::Errno;
use rawposix_abi::Signal;
use rawposix_abi::flags::OpenFlags;
use rawposix_abi::flags::ioctl::{
    FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, TCFLSH, TCGETS, TCSBRK, TCSBRKP, TCSETS,
    TCSETSF, TCSETSW, TCXONC, TIOCEXCL, TIOCGETD, TIOCGPGRP, TIOCGPKT, TIOCGPTLCK, TIOCGPTN,
    TIOCGPTPEER, TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCNXCL, TIOCPKT, TIOCSCTTY, TIOCSIG, TIOCSPGRP,
    TIOCSPTLCK, TIOCSTI, TIOCSWINSZ,
};
use rawposix_abi::structs::{Termios, Winsize};
use rawposix_memory::GuestPtr;
use rawposix_memory::packet::{packet_mode, set_packet_mode};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::termios::{
    Action, ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector,
    SpecialCodeIndex, tcgetattr,
};

use super::args::{Fd, Hex, IoctlCmd};
use super::network_ioctl::network_ioctl;
use super::owner::set_async;
use crate::fd::{CloseOnExec, Object, Origin};
use crate::terminal::{self, End, Line, Steal};
use crate::thread::Thread;

/// Places of the control characters that the host's type lets be set; the generic layout is the host's.
const CODES: [SpecialCodeIndex; 17] = [
    SpecialCodeIndex::VINTR,
    SpecialCodeIndex::VQUIT,
    SpecialCodeIndex::VERASE,
    SpecialCodeIndex::VKILL,
    SpecialCodeIndex::VEOF,
    SpecialCodeIndex::VTIME,
    SpecialCodeIndex::VMIN,
    SpecialCodeIndex::VSWTC,
    SpecialCodeIndex::VSTART,
    SpecialCodeIndex::VSTOP,
    SpecialCodeIndex::VSUSP,
    SpecialCodeIndex::VEOL,
    SpecialCodeIndex::VREPRINT,
    SpecialCodeIndex::VDISCARD,
    SpecialCodeIndex::VWERASE,
    SpecialCodeIndex::VLNEXT,
    SpecialCodeIndex::VEOL2,
];

/// `CBAUD`.
const SPEED: u32 = 0o010_017;

pub(super) fn ioctl(thread: &mut Thread, fd: Fd, cmd: IoctlCmd, arg: Hex) -> Result<i32, Errno> {
    let file = thread.file(fd.0)?;
    match cmd.0 {
        FIOCLEX | FIONCLEX => {
            let flag = CloseOnExec::from_flag(cmd.0 == FIOCLEX);
            return thread
                .process
                .with_files(|files| files.set_close_on_exec(fd.0, flag))
                .map(|()| 0);
        }
        _ => {}
    }
    let host = match file.object() {
        Object::Host(host) => host,
        Object::Dir(_) => return Err(Errno::ENOTTY),
        Object::Path(_) => return Err(Errno::EBADF),
        Object::Own(own) if cmd.0 == FIONBIO => {
            let on: i32 = thread.memory().read(GuestPtr::new(arg.0))?;
            own.set_nonblocking(on != 0);
            return Ok(0);
        }
        Object::Own(_) => return Err(Errno::ENOTTY),
    };
    let memory = thread.memory();
    match cmd.0 {
        FIONREAD => {
            let count = rustix::io::ioctl_fionread(&host.fd)?;
            let count = host.socket().map_or(count, |socket| socket.unread(count));
            memory.write(
                GuestPtr::new(arg.0),
                &i32::try_from(count).unwrap_or(i32::MAX),
            )?;
        }
        FIONBIO => {
            let on: i32 = memory.read(GuestPtr::new(arg.0))?;
            rustix::io::ioctl_fionbio(&host.fd, on != 0)?;
        }
        FIOASYNC => {
            let on: i32 = memory.read(GuestPtr::new(arg.0))?;
            set_async(thread, &file, fd.0, on != 0)?;
        }
        command => match &host.origin {
            Origin::Terminal(end) => {
                return terminal(thread, host.fd.as_fd(), end, (command, arg.0));
            }
            Origin::Socket(socket) => {
                return network_ioctl(thread, host, socket, command, arg.0);
            }
            _ => return Err(Errno::ENOTTY),
        },
    }
    Ok(0)
}

/// A command on an end of a terminal.
fn terminal(
    thread: &Thread,
    tty: BorrowedFd<'_>,
    end: &End,
    (command, arg): (u32, u32),
) -> Result<i32, Errno> {
    match end {
        End::Master(_) => {
            if let Some(result) = master(thread, tty, end.line(), (command, arg))? {
                return Ok(result);
            }
        }
        // The other end's own.
        _ if command == TIOCGPTPEER => return Err(Errno::EIO),
        _ => {}
    }
    control(thread, tty, end, (command, arg)).map(|()| 0)
}

/// A command that only the master's end takes; `None` for all others.
fn master(
    thread: &Thread,
    tty: BorrowedFd<'_>,
    line: &Line,
    (command, arg): (u32, u32),
) -> Result<Option<i32>, Errno> {
    let memory = thread.memory();
    let terminals = &thread.world.terminals;
    match command {
        TIOCGPTN => memory.write(GuestPtr::new(arg), &line.number)?,
        TIOCSPTLCK => {
            let lock: i32 = memory.read(GuestPtr::new(arg))?;
            terminals.set_locked(line.number, lock != 0)?;
        }
        TIOCGPTLCK => {
            let locked = terminals.is_locked(line.number)?;
            memory.write(GuestPtr::new(arg), &i32::from(locked))?;
        }
        TIOCPKT => {
            let on: i32 = memory.read(GuestPtr::new(arg))?;
            set_packet_mode(tty, on != 0)?;
        }
        TIOCGPKT => memory.write(GuestPtr::new(arg), &i32::from(packet_mode(tty)?))?,
        TIOCGPTPEER => {
            let flags = OpenFlags::from_bits_truncate(arg);
            let file = terminal::open_peer_of(&thread.process, line, flags)?;
            let close_on_exec = CloseOnExec::from_flag(flags.contains(OpenFlags::CLOEXEC));
            return thread.process.install(file, close_on_exec).map(Some);
        }
        TIOCSIG => {
            let signal = Signal::from_raw(arg).ok_or(Errno::EINVAL)?;
            if ![Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP].contains(&signal) {
                return Err(Errno::EINVAL);
            }
            terminals.signal(&thread.world, line.number, signal);
        }
        _ => return Ok(None),
    }
    Ok(Some(0))
}

fn control(
    thread: &Thread,
    tty: BorrowedFd<'_>,
    end: &End,
    (command, arg): (u32, u32),
) -> Result<(), Errno> {
    let line = end.line();
    if let TCSETS | TCSETSW | TCSETSF | TIOCSPGRP | TCSBRK | TCSBRKP | TCFLSH | TCXONC = command {
        thread.before_change(line)?;
    }
    if !thread.world.terminals.is_outer(line) {
        // The host's answer for one that was hung up.
        tcgetattr(tty)?;
    }
    let memory = thread.memory();
    let (world, pid) = (&thread.world, thread.process.pid);
    match command {
        TCGETS => memory.write(GuestPtr::new(arg), &attributes(tty)?),
        TCSETS | TCSETSW | TCSETSF => {
            let when = match command {
                TCSETS => OptionalActions::Now,
                TCSETSW => OptionalActions::Drain,
                _ => OptionalActions::Flush,
            };
            let wanted: Termios = memory.read(GuestPtr::new(arg))?;
            let speed = if thread.world.terminals.is_outer(line) {
                Speed::Kept
            } else {
                Speed::Set
            };
            thread.block(|| set_attributes(tty, when, &wanted, speed))
        }
        TIOCGWINSZ => {
            let size = rustix::termios::tcgetwinsize(tty)?;
            let size = Winsize {
                row: size.ws_row,
                col: size.ws_col,
                xpixel: size.ws_xpixel,
                ypixel: size.ws_ypixel,
            };
            memory.write(GuestPtr::new(arg), &size)
        }
        TIOCSWINSZ => {
            let size: Winsize = memory.read(GuestPtr::new(arg))?;
            let size = rustix::termios::Winsize {
                ws_row: size.row,
                ws_col: size.col,
                ws_xpixel: size.xpixel,
                ws_ypixel: size.ypixel,
            };
            let before = rustix::termios::tcgetwinsize(tty)?;
            rustix::termios::tcsetwinsize(tty, size)?;
            if before != size && !world.terminals.is_outer(line) {
                world.terminals.signal(world, line.number, Signal::SIGWINCH);
            }
            Ok(())
        }
        TIOCGPGRP => {
            let group = world.terminals.foreground(world, pid, end)?;
            memory.write(GuestPtr::new(arg), &group.0)
        }
        TIOCGSID => {
            let session = world.terminals.session(world, pid, end)?;
            memory.write(GuestPtr::new(arg), &session.0)
        }
        TIOCSPGRP => {
            let group = memory.read(GuestPtr::new(arg))?;
            world.terminals.set_foreground(world, pid, line, group)
        }
        TIOCSCTTY => {
            let is_root = thread.process.credentials().user.effective == 0;
            let steal = if arg == 1 && is_root {
                Steal::Yes
            } else {
                Steal::No
            };
            world.terminals.take(world, pid, line, steal)
        }
        TIOCNOTTY => world.terminals.give_up(world, pid, line),
        TCSBRK | TCSBRKP if command == TCSBRK && arg != 0 => {
            thread.block(|| rustix::termios::tcdrain(tty).map_err(Errno::from))
        }
        TCSBRK | TCSBRKP => Ok(rustix::termios::tcsendbreak(tty)?),
        TIOCEXCL => Ok(rustix::termios::ioctl_tiocexcl(tty)?),
        TIOCNXCL => Ok(rustix::termios::ioctl_tiocnxcl(tty)?),
        // Nobody types for others.
        TIOCSTI => Err(Errno::EIO),
        // There is one line discipline.
        TIOCGETD => memory.write(GuestPtr::new(arg), &0),
        TCFLSH => {
            let queue = match arg {
                0 => QueueSelector::IFlush,
                1 => QueueSelector::OFlush,
                2 => QueueSelector::IOFlush,
                _ => return Err(Errno::EINVAL),
            };
            Ok(rustix::termios::tcflush(tty, queue)?)
        }
        TCXONC => {
            let action = match arg {
                0 => Action::OOff,
                1 => Action::OOn,
                2 => Action::IOff,
                3 => Action::IOn,
                _ => return Err(Errno::EINVAL),
            };
            Ok(rustix::termios::tcflow(tty, action)?)
        }
        _ => Err(Errno::ENOTTY),
    }
}

fn attributes(tty: BorrowedFd<'_>) -> Result<Termios, Errno> {
    let host = tcgetattr(tty)?;
    let mut cc = [0; 19];
    for (place, code) in cc.iter_mut().zip(CODES) {
        *place = host.special_codes[code];
    }
    Ok(Termios {
        iflag: host.input_modes.bits(),
        oflag: host.output_modes.bits(),
        cflag: host.control_modes.bits(),
        lflag: host.local_modes.bits(),
        line: 0,
        cc,
    })
}

/// Whether a change of settings changes the speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speed {
    /// That of lind's own terminal is the host's to keep.
    Kept,
    Set,
}

fn set_attributes(
    tty: BorrowedFd<'_>,
    when: OptionalActions,
    wanted: &Termios,
    speed: Speed,
) -> Result<(), Errno> {
    let mut host = tcgetattr(tty)?;
    host.input_modes = InputModes::from_bits_retain(wanted.iflag);
    host.output_modes = OutputModes::from_bits_retain(wanted.oflag);
    host.local_modes = LocalModes::from_bits_retain(wanted.lflag);
    // The speed lies in the same word.
    let modes = match speed {
        Speed::Set => wanted.cflag,
        Speed::Kept => wanted.cflag & !SPEED | host.control_modes.bits() & SPEED,
    };
    host.control_modes = ControlModes::from_bits_retain(modes);
    for (value, code) in wanted.cc.iter().zip(CODES) {
        host.special_codes[code] = *value;
    }
    Ok(rustix::termios::tcsetattr(tty, when, &host)?)
}
