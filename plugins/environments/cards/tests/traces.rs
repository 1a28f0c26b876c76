//! Every game reproduces its reference traces.

use cards::{Hanabi, KuhnPoker, LeducPoker, LiarsDice};
use palaestra_plugin_api::{environment::Environment, testing::replay::replay_claimed};

/// Replays the trace of a game; checks how many cases there were, and that at least so many values were compared.
fn replay<E: Environment>(cases: usize, values: usize) {
    let replayed = replay_claimed::<E>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!((replayed.files, replayed.cases), (1, cases));
    assert!(replayed.values >= values, "{replayed:?}");
}

/// All terminal histories, and all information states under both cards the other player may have.
#[test]
fn trace_of_kuhn_poker() {
    replay::<KuhnPoker>(30 + 2 * 12, 30 * 20);
}

/// Games of OpenSpiel: legal actions, returns, and the tensors of both information states.
#[test]
fn trace_of_leduc_poker() {
    replay::<LeducPoker>(60, 60 * 2 * 2 * 30);
}

/// Games of OpenSpiel with one die and with two: legal bids, returns; with one die the tensors of both players.
#[test]
fn trace_of_liars_dice() {
    replay::<LiarsDice>(60, 40 * 2 * 2 * 21);
}

/// Episodes of the Learning Environment for 2 to 5 players and small games, to every end: what everybody saw before and
/// after each move, bit by bit, the legal moves, the score.
#[test]
fn trace_of_hanabi() {
    // 975 moves; 106 to 1,280 bits for each of two to five players.
    replay::<Hanabi>(21, 2_500_000);
}
