//! `lind compile`.

use super::args::Compile;
use super::program::read_program;
use super::{notice, open_cache, tell};
use crate::engine::{Engine, Loaded};
use crate::failure::Failure;

/// Compiles programs into the cache.
pub(super) fn compile(args: &Compile) -> Result<u8, Failure> {
    let cache = open_cache().ok_or_else(|| {
        Failure::lind("there is no cache to compile into")
            .hint("set LIND_CACHE to a directory of your own")
    })?;
    let engine = Engine::new()?;
    let mut status = 0;
    for path in &args.programs {
        let name = path.display().to_string();
        let result = read_program(path, &name)
            .and_then(|(_, wasm)| notice::load(&engine, &wasm, &name, Some(&cache)));
        match result {
            Ok((_, Loaded::FromCache)) => tell(&format_args!("{name}: up to date")),
            Ok((_, Loaded::Stored)) => tell(&format_args!("{name}: compiled")),
            Ok((_, Loaded::NotStored(why))) => {
                return Err(Failure::lind(format!(
                    "cannot write to the cache '{}': {why}",
                    cache.path().display()
                )));
            }
            Err(failure) => {
                tell(&failure);
                status = failure.status();
            }
        }
    }
    Ok(status)
}
