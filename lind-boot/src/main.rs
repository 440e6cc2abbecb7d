//! The `lind` command.

fn main() {}
