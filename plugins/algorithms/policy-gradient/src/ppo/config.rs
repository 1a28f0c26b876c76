//! Settings of PPO and its presets: one list of fields, three columns of defaults.

use palaestra_learning::{networks::Activation, sharing::Share};
use palaestra_plugin_api::{
    config::{self, Config, Rate},
    prelude::*,
    serde_json,
};

/// What a critic sees.
#[palaestra_plugin_api::config]
pub enum CriticView {
    /// What its agent sees.
    Own,
    /// The global state, or where there is none the observations of all agents; and which agent it is about.
    Central,
}

/// Writes a settings struct: the fields with their words and ranges, and the defaults that differ.
macro_rules! settings {
    ($(#[$doc:meta])* $name:ident {
        num_steps: $num_steps:literal, whole_episodes: $whole_episodes:literal,
        finite_horizon: $finite_horizon:literal, lr: $lr:expr_2021,
        update_epochs: $update_epochs:literal, num_minibatches: $num_minibatches:literal,
        gamma: $gamma:literal, gae_lambda: $gae_lambda:literal, ent_coef: $ent_coef:literal,
        huber_delta: $huber_delta:expr_2021, value_norm: $value_norm:literal,
        hidden: $hidden:expr_2021, critic: $critic:expr_2021, agent_id: $agent_id:literal,
    }) => {
        $(#[$doc])*
        #[config]
        pub struct $name {
            /// Steps of every instance in a fragment.
            #[config(default = $num_steps, range = 1..=1_000_000)]
            pub num_steps: usize,
            /// A fragment is one whole episode of every instance instead of `num_steps` steps.
            #[config(default = $whole_episodes)]
            pub whole_episodes: bool,
            /// The time limit is part of the task: nothing is expected behind it.
            #[config(default = $finite_horizon)]
            pub finite_horizon: bool,
            /// Learning rate of Adam; a number or a line over environment steps.
            #[config(default = $lr, range = 0.0..)]
            pub lr: Rate,
            /// ε of Adam.
            #[config(default = 1e-5, above = 0.0)]
            pub adam_eps: f64,
            /// Passes over a fragment.
            #[config(default = $update_epochs, range = 1..=1000)]
            pub update_epochs: usize,
            /// Parts of a pass, each one step of Adam.
            #[config(default = $num_minibatches, range = 1..=100_000)]
            pub num_minibatches: usize,
            /// Discount of a step (in turn-based worlds of a turn of one's own).
            #[config(default = $gamma, range = 0.0..=1.0)]
            pub gamma: f64,
            /// λ of generalised advantage estimation.
            #[config(default = $gae_lambda, range = 0.0..=1.0)]
            pub gae_lambda: f64,
            /// ε of the clipped ratio; a number or a line over environment steps.
            #[config(default = 0.2, above = 0.0)]
            pub clip_coef: Rate,
            /// Whether the value loss is clipped likewise.
            #[config(default = false)]
            pub clip_vloss: bool,
            /// Whether advantages are standardised, once a fragment.
            #[config(default = true)]
            pub norm_adv: bool,
            /// Weight of the entropy; a number or a line over environment steps.
            #[config(default = $ent_coef, range = 0.0..)]
            pub ent_coef: Rate,
            /// Weight of the value loss.
            #[config(default = 0.5, range = 0.0..)]
            pub vf_coef: f64,
            /// δ of Huber's value loss; null for squared errors.
            #[config(default = $huber_delta)]
            pub huber_delta: Option<f64>,
            /// Whether critics learn normalised values.
            #[config(default = $value_norm)]
            pub value_norm: bool,
            /// Weight of the past in the statistics of values.
            #[config(default = 0.99, range = 0.0..1.0)]
            pub value_norm_beta: f64,
            /// Gradients are scaled down to this global norm; null never scales.
            #[config(default = Some(0.5))]
            pub max_grad_norm: Option<f64>,
            /// Passes end when the estimated KL divergence from the rollout's policy exceeds this; null never.
            #[config(default = None)]
            pub target_kl: Option<f64>,
            /// Widths of the hidden layers.
            #[config(default = $hidden)]
            pub hidden: Vec<usize>,
            /// What hidden layers do.
            #[config(default = Activation::Tanh)]
            pub activation: Activation,
            /// Whether critic and actor share all but their last layers.
            #[config(default = false)]
            pub shared_trunk: bool,
            /// Width of a GRU behind the hidden layers; 0 for none.
            #[config(default = 0, range = 0..=8192)]
            pub recurrent: usize,
            /// Steps of truncated backpropagation through time.
            #[config(default = 16, range = 1..=100_000)]
            pub sequence_length: usize,
            /// What the critic sees.
            #[config(default = $critic)]
            pub critic: CriticView,
            /// Which agents share networks.
            #[config(default = Share::Group)]
            pub share: Share,
            /// Whether networks that several agents share are told which agent it is.
            #[config(default = $agent_id)]
            pub agent_id: bool,
            /// Logarithm of the first standard deviation of continuous actions.
            #[config(default = 0.0, range = -10.0..=5.0)]
            pub log_std_init: f64,
            /// Updates that may be skipped in a row because something is not finite.
            #[config(default = 10)]
            pub max_skipped: u32,
            /// Where learning runs: cpu, cuda:N or auto.
            #[config(default = "cpu")]
            pub device: String,
        }
    };
}

settings! {
    /// Settings of PPO.
    PpoConfig {
        num_steps: 128, whole_episodes: false, finite_horizon: false,
        lr: Rate::linear(1e-3, 2e-4, 100_000), update_epochs: 10, num_minibatches: 4,
        gamma: 0.98, gae_lambda: 0.9, ent_coef: 0.0, huber_delta: None, value_norm: false,
        hidden: vec![64, 64], critic: CriticView::Own, agent_id: true,
    }
}

settings! {
    /// Settings of IPPO: PPO for teams, every agent judged by what it sees itself.
    IppoConfig {
        num_steps: 128, whole_episodes: true, finite_horizon: true,
        lr: 7e-4, update_epochs: 10, num_minibatches: 1,
        gamma: 0.99, gae_lambda: 0.95, ent_coef: 0.01, huber_delta: Some(10.0), value_norm: true,
        hidden: vec![128, 128], critic: CriticView::Own, agent_id: true,
    }
}

settings! {
    /// Settings of MAPPO: PPO for teams, judged by a critic that sees all.
    MappoConfig {
        num_steps: 128, whole_episodes: true, finite_horizon: true,
        lr: 7e-4, update_epochs: 10, num_minibatches: 1,
        gamma: 0.99, gae_lambda: 0.95, ent_coef: 0.01, huber_delta: Some(10.0), value_norm: true,
        hidden: vec![128, 128], critic: CriticView::Central, agent_id: true,
    }
}

impl PpoConfig {
    /// The settings of any preset: they have the same fields.
    ///
    /// # Errors
    /// `/pointer: expected X, found Y` for the first value at fault.
    pub(crate) fn of<C: Config>(preset: &C) -> Result<Self> {
        let text = serde_json::to_string(preset).map_err(|e| Error::config(e.to_string()))?;
        let settings: Self = config::parse(&text).map_err(Error::config)?;
        settings.check()?;
        Ok(settings)
    }

    /// What the schema cannot say.
    fn check(&self) -> Result<()> {
        let positive = [
            ("huber_delta", self.huber_delta),
            ("max_grad_norm", self.max_grad_norm),
            ("target_kl", self.target_kl),
        ];
        for (name, value) in positive {
            if let Some(x) = value.filter(|x| *x <= 0.0) {
                return Err(Error::config(format!("/{name}: expected 0 < x, found {x}")));
            }
        }
        if self.shared_trunk && self.critic == CriticView::Central {
            let message = "/shared_trunk: expected false with a central critic, found true";
            return Err(Error::config(message).with_next("use critic = \"own\""));
        }
        if let Some(i) = self.hidden.iter().position(|w| !(1..=65_536).contains(w)) {
            let found = self.hidden[i];
            return Err(Error::config(format!(
                "/hidden/{i}: expected 1 ≤ x ≤ 65536, found {found}"
            )));
        }
        Ok(())
    }

    /// The settings that may be changed while training goes on.
    pub(crate) const TUNABLE: [&str; 9] = [
        "lr",
        "clip_coef",
        "ent_coef",
        "vf_coef",
        "gamma",
        "gae_lambda",
        "update_epochs",
        "num_minibatches",
        "target_kl",
    ];
}
