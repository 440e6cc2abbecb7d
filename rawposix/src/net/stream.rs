//! Names and connections of streams of the sandbox. See listen(2), accept(2), connect(2).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use rawposix_abi::Errno;
use rawposix_abi::flags::family::AF_INET6;
use rawposix_abi::structs::Ucred;
use rustix::net::{RecvFlags, SendFlags, Shutdown};

use super::address::shown;
use super::local::{Connection, Listener, Phase};
use super::ports::{loopback, route};
use super::{Address, Local, Socket};
use crate::fd::HostFile;
use crate::thread::Thread;

/// `net.core.somaxconn`
const MAX_BACKLOG: usize = 4096;
/// Room for the bytes that tell of connections.
const WAKE_ROOM: usize = 208 << 10;

impl Socket {
    /// Gives the socket a name in the sandbox's tables. `file` is the file that was made for a path.
    pub(crate) fn bind_local(
        self: &Arc<Self>,
        local: &Local,
        address: Address,
        file: Option<Arc<OwnedFd>>,
    ) -> Result<(), Errno> {
        // The ends of a pair have no names, and can get them.
        let named = |name: &Address| *name != Address::Unnamed;
        if local.state().name.as_ref().is_some_and(named) {
            return Err(Errno::EINVAL);
        }
        let names = &local.network.names;
        let asked = match address {
            Address::Inet(address) => Some(address),
            _ => None,
        };
        let name = match address {
            Address::Unnamed => Address::Abstract(names.take_any(self)?),
            Address::Abstract(name) => {
                names.take(&name, self)?;
                Address::Abstract(name)
            }
            Address::Path(path) => {
                let file = file.as_ref().ok_or(Errno::EINVAL)?;
                names.take_file(crate::fs::dir::FileId::of(file)?, self)?;
                Address::Path(path)
            }
            Address::Inet(address) => Address::Inet(local.network.ports.take(self, address)?),
            Address::Netlink(pid, groups) => Address::Netlink(pid, groups),
            Address::Unspecified => return Err(Errno::EINVAL),
        };
        let mut state = local.state();
        state.name = Some(name);
        state.asked = asked;
        state.file = file;
        Ok(())
    }

    /// Gives an inet socket without a port one.
    pub(super) fn bind_any(
        self: &Arc<Self>,
        local: &Local,
        ip: std::net::IpAddr,
    ) -> Result<SocketAddr, Errno> {
        if let Some(Address::Inet(address)) = local.state().name {
            return Ok(address);
        }
        let any = shown(self.domain, SocketAddr::new(ip, 0));
        let address = local.network.ports.take(self, any)?;
        local.state().name = Some(Address::Inet(address));
        Ok(address)
    }

    /// Lets others connect to the socket.
    pub(crate) fn listen_local(
        self: &Arc<Self>,
        local: &Local,
        backlog: i32,
        credentials: Ucred,
    ) -> Result<(), Errno> {
        if self.is_datagram() {
            return Err(Errno::EOPNOTSUPP);
        }
        let backlog = usize::try_from(backlog).unwrap_or(MAX_BACKLOG);
        let backlog = backlog.min(MAX_BACKLOG);
        if self.is_inet() && local.state().name.is_none() {
            let v6 = self.domain == AF_INET6;
            let ip = if v6 {
                std::net::Ipv6Addr::UNSPECIFIED.into()
            } else {
                std::net::Ipv4Addr::UNSPECIFIED.into()
            };
            self.bind_any(local, ip)?;
        }
        let ports = &local.network.ports;
        let _turn = ports.turn_to_listen();
        if self.is_inet() && !local.is_listening() && ports.is_listened_at(self, local) {
            return Err(Errno::EADDRINUSE);
        }
        let mut state = local.state();
        if state.name.is_none() {
            return Err(Errno::EINVAL);
        }
        let state = &mut *state;
        match &mut state.phase {
            Phase::Listening(listener) => {
                listener.backlog = backlog;
                listener.waiting.drain(..).for_each(|task| task.unpark());
            }
            Phase::Idle => {
                let far = state.far.as_ref().ok_or(Errno::EINVAL)?;
                rustix::net::sockopt::set_socket_send_buffer_size(far, WAKE_ROOM)?;
                state.phase = Phase::Listening(Listener {
                    credentials,
                    backlog,
                    queue: VecDeque::new(),
                    waiting: Vec::new(),
                });
            }
            Phase::Connecting | Phase::Connected { .. } => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// Takes the other end of a stream that is to be connected.
    pub(super) fn begin_connecting(&self, local: &Local) -> Result<OwnedFd, Errno> {
        let mut state = local.state();
        if let Some(errno) = state.failure.take() {
            return Err(errno);
        }
        match &state.phase {
            Phase::Idle => {}
            Phase::Connecting => return Err(Errno::EALREADY),
            Phase::Connected { .. } => return Err(Errno::EISCONN),
            Phase::Listening(_) if self.is_inet() => return Err(Errno::EISCONN),
            Phase::Listening(_) => return Err(Errno::EINVAL),
        }
        let far = state.far.take().ok_or(Errno::EISCONN)?;
        state.phase = Phase::Connecting;
        Ok(far)
    }

    /// Connects a stream to the one that listens.
    pub(crate) fn connect_stream(
        self: &Arc<Self>,
        thread: &Thread,
        file: &HostFile,
        local: &Local,
        to: &Address,
    ) -> Result<(), Errno> {
        if self.domain == AF_INET6 && matches!(to, Address::Inet(to) if to.is_ipv4()) {
            return Err(Errno::EINVAL);
        }
        if let Phase::Connected { unasked, .. } = &mut local.state().phase
            && std::mem::take(unasked)
        {
            return Ok(());
        }
        let far = self.begin_connecting(local)?;
        let result = self.reach(thread, file, local, to, far);
        let mut state = local.state();
        match result {
            Ok(reached) => {
                let waits = !self.is_inet() || !reached.nonblocking;
                state.peer = Some(reached.peer);
                state.phase = Phase::Connected {
                    peer: reached.credentials,
                    unasked: !waits,
                };
                local.set_direct();
                if waits {
                    Ok(())
                } else {
                    Err(Errno::EINPROGRESS)
                }
            }
            Err(refused) => {
                state.far = Some(refused.far);
                state.phase = Phase::Idle;
                let errno = refused.errno;
                // The answer of a real loopback comes later as well.
                if self.is_inet() && errno == Errno::ECONNREFUSED && file.is_nonblocking()? {
                    state.failure = Some(errno);
                    return Err(Errno::EINPROGRESS);
                }
                Err(errno)
            }
        }
    }

    fn reach(
        self: &Arc<Self>,
        thread: &Thread,
        file: &HostFile,
        local: &Local,
        to: &Address,
        far: OwnedFd,
    ) -> Result<Reached, Refused> {
        let mut far = Some(far);
        let was_bound = local.state().name.is_some();
        let mut attempt = || {
            let nonblocking = file.is_nonblocking()?;
            let credentials = thread.credentials_for_peers();
            let (name, peer, listener) = match to {
                Address::Inet(to) => {
                    let to = route(*to)?;
                    let own = self.bind_any(local, loopback(to.is_ipv6()))?;
                    let own = source(self.domain, own, to);
                    let listener = local.network.ports.listener(&local.network, to);
                    (Address::Inet(own), Address::Inet(to), listener)
                }
                path => {
                    let name = self.local_name(local);
                    (name, path.clone(), Some(thread.unix_socket(local, path)?))
                }
            };
            let listener = Arc::downgrade(&listener.ok_or(Errno::ECONNREFUSED)?);
            let end = local.stored.send_deadline(Instant::now());
            let peer_credentials = thread.wait_until(end, || {
                let listener = listener.upgrade().ok_or(Errno::ECONNREFUSED)?;
                let target = listener.local().ok_or(Errno::ECONNREFUSED)?;
                if listener.kind != self.kind {
                    return Err(Errno::EPROTOTYPE);
                }
                let mut state = target.state();
                let shown_name = match &state.name {
                    Some(Address::Inet(_)) | None => peer.clone(),
                    Some(name) => name.clone(),
                };
                let state = &mut *state;
                let Phase::Listening(queue) = &mut state.phase else {
                    return Err(Errno::ECONNREFUSED);
                };
                let wake = state.far.as_ref().ok_or(Errno::ECONNREFUSED)?;
                let full = queue.queue.len() > queue.backlog
                    || rustix::net::send(wake, &[0], SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
                        .is_err_and(|errno| errno == rustix::io::Errno::AGAIN);
                if full {
                    if nonblocking {
                        return Err(Errno::EAGAIN);
                    }
                    let own = &thread.task;
                    if !queue.waiting.iter().any(|task| Arc::ptr_eq(task, own)) {
                        queue.waiting.push(Arc::clone(own));
                    }
                    return Ok(None);
                }
                queue.queue.push_back(Connection {
                    fd: far.take().ok_or(Errno::EISCONN)?,
                    name: on(listener.domain, &shown_name),
                    peer: on(listener.domain, &name),
                    credentials,
                    inode: local.inode(),
                });
                Ok(Some((queue.credentials, shown_name)))
            });
            let (peer_credentials, shown_name) = match peer_credentials {
                Err(Errno::ETIMEDOUT) if !self.is_inet() => return Err(Errno::EAGAIN),
                Err(Errno::ETIMEDOUT) => return Err(Errno::EINPROGRESS),
                result => result?,
            };
            local.state().name = Some(on(self.domain, &name));
            Ok(Reached {
                peer: on(self.domain, &shown_name),
                credentials: peer_credentials,
                nonblocking,
            })
        };
        match attempt() {
            Ok(reached) => Ok(reached),
            Err(errno) => match far {
                Some(far) => {
                    if !was_bound {
                        self.unbind(local);
                    }
                    Err(Refused { errno, far })
                }
                // It was handed over, and is connected whatever else failed.
                None => Ok(Reached {
                    peer: to.clone(),
                    credentials: super::local::NOBODY,
                    nonblocking: false,
                }),
            },
        }
    }

    /// Frees the port that was chosen for a connection that did not come about.
    fn unbind(self: &Arc<Self>, local: &Local) {
        let name = local.state().name.take();
        if let Some(Address::Inet(address)) = name {
            local.network.ports.give_up(self, address.port());
        }
    }

    /// Takes the next connection, waiting for one unless the socket is non-blocking.
    pub(crate) fn accept_local(
        &self,
        thread: &Thread,
        file: &HostFile,
        local: &Local,
    ) -> Result<(OwnedFd, Arc<Self>, Address), Errno> {
        if self.is_datagram() {
            return Err(Errno::EOPNOTSUPP);
        }
        if !local.is_listening() {
            return Err(Errno::EINVAL);
        }
        let mut byte = [0_u8];
        let (count, _) = thread.block(|| {
            rustix::net::recv(&file.fd, &mut byte[..], RecvFlags::empty()).map_err(Errno::from)
        })?;
        if count == 0 {
            return Err(Errno::EINVAL);
        }
        let mut state = local.state();
        let Phase::Listening(listener) = &mut state.phase else {
            return Err(Errno::EINVAL);
        };
        let connection = listener.queue.pop_front().ok_or(Errno::EAGAIN)?;
        listener.waiting.drain(..).for_each(|task| task.unpark());
        drop(state);
        let peer = connection.peer.clone();
        let accepted = Local::connected(
            &local.network,
            &connection.fd,
            (connection.name, connection.peer),
            connection.credentials,
        )?;
        accepted.set_other_inode(connection.inode);
        accepted.stored.copy_from(&local.stored);
        accepted.set_curious(local.is_curious());
        Ok((connection.fd, self.accepted(accepted), peer))
    }
}

struct Reached {
    peer: Address,
    credentials: Ucred,
    nonblocking: bool,
}

struct Refused {
    errno: Errno,
    far: OwnedFd,
}

/// The address that a socket's packets to `to` come from.
pub(super) fn source(domain: u32, own: SocketAddr, to: SocketAddr) -> SocketAddr {
    let ip = super::address::unmapped(own.ip());
    let ip = if ip.is_unspecified() {
        loopback(to.is_ipv6())
    } else {
        ip
    };
    shown(domain, SocketAddr::new(ip, own.port()))
}

/// An address as a socket of `domain` shows it.
pub(super) fn on(domain: u32, address: &Address) -> Address {
    match address {
        Address::Inet(address) => {
            let plain = SocketAddr::new(super::address::unmapped(address.ip()), address.port());
            Address::Inet(shown(domain, plain))
        }
        other => other.clone(),
    }
}

impl Socket {
    /// Ends one or both directions of a socket of the sandbox.
    pub(crate) fn shutdown_local(
        &self,
        local: &Local,
        file: &HostFile,
        how: Shutdown,
    ) -> Result<(), Errno> {
        let mut state = local.state();
        if local.is_framed() {
            if self.is_inet() && state.peer.is_none() {
                return Err(Errno::ENOTCONN);
            }
            if matches!(how, Shutdown::Write | Shutdown::Both) {
                state.mute = true;
            }
            drop(state);
            if matches!(how, Shutdown::Read | Shutdown::Both) {
                rustix::net::shutdown(&file.fd, Shutdown::Read)?;
            }
            return Ok(());
        }
        let usable = match state.phase {
            Phase::Connected { .. } => true,
            // Those who wait for a connection are told; that of an inet socket can listen again.
            Phase::Listening(_) => how != Shutdown::Write,
            Phase::Idle | Phase::Connecting => !self.is_inet(),
        };
        let connected = matches!(state.phase, Phase::Connected { .. });
        drop(state);
        if !usable {
            return if local.is_listening() {
                Ok(())
            } else {
                Err(Errno::ENOTCONN)
            };
        }
        let how = if connected { how } else { Shutdown::Read };
        if connected && how != Shutdown::Read {
            local.state().mute = true;
        }
        Ok(rustix::net::shutdown(&file.fd, how)?)
    }
}
