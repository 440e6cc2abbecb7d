//! What `lind --version` says.

/// The version of lind.
pub(super) const SHORT: &str = env!("CARGO_PKG_VERSION");

const WASMTIME_PINS: &str = include_str!("../../../wasmtime/upstream.toml");
const GLIBC_PINS: &str = include_str!("../../../lind-glibc/upstream.toml");

/// The versions of lind and of what it is built from.
pub(super) fn long() -> String {
    format!(
        "{SHORT}\nwasmtime {} (lind's fork {})\nglibc {} (lind's port)",
        pinned(WASMTIME_PINS, "wasmtime"),
        env!("LIND_FORK"),
        pinned(GLIBC_PINS, "glibc-source"),
    )
}

/// The version that the pins in `toml` give for `name`.
fn pinned<'a>(toml: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str, key: &str| {
        let (found, value) = line.split_once('=')?;
        (found.trim() == key).then(|| value.trim().trim_matches('"'))
    };
    let mut lines = toml
        .lines()
        .skip_while(|line| value(line, "name") != Some(name));
    lines
        .find_map(|line| value(line, "version"))
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_name_the_versions() {
        assert!(pinned(WASMTIME_PINS, "wasmtime").starts_with("48.0."));
        assert!(pinned(GLIBC_PINS, "glibc-source").starts_with("2.36"));
        assert_eq!(pinned(GLIBC_PINS, "other"), "unknown");
    }
}
