//! Modules whose threads cannot be frozen, and modules that pretend to unwind themselves.

use super::{MEMORY, perform_modules};
use crate::sandbox::Sandbox;

/// clone(2), its arguments (`SIGCHLD` and nothing else), exit_group(2) and wait4(2).
const CALLS: &str = r#"
    (import "lind" "syscall" (func $syscall (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "lind" "clone" (func $clone (param i32) (result i32)))
    (data (i32.const 0x10010) "\11")
    (func $exit (param i32)
        (drop (call $syscall (i32.const 94) (local.get 0)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))
    (func $wait (result i32)
        (drop (call $syscall (i32.const 260) (i32.const -1) (i32.const 0x10100)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
        (i32.shr_u (i32.load (i32.const 0x10100)) (i32.const 8)))
"#;
/// A function that native frames cannot copy.
const REFERENCES: &str = r"
    (table $functions 2 funcref)
    (elem declare func $referred)
    (func $referred)
    (func $refer (local $function funcref)
        (local.set $function (ref.func $referred))
        (table.set $functions (i32.const 0) (local.get $function)))
";
/// Forks, and exits with the status of the child.
const FORK: &str = r#"
    (func (export "_start") (local $pid i32) (local $function funcref)
        (local.set $function (table.get $functions (i32.const 0)))
        (local.set $pid (call $clone (i32.const 0x10000)))
        (if (i32.eq (global.get $state) (i32.const 1)) (then return))
        (if (i32.eqz (local.get $pid)) (then (call $exit (i32.const 42))))
        (table.set $functions (i32.const 1) (local.get $function))
        (call $exit (call $wait)))
"#;
/// Asyncify's functions for a program that saves nothing.
const ASYNCIFY: &str = r#"
    (global $state (mut i32) (i32.const 0))
    (func (export "asyncify_start_unwind") (param i32) (global.set $state (i32.const 1)))
    (func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
    (func (export "asyncify_start_rewind") (param i32) (global.set $state (i32.const 2)))
    (func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
    (func (export "asyncify_get_state") (result i32) (global.get $state))
"#;

fn module(parts: &[&str]) -> Vec<u8> {
    // Imports come first in a module.
    let text = parts.concat();
    wat::parse_str(format!("(module {text})")).unwrap()
}

#[test]
fn modules_that_fork_but_cannot_be_copied_are_refused_with_a_sentence() {
    let state = "(global $state (mut i32) (i32.const 0))";
    let many = r#"(func $many (result i32 i32 i32 i32 i32 i32 i32 i32 i32) unreachable)
        (func (export "_start"))"#;
    let cases = vec![
        (
            "references",
            module(&[MEMORY, CALLS, REFERENCES, state, FORK]),
        ),
        ("many results", module(&[MEMORY, CALLS, many])),
    ];
    let sandbox = Sandbox::empty();
    let failures = perform_modules(&sandbox, cases, &[126], |outcome| {
        let text = String::from_utf8_lossy(&outcome.stderr).into_owned();
        if text.contains("its frames cannot be copied") && text.contains("\nhint: instrument it") {
            Ok(())
        } else {
            Err(format!("no sentence: {text}"))
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn modules_that_do_not_fork_need_not_be_copied() {
    let run = r#"(func (export "_start") (call $refer))"#;
    let many = r#"(func $many (result i32 i32 i32 i32 i32 i32 i32 i32 i32)
            (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1)
            (i32.const 1) (i32.const 1))
        (func (export "_start") (call $many) drop drop drop drop drop drop drop drop drop)"#;
    let cases = vec![
        ("references", module(&[MEMORY, REFERENCES, run])),
        ("many results", module(&[MEMORY, many])),
    ];
    let sandbox = Sandbox::empty();
    // Once to be compiled, once from the cache.
    for cases in [cases.clone(), cases] {
        let failures = perform_modules(&sandbox, cases, &[0], |_| Ok(()));
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

#[test]
fn asyncify_copies_what_native_frames_cannot() {
    let program = module(&[MEMORY, CALLS, REFERENCES, ASYNCIFY, FORK]);
    let sandbox = Sandbox::empty();
    let failures = perform_modules(&sandbox, vec![("fork", program)], &[42], |_| Ok(()));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn modules_that_only_pretend_to_unwind_end_alone() {
    let table = "(table $functions 2 funcref)";
    let with = |start_unwind: &str, stop_unwind: &str, start_rewind: &str| {
        module(&[
            MEMORY,
            CALLS,
            table,
            &ASYNCIFY
                .replace("(global.set $state (i32.const 1))", start_unwind)
                .replace(
                    r#""asyncify_stop_unwind") (global.set $state (i32.const 0))"#,
                    &format!(r#""asyncify_stop_unwind") {stop_unwind}"#),
                )
                .replace("(global.set $state (i32.const 2))", start_rewind),
            FORK,
        ])
    };
    let (unwind, stop, rewind) = (
        "(global.set $state (i32.const 1))",
        "(global.set $state (i32.const 0))",
        "(global.set $state (i32.const 2))",
    );
    let header = |top: &str| format!("{unwind} (i32.store (local.get 0) (i32.const {top}))");
    let cases = vec![
        ("goes on", with("", stop, rewind)),
        ("traps", with("unreachable", stop, rewind)),
        ("stops with a trap", with(unwind, "unreachable", rewind)),
        ("rewinds with a trap", with(unwind, stop, "unreachable")),
        ("stays unwound", with(unwind, "", rewind)),
        ("nothing saved", with(&header("0"), stop, rewind)),
        ("too much saved", with(&header("-1"), stop, rewind)),
        (
            "forks meanwhile",
            with("(drop (call $clone (i32.const 0x10000)))", stop, rewind),
        ),
        (
            "exits meanwhile",
            with(unwind, "(call $exit (i32.const 0))", rewind),
        ),
    ];
    let sandbox = Sandbox::empty();
    let failures = perform_modules(&sandbox, cases, &[0, 42, 132, 139], |_| Ok(()));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_endless_unwinding_can_be_killed() {
    // setitimer(2) for a second.
    let start = r#"
        (data (i32.const 0x10208) "\01")
        (func (export "_start")
            (drop (call $syscall (i32.const 103) (i32.const 0) (i32.const 0x10200)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
            (drop (call $clone (i32.const 0x10000)))
            (call $exit (i32.const 1)))"#;
    let asyncify = ASYNCIFY.replace("(global.set $state (i32.const 1))", "(loop (br 0))");
    let program = module(&[MEMORY, CALLS, &asyncify, start]);
    let sandbox = Sandbox::empty();
    // SIGALRM.
    let failures = perform_modules(&sandbox, vec![("endless", program)], &[142], |_| Ok(()));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
