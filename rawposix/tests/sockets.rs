//! What sockets of a sandbox reach, and who reaches them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use common::{Answer, Guest, mount};
use rawposix::{Access, Config, Errno, Net};
use rawposix_memory::GuestPtr;

const UNIX: u32 = 1;
const INET: u32 = 2;
const NETLINK: u32 = 16;
const STREAM: u32 = 1;
const DGRAM: u32 = 2;
const RAW: u32 = 3;
const NONBLOCK: u32 = 0o4000;

fn guest() -> Guest {
    Guest::new(Config::default())
}

fn on_host() -> Guest {
    Guest::new(Config {
        net: Net::Host,
        ..Config::default()
    })
}

fn socket(guest: &mut Guest, domain: u32, kind: u32) -> u32 {
    guest.call("socket", &[domain, kind, 0]).unwrap()
}

/// Makes a call that takes a descriptor and an address.
fn with(guest: &mut Guest, name: &str, fd: u32, address: &[u8]) -> Answer {
    let room = guest.bytes(address);
    guest.call(name, &[fd, room, u32::try_from(address.len()).unwrap()])
}

fn inet(ip: [u8; 4], port: u16) -> Vec<u8> {
    [&[2, 0][..], &port.to_be_bytes(), &ip, &[0; 8]].concat()
}

fn unix(path: &[u8]) -> Vec<u8> {
    [&[1, 0][..], path].concat()
}

fn port_of(guest: &mut Guest, fd: u32) -> u16 {
    let room = guest.room(32);
    let length = guest.bytes(&16_u32.to_le_bytes());
    guest.call("getsockname", &[fd, room, length]).unwrap();
    let bytes = guest.load(room, 4);
    u16::from_be_bytes([bytes[2], bytes[3]])
}

/// A stream that listens at a free port.
fn listener(guest: &mut Guest) -> (u32, u16) {
    let fd = socket(guest, INET, STREAM);
    with(guest, "bind", fd, &inet([127, 0, 0, 1], 0)).unwrap();
    guest.call("listen", &[fd, 5]).unwrap();
    let port = port_of(guest, fd);
    (fd, port)
}

#[test]
fn abstract_names_are_the_sandboxs_own() {
    let (mut one, mut other) = (guest(), guest());
    let name = unix(b"\0the same name");
    let (here, there) = (
        socket(&mut one, UNIX, STREAM),
        socket(&mut other, UNIX, STREAM),
    );
    with(&mut one, "bind", here, &name).unwrap();
    one.call("listen", &[here, 5]).unwrap();
    assert_eq!(
        with(&mut other, "connect", there, &name),
        Err(Errno::ECONNREFUSED)
    );
    with(&mut other, "bind", there, &name).unwrap();
    let fd = socket(&mut one, UNIX, STREAM);
    with(&mut one, "connect", fd, &name).unwrap();
    // Nor does the host know it.
    let names = std::fs::read_to_string("/proc/net/unix").unwrap();
    assert!(!names.contains("the same name"));
}

#[test]
fn ports_are_the_sandboxs_own() {
    let (mut one, mut other) = (guest(), guest());
    let (_, port) = listener(&mut one);
    let fd = socket(&mut other, INET, STREAM);
    let address = inet([127, 0, 0, 1], port);
    assert_eq!(
        with(&mut other, "connect", fd, &address),
        Err(Errno::ECONNREFUSED)
    );
    with(&mut other, "bind", fd, &address).unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    let fd = socket(&mut one, INET, STREAM);
    with(&mut one, "connect", fd, &address).unwrap();
}

#[test]
fn without_a_network_nothing_of_the_hosts_is_reached() {
    let mut guest = guest();
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = inet([127, 0, 0, 1], listening.local_addr().unwrap().port());
    let fd = socket(&mut guest, INET, STREAM);
    assert_eq!(
        with(&mut guest, "connect", fd, &address),
        Err(Errno::ECONNREFUSED)
    );
    for ip in [[192, 0, 2, 1], [10, 0, 0, 1], [8, 8, 8, 8], [224, 0, 0, 1]] {
        let address = inet(ip, 53);
        assert_eq!(
            with(&mut guest, "connect", fd, &address),
            Err(Errno::ENETUNREACH)
        );
        let udp = socket(&mut guest, INET, DGRAM);
        assert_eq!(
            with(&mut guest, "connect", udp, &address),
            Err(Errno::ENETUNREACH)
        );
        let room = guest.bytes(&address);
        let sent = guest.call("sendto", &[udp, room, 1, 0, room, 16]);
        assert_eq!(sent, Err(Errno::ENETUNREACH));
        assert_eq!(
            with(&mut guest, "bind", udp, &address),
            Err(Errno::EADDRNOTAVAIL)
        );
    }
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_nonblocking(true).unwrap();
    let udp = socket(&mut guest, INET, DGRAM);
    let room = guest.bytes(&inet([127, 0, 0, 1], receiver.local_addr().unwrap().port()));
    assert_eq!(guest.call("sendto", &[udp, room, 1, 0, room, 16]), Ok(1));
    assert!(receiver.recv(&mut [0; 8]).is_err());
    for (kind, protocol) in [(RAW, 1), (RAW, 6), (RAW, 255)] {
        assert_eq!(
            guest.call("socket", &[INET, kind, protocol]),
            Err(Errno::EPERM)
        );
    }
    assert_eq!(guest.call("socket", &[17, RAW, 0]), Err(Errno::EPERM));
}

#[test]
fn with_a_network_sockets_of_the_host_in_a_grant_are_reached() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let listening = UnixListener::bind(&path).unwrap();
    let mut guest = Guest::new(Config {
        net: Net::Host,
        mounts: vec![mount(dir.path(), "/data", Access::ReadWrite)],
        ..Config::default()
    });
    let fd = socket(&mut guest, UNIX, STREAM | NONBLOCK);
    let address = unix(b"/data/socket\0");
    with(&mut guest, "connect", fd, &address).unwrap();
    assert_eq!(
        with(&mut guest, "connect", fd, &address),
        Err(Errno::EISCONN)
    );
    let (mut host, _) = listening.accept().unwrap();
    let room = guest.bytes(b"to the host");
    assert_eq!(guest.call("read", &[fd, room, 1]), Err(Errno::EAGAIN));
    assert_eq!(guest.call("write", &[fd, room, 11]), Ok(11));
    let mut bytes = [0; 11];
    host.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"to the host");
    host.write_all(b"answer").unwrap();
    assert_eq!(guest.call("recvfrom", &[fd, room, 11, 0, 0, 0]), Ok(6));
    assert_eq!(guest.load(room, 6), b"answer");
    // No descriptor of the guest's leaves the sandbox.
    let rights: Vec<u8> = [16, 1, 1, fd]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let rights = guest.bytes(&rights);
    let vector: Vec<u8> = [room, 1].into_iter().flat_map(u32::to_le_bytes).collect();
    let vector = guest.bytes(&vector);
    let header: Vec<u8> = [0, 0, vector, 1, rights, 16, 0]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let header = guest.bytes(&header);
    assert_eq!(guest.call("sendmsg", &[fd, header, 0]), Err(Errno::EPERM));
    drop(host);
    assert_eq!(guest.call("read", &[fd, room, 1]), Ok(0));
    // A file that nobody listens at, one of another type, and the sandbox's own.
    drop(listening);
    let fd = socket(&mut guest, UNIX, STREAM);
    assert_eq!(
        with(&mut guest, "connect", fd, &address),
        Err(Errno::ECONNREFUSED)
    );
    let datagrams = UnixDatagram::bind(dir.path().join("datagrams")).unwrap();
    assert_eq!(
        with(&mut guest, "connect", fd, &unix(b"/data/datagrams\0")),
        Err(Errno::EPROTOTYPE)
    );
    drop(datagrams);
    let own = socket(&mut guest, UNIX, STREAM);
    with(&mut guest, "bind", own, &unix(b"/data/own\0")).unwrap();
    guest.call("listen", &[own, 1]).unwrap();
    with(&mut guest, "connect", fd, &unix(b"/data/own\0")).unwrap();
    assert!(UnixStream::connect(dir.path().join("own")).is_err());
}

#[test]
fn sockets_of_the_host_in_a_grant_are_files_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let listening = UnixListener::bind(&path).unwrap();
    listening.set_nonblocking(true).unwrap();
    let mut guest = Guest::with_mount(dir.path(), "/data");
    let fd = socket(&mut guest, UNIX, STREAM);
    let address = unix(b"/data/socket\0");
    assert_eq!(
        with(&mut guest, "connect", fd, &address),
        Err(Errno::ECONNREFUSED)
    );
    assert!(listening.accept().is_err());
    // And the guest's are such for the host.
    with(&mut guest, "bind", fd, &unix(b"/data/guests\0")).unwrap();
    guest.call("listen", &[fd, 1]).unwrap();
    assert!(dir.path().join("guests").exists());
    assert!(UnixStream::connect(dir.path().join("guests")).is_err());
}

#[test]
fn a_read_only_grant_takes_no_sockets() {
    let dir = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(Config {
        mounts: vec![mount(dir.path(), "/data", Access::ReadOnly)],
        ..Config::default()
    });
    let fd = socket(&mut guest, UNIX, STREAM);
    assert_eq!(
        with(&mut guest, "bind", fd, &unix(b"/data/socket\0")),
        Err(Errno::EROFS)
    );
    assert_eq!(
        with(&mut guest, "bind", fd, &unix(b"/dev/socket\0")),
        Err(Errno::EROFS)
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn with_the_hosts_network_both_reach_each_other() {
    let mut guest = on_host();
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = inet([127, 0, 0, 1], listening.local_addr().unwrap().port());
    let fd = socket(&mut guest, INET, STREAM);
    with(&mut guest, "connect", fd, &address).unwrap();
    let (mut accepted, peer) = listening.accept().unwrap();
    assert_eq!(peer.port(), port_of(&mut guest, fd));
    accepted.write_all(b"hello").unwrap();
    let room = guest.room(16);
    assert_eq!(guest.call("recvfrom", &[fd, room, 16, 0, 0, 0]), Ok(5));
    assert_eq!(guest.load(room, 5), b"hello");
    assert_eq!(guest.call("sendto", &[fd, room, 5, 0, 0, 0]), Ok(5));
    let mut back = [0; 5];
    accepted.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"hello");

    let (server, port) = listener(&mut guest);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = guest.bytes(&16_u32.to_le_bytes());
    let fd = guest.call("accept4", &[server, room, length, 0]).unwrap();
    assert_eq!(guest.load(room, 16)[..2], [2, 0]);
    stream.write_all(b"x").unwrap();
    assert_eq!(guest.call("read", &[fd, room, 16]), Ok(1));

    let udp = socket(&mut guest, INET, DGRAM);
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = guest.bytes(&inet([127, 0, 0, 1], receiver.local_addr().unwrap().port()));
    assert_eq!(guest.call("sendto", &[udp, room, 1, 0, to, 16]), Ok(1));
    let (count, from) = receiver.recv_from(&mut [0; 8]).unwrap();
    assert_eq!((count, from.port()), (1, port_of(&mut guest, udp)));
    receiver.send_to(b"answer", from).unwrap();
    let length = guest.bytes(&16_u32.to_le_bytes());
    let name = guest.room(16);
    assert_eq!(
        guest.call("recvfrom", &[udp, room, 16, 0, name, length]),
        Ok(6)
    );
    assert_eq!(guest.load(name, 16), guest.load(to, 16));
}

#[test]
fn routes_are_listed_and_not_changed() {
    for mut guest in [guest(), on_host()] {
        let fd = socket(&mut guest, NETLINK, RAW | NONBLOCK);
        let ask = |guest: &mut Guest, kind: u16, flags: u16| {
            let header = [
                &20_u32.to_le_bytes()[..],
                &kind.to_le_bytes(),
                &flags.to_le_bytes(),
                &7_u32.to_le_bytes(),
                &[0; 8],
            ]
            .concat();
            let bytes = guest.bytes(&header);
            guest.call("sendto", &[fd, bytes, 20, 0, 0, 0]).unwrap();
            let room = guest.room(32 << 10);
            let count = guest
                .call("recvfrom", &[fd, room, 32 << 10, 0, 0, 0])
                .unwrap();
            guest.load(room, count)
        };
        // RTM_GETLINK
        let links = ask(&mut guest, 18, 0x301);
        assert_eq!(links[4..6], 16_u16.to_le_bytes());
        assert_eq!(links[8..12], 7_u32.to_le_bytes());
        let room = guest.room(32 << 10);
        while guest
            .call("recvfrom", &[fd, room, 32 << 10, 0, 0, 0])
            .is_ok()
        {}
        // RTM_DELLINK, RTM_NEWADDR: refused.
        for kind in [17, 20, 18] {
            let answer = ask(&mut guest, kind, 1);
            assert_eq!(answer[4..6], 2_u16.to_le_bytes());
            assert_eq!(answer[16..20], (-1_i32).to_le_bytes());
        }
    }
}

#[test]
fn hostile_messages_are_refused() {
    let mut guest = guest();
    let pair = guest.room(8);
    guest
        .call("socketpair", &[UNIX, STREAM | NONBLOCK, 0, pair])
        .unwrap();
    let [first, second]: [u32; 2] = guest.thread.memory().read(GuestPtr::new(pair)).unwrap();
    let words = |guest: &mut Guest, words: [u32; 7]| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        guest.bytes(&bytes)
    };
    let byte = guest.bytes(b"x");
    let iov = guest.bytes(&[byte.to_le_bytes(), 1_u32.to_le_bytes()].concat());
    // Lengths of ancillary data that lie.
    for length in [0_u32, 11, 13, 100, u32::MAX] {
        let control = guest.bytes(&[&length.to_le_bytes()[..], &[1, 0, 0, 0, 1, 0, 0, 0]].concat());
        let header = words(&mut guest, [0, 0, iov, 1, control, 12, 0]);
        assert_eq!(
            guest.call("sendmsg", &[first, header, 0]),
            Err(Errno::EINVAL),
            "{length}"
        );
    }
    let header = words(&mut guest, [0, 0, iov, 1, 16, 12, 0]);
    assert_eq!(
        guest.call("sendmsg", &[first, header, 0]),
        Err(Errno::EFAULT)
    );
    let header = words(&mut guest, [0, 0, iov, 1, 16, u32::MAX, 0]);
    assert_eq!(
        guest.call("sendmsg", &[first, header, 0]),
        Err(Errno::ENOBUFS)
    );
    let header = words(&mut guest, [0, 0, iov, u32::MAX, 0, 0, 0]);
    assert_eq!(
        guest.call("sendmsg", &[first, header, 0]),
        Err(Errno::EMSGSIZE)
    );
    assert_eq!(
        guest.call("sendmsg", &[first, u32::MAX - 3, 0]),
        Err(Errno::EFAULT)
    );
    assert_eq!(guest.call("recvmsg", &[second, 16, 0]), Err(Errno::EFAULT));
    let header = words(&mut guest, [0, 0, iov, 1, 0, 0, 0]);
    assert_eq!(
        guest.call("sendmmsg", &[first, u32::MAX - 31, 9, 0]),
        Err(Errno::EFAULT)
    );
    assert_eq!(guest.call("sendmsg", &[first, header, 0]), Ok(1));
    // Another process's credentials.
    let claim = [
        &24_u32.to_le_bytes()[..],
        &1_u32.to_le_bytes(),
        &2_u32.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &0_u32.to_le_bytes(),
        &0_u32.to_le_bytes(),
    ]
    .concat();
    let control = guest.bytes(&claim);
    let header = words(&mut guest, [0, 0, iov, 1, control, 24, 0]);
    assert_eq!(
        guest.call("sendmsg", &[first, header, 0]),
        Err(Errno::EPERM)
    );
}

/// Descriptors that are sent and never received do not pile up without a limit.
#[test]
fn descriptors_in_flight_are_limited() {
    let mut guest = guest();
    let pair = guest.room(8);
    guest
        .call("socketpair", &[UNIX, STREAM | NONBLOCK, 0, pair])
        .unwrap();
    let [first, _]: [u32; 2] = guest.thread.memory().read(GuestPtr::new(pair)).unwrap();
    let byte = guest.bytes(b"x");
    let iov = guest.bytes(&[byte.to_le_bytes(), 1_u32.to_le_bytes()].concat());
    let rights: Vec<u8> = [12 + 4 * 250, 1, 1]
        .into_iter()
        .chain([first; 250])
        .flat_map(u32::to_le_bytes)
        .collect();
    let control = guest.bytes(&rights);
    let header: Vec<u8> = [0, 0, iov, 1, control, 12 + 4 * 250, 0]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let header = guest.bytes(&header);
    let mut count = 0;
    let errno = loop {
        match guest.call("sendmsg", &[first, header, 0]) {
            Ok(_) => count += 1,
            Err(errno) => break errno,
        }
    };
    assert_eq!(errno, Errno::ETOOMANYREFS);
    assert!(count < 100);
}

#[test]
fn proc_lists_the_sandboxs_sockets() {
    let mut guest = guest();
    let fd = socket(&mut guest, UNIX, STREAM);
    with(&mut guest, "bind", fd, &unix(b"\0of this test")).unwrap();
    let inode = guest.stat(&format!("/proc/self/fd/{fd}")).unwrap().ino;
    let listed = String::from_utf8(guest.read_file("/proc/net/unix").unwrap()).unwrap();
    let line = listed
        .lines()
        .find(|line| line.ends_with(" @of this test"))
        .unwrap();
    assert!(line.contains(&format!(" 0001 01 {inode:5} ")), "{line}");
    let (_, port) = listener(&mut guest);
    let udp = socket(&mut guest, INET, DGRAM);
    with(&mut guest, "bind", udp, &inet([0; 4], 5353)).unwrap();
    let tcp = String::from_utf8(guest.read_file("/proc/net/tcp").unwrap()).unwrap();
    assert_eq!(tcp.lines().count(), 2);
    let listening = format!("   0: 0100007F:{port:04X} 00000000:0000 0A ");
    assert!(tcp.contains(&listening), "{tcp}");
    let udp = String::from_utf8(guest.read_file("/proc/net/udp").unwrap()).unwrap();
    assert!(
        udp.contains("    0: 00000000:14E9 00000000:0000 07 "),
        "{udp}"
    );
}

#[test]
fn errors_of_the_hosts_network_are_queued() {
    const DONTWAIT: u32 = 0x40;
    const ERROR_QUEUE: u32 = 0x2000;
    const IP_RECVERR: u32 = 11;
    let mut guest = on_host();
    let fd = socket(&mut guest, INET, DGRAM);
    let one = guest.bytes(&1_u32.to_le_bytes());
    guest
        .call("setsockopt", &[fd, 0, IP_RECVERR, one, 4])
        .unwrap();
    // Nobody has this port any more.
    let port = {
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
        closed.local_addr().unwrap().port()
    };
    let room = guest.bytes(b"ping");
    let control = guest.room(64);
    let name = guest.room(16);
    let words = |words: &[u32]| {
        words
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let vector = guest.bytes(&words(&[room, 4]));
    let header = guest.bytes(&words(&[name, 16, vector, 1, control, 64, 0]));
    let receive = |guest: &mut Guest| guest.call("recvmsg", &[fd, header, ERROR_QUEUE]);
    assert_eq!(receive(&mut guest), Err(Errno::EAGAIN));
    with(&mut guest, "connect", fd, &inet([127, 0, 0, 1], port)).unwrap();
    assert_eq!(guest.call("write", &[fd, room, 4]), Ok(4));
    guest
        .thread
        .memory()
        .write_bytes(GuestPtr::new(room), b"none")
        .unwrap();
    assert_eq!(receive(&mut guest), Ok(4));
    assert_eq!(guest.load(room, 4), b"ping");
    assert_eq!(guest.load(name, 8), inet([127, 0, 0, 1], port)[..8]);
    // A header, struct sock_extended_err, and the address of who refused.
    let header = guest.load(header, 28);
    assert_eq!(header[20..24], 44_u32.to_le_bytes());
    assert_eq!(header[24..28], ERROR_QUEUE.to_le_bytes());
    let told = guest.load(control, 44);
    assert_eq!(told[..12], words(&[44, 0, IP_RECVERR]));
    assert_eq!(told[12..20], [111, 0, 0, 0, 2, 3, 3, 0]);
    assert_eq!(told[28..36], inet([127, 0, 0, 1], 0)[..8]);
    // The error itself went with its entry.
    assert_eq!(
        guest.call("recvfrom", &[fd, room, 4, DONTWAIT, 0, 0]),
        Err(Errno::EAGAIN)
    );
}
