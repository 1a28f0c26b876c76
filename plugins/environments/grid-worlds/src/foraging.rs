//! Level-based foraging: players load food together whose level none of them has alone.
//!
//! Papoudakis et al. (2021), "Benchmarking multi-agent deep reinforcement learning algorithms in cooperative
//! tasks"; behaves as lbforaging 2.0.0 (ids `Foraging-…-v3`), whose quirks are marked "quirk".
//!
//! | observation (vector) | meaning | range |
//! |---|---|---|
//! | 3 numbers a food | row, column, level; those in sight in row-major order, then -1, -1, 0 | |
//! | 3 numbers a player | row, column, level; itself, then those in sight by index, then -1, -1, 0 | |
//!
//! Rows and columns count from the top left corner of the window of `2·sight + 1` cells *cut off at the border*.
//! Quirk: another player is in sight when its row and column in the window are 0 to `2·sight`, so near the top
//! and left border players beyond `sight` are seen too. With `observe_agent_levels` off players have 2 numbers.
//!
//! | observation (grid) | meaning |
//! |---|---|
//! | layer 0 | levels of players (1 with levels off); where players share a cell, of the last |
//! | layer 1 | levels of food |
//! | layer 2 | 1 where a player could go: on the board, without food or player |
//!
//! | action | meaning |
//! |---|---|
//! | 0 | none |
//! | 1, 2, 3, 4 | one cell north, south, west, east |
//! | 5 | load the food next to it |
//!
//! An action that is not valid (off the board, onto food, load without food in the four neighbours) is none.
//! A cell wanted by one player is entered; when several want it, nobody moves, and who stays wants its own cell.
//! So players may swap and follow each other, and (quirk) one may enter a cell whose player wanted to leave and
//! could not. Then food whose loaders' levels reach its own is gone.
//!
//! | | when |
//! |---|---|
//! | reward | each loader: own level · food level, `normalize_reward`d by (levels of the loaders · all food at the start); -`penalty` where the levels do not suffice |
//! | terminated | no food is left |
//! | truncated | after `max_episode_steps` (the original says terminated here too) |

mod dynamics;
mod observation;
mod scripted;
mod start;
mod trace;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
    trace::TraceCase,
};

use crate::{
    board::{Board, EAST, Grid, NORTH, Place, SOUTH, STAY, WEST},
    picture::{self, Picture},
    state::{choices, invalid, joint},
};
use observation::Layers;

/// Number of actions.
const ACTIONS: usize = 6;
/// The action that loads.
const LOAD: usize = 5;
/// Where the actions before it lead.
const MOVES: [Place; LOAD] = [STAY, NORTH, SOUTH, WEST, EAST];
/// A cell without food.
const EMPTY: u16 = 0;
/// A cell off the board.
const OUTSIDE: u16 = u16::MAX;

/// Metrics, in order.
const LOADED: usize = 0;
const FAILED_LOADS: usize = 1;
const ALL_LOADED: usize = 2;

/// Settings of Foraging; the defaults are those of `Foraging-8x8-2p-2f-v3`.
#[palaestra_plugin_api::config]
pub struct ForagingConfig {
    /// Number of players.
    #[config(default = 2, range = 1..=1000)]
    pub players: usize,
    /// Lowest level of a player.
    #[config(default = 1, range = 1..=100)]
    pub min_player_level: u32,
    /// Highest level of a player.
    #[config(default = 2, range = 1..=100)]
    pub max_player_level: u32,
    /// Lowest level of food.
    #[config(default = 1, range = 1..=1000)]
    pub min_food_level: u32,
    /// Highest level of food; unless given, the sum of the three lowest levels of players.
    #[config(range = 1..=1000)]
    pub max_food_level: Option<u32>,
    /// Rows and columns.
    #[config(default = [8, 8])]
    pub field_size: [u32; 2],
    /// Number of foods.
    #[config(default = 2, range = 1..=1000)]
    pub max_num_food: usize,
    /// How far players see, in cells; the whole field unless given.
    #[config(range = 1..=1000)]
    pub sight: Option<u32>,
    /// Steps until truncation.
    #[config(default = 50, range = 1..)]
    pub max_episode_steps: u32,
    /// Whether every food has the highest level.
    #[config(default = false)]
    pub force_coop: bool,
    /// Whether all rewards of an episode sum to at most 1.
    #[config(default = true)]
    pub normalize_reward: bool,
    /// Whether players see layers of cells and not a list of positions.
    #[config(default = false)]
    pub grid_observation: bool,
    /// Whether players see levels of players.
    #[config(default = true)]
    pub observe_agent_levels: bool,
    /// What a loader pays when the levels do not suffice.
    #[config(default = 0.0, range = 0.0..)]
    pub penalty: f64,
    /// Whether actions that are not valid are masked; otherwise they count as none.
    #[config(default = false)]
    pub action_mask: bool,
}

/// A player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde")]
struct Player {
    place: Place,
    level: u32,
}

/// Food; its level is 0 once it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde")]
struct Food {
    place: Place,
    level: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    players: Vec<Player>,
    /// In row-major order.
    foods: Vec<Food>,
    /// Sum of the levels of all food at the start.
    food_spawned: u32,
}

/// `grid/Foraging-v3`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<ForagingConfig, State>",
    into = "Saved<ForagingConfig, State>"
)]
pub struct Foraging {
    config: ForagingConfig,
    board: Board,
    sight: i32,
    state: State,
    /// Index + 1 of the food on each cell.
    field: Grid<u16>,
    /// How many players want each cell; 0 between steps.
    claims: Grid<u16>,
    targets: Vec<Place>,
    /// Index + 1 of the food that each player loads in this step; 0 for none.
    loads: Vec<u16>,
    /// Levels of those who load each food; 0 between steps.
    strengths: Vec<u32>,
    layers: Option<Layers>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Outcome {
    loaded: u32,
    failed: u32,
    finished: bool,
}

impl Environment for Foraging {
    const ID: &'static str = "grid/Foraging-v3";
    const DESCRIPTION: &'static str = "Players load food together (level-based foraging)";
    const TRACES: &'static [&'static str] =
        &["lbforaging Foraging-*-v3", "lbforaging grid observations"];
    type Config = ForagingConfig;

    fn spec(config: &ForagingConfig) -> Result<EnvironmentSpec> {
        let world = Self::new(config)?;
        let mut spec = EnvironmentSpec::new(
            "player",
            config.players,
            world.space(),
            Space::discrete(ACTIONS),
        );
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.groups[0].has_action_mask = config.action_mask;
        spec.max_episode_steps = Some(config.max_episode_steps);
        let most = if config.normalize_reward {
            1.0
        } else {
            f64::from(config.max_player_level * world.max_level())
        };
        spec.reward_range = (Some(-config.penalty), Some(most));
        spec.metrics = vec![
            Metric::sum("foods_loaded"),
            Metric::sum("failed_loads"),
            Metric::last("all_loaded"),
        ];
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![if config.players == 1 {
            Tag::SingleAgent
        } else {
            Tag::Mixed
        }];
        Ok(spec)
    }

    fn new(config: &ForagingConfig) -> Result<Self> {
        let board = Board::of_size("/field_size", config.field_size, 3)?;
        let sight = config.sight.unwrap_or(board.rows.max(board.columns) as u32);
        if !(1..=1000).contains(&sight) {
            return Err(invalid("/sight", "1 ≤ x ≤ 1000", sight));
        }
        if config.max_player_level < config.min_player_level {
            return Err(invalid(
                "/max_player_level",
                "at least min_player_level",
                config.max_player_level,
            ));
        }
        if config
            .max_food_level
            .is_some_and(|most| most < config.min_food_level || most > 1000)
        {
            let found = config.max_food_level.unwrap_or_default();
            return Err(invalid("/max_food_level", "min_food_level to 1000", found));
        }
        if config.players + config.max_num_food > board.cells() {
            return Err(invalid(
                "/players",
                "players and foods to have cells of their own",
                config.players,
            ));
        }
        let sight = sight as i32;
        Ok(Self {
            board,
            sight,
            state: State::default(),
            field: Grid::new(board, 1, EMPTY, OUTSIDE),
            claims: Grid::new(board, 0, 0, 0),
            targets: vec![STAY; config.players],
            loads: vec![0; config.players],
            strengths: vec![0; config.max_num_food],
            layers: config.grid_observation.then(|| Layers::new(board, sight)),
            config: config.clone(),
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init::<start::Init>()? {
            Some(init) => self.place(init.into())?,
            None => self.draw(rng),
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let outcome = self.advance(
            |player| actions.discrete(player),
            |player, reward| out.reward(player, reward),
        );
        out.metric(LOADED, f64::from(outcome.loaded));
        out.metric(FAILED_LOADS, f64::from(outcome.failed));
        out.metric(ALL_LOADED, f64::from(outcome.finished));
        if outcome.finished {
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let State {
            players,
            foods,
            food_spawned,
        } = &self.state;
        let left = foods.iter().filter(|food| food.level > 0);
        json!({
            "positions": players.iter().map(|player| player.place).collect::<Vec<_>>(),
            "levels": players.iter().map(|player| player.level).collect::<Vec<_>>(),
            "foods": left.map(|food| [food.place[0], food.place[1], food.level as i32]).collect::<Vec<_>>(),
            "food_spawned": food_spawned,
            "valid": players.iter().map(|player| self.valid(player.place)).collect::<Vec<_>>(),
        })
    }

    fn scripted(&self, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script(rng)]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let places: Vec<Place> = self
            .state
            .players
            .iter()
            .map(|player| player.place)
            .collect();
        let left: Vec<&Food> = self
            .state
            .foods
            .iter()
            .filter(|food| food.level > 0)
            .collect();
        let mut picture = Picture::new(canvas, self.board);
        for food in &left {
            picture.token(food.place, 0.3, &food.level.to_string(), Color::ACCENT);
        }
        picture.agents(&places);
        picture.legend(places.len(), &[("food and its level", Color::ACCENT)]);
        let levels: Vec<String> = self
            .state
            .players
            .iter()
            .map(|player| player.level.to_string())
            .collect();
        canvas.caption(format!(
            "levels of the players {}; food left {}",
            levels.join(", "),
            left.len()
        ));
        let digit = |food: &Food| char::from_digit(food.level, 10).unwrap_or('+');
        let food_at = |place| {
            left.iter()
                .find(|food| food.place == place)
                .map_or('.', |food| digit(food))
        };
        canvas.text_frame(picture::text(self.board, |place| {
            picture::occupant(&places, place).unwrap_or_else(|| food_at(place))
        }));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[self.config.players], ACTIONS)?;
        let mut rewards = vec![0.0; self.config.players];
        self.clone().advance(
            |player| chosen[0][player],
            |player, reward| rewards[player] += reward,
        );
        Ok(vec![rewards])
    }

    fn trace_config(case: &Value) -> Value {
        case["config"].clone()
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::cases(document)
    }
}

#[cfg(test)]
mod tests;
