//! Runs a lind-cc program on unpatched Wasmtime with its default settings: the `stock` column of the benchmarks.
//!
//! `lind-bench-stock MODULE ARGS…` gives the program what a compute kernel needs of the `lind` imports: its arguments,
//! memory, the clock, output and exit. Every other system call answers `ENOSYS`; this is no sandbox.

use std::cell::UnsafeCell;
use std::env;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{
    Config, Engine, ExternType, Linker, MemoryType, Module, Result, SharedMemory, Store,
};

const ENOSYS: i32 = 38;
const ENOTTY: i32 = 25;
const EINVAL: i32 = 22;
const ENOMEM: i32 = 12;
/// All pages of a 32-bit memory.
const ALL_PAGES: u32 = 65536;
/// Below this the program's own data and break, above it maps.
const MAPS_END: u32 = 0xFFFE_0000;

/// The program's memory and the little state that its system calls have.
struct Guest {
    memory: SharedMemory,
    arguments: Vec<Vec<u8>>,
    program_break: AtomicU32,
    maps_start: AtomicU32,
}

impl Guest {
    fn cells(&self, address: u32, length: usize) -> Option<&[UnsafeCell<u8>]> {
        let start = address as usize;
        self.memory.data().get(start..start.checked_add(length)?)
    }

    fn read(&self, address: u32, length: usize) -> Option<Vec<u8>> {
        // SAFETY: one thread runs the program and it is in this call, so nobody writes to the cells.
        Some(
            self.cells(address, length)?
                .iter()
                .map(|cell| unsafe { *cell.get() })
                .collect(),
        )
    }

    fn write(&self, address: u32, bytes: &[u8]) -> Option<()> {
        for (cell, byte) in self.cells(address, bytes.len())?.iter().zip(bytes) {
            // SAFETY: one thread runs the program and it is in this call, so nobody else uses the cell.
            unsafe { *cell.get() = *byte };
        }
        Some(())
    }

    fn word(&self, address: u32) -> Option<u32> {
        Some(u32::from_le_bytes(self.read(address, 4)?.try_into().ok()?))
    }

    /// The start-up image for address `base`: argc, argv, envp, auxv, then what they point to.
    fn startup(&self, base: u32) -> Vec<u8> {
        const AUXV: [[u32; 2]; 12] = [
            [6, 4096],
            [11, 0],
            [12, 0],
            [13, 0],
            [14, 0],
            [17, 100],
            [23, 0],
            [1, 0],
            [1, 0],
            [1, 0],
            [1, 0],
            [0, 0],
        ];
        let words = 1 + self.arguments.len() + 1 + 1 + 2 * (1 + AUXV.len());
        let random = base + 4 * words as u32;
        let mut next = random + 16;
        let mut image = vec![self.arguments.len() as u32];
        for argument in &self.arguments {
            image.push(next);
            next += argument.len() as u32 + 1;
        }
        image.extend([0, 0, 25, random]);
        image.extend(AUXV.iter().flatten());
        let mut bytes: Vec<u8> = image.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(1..=16);
        for argument in &self.arguments {
            bytes.extend_from_slice(argument);
            bytes.push(0);
        }
        bytes
    }

    fn output(&self, descriptor: u32, address: u32, length: u32) -> Option<i32> {
        let bytes = self.read(address, length as usize)?;
        let written = if descriptor == 2 {
            std::io::stderr().write_all(&bytes)
        } else {
            std::io::stdout()
                .write_all(&bytes)
                .and_then(|()| std::io::stdout().flush())
        };
        written.ok().map(|()| length as i32)
    }

    fn output_vector(&self, descriptor: u32, vector: u32, count: u32) -> Option<i32> {
        let mut total = 0;
        for element in 0..count {
            let (base, length) = (
                self.word(vector + 8 * element)?,
                self.word(vector + 8 * element + 4)?,
            );
            total += self.output(descriptor, base, length)?;
        }
        Some(total)
    }

    fn time(&self, clock: u32, address: u32) -> Option<i32> {
        let clock = match clock {
            0 => ClockId::Realtime,
            2 => ClockId::ProcessCPUTime,
            3 => ClockId::ThreadCPUTime,
            _ => ClockId::Monotonic,
        };
        let now = clock_gettime(clock);
        let mut bytes = now.tv_sec.to_le_bytes().to_vec();
        bytes.extend(now.tv_nsec.to_le_bytes());
        self.write(address, &bytes).map(|()| 0)
    }

    fn set_break(&self, wanted: u32) -> i32 {
        if wanted >= self.program_break.load(Ordering::Relaxed)
            && wanted < self.maps_start.load(Ordering::Relaxed)
        {
            self.program_break.store(wanted, Ordering::Relaxed);
        }
        self.program_break.load(Ordering::Relaxed) as i32
    }

    /// Anonymous maps only, never used twice, so always zero.
    fn map(&self, length: u32, flags: u32) -> i32 {
        const ANONYMOUS: u32 = 0x20;
        const FIXED: u32 = 0x10;
        if flags & ANONYMOUS == 0 || flags & FIXED != 0 {
            return -EINVAL;
        }
        let start = self
            .maps_start
            .load(Ordering::Relaxed)
            .saturating_sub(length)
            & !0xFFF;
        if start <= self.program_break.load(Ordering::Relaxed) {
            return -ENOMEM;
        }
        self.maps_start.store(start, Ordering::Relaxed);
        start as i32
    }

    fn syscall(&self, number: i32, [a, b, c, d, ..]: [u32; 6]) -> i32 {
        let done = match number {
            29 => return -ENOTTY,
            64 => self.output(a, b, c),
            66 => self.output_vector(a, b, c),
            93 | 94 => std::process::exit(a as i32),
            96 | 172 | 178 => Some(1),
            134 | 135 | 215 | 226 | 233 => Some(0),
            214 => Some(self.set_break(a)),
            222 => Some(self.map(b, d)),
            278 => self.write(a, &vec![7; b as usize]).map(|()| b as i32),
            403 => self.time(a, b),
            _ => Some(-ENOSYS),
        };
        done.unwrap_or(-14)
    }
}

fn run(path: &str, arguments: Vec<Vec<u8>>) -> Result<()> {
    let mut config = Config::new();
    config.wasm_threads(true).shared_memory(true);
    let engine = Engine::new(&config)?;
    let module = Module::from_file(&engine, path)?;
    let initial = module
        .imports()
        .find_map(|import| match import.ty() {
            ExternType::Memory(memory) => u32::try_from(memory.minimum()).ok(),
            _ => None,
        })
        .unwrap_or(0);
    let memory = SharedMemory::new(&engine, MemoryType::shared(ALL_PAGES, ALL_PAGES))?;
    let guest = Guest {
        memory: memory.clone(),
        arguments,
        program_break: AtomicU32::new(initial * 65536),
        maps_start: AtomicU32::new(MAPS_END),
    };
    let mut store = Store::new(&engine, guest);
    let mut linker = Linker::<Guest>::new(&engine);
    linker.define(&store, "env", "memory", memory)?;
    linker.func_wrap(
        "lind",
        "syscall",
        |caller: wasmtime::Caller<'_, Guest>,
         nr: i32,
         a: i32,
         b: i32,
         c: i32,
         d: i32,
         e: i32,
         f: i32| {
            caller
                .data()
                .syscall(nr, [a, b, c, d, e, f].map(|word| word as u32))
        },
    )?;
    linker.func_wrap(
        "lind",
        "startup_size",
        |caller: wasmtime::Caller<'_, Guest>| caller.data().startup(0).len() as i32,
    )?;
    linker.func_wrap(
        "lind",
        "startup_copy",
        |caller: wasmtime::Caller<'_, Guest>, address: i32| {
            let guest = caller.data();
            // An address outside of memory leaves the program without arguments.
            let _ = guest.write(address as u32, &guest.startup(address as u32));
        },
    )?;
    // Nothing here jumps, but libc's start-up code sets one buffer.
    linker.func_wrap("lind", "setjmp", |_: i32, _: i32| 0)?;
    linker.define_unknown_imports_as_traps(&module)?;
    let instance = linker.instantiate(&mut store, &module)?;
    instance
        .get_typed_func::<(), ()>(&mut store, "_start")?
        .call(&mut store, ())
}

fn main() -> ExitCode {
    let mut arguments = env::args();
    let Some(path) = arguments.nth(1) else {
        eprintln!("usage: lind-bench-stock MODULE ARGS...");
        return ExitCode::from(125);
    };
    let guest_arguments = std::iter::once(path.clone())
        .chain(arguments)
        .map(String::into_bytes)
        .collect();
    match run(&path, guest_arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lind-bench-stock: {error:?}");
            ExitCode::from(125)
        }
    }
}
