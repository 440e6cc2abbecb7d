//! Settings of the compiler: what they refuse, and that they are part of compiled code.

use wasmtime::{Config, Engine, Module, Result};

use crate::host::config;

const MODULE: &str = "(module (func (export \"run\")))";

#[test]
fn code_compiled_with_other_settings_is_refused() -> Result<()> {
    let configs: Vec<Config> = (0..8)
        .map(|bits| {
            let mut config = config();
            config
                .native_frames(bits & 1 != 0)
                .relaxed_calls(bits & 2 != 0)
                .memory_through_gs(bits & 4 != 0);
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
