//! How the arguments of sysvipc(7) and mq_overview(7) are shown.

use rawposix_abi::flags::{GuestFlags, OpenFlags};
use rawposix_abi::structs::{MqAttr, Sembuf, Sigevent};

use super::Shown;
use super::kinds::{Show, ShowStruct, list, signal_name};
use crate::ipc::{CREATE, EXCLUSIVE, NO_WAIT, PRIVATE_KEY};
use crate::syscall::args::{
    IpcFlags, IpcKey, MessageCommand, MessageFlags, SegmentCommand, SegmentFlags, SemOps,
    SemaphoreCommand, Words,
};

/// The names of the bits that are set; the rest, if there is one or nothing else, as `rest` writes it.
fn names(word: u32, known: &[(u32, &str)], rest: impl Fn(u32) -> String) -> String {
    let set = known.iter().filter(|(bit, _)| word & bit != 0);
    let mut texts: Vec<String> = set.clone().map(|(_, name)| (*name).to_owned()).collect();
    let left = set.fold(word, |left, (bit, _)| left & !bit);
    if left != 0 || texts.is_empty() {
        texts.push(rest(left));
    }
    texts.join("|")
}

fn hexadecimal(word: u32) -> String {
    if word == 0 {
        String::from("0")
    } else {
        format!("{word:#x}")
    }
}

/// The name of a command.
fn command(word: u32, known: &[&'static str]) -> String {
    let common = ["IPC_RMID", "IPC_SET", "IPC_STAT", "IPC_INFO"];
    let place = usize::try_from(word).unwrap_or(usize::MAX);
    // The commands of a kind start at 11.
    let own = place.checked_sub(11).and_then(|place| known.get(place));
    let name = common.get(place).or(own);
    name.map_or_else(|| hexadecimal(word), |name| (*name).to_owned())
}

macro_rules! words {
    ($($kind:ident: |$word:ident| $text:expr;)*) => {$(
        impl Show for $kind {
            fn show(words: &mut Words, _: &Shown<'_>) -> Option<String> {
                let $word = words.take();
                Some($text)
            }
        }
    )*};
}

words! {
    IpcKey: |word| match word.cast_signed() {
        PRIVATE_KEY => String::from("IPC_PRIVATE"),
        _ => format!("{word:#x}"),
    };
    IpcFlags: |word| names(
        word,
        &[(CREATE, "IPC_CREAT"), (EXCLUSIVE, "IPC_EXCL")],
        |mode| if mode == 0 { String::from("000") } else { format!("0{mode:o}") },
    );
    MessageFlags: |word| names(
        word,
        &[(NO_WAIT, "IPC_NOWAIT"), (0o10_000, "MSG_NOERROR"), (0o20_000, "MSG_EXCEPT"), (0o40_000, "MSG_COPY")],
        hexadecimal,
    );
    SegmentFlags: |word| names(
        word,
        &[(0o10_000, "SHM_RDONLY"), (0o20_000, "SHM_RND"), (0o40_000, "SHM_REMAP"), (0o100_000, "SHM_EXEC")],
        hexadecimal,
    );
    MessageCommand: |word| command(word, &["MSG_STAT", "MSG_INFO", "MSG_STAT_ANY"]);
    SemaphoreCommand: |word| command(
        word,
        &[
            "GETPID", "GETVAL", "GETALL", "GETNCNT", "GETZCNT", "SETVAL", "SETALL", "SEM_STAT", "SEM_INFO", "SEM_STAT_ANY",
        ],
    );
    SegmentCommand: |word| command(word, &["SHM_LOCK", "SHM_UNLOCK", "SHM_STAT", "SHM_INFO", "SHM_STAT_ANY"]);
}

impl Show for SemOps {
    fn show(words: &mut Words, shown: &Shown<'_>) -> Option<String> {
        let addr = words.take();
        Some(list(shown, addr, words.peek(0), |operation: &Sembuf| {
            let flags = names(
                u32::from(operation.flags.cast_unsigned()),
                &[(NO_WAIT, "IPC_NOWAIT"), (0x1000, "SEM_UNDO")],
                hexadecimal,
            );
            format!(
                "{{sem_num={}, sem_op={}, sem_flg={flags}}}",
                operation.number, operation.change
            )
        }))
    }
}

impl ShowStruct for MqAttr {
    fn text(&self) -> String {
        let mut flags = String::new();
        match self.flags.cast_unsigned() {
            0 => flags.push('0'),
            set => OpenFlags::write(set, &mut flags),
        }
        format!(
            "{{mq_flags={}, mq_maxmsg={}, mq_msgsize={}, mq_curmsgs={}}}",
            flags.trim_start_matches("O_RDONLY|"),
            self.maxmsg,
            self.msgsize,
            self.curmsgs
        )
    }
}

impl ShowStruct for Sigevent {
    fn text(&self) -> String {
        let how = match self.notify {
            0 => "SIGEV_SIGNAL",
            1 => "SIGEV_NONE",
            2 => "SIGEV_THREAD",
            4 => "SIGEV_THREAD_ID",
            _ => "SIGEV_???",
        };
        let signal = match self.notify {
            0 | 4 => signal_name(self.signo.cast_unsigned()),
            _ => self.signo.to_string(),
        };
        format!(
            "{{sigev_value={{sival_int={}, sival_ptr={:#x}}}, sigev_signo={signal}, sigev_notify={how}}}",
            self.value.cast_signed(),
            self.value
        )
    }
}
