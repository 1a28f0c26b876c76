//! Ten thousand random episodes of every environment: nothing breaks, and what is earned is within reason.

mod common;

use common::{Policy, Sample, play};
use grid_worlds::{
    Checkers, CooperativeMeeting, Doorway, Foraging, PredatorPrey, Switch, SwitchRiddle,
    TrafficJunction, TrafficJunctionMaGym, Warehouse,
};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
};

const EPISODES: usize = 10_000;

/// Returns and the first metric of random play.
fn random<E: Environment>(config: Value) -> [Sample; 2] {
    let samples = play::<E>(&config, Policy::Random, EPISODES, 0);
    println!(
        "{} {config}: return {:.4}, first metric {:.4}",
        E::ID,
        samples[0].mean(),
        samples[1].mean()
    );
    assert!(
        samples
            .iter()
            .all(|sample| sample.0.len() == EPISODES && sample.0.iter().all(|x| x.is_finite()))
    );
    samples
}

#[test]
fn foraging() {
    random::<Foraging>(json!({}));
    random::<Foraging>(
        json!({"grid_observation": true, "sight": 2, "action_mask": true, "penalty": 0.1}),
    );
}

#[test]
fn warehouse() {
    random::<Warehouse>(
        json!({"num_agents": 6, "reward_type": "two_stage", "max_episode_steps": 50}),
    );
}

#[test]
fn traffic_junctions() {
    random::<TrafficJunction>(json!({}));
    let [_, collisions] = random::<TrafficJunctionMaGym>(json!({}));
    assert!(
        collisions.mean() > 0.5,
        "random drivers are in each other's way"
    );
}

/// The two agents together cannot earn more than 8.3.
#[test]
fn switch() {
    let [returns, _] = random::<Switch>(json!({}));
    assert!(
        returns
            .0
            .iter()
            .all(|&total| (-10.0 - 1e-9..=8.3 + 1e-9).contains(&total))
    );
}

#[test]
fn checkers() {
    random::<Checkers>(json!({}));
}

/// By hand: whoever is in the room tells with probability 1/3, so that hardly anybody gets to know.
#[test]
fn switch_riddle() {
    let [returns, told] = random::<SwitchRiddle>(json!({}));
    // Six steps: 1 - (2/3)^6.
    assert!(
        (told.mean() - 0.9122).abs() < 4.0 * (0.9122_f64 * 0.0878 / EPISODES as f64).sqrt(),
        "{}",
        told.mean()
    );
    assert!(returns.mean() < 0.0);
}

#[test]
fn predator_prey() {
    let [_, captures] = random::<PredatorPrey>(json!({}));
    let [_, of_fleeing] = random::<PredatorPrey>(json!({"prey": "flee"}));
    assert!(
        of_fleeing.mean() < captures.mean(),
        "who flees is caught less"
    );
    random::<PredatorPrey>(json!({"observation": "local", "num_predators": 4, "prey": "random"}));
}

/// By hand: two wanderers are both at one of 25 cells about once in 625 steps, an episode has 50, and meetings
/// would come in runs.
#[test]
fn meeting_and_doorway() {
    let [_, met] = random::<CooperativeMeeting>(json!({}));
    assert!((0.02..0.12).contains(&met.mean()), "{}", met.mean());
    random::<Doorway>(json!({}));
}
