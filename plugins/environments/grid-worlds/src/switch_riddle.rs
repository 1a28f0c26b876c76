//! Switch riddle: prisoners visit a room with a lamp, one at a time, until one says that all have been there.
//!
//! Foerster et al. (2016), "Learning to communicate with deep multi-agent reinforcement learning"; as in JaxMARL
//! (Rutherford et al., 2024).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | whether the agent is in the room | 0, 1 |
//! | 1 | whether the light is on; 0 outside | 0, 1 |
//!
//! | action | meaning |
//! |---|---|
//! | 0 | nothing |
//! | 1 | switch the light |
//! | 2 | tell that all have been in the room |
//!
//! Only the action of the agent in the room counts; with `action_mask` the others have only "nothing", as in the
//! paper. After each step an agent is drawn uniformly to be in the room.
//!
//! | | when |
//! |---|---|
//! | reward | to all, for telling: `reward_all_live` if all have been in the room, else `reward_all_die` |
//! | terminated | somebody told |
//! | truncated | after `max_episode_steps`, 4·N - 6 unless given |

mod scripted;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
};

use crate::{
    board::Board,
    picture::Picture,
    state::{choices, invalid, joint, misplaced, require_count},
};

/// Number of actions.
const ACTIONS: usize = 3;
const SWITCH: usize = 1;
const TELL: usize = 2;

/// Metrics, in order.
const TOLD: usize = 0;
const SUCCESS: usize = 1;
const VISITED: usize = 2;

/// Settings of SwitchRiddle.
#[palaestra_plugin_api::config]
pub struct SwitchRiddleConfig {
    /// Number of agents.
    #[config(default = 3, range = 3..=1000)]
    pub num_agents: usize,
    /// Whether the light is on at the start.
    #[config(default = false)]
    pub initial_bulb_state: bool,
    /// Reward of all when it is told too early.
    #[config(default = -1.0)]
    pub reward_all_die: f64,
    /// Reward of all when it is told rightly.
    #[config(default = 1.0)]
    pub reward_all_live: f64,
    /// Whether agents outside the room may only do nothing; otherwise what they do does not count.
    #[config(default = false)]
    pub action_mask: bool,
    /// Steps until truncation; 4·N - 6 unless given.
    #[config(range = 1..)]
    pub max_episode_steps: Option<u32>,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    light: bool,
    in_room: usize,
    visited: Vec<bool>,
    /// Who is in the room next, then after that, and so on, if that was prescribed.
    #[serde(default)]
    visits: Option<Vec<usize>>,
}

/// `grid/SwitchRiddle-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<SwitchRiddleConfig, State>",
    into = "Saved<SwitchRiddleConfig, State>"
)]
pub struct SwitchRiddle {
    config: SwitchRiddleConfig,
    state: State,
}

saved_as!(SwitchRiddle, SwitchRiddleConfig, State);

impl Environment for SwitchRiddle {
    const ID: &'static str = "grid/SwitchRiddle-v0";
    const DESCRIPTION: &'static str =
        "Prisoners must know by one lamp that all have been in its room";
    type Config = SwitchRiddleConfig;

    fn spec(config: &SwitchRiddleConfig) -> Result<EnvironmentSpec> {
        let steps = match config.max_episode_steps {
            Some(0) => return Err(invalid("/max_episode_steps", "1 ≤ x", 0)),
            given => given.unwrap_or(4 * config.num_agents as u32 - 6),
        };
        let observation = Space::bounded(2, 0.0, 1.0);
        let mut spec = EnvironmentSpec::new(
            "prisoner",
            config.num_agents,
            observation,
            Space::discrete(ACTIONS),
        );
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.groups[0].has_action_mask = config.action_mask;
        spec.max_episode_steps = Some(steps);
        let (low, high) = (config.reward_all_die, config.reward_all_live);
        spec.reward_range = (Some(low.min(high).min(0.0)), Some(low.max(high).max(0.0)));
        spec.metrics = vec![
            Metric::last("told"),
            Metric::last("success"),
            Metric::last("visited"),
        ];
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &SwitchRiddleConfig) -> Result<Self> {
        let state = State {
            visited: vec![false; config.num_agents],
            ..State::default()
        };
        Ok(Self {
            config: config.clone(),
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
            None => {
                self.state.light = self.config.initial_bulb_state;
                self.state.visited.fill(false);
                self.state.visits = None;
                self.invite(rng);
            }
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let told = self.act(actions.discrete(self.state.in_room));
        if let Some(reward) = told {
            (0..self.config.num_agents).for_each(|agent| out.reward(agent, reward));
            out.terminate();
        }
        let visited = self.visitors();
        out.metric(TOLD, f64::from(told.is_some()));
        out.metric(
            SUCCESS,
            f64::from(told.is_some() && visited == self.config.num_agents),
        );
        out.metric(VISITED, visited as f64);
        self.invite(rng);
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let State {
            light,
            in_room,
            visited,
            ..
        } = &self.state;
        json!({"light": light, "in_room": in_room, "visited": visited})
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script()]))
    }

    /// One cell an agent: the lamp is drawn where the room is.
    fn render(&self, canvas: &mut Canvas) {
        let agents = self.config.num_agents as i32;
        let board = Board {
            rows: 2,
            columns: agents,
        };
        let mut picture = Picture::new(canvas, board);
        let lamp = if self.state.light {
            Color::group(6)
        } else {
            Color::DARK
        };
        picture.token([0, self.state.in_room as i32], 0.25, "", lamp);
        for (agent, &visited) in self.state.visited.iter().enumerate() {
            let place = [1, agent as i32];
            picture.cell(
                place,
                if visited {
                    Color::group(2).alpha(0.5)
                } else {
                    Color::LIGHT
                },
            );
            picture.token(place, 0.3, &agent.to_string(), Color::group(agent));
        }
        let names = [
            ("lamp is on", Color::group(6)),
            ("lamp is off", Color::DARK),
            ("has been inside", Color::group(2).alpha(0.5)),
        ];
        picture.legend(0, &names);
        let light = if self.state.light { "on" } else { "off" };
        canvas.caption(format!(
            "agent {} is in the room, the light is {light}",
            self.state.in_room
        ));
        let mark = |agent: usize| match (agent == self.state.in_room, self.state.visited[agent]) {
            (true, _) => 'R',
            (false, true) => 'v',
            (false, false) => '.',
        };
        let marks: String = (0..self.config.num_agents).map(mark).collect();
        canvas.text_frame(format!("{marks} light {light}"));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[self.config.num_agents], ACTIONS)?;
        let told = self.clone().act(chosen[0][self.state.in_room]);
        Ok(vec![vec![told.unwrap_or(0.0); self.config.num_agents]])
    }
}

impl SwitchRiddle {
    /// The agent in the room acts; gives the reward of all when it tells.
    #[inline(always)]
    fn act(&mut self, action: usize) -> Option<f64> {
        self.state.visited[self.state.in_room] = true;
        self.state.light ^= action == SWITCH;
        let all = self.visitors() == self.config.num_agents;
        (action == TELL).then_some(if all {
            self.config.reward_all_live
        } else {
            self.config.reward_all_die
        })
    }

    fn visitors(&self) -> usize {
        self.state
            .visited
            .iter()
            .filter(|&&visited| visited)
            .count()
    }

    /// Puts an agent into the room.
    #[inline(always)]
    fn invite(&mut self, rng: &mut EnvRng) {
        self.state.in_room = match &mut self.state.visits {
            Some(visits) if !visits.is_empty() => visits.remove(0),
            _ => rng.below(self.config.num_agents as u64) as usize,
        };
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        let agents = self.config.num_agents;
        require_count("visited", agents, state.visited.len())?;
        let named = std::iter::once(&state.in_room).chain(state.visits.iter().flatten());
        if let Some(agent) = named.copied().find(|&agent| agent >= agents) {
            return Err(misplaced(
                "in_room",
                format_args!("an agent below {agents}"),
                agent,
            ));
        }
        self.state = state;
        Ok(())
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        for agent in 0..self.config.num_agents {
            let inside = agent == self.state.in_room;
            let seen = [inside, inside && self.state.light].map(|bit| f32::from(u8::from(bit)));
            out.observation(agent).copy_from_slice(&seen);
            if self.config.action_mask {
                out.action_mask(agent)[SWITCH..].fill(u8::from(inside));
            }
        }
    }
}

#[cfg(test)]
mod tests;
