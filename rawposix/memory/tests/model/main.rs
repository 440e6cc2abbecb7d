//! Random sequences of mapping calls against a simple model that knows pages only.
//!
//! After every call the two must agree on the result and on every page: whether it can be read,
//! whether it can be written, and what is in it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a panic is how a test fails"
)]

use std::io::Write;
use std::mem;
use std::os::fd::OwnedFd;

use std::sync::Arc;

use proptest::prelude::*;
use rawposix_abi::Errno;
use rawposix_memory::{
    AddressSpace, FileSource, GuestPtr, MapFlags, MapRequest, Protection, RegionKind, RemapFlags,
    RemapRequest, TOP, Writers,
};

mod ops;
mod pages;

use ops::{Op, Place, Policy, What, Whom, layered_op, op};
use pages::{Model, Page, ahead};

const PAGE: u32 = 4096;
/// The image ends here, and the break starts.
const HEAP: u32 = 0x10_0000;
/// Pages that fixed calls use, behind the start of the break.
const ARENA: u32 = 40;
const FILE_PAGES: u32 = 24;

struct Run {
    model: Model,
    space: Arc<AddressSpace>,
    file: Arc<OwnedFd>,
    /// The processes that do nothing now.
    others: Vec<(Model, Arc<AddressSpace>)>,
}

/// More processes than these are not made.
const PROCESSES: usize = 4;

fn at(page: u32) -> u32 {
    HEAP + page * PAGE
}

fn number(page: u32) -> u32 {
    HEAP / PAGE + page
}

impl Run {
    fn new() -> Self {
        let mut file = tempfile::tempfile().unwrap();
        let model = Model::new();
        for &value in model.file.borrow().iter() {
            file.write_all(&[value; PAGE as usize]).unwrap();
        }
        let space = AddressSpace::new().unwrap();
        space.map_image(u64::from(HEAP)).unwrap();
        // Most forks freeze something.
        space.set_copy_limit(u64::from(2 * PAGE));
        Self {
            model,
            space,
            file: Arc::new(OwnedFd::from(file)),
            others: Vec::new(),
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Map {
                page,
                len,
                prot,
                place,
                what,
            } => self.map(page, len, prot, place, what),
            Op::Unmap { page, len } => {
                assert_eq!(self.space.munmap(at(page), len * PAGE), Ok(()));
                self.model.unmap(number(page), len);
            }
            Op::Protect { page, len, prot } => self.protect(page, len, prot),
            Op::Remap {
                page,
                old,
                new,
                flags,
                to,
            } => self.remap(page, old, new, flags, to),
            Op::Brk { page, extra } => self.brk(at(page) + extra),
            Op::DontNeed { page, len } => {
                let pages: Vec<u32> = (number(page)..number(page) + len).collect();
                let whole = pages.iter().all(|n| self.model.pages.contains_key(n));
                let expected = if whole { Ok(()) } else { Err(Errno::ENOMEM) };
                assert_eq!(self.space.madvise(at(page), len * PAGE, 4), expected);
                for n in pages {
                    if let Some(page) = self.model.pages.get_mut(&n) {
                        page.own = None;
                    }
                }
            }
            Op::Fill { page, len, value } => {
                for n in number(page)..number(page) + len {
                    let written = self.space.write_bytes(GuestPtr::new(n * PAGE), &[value]);
                    let Some(page) = self
                        .model
                        .pages
                        .get(&n)
                        .filter(|page| page.prot & 2 != 0 && self.model.value(page).is_some())
                    else {
                        assert_eq!(written, Err(Errno::EFAULT));
                        continue;
                    };
                    assert_eq!(written, Ok(()));
                    match page.what {
                        What::Shared(n) => self.model.file.borrow_mut()[n as usize] = value,
                        _ => self.model.pages.get_mut(&n).unwrap().own = Some(value),
                    }
                }
            }
            Op::Policy { page, len, policy } => self.policy(number(page), len, policy),
            Op::Fork(whom, writers) if self.others.len() < PROCESSES => {
                let space = self.space.fork(writers).unwrap();
                let mut child = (self.model.forked(), space);
                if let Whom::Child = whom {
                    mem::swap(&mut self.model, &mut child.0);
                    mem::swap(&mut self.space, &mut child.1);
                }
                self.others.insert(0, child);
            }
            Op::Fork(..) => {}
            Op::Exit => {
                if let Some((model, space)) = self.others.pop() {
                    self.model = model;
                    self.space = space;
                }
            }
            Op::Scribble(value, writers) => {
                let child = self.space.fork(writers).unwrap();
                let shared = |page: &Page| matches!(page.what, What::Shared(_));
                for (&n, page) in &self.model.forked().pages {
                    if page.prot & 2 != 0 && !shared(page) {
                        let _ = child.write_bytes(GuestPtr::new(n * PAGE), &[value; 64]);
                    }
                }
                if !self.model.pages.contains_key(&number(ARENA - 1)) {
                    child.brk(at(ARENA));
                    let _ = child.write_bytes(GuestPtr::new(at(ARENA - 1)), &[value; 64]);
                }
            }
        }
    }

    /// MADV_DOFORK, MADV_KEEPONFORK, MADV_DONTFORK or MADV_WIPEONFORK, a page at a time.
    fn policy(&mut self, start: u32, len: u32, policy: Policy) {
        for n in start..start + len {
            let advice = match policy {
                Policy::Inherit if n % 2 == 0 => 11,
                Policy::Inherit => 19,
                Policy::Skip => 10,
                Policy::Wipe => 18,
            };
            let result = self.space.madvise(n * PAGE, PAGE, advice);
            let expected = match self.model.pages.get_mut(&n) {
                None => Err(Errno::ENOMEM),
                Some(page) if policy == Policy::Wipe && page.what != What::Anonymous => {
                    Err(Errno::EINVAL)
                }
                Some(page) => {
                    page.policy = policy;
                    Ok(())
                }
            };
            assert_eq!(result, expected);
        }
    }

    fn map(&mut self, page: u32, len: u32, prot: u32, place: Place, what: What) {
        let (kind, offset) = match what {
            What::Anonymous => (0x22, 0),
            What::Private(n) => (2, n),
            What::Shared(n) => (1, n),
        };
        let how = match place {
            Place::Fixed => 0x10,
            Place::NoReplace => 0x10_0000,
            Place::Hint | Place::Anywhere => 0,
        };
        let addr = match place {
            Place::Anywhere => 0,
            _ => at(page),
        };
        let result = self.space.mmap(MapRequest {
            addr,
            len: len * PAGE,
            prot: Protection::from_bits_retain(prot),
            flags: MapFlags::from_bits_retain(kind | how),
            file: Some(FileSource {
                file: self.file.clone(),
                offset: u64::from(offset * PAGE),
            }),
        });
        let free = self.model.free(number(page), len);
        let start = match place {
            Place::NoReplace if !free => {
                assert_eq!(result, Err(Errno::EEXIST));
                return;
            }
            Place::Fixed | Place::NoReplace => number(page),
            Place::Hint if free => number(page),
            Place::Hint | Place::Anywhere => self.model.find_free(len),
        };
        assert_eq!(result, Ok(start * PAGE));
        self.model.put(start, len, prot, RegionKind::Mapping, what);
    }

    fn protect(&mut self, page: u32, len: u32, prot: u32) {
        let result = self
            .space
            .mprotect(at(page), len * PAGE, Protection::from_bits_retain(prot));
        let mut expected = Ok(());
        for n in number(page)..number(page) + len {
            match self.model.pages.get_mut(&n) {
                Some(page) => page.prot = prot,
                None => {
                    expected = Err(Errno::ENOMEM);
                    break;
                }
            }
        }
        assert_eq!(result, expected);
    }

    fn remap(&mut self, page: u32, old: u32, new: u32, flags: u32, to: u32) {
        let result = self.space.mremap(RemapRequest {
            addr: at(page),
            old_len: old * PAGE,
            new_len: new * PAGE,
            flags: RemapFlags::from_bits_retain(flags),
            new_addr: if flags & 2 != 0 { at(to) } else { 0 },
        });
        let expected = self.remapped(number(page), old, new, flags, number(to));
        assert_eq!(result, expected.map(|page| page * PAGE));
    }

    /// mremap(2) in the model.
    fn remapped(
        &mut self,
        from: u32,
        old: u32,
        new: u32,
        flags: u32,
        to: u32,
    ) -> Result<u32, Errno> {
        let model = &mut self.model;
        if flags & 4 != 0 && old != new {
            return Err(Errno::EINVAL);
        }
        let overlap = to < from + old && from < to + new;
        if flags & 2 != 0 && overlap {
            return Err(Errno::EINVAL);
        }
        if !model.pages.contains_key(&from) {
            return Err(Errno::EFAULT);
        }
        if flags & 6 == 0 && new <= old {
            model.unmap(from + new, old - new);
            return Ok(from);
        }
        // As mremap(2) does with a fixed target: what is cut off may have holes.
        if !model.is_one(from, old.min(new)) {
            return Err(Errno::EFAULT);
        }
        if old > new {
            model.unmap(from + new, old - new);
        }
        let first = model.pages[&from].clone();
        let kept = old.min(new);
        let grow = |model: &mut Model, start: u32| {
            let what = ahead(first.what, kept);
            let kind = if start == from {
                first.kind
            } else {
                RegionKind::Mapping
            };
            model.put(start + kept, new - kept, first.prot, kind, what);
            for i in kept..new {
                model.pages.get_mut(&(start + i)).unwrap().policy = first.policy;
            }
        };
        if flags & 6 == 0 && !model.is_one(from, old + 1) && model.free(from + old, new - old) {
            grow(model, from);
            return Ok(from);
        }
        if flags & 1 == 0 {
            return Err(Errno::ENOMEM);
        }
        let start = if flags & 2 != 0 {
            to
        } else {
            model.find_free(new)
        };
        model.unmap(start, new);
        for i in 0..kept {
            let mut page = model.pages.remove(&(from + i)).unwrap();
            if flags & 4 != 0 {
                let mut rest = page.clone();
                rest.own = None;
                model.pages.insert(from + i, rest);
            }
            page.kind = RegionKind::Mapping;
            model.pages.insert(start + i, page);
        }
        grow(model, start);
        Ok(start)
    }

    fn brk(&mut self, addr: u32) {
        let result = self.space.brk(addr);
        let old = self.model.brk.div_ceil(PAGE);
        let new = addr.div_ceil(PAGE);
        if new < old {
            self.model.unmap(new, old - new);
        } else if new > old {
            if !self.model.free(old, new - old) {
                assert_eq!(result, self.model.brk);
                return;
            }
            let kind = RegionKind::Heap;
            self.model.put(old, new - old, 3, kind, What::Anonymous);
        }
        self.model.brk = addr;
        assert_eq!(result, addr);
    }

    /// Looks at all processes.
    fn check(&self, round: u32) {
        Self::check_one(&self.model, &self.space, round);
        for (model, space) in &self.others {
            Self::check_one(model, space, round);
        }
    }

    fn check_one(model: &Model, space: &AddressSpace, round: u32) {
        let window = (number(0)..number(ARENA + 30)).chain(TOP / PAGE - 60..TOP / PAGE);
        let mapped = model.pages.range(HEAP / PAGE..).map(|(&n, _)| n);
        for n in window.chain(mapped) {
            let ptr = GuestPtr::<u8>::new(n * PAGE);
            let seen = space.read(ptr);
            let page = model.pages.get(&n).filter(|page| page.prot != 0);
            let expected = page.and_then(|page| model.value(page)).ok_or(Errno::EFAULT);
            assert_eq!(seen, expected, "page {n:#x}: {page:?}");
            if page.is_some_and(|page| page.what == What::Anonymous) {
                // Only first bytes are ever written by those that are looked at.
                assert_eq!(space.read(GuestPtr::<u8>::new(n * PAGE + 1)), Ok(0));
            }
            // A store of what is there anyway, so that nothing changes but a private copy; not to every
            // page each time, since those that were never written are worth a look, too.
            let writable = page.is_some_and(|page| page.prot & 2 != 0) && seen.is_ok();
            if !writable {
                assert_eq!(space.write(ptr, &0), Err(Errno::EFAULT), "page {n:#x}");
            } else if page.is_some_and(|page| !matches!(page.what, What::Private(_)))
                && n % 4 == round % 4
            {
                assert_eq!(space.write(ptr, &seen.unwrap()), Ok(()), "page {n:#x}");
            }
        }
        let listed: Vec<u32> = space
            .mappings()
            .iter()
            .flat_map(|mapping| mapping.start / PAGE..mapping.end / PAGE)
            .collect();
        assert!(listed.into_iter().eq(model.pages.keys().copied()));
        let usage = space.usage();
        assert_eq!(usage.total, model.pages.len() as u64 * u64::from(PAGE));
        let data = model
            .pages
            .values()
            .filter(|page| page.prot & 2 != 0 && !matches!(page.what, What::Shared(_)));
        assert_eq!(usage.data, data.count() as u64 * u64::from(PAGE));
    }
}

fn run(ops: &[Op]) {
    let mut run = Run::new();
    run.check(0);
    for (round, op) in (1..).zip(ops) {
        run.apply(op);
        run.check(round);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn calls_agree_with_a_page_model(ops in prop::collection::vec(op(), 1..40)) {
        run(&ops);
    }

    #[test]
    fn frozen_memory_agrees_with_a_page_model(
        ops in prop::collection::vec(layered_op(), 1..25),
        value in 1..255_u8,
    ) {
        let (page, len) = (0, ARENA - 4);
        let map = Op::Map { page, len, prot: 3, place: Place::Fixed, what: What::Anonymous };
        let first = [map, Op::Fill { page, len, value }, Op::Fork(Whom::Parent, Writers::Caller)];
        run(&first.into_iter().chain(ops).collect::<Vec<_>>());
    }
}
