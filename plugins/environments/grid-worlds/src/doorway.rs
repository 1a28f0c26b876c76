//! Doorway: two robots in two rooms, and one narrow door; each wants to where the other comes from.
//!
//! Source: written for this project after the doorway task of teaching notebooks: the smallest world in which
//! robots must agree on who goes first.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0–1 | own row and column / last | 0 to 1 |
//! | 2–3 | row and column of the own goal - own / last | -1 to 1 |
//! | 4–5 | row and column of the door - own / last | -1 to 1 |
//! | 6–7 | row and column of the other robot - own / last; 0 once it has arrived | -1 to 1 |
//! | 8 | whether the other robot is still there | 0, 1 |
//!
//! | action | 0 | 1 | 2 | 3 | 4 |
//! |---|---|---|---|---|---|
//! | meaning | stay | north | south | west | east |
//!
//! A wall fills the middle column but for the door. Both move at once; wall and edge stop a robot. Robots that want
//! the same cell, or each other's, stay, and so does one that wants the cell of a robot that stays; whoever of them
//! wanted to move has bumped. A robot may follow the other. One that arrives is gone (its own episode is terminated).
//!
//! | | when |
//! |---|---|
//! | reward | `arrival_reward` for arriving, else -`step_cost`; -`bump_cost` for bumping; 0 afterwards |
//! | terminated | both have arrived |
//! | truncated | after `max_episode_steps` |
//!
//! Robot 0 starts anywhere in the left room, robot 1 anywhere in the right one; goals are anywhere in the other room.

mod scripted;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
};

use crate::{
    board::{Board, Place, WALK, moved},
    picture::{self, Picture},
    state::{choices, invalid, joint, misplaced, require_on_board},
};

/// Number of robots.
const ROBOTS: usize = 2;
/// Numbers that a robot sees.
const WIDTH: usize = 9;

/// Metrics, in order.
const BUMPS: usize = 0;
const ARRIVED: usize = 1;
const SUCCESS: usize = 2;

/// Settings of Doorway.
#[palaestra_plugin_api::config]
pub struct DoorwayConfig {
    /// Rows and columns; an odd number of columns.
    #[config(default = [5, 7])]
    pub field_size: [u32; 2],
    /// Row of the door; the middle one unless given.
    pub door_row: Option<u32>,
    /// Reward of a robot for arriving.
    #[config(default = 10.0, range = 0.0..)]
    pub arrival_reward: f64,
    /// What every other step costs a robot until it arrives.
    #[config(default = 0.1, range = 0.0..)]
    pub step_cost: f64,
    /// What bumping costs a robot.
    #[config(default = 1.0, range = 0.0..)]
    pub bump_cost: f64,
    /// Steps until truncation.
    #[config(default = 50, range = 1..)]
    pub max_episode_steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    robots: [Place; ROBOTS],
    goals: [Place; ROBOTS],
    #[serde(default)]
    arrived: [bool; ROBOTS],
}

/// `grid/Doorway-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<DoorwayConfig, State>",
    into = "Saved<DoorwayConfig, State>"
)]
pub struct Doorway {
    config: DoorwayConfig,
    board: Board,
    door: Place,
    scale: [f32; 2],
    state: State,
}

saved_as!(Doorway, DoorwayConfig, State);

impl Environment for Doorway {
    const ID: &'static str = "grid/Doorway-v0";
    const DESCRIPTION: &'static str = "Two robots change rooms through one narrow door";
    type Config = DoorwayConfig;

    fn spec(config: &DoorwayConfig) -> Result<EnvironmentSpec> {
        let mut low = [-1.0; WIDTH];
        (low[0], low[1], low[WIDTH - 1]) = (0.0, 0.0, 0.0);
        let observation = Space::bounds(&low, &[1.0; WIDTH]);
        let mut spec =
            EnvironmentSpec::new("robot", ROBOTS, observation, Space::discrete(WALK.len()));
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (
            Some(-config.step_cost - config.bump_cost),
            Some(config.arrival_reward),
        );
        spec.metrics = vec![
            Metric::sum("bumps"),
            Metric::last("arrived"),
            Metric::last("success"),
        ];
        spec.flags = Flags {
            per_agent_end: true,
            counterfactual: true,
            scripted: true,
            ..Flags::default()
        };
        spec.tags = vec![Tag::Mixed];
        Ok(spec)
    }

    fn new(config: &DoorwayConfig) -> Result<Self> {
        let board = Board::of_size("/field_size", config.field_size, 3)?;
        if board.columns % 2 == 0 {
            return Err(invalid(
                "/field_size",
                "an odd number of columns",
                board.columns,
            ));
        }
        let row = config
            .door_row
            .map_or(board.rows / 2, |row| i32::try_from(row).unwrap_or(i32::MAX));
        let door = [row, board.columns / 2];
        if !board.contains(door) {
            return Err(invalid(
                "/door_row",
                format_args!("a row below {}", board.rows),
                row,
            ));
        }
        let scale = [board.rows, board.columns].map(|side| 1.0 / (side - 1) as f32);
        let ends = [[0, 0], [0, board.columns - 1]];
        let state = State {
            robots: ends,
            goals: [ends[1], ends[0]],
            arrived: [false; ROBOTS],
        };
        Ok(Self {
            config: config.clone(),
            board,
            door,
            scale,
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
            None => self.draw(rng),
        }
        for robot in (0..ROBOTS).filter(|&robot| self.state.arrived[robot]) {
            out.group(0).set_alive(robot, false);
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let before = self.state.arrived;
        let bumped = self.advance([actions.discrete(0), actions.discrete(1)]);
        for robot in (0..ROBOTS).filter(|&robot| !before[robot]) {
            out.reward(robot, self.reward(robot, bumped[robot]));
            if self.state.arrived[robot] {
                out.group(0).terminate(robot);
            }
        }
        let count = |flags: [bool; ROBOTS]| flags.iter().filter(|&&flag| flag).count();
        let arrived = count(self.state.arrived);
        out.metric(BUMPS, count(bumped) as f64);
        out.metric(ARRIVED, arrived as f64);
        out.metric(SUCCESS, f64::from(arrived == ROBOTS));
        if arrived == ROBOTS {
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let State {
            robots,
            goals,
            arrived,
        } = &self.state;
        json!({"robots": robots, "goals": goals, "arrived": arrived, "door": self.door})
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script()]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let State {
            robots,
            goals,
            arrived,
        } = &self.state;
        let mut picture = Picture::new(canvas, self.board);
        let places = self.board.places();
        places
            .filter(|&place| self.is_wall(place))
            .for_each(|place| picture.cell(place, Color::DARK));
        for (robot, &goal) in goals.iter().enumerate() {
            picture.cell(goal, Color::group(robot).alpha(0.35));
        }
        let there: Vec<usize> = (0..ROBOTS).filter(|&robot| !arrived[robot]).collect();
        let present: Vec<Place> = there.iter().map(|&robot| robots[robot]).collect();
        picture.trails(&present, |nth| there[nth]);
        picture.named_agents(&present, |nth| there[nth]);
        picture.legend(ROBOTS, &[("wall", Color::DARK)]);
        let count = ROBOTS - there.len();
        canvas.caption(format!(
            "pale cells are goals; {count} of {ROBOTS} have arrived"
        ));
        canvas.text_frame(picture::text(self.board, |place| {
            let robot = there.iter().find(|&&robot| robots[robot] == place);
            let ground = if self.is_wall(place) { '#' } else { '.' };
            robot.map_or(ground, |&robot| picture::letter(robot))
        }));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[ROBOTS], WALK.len())?;
        let mut other = self.clone();
        let bumped = other.advance([chosen[0][0], chosen[0][1]]);
        let reward = |robot: usize| {
            if self.state.arrived[robot] {
                0.0
            } else {
                other.reward(robot, bumped[robot])
            }
        };
        Ok(vec![(0..ROBOTS).map(reward).collect()])
    }
}

impl Doorway {
    /// Moves both; says who bumped.
    #[inline(always)]
    fn advance(&mut self, actions: [usize; ROBOTS]) -> [bool; ROBOTS] {
        let places = self.state.robots;
        let mut targets = places;
        for robot in (0..ROBOTS).filter(|&robot| !self.state.arrived[robot]) {
            let to = moved(places[robot], WALK[actions[robot]]);
            if self.board.contains(to) && !self.is_wall(to) {
                targets[robot] = to;
            }
        }
        let both = self.state.arrived == [false; ROBOTS];
        let swap = targets[0] == places[1] && targets[1] == places[0];
        let mut bumped = [false; ROBOTS];
        if both && (targets[0] == targets[1] || swap) {
            bumped = [0, 1].map(|robot| targets[robot] != places[robot]);
            targets = places;
        }
        self.state.robots = targets;
        let ends = targets.iter().zip(&self.state.goals);
        for (arrived, (target, goal)) in self.state.arrived.iter_mut().zip(ends) {
            *arrived |= target == goal;
        }
        bumped
    }

    /// Reward of a robot that had not arrived before this step.
    #[inline(always)]
    fn reward(&self, robot: usize, bumped: bool) -> f64 {
        let config = &self.config;
        let moving = if self.state.arrived[robot] {
            config.arrival_reward
        } else {
            -config.step_cost
        };
        if bumped {
            moving - config.bump_cost
        } else {
            moving
        }
    }

    #[inline(always)]
    fn is_wall(&self, place: Place) -> bool {
        place[1] == self.door[1] && place != self.door
    }

    fn draw(&mut self, rng: &mut EnvRng) {
        let room = Board {
            rows: self.board.rows,
            columns: self.door[1],
        };
        let mut anywhere = |right: bool| {
            let [row, column] = room.draw(rng);
            [
                row,
                if right {
                    column + room.columns + 1
                } else {
                    column
                },
            ]
        };
        let robots = [anywhere(false), anywhere(true)];
        let goals = [anywhere(true), anywhere(false)];
        self.state = State {
            robots,
            goals,
            arrived: [false; ROBOTS],
        };
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        for (what, places) in [("robots", state.robots), ("goals", state.goals)] {
            for place in places {
                require_on_board(what, self.board, place)?;
                if self.is_wall(place) {
                    return Err(misplaced(
                        what,
                        "a cell without wall",
                        format_args!("{place:?}"),
                    ));
                }
            }
        }
        if state.robots[0] == state.robots[1] && state.arrived == [false; ROBOTS] {
            return Err(misplaced(
                "robots",
                "a cell for each",
                format_args!("{:?}", state.robots),
            ));
        }
        self.state = state;
        Ok(())
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let State {
            robots,
            goals,
            arrived,
        } = &self.state;
        let [down, right] = self.scale;
        for robot in 0..ROBOTS {
            let own = robots[robot];
            let other = 1 - robot;
            let relative = |to: Place| {
                [
                    (to[0] - own[0]) as f32 * down,
                    (to[1] - own[1]) as f32 * right,
                ]
            };
            let there = !arrived[other];
            let [goal, door] = [relative(goals[robot]), relative(self.door)];
            let other = if there {
                relative(robots[other])
            } else {
                [0.0; 2]
            };
            let row = out.observation(robot);
            row[0] = own[0] as f32 * down;
            row[1] = own[1] as f32 * right;
            for (pair, seen) in row[2..8].chunks_exact_mut(2).zip([goal, door, other]) {
                pair.copy_from_slice(&seen);
            }
            row[8] = if there { 1.0 } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests;
