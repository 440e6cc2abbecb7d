//! ioctl(2): an allow list. See ioctl_tty(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::ioctl::{
    FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, TCFLSH, TCGETS, TCSBRK, TCSBRKP, TCSETS, TCSETSF,
    TCSETSW, TCXONC, TIOCGPGRP, TIOCGSID, TIOCGWINSZ, TIOCNOTTY, TIOCSCTTY, TIOCSPGRP, TIOCSWINSZ,
};
use rawposix_abi::structs::{Termios, Winsize};
use rawposix_memory::GuestPtr;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::termios::{
    Action, ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector,
    SpecialCodeIndex, tcgetattr,
};

use super::args::{Fd, Hex, IoctlCmd};
use crate::fd::{CloseOnExec, Object};
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
    let host = match &file.object {
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
            memory.write(
                GuestPtr::new(arg.0),
                &i32::try_from(count).unwrap_or(i32::MAX),
            )?;
        }
        FIONBIO => {
            let on: i32 = memory.read(GuestPtr::new(arg.0))?;
            rustix::io::ioctl_fionbio(&host.fd, on != 0)?;
        }
        command if host.is_terminal => terminal(thread, host.fd.as_fd(), command, arg.0)?,
        _ => return Err(Errno::ENOTTY),
    }
    Ok(0)
}

fn terminal(thread: &Thread, tty: BorrowedFd<'_>, command: u32, arg: u32) -> Result<(), Errno> {
    if let TCSETS | TCSETSW | TCSETSF | TIOCSPGRP | TCSBRK | TCSBRKP | TCFLSH | TCXONC = command {
        thread.before_change()?;
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
            thread.block(|| set_attributes(tty, when, &wanted))
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
            Ok(rustix::termios::tcsetwinsize(tty, size)?)
        }
        TIOCGPGRP => {
            let group = world.terminal.foreground(world, pid)?;
            memory.write(GuestPtr::new(arg), &group.0)
        }
        TIOCGSID => {
            let session = world.terminal.session(world, pid)?;
            memory.write(GuestPtr::new(arg), &session.0)
        }
        TIOCSPGRP => {
            let group = memory.read(GuestPtr::new(arg))?;
            world.terminal.set_foreground(world, pid, group)
        }
        TIOCSCTTY => world.terminal.take(world, pid),
        TIOCNOTTY => world.terminal.give_up(world, pid),
        TCSBRK | TCSBRKP if command == TCSBRK && arg != 0 => {
            thread.block(|| rustix::termios::tcdrain(tty).map_err(Errno::from))
        }
        TCSBRK | TCSBRKP => Ok(rustix::termios::tcsendbreak(tty)?),
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

fn set_attributes(
    tty: BorrowedFd<'_>,
    when: OptionalActions,
    wanted: &Termios,
) -> Result<(), Errno> {
    let mut host = tcgetattr(tty)?;
    host.input_modes = InputModes::from_bits_retain(wanted.iflag);
    host.output_modes = OutputModes::from_bits_retain(wanted.oflag);
    host.local_modes = LocalModes::from_bits_retain(wanted.lflag);
    // The speed is the host's to keep; it lies in the same word.
    let speed = 0o010_017;
    let kept = host.control_modes.bits() & speed;
    host.control_modes = ControlModes::from_bits_retain(wanted.cflag & !speed | kept);
    for (value, code) in wanted.cc.iter().zip(CODES) {
        host.special_codes[code] = *value;
    }
    Ok(rustix::termios::tcsetattr(tty, when, &host)?)
}
