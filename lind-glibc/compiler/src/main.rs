//! C compiler driver and binary tools for lind programs.

fn main() {}
