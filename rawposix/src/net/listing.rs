//! The sandbox's sockets as `/proc/net` lists them. See proc(5).

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use rawposix_abi::flags::family::{AF_INET, AF_INET6, AF_UNIX};

use super::local::Phase;
use super::{Address, Local, Network, Socket};

/// States of tcp(7), which udp(7) borrows.
const ESTABLISHED: u8 = 1;
const CLOSE: u8 = 7;
const LISTEN: u8 = 10;
/// States and flags of unix(7).
const UNCONNECTED: u8 = 1;
const CONNECTED: u8 = 3;
const ACCEPTS: u32 = 0x1_0000;

/// How far a socket is.
enum Stage {
    Idle,
    Connected,
    Listening,
}

impl Local {
    fn stage(&self) -> Stage {
        let state = self.state();
        match state.phase {
            Phase::Listening(_) => Stage::Listening,
            Phase::Connected { .. } => Stage::Connected,
            Phase::Idle | Phase::Connecting if state.peer.is_some() => Stage::Connected,
            Phase::Idle | Phase::Connecting => Stage::Idle,
        }
    }
}

impl Network {
    /// The lines of one of the files `unix`, `tcp`, `tcp6`, `udp` and `udp6`, for a user of this id.
    pub(crate) fn list(&self, file: &str, uid: u32) -> String {
        let mut lines = String::new();
        let mut number = 0;
        for socket in self.sockets() {
            let Some(local) = socket.local() else {
                continue;
            };
            let line = match file {
                "unix" if socket.domain == AF_UNIX => Some(unix(&socket, local)),
                "tcp" if socket.domain == AF_INET => inet(&socket, local, number, uid),
                "tcp6" if socket.domain == AF_INET6 => inet(&socket, local, number, uid),
                "udp" if socket.domain == AF_INET => inet(&socket, local, number, uid),
                "udp6" if socket.domain == AF_INET6 => inet(&socket, local, number, uid),
                _ => None,
            };
            let is_other_kind = file != "unix" && file.starts_with("tcp") != socket.is_stream();
            if let Some(line) = line.filter(|_| !is_other_kind) {
                lines.push_str(&line);
                number += 1;
            }
        }
        lines
    }
}

fn unix(socket: &Socket, local: &Local) -> String {
    let (flags, state) = match local.stage() {
        Stage::Listening => (ACCEPTS, UNCONNECTED),
        Stage::Connected => (0, CONNECTED),
        Stage::Idle => (0, UNCONNECTED),
    };
    let name = match socket.local_name(local) {
        Address::Path(path) => format!(" {}", String::from_utf8_lossy(&path)),
        // As Linux shows it, zeros are at signs.
        Address::Abstract(name) => {
            format!(" @{}", String::from_utf8_lossy(&name).replace('\0', "@"))
        }
        _ => String::new(),
    };
    format!(
        "{:016X}: {:08X} {:08X} {flags:08X} {:04X} {state:02X} {:5}{name}\n",
        0,
        2,
        0,
        socket.kind,
        local.inode()
    )
}

/// A line of tcp or udp; none for a socket without a port.
fn inet(socket: &Socket, local: &Local, number: usize, uid: u32) -> Option<String> {
    let state = match local.stage() {
        Stage::Listening => LISTEN,
        Stage::Connected => ESTABLISHED,
        Stage::Idle if socket.is_datagram() => CLOSE,
        // Linux has such a stream in no list.
        Stage::Idle => return None,
    };
    let Address::Inet(name) = socket.local_name(local) else {
        return None;
    };
    if name.port() == 0 {
        return None;
    }
    let nobody = SocketAddr::new(unspecified(name.ip()), 0);
    let peer = match socket.local_peer(local) {
        Ok(Address::Inet(peer)) => peer,
        _ => nobody,
    };
    let (name, peer, inode) = (hexadecimal(name), hexadecimal(peer), local.inode());
    let start = format!(
        "{name} {peer} {state:02X} 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode}"
    );
    Some(if socket.is_stream() {
        format!("{number:4}: {start} 1 {:016x} 100 0 0 10 0\n", 0)
    } else {
        format!("{number:5}: {start} 2 {:016x} 0\n", 0)
    })
}

fn unspecified(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// An address in words of the machine's order, and a port.
fn hexadecimal(address: SocketAddr) -> String {
    let mut text = String::new();
    let mut words = |octets: &[u8]| {
        for word in octets.as_chunks().0 {
            let _ = write!(text, "{:08X}", u32::from_le_bytes(*word));
        }
    };
    match address.ip() {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    }
    let _ = write!(text, ":{:04X}", address.port());
    text
}
