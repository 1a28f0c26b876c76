//! Beacon: two agents on a line must be at the light at the same time.
//!
//! Source: written for this template. A real environment names the paper or code it follows here.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | own position / last cell | 0 to 1 |
//! | 1 | (position of the other - own) / last cell | -1 to 1 |
//! | 2 | (position of the light - own) / last cell | -1 to 1 |
//!
//! | action | meaning |
//! |---|---|
//! | 0 | one cell to the left |
//! | 1 | stay |
//! | 2 | one cell to the right |
//!
//! | | when |
//! |---|---|
//! | reward | to both agents: -`step_cost` at every step, and 1 more at the one that ends the episode |
//! | terminated | both agents are at the light |
//! | truncated | after `max_episode_steps` |
//!
//! The ends of the line stop an agent. Agents may share a cell. At the start the light is anywhere and
//! the agents are anywhere else. Metric `met`: whether the agents met, so its mean is the success rate.

use palaestra_plugin_api::prelude::*;
use palaestra_plugin_api::serde_json::{Value, json};

/// Number of agents; an agent's index is its row in every slab.
const AGENTS: usize = 2;
/// Reward of both agents for meeting at the light.
const MEETING: f64 = 1.0;
/// The action that changes nothing.
const STAY: usize = 1;
/// Index of the metric `met` in the spec.
const MET: usize = 0;

/// Settings of Beacon.
#[palaestra_plugin_api::config]
pub struct BeaconConfig {
    /// Number of cells.
    #[config(default = 11, range = 2..=1000)]
    pub length: u32,
    /// Steps until truncation.
    #[config(default = 50, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
    /// What every step costs each agent.
    #[config(default = 0.02, range = 0.0..=1.0)]
    pub step_cost: f64,
}

/// One line with two agents. The fields are the whole state: snapshots, copies and inspection follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct Beacon {
    config: BeaconConfig,
    /// Cell of each agent, from 0.
    positions: [u32; AGENTS],
    /// Cell of the light.
    light: u32,
}

/// `init` of the reset options: a start state in place of a drawn one.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    positions: [u32; AGENTS],
    light: u32,
}

impl Environment for Beacon {
    const ID: &'static str = "template/Beacon-v0";
    const DESCRIPTION: &'static str = "Two agents on a line must meet at the light";
    type Config = BeaconConfig;

    fn spec(config: &BeaconConfig) -> Result<EnvironmentSpec> {
        let observation = Space::bounds(&[0.0, -1.0, -1.0], &[1.0, 1.0, 1.0]);
        let mut spec = EnvironmentSpec::new("walkers", AGENTS, observation, Space::discrete(3));
        spec.groups[0].no_op = Some(vec![STAY as f64]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(-config.step_cost), Some(MEETING - config.step_cost));
        spec.metrics = vec![Metric::last("met")];
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &BeaconConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            positions: [0; AGENTS],
            light: config.length - 1,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init()? {
            Some(init) => self.place(&init)?,
            None => self.draw_start(rng),
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let last = self.last_cell();
        for (agent, position) in self.positions.iter_mut().enumerate() {
            *position = moved(*position, actions.discrete(agent), last);
        }
        let met = self.positions == [self.light; AGENTS];
        let reward = f64::from(met) * MEETING - self.config.step_cost;
        for agent in 0..AGENTS {
            out.reward(agent, reward);
        }
        out.metric(MET, f64::from(met));
        self.observe(out);
        if met {
            out.terminate();
        }
    }

    /// The baseline to beat: both go straight to the light.
    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let towards = |position: u32| vec![f64::from(1 + (self.light.cmp(&position) as i32))];
        Ok(vec![self.positions.map(towards).to_vec()])
    }

    fn render(&self, canvas: &mut Canvas) {
        canvas.grid(1, self.config.length as usize);
        canvas.cell(0, self.light as usize, Color::ACCENT);
        for (agent, &position) in self.positions.iter().enumerate() {
            let cell = canvas.cell_center(0, position as usize);
            // Side by side, so that both are seen where they share a cell.
            let x = f64::from(cell.x) + 0.22 * (agent as f64 * 2.0 - 1.0);
            canvas.circle((x, f64::from(cell.y)), 0.2, Color::group(agent));
        }
        let names: [(&str, Color); AGENTS] =
            [("agent 0", Color::group(0)), ("agent 1", Color::group(1))];
        canvas.legend(&names);
        canvas.caption(format!(
            "agents at {} and {}, light at {}",
            self.positions[0], self.positions[1], self.light
        ));
        canvas.text_frame(self.as_text());
    }

    /// The state by the names that `init` has too.
    fn inspect(&self) -> Value {
        json!({"positions": self.positions, "light": self.light})
    }
}

impl Beacon {
    fn last_cell(&self) -> u32 {
        self.config.length - 1
    }

    fn place(&mut self, init: &Init) -> Result<()> {
        let last = self.last_cell();
        let cells = init.positions.iter().chain([&init.light]);
        if let Some(cell) = cells.into_iter().find(|&&cell| cell > last) {
            return Err(Error::config(format!(
                "reset /init: expected cells 0 to {last}, found {cell}"
            )));
        }
        (self.positions, self.light) = (init.positions, init.light);
        Ok(())
    }

    fn draw_start(&mut self, rng: &mut EnvRng) {
        let length = u64::from(self.config.length);
        self.light = rng.below(length) as u32;
        for position in &mut self.positions {
            // A cell other than the light's: 1 to length - 1 cells further on, around the end.
            let away = 1 + rng.below(length - 1);
            *position = ((u64::from(self.light) + away) % length) as u32;
        }
    }

    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let scale = 1.0 / f64::from(self.last_cell());
        let [first, second] = self.positions.map(f64::from);
        let light = f64::from(self.light);
        for (agent, (own, other)) in [(first, second), (second, first)].into_iter().enumerate() {
            let seen = [own, other - own, light - own].map(|cells| (cells * scale) as f32);
            out.observation(agent).copy_from_slice(&seen);
        }
    }

    /// One line: `*` the light, `a` and `b` the agents, `2` both of them.
    fn as_text(&self) -> String {
        let [a, b] = self.positions;
        let cell = |cell| match (a == cell, b == cell) {
            (true, true) => '2',
            (true, false) => 'a',
            (false, true) => 'b',
            (false, false) if cell == self.light => '*',
            (false, false) => '.',
        };
        (0..self.config.length).map(cell).collect()
    }
}

/// Where an action leads from a cell of a line whose cells are 0 to `last`.
#[inline(always)]
fn moved(position: u32, action: usize, last: u32) -> u32 {
    match action {
        0 => position.saturating_sub(1),
        STAY => position,
        _ => (position + 1).min(last),
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::abi::{NO_GROUP, id};
    use palaestra_plugin_api::client::EnvironmentBatch;
    use palaestra_plugin_api::testing::{self, Subject};

    use super::*;

    /// One instance on a line of 5 cells, started from `init`.
    fn started(init: Value) -> EnvironmentBatch {
        let subject = Subject::of::<Beacon>(json!({"length": 5, "step_cost": 0.25}));
        let mut batch =
            EnvironmentBatch::new(&subject.request(0), 1, 1, |what| subject.make(what)).unwrap();
        batch.reset(&json!({"init": init}), 0).unwrap();
        batch
    }

    fn step(batch: &mut EnvironmentBatch, actions: [i32; AGENTS]) {
        let key = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
        batch.rows_mut(key, 0).copy_from_slice(&actions);
        batch.step(0, 0).unwrap();
    }

    fn floats(batch: &EnvironmentBatch, id: u32) -> &[f32] {
        batch.rows(batch.slabs().key(id, 0).unwrap(), 0)
    }

    fn terminated(batch: &EnvironmentBatch) -> bool {
        batch.rows::<u8>(batch.slabs().key(id::TERMINATED, NO_GROUP).unwrap(), 0) == [1]
    }

    /// By hand: from cells 0 and 4 with the light at 2, to 1 and 3; a quarter of a cell's width is 1/4.
    #[test]
    fn a_step_moves_both_agents() {
        let mut batch = started(json!({"positions": [0, 4], "light": 2}));
        step(&mut batch, [2, 0]);
        assert_eq!(
            floats(&batch, id::OBSERVATION),
            [0.25, 0.5, 0.25, 0.75, -0.5, -0.25]
        );
        assert_eq!(floats(&batch, id::REWARD), [-0.25, -0.25]);
        assert!(!terminated(&batch));
    }

    #[test]
    fn meeting_at_the_light_ends_the_episode_and_one_agent_there_does_not() {
        let mut batch = started(json!({"positions": [2, 4], "light": 2}));
        step(&mut batch, [1, 0]);
        assert!(!terminated(&batch), "one agent still has a cell to go");
        step(&mut batch, [1, 0]);
        assert!(terminated(&batch));
        assert_eq!(floats(&batch, id::REWARD), [0.75, 0.75]);
    }

    #[test]
    fn the_ends_of_the_line_stop_an_agent() {
        assert_eq!(
            (moved(0, 0, 4), moved(4, 2, 4), moved(3, STAY, 4)),
            (0, 4, 3)
        );
    }

    #[test]
    fn a_start_is_never_an_end_and_one_off_the_line_is_refused() {
        let mut world = Beacon::new(&BeaconConfig {
            length: 2,
            ..BeaconConfig::default()
        })
        .unwrap();
        let mut rng = EnvRng::new(0, 0, 0, 0);
        for _ in 0..100 {
            world.draw_start(&mut rng);
            assert!(world.positions.iter().all(|&p| p != world.light && p < 2));
        }
        let error = world
            .place(&Init {
                positions: [0, 2],
                light: 1,
            })
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "reset /init: expected cells 0 to 1, found 2"
        );
    }

    #[test]
    fn the_text_picture_shows_who_is_where() {
        let world = |positions, light| Beacon {
            config: BeaconConfig {
                length: 5,
                ..BeaconConfig::default()
            },
            positions,
            light,
        };
        assert_eq!(world([0, 3], 2).as_text(), "a.*b.");
        assert_eq!(world([2, 2], 2).as_text(), "..2..");
    }

    #[test]
    fn who_goes_straight_to_the_light_beats_chance() {
        let subject = Subject::of::<Beacon>(json!({}));
        let all = |_, _| true;
        let [_, met] =
            testing::baseline::assert_beats_random(&subject, 200, 0.5, all, |p| p.metrics[MET]);
        assert_eq!(met, 1.0);
    }

    #[test]
    fn beacon_keeps_the_contract_of_an_environment() {
        testing::assert_conformant::<Beacon>();
    }
}
