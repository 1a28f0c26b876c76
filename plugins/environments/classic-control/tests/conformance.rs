//! Every environment keeps the contract, with its default settings.

use classic_control::{
    Acrobot, CartPole, CartPoleScalar, ContinuousMountainCar, MountainCar, Pendulum,
};
use palaestra_plugin_api::testing::{assert_batch_conformant, assert_conformant};

#[test]
fn cart_pole_is_conformant() {
    assert_batch_conformant::<CartPole>();
}

#[test]
fn cart_pole_scalar_is_conformant() {
    assert_conformant::<CartPoleScalar>();
}

#[test]
fn pendulum_is_conformant() {
    assert_conformant::<Pendulum>();
}

#[test]
fn mountain_car_is_conformant() {
    assert_conformant::<MountainCar>();
}

#[test]
fn continuous_mountain_car_is_conformant() {
    assert_conformant::<ContinuousMountainCar>();
}

#[test]
fn acrobot_is_conformant() {
    assert_conformant::<Acrobot>();
}
