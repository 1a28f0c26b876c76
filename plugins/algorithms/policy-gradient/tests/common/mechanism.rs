//! A mechanism with everything that one may have: parameters, a delay line, drawn extras, a look at the rows.

#![allow(dead_code)] // every test file uses its part

use palaestra_plugin_api::{
    __private::MechanismEntry,
    abi::{NO_GROUP, id},
    client::{CoordinationHandle, MakeMechanism},
    coordination::{Backward, Exchange, Mechanism, MechanismDescription, Parameter, Place, Port},
    prelude::*,
    serde_json::json,
};

/// Values of a message and of an inbox.
pub(crate) const WIDTH: usize = 2;

/// Settings.
#[config]
pub(crate) struct EchoConfig {
    /// Whether messages arrive a step late.
    #[config(default = true)]
    delays: bool,
}

/// Everybody hears W·(the others' messages, a step late where it delays), times a gain that the channel draws.
pub(crate) struct Echo(EchoConfig);

/// What the way back needs.
pub(crate) struct Saved {
    /// `[rows, agents, WIDTH]`: the sum of the others' messages that arrive now.
    heard: Vec<f32>,
    gains: Vec<f32>,
    mask: Vec<u8>,
}

impl Echo {
    pub(crate) fn handle(spec: EnvironmentSpec, delays: bool) -> CoordinationHandle {
        let what = MakeMechanism {
            config: json!({"delays": delays}),
            ..MakeMechanism::new(Self::ID, spec)
        };
        CoordinationHandle::in_process(&MechanismEntry::of::<Self>(), &what).unwrap()
    }
}

/// For each agent that takes part the sum over the others, row by row: its own transpose.
fn others(from: &[f32], mask: &[u8], agents: usize) -> Vec<f32> {
    let mut sums = vec![0.0; from.len()];
    for (row, mask) in mask.chunks(agents).enumerate() {
        for a in (0..agents).filter(|&a| mask[a] != 0) {
            for b in (0..agents).filter(|&b| mask[b] != 0 && b != a) {
                for k in 0..WIDTH {
                    sums[(row * agents + a) * WIDTH + k] += from[(row * agents + b) * WIDTH + k];
                }
            }
        }
    }
    sums
}

impl Mechanism for Echo {
    const ID: &'static str = "test/Echo-v0";
    const DESCRIPTION: &'static str = "The others' messages, late";
    type Config = EchoConfig;
    type Saved = Saved;

    fn new(config: &EchoConfig, _: &Place) -> Result<Self> {
        Ok(Self(config.clone()))
    }

    fn describe(&self) -> MechanismDescription {
        MechanismDescription {
            ports: vec![Port::Exchange],
            parameters: vec![Parameter::new("weight", &[WIDTH, WIDTH])],
            message_width: WIDTH,
            inbox_width: WIDTH,
            state_width: if self.0.delays { WIDTH } else { 0 },
            extras_width: 1,
            needs: vec![id::KEY],
            ..MechanismDescription::default()
        }
    }

    fn exchange(&self, call: Exchange<'_>) -> Result<Saved> {
        let mask = call
            .mask
            .map_or(vec![1; call.rows * call.agents], <[u8]>::to_vec);
        let said = others(call.messages, &mask, call.agents);
        let heard = if self.0.delays {
            call.state_in.to_vec()
        } else {
            said.clone()
        };
        if self.0.delays {
            call.state_out.copy_from_slice(&said);
        }
        // The gain is a function of the row's own key, which learning must show again.
        let context = call
            .context
            .ok_or_else(|| Error::plugin("expected a context"))?;
        let keys = context.rows::<u64>(id::KEY, NO_GROUP, 0)?;
        let mut extras = call.extras;
        let gain = |key: u64| 0.75 + 0.5 * (key >> 40) as f32 / (1u64 << 24) as f32;
        let gains = extras.or_draw(|all| {
            let both = all.iter_mut().zip(keys);
            both.for_each(|(to, &key)| *to = gain(key));
        });
        if gains
            .iter()
            .zip(keys)
            .any(|(&found, &key)| found != gain(key))
        {
            return Err(Error::plugin(
                "extras: expected those of this row, found others",
            ));
        }
        let gains = gains.to_vec();
        for (at, inbox) in call.inbox.chunks_exact_mut(WIDTH).enumerate() {
            for (h, to) in inbox.iter_mut().enumerate() {
                let weights = &call.parameters[h * WIDTH..(h + 1) * WIDTH];
                let heard = &heard[at * WIDTH..(at + 1) * WIDTH];
                let sum: f32 = weights.iter().zip(heard).map(|(w, x)| w * x).sum();
                *to = gains[at / call.agents] * sum * f32::from(mask[at] != 0);
            }
        }
        Ok(Saved { heard, gains, mask })
    }

    fn backward(&self, saved: Saved, call: Backward<'_>) -> Result<()> {
        let mut d_heard = vec![0.0; saved.heard.len()];
        for (at, d_inbox) in call.d_inbox.chunks_exact(WIDTH).enumerate() {
            if saved.mask[at] == 0 {
                continue;
            }
            for (h, d) in d_inbox.iter().enumerate() {
                let d = d * saved.gains[at / call.agents];
                for k in 0..WIDTH {
                    call.d_parameters[h * WIDTH + k] += d * saved.heard[at * WIDTH + k];
                    d_heard[at * WIDTH + k] += d * call.parameters[h * WIDTH + k];
                }
            }
        }
        let d_said = if self.0.delays {
            call.d_state_in.copy_from_slice(&d_heard);
            call.d_state_out
                .map_or(vec![0.0; d_heard.len()], <[f32]>::to_vec)
        } else {
            d_heard
        };
        call.d_messages
            .copy_from_slice(&others(&d_said, &saved.mask, call.agents));
        Ok(())
    }
}
