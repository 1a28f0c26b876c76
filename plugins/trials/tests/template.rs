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
        // 16 instances of 32 steps: 100,000 steps in all.
        for _ in 0..200 {
            training.iterate().unwrap();
        }
        let score = training.play(32).unwrap();
        println!("seed {seed}: {score}");
        assert!(score > 450.0, "seed {seed}: {score}");
    }
}
