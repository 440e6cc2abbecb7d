//! Wasm code that signals interrupt.

use std::time::Duration;

use rawposix_memory::{GuestPtr, Protection};
use wasmtime::native_frames::{
    self, Frames, Snapshot, resume, set_interruptible, set_signal_function, with_memory,
};
use wasmtime::unix::StoreExt;
use wasmtime::{Caller, Error, Instance, InstancePre, Module, Result, Store, Trap, WasmBacktrace};

use crate::host::{MAPPED, MAPPED_END, Memory, State, call, config, engine, linker, module};
use crate::signals::{Deed, call_at_fault, counted, with_signals};

pub(crate) const INTERRUPTS: &str = include_str!("../../wat/interrupts.wat");
pub(crate) const PAUSE: Duration = Duration::from_micros(20);

/// What `test.event` does, from the store's data.
pub(crate) type Event = fn(Caller<'_, State>, i32) -> Result<i32>;

pub(crate) fn imports(module: &Module, event: Event) -> Result<InstancePre<State>> {
    let memory = Memory::new(module.engine())?;
    let mut store = Store::new(module.engine(), State::default());
    let mut linker = linker(&mut store, &memory)?;
    linker.func_wrap("test", "event", event)?;
    linker.instantiate_pre(module)
}

pub(crate) struct Guest {
    pub(crate) store: Store<State>,
    pub(crate) instance: Instance,
    pub(crate) memory: Memory,
}

/// A guest whose function signals can have called: as new, or from a snapshot.
pub(crate) fn guest(imports: &InstancePre<State>, from: Option<&Snapshot>) -> Result<Guest> {
    let memory = Memory::new(imports.module().engine())?;
    let imports = with_memory(imports, &memory.shared)?;
    let mut store = Store::new(imports.module().engine(), State::default());
    store.data_mut().poison = true;
    set_interruptible(&mut store, imports.module())?;
    let instance = match from {
        Some(snapshot) => snapshot.instantiate(&mut store, &imports)?,
        None => imports.instantiate(&mut store)?,
    };
    store.data_mut().instance = Some(instance);
    store.data_mut().space = Some(memory.space.clone());
    set_signal_function(&mut store, &instance, "signal")?;
    Ok(Guest {
        store,
        instance,
        memory,
    })
}

pub(crate) fn new_guest(event: Event) -> Result<Guest> {
    guest(&imports(&module(INTERRUPTS)?, event)?, None)
}

impl Guest {
    pub(crate) fn call(&mut self, name: &str, arg: i32) -> Result<i32> {
        call(&mut self.store, &self.instance, name, arg)
    }

    pub(crate) fn global(&mut self, name: &str) -> i32 {
        let global = self.instance.get_global(&mut self.store, name);
        let value = global.and_then(|global| global.get(&mut self.store).i32());
        value.unwrap_or(-1)
    }

    pub(crate) fn set_mode(&mut self, mode: i32) -> Result<()> {
        match self.instance.get_global(&mut self.store, "mode") {
            Some(global) => global.set(&mut self.store, mode.into()),
            None => Err(Error::msg("no mode")),
        }
    }

    /// Calls the guest's function at faults, too.
    pub(crate) fn handle_faults(&mut self) {
        // SAFETY: the handler is safe to call in a signal handler.
        unsafe {
            self.store
                .set_signal_handler(|_, _, context| call_at_fault(context));
        }
    }
}

pub(crate) fn no_event(_: Caller<'_, State>, _: i32) -> Result<i32> {
    Ok(0)
}

pub(crate) fn trap(result: Result<i32>) -> Option<Trap> {
    let error = result.err()?;
    error.downcast_ref().copied()
}

#[test]
fn values_are_intact_wherever_code_is_interrupted() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    let rounds = 100_000;
    let expect = guest.call("sum", rounds)?;
    let mut done = 0;
    let mut elsewhere = 0;
    let mut unsettled = 0;
    while done < 5_000 {
        let (sum, counts) = with_signals(Deed::Call, PAUSE, || guest.call("sum", rounds));
        assert_eq!(sum?, expect);
        done += counts.done;
        elsewhere += counts.elsewhere;
        unsettled += counts.unsettled;
    }
    println!("{done} calls, {unsettled} not settled, {elsewhere} elsewhere");
    check_signals(&mut guest, done);
    assert_eq!(guest.global("inside"), 0);
    Ok(())
}

/// The guest's count of its function's calls: one that is interrupted while it counts loses what it is interrupted by.
fn check_signals(guest: &mut Guest, done: u32) {
    let signals = guest.global("signals").cast_unsigned();
    assert!(
        signals <= done && signals > done - done / 10,
        "{signals} of {done}"
    );
}

#[test]
fn the_function_can_be_interrupted_itself() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    let expect = guest.call("sum", 30_000)?;
    guest.set_mode(1)?;
    let mut done = 0;
    while guest.global("nested") < 100 {
        let (sum, counts) = with_signals(Deed::Call, PAUSE, || guest.call("sum", 30_000));
        assert_eq!(sum?, expect);
        done += counts.done;
    }
    check_signals(&mut guest, done);
    assert_eq!(guest.global("inside"), 0);
    Ok(())
}

#[test]
fn endless_code_can_be_killed() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    for (name, mode, deed) in [
        ("spin", 0, Deed::Kill),
        ("spin_below", 0, Deed::Kill),
        ("sum", 0, Deed::Kill),
        // In the function that a signal called, which called it in an endless loop, too.
        ("spin_below", 5, Deed::CallThenKill),
        ("sum", 5, Deed::CallThenKill),
    ] {
        guest.set_mode(mode)?;
        let (result, counts) = with_signals(deed, PAUSE, || guest.call(name, -1));
        assert_eq!(trap(result), Some(Trap::Interrupt), "{name}");
        let expect = if deed == Deed::Kill { 1 } else { 2 };
        assert_eq!(counts.done, expect);
    }
    // The store still works.
    guest.set_mode(0)?;
    assert_eq!(guest.call("sum", 10)?, guest.call("sum", 10)?);
    Ok(())
}

#[test]
fn a_start_function_can_be_killed() -> Result<()> {
    let text = "(module (func $start (loop $l (br $l))) (start $start))";
    let module = module(text)?;
    let mut store = Store::new(engine(), State::default());
    set_interruptible(&mut store, &module)?;
    let (result, counts) = with_signals(Deed::Kill, PAUSE, || {
        Instance::new(&mut store, &module, &[]).map(|_| 0)
    });
    assert_eq!(trap(result), Some(Trap::Interrupt));
    assert_eq!(counts.done, 1);
    Ok(())
}

#[test]
fn the_function_can_jump_out() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    guest.set_mode(2)?;
    let jumps = 3_000;
    let (result, counts) = with_signals(Deed::Call, PAUSE, || guest.call("jumps", jumps));
    assert_eq!(result?, jumps);
    assert!(counts.done >= jumps.cast_unsigned());
    Ok(())
}

#[test]
fn traps_in_the_function_show_what_it_interrupted() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    guest.set_mode(4)?;
    let (result, _) = with_signals(Deed::Call, PAUSE, || guest.call("spin_below", 0));
    let Err(error) = result else {
        return Err(Error::msg("no trap"));
    };
    assert_eq!(
        error.downcast_ref::<Trap>(),
        Some(&Trap::UnreachableCodeReached)
    );
    let names = error.downcast_ref::<WasmBacktrace>().map(|backtrace| {
        let frames = backtrace.frames().iter();
        let names = frames.map(|frame| frame.func_name().unwrap_or("?").to_owned());
        names.collect::<Vec<_>>()
    });
    let names = names.unwrap_or_default();
    assert_eq!(names.first().map(String::as_str), Some("signal"));
    assert_eq!(names.last().map(String::as_str), Some("spin_below"));
    Ok(())
}

/// What a fork in the function leaves: the instance, the frames, and the memory.
pub(crate) struct Forked {
    snapshot: Snapshot,
    pub(crate) frames: Frames,
    memory: Vec<u32>,
}

thread_local! {
    pub(crate) static FORKED: std::cell::RefCell<Vec<Forked>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn words() -> impl Iterator<Item = u32> {
    (MAPPED..MAPPED + 0x1000).step_by(4)
}

/// Called by a parent after each fork, with 1, and by its child, with 2.
pub(crate) fn forked(caller: &mut Caller<'_, State>, value: i32) -> Result<i32> {
    if value == 1 {
        // A child of a function that interrupted this one between the fork and here has none.
        let Some(frames) = caller.data_mut().captured.pop() else {
            return Ok(0);
        };
        let state = caller.data();
        let (Some(instance), Some(space)) = (state.instance, state.space.clone()) else {
            return Err(Error::msg("no instance"));
        };
        let snapshot = Snapshot::take(&*caller, &instance)?;
        let read = |at| space.read::<u32>(GuestPtr::new(at)).unwrap_or_default();
        let memory = words().map(read).collect();
        FORKED.with_borrow_mut(|all| {
            all.push(Forked {
                snapshot,
                frames,
                memory,
            });
        });
    }
    Ok(0)
}

/// A guest with the memory and the instance of a child.
pub(crate) fn child(imports: &InstancePre<State>, forked: &Forked) -> Result<Guest> {
    let child = guest(imports, Some(&forked.snapshot))?;
    for (at, word) in words().zip(&forked.memory) {
        let written = child.memory.space.write(GuestPtr::new(at), word);
        written.map_err(|errno| Error::msg(format!("{errno:?}")))?;
    }
    Ok(child)
}

#[test]
fn forks_in_the_function_copy_what_it_interrupted() -> Result<()> {
    let rounds = 3_000;
    let module = module(INTERRUPTS)?;
    let imports = imports(&module, |mut caller, value| {
        assert!(native_frames::is_interrupted(&mut caller)?);
        forked(&mut caller, value)
    })?;
    let mut parent = guest(&imports, None)?;
    let expect = parent.call("sum", rounds)?;
    parent.set_mode(3)?;
    let mut all = Vec::new();
    while all.len() < 300 {
        let (sum, counts) = with_signals(Deed::Call, PAUSE, || parent.call("sum", rounds));
        assert_eq!(sum?, expect);
        let forked = FORKED.take();
        assert_eq!(forked.len(), counts.done as usize);
        all.extend(forked);
    }
    drop(parent);
    let children = std::thread::spawn(move || -> Result<()> {
        for (i, forked) in all.iter().enumerate() {
            let mut child = child(&imports, forked)?;
            let sum = resume(&mut child.store, &child.instance, &forked.frames, 2)?;
            let sum = u32::try_from(sum & 0xffff_ffff).unwrap_or_default();
            assert_eq!(sum.cast_signed(), expect, "child {i}");
            assert_eq!(child.global("inside"), 0);

            // A child's frames are interrupted and forked as well.
            let run = || resume(&mut child.store, &child.instance, &forked.frames, 2);
            let (sum, _) = with_signals(Deed::Call, PAUSE, run);
            let sum = u32::try_from(sum? & 0xffff_ffff).unwrap_or_default();
            // The memory is not that of the fork any more, so this is not the sum.
            let _ = sum;
            FORKED.take();
        }
        Ok(())
    });
    children.join().map_err(|_| Error::msg("a child failed"))?
}

#[test]
fn a_fault_can_be_repaired() -> Result<()> {
    fn repair(caller: Caller<'_, State>, _: i32) -> Result<i32> {
        let Some(space) = caller.data().space.clone() else {
            return Err(Error::msg("no space"));
        };
        let protected = space.mprotect(MAPPED_END, 0x1000, Protection::READ);
        assert_eq!(protected, Ok(()));
        Ok(0)
    }
    let mut guest = new_guest(repair)?;
    guest.handle_faults();
    guest.set_mode(6)?;
    guest
        .memory
        .map(MAPPED_END, 0x1000, Protection::READ | Protection::WRITE)?;
    let at = MAPPED_END + 8;
    let space = guest.memory.space.clone();
    for i in 0..100_i32 {
        let all = Protection::READ | Protection::WRITE;
        assert_eq!(space.mprotect(MAPPED_END, 0x1000, all), Ok(()));
        assert_eq!(space.write(GuestPtr::new(at), &i), Ok(()));
        let none = Protection::empty();
        assert_eq!(space.mprotect(MAPPED_END, 0x1000, none), Ok(()));
        let (result, faults) = counted(|| guest.call("load", at.cast_signed()));
        assert_eq!(result?, i);
        assert_eq!(faults, 1);
    }
    Ok(())
}

#[test]
fn faults_can_be_jumped_out_of() -> Result<()> {
    let mut guest = new_guest(no_event)?;
    guest.handle_faults();
    let mut depth = None;
    for mode in [2, 8] {
        guest.set_mode(mode)?;
        for _ in 0..20 {
            for what in 0..3 {
                let (result, faults) = counted(|| guest.call("caught", what));
                assert_eq!(result?, 42, "{what} in mode {mode}");
                assert_eq!(faults, 1);
            }
            // The function had stack beyond the limit, which is again where it was.
            assert_eq!(
                guest.global("depth"),
                *depth.get_or_insert(guest.global("depth"))
            );
        }
    }
    Ok(())
}

#[test]
fn a_fault_without_repair_happens_again() -> Result<()> {
    thread_local! {
        static ASKED: std::cell::Cell<i32> = const { std::cell::Cell::new(0) };
    }
    let mut guest = new_guest(|_, _| {
        ASKED.set(ASKED.get() + 1);
        Ok(i32::from(ASKED.get() % 10 == 0))
    })?;
    guest.handle_faults();
    guest.set_mode(7)?;
    for what in 0..3 {
        let (result, faults) = counted(|| guest.call("caught", what));
        assert_eq!(result?, 42, "{what}");
        assert_eq!(faults, 10);
    }
    let depth = guest.global("depth");
    let (result, _) = counted(|| guest.call("caught", 2));
    assert_eq!(result?, 42);
    assert_eq!(guest.global("depth"), depth);
    Ok(())
}

#[test]
fn a_function_without_stack_traps() -> Result<()> {
    // The function at the overflow uses more than what it gets beyond the limit.
    let mut guest = new_guest(no_event)?;
    guest.handle_faults();
    guest.set_mode(9)?;
    let (result, faults) = counted(|| guest.call("caught", 2));
    assert_eq!(trap(result), Some(Trap::StackOverflow));
    assert_eq!(faults, 1);
    guest.set_mode(2)?;
    assert_eq!(guest.call("caught", 2)?, 42);
    Ok(())
}

#[test]
fn wrong_functions_are_refused() -> Result<()> {
    let module = module(
        r#"(module
            (import "test" "host" (func $host))
            (export "imported" (func $host))
            (global (export "global") i32 (i32.const 0))
            (func (export "parameter") (param i32))
            (func (export "result") (result i32) (i32.const 0))
            (func (export "good")))"#,
    )?;
    let mut store = Store::new(engine(), State::default());
    let host = wasmtime::Func::wrap(&mut store, || {});
    let instance = Instance::new(&mut store, &module, &[host.into()])?;
    assert!(set_signal_function(&mut store, &instance, "good").is_err());
    set_interruptible(&mut store, &module)?;
    for name in ["imported", "global", "parameter", "result", "none"] {
        assert!(set_signal_function(&mut store, &instance, name).is_err());
    }
    set_signal_function(&mut store, &instance, "good")?;
    let mut plain = config();
    plain.native_frames(false);
    let plain = wasmtime::Engine::new(&plain)?;
    let module = Module::new(&plain, wat::parse_str("(module)")?)?;
    let mut store = Store::new(&plain, State::default());
    assert!(set_interruptible(&mut store, &module).is_err());
    Ok(())
}
