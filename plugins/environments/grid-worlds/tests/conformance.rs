//! Every environment keeps the contract, with its defaults and with settings that change its spaces.

use grid_worlds::{
    Checkers, CooperativeMeeting, Doorway, Foraging, PredatorPrey, Switch, SwitchRiddle,
    TrafficJunction, TrafficJunctionMaGym, Warehouse,
};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
    testing::{Subject, assert_conforms},
};

fn conforms<E: Environment>(config: Value) {
    assert_conforms(&Subject::of::<E>(config));
}

#[test]
fn foraging() {
    conforms::<Foraging>(json!({}));
    conforms::<Foraging>(
        json!({"players": 3, "max_num_food": 3, "sight": 2, "force_coop": true, "penalty": 0.1}),
    );
    conforms::<Foraging>(json!({"grid_observation": true, "sight": 1, "action_mask": true}));
    conforms::<Foraging>(
        json!({"observe_agent_levels": false, "normalize_reward": false, "field_size": [5, 9]}),
    );
}

#[test]
fn warehouse() {
    conforms::<Warehouse>(json!({}));
    conforms::<Warehouse>(
        json!({"num_agents": 12, "difficulty": "easy", "reward_type": "global", "sensor_range": 2}),
    );
    conforms::<Warehouse>(
        json!({"size": "small", "reward_type": "two_stage", "normalised_coordinates": true}),
    );
    conforms::<Warehouse>(json!({"difficulty": "hard", "max_inactivity_steps": 40}));
}

#[test]
fn traffic_junction() {
    conforms::<TrafficJunction>(json!({}));
    conforms::<TrafficJunction>(json!({"difficulty": "medium", "vision": 0}));
    conforms::<TrafficJunction>(json!({"difficulty": "hard", "num_cars": 6, "add_rate": 0.4}));
}

#[test]
fn traffic_junction_of_ma_gym() {
    conforms::<TrafficJunctionMaGym>(json!({}));
    conforms::<TrafficJunctionMaGym>(json!({"num_cars": 10, "arrive_prob": 0.3}));
    conforms::<TrafficJunctionMaGym>(json!({"num_cars": 2, "full_observable": true}));
}

#[test]
fn switch() {
    conforms::<Switch>(json!({}));
    conforms::<Switch>(json!({"num_agents": 4, "full_observable": true, "clock": false}));
}

#[test]
fn checkers() {
    conforms::<Checkers>(json!({}));
    conforms::<Checkers>(json!({"full_observable": true, "clock": true}));
}

#[test]
fn switch_riddle() {
    conforms::<SwitchRiddle>(json!({}));
    conforms::<SwitchRiddle>(
        json!({"num_agents": 5, "action_mask": true, "initial_bulb_state": true}),
    );
}

#[test]
fn predator_prey() {
    conforms::<PredatorPrey>(json!({}));
    conforms::<PredatorPrey>(
        json!({"observation": "local", "num_predators": 5, "prey": "random", "field_size": [4, 7]}),
    );
    conforms::<PredatorPrey>(json!({"prey": "flee", "num_predators": 1, "field_size": [3, 3]}));
}

#[test]
fn cooperative_meeting() {
    conforms::<CooperativeMeeting>(json!({}));
    conforms::<CooperativeMeeting>(json!({"num_agents": 4, "goal": [0, 0], "field_size": [2, 3]}));
}

#[test]
fn doorway() {
    conforms::<Doorway>(json!({}));
    conforms::<Doorway>(json!({"field_size": [3, 3], "door_row": 0}));
}
