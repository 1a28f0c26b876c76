//! What a plugin proves about itself in its own tests, and `palaestra check` from outside.

pub mod replay;
