//! The model: an address space is its pages, one by one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rawposix_memory::{RegionKind, TOP};

use crate::ops::{Policy, What};
use crate::{FILE_PAGES, HEAP, PAGE};

/// A page of the model.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) prot: u32,
    pub(crate) kind: RegionKind,
    pub(crate) what: What,
    /// The first byte, once it is the process's own; else it is the file's or zero.
    pub(crate) own: Option<u8>,
    pub(crate) policy: Policy,
}

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) pages: BTreeMap<u32, Page>,
    /// All processes have the same one.
    pub(crate) file: Rc<RefCell<Vec<u8>>>,
    pub(crate) brk: u32,
}

impl Model {
    pub(crate) fn new() -> Self {
        let page = Page {
            prot: 3,
            kind: RegionKind::Image,
            what: What::Anonymous,
            own: None,
            policy: Policy::Inherit,
        };
        Self {
            pages: (0x10..HEAP / PAGE).map(|n| (n, page.clone())).collect(),
            file: Rc::new(RefCell::new((1..).take(FILE_PAGES as usize).collect())),
            brk: HEAP,
        }
    }

    /// The first byte of a page; nothing when the file has no such page.
    pub(crate) fn value(&self, page: &Page) -> Option<u8> {
        let of_file = |n: u32| self.file.borrow().get(n as usize).copied();
        match (page.own, page.what) {
            (_, What::Shared(n)) => of_file(n),
            (Some(own), _) => Some(own),
            (None, What::Private(n)) => of_file(n),
            (None, What::Anonymous) => Some(0),
        }
    }

    pub(crate) fn free(&self, start: u32, len: u32) -> bool {
        self.pages.range(start..start + len).next().is_none()
    }

    pub(crate) fn find_free(&self, len: u32) -> u32 {
        let mut start = TOP / PAGE - len;
        while !self.free(start, len) {
            start -= 1;
        }
        start
    }

    pub(crate) fn put(&mut self, start: u32, len: u32, prot: u32, kind: RegionKind, what: What) {
        for i in 0..len {
            let what = ahead(what, i);
            let page = Page {
                prot,
                kind,
                what,
                own: None,
                policy: Policy::Inherit,
            };
            self.pages.insert(start + i, page);
        }
    }

    pub(crate) fn unmap(&mut self, start: u32, len: u32) {
        for n in start..start + len {
            self.pages.remove(&n);
        }
    }

    /// What a child has.
    pub(crate) fn forked(&self) -> Self {
        let mut child = self.clone();
        child.pages.retain(|_, page| page.policy != Policy::Skip);
        for page in child.pages.values_mut() {
            if page.policy == Policy::Wipe {
                page.own = None;
            }
        }
        child
    }

    /// Whether the pages are one mapping.
    pub(crate) fn is_one(&self, start: u32, len: u32) -> bool {
        let Some(first) = self.pages.get(&start) else {
            return false;
        };
        (0..len).all(|i| {
            self.pages.get(&(start + i)).is_some_and(|page| {
                page.prot == first.prot
                    && page.kind == first.kind
                    && page.policy == first.policy
                    && page.what == ahead(first.what, i)
            })
        })
    }
}

pub(crate) fn ahead(what: What, by: u32) -> What {
    match what {
        What::Anonymous => What::Anonymous,
        What::Private(n) => What::Private(n + by),
        What::Shared(n) => What::Shared(n + by),
    }
}
