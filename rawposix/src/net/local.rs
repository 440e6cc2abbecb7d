//! A socket of the sandbox.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};
use rawposix_abi::Errno;
use rawposix_abi::flags::family::{AF_INET, AF_INET6, AF_UNIX};
use rawposix_abi::flags::kind::{SOCK_DGRAM, SOCK_STREAM};
use rawposix_abi::structs::Ucred;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::datagram::Inbox;
use super::options::Stored;
use super::socket::Backend;
use super::{Address, Network, Socket};
use crate::cage::Task;

/// Credentials of nobody: what a socket that is not connected says of its peer.
pub(crate) const NOBODY: Ucred = Ucred {
    pid: 0,
    uid: u32::MAX,
    gid: u32::MAX,
};

/// A socket of the sandbox.
#[derive(Debug)]
pub(crate) struct Local {
    pub(super) network: Arc<Network>,
    pub(super) state: Mutex<State>,
    /// The end through which others send to a datagram socket; none for one of socketpair(2).
    pub(super) inlet: Option<OwnedFd>,
    /// What goes along with the datagrams that wait.
    pub(super) inbox: Inbox,
    pub(super) stored: Stored,
    /// Whether it is one end of a connected pair of the host's.
    direct: AtomicBool,
    /// Whether it is connected to a socket of the host's.
    foreign: AtomicBool,
    /// `SO_PASSCRED`
    curious: AtomicBool,
    /// The number by which the host knows it, and `/proc` shows it.
    inode: u64,
    /// The number of a stream's other end, 0 while that is not known.
    other_inode: AtomicU64,
}

#[derive(Debug)]
pub(super) struct State {
    /// The name that bind(2) gave.
    pub(super) name: Option<Address>,
    /// What bind(2) asked for, if it was called: the part of an inet socket's name that outlives its connection.
    pub(super) asked: Option<SocketAddr>,
    pub(super) peer: Option<Address>,
    /// The socket to which datagrams go without an address.
    pub(super) target: Option<Weak<Socket>>,
    pub(super) phase: Phase,
    /// A stream's other end, until it is connected.
    pub(super) far: Option<OwnedFd>,
    /// The error that the next call reports.
    pub(super) failure: Option<Errno>,
    /// The file that bind(2) made, so that no other one gets its inode.
    pub(super) file: Option<Arc<OwnedFd>>,
    /// Shut down for sending.
    pub(super) mute: bool,
    /// A connection's peer is known to be gone: what is sent is an error.
    pub(super) is_gone: bool,
}

/// How far the life of a stream has come.
#[derive(Debug)]
pub(super) enum Phase {
    Idle,
    Connecting,
    /// Connected to somebody with these credentials.
    Connected {
        peer: Ucred,
        /// A connect(2) that did not wait has not been asked about yet.
        unasked: bool,
    },
    Listening(Listener),
}

/// A stream that others connect to.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) credentials: Ucred,
    pub(super) backlog: usize,
    pub(super) queue: VecDeque<Connection>,
    /// Threads that wait for room in the queue.
    pub(super) waiting: Vec<Arc<Task>>,
}

/// A connection that was made and not accepted.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) fd: OwnedFd,
    pub(super) name: Address,
    pub(super) peer: Address,
    pub(super) credentials: Ucred,
    /// The number of the end that connected.
    pub(super) inode: u64,
}

impl State {
    fn new() -> Self {
        Self {
            name: None,
            asked: None,
            peer: None,
            target: None,
            phase: Phase::Idle,
            far: None,
            failure: None,
            file: None,
            mute: false,
            is_gone: false,
        }
    }
}

pub(super) fn host_kind(kind: u32) -> SocketType {
    match kind {
        SOCK_STREAM => SocketType::STREAM,
        SOCK_DGRAM => SocketType::DGRAM,
        _ => SocketType::SEQPACKET,
    }
}

fn pair(kind: u32) -> Result<(OwnedFd, OwnedFd), Errno> {
    Ok(socketpair(
        AddressFamily::UNIX,
        host_kind(kind),
        SocketFlags::CLOEXEC,
        None,
    )?)
}

impl Local {
    fn with(
        network: &Arc<Network>,
        fd: &OwnedFd,
        state: State,
        inlet: Option<OwnedFd>,
    ) -> Result<Self, Errno> {
        let direct = matches!(state.phase, Phase::Connected { .. });
        Ok(Self {
            inode: rustix::fs::fstat(fd)?.st_ino,
            network: Arc::clone(network),
            state: Mutex::new(state),
            inlet,
            inbox: Inbox::default(),
            stored: Stored::default(),
            direct: AtomicBool::new(direct),
            foreign: AtomicBool::new(false),
            curious: AtomicBool::new(false),
            other_inode: AtomicU64::new(0),
        })
    }

    /// A new socket, and the host's descriptor of it.
    pub(crate) fn create(
        network: &Arc<Network>,
        domain: u32,
        kind: u32,
        protocol: u32,
    ) -> Result<(OwnedFd, Arc<Socket>), Errno> {
        let datagram = !matches!(kind, SOCK_STREAM | super::socket::SEQPACKET);
        let kind_of_pair = if datagram { SOCK_DGRAM } else { kind };
        let (near, far) = pair(kind_of_pair)?;
        let mut state = State::new();
        let mut inlet = None;
        let far_inode = rustix::fs::fstat(&far)?.st_ino;
        if datagram {
            inlet = Some(far);
        } else {
            state.far = Some(far);
        }
        let local = Self::with(network, &near, state, inlet)?;
        local.set_other_inode(far_inode);
        Ok((near, Socket::of(domain, kind, protocol, local)))
    }

    /// Two unix sockets that are connected, with the host's descriptors of them.
    pub(crate) fn create_pair(
        network: &Arc<Network>,
        kind: u32,
        credentials: Ucred,
    ) -> Result<[(OwnedFd, Arc<Socket>); 2], Errno> {
        let (first, second) = pair(kind)?;
        let local = |fd: &OwnedFd| {
            let names = (Address::Unnamed, Address::Unnamed);
            Self::connected(network, fd, names, credentials)
        };
        let locals = (local(&first)?, local(&second)?);
        locals.0.set_other_inode(locals.1.inode);
        locals.1.set_other_inode(locals.0.inode);
        let socket = |local| Socket::of(AF_UNIX, kind, 0, local);
        let sockets = (socket(locals.0), socket(locals.1));
        Ok([(first, sockets.0), (second, sockets.1)])
    }

    /// One end of a connected pair.
    pub(super) fn connected(
        network: &Arc<Network>,
        fd: &OwnedFd,
        (name, peer): (Address, Address),
        credentials: Ucred,
    ) -> Result<Self, Errno> {
        let mut state = State::new();
        state.name = Some(name);
        state.peer = Some(peer);
        state.phase = Phase::Connected {
            peer: credentials,
            unasked: false,
        };
        Self::with(network, fd, state, None)
    }

    /// Whether the host's descriptor is one end of a connected pair.
    pub(crate) fn is_direct(&self) -> bool {
        self.direct.load(Ordering::Acquire)
    }

    pub(super) fn set_direct(&self) {
        self.direct.store(true, Ordering::Release);
    }

    /// Whether it is connected to a socket of the host's.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign.load(Ordering::Acquire)
    }

    pub(super) fn set_foreign(&self) {
        self.foreign.store(true, Ordering::Release);
    }

    /// The socket is connected to a peer with these credentials.
    pub(super) fn finish_connecting(&self, to: Address, peer: Ucred) {
        let mut state = self.state();
        state.peer = Some(to);
        state.phase = Phase::Connected {
            peer,
            unasked: false,
        };
        self.set_direct();
    }

    /// The socket is as before: gives back its other end.
    pub(super) fn give_up_connecting(&self, far: OwnedFd) {
        let mut state = self.state();
        state.far = Some(far);
        state.phase = Phase::Idle;
    }

    /// What is left to do when the socket is closed.
    pub(super) fn farewell(&self) -> Farewell {
        Farewell(Arc::clone(&self.network))
    }

    /// The sandbox's network.
    pub(crate) fn network(&self) -> &Arc<Network> {
        &self.network
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Whether received messages tell who sent them.
    pub(crate) fn is_curious(&self) -> bool {
        self.curious.load(Ordering::Relaxed)
    }

    /// Sets whether received messages tell who sent them.
    pub(crate) fn set_curious(&self, value: bool) {
        if self.curious.swap(value, Ordering::Relaxed) != value {
            let count = &self.network.curious;
            if value {
                count.fetch_add(1, Ordering::Relaxed);
            } else {
                count.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// The number by which `/proc` shows it.
    pub(crate) fn inode(&self) -> u64 {
        self.inode
    }

    /// The number of a stream's other end, 0 if that is not known.
    pub(crate) fn other_inode(&self) -> u64 {
        self.other_inode.load(Ordering::Relaxed)
    }

    pub(super) fn set_other_inode(&self, inode: u64) {
        self.other_inode.store(inode, Ordering::Relaxed);
    }

    /// Whether it waits for connections.
    pub(crate) fn is_listening(&self) -> bool {
        matches!(self.state().phase, Phase::Listening(_))
    }

    /// Whether datagrams are sent to it through the inlet.
    pub(crate) fn is_framed(&self) -> bool {
        self.inlet.is_some()
    }

    /// The error that a call left behind, once.
    pub(crate) fn take_failure(&self) -> Option<Errno> {
        self.state().failure.take()
    }

    /// The options that are kept for it.
    pub(crate) fn stored(&self) -> &Stored {
        &self.stored
    }

    /// Who made the other end.
    pub(crate) fn peer_credentials(&self) -> Ucred {
        match &self.state().phase {
            Phase::Connected { peer, .. } => *peer,
            Phase::Listening(listener) => listener.credentials,
            Phase::Idle | Phase::Connecting => NOBODY,
        }
    }
}

impl Socket {
    fn of(domain: u32, kind: u32, protocol: u32, local: Local) -> Arc<Self> {
        let network = Arc::clone(&local.network);
        let socket = Arc::new(Self {
            domain,
            kind,
            protocol,
            backend: Backend::Local(Box::new(local)),
        });
        network.add(&socket);
        socket
    }

    /// A socket like this one, of an accepted connection.
    pub(super) fn accepted(&self, local: Local) -> Arc<Self> {
        Self::of(self.domain, self.kind, self.protocol, local)
    }

    /// The name of a socket of the sandbox, as getsockname(2) tells it.
    pub(crate) fn local_name(&self, local: &Local) -> Address {
        let name = local.state().name.clone();
        name.unwrap_or_else(|| self.nameless())
    }

    fn nameless(&self) -> Address {
        match self.domain {
            AF_INET => Address::Inet(SocketAddr::from(([0; 4], 0))),
            AF_INET6 => Address::Inet(SocketAddr::from(([0_u16; 8], 0))),
            AF_UNIX => Address::Unnamed,
            _ => Address::Netlink(0, 0),
        }
    }

    /// The name of its peer, as getpeername(2) tells it. `ENOTCONN` without one.
    pub(crate) fn local_peer(&self, local: &Local) -> Result<Address, Errno> {
        let state = local.state();
        let connected = state.target.is_some()
            || self.is_datagram()
            || matches!(state.phase, Phase::Connected { .. });
        match &state.peer {
            Some(peer) if connected => Ok(peer.clone()),
            _ => Err(Errno::ENOTCONN),
        }
    }
}

/// Gives up what was on its way to a socket, when that is closed.
#[derive(Debug)]
pub(crate) struct Farewell(Arc<Network>);

impl Drop for Farewell {
    fn drop(&mut self) {
        if !self.0.flights.is_empty() {
            self.0.flights.sweep();
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.set_curious(false);
        let state = self.state.get_mut();
        if let Phase::Listening(listener) = &mut state.phase {
            listener.waiting.iter().for_each(|task| task.unpark());
        }
    }
}
