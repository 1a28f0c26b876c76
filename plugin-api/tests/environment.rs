//! An environment through its vtable, as a host meets it.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, RenderMode, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    prelude::*,
};
use serde_json::json;

/// Settings of the walk.
#[config]
struct WalkConfig {
    /// Distance to the goal.
    #[config(default = 5, range = 1..=100)]
    goal: u32,
    /// Step at which the walk panics; 0 never.
    #[config(default = 0)]
    panic_at: u32,
    /// Whether dropping the walk panics.
    #[config(default = false)]
    panic_in_drop: bool,
}

/// A drunkard's walk: two agents push left or right, chance pushes too.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Walk {
    goal: i64,
    at: i64,
    panic_at: u32,
    panic_in_drop: bool,
    steps: u32,
}

impl Environment for Walk {
    const ID: &'static str = "test/Walk-v0";
    const DESCRIPTION: &'static str = "A walk";
    type Config = WalkConfig;

    fn spec(_: &WalkConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new(
            "walkers",
            2,
            Space::bounded(2, -200.0, 200.0),
            Space::discrete(2),
        );
        spec.max_episode_steps = Some(20);
        spec.metrics = vec![Metric::mean("position"), Metric::last("end")];
        Ok(spec)
    }

    fn new(config: &WalkConfig) -> Result<Self> {
        let WalkConfig {
            goal,
            panic_at,
            panic_in_drop,
        } = config.clone();
        Ok(Self {
            goal: goal.into(),
            at: 0,
            panic_at,
            panic_in_drop,
            steps: 0,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.at = options.init()?.unwrap_or_else(|| rng.below(3) as i64 - 1);
        self.steps = 0;
        self.show(out);
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.steps += 1;
        assert!(self.steps != self.panic_at, "the walk broke");
        for agent in 0..2 {
            self.at += actions.discrete(agent) as i64 * 2 - 1;
        }
        self.at += rng.below(3) as i64 - 1;
        self.show(out);
        out.metric(0, self.at as f64);
        out.metric(1, self.at as f64);
        if self.at.abs() >= self.goal {
            out.reward(0, 1.0);
            out.reward(1, -0.5);
            out.terminate();
        }
    }
}

impl Walk {
    fn show(&self, out: &mut Observe<'_>) {
        for agent in 0..2 {
            out.observation(agent)
                .copy_from_slice(&[self.at as f32, agent as f32]);
        }
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        assert!(!self.panic_in_drop, "dropped");
    }
}

fn make(what: &MakeEnvironment) -> Result<EnvironmentHandle> {
    const ENTRY: EnvironmentEntry = EnvironmentEntry::of::<Walk>();
    EnvironmentHandle::in_process(&ENTRY, what)
}

fn batch(instances: usize, shards: usize, config: serde_json::Value) -> EnvironmentBatch {
    let what = MakeEnvironment {
        instances,
        config,
        run_seed: 7,
        ..MakeEnvironment::new(Walk::ID)
    };
    let mut batch = EnvironmentBatch::new(&what, shards, 2, make).unwrap();
    batch.reset(&json!({}), 0).unwrap();
    batch
}

/// Steps with fixed actions and gathers everything that is written.
fn record(batch: &mut EnvironmentBatch, steps: usize) -> Vec<u64> {
    let slabs = batch.slabs();
    let action = slabs.key::<i32>(id::ACTION, 0).unwrap();
    let observation = slabs.key::<f32>(id::OBSERVATION, 0).unwrap();
    let reward = slabs.key::<f32>(id::REWARD, 0).unwrap();
    let flags =
        [id::TERMINATED, id::TRUNCATED, id::FIRST].map(|f| slabs.key::<u8>(f, NO_GROUP).unwrap());
    let mut all = Vec::new();
    for t in 0..steps {
        let (read, write) = (t % 2, (t + 1) % 2);
        for (i, a) in batch.rows_mut(action, read).iter_mut().enumerate() {
            *a = ((i * 31 + t * 17) % 5 < 2) as i32;
        }
        batch.step(read, write).unwrap();
        all.extend(
            batch
                .rows(observation, write)
                .iter()
                .map(|x| u64::from(x.to_bits())),
        );
        all.extend(
            batch
                .rows(reward, write)
                .iter()
                .map(|x| u64::from(x.to_bits())),
        );
        for flag in flags {
            all.extend(batch.rows(flag, write).iter().map(|x| u64::from(*x)));
        }
    }
    all
}

#[test]
fn shards_change_no_byte() {
    let one = record(&mut batch(21, 1, json!({})), 200);
    let seven = record(&mut batch(21, 7, json!({})), 200);
    assert_eq!(one, seven);
}

#[test]
fn ended_episodes_are_listed_with_final_observation_and_statistics() {
    let mut batch = batch(1, 1, json!({"goal": 3}));
    let action = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
    let count = batch.slabs().key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let last = batch.slabs().key::<f32>(id::FINAL_OBSERVATION, 0).unwrap();
    let returns = batch.slabs().key::<f64>(id::EPISODE_RETURN, 0).unwrap();
    let length = batch
        .slabs()
        .key::<u32>(id::EPISODE_LENGTH, NO_GROUP)
        .unwrap();
    let first = batch.slabs().key::<u8>(id::FIRST, NO_GROUP).unwrap();
    for t in 0..10 {
        batch.rows_mut(action, t % 2).fill(1);
        batch.step(t % 2, (t + 1) % 2).unwrap();
        if batch.rows(count, 0)[0] == 1 {
            assert!(
                batch.rows(last, 0)[0].abs() >= 3.0,
                "the final observation is the one before the reset"
            );
            assert_eq!(batch.rows(returns, 0), [1.0, -0.5]);
            assert_eq!(batch.rows(length, 0)[0] as usize, t + 1);
            assert_eq!(batch.rows(first, (t + 1) % 2), [1]);
            return;
        }
        assert_eq!(batch.rows(first, (t + 1) % 2), [0]);
    }
    panic!("two agents pushing right reach 3 within 10 steps");
}

#[test]
fn a_time_limit_truncates() {
    let mut batch = batch(4, 1, json!({"goal": 100}));
    let truncated = batch.slabs().key::<u8>(id::TRUNCATED, NO_GROUP).unwrap();
    for t in 0..20 {
        assert!(
            t == 0 || batch.rows(truncated, t % 2).iter().all(|&x| x == 0),
            "step {t}"
        );
        batch.step(t % 2, (t + 1) % 2).unwrap();
    }
    assert_eq!(batch.rows(truncated, 0), [1; 4]);
}

#[test]
fn a_bad_action_is_refused_and_moves_nothing() {
    let mut batch = batch(3, 1, json!({}));
    let action = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
    let before = batch.locate(2).0.inspect(2).unwrap();
    batch.rows_mut(action, 0)[5] = 2;
    let error = batch.step(0, 1).unwrap_err();
    assert_eq!(
        error.message,
        "action of env 2, group 0, agent 1: expected 0..2, found 2"
    );
    assert_eq!(batch.locate(2).0.inspect(2).unwrap(), before);
    batch.rows_mut(action, 0)[5] = -1;
    assert!(batch.step(0, 1).is_err());
    batch.rows_mut(action, 0)[5] = 1;
    batch.step(0, 1).unwrap();
}

#[test]
fn a_panic_names_the_instance_and_poisons_the_object() {
    let mut batch = batch(3, 1, json!({"panic_at": 2, "goal": 100}));
    batch.step(0, 1).unwrap();
    let error = batch.step(1, 0).unwrap_err();
    assert_eq!(error.kind, palaestra_plugin_api::ErrorKind::Panicked);
    assert!(
        error.message.starts_with("(step, env 0): panicked"),
        "{error}"
    );
    assert!(error.message.ends_with("the walk broke"), "{error}");
    assert_eq!(
        batch.step(0, 1).unwrap_err().message,
        "(step): refused after an earlier panic"
    );
}

#[test]
fn a_panicking_destructor_is_survived() {
    drop(batch(3, 2, json!({"panic_in_drop": true})));
}

#[test]
fn a_snapshot_continues_the_same_episode_elsewhere() {
    let mut original = batch(2, 1, json!({}));
    record(&mut original, 7);
    let saved = original.locate(1).0.snapshot(1).unwrap();
    let mut copy = batch(2, 1, json!({}));
    for i in 0..2 {
        let saved = original.locate(i).0.snapshot(i).unwrap();
        copy.locate(i).0.restore(i, &saved, 1).unwrap();
    }
    let observation = copy.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    assert_eq!(copy.rows(observation, 1), original.rows(observation, 1));
    let action = copy.slabs().key::<i32>(id::ACTION, 0).unwrap();
    for batch in [&mut original, &mut copy] {
        batch.rows_mut(action, 1).fill(1);
        batch.step(1, 0).unwrap();
    }
    assert_eq!(copy.rows(observation, 0), original.rows(observation, 0));
    let truncated = &saved[..saved.len() / 2];
    let error = copy.locate(0).0.restore(0, truncated, 0).unwrap_err();
    assert!(error.message.starts_with("snapshot: "), "{error}");
}

#[test]
fn wrong_config_names_the_key() {
    for (config, found) in [
        (
            json!({"goal": 0}),
            "config test/Walk-v0: /goal: expected 1 ≤ x ≤ 100, found 0",
        ),
        (json!({"gaol": 1}), "config test/Walk-v0: /gaol"),
        (
            json!({"goal": "far"}),
            "config test/Walk-v0: /goal: expected an integer",
        ),
    ] {
        let error = make(&MakeEnvironment {
            config,
            ..MakeEnvironment::new(Walk::ID)
        })
        .err()
        .unwrap();
        assert!(error.message.starts_with(found), "{error}");
    }
}

#[test]
fn an_injected_start_and_exact_steps_replay() {
    let mut batch = batch(1, 1, json!({}));
    batch.reset(&json!({"init": 2}), 0).unwrap();
    let (mut shard, _) = batch.locate(0);
    let step = shard.step_exact(&[vec![vec![1.0], vec![0.0]]], 1).unwrap();
    assert_eq!(step.rewards, [[0.0, 0.0]]);
    assert!((1..=3).contains(&step.state["at"].as_i64().unwrap()));
    assert!(shard.render(0, RenderMode::Rgb).is_err());
    batch.reset(&json!({"init": "far"}), 0).unwrap_err();
}

/// Settings of the relay.
#[config]
struct RelayConfig {
    /// Unused.
    #[config(default = 0)]
    unused: u32,
}

/// Two runners: one dies and stays dead for a step, one ends and starts again within the step.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Relay {
    steps: u32,
}

impl Environment for Relay {
    const ID: &'static str = "test/Relay-v0";
    const DESCRIPTION: &'static str = "Runners that come back";
    type Config = RelayConfig;

    fn spec(_: &RelayConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("runners", 2, Space::real(1), Space::discrete(1));
        spec.flags.respawn = true;
        spec.flags.per_agent_end = true;
        Ok(spec)
    }

    fn new(_: &RelayConfig) -> Result<Self> {
        Ok(Self { steps: 0 })
    }

    fn reset(&mut self, _: &mut EnvRng, _: &ResetOptions<'_>, _: &mut Observe<'_>) -> Result<()> {
        self.steps = 0;
        Ok(())
    }

    fn step(&mut self, _: &mut EnvRng, _: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.steps += 1;
        let mut runners = out.group(0);
        match self.steps {
            1 => runners.terminate(0),
            2 => runners.set_alive(0, true),
            3 => {
                runners.terminate(1);
                runners.set_alive(1, true);
            }
            _ => {}
        }
    }
}

#[test]
fn an_agent_that_comes_back_is_marked_as_first_even_within_the_step_it_ended_in() {
    const ENTRY: EnvironmentEntry = EnvironmentEntry::of::<Relay>();
    let make = |what: &MakeEnvironment| EnvironmentHandle::in_process(&ENTRY, what);
    let mut batch = EnvironmentBatch::new(&MakeEnvironment::new(Relay::ID), 1, 1, make).unwrap();
    batch.reset(&json!({}), 0).unwrap();
    let of = |batch: &EnvironmentBatch, id| batch.slabs().key::<u8>(id, 0).unwrap();
    let (alive, first) = (of(&batch, id::ALIVE), of(&batch, id::AGENT_FIRST));
    let ended = of(&batch, id::AGENT_TERMINATED);
    assert_eq!(
        (batch.rows(alive, 0), batch.rows(first, 0)),
        (&[1, 1][..], &[1, 1][..])
    );
    for (lives, begins, ends) in [
        ([0, 1], [0, 0], [1, 0]),
        ([1, 1], [1, 0], [0, 0]),
        ([1, 1], [0, 1], [0, 1]),
        ([1, 1], [0, 0], [0, 0]),
    ] {
        batch.step(0, 0).unwrap();
        assert_eq!(batch.rows(alive, 0), lives);
        assert_eq!(batch.rows(first, 0), begins);
        assert_eq!(batch.rows(ended, 0), ends);
    }
}

export_plugin!(environments: [Walk, Relay]);

#[test]
fn an_ended_instance_waits_where_the_host_asks_for_it() {
    let mut batch = batch(2, 1, json!({"goal": 3}));
    batch.reset(&json!({"manual_reset": true}), 0).unwrap();
    let action = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
    let terminated = batch.slabs().key::<u8>(id::TERMINATED, NO_GROUP).unwrap();
    let first = batch.slabs().key::<u8>(id::FIRST, NO_GROUP).unwrap();
    batch.rows_mut(action, 0).fill(1);
    while batch.rows(terminated, 0) == [0, 0] {
        batch.step(0, 0).unwrap();
    }
    let ended = batch
        .rows(terminated, 0)
        .iter()
        .position(|&t| t == 1)
        .unwrap();
    assert_eq!(batch.rows(first, 0)[ended], 0);
    let end = batch.locate(ended).0.inspect(ended).unwrap();
    assert!(
        end["at"].as_i64().unwrap().abs() >= 3,
        "the end can be looked at: {end}"
    );
    let mut mask = [0; 2];
    mask[ended] = 1;
    batch.locate(0).0.reset(Some(&mask), &json!({}), 0).unwrap();
    assert_eq!(batch.rows(first, 0)[ended], 1);
    assert!(
        batch.locate(ended).0.inspect(ended).unwrap()["at"]
            .as_i64()
            .unwrap()
            .abs()
            < 3
    );
}
