//! How the arguments of socket calls are shown.

use std::net::SocketAddr;

use rawposix_abi::flags::level::{SOL_IP, SOL_IPV6, SOL_SOCKET, SOL_TCP};
use rawposix_abi::flags::{
    GuestFlags, MsgFlags, SockFlags, family, ipopt, ipv6opt, kind, level, shutdown, sockopt, tcpopt,
};
use rawposix_abi::structs::{Iovec, Msghdr};
use rawposix_memory::GuestPtr;

use super::kinds::{Show, list};
use super::text::{address, buffer, quote};
use super::{Moment, Shown, errno_of};
use crate::net::Address;
use crate::syscall::args::{
    Family, InAddr, InMsg, InOption, OutAddr, OutMsg, OutOption, ShutdownHow, SocketKind,
    SocketLevel, SocketOption, Words,
};

fn named(name: Option<&'static str>, word: u32) -> String {
    name.map_or_else(|| format!("{word:#x}"), str::to_owned)
}

impl Show for Family {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        let word = words.take();
        Some(named(family::name(word), word))
    }
}

impl Show for SocketKind {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        let word = words.take();
        let mut text = named(kind::name(word & 0xf), word & 0xf);
        if word & !0xf != 0 {
            text.push('|');
            SockFlags::write(word & !0xf, &mut text);
        }
        Some(text)
    }
}

impl Show for SocketLevel {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        let word = words.take();
        Some(named(level::name(word), word))
    }
}

impl Show for SocketOption {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        let level = words.last();
        let word = words.take();
        let name = match level {
            SOL_SOCKET => sockopt::name(word),
            SOL_TCP => tcpopt::name(word),
            SOL_IP => ipopt::name(word),
            SOL_IPV6 => ipv6opt::name(word),
            _ => None,
        };
        Some(named(name, word))
    }
}

impl Show for ShutdownHow {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        let word = words.take();
        Some(named(shutdown::name(word), word))
    }
}

/// A socket's address of `length` bytes.
fn socket_address(shown: &Shown<'_>, addr: u32, length: u32) -> String {
    let mut bytes = vec![0; usize::try_from(length.min(128)).unwrap_or(0)];
    if addr == 0
        || length < 2
        || shown
            .memory
            .read_bytes(GuestPtr::new(addr), &mut bytes)
            .is_err()
    {
        return address(addr);
    }
    let domain = u32::from(u16::from_le_bytes([
        bytes.first().copied().unwrap_or(0),
        bytes.get(1).copied().unwrap_or(0),
    ]));
    let name = named(family::name(domain), domain);
    let rest = match Address::parse(&bytes, domain) {
        Ok(Address::Path(path)) => format!(", sun_path={}", quote(&path)),
        Ok(Address::Abstract(name)) => format!(", sun_path=@{}", quote(&name)),
        Ok(Address::Inet(SocketAddr::V4(to))) => format!(
            ", sin_port=htons({}), sin_addr=inet_addr(\"{}\")",
            to.port(),
            to.ip()
        ),
        Ok(Address::Inet(SocketAddr::V6(to))) => format!(
            ", sin6_port=htons({}), sin6_flowinfo=htonl({}), inet_pton(AF_INET6, \"{}\", &sin6_addr), sin6_scope_id={}",
            to.port(),
            to.flowinfo(),
            to.ip(),
            to.scope_id()
        ),
        Ok(Address::Netlink(pid, groups)) => format!(", nl_pid={pid}, nl_groups={groups:08x}"),
        Ok(Address::Unspecified | Address::Unnamed) => String::new(),
        Err(_) => String::from(", ..."),
    };
    format!("{{sa_family={name}{rest}}}")
}

impl Show for InAddr {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        Some(socket_address(shown, addr, words.peek(0)))
    }
}

/// What a call wrote, whose length is where the next word points.
fn written(
    words: &mut Words,
    shown: &Shown<'_>,
    text: fn(&Shown<'_>, u32, u32) -> String,
) -> Option<String> {
    let addr = words.take();
    match shown.moment {
        Moment::Before => None,
        Moment::After(word) if errno_of(word).is_some() => Some(address(addr)),
        Moment::After(_) => {
            let length = shown.memory.read(GuestPtr::<u32>::new(words.peek(0)));
            Some(text(shown, addr, length.unwrap_or(0)))
        }
    }
}

impl Show for OutAddr {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        written(words, shown, socket_address)
    }
}

/// An option's value of `length` bytes: an integer, or where it is.
fn option_value(shown: &Shown<'_>, addr: u32, length: u32) -> String {
    match shown.memory.read(GuestPtr::<i32>::new(addr)) {
        Ok(value) if addr != 0 && length == 4 => format!("[{value}]"),
        _ => address(addr),
    }
}

impl Show for InOption {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        Some(option_value(shown, addr, words.peek(0)))
    }
}

impl Show for OutOption {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        written(words, shown, option_value)
    }
}

/// A message of which `count` bytes are shown, all of them without it.
fn message(shown: &Shown<'_>, addr: u32, count: Option<u32>) -> String {
    let Ok(header) = shown.memory.read(GuestPtr::<Msghdr>::new(addr)) else {
        return address(addr);
    };
    let mut left = count.unwrap_or(u32::MAX);
    let mut vector = String::from("NULL");
    if header.iov != 0 {
        let left = std::cell::Cell::new(std::mem::take(&mut left));
        vector = list(shown, header.iov, header.iovlen, |iov: &Iovec| {
            let some = iov.len.min(left.get());
            left.set(left.get() - some);
            format!(
                "{{iov_base={}, iov_len={}}}",
                buffer(shown.memory, iov.base, some),
                iov.len
            )
        });
    }
    let mut flags = String::new();
    MsgFlags::write(header.flags, &mut flags);
    format!(
        "{{msg_name={}, msg_namelen={}, msg_iov={vector}, msg_iovlen={}, msg_controllen={}, msg_flags={}}}",
        socket_address(shown, header.name, header.namelen),
        header.namelen,
        header.iovlen,
        header.controllen,
        flags
    )
}

impl Show for InMsg {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        Some(message(shown, words.take(), None))
    }
}

impl Show for OutMsg {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        match shown.moment {
            Moment::Before => None,
            Moment::After(word) if errno_of(word).is_some() => Some(address(addr)),
            Moment::After(word) => Some(message(shown, addr, u32::try_from(word).ok())),
        }
    }
}
