//! ioctl(2) of sockets: what netdevice(7), socket(7) and unix(7) let be read.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;

use rawposix_abi::Errno;
use rawposix_abi::flags::ioctl::{
    SIOCATMARK, SIOCGIFADDR, SIOCGIFBRDADDR, SIOCGIFCONF, SIOCGIFDSTADDR, SIOCGIFFLAGS,
    SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFMTU, SIOCGIFNAME, SIOCGIFNETMASK, SIOCGIFTXQLEN, TIOCOUTQ,
};
use rawposix_abi::structs::{Ifconf, Ifreq};
use rawposix_memory::GuestPtr;
use rawposix_memory::socket::{at_mark, interface_addresses, interface_property, unsent};

use crate::config::Net;
use crate::fd::HostFile;
use crate::net::{Address, Interface, Socket, interfaces};
use crate::thread::Thread;

/// Packets that an interface's queue takes: what Linux gives a loopback.
const QUEUE_LENGTH: i32 = 1000;

pub(super) fn network_ioctl(
    thread: &Thread,
    host: &HostFile,
    socket: &Socket,
    command: u32,
    arg: u32,
) -> Result<i32, Errno> {
    let memory = thread.memory();
    match command {
        // `SIOCOUTQ`
        TIOCOUTQ => {
            let count = match socket.local() {
                Some(local) if !local.is_direct() => 0,
                _ => unsent(host.fd.as_fd())?,
            };
            memory.write(GuestPtr::new(arg), &count)?;
        }
        SIOCATMARK if socket.is_stream() => {
            memory.write(GuestPtr::new(arg), &at_mark(host.fd.as_fd())?)?;
        }
        SIOCGIFCONF => list(thread, host, arg)?,
        SIOCGIFNAME | SIOCGIFFLAGS | SIOCGIFADDR | SIOCGIFDSTADDR | SIOCGIFBRDADDR
        | SIOCGIFNETMASK | SIOCGIFMTU | SIOCGIFHWADDR | SIOCGIFINDEX | SIOCGIFTXQLEN => {
            let mut request: Ifreq = memory.read(GuestPtr::new(arg))?;
            if let Some(last) = request.name.last_mut() {
                *last = 0;
            }
            if thread.world.network.net == Net::Host {
                let fd = host.fd.as_fd();
                let (name, value) = interface_property(fd, command, request.name, request.value)?;
                request = Ifreq { name, value };
            } else {
                property(socket, command, &mut request)?;
            }
            memory.write(GuestPtr::new(arg), &request)?;
        }
        _ => return Err(Errno::ENOTTY),
    }
    Ok(0)
}

/// The first sixteen bytes of something, zeros after it.
fn value(bytes: &[u8]) -> [u8; 16] {
    let mut value = [0; 16];
    for (to, from) in value.iter_mut().zip(bytes) {
        *to = *from;
    }
    value
}

fn address(ip: Ipv4Addr) -> [u8; 16] {
    value(&Address::Inet(SocketAddrV4::new(ip, 0).into()).to_bytes())
}

fn v4_of(interface: &Interface) -> Option<(Ipv4Addr, u8)> {
    interface.addresses.iter().find_map(|one| match one {
        (IpAddr::V4(ip), bits) => Some((*ip, *bits)),
        (IpAddr::V6(_), _) => None,
    })
}

/// A property of one of the sandbox's own interfaces.
fn property(socket: &Socket, command: u32, request: &mut Ifreq) -> Result<(), Errno> {
    let all = interfaces();
    let found = if command == SIOCGIFNAME {
        let index = request.value.first_chunk().copied().unwrap_or_default();
        let index = u32::from_le_bytes(index);
        all.into_iter().find(|interface| interface.index == index)
    } else {
        let end = request.name.iter().position(|byte| *byte == 0);
        let name = request.name.get(..end.unwrap_or(16)).unwrap_or_default();
        all.into_iter()
            .find(|interface| interface.name.as_bytes() == name)
    };
    let interface = found.ok_or(Errno::ENODEV)?;
    let of_inet = matches!(
        command,
        SIOCGIFADDR | SIOCGIFDSTADDR | SIOCGIFBRDADDR | SIOCGIFNETMASK
    );
    if of_inet && !socket.is_inet() {
        return Err(Errno::ENOTTY);
    }
    let v4 = v4_of(&interface);
    request.value = match command {
        SIOCGIFNAME => {
            request.name = value(interface.name.as_bytes());
            return Ok(());
        }
        SIOCGIFINDEX => value(&interface.index.to_le_bytes()),
        SIOCGIFMTU => value(&interface.mtu.to_le_bytes()),
        SIOCGIFTXQLEN => value(&QUEUE_LENGTH.to_le_bytes()),
        SIOCGIFHWADDR => value(&interface.hardware.to_le_bytes()),
        SIOCGIFFLAGS => value(interface.flags.to_le_bytes().get(..2).unwrap_or_default()),
        SIOCGIFBRDADDR => address(Ipv4Addr::UNSPECIFIED),
        SIOCGIFNETMASK => {
            let (_, bits) = v4.ok_or(Errno::EADDRNOTAVAIL)?;
            let rest = u32::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
            address(Ipv4Addr::from(!rest))
        }
        _ => address(v4.ok_or(Errno::EADDRNOTAVAIL)?.0),
    };
    Ok(())
}

/// The interfaces that have addresses of IPv4.
fn list(thread: &Thread, host: &HostFile, arg: u32) -> Result<(), Errno> {
    let memory = thread.memory();
    let mut wanted: Ifconf = memory.read(GuestPtr::new(arg))?;
    let all: Vec<Ifreq> = if thread.world.network.net == Net::Host {
        let all = interface_addresses(host.fd.as_fd())?;
        all.into_iter()
            .map(|(name, value)| Ifreq { name, value })
            .collect()
    } else {
        let one = |interface: Interface| {
            let (ip, _) = v4_of(&interface)?;
            Some(Ifreq {
                name: value(interface.name.as_bytes()),
                value: address(ip),
            })
        };
        interfaces().into_iter().filter_map(one).collect()
    };
    let size = size_of::<Ifreq>();
    let mut count = all.len();
    if wanted.buf != 0 {
        count = count.min(usize::try_from(wanted.len).unwrap_or(0) / size);
        let shown = all.get(..count).unwrap_or_default();
        memory.write_slice(GuestPtr::new(wanted.buf), shown)?;
    }
    wanted.len = i32::try_from(count * size).unwrap_or(0);
    memory.write(GuestPtr::new(arg), &wanted)
}
