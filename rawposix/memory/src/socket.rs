//! Socket calls of the host: messages to and from guest ranges, and the options that have no type.
//!
//! See sendmsg(2), recvmsg(2), cmsg(3), getsockopt(2). Everything but the contents of a message is copied: names and
//! ancillary data are built and taken apart here, and never are the guest's bytes.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rawposix_abi::Errno;

use crate::host::last_errno;
use crate::io::IoVecs;
use crate::{AddressSpace, GuestSlice};

/// Bytes of `struct cmsghdr` of a 64-bit host; data and headers are aligned to eight.
const HEADER: usize = 16;
/// Room for ancillary data that one call receives.
const CONTROL_ROOM: usize = 512;
/// Room for a name: `struct sockaddr_storage`.
const NAME_ROOM: usize = 128;

/// One ancillary message; never `SCM_RIGHTS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlMessage {
    /// The protocol's level, such as `SOL_SOCKET`.
    pub level: i32,
    /// The type within the level.
    pub kind: i32,
    /// What follows the header, in the host's layout.
    pub data: Vec<u8>,
}

/// What is sent beside the guest's bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgoing<'a> {
    /// The receiver's address in the host's layout; empty for a connected socket.
    pub name: &'a [u8],
    /// Bytes that go before the guest's.
    pub prefix: &'a [u8],
    /// Ancillary data.
    pub control: &'a [ControlMessage],
    /// A descriptor that goes along by `SCM_RIGHTS`.
    pub right: Option<BorrowedFd<'a>>,
    /// `MSG_*` flags.
    pub flags: u32,
}

/// What is wanted beside the guest's bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// How many of the first bytes do not go to the guest.
    pub prefix: usize,
    /// The sender's address.
    pub name: bool,
    /// Ancillary data; otherwise it is dropped, as recv(2) does.
    pub control: bool,
}

/// What was received beside the guest's bytes.
#[derive(Debug, Default)]
pub struct Incoming {
    /// The result of the call: bytes received, the prefix included.
    pub count: usize,
    /// The sender's address in the host's layout.
    pub name: Vec<u8>,
    /// The first bytes, which did not go to the guest.
    pub prefix: Vec<u8>,
    /// Ancillary data.
    pub control: Vec<ControlMessage>,
    /// Descriptors that came by `SCM_RIGHTS`; all are close-on-exec.
    pub rights: Vec<OwnedFd>,
    /// `MSG_*` flags of the message.
    pub flags: u32,
    /// Why the bytes after the prefix could not be given to the guest: EFAULT. The message is gone all the same.
    pub failure: Option<Errno>,
}

impl IoVecs {
    /// One range.
    ///
    /// # Errors
    /// EFAULT when it leaves the 32-bit space.
    pub fn one(range: GuestSlice<u8>) -> Result<Self, Errno> {
        Self::of_ranges([range])
    }
}

impl AddressSpace {
    /// sendmsg(2) from guest memory.
    ///
    /// # Errors
    /// The host's.
    pub fn send_message(
        &self,
        fd: BorrowedFd<'_>,
        ranges: &IoVecs,
        message: &Outgoing<'_>,
    ) -> Result<usize, Errno> {
        let mut prefix = message.prefix.to_vec();
        let mut name = message.name.to_vec();
        let mut vectors = self.vectors(&mut prefix, ranges);
        let mut control = encode(message);
        let header = header(&mut name, &mut vectors, &mut control);
        let flags = message.flags.cast_signed() | libc::MSG_NOSIGNAL;
        // SAFETY: the header's pointers are to live buffers of the given lengths; the ranges lie inside the
        // reservation; the kernel only reads all of them.
        let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const header, flags) };
        usize::try_from(sent).map_err(|_| last_errno())
    }

    /// recvmsg(2) into guest memory.
    ///
    /// # Errors
    /// The host's. A message with a prefix that comes to memory that cannot be written is no error, see
    /// [`Incoming::failure`].
    pub fn receive_message(
        &self,
        fd: BorrowedFd<'_>,
        ranges: &IoVecs,
        wanted: Wanted,
        flags: u32,
    ) -> Result<Incoming, Errno> {
        let mut prefix = vec![0; wanted.prefix];
        let mut name = vec![0; if wanted.name { NAME_ROOM } else { 0 }];
        let mut control = vec![0; if wanted.control { CONTROL_ROOM } else { 0 }];
        let mut vectors = self.vectors(&mut prefix, ranges);
        let mut header = header(&mut name, &mut vectors, &mut control);
        let flags = flags.cast_signed() | libc::MSG_CMSG_CLOEXEC;
        // SAFETY: the header's pointers are to live buffers of the given lengths, and the ranges lie inside the
        // reservation; the kernel writes nothing else.
        let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags) };
        let Ok(count) = usize::try_from(received) else {
            return match last_errno() {
                errno @ Errno::EFAULT if !prefix.is_empty() => Ok(Incoming {
                    prefix,
                    failure: Some(errno),
                    ..Incoming::default()
                }),
                errno => Err(errno),
            };
        };
        name.truncate(usize::try_from(header.msg_namelen).unwrap_or(0));
        control.truncate(header.msg_controllen);
        prefix.truncate(count);
        let (control, rights) = decode(&control);
        Ok(Incoming {
            count,
            name,
            prefix,
            control,
            rights,
            flags: header.msg_flags.cast_unsigned(),
            failure: None,
        })
    }

    fn vectors(&self, prefix: &mut [u8], ranges: &IoVecs) -> Vec<libc::iovec> {
        let mut vectors = Vec::with_capacity(ranges.spans().len() + 1);
        if !prefix.is_empty() {
            vectors.push(libc::iovec {
                iov_base: prefix.as_mut_ptr().cast(),
                iov_len: prefix.len(),
            });
        }
        vectors.extend(ranges.spans().iter().map(|&s| self.reservation().iovec(s)));
        vectors
    }
}

fn header(name: &mut [u8], vectors: &mut [libc::iovec], control: &mut [u8]) -> libc::msghdr {
    fn pointer<T>(slice: &mut [u8]) -> *mut T {
        if slice.is_empty() {
            std::ptr::null_mut()
        } else {
            slice.as_mut_ptr().cast()
        }
    }
    // SAFETY: a header of zeros is one without anything.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = pointer(name);
    header.msg_namelen = libc::socklen_t::try_from(name.len()).unwrap_or(0);
    header.msg_iov = vectors.as_mut_ptr();
    header.msg_iovlen = vectors.len();
    header.msg_control = pointer(control);
    header.msg_controllen = control.len();
    header
}

/// Ancillary data as the host's kernel has it.
fn encode(message: &Outgoing<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for one in message.control {
        push(&mut bytes, one.level, one.kind, &one.data);
    }
    if let Some(right) = message.right {
        let number = right.as_raw_fd().to_ne_bytes();
        push(&mut bytes, libc::SOL_SOCKET, libc::SCM_RIGHTS, &number);
    }
    bytes
}

fn push(bytes: &mut Vec<u8>, level: i32, kind: i32, data: &[u8]) {
    bytes.extend_from_slice(&(HEADER + data.len()).to_ne_bytes());
    bytes.extend_from_slice(&level.to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}

/// Takes ancillary data apart; the descriptors in it become owned.
fn decode(mut bytes: &[u8]) -> (Vec<ControlMessage>, Vec<OwnedFd>) {
    let mut messages = Vec::new();
    let mut rights = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::from_ne_bytes(*length);
        let (Some((level, rest)), Some(end)) = (rest.split_first_chunk(), length.checked_sub(8))
        else {
            break;
        };
        let Some((kind, _)) = rest.split_first_chunk() else {
            break;
        };
        let (level, kind) = (i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind));
        let Some(data) = bytes.get(HEADER..end + 8) else {
            break;
        };
        if (level, kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            for number in data.as_chunks().0 {
                // SAFETY: the kernel has just made this descriptor for the message, and nobody else knows it.
                rights.push(unsafe { OwnedFd::from_raw_fd(i32::from_ne_bytes(*number)) });
            }
        } else {
            let data = data.to_vec();
            messages.push(ControlMessage { level, kind, data });
        }
        bytes = bytes.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    (messages, rights)
}

/// setsockopt(2) with a value in the host's layout. The caller decides which options there are.
///
/// # Errors
/// The host's.
pub fn set_socket_option(
    fd: BorrowedFd<'_>,
    level: u32,
    option: u32,
    value: &[u8],
) -> Result<(), Errno> {
    let length = libc::socklen_t::try_from(value.len()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel reads the value's bytes only; options whose values hold pointers are refused by the length
    // that they need, or by the caller.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level.cast_signed(),
            option.cast_signed(),
            value.as_ptr().cast(),
            length,
        )
    };
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}

/// getsockopt(2) of a value of at most `room` bytes, in the host's layout.
///
/// # Errors
/// The host's.
pub fn socket_option(
    fd: BorrowedFd<'_>,
    level: u32,
    option: u32,
    room: usize,
) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0_u8; room];
    let mut length = libc::socklen_t::try_from(room).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel writes at most `length` bytes of the value, and the length.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level.cast_signed(),
            option.cast_signed(),
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(last_errno());
    }
    value.truncate(usize::try_from(length).unwrap_or(0));
    Ok(value)
}

/// Lets a descriptor refer to what another one does, at once for all who use its number. See dup3(2).
///
/// # Errors
/// The host's.
pub fn replace(fd: BorrowedFd<'_>, by: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: both are open, the number stays its owner's, and what it refers to is a socket as before.
    let result = unsafe { libc::dup3(by.as_raw_fd(), fd.as_raw_fd(), libc::O_CLOEXEC) };
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}

/// Bytes that were sent and not received yet, see `SIOCOUTQ` of tcp(7) and unix(7).
///
/// # Errors
/// The host's.
pub fn unsent(fd: BorrowedFd<'_>) -> Result<i32, Errno> {
    count(fd, libc::TIOCOUTQ)
}

/// Whether urgent data comes next, 1 or 0, see sockatmark(3).
///
/// # Errors
/// The host's.
pub fn at_mark(fd: BorrowedFd<'_>) -> Result<i32, Errno> {
    /// `SIOCATMARK`
    const AT_MARK: libc::c_ulong = 0x8905;
    count(fd, AT_MARK)
}

/// What one of the two requests of ioctl(2) above says.
fn count(fd: BorrowedFd<'_>, request: libc::c_ulong) -> Result<i32, Errno> {
    let mut count: libc::c_int = 0;
    // SAFETY: both requests write one integer.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), request, &raw mut count) };
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(count)
    }
}

/// Bytes of `struct ifreq` on a 64-bit host: a name, and a union of which no member that is used here is longer than
/// sixteen bytes.
const IFREQ: usize = 40;
/// Most addresses that [`interface_addresses`] gives.
const INTERFACES: usize = 256;

/// Name and value of a `struct ifreq`.
pub type InterfaceValue = ([u8; 16], [u8; 16]);

/// A request of netdevice(7) that reads a property of an interface: takes and gives the name and the first sixteen
/// bytes of the value.
///
/// # Errors
/// EINVAL for a request that is not one of those; the host's.
pub fn interface_property(
    fd: BorrowedFd<'_>,
    request: u32,
    name: [u8; 16],
    value: [u8; 16],
) -> Result<InterfaceValue, Errno> {
    const READS: [libc::c_ulong; 9] = [
        libc::SIOCGIFNAME,
        libc::SIOCGIFFLAGS,
        libc::SIOCGIFADDR,
        libc::SIOCGIFDSTADDR,
        libc::SIOCGIFBRDADDR,
        libc::SIOCGIFNETMASK,
        libc::SIOCGIFMTU,
        libc::SIOCGIFHWADDR,
        libc::SIOCGIFINDEX,
    ];
    let request = libc::c_ulong::from(request);
    if !READS.contains(&request) {
        return Err(Errno::EINVAL);
    }
    let mut buffer = [0_u8; IFREQ];
    let (head, rest) = buffer.split_at_mut(name.len());
    head.copy_from_slice(&name);
    if let Some(place) = rest.first_chunk_mut() {
        *place = value;
    }
    // SAFETY: these requests read and write one `struct ifreq`, which holds no pointer for them.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), request, buffer.as_mut_ptr()) };
    if result < 0 {
        return Err(last_errno());
    }
    let (head, rest) = buffer.split_at(name.len());
    let value = rest.first_chunk().copied().unwrap_or_default();
    Ok((head.first_chunk().copied().unwrap_or_default(), value))
}

/// Names and addresses (`struct sockaddr`) of the interfaces that have IPv4 ones, see `SIOCGIFCONF` of netdevice(7).
///
/// # Errors
/// The host's.
pub fn interface_addresses(fd: BorrowedFd<'_>) -> Result<Vec<InterfaceValue>, Errno> {
    let mut buffer = vec![0_u8; IFREQ * INTERFACES];
    let mut list = libc::ifconf {
        ifc_len: libc::c_int::try_from(buffer.len()).unwrap_or(0),
        ifc_ifcu: libc::__c_anonymous_ifc_ifcu {
            ifcu_buf: buffer.as_mut_ptr().cast(),
        },
    };
    // SAFETY: the kernel writes at most `ifc_len` bytes of the buffer, and the length.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), libc::SIOCGIFCONF, &raw mut list) };
    if result < 0 {
        return Err(last_errno());
    }
    buffer.truncate(usize::try_from(list.ifc_len).unwrap_or(0));
    let one = |request: &[u8; IFREQ]| {
        let (name, rest) = request.split_first_chunk()?;
        Some((*name, *rest.first_chunk()?))
    };
    Ok(buffer.as_chunks().0.iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::*;

    #[test]
    fn ancillary_data_survives() {
        let control = [
            ControlMessage {
                level: 41,
                kind: 50,
                data: vec![7; 20],
            },
            ControlMessage {
                level: 0,
                kind: 2,
                data: vec![1, 2, 3, 4],
            },
        ];
        let file = std::fs::File::open("/dev/null").unwrap();
        let bytes = encode(&Outgoing {
            control: &control,
            ..Outgoing::default()
        });
        let (messages, rights) = decode(&bytes);
        assert_eq!(messages, control);
        assert!(rights.is_empty());
        drop(file);
        assert!(decode(&bytes[..10]).0.is_empty());
    }
}
