//! Places to jump back to.

use rawposix_memory::GuestPtr;
use wasmtime::native_frames::resume;
use wasmtime::{Error, Instance, Result, Store};

use crate::host::{MAPPED, Memory, State, call, instantiate, module};

const JUMPS: &str = include_str!("../../wat/jumps.wat");

fn jumps() -> Result<(Store<State>, Instance, Memory)> {
    instantiate(&module(JUMPS)?)
}

/// Calls an export that must fail with a message that has `text` in it; the store has to work afterwards.
fn refused(name: &str, arg: i32, text: &str) -> Result<()> {
    let (mut store, instance, _memory) = jumps()?;
    let said = match call(&mut store, &instance, name, arg) {
        Ok(value) => value.to_string(),
        Err(error) => format!("{error:#}"),
    };
    assert!(said.contains(text), "{name}: {said}");
    assert_eq!(call(&mut store, &instance, "across", 3)?, 77 + 8 + 1000);
    Ok(())
}

#[test]
fn a_jump_returns_from_setjmp_again() -> Result<()> {
    let (mut store, instance, _memory) = jumps()?;
    for n in [0, 1, 2, 50, 1_000] {
        assert_eq!(call(&mut store, &instance, "across", n)?, 77 + n + 5 + 1000);
        assert_eq!(store.data_mut().jumped.take(), Some(42));
        assert_eq!(store.data().jumps.len(), 1);
    }
    Ok(())
}

#[test]
fn the_same_place_is_one_buffer() -> Result<()> {
    let (mut store, instance, _memory) = jumps()?;
    let first = call(&mut store, &instance, "again", 1)?;
    assert_eq!(call(&mut store, &instance, "again", 10_000_000)?, first);
    assert_eq!(store.data().jumps.len(), 1);
    Ok(())
}

#[test]
fn buffers_of_frames_that_are_gone_are_forgotten() -> Result<()> {
    let (mut store, instance, _memory) = jumps()?;
    assert_eq!(call(&mut store, &instance, "nest", 1_000)?, 1_000);
    assert_eq!(store.data().jumps.len(), 1_001);
    assert_eq!(call(&mut store, &instance, "nest", 10)?, 10);
    assert_eq!(store.data().jumps.len(), 11);
    call(&mut store, &instance, "across", 10)?;
    assert_eq!(store.data().jumps.len(), 1);
    Ok(())
}

#[test]
fn a_frame_can_have_several_places() -> Result<()> {
    let (mut store, instance, _memory) = jumps()?;
    // First place (1), second (10), jump to the first (1), jump to the second (10).
    assert_eq!(call(&mut store, &instance, "two", 0)?, 22);
    Ok(())
}

#[test]
fn jumps_to_frames_that_are_gone_are_refused() -> Result<()> {
    refused("gone", 5, "is gone")?;
    refused("wrong_function", 5, "is gone")?;
    refused("wrong_caller", 5, "is gone")?;
    refused("wrong_oldest", 0, "is gone")?;
    refused("wrong_oldest", 1, "no such jump buffer")
}

#[test]
fn jumps_to_unknown_places_are_refused() -> Result<()> {
    for id in [0, 2, -1, i32::MAX, i32::MIN] {
        refused("unknown", id, "no such jump buffer")?;
    }
    let (mut store, instance, _memory) = jumps()?;
    // Before there is any place.
    let alone = module(
        r#"(module (import "host" "longjmp" (func $longjmp (param i32 i32) (result i32)))
            (func (export "run") (param i32) (result i32) (call $longjmp (local.get 0) (i32.const 1))))"#,
    )?;
    let (mut other, run, _memory) = instantiate(&alone)?;
    assert!(call(&mut other, &run, "run", 1).is_err());
    assert_eq!(call(&mut store, &instance, "across", 1)?, 77 + 6 + 1000);
    Ok(())
}

#[test]
fn a_later_call_of_the_function_is_a_place_as_well() -> Result<()> {
    let (mut store, instance, _memory) = jumps()?;
    // The jump goes to the first call's `setjmp`, in the frame of the second call.
    assert_eq!(call(&mut store, &instance, "later_call", 0)?, 5);
    Ok(())
}

#[test]
fn a_host_function_can_fail_after_a_jump() -> Result<()> {
    refused("fail_after", 0, "told to fail")
}

#[test]
fn a_place_made_before_fork_is_one_in_both() -> Result<()> {
    let module = module(JUMPS)?;
    let (mut store, instance, memory) = instantiate(&module)?;
    let write = |memory: &Memory, word: u32| match memory.space.write(GuestPtr::new(MAPPED), &word)
    {
        Ok(()) => Ok(()),
        Err(errno) => Err(Error::msg(format!("{errno:?}"))),
    };
    write(&memory, 1_000)?;
    // The buffers as they are when the frames are captured.
    let parent = call(&mut store, &instance, "fork", 1)?;
    assert_eq!(parent, 501 + 1_000);
    let frames = store.data_mut().captured.remove(0);
    let buffers = store.data().jumps.clone();
    drop(store);

    let (mut child, instance, memory) = instantiate(&module)?;
    write(&memory, 2_000)?;
    child.data_mut().jumps = buffers;
    assert_eq!(
        resume(&mut child, &instance, &frames, 2)? & 0xffff_ffff,
        502 + 2_000
    );
    assert_eq!(child.data_mut().jumped.take(), Some(1));
    Ok(())
}

#[test]
fn places_are_of_one_module() -> Result<()> {
    let (mut store, instance, _memory) = jumps()?;
    call(&mut store, &instance, "across", 1)?;
    let buffers = store.data().jumps.clone();
    let (mut other, instance, _memory) = instantiate(&module(JUMPS)?)?;
    other.data_mut().jumps = buffers;
    assert!(call(&mut other, &instance, "across", 1).is_err());
    Ok(())
}
