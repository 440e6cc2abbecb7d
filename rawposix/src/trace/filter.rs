//! Which system calls are traced.

use rawposix_abi::{SYSCALLS, Syscall};

use crate::config::TraceFilter;

impl TraceFilter {
    /// Whether a call is traced; `None` is a number without a call.
    pub(super) fn takes(&self, call: Option<&Syscall>) -> bool {
        let among = |names: &[String]| {
            call.is_some_and(|call| names.iter().any(|name| is_meant(call, name)))
        };
        match self {
            Self::All => true,
            Self::Only(names) => among(names),
            Self::Except(names) => !among(names),
        }
    }
}

/// Whether a name or `%group` of `--strace` means any call at all.
pub fn is_known_filter(name: &str) -> bool {
    SYSCALLS.iter().any(|call| is_meant(call, name))
}

fn is_meant(call: &Syscall, name: &str) -> bool {
    match name.strip_prefix('%') {
        Some(group) => is_in_group(call, group),
        None => call.name == name || is_variant(call.name, name),
    }
}

/// Whether `name` is what the manual calls the system call `known`: `fcntl` for `fcntl64`, `futex` for `futex_time64`.
fn is_variant(known: &str, name: &str) -> bool {
    let suffixes = ["_time64", "64", "_64", "2", "64_64"];
    known
        .strip_prefix(name)
        .is_some_and(|rest| suffixes.contains(&rest))
        || (known == "llseek" && matches!(name, "lseek" | "_llseek"))
}

/// The groups of strace(1), and the families of the list.
fn is_in_group(call: &Syscall, group: &str) -> bool {
    let has = |kinds: &[&str]| {
        call.parameters
            .iter()
            .any(|parameter| kinds.contains(&parameter.kind))
    };
    match group {
        "file" => has(&["Path"]) || call.name == "getcwd",
        "desc" => has(&["Fd", "DirFd", "PollFds"]) || call.result == "Fd",
        "process" => call.family == "process" || matches!(call.name, "kill" | "tkill" | "tgkill"),
        "net" => call.family == "network",
        "creds" => {
            call.family == "identity" && (call.name.contains("id") || call.name.contains("cap"))
                || call.name.contains("groups")
        }
        "clock" => call.name.starts_with("clock_"),
        family => call.family == family,
    }
}
