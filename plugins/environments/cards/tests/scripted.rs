//! The scripted players: the equilibrium of Kuhn poker cannot be exploited, the others beat random ones.

mod common;

use cards::{
    KuhnPoker, LeducPoker, LiarsDice,
    kuhn_poker::{KuhnPokerConfig, equilibrium},
};
use common::tree::Tree;
use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        baseline::{assert_beats_random, mean_and_error, play},
    },
};

/// No player gains by any other strategy, whatever the stakes; for 1 and 1 it is worth -1/18.
#[test]
fn golden_equilibrium_of_kuhn_poker_for_all_stakes() {
    for (ante, bet) in [
        (1.0, 1.0),
        (2.0, 1.0),
        (1.0, 1.9),
        (1.0, 2.0),
        (1.0, 5.0),
        (0.0, 1.0),
    ] {
        let config = KuhnPokerConfig { ante, bet };
        let tree = Tree::of::<KuhnPoker>(&config);
        let policy = tree.policy(|known, taken| {
            let card = known.name[..1].parse().unwrap();
            let actions = known.name[1..]
                .bytes()
                .map(|letter| u8::from(letter == b'b'));
            let actions: Vec<u8> = actions.collect();
            let bets = equilibrium::bet_probability(&config, card, &actions);
            if taken == 1 { bets } else { 1.0 - bets }
        });
        assert!(tree.nash_conv(&policy).abs() < 1e-12, "{ante} and {bet}");
        if ante == bet {
            assert!((tree.value(&policy, 0) + 1.0 / 18.0).abs() < 1e-12);
        }
    }
}

/// What the tree says of the equilibrium, within three standard errors, is what its player earns.
#[test]
fn the_player_of_kuhn_poker_plays_the_equilibrium() {
    let subject = Subject::of::<KuhnPoker>(json!({}));
    let games = play(&subject, 10_000, 0, |_, _| true).unwrap();
    let [mean, error] = mean_and_error(&games, |game| game.returns[0][0]);
    println!("{mean:.4} ± {error:.4}, value {:.4}", -1.0 / 18.0);
    assert!((mean + 1.0 / 18.0).abs() < 3.0 * error);
}

/// From both seats, at least so much more than a random player earns there.
fn beats_random(subject: &Subject<'_>, margin: f64) {
    for seat in 0..2 {
        let earned = assert_beats_random(
            subject,
            4_000,
            margin,
            |_, agent| agent == seat,
            |game| game.returns[0][seat],
        );
        println!("{} seat {seat}: {earned:.3?}", subject.id);
        assert!(earned[1] > 0.0, "a random opponent is beaten");
    }
}

#[test]
fn scripted_players_win_of_random_ones() {
    beats_random(&Subject::of::<LeducPoker>(json!({})), 0.5);
    beats_random(&Subject::of::<LiarsDice>(json!({})), 0.3);
    beats_random(
        &Subject::of::<LiarsDice>(json!({"dice": 3, "wild": false})),
        0.3,
    );
    beats_random(&Subject::of::<LiarsDice>(json!({"players": 4})), 0.1);
}
