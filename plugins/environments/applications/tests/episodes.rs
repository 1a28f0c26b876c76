//! Random play earns what hand calculations say, in ten thousand episodes.

use applications::{LinearTeam, MarketMaking, ResourceAllocation, SmartGrid, Swarm};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
    testing::{
        Subject,
        baseline::{Played, mean_and_error},
        random_games,
    },
};

const EPISODES: usize = 10_000;

fn random<E: Environment>(config: Value) -> Vec<Played> {
    random_games(&Subject::of::<E>(config), EPISODES)
}

fn mean_of(episodes: &[Played], metric: usize) -> f64 {
    mean_and_error(episodes, |episode| episode.metrics[metric])[0]
}

/// By hand: three uniform requests of up to 10 have a sum of more than 10 with probability 1 - 1/6.
#[test]
fn resource_allocation() {
    let oversubscribed = mean_of(
        &random::<ResourceAllocation>(json!({"capacity_variation": 0.0})),
        4,
    );
    // The standard error of a million steps is 0.0004.
    assert!(
        (oversubscribed - 5.0 / 6.0).abs() < 0.002,
        "{oversubscribed}"
    );
}

/// By hand: with one component, neither decay nor input, the noise alone is squared: 0.04 a step on average after
/// the first, which starts at 0.
#[test]
fn linear_team() {
    let config = json!({
        "num_agents": 1, "state_size": 1, "action_size": 1, "decay": 0.0, "coupling": 0.0, "start": 0.0,
        "max_action": 0.0, "noise": 0.2, "max_episode_steps": 26,
    });
    let episodes = random::<LinearTeam>(config);
    let cost = mean_of(&episodes, 0);
    // The standard error is 0.04 · √(2 · 25 / 10,000).
    assert!((cost - 1.0).abs() < 4.0 * 0.0029, "{cost}");
    let [returns, _] = mean_and_error(&episodes, |episode| episode.group(0));
    assert!((returns + cost).abs() < 1e-6);
}

/// By hand: each of three consumers forgoes 0.3 · 6 · 1/2 a step on average, over whole days.
#[test]
fn smart_grid() {
    let curtailed = mean_of(&random::<SmartGrid>(json!({})), 3) / (168.0 * 2.7);
    assert!((curtailed - 1.0).abs() < 0.002, "{curtailed}");
}

/// No position exceeds its limit, and in fifty steps some market maker trades in every session.
#[test]
fn market_making() {
    let config = json!({"max_inventory": 5, "demand": 5, "session_steps": 50});
    for episode in random::<MarketMaking>(config) {
        assert!(episode.metrics[3] > 0.0 && episode.metrics[3] <= 5.0);
    }
}

/// By hand: of ten robots (1 - 0.001)^200 of the time 8.186 still work at the end.
#[test]
fn swarm() {
    let working = mean_of(&random::<Swarm>(json!({"points_per_side": 5})), 2);
    // The standard error is √(10 · 0.8186 · 0.1814 / 10,000).
    assert!((working - 8.186).abs() < 4.0 * 0.0122, "{working}");
}
