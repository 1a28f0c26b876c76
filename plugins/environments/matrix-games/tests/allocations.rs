//! Steps, ends and resets of ten thousand random episodes allocate nothing.

use matrix_games::{IteratedPrisonersDilemma, MatrixGame, NPlayerStagHunt, NormalForm, TwoStep};
use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        allocations::{CountingAllocator, assert_no_allocations},
    },
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// A tensor with masks, a memory, stages, and a cell for each player.
#[test]
fn random_episodes_allocate_nothing() {
    let uneven = json!({"actions": [["a", "b"], ["c", "d", "e"]], "payoffs": [[1, 2, 3, 4, 5, 6]]});
    let memory = json!({"rounds": 10, "memory": 3, "discount": 0.9});
    let crowd = json!({"num_players": 20, "memory": 1, "rounds": 5});
    for subject in [
        Subject::of_batch::<MatrixGame<NormalForm>>(uneven),
        Subject::of_batch::<MatrixGame<IteratedPrisonersDilemma>>(memory),
        Subject::of_batch::<MatrixGame<TwoStep>>(json!({})),
        Subject::of_batch::<MatrixGame<NPlayerStagHunt>>(crowd),
    ] {
        assert_no_allocations(&subject, 10_000);
    }
}
