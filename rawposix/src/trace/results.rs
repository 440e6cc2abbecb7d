//! How a call's result is shown.

use rawposix_abi::flags::{GuestFlags, OpenFlags, PollEvents, fcntl};
use rawposix_abi::structs::Pollfd;
use rawposix_memory::{AddressSpace, GuestPtr, GuestSlice};

use super::{TracedCall, errno_of};

/// Descriptors of a poll(2) that are looked at.
const DESCRIPTORS: u32 = 256;

/// The result word of a call, with what is to be said of it.
pub(super) fn result(call: &TracedCall, memory: &AddressSpace, word: i32) -> String {
    if let Some(errno) = errno_of(word) {
        let name = errno
            .name()
            .map_or_else(|| errno.raw().to_string(), str::to_owned);
        return format!("-1 {name} ({})", errno.message());
    }
    let Some(known) = call.known else {
        return word.to_string();
    };
    match (known.name, call.words) {
        ("ppoll_time64", [fds, count, ..]) => polled(memory, fds, count, word),
        ("pselect6_time64", _) if word == 0 => String::from("0 (Timeout)"),
        ("fcntl64", [_, fcntl::F_GETFL, ..]) => {
            let mut text = format!("{word:#x} (flags ");
            OpenFlags::write(word.cast_unsigned(), &mut text);
            text + ")"
        }
        ("fcntl64", [_, fcntl::F_GETFD, ..]) if word == 1 => String::from("0x1 (flags FD_CLOEXEC)"),
        _ => match known.result {
            "Addr" => format!("{word:#x}"),
            "Mode" => format!("0{word:03o}"),
            _ => word.to_string(),
        },
    }
}

/// The descriptors of a poll(2) that are ready.
fn polled(memory: &AddressSpace, fds: u32, count: u32, ready: i32) -> String {
    if ready == 0 {
        return String::from("0 (Timeout)");
    }
    let slice = GuestSlice::new(GuestPtr::<Pollfd>::new(fds), count.min(DESCRIPTORS));
    let Ok(fds) = memory.read_slice(slice) else {
        return ready.to_string();
    };
    let texts: Vec<String> = fds
        .iter()
        .filter(|poll| poll.revents != 0)
        .map(|poll| {
            let mut text = format!("{{fd={}, revents=", poll.fd);
            PollEvents::write(u32::from(poll.revents), &mut text);
            text + "}"
        })
        .collect();
    format!("{ready} ([{}])", texts.join(", "))
}
