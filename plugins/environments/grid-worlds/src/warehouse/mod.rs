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

mod layout;
mod movement;
mod observation;
mod start;
mod trace;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
    trace::TraceCase,
};

use crate::{
    board::{EAST, Grid, NORTH, Place, SOUTH, WEST, moved},
    picture::{self, Picture},
    state::{Saved, choices, invalid},
};
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

/// How many shelves stand where.
#[palaestra_plugin_api::config]
pub enum Size {
    /// 1 row of 3 columns.
    Tiny,
    /// 2 rows of 3 columns.
    Small,
    /// 2 rows of 5 columns.
    Medium,
    /// 3 rows of 5 columns.
    Large,
}

/// How many shelves are requested at a time.
#[palaestra_plugin_api::config]
pub enum Difficulty {
    /// Two per robot.
    Easy,
    /// One per robot.
    #[config(default)]
    Normal,
    /// One per two robots.
    Hard,
}

/// Who is paid, and when.
#[palaestra_plugin_api::config]
pub enum RewardType {
    /// Who delivers, 1.
    #[config(default)]
    Individual,
    /// Everybody, 1.
    Global,
    /// Who delivers, 0.5, and 0.5 for the shelf that it puts down then.
    TwoStage,
}

/// Settings of Warehouse; the defaults are those of `rware-tiny-2ag-v2`.
#[palaestra_plugin_api::config]
pub struct WarehouseConfig {
    /// Rows and columns of shelf blocks.
    pub size: Size,
    /// Rows of shelf blocks, if not those of the size.
    pub shelf_rows: Option<u32>,
    /// Columns of shelf blocks, an odd number, if not those of the size.
    pub shelf_columns: Option<u32>,
    /// Cells from top to bottom of a shelf block.
    #[config(default = 8, range = 1..=100)]
    pub column_height: u32,
    /// Number of robots.
    #[config(default = 2, range = 1..=1000)]
    pub num_agents: usize,
    /// How many shelves are requested at a time.
    pub difficulty: Difficulty,
    /// How many shelves are requested at a time, if not by difficulty.
    pub request_queue_size: Option<usize>,
    /// Who is paid, and when.
    pub reward_type: RewardType,
    /// How far robots see [cells].
    #[config(default = 1, range = 1..=50)]
    pub sensor_range: u32,
    /// Whether robots see their place as parts of the warehouse's sides.
    #[config(default = false)]
    pub normalised_coordinates: bool,
    /// Steps until truncation.
    #[config(default = 500, range = 1..)]
    pub max_episode_steps: u32,
    /// Steps without delivery until truncation, if any.
    pub max_inactivity_steps: Option<u32>,
}

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
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let pay = |robot, reward| out.reward(robot, reward);
        let outcome = self.advance(rng, |robot| actions.discrete(robot), pay);
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
            "requested: {:?}; a white dot carries",
            self.state.requests
        ));
        canvas.text_frame(picture::text(board, |place| self.letter(&places, place)));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[self.config.num_agents], ACTIONS)?;
        let mut rewards = vec![0.0; self.config.num_agents];
        // Chance only says which shelf is requested next.
        let mut rng = EnvRng::new(0, 0, 0, 0);
        self.clone().advance(
            &mut rng,
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
    /// Moves, turns, picks up, puts down, delivers; pays each robot.
    #[inline(always)]
    fn advance(
        &mut self,
        rng: &mut EnvRng,
        action_of: impl Fn(usize) -> usize,
        mut pay: impl FnMut(usize, f64),
    ) -> Outcome {
        let blocked = self.decide(&action_of);
        for robot in &self.state.robots {
            self.robot_at[robot.place] = 0;
            self.seen_robots[robot.place] = 0;
        }
        let mut carriers_moved = false;
        for (i, robot) in self.state.robots.iter_mut().enumerate() {
            match action_of(i) {
                FORWARD => {
                    let target = self.movement.target(i);
                    if robot.carried > 0 && target != robot.place {
                        self.shelf_at[robot.place] = 0;
                        self.seen_shelves[robot.place] = 0;
                        self.state.shelves[usize::from(robot.carried) - 1] = target;
                        carriers_moved = true;
                    }
                    robot.place = target;
                }
                LEFT => robot.direction = LEFT_OF[usize::from(robot.direction)],
                RIGHT => robot.direction = RIGHT_OF[usize::from(robot.direction)],
                TOGGLE if robot.carried == 0 => robot.carried = self.shelf_at[robot.place],
                TOGGLE if !self.layout.is_highway(robot.place) => {
                    robot.carried = 0;
                    if std::mem::take(&mut robot.has_delivered) {
                        pay(i, 0.5);
                    }
                }
                _ => {}
            }
        }
        for (i, robot) in self.state.robots.iter().enumerate() {
            self.robot_at[robot.place] = i as u16 + 1;
            self.seen_robots[robot.place] = robot.direction + 1;
            if carriers_moved && robot.carried > 0 {
                self.shelf_at[robot.place] = robot.carried;
                self.seen_shelves[robot.place] =
                    1 + u8::from(self.requested[usize::from(robot.carried) - 1]);
            }
        }
        let deliveries = self.deliver(rng, pay);
        self.state.idle = if deliveries > 0 {
            0
        } else {
            self.state.idle + 1
        };
        self.state.step += 1;
        Outcome {
            deliveries,
            blocked,
        }
    }

    /// Finds out where each robot goes; gives how many wanted to move and could not.
    #[inline(always)]
    fn decide(&mut self, action_of: &impl Fn(usize) -> usize) -> u32 {
        for (i, robot) in self.state.robots.iter().enumerate() {
            let mut target = robot.place;
            if action_of(i) == FORWARD {
                let ahead = self
                    .layout
                    .board
                    .clamp(moved(robot.place, MOVES[usize::from(robot.direction)]));
                // With a shelf there is no way past one that stands.
                let standing =
                    robot.carried > 0 && ahead != robot.place && self.shelf_at[ahead] != 0 && {
                        let there = self.robot_at[ahead];
                        there == 0 || self.state.robots[usize::from(there) - 1].carried == 0
                    };
                if !standing {
                    target = ahead;
                }
            }
            self.movement.want(i, robot.place, target);
        }
        let State { script, step, .. } = &self.state;
        self.movement.resolve(&self.robot_at, |robot| {
            script.yields.contains(&(*step, robot))
        })
    }

    /// Takes requested shelves that are on a goal; gives how many.
    #[inline(always)]
    fn deliver(&mut self, rng: &mut EnvRng, mut pay: impl FnMut(usize, f64)) -> u32 {
        let mut deliveries = 0;
        for goal in self.layout.goals {
            let shelf = self.shelf_at[goal];
            if shelf == 0 || !self.requested[usize::from(shelf) - 1] {
                continue;
            }
            self.request_another(shelf, rng);
            deliveries += 1;
            let deliverer = usize::from(self.robot_at[goal]).checked_sub(1);
            match (self.config.reward_type, deliverer) {
                (RewardType::Global, _) => {
                    (0..self.config.num_agents).for_each(|robot| pay(robot, 1.0))
                }
                (RewardType::Individual, Some(robot)) => pay(robot, 1.0),
                (RewardType::TwoStage, Some(robot)) => {
                    self.state.robots[robot].has_delivered = true;
                    pay(robot, 0.5);
                }
                (_, None) => {}
            }
        }
        deliveries
    }

    /// Replaces a delivered shelf by one that is not requested.
    #[inline(never)]
    fn request_another(&mut self, delivered: u16, rng: &mut EnvRng) {
        let Some(slot) = self
            .state
            .requests
            .iter()
            .position(|&shelf| shelf == delivered)
        else {
            return;
        };
        let step = self.state.step;
        let prescribed = self
            .state
            .script
            .replacements
            .iter()
            .find(|&&(at, s, _)| (at, s) == (step, slot));
        let others = self.requested.len() - self.state.requests.len();
        let nth = prescribed
            .is_none()
            .then(|| rng.below(others as u64) as usize);
        let drawn = |nth: usize| {
            (1_u16..)
                .zip(&self.requested)
                .filter(|(_, requested)| !**requested)
                .nth(nth)
        };
        let new = prescribed
            .map(|&(_, _, new)| new)
            .or_else(|| Some(drawn(nth?)?.0))
            .unwrap_or(delivered);
        self.state.requests[slot] = new;
        self.set_requested(delivered, false);
        self.set_requested(new, true);
    }

    fn set_requested(&mut self, shelf: u16, requested: bool) {
        let index = usize::from(shelf) - 1;
        self.requested[index] = requested;
        self.seen_shelves[self.state.shelves[index]] = 1 + u8::from(requested);
    }

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
