//! netlink(7), as far as programs need it to list interfaces and addresses: the dumps of rtnetlink(7).

use std::net::IpAddr;

use rawposix_abi::Errno;
use rawposix_abi::structs::{Ifaddrmsg, Ifinfomsg, Nlmsghdr};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use zerocopy::{FromBytes, IntoBytes};

use super::{Interface, Local, interfaces};
use crate::config::Net;

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_MULTI: u16 = 2;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_REQUEST: u16 = 1;
const IFLA_ADDRESS: u16 = 1;
const IFLA_BROADCAST: u16 = 2;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// `RT_SCOPE_HOST`
const SCOPE_HOST: u8 = 254;
/// `IFA_F_PERMANENT`
const PERMANENT: u8 = 0x80;
/// Room for one answer of the host's.
const ANSWER: usize = 32 << 10;

/// A netlink message that is being written.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, request: &Nlmsghdr, port: u32) -> Self {
        let header = Nlmsghdr {
            len: 0,
            kind,
            flags: NLM_F_MULTI,
            seq: request.seq,
            pid: port,
        };
        Self(header.as_bytes().to_vec())
    }

    fn put(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn attribute(self, kind: u16, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len() + 4).unwrap_or(u16::MAX);
        self.put(&[&length.to_le_bytes()[..], &kind.to_le_bytes(), bytes].concat())
    }

    fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        for (to, from) in self.0.iter_mut().zip(length.to_le_bytes()) {
            *to = from;
        }
        self.0
    }
}

fn link(interface: &Interface, request: &Nlmsghdr, port: u32) -> Vec<u8> {
    let body = Ifinfomsg {
        kind: interface.hardware,
        index: interface.index.cast_signed(),
        flags: interface.flags,
        ..Ifinfomsg::default()
    };
    let name = [interface.name.as_bytes(), &[0]].concat();
    Message::new(RTM_NEWLINK, request, port)
        .put(body.as_bytes())
        .attribute(IFLA_IFNAME, &name)
        .attribute(IFLA_MTU, &interface.mtu.to_le_bytes())
        .attribute(IFLA_ADDRESS, &[0; 6])
        .attribute(IFLA_BROADCAST, &[0; 6])
        .finish()
}

fn address(
    interface: &Interface,
    (ip, bits): (IpAddr, u8),
    request: &Nlmsghdr,
    port: u32,
) -> Vec<u8> {
    let body = Ifaddrmsg {
        family: if ip.is_ipv4() { AF_INET } else { AF_INET6 },
        prefixlen: bits,
        flags: PERMANENT,
        scope: SCOPE_HOST,
        index: interface.index,
    };
    let message = Message::new(RTM_NEWADDR, request, port).put(body.as_bytes());
    match ip {
        IpAddr::V4(ip) => {
            let name = [interface.name.as_bytes(), &[0]].concat();
            message
                .attribute(IFA_ADDRESS, &ip.octets())
                .attribute(IFA_LOCAL, &ip.octets())
                .attribute(IFA_LABEL, &name)
                .finish()
        }
        IpAddr::V6(ip) => message.attribute(IFA_ADDRESS, &ip.octets()).finish(),
    }
}

fn done(request: &Nlmsghdr, port: u32) -> Vec<u8> {
    Message::new(NLMSG_DONE, request, port)
        .put(&[0; 4])
        .finish()
}

fn refusal(request: &Nlmsghdr, port: u32, errno: Errno) -> Vec<u8> {
    let mut message = Message::new(NLMSG_ERROR, request, port);
    let word = errno.to_word().to_le_bytes();
    message = message.put(&word).put(request.as_bytes());
    message.finish()
}

impl Local {
    /// Answers the requests in a message that a guest sends to the kernel: dumps only, since nothing of a network is a
    /// guest's to change.
    pub(crate) fn ask_route(&self, mut message: &[u8], port: u32) -> Result<(), Errno> {
        while let Ok((request, rest)) = Nlmsghdr::read_from_prefix(message) {
            let length = usize::try_from(request.len).unwrap_or(0);
            if length < size_of::<Nlmsghdr>() || length > message.len() {
                break;
            }
            let body = rest.get(..length - size_of::<Nlmsghdr>());
            let family = body.and_then(<[u8]>::first).copied().unwrap_or(0);
            let known = matches!(request.kind, RTM_GETLINK | RTM_GETADDR | RTM_GETROUTE);
            if !known || request.flags & NLM_F_DUMP == 0 {
                self.answer(&refusal(&request, port, Errno::EPERM))?;
            } else if self.network().net == Net::Host {
                self.ask_host(&request, family, port)?;
            } else {
                let mut all = Vec::new();
                for interface in interfaces() {
                    match request.kind {
                        RTM_GETLINK => all.extend(link(&interface, &request, port)),
                        RTM_GETADDR => {
                            for one in &interface.addresses {
                                let is_v4 = one.0.is_ipv4();
                                if family == 0 || (family == AF_INET) == is_v4 {
                                    all.extend(address(&interface, *one, &request, port));
                                }
                            }
                        }
                        _ => {}
                    }
                }
                if !all.is_empty() {
                    self.answer(&all)?;
                }
                self.answer(&done(&request, port))?;
            }
            message = message
                .get(length.next_multiple_of(4)..)
                .unwrap_or_default();
        }
        Ok(())
    }

    /// Asks the host, by a request that has nothing of the guest's but its kind and family.
    fn ask_host(&self, request: &Nlmsghdr, family: u8, port: u32) -> Result<(), Errno> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let own = Nlmsghdr {
            len: 0,
            kind: request.kind,
            flags: NLM_F_REQUEST | NLM_F_DUMP,
            seq: request.seq,
            pid: 0,
        };
        let mut body = [0; 16];
        if let Some(first) = body.first_mut() {
            *first = family;
        }
        let mut message = Message(own.as_bytes().to_vec());
        message = message.put(&body);
        rustix::net::send(&socket, &message.finish(), SendFlags::NOSIGNAL)?;
        let mut room = vec![0; ANSWER];
        loop {
            let (count, _) = rustix::net::recv(&socket, &mut room[..], RecvFlags::empty())?;
            let answer = room.get_mut(..count).unwrap_or_default();
            let ended = readdress(answer, port);
            self.answer(answer)?;
            if ended {
                return Ok(());
            }
        }
    }
}

/// Makes the messages of an answer the guest's; tells whether the last one is among them.
fn readdress(answer: &mut [u8], port: u32) -> bool {
    let mut at = 0;
    while let Some(rest) = answer.get_mut(at..)
        && let Some((bytes, _)) = rest.split_at_mut_checked(size_of::<Nlmsghdr>())
        && let Ok(mut header) = Nlmsghdr::read_from_bytes(bytes)
    {
        header.pid = port;
        bytes.copy_from_slice(header.as_bytes());
        let length = usize::try_from(header.len).unwrap_or(0);
        if matches!(header.kind, NLMSG_DONE | NLMSG_ERROR) || length < size_of::<Nlmsghdr>() {
            return true;
        }
        at += length.next_multiple_of(4);
    }
    false
}
