//! A socket, whoever keeps it.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::OpenFlags;
use rawposix_abi::flags::family::{AF_INET, AF_INET6, AF_UNIX};
use rawposix_abi::flags::kind::{SOCK_DGRAM, SOCK_STREAM};
use rustix::net::SocketAddrAny;

use super::datagram::PREFIX;
use super::{Address, Farewell, Local};
use crate::fd::{HostFile, OpenFile, Origin};

/// What a descriptor of a socket refers to.
#[derive(Debug)]
pub(crate) struct Socket {
    /// `AF_*`
    pub(crate) domain: u32,
    /// `SOCK_*`
    pub(crate) kind: u32,
    /// `IPPROTO_*`
    pub(crate) protocol: u32,
    pub(crate) backend: Backend,
}

/// Who keeps a socket.
#[derive(Debug)]
pub(crate) enum Backend {
    /// The host: every call goes there.
    Host,
    /// The sandbox.
    Local(Box<Local>),
}

impl Socket {
    /// A socket of the sandbox; `None` for one of the host's.
    pub(crate) fn local(&self) -> Option<&Local> {
        match &self.backend {
            Backend::Host => None,
            Backend::Local(local) => Some(local),
        }
    }

    /// What is left to do when its descriptor is closed.
    pub(crate) fn farewell(&self) -> Option<Farewell> {
        self.local().map(Local::farewell)
    }

    /// Whether plain reads and writes of the host's descriptor do what they should.
    pub(crate) fn is_direct(&self) -> bool {
        self.local().is_none_or(|local| local.is_direct())
    }

    /// Whether bytes that are sent carry the sender's credentials, because some socket wants them.
    pub(crate) fn tells_who(&self) -> bool {
        self.domain == AF_UNIX
            && self
                .local()
                .is_some_and(|local| local.network().is_curious())
    }

    /// Whether it is of IPv4 or IPv6.
    pub(crate) fn is_inet(&self) -> bool {
        matches!(self.domain, AF_INET | AF_INET6)
    }

    /// How many of the bytes that wait at the host's descriptor are the guest's.
    pub(crate) fn unread(&self, count: u64) -> u64 {
        match self.local() {
            Some(local) if local.is_framed() => count.saturating_sub(PREFIX as u64),
            // What waits at a listener are connections.
            Some(local) if local.is_listening() => 0,
            _ => count,
        }
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.kind == SOCK_STREAM
    }

    pub(crate) fn is_datagram(&self) -> bool {
        self.kind == SOCK_DGRAM
    }

    /// An open file description of the socket.
    pub(crate) fn open(self: &Arc<Self>, fd: std::os::fd::OwnedFd) -> Arc<OpenFile> {
        OpenFile::host_file(fd, Origin::Socket(Arc::clone(self)), OpenFlags::RDWR)
    }
}

impl HostFile {
    /// The socket that it is. `ENOTSOCK` for another kind of file.
    pub(crate) fn socket(&self) -> Result<&Arc<Socket>, Errno> {
        match &self.origin {
            Origin::Socket(socket) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Whether its calls return rather than wait.
    pub(crate) fn is_nonblocking(&self) -> Result<bool, Errno> {
        Ok(rustix::fs::fcntl_getfl(&self.fd)?.contains(rustix::fs::OFlags::NONBLOCK))
    }
}

/// An address of the host's for a socket of the host's.
pub(crate) fn host_address(address: &Address) -> Result<SocketAddr, Errno> {
    match address {
        Address::Inet(address) => Ok(*address),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

/// A guest's view of what the host says.
pub(crate) fn socket_address(address: Option<SocketAddrAny>) -> Address {
    address
        .and_then(|address| SocketAddr::try_from(address).ok())
        .map_or(Address::Unspecified, Address::Inet)
}

/// The host's descriptor of a socket that is open.
pub(crate) fn borrow(file: &HostFile) -> BorrowedFd<'_> {
    std::os::fd::AsFd::as_fd(&file.fd)
}

/// The type of a stream of packets.
pub(super) const SEQPACKET: u32 = rawposix_abi::flags::kind::SOCK_SEQPACKET;
