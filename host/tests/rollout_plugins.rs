//! Rollouts of the workspace's own plugins, loaded as the program loads them.

mod common;
mod worlds;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use common::session;
use palaestra::{
    rollout::{EpisodeReport, EpisodeSet, Rollout, RolloutOptions, Workers, run_episodes},
    session::EnvironmentMaker,
};
use palaestra_plugin_api::client::MakeEnvironment;
use palaestra_registry::Kind;
use serde_json::json;
use worlds::Digest;

fn rollout(maker: &EnvironmentMaker, instances: usize, shards: usize, threads: usize) -> Rollout {
    let environment = MakeEnvironment {
        instances,
        run_seed: 11,
        ..maker.request()
    };
    let options = RolloutOptions {
        shards: Some(shards),
        ..RolloutOptions::new(environment, maker.plugin())
    };
    Rollout::new(
        &options,
        &Workers::new(threads).unwrap(),
        &|what: &MakeEnvironment| maker.make(what),
    )
    .unwrap()
}

/// All slabs of all steps with random actions.
fn digest(
    maker: &EnvironmentMaker,
    shards: usize,
    threads: usize,
    steps: usize,
) -> (Digest, Rollout) {
    let mut rollout = rollout(maker, 21, shards, threads);
    rollout.reset().unwrap();
    let mut policies = rollout.random();
    let mut digest = Digest::new();
    for _ in 0..steps / rollout.plan().steps {
        let fragment = rollout.plan().steps;
        rollout.collect(&mut policies, fragment).unwrap();
        digest.slots(&[&rollout], 0..=fragment, fragment);
    }
    (digest, rollout)
}

fn same_bytes(maker: &EnvironmentMaker, steps: usize) {
    let (expected, reference) = digest(maker, 1, 1, steps);
    for (shards, threads) in [(7, 1), (7, 2)] {
        let (found, rollout) = digest(maker, shards, threads, steps);
        assert_eq!(
            found,
            expected,
            "{}: {shards} shards, {threads} threads",
            maker.id()
        );
        assert_eq!(
            rollout.statistics(),
            reference.statistics(),
            "{}",
            maker.id()
        );
    }
}

#[test]
fn threads_and_shards_change_no_byte_of_ten_thousand_steps() {
    let (session, _folder) = session();
    for id in ["classic/CartPole-v1", "mpe/SimpleSpread-v3"] {
        same_bytes(&session.environment(id, &json!({})).unwrap(), 10_000);
    }
}

#[test]
fn threads_and_shards_change_no_byte_of_any_environment() {
    let (session, _folder) = session();
    let entries = session.registry().entries(Kind::Environment);
    let ids: Vec<String> = entries.map(|entry| entry.export.id.to_string()).collect();
    assert!(
        ids.len() >= 8,
        "{ids:?}; run the tests with cargo xtask test"
    );
    for id in ids.iter().filter(|id| !id.starts_with("stress/")) {
        same_bytes(&session.environment(id, &json!({})).unwrap(), 320);
    }
}

/// A table of the reference folder, split at the commas outside quotes, without its head.
fn table(name: &str) -> Vec<Vec<String>> {
    let ours = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../reference");
    let path = env::var_os("PALAESTRA_REFERENCE")
        .map_or_else(ours, PathBuf::from)
        .join("tables")
        .join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let row = |line: &str| {
        let mut quoted = false;
        let cells = line.split(|c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        });
        cells.map(str::to_owned).collect()
    };
    text.lines().skip(1).map(row).collect()
}

/// Episodes of an environment under a policy of the tables.
fn episodes(maker: &EnvironmentMaker, policy: &str, episodes: usize) -> EpisodeReport {
    let instances = episodes.min(500);
    let mut rollout = rollout(maker, instances, 2, 2);
    let set = EpisodeSet::new(episodes, instances);
    match policy {
        "random" => {
            let mut policies = rollout.random();
            run_episodes(&mut rollout, &mut policies, &set, drop).unwrap()
        }
        _ => {
            let mut policies = rollout.no_op();
            run_episodes(&mut rollout, &mut policies, &set, drop).unwrap()
        }
    }
}

/// Means of two samples differ by less than four standard errors.
fn agrees(what: &str, report: &EpisodeReport, (count, mean, std): (f64, f64, f64)) {
    let ours = &report.total;
    let error = (std * std / count + ours.standard_error * ours.standard_error).sqrt();
    let off = (ours.mean_return - mean).abs();
    assert!(
        off <= 4.0 * error + 1e-9,
        "{what}: {} and {mean}, {} standard errors",
        ours.mean_return,
        off / error
    );
    if std > 0.0 {
        assert!(
            (ours.std_return / std - 1.0).abs() < 0.25,
            "{what}: {} and {std}",
            ours.std_return
        );
    }
}

#[test]
fn random_and_idle_returns_are_those_of_the_references_golden() {
    let (session, _folder) = session();
    let number = |text: &str| text.parse::<f64>().unwrap();
    let mut cases = 0;
    for row in table("baselines_mpe.csv") {
        let [task, physics, policy] = [&row[0], &row[1], &row[2]].map(String::as_str);
        if physics != "mpe2" || !["random", "noop"].contains(&policy) {
            continue;
        }
        let name: String = task
            .split('_')
            .map(|word| word[..1].to_uppercase() + &word[1..])
            .collect();
        let maker = session.environment(&name, &json!({})).unwrap();
        let expected = (number(&row[3]), number(&row[6]), number(&row[7]));
        agrees(
            &format!("{name}, {policy}"),
            &episodes(&maker, policy, 1000),
            expected,
        );
        cases += 1;
    }
    for row in table("baselines_other.csv") {
        // What other rows name is configured there, or has a policy that only their environments know.
        if let ("random", Ok(maker)) = (
            row[1].as_str(),
            session.environment(&format!("classic/{}", row[0]), &json!({})),
        ) {
            let expected = (number(&row[2]), number(&row[3]), number(&row[4]));
            agrees(&row[0], &episodes(&maker, "random", 200), expected);
            cases += 1;
        }
    }
    assert!(cases >= 15, "{cases} cases");
}
