//! Learns, resumes, sends its weights: in a world of a few lines.

use palaestra_plugin_api::serde_json::json;
use palaestra_plugin_api::testing::Subject;
use palaestra_plugin_api::testing::training::{Settings, Training};

use super::*;

/// Two agents see a lamp each; whoever pushes the button that its lamp asks for is paid 1, ten times.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Lamps([bool; 2]);

/// No settings.
#[palaestra_plugin_api::config]
struct LampsConfig {}

impl Environment for Lamps {
    const ID: &'static str = "test/Lamps-v0";
    const DESCRIPTION: &'static str = "Push the button that the lamp asks for";
    type Config = LampsConfig;

    fn spec(_: &LampsConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("hands", 2, Space::real(1), Space::discrete(2));
        spec.max_episode_steps = Some(10);
        Ok(spec)
    }

    fn new(_: &LampsConfig) -> Result<Self> {
        Ok(Self([false; 2]))
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        _: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        for (agent, lamp) in self.0.iter_mut().enumerate() {
            *lamp = rng.below(2) == 1;
            out.observation(agent)[0] = if *lamp { 1.0 } else { -1.0 };
        }
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        for (agent, lamp) in self.0.iter_mut().enumerate() {
            let right = (actions.discrete(agent) == 1) == *lamp;
            out.reward(agent, f64::from(u8::from(right)));
            *lamp = rng.below(2) == 1;
            out.observation(agent)[0] = if *lamp { 1.0 } else { -1.0 };
        }
    }
}

fn training(seed: u64) -> Training {
    let settings = Settings {
        instances: 4,
        run_seed: seed,
        ..Settings::default()
    };
    Training::of::<Ascent>(&Subject::of::<Lamps>(json!({})), &settings).unwrap()
}

#[test]
fn the_right_buttons_are_learned_from_every_seed() {
    for seed in 0..5 {
        let mut training = training(seed);
        for _ in 0..60 {
            training.iterate().unwrap();
        }
        assert_eq!(training.play(8).unwrap(), 10.0, "seed {seed}");
    }
}

#[test]
fn resuming_equals_never_having_stopped() {
    let begun = || {
        let mut training = training(1);
        (0..5).for_each(|_| drop(training.iterate().unwrap()));
        training
    };
    let (mut kept, mut resumed) = (begun(), begun());
    let mut snapshot = Vec::new();
    kept.algorithm().snapshot(&mut snapshot).unwrap();
    let mut restored = resumed.another::<Ascent>().unwrap();
    restored.restore(&mut &snapshot[..]).unwrap();
    resumed.replace(restored).unwrap();
    for _ in 0..5 {
        assert_eq!(resumed.iterate().unwrap(), kept.iterate().unwrap());
    }
}

#[test]
fn a_snapshot_of_other_policies_is_refused() {
    let mut training = training(1);
    let mut snapshot = Vec::new();
    training.algorithm().snapshot(&mut snapshot).unwrap();
    let mut saved: serde_json::Value = serde_json::from_slice(&snapshot).unwrap();
    saved["teams"] = json!([]);
    let error = training
        .algorithm()
        .restore(&mut saved.to_string().as_bytes());
    let message = error.unwrap_err().message;
    assert!(
        message.contains("expected 1 policies, found 0"),
        "{message}"
    );
}

#[test]
fn weights_carry_the_policy_to_another_object() {
    let (mut one, mut other) = (training(1), training(2));
    one.iterate().unwrap();
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    one.algorithm().weights(&mut sent).unwrap();
    other
        .algorithm()
        .set_weights(&mut &sent[..], &["hands"])
        .unwrap();
    other.algorithm().weights(&mut received).unwrap();
    assert!(sent == received && sent.len() > 1000);
}

/// By hand: rows 0 and 2 count, so L = -(2·(-1) + (-1)·(-3))/2.
#[test]
fn the_policy_loss_leaves_out_who_does_not_take_part() {
    let loss = team::policy_loss(&[-1.0, -2.0, -3.0], &[2.0, 9.0, -1.0], &[1, 0, 1]).unwrap();
    assert_eq!(loss.value, -0.5);
    assert_eq!(loss.gradient, [-1.0, 0.0, 0.5]);
}
