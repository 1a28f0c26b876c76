//! QMIX on the game that it was made for, and what any learner owes its host.

mod common;

use palaestra_plugin_api::{
    prelude::*,
    serde_json::json,
    testing::{
        Subject,
        training::{Settings, Training},
    },
};
use trials::TinyQmix;

fn training(seed: u64) -> Training {
    let settings = Settings {
        instances: 8,
        run_seed: seed,
        longest: 2,
        ..Settings::default()
    };
    let world = common::world("matrix_games", "matrix/TwoStep-v0", json!({}));
    Training::of::<TinyQmix>(&world, &settings).unwrap()
}

#[test]
fn the_better_second_game_is_found_from_every_seed() {
    for seed in 0..5 {
        let mut training = training(seed);
        for _ in 0..300 {
            training.iterate().unwrap();
        }
        assert_eq!(training.play(8).unwrap(), 8.0, "seed {seed}");
    }
}

#[test]
fn resuming_equals_never_having_stopped() {
    common::assert_resumes::<TinyQmix>(|| training(3), 20, 60);
}

#[test]
fn weights_carry_the_policy_to_another_object() {
    let mut learned = training(0);
    for _ in 0..300 {
        learned.iterate().unwrap();
    }
    let weights = common::weights(&mut learned);
    let mut other = training(99);
    let told = other.algorithm();
    assert!(told.set_weights(&mut &weights[..], &["nobody"]).is_err());
    told.set_weights(&mut &weights[..], &["player"]).unwrap();
    assert_eq!(other.play(8).unwrap(), 8.0);
}

/// Nothing to see for two agents, and a reward that is no number.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Nowhere;

/// No settings.
#[config]
struct NowhereConfig {}

impl Environment for Nowhere {
    const ID: &'static str = "test/Nowhere-v0";
    const DESCRIPTION: &'static str = "A reward that is no number";
    type Config = NowhereConfig;

    fn spec(_: &NowhereConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("lost", 2, Space::real(1), Space::discrete(2));
        spec.max_episode_steps = Some(3);
        Ok(spec)
    }
    fn new(_: &NowhereConfig) -> Result<Self> {
        Ok(Self)
    }
    fn reset(&mut self, _: &mut EnvRng, _: &ResetOptions<'_>, out: &mut Observe<'_>) -> Result<()> {
        (0..2).for_each(|agent| out.observation(agent)[0] = 0.5);
        Ok(())
    }
    fn step(&mut self, _: &mut EnvRng, _: &Actions<'_>, out: &mut StepWriter<'_>) {
        (0..2).for_each(|agent| {
            out.observation(agent)[0] = 0.5;
            out.reward(agent, f64::NAN);
        });
    }
}

#[test]
fn rewards_that_are_no_numbers_change_nothing_and_end_the_run() {
    let settings = Settings {
        config: json!({"batch_size": 4, "updates": 1, "max_skipped": 3}),
        instances: 4,
        longest: 3,
        ..Settings::default()
    };
    let world = Subject::of::<Nowhere>(json!({}));
    let mut training = Training::of::<TinyQmix>(&world, &settings).unwrap();
    let before = common::weights(&mut training);
    for skipped in 1..=3 {
        let (_, metrics) = training.iterate().unwrap();
        assert_eq!(metrics["skipped_updates"], f64::from(skipped));
    }
    assert!(common::weights(&mut training) == before);
    let told = training.iterate().unwrap_err().to_string();
    assert!(told.contains("found 4 updates without in a row"), "{told}");
}
