//! Rules by hand.

use super::betting::FOLD;
use super::*;

/// What a game with these cards and actions earns.
fn play(cards: [usize; DEALT], actions: &[u8]) -> Option<[f64; PLAYERS]> {
    let deal = Deal::try_from(Dealt { cards }).unwrap();
    let mut betting = Betting::default();
    for &action in actions {
        assert!(
            betting.is_legal(action),
            "{action} after {}",
            betting.letters()
        );
        betting.push(action);
    }
    let config = LeducPokerConfig::default();
    Some(returns(&config, deal, &betting, betting.outcome()?))
}

/// By hand: ante 1, two raises of 2 and two of 4 make 13; a pair of Jacks beats a King.
#[test]
fn a_pair_beats_a_king_and_the_most_is_thirteen() {
    let most = [RAISE, RAISE, CALL, CALL, RAISE, RAISE, CALL];
    assert_eq!(play([0, 4, 1], &most), Some([13.0, -13.0]));
    assert_eq!(play([4, 2, 0], &most), Some([13.0, -13.0]));
    assert_eq!(play([2, 3, 4], &most), Some([0.0, 0.0]));
    assert_eq!(
        play([0, 2, 4], &[CALL, CALL, CALL, CALL]),
        Some([-1.0, 1.0])
    );
}

/// By hand: player 0 raises (3 in), player 1 raises again (5 in), player 0 folds and loses 3.
#[test]
fn a_fold_loses_what_was_paid() {
    assert_eq!(play([4, 0, 2], &[RAISE, RAISE, FOLD]), Some([-3.0, 3.0]));
    assert_eq!(play([4, 0, 2], &[CALL, RAISE, FOLD]), Some([-1.0, 1.0]));
    let second = [RAISE, CALL, RAISE, FOLD];
    assert_eq!(play([4, 0, 2], &second), Some([3.0, -3.0]));
    assert_eq!(play([4, 0, 2], &[CALL, CALL, CALL]), None);
}

#[test]
fn only_a_raise_can_be_folded_to_and_the_third_raise_is_refused() {
    let after = |actions: &[u8]| {
        let betting = Betting::try_from(actions.to_vec()).unwrap();
        (
            betting.player(),
            [FOLD, CALL, RAISE, 3].map(|a| betting.is_legal(a)),
        )
    };
    assert_eq!(after(&[]), (0, [false, true, true, false]));
    assert_eq!(after(&[RAISE]), (1, [true, true, true, false]));
    assert_eq!(after(&[RAISE, RAISE]), (0, [true, true, false, false]));
    assert_eq!(after(&[CALL, CALL]), (0, [false, true, true, false]));
    for wrong in [
        vec![FOLD],
        vec![RAISE, FOLD, CALL],
        vec![RAISE, RAISE, RAISE],
        vec![3],
    ] {
        assert!(Betting::try_from(wrong).is_err());
    }
    let betting = Betting::try_from(vec![CALL, RAISE, CALL, RAISE]).unwrap();
    assert_eq!(betting.letters(), "crc/r");
}

#[test]
fn every_card_is_dealt_equally_often_in_every_place() {
    let mut rng = EnvRng::new(0, 0, 0, 0);
    let mut counts = [[0_u32; CARDS]; DEALT];
    for _ in 0..60_000 {
        let cards = Deal::draw(&mut rng).cards;
        assert!(Deal::try_from(Dealt { cards }).is_ok());
        (0..DEALT).for_each(|place| counts[place][cards[place]] += 1);
    }
    // Five standard deviations of a binomial: √(60000·5/36) = 91.
    assert!(
        counts.iter().flatten().all(|&n| n.abs_diff(10_000) < 460),
        "{counts:?}"
    );
}
