//! The learner that `palaestra new algorithm` writes learns more than its own tests show.

mod common;

use palaestra_plugin_api::{
    serde_json::json,
    testing::training::{Settings, Training},
};
use template_algorithm::Ascent;

#[test]
fn the_template_balances_a_pole() {
    for seed in 0..2 {
        let settings = Settings {
            instances: 16,
            run_seed: seed,
            ..Settings::default()
        };
        let world = common::world("classic_control", "classic/CartPole-v1", json!({}));
        let mut training = Training::of::<Ascent>(&world, &settings).unwrap();
        // A2C comes and goes, so the best of six evaluations counts, as it does for a run's best checkpoint: 475 is
        // CartPole's bar. 600 fragments of 16 instances and 32 steps are 300,000 steps.
        let evaluations = (0..6).map(|_| {
            (0..100).for_each(|_| drop(training.iterate().unwrap()));
            training.play(32).unwrap()
        });
        let best = evaluations.fold(0.0, f64::max);
        assert!(best >= 475.0, "seed {seed}: {best}");
    }
}
