//! particle
