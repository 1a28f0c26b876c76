//! An algorithm through its vtable, as a host meets it.
#![allow(unsafe_code)] // finding the factory and the manifest as a host does

mod acting;
mod composition;
mod faults;
mod learning;
mod messages;
mod subject;

use palaestra_plugin_api::{
    __private::root,
    abi::{ALGORITHM_FACTORY, AlgorithmFactory, Text},
    algorithm::{Algorithm as _, AlgorithmRequest, Role},
    client::{AlgorithmHandle, Context, CoordinationHandle, MakeAlgorithm},
    prelude::*,
};
use subject::{Sums, Tally};

export_plugin!(algorithms: [Tally], mechanisms: [Sums]);

/// The factory, found as a host finds it.
fn factory() -> &'static AlgorithmFactory {
    // SAFETY: the text is static.
    let extension = unsafe { root::extension(Text::new(ALGORITHM_FACTORY)) };
    let found = extension.get(ALGORITHM_FACTORY).unwrap();
    found.expect("export_plugin! offers the factory")
}

/// Two groups: a pair with five choices under a mask, and a single one with bits.
fn spec() -> EnvironmentSpec {
    let mut spec = EnvironmentSpec::new("pair", 2, Space::real(2), Space::discrete(5));
    spec.groups[0].has_action_mask = true;
    let bits = Space::MultiBinary { n: 3 };
    spec.groups
        .push(GroupSpec::new("single", 1, Space::real(3), bits));
    spec
}

fn request(config: serde_json::Value) -> AlgorithmRequest {
    AlgorithmRequest {
        id: Tally::ID.into(),
        config,
        role: Role::Learner,
        spec: spec(),
        controlled: vec![0],
        exchange: None,
    }
}

fn make_with(
    request: AlgorithmRequest,
    mechanism: Option<&CoordinationHandle>,
) -> Result<AlgorithmHandle> {
    let what = MakeAlgorithm {
        instances: 4,
        ..MakeAlgorithm::new(request)
    };
    AlgorithmHandle::make(factory(), &Context::default(), &what, mechanism)
}

fn make(config: serde_json::Value) -> Result<AlgorithmHandle> {
    make_with(request(config), None)
}
