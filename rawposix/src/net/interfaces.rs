//! The loopback interface of a sandbox without a network. See netdevice(7).

use std::net::IpAddr;

use super::ports::loopback;

/// A network interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) index: u32,
    pub(crate) name: &'static str,
    /// `IFF_*`
    pub(crate) flags: u32,
    pub(crate) mtu: u32,
    /// `ARPHRD_*`
    pub(crate) hardware: u16,
    /// Addresses, and how many of their bits name the network.
    pub(crate) addresses: Vec<(IpAddr, u8)>,
}

/// `IFF_UP | IFF_LOOPBACK | IFF_RUNNING`, and `IFF_LOWER_UP` of rtnetlink(7).
const FLAGS: u32 = 0x1 | 0x8 | 0x40 | 0x1_0000;
/// `ARPHRD_LOOPBACK`
const HARDWARE: u16 = 772;

/// All interfaces.
pub(crate) fn interfaces() -> Vec<Interface> {
    vec![Interface {
        index: 1,
        name: "lo",
        flags: FLAGS,
        mtu: 65536,
        hardware: HARDWARE,
        addresses: vec![(loopback(false), 8), (loopback(true), 128)],
    }]
}
