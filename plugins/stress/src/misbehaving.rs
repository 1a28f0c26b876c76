//! `stress/Misbehaving-v0`: two walkers on a line, and one broken rule.
//!
//! Each walker goes left, stays or goes right; chance pushes it too. It ends at +5, cannot go left at -5, and
//! is paid a tenth of its position at every step. The episode ends when both have, or after
//! `max_episode_steps`.
//!
//! | observation | range |
//! |---|---|
//! | own position | -5 to 5 |
//! | steps of the episode | 0 to 1,000,000 |
//! | position of the other | -5 to 5 |

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};

use palaestra_plugin_api::{
    prelude::*,
    serde::{Deserializer, Serializer, de::Error as _},
    serde_json::{self, Value},
};

use crate::{FaultKind, process};

/// Settings of `stress/Misbehaving-v0`.
#[config]
pub struct MisbehavingConfig {
    /// The rule to break.
    pub fault: FaultKind,
    /// Step of the episode at which faults of steps show.
    #[config(default = 5, range = 1..=1_000)]
    pub at_step: u32,
    /// Steps until truncation.
    #[config(default = 20, range = 1..=10_000)]
    pub max_episode_steps: u32,
}

/// What one walk is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Walk {
    fault: FaultKind,
    at_step: u32,
    limit: u32,
    positions: [i64; 2],
    alive: [bool; 2],
    steps: u32,
    /// Steps since the object was made.
    total: u64,
    resets: u64,
    /// A generator of its own, against the rules.
    own: Option<EnvRng>,
    object: u64,
    index: u64,
}

/// Two walkers, and one broken rule.
pub struct Misbehaving(Walk);

/// Shared by everything in the process, against the rules.
static CALLS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Number of the object being made on this thread, and of its next instance.
    static OBJECT: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    /// Object, index and action of the instance that was stepped last on this thread.
    static PREVIOUS: Cell<(u64, u64, u64)> = const { Cell::new((0, 0, 0)) };
    /// Whether the object made last takes any document for a snapshot.
    static LENIENT: Cell<bool> = const { Cell::new(false) };
}

impl Environment for Misbehaving {
    const ID: &'static str = "stress/Misbehaving-v0";
    const DESCRIPTION: &'static str = "Two walkers that break the rule that fault names";
    type Config = MisbehavingConfig;

    fn spec(config: &MisbehavingConfig) -> Result<EnvironmentSpec> {
        let (object, _) = OBJECT.get();
        OBJECT.set((object + 1, 0));
        assert!(
            config.fault != FaultKind::PanicInSpec,
            "asked to panic in spec"
        );
        let observation = Space::bounds(&[-5.0, 0.0, -5.0], &[5.0, 1e6, 5.0]);
        let mut spec = EnvironmentSpec::new("walkers", 2, observation, Space::discrete(3));
        spec.groups[0].has_action_mask = true;
        spec.groups[0].no_op = Some(vec![if config.fault == FaultKind::NoOpOutsideSpace {
            3.0
        } else {
            1.0
        }]);
        spec.max_episode_steps = Some(limit(config));
        spec.reward_range = (Some(-0.5), Some(0.5));
        spec.metrics = vec![Metric::last("distance")];
        spec.flags.per_agent_end = true;
        spec.flags.counterfactual = true;
        spec.tags = vec![Tag::Mixed];
        if config.fault == FaultKind::SpecVaries && object % 2 == 1 {
            spec.tags = vec![Tag::Cooperative];
        }
        Ok(spec)
    }

    fn new(config: &MisbehavingConfig) -> Result<Self> {
        let (object, index) = OBJECT.get();
        OBJECT.set((object, index + 1));
        LENIENT.set(config.fault == FaultKind::SnapshotAcceptsAnything);
        assert!(
            config.fault != FaultKind::PanicInNew,
            "asked to panic in new"
        );
        Ok(Self(Walk {
            fault: config.fault,
            at_step: config.at_step,
            limit: limit(config),
            positions: [0; 2],
            alive: [true; 2],
            steps: 0,
            total: 0,
            resets: 0,
            own: None,
            object,
            index,
        }))
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        _: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let walk = &mut self.0;
        assert!(
            walk.fault != FaultKind::PanicInReset,
            "asked to panic in reset"
        );
        walk.own =
            (walk.fault == FaultKind::SeedIgnored).then(|| EnvRng::new(7, 0, walk.resets, 0));
        let rng = walk.own.as_mut().unwrap_or(rng);
        walk.positions = [0; 2].map(|_: i64| rng.below(5) as i64 - 2);
        walk.alive = [true; 2];
        walk.steps = 0;
        walk.observe(out);
        match walk.fault {
            FaultKind::ResetOutsideSpace => out.observation(1)[0] = 6.0,
            FaultKind::ResetVaries if walk.resets == 0 => out.observation(0)[1] += calls(),
            FaultKind::NobodyAlive => {
                walk.alive = [false; 2];
                (0..2).for_each(|agent| out.group(0).set_alive(agent, false));
            }
            _ => {}
        }
        walk.resets += 1;
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let walk = &mut self.0;
        walk.steps += 1;
        walk.total += 1;
        if walk.steps == walk.at_step {
            process::strike(walk.fault);
        }
        walk.walk(rng, actions, out);
        let terminated = walk.alive == [false; 2];
        let last = terminated || walk.steps >= walk.limit;
        if terminated {
            out.terminate();
        }
        let missing = match walk.fault {
            FaultKind::ObservationMissing => walk.steps == walk.at_step && !last,
            FaultKind::FinalObservationMissing => last,
            _ => false,
        };
        if !missing {
            walk.observe(out);
        }
        walk.misbehave(actions, out, last);
        out.metric(0, (walk.positions[0] - walk.positions[1]).abs() as f64);
    }

    fn inspect(&self) -> Value {
        assert!(
            self.0.fault != FaultKind::PanicInInspect,
            "asked to panic in inspect"
        );
        serde_json::json!({"positions": self.0.positions, "alive": self.0.alive, "steps": self.0.steps})
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let walk = &self.0;
        let reward = |agent: usize| {
            let due = walk.reward(agent, actions[0][agent][0] as i64);
            match walk.fault {
                FaultKind::RewardOutsideRange if agent == 0 && walk.steps + 1 == walk.at_step => {
                    due + 100.0
                }
                FaultKind::CounterfactualOfAnother => walk.reward(agent, 1),
                _ => due,
            }
        };
        Ok(vec![(0..2).map(reward).collect()])
    }

    fn render(&self, canvas: &mut Canvas) {
        assert!(
            self.0.fault != FaultKind::PanicInRender,
            "asked to panic in render"
        );
        canvas.view(-6.0, -1.0, 6.0, 2.0);
        canvas.line((-5.0, 0.0), (5.0, 0.0), Color::GREY);
        for (agent, position) in self.0.positions.iter().enumerate() {
            canvas.circle(
                (*position as f64, 0.3 + agent as f64 * 0.5),
                0.2,
                Color::group(agent),
            );
        }
    }
}

/// The limit that the spec claims.
fn limit(config: &MisbehavingConfig) -> u32 {
    config.max_episode_steps
        + if config.fault == FaultKind::LimitDiffers {
            3
        } else {
            0
        }
}

/// A number that no call gets twice.
fn calls() -> f32 {
    (CALLS.fetch_add(1, Ordering::Relaxed) % 100_000) as f32
}

impl Walk {
    /// What a step should do.
    fn walk(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        for agent in 0..2 {
            let push = self.own.as_mut().unwrap_or(rng).below(3) as i64 - 1;
            if !self.alive[agent] {
                continue;
            }
            let action = actions.discrete(agent) as i64;
            out.reward(agent, self.reward(agent, action));
            self.positions[agent] = (self.positions[agent] + action - 1 + push).clamp(-5, 5);
            if self.positions[agent] == 5 {
                self.alive[agent] = false;
                out.group(0).terminate(agent);
            }
        }
    }

    /// What an agent is paid for where it walks to, before it is pushed.
    fn reward(&self, agent: usize, action: i64) -> f64 {
        match self.alive[agent] {
            true => (self.positions[agent] + action - 1).clamp(-5, 5) as f64 / 10.0,
            false => 0.0,
        }
    }

    fn observe(&self, out: &mut Observe<'_>) {
        for agent in 0..2 {
            let (own, other) = (
                self.positions[agent] as f32,
                self.positions[1 - agent] as f32,
            );
            out.observation(agent)
                .copy_from_slice(&[own, self.steps as f32, other]);
            out.action_mask(agent)[0] = u8::from(self.positions[agent] > -5);
        }
    }

    /// What a step should not do.
    fn misbehave(&mut self, actions: &Actions<'_>, out: &mut StepWriter<'_>, last: bool) {
        let now = self.steps == self.at_step;
        match self.fault {
            FaultKind::StepOutsideSpace if now && !last => out.observation(0)[0] = 6.0,
            FaultKind::ObservationNotANumber if now && !last => out.observation(0)[0] = f32::NAN,
            FaultKind::RewardNotFinite if last => out.reward(0, f64::NAN),
            FaultKind::RewardOutsideRange if now => out.reward(0, 100.0),
            FaultKind::StepVaries if self.total >= 300 => out.observation(0)[1] += calls(),
            FaultKind::BatchSizeMatters => out.observation(0)[1] += self.index as f32,
            FaultKind::InstancesShare => self.look_aside(actions, out),
            FaultKind::TruncatesEarly if now => out.truncate(),
            FaultKind::MaskWithoutChoice if now && !last => out.action_mask(0).fill(0),
            FaultKind::AgentRevives => self.revive(out),
            _ => {}
        }
    }

    /// Shows the action of the instance before this one in the same object.
    fn look_aside(&self, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let (object, index, action) = PREVIOUS.get();
        if object == self.object && index + 1 == self.index {
            out.observation(0)[1] += action as f32;
        }
        PREVIOUS.set((self.object, self.index, actions.discrete(0) as u64));
    }

    fn revive(&mut self, out: &mut StepWriter<'_>) {
        if self.steps == 2 && self.alive[1] {
            self.alive[1] = false;
            out.group(0).terminate(1);
        } else if self.steps == self.at_step.max(4) && !self.alive[1] && self.alive[0] {
            self.alive[1] = true;
            out.group(0).set_alive(1, true);
        }
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        assert!(
            self.0.fault != FaultKind::PanicInDrop,
            "asked to panic in drop"
        );
    }
}

impl Serialize for Misbehaving {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        assert!(
            self.0.fault != FaultKind::PanicInSnapshot,
            "asked to panic in snapshot"
        );
        let mut walk = self.0.clone();
        if walk.fault == FaultKind::SnapshotForgets {
            walk.positions = [0; 2];
        }
        walk.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Misbehaving {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let saved = Value::deserialize(deserializer)?;
        match Walk::deserialize(&saved) {
            Ok(walk) => Ok(Self(walk)),
            Err(_) if LENIENT.get() => {
                let config = MisbehavingConfig {
                    fault: FaultKind::SnapshotAcceptsAnything,
                    ..Default::default()
                };
                Self::new(&config).map_err(D::Error::custom)
            }
            Err(e) => Err(D::Error::custom(e)),
        }
    }
}
