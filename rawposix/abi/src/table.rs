//! The list of system calls as data, and what is generated from it: the C header and the support page.

use std::fmt::Write;

/// How much of a system call there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// As Linux does it.
    Full,
    /// Within these limits.
    Partial(&'static str),
    /// Answers `ENOSYS`, for this reason.
    Absent(&'static str),
    /// Answers `EPERM`, as Linux does for want of this privilege.
    Denied(&'static str),
}

impl Support {
    /// One word: `full`, `partial`, `absent` or `denied`.
    pub const fn level(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial(_) => "partial",
            Self::Absent(_) => "absent",
            Self::Denied(_) => "denied",
        }
    }

    /// The limits or the reason; empty for full support.
    pub const fn note(self) -> &'static str {
        match self {
            Self::Full => "",
            Self::Partial(note) | Self::Absent(note) | Self::Denied(note) => note,
        }
    }
}

/// A named, typed argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The manual page's name.
    pub name: &'static str,
    /// The type in the list's notation.
    pub kind: &'static str,
}

/// One entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syscall {
    /// Number in Linux's generic table.
    pub number: u16,
    /// Name in Linux's generic table.
    pub name: &'static str,
    /// The group it belongs to: a source file of the microvisor's.
    pub family: &'static str,
    /// Arguments.
    pub parameters: &'static [Parameter],
    /// Type of the result.
    pub result: &'static str,
    /// How much of it there is.
    pub support: Support,
}

macro_rules! table {
    ($($family:ident {$(
        $number:literal $name:ident($($parameter:ident: $kind:ty),*) -> $result:ident: $level:ident $($note:literal)?;
    )*})*) => {
        /// Every system call of Linux's generic 32-bit table with 64-bit time, family by family.
        pub const SYSCALLS: &[Syscall] = &[$($(
            Syscall {
                number: $number,
                name: stringify!($name),
                family: stringify!($family),
                parameters: &[$(Parameter { name: stringify!($parameter), kind: stringify!($kind) }),*],
                result: stringify!($result),
                support: table!(@support $level $($note)?),
            },
        )*)*];
    };
    (@support full) => { Support::Full };
    (@support partial $note:literal) => { Support::Partial($note) };
    (@support absent $note:literal) => { Support::Absent($note) };
    (@support denied $note:literal) => { Support::Denied($note) };
}

crate::syscalls!(table);

/// Calls that Linux has on other architectures but not in its generic table, with what takes their place there.
pub const NOT_GENERIC: &[(&str, &str)] = &[
    ("access", "faccessat"),
    ("alarm", "setitimer"),
    ("chmod", "fchmodat"),
    ("chown", "fchownat"),
    ("creat", "openat"),
    ("dup2", "dup3"),
    ("epoll_create", "epoll_create1"),
    ("epoll_wait", "epoll_pwait"),
    ("eventfd", "eventfd2"),
    ("fork", "clone"),
    ("fstat", "statx"),
    ("fstat64", "statx"),
    ("fstatat64", "statx"),
    ("futimesat", "utimensat_time64"),
    ("getdents", "getdents64"),
    ("getpgrp", "getpgid"),
    ("getrlimit", "prlimit64"),
    ("gettimeofday", "clock_gettime64"),
    ("inotify_init", "inotify_init1"),
    ("ipc", "msgget and its kind"),
    ("io_getevents", "io_pgetevents_time64"),
    ("lchown", "fchownat"),
    ("link", "linkat"),
    ("lstat", "statx"),
    ("mkdir", "mkdirat"),
    ("mknod", "mknodat"),
    ("nice", "setpriority"),
    ("open", "openat"),
    ("pause", "ppoll_time64"),
    ("pipe", "pipe2"),
    ("poll", "ppoll_time64"),
    ("readlink", "readlinkat"),
    ("rename", "renameat2"),
    ("renameat", "renameat2"),
    ("rmdir", "unlinkat"),
    ("select", "pselect6_time64"),
    ("setrlimit", "prlimit64"),
    ("settimeofday", "clock_settime64"),
    ("signal", "rt_sigaction"),
    ("signalfd", "signalfd4"),
    ("socketcall", "socket and its kind"),
    ("stat", "statx"),
    ("symlink", "symlinkat"),
    ("time", "clock_gettime64"),
    ("unlink", "unlinkat"),
    ("utime", "utimensat_time64"),
    ("utimes", "utimensat_time64"),
    ("vfork", "clone"),
    ("waitpid", "waitid"),
];

/// Calls that Linux has but that are neither in its generic table of Linux 6.1 nor replaced by one, with the reason.
pub const NOT_OFFERED: &[(&str, &str)] = &[
    ("_sysctl", "removed in Linux 5.5"),
    ("arch_prctl", "x86 only"),
    ("bdflush", "removed from Linux"),
    ("cachestat", "newer than Linux 6.1"),
    ("create_module", "removed in Linux 2.6"),
    ("fchmodat2", "newer than Linux 6.1"),
    ("futex_requeue", "newer than Linux 6.1"),
    ("futex_wait", "newer than Linux 6.1"),
    ("futex_wake", "newer than Linux 6.1"),
    ("get_thread_area", "x86 only"),
    ("idle", "removed from Linux"),
    ("ioperm", "x86 only"),
    ("iopl", "x86 only"),
    ("listmount", "newer than Linux 6.1"),
    ("map_shadow_stack", "newer than Linux 6.1"),
    ("modify_ldt", "x86 only"),
    ("mseal", "newer than Linux 6.1"),
    ("query_module", "removed in Linux 2.6"),
    ("riscv_flush_icache", "RISC-V only"),
    ("set_thread_area", "x86 only"),
    ("statmount", "newer than Linux 6.1"),
    ("sysfs", "not in the generic table"),
    ("uselib", "not in the generic table"),
    ("ustat", "not in the generic table"),
    ("vm86", "x86 only"),
];

/// The entry with this number.
pub fn by_number(number: i32) -> Option<&'static Syscall> {
    SYSCALLS
        .iter()
        .find(|call| i32::from(call.number) == number)
}

/// The entry with this name.
pub fn by_name(name: &str) -> Option<&'static Syscall> {
    SYSCALLS.iter().find(|call| call.name == name)
}

/// The body of the C library's `arch-syscall.h`: one `#define` a number, sorted by name.
pub fn c_header() -> String {
    let mut calls: Vec<_> = SYSCALLS.iter().collect();
    calls.sort_by_key(|call| call.name);
    calls.iter().fold(String::new(), |mut text, call| {
        let _ = writeln!(text, "#define __NR_{} {}", call.name, call.number);
        text
    })
}

/// The support table in Markdown, family by family.
pub fn support_page() -> String {
    let mut text = String::from(
        "# System calls\n\nGenerated from `rawposix/abi`. Absent calls answer `ENOSYS`, denied ones `EPERM`.\n",
    );
    let mut family = "";
    for call in SYSCALLS {
        if call.family != family {
            family = call.family;
            let _ = write!(
                text,
                "\n## {family}\n\n| number | call | support | |\n|---|---|---|---|\n"
            );
        }
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} |",
            call.number,
            call.prototype(),
            call.support.level(),
            call.support.note()
        );
    }
    text.push_str("\n## Not in Linux's generic table\n\n| call | instead |\n|---|---|\n");
    for (name, instead) in NOT_GENERIC {
        let _ = writeln!(text, "| `{name}` | `{instead}` |");
    }
    text.push_str("\n## Not offered\n\n| call | reason |\n|---|---|\n");
    for (name, reason) in NOT_OFFERED {
        let _ = writeln!(text, "| `{name}` | {reason} |");
    }
    text
}

impl Syscall {
    /// Name, arguments and result on one line.
    pub fn prototype(&self) -> String {
        let parameters: Vec<_> = self
            .parameters
            .iter()
            .map(|p| format!("{}: {}", p.name, p.kind))
            .collect();
        format!(
            "{}({}) -> {}",
            self.name,
            parameters.join(", "),
            self.result
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique() {
        let mut numbers: Vec<_> = SYSCALLS.iter().map(|call| call.number).collect();
        let mut names: Vec<_> = SYSCALLS.iter().map(|call| call.name).collect();
        names.extend(NOT_GENERIC.iter().chain(NOT_OFFERED).map(|(name, _)| *name));
        let counts = (numbers.len(), names.len());
        numbers.sort_unstable();
        numbers.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((numbers.len(), names.len()), counts);
        // The generic table of a port with 64-bit time only has 295; wait4 is the one more.
        assert_eq!(SYSCALLS.len(), 296);
    }

    #[test]
    fn arguments_fit_six_words() {
        for call in SYSCALLS {
            let words: usize = call
                .parameters
                .iter()
                .map(|p| {
                    if matches!(p.kind, "Off" | "Hex64") {
                        2
                    } else {
                        1
                    }
                })
                .sum();
            assert!(words <= 6, "{}", call.prototype());
        }
    }

    /// The C library's table is this list; a port that is not checked out is not compared.
    #[test]
    fn c_header_is_the_ports() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../lind-glibc/overlay/sysdeps/unix/sysv/linux/wasm32/arch-syscall.h"
        );
        let Ok(text) = std::fs::read_to_string(path) else {
            return;
        };
        let defines: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("#define __NR_"))
            .collect();
        assert_eq!(defines.join("\n"), c_header().trim_end());
    }
}
