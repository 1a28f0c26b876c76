//! The scripted players: nobody does better at random against them, and where all are paid the same they beat chance.

use matrix_games::*;
use palaestra_plugin_api::{
    serde_json::{Value, json},
    testing::{
        Subject,
        baseline::{assert_beats_random, mean_and_error, play},
    },
};

const EPISODES: usize = 300;

fn subject<P: Preset>(config: Value) -> Subject<'static> {
    Subject::of_batch::<MatrixGame<P>>(config)
}

/// What every player earns while the others follow the script, by the script and at random.
fn is_no_worse_than_chance<P: Preset>(config: Value) {
    let subject = subject::<P>(config);
    let games = play(&subject, EPISODES, 0, |_, _| true).unwrap();
    for player in 0..games[0].returns[0].len().min(6) {
        let earned = |games: &[_]| mean_and_error(games, |game| game.returns[0][player]);
        let [script, error] = earned(&games);
        let [chance, chance_error] =
            earned(&play(&subject, EPISODES, 0, |_, agent| agent != player).unwrap());
        println!(
            "{} player {player}: {script:.2}, at random {chance:.2}",
            P::ID
        );
        let noise = 4.0 * error.hypot(chance_error);
        assert!(
            script >= chance - noise - 1e-9,
            "{} player {player}: {script}, at random {chance}",
            P::ID
        );
    }
}

#[test]
fn nobody_gains_by_playing_at_random_against_the_script() {
    is_no_worse_than_chance::<NormalForm>(json!({}));
    is_no_worse_than_chance::<PrisonersDilemma>(json!({}));
    is_no_worse_than_chance::<IteratedPrisonersDilemma>(json!({"rounds": 50}));
    is_no_worse_than_chance::<StagHunt>(json!({}));
    is_no_worse_than_chance::<Chicken>(json!({}));
    is_no_worse_than_chance::<Coordination>(json!({"num_players": 3}));
    is_no_worse_than_chance::<BattleOfSexes>(json!({}));
    is_no_worse_than_chance::<MatchingPennies>(json!({}));
    is_no_worse_than_chance::<RockPaperScissors>(json!({}));
    is_no_worse_than_chance::<Climbing>(json!({}));
    is_no_worse_than_chance::<Penalty>(json!({}));
    is_no_worse_than_chance::<TwoStep>(json!({}));
    is_no_worse_than_chance::<PublicGoods>(json!({}));
    is_no_worse_than_chance::<NPlayerStagHunt>(json!({"num_players": 20}));
    is_no_worse_than_chance::<VolunteersDilemma>(json!({}));
    is_no_worse_than_chance::<Minority>(json!({"num_players": 21}));
}

fn beats_chance<P: Preset>(config: Value, margin: f64) -> f64 {
    let subject = subject::<P>(config);
    let found = assert_beats_random(&subject, EPISODES, margin, |_, _| true, |game| game.total());
    println!("{}: {found:.2?}", P::ID);
    found[1]
}

/// The optima by hand: 25 rounds of 11, 10, 2, 4 and, together, 3; 8 once; all twenty hunt the stag.
#[test]
fn scripted_players_reach_the_optimum_of_common_payoffs() {
    assert_eq!(
        beats_chance::<Climbing>(json!({}), 100.0),
        2.0 * 25.0 * 11.0
    );
    assert_eq!(beats_chance::<Penalty>(json!({}), 100.0), 2.0 * 25.0 * 10.0);
    assert_eq!(
        beats_chance::<Coordination>(json!({}), 10.0),
        2.0 * 25.0 * 2.0
    );
    assert_eq!(beats_chance::<StagHunt>(json!({}), 10.0), 2.0 * 25.0 * 4.0);
    assert_eq!(beats_chance::<BattleOfSexes>(json!({}), 10.0), 25.0 * 3.0);
    assert_eq!(beats_chance::<TwoStep>(json!({}), 4.0), 2.0 * 8.0);
    let crowd = json!({"num_players": 20, "hunters": 15});
    assert_eq!(
        beats_chance::<NPlayerStagHunt>(crowd, 10.0),
        20.0 * 25.0 * 4.0
    );
}

/// Tit for tat earns as much as mutual cooperation with itself, and little less than what a defector takes from it.
#[test]
fn tit_for_tat_cooperates_and_retaliates() {
    let subject = subject::<IteratedPrisonersDilemma>(json!({"rounds": 20}));
    let together = play(&subject, 10, 0, |_, _| true).unwrap();
    assert!(together.iter().all(|game| game.returns == [[60.0, 60.0]]));
    let [tat, _] = mean_and_error(
        &play(&subject, EPISODES, 0, |_, agent| agent == 0).unwrap(),
        |game| game.returns[0][0] - game.returns[0][1],
    );
    // Only the last defection of the other goes unanswered: at most 5 points of 20 rounds.
    assert!((-5.0..=0.0).contains(&tat), "{tat}");
}
