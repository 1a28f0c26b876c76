//! The arithmetic under the fused operations, on plain slices.
//!
//! [`matmul`] holds the only hand-written SIMD; everything else is ordinary Rust that the compiler vectorises for
//! three instruction sets. Every result is a fixed function of its own row: no result depends on how many rows
//! there are beside it, and AVX2 and AVX-512 give the same bits.

#[allow(unsafe_code)]
pub(crate) mod elementwise;
pub(crate) mod functions;
#[allow(unsafe_code)]
pub(crate) mod gates;
pub(crate) mod level;
#[allow(unsafe_code)]
pub(crate) mod matmul;
pub(crate) mod scratch;
