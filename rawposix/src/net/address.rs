//! Addresses of sockets, as guests write and read them. See unix(7), ip(7), ipv6(7), netlink(7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use rawposix_abi::Errno;
use rawposix_abi::flags::family::{AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, AF_UNSPEC};
use rawposix_abi::structs::{SockaddrIn, SockaddrIn6, SockaddrNl};
use zerocopy::{FromBytes, IntoBytes};

/// The size of `struct sockaddr_storage`, the greatest of all.
const STORAGE: usize = 128;
/// The size of `struct sockaddr_un`, and of the path in it.
const UNIX: usize = 110;
/// What is used of `struct sockaddr_in6` at least, without the scope.
const INET6_LEAST: usize = 24;

/// The address of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// `AF_UNSPEC`: what undoes a connection.
    Unspecified,
    /// A unix socket without a name.
    Unnamed,
    /// A unix socket at a path.
    Path(Vec<u8>),
    /// A unix socket of this abstract name, without the leading zero.
    Abstract(Vec<u8>),
    /// A port of IPv4 or IPv6.
    Inet(SocketAddr),
    /// Port id and groups of netlink.
    Netlink(u32, u32),
}

impl Address {
    /// The address in these bytes; `domain` is that of the socket that uses it.
    /// `EINVAL` for a length that is no address's, `EAFNOSUPPORT` for another family.
    pub(crate) fn parse(bytes: &[u8], domain: u32) -> Result<Self, Errno> {
        if bytes.len() > STORAGE {
            return Err(Errno::EINVAL);
        }
        let Some((family, rest)) = bytes.split_first_chunk() else {
            return Err(Errno::EINVAL);
        };
        let family = u32::from(u16::from_le_bytes(*family));
        match (domain, family) {
            (AF_UNIX, AF_UNIX) => Self::parse_unix(rest),
            // unix(7) has no use for it but to undo a connection.
            (_, AF_UNSPEC) => Ok(Self::Unspecified),
            (AF_UNIX, _) => Err(Errno::EINVAL),
            (AF_INET | AF_INET6, AF_INET) => {
                let (address, _) =
                    SockaddrIn::read_from_prefix(bytes).map_err(|_| Errno::EINVAL)?;
                let port = u16::from_be_bytes(address.port);
                let ip = Ipv4Addr::from(address.addr);
                Ok(Self::Inet(SocketAddrV4::new(ip, port).into()))
            }
            (AF_INET6, AF_INET6) => {
                if bytes.len() < INET6_LEAST {
                    return Err(Errno::EINVAL);
                }
                let mut whole = [0; size_of::<SockaddrIn6>()];
                for (to, from) in whole.iter_mut().zip(bytes) {
                    *to = *from;
                }
                let address = SockaddrIn6::read_from_bytes(&whole).map_err(|_| Errno::EINVAL)?;
                let port = u16::from_be_bytes(address.port);
                let flow = u32::from_be_bytes(address.flowinfo);
                let ip = Ipv6Addr::from(address.addr);
                Ok(Self::Inet(
                    SocketAddrV6::new(ip, port, flow, address.scope_id).into(),
                ))
            }
            (AF_NETLINK, AF_NETLINK) => {
                let (address, _) =
                    SockaddrNl::read_from_prefix(bytes).map_err(|_| Errno::EINVAL)?;
                Ok(Self::Netlink(address.pid, address.groups))
            }
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    fn parse_unix(path: &[u8]) -> Result<Self, Errno> {
        if path.len() > UNIX - 2 {
            return Err(Errno::EINVAL);
        }
        match path.split_first() {
            None => Ok(Self::Unnamed),
            Some((0, name)) => Ok(Self::Abstract(name.to_vec())),
            Some(_) => {
                let end = path.iter().position(|byte| *byte == 0);
                let path = path.get(..end.unwrap_or(path.len())).unwrap_or_default();
                Ok(Self::Path(path.to_vec()))
            }
        }
    }

    /// The address as a guest reads it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let unix = u16::try_from(AF_UNIX).unwrap_or(0).to_le_bytes();
        match self {
            Self::Unspecified => Vec::new(),
            Self::Unnamed => unix.to_vec(),
            Self::Path(path) => [&unix[..], path, &[0]].concat(),
            Self::Abstract(name) => [&unix[..], &[0], name].concat(),
            Self::Inet(SocketAddr::V4(address)) => SockaddrIn {
                family: u16::try_from(AF_INET).unwrap_or(0),
                port: address.port().to_be_bytes(),
                addr: address.ip().octets(),
                zero: [0; 8],
            }
            .as_bytes()
            .to_vec(),
            Self::Inet(SocketAddr::V6(address)) => SockaddrIn6 {
                family: u16::try_from(AF_INET6).unwrap_or(0),
                port: address.port().to_be_bytes(),
                flowinfo: address.flowinfo().to_be_bytes(),
                addr: address.ip().octets(),
                scope_id: address.scope_id(),
            }
            .as_bytes()
            .to_vec(),
            Self::Netlink(pid, groups) => SockaddrNl {
                family: u16::try_from(AF_NETLINK).unwrap_or(0),
                pad: 0,
                pid: *pid,
                groups: *groups,
            }
            .as_bytes()
            .to_vec(),
        }
    }
}

/// An IPv4 address for one that is mapped into IPv6, every other one as it is.
pub(crate) fn unmapped(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// How a socket of `domain` shows an address: IPv4 ones are mapped for IPv6 sockets.
pub(crate) fn shown(domain: u32, address: SocketAddr) -> SocketAddr {
    match (domain, address) {
        (AF_INET6, SocketAddr::V4(v4)) => {
            SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into()
        }
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unix_names_are_read_as_linux_does() {
        let parse = |path: &[u8]| Address::parse(&[&[1, 0], path].concat(), AF_UNIX);
        assert_eq!(parse(b""), Ok(Address::Unnamed));
        assert_eq!(parse(b"/a\0/b"), Ok(Address::Path(b"/a".to_vec())));
        assert_eq!(parse(b"\0x\0y"), Ok(Address::Abstract(b"x\0y".to_vec())));
        assert_eq!(parse(&[b'a'; 108]), Ok(Address::Path(vec![b'a'; 108])));
        assert_eq!(parse(&[b'a'; 109]), Err(Errno::EINVAL));
        assert_eq!(Address::parse(&[2, 0], AF_UNIX), Err(Errno::EINVAL));
        assert_eq!(Address::parse(&[1], AF_UNIX), Err(Errno::EINVAL));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_address_or_refused(bytes in proptest::collection::vec(0..20_u8, 0..100), domain in 0..20_u32) {
            if let Ok(address) = Address::parse(&bytes, domain)
                && address != Address::Unspecified
            {
                prop_assert_eq!(Address::parse(&address.to_bytes(), domain), Ok(address));
            }
        }
    }
}
