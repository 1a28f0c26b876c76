//! Ten thousand random episodes of every matrix game: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use matrix_games::{IteratedPrisonersDilemma, MatrixGame, NPlayerStagHunt, NormalForm};
use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        allocations::{CountingAllocator, assert_exports_allocate_nothing, assert_no_allocations},
    },
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn ten_thousand_random_episodes_of_every_matrix_game_allocate_nothing() {
    assert_exports_allocate_nothing(16, 10_000);
}

/// A tensor with masks, a memory, and a cell for each player.
#[test]
fn other_games_allocate_nothing() {
    let uneven = json!({"actions": [["a", "b"], ["c", "d", "e"]], "payoffs": [[1, 2, 3, 4, 5, 6]]});
    let memory = json!({"rounds": 10, "memory": 3, "discount": 0.9});
    let crowd = json!({"num_players": 20, "memory": 1, "rounds": 5});
    for subject in [
        Subject::of_batch::<MatrixGame<NormalForm>>(uneven),
        Subject::of_batch::<MatrixGame<IteratedPrisonersDilemma>>(memory),
        Subject::of_batch::<MatrixGame<NPlayerStagHunt>>(crowd),
    ] {
        assert_no_allocations(&subject, 10_000);
    }
}
