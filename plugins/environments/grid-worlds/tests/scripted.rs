//! The scripted baselines do clearly better than chance, and as well as what is known of the best.

use grid_worlds::{
    Checkers, CooperativeMeeting, Doorway, Foraging, PredatorPrey, Switch, SwitchRiddle,
    TrafficJunction, TrafficJunctionMaGym, Warehouse,
};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
    testing::{
        Subject,
        baseline::{Played, assert_beats_random, play},
    },
};

/// Mean return over all agents of the baseline, which beats chance by `margin`.
fn total<E: Environment>(config: Value, episodes: usize, margin: f64) -> f64 {
    let subject = Subject::of::<E>(config);
    let all = |_, _| true;
    let [chance, scripted] = assert_beats_random(&subject, episodes, margin, all, |p| p.total());
    println!("{}: chance {chance:.3}, scripted {scripted:.3}", E::ID);
    scripted
}

/// Mean of a metric under the baseline, which beats chance by `margin`.
fn metric<E: Environment>(config: Value, episodes: usize, metric: usize, margin: f64) -> f64 {
    let subject = Subject::of::<E>(config.clone());
    let measure = |p: &Played| p.metrics[metric];
    let [chance, scripted] = assert_beats_random(&subject, episodes, margin, |_, _| true, measure);
    println!(
        "{} {config}: chance {chance:.3}, scripted {scripted:.3}",
        E::ID
    );
    scripted
}

#[test]
fn a_scripted_meeting_takes_the_shortest_ways() {
    assert!(total::<CooperativeMeeting>(json!({}), 300, 10.0) > 18.5);
}

#[test]
fn scripted_predators_catch_a_random_prey_and_a_scripted_prey_escapes_random_predators() {
    let subject = Subject::of::<PredatorPrey>(json!({}));
    for (group, margin) in [(0, 5.0), (1, 5.0)] {
        let means =
            assert_beats_random(&subject, 200, margin, |g, _| g == group, |p| p.group(group));
        println!("group {group}: {means:?}");
    }
    assert!(metric::<PredatorPrey>(json!({"prey": "random"}), 200, 0, 0.3) > 0.9);
}

#[test]
fn scripted_robots_pass_the_door() {
    assert!(metric::<Doorway>(json!({}), 300, 2, 0.9) > 0.99);
}

/// The best of two agents earn 8.3, by dynamic programming over all joint places.
#[test]
fn scripted_agents_switch_sides_at_best() {
    assert!((total::<Switch>(json!({}), 20, 5.0) - 8.3).abs() < 1e-9);
    let everybody = metric::<Switch>(json!({"num_agents": 4}), 20, 1, 0.5);
    assert_eq!(everybody, 1.0);
}

#[test]
fn the_sensitive_agent_gets_the_apples() {
    assert!(total::<Checkers>(json!({}), 100, 50.0) > 70.0);
}

/// Everybody has been in the room in time with probability 540/729 of six visits by three, and nobody is ever wrong.
#[test]
fn scripted_prisoners_are_never_wrong() {
    let lives = total::<SwitchRiddle>(json!({}), 2000, 1.0) / 3.0;
    assert!((lives - 540.0 / 729.0).abs() < 0.04, "{lives}");
}

#[test]
fn scripted_players_load_everything() {
    for config in [
        json!({}),
        json!({"field_size": [8, 8], "players": 2, "max_num_food": 2, "force_coop": true}),
        json!({"field_size": [10, 10], "players": 3, "max_num_food": 3}),
        json!({"field_size": [15, 15], "players": 4, "max_num_food": 3}),
    ] {
        assert!(total::<Foraging>(config, 100, 0.7) > 0.97);
    }
}

/// The reference's planner, with full information and 5 % noise, delivers 7.7 shelves with two robots, 14.2 with four,
/// and 11.2 with four in the small warehouse.
#[test]
fn scripted_robots_deliver_as_many_shelves_as_the_references_planner() {
    for (config, known) in [
        (json!({}), 7.7),
        (json!({"num_agents": 4}), 14.2),
        (json!({"size": "small", "num_agents": 4}), 11.2),
    ] {
        let delivered = metric::<Warehouse>(config, 20, 0, 5.0);
        assert!(delivered > known, "{delivered}");
    }
}

/// The reference's oracle succeeds in 99.5 % of all episodes or more.
#[test]
fn scripted_cars_hardly_ever_collide() {
    for (difficulty, rate) in [("easy", 0.3), ("medium", 0.2), ("hard", 0.05)] {
        let config = json!({"difficulty": difficulty, "add_rate": rate, "vision": 0});
        assert!(metric::<TrafficJunction>(config, 200, 0, 0.9) >= 0.95);
    }
}

#[test]
fn scripted_cars_of_ma_gym_all_arrive_unblocked() {
    for cars in [4, 10] {
        let config = json!({"num_cars": cars});
        let unblocked = metric::<TrafficJunctionMaGym>(config.clone(), 100, 2, 0.5);
        assert_eq!(unblocked, 1.0);
        let subject = Subject::of::<TrafficJunctionMaGym>(config);
        let played = play(&subject, 100, 0, |_, _| true).unwrap();
        assert!(played.iter().all(|p| p.metrics[1] == f64::from(cars)));
    }
}
