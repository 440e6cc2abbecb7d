//! Capturing and resuming frames.

use rawposix_memory::GuestPtr;
use wasmtime::native_frames::{self, Frames, resume};
use wasmtime::{Error, Func, Instance, Module, Result, Store, Trap};

use crate::host::{MAPPED, State, call, config, engine, instantiate, linker, module};

const FRAMES: &str = include_str!("../../wat/frames.wat");

/// A store with an instance of `module` in whose memory stands `word`.
fn with_word(module: &Module, word: u32) -> Result<(Store<State>, Instance)> {
    let (mut store, instance, memory) = instantiate(module)?;
    store.data_mut().poison = true;
    match memory.space.write(GuestPtr::new(MAPPED), &word) {
        Ok(()) => Ok((store, instance)),
        Err(errno) => Err(Error::msg(format!("{errno:?}"))),
    }
}

/// Runs an export in a store that is gone before its frames run again, on another thread, with the word 7 in place of
/// 3 in memory: the results of both.
fn both(name: &'static str, arg: i32) -> Result<(i32, i32)> {
    let module = module(FRAMES)?;
    let (mut store, instance) = with_word(&module, 3)?;
    let parent = call(&mut store, &instance, name, arg)?;
    let Some(frames) = store.data_mut().captured.pop() else {
        return Err(Error::msg("nothing was captured"));
    };
    drop(store);
    let child = std::thread::spawn(move || -> Result<u64> {
        let (mut store, instance) = with_word(&module, 7)?;
        resume(&mut store, &instance, &frames, 2)
    });
    let child = child
        .join()
        .map_err(|_| Error::msg("the child panicked"))??;
    Ok((parent, i32::try_from(child & 0xffff_ffff).unwrap_or(-1)))
}

#[test]
fn the_trampoline_saves_registers_where_they_are_looked_for() -> Result<()> {
    native_frames::self_test(engine())
}

#[test]
fn frames_go_on_in_another_store_after_theirs_is_gone() -> Result<()> {
    for n in [0, 1, 2, 3, 10, 100, 1_000] {
        // `below` is what fork returned; memory had `before` in it then and has `after` now. Each step adds three
        // times its number and both words; an odd one adds the number below it once more.
        let expect = |below: i32, before: i32, after: i32| -> i32 {
            let steps = (0..=n).map(|k| 3 * k + before + after);
            let repeated = (0..n).filter(|k| k & 1 == 0);
            below + steps.sum::<i32>() + repeated.sum::<i32>() + 1_000_000 * after
        };
        assert_eq!(
            both("deep", n)?,
            (expect(1, 3, 3), expect(2, 3, 7)),
            "{n} deep"
        );
    }
    Ok(())
}

#[test]
fn arguments_on_the_stack_are_kept() -> Result<()> {
    assert_eq!(both("stack_arguments", 20)?, (41, 42));

    let module = module(FRAMES)?;
    let (mut store, instance) = with_word(&module, 3)?;
    type Ten = (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64);
    let func = instance.get_typed_func::<Ten, i64>(&mut store, "arguments")?;
    let sum = func.call(&mut store, (1, 2, 4, 8, 16, 32, 64, 128, 256, 512))?;
    assert_eq!(sum, 1024);
    let frames = store.data_mut().captured.remove(0);
    let (mut child, instance) = with_word(&module, 7)?;
    assert_eq!(resume(&mut child, &instance, &frames, 2)?, 1025);
    Ok(())
}

#[test]
fn tail_calls_of_the_host_can_be_captured() -> Result<()> {
    assert_eq!(both("tail", 20)?, (24, 29));
    assert_eq!(both("tail_fewer", 20)?, (24, 25));
    Ok(())
}

#[test]
fn adapters_are_frames_like_others() -> Result<()> {
    assert_eq!(both("adapted", 5)?, (3, 7));
    Ok(())
}

#[test]
fn resumed_frames_can_be_captured_again() -> Result<()> {
    let module = module(FRAMES)?;
    let (mut store, instance) = with_word(&module, 3)?;
    assert_eq!(call(&mut store, &instance, "twice", 0)?, 11);
    let frames: Vec<Frames> = store.data_mut().captured.drain(..).collect();
    assert_eq!(frames.len(), 2);

    let (mut child, instance) = with_word(&module, 7)?;
    assert_eq!(resume(&mut child, &instance, &frames[0], 2)?, 21);
    assert_eq!(resume(&mut child, &instance, &frames[1], 2)?, 12);
    let again = child.data_mut().captured.remove(0);
    drop(child);
    let (mut grandchild, instance) = with_word(&module, 7)?;
    assert_eq!(resume(&mut grandchild, &instance, &again, 3)?, 23);
    Ok(())
}

#[test]
fn traps_in_resumed_frames_are_ordinary_traps() -> Result<()> {
    let module = module(FRAMES)?;
    for (name, trap) in [
        ("trap", Trap::MemoryOutOfBounds),
        ("overflow", Trap::StackOverflow),
    ] {
        let (mut store, instance) = with_word(&module, 3)?;
        assert!(call(&mut store, &instance, name, 0).is_err());
        let frames = store.data_mut().captured.remove(0);
        let (mut child, instance) = with_word(&module, 7)?;
        for _ in 0..2 {
            let Err(error) = resume(&mut child, &instance, &frames, 2) else {
                panic!("{name} did not trap");
            };
            assert_eq!(error.downcast_ref::<Trap>(), Some(&trap), "{error:#}");
        }
        // The store still works.
        assert_eq!(call(&mut child, &instance, "twice", 0)?, 11);
    }
    Ok(())
}

#[test]
fn more_than_one_activation_is_refused() -> Result<()> {
    let module = module(FRAMES)?;
    let (mut store, instance) = with_word(&module, 3)?;
    let Err(error) = call(&mut store, &instance, "nested", 0) else {
        panic!("nested frames were captured");
    };
    assert!(
        format!("{error:#}").contains("more than one activation"),
        "{error:#}"
    );
    Ok(())
}

#[test]
fn a_call_without_wasm_code_is_refused() -> Result<()> {
    let module = module(FRAMES)?;
    let (mut store, _instance, memory) = instantiate(&module)?;
    let linker = linker(&mut store, &memory)?;
    let Some(fork) = linker.get(&mut store, "host", "fork")?.into_func() else {
        panic!("no function");
    };
    assert!(fork.typed::<(), i32>(&store)?.call(&mut store, ()).is_err());
    Ok(())
}

#[test]
fn the_start_function_is_refused() -> Result<()> {
    let module = module(
        r#"(module
            (import "host" "fork" (func $fork (result i32)))
            (func $start (drop (call $fork)))
            (start $start))"#,
    )?;
    let Err(error) = instantiate(&module).map(|_| ()) else {
        panic!("frames of a start function were captured");
    };
    assert!(
        format!("{error:#}").contains("cannot be copied"),
        "{error:#}"
    );
    Ok(())
}

#[test]
fn frames_are_resumed_only_where_they_fit() -> Result<()> {
    let module = module(FRAMES)?;
    let (mut store, instance) = with_word(&module, 3)?;
    call(&mut store, &instance, "deep", 1_000)?;
    let frames = store.data_mut().captured.remove(0);
    assert!(frames.depth() > 1_000 && frames.len() > 1_000 * 16);

    let other = Module::new(engine(), wat::parse_str(FRAMES)?)?;
    let (mut child, instance, _memory) = instantiate(&other)?;
    let Err(error) = resume(&mut child, &instance, &frames, 2) else {
        panic!("frames of another module were resumed");
    };
    assert!(format!("{error:#}").contains("another module"), "{error:#}");

    let mut small = config();
    small.max_wasm_stack(64 << 10);
    let small = wasmtime::Engine::new(&small)?;
    let module = Module::new(&small, wat::parse_str(FRAMES)?)?;
    let (mut store, instance) = with_word(&module, 3)?;
    let Err(error) = call(&mut store, &instance, "deep", 2_000) else {
        panic!("64 KiB were enough");
    };
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
    Ok(())
}

#[test]
fn a_busy_store_resumes_nothing() -> Result<()> {
    let module = module(FRAMES)?;
    let (mut store, instance) = with_word(&module, 3)?;
    call(&mut store, &instance, "twice", 0)?;
    let frames = store.data_mut().captured.remove(0);
    let again = Func::wrap(
        &mut store,
        move |mut caller: wasmtime::Caller<'_, State>| -> Result<i32> {
            let resumed = resume(&mut caller, &instance, &frames, 2);
            Ok(i32::from(resumed.is_err()))
        },
    );
    let run = crate::host::module(
        r#"(module (import "" "" (func $f (result i32))) (func (export "run") (result i32) (call $f)))"#,
    )?;
    let run = Instance::new(&mut store, &run, &[again.into()])?;
    assert_eq!(
        run.get_typed_func::<(), i32>(&mut store, "run")?
            .call(&mut store, ())?,
        1
    );
    Ok(())
}
