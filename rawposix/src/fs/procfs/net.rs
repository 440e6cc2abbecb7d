//! `/proc/net`: the sandbox's sockets. See proc(5).

use crate::sandbox::World;

/// What a file says: a line of headings, then a line for each socket.
pub(super) fn contents(name: &str, world: &World) -> Vec<u8> {
    let headings = match name {
        "tcp" => {
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n"
        }
        "tcp6" => {
            "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        }
        "udp" | "raw" => {
            "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             \n"
        }
        "udp6" | "raw6" => {
            "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
        }
        "arp" => "IP address       HW type     Flags       HW address            Mask     Device\n",
        "unix" => "Num       RefCount Protocol Flags    Type St Inode Path\n",
        "route" => {
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n"
        }
        "dev" => concat!(
            "Inter-|   Receive                                                |  Transmit\n",
            " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n",
            "    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n",
        ),
        "if_inet6" => "00000000000000000000000000000001 01 80 10 80       lo\n",
        _ => "",
    };
    let mut text = headings.to_owned();
    text.push_str(&world.network.list(name, world.uid));
    text.into_bytes()
}
