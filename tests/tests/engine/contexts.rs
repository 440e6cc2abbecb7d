//! Contexts: coroutines, and guests that misuse them.

use std::mem;

use wasmtime::native_frames::{ContextName, Contexts, Kept, Snapshot, resume, set_stack_pointer};
use wasmtime::{Caller, Error, Instance, Linker, Module, Result, Store};

use crate::host::{Memory, State, call, linker, module};

const CONTEXTS: &str = include_str!("../../wat/contexts.wat");

fn with<R>(
    caller: &mut Caller<'_, State>,
    work: impl FnOnce(&mut Caller<'_, State>, &mut State) -> Result<R>,
) -> Result<R> {
    let mut state = mem::take(caller.data_mut());
    let result = work(caller, &mut state);
    *caller.data_mut() = state;
    result
}

fn slot(state: &mut State, slot: i32) -> Result<&mut ContextName> {
    let slot = usize::try_from(slot).map_err(Error::msg)?;
    if state.names.len() <= slot {
        state.names.resize(slot + 1, ContextName::default());
    }
    state
        .names
        .get_mut(slot)
        .ok_or_else(|| Error::msg("no slot"))
}

fn save(caller: &mut Caller<'_, State>, state: &mut State, number: i32) -> Result<ContextName> {
    let known = *slot(state, number)?;
    let home = number.cast_unsigned();
    let name = state.contexts.save(caller, home, known)?;
    *slot(state, number)? = name;
    Ok(name)
}

/// Refused switches are results, so the guest goes on.
const REFUSED: i32 = -22;

fn define(linker: &mut Linker<State>) -> Result<()> {
    let module = "context";
    linker.func_wrap(module, "save", |mut caller: Caller<'_, State>, number| {
        with(&mut caller, |caller, state| {
            save(caller, state, number).map(|_| 0)
        })
    })?;
    linker.func_wrap(
        module,
        "make",
        |mut caller: Caller<'_, State>, number: i32, what: u32| {
            with(&mut caller, |caller, state| {
                let known = *slot(state, number)?;
                let home = number.cast_unsigned();
                let start = state.start.unwrap_or("start");
                let name = state.contexts.make(caller, home, known, start, what)?;
                *slot(state, number)? = name;
                Ok(0)
            })
        },
    )?;
    linker.func_wrap(
        module,
        "swap",
        |mut caller: Caller<'_, State>, from: i32, to: i32| {
            with(&mut caller, |caller, state| {
                let saved = save(caller, state, from)?;
                let name = *slot(state, to)?;
                let State {
                    contexts, jumps, ..
                } = state;
                let switched = contexts.switch(caller, jumps, Some(saved), name);
                Ok(switched.map_or(REFUSED, |()| 0))
            })
        },
    )?;
    linker.func_wrap(
        module,
        "switch",
        |mut caller: Caller<'_, State>, to: i32| {
            with(&mut caller, |caller, state| {
                let name = *slot(state, to)?;
                let State {
                    contexts, jumps, ..
                } = state;
                let switched = contexts.switch(caller, jumps, None, name);
                Ok(switched.map_or(REFUSED, |()| 0))
            })
        },
    )?;
    linker.func_wrap(module, "end", |mut caller: Caller<'_, State>, to: i32| {
        with(&mut caller, |caller, state| {
            let name = *slot(state, to)?;
            let State {
                contexts, jumps, ..
            } = state;
            let switched = contexts.end(caller, jumps, name);
            Ok(switched.map_or(REFUSED, |()| 0))
        })
    })?;
    linker.func_wrap(
        module,
        "longjmp",
        |mut caller: Caller<'_, State>, id: u32, value: i32| {
            with(&mut caller, |caller, state| {
                let State {
                    contexts, jumps, ..
                } = state;
                let data = contexts.longjmp(caller, jumps, id, |_| true)?;
                state.jumped = Some(data);
                Ok(value)
            })
        },
    )?;
    linker.func_wrap(
        module,
        "forge",
        |mut caller: Caller<'_, State>, number: i32, name: i64| {
            with(&mut caller, |_, state| {
                *slot(state, number)? = ContextName(name.cast_unsigned());
                Ok(())
            })
        },
    )?;
    Ok(())
}

fn instantiate(module: &Module, from: Option<&Snapshot>) -> Result<(Store<State>, Instance)> {
    let memory = Memory::new(module.engine())?;
    let mut store = Store::new(module.engine(), State::default());
    let mut linker = linker(&mut store, &memory)?;
    define(&mut linker)?;
    let imports = linker.instantiate_pre(module)?;
    let instance = match from {
        Some(snapshot) => snapshot.instantiate(&mut store, &imports)?,
        None => imports.instantiate(&mut store)?,
    };
    let Some(global) = instance.get_global(&mut store, "sp") else {
        return Err(Error::msg("no stack pointer"));
    };
    set_stack_pointer(&mut store, &global)?;
    store.data_mut().instance = Some(instance);
    Ok((store, instance))
}

fn contexts() -> Result<(Store<State>, Instance)> {
    instantiate(&module(CONTEXTS)?, None)
}

/// 0 + 1 + … + (n - 1)
fn sum(n: i32) -> i32 {
    (0..n).sum()
}

#[test]
fn a_coroutine_takes_turns() -> Result<()> {
    let (mut store, instance) = contexts()?;
    for n in [1, 2, 3, 100, 50_000] {
        assert_eq!(call(&mut store, &instance, "turns", n)?, sum(n));
    }
    // The caller's, the coroutine's.
    assert_eq!(store.data().contexts.len(), 2);
    Ok(())
}

#[test]
fn coroutines_end() -> Result<()> {
    let (mut store, instance) = contexts()?;
    assert_eq!(call(&mut store, &instance, "ends", 100_000)?, 100_000);
    assert_eq!(store.data().contexts.len(), 2);
    assert!(store.data().contexts.bytes() < 10_000);
    Ok(())
}

#[test]
fn a_context_goes_on_again_and_again() -> Result<()> {
    let (mut store, instance) = contexts()?;
    assert_eq!(call(&mut store, &instance, "loops", 100_000)?, 100_000);
    assert_eq!(store.data().contexts.len(), 1);
    Ok(())
}

#[test]
fn what_the_guest_does_not_know_is_forgotten() -> Result<()> {
    let (mut store, instance) = contexts()?;
    for _ in 0..20 {
        assert_eq!(call(&mut store, &instance, "lost", 1_000)?, 7);
        let state = store.data_mut();
        state.names.iter_mut().skip(10).for_each(|name| name.0 = 0);
        let names = state.names.clone();
        if state.contexts.is_crowded() {
            state.contexts.purge(|kept| match kept {
                Kept::Context(name, home) => {
                    let slot = usize::try_from(home).ok();
                    slot.and_then(|slot| names.get(slot)) == Some(&name)
                }
                Kept::Place(..) => false,
            });
            assert_eq!(state.contexts.len(), 10);
            assert!(!state.contexts.is_crowded());
        }
    }
    assert!(store.data().contexts.bytes() < 200 << 20);
    assert_eq!(call(&mut store, &instance, "turns", 10)?, sum(10));
    Ok(())
}

#[test]
fn contexts_have_a_limit() -> Result<()> {
    let (mut store, instance) = contexts()?;
    let mut refused = None;
    for _ in 0..1_000 {
        store.data_mut().names.clear();
        if let Err(error) = call(&mut store, &instance, "lost", 3_000) {
            refused = Some(format!("{error:#}"));
            break;
        }
    }
    assert!(refused.is_some_and(|why| why.contains("too many contexts")));
    store.data_mut().contexts.purge(|_| false);
    assert!(store.data().contexts.is_empty());
    assert_eq!(store.data().contexts.bytes(), 0);
    store.data_mut().names.clear();
    assert_eq!(call(&mut store, &instance, "turns", 10)?, sum(10));
    Ok(())
}

#[test]
fn forged_names_are_refused() -> Result<()> {
    let (mut store, instance) = contexts()?;
    for name in [0, 1, 2, -1, i32::MAX, i32::MIN] {
        assert_eq!(call(&mut store, &instance, "forged", name)?, REFUSED);
    }
    for version in [0, 2, -1, i32::MAX] {
        store.data_mut().contexts = Contexts::default();
        store.data_mut().names.clear();
        assert_eq!(
            call(&mut store, &instance, "forged_version", version)?,
            REFUSED
        );
    }
    assert_eq!(call(&mut store, &instance, "turns", 10)?, sum(10));
    Ok(())
}

#[test]
fn a_context_of_an_earlier_call_ends_in_the_later_one() -> Result<()> {
    let (mut store, instance) = contexts()?;
    for n in [5, 6] {
        assert_eq!(call(&mut store, &instance, "leave", n)?, n);
        assert_eq!(call(&mut store, &instance, "earlier", 0)?, n);
        // The result means nothing, as its type is another one.
        instance
            .get_typed_func::<i64, f64>(&mut store, "earlier_wide")?
            .call(&mut store, 0)?;
        assert_eq!(call(&mut store, &instance, "turns", 10)?, sum(10));
    }
    Ok(())
}

#[test]
fn a_start_function_can_return_or_trap() -> Result<()> {
    let (mut store, instance) = contexts()?;
    // The result means nothing.
    call(&mut store, &instance, "enter", 3)?;
    assert_eq!(call(&mut store, &instance, "turns", 10)?, sum(10));
    assert!(call(&mut store, &instance, "enter", 5).is_err());
    assert_eq!(call(&mut store, &instance, "turns", 10)?, sum(10));
    Ok(())
}

#[test]
fn start_functions_have_their_type() -> Result<()> {
    for start in ["wrong", "none", "sp"] {
        let (mut store, instance) = contexts()?;
        store.data_mut().start = Some(start);
        assert!(call(&mut store, &instance, "turns", 1).is_err(), "{start}");
    }
    Ok(())
}

#[test]
fn jumps_cross_contexts() -> Result<()> {
    let (mut store, instance) = contexts()?;
    for n in [0, 1, 10, 0] {
        assert_eq!(call(&mut store, &instance, "jumps", n)?, 3000 + n + 2050);
        assert_eq!(store.data_mut().jumped.take(), Some(20));
    }
    Ok(())
}

/// The contexts and frames of a forked guest go on in a store of their own, after the first one is gone.
#[test]
fn contexts_go_on_in_a_child() -> Result<()> {
    let module = module(CONTEXTS)?;
    let (mut store, instance) = instantiate(&module, None)?;
    // As the captured frames, the contexts are those of the moment; the parent goes on with its own.
    store.data_mut().fork_contexts = true;
    assert_eq!(call(&mut store, &instance, "forks", 1)?, 1_000 + sum(5));
    let state = store.data_mut();
    let frames = state.captured.remove(0);
    let Some((contexts, names)) = state.forked.take() else {
        return Err(Error::msg("no contexts"));
    };
    let Some(globals) = state.snapshot.take() else {
        return Err(Error::msg("no snapshot"));
    };
    drop(store);
    let child = std::thread::spawn(move || -> Result<u64> {
        let (mut store, instance) = instantiate(&module, Some(&globals))?;
        store.data_mut().contexts = contexts;
        store.data_mut().names = names;
        resume(&mut store, &instance, &frames, 2)
    });
    let child = child
        .join()
        .map_err(|_| Error::msg("the child panicked"))??;
    assert_eq!(child & 0xffff_ffff, 2_000 + u64::try_from(sum(5))?);
    Ok(())
}

#[test]
fn a_thread_goes_on_with_what_another_one_left() -> Result<()> {
    let module = module(CONTEXTS)?;
    let (mut store, instance) = instantiate(&module, None)?;
    assert_eq!(call(&mut store, &instance, "leave", 11)?, 11);
    let state = store.data_mut();
    let (contexts, names) = (state.contexts.share(), state.names.clone());
    drop(store);
    let thread = std::thread::spawn(move || -> Result<i32> {
        let (mut store, instance) = instantiate(&module, None)?;
        store.data_mut().contexts = contexts;
        store.data_mut().names = names;
        call(&mut store, &instance, "earlier", 0)
    });
    let result = thread
        .join()
        .map_err(|_| Error::msg("the thread panicked"))??;
    assert_eq!(result, 11);
    Ok(())
}

#[test]
fn contexts_are_of_one_module() -> Result<()> {
    let (mut store, instance) = contexts()?;
    call(&mut store, &instance, "leave", 1)?;
    let (shared, names) = (
        store.data_mut().contexts.share(),
        store.data().names.clone(),
    );
    let (mut other, instance) = contexts()?;
    other.data_mut().contexts = shared;
    other.data_mut().names = names;
    assert!(call(&mut other, &instance, "earlier", 1).is_err());
    Ok(())
}
