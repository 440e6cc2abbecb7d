//! The tool on a small local queue: every command, and every way to fail.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod commands;
mod import;
mod repository;
