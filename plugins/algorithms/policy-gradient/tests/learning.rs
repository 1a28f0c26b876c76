//! PPO learns what can be learned quickly: every action space, memory, teams, turns.

mod common;

use common::{Gym, Outcome, World};
use palaestra_plugin_api::{
    prelude::*,
    serde_json::{Value, json},
};
use policy_gradient::{Ippo, Mappo, Ppo};

/// Settings for small tasks.
fn quick(more: Value) -> Value {
    let mut config = json!({
        "num_steps": 16, "lr": 5e-3, "update_epochs": 4, "num_minibatches": 2, "hidden": [16],
        "whole_episodes": false, "finite_horizon": false, "ent_coef": 0.0,
    });
    let more = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(more);
    config
}

/// A sign that changes after every step.
struct Sign {
    rng: EnvRng,
    shown: usize,
}

impl Sign {
    fn new(instance: usize) -> Self {
        let rng = EnvRng::new(1, instance as u64, 0, 0);
        Self { rng, shown: 0 }
    }

    fn change(&mut self, signs: u64) {
        self.shown = self.rng.below(signs) as usize;
    }
}

fn one_hot(into: &mut [f32], index: usize) {
    into.fill(0.0);
    into[index] = 1.0;
}

fn paid(reward: f32) -> Outcome {
    Outcome {
        rewards: vec![reward],
        terminated: true,
        truncated: false,
    }
}

/// Doing what one of three signs says pays 1.
struct Match(Sign);

impl World for Match {
    fn spec() -> EnvironmentSpec {
        EnvironmentSpec::new("one", 1, Space::real(3), Space::discrete(3))
    }
    fn new(instance: usize) -> Self {
        Self(Sign::new(instance))
    }
    fn reset(&mut self) {
        self.0.change(3);
    }
    fn observe(&self, _: usize, into: &mut [f32]) {
        one_hot(into, self.0.shown);
    }
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        paid(f32::from(actions[0][0] as usize == self.0.shown))
    }
}

/// As [`Match`], with two choices: the sign, and its opposite.
struct Twofold(Sign);

impl World for Twofold {
    fn spec() -> EnvironmentSpec {
        let choices = vec![3, 2];
        EnvironmentSpec::new("one", 1, Space::real(3), Space::MultiDiscrete { choices })
    }
    fn new(instance: usize) -> Self {
        Self(Sign::new(instance))
    }
    fn reset(&mut self) {
        self.0.change(3);
    }
    fn observe(&self, _: usize, into: &mut [f32]) {
        one_hot(into, self.0.shown);
    }
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        let right = [self.0.shown, usize::from(self.0.shown == 1)];
        let hits = right
            .iter()
            .zip(&actions[0])
            .filter(|(r, a)| **r == **a as usize);
        paid(hits.count() as f32 / 2.0)
    }
}

/// A point between -1 and 1 to be named; pays 1 - distance².
struct Point {
    rng: EnvRng,
    at: f32,
}

impl World for Point {
    fn spec() -> EnvironmentSpec {
        EnvironmentSpec::new("one", 1, Space::real(1), Space::bounded(2, -2.0, 2.0))
    }
    fn new(instance: usize) -> Self {
        let rng = EnvRng::new(2, instance as u64, 0, 0);
        Self { rng, at: 0.0 }
    }
    fn reset(&mut self) {
        self.at = self.rng.range(-1.0, 1.0) as f32;
    }
    fn observe(&self, _: usize, into: &mut [f32]) {
        into[0] = self.at;
    }
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        let [x, y] = [actions[0][0] - self.at, actions[0][1] + self.at];
        paid(1.0 - x * x - y * y)
    }
}

/// One of two signs at the first step, nothing at the second and third: it must be said at the third.
struct Recall {
    sign: Sign,
    step: u32,
}

impl World for Recall {
    fn spec() -> EnvironmentSpec {
        EnvironmentSpec::new("one", 1, Space::real(3), Space::discrete(2))
    }
    fn new(instance: usize) -> Self {
        let sign = Sign::new(instance);
        Self { sign, step: 0 }
    }
    fn reset(&mut self) {
        self.sign.change(2);
        self.step = 0;
    }
    fn observe(&self, _: usize, into: &mut [f32]) {
        let shown = if self.step == 0 { self.sign.shown } else { 2 };
        one_hot(into, shown);
    }
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        self.step += 1;
        let right = actions[0][0] as usize == self.sign.shown;
        Outcome {
            rewards: vec![f32::from(self.step == 3 && right)],
            terminated: self.step == 3,
            truncated: false,
        }
    }
}

/// Three agents see the same and must do three different things: nobody can who does not know who it is.
struct Roles;

impl World for Roles {
    fn spec() -> EnvironmentSpec {
        EnvironmentSpec::new("team", 3, Space::real(1), Space::discrete(3))
    }
    fn new(_: usize) -> Self {
        Self
    }
    fn reset(&mut self) {}
    fn observe(&self, _: usize, into: &mut [f32]) {
        into[0] = 1.0;
    }
    fn state(&self, _: &mut [f32]) {}
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        let right = actions
            .iter()
            .enumerate()
            .filter(|(k, a)| a[0] as usize == *k);
        let reward = right.count() as f32 / 3.0;
        Outcome {
            rewards: vec![reward; 3],
            terminated: true,
            truncated: false,
        }
    }
}

#[test]
fn learns_to_match_a_sign_with_any_critic() {
    for more in [
        json!({}),
        json!({"shared_trunk": true}),
        json!({"value_norm": true, "clip_vloss": true, "huber_delta": 1.0}),
        json!({"critic": "central", "target_kl": 0.05}),
    ] {
        let mut gym = Gym::<Match>::new::<Ppo>(quick(more.clone()), 8, None);
        let score = gym.train(40);
        assert!(score > 0.9, "{more}: {score}");
        assert!(gym.score(true) > 0.98, "{more}");
    }
}

#[test]
fn learns_several_choices_at_once() {
    let mut gym = Gym::<Twofold>::new::<Ppo>(quick(json!({})), 8, None);
    let score = gym.train(50);
    assert!(score > 0.9, "{score}");
}

#[test]
fn learns_real_numbers() {
    let mut gym = Gym::<Point>::new::<Ppo>(quick(json!({"log_std_init": -0.5})), 16, None);
    let before = gym.score(true);
    gym.train(100);
    let after = gym.score(true);
    assert!(before < 0.6 && after > 0.95, "{before} {after}");
}

#[test]
fn remembers_what_it_saw() {
    let config = json!({"recurrent": 16, "sequence_length": 4, "lr": 1e-2});
    let mut gym = Gym::<Recall>::new::<Ppo>(quick(config), 16, None);
    let score = 3.0 * gym.train(80);
    assert!(score > 0.9, "{score}");
    let mut blind = Gym::<Recall>::new::<Ppo>(quick(json!({})), 16, None);
    let score = 3.0 * blind.train(80);
    assert!(score < 0.7, "without memory: {score}");
}

#[test]
fn teams_that_share_learn_different_roles() {
    type Make = fn(Value) -> Gym<Roles>;
    let tests: [(&str, Make, Value); 5] = [
        ("ippo", |c| Gym::new::<Ippo>(c, 8, None), json!({})),
        ("mappo", |c| Gym::new::<Mappo>(c, 8, None), json!({})),
        (
            "mappo, recurrent",
            |c| Gym::new::<Mappo>(c, 8, None),
            json!({"recurrent": 8}),
        ),
        (
            "alone",
            |c| Gym::new::<Ppo>(c, 8, None),
            json!({"share": "none"}),
        ),
        (
            "whole",
            |c| Gym::new::<Mappo>(c, 64, None),
            json!({"whole_episodes": true, "finite_horizon": true}),
        ),
    ];
    for (name, make, more) in tests {
        let mut gym = make(quick(more));
        let score = gym.train(60) / 3.0;
        assert!(score > 0.9, "{name}: {score}");
    }
    let mut nameless = Gym::<Roles>::new::<Ippo>(quick(json!({"agent_id": false})), 8, None);
    let score = nameless.train(60) / 3.0;
    assert!(score < 0.5, "without ids: {score}");
}
