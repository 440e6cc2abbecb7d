//! Resource limits, see getrlimit(2).

use rawposix_abi::Errno;
use rawposix_abi::flags::resource;
use rawposix_abi::structs::Rlimit64;
use rawposix_memory::MemoryLimits;

/// No limit.
pub(crate) const UNLIMITED: u64 = u64::MAX;
/// More descriptors than this no process may have, as `/proc/sys/fs/nr_open` says.
const MAX_DESCRIPTORS: u64 = 1 << 20;

/// The limits of a process.
#[derive(Clone, Debug)]
pub(crate) struct Limits([Rlimit64; 16]);

impl Default for Limits {
    fn default() -> Self {
        let mut limits = [Rlimit64 {
            current: UNLIMITED,
            max: UNLIMITED,
        }; 16];
        let defaults = [
            (resource::RLIMIT_STACK, 8 << 20, UNLIMITED),
            (resource::RLIMIT_NPROC, 4096, 4096),
            (resource::RLIMIT_NOFILE, 1024, 4096),
            (resource::RLIMIT_MEMLOCK, 8 << 20, 8 << 20),
            (resource::RLIMIT_SIGPENDING, 4096, 4096),
            (resource::RLIMIT_MSGQUEUE, 819_200, 819_200),
            (resource::RLIMIT_NICE, 0, 0),
            (resource::RLIMIT_RTPRIO, 0, 0),
        ];
        for (number, current, max) in defaults {
            if let Some(slot) = usize::try_from(number).ok().and_then(|i| limits.get_mut(i)) {
                *slot = Rlimit64 { current, max };
            }
        }
        Self(limits)
    }
}

impl Limits {
    /// The limit with this number; `EINVAL` for an unknown one.
    pub(crate) fn get(&self, number: u32) -> Result<Rlimit64, Errno> {
        let index = usize::try_from(number).map_err(|_| Errno::EINVAL)?;
        self.0.get(index).copied().ok_or(Errno::EINVAL)
    }

    /// Replaces a limit, as a process without privileges may.
    pub(crate) fn set(&mut self, number: u32, value: Rlimit64) -> Result<(), Errno> {
        let old = self.get(number)?;
        if value.current > value.max {
            return Err(Errno::EINVAL);
        }
        if value.max > old.max || (number == resource::RLIMIT_NOFILE && value.max > MAX_DESCRIPTORS)
        {
            return Err(Errno::EPERM);
        }
        self.force(number, value);
        Ok(())
    }

    /// Replaces a limit, whatever it was.
    pub(crate) fn force(&mut self, number: u32, value: Rlimit64) {
        if let Some(slot) = usize::try_from(number).ok().and_then(|i| self.0.get_mut(i)) {
            *slot = value;
        }
    }

    /// The number of descriptors a process may have.
    pub(crate) fn descriptors(&self) -> u64 {
        self.current(resource::RLIMIT_NOFILE).min(MAX_DESCRIPTORS)
    }

    /// The number of threads the user may have.
    pub(crate) fn threads(&self) -> u64 {
        self.current(resource::RLIMIT_NPROC)
    }

    /// The greatest size of a core file.
    pub(crate) fn core(&self) -> u64 {
        self.current(resource::RLIMIT_CORE)
    }

    /// The greatest size of a file.
    pub(crate) fn file_size(&self) -> u64 {
        self.current(resource::RLIMIT_FSIZE)
    }

    /// Those that concern memory.
    pub(crate) fn memory(&self) -> MemoryLimits {
        MemoryLimits {
            address_space: self.current(resource::RLIMIT_AS),
            data: self.current(resource::RLIMIT_DATA),
            locked: self.current(resource::RLIMIT_MEMLOCK),
        }
    }

    fn current(&self, number: u32) -> u64 {
        self.get(number).map_or(UNLIMITED, |limit| limit.current)
    }
}
