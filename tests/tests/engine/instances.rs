//! Several instances in one store: code has its own instance in a register, so calls do not leave it.

use wasmtime::{Error, Extern, Func, Instance, Linker, Ref, Result, Store, Trap, Val};

use crate::host::{State, call, engine, module};

/// `number` is the instance's own; `recall` shows it after a call of the host, `through` after an indirect call.
const NUMBERED: &str = r#"(module
    (import "host" "call" (func $host (param i32)))
    (type $unary (func (param i32) (result i32)))
    (type $wide (func (param i64) (result i32)))
    (type $many (func (param i32 v128) (result i32 v128)))
    (table (export "table") 4 4 funcref)
    (elem (i32.const 0) $own)
    (global $number (export "number") (mut i32) (i32.const 0))
    (func $own (param i32) (result i32) (global.get $number))
    (func (export "own") (param i32) (result i32) (global.get $number))
    (func (export "many") (param i32 v128) (result i32 v128) (local.get 0) (local.get 1))
    (func (export "recall") (param i32) (result i32)
        (call $host (local.get 0))
        (global.get $number))
    (func (export "trap") (param i32) (result i32)
        (call $host (local.get 0))
        (i32.load (i32.const 0)))
    (func (export "through") (param $entry i32) (result i32)
        (drop (call_indirect (type $unary) (i32.const 1) (local.get $entry)))
        (global.get $number))
    (func (export "through_wide") (param $entry i32) (result i32)
        (drop (call_indirect (type $wide) (i64.const 1) (local.get $entry)))
        (global.get $number))
    (func (export "through_tail") (param $entry i32) (result i32)
        (return_call_indirect (type $unary) (i32.const 1) (local.get $entry)))
    (func (export "through_many") (param $entry i32) (result i32)
        (drop (drop (call_indirect (type $many) (i32.const 1) (v128.const i64x2 0 0) (local.get $entry))))
        (global.get $number))
    (memory 0))"#;

/// Two instances, numbered 1 and 2; `host.call(1)` calls `own` of the second and ignores what comes of it, `host.call(2)`
/// makes it trap.
fn pair() -> Result<(Store<State>, Instance, Instance)> {
    let module = module(NUMBERED)?;
    let mut store = Store::new(engine(), State::default());
    let mut linker: Linker<State> = Linker::new(engine());
    linker.func_wrap("host", "call", |_: i32| {})?;
    let second = linker.instantiate(&mut store, &module)?;
    let mut linker: Linker<State> = Linker::new(engine());
    linker.func_wrap(
        "host",
        "call",
        move |mut caller: wasmtime::Caller<'_, State>, what: i32| -> Result<()> {
            let name = if what == 2 { "trap" } else { "own" };
            let inner = second.get_typed_func::<i32, i32>(&mut caller, name)?;
            match (what, inner.call(&mut caller, 0)) {
                (2, Err(_)) | (_, Ok(2)) => Ok(()),
                (_, other) => Err(Error::msg(format!("{other:?}"))),
            }
        },
    )?;
    let first = linker.instantiate(&mut store, &module)?;
    for (instance, number) in [(first, 1), (second, 2)] {
        match instance.get_global(&mut store, "number") {
            Some(global) => global.set(&mut store, Val::I32(number))?,
            None => return Err(Error::msg("no global")),
        }
    }
    Ok((store, first, second))
}

fn set_entry(store: &mut Store<State>, instance: &Instance, entry: u64, func: Func) -> Result<()> {
    match instance.get_export(&mut *store, "table") {
        Some(Extern::Table(table)) => table.set(store, entry, Ref::Func(Some(func))),
        _ => Err(Error::msg("no table")),
    }
}

#[test]
fn the_host_may_call_another_instance_meanwhile() -> Result<()> {
    let (mut store, first, second) = pair()?;
    for what in [0, 1, 2, 1] {
        assert_eq!(call(&mut store, &first, "recall", what)?, 1, "{what}");
        assert_eq!(call(&mut store, &second, "recall", what)?, 2, "{what}");
    }
    Ok(())
}

#[test]
fn functions_of_other_instances_are_not_imported() -> Result<()> {
    let (mut store, first, _second) = pair()?;
    let Some(own) = first.get_func(&mut store, "own") else {
        return Err(Error::msg("no function"));
    };
    let importer = module(r#"(module (import "" "own" (func (param i32) (result i32))))"#)?;
    let Err(error) = Instance::new(&mut store, &importer, &[own.into()]) else {
        panic!("a function of another instance was imported");
    };
    let said = format!("{error:#}");
    assert!(said.contains("function of another instance"), "{said}");
    Ok(())
}

#[test]
fn indirect_calls_stay_in_the_instance() -> Result<()> {
    let (mut store, first, second) = pair()?;
    let foreign = |store: &mut Store<State>, name| {
        let func = second.get_func(store, name);
        func.ok_or_else(|| Error::msg("no function"))
    };
    let own = foreign(&mut store, "own")?;
    let many = foreign(&mut store, "many")?;
    set_entry(&mut store, &first, 1, own)?;
    set_entry(&mut store, &first, 2, many)?;
    let host = Func::wrap(&mut store, |n: i32| n + 1);
    set_entry(&mut store, &first, 3, host)?;

    assert_eq!(call(&mut store, &first, "through", 0)?, 1);
    assert_eq!(call(&mut store, &first, "through_wide", 0)?, 1);
    assert_eq!(call(&mut store, &first, "through_tail", 0)?, 1);
    for (name, entry) in [
        ("through", 1),
        ("through_wide", 1),
        ("through_tail", 1),
        ("through_many", 2),
    ] {
        let Err(error) = call(&mut store, &first, name, entry) else {
            panic!("{name} called another instance");
        };
        assert_eq!(
            error.downcast_ref::<Trap>(),
            Some(&Trap::BadSignature),
            "{name}: {error:#}"
        );
        assert_eq!(call(&mut store, &second, "recall", 0)?, 2);
    }
    // Host functions belong to no instance.
    assert_eq!(call(&mut store, &first, "through", 3)?, 1);
    assert_eq!(call(&mut store, &first, "through_wide", 3)?, 1);
    assert_eq!(call(&mut store, &first, "through_tail", 3)?, 2);
    Ok(())
}
