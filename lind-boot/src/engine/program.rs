//! Programs: modules that are compiled, checked and ready to run.

use std::{fmt, iter};

use wasmtime::{ExternType, FuncType, Module, ValType, native_frames};

use super::{Engine, asyncify, native};
use crate::cache::{Cache, Key};
use crate::failure::{Failure, reason};

const WASM_PAGE: u64 = 1 << 16;
const MAX_PAGES: u64 = 1 << 16;

/// A program that is ready to run.
#[derive(Clone)]
pub struct Program {
    pub(super) engine: Engine,
    pub(super) module: Module,
    initial_memory: u64,
    pub(super) freezing: Freezing,
}

/// How a thread that waits in a host function is frozen, to go on as another thread. The module decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freezing {
    /// By copying its frames from the host's stack; see `wasmtime::native_frames`.
    NativeFrames,
    /// By having it unwind itself: modules that export asyncify's functions.
    Asyncify,
}

/// Where a program's compiled code came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// The cache had it.
    FromCache,
    /// It was compiled now, and the cache has it from now on.
    Stored,
    /// It was compiled now, for this run only, since the cache could not be written for this reason or there is none.
    NotStored(String),
}

impl Engine {
    /// Loads the module `wasm`, compiling it unless `cache` has the result. `name` is for messages; `compiling` is
    /// called before what may take a while.
    ///
    /// # Errors
    /// It is no WebAssembly module, does not compile, or wants something of the host that lind does not have.
    pub fn load(
        &self,
        wasm: &[u8],
        name: &str,
        cache: Option<&Cache>,
        compiling: impl FnOnce(),
    ) -> Result<(Program, Loaded), Failure> {
        check_format(wasm, name)?;
        let Some(cache) = cache else {
            compiling();
            let module = self.compile(name, |engine| Module::from_binary(engine, wasm))?;
            return Ok((
                self.program(module, name)?,
                Loaded::NotStored("there is none".to_owned()),
            ));
        };
        let key = |engine: &wasmtime::Engine| {
            let settings = Settings(engine.precompile_compatibility_hash());
            Key::new(wasm, &(env!("LIND_FORK"), settings))
        };
        let engines = iter::once(Ok(&self.inner)).chain(iter::once_with(|| self.staying()));
        for engine in engines.flatten() {
            if let Some(code) = cache.load(&key(engine))
                && let Ok(module) = native::load(engine, code)
            {
                return Ok((self.program(module, name)?, Loaded::FromCache));
            }
        }
        compiling();
        let (engine, code) = self.compile(name, |engine| {
            Ok((engine.clone(), engine.precompile_module(wasm)?))
        })?;
        let loaded = match cache.store(&key(&engine), &code) {
            Ok(()) => Loaded::Stored,
            Err(error) => Loaded::NotStored(reason(&error)),
        };
        let module = native::load_bytes(&engine, &code)
            .map_err(|error| Failure::lind(format!("cannot load '{name}': {error:#}")))?;
        Ok((self.program(module, name)?, loaded))
    }

    /// Compiles a module by `compile`: so that its frames can be copied, or, if they cannot be, so that they stay.
    fn compile<T>(
        &self,
        name: &str,
        compile: impl Fn(&wasmtime::Engine) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        self.check_frames()?;
        let compiled = match compile(&self.inner) {
            Err(error) if has_frames_that_stay(&error) => self.staying().and_then(compile),
            compiled => compiled,
        };
        compiled
            .map_err(|error| Failure::not_executable(format!("cannot compile '{name}': {error:#}")))
    }

    /// Checks that frames are laid out as capturing them expects. It takes a compilation, so it comes with one: an
    /// entry of the cache was made by an engine of the same settings that passed.
    fn check_frames(&self) -> Result<(), Failure> {
        native_frames::self_test(&self.inner)
            .map_err(|error| Failure::lind(format!("the engine fails its self-test: {error:#}")))
    }

    fn program(&self, module: Module, name: &str) -> Result<Program, Failure> {
        let initial_memory = check_imports(&module).map_err(|Refused(why)| {
            Failure::not_executable(format!("cannot run '{name}': {why}"))
                .hint("build the program with lind-cc, or as a module with the imports that lind-cc's have")
        })?;
        if !matches!(module.get_export("_start"), Some(ExternType::Func(ty)) if has_type(&ty, 0, Returns::Nothing))
        {
            return Err(Failure::not_executable(format!(
                "cannot run '{name}': it has no function _start"
            ))
            .hint("link the program with lind-cc; an object file or a library cannot be run"));
        }
        let freezing = freezing(&module);
        let stays = !wasmtime::Engine::same(module.engine(), &self.inner);
        if stays && freezing == Freezing::NativeFrames && imports_clone(&module) {
            return Err(Failure::not_executable(format!(
                "cannot run '{name}': it imports 'lind.clone', but its frames cannot be copied, since it has functions \
                 that handle references or have more than eight results"
            ))
            .hint(
                "instrument it: wasm-opt --asyncify --pass-arg=asyncify-imports@lind.clone; or leave such functions out",
            ));
        }
        Ok(Program {
            engine: self.clone(),
            freezing,
            module,
            initial_memory,
        })
    }
}

impl Program {
    /// Bytes of memory that the program declares: its stack, its data, and nothing of its heap.
    pub fn initial_memory(&self) -> u64 {
        self.initial_memory
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("initial_memory", &self.initial_memory)
            .finish_non_exhaustive()
    }
}

struct Settings<H>(H);

impl<H: std::hash::Hash> std::hash::Hash for Settings<H> {
    fn hash<S: std::hash::Hasher>(&self, state: &mut S) {
        self.0.hash(state);
    }
}

/// Whether native frames are what the compiler refuses a module for.
fn has_frames_that_stay(error: &wasmtime::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.to_string().contains("with native frames"))
}

/// Tells a WebAssembly module from what else people try to run.
fn check_format(bytes: &[u8], name: &str) -> Result<(), Failure> {
    let refuse = |what: &str, hint: &str| {
        Err(Failure::not_executable(format!("cannot run '{name}': it is {what}")).hint(hint))
    };
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        Ok(())
    } else if bytes.starts_with(b"\0asm") {
        refuse(
            "a WebAssembly component, not a module",
            "compile the program with lind-cc",
        )
    } else if bytes.starts_with(b"\x7fELF") {
        refuse(
            "a native program, not a WebAssembly module",
            "compile its source with lind-cc",
        )
    } else if bytes.starts_with(b"#!") {
        refuse(
            "a script, not a WebAssembly module",
            "run its interpreter, with the script as the argument",
        )
    } else {
        refuse("no WebAssembly module", "compile the program with lind-cc")
    }
}

/// Why a module's imports cannot be answered.
struct Refused(String);

enum Returns {
    Nothing,
    Integer,
}

fn has_type(ty: &FuncType, parameters: usize, returns: Returns) -> bool {
    let results = match returns {
        Returns::Nothing => 0,
        Returns::Integer => 1,
    };
    let is_i32 = |ty: ValType| matches!(ty, ValType::I32);
    ty.params().len() == parameters
        && ty.results().len() == results
        && ty.params().chain(ty.results()).all(is_i32)
}

/// Checks every import and returns the initial size of the memory, in bytes.
fn check_imports(module: &Module) -> Result<u64, Refused> {
    let mut memory = None;
    for import in module.imports() {
        let full = format!("{}.{}", import.module(), import.name());
        match (import.module(), import.name(), import.ty()) {
            ("env", "memory", ExternType::Memory(ty)) => {
                if !ty.is_shared()
                    || ty.is_64()
                    || ty.page_size() != WASM_PAGE
                    || ty.maximum() != Some(MAX_PAGES)
                {
                    return Err(Refused(format!(
                        "its memory '{full}' must be shared, 32-bit and have a maximum of {MAX_PAGES} pages"
                    )));
                }
                memory = Some(ty.minimum() * WASM_PAGE);
            }
            ("lind", name, ExternType::Func(ty)) => {
                let Some((parameters, returns)) = signature(name) else {
                    return Err(Refused(format!("lind has no function '{full}'")));
                };
                if !has_type(&ty, parameters, returns) {
                    return Err(Refused(format!("it imports '{full}' with the type {ty}")));
                }
            }
            _ => {
                return Err(Refused(format!(
                    "it imports '{full}', which lind does not provide"
                )));
            }
        }
    }
    memory.ok_or_else(|| Refused("it does not import its memory as 'env.memory'".to_owned()))
}

fn imports_clone(module: &Module) -> bool {
    module
        .imports()
        .any(|import| (import.module(), import.name()) == ("lind", "clone"))
}

/// Which way a module's exports decide for.
fn freezing(module: &Module) -> Freezing {
    let is_asyncify = asyncify::EXPORTS.iter().all(|&(name, parameters, results)| {
        let returns = match results {
            0 => Returns::Nothing,
            _ => Returns::Integer,
        };
        matches!(module.get_export(name), Some(ExternType::Func(ty)) if has_type(&ty, parameters, returns))
    });
    if is_asyncify {
        Freezing::Asyncify
    } else {
        Freezing::NativeFrames
    }
}

/// The parameters and the result of a function of module `lind`.
fn signature(name: &str) -> Option<(usize, Returns)> {
    Some(match name {
        "syscall" => (7, Returns::Integer),
        "startup_size" => (0, Returns::Integer),
        "startup_copy" => (1, Returns::Nothing),
        "clone" | "signal" => (1, Returns::Integer),
        "setjmp" | "longjmp" => (2, Returns::Integer),
        "getcontext" => (1, Returns::Integer),
        "setcontext" | "makecontext" | "swapcontext" => (2, Returns::Integer),
        _ => return None,
    })
}
