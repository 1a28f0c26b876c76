//! Every world's own baseline does clearly better than chance.

use applications::{LinearTeam, MarketMaking, ResourceAllocation, SmartGrid, Swarm};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
    testing::{
        Subject,
        baseline::{Played, assert_beats_random},
    },
};

const EPISODES: usize = 400;

/// Compares a measure of episodes in which the named groups follow the baseline; prints both means.
fn beats<E: Environment>(
    config: Value,
    margin: f64,
    groups: &[usize],
    measure: impl Fn(&Played) -> f64,
) {
    let subject = Subject::of::<E>(config.clone());
    let named = |group: usize, _| groups.contains(&group);
    let [chance, script] = assert_beats_random(&subject, EPISODES, margin, named, measure);
    println!(
        "{} {config} {groups:?}: random {chance:.3}, scripted {script:.3}",
        E::ID
    );
}

#[test]
fn resource_allocation() {
    let each = |played: &Played| played.total() / 300.0;
    beats::<ResourceAllocation>(json!({}), 0.05, &[0], each);
    for (utility, reward) in [
        ("satisfaction", "egalitarian"),
        ("linear", "utilitarian"),
        ("logarithmic", "nash"),
    ] {
        let config = json!({"utility": utility, "reward": reward});
        beats::<ResourceAllocation>(config, 0.05, &[0], each);
    }
}

#[test]
fn linear_team() {
    beats::<LinearTeam>(json!({}), 100.0, &[0], Played::total);
    // Against each other all rewards sum to 0: the first of two plays by the script.
    let config = json!({"reward": "competitive"});
    let subject = Subject::of::<LinearTeam>(config);
    let first = |played: &Played| played.returns[0][0];
    assert_beats_random(&subject, EPISODES, 50.0, |_, agent| agent == 0, first);
}

#[test]
fn smart_grid() {
    beats::<SmartGrid>(json!({}), 100.0, &[0, 1, 2], Played::total);
    beats::<SmartGrid>(
        json!({"num_storages": 3, "storage_power": 1.0}),
        100.0,
        &[0, 1, 2],
        Played::total,
    );
}

#[test]
fn swarm() {
    let performance = |played: &Played| played.metrics[0];
    beats::<Swarm>(json!({}), 0.1, &[0], performance);
    beats::<Swarm>(json!({"task": "formation"}), 0.1, &[0], performance);
    beats::<Swarm>(json!({"task": "search"}), 0.1, &[0], Played::total);
}

/// Together, and each kind of trader alone among random ones.
#[test]
fn market_making() {
    let together = [0, 1, 2, 3];
    beats::<MarketMaking>(json!({}), 100.0, &together, Played::total);
    for group in together {
        beats::<MarketMaking>(json!({}), 10.0, &[group], |played| played.group(group));
    }
}
