//! Ancillary data in the guest's layout. See cmsg(3), unix(7), ip(7).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::family::AF_UNIX;
use rawposix_abi::flags::level::{SOL_IP, SOL_IPV6, SOL_SOCKET, SOL_UDP};
use rawposix_abi::flags::{MsgFlags, ipopt, ipv6opt};
use rawposix_abi::structs::{Cmsghdr, Msghdr, Ucred};
use rawposix_memory::GuestPtr;
use rawposix_memory::socket::ControlMessage;
use zerocopy::{FromBytes, IntoBytes};

use super::message::Beside;
use crate::fd::{CloseOnExec, OpenFile};
use crate::net::Socket;
use crate::thread::Thread;

/// Types of the level `SOL_SOCKET`.
const SCM_RIGHTS: i32 = 1;
const SCM_CREDENTIALS: i32 = 2;
/// Most descriptors of one message (`SCM_MAX_FD`).
const MAX_FILES: usize = 253;
/// Most bytes of ancillary data that are sent (`net.core.optmem_max`).
const MAX_CONTROL: u32 = 20480;
/// Bytes of a header.
const HEADER: usize = size_of::<Cmsghdr>();
/// Where headers begin.
const ALIGN: usize = 4;
/// `UDP_SEGMENT` of udp(7).
const UDP_SEGMENT: u32 = 103;

/// One ancillary message that was received.
#[derive(Debug)]
pub(super) enum Item {
    Credentials(Ucred),
    Files(Vec<Arc<OpenFile>>),
    /// One of the host's, whose layout is the guest's.
    Other(ControlMessage),
}

/// What [`scatter`] has written.
#[derive(Debug)]
pub(super) struct Written {
    /// Bytes.
    pub(super) length: u32,
    /// There was more.
    pub(super) truncated: bool,
}

/// Reads the ancillary data of a message that is sent.
pub(super) fn gather(
    thread: &Thread,
    socket: &Socket,
    header: &Msghdr,
    beside: &mut Beside,
) -> Result<(), Errno> {
    if header.control == 0 || header.controllen == 0 {
        return Ok(());
    }
    if header.controllen > MAX_CONTROL {
        return Err(Errno::ENOBUFS);
    }
    let mut bytes = vec![0; usize::try_from(header.controllen).unwrap_or(0)];
    thread
        .memory()
        .read_bytes(GuestPtr::new(header.control), &mut bytes)?;
    let mut rest: &[u8] = &bytes;
    while let Ok((one, _)) = Cmsghdr::read_from_prefix(rest) {
        let length = usize::try_from(one.len).unwrap_or(usize::MAX);
        let data = rest.get(HEADER..length).ok_or(Errno::EINVAL)?;
        let level = one.level.cast_unsigned();
        if level == SOL_SOCKET {
            of_socket(thread, socket, one.kind, data, beside)?;
        } else if socket.local().is_some() {
            if socket.is_inet() && socket.is_datagram() {
                let kind = one.kind.cast_unsigned();
                beside.wishes.read(level, kind, data);
            }
        } else {
            if !is_for_host(level, one.kind.cast_unsigned()) {
                return Err(Errno::EINVAL);
            }
            beside.control.push(ControlMessage {
                level: one.level,
                kind: one.kind,
                data: data.to_vec(),
            });
        }
        rest = rest
            .get(length.next_multiple_of(ALIGN)..)
            .unwrap_or_default();
    }
    Ok(())
}

/// Whether a type of ip(7), ipv6(7) or udp(7) may be sent.
fn is_for_host(level: u32, kind: u32) -> bool {
    match level {
        SOL_IP => matches!(kind, ipopt::IP_PKTINFO | ipopt::IP_TTL | ipopt::IP_TOS),
        SOL_IPV6 => matches!(
            kind,
            ipv6opt::IPV6_PKTINFO | ipv6opt::IPV6_HOPLIMIT | ipv6opt::IPV6_TCLASS
        ),
        SOL_UDP => kind == UDP_SEGMENT,
        _ => false,
    }
}

fn of_socket(
    thread: &Thread,
    socket: &Socket,
    kind: i32,
    data: &[u8],
    beside: &mut Beside,
) -> Result<(), Errno> {
    if socket.domain != AF_UNIX {
        // As on Linux, what only unix sockets carry is not looked at elsewhere.
        return match kind {
            SCM_RIGHTS | SCM_CREDENTIALS => Ok(()),
            _ => Err(Errno::EINVAL),
        };
    }
    match kind {
        SCM_RIGHTS => {
            let numbers = data.as_chunks().0;
            if beside.parcel.files.len() + numbers.len() > MAX_FILES {
                return Err(Errno::EINVAL);
            }
            for number in numbers {
                let file = thread.file(i32::from_le_bytes(*number))?;
                beside.parcel.files.push(file);
            }
            Ok(())
        }
        SCM_CREDENTIALS => {
            let claimed = Ucred::read_from_bytes(data).map_err(|_| Errno::EINVAL)?;
            let own = thread.process.credentials();
            let has = |ids: crate::cage::Ids, id: u32| {
                id == ids.real || id == ids.effective || id == ids.saved
            };
            if claimed.pid != thread.process.pid.0
                || !has(own.user, claimed.uid)
                || !has(own.group, claimed.gid)
            {
                return Err(Errno::EPERM);
            }
            beside.parcel.credentials = Some(claimed);
            Ok(())
        }
        _ => Err(Errno::EINVAL),
    }
}

/// Room for ancillary data in guest memory.
struct Room<'a> {
    thread: &'a Thread,
    start: u32,
    used: usize,
    size: usize,
    truncated: bool,
}

impl Room<'_> {
    fn left(&self) -> usize {
        self.size - self.used
    }

    /// Writes a message, cut off where there is no more room.
    fn put(&mut self, level: u32, kind: i32, data: &[u8]) -> Result<(), Errno> {
        if self.left() < HEADER {
            self.truncated = true;
            return Ok(());
        }
        let fits = data.len().min(self.left() - HEADER);
        if fits < data.len() {
            self.truncated = true;
        }
        let length = HEADER + fits;
        let header = Cmsghdr {
            len: u32::try_from(length).unwrap_or(u32::MAX),
            level: level.cast_signed(),
            kind,
        };
        let data = data.get(..fits).unwrap_or(data);
        let at = self
            .start
            .checked_add(u32::try_from(self.used).unwrap_or(u32::MAX));
        let at = GuestPtr::new(at.ok_or(Errno::EFAULT)?);
        let whole = [header.as_bytes(), data].concat();
        self.thread.memory().write_bytes(at, &whole)?;
        self.used += length.next_multiple_of(ALIGN).min(self.left());
        Ok(())
    }

    /// Gives the receiver descriptors, as many as fit.
    fn put_files(&mut self, files: Vec<Arc<OpenFile>>, flag: CloseOnExec) -> Result<(), Errno> {
        let fits = self.left().saturating_sub(HEADER) / size_of::<i32>();
        if fits < files.len() {
            self.truncated = true;
        }
        let process = &self.thread.process;
        let mut numbers = Vec::new();
        for file in files.into_iter().take(fits) {
            match process.install(file, flag) {
                Ok(number) => numbers.push(number),
                Err(_) => {
                    self.truncated = true;
                    break;
                }
            }
        }
        if numbers.is_empty() {
            return Ok(());
        }
        self.put(SOL_SOCKET, SCM_RIGHTS, numbers.as_bytes())
            .inspect_err(|_| {
                for number in &numbers {
                    let removed = process.with_files(|files| files.remove(*number));
                    drop(removed);
                }
            })
    }
}

/// Writes the ancillary data of a message that was received.
pub(super) fn scatter(
    thread: &Thread,
    header: &Msghdr,
    items: Vec<Item>,
    flags: MsgFlags,
) -> Result<Written, Errno> {
    let size = if header.control == 0 {
        0
    } else {
        header.controllen
    };
    let mut room = Room {
        thread,
        start: header.control,
        used: 0,
        size: usize::try_from(size).unwrap_or(0),
        truncated: false,
    };
    let close_on_exec = CloseOnExec::from_flag(flags.contains(MsgFlags::CMSG_CLOEXEC));
    for item in items {
        match item {
            Item::Credentials(who) => room.put(SOL_SOCKET, SCM_CREDENTIALS, who.as_bytes())?,
            Item::Files(files) => room.put_files(files, close_on_exec)?,
            Item::Other(one) => room.put(one.level.cast_unsigned(), one.kind, &one.data)?,
        }
    }
    Ok(Written {
        length: u32::try_from(room.used).unwrap_or(u32::MAX),
        truncated: room.truncated,
    })
}
