//! Instances that begin as another one is.

use rawposix_memory::GuestPtr;
use wasmtime::native_frames::{Snapshot, resume, with_memory};
use wasmtime::{
    Error, Instance, InstancePre, Module, Ref, Result, Store, StoreLimits, StoreLimitsBuilder, Trap,
};

use crate::host::{MAPPED, Memory, State, call, config, engine, linker, module};

const SNAPSHOT: &str = include_str!("../../wat/snapshot.wat");

/// The imports of a module, with a memory that is only to be replaced.
fn imports(module: &Module) -> Result<InstancePre<State>> {
    let memory = Memory::new(module.engine())?;
    let mut store = Store::new(module.engine(), State::default());
    let mut linker = linker(&mut store, &memory)?;
    linker.func_wrap("host", "seven", || 7)?;
    linker.instantiate_pre(module)
}

/// A store for another instance of the module, with imports that have a memory of their own.
fn store(imports: &InstancePre<State>) -> Result<(Store<State>, InstancePre<State>, Memory)> {
    let engine = imports.module().engine();
    let memory = Memory::new(engine)?;
    let imports = with_memory(imports, &memory.shared)?;
    Ok((Store::new(engine, State::default()), imports, memory))
}

fn word(memory: &Memory, address: u32) -> Result<u32> {
    let word = memory.space.read::<u32>(GuestPtr::new(address));
    word.map_err(|errno| Error::msg(format!("{errno:?}")))
}

fn trap(result: Result<i32>) -> Option<Trap> {
    result.err().and_then(|error| error.downcast().ok())
}

#[test]
fn an_instance_is_what_the_other_was() -> Result<()> {
    let module = module(SNAPSHOT)?;
    let imports = imports(&module)?;
    let (mut parent, here, memory) = store(&imports)?;
    let instance = here.instantiate(&mut parent)?;
    assert_eq!(word(&memory, MAPPED)?, 1);
    assert_eq!(word(&memory, MAPPED + 16)?, 1);
    assert_eq!(call(&mut parent, &instance, "change", 40)?, 14);
    let snapshot = Snapshot::take(&parent, &instance)?;

    // What happens after the snapshot is not in it.
    call(&mut parent, &instance, "grow", 3)?;
    drop(parent);

    let child = std::thread::spawn(move || -> Result<()> {
        for _ in 0..2 {
            let (mut store, imports, memory) = store(&imports)?;
            let instance = snapshot.instantiate(&mut store, &imports)?;
            check_changed(&mut store, &instance)?;
            // Neither the start function nor the active segment did anything.
            assert_eq!(word(&memory, MAPPED)?, 0);
            assert_eq!(word(&memory, MAPPED + 16)?, 0);

            // A snapshot of a snapshot.
            let again = Snapshot::take(&store, &instance)?;
            let (mut store, imports, _memory) = self::store(&imports)?;
            let instance = again.instantiate(&mut store, &imports)?;
            check_changed(&mut store, &instance)?;
            assert_eq!(call(&mut store, &instance, "grow", 86)?, 14);
            assert_eq!(call(&mut store, &instance, "grow", 1)?, -1);
        }
        Ok(())
    });
    child.join().map_err(|_| Error::msg("the child panicked"))?
}

fn check_changed(store: &mut Store<State>, instance: &Instance) -> Result<()> {
    let mut ask = |name, arg| call(&mut *store, instance, name, arg);
    assert_eq!(ask("globals", 0)?, -6 + 250 + 8_000);
    let fixed = [1, -1, 43, 2, 43, 1, 2, 43];
    for (i, expect) in (0..).zip(fixed) {
        let is_null = *fixed.get(1).unwrap_or(&0) == expect;
        match ask("fixed", i) {
            Ok(value) => assert_eq!(value, expect, "element {i}"),
            Err(error) => assert!(is_null, "element {i}: {error:#}"),
        }
    }
    assert_eq!(ask("size", 0)?, 14);
    assert_eq!(ask("growing_at", 1)?, 7);
    assert_eq!(ask("growing_at", 12)?, 2);
    assert_eq!(ask("growing_at", 13)?, 43);
    for null in [0, 2, 3, 4, 11] {
        assert_eq!(
            trap(ask("growing_at", null)),
            Some(Trap::IndirectCallToNull)
        );
    }
    assert_eq!(trap(ask("growing_at", 14)), Some(Trap::TableOutOfBounds));
    assert_eq!(trap(ask("init_bytes", 1)), Some(Trap::MemoryOutOfBounds));
    assert_eq!(ask("init_more", 4)?, 0x6867_6665);
    assert_eq!(trap(ask("init_passive", 1)), Some(Trap::TableOutOfBounds));
    let started = instance.get_global(&mut *store, "started");
    let started = started.and_then(|global| global.get(&mut *store).i32());
    assert_eq!(started, Some(1));
    Ok(())
}

#[test]
fn an_instance_that_did_not_change_is_as_new() -> Result<()> {
    let module = module(SNAPSHOT)?;
    let imports = imports(&module)?;
    let (mut parent, here, _memory) = store(&imports)?;
    let instance = here.instantiate(&mut parent)?;
    let snapshot = Snapshot::take(&parent, &instance)?;
    let (mut child, imports, _memory) = store(&imports)?;
    let instance = snapshot.instantiate(&mut child, &imports)?;
    let mut ask = |name, arg| call(&mut child, &instance, name, arg);
    assert_eq!(ask("globals", 0)?, 5 + 150 + 4_000);
    assert_eq!(ask("size", 0)?, 4);
    assert_eq!(ask("fixed", 1)?, 2);
    assert_eq!(trap(ask("fixed", 3)), Some(Trap::IndirectCallToNull));
    assert_eq!(ask("init_bytes", 4)?, 0x6463_6261);
    assert_eq!(ask("init_other", 1)?, 3);
    assert_eq!(ask("init_passive", 4)?, 0);
    assert_eq!(ask("change", 1)?, 14);
    Ok(())
}

#[test]
fn frames_go_on_with_a_snapshot() -> Result<()> {
    let module = module(SNAPSHOT)?;
    let imports = imports(&module)?;
    let (mut parent, here, _memory) = store(&imports)?;
    parent.data_mut().poison = true;
    let instance = here.instantiate(&mut parent)?;
    assert_eq!(call(&mut parent, &instance, "forked", 10)?, 120);
    let snapshot = Snapshot::take(&parent, &instance)?;
    let Some(frames) = parent.data_mut().captured.pop() else {
        return Err(Error::msg("nothing was captured"));
    };
    drop(parent);
    let (mut child, imports, _memory) = store(&imports)?;
    let instance = snapshot.instantiate(&mut child, &imports)?;
    assert_eq!(resume(&mut child, &instance, &frames, 2)?, 220);
    Ok(())
}

#[test]
fn references_to_something_else_are_refused() -> Result<()> {
    let module = module(SNAPSHOT)?;
    let imports = imports(&module)?;
    let (mut store, here, _memory) = store(&imports)?;
    let instance = here.instantiate(&mut store)?;
    let other = here.instantiate(&mut store)?;
    let Some(table) = instance.get_table(&mut store, "growing") else {
        return Err(Error::msg("no table"));
    };
    let foreign = other.get_func(&mut store, "size");
    let host = wasmtime::Func::wrap(&mut store, || {});
    for function in [foreign, Some(host)] {
        table.set(&mut store, 2, Ref::Func(function))?;
        let Err(error) = Snapshot::take(&store, &instance) else {
            return Err(Error::msg("a foreign function was copied"));
        };
        assert!(format!("{error:#}").contains("reference"), "{error:#}");
    }
    table.set(&mut store, 2, Ref::Func(None))?;
    Snapshot::take(&store, &instance)?;
    let own = instance.get_func(&mut store, "size");
    table.set(&mut store, 2, Ref::Func(own))?;
    Snapshot::take(&store, &instance)?;
    Ok(())
}

#[test]
fn what_cannot_be_copied_is_refused() -> Result<()> {
    let memory = module("(module (memory 1))")?;
    let mut store = Store::new(engine(), State::default());
    let instance = Instance::new(&mut store, &memory, &[])?;
    assert!(Snapshot::take(&store, &instance).is_err());

    let mut lazy = config();
    lazy.table_lazy_init(true);
    let lazy = wasmtime::Engine::new(&lazy)?;
    let module = Module::new(&lazy, wat::parse_str("(module (table 1 1 funcref))")?)?;
    let mut store = Store::new(&lazy, State::default());
    let instance = Instance::new(&mut store, &module, &[])?;
    assert!(Snapshot::take(&store, &instance).is_err());
    Ok(())
}

#[test]
fn limits_and_other_modules_are_refused() -> Result<()> {
    let module = module(SNAPSHOT)?;
    let imports = imports(&module)?;
    let (mut parent, here, memory) = store(&imports)?;
    let instance = here.instantiate(&mut parent)?;
    call(&mut parent, &instance, "change", 40)?;
    let snapshot = Snapshot::take(&parent, &instance)?;

    let same = Module::new(engine(), wat::parse_str(SNAPSHOT)?)?;
    let (mut child, others, _memory) = store(&self::imports(&same)?)?;
    assert!(snapshot.instantiate(&mut child, &others).is_err());

    let wrong = wasmtime::MemoryType::shared(1, 1);
    let wrong = wasmtime::SharedMemory::new(engine(), wrong)?;
    let unshared = Module::new(
        engine(),
        wat::parse_str(r#"(module (import "env" "memory" (memory 2 3 shared)))"#)?,
    )?;
    let mut linker = wasmtime::Linker::<State>::new(engine());
    linker.define(&parent, "env", "memory", memory.shared.clone())?;
    // The memory has a greater maximum than the module allows.
    assert!(linker.instantiate_pre(&unshared).is_err());
    let all = r#"(module (import "env" "memory" (memory 2 65536 shared)))"#;
    let all = Module::new(engine(), wat::parse_str(all)?)?;
    let all = linker.instantiate_pre(&all)?;
    assert!(with_memory(&all, &wrong).is_err());

    let limits: StoreLimits = StoreLimitsBuilder::new().table_elements(13).build();
    let mut linker = wasmtime::Linker::<StoreLimits>::new(engine());
    linker.func_wrap("host", "fork", || 0)?;
    linker.func_wrap("host", "seven", || 0)?;
    let mut child = Store::new(engine(), limits);
    linker.define(&child, "env", "memory", memory.shared.clone())?;
    let imports = linker.instantiate_pre(&module)?;
    child.limiter(|limits| limits);
    let Err(error) = snapshot.instantiate(&mut child, &imports) else {
        return Err(Error::msg("a table grew beyond the limit"));
    };
    assert!(format!("{error:#}").contains("may not grow"), "{error:#}");
    Ok(())
}

/// A table of a thousand functions: the time for one instance. Run by hand: `--ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn time_of_a_snapshot() -> Result<()> {
    use std::fmt::Write as _;
    let mut text = String::from(
        r#"(module (import "env" "memory" (memory 0 65536 shared)) (table 1000 1000 funcref)"#,
    );
    for i in 0..1000 {
        let _ = write!(
            text,
            "(func $f{i} (param i32) (result i32) (i32.add (local.get 0) (i32.const {i})))"
        );
    }
    text.push_str("(elem (i32.const 0)");
    for i in 0..1000 {
        let _ = write!(text, " $f{i}");
    }
    text.push_str("))");
    let module = module(&text)?;
    let imports = imports(&module)?;
    let (mut parent, imports, _memory) = store(&imports)?;
    let instance = imports.instantiate(&mut parent)?;
    let rounds = 2000_u32;
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        Snapshot::take(&parent, &instance)?;
    }
    let take = start.elapsed() / rounds;
    let snapshot = Snapshot::take(&parent, &instance)?;
    let mut made = std::time::Duration::ZERO;
    let mut fresh = std::time::Duration::ZERO;
    let mut stores = std::time::Duration::ZERO;
    for _ in 0..rounds {
        let start = std::time::Instant::now();
        let mut child = Store::new(engine(), State::default());
        stores += start.elapsed();
        let start = std::time::Instant::now();
        snapshot.instantiate(&mut child, &imports)?;
        made += start.elapsed();
        let mut child = Store::new(engine(), State::default());
        let start = std::time::Instant::now();
        imports.instantiate(&mut child)?;
        fresh += start.elapsed();
    }
    println!(
        "take {take:?}, instantiate {:?}, as new {:?}, store {:?}",
        made / rounds,
        fresh / rounds,
        stores / rounds
    );
    Ok(())
}
