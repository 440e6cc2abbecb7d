//! Memory that nobody can reach for a while, to find out who tries.

use std::fmt;
use std::sync::Arc;

use rawposix_abi::Errno;

use crate::AddressSpace;
use crate::host::{HostProtection, SIZE, Span};
use crate::layout::bytes;
use crate::region::host_protection;

/// An address space none of whose pages is accessible, until this is dropped.
pub struct Concealed(Arc<AddressSpace>);

impl AddressSpace {
    /// Makes all pages inaccessible without a change to the mappings, so that whoever uses a wrong address space is
    /// found: guest code faults, copies give `EFAULT`. For tests of fork.
    ///
    /// The caller sees to it that nothing is mapped, unmapped or protected in the space meanwhile.
    ///
    /// # Errors
    /// Those of mprotect(2).
    pub fn conceal(self: &Arc<Self>) -> Result<Concealed, Errno> {
        let concealed = Concealed(Arc::clone(self));
        self.reservation()
            .protect(Span::new(0, SIZE)?, HostProtection::NONE)?;
        Ok(concealed)
    }
}

impl Drop for Concealed {
    fn drop(&mut self) {
        let layout = self.0.layout().lock();
        for (range, region) in layout.regions().iter() {
            let protection = host_protection(region.protection);
            if protection != HostProtection::NONE
                && let Ok(span) = Span::new(range.start, bytes(&range))
            {
                // What fails here stays concealed, and the test that asked for it fails.
                let _ = self.0.reservation().protect(span, protection);
            }
        }
    }
}

impl fmt::Debug for Concealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Concealed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GuestPtr, MapFlags, MapRequest, Protection};

    #[test]
    fn concealed_memory_faults_and_comes_back() {
        let space = AddressSpace::new().unwrap();
        let flags = MapFlags::PRIVATE | MapFlags::ANONYMOUS | MapFlags::FIXED;
        for (addr, prot) in [
            (0x2_0000, Protection::READ | Protection::WRITE),
            (0x4_0000, Protection::empty()),
        ] {
            let request = MapRequest {
                addr,
                len: 0x1_0000,
                prot,
                flags,
                file: None,
            };
            space.mmap(request).unwrap();
        }
        let word = GuestPtr::<u32>::new(0x2_1000);
        space.write(word, &7).unwrap();
        let concealed = space.conceal().unwrap();
        assert_eq!(space.read(word), Err(Errno::EFAULT));
        assert_eq!(space.write(word, &8), Err(Errno::EFAULT));
        drop(concealed);
        assert_eq!(space.read(word), Ok(7));
        let inaccessible = GuestPtr::<u32>::new(0x4_1000);
        assert_eq!(space.read(inaccessible), Err(Errno::EFAULT));
    }
}
