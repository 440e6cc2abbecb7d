//! Faults of `memory.copy` and `memory.fill`, which the host does, as faults of the guest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rawposix_memory::{GuestPtr, Protection};
use wasmtime::native_frames::{resume, set_bulk_fault_handler};
use wasmtime::{Caller, Error, Result, Trap};

use crate::host::{MAPPED_END, State, module};
use crate::interrupts::{
    FORKED, Guest, INTERRUPTS, child, forked, guest, imports, new_guest, no_event, trap,
};

/// Half of the 0x800 bytes of each operation are on the page that is not accessible.
const AT: u32 = MAPPED_END - 0x400;

/// Has the guest's function called at faults of the host; counts them.
fn handle(guest: &mut Guest) -> Result<Arc<AtomicU32>> {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let base = guest.memory.space.base().as_ptr().addr();
    let memory = base..base + (1 << 32);
    set_bulk_fault_handler(&mut guest.store, move |fault| {
        assert!(memory.contains(&fault.written.start) && memory.contains(&fault.written.end));
        assert!(fault.read.is_empty() || memory.contains(&fault.read.start));
        count.fetch_add(1, Ordering::SeqCst);
        true
    })?;
    Ok(asked)
}

fn map(guest: &Guest) -> Result<()> {
    guest
        .memory
        .map(MAPPED_END, 0x1000, Protection::READ | Protection::WRITE)
}

fn repair(caller: Caller<'_, State>, _: i32) -> Result<i32> {
    let Some(space) = caller.data().space.clone() else {
        return Err(Error::msg("no space"));
    };
    let all = Protection::READ | Protection::WRITE;
    assert_eq!(space.mprotect(MAPPED_END, 0x1000, all), Ok(()));
    Ok(0)
}

/// What stands in memory after an operation: its last word.
fn expect(name: &str) -> u32 {
    match name {
        "fill" => 0xaaaa_aaaa,
        "copy_to" => 0x1234_5678,
        _ => 0x8765_4321,
    }
}

fn prepare(guest: &Guest) {
    let space = &guest.memory.space;
    let all = Protection::READ | Protection::WRITE;
    assert_eq!(space.mprotect(MAPPED_END, 0x1000, all), Ok(()));
    for (at, value) in [(0x2_17fc_u32, 0x1234_5678_u32), (AT + 0x7fc, 0x8765_4321)] {
        assert_eq!(space.write(GuestPtr::new(at), &value), Ok(()));
    }
    assert_eq!(
        space.mprotect(MAPPED_END, 0x1000, Protection::empty()),
        Ok(())
    );
}

#[test]
fn they_can_be_repaired() -> Result<()> {
    let mut guest = new_guest(repair)?;
    map(&guest)?;
    guest.set_mode(6)?;
    let asked = handle(&mut guest)?;
    for round in 0..50 {
        for (i, name) in (1..).zip(["fill", "copy_to", "copy_from"]) {
            prepare(&guest);
            let result = guest.call(name, AT.cast_signed())?;
            assert_eq!(result.cast_unsigned(), expect(name), "{name}");
            assert_eq!(asked.load(Ordering::SeqCst), 3 * round + i);
        }
    }
    assert_eq!(guest.global("inside"), 0);
    Ok(())
}

#[test]
fn they_can_be_jumped_out_of() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    let asked = handle(&mut guest)?;
    for mode in [2, 8] {
        guest.set_mode(mode)?;
        for _ in 0..20 {
            assert_eq!(guest.call("caught", 3)?, 42);
        }
    }
    assert_eq!(asked.load(Ordering::SeqCst), 40);
    Ok(())
}

#[test]
fn their_function_can_fork() -> Result<()> {
    fn fork_and_repair(mut caller: Caller<'_, State>, value: i32) -> Result<i32> {
        let Some(space) = caller.data().space.clone() else {
            return Err(Error::msg("no space"));
        };
        forked(&mut caller, value)?;
        let all = Protection::READ | Protection::WRITE;
        assert_eq!(space.mprotect(MAPPED_END, 0x1000, all), Ok(()));
        Ok(0)
    }
    let module = module(INTERRUPTS)?;
    let imports = imports(&module, fork_and_repair)?;
    let mut parent = guest(&imports, None)?;
    map(&parent)?;
    parent.set_mode(3)?;
    handle(&mut parent)?;
    for name in ["fill", "copy_to", "copy_from"] {
        prepare(&parent);
        let result = parent.call(name, AT.cast_signed())?;
        assert_eq!(result.cast_unsigned(), expect(name));
        let Some(forked) = FORKED.with_borrow_mut(Vec::pop) else {
            return Err(Error::msg("no fork"));
        };
        // The child repeats the operation in its own memory, where it faults again.
        let mut child = child(&imports, &forked)?;
        map(&child)?;
        prepare(&child);
        let asked = handle(&mut child)?;
        let result = resume(&mut child.store, &child.instance, &forked.frames, 2)?;
        assert_eq!(u32::try_from(result & 0xffff_ffff).ok(), Some(expect(name)));
        assert_eq!(asked.load(Ordering::SeqCst), 0, "the child repaired before");
        assert_eq!(child.global("inside"), 0);
    }
    Ok(())
}

#[test]
fn otherwise_they_are_traps() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    let trapped = Some(Trap::MemoryOutOfBounds);
    assert_eq!(trap(guest.call("fill", AT.cast_signed())), trapped);
    set_bulk_fault_handler(&mut guest.store, |_| false)?;
    assert_eq!(trap(guest.call("fill", AT.cast_signed())), trapped);
    assert_eq!(guest.global("signals"), 0);
    // A copy within itself is perhaps half done.
    let asked = handle(&mut guest)?;
    assert_eq!(
        trap(guest.call("copy_overlapping", AT.cast_signed())),
        trapped
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    Ok(())
}
