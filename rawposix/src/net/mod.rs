//! Sockets.
//!
//! # What there is, and why
//!
//! | sockets | under `--net=none` | under `--net=host` |
//! |---|---|---|
//! | unix | of the sandbox | of the sandbox; the host's at granted paths |
//! | IPv4, IPv6: stream, dgram | a loopback of the sandbox's own | the host's |
//! | netlink, for the list of interfaces | the loopback interface | the host's interfaces |
//!
//! Sockets *of the sandbox* have no name on the host. Such a socket is one end of a pair that the host connects at its
//! birth (`local`). A stream's other end waits in the sandbox until connect(2) hands it to the listener, where accept(2)
//! makes it a socket of its own; from then on both processes hold an ordinary connected pair, and end of file, shutdown,
//! readiness, urgent data and speed are the host's. A datagram socket's other end stays in the sandbox as the inlet
//! through which others send (`datagram`). Names, abstract names and ports are tables of the sandbox (`names`, `ports`);
//! a socket at a path is found by the inode that bind(2) made. So
//!
//! - nothing of the host's can reach a guest's socket, nor the guest the host's: no name has to be kept secret, no
//!   connection to be checked, and under `--net=none` lind never makes a socket that is not a pair of unix sockets,
//!   which the host's filter of system calls can promise;
//! - no privilege is needed. A network namespace, the other way to a loopback of one's own, needs a user namespace
//!   made before the first thread, which many hosts and most containers refuse; and a second way would be needed there.
//!   Ports of the host's loopback under other numbers need no privilege, but are open to every user of the host;
//! - addresses other than loopback ones are `ENETUNREACH`, as on a machine whose only interface is the loopback.
//!
//! What differs from a real loopback: a datagram that finds the receiver's buffer full is dropped as there, but the
//! buffer is counted at the inlet; a connection's options of tcp(7) are kept, but do nothing; a connection that is reset
//! is told to who reads and writes (`reset`), but is no `EPOLLERR`; packet options of ip(7) are not attached to datagrams.
//!
//! Sockets of the host at a path in a granted directory answer `ECONNREFUSED`: a directory is not granted for whom one
//! can talk to in it. Under `--net=host`, which grants to talk to others, streams can be connected to them (`foreign`),
//! as in a container that a socket is mounted into; sockets of datagrams, and abstract names, stay the sandbox's.
//!
//! # What goes along with messages
//!
//! Descriptors and credentials never pass the host: an open file description of the sandbox is more than the host's,
//! and the host knows one process only. A datagram carries a number that finds them in the receiver's table. In a
//! stream, whose bytes nobody but the host looks at, their place is marked by a descriptor of a pipe that goes along by
//! `SCM_RIGHTS` (`flight`); the pipe's other end tells when nobody can receive it any more.
//!
//! # Locks
//!
//! The tables of names and ports, then the state of a socket; a socket's inbox, its options and the messages in flight
//! are leaves. Nothing is dropped under them that may be a socket.

mod address;
mod datagram;
mod flight;
mod foreign;
mod header;
mod interfaces;
mod listing;
mod local;
mod names;
mod options;
mod ports;
mod reset;
mod route;
mod socket;
mod stream;
mod timestamp;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

pub(crate) use address::Address;
pub(crate) use datagram::Datagram;
pub(crate) use flight::Parcel;
pub(crate) use header::Wishes;
pub(crate) use interfaces::{Interface, interfaces};
pub(crate) use local::{Farewell, Local};
pub(crate) use options::{Scope, Value, check_new, length_of, scope};
pub(crate) use reset::LastWord;
pub(crate) use socket::{Backend, Socket, host_address, socket_address};

use parking_lot::Mutex;

use crate::config::Net;

/// How many sockets there may be before those are looked for that are no more.
const PRUNE: usize = 64;

/// What the sockets of a sandbox share.
#[derive(Debug)]
pub(crate) struct Network {
    /// What IPv4 and IPv6 sockets reach.
    pub(crate) net: Net,
    pub(crate) names: names::Names,
    pub(crate) ports: ports::Ports,
    pub(crate) flights: flight::Flights,
    /// How many sockets want the credentials of senders.
    curious: AtomicUsize,
    next: AtomicU64,
    /// All sockets of the sandbox, for `/proc/net`.
    sockets: Mutex<Vec<Weak<Socket>>>,
}

impl Network {
    /// A network without sockets.
    pub(crate) fn new(net: Net) -> Arc<Self> {
        Arc::new(Self {
            net,
            names: names::Names::default(),
            ports: ports::Ports::default(),
            flights: flight::Flights::default(),
            curious: AtomicUsize::new(0),
            next: AtomicU64::new(1),
            sockets: Mutex::default(),
        })
    }

    /// Notes a new socket.
    fn add(&self, socket: &Arc<Socket>) {
        let mut sockets = self.sockets.lock();
        // Those that are no more go when the list would double.
        if sockets.len() >= PRUNE && sockets.len() == sockets.capacity() {
            sockets.retain(|socket| socket.strong_count() > 0);
        }
        sockets.push(Arc::downgrade(socket));
    }

    /// The sockets of the sandbox that there are.
    pub(crate) fn sockets(&self) -> Vec<Arc<Socket>> {
        let sockets = self.sockets.lock();
        sockets.iter().filter_map(Weak::upgrade).collect()
    }

    /// A number that nothing else of the sandbox's network has.
    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether streams have to carry credentials.
    pub(crate) fn is_curious(&self) -> bool {
        self.curious.load(Ordering::Relaxed) > 0
    }
}
