//! The classic control tasks, as in Gymnasium 1.4.0: one agent, a handful of state variables.
//!
//! | id | actions | episode | solved at |
//! |---|---|---|---|
//! | `classic/CartPole-v1` | 2 choices | 500 steps | 475 |
//! | `classic/Pendulum-v1` | 1 torque | 200 steps | about -150 |
//! | `classic/MountainCar-v0` | 3 choices | 200 steps | -110 |
//! | `classic/MountainCarContinuous-v0` | 1 force | 999 steps | 90 |
//! | `classic/Acrobot-v1` | 3 choices | 500 steps | -100 |
//!
//! `classic/CartPoleScalar-v1` is CartPole again, one value per instance: the form to read first, and
//! what the batched form is measured against.

pub mod acrobot;
pub mod cart_pole;
pub mod continuous_mountain_car;
mod hill;
pub mod mountain_car;
pub mod pendulum;

pub use acrobot::Acrobot;
pub use cart_pole::{CartPole, CartPoleScalar};
pub use continuous_mountain_car::ContinuousMountainCar;
pub use mountain_car::MountainCar;
pub use pendulum::Pendulum;

palaestra_plugin_api::export_plugin!(
    environments: [CartPoleScalar, Pendulum, MountainCar, ContinuousMountainCar, Acrobot],
    batch_environments: [CartPole],
);
