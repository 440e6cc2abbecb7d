//! getsockopt(2) and setsockopt(2). See socket(7), tcp(7), ip(7), ipv6(7).

use std::time::Duration;

use rawposix_abi::Errno;
use rawposix_abi::flags::family::AF_UNIX;
use rawposix_abi::flags::level::{SOL_IP, SOL_IPV6, SOL_NETLINK, SOL_SOCKET, SOL_TCP};
use rawposix_abi::flags::{ipopt, ipv6opt, sockopt, tcpopt};
use rawposix_abi::structs::{OldTimeval, Timeval64};
use rawposix_memory::socket::{set_socket_option, socket_option};
use rustix::fd::{AsFd, BorrowedFd};
use zerocopy::{FromBytes, IntoBytes};

use super::args::{Fd, InOption, InOut, Len, OutOption, SocketLevel, SocketOption};
use super::network::{host_of, socket_of};
use crate::fd::HostFile;
use crate::net::{Address, Local, Scope, Socket, Value, check_new, length_of, scope};
use crate::thread::Thread;

/// The longest value.
const MAX_VALUE: u32 = 4096;
/// The host's numbers of the two time limits, whose layout is two 64-bit integers there.
const HOST_RECEIVE_LIMIT: u32 = sockopt::SO_RCVTIMEO_OLD;
const HOST_SEND_LIMIT: u32 = sockopt::SO_SNDTIMEO_OLD;
/// States of tcp(7), as `TCP_INFO` has them.
const TCP_ESTABLISHED: u8 = 1;
const TCP_CLOSE: u8 = 7;
const TCP_LISTEN: u8 = 10;
/// Size of `struct tcp_info`.
const TCP_INFO_SIZE: usize = 248;

/// What an option is called whose level does not exist for a socket.
fn absent(socket: &Socket, level: u32) -> Errno {
    if socket.domain == AF_UNIX && level != SOL_SOCKET {
        Errno::EOPNOTSUPP
    } else {
        Errno::ENOPROTOOPT
    }
}

pub(super) fn setsockopt(
    thread: &mut Thread,
    fd: Fd,
    level: SocketLevel,
    option: SocketOption,
    value: InOption,
    len: Len,
) -> Result<(), Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let socket = host.socket()?;
    i32::try_from(len.0).map_err(|_| Errno::EINVAL)?;
    let option = option.0;
    let level = level.0;
    let mut bytes = vec![0; usize::try_from(len.0.min(MAX_VALUE)).unwrap_or(0)];
    thread.memory().read_bytes(value.0, &mut bytes)?;
    if level == SOL_SOCKET {
        match option {
            sockopt::SO_RCVTIMEO_OLD
            | sockopt::SO_SNDTIMEO_OLD
            | sockopt::SO_RCVTIMEO_NEW
            | sockopt::SO_SNDTIMEO_NEW => return set_limit(host, socket, option, &bytes),
            sockopt::SO_PASSCRED if socket.domain == AF_UNIX => {
                let on = integer(&bytes)? != 0;
                if let Some(local) = socket.local() {
                    local.set_curious(on);
                }
                return Ok(());
            }
            _ => {}
        }
    }
    if level == SOL_NETLINK && socket.local().is_some() && !socket.is_inet() {
        // What it says more of is nothing that is there.
        return Ok(());
    }
    let (scope, layout) = scope(socket, level, option).ok_or_else(|| absent(socket, level))?;
    let length = length_of(layout, bytes.len())?;
    bytes.truncate(length);
    if let Scope::Privileged = scope {
        return privileged(option, integer(&bytes)?);
    }
    let Some(local) = socket.local() else {
        if let Scope::Refused(Errno::EPERM) = scope {
            return Err(Errno::EPERM);
        }
        return set_socket_option(host.fd.as_fd(), level, option, &bytes);
    };
    match scope {
        Scope::Host => set_socket_option(host.fd.as_fd(), level, option, &bytes),
        Scope::Kept(_) => {
            let number = integer(&bytes)?;
            check_new(level, option, number)?;
            let bound = !matches!(
                socket.local_name(local),
                Address::Inet(address) if address.port() == 0
            );
            if (level, option) == (SOL_IPV6, ipv6opt::IPV6_V6ONLY) && bound {
                return Err(Errno::EINVAL);
            }
            let switch = level == SOL_SOCKET && option != sockopt::SO_PRIORITY;
            let number = if switch {
                i32::from(number != 0)
            } else {
                number
            };
            local.stored().set(level, option, &number.to_le_bytes());
            Ok(())
        }
        Scope::Bytes(_) => {
            if (level, option) == (SOL_TCP, tcpopt::TCP_CONGESTION) {
                return congestion(local, &bytes);
            }
            if (level, option) == (SOL_IP, ipopt::IP_MULTICAST_IF) {
                return multicast_interface(local, &bytes);
            }
            local.stored().set(level, option, &bytes);
            Ok(())
        }
        Scope::Constant(_) | Scope::Privileged => Err(Errno::ENOPROTOOPT),
        Scope::Refused(errno) => Err(errno),
    }
}

fn privileged(option: u32, value: i32) -> Result<(), Errno> {
    match option {
        sockopt::SO_DEBUG if value == 0 => Ok(()),
        sockopt::SO_DEBUG => Err(Errno::EACCES),
        _ => Err(Errno::EPERM),
    }
}

fn congestion(local: &Local, name: &[u8]) -> Result<(), Errno> {
    let end = name.iter().position(|byte| *byte == 0);
    let name = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
    if !matches!(name, b"cubic" | b"reno") {
        return Err(Errno::ENOENT);
    }
    let name = [name, &[0]].concat();
    local.stored().set(SOL_TCP, tcpopt::TCP_CONGESTION, &name);
    Ok(())
}

/// The loopback interface or none in particular: there is no other. The value is a `struct in_addr`, a `struct ip_mreq`, or a
/// `struct ip_mreqn`, whose last word is the interface's number.
fn multicast_interface(local: &Local, bytes: &[u8]) -> Result<(), Errno> {
    let word = |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    let address = word(if bytes.len() < 8 { 0 } else { 4 }).ok_or(Errno::EINVAL)?;
    let number = word(8).map_or(0, |number| i32::from_le_bytes(*number));
    let is_here = match number {
        0 => matches!(address, [0, 0, 0, 0] | [127, ..]),
        number => number == 1,
    };
    if !is_here {
        return Err(Errno::EADDRNOTAVAIL);
    }
    local.stored().set(SOL_IP, ipopt::IP_MULTICAST_IF, address);
    Ok(())
}

fn integer(bytes: &[u8]) -> Result<i32, Errno> {
    let (first, _) = bytes.split_first_chunk().ok_or(Errno::EINVAL)?;
    Ok(i32::from_le_bytes(*first))
}

/// Sets how long a call waits.
fn set_limit(host: &HostFile, socket: &Socket, option: u32, bytes: &[u8]) -> Result<(), Errno> {
    let is_new = matches!(option, sockopt::SO_RCVTIMEO_NEW | sockopt::SO_SNDTIMEO_NEW);
    let limit = if is_new {
        Timeval64::read_from_prefix(bytes)
            .map_err(|_| Errno::EINVAL)?
            .0
    } else {
        let (old, _) = OldTimeval::read_from_prefix(bytes).map_err(|_| Errno::EINVAL)?;
        Timeval64 {
            sec: i64::from(old.sec),
            usec: i64::from(old.usec),
        }
    };
    if !(0..1_000_000).contains(&limit.usec) {
        return Err(Errno::EDOM);
    }
    let sends = matches!(option, sockopt::SO_SNDTIMEO_OLD | sockopt::SO_SNDTIMEO_NEW);
    let host_option = if sends {
        HOST_SEND_LIMIT
    } else {
        HOST_RECEIVE_LIMIT
    };
    set_socket_option(host.fd.as_fd(), SOL_SOCKET, host_option, limit.as_bytes())?;
    if let (true, Some(local)) = (sends, socket.local()) {
        let micros = u32::try_from(limit.usec).unwrap_or(0);
        let time = u64::try_from(limit.sec).ok();
        let time = time.map(|sec| Duration::new(sec, micros * 1000));
        local
            .stored()
            .set_send_limit(time.filter(|time| !time.is_zero()));
    }
    Ok(())
}

/// How long a call waits, in the layout of `option`.
fn limit(fd: BorrowedFd<'_>, option: u32) -> Result<Vec<u8>, Errno> {
    let (host_option, is_new) = match option {
        sockopt::SO_RCVTIMEO_OLD => (HOST_RECEIVE_LIMIT, false),
        sockopt::SO_RCVTIMEO_NEW => (HOST_RECEIVE_LIMIT, true),
        sockopt::SO_SNDTIMEO_OLD => (HOST_SEND_LIMIT, false),
        _ => (HOST_SEND_LIMIT, true),
    };
    let bytes = socket_option(fd, SOL_SOCKET, host_option, size_of::<Timeval64>())?;
    if is_new {
        return Ok(bytes);
    }
    let limit = Timeval64::read_from_bytes(&bytes).map_err(|_| Errno::EINVAL)?;
    let old = OldTimeval {
        sec: i32::try_from(limit.sec).unwrap_or(i32::MAX),
        usec: i32::try_from(limit.usec).unwrap_or(0),
    };
    Ok(old.as_bytes().to_vec())
}

pub(super) fn getsockopt(
    thread: &mut Thread,
    fd: Fd,
    level: SocketLevel,
    option: SocketOption,
    value: OutOption,
    len: InOut<u32>,
) -> Result<(), Errno> {
    let file = socket_of(thread, fd)?;
    let host = host_of(&file)?;
    let room: u32 = thread.memory().read(len.0)?;
    let room = usize::try_from(room.cast_signed()).map_err(|_| Errno::EINVAL)?;
    let option = option.0;
    let bytes = get(host, level.0, option, room)?;
    let shown = bytes.get(..room).unwrap_or(&bytes);
    thread.memory().write_bytes(value.0, shown)?;
    thread
        .memory()
        .write(len.0, &u32::try_from(shown.len()).unwrap_or(0))
}

fn get(host: &HostFile, level: u32, option: u32, room: usize) -> Result<Vec<u8>, Errno> {
    let socket = host.socket()?;
    let word = |number: u32| Ok(number.to_le_bytes().to_vec());
    if level == SOL_SOCKET {
        match option {
            sockopt::SO_TYPE => return word(socket.kind),
            sockopt::SO_DOMAIN => return word(socket.domain),
            sockopt::SO_PROTOCOL => return word(socket.protocol),
            sockopt::SO_RCVTIMEO_OLD
            | sockopt::SO_SNDTIMEO_OLD
            | sockopt::SO_RCVTIMEO_NEW
            | sockopt::SO_SNDTIMEO_NEW => return limit(host.fd.as_fd(), option),
            sockopt::SO_COOKIE => return socket_option(host.fd.as_fd(), level, option, 8),
            _ => {}
        }
    }
    let Some(local) = socket.local() else {
        return get_of_host(host, socket, level, option, room);
    };
    match (level, option) {
        (SOL_SOCKET, sockopt::SO_ERROR) => {
            let failure = match local.take_failure() {
                Some(failure) => u32::from(failure.raw()),
                None if local.is_direct() => {
                    return socket_option(host.fd.as_fd(), level, option, 4);
                }
                None => 0,
            };
            return word(failure);
        }
        (SOL_SOCKET, sockopt::SO_ACCEPTCONN) => return word(u32::from(local.is_listening())),
        (SOL_SOCKET, sockopt::SO_PASSCRED) if socket.domain == AF_UNIX => {
            return word(u32::from(local.is_curious()));
        }
        (SOL_SOCKET, sockopt::SO_PEERCRED) if socket.domain == AF_UNIX => {
            return Ok(local.peer_credentials().as_bytes().to_vec());
        }
        (SOL_TCP, tcpopt::TCP_INFO) if socket.is_inet() && socket.is_stream() => {
            return Ok(tcp_info(local));
        }
        _ => {}
    }
    let (scope, layout) = scope(socket, level, option).ok_or_else(|| absent(socket, level))?;
    let kept = |default: &[u8]| {
        let value = local.stored().get(level, option);
        Ok(value.unwrap_or_else(|| default.to_vec()))
    };
    match (scope, layout) {
        (Scope::Host, _) => socket_option(host.fd.as_fd(), level, option, 4),
        (Scope::Kept(default) | Scope::Constant(default), _) => kept(&default.to_le_bytes()),
        (Scope::Bytes(default), Value::Bytes(most)) => {
            let mut value = kept(default)?;
            value.resize(most, 0);
            Ok(value)
        }
        (Scope::Bytes(default), _) => kept(default),
        (Scope::Privileged, _) => word(0),
        (Scope::Refused(_), _) => Ok(Vec::new()),
    }
}

fn get_of_host(
    host: &HostFile,
    socket: &Socket,
    level: u32,
    option: u32,
    room: usize,
) -> Result<Vec<u8>, Errno> {
    let known = match (level, option) {
        (SOL_SOCKET, sockopt::SO_ERROR | sockopt::SO_ACCEPTCONN) => true,
        (SOL_TCP, tcpopt::TCP_INFO) => socket.is_stream(),
        _ => scope(socket, level, option).is_some(),
    };
    if !known {
        return Err(absent(socket, level));
    }
    let room = room.min(usize::try_from(MAX_VALUE).unwrap_or(0));
    socket_option(host.fd.as_fd(), level, option, room)
}

/// `struct tcp_info` of a connection that loses nothing.
fn tcp_info(local: &Local) -> Vec<u8> {
    let state = if local.is_listening() {
        TCP_LISTEN
    } else if local.is_direct() {
        TCP_ESTABLISHED
    } else {
        TCP_CLOSE
    };
    let mut info = vec![0; TCP_INFO_SIZE];
    if let Some(first) = info.first_mut() {
        *first = state;
    }
    info
}
