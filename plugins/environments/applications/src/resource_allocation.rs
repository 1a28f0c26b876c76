//! Resource allocation: users request parts of a limited resource, and share it in proportion when too much is
//! requested.
//!
//! Source: the allocation task of teaching notebooks; proportional sharing as in Kelly, Maulloo and Tan ("Rate
//! control for communication networks", 1998). Welfare as in social choice: utilitarian the mean of the utilities,
//! egalitarian the least, Nash's their geometric mean.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | own need now / `need_max` | 0 to 1 |
//! | 1 | capacity now / its largest | 0 to 1 |
//! | 2 | own request of the last step / `max_request` | 0 to 1 |
//! | 3 | part of each request that was granted in the last step; 1 at the start | 0 to 1 |
//!
//! | action | meaning | range |
//! |---|---|---|
//! | 0 | request, in units of `max_request` | 0 to 1 |
//!
//! User i gets xᵢ = rᵢ · min(1, capacity / Σ r). With s = xᵢ / needᵢ its utility is ln(1 + s), min(1, s) or s.
//! After each step needs are drawn uniformly from `need_min` to `need_max` and the capacity from
//! `capacity` · (1 ± `capacity_variation`).
//!
//! | | when |
//! |---|---|
//! | reward `individual` | own utility - `request_cost` · rᵢ / `max_request` |
//! | reward of a welfare | to all: that welfare of the utilities - the mean of those costs |
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//!
//! Metrics, means over the steps: the three welfares, `utilisation` (granted / capacity) and `oversubscribed`
//! (1 when requests exceed the capacity).

use palaestra_plugin_api::{
    math,
    prelude::*,
    serde,
    serde_json::{Value, json},
};

use crate::state::{invalid, require, require_joint};

mod scripted;

/// Components of an observation.
const OBSERVATION: usize = 4;
/// So many utilities are multiplied before a logarithm is taken: their product neither over- nor underflows.
const PRODUCT: usize = 8;

/// What a user gains from what it gets.
#[palaestra_plugin_api::config]
pub enum Utility {
    /// ln(1 + s): more is better, but less and less.
    Logarithmic,
    /// min(1, s): what exceeds the need is wasted.
    Satisfaction,
    /// s.
    Linear,
}

/// What users are rewarded for.
#[palaestra_plugin_api::config]
pub enum Objective {
    /// Each for its own utility.
    Individual,
    /// All for the mean utility.
    Utilitarian,
    /// All for the least utility.
    Egalitarian,
    /// All for the geometric mean of the utilities.
    Nash,
}

/// Settings of ResourceAllocation.
#[palaestra_plugin_api::config]
pub struct ResourceAllocationConfig {
    /// Number of users.
    #[config(default = 3, range = 1..=1000)]
    pub num_agents: usize,
    /// Mean amount of the resource in a step.
    #[config(default = 10.0, range = 0.001..=1e6)]
    pub capacity: f64,
    /// How far the amount varies from step to step, as a part of it.
    #[config(default = 0.2, range = 0.0..=0.9)]
    pub capacity_variation: f64,
    /// Largest request of a user.
    #[config(default = 10.0, range = 0.001..=1e6)]
    pub max_request: f64,
    /// Smallest need of a user.
    #[config(default = 1.0, range = 0.001..=1e6)]
    pub need_min: f64,
    /// Largest need of a user.
    #[config(default = 5.0, range = 0.001..=1e6)]
    pub need_max: f64,
    /// What a user gains from its part.
    pub utility: Utility,
    /// What users are rewarded for.
    pub reward: Objective,
    /// What the largest request costs.
    #[config(default = 0.1, range = 0.0..=1e6)]
    pub request_cost: f64,
    /// Steps until truncation.
    #[config(default = 100, range = 1..)]
    pub max_episode_steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    /// Amount to share in the coming step.
    capacity: f64,
    /// Part of each request that was granted in the last step.
    granted: f64,
    /// Need of each user in the coming step.
    needs: Vec<f64>,
    /// Request of each user in the last step.
    requests: Vec<f64>,
}

/// Utilitarian, egalitarian and Nash welfare.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Welfare {
    utilitarian: f64,
    egalitarian: f64,
    nash: f64,
}

/// `apps/ResourceAllocation-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<ResourceAllocationConfig, State>",
    into = "Saved<ResourceAllocationConfig, State>"
)]
pub struct ResourceAllocation {
    config: ResourceAllocationConfig,
    state: State,
    /// Utilities of the last step.
    utilities: Vec<f64>,
}

saved_as!(ResourceAllocation, ResourceAllocationConfig, State);

impl ResourceAllocationConfig {
    fn largest_capacity(&self) -> f64 {
        self.capacity * (1.0 + self.capacity_variation)
    }
}

impl Environment for ResourceAllocation {
    const ID: &'static str = "apps/ResourceAllocation-v0";
    const DESCRIPTION: &'static str = "Users request shares of a limited resource";
    type Config = ResourceAllocationConfig;

    fn spec(config: &ResourceAllocationConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new(
            "user",
            config.num_agents,
            Space::bounded(OBSERVATION, 0.0, 1.0),
            Space::bounded(1, 0.0, 1.0),
        );
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let most = config.largest_capacity().min(config.max_request) / config.need_min;
        // The geometric mean of equal utilities may be rounded upwards.
        let largest = utility_of(config.utility, most) * (1.0 + 1e-12);
        spec.reward_range = (Some(-config.request_cost), Some(largest));
        spec.metrics = [
            "utilitarian_welfare",
            "egalitarian_welfare",
            "nash_welfare",
            "utilisation",
            "oversubscribed",
        ]
        .map(Metric::mean)
        .into();
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![match config.reward {
            _ if config.num_agents == 1 => Tag::SingleAgent,
            Objective::Individual => Tag::Mixed,
            _ => Tag::Cooperative,
        }];
        Ok(spec)
    }

    fn new(config: &ResourceAllocationConfig) -> Result<Self> {
        if config.need_max < config.need_min {
            let expected = format_args!("at least need_min = {}", config.need_min).to_string();
            return Err(invalid("/need_max", expected, config.need_max));
        }
        let agents = config.num_agents;
        Ok(Self {
            config: config.clone(),
            state: State {
                capacity: config.capacity,
                granted: 1.0,
                needs: vec![config.need_max; agents],
                requests: vec![0.0; agents],
            },
            utilities: vec![0.0; agents],
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init()? {
            Some(state) => self.place(state)?,
            None => {
                self.state.granted = 1.0;
                self.state.requests.fill(0.0);
                self.draw(rng);
            }
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let total = self.share(|agent| actions.continuous(agent)[0]);
        let welfare = welfare(&self.utilities);
        self.reward(&welfare, total, |agent, reward| out.reward(agent, reward));
        let capacity = self.state.capacity;
        let metrics = [
            welfare.utilitarian,
            welfare.egalitarian,
            welfare.nash,
            total.min(capacity) / capacity,
            f64::from(total > capacity),
        ];
        for (index, value) in metrics.into_iter().enumerate() {
            out.metric(index, value);
        }
        self.draw(rng);
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let State {
            capacity,
            granted,
            needs,
            requests,
        } = &self.state;
        json!({"capacity": capacity, "granted": granted, "needs": needs, "requests": requests})
    }

    fn render(&self, canvas: &mut Canvas) {
        let State {
            granted, requests, ..
        } = &self.state;
        let (agents, top) = (requests.len() as f64, self.config.max_request);
        let (requested, given) = (Color::LIGHT, Color::group(0));
        canvas.view_stretched(-0.2, -0.1 * top, agents + 0.2, 1.05 * top);
        canvas.line((0.0, 0.0), (agents, 0.0), Color::DARK.pen(2.0));
        let mut text = String::from("user  request  granted     need\n");
        for (i, &request) in requests.iter().enumerate() {
            let (left, need) = (i as f64, self.state.needs[i]);
            canvas.rect((left + 0.15, 0.0), (left + 0.85, request), requested);
            canvas.rect((left + 0.25, 0.0), (left + 0.75, request * granted), given);
            let line = need.min(top);
            canvas.line(
                (left + 0.1, line),
                (left + 0.9, line),
                Color::ACCENT.pen(3.0),
            );
            if requests.len() <= 20 {
                canvas.text((left + 0.5, -0.05 * top), 12.0, format!("{i}"), Color::DARK);
            }
            let amount = request * granted;
            text.push_str(&format!("{i:4} {request:8.2} {amount:8.2} {need:8.2}\n"));
        }
        canvas.legend(&[
            ("requested", requested),
            ("granted", given),
            ("next need", Color::ACCENT),
        ]);
        canvas.caption(format!(
            "{:.0} % of the requests granted, next capacity {:.2}",
            100.0 * granted,
            self.state.capacity
        ));
        canvas.text_frame(text);
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        require_joint(actions, &[[self.config.num_agents, 1]])?;
        let mut other = self.clone();
        let total = other.share(|agent| actions[0][agent][0]);
        let mut rewards = vec![0.0; self.config.num_agents];
        other.reward(&welfare(&other.utilities), total, |agent, reward| {
            rewards[agent] = reward;
        });
        Ok(vec![rewards])
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(vec![scripted::actions(self)])
    }
}

impl ResourceAllocation {
    /// Takes the requests (in units of the largest), shares the capacity, and gives the sum of the requests.
    #[inline(always)]
    fn share(&mut self, action_of: impl Fn(usize) -> f64) -> f64 {
        let State {
            capacity,
            granted,
            needs,
            requests,
        } = &mut self.state;
        let mut total = 0.0;
        for (agent, request) in requests.iter_mut().enumerate() {
            *request = action_of(agent).clamp(0.0, 1.0) * self.config.max_request;
            total += *request;
        }
        *granted = if total > *capacity {
            *capacity / total
        } else {
            1.0
        };
        for ((utility, request), need) in self.utilities.iter_mut().zip(requests).zip(needs) {
            *utility = utility_of(self.config.utility, *request * *granted / *need);
        }
        total
    }

    /// Tells what each user is rewarded with, after `total` was requested.
    #[inline(always)]
    fn reward(&self, welfare: &Welfare, total: f64, mut tell: impl FnMut(usize, f64)) {
        let price = self.config.request_cost / self.config.max_request;
        let mean_cost = price * total / self.config.num_agents as f64;
        let shared = match self.config.reward {
            Objective::Individual => {
                for (agent, utility) in self.utilities.iter().enumerate() {
                    tell(agent, utility - price * self.state.requests[agent]);
                }
                return;
            }
            Objective::Utilitarian => welfare.utilitarian,
            Objective::Egalitarian => welfare.egalitarian,
            Objective::Nash => welfare.nash,
        };
        (0..self.config.num_agents).for_each(|agent| tell(agent, shared - mean_cost));
    }

    /// Needs and capacity of the coming step.
    #[inline(always)]
    fn draw(&mut self, rng: &mut EnvRng) {
        let ResourceAllocationConfig {
            capacity,
            capacity_variation: variation,
            need_min,
            need_max,
            ..
        } = self.config;
        for need in &mut self.state.needs {
            *need = rng.range(need_min, need_max).min(need_max);
        }
        self.state.capacity = capacity * (1.0 + variation * rng.range(-1.0, 1.0));
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        let config = &self.config;
        let agents = config.num_agents;
        let least = config.capacity * (1.0 - config.capacity_variation);
        let capacities = [least, config.largest_capacity()];
        require("capacity", &[state.capacity], 1, capacities)?;
        require("granted", &[state.granted], 1, [0.0, 1.0])?;
        let needs = [config.need_min, config.need_max];
        require("needs", &state.needs, agents, needs)?;
        let requests = [0.0, config.max_request];
        require("requests", &state.requests, agents, requests)?;
        self.state = state;
        Ok(())
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let config = &self.config;
        let capacity = (self.state.capacity / config.largest_capacity()) as f32;
        let granted = self.state.granted as f32;
        for agent in 0..config.num_agents {
            let need = self.state.needs[agent] / config.need_max;
            let request = self.state.requests[agent] / config.max_request;
            out.observation(agent).copy_from_slice(&[
                need as f32,
                capacity,
                request as f32,
                granted,
            ]);
        }
    }
}

/// Utility of getting `satisfied` times the need.
#[inline(always)]
fn utility_of(utility: Utility, satisfied: f64) -> f64 {
    match utility {
        Utility::Logarithmic => math::ln(1.0 + satisfied),
        Utility::Satisfaction => satisfied.min(1.0),
        Utility::Linear => satisfied,
    }
}

/// The welfares of non-negative utilities.
#[inline(always)]
fn welfare(utilities: &[f64]) -> Welfare {
    let count = utilities.len() as f64;
    let egalitarian = utilities.iter().copied().fold(f64::INFINITY, f64::min);
    let logarithms: f64 = utilities
        .chunks(PRODUCT)
        .map(|chunk| math::ln(chunk.iter().product::<f64>().max(f64::MIN_POSITIVE)))
        .sum();
    Welfare {
        utilitarian: utilities.iter().sum::<f64>() / count,
        egalitarian,
        nash: if egalitarian > 0.0 {
            math::exp(logarithms / count)
        } else {
            0.0
        },
    }
}

#[cfg(test)]
mod tests;
