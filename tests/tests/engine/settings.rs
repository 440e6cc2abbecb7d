//! Settings of the compiler: what they refuse, and that they are part of compiled code.

use wasmtime::{Config, Engine, Module, Result};

use crate::host::{call, config, instantiate};

const MODULE: &str = "(module (func (export \"run\")))";

#[test]
fn code_compiled_with_other_settings_is_refused() -> Result<()> {
    let configs: Vec<Config> = (0..16)
        .map(|bits| {
            let mut config = config();
            config
                .native_frames(bits & 1 != 0)
                .relaxed_calls(bits & 2 != 0)
                .memory_through_gs(bits & 4 != 0)
                .native_frames_stay(bits & 8 != 0);
            config
        })
        .collect();
    for (i, from) in configs.iter().enumerate() {
        let code = Engine::new(from)?.precompile_module(&wat::parse_str(MODULE)?)?;
        for (j, to) in configs.iter().enumerate() {
            // SAFETY: the code is what the engine above returned.
            let loaded = unsafe { Module::deserialize(&Engine::new(to)?, &code) };
            assert_eq!(loaded.is_ok(), i == j, "compiled with {i}, loaded with {j}");
        }
    }
    Ok(())
}

#[test]
fn functions_whose_frames_could_hold_unknown_pointers_are_refused() -> Result<()> {
    let frames = Engine::new(&config())?;
    let staying = Engine::new(config().native_frames_stay(true))?;
    let plain = Engine::new(&Config::new())?;
    for text in [
        "(module (func $f) (elem declare func $f) (func (drop (ref.func $f))))",
        "(module (table 1 funcref) (func (drop (table.get (i32.const 0)))))",
        "(module (func (param funcref)))",
        "(module (func (result funcref) (ref.null func)))",
        "(module (import \"\" \"\" (func $f (result funcref))) (func (drop (call $f))))",
        "(module (table 1 funcref) (type $t (func (param funcref)))
            (func (call_indirect (type $t) (ref.null func) (i32.const 0))))",
        "(module (global $g funcref (ref.null func)) (func (drop (global.get $g))))",
        "(module (func (result i32 i32 i32 i32 i32 i32 i32 i32 i32) (unreachable)))",
    ] {
        let binary = wat::parse_str(text)?;
        Module::new(&plain, &binary)?;
        Module::new(&staying, &binary)?;
        let Err(error) = Module::new(&frames, &binary) else {
            panic!("{text} was compiled");
        };
        assert!(
            format!("{error:#}").contains("with native frames"),
            "{error:#}"
        );
    }
    // What C programs have.
    Module::new(
        &frames,
        wat::parse_str(
            "(module (table 2 2 funcref) (elem (i32.const 1) $f) (func $f)
                (func (result i32 i32 i32 i32 i32 i32 i32 i32) (unreachable)))",
        )?,
    )?;
    Ok(())
}

#[test]
fn frames_that_stay_are_not_captured() -> Result<()> {
    let staying = Engine::new(config().native_frames_stay(true))?;
    let module = Module::new(
        &staying,
        wat::parse_str(
            r#"(module
                (import "env" "memory" (memory 4 65536 shared))
                (import "host" "fork" (func $fork (result i32)))
                (import "host" "setjmp" (func $setjmp (param i32) (result i32)))
                (elem declare func $f)
                (func $f)
                (func (export "fork") (param i32) (result i32) (local $r funcref)
                    (local.set $r (ref.func $f))
                    (drop (call $fork))
                    (ref.is_null (local.get $r)))
                (func (export "setjmp") (param i32) (result i32) (local $r funcref)
                    (local.set $r (ref.func $f))
                    (drop (call $setjmp (local.get 0)))
                    (ref.is_null (local.get $r))))"#,
        )?,
    )?;
    let (mut store, instance, _memory) = instantiate(&module)?;
    assert_eq!(call(&mut store, &instance, "setjmp", 1)?, 0);
    let Err(error) = call(&mut store, &instance, "fork", 1) else {
        panic!("the frames were captured");
    };
    assert!(
        format!("{error:#}").contains("stay where they are"),
        "{error:#}"
    );
    Ok(())
}
