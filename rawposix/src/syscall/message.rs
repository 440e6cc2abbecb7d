//! Sending and receiving. See send(2), recv(2), sendmmsg(2), recvmmsg(2), cmsg(3).

use std::sync::Arc;
use std::time::{Duration, Instant};

use rawposix_abi::flags::MsgFlags;
use rawposix_abi::flags::family::{AF_NETLINK, AF_UNIX};
use rawposix_abi::flags::kind::SOCK_SEQPACKET;
use rawposix_abi::structs::{Mmsghdr, Msghdr, Timespec, Ucred};
use rawposix_abi::{Errno, Signal};
use rawposix_memory::socket::{Outgoing, Wanted};
use rawposix_memory::{GuestIovec, GuestPtr, GuestSlice, IoVecs};

use super::args::{Fd, InAddr, InBuf, InMsg, InOut, Len, OutAddr, OutBuf, OutMsg, Ptr, Uint};
use super::control::{Item, gather, scatter};
use super::io::whole;
use super::network::{host_of, socket_of};
use super::time::{checked, to_guest};
use crate::fd::{HostFile, OpenFile};
use crate::net::{Address, Datagram, Local, Parcel, Socket, Wishes};
use crate::thread::Thread;

/// Most elements of one message's vector, and most messages of one call (`UIO_MAXIOV`).
const MAX_VECTOR: u32 = 1024;
/// The most bytes of a request to netlink.
const MAX_REQUEST: u64 = 32 << 10;
/// Flags that the host takes for a message of the sandbox's streams.
const TO_HOST: MsgFlags = MsgFlags::OOB
    .union(MsgFlags::DONTROUTE)
    .union(MsgFlags::DONTWAIT)
    .union(MsgFlags::EOR)
    .union(MsgFlags::CONFIRM)
    .union(MsgFlags::MORE);
/// Flags with which the host receives.
const FROM_HOST: MsgFlags = MsgFlags::OOB
    .union(MsgFlags::PEEK)
    .union(MsgFlags::TRUNC)
    .union(MsgFlags::DONTWAIT)
    .union(MsgFlags::ERRQUEUE)
    .union(MsgFlags::WAITALL);
/// Flags of a message that the guest is told.
const TOLD: MsgFlags = MsgFlags::OOB
    .union(MsgFlags::TRUNC)
    .union(MsgFlags::CTRUNC)
    .union(MsgFlags::ERRQUEUE)
    .union(MsgFlags::EOR);
/// What goes along with nobody's message: the id of those who have none, see user_namespaces(7).
const UNKNOWN: Ucred = Ucred {
    pid: 0,
    uid: 65534,
    gid: 65534,
};

/// What is sent beside the bytes.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) to: Option<Address>,
    pub(super) parcel: Parcel,
    /// What is said of a datagram in the sandbox.
    pub(super) wishes: Wishes,
    /// Ancillary data for the host.
    pub(super) control: Vec<rawposix_memory::socket::ControlMessage>,
}

/// What was received beside the bytes.
#[derive(Debug)]
struct Arrival {
    count: usize,
    from: Address,
    items: Vec<Item>,
    flags: MsgFlags,
}

fn one(ptr: GuestPtr<u8>, len: Len) -> Result<IoVecs, Errno> {
    let len = len.0.min(0x7fff_f000);
    IoVecs::one(GuestSlice::new(ptr, len))
}

fn send(
    thread: &Thread,
    file: &OpenFile,
    ranges: &IoVecs,
    beside: Beside,
    flags: MsgFlags,
) -> Result<usize, Errno> {
    let host = host_of(file)?;
    let socket = host.socket()?;
    let sent = match socket.local() {
        None => {
            let name = beside.to.as_ref().map(Address::to_bytes);
            let outgoing = Outgoing {
                name: name.as_deref().unwrap_or_default(),
                control: &beside.control,
                flags: (flags & TO_HOST).bits(),
                ..Outgoing::default()
            };
            send_to_host(thread, host, ranges, &outgoing)
        }
        Some(local) if socket.domain == AF_NETLINK => ask(thread, socket, local, ranges),
        Some(local) if local.is_framed() || (socket.is_datagram() && beside.to.is_some()) => {
            let datagram = Datagram {
                to: beside.to,
                parcel: beside.parcel,
                wishes: beside.wishes,
                credentials: implied(thread),
                flags,
            };
            return socket.send_datagram(thread, host, ranges, datagram);
        }
        Some(local) => {
            let sent = open_fast(thread, host, local, beside.to.as_ref(), flags)
                .and_then(|()| send_in_stream(thread, host, local, ranges, beside, flags));
            if sent.is_ok() && flags.contains(MsgFlags::OOB) {
                let world = &thread.world;
                world.async_io.urgent(world, local.other_inode());
            }
            sent
        }
    };
    if sent == Err(Errno::EPIPE) && socket.is_stream() && !flags.contains(MsgFlags::NOSIGNAL) {
        thread.raise(Signal::SIGPIPE);
    }
    sent
}

/// What `MSG_FASTOPEN` does before it sends: connects a TCP stream that is not connected.
fn open_fast(
    thread: &Thread,
    host: &HostFile,
    local: &Local,
    to: Option<&Address>,
    flags: MsgFlags,
) -> Result<(), Errno> {
    let socket = host.socket()?;
    if !flags.contains(MsgFlags::FASTOPEN) || !socket.is_inet() || !socket.is_stream() {
        return Ok(());
    }
    match to {
        Some(to @ Address::Inet(_)) => socket.connect_stream(thread, host, local, to),
        Some(_) => Err(Errno::EAFNOSUPPORT),
        None if local.is_direct() => Err(Errno::EISCONN),
        None => Err(Errno::EINVAL),
    }
}

/// The credentials of a sender who names none.
fn implied(thread: &Thread) -> Ucred {
    let own = thread.process.credentials();
    Ucred {
        pid: thread.process.pid.0,
        uid: own.user.real,
        gid: own.group.real,
    }
}

fn send_to_host(
    thread: &Thread,
    host: &HostFile,
    ranges: &IoVecs,
    outgoing: &Outgoing<'_>,
) -> Result<usize, Errno> {
    let fd = std::os::fd::AsFd::as_fd(&host.fd);
    thread.block(|| thread.memory().send_message(fd, ranges, outgoing))
}

/// What a stream answers that is not connected.
fn unconnected(local: &Local) -> Option<Errno> {
    if local.is_direct() {
        return None;
    }
    Some(local.take_failure().unwrap_or(Errno::ENOTCONN))
}

fn send_in_stream(
    thread: &Thread,
    host: &HostFile,
    local: &Local,
    ranges: &IoVecs,
    beside: Beside,
    flags: MsgFlags,
) -> Result<usize, Errno> {
    let socket = host.socket()?;
    if let Some(errno) = unconnected(local) {
        return Err(match errno {
            Errno::ENOTCONN if socket.is_inet() => Errno::EPIPE,
            Errno::ENOTCONN if beside.to.is_some() && socket.is_stream() => Errno::EOPNOTSUPP,
            errno => errno,
        });
    }
    if beside.to.is_some() && socket.domain == AF_UNIX && socket.kind != SOCK_SEQPACKET {
        return Err(Errno::EISCONN);
    }
    let mut parcel = beside.parcel;
    let network = local.network();
    if local.is_foreign() {
        if !parcel.files.is_empty() {
            return Err(Errno::EPERM);
        }
        parcel.credentials = None;
    } else if parcel.credentials.is_none() && socket.tells_who() {
        parcel.credentials = Some(implied(thread));
    }
    let token = if parcel.is_empty() {
        None
    } else {
        Some(network.flights.launch(parcel)?)
    };
    let outgoing = Outgoing {
        right: token.as_ref().map(std::os::fd::AsFd::as_fd),
        flags: (flags & TO_HOST).bits(),
        ..Outgoing::default()
    };
    let sent = send_to_host(thread, host, ranges, &outgoing);
    host.sent(sent, whole(ranges))
}

/// A request to netlink.
fn ask(thread: &Thread, socket: &Socket, local: &Local, ranges: &IoVecs) -> Result<usize, Errno> {
    if ranges.total() > MAX_REQUEST {
        return Err(Errno::EMSGSIZE);
    }
    let mut message = Vec::new();
    for range in ranges.ranges() {
        message.extend(thread.memory().read_slice(range)?);
    }
    let port = match socket.local_name(local) {
        Address::Netlink(port, _) if port != 0 => port,
        _ => thread.process.pid.0.cast_unsigned(),
    };
    local.ask_route(&message, port)?;
    Ok(message.len())
}

fn receive(
    thread: &Thread,
    file: &OpenFile,
    ranges: &IoVecs,
    wanted: Wanted,
    flags: MsgFlags,
) -> Result<Arrival, Errno> {
    let host = host_of(file)?;
    let socket = host.socket()?;
    match socket.local() {
        // A socket of the sandbox's own has no queue of errors.
        Some(_) if flags.contains(MsgFlags::ERRQUEUE) => Err(Errno::EAGAIN),
        None => receive_from_host(thread, host, socket, ranges, wanted, flags),
        Some(local) if local.is_framed() => {
            let got = socket.receive_datagram(thread, host, ranges, flags)?;
            let mut items: Vec<Item> = got.told.into_iter().map(Item::Other).collect();
            if local.is_curious() {
                items.push(Item::Credentials(got.credentials));
            }
            if !got.parcel.files.is_empty() {
                items.push(Item::Files(got.parcel.files));
            }
            Ok(Arrival {
                count: got.count,
                from: got.from,
                items,
                flags: got.flags,
            })
        }
        Some(local) => receive_in_stream(thread, host, local, ranges, wanted, flags),
    }
}

fn receive_from_host(
    thread: &Thread,
    host: &HostFile,
    socket: &Socket,
    ranges: &IoVecs,
    wanted: Wanted,
    flags: MsgFlags,
) -> Result<Arrival, Errno> {
    let fd = std::os::fd::AsFd::as_fd(&host.fd);
    let bits = (flags & FROM_HOST).bits();
    let got = thread.block(|| thread.memory().receive_message(fd, ranges, wanted, bits))?;
    let from = Address::parse(&got.name, socket.domain).unwrap_or(Address::Unspecified);
    Ok(Arrival {
        count: got.count,
        from,
        items: got.control.into_iter().map(Item::Other).collect(),
        flags: MsgFlags::from_bits_truncate(got.flags) & TOLD,
    })
}

fn receive_in_stream(
    thread: &Thread,
    host: &HostFile,
    local: &Local,
    ranges: &IoVecs,
    wanted: Wanted,
    flags: MsgFlags,
) -> Result<Arrival, Errno> {
    let socket = host.socket()?;
    if let Some(errno) = unconnected(local) {
        return Err(match errno {
            Errno::ENOTCONN if socket.domain == AF_UNIX && socket.is_stream() => Errno::EINVAL,
            errno => errno,
        });
    }
    let is_unix = socket.domain == AF_UNIX;
    let host_wanted = Wanted {
        control: is_unix && (wanted.control || local.is_curious()),
        ..Wanted::default()
    };
    let fd = std::os::fd::AsFd::as_fd(&host.fd);
    let bits = (flags & FROM_HOST).bits();
    let got = thread.block(|| {
        thread
            .memory()
            .receive_message(fd, ranges, host_wanted, bits)
    });
    let count = got.as_ref().map(|got| got.count).map_err(|errno| *errno);
    host.received(count, whole(ranges))?;
    let got = got?;
    let flights = &local.network().flights;
    let mut parcel = Parcel::default();
    // What the host sends stands for nothing here.
    let tokens = got.rights.into_iter().filter(|_| !local.is_foreign());
    for token in tokens {
        let landed = if flags.contains(MsgFlags::PEEK) {
            flights.look(token)
        } else {
            flights.land(token)
        };
        let landed = landed.unwrap_or_default();
        parcel.credentials = landed.credentials.or(parcel.credentials);
        parcel.files.extend(landed.files);
    }
    let mut items = Vec::new();
    if local.is_curious() && got.count > 0 {
        items.push(Item::Credentials(parcel.credentials.unwrap_or(UNKNOWN)));
    }
    if !parcel.files.is_empty() {
        items.push(Item::Files(parcel.files));
    }
    let from = match socket.local_peer(local) {
        Ok(peer) if is_unix => peer,
        _ => Address::Unspecified,
    };
    Ok(Arrival {
        count: got.count,
        from,
        items,
        // What the host says of ancillary data is about lind's own.
        flags: MsgFlags::from_bits_truncate(got.flags) & TOLD & !MsgFlags::CTRUNC,
    })
}

/// read(2) and readv(2) of a socket whose descriptor is not simply the host's.
pub(super) fn read_socket(
    thread: &Thread,
    file: &Arc<OpenFile>,
    ranges: &IoVecs,
) -> Result<usize, Errno> {
    let arrival = receive(thread, file, ranges, Wanted::default(), MsgFlags::empty())?;
    Ok(arrival.count)
}

/// write(2) and writev(2) of a socket whose descriptor is not simply the host's.
pub(super) fn write_socket(
    thread: &Thread,
    file: &Arc<OpenFile>,
    ranges: &IoVecs,
) -> Result<usize, Errno> {
    send(thread, file, ranges, Beside::default(), MsgFlags::empty())
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn sendto(
    thread: &mut Thread,
    fd: Fd,
    buf: InBuf,
    len: Len,
    flags: MsgFlags,
    addr: InAddr,
    addrlen: Len,
) -> Result<usize, Errno> {
    let file = socket_of(thread, fd)?;
    let socket = host_of(&file)?.socket()?;
    let to = if addr.0.is_null() {
        None
    } else {
        Some(thread.read_address(addr.0, addrlen.0, socket)?)
    };
    let beside = Beside {
        to: to.filter(|to| *to != Address::Unspecified || !socket.is_inet()),
        ..Beside::default()
    };
    send(thread, &file, &one(buf.0, len)?, beside, flags)
}

#[expect(clippy::too_many_arguments, reason = "the system call has six")]
pub(super) fn recvfrom(
    thread: &mut Thread,
    fd: Fd,
    buf: OutBuf,
    len: Len,
    flags: MsgFlags,
    addr: OutAddr,
    addrlen: InOut<u32>,
) -> Result<usize, Errno> {
    let file = socket_of(thread, fd)?;
    let wanted = Wanted {
        name: !addr.0.is_null(),
        ..Wanted::default()
    };
    let arrival = receive(thread, &file, &one(buf.0, len)?, wanted, flags)?;
    if !addr.0.is_null() {
        let from = named(&arrival.from);
        thread.write_address(addr.0, addrlen.0, from)?;
    }
    Ok(arrival.count)
}

/// Nobody is told of a sender without a name.
fn named(from: &Address) -> &Address {
    match from {
        Address::Unnamed => &Address::Unspecified,
        from => from,
    }
}

/// The ranges of a message.
fn ranges(thread: &Thread, header: &Msghdr) -> Result<IoVecs, Errno> {
    if header.iovlen > MAX_VECTOR {
        return Err(Errno::EMSGSIZE);
    }
    let array = GuestPtr::<GuestIovec>::new(header.iov);
    thread.memory().read_iovecs(array, header.iovlen)
}

fn send_one(
    thread: &Thread,
    file: &OpenFile,
    header: &Msghdr,
    flags: MsgFlags,
) -> Result<usize, Errno> {
    let socket = host_of(file)?.socket()?;
    let mut beside = Beside::default();
    if let Some(name) = GuestPtr::new(header.name).non_null()
        && header.namelen != 0
    {
        i32::try_from(header.namelen).map_err(|_| Errno::EINVAL)?;
        let to = thread.read_address(name, header.namelen.min(128), socket)?;
        beside.to = Some(to).filter(|to| *to != Address::Unspecified || !socket.is_inet());
    }
    let ranges = ranges(thread, header)?;
    gather(thread, socket, header, &mut beside)?;
    send(thread, file, &ranges, beside, flags)
}

fn receive_one(
    thread: &Thread,
    file: &OpenFile,
    at: GuestPtr<Msghdr>,
    flags: MsgFlags,
) -> Result<usize, Errno> {
    let mut header: Msghdr = thread.memory().read(at)?;
    let ranges = ranges(thread, &header)?;
    let wanted = Wanted {
        name: header.name != 0,
        // Even without room for it, to tell that there was some.
        control: true,
        ..Wanted::default()
    };
    i32::try_from(header.namelen).map_err(|_| Errno::EINVAL)?;
    let arrival = receive(thread, file, &ranges, wanted, flags)?;
    if let Some(name) = GuestPtr::new(header.name).non_null() {
        let bytes = named(&arrival.from).to_bytes();
        let room = usize::try_from(header.namelen).unwrap_or(0);
        thread
            .memory()
            .write_bytes(name, bytes.get(..room).unwrap_or(&bytes))?;
        header.namelen = u32::try_from(bytes.len()).unwrap_or(0);
    }
    let mut told = arrival.flags | flags & MsgFlags::CMSG_CLOEXEC;
    let written = scatter(thread, &header, arrival.items, flags)?;
    if written.truncated {
        told |= MsgFlags::CTRUNC;
    }
    header.controllen = written.length;
    header.flags = told.bits();
    thread.memory().write(at, &header)?;
    Ok(arrival.count)
}

pub(super) fn sendmsg(
    thread: &mut Thread,
    fd: Fd,
    msg: InMsg,
    flags: MsgFlags,
) -> Result<usize, Errno> {
    let file = socket_of(thread, fd)?;
    let header = thread.memory().read(msg.0)?;
    send_one(thread, &file, &header, flags)
}

pub(super) fn recvmsg(
    thread: &mut Thread,
    fd: Fd,
    msg: OutMsg,
    flags: MsgFlags,
) -> Result<usize, Errno> {
    let file = socket_of(thread, fd)?;
    receive_one(thread, &file, msg.0, flags)
}

/// The message at a place in an array of them.
fn element(messages: Ptr, place: u32) -> Result<GuestPtr<Mmsghdr>, Errno> {
    let start = GuestPtr::<Mmsghdr>::new(messages.0);
    start.checked_add(place).ok_or(Errno::EFAULT)
}

/// Stores how many bytes a message of an array has.
fn store_length(thread: &Thread, at: GuestPtr<Mmsghdr>, length: usize) -> Result<(), Errno> {
    let header = u32::try_from(size_of::<Msghdr>()).unwrap_or(0);
    let place = at.checked_byte_add(header).ok_or(Errno::EFAULT)?;
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    thread.memory().write(place.cast(), &length)
}

pub(super) fn sendmmsg(
    thread: &mut Thread,
    fd: Fd,
    msgs: Ptr,
    count: Uint,
    flags: MsgFlags,
) -> Result<u32, Errno> {
    let file = socket_of(thread, fd)?;
    let mut sent = 0;
    while sent < count.0.min(MAX_VECTOR) {
        let result = element(msgs, sent).and_then(|at| {
            let header: Msghdr = thread.memory().read(at.cast())?;
            let length = send_one(thread, &file, &header, flags)?;
            store_length(thread, at, length)
        });
        match result {
            Ok(()) => sent += 1,
            Err(errno) if sent == 0 => return Err(errno),
            Err(_) => break,
        }
    }
    Ok(sent)
}

pub(super) fn recvmmsg_time64(
    thread: &mut Thread,
    fd: Fd,
    msgs: Ptr,
    count: Uint,
    flags: MsgFlags,
    limit: InOut<Timespec>,
) -> Result<u32, Errno> {
    let file = socket_of(thread, fd)?;
    let time = match limit.0.non_null() {
        Some(ptr) => {
            let limit = checked(thread.memory().read(ptr)?)?;
            Duration::try_from(limit).ok()
        }
        None => None,
    };
    let started = Instant::now();
    let left = || time.map(|time| time.saturating_sub(started.elapsed()));
    let mut flags = flags;
    let mut received = 0;
    let result = loop {
        if received == count.0.min(MAX_VECTOR) {
            break Ok(());
        }
        let one = element(msgs, received).and_then(|at| {
            let length = receive_one(thread, &file, at.cast(), flags - MsgFlags::WAITFORONE)?;
            store_length(thread, at, length)
        });
        match one {
            Ok(()) => received += 1,
            Err(errno) => break Err(errno),
        }
        if flags.contains(MsgFlags::WAITFORONE) {
            flags |= MsgFlags::DONTWAIT;
        }
        // The time is looked at after each message only, as recvmmsg(2) says.
        if left().is_some_and(|left| left.is_zero()) {
            break Ok(());
        }
    };
    if let (Some(ptr), Some(left)) = (limit.0.non_null(), left()) {
        let left = rustix::time::Timespec::try_from(left).unwrap_or_default();
        thread.memory().write(ptr, &to_guest(left))?;
    }
    match result {
        Err(errno) if received == 0 => Err(errno),
        _ => Ok(received),
    }
}
