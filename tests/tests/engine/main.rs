//! Tests of the Wasmtime fork: what it adds, seen from a host that uses it.

mod bulk_faults;
mod calls;
mod contexts;
mod direct;
mod faults;
mod frames;
mod host;
mod instances;
mod interrupts;
mod jumps;
mod segment;
mod settings;
mod signals;
mod snapshots;
