//! Random play is within reason, in ten thousand episodes.

use grid_worlds::{CooperativeMeeting, PredatorPrey, Switch, SwitchRiddle, TrafficJunctionMaGym};
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

/// Mean of the first metric.
fn first_metric<E: Environment>(config: Value) -> f64 {
    mean_and_error(&random::<E>(config), |episode| episode.metrics[0])[0]
}

#[test]
fn random_drivers_are_in_each_others_way() {
    assert!(first_metric::<TrafficJunctionMaGym>(json!({})) > 0.5);
}

/// The two agents together cannot earn more than 8.3.
#[test]
fn switch() {
    for episode in random::<Switch>(json!({})) {
        assert!((-10.0 - 1e-9..=8.3 + 1e-9).contains(&episode.total()));
    }
}

/// By hand: whoever is in the room tells with probability 1/3, so that hardly anybody gets to know.
#[test]
fn switch_riddle() {
    let episodes = random::<SwitchRiddle>(json!({}));
    let [told, _] = mean_and_error(&episodes, |episode| episode.metrics[0]);
    // Six steps: 1 - (2/3)^6.
    let error = (0.9122_f64 * 0.0878 / EPISODES as f64).sqrt();
    assert!((told - 0.9122).abs() < 4.0 * error, "{told}");
    assert!(mean_and_error(&episodes, Played::total)[0] < 0.0);
}

#[test]
fn a_prey_that_flees_is_caught_less() {
    let captures = first_metric::<PredatorPrey>(json!({}));
    let of_fleeing = first_metric::<PredatorPrey>(json!({"prey": "flee"}));
    assert!(of_fleeing < captures, "{of_fleeing} and {captures}");
}

/// By hand: two wanderers are both at one of 25 cells about once in 625 steps, an episode has 50, and meetings
/// would come in runs.
#[test]
fn cooperative_meeting() {
    let met = first_metric::<CooperativeMeeting>(json!({}));
    assert!((0.02..0.12).contains(&met), "{met}");
}
