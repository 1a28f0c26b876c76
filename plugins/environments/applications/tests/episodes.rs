//! Ten thousand random episodes of every environment: nothing breaks, and what is earned is within reason.

mod common;

use applications::{LinearTeam, MarketMaking, ResourceAllocation, SmartGrid, Swarm};
use common::{Sample, play};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
};

const EPISODES: usize = 10_000;

/// Returns and a metric of random play.
fn random<E: Environment>(config: Value, metric: usize) -> [Sample; 2] {
    let samples = play::<E>(&config, EPISODES, metric);
    println!(
        "{} {config}: return {:.4}, metric {metric} {:.4}",
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

/// By hand: three uniform requests of up to 10 have a sum of more than 10 with probability 1 - 1/6.
#[test]
fn resource_allocation() {
    let [_, oversubscribed] = random::<ResourceAllocation>(json!({"capacity_variation": 0.0}), 4);
    // The standard error of a million steps is 0.0004.
    let mean = oversubscribed.mean();
    assert!((mean - 5.0 / 6.0).abs() < 0.002, "{mean}");
    random::<ResourceAllocation>(json!({"num_agents": 12, "reward": "nash"}), 2);
}

/// By hand: with one component, neither decay nor input, the noise alone is squared: 0.04 a step on average after
/// the first, which starts at 0.
#[test]
fn linear_team() {
    random::<LinearTeam>(json!({}), 0);
    random::<LinearTeam>(json!({"decay": 1.5, "reward": "competitive"}), 0);
    let config = json!({
        "num_agents": 1, "state_size": 1, "action_size": 1, "decay": 0.0, "coupling": 0.0, "start": 0.0,
        "max_action": 0.0, "noise": 0.2, "max_episode_steps": 26,
    });
    let [returns, cost] = random::<LinearTeam>(config, 0);
    // The standard error is 0.04 · √(2 · 25 / 10,000).
    assert!((cost.mean() - 1.0).abs() < 4.0 * 0.0029, "{}", cost.mean());
    assert!((returns.mean() + cost.mean()).abs() < 1e-6);
}

/// By hand: each of three consumers forgoes 0.3 · 6 · 1/2 a step on average, over whole days.
#[test]
fn smart_grid() {
    let [_, curtailed] = random::<SmartGrid>(json!({}), 3);
    let mean = curtailed.mean() / (168.0 * 2.7);
    assert!((mean - 1.0).abs() < 0.002, "{mean}");
    random::<SmartGrid>(json!({"num_producers": 5, "num_storages": 3}), 0);
}

/// No position exceeds its limit, and in fifty steps some market maker trades in every session.
#[test]
fn market_making() {
    let [_, position] = random::<MarketMaking>(
        json!({"max_inventory": 5, "demand": 5, "session_steps": 50}),
        3,
    );
    assert!(position.0.iter().all(|&x| x > 0.0 && x <= 5.0));
    random::<MarketMaking>(json!({"session_steps": 50}), 1);
}

/// By hand: of ten robots (1 - 0.001)^200 of the time 8.186 still work at the end.
#[test]
fn swarm() {
    let [_, working] = random::<Swarm>(json!({"points_per_side": 5}), 2);
    // The standard error is √(10 · 0.8186 · 0.1814 / 10,000).
    assert!(
        (working.mean() - 8.186).abs() < 4.0 * 0.0122,
        "{}",
        working.mean()
    );
    random::<Swarm>(json!({"task": "formation", "failure_probability": 0.02}), 0);
    random::<Swarm>(json!({"task": "search"}), 0);
}
