//! The keys of a pseudo-terminal that send signals, recognised as the line discipline does. See termios(3).

use rawposix_abi::{Errno, Signal};
use rawposix_memory::GuestSlice;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, LocalModes, QueueSelector, SpecialCodeIndex, Termios};

use super::{End, Terminals};
use crate::cage::Pid;
use crate::fd::HostFile;
use crate::thread::Thread;

/// The most bytes that one call writes.
const MOST: usize = 64 << 10;
/// The value of a control character that is switched off.
const DISABLED: u8 = 0;

/// What bytes mean to a line discipline with certain settings.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    settings: &'a Termios,
    /// The next byte is taken literally.
    pub(super) literal: bool,
}

impl<'a> Keys<'a> {
    pub(super) fn new(settings: &'a Termios, literal: bool) -> Self {
        Self { settings, literal }
    }

    fn is(&self, byte: u8, code: SpecialCodeIndex) -> bool {
        byte != DISABLED && self.settings.special_codes[code] == byte
    }

    /// The signal that a byte sends.
    pub(super) fn signal(&mut self, byte: u8) -> Option<Signal> {
        let local = self.settings.local_modes;
        if local.contains(LocalModes::EXTPROC) {
            return None;
        }
        if std::mem::take(&mut self.literal) {
            return None;
        }
        let input = self.settings.input_modes;
        let mut byte = byte;
        if input.contains(InputModes::ISTRIP) {
            byte &= 0x7f;
        }
        if input.contains(InputModes::IUCLC) && local.contains(LocalModes::IEXTEN) {
            byte = byte.to_ascii_lowercase();
        }
        if input.contains(InputModes::IXON)
            && (self.is(byte, SpecialCodeIndex::VSTART) || self.is(byte, SpecialCodeIndex::VSTOP))
        {
            return None;
        }
        if local.contains(LocalModes::ISIG) {
            let signals = [
                (SpecialCodeIndex::VINTR, Signal::SIGINT),
                (SpecialCodeIndex::VQUIT, Signal::SIGQUIT),
                (SpecialCodeIndex::VSUSP, Signal::SIGTSTP),
            ];
            let found = signals.into_iter().find(|(code, _)| self.is(byte, *code));
            if let Some((_, signal)) = found {
                return Some(signal);
            }
        }
        self.literal = local.contains(LocalModes::ICANON | LocalModes::IEXTEN)
            && self.is(byte, SpecialCodeIndex::VLNEXT);
        None
    }
}

/// Bytes that are written to the master's end, up to the first key that sends a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    /// How many bytes come before the key, or are left if there is none.
    plain: usize,
    key: Option<Signal>,
}

impl Terminals {
    fn next_piece(&self, number: u32, settings: &Termios, bytes: &[u8]) -> Piece {
        let table = self.table.lock();
        let state = table.lines.get(&number);
        let listened_to = state.is_some_and(|state| state.foreground != Pid::NONE);
        let literal = state
            .and_then(|s| s.pair.as_ref())
            .is_some_and(|pair| pair.literal);
        let mut keys = Keys::new(settings, literal);
        let mut signals = bytes.iter().map(|byte| keys.signal(*byte)).enumerate();
        // Without a foreground nobody is to be told.
        match signals.find(|(_, signal)| signal.is_some() && listened_to) {
            Some((plain, key)) => Piece { plain, key },
            None => Piece {
                plain: bytes.len(),
                key: None,
            },
        }
    }

    /// Notes that the line discipline has these bytes.
    fn written(&self, number: u32, settings: &Termios, bytes: &[u8]) {
        let mut table = self.table.lock();
        let state = table.lines.get_mut(&number);
        let Some(pair) = state.and_then(|state| state.pair.as_mut()) else {
            return;
        };
        let mut keys = Keys::new(settings, pair.literal);
        for byte in bytes {
            keys.signal(*byte);
        }
        pair.literal = keys.literal;
    }
}

impl Thread {
    /// Writes to the master's end of a pseudo-terminal; keys among the bytes send their signals when the host's line
    /// discipline has taken them: what it throws away then must not be what a signal's handler shows.
    pub(crate) fn write_to_master(
        &self,
        file: &HostFile,
        end: &End,
        ranges: impl IntoIterator<Item = GuestSlice<u8>>,
    ) -> Result<usize, Errno> {
        let mut bytes = Vec::new();
        for range in ranges {
            let length = usize::try_from(range.len()).unwrap_or(usize::MAX);
            let mut more = vec![0; length.min(MOST - bytes.len())];
            self.memory().read_bytes(range.start(), &mut more)?;
            bytes.append(&mut more);
        }
        let mut count = 0;
        loop {
            let rest = bytes.get(count..).unwrap_or_default();
            match self.write_piece(file, end, rest) {
                Ok(written) => count += written,
                Err(errno) if count == 0 => return Err(errno),
                Err(_) => return Ok(count),
            }
            if count >= bytes.len() {
                return Ok(count);
            }
        }
    }

    /// Writes bytes up to a key, or a key.
    fn write_piece(&self, file: &HostFile, end: &End, bytes: &[u8]) -> Result<usize, Errno> {
        let number = end.line().number;
        let terminals = &self.world.terminals;
        let settings = rustix::termios::tcgetattr(&file.fd)?;
        let piece = terminals.next_piece(number, &settings, bytes);
        let write = |length: usize| -> Result<usize, Errno> {
            let bytes = bytes.get(..length).unwrap_or_default();
            let count = self.block(|| rustix::io::write(&file.fd, bytes).map_err(Errno::from))?;
            terminals.written(number, &settings, bytes.get(..count).unwrap_or_default());
            Ok(count)
        };
        match piece.key {
            Some(signal) if piece.plain == 0 => {
                if !settings.local_modes.contains(LocalModes::NOFLSH) {
                    // As the key does: the other end's input is lost. Nothing is left, so the poll below waits.
                    rustix::termios::tcflush(&file.fd, QueueSelector::OFlush)?;
                }
                let count = write(1)?;
                settle(file);
                terminals.signal(&self.world, number, signal);
                Ok(count)
            }
            _ => write(piece.plain),
        }
    }
}

/// Waits until the line discipline has taken what was written: the host does that when somebody polls the other end and
/// finds no input.
fn settle(file: &HostFile) {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = OpenptFlags::from_bits_retain(flags.bits());
    if let Ok(other) = rustix::pty::ioctl_tiocgptpeer(&file.fd, flags) {
        let mut polled = [PollFd::new(&other, PollFlags::IN)];
        // A failure leaves the order of a signal and its echo open.
        let _ = rustix::event::poll(&mut polled, Some(&Timespec::default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Termios {
        let pair = rustix::pty::openpt(OpenptFlags::NOCTTY).unwrap();
        rustix::termios::tcgetattr(pair).unwrap()
    }

    fn signals(settings: &Termios, bytes: &[u8]) -> Vec<Signal> {
        let mut keys = Keys::new(settings, false);
        bytes.iter().filter_map(|byte| keys.signal(*byte)).collect()
    }

    #[test]
    fn keys_are_what_the_settings_say() {
        let mut settings = settings();
        let all = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTSTP];
        assert_eq!(signals(&settings, b"a\x03b\x1c\x1a\x04\0"), all);
        assert_eq!(
            signals(&settings, b"\x16\x03\x16\x16\x03"),
            [Signal::SIGINT]
        );
        settings.special_codes[SpecialCodeIndex::VINTR] = b'x';
        settings.special_codes[SpecialCodeIndex::VQUIT] = DISABLED;
        assert_eq!(signals(&settings, b"\x03\x1c\0xX"), [Signal::SIGINT]);
        settings.input_modes |= InputModes::ISTRIP | InputModes::IUCLC;
        assert_eq!(signals(&settings, b"X\xf8"), [Signal::SIGINT; 2]);
        settings.local_modes -= LocalModes::ICANON;
        assert_eq!(signals(&settings, b"\x16x"), [Signal::SIGINT]);
        settings.local_modes |= LocalModes::EXTPROC;
        assert_eq!(signals(&settings, b"x"), []);
        settings.local_modes -= LocalModes::EXTPROC | LocalModes::ISIG;
        assert_eq!(signals(&settings, b"x"), []);
    }
}
