//! Transitions by hand: observations, rewards, masks, ends, metrics, start states, trees and refusals.

mod common;

use common::{batch, refusal};
use matrix_games::*;
use palaestra_plugin_api::{
    abi::{NO_GROUP, RenderMode, id},
    client::{EnvironmentBatch, RandomPolicy},
    game_tree::GameNode,
    serde_json::{Value, from_slice, json},
    spec::Tag,
};

/// Plays one joint action in instance 0; gives rewards and whether the game is over.
fn step(games: &mut EnvironmentBatch, joint: &[i32]) -> (Vec<f32>, bool) {
    let slabs = games.slabs();
    let action = slabs.key::<i32>(id::ACTION, 0).unwrap();
    let reward = slabs.key::<f32>(id::REWARD, 0).unwrap();
    let over = slabs.key::<u8>(id::TERMINATED, NO_GROUP).unwrap();
    games.rows_mut(action, 0)[..joint.len()].copy_from_slice(joint);
    games.step(0, 0).unwrap();
    let paid = games.rows(reward, 0)[..joint.len()].to_vec();
    (paid, games.rows(over, 0)[0] != 0)
}

/// What one player of instance 0 sees.
fn seen(games: &EnvironmentBatch, player: usize) -> &[f32] {
    let width = games.spec().groups[0].observation.width();
    let key = games.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    &games.rows(key, 0)[player * width..(player + 1) * width]
}

fn inspect(games: &mut EnvironmentBatch) -> Value {
    games.locate(0).0.inspect(0).unwrap()
}

#[test]
fn without_memory_players_see_zeros_and_the_last_round_ends_the_game() {
    let mut games = batch::<PrisonersDilemma>(json!({"rounds": 3}), 1);
    assert_eq!(games.spec().groups[0].observation.width(), 2);
    assert_eq!(step(&mut games, &[0, 1]), (vec![0.0, 5.0], false));
    assert_eq!(seen(&games, 0), [0.0, 0.0]);
    assert_eq!(step(&mut games, &[1, 1]), (vec![1.0, 1.0], false));
    assert_eq!(step(&mut games, &[0, 0]), (vec![3.0, 3.0], true));
}

#[test]
fn the_other_convention_counts_years() {
    let mut games = batch::<PrisonersDilemma>(json!({"convention": "years"}), 1);
    assert_eq!(step(&mut games, &[0, 0]).0, [-1.0, -1.0]);
    assert_eq!(step(&mut games, &[0, 1]).0, [-3.0, 0.0]);
    assert_eq!(step(&mut games, &[1, 0]).0, [0.0, -3.0]);
    assert_eq!(step(&mut games, &[1, 1]).0, [-2.0, -2.0]);
    assert_eq!(games.spec().reward_range, (Some(-3.0), Some(0.0)));
}

#[test]
fn a_memory_shows_own_actions_first_and_the_last_round_first() {
    let mut games = batch::<IteratedPrisonersDilemma>(json!({"memory": 2, "rounds": 3}), 1);
    assert_eq!(seen(&games, 0), [0.0; 8]);
    step(&mut games, &[0, 1]);
    assert_eq!(seen(&games, 0), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(seen(&games, 1), [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    step(&mut games, &[1, 1]);
    assert_eq!(seen(&games, 0), [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(seen(&games, 1), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
    step(&mut games, &[0, 0]);
    assert_eq!(seen(&games, 1), [0.0; 8], "a new episode remembers nothing");
}

#[test]
fn players_of_a_crowd_see_their_own_action_and_the_share_of_all() {
    // Written out, and with a cell for each player.
    for players in [4, 20] {
        let config = json!({"num_players": players, "hunters": 2, "memory": 1});
        let mut games = batch::<NPlayerStagHunt>(config, 1);
        let mut joint = vec![1; players];
        joint[0] = 0;
        let (paid, _) = step(&mut games, &joint);
        assert_eq!(paid[..2], [0.0, 2.0], "one hunter is too few");
        let share = (players - 1) as f32 / players as f32;
        assert_eq!(seen(&games, 0), [1.0, 0.0, share]);
        assert_eq!(seen(&games, 1), [0.0, 1.0, share]);
        joint[1] = 0;
        assert_eq!(step(&mut games, &joint).0[..3], [4.0, 4.0, 2.0]);
        assert_eq!(inspect(&mut games)["history"], json!([joint]));
    }
}

/// By hand: four players with 20 give 20, 10, 0 and 0; 30 · 1.6 / 4 = 12 come back to each.
#[test]
fn public_goods_are_multiplied_and_shared() {
    let mut games = batch::<PublicGoods>(json!({}), 1);
    assert_eq!(
        step(&mut games, &[20, 10, 0, 0]).0,
        [12.0, 22.0, 32.0, 32.0]
    );
    let metrics = games.slabs().key::<f32>(id::METRICS, NO_GROUP).unwrap();
    assert_eq!(games.rows(metrics, 0), [98.0, 0.0, 0.375]);
    step(&mut games, &[0, 0, 0, 0]);
    assert_eq!(
        games.rows(metrics, 0),
        [80.0, 1.0, 0.0],
        "nobody would give alone"
    );
}

#[test]
fn volunteers_pay_for_all_and_minorities_win() {
    let mut games = batch::<VolunteersDilemma>(json!({}), 1);
    assert_eq!(step(&mut games, &[0, 1, 1]).0, [0.5, 1.0, 1.0]);
    assert_eq!(step(&mut games, &[1, 1, 1]).0, [0.0; 3]);
    let mut games = batch::<Minority>(json!({}), 1);
    assert_eq!(
        step(&mut games, &[0, 0, 1, 1, 1]).0,
        [1.0, 1.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(step(&mut games, &[0, 0, 0, 0, 0]).0, [0.0; 5]);
}

#[test]
fn the_two_step_game_shows_its_state() {
    let mut games = batch::<TwoStep>(json!({}), 1);
    assert_eq!(seen(&games, 1), [1.0, 0.0, 0.0]);
    assert_eq!(step(&mut games, &[1, 0]), (vec![0.0, 0.0], false));
    assert_eq!(seen(&games, 0), [0.0, 0.0, 1.0]);
    assert_eq!(inspect(&mut games)["stage"], json!(2));
    assert_eq!(step(&mut games, &[1, 1]), (vec![8.0, 8.0], true));
    games
        .reset(&json!({"init": {"stage": 1, "rounds_left": 1}}), 0)
        .unwrap();
    assert_eq!(seen(&games, 0), [0.0, 1.0, 0.0]);
    assert_eq!(step(&mut games, &[0, 1]), (vec![7.0, 7.0], true));
}

#[test]
fn an_episode_can_start_in_the_middle() {
    let mut games = batch::<IteratedPrisonersDilemma>(json!({}), 1);
    let init = json!({"init": {"history": [[1, 0]], "rounds_left": 1}});
    games.reset(&init, 0).unwrap();
    assert_eq!(seen(&games, 0), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(step(&mut games, &[1, 1]), (vec![1.0, 1.0], true));
    let mut refused = |init: Value| games.reset(&json!({"init": init}), 0).unwrap_err().message;
    assert!(
        refused(json!({"history": [[0, 2]]})).contains("/history/0: expected one action of each")
    );
    assert!(refused(json!({"history": [[0, 1], [1, 1]]})).contains("expected at most 1 rounds"));
    assert!(refused(json!({"rounds_left": 0})).contains("expected at least 1, found 0"));
    assert!(refused(json!({"rounds_left": 201})).contains("expected at most 200, found 201"));
    assert!(refused(json!({"stage": 1})).contains("expected a stage below 1, found 1"));
}

#[test]
fn other_joint_actions_are_priced_without_being_played() {
    let mut games = batch::<Climbing>(json!({}), 1);
    let price = |games: &mut EnvironmentBatch, a: f64, b: f64| {
        games
            .locate(0)
            .0
            .counterfactual(0, &[vec![vec![a], vec![b]]])
    };
    assert_eq!(price(&mut games, 0.0, 0.0).unwrap(), [[11.0, 11.0]]);
    assert_eq!(price(&mut games, 0.0, 1.0).unwrap(), [[-30.0, -30.0]]);
    assert!(price(&mut games, 0.0, 3.0).is_err());
    let mut games = batch::<TwoStep>(json!({}), 1);
    assert_eq!(price(&mut games, 1.0, 1.0).unwrap(), [[0.0, 0.0]]);
    step(&mut games, &[1, 0]);
    assert_eq!(price(&mut games, 1.0, 1.0).unwrap(), [[8.0, 8.0]]);
}

/// Values of the tree under uniform play, by walking it; information sets are counted.
fn walk(
    node: &mut dyn FnMut(&[usize]) -> GameNode,
    history: &mut Vec<usize>,
    sets: &mut std::collections::BTreeSet<String>,
) -> f64 {
    match node(history) {
        GameNode::Terminal { returns } => returns[0],
        GameNode::Chance { .. } => unreachable!("no game here has chance moves"),
        GameNode::Decision {
            moves,
            information_state,
            player,
        } => {
            assert_eq!(player, history.len() % 2);
            sets.insert(information_state);
            let mut sum = 0.0;
            for &action in &moves {
                history.push(action);
                sum += walk(node, history, sets);
                history.pop();
            }
            sum / moves.len() as f64
        }
    }
}

fn tree<P: Preset>(config: Value) -> (f64, usize) {
    use palaestra_plugin_api::{
        __private::EnvironmentEntry,
        client::{EnvironmentHandle, MakeEnvironment},
    };
    let what = MakeEnvironment {
        config,
        ..MakeEnvironment::new(P::ID)
    };
    let entry = EnvironmentEntry::of_batch::<MatrixGame<P>>();
    let mut handle = EnvironmentHandle::in_process(&entry, &what).unwrap();
    assert!(handle.spec().flags.game_tree);
    let mut sets = Default::default();
    let value = walk(
        &mut |h| handle.game_node(h).unwrap(),
        &mut Vec::new(),
        &mut sets,
    );
    assert!(handle.game_node(&[9]).is_err(), "no such move");
    (value, sets.len())
}

/// Simultaneous moves: one information set a player and round, for neither sees the other's move.
#[test]
fn one_round_is_a_tree_in_which_nobody_sees_the_others_move() {
    assert_eq!(tree::<PrisonersDilemma>(json!({"rounds": 1})), (2.25, 2));
    // Two steps: two sets at first; then each knows the state and its own first move. Player 0's first move is
    // the state: 2 sets; player 1 has 4.
    assert_eq!(tree::<TwoStep>(json!({})), (4.75, 2 + 2 + 4));
    assert!(
        !batch::<PrisonersDilemma>(json!({}), 1)
            .spec()
            .flags
            .game_tree
    );
}

#[test]
fn a_choice_that_a_player_does_not_have_is_masked_and_refused() {
    let config = json!({"actions": [["a", "b"], ["c", "d", "e"]], "payoffs": [[1, 2, 3, 4, 5, 6]]});
    let mut games = batch::<NormalForm>(config, 1);
    let mask = games.slabs().key::<u8>(id::ACTION_MASK, 0).unwrap();
    assert_eq!(games.rows(mask, 0), [1, 1, 0, 1, 1, 1]);
    assert_eq!(step(&mut games, &[1, 0]).0, [4.0, 4.0]);
    assert_eq!(step(&mut games, &[0, 2]).0, [3.0, 3.0]);
    assert_eq!(games.rows(mask, 0), [1, 1, 0, 1, 1, 1]);
    assert_eq!(games.spec().tags, [Tag::Cooperative]);
    let action = games.slabs().key::<i32>(id::ACTION, 0).unwrap();
    games.rows_mut(action, 0).copy_from_slice(&[2, 0]);
    assert!(
        games
            .step(0, 0)
            .unwrap_err()
            .message
            .contains("expected one of [0, 1], found 2")
    );
}

#[test]
fn tags_follow_from_payoffs() {
    assert_eq!(
        batch::<MatchingPennies>(json!({}), 1).spec().tags,
        [Tag::Competitive]
    );
    assert_eq!(
        batch::<Penalty>(json!({}), 1).spec().tags,
        [Tag::Cooperative]
    );
    assert_eq!(
        batch::<TwoStep>(json!({}), 1).spec().tags,
        [Tag::Cooperative]
    );
    assert_eq!(
        batch::<BattleOfSexes>(json!({}), 1).spec().tags,
        [Tag::Mixed]
    );
    assert_eq!(batch::<PublicGoods>(json!({}), 1).spec().tags, [Tag::Mixed]);
}

#[test]
fn settings_that_make_no_game_are_refused_with_their_place() {
    let wrong = |config| refusal::<NormalForm>(config);
    assert!(wrong(json!({"payoffs": [[1, 2, 3]]})).contains("/payoffs/0: expected 4 numbers"));
    assert!(wrong(json!({"payoffs": []})).contains("/payoffs: expected 1 or 2 lists, found 0"));
    assert!(wrong(json!({"actions": []})).contains("/actions: expected 1 to 16 players, found 0"));
    assert!(
        wrong(json!({"actions": [["a"], []]})).contains("/actions/1: expected at least one action")
    );
    assert!(
        refusal::<Minority>(json!({"num_players": 4})).contains("/num_players: expected an odd")
    );
    assert!(
        refusal::<NPlayerStagHunt>(json!({"hunters": 9})).contains("/hunters: expected at most 5")
    );
    assert!(
        refusal::<Coordination>(json!({"payoffs": []})).contains("expected at least one action")
    );
    assert!(refusal::<Climbing>(json!({"discount": 1.5})).contains("/discount"));
}

/// The picture of instance 0 as text.
fn text(games: &mut EnvironmentBatch) -> String {
    let scene = games.locate(0).0.render(0, RenderMode::Scene).unwrap();
    let scene: Value = from_slice(&scene).unwrap();
    scene["text"].as_str().unwrap().to_owned()
}

#[test]
fn the_table_marks_the_last_joint_action() {
    let mut games = batch::<Chicken>(json!({}), 1);
    assert!(!text(&mut games).contains('['), "nothing is played yet");
    step(&mut games, &[0, 1]);
    let table = text(&mut games);
    let marked = table.contains("[-1, 1]") && table.matches('[').count() == 1;
    assert!(
        marked && table.contains(" 0, 0 ") && table.contains("swerve"),
        "{table}"
    );
    let mut games = batch::<PublicGoods>(json!({}), 1);
    step(&mut games, &[20, 10, 0, 0]);
    let list = text(&mut games);
    assert!(list.contains("give 20") && list.contains("32"), "{list}");
}

/// Games that start anew at once must be as those that start one after another, which they do once anybody sets options.
fn assert_starts_alike<P: Preset>(config: Value) {
    let [mut at_once, mut one_by_one] = [(); 2].map(|()| batch::<P>(config.clone(), 40));
    for mut shard in one_by_one.shards_mut() {
        shard.set_options(None, &json!({})).unwrap();
    }
    let mut ends = 0;
    for time in 0..60 {
        for games in [&mut at_once, &mut one_by_one] {
            let mut policy = RandomPolicy::new(games.spec(), games.slabs(), 3, 0);
            games
                .shards_mut()
                .try_for_each(|mut shard| policy.fill(&mut shard, 0, time))
                .unwrap();
            games.step(0, 0).unwrap();
        }
        assert_eq!(at_once.save_slot(0), one_by_one.save_slot(0), "{time}");
        for i in [0, 7, 39] {
            let [a, b] = [&mut at_once, &mut one_by_one].map(|games| {
                let (mut shard, index) = games.locate(i);
                shard.inspect(index).unwrap()
            });
            assert_eq!(a, b, "{time}");
        }
        let count = at_once.slabs().key::<u32>(id::ENDED_COUNT, NO_GROUP);
        ends += at_once.rows(count.unwrap(), 0)[0];
    }
    assert!(ends > 100, "{}: {ends} episodes", P::ID);
}

#[test]
fn games_that_start_together_start_as_one_after_another() {
    assert_starts_alike::<TwoStep>(json!({}));
    assert_starts_alike::<PrisonersDilemma>(json!({"discount": 0.8, "memory": 2}));
    assert_starts_alike::<PublicGoods>(json!({"rounds": 4, "memory": 3}));
    let uneven = json!({"actions": [["a", "b"], ["c", "d", "e"]], "payoffs": [[1, 2, 3, 4, 5, 6]], "rounds": 3});
    assert_starts_alike::<NormalForm>(uneven);
}
