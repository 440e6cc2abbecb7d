//! Ports of the sandbox's own loopback.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};
use rawposix_abi::Errno;
use rawposix_abi::flags::family::AF_INET6;

use super::address::unmapped;
use super::{Network, Socket};
use crate::entropy;

/// Who has which port. A socket that is no more frees its port.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    table: Mutex<HashMap<Port, Vec<Holder>>>,
    /// Held by who is about to listen, so that no two do so at one place.
    listening: Mutex<()>,
}

/// A port of streams or of datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Port {
    datagram: bool,
    number: u16,
}

#[derive(Debug)]
struct Holder {
    address: IpAddr,
    only_v6: bool,
    socket: Weak<Socket>,
}

/// Ports that are given to sockets that do not name one, as `net.ipv4.ip_local_port_range` has them.
const EPHEMERAL: std::ops::Range<u16> = 32768..61000;

/// The loopback address that stands for "this machine".
pub(super) fn loopback(v6: bool) -> IpAddr {
    if v6 {
        Ipv6Addr::LOCALHOST.into()
    } else {
        Ipv4Addr::LOCALHOST.into()
    }
}

/// Where a packet to this address goes: `ENETUNREACH` for everything but this machine.
pub(super) fn route(to: SocketAddr) -> Result<SocketAddr, Errno> {
    let ip = unmapped(to.ip());
    if ip.is_loopback() {
        Ok(SocketAddr::new(ip, to.port()))
    } else if ip.is_unspecified() {
        Ok(SocketAddr::new(loopback(to.ip().is_ipv6()), to.port()))
    } else {
        Err(Errno::ENETUNREACH)
    }
}

impl Holder {
    /// Whether a packet to `ip` could be for both.
    fn overlaps(&self, ip: IpAddr, only_v6: bool) -> bool {
        let takes_all = |wild: IpAddr, only_v6: bool, other: IpAddr| {
            wild.is_unspecified()
                && (wild.is_ipv4() == other.is_ipv4() || (wild.is_ipv6() && !only_v6))
        };
        self.address == ip
            || takes_all(self.address, self.only_v6, ip)
            || takes_all(ip, only_v6, self.address)
    }

    /// How well it suits a packet to `ip`, if at all.
    fn suits(&self, ip: IpAddr) -> Option<u32> {
        if self.address == ip {
            Some(4)
        } else if !self.address.is_unspecified() {
            None
        } else if self.address.is_ipv4() == ip.is_ipv4() {
            Some(2)
        } else if self.address.is_ipv6() && !self.only_v6 {
            Some(1)
        } else {
            None
        }
    }
}

/// Whether two sockets may have one port.
fn shares(one: &Socket, other: &Socket) -> bool {
    let (Some(a), Some(b)) = (one.local(), other.local()) else {
        return false;
    };
    if a.stored.reuses_port() && b.stored.reuses_port() {
        return true;
    }
    a.stored.reuses_address() && b.stored.reuses_address() && !b.is_listening()
}

impl Ports {
    /// Gives a socket a port of an address, one that is free for port 0. Gives the address that it has now.
    /// `EADDRNOTAVAIL` for an address that is not this machine's, `EADDRINUSE` for a port that another has.
    pub(super) fn take(
        &self,
        socket: &Arc<Socket>,
        address: SocketAddr,
    ) -> Result<SocketAddr, Errno> {
        let ip = unmapped(address.ip());
        if !ip.is_loopback() && !ip.is_unspecified() {
            return Err(Errno::EADDRNOTAVAIL);
        }
        let local = socket.local().ok_or(Errno::EINVAL)?;
        let only_v6 = socket.domain == AF_INET6 && local.stored.only_v6();
        if only_v6 && ip.is_ipv4() {
            return Err(Errno::EINVAL);
        }
        let datagram = socket.is_datagram();
        let mut table = self.table.lock();
        let mut hold = |number: u16, fresh: bool| {
            let holders = table.entry(Port { datagram, number }).or_default();
            // Nothing that is upgraded here may be dropped as the last one under the lock.
            holders.retain(|holder| holder.socket.strong_count() > 0);
            let mut seen = Vec::new();
            for holder in holders.iter().filter(|holder| holder.overlaps(ip, only_v6)) {
                seen.extend(holder.socket.upgrade());
            }
            let free = seen.is_empty() || !fresh && seen.iter().all(|other| shares(socket, other));
            if free {
                holders.push(Holder {
                    address: ip,
                    only_v6,
                    socket: Arc::downgrade(socket),
                });
            }
            (free, seen)
        };
        let mut kept = Vec::new();
        let number = if address.port() != 0 {
            let (free, seen) = hold(address.port(), false);
            kept.extend(seen);
            free.then(|| address.port())
        } else {
            let [low, high, ..] = entropy::random();
            let first = u16::from_le_bytes([low, high]) % (EPHEMERAL.end - EPHEMERAL.start);
            let candidates = EPHEMERAL.cycle_from(first);
            let mut found = None;
            for number in candidates {
                let (free, seen) = hold(number, true);
                kept.extend(seen);
                if free {
                    found = Some(number);
                    break;
                }
            }
            found
        };
        drop(table);
        drop(kept);
        let number = number.ok_or(Errno::EADDRINUSE)?;
        Ok(SocketAddr::new(address.ip(), number))
    }

    /// Waits until nobody else is about to listen.
    pub(super) fn turn_to_listen(&self) -> MutexGuard<'_, ()> {
        self.listening.lock()
    }

    /// Whether another socket listens where this one is bound, and does not share its port: sockets that are only bound
    /// can have one port, but only one of them can listen.
    pub(super) fn is_listened_at(&self, socket: &Arc<Socket>, local: &super::Local) -> bool {
        let Some(super::Address::Inet(bound)) = local.state().name.clone() else {
            return false;
        };
        let port = Port {
            datagram: false,
            number: bound.port(),
        };
        let is_own = |holder: &Holder| holder.socket.as_ptr() == Arc::as_ptr(socket);
        let others: Vec<_> = {
            let table = self.table.lock();
            let holders = || table.get(&port).into_iter().flatten();
            let Some(own) = holders().find(|holder| is_own(holder)) else {
                return false;
            };
            holders()
                .filter(|other| !is_own(other) && other.overlaps(own.address, own.only_v6))
                .filter_map(|other| other.socket.upgrade())
                .collect()
        };
        others.iter().any(|other| {
            other.local().is_some_and(super::Local::is_listening) && !shares(socket, other)
        })
    }

    /// Frees the port of a socket that goes on without it.
    pub(super) fn give_up(&self, socket: &Arc<Socket>, number: u16) {
        let port = Port {
            datagram: socket.is_datagram(),
            number,
        };
        if let Some(holders) = self.table.lock().get_mut(&port) {
            holders.retain(|holder| holder.socket.as_ptr() != Arc::as_ptr(socket));
        }
    }

    /// The sockets that a packet from `from` to `to` may be for, the best ones first.
    fn suiting(&self, datagram: bool, to: SocketAddr) -> Vec<(u32, Arc<Socket>)> {
        let port = Port {
            datagram,
            number: to.port(),
        };
        let mut found: Vec<_> = {
            let table = self.table.lock();
            let holders = table.get(&port).into_iter().flatten();
            holders
                .filter_map(|holder| Some((holder.suits(to.ip())?, holder.socket.upgrade()?)))
                .collect()
        };
        found.sort_by_key(|(suits, _)| std::cmp::Reverse(*suits));
        found
    }

    /// The socket that listens at an address.
    pub(super) fn listener(&self, network: &Network, to: SocketAddr) -> Option<Arc<Socket>> {
        let mut found = self.suiting(false, to);
        found.retain(|(_, socket)| socket.local().is_some_and(super::Local::is_listening));
        let best = found.first()?.0;
        found.retain(|(suits, _)| *suits == best);
        // Those that share a port take turns.
        let turn = usize::try_from(network.number()).unwrap_or(0) % found.len();
        found.into_iter().nth(turn).map(|(_, socket)| socket)
    }

    /// The socket that gets a datagram: one that is connected to the sender before one that is not, and the last of
    /// several.
    pub(super) fn receiver(&self, from: SocketAddr, to: SocketAddr) -> Option<Arc<Socket>> {
        let mut best: Option<(u32, Arc<Socket>)> = None;
        for (suits, socket) in self.suiting(true, to) {
            let peer = socket.local().map(|local| local.state().peer.clone());
            let suits = match peer.flatten() {
                None => suits,
                Some(super::Address::Inet(peer))
                    if unmapped(peer.ip()) == from.ip() && peer.port() == from.port() =>
                {
                    suits + 8
                }
                Some(_) => continue,
            };
            if best.as_ref().is_none_or(|(other, _)| *other <= suits) {
                best = Some((suits, socket));
            }
        }
        best.map(|(_, socket)| socket)
    }
}

/// A range that is gone through from somewhere in the middle.
trait CycleFrom {
    fn cycle_from(self, first: u16) -> impl Iterator<Item = u16>;
}

impl CycleFrom for std::ops::Range<u16> {
    fn cycle_from(self, first: u16) -> impl Iterator<Item = u16> {
        let middle = self.start.saturating_add(first).min(self.end);
        (middle..self.end).chain(self.start..middle)
    }
}
