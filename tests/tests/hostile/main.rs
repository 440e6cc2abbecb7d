//! Modules that lind-cc would never make: a foreign libc that passes hostile arguments to every system call, bad
//! memory accesses of every kind, and files that are no programs. lind must answer with errors and signals; it must
//! not crash, hang, or touch anything outside of the sandbox.
//!
//! The random part prints its seed; `LIND_HOSTILE_SEED` repeats it and `LIND_HOSTILE_COUNT` sets the cases a call.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod freezing;
mod jobs;
mod numbers;
mod sandbox;

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lind_tests::run::{Ending, LIMIT, Outcome};

use jobs::{Job, check, expect, perform};
use numbers::{ALONE, BLOCKING, ENDING, ordinary_ranges};
use sandbox::{Sandbox, make_executable};

/// The exit status by which the module says that all calls came back.
const CAME_BACK: i32 = 42;
/// How long a process that may block is watched.
const WATCH: Duration = Duration::from_secs(2);

#[test]
fn every_system_call_survives_hostile_arguments() {
    let sandbox = Sandbox::new("hostile");
    let seed = setting("LIND_HOSTILE_SEED").unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .subsec_nanos()
    });
    let count = setting("LIND_HOSTILE_COUNT").unwrap_or(300);
    println!("LIND_HOSTILE_SEED={seed} LIND_HOSTILE_COUNT={count}");
    let attack = |ranges: &[(i32, i32)], limit| {
        let mut arguments = vec![
            sandbox.canary().into_os_string(),
            "../../../../../../canary/file".into(),
        ];
        arguments.extend([seed.to_string().into(), count.to_string().into()]);
        for (from, to) in ranges {
            arguments.extend([from.to_string().into(), to.to_string().into()]);
        }
        sandbox.run(&arguments, limit)
    };
    let came_back = |ranges: &[(i32, i32)]| {
        let outcome = attack(ranges, LIMIT);
        check(&outcome)?;
        expect(&outcome, &[CAME_BACK])
    };
    let ends_somehow = |number: i32| {
        let outcome = attack(&[(number, number)], LIMIT);
        check(&outcome)?;
        match outcome.ending {
            Ending::TimedOut => Err("it hangs".to_owned()),
            _ => Ok(()),
        }
    };
    let may_block = |number: i32| {
        let outcome = attack(&[(number, number)], WATCH);
        check(&outcome)
    };
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for ranges in ordinary_ranges().chunks(4) {
        let ranges = ranges.to_vec();
        jobs.push((
            format!("calls {ranges:?}"),
            Box::new(move || came_back(&ranges)),
        ));
    }
    let odd = [
        (-5, -1),
        (i32::MIN, i32::MIN + 2),
        (i32::MAX - 2, i32::MAX - 1),
        (1_000_000, 1_000_001),
    ];
    jobs.push((format!("calls {odd:?}"), Box::new(move || came_back(&odd))));
    for &number in ALONE {
        jobs.push((
            format!("call {number}"),
            Box::new(move || came_back(&[(number, number)])),
        ));
    }
    for &number in ENDING {
        jobs.push((
            format!("call {number}"),
            Box::new(move || ends_somehow(number)),
        ));
    }
    for &number in BLOCKING {
        jobs.push((
            format!("call {number}"),
            Box::new(move || may_block(number)),
        ));
    }
    let failures = perform(jobs);
    sandbox.assert_untouched();
    assert!(
        failures.is_empty(),
        "LIND_HOSTILE_SEED={seed}\n{}",
        failures.join("\n")
    );
}

/// Acts of `hostile_memory.wat`: from number, to number, status.
const ACTS: &[(usize, usize, i32)] = &[
    (0, 21, 139),  // accesses to memory that is not there; endless recursion
    (22, 22, 132), // unreachable
    (23, 26, 136), // divisions by zero, overflow, conversion of NaN
    (27, 30, 139), // calls through bad function pointers
    (31, 32, 135), // misaligned atomics
    (33, 37, 139), // bad pointers for lind's own functions
    (38, 45, 42),  // harmless, or refused by a result
];

#[test]
fn bad_memory_accesses_are_signals() {
    let sandbox = Sandbox::new("hostile_memory");
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for &(from, to, status) in ACTS {
        for act in from..=to {
            let sandbox = &sandbox;
            let job = move || {
                let outcome = sandbox.run(&[act.to_string().into()], LIMIT);
                check(&outcome)?;
                expect(&outcome, &[status])
            };
            jobs.push((format!("act {act}"), Box::new(job)));
        }
    }
    let failures = perform(jobs);
    sandbox.assert_untouched();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

pub(crate) const MEMORY: &str = r#"(import "env" "memory" (memory 4 65536 shared))"#;
const START: &str = r#"(func (export "_start"))"#;

#[test]
fn what_is_no_program_is_refused_with_a_sentence() {
    let good = wat::parse_str(format!("(module {MEMORY} {START})")).unwrap();
    let module = |body: &str| wat::parse_str(format!("(module {body})")).unwrap();
    let truncated: Vec<u8> = good.iter().copied().take(good.len() - 3).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty file", Vec::new()),
        ("garbage", vec![0x5a; 5000]),
        ("only the magic", b"\0asm".to_vec()),
        ("other version", b"\0asm\x09\0\0\0".to_vec()),
        ("truncated", truncated),
        ("component", b"\0asm\x0d\0\x01\0".to_vec()),
        ("no memory", module(START)),
        ("own memory", module(&format!("(memory 4) {START}"))),
        (
            "unshared memory",
            module(&format!(r#"(import "env" "memory" (memory 4)) {START}"#)),
        ),
        (
            "small maximum",
            module(&format!(
                r#"(import "env" "memory" (memory 4 8 shared)) {START}"#
            )),
        ),
        ("no start", module(MEMORY)),
        (
            "start is no function",
            module(&format!(
                r#"{MEMORY} (global (export "_start") i32 (i32.const 0))"#
            )),
        ),
        (
            "start takes something",
            module(&format!(r#"{MEMORY} (func (export "_start") (param i32))"#)),
        ),
        (
            "unknown module",
            module(&format!(
                r#"(import "wasi" "fd_write" (func)) {MEMORY} {START}"#
            )),
        ),
        (
            "unknown function",
            module(&format!(
                r#"(import "lind" "format_disk" (func)) {MEMORY} {START}"#
            )),
        ),
        (
            "other type",
            module(&format!(
                r#"(import "lind" "syscall" (func (param i32))) {MEMORY} {START}"#
            )),
        ),
        (
            "imported table",
            module(&format!(
                r#"(import "env" "table" (table 1 funcref)) {MEMORY} {START}"#
            )),
        ),
        (
            "imported global",
            module(&format!(
                r#"(import "env" "g" (global i64)) {MEMORY} {START}"#
            )),
        ),
        (
            "memory of 64 bits",
            module(&format!(
                r#"(import "env" "memory" (memory i64 4 65536 shared)) {START}"#
            )),
        ),
        (
            "second memory",
            module(&format!("{MEMORY} (memory 1) {START}")),
        ),
        (
            "structures",
            module(&format!("{MEMORY} (type (struct (field i32))) {START}")),
        ),
        ("exceptions", module(&format!("{MEMORY} (tag) {START}"))),
        (
            "foreign references",
            module(&format!("{MEMORY} (table 1 externref) {START}")),
        ),
        (
            "continuations",
            module(&format!(
                "{MEMORY} (type $f (func)) (type (cont $f)) {START}"
            )),
        ),
        (
            "wide arithmetic",
            module(&format!(
                "{MEMORY} (func (param i64) (result i64 i64)
                    (i64.mul_wide_u (local.get 0) (local.get 0))) {START}"
            )),
        ),
        (
            "invalid body",
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x6a\x0b".to_vec(),
        ),
    ];
    let sandbox = Sandbox::empty();
    let failures = perform_modules(&sandbox, cases, &[126], |outcome| {
        let text = String::from_utf8_lossy(&outcome.stderr).into_owned();
        if text.starts_with("lind: ") {
            Ok(())
        } else {
            Err(format!("no sentence: {text}"))
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn odd_modules_end_like_programs() {
    let module = |body: &str| wat::parse_str(format!("(module {body})")).unwrap();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty program", module(&format!("{MEMORY} {START}"))),
        (
            "data where no memory is",
            module(&format!(
                r#"{MEMORY} (data (i32.const 0x50000000) "x") {START}"#
            )),
        ),
        (
            "data over the end",
            module(&format!(
                r#"{MEMORY} (data (i32.const 0xffffffff) "xx") {START}"#
            )),
        ),
        (
            "data in page zero",
            module(&format!(r#"{MEMORY} (data (i32.const 8) "x") {START}"#)),
        ),
        (
            "elements over the end",
            module(&format!(
                "{MEMORY} (table 1 funcref) (elem (i32.const 7) func $f) (func $f) {START}"
            )),
        ),
        (
            "trap in the start function",
            module(&format!(
                "{MEMORY} (func $s unreachable) (start $s) {START}"
            )),
        ),
        (
            "recursion in the start function",
            module(&format!("{MEMORY} (func $s (call $s)) (start $s) {START}")),
        ),
        (
            "all of memory",
            module(&format!(
                r#"(import "env" "memory" (memory 65536 65536 shared)) {START}"#
            )),
        ),
        (
            "no memory at first",
            module(&format!(
                r#"(import "env" "memory" (memory 0 65536 shared)) {START}"#
            )),
        ),
        (
            "a huge table",
            module(&format!("{MEMORY} (table 0xffffffff funcref) {START}")),
        ),
        (
            "tables beyond number",
            module(&format!(
                "{MEMORY} {} {START}",
                "(table 1000000 funcref)".repeat(50)
            )),
        ),
    ];
    let sandbox = Sandbox::empty();
    let failures = perform_modules(&sandbox, cases, &[0, 126, 132, 134, 136, 137, 139], |_| {
        Ok(())
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs each module; its status must be one of `statuses`.
pub(crate) fn perform_modules(
    sandbox: &Sandbox,
    cases: Vec<(&str, Vec<u8>)>,
    statuses: &[i32],
    also: impl Fn(&Outcome) -> Result<(), String> + Sync,
) -> Vec<String> {
    let also = &also;
    let jobs = cases.into_iter().map(|(name, bytes)| {
        let job = move || {
            let path = sandbox
                .path()
                .join(format!("{}.wasm", name.replace(' ', "_")));
            fs::write(&path, bytes).map_err(|error| error.to_string())?;
            make_executable(&path);
            let outcome = sandbox.run_program(&path, &[], LIMIT);
            check(&outcome)?;
            expect(&outcome, statuses)?;
            also(&outcome)
        };
        let job: Job<'_> = (name.to_owned(), Box::new(job));
        job
    });
    let failures = perform(jobs.collect());
    sandbox.assert_untouched();
    failures
}

fn setting(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}
