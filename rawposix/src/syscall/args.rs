//! The argument types of the list of system calls.

use rawposix_abi::Errno;
use rawposix_abi::flags::{GuestFlags, OpenFlags};
use rawposix_abi::structs::Msghdr;
use rawposix_memory::{GuestCStr, GuestPtr};

/// The argument words of a call, taken one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    words: [u32; 6],
    next: usize,
}

impl Words {
    /// All six words.
    pub(crate) fn new(words: [u32; 6]) -> Self {
        Self { words, next: 0 }
    }

    /// The next word.
    pub(crate) fn take(&mut self) -> u32 {
        let word = self.peek(0);
        self.next += 1;
        word
    }

    /// The next pair, low half first.
    pub(crate) fn take_pair(&mut self) -> u64 {
        let low = self.take();
        let high = self.take();
        u64::from(high) << 32 | u64::from(low)
    }

    /// The word that was taken last.
    pub(crate) fn last(&self) -> u32 {
        let last = self.next.checked_sub(1);
        last.and_then(|last| self.words.get(last))
            .copied()
            .unwrap_or(0)
    }

    /// A word that lies `ahead` of the next one.
    pub(crate) fn peek(&self, ahead: usize) -> u32 {
        self.words.get(self.next + ahead).copied().unwrap_or(0)
    }
}

/// A typed argument: how it is decoded.
pub(crate) trait Argument: Sized {
    /// Takes the argument from the words.
    fn decode(words: &mut Words) -> Result<Self, Errno>;
}

macro_rules! word_arguments {
    ($($(#[$meta:meta])* $name:ident($inner:ty) $decode:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $inner);
        impl Argument for $name {
            fn decode(words: &mut Words) -> Result<Self, Errno> {
                let decode: fn(u32) -> $inner = $decode;
                Ok(Self(decode(words.take())))
            }
        }
    )*};
}

word_arguments! {
    /// A descriptor.
    Fd(i32) u32::cast_signed;
    /// A directory descriptor or `AT_FDCWD`.
    DirFd(i32) u32::cast_signed;
    /// A signed number.
    Int(i32) u32::cast_signed;
    /// An unsigned number.
    Uint(u32) |word| word;
    /// A number shown in hexadecimal.
    Hex(u32) |word| word;
    /// A size or count of bytes.
    Len(u32) |word| word;
    /// A process or thread id.
    Pid(i32) u32::cast_signed;
    /// A user id.
    Uid(u32) |word| word;
    /// A group id.
    Gid(u32) |word| word;
    /// File permissions.
    Mode(u32) |word| word;
    /// An address that the handler interprets.
    Ptr(u32) |word| word;
    /// A path.
    Path(GuestCStr) GuestCStr::new;
    /// A string.
    Str(GuestCStr) GuestCStr::new;
    /// Bytes that are read; the next argument is their number.
    InBuf(GuestPtr<u8>) GuestPtr::new;
    /// Bytes that are written; the next argument is their number.
    OutBuf(GuestPtr<u8>) GuestPtr::new;
    /// A string that is written.
    OutStr(GuestPtr<u8>) GuestPtr::new;
    /// An array of `struct iovec`; the next argument is its length.
    IoVec(u32) |word| word;
    /// Where the id of a context of kernel AIO is written.
    AioContext(GuestPtr<u32>) GuestPtr::new;
    /// An array of pointers to `struct iocb`; the argument before is its length.
    IoCbs(u32) |word| word;
    /// An array of `struct io_event` that is written.
    IoEvents(u32) |word| word;
    /// An array of `struct pollfd`; the next argument is its length.
    PollFds(u32) |word| word;
    /// Origin of lseek(2).
    Whence(u32) |word| word;
    /// Command of fcntl(2).
    FcntlCmd(u32) |word| word;
    /// Command of ioctl(2).
    IoctlCmd(u32) |word| word;
    /// A clock.
    ClockId(u32) |word| word;
    /// A resource of getrlimit(2).
    Resource(u32) |word| word;
    /// A signal number, 0 included.
    SignalArg(u32) |word| word;
    /// How a signal mask is changed.
    SigHow(u32) |word| word;
    /// Option of prctl(2).
    PrctlOption(u32) |word| word;
    /// Operation of seccomp(2).
    SeccompOperation(u32) |word| word;
    /// Operation of futex(2).
    FutexOp(u32) |word| word;
    /// Key of an object of sysvipc(7).
    IpcKey(i32) u32::cast_signed;
    /// Flags and mode with which such an object is found or made.
    IpcFlags(u32) |word| word;
    /// Flags of msgop(2).
    MessageFlags(u32) |word| word;
    /// Flags of shmat(2).
    SegmentFlags(u32) |word| word;
    /// Command of msgctl(2).
    MessageCommand(i32) u32::cast_signed;
    /// Command of semctl(2).
    SemaphoreCommand(i32) u32::cast_signed;
    /// Command of shmctl(2).
    SegmentCommand(i32) u32::cast_signed;
    /// An array of `struct sembuf`; the next argument is its length.
    SemOps(u32) |word| word;
    /// What `id` means to waitid(2).
    IdType(i32) u32::cast_signed;
    /// Options of wait4(2) and waitid(2).
    WaitOptions(u32) |word| word;
    /// Where wait4(2) writes how a child ended.
    WaitStatus(GuestPtr<i32>) GuestPtr::new;
    /// The arguments of execve(2).
    Argv(u32) |word| word;
    /// The environment of execve(2).
    Envp(u32) |word| word;
    /// What kcmp(2) compares.
    KcmpType(u32) |word| word;
    /// Operation of epoll_ctl(2).
    EpollOp(i32) u32::cast_signed;
    /// Address family of socket(2).
    Family(u32) |word| word;
    /// Type of socket(2), with its flags.
    SocketKind(u32) |word| word;
    /// Level of setsockopt(2).
    SocketLevel(u32) |word| word;
    /// Option of setsockopt(2); the argument before is its level.
    SocketOption(u32) |word| word;
    /// An option's value that is read; the next argument is its length.
    InOption(GuestPtr<u8>) GuestPtr::new;
    /// An option's value that is written; the next argument leads to its length.
    OutOption(GuestPtr<u8>) GuestPtr::new;
    /// How shutdown(2) ends a connection.
    ShutdownHow(u32) |word| word;
    /// A socket's address that is read; the next argument is its length.
    InAddr(GuestPtr<u8>) GuestPtr::new;
    /// A socket's address that is written; the next argument leads to its length.
    OutAddr(GuestPtr<u8>) GuestPtr::new;
    /// A message that is sent.
    InMsg(GuestPtr<Msghdr>) GuestPtr::new;
    /// A message that is received.
    OutMsg(GuestPtr<Msghdr>) GuestPtr::new;
    /// Flags of clone(2), with the exit signal in the low byte.
    CloneWord(u32) |word| word;
}

/// A signed 64-bit offset, in two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Off(pub(crate) i64);

impl Argument for Off {
    fn decode(words: &mut Words) -> Result<Self, Errno> {
        Ok(Self(words.take_pair().cast_signed()))
    }
}

/// An unsigned 64-bit number, in two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hex64(pub(crate) u64);

impl Argument for Hex64 {
    fn decode(words: &mut Words) -> Result<Self, Errno> {
        Ok(Self(words.take_pair()))
    }
}

macro_rules! pointer_arguments {
    ($($(#[$meta:meta])* $name:ident;)*) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $name<T>(pub(crate) GuestPtr<T>);
        impl<T> Argument for $name<T> {
            fn decode(words: &mut Words) -> Result<Self, Errno> {
                Ok(Self(GuestPtr::new(words.take())))
            }
        }
    )*};
}

pointer_arguments! {
    /// A structure that is read.
    In;
    /// A structure that is written.
    Out;
    /// A structure that is read and written.
    InOut;
}

/// Every flag set of the ABI is an argument.
impl<F: GuestFlags> Argument for F {
    fn decode(words: &mut Words) -> Result<Self, Errno> {
        F::from_word(words.take()).ok_or(Errno::EINVAL)
    }
}

/// A handler's result as the guest's word.
pub(crate) trait IntoWord {
    fn into_word(self) -> i32;
}

impl IntoWord for () {
    fn into_word(self) -> i32 {
        0
    }
}

impl IntoWord for i32 {
    fn into_word(self) -> i32 {
        self
    }
}

impl IntoWord for u32 {
    fn into_word(self) -> i32 {
        self.cast_signed()
    }
}

/// Counts are bounded by the guest's 32-bit lengths.
impl IntoWord for usize {
    fn into_word(self) -> i32 {
        i32::try_from(self).unwrap_or(i32::MAX)
    }
}

/// Access mode of open(2).
pub(crate) fn access_mode(flags: OpenFlags) -> u32 {
    flags.bits() & OpenFlags::ACCMODE
}

#[cfg(test)]
mod tests {
    use rawposix_abi::flags::{AtFlags, FallocMode, PipeFlags};

    use super::*;

    #[test]
    fn pairs_are_low_half_first() {
        let mut words = Words::new([1, 2, 3, 4, 5, 6]);
        assert_eq!(Fd::decode(&mut words).unwrap().0, 1);
        assert_eq!(Off::decode(&mut words).unwrap().0, 0x3_0000_0002);
        assert_eq!(Hex64::decode(&mut words).unwrap().0, 0x5_0000_0004);
        assert_eq!(words.take(), 6);
        assert_eq!(words.take(), 0);
    }

    #[test]
    fn negative_offsets_and_descriptors() {
        let mut words = Words::new([u32::MAX; 6]);
        assert_eq!(Off::decode(&mut words).unwrap().0, -1);
        assert_eq!(Fd::decode(&mut words).unwrap().0, -1);
    }

    #[test]
    fn unknown_flags_are_refused_where_linux_refuses_them() {
        let one = |word| Words::new([word, 0, 0, 0, 0, 0]);
        assert_eq!(AtFlags::decode(&mut one(0x8000)), Err(Errno::EINVAL));
        assert_eq!(PipeFlags::decode(&mut one(1)), Err(Errno::EINVAL));
        assert_eq!(
            OpenFlags::decode(&mut one(1 << 31 | 1)),
            Ok(OpenFlags::WRONLY)
        );
        assert_eq!(
            FallocMode::decode(&mut one(1 << 30)).unwrap().bits(),
            1 << 30
        );
    }
}
