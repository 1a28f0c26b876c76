//! Cooperative meeting: all agents must be at the goal at the same time.
//!
//! Source: the meeting task of teaching notebooks, with their rewards; any number of agents, any goal.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0–1 | own row and column / last | 0 to 1 |
//! | 2–3 | row and column of the goal - own / last | -1 to 1 |
//! | 2 per other agent | its row and column - own / last, by index | -1 to 1 |
//!
//! | action | 0 | 1 | 2 | 3 | 4 |
//! |---|---|---|---|---|---|
//! | meaning | stay | north | south | west | east |
//!
//! The edge stops agents; they may share cells. At the start everybody and the goal are anywhere, but not all at it.
//!
//! | | when |
//! |---|---|
//! | reward | to all: `meeting_reward` when all are at the goal, else -`step_cost` |
//! | terminated | all are at the goal |
//! | truncated | after `max_episode_steps` |

mod scripted;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
};

use crate::{
    board::{Board, Place, WALK, moved},
    picture::{self, Picture},
    state::{choices, invalid, joint, require_count, require_on_board},
};

/// Metrics, in order.
const MET: usize = 0;
const AT_GOAL: usize = 1;

/// Settings of CooperativeMeeting.
#[palaestra_plugin_api::config]
pub struct CooperativeMeetingConfig {
    /// Rows and columns.
    #[config(default = [5, 5])]
    pub field_size: [u32; 2],
    /// Number of agents.
    #[config(default = 2, range = 1..=1000)]
    pub num_agents: usize,
    /// Row and column of the goal; drawn for each episode unless given.
    pub goal: Option<[u32; 2]>,
    /// Reward of everybody for the meeting.
    #[config(default = 10.0)]
    pub meeting_reward: f64,
    /// What every other step costs everybody.
    #[config(default = 0.1)]
    pub step_cost: f64,
    /// Steps until truncation.
    #[config(default = 50, range = 1..)]
    pub max_episode_steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    places: Vec<Place>,
    goal: Place,
}

/// `grid/CooperativeMeeting-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<CooperativeMeetingConfig, State>",
    into = "Saved<CooperativeMeetingConfig, State>"
)]
pub struct CooperativeMeeting {
    config: CooperativeMeetingConfig,
    board: Board,
    scale: [f32; 2],
    state: State,
}

saved_as!(CooperativeMeeting, CooperativeMeetingConfig, State);

impl Environment for CooperativeMeeting {
    const ID: &'static str = "grid/CooperativeMeeting-v0";
    const DESCRIPTION: &'static str = "Agents must be at the goal at the same time";
    type Config = CooperativeMeetingConfig;

    fn spec(config: &CooperativeMeetingConfig) -> Result<EnvironmentSpec> {
        let others = 2 * config.num_agents;
        let observation = Space::bounds(
            &[vec![0.0; 2], vec![-1.0; others]].concat(),
            &vec![1.0; 2 + others],
        );
        let mut spec = EnvironmentSpec::new(
            "agent",
            config.num_agents,
            observation,
            Space::discrete(WALK.len()),
        );
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let (step, meeting) = (-config.step_cost, config.meeting_reward);
        spec.reward_range = (Some(step.min(meeting)), Some(step.max(meeting)));
        spec.metrics = vec![Metric::last("met"), Metric::mean("agents_at_goal")];
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![if config.num_agents == 1 {
            Tag::SingleAgent
        } else {
            Tag::Cooperative
        }];
        Ok(spec)
    }

    fn new(config: &CooperativeMeetingConfig) -> Result<Self> {
        let board = Board::of_size("/field_size", config.field_size, 2)?;
        let goal = config
            .goal
            .unwrap_or_default()
            .map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        if !board.contains(goal) {
            return Err(invalid(
                "/goal",
                "a cell of the board",
                format_args!("{goal:?}"),
            ));
        }
        let scale = [board.rows, board.columns].map(|side| 1.0 / (side - 1) as f32);
        let state = State {
            places: vec![[0, 0]; config.num_agents],
            goal,
        };
        Ok(Self {
            config: config.clone(),
            board,
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
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let at_goal = self.advance(|agent| actions.discrete(agent));
        let met = at_goal == self.config.num_agents;
        let reward = self.reward(met);
        (0..self.config.num_agents).for_each(|agent| out.reward(agent, reward));
        out.metric(MET, f64::from(met));
        out.metric(AT_GOAL, at_goal as f64);
        if met {
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({"places": self.state.places, "goal": self.state.goal})
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script()]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let State { places, goal } = &self.state;
        let mut picture = Picture::new(canvas, self.board);
        picture.cell(*goal, Color::ACCENT);
        picture.agents(places);
        picture.legend(places.len(), &[("goal", Color::ACCENT)]);
        let there = places.iter().filter(|place| *place == goal).count();
        canvas.caption(format!(
            "{there} of {} agents are at the goal",
            places.len()
        ));
        let ground = |place| if place == *goal { '*' } else { '.' };
        canvas.text_frame(picture::text(self.board, |place| {
            picture::occupant(places, place).unwrap_or_else(|| ground(place))
        }));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let agents = self.config.num_agents;
        let chosen = choices(actions, &[agents], WALK.len())?;
        let met = self.clone().advance(|agent| chosen[0][agent]) == agents;
        Ok(vec![vec![self.reward(met); agents]])
    }
}

impl CooperativeMeeting {
    /// Moves everybody; gives how many are at the goal then.
    #[inline(always)]
    fn advance(&mut self, action_of: impl Fn(usize) -> usize) -> usize {
        let (board, goal) = (self.board, self.state.goal);
        let mut at_goal = 0;
        for (agent, place) in self.state.places.iter_mut().enumerate() {
            *place = board.clamp(moved(*place, WALK[action_of(agent)]));
            at_goal += usize::from(*place == goal);
        }
        at_goal
    }

    #[inline(always)]
    fn reward(&self, met: bool) -> f64 {
        if met {
            self.config.meeting_reward
        } else {
            -self.config.step_cost
        }
    }

    fn draw(&mut self, rng: &mut EnvRng) {
        if self.config.goal.is_none() {
            self.state.goal = self.board.draw(rng);
        }
        for agent in 0..self.config.num_agents {
            self.state.places[agent] = self.board.draw(rng);
        }
        // There are at least four cells: another one is drawn soon.
        while self
            .state
            .places
            .iter()
            .all(|&place| place == self.state.goal)
        {
            self.state.places[0] = self.board.draw(rng);
        }
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        require_count("places", self.config.num_agents, state.places.len())?;
        state
            .places
            .iter()
            .try_for_each(|&place| require_on_board("places", self.board, place))?;
        require_on_board("goal", self.board, state.goal)?;
        self.state = state;
        Ok(())
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let State { places, goal } = &self.state;
        for (i, own) in places.iter().enumerate() {
            let (first, rest) = out.observation(i).split_at_mut(2);
            first[0] = own[0] as f32 * self.scale[0];
            first[1] = own[1] as f32 * self.scale[1];
            let others = std::iter::once(goal)
                .chain(&places[..i])
                .chain(&places[i + 1..]);
            for (pair, other) in rest.chunks_exact_mut(2).zip(others) {
                pair[0] = (other[0] - own[0]) as f32 * self.scale[0];
                pair[1] = (other[1] - own[1]) as f32 * self.scale[1];
            }
        }
    }
}

#[cfg(test)]
mod tests;
