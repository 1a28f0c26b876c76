//! A counterfactual of the joint action that is executed is what the step then pays, whatever chance does in it.

use grid_worlds::{
    Checkers, CooperativeMeeting, Doorway, Foraging, PredatorPrey, Switch, SwitchRiddle,
    TrafficJunction, TrafficJunctionMaGym, Warehouse,
};
use palaestra_plugin_api::{
    abi::id,
    client::{EnvironmentBatch, MakeEnvironment, RandomPolicy},
    environment::Environment,
    serde_json::{Value, json},
    testing::Subject,
};

const INSTANCES: usize = 32;
const STEPS: u64 = 400;

/// The part of a group's rows that belongs to one instance, agent by agent.
fn agents<T: Copy + Into<f64>>(rows: &[T], instance: usize, count: usize) -> Vec<Vec<f64>> {
    let width = rows.len() / INSTANCES;
    rows[instance * width..][..width]
        .chunks_exact(width / count)
        .map(|row| row.iter().map(|&x| x.into()).collect())
        .collect()
}

/// Plays at random and asks before every step; gives in how many rows an agent was paid something.
fn assert_foreseen<E: Environment>(config: Value) -> usize {
    let subject = Subject::of::<E>(config);
    let what = MakeEnvironment {
        instances: INSTANCES,
        ..subject.request(3)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |part| subject.make(part)).unwrap();
    let counts: Vec<usize> = batch.spec().groups.iter().map(|g| g.agents).collect();
    let groups = 0..counts.len();
    let keys: Vec<_> = groups
        .clone()
        .map(|g| {
            let slabs = batch.slabs();
            let action = slabs.key::<i32>(id::ACTION, g as u32).unwrap();
            (action, slabs.key::<f32>(id::REWARD, g as u32).unwrap())
        })
        .collect();
    let mut random = RandomPolicy::new(batch.spec(), batch.slabs(), 3, 0);
    batch.reset(&json!({}), 0).unwrap();
    let mut paid = 0;
    for time in 0..STEPS {
        let (mut shard, _) = batch.locate(0);
        random.fill(&mut shard, 0, time).unwrap();
        let foreseen: Vec<Vec<Vec<f64>>> = (0..INSTANCES)
            .map(|i| {
                let of = |g: usize| agents(shard.rows(keys[g].0, 0), i, counts[g]);
                let joint: Vec<_> = groups.clone().map(of).collect();
                shard.counterfactual(i, &joint).unwrap()
            })
            .collect();
        batch.step(0, 0).unwrap();
        for (i, foreseen) in foreseen.iter().enumerate() {
            for (g, foreseen) in foreseen.iter().enumerate() {
                let rewards = agents(batch.rows(keys[g].1, 0), i, counts[g]).concat();
                let foreseen: Vec<f64> = foreseen.iter().map(|&x| f64::from(x as f32)).collect();
                assert_eq!(foreseen, rewards, "{}, instance {i}, step {time}", E::ID);
                paid += rewards.iter().filter(|&&reward| reward != 0.0).count();
            }
        }
    }
    assert!(paid > 0, "{}: nobody was ever paid", E::ID);
    paid
}

#[test]
fn a_random_prey_is_foreseen() {
    for config in [
        json!({"prey": "random", "field_size": [4, 4]}),
        json!({"prey": "random", "observation": "local", "num_predators": 1}),
        json!({}),
        json!({"prey": "flee"}),
    ] {
        assert_foreseen::<PredatorPrey>(config);
    }
}

/// Cars that enter collide with those that have not left the first cell of their route.
#[test]
fn cars_that_enter_are_foreseen() {
    for config in [
        json!({"add_rate": 1.0}),
        json!({"difficulty": "medium"}),
        json!({"difficulty": "hard", "add_rate": 0.5}),
    ] {
        assert_foreseen::<TrafficJunction>(config);
    }
    assert_foreseen::<TrafficJunctionMaGym>(json!({"num_cars": 10}));
}

/// Few shelves on a small board, so that random robots deliver some.
#[test]
fn requests_are_foreseen() {
    for reward in ["individual", "global", "two_stage"] {
        assert_foreseen::<Warehouse>(json!({
            "reward_type": reward, "column_height": 1, "num_agents": 4, "request_queue_size": 2,
        }));
    }
}

#[test]
fn worlds_without_chance_are_foreseen() {
    assert_foreseen::<Foraging>(json!({"field_size": [5, 5], "penalty": 0.1}));
    assert_foreseen::<Switch>(json!({"num_agents": 4}));
    assert_foreseen::<Checkers>(json!({}));
    assert_foreseen::<SwitchRiddle>(json!({}));
    assert_foreseen::<CooperativeMeeting>(json!({}));
    assert_foreseen::<Doorway>(json!({}));
}
