//! Units and their rows.

use super::*;
use palaestra_plugin_api::{
    __private::AlgorithmEntry,
    abi::NO_GROUP,
    algorithm::{Algorithm, AlgorithmCapabilities, AlgorithmRequest},
    client::{AlgorithmHandle, MakeAlgorithm},
    prelude::*,
    serde_json::json,
};

use crate::transitions::{Cut, Transitions, cuts};

/// Which sharing.
#[palaestra_plugin_api::config]
struct ShowConfig {
    /// Which.
    #[config(default = Share::Group)]
    share: Share,
}

/// Shows the units of its setting in the names of its extras.
struct Show;

impl Algorithm for Show {
    const ID: &'static str = "test/Show-v0";
    const DESCRIPTION: &'static str = "Shows units";
    type Config = ShowConfig;

    fn capabilities(config: &ShowConfig, setting: &Setting) -> Result<AlgorithmCapabilities> {
        let extra = |unit: &Unit| {
            let joint: Vec<String> = unit.members.iter().map(|m| m.joint.to_string()).collect();
            palaestra_plugin_api::algorithm::Extra::new(
                &format!("{}:{}", unit.name, joint.join(",")),
                1,
            )
        };
        Ok(AlgorithmCapabilities {
            extras: Unit::all(setting, config.share)?
                .iter()
                .map(extra)
                .collect(),
            ..AlgorithmCapabilities::default()
        })
    }
    fn new(_: &ShowConfig, _: &Setting) -> Result<Self> {
        Ok(Self)
    }
    fn act(&mut self, _: &mut Table<'_>, _: usize, _: bool) -> Result<()> {
        Ok(())
    }
}

fn spec(actions: usize) -> EnvironmentSpec {
    let mut spec = EnvironmentSpec::new("good", 2, Space::real(1), Space::discrete(3));
    spec.groups.push(GroupSpec::new(
        "bad",
        1,
        Space::real(1),
        Space::discrete(actions),
    ));
    spec
}

fn units(share: &str, actions: usize) -> Result<Vec<String>> {
    let request = AlgorithmRequest {
        id: Show::ID.into(),
        config: json!({"share": share}),
        role: palaestra_plugin_api::algorithm::Role::Learner,
        spec: spec(actions),
        controlled: vec![0, 1],
        exchange: None,
    };
    let what = MakeAlgorithm::new(request);
    let handle = AlgorithmHandle::in_process(&AlgorithmEntry::of::<Show>(), &what, None)?;
    Ok(handle
        .capabilities()
        .extras
        .iter()
        .map(|e| e.name.clone())
        .collect())
}

#[test]
fn units_are_groups_all_or_agents() {
    assert_eq!(units("group", 3).unwrap(), ["good:0,1", "bad:2"]);
    assert_eq!(units("all", 3).unwrap(), ["shared:0,1,2"]);
    assert_eq!(
        units("none", 3).unwrap(),
        ["good/0:0", "good/1:1", "bad/0:2"]
    );
    let error = units("all", 4).unwrap_err();
    assert!(
        error
            .message
            .contains("expected groups with the same spaces"),
        "{error}"
    );
}

/// All agents of two groups, and the second agent of the first group.
fn everyone() -> [Unit; 2] {
    let member = |group, agent, joint, size| Member {
        group,
        agent,
        joint,
        size,
    };
    let all = Unit {
        name: "shared".into(),
        groups: vec!["good".into(), "bad".into()],
        members: vec![member(0, 0, 0, 2), member(0, 1, 1, 2), member(1, 0, 2, 1)],
        spec: spec(3).groups[0].clone(),
    };
    let one = Unit {
        name: "good/1".into(),
        groups: vec!["good".into()],
        members: vec![member(0, 1, 1, 2)],
        ..all.clone()
    };
    [all, one]
}

#[test]
fn rows_are_gathered_and_scattered_by_member() {
    let [all, one] = everyone();
    // One slot, two instances.
    let (good, bad) = ([1.0f32, 2.0, 3.0, 4.0], [5.0f32, 6.0]);
    let alive = [1u8, 0, 1, 1];
    let (mut to_good, mut to_bad) = ([0i32; 4], [0i32; 2]);
    let mut table = Table::new();
    table.add(id::OBSERVATION, 0, &[1, 2, 2, 1], &good).unwrap();
    table.add(id::OBSERVATION, 1, &[1, 2, 1, 1], &bad).unwrap();
    table.add(id::CONTROLLED, 0, &[1, 2, 2], &alive).unwrap();
    table.add(id::CONTROLLED, 1, &[1, 2, 1], &[1u8, 0]).unwrap();
    table
        .add_mut(id::PROPOSED_ACTION, 0, &[1, 2, 2, 1], &mut to_good)
        .unwrap();
    table
        .add_mut(id::PROPOSED_ACTION, 1, &[1, 2, 1, 1], &mut to_bad)
        .unwrap();
    let (mut seen, mut flags) = (Vec::new(), Vec::new());
    all.gather_observations(&table, 0..1, &mut seen).unwrap();
    assert_eq!(seen, [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
    all.gather_flags(&table, &[id::CONTROLLED, id::ALIVE], 0..1, &mut flags)
        .unwrap();
    assert_eq!(flags, [1, 0, 1, 1, 1, 0]);
    seen.clear();
    one.gather_observations(&table, 0..1, &mut seen).unwrap();
    assert_eq!(seen, [2.0, 4.0]);
    let actions = [10, 11, 12, 13, 14, 15];
    all.scatter(&mut table, id::PROPOSED_ACTION, 0, &actions, Some(&flags))
        .unwrap();
    assert!(
        all.scatter(&mut table, id::PROPOSED_ACTION, 0, &actions[..3], None)
            .is_err()
    );
    drop(table);
    assert_eq!((to_good, to_bad), ([10, 0, 13, 14], [12, 0]));
}

#[test]
fn transitions_say_who_learns_and_what_ends() {
    let [_, one] = everyone();
    // Two steps of two instances: instance 1 is cut off by step 0, instance 0 terminates with step 1.
    let rewards = [
        9.0f32, 9.0, 9.0, 9.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0,
    ];
    let (terminated, truncated) = ([0u8, 0, 0, 0, 1, 0], [0u8, 0, 0, 1, 0, 0]);
    let first = [1u8, 1, 0, 1, 1, 0];
    let controlled = [1u8, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1];
    let mut table = Table::new();
    table.add(id::REWARD, 0, &[3, 2, 2], &rewards).unwrap();
    table
        .add(id::CONTROLLED, 0, &[3, 2, 2], &controlled)
        .unwrap();
    for (id, flags) in [
        (id::TERMINATED, &terminated),
        (id::TRUNCATED, &truncated),
        (id::FIRST, &first),
    ] {
        table.add(id, NO_GROUP, &[3, 2], flags).unwrap();
    }
    let (count, rows) = ([2u32, 0], [1u32, 2, 0, 0]);
    table
        .add(id::ENDED_COUNT, NO_GROUP, &[1, 2], &count)
        .unwrap();
    table.add(id::ENDED_ROW, NO_GROUP, &[1, 4], &rows).unwrap();
    let mut found = Transitions::read(&table, &one, false).unwrap();
    assert_eq!(found.rewards, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(
        (found.terminated.as_slice(), found.truncated.as_slice()),
        (&[0, 0, 1, 0][..], &[0, 1, 0, 0][..])
    );
    assert_eq!(
        (found.active.as_slice(), found.first.as_slice()),
        (&[1, 0, 1, 1][..], &[1, 1, 0, 1, 1, 0][..])
    );
    assert_eq!(
        cuts(&table).unwrap(),
        [Cut {
            entry: 0,
            step: 0,
            instance: 1
        }]
    );
    let finite = Transitions::read(&table, &one, true).unwrap();
    assert_eq!(
        (finite.terminated, finite.truncated),
        (vec![0, 1, 1, 0], vec![0; 4])
    );
    // Instance 1 has had its episode after step 0.
    found.keep_episodes(&table, 1).unwrap();
    assert_eq!(found.active, [1, 0, 1, 0]);
}
