//! Connections to sockets of the host at paths that were granted, with the host's network. See unix(7).
//!
//! The guest's socket is an end of a pair until then; its descriptor becomes the host's socket when that is connected.
//! Bytes pass as between programs of the host. Descriptors do not: those of a guest are more than the host's, and what
//! the host sends was not granted.

use std::os::fd::AsFd;

use rawposix_abi::Errno;
use rawposix_abi::structs::Ucred;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, connect, socket_with};

use super::local::{NOBODY, host_kind};
use super::{Address, Local, Socket};
use crate::fd::HostFile;
use crate::fs::node::HostNode;
use crate::thread::Thread;

impl Socket {
    /// Connects a stream to the host's socket with this file.
    pub(crate) fn connect_to_host(
        &self,
        thread: &Thread,
        file: &HostFile,
        local: &Local,
        (to, node): (&Address, &HostNode),
    ) -> Result<(), Errno> {
        let far = self.begin_connecting(local)?;
        let reached = (|| {
            let mut flags = SocketFlags::CLOEXEC;
            flags.set(SocketFlags::NONBLOCK, file.is_nonblocking()?);
            let kind = host_kind(self.kind);
            let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
            let address = SocketAddrUnix::new(node.proc_path())?;
            thread.block(|| connect(&socket, &address).map_err(Errno::from))?;
            rawposix_memory::socket::replace(file.fd.as_fd(), socket.as_fd())?;
            Ok(peer(thread, file))
        })();
        match reached {
            Ok(peer) => {
                local.set_foreign();
                local.finish_connecting(to.clone(), peer);
                Ok(())
            }
            Err(errno) => {
                local.give_up_connecting(far);
                Err(errno)
            }
        }
    }
}

/// Who listens, by the sandbox's names; processes of the host have none.
fn peer(thread: &Thread, file: &HostFile) -> Ucred {
    let ids = thread.process.ids();
    match rustix::net::sockopt::socket_peercred(&file.fd) {
        Ok(host) => Ucred {
            pid: 0,
            uid: ids.guest_uid(host.uid.as_raw()),
            gid: ids.guest_gid(host.gid.as_raw()),
        },
        Err(_) => NOBODY,
    }
}
