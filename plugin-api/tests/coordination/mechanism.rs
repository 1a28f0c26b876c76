//! The mechanism under test: the mean of the others through one linear layer, with a memory and a lossy channel.

use std::cell::Cell;

use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    coordination::{
        Backward, Exchange, Mechanism, MechanismDescription, Parameter, Place, Port, Topology,
        Volume,
    },
    prelude::*,
    table::Table,
};

thread_local! {
    /// Activations that exist on this thread.
    pub(crate) static ALIVE: Cell<i32> = const { Cell::new(0) };
}

/// Settings.
#[config]
pub(crate) struct RelayConfig {
    /// Probability that a sender is not heard in a row.
    #[config(default = 0.0, range = 0.0..=1.0)]
    loss: f64,
    /// The call that panics.
    #[config(default = "")]
    panic_in: String,
    /// What the description gets wrong.
    #[config(default = "")]
    wrong: String,
}

/// `inbox = state_out = tanh(W · mean of the others + u ∘ state_in)`.
pub(crate) struct Relay {
    config: RelayConfig,
    agents: usize,
    observed: u64,
}

const SENT: usize = 3;
const HEARD: usize = 2;

pub(crate) struct Activations {
    outputs: Vec<f32>,
    means: Vec<f32>,
    states: Vec<f32>,
    heard: Vec<bool>,
    panics: bool,
}

impl Drop for Activations {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
        assert!(!self.panics, "dropped activations");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.trap("drop");
    }
}

impl Relay {
    fn trap(&self, call: &str) {
        assert!(self.config.panic_in != call, "trapped in {call}");
    }

    /// Who is heard: takes part, is not lost, and is near as far as the context tells.
    fn heard(call: &mut Exchange<'_>, loss: f64) -> Vec<bool> {
        let (agents, keys) = (call.agents, call.keys);
        let lost = call.extras.or_draw(|lost| {
            for (key, row) in keys.iter().zip(lost.chunks_exact_mut(agents)) {
                let mut rng = EnvRng::new(*key, 0, 0, 0);
                row.fill_with(|| f32::from(u8::from(rng.bernoulli(loss))));
            }
        });
        let lost: Vec<bool> = lost.iter().map(|x| *x != 0.0).collect();
        let near = call
            .context
            .and_then(|c| c.rows::<f32>(id::STATE, NO_GROUP, 0).ok());
        let near = |i: usize| near.is_none_or(|distance| distance[i] < 1.0);
        let senders = (0..call.rows).flat_map(|r| (0..agents).map(move |a| (r, a)));
        let heard = |(r, a)| call.takes_part(r, a) && !lost[r * agents + a] && near(r * agents + a);
        senders.map(heard).collect()
    }
}

/// `visit(row · agents + receiver, row · agents + sender)` for all pairs.
fn pairs(rows: usize, agents: usize, mut visit: impl FnMut(usize, usize)) {
    for row in 0..rows {
        for to in 0..agents {
            for from in (0..agents).filter(|from| *from != to) {
                visit(row * agents + to, row * agents + from);
            }
        }
    }
}

impl Mechanism for Relay {
    const ID: &'static str = "test/Relay-v0";
    const DESCRIPTION: &'static str = "The mean of the others";
    type Config = RelayConfig;
    type Saved = Activations;

    fn new(config: &RelayConfig, place: &Place) -> Result<Self> {
        let relay = Self {
            config: config.clone(),
            agents: place.spec.agents(),
            observed: 0,
        };
        relay.trap("new");
        Ok(relay)
    }

    fn describe(&self) -> MechanismDescription {
        self.trap("describe");
        let mut description = MechanismDescription {
            ports: vec![Port::Exchange, Port::Observe, Port::Arbitrate, Port::Share],
            parameters: vec![
                Parameter::new("weight", &[HEARD, SENT]),
                Parameter::new("memory", &[HEARD]),
            ],
            message_width: SENT,
            inbox_width: HEARD,
            state_width: HEARD,
            extras_width: self.agents,
            topology: Some(Topology::Broadcast),
            volume: Volume {
                per_agent: SENT as f64,
                per_pair: 0.0,
            },
            ..MechanismDescription::default()
        };
        match self.config.wrong.as_str() {
            "inbox_width" => description.inbox_width = 0,
            "names" => description.parameters[1].name = "weight".into(),
            "shape" => description.parameters[0].shape = vec![2, 0],
            "ports" => description.ports = vec![Port::Share],
            "no_ports" => description.ports.clear(),
            "only_exchange" => description.ports.truncate(1),
            _ => {}
        }
        description
    }

    fn compose(&mut self, mut spec: EnvironmentSpec) -> Result<EnvironmentSpec> {
        self.trap("compose");
        let wider = if self.config.wrong == "compose" { 0 } else { 3 };
        spec.groups[0].observation = Space::real(wider);
        Ok(spec)
    }

    fn observe(&mut self, rows: &mut Table<'_>, slot: usize) -> Result<()> {
        self.trap("observe");
        self.observed += 1;
        let number = self.observed as f32;
        rows.rows_mut::<f32>(id::FEATURES, 0, slot)?.fill(number);
        Ok(())
    }

    fn exchange(&self, mut call: Exchange<'_>) -> Result<Activations> {
        self.trap("exchange");
        let heard = Self::heard(&mut call, self.config.loss);
        let others = (call.agents - 1) as f32;
        let mut means = vec![0.0; heard.len() * SENT];
        pairs(call.rows, call.agents, |to, from| {
            for k in 0..SENT {
                let sent = if heard[from] {
                    call.messages[from * SENT + k]
                } else {
                    0.0
                };
                means[to * SENT + k] += sent / others;
            }
        });
        let (weight, memory) = call.parameters.split_at(HEARD * SENT);
        for (i, y) in call.inbox.iter_mut().enumerate() {
            let (agent, h) = (i / HEARD, i % HEARD);
            let mean = &means[agent * SENT..][..SENT];
            let sum: f32 = weight[h * SENT..][..SENT]
                .iter()
                .zip(mean)
                .map(|(w, m)| w * m)
                .sum();
            // Adds: results are zero on entry.
            *y += (sum + memory[h] * call.state_in[i]).tanh();
        }
        call.state_out.copy_from_slice(call.inbox);
        ALIVE.set(ALIVE.get() + 1);
        Ok(Activations {
            outputs: call.inbox.to_vec(),
            means,
            states: call.state_in.to_vec(),
            heard,
            panics: self.config.panic_in == "saved",
        })
    }

    fn backward(&self, saved: Activations, call: Backward<'_>) -> Result<()> {
        self.trap("backward");
        let (weight, memory) = call.parameters.split_at(HEARD * SENT);
        let (d_weight, d_memory) = call.d_parameters.split_at_mut(HEARD * SENT);
        let mut d_means = vec![0.0; saved.means.len()];
        for (i, y) in saved.outputs.iter().enumerate() {
            let (agent, h) = (i / HEARD, i % HEARD);
            let d_out = call.d_inbox[i] + call.d_state_out.map_or(0.0, |d| d[i]);
            let d = d_out * (1.0 - y * y);
            for k in 0..SENT {
                d_weight[h * SENT + k] += d * saved.means[agent * SENT + k];
                d_means[agent * SENT + k] += d * weight[h * SENT + k];
            }
            d_memory[h] += d * saved.states[i];
            call.d_state_in[i] += d * memory[h];
        }
        let others = (call.agents - 1) as f32;
        pairs(call.rows, call.agents, |to, from| {
            if saved.heard[from] {
                for k in 0..SENT {
                    call.d_messages[from * SENT + k] += d_means[to * SENT + k] / others;
                }
            }
        });
        Ok(())
    }

    fn arbitrate(&mut self, rows: &mut Table<'_>, slot: usize) -> Result<()> {
        self.trap("arbitrate");
        let (proposed, executed) =
            rows.read_write::<i32, i32>((id::PROPOSED_ACTION, 0, slot), (id::ACTION, 0, slot))?;
        for (to, from) in executed.iter_mut().zip(proposed) {
            *to = from.abs();
        }
        Ok(())
    }

    fn share(&mut self, rows: &mut Table<'_>, slot: usize) -> Result<()> {
        self.trap("share");
        let agents = 2;
        let (own, team) =
            rows.read_write::<f32, f32>((id::REWARD, 0, slot), (id::LEARNING_REWARD, 0, slot))?;
        for (own, team) in own.chunks_exact(agents).zip(team.chunks_exact_mut(agents)) {
            team.fill(own.iter().sum::<f32>() / agents as f32);
        }
        Ok(())
    }

    fn snapshot(&mut self, out: &mut dyn std::io::Write) -> Result<()> {
        self.trap("snapshot");
        Ok(out.write_all(&self.observed.to_le_bytes())?)
    }

    fn restore(&mut self, from: &mut dyn std::io::Read) -> Result<()> {
        self.trap("restore");
        let mut observed = [0; 8];
        from.read_exact(&mut observed)?;
        self.observed = u64::from_le_bytes(observed);
        Ok(())
    }
}
