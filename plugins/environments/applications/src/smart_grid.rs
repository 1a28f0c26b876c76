//! Smart grid: producers, consumers and storages keep an electricity grid in balance and trade at its price.
//!
//! Source: the grid task of teaching notebooks; prices that answer to shortage as in Schweppe, Caramanis, Tabors and
//! Bohn, "Spot Pricing of Electricity" (1988). The notebooks pay a storage for the discharge that it asks for, also
//! when it is empty. Here only energy that really flows is paid, by the storage as by the grid.
//!
//! | agent | observation | range |
//! |---|---|---|
//! | producer | own output / `producer_capacity` | 0 to 1 |
//! | consumer | own demand now / its largest, own part curtailed in the last step | 0 to 1 |
//! | storage | own level / `storage_capacity` | 0 to 1 |
//! | each, then | availability of the renewables now, all demand now / its largest, last price / the largest | 0 to 1 |
//! | | last imbalance / the largest demand of all, cut to the range | -1 to 1 |
//! | | sine and cosine of the time of day | -1 to 1 |
//!
//! | agent | action | range |
//! |---|---|---|
//! | producer | wanted output / `producer_capacity`, reached by at most `ramp` a step | 0 to 1 |
//! | consumer | demand response: part of the flexible demand that it forgoes | 0 to 1 |
//! | storage | charge (positive) or discharge in units of `storage_power`, as far as the level allows | -1 to 1 |
//!
//! Imbalance = output + renewables + discharge - demand served - charge; the price is
//! `base_price` · (1 - `price_slope` · imbalance / largest demand of all, the quotient cut to ±1). A storage keeps
//! `storage_efficiency` of what it draws. Demand follows the day, least after a quarter and most after three
//! quarters of it; the availability of the renewables, which belong to nobody, is a mean-reverting random walk.
//!
//! | reward | |
//! |---|---|
//! | producer | (price - `fuel_cost`) · output |
//! | consumer | (`energy_value` - price) · served - `discomfort` · curtailed² / demand |
//! | storage | price · discharge - price · charge |
//! | each, then | - `imbalance_penalty` · \|imbalance\| / number of agents |
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//!
//! Metrics: means of `imbalance` (its size), `price` and `renewable_share` (of the supply), sums of energy `curtailed`
//! and of `shortage`.

use palaestra_plugin_api::{prelude::*, serde, serde_json::Value};

use crate::state::{require, require_joint};

mod config;
mod picture;
mod scripted;

pub use config::SmartGridConfig;

/// Groups, in order.
const PRODUCERS: usize = 0;
const CONSUMERS: usize = 1;
const STORAGES: usize = 2;
/// What all agents observe alike.
const COMMON: usize = 6;
/// What is rounded in sums is this small a part of them.
const ROUNDING: f64 = 1e-9;

/// What changes in an episode. Energies are those of one step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    /// Steps since midnight.
    clock: u32,
    /// Part of the renewable capacity that delivers in the coming step.
    availability: f64,
    /// Price of the last step.
    price: f64,
    /// Supply without demand in the last step.
    imbalance: f64,
    /// Output of each producer in the last step.
    outputs: Vec<f64>,
    /// Demand of each consumer in the coming step.
    demands: Vec<f64>,
    /// Part of the flexible demand that each consumer forwent in the last step.
    responses: Vec<f64>,
    /// Energy in each storage.
    levels: Vec<f64>,
}

/// Totals of a step.
#[derive(Clone, Copy, Debug, Default)]
struct Balance {
    supply: f64,
    renewable: f64,
    curtailed: f64,
    penalty: f64,
}

/// `apps/SmartGrid-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<SmartGridConfig, State>",
    into = "Saved<SmartGridConfig, State>"
)]
pub struct SmartGrid {
    config: SmartGridConfig,
    /// Sine and cosine of each time of day.
    day: Vec<[f64; 2]>,
    state: State,
    /// Demand that each consumer forwent in the last step.
    curtailed: Vec<f64>,
    /// What each storage drew (positive) or fed in the last step.
    flows: Vec<f64>,
}

saved_as!(SmartGrid, SmartGridConfig, State);

impl Environment for SmartGrid {
    const ID: &'static str = "apps/SmartGrid-v0";
    const DESCRIPTION: &'static str = "Producers, consumers and storages keep a grid in balance";
    type Config = SmartGridConfig;

    fn spec(config: &SmartGridConfig) -> Result<EnvironmentSpec> {
        let group = |name, agents, own: usize, lowest| {
            let low = [vec![0.0; own + 3], vec![-1.0; 3]].concat();
            let observation = Space::bounds(&low, &vec![1.0; own + COMMON]);
            let mut group =
                GroupSpec::new(name, agents, observation, Space::bounded(1, lowest, 1.0));
            group.no_op = Some(vec![0.0]);
            group
        };
        let (least, most) = config.reward_range();
        Ok(EnvironmentSpec {
            groups: vec![
                group("producer", config.num_producers, 1, 0.0),
                group("consumer", config.num_consumers, 2, 0.0),
                group("storage", config.num_storages, 1, -1.0),
            ],
            state: None,
            max_episode_steps: Some(config.max_episode_steps),
            reward_range: (Some(least), Some(most)),
            metrics: vec![
                Metric::mean("imbalance"),
                Metric::mean("price"),
                Metric::mean("renewable_share"),
                Metric::sum("curtailed"),
                Metric::sum("shortage"),
            ],
            flags: Flags {
                counterfactual: true,
                scripted: true,
                ..Flags::default()
            },
            tags: vec![Tag::Mixed],
        })
    }

    fn new(config: &SmartGridConfig) -> Result<Self> {
        let steps = f64::from(config.steps_per_day);
        let angle = |step| std::f64::consts::TAU * f64::from(step) / steps;
        let pair = |step| <[f64; 2]>::from(palaestra_plugin_api::math::sin_cos(angle(step)));
        let state = State {
            price: config.base_price,
            outputs: vec![0.0; config.num_producers],
            demands: vec![0.0; config.num_consumers],
            responses: vec![0.0; config.num_consumers],
            levels: vec![0.0; config.num_storages],
            ..State::default()
        };
        Ok(Self {
            config: config.clone(),
            day: (0..config.steps_per_day).map(pair).collect(),
            curtailed: vec![0.0; config.num_consumers],
            flows: vec![0.0; config.num_storages],
            state,
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
            None => self.start(rng),
        }
        self.curtailed.fill(0.0);
        self.flows.fill(0.0);
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let of = [PRODUCERS, CONSUMERS, STORAGES].map(|group| actions.group(group));
        let balance = self.settle(|group, agent| of[group].continuous(agent)[0]);
        self.reward(balance.penalty, |group, agent, reward| {
            out.group(group).reward(agent, reward);
        });
        let State {
            price, imbalance, ..
        } = self.state;
        let metrics = [
            imbalance.abs(),
            price,
            balance.renewable / balance.supply.max(f64::MIN_POSITIVE),
            balance.curtailed,
            (-imbalance).max(0.0),
        ];
        for (index, value) in metrics.into_iter().enumerate() {
            out.metric(index, value);
        }
        self.draw(rng);
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        palaestra_plugin_api::serde_json::to_value(&self.state).unwrap_or(Value::Null)
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let agents = [
            self.config.num_producers,
            self.config.num_consumers,
            self.config.num_storages,
        ];
        require_joint(actions, &agents.map(|count| [count, 1]))?;
        let mut other = self.clone();
        let balance = other.settle(|group, agent| actions[group][agent][0]);
        let mut rewards = agents.map(|count| vec![0.0; count]);
        other.reward(balance.penalty, |group, agent, reward| {
            rewards[group][agent] = reward;
        });
        Ok(rewards.into())
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(scripted::joint(self))
    }
}

impl SmartGrid {
    /// Everybody acts; energy flows; imbalance and price follow. `action_of` takes group and agent.
    #[inline(always)]
    fn settle(&mut self, action_of: impl Fn(usize, usize) -> f64) -> Balance {
        let config = &self.config;
        let state = &mut self.state;
        let renewable = state.availability * config.renewable_capacity;
        let mut balance = Balance {
            renewable,
            supply: renewable,
            ..Balance::default()
        };
        let (capacity, mut load) = (config.producer_capacity, 0.0);
        let ramp = config.ramp * capacity;
        for (i, output) in state.outputs.iter_mut().enumerate() {
            let wanted = action_of(PRODUCERS, i).clamp(0.0, 1.0) * capacity;
            *output = wanted.clamp(*output - ramp, *output + ramp);
            balance.supply += *output;
        }
        for (i, &demand) in state.demands.iter().enumerate() {
            state.responses[i] = action_of(CONSUMERS, i).clamp(0.0, 1.0);
            self.curtailed[i] = demand * config.flexibility * state.responses[i];
            balance.curtailed += self.curtailed[i];
            load += demand - self.curtailed[i];
        }
        for (i, level) in state.levels.iter_mut().enumerate() {
            let wanted = action_of(STORAGES, i).clamp(-1.0, 1.0) * config.storage_power;
            let flow = stored(level, wanted, config);
            self.flows[i] = flow;
            balance.supply += (-flow).max(0.0);
            load += flow.max(0.0);
        }
        let imbalance = balance.supply - load;
        state.imbalance = imbalance;
        let surplus = (imbalance / config.largest_demand()).clamp(-1.0, 1.0);
        state.price = config.base_price * (1.0 - config.price_slope * surplus);
        balance.penalty = config.imbalance_penalty * imbalance.abs() / config.agents() as f64;
        balance
    }

    /// Tells group, agent and reward of everybody after [`settle`](Self::settle).
    #[inline(always)]
    fn reward(&self, penalty: f64, mut tell: impl FnMut(usize, usize, f64)) {
        let (config, price) = (&self.config, self.state.price);
        for (i, output) in self.state.outputs.iter().enumerate() {
            tell(PRODUCERS, i, (price - config.fuel_cost) * output - penalty);
        }
        for (i, (demand, curtailed)) in self.state.demands.iter().zip(&self.curtailed).enumerate() {
            let gain = (config.energy_value - price) * (demand - curtailed);
            // Of the demand the responses are a part: without demand there is no discomfort.
            let part = config.flexibility * self.state.responses[i];
            let reward = gain - config.discomfort * curtailed * part - penalty;
            tell(CONSUMERS, i, reward);
        }
        for (i, flow) in self.flows.iter().enumerate() {
            tell(STORAGES, i, -price * flow - penalty);
        }
    }

    /// Time passes: demands and availability of the coming step.
    #[inline(always)]
    fn draw(&mut self, rng: &mut EnvRng) {
        let config = &self.config;
        let state = &mut self.state;
        state.clock += 1;
        if state.clock >= config.steps_per_day {
            state.clock = 0;
        }
        let wind = state.availability;
        let pull = config.renewable_reversion * (config.renewable_mean - wind);
        state.availability = (wind + pull + config.renewable_noise * rng.normal()).clamp(0.0, 1.0);
        self.draw_demands(rng);
    }

    #[inline(always)]
    fn draw_demands(&mut self, rng: &mut EnvRng) {
        let config = &self.config;
        let [sine, _] = self.day[self.state.clock as usize];
        let mean = config.consumer_demand * (1.0 - config.demand_swing * sine);
        for demand in &mut self.state.demands {
            *demand = mean * (1.0 + config.demand_noise * rng.range(-1.0, 1.0));
        }
    }

    /// A day begins, in balance as far as the producers can.
    fn start(&mut self, rng: &mut EnvRng) {
        self.state.clock = 0;
        self.draw_demands(rng);
        let config = &self.config;
        let state = &mut self.state;
        state.availability = rng.uniform();
        (state.price, state.imbalance) = (config.base_price, 0.0);
        state.responses.fill(0.0);
        state
            .levels
            .fill(config.storage_start * config.storage_capacity);
        let demand: f64 = state.demands.iter().sum();
        let missing = demand - state.availability * config.renewable_capacity;
        let each = missing / config.num_producers as f64;
        state
            .outputs
            .fill(each.clamp(0.0, config.producer_capacity));
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        let config = &self.config;
        let last = f64::from(config.steps_per_day - 1);
        require("clock", &[f64::from(state.clock)], 1, [0.0, last])?;
        require("availability", &[state.availability], 1, [0.0, 1.0])?;
        let prices = [0.0, config.largest_price()];
        require("price", &[state.price], 1, prices)?;
        let most = config.largest_imbalance();
        require("imbalance", &[state.imbalance], 1, [-most, most])?;
        let capacity = [0.0, config.producer_capacity];
        require("outputs", &state.outputs, config.num_producers, capacity)?;
        let demand = [0.0, config.largest_demand_of_one() * (1.0 + ROUNDING)];
        require("demands", &state.demands, config.num_consumers, demand)?;
        let part = [0.0, 1.0];
        require("responses", &state.responses, config.num_consumers, part)?;
        let level = [0.0, config.storage_capacity];
        require("levels", &state.levels, config.num_storages, level)?;
        self.state = state;
        Ok(())
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let (config, state) = (&self.config, &self.state);
        let largest = 1.0 / config.largest_demand();
        let demand: f64 = state.demands.iter().sum();
        let [sine, cosine] = self.day[state.clock as usize];
        let common: [f32; COMMON] = [
            state.availability,
            (demand * largest).min(1.0),
            (state.price / config.largest_price()).min(1.0),
            (state.imbalance * largest).clamp(-1.0, 1.0),
            sine,
            cosine,
        ]
        .map(|x| x as f32);
        let mut tell = |group, agent, own: &[f64]| {
            let mut writer = out.group(group);
            let row = writer.observation(agent);
            for (to, x) in row.iter_mut().zip(own) {
                *to = x.min(1.0) as f32;
            }
            row[own.len()..].copy_from_slice(&common);
        };
        for (i, output) in state.outputs.iter().enumerate() {
            tell(PRODUCERS, i, &[output / config.producer_capacity]);
        }
        let of_one = 1.0 / config.largest_demand_of_one();
        for (i, demand) in state.demands.iter().enumerate() {
            tell(CONSUMERS, i, &[demand * of_one, state.responses[i]]);
        }
        for (i, level) in state.levels.iter().enumerate() {
            tell(STORAGES, i, &[level / config.storage_capacity]);
        }
    }
}

/// Changes the level of a storage that wants to draw (positive) or feed energy; gives what really flows.
#[inline(always)]
fn stored(level: &mut f64, wanted: f64, config: &SmartGridConfig) -> f64 {
    let (capacity, kept) = (config.storage_capacity, config.storage_efficiency);
    if wanted > 0.0 {
        let flow = wanted.min((capacity - *level) / kept);
        *level = (*level + kept * flow).min(capacity);
        flow
    } else {
        let flow = wanted.max(-*level);
        *level = (*level + flow).max(0.0);
        flow
    }
}

#[cfg(test)]
mod tests;
