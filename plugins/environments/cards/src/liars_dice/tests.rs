//! Rules by hand.

use super::*;

/// Winner and loser of a game with these dice and choices.
fn play(
    config: &LiarsDiceConfig,
    dice: &[Vec<usize>],
    choices: &[usize],
) -> Option<(usize, usize)> {
    let game = LiarsDice::try_from(Saved {
        config: config.clone(),
        dice: dice.to_vec(),
        choices: choices.to_vec(),
    });
    game.unwrap().ends()
}

/// By hand: a 3 and a wild 6 are two threes (bid 6 + 2), and one three without the wild face.
#[test]
fn the_highest_face_counts_as_every_face_if_it_is_wild() {
    let dice = [vec![3], vec![6]];
    let config = LiarsDiceConfig::default();
    let two_threes = [8, 12];
    assert_eq!(play(&config, &dice, &two_threes), Some((0, 1)));
    let tame = LiarsDiceConfig {
        wild: false,
        ..config.clone()
    };
    assert_eq!(play(&tame, &dice, &two_threes), Some((1, 0)));
    // Wild dice count once when they are bid on themselves: two sixes are a lie.
    assert_eq!(play(&config, &dice, &[8, 11, 12]), Some((0, 1)));
    assert_eq!(play(&config, &dice, &[8, 11]), None);
}

/// By hand: of three players the one who did not take part in the challenge neither wins nor loses.
#[test]
fn the_challenger_and_the_last_bidder_settle_it() {
    let config = LiarsDiceConfig {
        players: 3,
        dice: 2,
        ..LiarsDiceConfig::default()
    };
    let dice = [vec![1, 1], vec![1, 2], vec![4, 5]];
    // Player 0 bids 1x2, player 1 3x1 (true), player 2 challenges.
    assert_eq!(play(&config, &dice, &[1, 12, 36]), Some((1, 2)));
    // Player 2 raises to 4x1 (a lie) and player 0 challenges.
    assert_eq!(play(&config, &dice, &[1, 12, 18, 36]), Some((0, 2)));
}

#[test]
fn bids_must_rise_and_a_challenge_needs_one() {
    let config = LiarsDiceConfig::default();
    let refused = |dice: Vec<Vec<usize>>, choices: &[usize]| {
        LiarsDice::try_from(Saved {
            config: config.clone(),
            dice,
            choices: choices.to_vec(),
        })
        .unwrap_err()
        .message
    };
    for choices in [&[12][..], &[3, 3], &[3, 2], &[13], &[3, 12, 12]] {
        assert!(refused(vec![vec![1], vec![1]], choices).starts_with("choices: expected rising"));
    }
    assert_eq!(
        refused(vec![vec![7], vec![1]], &[]),
        "dice: expected 1 faces of 1 to 6 for each of 2 players, found [[7], [1]]"
    );
}
