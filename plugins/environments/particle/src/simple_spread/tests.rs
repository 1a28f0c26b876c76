use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    rng::EnvRng,
    serde_json::json,
};

use crate::{
    SimpleSpread,
    testing::{Policy, assert_scripted, batch, check_baseline, exact, replay, world},
};

#[test]
fn reproduces_the_reference_traces() {
    replay::<SimpleSpread>();
}

#[test]
fn random_and_idle_returns_are_the_golden_ones() {
    for policy in [Policy::Random, Policy::NoOp] {
        check_baseline::<SimpleSpread>("simple_spread", "mpe2", policy, false);
        check_baseline::<SimpleSpread>("simple_spread", "openai_legacy", policy, true);
    }
}

#[test]
fn a_push_moves_one_step_later_than_in_2017() {
    let init = json!({"agent_pos": [[0, 0]], "landmark_pos": [[1, 0]]});
    for (physics, first) in [("mpe2", 0.0), ("openai", 0.05)] {
        let mut spread =
            world::<SimpleSpread>(json!({"num_agents": 1, "physics": physics}), init.clone());
        let (rewards, state) = exact(&mut spread, &[vec![vec![2.0]]]);
        assert_eq!(
            (state["pos"].clone(), state["vel"].clone()),
            (json!([[first, 0.0]]), json!([[0.5, 0.0]]))
        );
        // Half the distance, for there is nobody to bump into but, in 2017, itself.
        let expected = if physics == "mpe2" {
            -0.5 * (1.0 - first)
        } else {
            -(1.0 - first) - 1.0
        };
        assert!((rewards[0][0] - expected).abs() < 1e-12);
    }
}

#[test]
fn coincident_agents_exert_no_force() {
    let init = json!({"agent_pos": [[0.3, 0.3], [0.3, 0.3], [-0.9, 0.3]], "landmark_pos": [[0, 0], [0, 0], [0, 0]]});
    for physics in ["mpe2", "openai"] {
        let mut spread = world::<SimpleSpread>(json!({"physics": physics}), init.clone());
        let (_, state) = exact(&mut spread, &[vec![vec![0.0]; 3]]);
        assert_eq!(state["pos"], init["agent_pos"]);
        assert_eq!(state["vel"], json!([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]));
    }
}

#[test]
fn metrics_count_pairs_distances_and_covered_landmarks() {
    let init = json!({"agent_pos": [[0, 0], [0.2, 0], [0.9, 0.9]], "landmark_pos": [[0.05, 0], [0.9, 0.5], [-1, 0]]});
    let mut spread = world::<SimpleSpread>(json!({}), init);
    let action = spread.slabs().key::<i32>(id::ACTION, 0).unwrap();
    spread.rows_mut(action, 0).fill(0);
    spread.step(0, 0).unwrap();
    let metrics = spread.slabs().key::<f32>(id::METRICS, NO_GROUP).unwrap();
    assert_eq!(spread.rows(metrics, 0), [1.0, 0.05 + 0.4 + 1.0, 1.0]);
}

#[test]
fn success_is_to_occupy_every_landmark() {
    let init = json!({"agent_pos": [[0, 0], [0.5, 0]], "landmark_pos": [[0, 0.09], [0.5, 0.09]]});
    for (asked, place, expected) in [(true, 0.5, true), (true, 0.7, false), (false, 0.5, false)] {
        let config = json!({"num_agents": 2, "terminate_on_success": asked});
        let mut init = init.clone();
        init["agent_pos"][1][0] = json!(place);
        let mut spread = world::<SimpleSpread>(config, init);
        let stay = [vec![vec![0.0]; 2]];
        let step = spread.locate(0).0.step_exact(&stay, 0).unwrap();
        assert_eq!(step.terminated, expected, "{asked} {place}");
    }
}

#[test]
fn partial_sight_keeps_the_width_of_observations() {
    for agents in [2, 9] {
        let config =
            json!({"num_agents": agents, "num_agent_neighbors": 3, "num_landmark_neighbors": 2});
        let spread = batch::<SimpleSpread>(config, 1);
        let width = spread.spec().groups[0].observation.width();
        assert_eq!(width, 4 + 2 * 2 + 4 * 3);
    }
}

#[test]
fn any_number_of_agents_and_landmarks_has_its_observation() {
    for (agents, landmarks) in [(1, 1), (2, 5), (7, 3)] {
        let config = json!({"num_agents": agents, "num_landmarks": landmarks});
        let spread = batch::<SimpleSpread>(config, 1);
        let group = &spread.spec().groups[0];
        let width = 4 + 2 * landmarks + 4 * (agents - 1);
        assert_eq!((group.agents, group.observation.width()), (agents, width));
    }
}

/// Whatever shares a block or a batch with a world, the world goes its own way, to the bit.
#[test]
fn a_world_does_not_depend_on_its_neighbours() {
    let mut many = batch::<SimpleSpread>(json!({"max_episode_steps": 7}), 37);
    let mut few = batch::<SimpleSpread>(json!({"max_episode_steps": 7}), 5);
    let action = many.slabs().key::<i32>(id::ACTION, 0).unwrap();
    let observation = many.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    let reward = many.slabs().key::<f32>(id::REWARD, 0).unwrap();
    let mut rng = EnvRng::new(1, 0, 0, 9);
    for _ in 0..30 {
        Policy::Random.act(&mut many, &mut rng);
        let same = many.rows(action, 0)[..15].to_vec();
        few.rows_mut(action, 0).copy_from_slice(&same);
        many.step(0, 0).unwrap();
        few.step(0, 0).unwrap();
        assert_eq!(
            many.rows(observation, 0)[..5 * 54],
            *few.rows(observation, 0)
        );
        assert_eq!(many.rows(reward, 0)[..15], *few.rows(reward, 0));
    }
}

#[test]
fn a_snapshot_resumes_the_episode_and_its_picture() {
    let mut spread = batch::<SimpleSpread>(json!({}), 20);
    let mut rng = EnvRng::new(2, 0, 0, 9);
    for _ in 0..15 {
        Policy::Random.act(&mut spread, &mut rng);
        spread.step(0, 0).unwrap();
    }
    let mut other = batch::<SimpleSpread>(json!({}), 20);
    let saved = spread.locate(17).0.snapshot(17).unwrap();
    other.locate(3).0.restore(3, &saved, 0).unwrap();
    let scene = palaestra_plugin_api::abi::RenderMode::Scene;
    let picture = spread.locate(17).0.render(17, scene).unwrap();
    assert_eq!(picture, other.locate(3).0.render(3, scene).unwrap());
    let other_state = other.locate(3).0.inspect(3).unwrap();
    assert_eq!(spread.locate(17).0.inspect(17).unwrap(), other_state);
}

#[test]
fn a_start_of_another_shape_is_refused() {
    let mut spread = batch::<SimpleSpread>(json!({}), 1);
    let refused = |spread: &mut palaestra_plugin_api::client::EnvironmentBatch, init| {
        spread
            .reset(&json!({ "init": init }), 0)
            .unwrap_err()
            .to_string()
    };
    let message = refused(&mut spread, json!({"agent_pos": [[0, 0]]}));
    assert!(
        message.contains("init /agent_pos: expected 3 pairs, found 1"),
        "{message}"
    );
    let message = refused(&mut spread, json!({"agents": []}));
    assert!(message.contains("unknown field `agents`"), "{message}");
    let message = refused(&mut spread, json!({"goal": 0}));
    assert!(
        message.contains("init /goal: expected 0 indices, found 1"),
        "{message}"
    );
}

/// The reference's full-information heuristic earns -26.2 in all, chance -79.4.
#[test]
fn a_scripted_team_beats_chance() {
    let [_, scripted] = assert_scripted::<SimpleSpread>(json!({}), 40.0, |_| true);
    assert!(scripted > -28.0, "{scripted}");
}
