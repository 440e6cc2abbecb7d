//! Accesses to pages that are not accessible: a trap each, whatever makes the access.

use rawposix_memory::{FileSource, GuestPtr, MapFlags, MapRequest, Protection};
use wasmtime::{Error, Instance, Module, Result, Store, Trap};

use crate::host::{MAPPED, MAPPED_END, Memory, State, instantiate, linker, module};

/// Where an operation has the address that it is called with.
const ADDRESS: &str = "(local.get 0)";

/// Operations that read memory, then those that write it, in words of the text format. `$` is the address.
const READS: &[&str] = &[
    "(drop (i32.load $))",
    "(drop (i32.load8_s $))",
    "(drop (i32.load8_u $))",
    "(drop (i32.load16_s $))",
    "(drop (i32.load16_u $))",
    "(drop (i64.load $))",
    "(drop (i64.load8_s $))",
    "(drop (i64.load32_u $))",
    "(drop (f32.load $))",
    "(drop (f64.load $))",
    "(drop (v128.load $))",
    "(drop (v128.load8x8_s $))",
    "(drop (v128.load16x4_u $))",
    "(drop (v128.load32x2_s $))",
    "(drop (v128.load8_splat $))",
    "(drop (v128.load16_splat $))",
    "(drop (v128.load32_splat $))",
    "(drop (v128.load64_splat $))",
    "(drop (v128.load32_zero $))",
    "(drop (v128.load64_zero $))",
    "(drop (v128.load8_lane 3 $ (global.get $v)))",
    "(drop (v128.load64_lane 1 $ (global.get $v)))",
    "(global.set $v (i32x4.add (global.get $v) (v128.load $)))",
    "(global.set $f (f64.add (global.get $f) (f64.load $)))",
    "(global.set $i (i32.add (global.get $i) (i32.load $)))",
    "(drop (i32.atomic.load $))",
    "(drop (i32.atomic.load8_u $))",
    "(drop (i32.atomic.load16_u $))",
    "(drop (i64.atomic.load $))",
    "(drop (memory.atomic.wait32 $ (i32.const 0) (i64.const 0)))",
    "(drop (memory.atomic.wait64 $ (i64.const 0) (i64.const 0)))",
    "(memory.copy (i32.const 0x20100) $ (i32.const 1))",
    "(memory.copy (i32.const 0x20100) $ (i32.const 16))",
    "(memory.copy (i32.const 0x20100) $ (i32.const 127))",
    "(memory.copy (i32.const 0x20100) $ (i32.const 4000))",
    "(memory.copy (i32.const 0x20100) $ (global.get $n))",
];

const WRITES: &[&str] = &[
    "(i32.store $ (i32.const 1))",
    "(i32.store8 $ (i32.const 1))",
    "(i32.store16 $ (i32.const 1))",
    "(i64.store $ (i64.const 1))",
    "(i64.store32 $ (i64.const 1))",
    "(f32.store $ (f32.const 1))",
    "(f64.store $ (f64.const 1))",
    "(v128.store $ (v128.const i64x2 1 1))",
    "(v128.store8_lane 3 $ (global.get $v))",
    "(v128.store16_lane 3 $ (global.get $v))",
    "(v128.store32_lane 3 $ (global.get $v))",
    "(v128.store64_lane 1 $ (global.get $v))",
    "(i32.store $ (i32.add (i32.load $) (i32.const 1)))",
    "(i32.atomic.store $ (i32.const 1))",
    "(i32.atomic.store8 $ (i32.const 1))",
    "(i32.atomic.store16 $ (i32.const 1))",
    "(i64.atomic.store $ (i64.const 1))",
    "(memory.copy $ (i32.const 0x20100) (i32.const 1))",
    "(memory.copy $ (i32.const 0x20100) (i32.const 16))",
    "(memory.copy $ (i32.const 0x20100) (i32.const 127))",
    "(memory.copy $ (i32.const 0x20100) (i32.const 4000))",
    "(memory.copy $ (i32.const 0x20100) (global.get $n))",
    "(memory.fill $ (i32.const 7) (i32.const 1))",
    "(memory.fill $ (i32.const 7) (i32.const 64))",
    "(memory.fill $ (i32.const 7) (global.get $n))",
    "(memory.init $data $ (i32.const 0) (i32.const 3))",
    "(memory.init $data $ (i32.const 0) (global.get $n))",
];

/// Atomic read-modify-write operations, whose value is dropped: they are made differently from the others.
const UPDATES: &[&str] = &["add", "sub", "and", "or", "xor", "xchg"];
const WIDTHS: &[(&str, &str)] = &[
    ("i32.atomic.rmw", ""),
    ("i32.atomic.rmw8", "_u"),
    ("i32.atomic.rmw16", "_u"),
    ("i64.atomic.rmw", ""),
    ("i64.atomic.rmw8", "_u"),
    ("i64.atomic.rmw16", "_u"),
    ("i64.atomic.rmw32", "_u"),
];

fn updates() -> Vec<String> {
    let mut all = Vec::new();
    for (prefix, suffix) in WIDTHS {
        let ty = prefix.get(..3).unwrap_or_default();
        for update in UPDATES {
            all.push(format!(
                "(drop ({prefix}.{update}{suffix} $ ({ty}.const 1)))"
            ));
            // The old value is used.
            all.push(format!(
                "(global.set ${ty} ({prefix}.{update}{suffix} $ ({ty}.const 1)))"
            ));
        }
        let values = format!("({ty}.const 0) ({ty}.const 1)");
        all.push(format!("(drop ({prefix}.cmpxchg{suffix} $ {values}))"));
    }
    all
}

/// A module with one export for each operation, named by its number.
fn operations(operations: &[String]) -> Result<Module> {
    let mut text = String::from(
        r#"(module
        (import "env" "memory" (memory 0 65536 shared))
        (data $data "some bytes that are copied from a segment of data, longer than one hundred and twenty-eight of them in all, so that it is a call")
        (global $v (mut v128) (v128.const i64x2 0 0))
        (global $f (mut f64) (f64.const 0))
        (global $i (mut i32) (i32.const 0))
        (global $i32 (mut i32) (i32.const 0))
        (global $i64 (mut i64) (i64.const 0))
        (global $n (mut i32) (i32.const 100))
        "#,
    );
    for (number, operation) in operations.iter().enumerate() {
        let body = operation.replace('$', "\u{1}");
        // Names keep their sign; a lone one is the address.
        let body = body.replace("\u{1} ", &format!("{ADDRESS} "));
        let body = body.replace("\u{1})", &format!("{ADDRESS})"));
        let body = body.replace('\u{1}', "$");
        text.push_str(&format!(
            "(func (export \"{number}\") (param i32) {body})\n"
        ));
    }
    text.push(')');
    module(&text)
}

struct Operations {
    texts: Vec<String>,
    store: Store<State>,
    instance: Instance,
    memory: Memory,
}

impl Operations {
    fn new(texts: Vec<String>) -> Result<Self> {
        let (store, instance, memory) = instantiate(&operations(&texts)?)?;
        Ok(Self {
            texts,
            store,
            instance,
            memory,
        })
    }

    fn run(&mut self, number: usize, address: u32) -> Result<()> {
        let func = self
            .instance
            .get_typed_func::<i32, ()>(&mut self.store, &number.to_string())?;
        func.call(&mut self.store, address.cast_signed())
    }

    /// Every operation works at `good` and traps at each of `bad`, in one store.
    fn check(&mut self, good: Option<u32>, bad: &[u32]) -> Result<()> {
        let texts = std::mem::take(&mut self.texts);
        for (number, text) in texts.iter().enumerate() {
            if let Some(good) = good {
                let done = self.run(number, good);
                assert!(done.is_ok(), "{text} at {good:#x}: {done:?}");
            }
            for bad in bad {
                let done = self.run(number, *bad);
                let trap = done.as_ref().err().and_then(|error| error.downcast_ref());
                assert_eq!(
                    trap,
                    Some(&Trap::MemoryOutOfBounds),
                    "{text} at {bad:#x}: {done:?}"
                );
            }
        }
        self.texts = texts;
        Ok(())
    }
}

fn texts(operations: &[&str]) -> Vec<String> {
    operations.iter().map(|text| (*text).to_owned()).collect()
}

/// Addresses around the mapped area, at both ends of the memory, and in between; all aligned.
const UNMAPPED: &[u32] = &[
    0,
    8,
    0xfff8,
    0x1_fff0 - 8,
    MAPPED_END,
    0x8000_0000,
    0xffff_0000,
];

#[test]
fn unmapped_pages_trap() -> Result<()> {
    for operations in [texts(READS), texts(WRITES), updates()] {
        Operations::new(operations)?.check(Some(MAPPED + 0x2000), UNMAPPED)?;
    }
    Ok(())
}

#[test]
fn pages_without_access_trap() -> Result<()> {
    for operations in [texts(READS), texts(WRITES), updates()] {
        let mut operations = Operations::new(operations)?;
        operations
            .memory
            .map(0x30_0000, 0x1000, Protection::empty())?;
        operations.check(None, &[0x30_0000, 0x30_0800])?;
    }
    Ok(())
}

#[test]
fn writes_to_read_only_pages_trap() -> Result<()> {
    let mut reads = Operations::new(texts(READS))?;
    reads.memory.map(0x30_0000, 0x2000, Protection::READ)?;
    reads.check(Some(0x30_0000), &[])?;
    for operations in [texts(WRITES), updates()] {
        let mut operations = Operations::new(operations)?;
        operations.memory.map(0x30_0000, 0x1000, Protection::READ)?;
        operations.check(Some(MAPPED), &[0x30_0000, 0x30_0800])?;
    }
    Ok(())
}

#[test]
fn accesses_that_only_end_in_an_unmapped_page_trap() -> Result<()> {
    let mut wide = Operations::new(texts(&[
        "(drop (i64.load $))",
        "(i64.store $ (i64.const 1))",
        "(drop (v128.load $))",
        "(v128.store $ (v128.const i64x2 1 1))",
        "(memory.copy (i32.const 0x20100) $ (i32.const 64))",
        "(memory.copy $ (i32.const 0x20100) (i32.const 64))",
        "(memory.copy $ (i32.const 0x20100) (global.get $n))",
        "(memory.fill $ (i32.const 7) (global.get $n))",
        "(memory.init $data $ (i32.const 0) (global.get $n))",
    ]))?;
    wide.check(
        Some(MAPPED_END - 100),
        &[MAPPED_END - 1, MAPPED_END - 7, MAPPED - 1],
    )?;
    Ok(())
}

#[test]
fn the_end_of_memory_traps() -> Result<()> {
    let mut last = Operations::new(texts(&[
        "(drop (i32.load $))",
        "(drop (i32.load offset=0xffffffff $))",
        "(drop (i32.load offset=0x1ffffff $))",
        "(drop (i32.load offset=0x2000000 $))",
        "(i64.store offset=0xffffffff $ (i64.const 1))",
        "(v128.store offset=0x1fffff0 $ (v128.const i64x2 1 1))",
        "(memory.fill $ (i32.const 7) (i32.const -1))",
        "(memory.copy $ $ (i32.const -1))",
        "(memory.copy $ (i32.const 0x20000) (i32.const 100))",
        "(memory.init $data $ (i32.const 0) (i32.const 3))",
    ]))?;
    last.check(None, &[u32::MAX, u32::MAX - 1])
}

#[test]
fn accesses_beyond_the_end_of_a_mapped_file_trap() -> Result<()> {
    for operations in [texts(READS), texts(WRITES), updates()] {
        let mut operations = Operations::new(operations)?;
        let file = tempfile::tempfile()?;
        file.set_len(0x1000)?;
        let request = MapRequest {
            addr: 0x30_0000,
            len: 0x2000,
            prot: Protection::READ | Protection::WRITE,
            flags: MapFlags::SHARED | MapFlags::FIXED,
            file: Some(FileSource {
                file: std::sync::Arc::new(std::os::fd::OwnedFd::from(file)),
                offset: 0,
            }),
        };
        if let Err(errno) = operations.memory.space.mmap(request) {
            panic!("{errno:?}");
        }
        operations.check(None, &[0x30_1000, 0x30_1800])?;
    }
    Ok(())
}

#[test]
fn notify_needs_no_page() -> Result<()> {
    let mut notify = Operations::new(texts(&["(drop (memory.atomic.notify $ (i32.const 1)))"]))?;
    notify.run(0, MAPPED)?;
    notify.run(0, 0)
}

#[test]
fn misaligned_atomics_trap_as_such() -> Result<()> {
    let mut atomics = Operations::new(texts(&[
        "(drop (i32.atomic.load $))",
        "(drop (i64.atomic.rmw.add $ (i64.const 1)))",
        "(drop (memory.atomic.wait32 $ (i32.const 0) (i64.const 0)))",
    ]))?;
    for number in 0..3 {
        for address in [MAPPED + 1, 1] {
            let Err(error) = atomics.run(number, address) else {
                panic!("operation {number} at {address:#x} did not trap");
            };
            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::HeapMisaligned));
        }
    }
    Ok(())
}

#[test]
fn active_segments_outside_mapped_pages_trap() -> Result<()> {
    for offset in ["0", "0x8000000", "0x2fffa", "0x1fffa", "-3"] {
        let text = format!(
            r#"(module (import "env" "memory" (memory 0 65536 shared))
                (data (i32.const {offset}) "more than six bytes"))"#
        );
        let Err(error) = instantiate(&module(&text)?).map(|_| ()) else {
            panic!("a segment at {offset} was written");
        };
        assert_eq!(
            error.downcast_ref::<Trap>(),
            Some(&Trap::MemoryOutOfBounds),
            "{error:#}"
        );
    }
    Ok(())
}

#[test]
fn a_memory_in_two_instances_traps_as_well() -> Result<()> {
    let module = module(
        r#"(module (import "env" "memory" (memory 0 65536 shared))
            (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#,
    )?;
    let (mut store, first, memory) = instantiate(&module)?;
    let second = linker(&mut store, &memory)?.instantiate(&mut store, &module)?;
    for instance in [first, second] {
        let Err(error) = crate::host::call(&mut store, &instance, "load", 0) else {
            panic!("page 0 was read");
        };
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
    }
    Ok(())
}

#[test]
fn a_reservation_is_a_memory_of_full_size() -> Result<()> {
    let module = module(
        r#"(module (import "env" "memory" (memory 3 65536 shared))
            (func (export "size") (param i32) (result i32) (memory.size))
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#,
    )?;
    let (mut store, instance, memory) = instantiate(&module)?;
    let mut call = |name: &str, arg| crate::host::call(&mut store, &instance, name, arg);
    assert_eq!(call("size", 0)?, 65536);
    assert_eq!(call("grow", 0)?, 65536);
    assert_eq!(call("grow", 1)?, -1);
    assert_eq!(call("grow", -1)?, -1);
    assert_eq!(memory.shared.size(), 65536);
    Ok(())
}

#[test]
fn waiting_wakes_and_sees_values() -> Result<()> {
    let module = module(
        r#"(module (import "env" "memory" (memory 0 65536 shared))
            (func (export "wait") (param i32) (result i32)
              (memory.atomic.wait32 (i32.const 0x20000) (local.get 0) (i64.const 1000000)))
            (func (export "wait64") (param i32) (result i32)
              (memory.atomic.wait64 (i32.const 0x20000) (i64.extend_i32_u (local.get 0)) (i64.const 1000000))))"#,
    )?;
    let (mut store, instance, memory) = instantiate(&module)?;
    if let Err(errno) = memory.space.write(GuestPtr::new(MAPPED), &5_u32) {
        return Err(Error::msg(format!("{errno:?}")));
    }
    let mut call = |name: &str, arg| crate::host::call(&mut store, &instance, name, arg);
    for name in ["wait", "wait64"] {
        assert_eq!(call(name, 4)?, 1, "another value");
        assert_eq!(call(name, 5)?, 2, "time is up");
    }
    Ok(())
}
