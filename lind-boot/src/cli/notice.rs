//! What a terminal shows while a large program is compiled.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};

use crate::cache::Cache;
use crate::engine::{Engine, Loaded, Program};
use crate::failure::Failure;

/// Bytes of WebAssembly that compile so fast that nobody wonders.
const SMALL: usize = 512 << 10;

/// As [`Engine::load`], with a notice on a terminal for as long as a large program is compiled.
pub(super) fn load(
    engine: &Engine,
    wasm: &[u8],
    name: &str,
    cache: Option<&Cache>,
) -> Result<(Program, Loaded), Failure> {
    let shown = Cell::new(false);
    let show = || {
        if wasm.len() > SMALL && io::stderr().is_terminal() {
            shown.set(write!(io::stderr(), "lind: compiling '{name}' ...").is_ok());
        }
    };
    let result = engine.load(wasm, name, cache, show);
    if shown.get() {
        // Back to the line's start, and clear it.
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    result
}
