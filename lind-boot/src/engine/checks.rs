//! What makes mistakes of fork show, for lind's own tests.
//!
//! The environment variable `LIND_FORK_CHECKS` of lind's process names them, with commas between:
//!
//! - `poison`: in the frames that a child gets, every word that looks like a pointer to the parent's instance, store
//!   or stack is overwritten. All of them are dead if compiled code is right.
//! - `conceal`: while a child runs, the memory of its parent is inaccessible and the parent waits, so that a child that
//!   uses anything of its parent's memory dies. Parents with several threads are left alone. A parent that its child
//!   waits for goes on after [`PATIENCE`], with its memory.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rawposix::Control;
use rawposix_memory::AddressSpace;
use wasmtime::Caller;
use wasmtime::native_frames::Frames;

use super::guest::Guest;
use crate::failure::Failure;

const VARIABLE: &str = "LIND_FORK_CHECKS";
/// How long a parent is concealed at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which checks are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ForkChecks {
    pub(super) poison: bool,
    pub(super) conceal: bool,
}

impl ForkChecks {
    /// The checks that the environment asks for.
    pub(super) fn from_environment() -> Result<Self, Failure> {
        match std::env::var_os(VARIABLE) {
            Some(value) => Self::parse(&value.to_string_lossy()),
            None => Ok(Self::default()),
        }
    }

    fn parse(value: &str) -> Result<Self, Failure> {
        let mut checks = Self::default();
        for name in value.split(',').filter(|name| !name.is_empty()) {
            match name {
                "poison" => checks.poison = true,
                "conceal" => checks.conceal = true,
                _ => {
                    let message = format!("{VARIABLE}: unknown check '{name}'");
                    return Err(Failure::lind(message).hint("there are poison and conceal"));
                }
            }
        }
        Ok(checks)
    }
}

/// Overwrites what looks like a pointer to something of the caller's alone.
pub(super) fn poison(caller: &mut Caller<'_, Guest>, frames: &mut Frames) -> wasmtime::Result<()> {
    // The memory is not among them: a word whose lower half is a number of 32 bits may have any upper half, also that of
    // an old pointer, and then looks like an address in four gigabytes.
    let foreign = Frames::foreign_ranges(caller)?;
    // What is given as the stack is more than it, and return addresses are no pointers to anything of the parent's.
    let text = caller.data().program.module.text().as_ptr_range();
    let text = text.start.addr()..text.end.addr();
    let parts = foreign.into_iter().flat_map(|range| without(range, &text));
    frames.poison(&parts.collect::<Vec<_>>());
    Ok(())
}

/// What is left of a range, one part or two.
fn without(range: Range<usize>, hole: &Range<usize>) -> [Range<usize>; 2] {
    let below = range.start..range.end.min(hole.start);
    let above = range.start.max(hole.end)..range.end;
    [below, above]
}

/// Who of a parent and its child may run.
#[derive(Clone)]
pub(super) struct Turns(Arc<(Mutex<Turn>, Condvar)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The child waits until its parent is concealed.
    Parent,
    Child,
    /// The child has ended, or its host thread was never told to run it.
    Over,
}

/// The child's side; dropped when it has ended.
pub(super) struct ChildsTurn(Turns);

impl Turns {
    pub(super) fn new() -> Self {
        Self(Arc::new((Mutex::new(Turn::Parent), Condvar::new())))
    }

    /// Waits for the child's turn.
    pub(super) fn of_child(self) -> ChildsTurn {
        self.wait_while(Turn::Parent, None);
        ChildsTurn(self)
    }

    /// Conceals the parent's memory until the child has ended.
    pub(super) fn let_child_run(self, memory: &Arc<AddressSpace>, control: &Control) {
        let made = matches!(control, Control::Return(word) if *word > 0);
        let concealed = made.then(|| memory.conceal());
        self.change(Turn::Child);
        if let Some(Ok(_concealed)) = concealed {
            self.wait_while(Turn::Child, Some(Instant::now() + PATIENCE));
        }
    }

    fn wait_while(&self, turn: Turn, end: Option<Instant>) {
        let (state, changed) = &*self.0;
        let mut now = state.lock();
        while *now == turn {
            match end {
                None => changed.wait(&mut now),
                Some(end) if changed.wait_until(&mut now, end).timed_out() => return,
                Some(_) => {}
            }
        }
    }

    fn change(&self, turn: Turn) {
        let (state, changed) = &*self.0;
        let mut now = state.lock();
        if *now != Turn::Over {
            *now = turn;
        }
        changed.notify_all();
    }
}

impl Drop for ChildsTurn {
    fn drop(&mut self) {
        self.0.change(Turn::Over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_named() {
        let both = ForkChecks {
            poison: true,
            conceal: true,
        };
        assert_eq!(ForkChecks::parse("conceal,poison").ok(), Some(both));
        assert_eq!(ForkChecks::parse("").ok(), Some(ForkChecks::default()));
        assert!(ForkChecks::parse("poisons").is_err());
    }

    #[test]
    fn a_hole_leaves_what_is_around_it() {
        assert_eq!(without(2..9, &(4..6)), [2..4, 6..9]);
        let [below, above] = without(2..9, &(0..4));
        assert!(below.is_empty() && above == (4..9));
        let [below, above] = without(2..9, &(20..30));
        assert!(below == (2..9) && above.is_empty());
    }

    #[test]
    fn a_child_waits_until_its_parent_is_concealed() {
        let turns = Turns::new();
        let childs = turns.clone();
        let memory = AddressSpace::new().unwrap();
        let child = std::thread::spawn(move || {
            let turn = childs.of_child();
            std::thread::sleep(Duration::from_millis(5));
            drop(turn);
        });
        assert!(!child.is_finished());
        turns.let_child_run(&memory, &Control::Return(7));
        child.join().unwrap();
    }
}
