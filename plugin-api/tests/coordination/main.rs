//! A mechanism through its vtable, as an algorithm and a host meet it.
#![allow(unsafe_code)] // the raw vtable: what no safe handle would do

mod faults;
mod gradients;
mod mechanism;
mod ports;
mod tokens;

use mechanism::Relay;
use palaestra_plugin_api::{
    __private::root,
    abi::{COORDINATION_FACTORY, CoordinationFactory, Text},
    client::{Context, CoordinationHandle, ExchangePort, MakeMechanism},
    coordination::{Exchange, Extras, Mechanism as _},
    prelude::*,
};

export_plugin!(mechanisms: [Relay]);

/// The factory, found as a host finds it.
fn factory() -> &'static CoordinationFactory {
    // SAFETY: the text is static.
    let extension = unsafe { root::extension(Text::new(COORDINATION_FACTORY)) };
    let found = extension.get(COORDINATION_FACTORY).unwrap();
    found.expect("export_plugin! offers the factory")
}

/// An environment of three agents in two groups.
fn spec() -> EnvironmentSpec {
    let mut spec = EnvironmentSpec::new("pair", 2, Space::real(2), Space::discrete(2));
    let single = GroupSpec::new("single", 1, Space::real(3), Space::discrete(4));
    spec.groups.push(single);
    spec
}

fn make(config: serde_json::Value) -> Result<CoordinationHandle> {
    let what = MakeMechanism {
        config,
        ..MakeMechanism::new(Relay::ID, spec())
    };
    CoordinationHandle::make(factory(), &Context::default(), &what)
}

const ROWS: usize = 4;
const AGENTS: usize = 3;

/// Arguments and results of one exchange.
#[derive(Clone)]
struct Call {
    parameters: Vec<f32>,
    messages: Vec<f32>,
    mask: Option<Vec<u8>>,
    state_in: Vec<f32>,
    keys: Vec<u64>,
    extras: Vec<f32>,
    inbox: Vec<f32>,
    state_out: Vec<f32>,
}

impl Call {
    /// Reproducible arguments of the right lengths.
    fn new(port: &ExchangePort, seed: u64) -> Self {
        let d = port.description();
        let mut rng = EnvRng::new(seed, 0, 0, 0);
        let each = ROWS * AGENTS;
        let mut normal = |n: usize| (0..n).map(|_| rng.normal() as f32 * 0.5).collect();
        Self {
            parameters: normal(d.parameters_len()),
            messages: normal(each * d.message_width),
            mask: None,
            state_in: normal(each * d.state_width),
            keys: (0..ROWS as u64).map(|row| seed * 100 + row).collect(),
            extras: vec![0.0; ROWS * d.extras_width],
            inbox: vec![f32::NAN; each * d.inbox_width],
            state_out: vec![f32::NAN; each * d.state_width],
        }
    }

    fn exchange(&mut self, replay: bool, save: bool) -> Exchange<'_> {
        Exchange {
            rows: ROWS,
            agents: AGENTS,
            parameters: &self.parameters,
            messages: &self.messages,
            mask: self.mask.as_deref(),
            context: None,
            state_in: &self.state_in,
            keys: &self.keys,
            extras: if replay {
                Extras::Replay(&self.extras)
            } else {
                Extras::Draw(&mut self.extras)
            },
            save,
            inbox: &mut self.inbox,
            state_out: &mut self.state_out,
        }
    }
}
