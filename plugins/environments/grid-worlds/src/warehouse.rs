//! Warehouse: robots carry requested shelves to the goals and put them back.
//!
//! Papoudakis et al. (2021), "Benchmarking multi-agent deep reinforcement learning algorithms in cooperative
//! tasks"; behaves as rware 2.0.0 (ids `rware-{size}-{N}ag[-easy|-hard]-v2`).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0–1 | own x and y (column and row), divided by the largest with `normalised_coordinates` | |
//! | 2 | whether it carries a shelf | 0, 1 |
//! | 3–6 | own direction: up, down, left, right | 0, 1 |
//! | 7 | whether it is on a highway | 0, 1 |
//! | then 7 per cell of the window, row by row | agent there; its direction (up where there is none); shelf there; requested | 0, 1 |
//!
//! The window has `2·sensor_range + 1` cells a side, the own cell in its middle.
//!
//! | action | meaning |
//! |---|---|
//! | 0 | nothing |
//! | 1 | one cell forward |
//! | 2, 3 | turn left, right |
//! | 4 | pick up the shelf here; carrying one, put it down, but not on a highway |
//!
//! Who can move is decided as `movement` says; a robot with a shelf cannot enter a cell with a standing one.
//! A requested shelf that is on a goal counts as delivered at once, and another shelf is requested in its place.
//!
//! | | when |
//! |---|---|
//! | reward `individual` | 1 to the robot that delivers |
//! | reward `global` | 1 to every robot for each delivery |
//! | reward `two_stage` | 0.5 for the delivery, 0.5 when the robot then puts a shelf down |
//! | terminated | never |
//! | truncated | after `max_episode_steps` (the original says terminated), or `max_inactivity_steps` without delivery |

mod config;
mod dynamics;
mod layout;
mod movement;
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
    board::{EAST, Grid, NORTH, Place, SOUTH, WEST},
    picture::{self, Picture},
    state::{Foresight, choices, invalid, joint},
};
pub use config::{Difficulty, RewardType, Size, WarehouseConfig};
use layout::Layout;
use movement::Movement;

/// Number of actions.
const ACTIONS: usize = 5;
const FORWARD: usize = 1;
const LEFT: usize = 2;
const RIGHT: usize = 3;
const TOGGLE: usize = 4;

/// Where directions lead: up, down, left, right.
const MOVES: [Place; 4] = [NORTH, SOUTH, WEST, EAST];
/// The directions to the left and to the right of each.
const LEFT_OF: [u8; 4] = [2, 3, 1, 0];
const RIGHT_OF: [u8; 4] = [3, 2, 0, 1];

/// Metrics, in order.
const DELIVERIES: usize = 0;
const BLOCKED: usize = 1;

/// A robot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde")]
struct Robot {
    place: Place,
    /// 0 up, 1 down, 2 left, 3 right.
    direction: u8,
    /// Number of the shelf it carries, from 1; 0 for none.
    carried: u16,
    /// Whether it has delivered since it last put a shelf down (reward `two_stage`).
    has_delivered: bool,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    robots: Vec<Robot>,
    /// Where the shelves are; shelf 1 first.
    shelves: Vec<Place>,
    /// Numbers of the requested shelves.
    requests: Vec<u16>,
    step: u32,
    /// Steps since a delivery.
    idle: u32,
    /// What chance does in this episode, if that was prescribed.
    script: Script,
    /// Which shelves are requested in the coming step, if that was not.
    foresight: Foresight,
}

/// Prescribed chance, for the replay of recorded episodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Script {
    /// Step, slot of the requests, new shelf.
    replacements: Vec<(u32, usize, u16)>,
    /// Step and robot that gives way where chains of robots are of equal length.
    yields: Vec<(u32, usize)>,
}

/// `grid/Warehouse-v2`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<WarehouseConfig, State>",
    into = "Saved<WarehouseConfig, State>"
)]
pub struct Warehouse {
    config: WarehouseConfig,
    layout: Layout,
    state: State,
    /// Robot + 1 on each cell.
    robot_at: Grid<u16>,
    /// Number of the shelf on each cell.
    shelf_at: Grid<u16>,
    /// Direction + 1 of the robot on each cell, with a border for windows.
    seen_robots: Grid<u8>,
    /// 1 for a shelf, 2 for a requested one, with a border for windows.
    seen_shelves: Grid<u8>,
    /// Whether each shelf is requested.
    requested: Vec<bool>,
    movement: Movement,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Outcome {
    deliveries: u32,
    /// Robots that wanted to move and could not.
    blocked: u32,
}

impl Environment for Warehouse {
    const ID: &'static str = "grid/Warehouse-v2";
    const DESCRIPTION: &'static str = "Robots deliver requested shelves (RWARE)";
    const TRACES: &'static [&'static str] = &[
        "rware-tiny-2ag-v2",
        "rware-cycle4",
        "rware-tiny-4ag-two_stage",
        "rware-tiny-4ag-global-easy",
    ];
    type Config = WarehouseConfig;

    fn spec(config: &WarehouseConfig) -> Result<EnvironmentSpec> {
        let world = Self::new(config)?;
        let mut spec = EnvironmentSpec::new(
            "robot",
            config.num_agents,
            world.space(),
            Space::discrete(ACTIONS),
        );
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let most = match config.reward_type {
            RewardType::Individual => 1.0,
            RewardType::Global => world.layout.goals.len() as f64,
            RewardType::TwoStage => 0.5,
        };
        spec.reward_range = (Some(0.0), Some(most));
        spec.metrics = vec![Metric::sum("deliveries"), Metric::sum("blocked_moves")];
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![if config.num_agents == 1 {
            Tag::SingleAgent
        } else {
            Tag::Cooperative
        }];
        Ok(spec)
    }

    fn new(config: &WarehouseConfig) -> Result<Self> {
        let layout = Layout::new(config)?;
        let (robots, cells, shelves) = (
            config.num_agents,
            layout.board.cells(),
            layout.shelves.len(),
        );
        if robots > cells {
            return Err(invalid(
                "/num_agents",
                format_args!("at most the {cells} cells"),
                robots,
            ));
        }
        let queue = layout::request_queue_size(config);
        if !(1..shelves).contains(&queue) {
            return Err(invalid(
                "/request_queue_size",
                format_args!("1 ≤ x < {shelves} shelves"),
                queue,
            ));
        }
        let border = config.sensor_range as i32;
        Ok(Self {
            state: State::default(),
            robot_at: Grid::new(layout.board, 0, 0, 0),
            shelf_at: Grid::new(layout.board, 0, 0, 0),
            seen_robots: Grid::new(layout.board, border, 0, 0),
            seen_shelves: Grid::new(layout.board, border, 0, 0),
            requested: vec![false; shelves],
            movement: Movement::new(layout.board, robots),
            layout,
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
            Some(init) => self.place(init.into_state(&self.layout))?,
            None => self.draw(rng),
        }
        self.state.foresight.note(rng);
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let pay = |robot, reward| out.reward(robot, reward);
        let outcome = self.advance(rng, |robot| actions.discrete(robot), pay);
        self.state.foresight.note(rng);
        out.metric(DELIVERIES, f64::from(outcome.deliveries));
        out.metric(BLOCKED, f64::from(outcome.blocked));
        if self
            .config
            .max_inactivity_steps
            .is_some_and(|most| self.state.idle >= most)
        {
            out.truncate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let robot = |robot: &Robot| {
            let &Robot {
                place: [y, x],
                direction,
                carried,
                has_delivered,
            } = robot;
            json!([x, y, direction, carried, u8::from(has_delivered)])
        };
        let shelf = |(i, &[y, x]): (usize, &Place)| json!([i + 1, x, y]);
        json!({
            "agents": self.state.robots.iter().map(robot).collect::<Vec<_>>(),
            "requests": self.state.requests,
            "shelf_positions": self.state.shelves.iter().enumerate().map(shelf).collect::<Vec<_>>(),
            "layout": self.layout.describe(),
        })
    }

    fn scripted(&self, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script(rng)]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let places: Vec<Place> = self.state.robots.iter().map(|robot| robot.place).collect();
        let board = self.layout.board;
        let mut picture = Picture::new(canvas, board);
        for &goal in &self.layout.goals {
            picture.cell(goal, Color::DARK);
        }
        for place in board
            .places()
            .filter(|&place| !self.layout.is_highway(place))
        {
            picture.cell(place, Color::LIGHT);
        }
        for (shelf, &place) in self.state.shelves.iter().enumerate() {
            picture.cell(
                place,
                if self.requested[shelf] {
                    Color::ACCENT
                } else {
                    Color::GREY
                },
            );
        }
        picture.agents(&places);
        for robot in &self.state.robots {
            picture.pointer(robot.place, MOVES[usize::from(robot.direction)]);
            if robot.carried > 0 {
                picture.token(robot.place, 0.12, "", Color::WHITE);
            }
        }
        let things = [
            ("requested shelf", Color::ACCENT),
            ("shelf", Color::GREY),
            ("goal", Color::DARK),
        ];
        picture.legend(places.len(), &things);
        canvas.caption(format!(
            "{} shelves are requested; a white dot carries",
            self.state.requests.len()
        ));
        canvas.text_frame(picture::text(board, |place| self.letter(&places, place)));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[self.config.num_agents], ACTIONS)?;
        let mut rewards = vec![0.0; self.config.num_agents];
        // A shelf that is requested in place of one that is delivered may be on the other goal already.
        self.clone().advance(
            &mut self.state.foresight.chance(),
            |robot| chosen[0][robot],
            |robot, reward| rewards[robot] += reward,
        );
        Ok(vec![rewards])
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::cases(document)
    }
}

impl Warehouse {
    fn letter(&self, robots: &[Place], place: Place) -> char {
        picture::occupant(robots, place).unwrap_or_else(|| match self.shelf_at[place] {
            0 if self.layout.goals.contains(&place) => 'G',
            0 if self.layout.is_highway(place) => ' ',
            0 => '.',
            shelf if self.requested[usize::from(shelf) - 1] => '!',
            _ => '#',
        })
    }
}

#[cfg(test)]
mod tests;
