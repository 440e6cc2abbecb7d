//! Host functions that compiled code calls directly.

use wasmtime::native_frames::{Frames, capture, resume};
use wasmtime::{
    Caller, Config, DirectFunc, Engine, Error, Instance, Linker, Module, Result, Store,
};

use crate::host::{config, engine};

const DIRECT: &str = include_str!("../../wat/direct.wat");

/// What the imports do, and have done.
#[derive(Default)]
struct State {
    /// The direct functions leave what has this first argument to the ordinary ones.
    left: Option<u32>,
    /// The ordinary functions fail.
    fails: bool,
    direct: u32,
    ordinary: u32,
    captured: Option<Frames>,
}

/// The digits of a number with the first argument as the last digit, in all functions.
fn number(words: &[u32]) -> u32 {
    let weighted = words.iter().rev();
    weighted.fold(0, |sum: u32, word| sum.wrapping_mul(10).wrapping_add(*word))
}

struct Numbers;

impl<const N: usize> DirectFunc<State, N> for Numbers {
    fn call(state: &mut State, words: [u32; N]) -> Option<u32> {
        state.direct += 1;
        let is_left = words.first().copied() == state.left;
        (!is_left).then(|| number(&words))
    }
}

/// The ordinary function's result: a hundred million more, and 1 or what the copied frames are told.
fn ordinary(mut caller: Caller<'_, State>, words: &[i32]) -> Result<i32> {
    let frames = capture(&mut caller).ok();
    let state = caller.data_mut();
    state.ordinary += 1;
    state.captured = frames;
    if state.fails {
        return Err(Error::msg("told to fail"));
    }
    let words: Vec<u32> = words.iter().map(|word| word.cast_unsigned()).collect();
    Ok(number(&words).wrapping_add(100_000_000).cast_signed())
}

fn linker(engine: &Engine) -> Result<Linker<State>> {
    type Host<'a> = Caller<'a, State>;
    let mut linker = Linker::new(engine);
    linker.func_wrap_direct::<_, 1, _, _>("host", "one", Numbers, |host: Host<'_>, a: i32| {
        ordinary(host, &[a])
    })?;
    linker.func_wrap_direct::<_, 3, _, _>(
        "host",
        "three",
        Numbers,
        |host: Host<'_>, a: i32, b: i32, c: i32| ordinary(host, &[a, b, c]),
    )?;
    linker.func_wrap_direct::<_, 7, _, _>(
        "host",
        "seven",
        Numbers,
        |host: Host<'_>, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32| {
            ordinary(host, &[a, b, c, d, e, f, g])
        },
    )?;
    Ok(linker)
}

struct Guest {
    store: Store<State>,
    instance: Instance,
}

impl Guest {
    fn new(engine: &Engine, state: State) -> Result<Self> {
        Self::of(&Module::new(engine, wat::parse_str(DIRECT)?)?, state)
    }

    fn of(module: &Module, state: State) -> Result<Self> {
        let mut store = Store::new(module.engine(), state);
        let instance = linker(module.engine())?.instantiate(&mut store, module)?;
        Ok(Self { store, instance })
    }

    fn call(&mut self, name: &str, argument: i32) -> Result<i32> {
        let export = self
            .instance
            .get_typed_func::<i32, i32>(&mut self.store, name)?;
        export.call(&mut self.store, argument)
    }

    /// How often each kind of function was called since this was asked last.
    fn counts(&mut self) -> (u32, u32) {
        let state = self.store.data_mut();
        let counts = (state.direct, state.ordinary);
        (state.direct, state.ordinary) = (0, 0);
        counts
    }
}

/// What the export `three` makes of its import's result.
fn three(n: i32, result: i32) -> i32 {
    1000 * n + result + 20_000 * n
}

#[test]
fn direct_functions_get_their_arguments() -> Result<()> {
    let mut guest = Guest::new(engine(), State::default())?;
    for n in [0, 1, 7, 4_000] {
        assert_eq!(guest.call("one", n)?, n);
        let digits = n + 10 * (n + 1) + 100 * (n + 2);
        assert_eq!(guest.call("three", n)?, three(n, digits));
        let digits = n + 20 - 300 + 4_000 + 50_000 - 600_000 + 7_000_000;
        assert_eq!(guest.call("seven", n)?, digits);
    }
    assert_eq!(guest.call("one", -1)?, -1);
    assert_eq!(guest.counts(), (13, 0));
    assert_eq!(guest.call("sum", 1_000)?, 500_500);
    assert_eq!(guest.counts(), (1_000, 0));
    Ok(())
}

#[test]
fn what_they_leave_comes_to_the_ordinary_function() -> Result<()> {
    let mut guest = Guest::new(engine(), State::default())?;
    guest.store.data_mut().left = Some(7);
    assert_eq!(guest.call("one", 7)?, 100_000_007);
    assert_eq!(guest.call("one", 8)?, 8);
    assert_eq!(guest.call("three", 7)?, three(7, 100_000_987));
    assert_eq!(guest.call("seven", 7)?, 106_453_727);
    assert_eq!(guest.counts(), (4, 3));
    assert_eq!(guest.call("sum", 10)?, 100_000_055);
    assert_eq!(guest.counts(), (10, 1));
    let calls = guest.instance.get_global(&mut guest.store, "calls");
    let calls = calls.and_then(|global| global.get(&mut guest.store).i32());
    assert_eq!(calls, Some(1));
    Ok(())
}

#[test]
fn errors_are_the_ordinary_functions() -> Result<()> {
    let mut guest = Guest::new(engine(), State::default())?;
    guest.store.data_mut().left = Some(7);
    guest.store.data_mut().fails = true;
    for name in ["one", "three", "seven", "sum"] {
        let error = guest.call(name, 7).err().map(|error| format!("{error:#}"));
        let text = error.unwrap_or_default();
        assert!(text.contains("told to fail"), "{name}: {text}");
    }
    // The guest goes on as before.
    assert_eq!(guest.call("one", 8)?, 8);
    Ok(())
}

#[test]
fn frames_are_copied_where_the_ordinary_function_was_called() -> Result<()> {
    let module = Module::new(engine(), wat::parse_str(DIRECT)?)?;
    for (name, argument, in_child) in [
        ("one", 7, 2),
        ("three", 7, three(7, 2)),
        ("seven", 7, 2),
        // The results before it, its own, and those that are still to come.
        ("sum", 10, 10 + 9 + 8 + 2 + 6 + 5 + 4 + 3 + 2 + 1),
    ] {
        let mut guest = Guest::of(&module, State::default())?;
        guest.store.data_mut().left = Some(7);
        guest.call(name, argument)?;
        let Some(frames) = guest.store.data_mut().captured.take() else {
            return Err(Error::msg("nothing was captured"));
        };
        drop(guest);
        let mut child = Guest::of(&module, State::default())?;
        let result = resume(&mut child.store, &child.instance, &frames, 2)?;
        let low = u32::try_from(result & 0xffff_ffff)?;
        assert_eq!(low.cast_signed(), in_child, "{name}");
    }
    Ok(())
}

#[test]
fn calls_that_cannot_be_direct_are_ordinary() -> Result<()> {
    let mut guest = Guest::new(engine(), State::default())?;
    assert_eq!(guest.call("table", 5)?, 100_000_005);
    assert_eq!(guest.call("tail", 5)?, 100_000_005);
    assert_eq!(guest.counts(), (0, 2));
    // An engine without native frames.
    let mut guest = Guest::new(&Engine::new(&Config::new())?, State::default())?;
    assert_eq!(guest.call("one", 5)?, 100_000_005);
    assert_eq!(guest.counts(), (0, 1));
    // Frames that are not copied make no difference.
    let staying = Engine::new(config().native_frames_stay(true))?;
    let mut guest = Guest::new(&staying, State::default())?;
    assert_eq!(guest.call("one", 5)?, 5);
    assert_eq!(guest.counts(), (1, 0));
    Ok(())
}

#[test]
fn ordinary_functions_of_the_same_type_are_called() -> Result<()> {
    let module = Module::new(engine(), wat::parse_str(DIRECT)?)?;
    let mut store = Store::new(engine(), State::default());
    let mut linker = linker(engine())?;
    linker.allow_shadowing(true);
    linker.func_wrap("host", "one", |a: i32| a + 5)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let mut guest = Guest { store, instance };
    assert_eq!(guest.call("one", 5)?, 10);
    assert_eq!(guest.counts(), (0, 0));
    Ok(())
}

#[test]
fn other_types_are_refused() {
    let mut linker = Linker::<State>::new(engine());
    let long = linker
        .func_wrap_direct::<_, 1, _, _>("", "long", Numbers, |a: i64| -> i32 { i32::from(a == 0) });
    assert!(long.is_err());
    let nothing = linker.func_wrap_direct::<_, 1, _, _>("", "nothing", Numbers, |_: i32| ());
    assert!(nothing.is_err());
    let fewer = linker.func_wrap_direct::<_, 2, _, _>("", "fewer", Numbers, |a: i32| a);
    assert!(fewer.is_err());
    let none = linker.func_wrap_direct::<_, 0, _, _>("", "none", Numbers, || 0);
    assert!(none.is_err());
}
