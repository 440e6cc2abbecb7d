//! How a connection of the sandbox's loopback ends where the host's pair of unix sockets would end otherwise. See tcp(7),
//! socket(7).
//!
//! - What is sent after the peer has closed its end is taken once: the answer that nobody is there comes later.
//! - A socket that is closed with an `SO_LINGER` of no time resets the connection: the peer reads `ECONNRESET` instead of
//!   the end.

use std::sync::{Arc, Weak};

use rawposix_abi::Errno;

use super::{Local, Socket};
use crate::fd::{HostFile, Origin};

impl Socket {
    /// The connection of the sandbox's own that it is one end of.
    fn connection(&self) -> Option<&Local> {
        let local = self.local()?;
        let is_own = self.is_inet() && self.is_stream() && local.is_direct() && !local.is_foreign();
        is_own.then_some(local)
    }
}

impl HostFile {
    fn connection(&self) -> Option<&Local> {
        match &self.origin {
            Origin::Socket(socket) => socket.connection(),
            _ => None,
        }
    }

    /// What a call answers that sends `count` bytes, from what the host answers.
    #[inline]
    pub(crate) fn sent(&self, result: Result<usize, Errno>, count: usize) -> Result<usize, Errno> {
        match result {
            Err(errno @ (Errno::EPIPE | Errno::ECONNRESET)) => self.sent_in_vain(errno, count),
            result => result,
        }
    }

    #[cold]
    fn sent_in_vain(&self, errno: Errno, count: usize) -> Result<usize, Errno> {
        let Some(local) = self.connection() else {
            return Err(errno);
        };
        let mut state = local.state();
        let known = std::mem::replace(&mut state.is_gone, true);
        match state.failure.take() {
            Some(failure) => Err(failure),
            None if errno == Errno::EPIPE && !known && !state.mute => Ok(count),
            None => Err(errno),
        }
    }

    /// What a call answers that receives up to `room` bytes, from what the host answers.
    #[inline]
    pub(crate) fn received(
        &self,
        result: Result<usize, Errno>,
        room: usize,
    ) -> Result<usize, Errno> {
        match result {
            Ok(0) if room > 0 => self.at_end().map_or(Ok(0), Err),
            Err(Errno::ECONNRESET) => {
                if let Some(local) = self.connection() {
                    local.state().is_gone = true;
                }
                result
            }
            result => result,
        }
    }

    #[cold]
    fn at_end(&self) -> Option<Errno> {
        self.connection()?.take_failure()
    }
}

/// Resets a connection when its socket is closed, if that was asked for. It is dropped before the host's descriptor.
#[derive(Debug)]
pub(crate) struct LastWord(Weak<Socket>);

impl LastWord {
    /// That of a socket which can be one end of a connection.
    pub(crate) fn of(socket: &Arc<Socket>) -> Option<Self> {
        let can = socket.is_inet() && socket.is_stream() && socket.local().is_some();
        can.then(|| Self(Arc::downgrade(socket)))
    }
}

impl Drop for LastWord {
    fn drop(&mut self) {
        let Some(socket) = self.0.upgrade() else {
            return;
        };
        let Some(local) = socket.connection() else {
            return;
        };
        if !local.stored.resets_at_close() {
            return;
        }
        let others = local.network.sockets();
        let peer = others
            .iter()
            .filter_map(|other| other.connection())
            .find(|other| other.inode() == local.other_inode());
        if let Some(peer) = peer {
            let mut state = peer.state();
            state.failure = Some(Errno::ECONNRESET);
            state.is_gone = true;
        }
    }
}
