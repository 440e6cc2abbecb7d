//! Datagrams within the sandbox. See unix(7), udp(7).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::flags::MsgFlags;
use rawposix_abi::structs::Ucred;
use rawposix_memory::IoVecs;
use rawposix_memory::socket::{ControlMessage, Outgoing, Wanted};
use rustix::event::{PollFd, PollFlags};

use super::header::{Header, Wishes};
use super::ports::{loopback, route};
use super::socket::borrow;
use super::stream::{on, source};
use super::{Address, Local, Parcel, Socket};
use crate::fd::HostFile;
use crate::thread::Thread;

/// Bytes before each datagram: the number under which the rest of it is found.
pub(crate) const PREFIX: usize = 8;
/// The greatest datagram of udp(7).
const MAX_UDP: u64 = 65507;

/// What goes along with the datagrams that wait at a socket.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<HashMap<u64, Letter>>,
}

#[derive(Clone, Debug)]
struct Letter {
    from: Address,
    credentials: Ucred,
    /// What stands for the descriptors that go along: they are in flight like those of a stream, so that their number
    /// is bounded whatever sockets are sent to themselves.
    token: Option<Arc<OwnedFd>>,
    /// Of datagrams of IP.
    header: Option<Header>,
    /// When it came, since 1970, if its receiver wanted to know that then.
    came: Option<Duration>,
    /// It is no datagram but the news that one did not arrive.
    failure: Option<Errno>,
}

/// A datagram that is sent.
#[derive(Debug)]
pub(crate) struct Datagram {
    /// To whom; `None` for the socket that the sender is connected to.
    pub(crate) to: Option<Address>,
    pub(crate) parcel: Parcel,
    /// What the sender says of it.
    pub(crate) wishes: Wishes,
    /// Of the sender.
    pub(crate) credentials: Ucred,
    pub(crate) flags: MsgFlags,
}

/// A datagram that was received.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) count: usize,
    pub(crate) from: Address,
    pub(crate) credentials: Ucred,
    pub(crate) parcel: Parcel,
    /// What the receiver has asked to be told.
    pub(crate) told: Vec<ControlMessage>,
    pub(crate) flags: MsgFlags,
}

impl Socket {
    /// Sets where datagrams go without an address, and from where they are received.
    pub(crate) fn connect_datagram(
        self: &Arc<Self>,
        thread: &Thread,
        local: &Local,
        to: &Address,
    ) -> Result<(), Errno> {
        let (target, peer) = match to {
            Address::Unspecified => {
                self.restore_name(local);
                (None, None)
            }
            Address::Inet(to) => {
                let to = route(*to)?;
                let own = self.bind_any(local, loopback(to.is_ipv6()))?;
                let own = source(self.domain, own, to);
                let mut state = local.state();
                state.name = Some(Address::Inet(own));
                (None, Some(on(self.domain, &Address::Inet(to))))
            }
            Address::Netlink(..) => (None, Some(to.clone())),
            path => {
                let target = thread.unix_socket(local, path)?;
                self.check_receiver(&target)?;
                let name = target.local().map(|other| target.local_name(other));
                (Some(Arc::downgrade(&target)), name)
            }
        };
        let mut state = local.state();
        state.target = target;
        state.peer = peer;
        state.failure = None;
        Ok(())
    }

    /// What a connection gave to the name of an inet socket goes with it: the address, and a port that it was not bound to.
    fn restore_name(self: &Arc<Self>, local: &Local) {
        let mut state = local.state();
        let Some(Address::Inet(name)) = state.name else {
            return;
        };
        let kept = match state.asked {
            Some(asked) if asked.port() != 0 || !asked.ip().is_unspecified() => asked,
            _ => {
                state.name = None;
                state.asked = None;
                drop(state);
                local.network.ports.give_up(self, name.port());
                return;
            }
        };
        state.name = Some(Address::Inet(SocketAddr::new(kept.ip(), name.port())));
    }

    /// Whether a unix socket may send to another one.
    fn check_receiver(self: &Arc<Self>, target: &Arc<Self>) -> Result<(), Errno> {
        if target.kind != self.kind {
            return Err(Errno::EPROTOTYPE);
        }
        let other = target.local().ok_or(Errno::ECONNREFUSED)?;
        if !other.is_framed() {
            return Err(Errno::EPERM);
        }
        let others = other.state().target.clone();
        match others {
            Some(others) if others.as_ptr() != Arc::as_ptr(self) => Err(Errno::EPERM),
            _ => Ok(()),
        }
    }

    /// Sends a datagram.
    pub(crate) fn send_datagram(
        self: &Arc<Self>,
        thread: &Thread,
        file: &HostFile,
        ranges: &IoVecs,
        datagram: Datagram,
    ) -> Result<usize, Errno> {
        let local = self.local().ok_or(Errno::EINVAL)?;
        {
            let mut state = local.state();
            if let Some(errno) = state.failure.take() {
                return Err(errno);
            }
            if state.mute {
                return Err(Errno::EPIPE);
            }
        }
        if self.is_inet() {
            self.send_udp(thread, local, ranges, datagram)
        } else {
            self.send_unix(thread, file, local, ranges, datagram)
        }
    }

    fn send_unix(
        self: &Arc<Self>,
        thread: &Thread,
        file: &HostFile,
        local: &Local,
        ranges: &IoVecs,
        datagram: Datagram,
    ) -> Result<usize, Errno> {
        let target = match &datagram.to {
            Some(Address::Unspecified) => return Err(Errno::EINVAL),
            Some(to) => thread.unix_socket(local, to)?,
            None => {
                let target = local.state().target.clone().ok_or(Errno::ENOTCONN)?;
                target.upgrade().ok_or(Errno::ECONNREFUSED)?
            }
        };
        self.check_receiver(&target)?;
        let other = target.local().ok_or(Errno::ECONNREFUSED)?;
        let nonblocking = datagram.flags.contains(MsgFlags::DONTWAIT) || file.is_nonblocking()?;
        let end = local.stored.send_deadline(Instant::now());
        let credentials = datagram.parcel.credentials;
        let token = if datagram.parcel.files.is_empty() {
            None
        } else {
            Some(Arc::new(local.network.flights.launch(datagram.parcel)?))
        };
        let letter = Letter {
            from: self.local_name(local),
            credentials: credentials.unwrap_or(datagram.credentials),
            token,
            header: None,
            came: None,
            failure: None,
        };
        loop {
            match post(thread, other, ranges, letter.clone()) {
                Err(Errno::EAGAIN) if !nonblocking => {
                    let inlet = other.inlet.as_ref().ok_or(Errno::ECONNREFUSED)?;
                    thread.block(|| wait_for_room(inlet, end))?;
                }
                result => return result,
            }
        }
    }

    fn send_udp(
        self: &Arc<Self>,
        thread: &Thread,
        local: &Local,
        ranges: &IoVecs,
        datagram: Datagram,
    ) -> Result<usize, Errno> {
        let connected = local.state().peer.clone();
        let to = match datagram.to.as_ref().or(connected.as_ref()) {
            Some(Address::Inet(to)) => *to,
            Some(_) => return Err(Errno::EAFNOSUPPORT),
            None => return Err(Errno::EDESTADDRREQ),
        };
        if ranges.total() > MAX_UDP {
            return Err(Errno::EMSGSIZE);
        }
        if to.port() == 0 {
            return Err(Errno::EINVAL);
        }
        if to.ip() == std::net::Ipv4Addr::BROADCAST && !local.stored.broadcasts() {
            return Err(Errno::EACCES);
        }
        let to_ip = super::address::unmapped(to.ip());
        let header = local.stored.header(to_ip, datagram.wishes)?;
        let to = route(to)?;
        let wild = if self.domain == rawposix_abi::flags::family::AF_INET {
            std::net::Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        };
        let own = self.bind_any(local, wild)?;
        let from = source(rawposix_abi::flags::family::AF_INET, own, to);
        let size = usize::try_from(ranges.total()).unwrap_or(usize::MAX);
        let Some(target) = local.network.ports.receiver(from, to) else {
            if datagram.to.is_none() {
                self.report(local, Errno::ECONNREFUSED);
            }
            return Ok(size);
        };
        let other = target.local().ok_or(Errno::ECONNREFUSED)?;
        let letter = Letter {
            from: on(target.domain, &Address::Inet(from)),
            credentials: datagram.credentials,
            token: None,
            header: Some(header.sent_to(to.ip())),
            came: None,
            failure: None,
        };
        match post(thread, other, ranges, letter) {
            // A full buffer loses what comes then.
            Err(Errno::EAGAIN | Errno::ECONNREFUSED | Errno::EPIPE) => Ok(size),
            result => result,
        }
    }

    /// Tells a connected socket that a datagram did not arrive: its next call fails, and it is ready until then.
    fn report(&self, local: &Local, errno: Errno) {
        let letter = Letter {
            from: Address::Unspecified,
            credentials: super::local::NOBODY,
            token: None,
            header: None,
            came: None,
            failure: Some(errno),
        };
        // A full buffer is ready anyway.
        let _ = local.deliver(&[], letter);
    }

    /// Receives a datagram, waiting for one unless the socket is non-blocking.
    pub(crate) fn receive_datagram(
        &self,
        thread: &Thread,
        file: &HostFile,
        ranges: &IoVecs,
        flags: MsgFlags,
    ) -> Result<Delivery, Errno> {
        let local = self.local().ok_or(Errno::EINVAL)?;
        if let Some(errno) = local.take_failure() {
            return Err(errno);
        }
        if flags.contains(MsgFlags::OOB) {
            return Err(Errno::EOPNOTSUPP);
        }
        let wanted = Wanted {
            prefix: PREFIX,
            ..Wanted::default()
        };
        let host = (flags & (MsgFlags::PEEK | MsgFlags::TRUNC | MsgFlags::DONTWAIT)).bits();
        let incoming = thread.block(|| {
            let memory = thread.memory();
            memory.receive_message(borrow(file), ranges, wanted, host)
        })?;
        let Ok(number) = <[u8; PREFIX]>::try_from(&*incoming.prefix) else {
            // Shut down.
            return Ok(Delivery::nothing());
        };
        let number = u64::from_ne_bytes(number);
        let letter = {
            let mut waiting = local.inbox.waiting.lock();
            if flags.contains(MsgFlags::PEEK) {
                waiting.get(&number).cloned()
            } else {
                waiting.remove(&number)
            }
        };
        if let Some(errno) = incoming.failure {
            return Err(errno);
        }
        let letter = letter.ok_or(Errno::EAGAIN)?;
        if let Some(errno) = letter.failure {
            return Err(errno);
        }
        let flights = &local.network.flights;
        let parcel = match letter.token {
            Some(token) if flags.contains(MsgFlags::PEEK) => flights.look(&*token),
            Some(token) => flights.land(&*token),
            None => None,
        };
        let mut told = Vec::new();
        if local.stored.tells_more() {
            told.extend(local.stored.told_of_time(letter.came));
            let header = letter.header.iter();
            told.extend(header.flat_map(|header| local.stored.told_of(self.domain, header)));
        }
        Ok(Delivery {
            told,
            count: incoming.count.saturating_sub(PREFIX),
            from: letter.from,
            credentials: letter.credentials,
            parcel: parcel.unwrap_or_default(),
            flags: MsgFlags::from_bits_truncate(incoming.flags) & MsgFlags::TRUNC,
        })
    }
}

impl Delivery {
    /// What a socket receives that is shut down.
    fn nothing() -> Self {
        Self {
            count: 0,
            from: Address::Unspecified,
            credentials: super::local::NOBODY,
            parcel: Parcel::default(),
            told: Vec::new(),
            flags: MsgFlags::empty(),
        }
    }
}

impl Local {
    /// Puts bytes of lind's own before a socket, as a datagram.
    fn deliver(&self, bytes: &[u8], letter: Letter) -> Result<(), Errno> {
        let inlet = self.inlet.as_ref().ok_or(Errno::ECONNREFUSED)?;
        let number = self.network.number();
        self.inbox.waiting.lock().insert(number, letter);
        let whole = [&number.to_ne_bytes(), bytes].concat();
        let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
        rustix::net::send(inlet, &whole, flags)
            .map(|_| ())
            .map_err(|errno| {
                self.inbox.forget(number);
                errno.into()
            })
    }

    /// Answers a netlink socket, or tells it something.
    pub(crate) fn answer(&self, bytes: &[u8]) -> Result<(), Errno> {
        let letter = Letter {
            from: Address::Netlink(0, 0),
            credentials: Ucred::default(),
            token: None,
            header: None,
            came: None,
            failure: None,
        };
        self.deliver(bytes, letter)
    }
}

impl Inbox {
    fn forget(&self, number: u64) {
        let letter = self.waiting.lock().remove(&number);
        drop(letter);
    }
}

/// Puts a datagram before a socket. `EAGAIN` when there is no room.
fn post(thread: &Thread, to: &Local, ranges: &IoVecs, letter: Letter) -> Result<usize, Errno> {
    let inlet = to.inlet.as_ref().ok_or(Errno::ECONNREFUSED)?;
    let number = to.network.number();
    let came = to.stored.arrival();
    let letter = Letter { came, ..letter };
    to.inbox.waiting.lock().insert(number, letter);
    let prefix = number.to_ne_bytes();
    let outgoing = Outgoing {
        prefix: &prefix,
        flags: MsgFlags::DONTWAIT.bits(),
        ..Outgoing::default()
    };
    let sent = thread.block(|| {
        let memory = thread.memory();
        memory.send_message(inlet.as_fd(), ranges, &outgoing)
    });
    match sent {
        Ok(count) => Ok(count.saturating_sub(PREFIX)),
        Err(errno) => {
            to.inbox.forget(number);
            Err(match errno {
                // The receiver is being closed.
                Errno::ECONNRESET | Errno::ENOTCONN => Errno::ECONNREFUSED,
                errno => errno,
            })
        }
    }
}

/// Waits until there is room at an inlet; `EAGAIN` when there is none at the end.
fn wait_for_room(inlet: impl AsFd, end: Option<Instant>) -> Result<(), Errno> {
    let left = |end: Instant| end.saturating_duration_since(Instant::now());
    // The receiver may be closed meanwhile, which the inlet tells; a look now and then does no harm.
    let step = end.map_or(Duration::from_secs(1), left);
    let limit = rustix::time::Timespec::try_from(step).unwrap_or_default();
    let mut fds = [PollFd::new(&inlet, PollFlags::OUT)];
    rustix::event::poll(&mut fds, Some(&limit))?;
    if end.is_some_and(|end| left(end).is_zero()) {
        Err(Errno::EAGAIN)
    } else {
        Ok(())
    }
}
