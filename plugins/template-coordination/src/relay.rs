//! Relay: everybody hears the mean of the others' messages, through one layer with a tanh.
//!
//! Source: written for this template, after the communication step of CommNet (Sukhbaatar, Szlam and Fergus, 2016).
//! A real mechanism names the paper or code it follows here.
//!
//! ```text
//! c_i     = 1/(n - 1) · Σ_{j ≠ i} m_j
//! inbox_i = tanh(W·c_i + b)
//! ```
//!
//! where sum and number n are over the agents that take part.
//!
//! 1. An agent that does not take part is not heard and hears nothing: its inbox and its gradients are 0.
//! 2. An agent alone hears the mean of nobody, c = 0.
//! 3. Backwards, with h_i = g_i·(1 - inbox_i²) for the gradient g_i by inbox_i: dW = Σ h_i·c_iᵀ, db = Σ h_i, and since
//!    taking the mean of the others is its own transpose, dm_j = 1/(n - 1) · Σ_{i ≠ j} Wᵀ·h_i.
//! 4. A mechanism holds no weights: `weight` and `bias` are declared, and kept, trained and saved with the policy.
//!
//! Not done here: noise, loss, delay; several rounds are the policy's, which may exchange more than once.

use palaestra_plugin_api::{
    coordination::{
        Backward, Exchange, Init, Mechanism, MechanismDescription, Parameter, Place, Port,
        Topology, Volume,
    },
    math,
    prelude::*,
};

/// Settings of Relay.
#[palaestra_plugin_api::config]
pub struct RelayConfig {
    /// Values of a message.
    #[config(default = 16, range = 1..=4096)]
    pub message_width: usize,
    /// Values that an agent hears.
    #[config(default = 16, range = 1..=4096)]
    pub inbox_width: usize,
}

/// The channel. Its fields are settings; weights come with every call.
pub struct Relay {
    config: RelayConfig,
}

/// What the way back needs of an exchange.
pub struct Saved {
    /// `[rows, agents, message_width]`: c.
    means: Vec<f32>,
    /// `[rows, agents, inbox_width]`.
    inbox: Vec<f32>,
    /// `[rows, agents]`: 1 where the agent takes part.
    mask: Vec<u8>,
}

impl Mechanism for Relay {
    const ID: &'static str = "template/Relay-v0";
    const DESCRIPTION: &'static str =
        "Everybody hears the mean of the others' messages, through one layer with a tanh";
    type Config = RelayConfig;
    type Saved = Saved;

    fn new(config: &RelayConfig, _: &Place) -> Result<Self> {
        let config = config.clone();
        Ok(Self { config })
    }

    fn describe(&self) -> MechanismDescription {
        let (sent, heard) = (self.config.message_width, self.config.inbox_width);
        MechanismDescription {
            ports: vec![Port::Exchange],
            parameters: vec![
                Parameter::new("weight", &[heard, sent]),
                Parameter::new("bias", &[heard]).with(Init::Constant(0.0)),
            ],
            message_width: sent,
            inbox_width: heard,
            topology: Some(Topology::Broadcast),
            volume: Volume {
                per_agent: sent as f64,
                per_pair: 0.0,
            },
            ..MechanismDescription::default()
        }
    }

    fn exchange(&self, call: Exchange<'_>) -> Result<Saved> {
        let (sent, heard) = (self.config.message_width, self.config.inbox_width);
        let (weight, bias) = call.parameters.split_at(heard * sent);
        let everybody = || vec![1; call.rows * call.agents];
        let mask = call.mask.map_or_else(everybody, <[u8]>::to_vec);
        let mut means = vec![0.0; call.messages.len()];
        add_means_of_others(call.messages, &mask, (call.agents, sent), &mut means);
        let agents = means
            .chunks_exact(sent)
            .zip(call.inbox.chunks_exact_mut(heard));
        for ((mean, inbox), _) in agents
            .zip(&mask)
            .filter(|(_, takes_part)| **takes_part != 0)
        {
            let outputs = weight.chunks_exact(sent).zip(bias);
            for (to, (weight, bias)) in inbox.iter_mut().zip(outputs) {
                let sum: f32 = weight.iter().zip(mean).map(|(w, c)| w * c).sum();
                *to = math::tanh(f64::from(bias + sum)) as f32;
            }
        }
        Ok(Saved {
            means,
            inbox: call.inbox.to_vec(),
            mask,
        })
    }

    fn backward(&self, saved: Saved, call: Backward<'_>) -> Result<()> {
        let (sent, heard) = (self.config.message_width, self.config.inbox_width);
        let (weight, _) = call.parameters.split_at(heard * sent);
        let (d_weight, d_bias) = call.d_parameters.split_at_mut(heard * sent);
        let mut d_means = vec![0.0; saved.means.len()];
        for (agent, _) in saved.mask.iter().enumerate().filter(|(_, m)| **m != 0) {
            let mean = &saved.means[agent * sent..][..sent];
            let d_mean = &mut d_means[agent * sent..][..sent];
            let outputs = saved.inbox[agent * heard..].iter();
            let outputs = outputs.zip(&call.d_inbox[agent * heard..]);
            for (output, (y, d_inbox)) in outputs.take(heard).enumerate() {
                let d = d_inbox * (1.0 - y * y);
                let row = output * sent..(output + 1) * sent;
                d_bias[output] += d;
                for (d_weight, c) in d_weight[row.clone()].iter_mut().zip(mean) {
                    *d_weight += d * c;
                }
                for (d_mean, w) in d_mean.iter_mut().zip(&weight[row]) {
                    *d_mean += d * w;
                }
            }
        }
        add_means_of_others(&d_means, &saved.mask, (call.agents, sent), call.d_messages);
        Ok(())
    }
}

/// Adds to each agent that takes part the mean over the others that do; rows of `[agents, width]`.
fn add_means_of_others(
    values: &[f32],
    mask: &[u8],
    (agents, width): (usize, usize),
    to: &mut [f32],
) {
    let rows = values
        .chunks_exact(agents * width)
        .zip(to.chunks_exact_mut(agents * width));
    for ((values, to), mask) in rows.zip(mask.chunks_exact(agents)) {
        let others = mask.iter().filter(|&&m| m != 0).count().saturating_sub(1);
        let scale = 1.0 / others.max(1) as f32;
        for (i, to) in to
            .iter_mut()
            .enumerate()
            .filter(|(i, _)| mask[i / width] != 0)
        {
            let heard = (0..agents).filter(|&j| j != i / width && mask[j] != 0);
            *to += scale * heard.map(|j| values[j * width + i % width]).sum::<f32>();
        }
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::__private::MechanismEntry;
    use palaestra_plugin_api::client::{CoordinationHandle, ExchangePort, MakeMechanism};
    use palaestra_plugin_api::coordination::{Extras, Gradients, OpenExchange};
    use palaestra_plugin_api::rng::purpose;
    use palaestra_plugin_api::serde_json::{Value, json};

    use super::*;

    fn make(config: Value) -> Result<CoordinationHandle> {
        let spec = EnvironmentSpec::new("team", 3, Space::real(2), Space::discrete(2));
        let what = MakeMechanism {
            config,
            ..MakeMechanism::new(Relay::ID, spec)
        };
        CoordinationHandle::in_process(&MechanismEntry::of::<Relay>(), &what)
    }

    /// Arguments and result of one exchange.
    #[derive(Clone)]
    struct Call {
        agents: usize,
        parameters: Vec<f32>,
        messages: Vec<f32>,
        mask: Vec<u8>,
        inbox: Vec<f32>,
    }

    impl Call {
        fn run(&mut self, port: &ExchangePort, save: bool) -> Option<OpenExchange> {
            let rows = self.mask.len() / self.agents;
            port.exchange(Exchange {
                rows,
                agents: self.agents,
                parameters: &self.parameters,
                messages: &self.messages,
                mask: Some(&self.mask),
                context: None,
                state_in: &[],
                keys: &vec![0; rows],
                extras: Extras::Draw(&mut []),
                save,
                inbox: &mut self.inbox,
                state_out: &mut [],
            })
            .unwrap()
        }
    }

    /// By hand: agents send 1, 2, 6 (then the second one is silent); inbox = tanh(0.1·c + 0.2).
    #[test]
    fn everybody_hears_the_mean_of_the_others() {
        let handle = make(json!({"message_width": 1, "inbox_width": 1})).unwrap();
        let mut call = Call {
            agents: 3,
            parameters: vec![0.1, 0.2],
            messages: [1.0, 2.0, 6.0].repeat(2),
            mask: vec![1, 1, 1, 1, 0, 1],
            inbox: vec![f32::NAN; 6],
        };
        call.run(&handle.port(), false);
        let expected = [0.6, 0.55, 0.35, 0.8, 0.0, 0.3].map(|x: f32| x.tanh());
        for (found, expected) in call.inbox.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{:?}", call.inbox);
        }
    }

    #[test]
    fn backward_is_the_slope_of_exchange() {
        let handle = make(json!({"message_width": 3, "inbox_width": 2})).unwrap();
        let port = handle.port();
        for (seed, agents) in [(1, 3), (2, 2), (3, 1)] {
            let mut rng = EnvRng::new(seed, 0, 0, purpose::CHECK);
            let mut normal =
                |n: usize| -> Vec<f32> { (0..n).map(|_| 0.5 * rng.normal() as f32).collect() };
            let mut call = Call {
                agents,
                parameters: normal(8),
                messages: normal(2 * agents * 3),
                // All take part, then all but the first.
                mask: (0..2 * agents).map(|i| u8::from(i != agents)).collect(),
                inbox: vec![f32::NAN; 2 * agents * 2],
            };
            let d_inbox = normal(call.inbox.len());
            let open = call.run(&port, true).expect("saved");
            let mut d_messages = vec![0.0; call.messages.len()];
            // What other calls have added stays.
            let mut d_parameters = vec![2.0; 8];
            open.backward(Gradients {
                d_inbox: &d_inbox,
                d_state_out: None,
                d_messages: &mut d_messages,
                d_state_in: &mut [],
                d_parameters: &mut d_parameters,
            })
            .unwrap();
            let loss = |call: &mut Call| -> f64 {
                call.run(&port, false);
                let both = call.inbox.iter().zip(&d_inbox);
                both.map(|(y, d)| f64::from(*y) * f64::from(*d)).sum()
            };
            let slope = |at: &dyn Fn(&mut Call) -> &mut f32| {
                let moved = |by: f32| {
                    let mut call = call.clone();
                    *at(&mut call) += by;
                    loss(&mut call)
                };
                ((moved(1e-2) - moved(-1e-2)) / 2e-2) as f32
            };
            for (i, exact) in d_messages.iter().enumerate() {
                let slope = slope(&|c| &mut c.messages[i]);
                assert!(
                    (exact - slope).abs() < 1e-3,
                    "message {i}: {exact}, {slope}"
                );
            }
            for (i, exact) in d_parameters.iter().enumerate() {
                let (exact, slope) = (exact - 2.0, slope(&|c| &mut c.parameters[i]));
                assert!(
                    (exact - slope).abs() < 1e-3,
                    "parameter {i}: {exact}, {slope}"
                );
            }
            assert_eq!(d_messages.iter().any(|d| d.abs() > 0.01), agents > 1);
        }
    }
}
