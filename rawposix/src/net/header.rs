//! What datagrams of the sandbox's own network say beside their addresses: where they went, how far they may go, and their
//! class. See ip(7), ipv6(7), RFC 3542.

use std::net::IpAddr;

use rawposix_abi::Errno;
use rawposix_abi::flags::family::AF_INET6;
use rawposix_abi::flags::level::{SOL_IP, SOL_IPV6};
use rawposix_abi::flags::{ipopt, ipv6opt};
use rawposix_memory::socket::ControlMessage;

use super::options::Stored;

/// Bytes of `struct in_pktinfo` and of `struct in6_pktinfo`.
const PKTINFO: usize = 12;
const PKTINFO_V6: usize = 20;
/// The number of the loopback interface.
const LOOPBACK: i32 = 1;
/// `net.ipv4.ip_default_ttl` and `net.ipv6.conf.default.hop_limit`.
const FAR: u8 = 64;

/// The header of a datagram on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Its destination: an IPv4 one as such.
    to: IpAddr,
    hops: u8,
    class: u8,
}

/// What a sender says of one datagram, in ancillary data. Which level counts depends on where it goes; the other is not
/// looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    ip: Wish,
    ipv6: Wish,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    hops: Option<u8>,
    class: Option<u8>,
    /// Something was out of range or not known.
    is_wrong: bool,
}

impl Wishes {
    /// Reads an ancillary message.
    pub(crate) fn read(&mut self, level: u32, kind: u32, data: &[u8]) {
        let (wish, read) = match level {
            SOL_IP => (&mut self.ip, Wish::read_ip(kind, data)),
            SOL_IPV6 => (&mut self.ipv6, Wish::read_ipv6(kind, data)),
            _ => return,
        };
        match read {
            Ok(read) => {
                wish.hops = read.hops.or(wish.hops);
                wish.class = read.class.or(wish.class);
            }
            Err(_) => wish.is_wrong = true,
        }
    }
}

impl Wish {
    fn read_ip(kind: u32, data: &[u8]) -> Result<Self, Errno> {
        let byte = |value: i32| u8::try_from(value).map_err(|_| Errno::EINVAL);
        let mut wish = Self::default();
        match kind {
            ipopt::IP_TTL => match byte(int(data)?)? {
                0 => return Err(Errno::EINVAL),
                hops => wish.hops = Some(hops),
            },
            ipopt::IP_TOS => {
                wish.class = Some(match data {
                    [class] => *class,
                    _ => byte(int(data)?)?,
                });
            }
            ipopt::IP_PKTINFO if data.len() == PKTINFO => {}
            _ => return Err(Errno::EINVAL),
        }
        Ok(wish)
    }

    fn read_ipv6(kind: u32, data: &[u8]) -> Result<Self, Errno> {
        let mut wish = Self::default();
        match kind {
            ipv6opt::IPV6_PKTINFO if data.len() >= PKTINFO_V6 => {}
            ipv6opt::IPV6_HOPLIMIT => wish.hops = unless_default(int(data)?)?,
            ipv6opt::IPV6_TCLASS => wish.class = unless_default(int(data)?)?,
            _ => return Err(Errno::EINVAL),
        }
        Ok(wish)
    }
}

fn int(data: &[u8]) -> Result<i32, Errno> {
    let bytes = data.try_into().map_err(|_| Errno::EINVAL)?;
    Ok(i32::from_ne_bytes(bytes))
}

/// A byte; nothing where -1 asks for what the socket has.
fn unless_default(value: i32) -> Result<Option<u8>, Errno> {
    match value {
        -1 => Ok(None),
        value => u8::try_from(value).map(Some).map_err(|_| Errno::EINVAL),
    }
}

impl Header {
    /// The same with the destination that the way has led to.
    pub(super) fn sent_to(self, to: IpAddr) -> Self {
        Self { to, ..self }
    }
}

impl Stored {
    fn byte(&self, level: u32, option: u32) -> Option<u8> {
        let value = self.get(level, option)?;
        // A number that the kernel would not have taken, or -1, is none.
        match &*value {
            [byte] | [byte, 0, 0, 0] => Some(*byte),
            _ => None,
        }
    }

    /// The header of a datagram that is sent from here. `EINVAL` for wishes that cannot be.
    pub(super) fn header(&self, to: IpAddr, wishes: Wishes) -> Result<Header, Errno> {
        let (wish, hops, class) = if to.is_ipv4() {
            let hops = self.byte(SOL_IP, ipopt::IP_TTL);
            (wishes.ip, hops, self.byte(SOL_IP, ipopt::IP_TOS))
        } else {
            let hops = self.byte(SOL_IPV6, ipv6opt::IPV6_UNICAST_HOPS);
            (wishes.ipv6, hops, self.byte(SOL_IPV6, ipv6opt::IPV6_TCLASS))
        };
        if wish.is_wrong {
            return Err(Errno::EINVAL);
        }
        Ok(Header {
            to,
            hops: wish.hops.or(hops).unwrap_or(FAR),
            class: wish.class.or(class).unwrap_or(0),
        })
    }

    /// What the receiver has asked to be told of a header.
    pub(super) fn told_of(&self, domain: u32, header: &Header) -> Vec<ControlMessage> {
        let mut told = Vec::new();
        let mut tell = |level: u32, asked: u32, kind: u32, data: Vec<u8>| {
            if self.is_on(level, asked) {
                told.push(ControlMessage {
                    level: level.cast_signed(),
                    kind: kind.cast_signed(),
                    data,
                });
            }
        };
        let int = |byte: u8| i32::from(byte).to_ne_bytes().to_vec();
        if domain == AF_INET6 {
            let to = match header.to {
                IpAddr::V4(to) => to.to_ipv6_mapped(),
                IpAddr::V6(to) => to,
            };
            let data = [&to.octets()[..], &LOOPBACK.to_ne_bytes()].concat();
            tell(
                SOL_IPV6,
                ipv6opt::IPV6_RECVPKTINFO,
                ipv6opt::IPV6_PKTINFO,
                data,
            );
        }
        match header.to {
            IpAddr::V4(to) => {
                let to = to.octets();
                let data = [LOOPBACK.to_ne_bytes(), to, to].concat();
                tell(SOL_IP, ipopt::IP_PKTINFO, ipopt::IP_PKTINFO, data);
                tell(SOL_IP, ipopt::IP_RECVTTL, ipopt::IP_TTL, int(header.hops));
                tell(SOL_IP, ipopt::IP_RECVTOS, ipopt::IP_TOS, vec![header.class]);
            }
            IpAddr::V6(_) => {
                let (hops, class) = (int(header.hops), int(header.class));
                tell(
                    SOL_IPV6,
                    ipv6opt::IPV6_RECVHOPLIMIT,
                    ipv6opt::IPV6_HOPLIMIT,
                    hops,
                );
                tell(
                    SOL_IPV6,
                    ipv6opt::IPV6_RECVTCLASS,
                    ipv6opt::IPV6_TCLASS,
                    class,
                );
            }
        }
        told
    }
}
