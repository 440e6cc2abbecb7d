//! The driver as build systems call it. These tests need clang and wasm-ld but no C library; programs that run are
//! built by the tests of the whole.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic like the tests"
)]

mod compile;
mod link;
mod variadic;
mod work;
