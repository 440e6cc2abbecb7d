//! Hand-written modules on the engine: how they end, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lind_boot::engine::{Crash, Engine};
use lind_boot::failure::Failure;
use rawposix::{Config, CoreDump, ExitStatus, Image, Sandbox, Signal};

const IMPORTS: &str = r#"
    (import "env" "memory" (memory 2 65536 shared))
    (import "lind" "syscall" (func $syscall (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "lind" "setjmp" (func $setjmp (param i32 i32) (result i32)))
    (import "lind" "longjmp" (func $longjmp (param i32 i32) (result i32)))
    (import "lind" "getcontext" (func $getcontext (param i32) (result i32)))
    (import "lind" "setcontext" (func $setcontext (param i32 i32) (result i32)))
    (import "lind" "makecontext" (func $makecontext (param i32 i32) (result i32)))
    (import "lind" "swapcontext" (func $swapcontext (param i32 i32) (result i32)))
    (func $exit (param i32)
        (drop (call $syscall (i32.const 94) (local.get 0)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
        unreachable)
"#;

fn run_module(text: &str) -> Result<(ExitStatus, Option<Crash>), Failure> {
    let engine = Engine::new().unwrap();
    let (program, _) = engine.load(&wat::parse_str(text).unwrap(), "test", None, || ())?;
    let sandbox = Sandbox::new(Config::default()).unwrap();
    let argv = vec![b"test".to_vec()];
    let image = Image {
        argv,
        initial_memory: program.initial_memory(),
        ..Image::default()
    };
    let thread = sandbox.start(image).unwrap();
    program.run(&sandbox, thread, None)
}

fn run(body: &str) -> (ExitStatus, String) {
    let (status, crash) = run_module(&format!("(module {IMPORTS} {body})")).unwrap();
    (status, crash.map(|crash| crash.cause).unwrap_or_default())
}

fn start(body: &str) -> (ExitStatus, String) {
    run(&format!("(func $start (export \"_start\") {body})"))
}

fn killed(signal: Signal, cause: &str) -> (ExitStatus, String) {
    (
        ExitStatus::Signaled(signal, CoreDump::Yes),
        cause.to_owned(),
    )
}

fn refused(text: &str) -> String {
    let failure = run_module(text).map(|(status, _)| status).unwrap_err();
    assert_eq!(failure.status(), 126, "{failure}");
    failure.to_string()
}

#[test]
fn the_exit_status_is_the_guests() {
    assert_eq!(
        start("(call $exit (i32.const 42))"),
        (ExitStatus::Exited(42), String::new())
    );
    assert_eq!(start(""), (ExitStatus::Exited(0), String::new()));
}

#[test]
fn traps_are_signals() {
    let load = |address: &str| start(&format!("(drop (i32.load (i32.const {address})))"));
    assert_eq!(
        load("0x10"),
        killed(Signal::SIGSEGV, "invalid memory access at 0x10")
    );
    assert_eq!(
        load("0x20000"),
        killed(Signal::SIGSEGV, "invalid memory access at 0x20000")
    );
    assert_eq!(
        load("-4"),
        killed(Signal::SIGSEGV, "invalid memory access at 0xfffffffc")
    );
    assert_eq!(
        start("(drop (i32.div_s (i32.const 1) (i32.load (i32.const 0x10000))))"),
        killed(Signal::SIGFPE, "integer division by zero")
    );
    assert_eq!(
        start("unreachable"),
        killed(Signal::SIGILL, "unreachable code was reached")
    );
    assert_eq!(
        start("(drop (i32.atomic.load (i32.const 0x10001)))"),
        killed(Signal::SIGBUS, "misaligned atomic access")
    );
}

#[test]
fn accesses_past_four_gigabytes_are_caught() {
    let (status, _) = start("(drop (i32.load offset=0xffffffff (i32.const -1)))");
    assert_eq!(status, ExitStatus::Signaled(Signal::SIGSEGV, CoreDump::Yes));
}

#[test]
fn bulk_operations_on_unmapped_memory_are_faults() {
    for body in [
        "(memory.fill (i32.const 0x10) (i32.const 1) (i32.const 100))",
        "(memory.copy (i32.const 0x10000) (i32.const 0x30000) (i32.const 100))",
        "(memory.copy (i32.const 0x1fff0) (i32.const 0x10000) (i32.const 100))",
        "(drop (memory.atomic.wait32 (i32.const 0x10) (i32.const 0) (i64.const 0)))",
    ] {
        let (status, _) = start(body);
        assert_eq!(
            status,
            ExitStatus::Signaled(Signal::SIGSEGV, CoreDump::Yes),
            "{body}"
        );
    }
    let (status, _) = run(r#"(data (i32.const 8) "below") (func (export "_start"))"#);
    assert_eq!(status, ExitStatus::Signaled(Signal::SIGSEGV, CoreDump::Yes));
}

#[test]
fn bad_function_pointers_are_faults() {
    let table = r#"(table 2 funcref) (type $f (func))"#;
    for index in [0, 1, 2, -1] {
        let body = format!(
            r#"{table} (func (export "_start") (call_indirect (type $f) (i32.const {index})))"#
        );
        assert_eq!(
            run(&body),
            killed(Signal::SIGSEGV, "call through an invalid function pointer"),
            "{index}"
        );
    }
}

#[test]
fn endless_recursion_is_a_stack_overflow() {
    let (status, cause) = run(r#"(func $f (export "_start") (call $f) (call $f))"#);
    assert_eq!((status, cause), killed(Signal::SIGSEGV, "stack overflow"));
}

#[test]
fn backtraces_name_the_functions() {
    let text = format!(
        r#"(module {IMPORTS} (func $inner unreachable) (func $outer (export "_start") (call $inner)))"#
    );
    let (_, crash) = run_module(&text).unwrap();
    let frames: Vec<_> = crash
        .unwrap()
        .backtrace
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(frames, ["inner", "outer"]);
}

#[test]
fn setjmp_returns_again() {
    let body = r#"
        (func $jump (param i32) (drop (call $longjmp (i32.const 0x10000) (local.get 0))))
        (func (export "_start") (local $value i32)
            (local.set $value (call $setjmp (i32.const 0x10000) (i32.const 1)))
            (if (i32.eqz (local.get $value)) (then (call $jump (i32.const 0))))
            (if (i32.eq (local.get $value) (i32.const 1)) (then (call $jump (i32.const 7))))
            (call $exit (local.get $value)))"#;
    assert_eq!(run(body), (ExitStatus::Exited(7), String::new()));
}

#[test]
fn longjmp_to_nowhere_is_a_fault() {
    let dead = r#"
        (func $set (drop (call $setjmp (i32.const 0x10000) (i32.const 0))))
        (func (export "_start") (call $set) (drop (call $longjmp (i32.const 0x10000) (i32.const 1))))"#;
    assert_eq!(
        run(dead),
        killed(Signal::SIGSEGV, "longjmp to a function that has returned")
    );
    let never_set = "(drop (call $longjmp (i32.const 0x10000) (i32.const 1)))";
    assert_eq!(
        start(never_set),
        killed(Signal::SIGSEGV, "longjmp to a function that has returned")
    );
    let unmapped = "(drop (call $setjmp (i32.const 0x10) (i32.const 1)))";
    assert_eq!(
        start(unmapped),
        killed(Signal::SIGSEGV, "setjmp with an invalid buffer")
    );
}

#[test]
fn contexts_go_on() {
    // A function of its own, from there back, and once more into the first.
    let body = r#"
        (global $count (mut i32) (i32.const 0))
        (func (export "__lind_context_start") (param i32)
            (global.set $count (i32.add (global.get $count) (local.get 0)))
            (drop (call $swapcontext (i32.const 0x10200) (i32.const 0x10000)))
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (drop (call $setcontext (i32.const 0x10000) (i32.const 1))))
        (func (export "_start")
            (if (call $makecontext (i32.const 0x10200) (i32.const 48)) (then (call $exit (i32.const 1))))
            (drop (call $swapcontext (i32.const 0x10000) (i32.const 0x10200)))
            (drop (call $swapcontext (i32.const 0x10000) (i32.const 0x10200)))
            (call $exit (global.get $count)))"#;
    assert_eq!(run(body), (ExitStatus::Exited(49), String::new()));
}

#[test]
fn contexts_end_as_often_as_they_are_made() {
    let body = r#"
        (global $count (mut i32) (i32.const 0))
        (func (export "__lind_context_start") (param i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (drop (call $setcontext (i32.const 0x10000) (i32.const 1))))
        (func (export "_start")
            (loop $more
                (if (call $makecontext (i32.const 0x10200) (i32.const 48)) (then (call $exit (i32.const 1))))
                (drop (call $swapcontext (i32.const 0x10000) (i32.const 0x10200)))
                (br_if $more (i32.lt_u (global.get $count) (i32.const 20000))))
            (call $exit (i32.eq (global.get $count) (i32.const 20000))))"#;
    assert_eq!(run(body), (ExitStatus::Exited(1), String::new()));
}

#[test]
fn contexts_that_do_not_exist_are_refused() {
    let exit = |call: &str| start(&format!("(call $exit (i32.sub (i32.const 0) {call}))"));
    let refused = (ExitStatus::Exited(22), String::new());
    // No name; a forged one, after one was made.
    assert_eq!(
        exit("(call $setcontext (i32.const 0x10000) (i32.const 0))"),
        refused
    );
    assert_eq!(
        exit("(call $swapcontext (i32.const 0x10000) (i32.const 0x10200))"),
        refused
    );
    for (low, high) in [(1, 0), (1, 2), (2, 1), (-1, -1), (0x7fff_ffff, 1)] {
        let forge = format!(
            "(drop (call $getcontext (i32.const 0x10000)))
            (i32.store (i32.const 0x10018) (i32.const {low}))
            (i32.store (i32.const 0x1001c) (i32.const {high}))
            (call $exit (i32.sub (i32.const 0) (call $setcontext (i32.const 0x10000) (i32.const 1))))"
        );
        assert_eq!(start(&forge), refused, "{low} {high}");
    }
    // A module without the start function.
    let made = "(call $makecontext (i32.const 0x10000) (i32.const 0))";
    assert_eq!(exit(made), (ExitStatus::Exited(12), String::new()));
}

#[test]
fn contexts_at_invalid_addresses_are_faults() {
    let fault = killed(Signal::SIGSEGV, "a context at an invalid address");
    for call in [
        "(call $getcontext (i32.const 16))",
        "(call $setcontext (i32.const -8) (i32.const 0))",
        "(call $makecontext (i32.const 0x10) (i32.const 0))",
        "(call $swapcontext (i32.const 0x10000) (i32.const 16))",
        "(call $swapcontext (i32.const -30) (i32.const 0x10000))",
    ] {
        assert_eq!(start(&format!("(drop {call})")), fault, "{call}");
    }
}

#[test]
fn the_start_function_runs_as_the_guest() {
    let body =
        r#"(func $first (call $exit (i32.const 5))) (start $first) (func (export "_start"))"#;
    assert_eq!(run(body), (ExitStatus::Exited(5), String::new()));
}

#[test]
fn other_imports_are_refused() {
    let memory = r#"(import "env" "memory" (memory 2 65536 shared))"#;
    let start = r#"(func (export "_start"))"#;
    let refused = |imports: &str| refused(&format!("(module {imports} {start})"));
    assert!(
        refused(&format!(
            r#"(import "wasi_snapshot_preview1" "fd_write" (func)) {memory}"#
        ))
        .contains("fd_write")
    );
    assert!(
        refused(&format!(r#"(import "lind" "fork" (func)) {memory}"#))
            .contains("lind has no function 'lind.fork'")
    );
    assert!(
        refused(&format!(
            r#"(import "lind" "syscall" (func (param i32))) {memory}"#
        ))
        .contains("with the type")
    );
    assert!(refused("").contains("does not import its memory"));
    assert!(refused(r#"(import "env" "memory" (memory 2 100 shared))"#).contains("maximum"));
    assert!(refused(r#"(import "env" "memory" (memory 2))"#).contains("shared"));
    assert!(refused(r#"(memory 2 65536 shared)"#).contains("does not import its memory"));
}

#[test]
fn what_is_no_program_is_refused() {
    let load = |bytes: &[u8]| {
        Engine::new()
            .unwrap()
            .load(bytes, "x", None, || ())
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    assert!(load(b"").contains("no WebAssembly module"));
    assert!(load(b"\x7fELF...").contains("a native program"));
    assert!(load(b"#!/bin/sh\n").contains("a script"));
    assert!(load(b"\0asm\x01\0\0\0garbage").contains("cannot compile"));
    let library = r#"(module (import "env" "memory" (memory 2 65536 shared)))"#;
    assert!(refused(library).contains("no function _start"));
}

#[test]
fn tables_have_a_limit() {
    let huge = r#"(table $t 1 funcref)
        (func (export "_start") (call $exit (i32.eq (i32.const -1)
            (table.grow $t (ref.null func) (i32.const 0x10000000)))))"#;
    assert_eq!(run(huge), (ExitStatus::Exited(1), String::new()));
    // All tables together.
    let both = r#"(table $t 1 funcref) (table $u 1 funcref)
        (func (export "_start") (call $exit (i32.add
            (i32.eq (i32.const 1) (table.grow $t (ref.null func) (i32.const 600000)))
            (i32.eq (i32.const -1) (table.grow $u (ref.null func) (i32.const 600000))))))"#;
    assert_eq!(run(both), (ExitStatus::Exited(2), String::new()));
    let at_first = "(table 600000 funcref)".repeat(2) + r#"(func (export "_start"))"#;
    let result = run_module(&format!("(module {IMPORTS} {at_first})"));
    assert!(!matches!(result, Ok((ExitStatus::Exited(_), _))));
}
