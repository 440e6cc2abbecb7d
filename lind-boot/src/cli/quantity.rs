//! Sizes and times on the command line.

/// Parses a number of bytes, with an optional K, M or G (1024-based, `KiB` and `KB` accepted).
///
/// # Errors
/// A sentence, if `text` is not such a number.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(format!("'{unit}' is no unit of memory; use K, M or G")),
    };
    scale(number, 1 << shift)
}

/// Parses a number of things, with an optional K, M or G (1024-based).
///
/// # Errors
/// A sentence, if `text` is not such a number.
pub(super) fn count(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return Err(format!("'{unit}' is no unit of a number; use K, M or G")),
    };
    scale(number, 1 << shift)
}

/// Parses a number of seconds, with an optional s, m or h.
///
/// # Errors
/// A sentence, if `text` is not such a number.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(format!("'{unit}' is no unit of time; use s, m or h")),
    };
    scale(number, factor)
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn scale(number: &str, factor: u64) -> Result<u64, String> {
    if number.is_empty() {
        return Err("write a number, then an optional unit".to_owned());
    }
    let value = number
        .parse::<u64>()
        .ok()
        .and_then(|value| value.checked_mul(factor));
    match value {
        Some(0) => Err("the limit must be more than zero".to_owned()),
        Some(value) => Ok(value),
        None => Err("the number is too large".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_units() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("64M"), Ok(64 << 20));
        assert_eq!(bytes("1GiB"), Ok(1 << 30));
        assert_eq!(seconds("90"), Ok(90));
        assert_eq!(seconds("2m"), Ok(120));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "M", "0", "-1", "1.5M", "1T", "99999999999G"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        assert!(seconds("1d").is_err());
    }
}
