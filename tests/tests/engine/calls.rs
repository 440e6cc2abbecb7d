//! Indirect calls of functions of another type.

use wasmtime::{Config, Engine, Instance, Module, Result, Store, Trap};

use crate::host::{config, engine};

const RELAXED: &str = include_str!("../../wat/relaxed.wat");

/// The callees in the table.
const NOTHING: i32 = 0;
const NEGATE: i32 = 1;
const MINUS: i32 = 2;
const THREE: i32 = 3;
const EXTEND: i32 = 4;
const LONG: i32 = 5;
const DOUBLE: i32 = 6;
const FLOAT: i32 = 7;
const MIXED: i32 = 8;
const TEN: i32 = 9;
const VECTOR: i32 = 10;
const PAIR: i32 = 11;
const NULL: i32 = 12;
const OUTSIDE: i32 = 14;

struct Calls {
    store: Store<()>,
    instance: Instance,
}

impl Calls {
    fn new(engine: &Engine) -> Result<Self> {
        let module = Module::new(engine, wat::parse_str(RELAXED)?)?;
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        Ok(Self { store, instance })
    }

    fn call(&mut self, name: &str, callee: i32) -> Result<i32> {
        let func = self
            .instance
            .get_typed_func::<i32, i32>(&mut self.store, name)?;
        func.call(&mut self.store, callee)
    }

    fn trap(&mut self, name: &str, callee: i32) -> Option<Trap> {
        self.call(name, callee).err()?.downcast_ref().copied()
    }
}

#[test]
fn arguments_and_results_are_adapted() -> Result<()> {
    let mut calls = Calls::new(engine())?;
    for (name, callee, result) in [
        // The same type.
        ("one", NEGATE, -7),
        ("two", MINUS, 4),
        ("three", THREE, 237),
        ("many", TEN, 10_901),
        // Extra arguments are dropped, missing ones are zero.
        ("two", NEGATE, -7),
        ("three", MINUS, 4),
        ("one", MINUS, 7),
        ("two", THREE, 37),
        ("many", THREE, 321),
        ("three", TEN, 7),
        // No result where one is wanted is zero, one that is not wanted is dropped.
        ("one", NOTHING, 0),
        ("none", NEGATE, 1),
        // Integers: zero-extended, wrapped.
        ("one", LONG, 8),
        ("one", EXTEND, 7),
        ("long", NEGATE, 0),
        ("long", EXTEND, -1),
        // Floats: promoted, demoted. Classes are matched by themselves.
        ("double", FLOAT, 7),
        ("mixed", DOUBLE, 7),
        ("mixed", FLOAT, 10),
        ("double", MIXED, 2),
        ("mixed", NEGATE, 0),
        ("one", DOUBLE, 0),
    ] {
        assert_eq!(calls.call(name, callee)?, result, "{name} calls {callee}");
    }
    Ok(())
}

#[test]
fn tail_calls_take_no_stack() -> Result<()> {
    assert_eq!(Calls::new(engine())?.call("tail", 3_000_000)?, 123);
    Ok(())
}

#[test]
fn what_cannot_be_adapted_traps() -> Result<()> {
    let mut calls = Calls::new(engine())?;
    for name in ["none", "one", "many", "double", "vector", "pair"] {
        assert_eq!(
            calls.trap(name, NULL),
            Some(Trap::IndirectCallToNull),
            "{name}"
        );
        assert_eq!(
            calls.trap(name, OUTSIDE),
            Some(Trap::TableOutOfBounds),
            "{name}"
        );
        assert_eq!(calls.trap(name, -1), Some(Trap::TableOutOfBounds), "{name}");
    }
    for (name, callee) in [
        ("one", VECTOR),
        ("one", PAIR),
        ("vector", NEGATE),
        ("vector", PAIR),
        ("pair", NEGATE),
    ] {
        assert_eq!(
            calls.trap(name, callee),
            Some(Trap::BadSignature),
            "{name} calls {callee}"
        );
    }
    assert_eq!(calls.call("vector", VECTOR)?, 7);
    assert_eq!(calls.call("pair", PAIR)?, 7);
    Ok(())
}

#[test]
fn without_the_setting_other_types_trap() -> Result<()> {
    let mut strict = config();
    strict.relaxed_calls(false);
    for config in [strict, Config::new()] {
        let mut calls = Calls::new(&Engine::new(&config)?)?;
        assert_eq!(calls.call("one", NEGATE)?, -7);
        assert_eq!(calls.trap("two", NEGATE), Some(Trap::BadSignature));
    }
    Ok(())
}
