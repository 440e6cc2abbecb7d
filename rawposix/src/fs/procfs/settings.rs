//! Settings of a process that are files.

use std::sync::Arc;

use rawposix_abi::Errno;

use super::subject::{Subject, may_look_into};
use crate::cage::Process;

/// A setting. None of them needs another privilege than being the process's user, or one that nobody has here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    CoreFilter,
    OomScore,
    TimerSlack,
}

impl Setting {
    /// The setting that has this file.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "coredump_filter" => Some(Self::CoreFilter),
            "oom_score_adj" => Some(Self::OomScore),
            "timerslack_ns" => Some(Self::TimerSlack),
            _ => None,
        }
    }

    /// Fails for who may not change it.
    pub(super) fn check(self, writer: &Process, process: &Arc<Process>) -> Result<(), Errno> {
        self.check_reader(writer, process)?;
        may_look_into(writer, &Subject::Process(Arc::clone(process), None))
    }

    /// Fails for who may not even read it.
    pub(super) fn check_reader(self, reader: &Process, process: &Process) -> Result<(), Errno> {
        // The slack of another process needs CAP_SYS_NICE.
        if self == Self::TimerSlack && reader.pid != process.pid {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// Sets it. `EINVAL` for what is not a number of its range, `EACCES` for a score less than 0, which needs
    /// CAP_SYS_RESOURCE.
    pub(super) fn set(self, process: &Process, text: &[u8]) -> Result<(), Errno> {
        let text = std::str::from_utf8(text).map_err(|_| Errno::EINVAL)?.trim();
        match self {
            Self::CoreFilter => {
                /// Kinds of mappings.
                const KINDS: u32 = 0x1ff;
                let filter = number(text)? & KINDS;
                process.with_settings(|settings| settings.core_filter = filter);
            }
            Self::OomScore => match text.parse::<i32>() {
                Ok(score @ 0..=1000) => process.with_settings(|s| s.oom_score = score),
                Ok(-1000..0) => return Err(Errno::EACCES),
                _ => return Err(Errno::EINVAL),
            },
            Self::TimerSlack => {
                let slack: u64 = text.parse().map_err(|_| Errno::EINVAL)?;
                let slack = match slack {
                    0 => 50_000,
                    slack => u32::try_from(slack).unwrap_or(u32::MAX),
                };
                process.with_settings(|settings| settings.timer_slack = slack);
            }
        }
        Ok(())
    }
}

/// A number in the notation of C.
fn number(text: &str) -> Result<u32, Errno> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8),
        None => text.parse(),
    };
    parsed.map_err(|_| Errno::EINVAL)
}
