//! How each kind of argument is shown.

use rawposix_abi::flags::{
    AT_FDCWD, ActionFlags, CloneFlags, EpollEvents, GuestFlags, PollEvents, WaitFlags, WaitTypes,
    clock, epoll, fcntl, futex, idtype, ioctl, kcmp, prctl, resource, seccomp, sighow, whence,
};
use rawposix_abi::structs::{
    CapHeader, EpollEvent, FdPair, Iovec, Itimerspec, Itimerval, OpenHow, Pollfd, Rlimit64, Rusage,
    Sigaction, Siginfo, StackT, Statfs64, Statx, Sysinfo, Timespec, TimespecPair, Timex, Tms,
    Utsname,
};
use rawposix_abi::{Signal, SignalSet};
use rawposix_memory::{AddressSpace, GuestPtr, GuestSlice};
use zerocopy::{FromBytes, IntoBytes};

use super::events::siginfo;
use super::text::{address, buffer, quote, short_string, string};
use super::{Moment, Shown, errno_of};
use crate::clone::EXIT_SIGNAL;
use crate::syscall::args::{
    Argv, ClockId, CloneWord, DirFd, Envp, EpollOp, FcntlCmd, Fd, FutexOp, Gid, Hex, Hex64, IdType,
    In, InBuf, InOut, Int, IoVec, IoctlCmd, KcmpType, Len, Mode, Off, Out, OutBuf, OutStr, Path,
    Pid, PollFds, PrctlOption, Ptr, Resource, SeccompOperation, SigHow, SignalArg, Str, Uid, Uint,
    WaitOptions, WaitStatus, Whence, Words,
};

/// A kind of argument that can be shown.
pub(crate) trait Show {
    /// Takes the argument's words and shows them; `None` when its time has not come.
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String>;
}

macro_rules! plain {
    ($($kind:ident: |$word:ident| $text:expr;)*) => {$(
        impl Show for $kind {
            fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
                let $word = words.take();
                Some($text)
            }
        }
    )*};
}

/// The flags of clone(2) and the signal that is among them.
fn clone_flags(word: u32) -> String {
    let mut text = String::new();
    let (flags, signal) = (word & !EXIT_SIGNAL, word & EXIT_SIGNAL);
    if flags != 0 || signal == 0 {
        CloneFlags::write(flags, &mut text);
    }
    if signal != 0 {
        if !text.is_empty() {
            text.push('|');
        }
        text.push_str(&signal_name(signal));
    }
    text
}

/// A symbolic name, or the number.
fn named(name: Option<&'static str>, word: u32) -> String {
    name.map_or_else(|| format!("{word:#x}"), str::to_owned)
}

/// An id, where the greatest number means none.
fn id(word: u32) -> String {
    if word == u32::MAX {
        String::from("-1")
    } else {
        word.to_string()
    }
}

plain! {
    Fd: |word| word.cast_signed().to_string();
    DirFd: |word| if word.cast_signed() == AT_FDCWD { String::from("AT_FDCWD") } else { word.cast_signed().to_string() };
    Int: |word| word.cast_signed().to_string();
    Pid: |word| word.cast_signed().to_string();
    Uint: |word| word.to_string();
    Len: |word| word.to_string();
    Uid: |word| id(word);
    Gid: |word| id(word);
    Hex: |word| format!("{word:#x}");
    Mode: |word| format!("0{word:03o}");
    Ptr: |word| address(word);
    Whence: |word| named(whence::name(word), word);
    FcntlCmd: |word| named(fcntl::name(word), word);
    IoctlCmd: |word| named(ioctl::name(word), word);
    ClockId: |word| named(clock::name(word), word);
    Resource: |word| named(resource::name(word), word);
    SigHow: |word| named(sighow::name(word), word);
    PrctlOption: |word| named(prctl::name(word), word);
    SeccompOperation: |word| named(seccomp::name(word), word);
    SignalArg: |word| signal_name(word);
    IdType: |word| named(idtype::name(word), word);
    WaitOptions: |word| wait_options(word);
    KcmpType: |word| named(kcmp::name(word), word);
    EpollOp: |word| named(epoll::name(word), word);
    FutexOp: |word| futex_operation(word);
    CloneWord: |word| clone_flags(word);
}

/// The name of a signal, or the number of none.
pub(super) fn signal_name(word: u32) -> String {
    Signal::from_raw(word).map_or_else(|| word.to_string(), |signal| signal.to_string())
}

/// The names of a set's flags.
fn flags<F: GuestFlags>(word: u32) -> String {
    let mut text = String::new();
    F::write(word, &mut text);
    text
}

fn wait_options(word: u32) -> String {
    let types = WaitTypes::all().bits() & word;
    match (word & !types, types) {
        (options, 0) => flags::<WaitFlags>(options),
        (0, types) => flags::<WaitTypes>(types),
        (options, types) => flags::<WaitFlags>(options) + "|" + &flags::<WaitTypes>(types),
    }
}

fn futex_operation(word: u32) -> String {
    let mut text = named(futex::name(word & 0x7f), word & 0x7f);
    if word & 128 != 0 {
        text.push_str("_PRIVATE");
    }
    if word & 256 != 0 {
        text.push_str("|FUTEX_CLOCK_REALTIME");
    }
    text
}

impl Show for Off {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        Some(words.take_pair().cast_signed().to_string())
    }
}

impl Show for Hex64 {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        Some(format!("{:#x}", words.take_pair()))
    }
}

impl<F: GuestFlags> Show for F {
    fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
        let mut text = String::new();
        F::write(words.take(), &mut text);
        Some(text)
    }
}

impl Show for Path {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        Some(string(shown.memory, words.take(), None))
    }
}

impl Show for Str {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        Some(short_string(shown.memory, words.take()))
    }
}

impl Show for InBuf {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        Some(buffer(shown.memory, addr, words.peek(0)))
    }
}

impl Show for OutBuf {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        match (shown.moment, written(shown.moment)) {
            (Moment::Before, _) => None,
            (Moment::After(_), Some(count)) => Some(buffer(shown.memory, addr, count)),
            (Moment::After(_), None) => Some(address(addr)),
        }
    }
}

impl Show for OutStr {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        let count = match shown.moment {
            Moment::Before => return None,
            Moment::After(_) => written(shown.moment),
        };
        let mut bytes = vec![0; usize::try_from(count.unwrap_or(0).min(4096)).unwrap_or(0)];
        if count.is_none()
            || shown
                .memory
                .read_bytes(GuestPtr::new(addr), &mut bytes)
                .is_err()
        {
            return Some(address(addr));
        }
        Some(quote(bytes.strip_suffix(&[0]).unwrap_or(&bytes)))
    }
}

/// What a successful call says it wrote.
fn written(moment: Moment) -> Option<u32> {
    match moment {
        Moment::After(word) if errno_of(word).is_none() => u32::try_from(word).ok(),
        _ => None,
    }
}

/// Elements of an array that are shown.
const ELEMENTS: u32 = 16;

pub(super) fn list<T: FromBytes + IntoBytes>(
    shown: &Shown<'_>,
    addr: u32,
    count: u32,
    each: impl Fn(&T) -> String,
) -> String {
    let some = GuestSlice::new(GuestPtr::<T>::new(addr), count.min(ELEMENTS));
    match shown.memory.read_slice(some) {
        Ok(elements) => {
            let mut texts: Vec<String> = elements.iter().map(each).collect();
            if count > ELEMENTS {
                texts.push(String::from("..."));
            }
            format!("[{}]", texts.join(", "))
        }
        Err(_) => address(addr),
    }
}

impl Show for IoVec {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        Some(list(shown, addr, words.peek(0), |iov: &Iovec| {
            format!(
                "{{iov_base={}, iov_len={}}}",
                buffer(shown.memory, iov.base, iov.len),
                iov.len
            )
        }))
    }
}

/// The descriptors and what is waited for; what has come is shown with the result.
impl Show for PollFds {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        Some(list(shown, addr, words.peek(0), |poll: &Pollfd| {
            let events = flags::<PollEvents>(u32::from(poll.events));
            format!("{{fd={}, events={events}}}", poll.fd)
        }))
    }
}

/// The strings of an array that ends with a null pointer; `None` when it cannot be read.
fn strings(memory: &AddressSpace, address: u32) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for word in (address..).step_by(4) {
        match memory.read(GuestPtr::<u32>::new(word)).ok()? {
            0 => break,
            _ if texts.len() == STRINGS => break,
            string => texts.push(short_string(memory, string)),
        }
    }
    Some(texts)
}

/// Strings of an array that are counted.
const STRINGS: usize = 4096;

impl Show for Argv {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        let Some(mut texts) = strings(shown.memory, addr) else {
            return Some(address(addr));
        };
        let shown = SHOWN_STRINGS.min(texts.len());
        if texts.drain(shown..).next().is_some() {
            texts.push(String::from("..."));
        }
        Some(format!("[{}]", texts.join(", ")))
    }
}

/// Strings of an array that are shown.
const SHOWN_STRINGS: usize = 32;

impl Show for Envp {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        let count = strings(shown.memory, addr).map(|texts| texts.len());
        Some(match count {
            Some(1) => format!("{addr:#x} /* 1 var */"),
            Some(count) => format!("{addr:#x} /* {count} vars */"),
            None => address(addr),
        })
    }
}

impl Show for WaitStatus {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let ptr = GuestPtr::<u32>::new(words.take());
        let is_written = match shown.moment {
            Moment::Before => return None,
            Moment::After(_) => written(shown.moment).is_some_and(|pid| pid > 0),
        };
        let status = match ptr.non_null() {
            Some(ptr) if is_written => shown.memory.read(ptr).ok(),
            _ => None,
        };
        Some(status.map_or_else(|| address(ptr.addr()), wait_status))
    }
}

/// How a child has ended or stopped, in the macros of wait(2).
fn wait_status(status: u32) -> String {
    let (low, high) = (status & 0xff, status >> 8 & 0xff);
    match low {
        0 => format!("[{{WIFEXITED(s) && WEXITSTATUS(s) == {high}}}]"),
        0x7f => format!(
            "[{{WIFSTOPPED(s) && WSTOPSIG(s) == {}}}]",
            signal_name(high)
        ),
        0xff => String::from("[{WIFCONTINUED(s)}]"),
        low => {
            let core = if low & 0x80 == 0 {
                ""
            } else {
                " && WCOREDUMP(s)"
            };
            let signal = signal_name(low & 0x7f);
            format!("[{{WIFSIGNALED(s) && WTERMSIG(s) == {signal}{core}}}]")
        }
    }
}

/// A structure that can be shown.
pub(crate) trait ShowStruct: FromBytes + IntoBytes {
    fn text(&self) -> String;
}

fn structure<T: ShowStruct>(shown: &Shown<'_>, addr: u32) -> String {
    match GuestPtr::<T>::new(addr)
        .non_null()
        .map(|ptr| shown.memory.read(ptr))
    {
        Some(Ok(value)) => value.text(),
        Some(Err(_)) | None => address(addr),
    }
}

impl<T: ShowStruct> Show for In<T> {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        Some(structure::<T>(shown, words.take()))
    }
}

impl<T: ShowStruct> Show for Out<T> {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        match shown.moment {
            Moment::Before => None,
            Moment::After(word) if errno_of(word).is_some() => Some(address(addr)),
            Moment::After(_) => Some(structure::<T>(shown, addr)),
        }
    }
}

impl<T: ShowStruct> Show for InOut<T> {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        In::<T>::show(words, shown)
    }
}

macro_rules! structures {
    ($($kind:ty: |$value:ident| $text:expr;)*) => {$(
        impl ShowStruct for $kind {
            fn text(&self) -> String {
                let $value = self;
                $text
            }
        }
    )*};
}

fn field(bytes: &[u8]) -> String {
    quote(bytes.split(|byte| *byte == 0).next().unwrap_or_default())
}

fn limit(value: u64) -> String {
    if value == u64::MAX {
        String::from("RLIM64_INFINITY")
    } else {
        value.to_string()
    }
}

fn set(bits: u64) -> String {
    let set = SignalSet::from_bits(bits);
    let names: Vec<String> = set
        .iter()
        .map(|s| s.to_string().trim_start_matches("SIG").to_owned())
        .collect();
    format!("[{}]", names.join(" "))
}

fn kind_of(mode: u16) -> &'static str {
    match mode & 0o170_000 {
        0o010_000 => "S_IFIFO",
        0o020_000 => "S_IFCHR",
        0o040_000 => "S_IFDIR",
        0o060_000 => "S_IFBLK",
        0o100_000 => "S_IFREG",
        0o120_000 => "S_IFLNK",
        0o140_000 => "S_IFSOCK",
        _ => "0",
    }
}

structures! {
    i32: |v| format!("[{v}]");
    u32: |v| format!("[{v}]");
    i64: |v| format!("[{v}]");
    u64: |v| set(*v);
    Timespec: |v| format!("{{tv_sec={}, tv_nsec={}}}", v.sec, v.nsec);
    TimespecPair: |v| format!("[{}, {}]", v.access.text(), v.modification.text());
    Itimerspec: |v| format!("{{it_interval={}, it_value={}}}", v.interval.text(), v.value.text());
    Itimerval: |v| format!("{{it_interval={{{}, {}}}, it_value={{{}, {}}}}}", v.interval.sec, v.interval.usec, v.value.sec, v.value.usec);
    Timex: |v| format!("{{modes={:#x}, offset={}, freq={}, status={:#x}, ...}}", v.modes, v.offset, v.freq, v.status);
    Tms: |v| format!("{{tms_utime={}, tms_stime={}, tms_cutime={}, tms_cstime={}}}", v.utime, v.stime, v.cutime, v.cstime);
    Rusage: |v| format!("{{ru_utime={{tv_sec={}, tv_usec={}}}, ru_maxrss={}, ...}}", v.utime.sec, v.utime.usec, v.maxrss);
    Rlimit64: |v| format!("{{rlim_cur={}, rlim_max={}}}", limit(v.current), limit(v.max));
    FdPair: |v| format!("[{}, {}]", v.first, v.second);
    EpollEvent: |v| format!("{{events={}, data={:#x}}}", flags::<EpollEvents>(v.events), v.data);
    OpenHow: |v| format!("{{flags={:#x}, mode={:#o}, resolve={:#x}}}", v.flags, v.mode, v.resolve);
    Statx: |v| format!("{{stx_mask={:#x}, stx_mode={}|{:04o}, stx_size={}, ...}}", v.mask, kind_of(v.mode), v.mode & 0o7777, v.size);
    Statfs64: |v| format!("{{f_type={:#x}, f_bsize={}, f_blocks={}, f_bfree={}, ...}}", v.kind, v.bsize, v.blocks, v.bfree);
    Utsname: |v| format!("{{sysname={}, nodename={}, ...}}", field(&v.sysname), field(&v.nodename));
    Sysinfo: |v| format!("{{uptime={}, totalram={}, freeram={}, mem_unit={}, ...}}", v.uptime, v.totalram, v.freeram, v.mem_unit);
    Sigaction: |v| format!("{{sa_handler={}, sa_mask={}, sa_flags={}}}", handler(v.handler), set(mask(v.mask)), flags::<ActionFlags>(v.flags));
    StackT: |v| format!("{{ss_sp={}, ss_flags={:#x}, ss_size={}}}", address(v.sp), v.flags, v.size);
    Siginfo: |v| siginfo(v);
    CapHeader: |v| format!("{{version={:#x}, pid={}}}", v.version, v.pid);
}

fn mask([low, high]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn handler(word: u32) -> String {
    match word {
        0 => String::from("SIG_DFL"),
        1 => String::from("SIG_IGN"),
        word => format!("{word:#x}"),
    }
}
