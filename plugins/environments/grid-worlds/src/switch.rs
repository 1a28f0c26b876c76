//! Switch: agents swap sides through a corridor that only one can use at a time.
//!
//! ma-gym 0.0.14 (Koul, 2019), ids `Switch2-v0` and `Switch4-v0`, after Sunehag et al. (2018), "Value-decomposition
//! networks for cooperative multi-agent learning". 3 × 7 cells; rows 0 and 2 have walls in columns 2 to 4.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | own row / 2, rounded to two decimals | 0 to 1 |
//! | 1 | own column / 6, rounded to two decimals | 0 to 1 |
//! | 2 | with `clock`: step / `max_episode_steps` | 0 to 1 |
//!
//! With `full_observable` everybody sees the observations of all, one after the other.
//!
//! | action | 0 | 1 | 2 | 3 | 4 |
//! |---|---|---|---|---|---|
//! | meaning | down | left | up | right | nothing |
//!
//! Agents move one after the other; a wall or another agent stops them. Who is at its goal stays there, in the
//! way of others, and its own episode is terminated.
//!
//! | | when |
//! |---|---|
//! | reward | 5 for arriving, `step_cost` in other steps, 0 afterwards |
//! | terminated | everybody has arrived |
//! | truncated | after `max_episode_steps` |
//!
//! Two agents can earn 8.3 together.

mod scripted;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
    trace::{Expected, TraceCase},
};

use crate::{
    board::{Board, Grid, Place, moved},
    ma_gym::{MOVES, NOOP, hundredths, observed, view_config},
    picture::{self, Picture},
    state::{choices, joint, misplaced, require_count, require_on_board},
    trace,
};

/// The board.
const BOARD: Board = Board {
    rows: 3,
    columns: 7,
};
/// Where agents start.
const STARTS: [Place; 4] = [[0, 1], [0, 5], [2, 1], [2, 5]];
/// Where they want to.
const GOALS: [Place; 4] = [[0, 6], [0, 0], [2, 6], [2, 0]];
/// Reward for arriving.
const ARRIVAL: f64 = 5.0;
/// A cell that nobody is on.
const FREE: u8 = 0;
/// A cell that nobody can enter.
const WALL: u8 = u8::MAX;

/// Metrics, in order.
const ARRIVED: usize = 0;
const SUCCESS: usize = 1;

/// Settings of Switch; the defaults are those of `Switch2-v0`.
#[palaestra_plugin_api::config]
pub struct SwitchConfig {
    /// Number of agents.
    #[config(default = 2, range = 2..=4)]
    pub num_agents: usize,
    /// Whether everybody sees what all see.
    #[config(default = false)]
    pub full_observable: bool,
    /// Reward of an agent for each step before it arrives.
    #[config(default = -0.1, range = ..=0.0)]
    pub step_cost: f64,
    /// Whether agents see the time.
    #[config(default = true)]
    pub clock: bool,
    /// Steps until truncation.
    #[config(default = 50, range = 1..)]
    pub max_episode_steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    places: Vec<Place>,
    arrived: Vec<bool>,
    step: u32,
}

impl State {
    /// How many have arrived.
    fn arrived(&self) -> usize {
        self.arrived.iter().filter(|&&arrived| arrived).count()
    }
}

/// `grid/Switch-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<SwitchConfig, State>",
    into = "Saved<SwitchConfig, State>"
)]
pub struct Switch {
    config: SwitchConfig,
    state: State,
    /// Agent + 1 on each cell, walls, and walls around.
    cells: Grid<u8>,
    rows: Vec<f32>,
    columns: Vec<f32>,
}

saved_as!(Switch, SwitchConfig, State);

impl Environment for Switch {
    const ID: &'static str = "grid/Switch-v0";
    const DESCRIPTION: &'static str = "Agents swap sides through a corridor for one (ma-gym)";
    const TRACES: &'static [&'static str] = &["ma-gym Switch"];
    type Config = SwitchConfig;

    fn spec(config: &SwitchConfig) -> Result<EnvironmentSpec> {
        let seen = if config.full_observable {
            config.num_agents
        } else {
            1
        };
        let observation = Space::bounded(seen * own_width(config), 0.0, 1.0);
        let mut spec = EnvironmentSpec::new(
            "agent",
            config.num_agents,
            observation,
            Space::discrete(MOVES.len()),
        );
        spec.groups[0].no_op = Some(vec![NOOP as f64]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(config.step_cost), Some(ARRIVAL));
        spec.metrics = vec![Metric::last("arrived"), Metric::last("success")];
        spec.flags = Flags {
            per_agent_end: true,
            counterfactual: true,
            scripted: true,
            ..Flags::default()
        };
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &SwitchConfig) -> Result<Self> {
        let rows = hundredths(BOARD.rows, BOARD.rows - 1);
        let columns = hundredths(BOARD.columns, BOARD.columns - 1);
        let mut world = Self {
            config: config.clone(),
            state: State::default(),
            cells: walls(),
            rows,
            columns,
        };
        world.restart();
        Ok(world)
    }

    fn reset(
        &mut self,
        _rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init::<Option<State>>()?.flatten() {
            Some(state) => self.place(state)?,
            None => self.restart(),
        }
        for agent in (0..self.config.num_agents).filter(|&agent| self.state.arrived[agent]) {
            out.group(0).set_alive(agent, false);
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.advance(
            |agent| actions.discrete(agent),
            |agent, reward, arrives| {
                out.reward(agent, reward);
                if arrives {
                    out.group(0).terminate(agent);
                }
            },
        );
        let arrived = self.state.arrived();
        let everybody = arrived == self.config.num_agents;
        out.metric(ARRIVED, arrived as f64);
        out.metric(SUCCESS, f64::from(everybody));
        if everybody {
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({"pos": self.state.places, "arrived": self.state.arrived, "step": self.state.step})
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script()]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let agents = self.config.num_agents;
        let mut picture = Picture::new(canvas, BOARD);
        let wall = |place: Place| self.cells[place] == WALL;
        BOARD
            .places()
            .filter(|&place| wall(place))
            .for_each(|place| picture.cell(place, Color::DARK));
        for (agent, &goal) in GOALS.iter().enumerate().take(agents) {
            picture.cell(goal, Color::group(agent).alpha(0.35));
        }
        picture.agents(&self.state.places);
        picture.legend(agents, &[("wall", Color::DARK)]);
        let count = self.state.arrived();
        canvas.caption(format!(
            "pale cells are goals; {count} of {agents} have arrived"
        ));
        let ground = |place| if wall(place) { '#' } else { '.' };
        let letter =
            |place| picture::occupant(&self.state.places, place).unwrap_or_else(|| ground(place));
        canvas.text_frame(picture::text(BOARD, letter));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[self.config.num_agents], MOVES.len())?;
        let mut rewards = vec![0.0; self.config.num_agents];
        self.clone().advance(
            |agent| chosen[0][agent],
            |agent, reward, _| rewards[agent] += reward,
        );
        Ok(vec![rewards])
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::cases(document, trace_case)
    }
}

impl Switch {
    /// Moves the agents in turn; tells each one's reward, and whether it arrives.
    #[inline(always)]
    fn advance(
        &mut self,
        action_of: impl Fn(usize) -> usize,
        mut tell: impl FnMut(usize, f64, bool),
    ) {
        let State {
            places,
            arrived,
            step,
        } = &mut self.state;
        *step += 1;
        for (agent, (place, arrived)) in places.iter_mut().zip(arrived).enumerate() {
            if *arrived {
                continue;
            }
            let to = moved(*place, MOVES[action_of(agent)]);
            if self.cells[to] == FREE {
                self.cells[*place] = FREE;
                self.cells[to] = agent as u8 + 1;
                *place = to;
            }
            *arrived = *place == GOALS[agent];
            tell(
                agent,
                if *arrived {
                    ARRIVAL
                } else {
                    self.config.step_cost
                },
                *arrived,
            );
        }
    }

    fn restart(&mut self) {
        let agents = self.config.num_agents;
        self.state.places.clear();
        self.state.places.extend_from_slice(&STARTS[..agents]);
        self.state.arrived.clear();
        self.state.arrived.resize(agents, false);
        self.state.step = 0;
        self.settle();
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        require_count("places", self.config.num_agents, state.places.len())?;
        require_count("arrived", self.config.num_agents, state.arrived.len())?;
        let walls = walls();
        for (agent, &place) in state.places.iter().enumerate() {
            require_on_board("places", BOARD, place)?;
            if walls[place] == WALL || state.places[..agent].contains(&place) {
                return Err(misplaced(
                    "places",
                    "a free cell for each",
                    format_args!("{place:?}"),
                ));
            }
        }
        self.state = state;
        self.settle();
        Ok(())
    }

    fn settle(&mut self) {
        for place in BOARD.places().filter(|&place| !is_wall(place)) {
            self.cells[place] = FREE;
        }
        for (agent, &place) in self.state.places.iter().enumerate() {
            self.cells[place] = agent as u8 + 1;
        }
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let width = own_width(&self.config);
        let time = (f64::from(self.state.step) / f64::from(self.config.max_episode_steps)) as f32;
        for agent in 0..self.config.num_agents {
            let seen = if self.config.full_observable {
                0..self.config.num_agents
            } else {
                agent..agent + 1
            };
            for (part, other) in out.observation(agent).chunks_exact_mut(width).zip(seen) {
                let [row, column] = self.state.places[other];
                part[0] = self.rows[row as usize];
                part[1] = self.columns[column as usize];
                if let Some(clock) = part.get_mut(2) {
                    *clock = time;
                }
            }
        }
    }
}

/// Numbers that one agent sees of itself.
fn own_width(config: &SwitchConfig) -> usize {
    2 + usize::from(config.clock)
}

fn is_wall([row, column]: Place) -> bool {
    row != 1 && (2..=4).contains(&column)
}

fn walls() -> Grid<u8> {
    let mut cells = Grid::new(BOARD, 1, FREE, WALL);
    BOARD
        .places()
        .filter(|&place| is_wall(place))
        .for_each(|place| cells[place] = WALL);
    cells
}

fn trace_case(case: &Value) -> Result<TraceCase> {
    let mut config = view_config(case, 2)?;
    let agents = trace::list(&case["init_obs"])?.len();
    config["num_agents"] = json!(agents);
    let start = Expected {
        observations: observed(&case["init_obs"])?,
        ..Expected::default()
    };
    let rewards = trace::rows(&case["rewards"])?;
    // The original's `dones` are also set at the time limit: arrivals are seen by their reward.
    let arrived = |t: usize, agent: usize| rewards[..=t].iter().any(|row| row[agent] == ARRIVAL);
    let limit = SwitchConfig::default().max_episode_steps as usize;
    trace::play(case, config, Value::Null, start, |t| {
        let arrived: Vec<bool> = (0..agents).map(|agent| arrived(t, agent)).collect();
        let over = !arrived.contains(&false);
        let mut expected = Expected {
            observations: observed(&case["obs"][t])?,
            rewards: Some(vec![rewards[t].clone()]),
            terminated: Some(over),
            truncated: Some(t + 1 == limit && !over),
            ..Expected::default()
        };
        expected.state.insert("pos".into(), case["pos"][t].clone());
        expected.state.insert("arrived".into(), json!(arrived));
        Ok(expected)
    })
}

#[cfg(test)]
mod tests;
