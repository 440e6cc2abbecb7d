//! The files below `/proc/sys`.

use std::fmt::Write;

use crate::cage::Process;
use crate::cage::family::PID_MAX;
use crate::ipc::queue;

/// The kernel release that the sandbox presents.
pub(crate) const RELEASE: &str = "6.1.0-lind";
/// The kernel version that the sandbox presents.
pub(crate) const VERSION: &str = "#1 SMP lind";

/// What a file says.
pub(super) fn contents(name: &str, viewer: &Process) -> String {
    let value = match name {
        "hostname" => viewer.hostname().to_owned(),
        "domainname" => String::from("(none)"),
        "osrelease" => RELEASE.to_owned(),
        "ostype" => String::from("Linux"),
        "version" => VERSION.to_owned(),
        "pid_max" => (PID_MAX + 1).to_string(),
        "threads-max" => String::from("4096"),
        "ngroups_max" => String::from("65536"),
        "cap_last_cap" => String::from("40"),
        "core_pattern" => String::from("core"),
        "msgmax" => String::from("8192"),
        "msgmnb" => String::from("16384"),
        "msgmni" => String::from("32000"),
        "sem" => String::from("32000\t1024000000\t500\t32000"),
        "shmmax" | "shmall" => String::from("18446744073692774399"),
        "shmmni" => String::from("4096"),
        "boot_id" => uuid(viewer.boot_id()),
        "uuid" => uuid(crate::entropy::random()),
        "entropy_avail" | "poolsize" => String::from("256"),
        "overcommit_memory" => String::from("1"),
        "max_map_count" => String::from("65530"),
        "mmap_min_addr" => String::from("65536"),
        "swappiness" => String::from("60"),
        "pipe-max-size" => String::from("1048576"),
        "aio-max-nr" => crate::aio::MOST.to_string(),
        "aio-nr" => viewer.world().aio.get().to_string(),
        "file-max" => String::from("9223372036854775807"),
        "file-nr" => String::from("0\t0\t9223372036854775807"),
        "msg_default" | "msg_max" => queue::MESSAGES.to_string(),
        "msgsize_default" | "msgsize_max" => queue::MESSAGE.to_string(),
        "queues_max" => queue::QUEUES.to_string(),
        "nr_open" => String::from("1048576"),
        "somaxconn" => String::from("4096"),
        _ => String::new(),
    };
    value + "\n"
}

fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let byte = match i {
            6 => (byte & 0x0f) | 0x40,
            8 => (byte & 0x3f) | 0x80,
            _ => *byte,
        };
        let _ = write!(text, "{byte:02x}");
    }
    text
}
