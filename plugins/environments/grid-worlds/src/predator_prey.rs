//! Predator and prey: predators on a grid catch a prey when all of them are near it at once.
//!
//! Source: the pursuit of teaching notebooks, with their rewards; any number of predators, and a prey that learns
//! or follows a rule.
//!
//! | observation `global` | meaning | range |
//! |---|---|---|
//! | 0–1 | own row and column / last | 0 to 1 |
//! | 2 per other agent | its row and column - own / last: the other predators by index, then the prey | -1 to 1 |
//!
//! | observation `local` | meaning | range |
//! |---|---|---|
//! | 0–1 | own row and column / last | 0 to 1 |
//! | 3 layers of `2·sight + 1` cells a side | off the board; number of predators; prey | 0 to N |
//!
//! | action | 0 | 1 | 2 | 3 | 4 |
//! |---|---|---|---|---|---|
//! | meaning | stay | north | south | west | east |
//!
//! All move at once; the edge stops them, and they may share cells. The prey is caught when no predator is farther
//! than `capture_distance` (in a straight line, in cells).
//!
//! | | when |
//! |---|---|
//! | reward of predators | `capture_reward` each for the capture, else -`step_cost` |
//! | reward of the prey | -`capture_reward` for the capture, else `survival_reward` |
//! | terminated | the prey is caught |
//! | truncated | after `max_episode_steps` |
//!
//! A prey that does not learn stays, walks at random, or takes the step after which the nearest predator is
//! farthest (the first such action); then it is no agent.

mod observation;
mod scripted;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
};

use crate::{
    board::{Board, Grid, Place, WALK, moved},
    picture::{self, Picture},
    state::{Foresight, choices, invalid, joint, require_count, require_on_board},
};

/// Groups, in order.
const PREDATORS: usize = 0;
const PREY: usize = 1;
/// Draws of a start in which the prey is not caught at once.
const ATTEMPTS: usize = 100;

/// Metrics, in order.
const CAPTURES: usize = 0;
const NEAR: usize = 1;

/// Who moves the prey.
#[palaestra_plugin_api::config]
pub enum PreyPolicy {
    /// An agent of its own.
    Learned,
    /// A random step each time.
    Random,
    /// A step away from the nearest predator.
    Flee,
    /// Nobody.
    Still,
}

/// What agents see.
#[palaestra_plugin_api::config]
pub enum Observation {
    /// Where everybody is.
    Global,
    /// The cells around.
    Local,
}

/// Settings of PredatorPrey.
#[palaestra_plugin_api::config]
pub struct PredatorPreyConfig {
    /// Rows and columns.
    #[config(default = [10, 10])]
    pub field_size: [u32; 2],
    /// Number of predators.
    #[config(default = 2, range = 1..=1000)]
    pub num_predators: usize,
    /// Who moves the prey.
    pub prey: PreyPolicy,
    /// What agents see.
    pub observation: Observation,
    /// How far agents with local observation see, in cells.
    #[config(default = 2, range = 1..=50)]
    pub sight: u32,
    /// Distance within which all predators must be, in cells.
    #[config(default = 1.5, range = 0.0..)]
    pub capture_distance: f64,
    /// Reward of each predator for the capture, and what it costs the prey.
    #[config(default = 10.0)]
    pub capture_reward: f64,
    /// What every other step costs a predator.
    #[config(default = 0.01)]
    pub step_cost: f64,
    /// Reward of the prey for every step that it survives.
    #[config(default = 1.0)]
    pub survival_reward: f64,
    /// Steps until truncation.
    #[config(default = 100, range = 1..)]
    pub max_episode_steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    predators: Vec<Place>,
    prey: Place,
    /// Where a random prey goes next.
    #[serde(default)]
    foresight: Foresight,
}

/// `grid/PredatorPrey-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<PredatorPreyConfig, State>",
    into = "Saved<PredatorPreyConfig, State>"
)]
pub struct PredatorPrey {
    config: PredatorPreyConfig,
    board: Board,
    /// Largest square of a distance within which a predator is near.
    reach: i32,
    scale: [f32; 2],
    state: State,
    /// With local observation: 1 off the board, with a border.
    outside: Grid<f32>,
    /// With local observation: number of predators on each cell.
    crowd: Grid<f32>,
}

saved_as!(PredatorPrey, PredatorPreyConfig, State);

impl Environment for PredatorPrey {
    const ID: &'static str = "grid/PredatorPrey-v0";
    const DESCRIPTION: &'static str = "Predators catch a prey when all of them are near it";
    type Config = PredatorPreyConfig;

    fn spec(config: &PredatorPreyConfig) -> Result<EnvironmentSpec> {
        let predators = config.num_predators;
        let observation = observation::space(config);
        let mut spec = EnvironmentSpec::new(
            "predator",
            predators,
            observation.clone(),
            Space::discrete(WALK.len()),
        );
        spec.tags = vec![if predators == 1 {
            Tag::SingleAgent
        } else {
            Tag::Cooperative
        }];
        let mut rewards = vec![config.capture_reward, -config.step_cost];
        if config.prey == PreyPolicy::Learned {
            spec.groups.push(GroupSpec::new(
                "prey",
                1,
                observation,
                Space::discrete(WALK.len()),
            ));
            spec.tags = vec![Tag::Mixed];
            rewards.extend([-config.capture_reward, config.survival_reward]);
        }
        spec.groups
            .iter_mut()
            .for_each(|group| group.no_op = Some(vec![0.0]));
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (
            rewards.iter().copied().reduce(f64::min),
            rewards.iter().copied().reduce(f64::max),
        );
        spec.metrics = vec![Metric::sum("captures"), Metric::mean("predators_near")];
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        Ok(spec)
    }

    fn new(config: &PredatorPreyConfig) -> Result<Self> {
        let board = Board::of_size("/field_size", config.field_size, 2)?;
        let squared = config.capture_distance * config.capture_distance;
        if squared > f64::from(i32::MAX) {
            return Err(invalid(
                "/capture_distance",
                "at most 46340",
                config.capture_distance,
            ));
        }
        let local = config.observation == Observation::Local;
        let border = if local { config.sight as i32 } else { 0 };
        Ok(Self {
            board,
            reach: squared as i32,
            scale: [board.rows, board.columns].map(|side| 1.0 / (side - 1) as f32),
            state: State {
                predators: vec![[0, 0]; config.num_predators],
                ..State::default()
            },
            outside: Grid::new(board, border, 0.0, 1.0),
            crowd: Grid::new(board, border, 0.0, 0.0),
            config: config.clone(),
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
        self.foresee(rng);
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let prey = self.prey(rng, || actions.group(PREY).discrete(0));
        let near = self.advance(|predator| actions.discrete(predator), prey);
        let caught = near == self.config.num_predators;
        let (of_predators, of_prey) = self.rewards(caught);
        (0..self.config.num_predators).for_each(|predator| out.reward(predator, of_predators));
        if self.config.prey == PreyPolicy::Learned {
            out.group(PREY).reward(0, of_prey);
        }
        out.metric(CAPTURES, f64::from(caught));
        out.metric(NEAR, near as f64);
        if caught {
            out.terminate();
        }
        self.foresee(rng);
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({"predators": self.state.predators, "prey": self.state.prey})
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let learned = self.config.prey == PreyPolicy::Learned;
        Ok(joint(&self.script()[..if learned { 2 } else { 1 }]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let State {
            predators, prey, ..
        } = &self.state;
        let mut picture = Picture::new(canvas, self.board);
        for place in self.board.places().filter(|&place| self.is_near(place)) {
            picture.cell(place, Color::LIGHT);
        }
        picture.token(*prey, 0.42, "", Color::ACCENT);
        picture.agents(predators);
        picture.legend(
            predators.len(),
            &[("prey", Color::ACCENT), ("near the prey", Color::LIGHT)],
        );
        let near = predators
            .iter()
            .filter(|&&place| self.is_near(place))
            .count();
        canvas.caption(format!(
            "{near} of {} predators are near the prey",
            predators.len()
        ));
        let ground = |place| if place == *prey { '*' } else { '.' };
        canvas.text_frame(picture::text(self.board, |place| {
            picture::occupant(predators, place).unwrap_or_else(|| ground(place))
        }));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let learned = self.config.prey == PreyPolicy::Learned;
        let agents = [self.config.num_predators, 1];
        let chosen = choices(
            actions,
            if learned { &agents } else { &agents[..1] },
            WALK.len(),
        )?;
        let prey = self.prey(&mut self.state.foresight.chance(), || chosen[PREY][0]);
        let mut other = self.clone();
        let near = other.advance(|predator| chosen[PREDATORS][predator], prey);
        let (of_predators, of_prey) = self.rewards(near == self.config.num_predators);
        let mut rewards = vec![vec![of_predators; self.config.num_predators]];
        rewards.extend(learned.then(|| vec![of_prey]));
        Ok(rewards)
    }
}

impl PredatorPrey {
    /// What the prey does; `learned` says what an agent of its own has chosen.
    #[inline(always)]
    fn prey(&self, rng: &mut EnvRng, learned: impl FnOnce() -> usize) -> usize {
        match self.config.prey {
            PreyPolicy::Learned => learned(),
            PreyPolicy::Random => rng.below(WALK.len() as u64) as usize,
            PreyPolicy::Flee => self.escape(),
            PreyPolicy::Still => 0,
        }
    }

    /// Notes the chance of the coming step, where there is any.
    #[inline(always)]
    fn foresee(&mut self, rng: &EnvRng) {
        if self.config.prey == PreyPolicy::Random {
            self.state.foresight.note(rng);
        }
    }

    /// Moves everybody; gives how many predators are near the prey then.
    #[inline(always)]
    fn advance(&mut self, action_of: impl Fn(usize) -> usize, prey: usize) -> usize {
        let local = self.config.observation == Observation::Local;
        self.state.prey = self.board.clamp(moved(self.state.prey, WALK[prey]));
        let (board, reach, prey) = (self.board, self.reach, self.state.prey);
        let mut near = 0;
        for (predator, place) in self.state.predators.iter_mut().enumerate() {
            let to = board.clamp(moved(*place, WALK[action_of(predator)]));
            if local {
                self.crowd[*place] -= 1.0;
                self.crowd[to] += 1.0;
            }
            *place = to;
            near += usize::from(square(to, prey) <= reach);
        }
        near
    }

    /// Rewards of each predator and of the prey.
    #[inline(always)]
    fn rewards(&self, caught: bool) -> (f64, f64) {
        let config = &self.config;
        if caught {
            (config.capture_reward, -config.capture_reward)
        } else {
            (-config.step_cost, config.survival_reward)
        }
    }

    /// The step after which the nearest predator is farthest.
    fn escape(&self) -> usize {
        let safety = |action: usize| {
            let to = self.board.clamp(moved(self.state.prey, WALK[action]));
            self.state
                .predators
                .iter()
                .map(|&predator| square(predator, to))
                .min()
                .unwrap_or(0)
        };
        (0..WALK.len())
            .rev()
            .max_by_key(|&action| safety(action))
            .unwrap_or(0)
    }

    fn is_near(&self, place: Place) -> bool {
        square(place, self.state.prey) <= self.reach
    }

    /// A drawn start: everybody anywhere, the prey not caught, if that can be.
    fn draw(&mut self, rng: &mut EnvRng) {
        for _ in 0..ATTEMPTS {
            self.state.prey = self.board.draw(rng);
            for predator in 0..self.config.num_predators {
                self.state.predators[predator] = self.board.draw(rng);
            }
            if !self
                .state
                .predators
                .iter()
                .all(|&place| self.is_near(place))
            {
                break;
            }
        }
        self.settle();
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        require_count(
            "predators",
            self.config.num_predators,
            state.predators.len(),
        )?;
        state
            .predators
            .iter()
            .try_for_each(|&place| require_on_board("predators", self.board, place))?;
        require_on_board("prey", self.board, state.prey)?;
        self.state = state;
        self.settle();
        Ok(())
    }

    fn settle(&mut self) {
        if self.config.observation == Observation::Local {
            self.crowd.fill(self.board, 0.0);
            self.state
                .predators
                .iter()
                .for_each(|&place| self.crowd[place] += 1.0);
        }
    }
}

/// Square of the distance between two cells.
#[inline(always)]
fn square(a: Place, b: Place) -> i32 {
    let [rows, columns] = [a[0] - b[0], a[1] - b[1]];
    rows * rows + columns * columns
}

#[cfg(test)]
mod tests;
