//! The device that learning runs on, chosen at run time.
//!
//! Algorithms are generic over [`Backend`]; a [`Family`] names their object on every device, and [`Placed`] makes the one
//! for the [`DeviceName`] of the configuration. A device that dfdx supports becomes a backend with an empty `impl`: the
//! default methods are made of dfdx's own operations. [`Cpu`](dfdx::prelude::Cpu) overrides them with fused operations.
//!
//! Learning alone leaves the CPU: rollouts act from frozen copies of the networks there (see
//! [`frozen`](crate::networks::frozen)), on every device. What an optimiser or a snapshot says is plain numbers, so a
//! run saved on one device goes on upon another.
//!
//! CUDA is there with the feature `cuda`, whose kernels need nvcc when they are built. Its sums are made by many threads
//! in no fixed order: results are right within rounding, but not repeatable bit for bit.

mod backend;
mod name;
mod placed;

pub use backend::Backend;
pub use name::DeviceName;
pub use placed::{Family, Placed};
