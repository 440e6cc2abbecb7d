//! Several filters together.

use proptest::prelude::*;
use rawposix_abi::structs::SockFilter;

use super::*;

fn constant(verdict: u32) -> Program {
    let ret = SockFilter {
        code: 0x06,
        jt: 0,
        jf: 0,
        k: verdict,
    };
    Program::new(&[ret]).unwrap()
}

fn all(verdicts: &[u32]) -> Filters {
    verdicts
        .iter()
        .fold(Filters::default(), |filters, verdict| {
            with(&filters, constant(*verdict)).unwrap()
        })
}

#[test]
fn the_most_restrictive_action_counts() {
    // As seccomp(2) lists them.
    let order = [
        action::KILL_PROCESS,
        action::KILL_THREAD,
        action::TRAP,
        action::ERRNO,
        action::USER_NOTIF,
        action::TRACE,
        action::LOG,
        action::ALLOW,
    ];
    for (place, strict) in order.iter().enumerate() {
        for lenient in order.iter().skip(place) {
            for verdicts in [[*strict, *lenient], [*lenient, *strict]] {
                assert_eq!(judge(&all(&verdicts), &Data::default()), *strict);
            }
        }
    }
    assert_eq!(judge(&[], &Data::default()), action::ALLOW);
}

#[test]
fn among_equals_the_newest_counts() {
    let filters = all(&[action::ERRNO | 1, action::ALLOW, action::ERRNO | 2]);
    assert_eq!(judge(&filters, &Data::default()), action::ERRNO | 2);
}

#[test]
fn all_filters_together_have_a_size() {
    let long = || {
        let ret = SockFilter {
            code: 0x06,
            ..SockFilter::default()
        };
        Program::new(&[ret; 4096]).unwrap()
    };
    let mut filters = Filters::default();
    for _ in 0..7 {
        filters = with(&filters, long()).unwrap();
    }
    assert_eq!(with(&filters, long()), Err(Errno::ENOMEM));
    assert!(with(&filters, constant(0)).is_ok());
}

#[test]
fn filters_follow_those_that_they_begin_with() {
    let (one, other) = (Seccomp::default(), Seccomp::default());
    let first = all(&[action::ALLOW]);
    let second = with(&first, constant(action::LOG)).unwrap();
    assert!(other.can_follow(&first));
    other.install(Arc::clone(&first));
    assert!(other.can_follow(&second));
    other.install(Arc::clone(&second));
    assert!(!other.can_follow(&first));
    assert!(!other.can_follow(&all(&[action::ALLOW, action::LOG])));
    assert_eq!(one.make_strict(), Ok(()));
    assert_eq!(other.make_strict(), Err(Errno::EINVAL));
    assert!(!one.can_follow(&second));
    assert_eq!(one.inherited().mode(), Mode::Strict);
    assert_eq!(other.inherited().filters().len(), 2);
}

proptest! {
    #[test]
    fn the_judgement_is_the_least_one(verdicts in proptest::collection::vec(any::<u32>(), 1..6)) {
        let severity = |verdict: u32| (verdict & action::MASK).cast_signed();
        let strictest = verdicts.iter().map(|v| severity(*v)).min().unwrap();
        let judged = severity(judge(&all(&verdicts), &Data::default()));
        prop_assert_eq!(judged, strictest.min(severity(action::ALLOW)));
    }
}
