//! Options of sockets: which there are, how long their values are, and who keeps them. See socket(7), tcp(7), ip(7).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rawposix_abi::Errno;
use rawposix_abi::flags::level::{SOL_IP, SOL_IPV6, SOL_SOCKET, SOL_TCP, SOL_UDP};
use rawposix_abi::flags::{ipopt, ipv6opt, sockopt, tcpopt};

use super::Socket;
use super::timestamp::excluded;

/// Who keeps an option of a socket of the sandbox; one of the host's keeps all of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The host's descriptor.
    Host,
    /// The sandbox; an integer that is this until it is set.
    Kept(i32),
    /// The sandbox; bytes that are these until they are set.
    Bytes(&'static [u8]),
    /// It cannot be set without a privilege.
    Privileged,
    /// It can be read only, and is this.
    Constant(i32),
    /// Nothing that is asked for is there: a group of another network, say.
    Refused(Errno),
}

/// How an option's value is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int,
    /// As many bytes as the guest says, up to so many.
    Bytes(usize),
    /// Two integers.
    Linger,
}

/// The option, if sockets of this kind have it.
pub(crate) fn scope(socket: &Socket, level: u32, option: u32) -> Option<(Scope, Value)> {
    use Scope::{Bytes, Constant, Host, Kept, Privileged, Refused};
    let int = |scope| Some((scope, Value::Int));
    match level {
        SOL_SOCKET => match option {
            sockopt::SO_DEBUG
            | sockopt::SO_MARK
            | sockopt::SO_SNDBUFFORCE
            | sockopt::SO_RCVBUFFORCE => int(Privileged),
            sockopt::SO_REUSEADDR
            | sockopt::SO_REUSEPORT
            | sockopt::SO_DONTROUTE
            | sockopt::SO_BROADCAST
            | sockopt::SO_KEEPALIVE
            | sockopt::SO_NO_CHECK
            | sockopt::SO_PRIORITY
            | sockopt::SO_RXQ_OVFL
            | sockopt::SO_BUSY_POLL
            | sockopt::SO_TIMESTAMP_NEW
            | sockopt::SO_TIMESTAMPNS_NEW => int(Kept(0)),
            sockopt::SO_SNDBUF
            | sockopt::SO_RCVBUF
            | sockopt::SO_OOBINLINE
            | sockopt::SO_RCVLOWAT => int(Host),
            sockopt::SO_PEEK_OFF if !socket.is_datagram() => int(Host),
            sockopt::SO_SNDLOWAT => int(Constant(1)),
            sockopt::SO_LINGER => Some((Bytes(&[0; 8]), Value::Linger)),
            sockopt::SO_BINDTODEVICE => Some((Refused(Errno::EPERM), Value::Bytes(16))),
            _ => None,
        },
        SOL_TCP if socket.is_inet() && socket.is_stream() => match option {
            tcpopt::TCP_NODELAY
            | tcpopt::TCP_CORK
            | tcpopt::TCP_DEFER_ACCEPT
            | tcpopt::TCP_WINDOW_CLAMP
            | tcpopt::TCP_USER_TIMEOUT
            | tcpopt::TCP_FASTOPEN
            | tcpopt::TCP_NOTSENT_LOWAT
            | tcpopt::TCP_FASTOPEN_CONNECT => int(Kept(0)),
            tcpopt::TCP_MAXSEG => int(Kept(536)),
            tcpopt::TCP_KEEPIDLE => int(Kept(7200)),
            tcpopt::TCP_KEEPINTVL => int(Kept(75)),
            tcpopt::TCP_KEEPCNT => int(Kept(9)),
            tcpopt::TCP_SYNCNT => int(Kept(6)),
            tcpopt::TCP_LINGER2 => int(Kept(60)),
            tcpopt::TCP_QUICKACK => int(Kept(1)),
            tcpopt::TCP_CONGESTION => Some((Bytes(b"cubic\0"), Value::Bytes(16))),
            _ => None,
        },
        SOL_IP if socket.is_inet() => match option {
            ipopt::IP_TOS
            | ipopt::IP_PKTINFO
            | ipopt::IP_RECVERR
            | ipopt::IP_RECVTTL
            | ipopt::IP_RECVTOS
            | ipopt::IP_FREEBIND
            | ipopt::IP_BIND_ADDRESS_NO_PORT => int(Kept(0)),
            ipopt::IP_TTL => int(Kept(64)),
            ipopt::IP_MTU_DISCOVER
            | ipopt::IP_MULTICAST_TTL
            | ipopt::IP_MULTICAST_LOOP
            | ipopt::IP_MULTICAST_ALL => int(Kept(1)),
            ipopt::IP_MTU => int(Constant(65536)),
            ipopt::IP_MULTICAST_IF if socket.is_stream() => {
                Some((Refused(Errno::EINVAL), Value::Bytes(12)))
            }
            ipopt::IP_MULTICAST_IF => Some((Bytes(&[0; 4]), Value::Bytes(12))),
            ipopt::IP_ADD_MEMBERSHIP | ipopt::IP_DROP_MEMBERSHIP => {
                Some((Refused(Errno::ENODEV), Value::Bytes(12)))
            }
            _ => None,
        },
        SOL_IPV6 if socket.domain == rawposix_abi::flags::family::AF_INET6 => match option {
            ipv6opt::IPV6_V6ONLY
            | ipv6opt::IPV6_RECVERR
            | ipv6opt::IPV6_RECVPKTINFO
            | ipv6opt::IPV6_RECVHOPLIMIT
            | ipv6opt::IPV6_RECVTCLASS
            | ipv6opt::IPV6_TCLASS
            | ipv6opt::IPV6_MULTICAST_IF => int(Kept(0)),
            ipv6opt::IPV6_UNICAST_HOPS => int(Kept(64)),
            ipv6opt::IPV6_MULTICAST_HOPS
            | ipv6opt::IPV6_MULTICAST_LOOP
            | ipv6opt::IPV6_MTU_DISCOVER => int(Kept(1)),
            ipv6opt::IPV6_MTU => int(Constant(65536)),
            ipv6opt::IPV6_ADD_MEMBERSHIP | ipv6opt::IPV6_DROP_MEMBERSHIP => {
                Some((Refused(Errno::ENODEV), Value::Bytes(20)))
            }
            _ => None,
        },
        SOL_UDP => None,
        _ => None,
    }
}

/// How many bytes of a value of `length` bytes count; `EINVAL` when they are too few.
pub(crate) fn length_of(value: Value, length: usize) -> Result<usize, Errno> {
    let least = match value {
        Value::Int => 4,
        Value::Linger => 8,
        Value::Bytes(most) => return Ok(length.min(most)),
    };
    if length < least {
        Err(Errno::EINVAL)
    } else {
        Ok(least)
    }
}

/// Whether an integer may be an option's value: the ranges of tcp(7) and ip(7).
pub(crate) fn check_new(level: u32, option: u32, value: i32) -> Result<(), Errno> {
    let range = match (level, option) {
        (SOL_TCP, tcpopt::TCP_KEEPIDLE | tcpopt::TCP_KEEPINTVL) => 1..=32767,
        (SOL_TCP, tcpopt::TCP_KEEPCNT | tcpopt::TCP_SYNCNT) => 1..=127,
        (SOL_TCP, tcpopt::TCP_MAXSEG) => 88..=32767,
        (SOL_TCP, tcpopt::TCP_USER_TIMEOUT) => 0..=i32::MAX,
        (SOL_IP, ipopt::IP_TTL) if value != -1 => 1..=255,
        (SOL_IPV6, ipv6opt::IPV6_UNICAST_HOPS) => -1..=255,
        (SOL_SOCKET, sockopt::SO_PRIORITY) if !(0..=6).contains(&value) => {
            return Err(Errno::EPERM);
        }
        _ => return Ok(()),
    };
    if range.contains(&value) {
        Ok(())
    } else {
        Err(Errno::EINVAL)
    }
}

/// The options that the sandbox keeps.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    values: Mutex<HashMap<(u32, u32), Vec<u8>>>,
    /// Whether an option is on that makes datagrams come with ancillary data.
    tells_more: AtomicBool,
    /// `SO_SNDTIMEO`
    send_limit: Mutex<Option<Duration>>,
}

/// The options that make datagrams come with ancillary data.
const TELLING: [(u32, u32); 8] = [
    (SOL_SOCKET, sockopt::SO_TIMESTAMP_NEW),
    (SOL_SOCKET, sockopt::SO_TIMESTAMPNS_NEW),
    (SOL_IP, ipopt::IP_PKTINFO),
    (SOL_IP, ipopt::IP_RECVTTL),
    (SOL_IP, ipopt::IP_RECVTOS),
    (SOL_IPV6, ipv6opt::IPV6_RECVPKTINFO),
    (SOL_IPV6, ipv6opt::IPV6_RECVHOPLIMIT),
    (SOL_IPV6, ipv6opt::IPV6_RECVTCLASS),
];

fn is_set(value: &[u8]) -> bool {
    value.iter().any(|byte| *byte != 0)
}

impl Stored {
    /// What was set.
    pub(crate) fn get(&self, level: u32, option: u32) -> Option<Vec<u8>> {
        self.values.lock().get(&(level, option)).cloned()
    }

    /// Sets a value.
    pub(crate) fn set(&self, level: u32, option: u32, value: &[u8]) {
        let mut values = self.values.lock();
        values.insert((level, option), value.to_vec());
        if let Some(other) = excluded(level, option) {
            values.remove(&(level, other));
        }
        let tells = |option| values.get(option).is_some_and(|value| is_set(value));
        let tells_more = TELLING.iter().any(tells);
        self.tells_more.store(tells_more, Ordering::Relaxed);
    }

    /// Whether datagrams come with ancillary data: what [`Self::told_of`] says, or when they came.
    pub(super) fn tells_more(&self) -> bool {
        self.tells_more.load(Ordering::Relaxed)
    }

    /// Takes over what another socket has: that which listens.
    pub(super) fn copy_from(&self, other: &Self) {
        let values = other.values.lock().clone();
        *self.values.lock() = values;
        self.tells_more.store(other.tells_more(), Ordering::Relaxed);
    }

    pub(super) fn is_on(&self, level: u32, option: u32) -> bool {
        let values = self.values.lock();
        let value = values.get(&(level, option));
        value.is_some_and(|value| is_set(value))
    }

    /// Whether `SO_LINGER` is on, with no time.
    pub(super) fn resets_at_close(&self) -> bool {
        let value = self.get(SOL_SOCKET, sockopt::SO_LINGER).unwrap_or_default();
        value
            .iter()
            .position(|byte| *byte != 0)
            .is_some_and(|on| on < 4)
            && value.iter().skip(4).all(|byte| *byte == 0)
    }

    pub(super) fn reuses_address(&self) -> bool {
        self.is_on(SOL_SOCKET, sockopt::SO_REUSEADDR)
    }

    pub(super) fn reuses_port(&self) -> bool {
        self.is_on(SOL_SOCKET, sockopt::SO_REUSEPORT)
    }

    pub(super) fn broadcasts(&self) -> bool {
        self.is_on(SOL_SOCKET, sockopt::SO_BROADCAST)
    }

    pub(super) fn only_v6(&self) -> bool {
        self.is_on(SOL_IPV6, ipv6opt::IPV6_V6ONLY)
    }

    /// Sets how long a call waits that sends.
    pub(crate) fn set_send_limit(&self, limit: Option<Duration>) {
        *self.send_limit.lock() = limit;
    }

    /// When a call ends that begins to send now.
    pub(super) fn send_deadline(&self, now: Instant) -> Option<Instant> {
        let limit = *self.send_limit.lock();
        limit.and_then(|limit| now.checked_add(limit))
    }
}
