//! When datagrams came, for who has asked: `SO_TIMESTAMP` and `SO_TIMESTAMPNS` of socket(7).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rawposix_abi::flags::level::SOL_SOCKET;
use rawposix_abi::flags::sockopt::{SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW};
use rawposix_memory::socket::ControlMessage;

use super::options::Stored;

/// The option that is off as soon as this one is set, on or off.
pub(super) fn excluded(level: u32, option: u32) -> Option<u32> {
    match (level, option) {
        (SOL_SOCKET, SO_TIMESTAMP_NEW) => Some(SO_TIMESTAMPNS_NEW),
        (SOL_SOCKET, SO_TIMESTAMPNS_NEW) => Some(SO_TIMESTAMP_NEW),
        _ => None,
    }
}

/// The time, since 1970.
fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

impl Stored {
    /// The time of a datagram that comes now, if somebody wants to know it.
    pub(super) fn arrival(&self) -> Option<Duration> {
        let wanted = self.tells_more()
            && [SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW]
                .iter()
                .any(|&option| self.is_on(SOL_SOCKET, option));
        wanted.then(now)
    }

    /// What the receiver is told of a datagram that came at this time. What came before it has asked comes now.
    pub(super) fn told_of_time(&self, came: Option<Duration>) -> Option<ControlMessage> {
        let came = came.unwrap_or_else(now);
        let told = |option: u32, fraction: u32| {
            let words = [came.as_secs().cast_signed(), i64::from(fraction)];
            ControlMessage {
                level: SOL_SOCKET.cast_signed(),
                kind: option.cast_signed(),
                data: words.map(i64::to_ne_bytes).concat(),
            }
        };
        if self.is_on(SOL_SOCKET, SO_TIMESTAMPNS_NEW) {
            Some(told(SO_TIMESTAMPNS_NEW, came.subsec_nanos()))
        } else if self.is_on(SOL_SOCKET, SO_TIMESTAMP_NEW) {
            Some(told(SO_TIMESTAMP_NEW, came.subsec_micros()))
        } else {
            None
        }
    }
}
