//! What is asked of an address space.

use proptest::prelude::*;
use rawposix_memory::Writers;

use crate::{ARENA, FILE_PAGES, PAGE};

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Map {
        page: u32,
        len: u32,
        prot: u32,
        place: Place,
        what: What,
    },
    Unmap {
        page: u32,
        len: u32,
    },
    Protect {
        page: u32,
        len: u32,
        prot: u32,
    },
    Remap {
        page: u32,
        old: u32,
        new: u32,
        flags: u32,
        to: u32,
    },
    Brk {
        page: u32,
        extra: u32,
    },
    DontNeed {
        page: u32,
        len: u32,
    },
    Fill {
        page: u32,
        len: u32,
        value: u8,
    },
    /// What a fork does with a range of mappings: inherits, skips or wipes it.
    Policy {
        page: u32,
        len: u32,
        policy: Policy,
    },
    Fork(Whom, Writers),
    /// The process ends, and another one goes on.
    Exit,
    /// A child that writes everywhere and ends.
    Scribble(u8, Writers),
}

/// Which process goes on after a fork.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whom {
    Parent,
    Child,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Policy {
    Inherit,
    Skip,
    Wipe,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Fixed,
    NoReplace,
    Hint,
    Anywhere,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Anonymous,
    Private(u32),
    Shared(u32),
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let page = 0..ARENA;
    let len = 1..12_u32;
    let prot = prop_oneof![Just(0), Just(1), Just(3), Just(3), Just(5), Just(7)];
    let place = prop_oneof![
        3 => Just(Place::Fixed),
        1 => Just(Place::NoReplace),
        1 => Just(Place::Hint),
        2 => Just(Place::Anywhere),
    ];
    let what = prop_oneof![
        3 => Just(What::Anonymous),
        1 => (0..FILE_PAGES - 12).prop_map(What::Private),
        1 => (0..FILE_PAGES - 12).prop_map(What::Shared),
    ];
    let policy = prop_oneof![
        Just(Policy::Inherit),
        Just(Policy::Skip),
        Just(Policy::Wipe)
    ];
    let whom = prop_oneof![Just(Whom::Parent), Just(Whom::Child)];
    let writers = prop_oneof![3 => Just(Writers::Caller), 1 => Just(Writers::Others)];
    // Plain, MAYMOVE, FIXED, DONTUNMAP.
    let flags = prop_oneof![Just(0), Just(1), Just(1), Just(3), Just(5)];
    prop_oneof![
        4 => (page.clone(), len.clone(), prot.clone(), place, what).prop_map(
            |(page, len, prot, place, what)| Op::Map { page, len, prot, place, what }
        ),
        2 => (page.clone(), len.clone()).prop_map(|(page, len)| Op::Unmap { page, len }),
        2 => (page.clone(), len.clone(), prot)
            .prop_map(|(page, len, prot)| Op::Protect { page, len, prot }),
        3 => (page.clone(), len.clone(), len.clone(), flags, page.clone()).prop_map(
            |(page, old, new, flags, to)| Op::Remap { page, old, new, flags, to }
        ),
        1 => (0..ARENA / 2, 0..PAGE).prop_map(|(page, extra)| Op::Brk { page, extra }),
        1 => (page.clone(), len.clone()).prop_map(|(page, len)| Op::DontNeed { page, len }),
        4 => (page.clone(), len.clone(), any::<u8>())
            .prop_map(|(page, len, value)| Op::Fill { page, len, value }),
        1 => (page, len, policy).prop_map(|(page, len, policy)| Op::Policy { page, len, policy }),
        2 => (whom, writers.clone()).prop_map(|(whom, writers)| Op::Fork(whom, writers)),
        1 => Just(Op::Exit),
        2 => (any::<u8>(), writers).prop_map(|(value, writers)| Op::Scribble(value, writers)),
    ]
}

/// Calls on a range that was written and then frozen by a fork, so that most of them meet a layer.
pub(crate) fn layered_op() -> impl Strategy<Value = Op> {
    let page = 0..ARENA - 12;
    let len = 1..12_u32;
    let whom = prop_oneof![3 => Just(Whom::Parent), 1 => Just(Whom::Child)];
    let flags = prop_oneof![Just(0), Just(1), Just(1), Just(3), Just(5)];
    prop_oneof![
        3 => (page.clone(), len.clone()).prop_map(|(page, len)| Op::DontNeed { page, len }),
        3 => (page.clone(), len.clone(), any::<u8>())
            .prop_map(|(page, len, value)| Op::Fill { page, len, value }),
        3 => (page.clone(), len.clone(), len.clone(), flags, page.clone()).prop_map(
            |(page, old, new, flags, to)| Op::Remap { page, old, new, flags, to }
        ),
        1 => (page.clone(), len.clone()).prop_map(|(page, len)| Op::Unmap { page, len }),
        1 => (page, len, prop_oneof![Just(0), Just(1), Just(3)])
            .prop_map(|(page, len, prot)| Op::Protect { page, len, prot }),
        4 => whom.prop_map(|whom| Op::Fork(whom, Writers::Caller)),
        2 => Just(Op::Exit),
        1 => any::<u8>().prop_map(|value| Op::Scribble(value, Writers::Caller)),
    ]
}
