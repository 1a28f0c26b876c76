//! `stress/FaultyExchange-v0`: a channel with one parameter that fails as its `fault` says.
//!
//! Everybody hears the sum of the others' messages, times the parameter `gain` (1 at first).

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use palaestra_plugin_api::{
    coordination::{
        Backward, Exchange, Init, Mechanism, MechanismDescription, Parameter, Place, Port,
        Topology, Volume,
    },
    prelude::*,
};

/// What `stress/FaultyExchange-v0` can do wrong.
#[config]
pub enum ExchangeFault {
    /// Nothing.
    #[config(default)]
    None,

    /// Its description has no inbox.
    NoInbox,
    /// Its description has a parameter without values.
    EmptyParameter,
    /// Every object of a process asks for a wider message than the one before.
    WidthVaries,
    /// Panics when it is described.
    PanicInDescribe,

    /// Writes NaN into the inbox.
    InboxNotANumber,
    /// Adds NaN to the gradients.
    GradientNotANumber,
    /// Panics in an exchange.
    PanicInExchange,
    /// Panics on the way back.
    PanicInBackward,
    /// Reports an error in an exchange.
    ErrorInExchange,
    /// Reports an error on the way back.
    ErrorInBackward,
}

/// Settings of `stress/FaultyExchange-v0`.
#[config]
pub struct FaultyExchangeConfig {
    /// What to do wrong.
    pub fault: ExchangeFault,
    /// The exchange, or the way back, from which on it goes wrong.
    #[config(default = 1, range = 1..=1_000_000_000)]
    pub at_call: u64,
    /// Values of a message and of an inbox.
    #[config(default = 4, range = 1..=1024)]
    pub width: usize,
}

/// Shared by everything in the process, against the rules.
static OBJECTS: AtomicUsize = AtomicUsize::new(0);

/// A channel that fails.
pub struct FaultyExchange {
    config: FaultyExchangeConfig,
    /// Further values of a message.
    more: usize,
    exchanges: Cell<u64>,
    returns: Cell<u64>,
}

impl FaultyExchange {
    /// Counts a call; whether it goes wrong if the fault is `fault`.
    fn fails(&self, calls: &Cell<u64>) -> impl Fn(ExchangeFault) -> bool {
        calls.set(calls.get() + 1);
        let (due, ours) = (calls.get() >= self.config.at_call, self.config.fault);
        move |fault| due && fault == ours
    }
}

impl Mechanism for FaultyExchange {
    const ID: &'static str = "stress/FaultyExchange-v0";
    const DESCRIPTION: &'static str = "A channel with one parameter that fails as fault says";
    type Config = FaultyExchangeConfig;
    /// The messages.
    type Saved = Vec<f32>;

    fn new(config: &FaultyExchangeConfig, _: &Place) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            more: match config.fault {
                ExchangeFault::WidthVaries => OBJECTS.fetch_add(1, Ordering::Relaxed),
                _ => 0,
            },
            exchanges: Cell::new(0),
            returns: Cell::new(0),
        })
    }

    fn describe(&self) -> MechanismDescription {
        let (fault, width) = (self.config.fault, self.config.width);
        assert!(
            fault != ExchangeFault::PanicInDescribe,
            "asked to panic in describe"
        );
        let values = usize::from(fault != ExchangeFault::EmptyParameter);
        let hears = usize::from(fault != ExchangeFault::NoInbox);
        MechanismDescription {
            ports: vec![Port::Exchange],
            parameters: vec![Parameter::new("gain", &[values]).with(Init::Constant(1.0))],
            message_width: width + self.more,
            inbox_width: width * hears,
            topology: Some(Topology::Broadcast),
            volume: Volume {
                per_agent: width as f64,
                per_pair: 0.0,
            },
            ..MechanismDescription::default()
        }
    }

    fn exchange(&self, call: Exchange<'_>) -> Result<Vec<f32>> {
        let fails = self.fails(&self.exchanges);
        assert!(
            !fails(ExchangeFault::PanicInExchange),
            "asked to panic in exchange"
        );
        if fails(ExchangeFault::ErrorInExchange) {
            return Err(Error::plugin("asked to fail in exchange"));
        }
        let shape = (call.agents, self.config.width);
        add_others(call.messages, call.parameters[0], shape, call.inbox);
        if fails(ExchangeFault::InboxNotANumber) {
            call.inbox[0] = f32::NAN;
        }
        Ok(call.messages.to_vec())
    }

    fn backward(&self, messages: Vec<f32>, call: Backward<'_>) -> Result<()> {
        let fails = self.fails(&self.returns);
        assert!(
            !fails(ExchangeFault::PanicInBackward),
            "asked to panic in backward"
        );
        if fails(ExchangeFault::ErrorInBackward) {
            return Err(Error::plugin("asked to fail in backward"));
        }
        // Summing over the others is its own transpose.
        let shape = (call.agents, self.config.width);
        add_others(call.d_inbox, call.parameters[0], shape, call.d_messages);
        let mut heard = vec![0.0; messages.len()];
        add_others(&messages, 1.0, shape, &mut heard);
        let both = heard.iter().zip(call.d_inbox);
        call.d_parameters[0] += both.map(|(heard, d)| heard * d).sum::<f32>();
        if fails(ExchangeFault::GradientNotANumber) {
            call.d_parameters[0] = f32::NAN;
        }
        Ok(())
    }
}

/// Adds `gain` times the sum of the other agents' values to each agent, rows of `[agents, width]`.
fn add_others(values: &[f32], gain: f32, (agents, width): (usize, usize), to: &mut [f32]) {
    let rows = values.chunks_exact(agents * width);
    for (values, to) in rows.zip(to.chunks_exact_mut(agents * width)) {
        for (i, to) in to.iter_mut().enumerate() {
            let others = (0..agents).filter(|other| *other != i / width);
            *to += gain * others.map(|o| values[o * width + i % width]).sum::<f32>();
        }
    }
}
