//! Every game keeps the contract: with its default settings, and in the forms that settings can give it.

use matrix_games::*;
use palaestra_plugin_api::{
    serde_json::{Value, json},
    testing::{Subject, assert_batch_conformant, assert_conforms},
};

macro_rules! conformant {
    ($($test:ident: $preset:ty;)*) => { $(
        #[test]
        fn $test() {
            assert_batch_conformant::<MatrixGame<$preset>>();
        }
    )* };
}

conformant! {
    normal_form_is_conformant: NormalForm;
    prisoners_dilemma_is_conformant: PrisonersDilemma;
    iterated_prisoners_dilemma_is_conformant: IteratedPrisonersDilemma;
    stag_hunt_is_conformant: StagHunt;
    chicken_is_conformant: Chicken;
    coordination_is_conformant: Coordination;
    battle_of_sexes_is_conformant: BattleOfSexes;
    matching_pennies_is_conformant: MatchingPennies;
    rock_paper_scissors_is_conformant: RockPaperScissors;
    climbing_is_conformant: Climbing;
    penalty_is_conformant: Penalty;
    two_step_is_conformant: TwoStep;
    public_goods_is_conformant: PublicGoods;
    n_player_stag_hunt_is_conformant: NPlayerStagHunt;
    volunteers_dilemma_is_conformant: VolunteersDilemma;
    minority_is_conformant: Minority;
}

fn assert_conformant_with<P: Preset>(config: Value) {
    assert_conforms(&Subject::of_batch::<MatrixGame<P>>(config));
}

#[test]
fn one_round_is_conformant() {
    assert_conformant_with::<PrisonersDilemma>(json!({"rounds": 1}));
}

#[test]
fn a_long_memory_and_a_random_end_are_conformant() {
    assert_conformant_with::<RockPaperScissors>(json!({"memory": 3, "discount": 0.9}));
    assert_conformant_with::<Minority>(json!({"memory": 2, "discount": 0.8, "rounds": 1000}));
}

#[test]
fn different_numbers_of_actions_are_conformant() {
    let config = json!({
        "actions": [["a", "b"], ["c", "d", "e"], ["f"]],
        "payoffs": [[1, 2, 3, 4, 5, 6]],
        "memory": 2,
        "rounds": 5,
    });
    assert_conformant_with::<NormalForm>(config);
}

#[test]
fn one_player_and_many_are_conformant() {
    assert_conformant_with::<NormalForm>(
        json!({"actions": [["a", "b", "c"]], "payoffs": [[1, 2, 3]]}),
    );
    assert_conformant_with::<Coordination>(json!({"num_players": 5, "memory": 1}));
    assert_conformant_with::<PublicGoods>(json!({"num_players": 30, "levels": 3, "memory": 1}));
}
