//! Games as trees, and what can be computed on them.
#![allow(dead_code)] // Every test file takes what it needs.

pub(crate) mod cfr;
pub(crate) mod tree;
