//! Making, naming and connecting sockets. See socket(2), bind(2), accept(2), connect(2).

use std::sync::Arc;

use rawposix_abi::Errno;
use rawposix_abi::flags::family::{AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX};
use rawposix_abi::flags::kind::{SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM};
use rawposix_abi::flags::protocol::{
    IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE,
};
use rawposix_abi::flags::shutdown::{SHUT_RD, SHUT_RDWR, SHUT_WR};
use rawposix_abi::flags::{AT_FDCWD, GuestFlags, SockFlags};
use rawposix_abi::structs::{FdPair, Ucred};
use rawposix_memory::GuestPtr;
use rustix::fs::{Access, FileType};
use rustix::net::{AddressFamily, Protocol, Shutdown, SocketFlags, SocketType};

use super::args::{Family, Fd, InAddr, InOut, Int, Len, Out, OutAddr, ShutdownHow, SocketKind};
pub(super) use super::message::{recvfrom, recvmmsg_time64, recvmsg, sendmmsg, sendmsg, sendto};
use super::path::make_socket;
pub(super) use super::socket_options::{getsockopt, setsockopt};
use crate::config::Net;
use crate::fd::{CloseOnExec, HostFile, OpenFile};
use crate::fs::dir::FileId;
use crate::fs::node::{HostNode, Node};
use crate::fs::permission::Rights;
use crate::fs::walk::Follow;
use crate::landlock::PortAccess;
use crate::net::{Address, Backend, Local, Socket, host_address, socket_address};
use crate::thread::Thread;

/// The bits of a socket's type that are flags.
const KIND_MASK: u32 = 0xf;
/// The greatest address.
const MAX_ADDRESS: u32 = 128;
/// Protocols that a socket may name.
const MAX_PROTOCOL: u32 = 262;

/// The open file of a descriptor and the socket that it is: `EBADF`, `ENOTSOCK`.
pub(super) fn socket_of(thread: &Thread, fd: Fd) -> Result<Arc<OpenFile>, Errno> {
    let file = thread.file(fd.0)?;
    if file.is_path() {
        return Err(Errno::EBADF);
    }
    host_of(&file)?.socket()?;
    Ok(file)
}

/// The host's side of a socket's open file.
pub(super) fn host_of(file: &OpenFile) -> Result<&HostFile, Errno> {
    file.host().map_err(|_| Errno::ENOTSOCK)
}

impl Thread {
    /// Who the process is for others.
    pub(crate) fn credentials_for_peers(&self) -> Ucred {
        let own = self.process.credentials();
        Ucred {
            pid: self.process.pid.0,
            uid: own.user.effective,
            gid: own.group.effective,
        }
    }

    /// The unix socket that an address leads to: `ECONNREFUSED` when there is a file but no socket behind it.
    pub(crate) fn unix_socket(
        &self,
        local: &Local,
        address: &Address,
    ) -> Result<Arc<Socket>, Errno> {
        let names = &local.network().names;
        match address {
            Address::Abstract(name) => names.named(name).ok_or(Errno::ECONNREFUSED),
            Address::Path(path) => {
                let Node::Host(host) = self.node(AT_FDCWD, path, Follow::Yes)? else {
                    return Err(Errno::ECONNREFUSED);
                };
                self.check_connection(&host)?;
                rustix::fs::access(host.proc_path(), Access::WRITE_OK)?;
                if host.kind != FileType::Socket {
                    return Err(Errno::ECONNREFUSED);
                }
                let file = FileId::of(&*host.fd)?;
                names.of_file(file).ok_or(Errno::ECONNREFUSED)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// Whether the caller may send to a socket's file, where the host does not ask.
    fn check_connection(&self, host: &HostNode) -> Result<(), Errno> {
        match self.process.guard() {
            Some(guard) => guard.check(&host.fd, Rights::WRITE),
            None => Ok(()),
        }
    }

    /// The file of a socket of the host's that an address leads to, if the sandbox may reach it.
    fn foreign_socket(&self, local: &Local, address: &Address) -> Result<Option<HostNode>, Errno> {
        let network = local.network();
        let (Net::Host, Address::Path(path)) = (network.net, address) else {
            return Ok(None);
        };
        let mounts = self.process.mounts();
        match self.node(AT_FDCWD, path, Follow::Yes)? {
            Node::Host(host) if host.kind == FileType::Socket => {
                self.check_connection(&host)?;
                let known = network.names.of_file(FileId::of(&*host.fd)?).is_some();
                Ok((!known && !mounts.is_private(host.mount)).then_some(host))
            }
            _ => Ok(None),
        }
    }

    /// Fails with `EACCES` where the process's domain lets it not use a port of TCP.
    fn check_port(
        &self,
        socket: &Socket,
        address: &Address,
        wanted: PortAccess,
    ) -> Result<(), Errno> {
        match (address, self.process.landlock()) {
            (Address::Inet(address), Some(domain)) if socket.protocol == IPPROTO_TCP => {
                domain.check_port(address.port(), wanted)
            }
            _ => Ok(()),
        }
    }

    /// Reads an address.
    pub(super) fn read_address(
        &self,
        ptr: GuestPtr<u8>,
        length: u32,
        socket: &Socket,
    ) -> Result<Address, Errno> {
        if length > MAX_ADDRESS {
            return Err(Errno::EINVAL);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.memory().read_bytes(ptr, &mut bytes)?;
        Address::parse(&bytes, socket.domain)
    }

    /// Writes an address, cut off where there is no more room, and how long it is.
    pub(super) fn write_address(
        &self,
        ptr: GuestPtr<u8>,
        length: GuestPtr<u32>,
        address: &Address,
    ) -> Result<(), Errno> {
        let room: u32 = self.memory().read(length)?;
        let room = usize::try_from(room.cast_signed()).map_err(|_| Errno::EINVAL)?;
        let bytes = address.to_bytes();
        let shown = bytes.get(..room).unwrap_or(&bytes);
        self.memory().write_bytes(ptr, shown)?;
        self.memory()
            .write(length, &u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }
}

/// A socket's type and flags, `EINVAL` for unknown ones.
fn split(kind: SocketKind) -> Result<(u32, SockFlags), Errno> {
    let flags = SockFlags::from_word(kind.0 & !KIND_MASK).ok_or(Errno::EINVAL)?;
    Ok((kind.0 & KIND_MASK, flags))
}

fn close_on_exec(flags: SockFlags) -> CloseOnExec {
    CloseOnExec::from_flag(flags.contains(SockFlags::CLOEXEC))
}

/// The protocol that a socket speaks, as socket(2) decides it.
fn protocol(domain: u32, kind: u32, protocol: i32) -> Result<u32, Errno> {
    let protocol = u32::try_from(protocol).map_err(|_| Errno::EINVAL)?;
    match domain {
        AF_UNIX => match (kind, protocol) {
            (SOCK_STREAM | SOCK_DGRAM | SOCK_SEQPACKET | SOCK_RAW, 0 | AF_UNIX) => Ok(0),
            (SOCK_STREAM | SOCK_DGRAM | SOCK_SEQPACKET | SOCK_RAW, _) => {
                Err(Errno::EPROTONOSUPPORT)
            }
            _ => Err(Errno::ESOCKTNOSUPPORT),
        },
        AF_INET | AF_INET6 => match (kind, protocol) {
            (_, protocol) if protocol >= MAX_PROTOCOL => Err(Errno::EINVAL),
            (SOCK_STREAM, IPPROTO_IP | IPPROTO_TCP) => Ok(IPPROTO_TCP),
            (SOCK_DGRAM, IPPROTO_IP | IPPROTO_UDP) => Ok(IPPROTO_UDP),
            (SOCK_DGRAM, IPPROTO_ICMP | IPPROTO_ICMPV6 | IPPROTO_UDPLITE) => Ok(protocol),
            (SOCK_STREAM | SOCK_DGRAM, _) => Err(Errno::EPROTONOSUPPORT),
            (SOCK_RAW, IPPROTO_IP) => Err(Errno::EPROTONOSUPPORT),
            (SOCK_RAW, _) => Err(Errno::EPERM),
            _ => Err(Errno::ESOCKTNOSUPPORT),
        },
        AF_NETLINK => match (kind, protocol) {
            (SOCK_RAW | SOCK_DGRAM, 0) => Ok(0),
            (SOCK_RAW | SOCK_DGRAM, _) => Err(Errno::EPROTONOSUPPORT),
            _ => Err(Errno::ESOCKTNOSUPPORT),
        },
        AF_PACKET => Err(Errno::EPERM),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

fn host_socket(
    domain: u32,
    kind: u32,
    protocol: u32,
) -> Result<(std::os::fd::OwnedFd, Arc<Socket>), Errno> {
    let family = if domain == AF_INET {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let host_kind = if kind == SOCK_STREAM {
        SocketType::STREAM
    } else {
        SocketType::DGRAM
    };
    let number = std::num::NonZeroU32::new(protocol).map(Protocol::from_raw);
    let fd = rustix::net::socket_with(family, host_kind, SocketFlags::CLOEXEC, number)?;
    let backend = Backend::Host;
    let socket = Arc::new(Socket {
        domain,
        kind,
        protocol,
        backend,
    });
    Ok((fd, socket))
}

pub(super) fn socket(
    thread: &mut Thread,
    domain: Family,
    kind: SocketKind,
    number: Int,
) -> Result<i32, Errno> {
    let (kind, flags) = split(kind)?;
    let domain = domain.0;
    let protocol = protocol(domain, kind, number.0)?;
    let network = &thread.world.network;
    let is_inet = matches!(domain, AF_INET | AF_INET6);
    // unix(7) takes a raw socket for one of datagrams.
    let kind = if domain == AF_UNIX && kind == SOCK_RAW {
        SOCK_DGRAM
    } else {
        kind
    };
    let (fd, socket) = if is_inet && network.net == Net::Host {
        host_socket(domain, kind, protocol)?
    } else if is_inet && !matches!(protocol, IPPROTO_TCP | IPPROTO_UDP) {
        return Err(Errno::EPROTONOSUPPORT);
    } else {
        Local::create(network, domain, kind, protocol)?
    };
    if flags.contains(SockFlags::NONBLOCK) {
        rustix::io::ioctl_fionbio(&fd, true)?;
    }
    let file = socket.open(fd);
    thread.process.install(file, close_on_exec(flags))
}

pub(super) fn socketpair(
    thread: &mut Thread,
    domain: Family,
    kind: SocketKind,
    number: Int,
    fds: Out<FdPair>,
) -> Result<(), Errno> {
    let (kind, flags) = split(kind)?;
    protocol(domain.0, kind, number.0)?;
    if domain.0 != AF_UNIX {
        return Err(Errno::EOPNOTSUPP);
    }
    let kind = if kind == SOCK_RAW { SOCK_DGRAM } else { kind };
    let credentials = thread.credentials_for_peers();
    let pair = Local::create_pair(&thread.world.network, kind, credentials)?;
    let mut files = Vec::new();
    for (fd, socket) in pair {
        if flags.contains(SockFlags::NONBLOCK) {
            rustix::io::ioctl_fionbio(&fd, true)?;
        }
        files.push(socket.open(fd));
    }
    let mut numbers = Vec::new();
    let installed = files.into_iter().try_for_each(|file| {
        numbers.push(thread.process.install(file, close_on_exec(flags))?);
        Ok(())
    });
    let stored = installed.and_then(|()| match *numbers {
        [first, second] => thread.memory().write(fds.0, &FdPair { first, second }),
        _ => Err(Errno::EMFILE),
    });
    if stored.is_err() {
        for fd in numbers {
            let removed = thread.process.with_files(|files| files.remove(fd));
            drop(removed);
        }
    }
    stored
}

pub(super) fn bind(thread: &mut Thread, fd: Fd, addr: InAddr, len: Len) -> Result<(), Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    let address = match thread.read_address(addr.0, len.0, socket)? {
        // ip(7): all zeros was bound to as `AF_INET` before there was a rule.
        Address::Unspecified if socket.is_inet() => return Err(Errno::EAFNOSUPPORT),
        Address::Unspecified => return Err(Errno::EINVAL),
        Address::Inet(std::net::SocketAddr::V4(_)) if socket.domain == AF_INET6 => {
            return Err(Errno::EINVAL);
        }
        address => address,
    };
    thread.check_port(socket, &address, PortAccess::BIND_TCP)?;
    let Some(local) = socket.local() else {
        return Ok(rustix::net::bind(&host.fd, &host_address(&address)?)?);
    };
    if socket.local_name(local) != Address::Unnamed && socket.domain == AF_UNIX {
        // Linux makes the file first.
        return Err(match &address {
            Address::Path(path) if thread.node(AT_FDCWD, path, Follow::No).is_ok() => {
                Errno::EADDRINUSE
            }
            _ => Errno::EINVAL,
        });
    }
    let made = match &address {
        Address::Path(path) => Some(make_socket(thread, path)?),
        _ => None,
    };
    let address = match address {
        Address::Path(path) => Address::Path(path),
        Address::Netlink(0, groups) => {
            Address::Netlink(thread.process.pid.0.cast_unsigned(), groups)
        }
        address => address,
    };
    socket.bind_local(local, address, made)
}

pub(super) fn listen(thread: &mut Thread, fd: Fd, backlog: Int) -> Result<(), Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    match socket.local() {
        Some(local) => socket.listen_local(local, backlog.0, thread.credentials_for_peers()),
        None => Ok(rustix::net::listen(&host.fd, backlog.0)?),
    }
}

pub(super) fn accept(
    thread: &mut Thread,
    fd: Fd,
    addr: OutAddr,
    len: InOut<u32>,
) -> Result<i32, Errno> {
    accept4(thread, fd, addr, len, SockFlags::empty())
}

pub(super) fn accept4(
    thread: &mut Thread,
    fd: Fd,
    addr: OutAddr,
    len: InOut<u32>,
    flags: SockFlags,
) -> Result<i32, Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    // A connection is not taken that nobody could get.
    let limit = thread.process.descriptor_limit();
    if !thread.process.with_files(|files| files.has_room(limit)) {
        return Err(Errno::EMFILE);
    }
    let (accepted, new, peer) = match socket.local() {
        Some(local) => socket.accept_local(thread, host, local)?,
        None => {
            let (accepted, peer) = thread.block(|| {
                rustix::net::acceptfrom_with(&host.fd, SocketFlags::CLOEXEC).map_err(Errno::from)
            })?;
            let new = Arc::new(Socket {
                domain: socket.domain,
                kind: socket.kind,
                protocol: socket.protocol,
                backend: Backend::Host,
            });
            (accepted, new, socket_address(peer))
        }
    };
    if flags.contains(SockFlags::NONBLOCK) {
        rustix::io::ioctl_fionbio(&accepted, true)?;
    }
    let number = thread
        .process
        .install(new.open(accepted), close_on_exec(flags))?;
    if addr.0.is_null() {
        return Ok(number);
    }
    thread
        .write_address(addr.0, len.0, &peer)
        .inspect_err(|_| {
            let removed = thread.process.with_files(|files| files.remove(number));
            drop(removed);
        })?;
    Ok(number)
}

pub(super) fn connect(thread: &mut Thread, fd: Fd, addr: InAddr, len: Len) -> Result<(), Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    let address = thread.read_address(addr.0, len.0, socket)?;
    thread.check_port(socket, &address, PortAccess::CONNECT_TCP)?;
    let Some(local) = socket.local() else {
        if address == Address::Unspecified {
            return Ok(rustix::net::connect_unspec(&host.fd)?);
        }
        let address = host_address(&address)?;
        return thread.block(|| rustix::net::connect(&host.fd, &address).map_err(Errno::from));
    };
    if socket.is_datagram() || socket.domain == AF_NETLINK {
        return socket.connect_datagram(thread, local, &address);
    }
    match address {
        Address::Unspecified if socket.is_inet() => Err(Errno::EOPNOTSUPP),
        Address::Unspecified | Address::Unnamed => Err(Errno::EINVAL),
        address => match thread.foreign_socket(local, &address)? {
            Some(node) => socket.connect_to_host(thread, host, local, (&address, &node)),
            None => socket.connect_stream(thread, host, local, &address),
        },
    }
}

pub(super) fn getsockname(
    thread: &mut Thread,
    fd: Fd,
    addr: OutAddr,
    len: InOut<u32>,
) -> Result<(), Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    let name = match socket.local() {
        Some(local) => socket.local_name(local),
        None => socket_address(Some(rustix::net::getsockname(&host.fd)?)),
    };
    thread.write_address(addr.0, len.0, &name)
}

pub(super) fn getpeername(
    thread: &mut Thread,
    fd: Fd,
    addr: OutAddr,
    len: InOut<u32>,
) -> Result<(), Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    let name = match socket.local() {
        Some(local) => socket.local_peer(local)?,
        None => socket_address(rustix::net::getpeername(&host.fd)?),
    };
    thread.write_address(addr.0, len.0, &name)
}

pub(super) fn shutdown(thread: &mut Thread, fd: Fd, how: ShutdownHow) -> Result<(), Errno> {
    let how = match how.0 {
        SHUT_RD => Shutdown::Read,
        SHUT_WR => Shutdown::Write,
        SHUT_RDWR => Shutdown::Both,
        _ => return Err(Errno::EINVAL),
    };
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    match socket.local() {
        Some(local) => socket.shutdown_local(local, host, how),
        None => Ok(rustix::net::shutdown(&host.fd, how)?),
    }
}
