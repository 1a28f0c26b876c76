//! Adaptation to tasks: two phases of a turn, weights of its own for every task, and a gain that lasts.

mod common;

use palaestra_plugin_api::{
    algorithm::{Amount, Collect},
    prelude::*,
    serde_json::{Value, json},
    testing::{
        Subject,
        training::{Settings, Training},
    },
};
use trials::Adapting;

/// A lamp is on or off; pushing the right one of two buttons pays 1. Which one that is depends on the task, and is not
/// to be seen.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Buttons {
    crossed: bool,
    lamp: bool,
}

/// No settings.
#[config]
struct ButtonsConfig {}

/// Steps of an episode.
const PUSHES: u32 = 10;

impl Buttons {
    fn light(&mut self, rng: &mut EnvRng, out: &mut Observe<'_>) {
        self.lamp = rng.below(2) == 1;
        out.observation(0)[0] = if self.lamp { 1.0 } else { -1.0 };
    }
}

impl Environment for Buttons {
    const ID: &'static str = "test/Buttons-v0";
    const DESCRIPTION: &'static str = "Which button is the right one has to be found out";
    type Config = ButtonsConfig;

    fn spec(_: &ButtonsConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("finger", 1, Space::real(1), Space::discrete(2));
        spec.max_episode_steps = Some(PUSHES);
        Ok(spec)
    }
    fn new(_: &ButtonsConfig) -> Result<Self> {
        Ok(Self {
            crossed: false,
            lamp: false,
        })
    }
    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let task = options.options::<Value>()?.unwrap_or_default();
        self.crossed = task["crossed"] == true;
        self.light(rng, out);
        Ok(())
    }
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let right = (actions.discrete(0) == 1) == (self.lamp != self.crossed);
        out.reward(0, f64::from(u8::from(right)));
        self.light(rng, out);
    }
}

/// Tasks 0, 2, … as they are, 1, 3, … crossed.
fn buttons(seed: u64, config: Value) -> Training {
    let tasks = (0..6).map(|task| json!({"crossed": task % 2 == 1}));
    let settings = Settings {
        config,
        instances: 8,
        run_seed: seed,
        longest: 2 * PUSHES as usize,
        tasks: tasks.collect(),
    };
    Training::of::<Adapting>(&Subject::of::<Buttons>(json!({})), &settings).unwrap()
}

#[test]
fn support_and_query_are_fresh_episodes_of_the_same_tasks() {
    let mut training = buttons(1, json!({"tasks": 6, "tasks_per_update": 3}));
    let mut drawn = Vec::new();
    for _ in 0..6 {
        let support = training.algorithm().what_next().unwrap();
        assert_eq!(training.algorithm().what_next().unwrap(), support);
        let Collect {
            amount,
            fresh,
            greedy,
            ref tasks,
        } = support;
        assert_eq!((amount, fresh, greedy), (Amount::Episodes(2), true, false));
        assert!(tasks.len() == 3 && tasks.is_sorted_by(|a, b| a < b) && tasks[2] < 6);
        let (_, metrics) = training.iterate().unwrap();
        assert_eq!(metrics.keys().collect::<Vec<_>>(), ["support_return"]);
        assert_eq!(
            training.algorithm().what_next().unwrap(),
            support,
            "the query"
        );
        let (_, metrics) = training.iterate().unwrap();
        assert!(metrics.contains_key("adaptation_gain"));
        drawn.push(support.tasks);
    }
    drawn.dedup();
    assert!(drawn.len() > 3, "every turn draws its tasks: {drawn:?}");
}

/// No one policy can do better than 5 of 10 on average: that the query does says that each instance is played by the
/// weights of its own task.
#[test]
fn every_instance_is_played_by_the_weights_of_its_task() {
    let mut training = buttons(
        0,
        json!({"tasks": 2, "inner_lr": 3.0, "inner_steps": 5, "lr": 0.01}),
    );
    let (mut support, mut query) = (0.0, 0.0);
    for _ in 0..40 {
        support += training.iterate().unwrap().0.mean_return() / 40.0;
        query += training.iterate().unwrap().0.mean_return() / 40.0;
    }
    assert!((4.5..5.5).contains(&support), "{support}");
    assert!(query > 8.5, "{query}");
}

/// In the middle of a turn: the weights of the tasks are part of the snapshot.
#[test]
fn resuming_within_a_turn_equals_never_having_stopped() {
    common::assert_resumes::<Adapting>(|| buttons(2, json!({"tasks": 2})), 7, 5);
}

#[test]
fn fewer_instances_than_tasks_are_refused() {
    let settings = Settings {
        instances: 3,
        ..Settings::default()
    };
    let world = Subject::of::<Buttons>(json!({}));
    let told = Training::of::<Adapting>(&world, &settings).err().unwrap();
    assert!(
        told.to_string()
            .contains("expected at least 4 instances for as many tasks, found 3"),
        "{told}"
    );
}

#[test]
fn poles_of_any_length_stand_longer_after_adaptation() {
    let lengths = [0.25, 0.5, 1.0, 2.0];
    let task = |length: &f64| json!({"pole_half_length": length});
    let settings = Settings {
        instances: 16,
        longest: 1_000,
        tasks: lengths.iter().map(task).collect(),
        ..Settings::default()
    };
    let world = common::world("classic_control", "classic/CartPole-v1", json!({}));
    let mut training = Training::of::<Adapting>(&world, &settings).unwrap();
    let mut turns = Vec::new();
    for _ in 0..40 {
        let support = training.iterate().unwrap().0.mean_return();
        let query = training.iterate().unwrap().0.mean_return();
        turns.push((support, query));
    }
    let mean = |of: fn(&(f64, f64)) -> f64, from: usize| {
        turns[from..].iter().map(of).sum::<f64>() / (turns.len() - from) as f64
    };
    let (support, query) = (mean(|t| t.0, 25), mean(|t| t.1, 25));
    assert!(turns[0].0 < 40.0 && support > 100.0, "{turns:?}");
    assert!(query > support + 15.0, "{query} {support}");
}
