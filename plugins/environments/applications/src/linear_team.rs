//! Linear team: agents steer one linear system, together or against each other.
//!
//! Source: the linear-quadratic regulator with several controllers: Başar and Olsder, "Dynamic Noncooperative Game
//! Theory" (1982), chapter 6.
//!
//! x' = A x + Σᵢ Bᵢ uᵢ + w, with wₖ normal with deviation `noise`.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | all | x, the same for every agent | unbounded |
//!
//! | action | meaning | range |
//! |---|---|---|
//! | all | uᵢ in units of `max_action`, cut to the range | -1 to 1 |
//!
//! Without matrices of its own the system is a ring: A has `decay` on the diagonal and `coupling` from each
//! component's predecessor, and the m inputs of agent i push the components i·m, i·m + 1, … (modulo their number)
//! with gain 1.
//!
//! | | when |
//! |---|---|
//! | reward `cooperative` | to all: -(`state_cost` · \|x\|² + `action_cost` · Σᵢ \|uᵢ\|²), of x before the step |
//! | reward `competitive` | the mean cost of the others - the own cost: the sum of all is 0 |
//! | terminated | a component of x' exceeds `bound` |
//! | truncated | after `max_episode_steps` |
//!
//! In the competitive form component k belongs to agent k modulo the number of agents; an agent's own cost is that of
//! its components and of its action. Metrics: the team's `cost` (sum) and the length of x' (`distance`, mean).

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
};

use crate::state::{invalid, require, require_joint};

mod scripted;

/// Metrics, in order.
const COST: usize = 0;
const DISTANCE: usize = 1;
/// Beyond this a state cannot be: components leave `bound` in a single step.
const LARGEST: f64 = 1e30;

/// Whose cost an agent avoids.
#[palaestra_plugin_api::config]
pub enum Relation {
    /// That of the team.
    Cooperative,
    /// Its own, against the others'.
    Competitive,
}

/// Settings of LinearTeam.
#[palaestra_plugin_api::config]
pub struct LinearTeamConfig {
    /// Number of agents.
    #[config(default = 2, range = 1..=100)]
    pub num_agents: usize,
    /// Number of components of x.
    #[config(default = 4, range = 1..=100)]
    pub state_size: usize,
    /// Number of inputs of an agent.
    #[config(default = 2, range = 1..=100)]
    pub action_size: usize,
    /// Whose cost an agent avoids.
    pub reward: Relation,
    /// What a component keeps of itself in a step, unless `dynamics` says it.
    #[config(default = 0.95, range = -2.0..=2.0)]
    pub decay: f64,
    /// What a component gets from its predecessor in a step, unless `dynamics` says it.
    #[config(default = 0.1, range = -2.0..=2.0)]
    pub coupling: f64,
    /// Rows of A, instead of the ring.
    pub dynamics: Option<Vec<Vec<f64>>>,
    /// For each agent the rows of its B, instead of gain 1 on the agent's components.
    pub inputs: Option<Vec<Vec<Vec<f64>>>>,
    /// Largest component of an action.
    #[config(default = 1.0, range = 0.0..=1e6)]
    pub max_action: f64,
    /// Standard deviation of the noise on each component.
    #[config(default = 0.1, range = 0.0..=1e6)]
    pub noise: f64,
    /// Components start uniformly between plus and minus this.
    #[config(default = 1.0, range = 0.0..=1e6)]
    pub start: f64,
    /// Cost of the square of a component.
    #[config(default = 1.0, range = 0.0..=1e6)]
    pub state_cost: f64,
    /// Cost of the square of an input.
    #[config(default = 0.1, range = 0.0..=1e6)]
    pub action_cost: f64,
    /// A larger component ends the episode.
    #[config(default = 100.0, range = 0.001..=1e9)]
    pub bound: f64,
    /// Steps until truncation.
    #[config(default = 100, range = 1..)]
    pub max_episode_steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    /// Components of the system's state.
    x: Vec<f64>,
}

/// `apps/LinearTeam-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<LinearTeamConfig, State>",
    into = "Saved<LinearTeamConfig, State>"
)]
pub struct LinearTeam {
    config: LinearTeamConfig,
    /// A, and beside it the B of every agent: a row of `state_size + num_agents · action_size` per component.
    rows: Vec<f64>,
    state: State,
    /// x of the last step, then the inputs of all agents in it.
    given: Vec<f64>,
    /// Costs of the agents in the last step.
    costs: Vec<f64>,
}

saved_as!(LinearTeam, LinearTeamConfig, State);

impl Environment for LinearTeam {
    const ID: &'static str = "apps/LinearTeam-v0";
    const DESCRIPTION: &'static str =
        "Agents steer one linear system, together or against each other";
    type Config = LinearTeamConfig;

    fn spec(config: &LinearTeamConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new(
            "controller",
            config.num_agents,
            Space::real(config.state_size),
            Space::bounded(config.action_size, -1.0, 1.0),
        );
        spec.groups[0].no_op = Some(vec![0.0; config.action_size]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let cooperative = config.reward == Relation::Cooperative;
        spec.reward_range = (None, cooperative.then_some(0.0));
        spec.metrics = vec![Metric::sum("cost"), Metric::mean("distance")];
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![match config.reward {
            _ if config.num_agents == 1 => Tag::SingleAgent,
            Relation::Cooperative => Tag::Cooperative,
            Relation::Competitive => Tag::Competitive,
        }];
        Ok(spec)
    }

    fn new(config: &LinearTeamConfig) -> Result<Self> {
        let size = config.state_size;
        let inputs = config.num_agents * config.action_size;
        Ok(Self {
            config: config.clone(),
            rows: system(config)?,
            state: State { x: vec![0.0; size] },
            given: vec![0.0; size + inputs],
            costs: vec![0.0; config.num_agents],
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let start = self.config.start;
        match options.init()? {
            Some(State { x }) => {
                let bound = self.config.bound;
                require("x", &x, self.config.state_size, [-bound, bound])?;
                self.state.x = x;
            }
            None => self
                .state
                .x
                .iter_mut()
                .for_each(|x| *x = rng.range(-start, start)),
        }
        self.given.fill(0.0);
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.take(|agent| actions.continuous(agent));
        self.reward(|agent, reward| out.reward(agent, reward));
        out.metric(COST, self.costs.iter().sum());
        self.advance(|| rng.normal());
        let (bound, x) = (self.config.bound, &self.state.x);
        out.metric(DISTANCE, x.iter().map(|x| x * x).sum::<f64>().sqrt());
        out.terminate_if(x.iter().any(|x| x.abs() > bound));
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({"x": self.state.x})
    }

    fn render(&self, canvas: &mut Canvas) {
        let (size, agents) = (self.config.state_size, self.config.num_agents);
        let unit = self.config.start.max(1.0);
        let (right, top) = (size as f64 + 0.2, 3.0 * unit);
        canvas.view_stretched(-0.6, -top, right, top);
        for tick in [-2.0, -1.0, 0.0, 1.0, 2.0].map(|tick| tick * unit) {
            let color = if tick == 0.0 {
                Color::DARK
            } else {
                Color::LIGHT
            };
            canvas.line((0.0, tick), (right, tick), color.pen(1.0));
            canvas.text((-0.3, tick), 11.0, format!("{tick}"), Color::DARK);
        }
        let mut text = String::new();
        for (k, &x) in self.state.x.iter().enumerate() {
            let (left, shown) = (k as f64, |x: f64| x.clamp(-top, top));
            let color = Color::group(k % agents);
            canvas.rect((left + 0.15, 0.0), (left + 0.85, shown(x)), color);
            let (from, to) = (shown(x - self.push(k)), shown(x));
            canvas.line((left + 0.5, from), (left + 0.5, to), Color::ACCENT.pen(3.0));
            if size <= 20 {
                canvas.text(
                    (left + 0.5, -0.93 * top),
                    12.0,
                    format!("x{k}"),
                    Color::DARK,
                );
            }
            text.push_str(&format!("x{k:<3} {x:>10.3}\n"));
        }
        let inputs = &self.given[size..];
        for (i, u) in inputs.chunks_exact(self.config.action_size).enumerate() {
            let shown: Vec<String> = u.iter().map(|u| format!("{u:.2}")).collect();
            text.push_str(&format!("u{i:<3} {:>10}\n", shown.join(" ")));
        }
        let mut names: Vec<_> = (0..agents.min(size).min(8))
            .map(|i| (format!("agent {i}"), Color::group(i)))
            .collect();
        names.push(("last push".into(), Color::ACCENT));
        canvas.legend(&names);
        canvas.caption(format!(
            "cost of the last step {:.3}",
            self.costs.iter().sum::<f64>()
        ));
        canvas.text_frame(text);
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let agents = self.config.num_agents;
        require_joint(actions, &[[agents, self.config.action_size]])?;
        let mut other = self.clone();
        other.take(|agent| &actions[0][agent]);
        let mut rewards = vec![0.0; agents];
        other.reward(|agent, reward| rewards[agent] = reward);
        Ok(vec![rewards])
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(vec![scripted::actions(self)])
    }
}

impl LinearTeam {
    /// Takes state and inputs of the coming step and counts what they cost each agent.
    #[inline(always)]
    fn take<'a>(&mut self, action_of: impl Fn(usize) -> &'a [f64]) {
        let LinearTeamConfig {
            state_size,
            action_size,
            state_cost,
            action_cost,
            max_action,
            num_agents,
            ..
        } = self.config;
        let (x, inputs) = self.given.split_at_mut(state_size);
        x.copy_from_slice(&self.state.x);
        for (agent, input) in inputs.chunks_exact_mut(action_size).enumerate() {
            for (u, action) in input.iter_mut().zip(action_of(agent)) {
                *u = action.clamp(-1.0, 1.0) * max_action;
            }
            self.costs[agent] = action_cost * input.iter().map(|u| u * u).sum::<f64>();
        }
        for (k, x) in x.iter().enumerate() {
            self.costs[k % num_agents] += state_cost * x * x;
        }
    }

    /// Tells what each agent is rewarded with.
    #[inline(always)]
    fn reward(&self, mut tell: impl FnMut(usize, f64)) {
        let total: f64 = self.costs.iter().sum();
        let others = (self.config.num_agents - 1).max(1) as f64;
        for (agent, own) in self.costs.iter().enumerate() {
            let reward = match self.config.reward {
                Relation::Cooperative => -total,
                Relation::Competitive => (total - own) / others - own,
            };
            tell(agent, reward);
        }
    }

    /// The system's step from what [`take`](Self::take) took.
    #[inline(always)]
    fn advance(&mut self, mut normal: impl FnMut() -> f64) {
        let rows = self.rows.chunks_exact(self.given.len());
        for (x, row) in self.state.x.iter_mut().zip(rows) {
            let sum: f64 = row.iter().zip(&self.given).map(|(a, b)| a * b).sum();
            *x = (sum + self.config.noise * normal()).clamp(-LARGEST, LARGEST);
        }
    }

    /// How far the inputs of the last step have moved a component.
    fn push(&self, component: usize) -> f64 {
        let (size, width) = (self.config.state_size, self.given.len());
        let gains = &self.rows[component * width + size..(component + 1) * width];
        let parts = gains.iter().zip(&self.given[size..]).map(|(b, u)| b * u);
        parts.sum()
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        // A snapshot may hold the state in which the episode ended.
        require("x", &state.x, self.config.state_size, [-LARGEST, LARGEST])?;
        self.state = state;
        Ok(())
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        for agent in 0..self.config.num_agents {
            for (to, x) in out.observation(agent).iter_mut().zip(&self.state.x) {
                *to = *x as f32;
            }
        }
    }
}

/// A and the Bs, row by row.
fn system(config: &LinearTeamConfig) -> Result<Vec<f64>> {
    let (size, inputs, agents) = (config.state_size, config.action_size, config.num_agents);
    let width = size + agents * inputs;
    let mut rows = vec![0.0; size * width];
    match &config.dynamics {
        Some(a) => copy_block("/dynamics", a, [size, size], &mut rows, width, 0)?,
        None => {
            for k in 0..size {
                rows[k * width + (k + size - 1) % size] += config.coupling;
                rows[k * width + k] += config.decay;
            }
        }
    }
    match &config.inputs {
        Some(all) if all.len() != agents => {
            let expected = format_args!("{agents} matrices").to_string();
            return Err(invalid("/inputs", expected, all.len()));
        }
        Some(all) => {
            for (agent, b) in all.iter().enumerate() {
                let left = size + agent * inputs;
                copy_block("/inputs", b, [size, inputs], &mut rows, width, left)?;
            }
        }
        None => (0..agents * inputs).for_each(|i| rows[i % size * width + size + i] = 1.0),
    }
    Ok(rows)
}

/// Copies a matrix to column `left` of a wider one.
fn copy_block(
    at: &str,
    matrix: &[Vec<f64>],
    [height, length]: [usize; 2],
    rows: &mut [f64],
    width: usize,
    left: usize,
) -> Result<()> {
    if matrix.len() != height || matrix.iter().any(|row| row.len() != length) {
        let expected = format_args!("{height} rows of {length} numbers").to_string();
        let lengths: Vec<usize> = matrix.iter().map(Vec::len).collect();
        return Err(invalid(at, expected, format_args!("rows of {lengths:?}")));
    }
    if let Some(large) = matrix.iter().flatten().find(|x| x.abs() > 1e6) {
        return Err(invalid(at, "numbers of at most 1e6", large));
    }
    for (to, row) in rows.chunks_exact_mut(width).zip(matrix) {
        to[left..left + length].copy_from_slice(row);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
