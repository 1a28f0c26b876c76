//! `comm/Broadcast-v0`: everybody hears the mean of the others' messages, through one linear layer.
//!
//! The communication step of CommNet (Sukhbaatar, Szlam and Fergus, "Learning multiagent communication with
//! backpropagation", NeurIPS 2016, equation 2), for any policy that sends messages m_j:
//!
//! ```text
//! c_i     = 1/(n - 1) · Σ_{j ≠ i} m_j
//! inbox_i = W·c_i + b
//! ```
//!
//! where the sum and the number n are over the agents that take part.
//!
//! 1. An agent that does not take part is not heard and hears nothing: its inbox and all its gradients are 0.
//! 2. An agent alone hears the mean of nobody, c = 0: its inbox is b.
//! 3. Agents of all groups of one algorithm talk to each other; all share W and b.
//! 4. Backwards, with g_i the gradient by inbox_i: dW = Σ g_i·c_iᵀ, db = Σ g_i, and since taking the mean of
//!    the others is its own transpose, dm_j = 1/(n - 1) · Σ_{i ≠ j} Wᵀ·g_i. Sums are f64.
//! 5. W starts uniform in ±1/√inputs, b at 0.
//! 6. Volume: every message is sent once, whoever hears it.
//!
//! Not done here: the tanh and the several rounds of CommNet belong to the policy, which may exchange more than
//! once; there is no loss, delay or noise in the channel; who is heard is not learned.

use palaestra_plugin_api::{
    coordination::{
        Backward, Exchange, Init, Mechanism, MechanismDescription, Parameter, Place, Port,
        Topology, Volume,
    },
    prelude::*,
};

use crate::others::mean_of_others;

/// Settings of the broadcast.
#[config]
pub struct BroadcastConfig {
    /// Values of a message.
    #[config(default = 16, range = 1..=4096)]
    pub message_width: usize,
    /// Values that an agent hears.
    #[config(default = 16, range = 1..=4096)]
    pub inbox_width: usize,
}

/// The mean of the others, through one linear layer.
pub struct Broadcast {
    config: BroadcastConfig,
}

/// What the way back needs.
pub struct Saved {
    /// `[rows, agents, message_width]`: c.
    means: Vec<f32>,
    /// `[rows, agents]`, as in the exchange.
    mask: Option<Vec<u8>>,
}

impl Broadcast {
    /// The layer's matrix `[inbox_width, message_width]` and offset `[inbox_width]`.
    fn layer<'a>(&self, parameters: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        parameters.split_at(self.config.inbox_width * self.config.message_width)
    }
}

/// The part of a mask that is a row's.
fn row_of(mask: Option<&[u8]>, row: usize, agents: usize) -> Option<&[u8]> {
    mask.map(|m| &m[row * agents..][..agents])
}

impl Mechanism for Broadcast {
    const ID: &'static str = "comm/Broadcast-v0";
    const DESCRIPTION: &'static str =
        "Everybody hears the mean of the others' messages, through one linear layer";
    type Config = BroadcastConfig;
    type Saved = Saved;

    fn new(config: &BroadcastConfig, _: &Place) -> Result<Self> {
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
        let BroadcastConfig {
            message_width: sent,
            inbox_width: heard,
        } = self.config;
        let (weight, bias) = self.layer(call.parameters);
        let mut means = vec![0.0; call.messages.len()];
        for row in 0..call.rows {
            let at = row * call.agents * sent..(row + 1) * call.agents * sent;
            let mask = row_of(call.mask, row, call.agents);
            mean_of_others(&call.messages[at.clone()], mask, sent, &mut means[at]);
        }
        let agents = means
            .chunks_exact(sent)
            .zip(call.inbox.chunks_exact_mut(heard));
        for (agent, (mean, inbox)) in agents.enumerate() {
            if call.mask.is_some_and(|m| m[agent] == 0) {
                continue;
            }
            let outputs = weight.chunks_exact(sent).zip(bias);
            for (to, (weight, bias)) in inbox.iter_mut().zip(outputs) {
                *to = bias + dot(weight, mean);
            }
        }
        Ok(Saved {
            means,
            mask: call.mask.map(<[u8]>::to_vec),
        })
    }

    fn backward(&self, saved: Saved, call: Backward<'_>) -> Result<()> {
        let BroadcastConfig {
            message_width: sent,
            inbox_width: heard,
        } = self.config;
        let (weight, _) = self.layer(call.parameters);
        let mut d_parameters = vec![0.0; call.d_parameters.len()];
        let (d_weight, d_bias) = d_parameters.split_at_mut(heard * sent);
        let mut d_means = vec![0.0; saved.means.len()];
        let means = saved
            .means
            .chunks_exact(sent)
            .zip(d_means.chunks_exact_mut(sent));
        let agents = means.zip(call.d_inbox.chunks_exact(heard));
        for (agent, ((mean, d_mean), d_inbox)) in agents.enumerate() {
            if saved.mask.as_ref().is_some_and(|m| m[agent] == 0) {
                continue;
            }
            for (h, &d) in d_inbox.iter().enumerate() {
                let (at, weight) = (h * sent..(h + 1) * sent, &weight[h * sent..][..sent]);
                d_bias[h] += f64::from(d);
                for ((sum, d_mean), (weight, mean)) in d_weight[at]
                    .iter_mut()
                    .zip(&mut *d_mean)
                    .zip(weight.iter().zip(mean))
                {
                    *sum += f64::from(d) * f64::from(*mean);
                    *d_mean += d * weight;
                }
            }
        }
        for row in 0..call.rows {
            let at = row * call.agents * sent..(row + 1) * call.agents * sent;
            let mask = row_of(saved.mask.as_deref(), row, call.agents);
            mean_of_others(&d_means[at.clone()], mask, sent, &mut call.d_messages[at]);
        }
        let sums = call.d_parameters.iter_mut().zip(d_parameters);
        sums.for_each(|(to, sum)| *to += sum as f32);
        Ok(())
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
