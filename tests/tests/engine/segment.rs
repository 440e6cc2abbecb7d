//! The memory that is reached through the GS segment: which one, and that the segment is right whenever code runs.

use wasmtime::{Caller, Engine, Error, Instance, Linker, Module, Result, Store, Trap};

use crate::host::{MAPPED, MAPPED_END, Memory, State, config, engine, instantiate, linker, module};

/// Loads and stores a word of the imported memory; `poke` of a bad address traps.
const WORDS: &str = r#"(module
    (import "env" "memory" (memory 1 65536 shared))
    (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "poke") (param i32 i32) (i32.store (local.get 0) (local.get 1))))"#;

fn poke(store: &mut Store<State>, instance: &Instance, address: u32, value: i32) -> Result<()> {
    let poke = instance.get_typed_func::<(u32, i32), ()>(&mut *store, "poke")?;
    poke.call(store, (address, value))
}

fn peek(store: &mut Store<State>, instance: &Instance, address: u32) -> Result<i32> {
    let peek = instance.get_typed_func::<u32, i32>(&mut *store, "peek")?;
    peek.call(store, address)
}

#[test]
fn every_store_reaches_its_own_memory() -> Result<()> {
    let words = module(WORDS)?;
    let mut guests: Vec<_> = (0..4).map(|_| instantiate(&words)).collect::<Result<_>>()?;
    for (number, (store, instance, _)) in (1..).zip(&mut guests) {
        poke(store, instance, MAPPED, number)?;
    }
    for (number, (store, instance, memory)) in (1..).zip(&mut guests) {
        assert_eq!(peek(store, instance, MAPPED)?, number);
        let word = memory
            .space
            .read(rawposix_memory::GuestPtr::<i32>::new(MAPPED));
        assert_eq!(word.ok(), Some(number));
    }
    Ok(())
}

#[test]
fn instances_of_one_store_share_the_memory() -> Result<()> {
    let words = module(WORDS)?;
    let (mut store, first, memory) = instantiate(&words)?;
    let second = linker(&mut store, &memory)?.instantiate(&mut store, &words)?;
    poke(&mut store, &first, MAPPED, 7)?;
    assert_eq!(peek(&mut store, &second, MAPPED)?, 7);

    let other = Memory::new(engine())?;
    let Err(error) = linker(&mut store, &other)?.instantiate(&mut store, &words) else {
        return Err(Error::msg("an instance with another memory was made"));
    };
    assert!(
        format!("{error:#}").contains("the same memory"),
        "{error:#}"
    );
    assert_eq!(peek(&mut store, &first, MAPPED)?, 7);
    Ok(())
}

/// A host function that uses another store, between two accesses of the caller's.
#[test]
fn calls_into_another_store_put_the_segment_back() -> Result<()> {
    let outer = module(
        r#"(module
            (import "env" "memory" (memory 1 65536 shared))
            (import "test" "other" (func $other (param i32)))
            (func (export "run") (param $address i32) (result i32)
                (i32.store (i32.const 0x20000) (i32.const 41))
                (call $other (local.get $address))
                (i32.add (i32.load (i32.const 0x20000)) (i32.const 1))))"#,
    )?;
    let words = module(WORDS)?;
    // The second address is not mapped: the inner call traps.
    for address in [MAPPED, MAPPED_END] {
        let memory = Memory::new(engine())?;
        let mut store = Store::new(engine(), State::default());
        let mut imports = linker(&mut store, &memory)?;
        let words = words.clone();
        imports.func_wrap(
            "test",
            "other",
            move |_: Caller<'_, State>, address: u32| -> Result<()> {
                let (mut store, instance, _memory) = instantiate(&words)?;
                let result = poke(&mut store, &instance, address, -1);
                assert_eq!(result.is_err(), address == MAPPED_END);
                Ok(())
            },
        )?;
        let instance = imports.instantiate(&mut store, &outer)?;
        let run = instance.get_typed_func::<u32, i32>(&mut store, "run")?;
        assert_eq!(run.call(&mut store, address)?, 42);
    }
    Ok(())
}

#[test]
fn an_instance_made_while_code_runs_can_be_called_from_it() -> Result<()> {
    let mut config = config();
    config.native_frames(false);
    let engine = &Engine::new(&config)?;
    // The caller has no memory, so nothing set the segment when it was entered.
    let caller = wat::parse_str(
        r#"(module
            (import "test" "make" (func $make))
            (table (export "table") 1 1 funcref)
            (func (export "run") (param i32) (result i32)
                (call $make)
                (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))"#,
    )?;
    let caller = Module::new(engine, caller)?;
    let words = Module::new(engine, wat::parse_str(WORDS)?)?;
    let memory = Memory::new(engine)?;
    let mut store = Store::new(engine, State::default());
    let mut imports: Linker<State> = Linker::new(engine);
    let shared = memory.shared.clone();
    imports.func_wrap(
        "test",
        "make",
        move |mut caller: Caller<'_, State>| -> Result<()> {
            let made = Instance::new(&mut caller, &words, &[shared.clone().into()])?;
            let peek = made.get_func(&mut caller, "peek");
            let Some(table) = caller
                .get_export("table")
                .and_then(wasmtime::Extern::into_table)
            else {
                return Err(Error::msg("no table"));
            };
            table.set(&mut caller, 0, wasmtime::Ref::Func(peek))
        },
    )?;
    let instance = imports.instantiate(&mut store, &caller)?;
    let written = memory
        .space
        .write(rawposix_memory::GuestPtr::new(MAPPED), &1234_i32);
    assert_eq!(written, Ok(()));
    let run = instance.get_typed_func::<u32, i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, MAPPED)?, 1234);
    Ok(())
}

#[test]
fn memories_of_the_module_itself_are_reached_as_ever() -> Result<()> {
    let both = module(
        r#"(module
            (import "env" "memory" (memory 1 65536 shared))
            (memory $own 1)
            (func (export "run") (param i32) (result i32)
                (i32.store (i32.const 0x20000) (local.get 0))
                (i32.store $own (i32.const 16) (i32.const 1))
                (i32.sub (i32.load (i32.const 0x20000)) (i32.load $own (i32.const 16)))))"#,
    )?;
    let (mut store, instance, _memory) = instantiate(&both)?;
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, 10)?, 9);

    let own = module(
        r#"(module (memory 1) (func (export "run") (param i32) (result i32)
            (i32.store (local.get 0) (i32.const 5)) (i32.load (local.get 0))))"#,
    )?;
    let (mut store, instance, _memory) = instantiate(&own)?;
    let run = instance.get_typed_func::<u32, i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, 8)?, 5);
    let trap = run
        .call(&mut store, 0x1_0000)
        .err()
        .and_then(|e| e.downcast::<Trap>().ok());
    assert_eq!(trap, Some(Trap::MemoryOutOfBounds));
    Ok(())
}

/// Offsets beyond the guard are checked by code, and addresses do not wrap to the beginning of the segment.
#[test]
fn large_offsets_reach_or_trap() -> Result<()> {
    let far = module(
        r#"(module
            (import "env" "memory" (memory 1 65536 shared))
            (func (export "run") (param i32) (result i32) (i32.load offset=0xf0000000 (local.get 0))))"#,
    )?;
    let (mut store, instance, memory) = instantiate(&far)?;
    memory.map(0xf002_0000, 0x1000, rawposix_memory::Protection::READ)?;
    let run = instance.get_typed_func::<u32, i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, MAPPED)?, 0);
    for address in [0x1002_0000, u32::MAX, 0] {
        let trap = run
            .call(&mut store, address)
            .err()
            .and_then(|e| e.downcast::<Trap>().ok());
        assert_eq!(trap, Some(Trap::MemoryOutOfBounds), "{address:#x}");
    }
    Ok(())
}

#[test]
fn code_without_the_setting_works_alike() -> Result<()> {
    let mut config = config();
    config.memory_through_gs(false);
    let plain = Engine::new(&config)?;
    let words = Module::new(&plain, wat::parse_str(WORDS)?)?;
    let (mut store, instance, _memory) = instantiate(&words)?;
    poke(&mut store, &instance, MAPPED, 3)?;
    assert_eq!(peek(&mut store, &instance, MAPPED)?, 3);
    assert!(peek(&mut store, &instance, MAPPED_END).is_err());
    Ok(())
}
