//! Starts: drawn, injected, or taken from a snapshot.

use palaestra_plugin_api::{
    Result,
    prelude::{Deserialize, EnvRng},
    saved_as, serde,
};

use super::{
    MOVES, Robot, Script, State, Warehouse, WarehouseConfig,
    layout::{Layout, request_queue_size},
};
use crate::{
    board::Place,
    state::{misplaced, require_count, require_on_board},
};

/// `init`: a start in place of a drawn one, and what chance does then.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
pub(super) struct Init {
    /// `[x, y, direction]` of each robot.
    agents: Vec<(i32, i32, u8)>,
    /// Numbers of the requested shelves.
    requests: Vec<u16>,
    /// `[step, slot, new shelf]` of requests.
    #[serde(default)]
    replacements: Vec<(u32, usize, u16)>,
    /// `[step, robot]` that gives way in a tie.
    #[serde(default)]
    yields: Vec<(u32, usize)>,
}

impl Init {
    pub(super) fn into_state(self, layout: &Layout) -> State {
        let robot = |(x, y, direction)| Robot {
            place: [y, x],
            direction,
            carried: 0,
            has_delivered: false,
        };
        State {
            robots: self.agents.into_iter().map(robot).collect(),
            shelves: layout.shelves.clone(),
            requests: self.requests,
            step: 0,
            idle: 0,
            script: Script {
                replacements: self.replacements,
                yields: self.yields,
            },
            ..State::default()
        }
    }
}

saved_as!(Warehouse, WarehouseConfig, State);

impl Warehouse {
    /// Starts from a given state, after checking that it can be one.
    pub(super) fn place(&mut self, state: State) -> Result<()> {
        self.check(&state)?;
        self.state = state;
        self.settle();
        Ok(())
    }

    pub(super) fn check(&self, state: &State) -> Result<()> {
        let shelves = self.layout.shelves.len();
        require_count("agents", self.config.num_agents, state.robots.len())?;
        require_count("shelves", shelves, state.shelves.len())?;
        require_count(
            "requests",
            request_queue_size(&self.config),
            state.requests.len(),
        )?;
        let of_robots: Vec<Place> = state.robots.iter().map(|robot| robot.place).collect();
        for (what, places) in [("agents", &of_robots), ("shelves", &state.shelves)] {
            places
                .iter()
                .try_for_each(|&place| require_on_board(what, self.layout.board, place))?;
            let mut sorted = places.clone();
            sorted.sort_unstable();
            if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(misplaced(
                    what,
                    "a cell of its own",
                    format_args!("{:?}", pair[0]),
                ));
            }
        }
        for robot in &state.robots {
            if robot.direction > 3 {
                return Err(misplaced(
                    "agents",
                    "a direction of 0 to 3",
                    robot.direction,
                ));
            }
            let carried = usize::from(robot.carried);
            if carried > 0 && state.shelves.get(carried - 1) != Some(&robot.place) {
                return Err(misplaced(
                    "agents",
                    "a carried shelf on the robot's cell",
                    carried,
                ));
            }
        }
        let prescribed = state.script.replacements.iter().map(|&(_, _, new)| new);
        if let Some(shelf) = state
            .requests
            .iter()
            .copied()
            .chain(prescribed)
            .find(|&s| !(1..=shelves).contains(&s.into()))
        {
            return Err(misplaced(
                "requests",
                format_args!("shelves of 1 to {shelves}"),
                shelf,
            ));
        }
        let mut sorted = state.requests.clone();
        sorted.sort_unstable();
        sorted.dedup();
        require_count("different requests", state.requests.len(), sorted.len())
    }

    /// A drawn start: shelves in their places, robots on any cells, any shelves requested.
    pub(super) fn draw(&mut self, rng: &mut EnvRng) {
        let mut state = std::mem::take(&mut self.state);
        state.shelves.clone_from(&self.layout.shelves);
        (state.step, state.idle) = (0, 0);
        state.script.replacements.clear();
        state.script.yields.clear();
        state.robots.clear();
        self.robot_at.fill(self.layout.board, 0);
        while state.robots.len() < self.config.num_agents {
            let place = self.layout.board.draw(rng);
            if std::mem::replace(&mut self.robot_at[place], 1) != 0 {
                continue;
            }
            let direction = rng.below(MOVES.len() as u64) as u8;
            state.robots.push(Robot {
                place,
                direction,
                carried: 0,
                has_delivered: false,
            });
        }
        state.requests.clear();
        self.requested.fill(false);
        while state.requests.len() < request_queue_size(&self.config) {
            let shelf = rng.below(self.requested.len() as u64) as usize;
            if !std::mem::replace(&mut self.requested[shelf], true) {
                state.requests.push(shelf as u16 + 1);
            }
        }
        self.state = state;
        self.settle();
    }

    /// Rebuilds what follows from the state.
    fn settle(&mut self) {
        let board = self.layout.board;
        self.robot_at.fill(board, 0);
        self.shelf_at.fill(board, 0);
        self.seen_robots.fill(board, 0);
        self.seen_shelves.fill(board, 0);
        self.requested.fill(false);
        for &shelf in &self.state.requests {
            self.requested[usize::from(shelf) - 1] = true;
        }
        for (i, robot) in self.state.robots.iter().enumerate() {
            self.robot_at[robot.place] = i as u16 + 1;
            self.seen_robots[robot.place] = robot.direction + 1;
        }
        for (i, &place) in self.state.shelves.iter().enumerate() {
            self.shelf_at[place] = i as u16 + 1;
            self.seen_shelves[place] = 1 + u8::from(self.requested[i]);
        }
    }
}
