//! Packet mode of pseudo-terminals, which no safe library has. See TIOCPKT in ioctl_tty(2).

use std::os::fd::{AsRawFd, BorrowedFd};

use rawposix_abi::Errno;

use crate::host::last_errno;

/// `TIOCGPKT`, which the C library's bindings lack.
const TIOCGPKT: libc::c_ulong = 0x8004_5438;

/// Sets whether each read of the master's end begins with a byte of control.
///
/// # Errors
/// The host's: `ENOTTY` if `master` is no such end.
pub fn set_packet_mode(master: BorrowedFd<'_>, on: bool) -> Result<(), Errno> {
    let mut value = libc::c_int::from(on);
    request(master, libc::TIOCPKT, &mut value)
}

/// Whether each read of the master's end begins with a byte of control.
///
/// # Errors
/// The host's: `ENOTTY` if `master` is no such end.
pub fn packet_mode(master: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut value = 0;
    request(master, TIOCGPKT, &mut value)?;
    Ok(value != 0)
}

fn request(
    master: BorrowedFd<'_>,
    request: libc::c_ulong,
    value: &mut libc::c_int,
) -> Result<(), Errno> {
    let value: *mut libc::c_int = value;
    // SAFETY: both requests read or write one integer, which `value` is, and nothing else.
    let result = unsafe { libc::ioctl(master.as_raw_fd(), request, value) };
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}
