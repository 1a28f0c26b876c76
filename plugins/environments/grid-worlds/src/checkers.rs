//! Checkers: one agent should eat the apples, the other clear the lemons out of its way.
//!
//! ma-gym 0.0.14 (Koul, 2019), ids `Checkers-v0` and (`full_observable`) `Checkers-v1`, after Sunehag et al. (2018),
//! "Value-decomposition networks for cooperative multi-agent learning". 3 × 8 cells, apples and lemons in turn on
//! columns 0 to 5; agents start at (0, 6) and (2, 6).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | own row / 3, rounded to two decimals | 0 to 1 |
//! | 1 | own column / 7, rounded to two decimals | 0 to 1 |
//! | 2–46 | 3 × 3 cells around, row by row: lemon, apple, agent 0, agent 1, wall (there is none) | 0, 1 |
//! | 47 | with `clock`: step / `max_episode_steps` | 0 to 1 |
//!
//! With `full_observable` both see the observations of both, one after the other.
//!
//! | action | 0 | 1 | 2 | 3 | 4 |
//! |---|---|---|---|---|---|
//! | meaning | down | left | up | right | nothing |
//!
//! Agent 0 moves first; the edge or the other agent stops them. Food that an agent enters is eaten.
//!
//! | | when |
//! |---|---|
//! | reward | `step_cost`, and for an apple 10 (agent 0) or 1 (agent 1), for a lemon -10 or -1 |
//! | terminated | no apple is left |
//! | truncated | after `max_episode_steps` |

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

/// Number of agents.
const AGENTS: usize = 2;
/// The board.
const BOARD: Board = Board {
    rows: 3,
    columns: 8,
};
/// Columns with food.
const FOOD_COLUMNS: i32 = 6;
/// Where agents start.
const STARTS: [Place; AGENTS] = [[0, 6], [2, 6]];
/// Reward of each agent for an apple; for a lemon, the same with a minus.
const APPLE_REWARD: [f64; AGENTS] = [10.0, 1.0];
/// Kinds of cells by their number in an observation + 1.
const EMPTY: u8 = 0;
const LEMON: u8 = 1;
const APPLE: u8 = 2;
const FIRST_AGENT: u8 = 3;
/// Off the board.
const OUTSIDE: u8 = u8::MAX;
/// Kinds in an observation: lemon, apple, two agents, wall.
const KINDS: usize = 5;
/// Numbers that one agent sees, without clock.
const OWN: usize = 2 + 9 * KINDS;

/// Metrics, in order.
const APPLES: usize = 0;
const LEMONS: usize = 1;
const SENSITIVE_APPLES: usize = 2;

/// Settings of Checkers; the defaults are those of `Checkers-v0`.
#[palaestra_plugin_api::config]
pub struct CheckersConfig {
    /// Whether both see what both see.
    #[config(default = false)]
    pub full_observable: bool,
    /// Reward of each agent for each step.
    #[config(default = -0.01, range = ..=0.0)]
    pub step_cost: f64,
    /// Whether agents see the time.
    #[config(default = false)]
    pub clock: bool,
    /// Steps until truncation.
    #[config(default = 100, range = 1..)]
    pub max_episode_steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    places: [Place; AGENTS],
    /// What is left to eat on each cell, in row-major order: 0 nothing, 1 lemon, 2 apple.
    food: Vec<u8>,
    step: u32,
}

/// `grid/Checkers-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<CheckersConfig, State>",
    into = "Saved<CheckersConfig, State>"
)]
pub struct Checkers {
    config: CheckersConfig,
    state: State,
    /// Kinds of cells, agents too.
    cells: Grid<u8>,
    rows: Vec<f32>,
    columns: Vec<f32>,
}

saved_as!(Checkers, CheckersConfig, State);

impl Environment for Checkers {
    const ID: &'static str = "grid/Checkers-v0";
    const DESCRIPTION: &'static str =
        "One agent eats the apples, the other clears the lemons (ma-gym)";
    const TRACES: &'static [&'static str] = &["ma-gym Checkers"];
    type Config = CheckersConfig;

    fn spec(config: &CheckersConfig) -> Result<EnvironmentSpec> {
        let seen = if config.full_observable { AGENTS } else { 1 };
        let observation = Space::bounded(seen * own_width(config), 0.0, 1.0);
        let mut spec =
            EnvironmentSpec::new("agent", AGENTS, observation, Space::discrete(MOVES.len()));
        spec.groups[0].no_op = Some(vec![NOOP as f64]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let most = APPLE_REWARD[0];
        spec.reward_range = (Some(config.step_cost - most), Some(most));
        spec.metrics = vec![
            Metric::sum("apples"),
            Metric::sum("lemons"),
            Metric::sum("apples_of_the_sensitive_agent"),
        ];
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &CheckersConfig) -> Result<Self> {
        let mut world = Self {
            config: config.clone(),
            state: start(),
            cells: Grid::new(BOARD, 1, EMPTY, OUTSIDE),
            rows: hundredths(BOARD.rows, BOARD.rows),
            columns: hundredths(BOARD.columns, BOARD.columns - 1),
        };
        world.settle();
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
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let mut eaten = [0.0; 3];
        self.advance(
            |agent| actions.discrete(agent),
            |agent, reward, food| {
                out.reward(agent, reward);
                eaten[APPLES] += f64::from(food == APPLE);
                eaten[LEMONS] += f64::from(food == LEMON);
                eaten[SENSITIVE_APPLES] += f64::from(food == APPLE && agent == 0);
            },
        );
        eaten
            .iter()
            .enumerate()
            .for_each(|(metric, &value)| out.metric(metric, value));
        if self.state.food.iter().all(|&food| food != APPLE) {
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({
            "pos": self.state.places,
            "food_count": {"lemon": self.left(LEMON), "apple": self.left(APPLE)},
            "food": self.state.food,
            "step": self.state.step,
        })
    }

    fn scripted(&self, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script(rng)]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let (apple, lemon) = (Color::group(2), Color::group(6));
        let mut picture = Picture::new(canvas, BOARD);
        for (place, &food) in BOARD
            .places()
            .zip(&self.state.food)
            .filter(|(_, food)| **food != EMPTY)
        {
            picture.token(place, 0.25, "", if food == APPLE { apple } else { lemon });
        }
        picture.agents(&self.state.places);
        picture.legend(AGENTS, &[("apple", apple), ("lemon", lemon)]);
        canvas.caption(format!(
            "apples left {}, lemons left {}",
            self.left(APPLE),
            self.left(LEMON)
        ));
        canvas.text_frame(picture::text(BOARD, |place| match self.cells[place] {
            EMPTY => '.',
            LEMON => 'L',
            APPLE => 'A',
            agent => picture::letter(usize::from(agent - FIRST_AGENT)),
        }));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[AGENTS], MOVES.len())?;
        let mut rewards = vec![0.0; AGENTS];
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

impl Checkers {
    /// Moves the agents in turn; tells each one's reward, and what it ate.
    #[inline(always)]
    fn advance(
        &mut self,
        action_of: impl Fn(usize) -> usize,
        mut tell: impl FnMut(usize, f64, u8),
    ) {
        let State { places, food, step } = &mut self.state;
        *step += 1;
        for (agent, place) in places.iter_mut().enumerate() {
            let to = moved(*place, MOVES[action_of(agent)]);
            let mut eaten = EMPTY;
            // Whoever stays finds itself in the way.
            if self.cells[to] < FIRST_AGENT {
                let here = &mut food[(to[0] * BOARD.columns + to[1]) as usize];
                eaten = std::mem::replace(here, EMPTY);
                self.cells[*place] = EMPTY;
                self.cells[to] = FIRST_AGENT + agent as u8;
                *place = to;
            }
            let gain = match eaten {
                APPLE => APPLE_REWARD[agent],
                LEMON => -APPLE_REWARD[agent],
                _ => 0.0,
            };
            tell(agent, self.config.step_cost + gain, eaten);
        }
    }

    fn restart(&mut self) {
        let State { places, food, step } = &mut self.state;
        (*places, *step) = (STARTS, 0);
        food.iter_mut()
            .zip(BOARD.places())
            .for_each(|(food, place)| *food = food_at(place));
        self.settle();
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        require_count("food", BOARD.cells(), state.food.len())?;
        if let Some(food) = state.food.iter().find(|&&food| food > APPLE) {
            return Err(misplaced("food", "0, 1 or 2", food));
        }
        state
            .places
            .iter()
            .try_for_each(|&place| require_on_board("places", BOARD, place))?;
        let eaten =
            |place: &Place| state.food[(place[0] * BOARD.columns + place[1]) as usize] == EMPTY;
        if state.places[0] == state.places[1] || !state.places.iter().all(eaten) {
            return Err(misplaced(
                "places",
                "a cell for each, without food",
                format_args!("{:?}", state.places),
            ));
        }
        self.state = state;
        self.settle();
        Ok(())
    }

    fn settle(&mut self) {
        for (place, &food) in BOARD.places().zip(&self.state.food) {
            self.cells[place] = food;
        }
        for (agent, &place) in self.state.places.iter().enumerate() {
            self.cells[place] = FIRST_AGENT + agent as u8;
        }
    }

    fn left(&self, kind: u8) -> usize {
        self.state.food.iter().filter(|&&food| food == kind).count()
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let width = own_width(&self.config);
        let time = (f64::from(self.state.step) / f64::from(self.config.max_episode_steps)) as f32;
        for agent in 0..AGENTS {
            let seen = if self.config.full_observable {
                0..AGENTS
            } else {
                agent..agent + 1
            };
            for (part, other) in out.observation(agent).chunks_exact_mut(width).zip(seen) {
                let [row, column] = self.state.places[other];
                part.fill(0.0);
                part[0] = self.rows[row as usize];
                part[1] = self.columns[column as usize];
                for (line, row) in part[2..OWN].chunks_exact_mut(3 * KINDS).zip(row - 1..) {
                    let kinds = self.cells.run([row, column - 1], 3);
                    for (cell, &kind) in line.chunks_exact_mut(KINDS).zip(kinds) {
                        if kind != EMPTY && kind != OUTSIDE {
                            cell[usize::from(kind) - 1] = 1.0;
                        }
                    }
                }
                if let Some(clock) = part.get_mut(OWN) {
                    *clock = time;
                }
            }
        }
    }
}

/// Numbers that one agent sees of itself and its surroundings.
fn own_width(config: &CheckersConfig) -> usize {
    OWN + usize::from(config.clock)
}

/// What grows on a cell: an apple in the top left corner, then in turn.
fn food_at([row, column]: Place) -> u8 {
    if column >= FOOD_COLUMNS {
        return EMPTY;
    }
    if (row + column) % 2 == 0 {
        APPLE
    } else {
        LEMON
    }
}

fn start() -> State {
    State {
        places: STARTS,
        food: BOARD.places().map(food_at).collect(),
        step: 0,
    }
}

fn trace_case(case: &Value) -> Result<TraceCase> {
    let start = Expected {
        observations: observed(&case["init_obs"])?,
        ..Expected::default()
    };
    trace::play(case, view_config(case, OWN)?, Value::Null, start, |t| {
        let mut expected = Expected {
            observations: observed(&case["obs"][t])?,
            rewards: Some(vec![trace::numbers(&case["rewards"][t])?]),
            // The recorded episodes are cut off before the time limit.
            terminated: Some(
                trace::numbers(&case["dones"][t])?
                    .iter()
                    .all(|&over| over == 1.0),
            ),
            truncated: Some(false),
            ..Expected::default()
        };
        for member in ["pos", "food_count"] {
            expected
                .state
                .insert(member.into(), case[member][t].clone());
        }
        Ok(expected)
    })
}

#[cfg(test)]
mod tests;
