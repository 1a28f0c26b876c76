//! Fifty thousand random episodes of every game earn what the payoff tables say they must on average.

use matrix_games::*;
use palaestra_plugin_api::{
    batch::BatchEnvironment as _,
    serde_json::{Value, from_value, json},
    testing::{
        Subject,
        baseline::{Played, mean_and_error},
        random_games,
    },
};

const EPISODES: usize = 50_000;

fn random<P: Preset>(settings: Value) -> Vec<Played> {
    random_games(&Subject::of_batch::<MatrixGame<P>>(settings), EPISODES)
}

/// Expected payoff of player 0 in a round in which everybody chooses uniformly, summed over all joint actions.
fn expected_payoff(game: &Game) -> f64 {
    match &game.payoffs {
        Payoffs::Tensor(stages) => {
            let payoffs = &stages[0].payoffs;
            payoffs.iter().map(|row| row[0]).sum::<f64>() / payoffs.len() as f64
        }
        Payoffs::Anonymous(table) => {
            // The distribution of the others' sum, by convolution.
            let mut others = vec![1.0];
            for _ in 1..game.players() {
                let mut next = vec![0.0; others.len() + table.len() - 1];
                for (sum, probability) in others.iter().enumerate() {
                    for action in 0..table.len() {
                        next[sum + action] += probability / table.len() as f64;
                    }
                }
                others = next;
            }
            let of = |own: usize| -> f64 {
                let sums = others.iter().enumerate();
                sums.map(|(sum, probability)| probability * table[own][own + sum])
                    .sum()
            };
            (0..table.len()).map(of).sum::<f64>() / table.len() as f64
        }
    }
}

fn assert_earns<P: Preset>(settings: Value) {
    let config: P::Config = from_value(settings.clone()).unwrap();
    let rules = P::rules(&config);
    let (low, high) = MatrixGame::<P>::spec(&config).unwrap().reward_range;
    let rounds = f64::from(rules.rounds);
    let bounds = low.unwrap() * rounds - 1e-9..=high.unwrap() * rounds + 1e-9;
    let played = random::<P>(settings);
    for episode in &played {
        assert_eq!(episode.length, rules.rounds, "{}", P::ID);
        assert!(
            episode.returns[0].iter().all(|x| bounds.contains(x)),
            "{}",
            P::ID
        );
        let (welfare, metrics) = (episode.total() / rounds, &episode.metrics);
        assert!(
            (welfare - metrics[0]).abs() < 1e-4 * welfare.abs().max(1.0),
            "{}",
            P::ID
        );
        assert!(metrics[1..].iter().all(|share| (0.0..=1.0).contains(share)));
    }
    let [mean, error] = mean_and_error(&played, |episode| episode.returns[0][0]);
    let expected = expected_payoff(&P::game(&config).unwrap()) * rounds;
    println!("{}: {mean:.3} ± {error:.3}, expected {expected:.3}", P::ID);
    assert!(
        (mean - expected).abs() <= 3.0 * error,
        "{}: {mean} against {expected} ± {error}",
        P::ID
    );
}

macro_rules! earns {
    ($($test:ident: $preset:ty;)*) => { $(
        #[test]
        fn $test() {
            assert_earns::<$preset>(json!({}));
        }
    )* };
}

earns! {
    random_normal_form_earns_its_mean: NormalForm;
    random_prisoners_dilemma_earns_its_mean: PrisonersDilemma;
    random_iterated_prisoners_dilemma_earns_its_mean: IteratedPrisonersDilemma;
    random_stag_hunt_earns_its_mean: StagHunt;
    random_chicken_earns_its_mean: Chicken;
    random_coordination_earns_its_mean: Coordination;
    random_battle_of_sexes_earns_its_mean: BattleOfSexes;
    random_matching_pennies_earns_its_mean: MatchingPennies;
    random_rock_paper_scissors_earns_its_mean: RockPaperScissors;
    random_climbing_earns_its_mean: Climbing;
    random_penalty_earns_its_mean: Penalty;
    random_public_goods_earns_its_mean: PublicGoods;
    random_n_player_stag_hunt_earns_its_mean: NPlayerStagHunt;
    random_volunteers_dilemma_earns_its_mean: VolunteersDilemma;
    random_minority_earns_its_mean: Minority;
}

/// Too many players to write the game out: every player has its own cell.
#[test]
fn random_crowds_earn_their_mean() {
    assert_earns::<NPlayerStagHunt>(json!({"num_players": 30, "hunters": 15, "memory": 1}));
    assert_earns::<Minority>(json!({"num_players": 21}));
}

/// Masks keep the random policy within each player's own actions.
#[test]
fn random_players_with_different_numbers_of_actions_earn_their_mean() {
    assert_earns::<NormalForm>(json!({
        "actions": [["a", "b", "c"], ["d", "e"]],
        "payoffs": [[1, 2, 3, 4, 5, 60], [0, 1, 0, 1, 0, 1]],
    }));
}

/// By hand: half go to 2A for 7, half to 2B for (0 + 1 + 1 + 8) / 4 = 2.5.
#[test]
fn random_two_step_game_earns_its_mean() {
    let played = random::<TwoStep>(json!({}));
    let [mean, error] = mean_and_error(&played, |episode| episode.returns[0][0]);
    assert!((mean - 4.75).abs() <= 3.0 * error, "{mean} ± {error}");
    assert!(played.iter().all(|episode| episode.length == 2));
}

/// With probability 1 - δ of ending after each round the mean length is 1 / (1 - δ), the variance δ / (1 - δ)².
#[test]
fn discount_is_the_probability_of_another_round() {
    for (discount, expected) in [(0.9, 10.0), (0.5, 2.0), (0.0, 1.0)] {
        let config = json!({"discount": discount, "rounds": 1_000_000});
        let played = random::<StagHunt>(config);
        let [mean, error] = mean_and_error(&played, |episode| f64::from(episode.length));
        assert!(
            (mean - expected).abs() <= 3.0 * error,
            "{mean} ± {error} at {discount}"
        );
        let variance = discount / (1.0_f64 - discount).powi(2);
        let found = error * error * EPISODES as f64;
        assert!(
            (found - variance).abs() <= 0.1 * variance,
            "{found} against {variance}"
        );
    }
}
