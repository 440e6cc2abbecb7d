//! `lind syscalls`: the support table.

use std::fmt::Write;

use rawposix_abi::{NOT_GENERIC, NOT_OFFERED, SYSCALLS, Syscall};
use serde_json::{Value, json};

use super::args::Syscalls;
use crate::failure::Failure;

/// Prints the table.
pub(super) fn print(args: &Syscalls) -> Result<u8, Failure> {
    let text = if args.json {
        json_text()?
    } else {
        plain_text()
    };
    super::print(text.as_bytes())
}

fn plain_text() -> String {
    let width = SYSCALLS
        .iter()
        .map(|call| call.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    let mut family = "";
    for call in SYSCALLS {
        if call.family != family {
            family = call.family;
            let gap = if text.is_empty() { "" } else { "\n" };
            line(&mut text, format_args!("{gap}%{family}"));
        }
        let (name, support) = (call.name, call.support);
        let entry = format!(
            "{:>4} {name:width$}  {:7}  {}",
            call.number,
            support.level(),
            support.note()
        );
        line(&mut text, format_args!("{}", entry.trim_end()));
    }
    let count = |level| {
        SYSCALLS
            .iter()
            .filter(|call| call.support.level() == level)
            .count()
    };
    let (full, partial) = (count("full"), count("partial"));
    let (absent, denied) = (count("absent"), count("denied"));
    line(
        &mut text,
        format_args!(
            "\n{full} full, {partial} partial, {absent} absent (ENOSYS), {denied} denied (EPERM) of {} system calls",
            SYSCALLS.len()
        ),
    );
    text
}

fn json_text() -> Result<String, Failure> {
    let pairs = |list: &[(&str, &str)], key: &str| -> Vec<Value> {
        list.iter()
            .map(|(name, value)| json!({ "name": name, key: value }))
            .collect()
    };
    let table = json!({
        "syscalls": SYSCALLS.iter().map(entry).collect::<Vec<_>>(),
        "not_generic": pairs(NOT_GENERIC, "instead"),
        "not_offered": pairs(NOT_OFFERED, "reason"),
    });
    let text = serde_json::to_string_pretty(&table);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::lind(format!("cannot write JSON: {error}")))
}

fn entry(call: &Syscall) -> Value {
    let parameters = call
        .parameters
        .iter()
        .map(|parameter| json!({ "name": parameter.name, "type": parameter.kind }));
    json!({
        "number": call.number,
        "name": call.name,
        "group": call.family,
        "parameters": parameters.collect::<Vec<_>>(),
        "result": call.result,
        "support": call.support.level(),
        "note": call.support.note(),
    })
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{content}");
}
