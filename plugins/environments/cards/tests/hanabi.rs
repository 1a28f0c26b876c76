//! Hanabi through the vtable: the contract, whole games by hand and at random, its scripted player.

use cards::Hanabi;
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, RenderMode, id},
    canvas::Scene,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    serde_json::{Value, json},
    testing::{
        Subject, assert_conformant, assert_conforms,
        baseline::{assert_beats_random, mean_and_error, play},
        random_games,
    },
};

#[test]
fn hanabi_is_conformant() {
    assert_conformant::<Hanabi>();
    for config in [
        json!({"players": 5, "random_first_player": true}),
        json!({"variant": "small", "players": 3, "loss": "keep"}),
        json!({"variant": "very_small", "card_knowledge": false}),
        json!({"players": 4, "colors": 3, "ranks": 4, "hand_size": 3, "max_information_tokens": 0}),
    ] {
        assert_conforms(&Subject::of::<Hanabi>(config));
    }
}

fn batch(config: Value) -> EnvironmentBatch {
    let entry = EnvironmentEntry::of::<Hanabi>();
    let what = MakeEnvironment {
        config,
        ..MakeEnvironment::new(Hanabi::ID)
    };
    EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap()
}

/// Plays choices of whose turn it is; the rewards of player 0, and what the table looked like before the last one.
fn moves(batch: &mut EnvironmentBatch, choices: &[usize]) -> (Vec<f32>, Value) {
    let players = batch.spec().agents();
    let reward = batch.slabs().key::<f32>(id::REWARD, 0).unwrap();
    let mut before = Value::Null;
    let rewards = choices.iter().map(|&choice| {
        before = batch.locate(0).0.inspect(0).unwrap();
        let player = before["player"].as_u64().unwrap() as usize;
        let of = |other| vec![if other == player { choice as f64 } else { 0.0 }];
        let joint = [(0..players).map(of).collect()];
        batch.locate(0).0.step_exact(&joint, 0).unwrap();
        let rewards = batch.rows(reward, 0);
        assert!(rewards.iter().all(|&r| r == rewards[0]), "one for all");
        rewards[0]
    });
    (rewards.collect(), before)
}

/// By hand: a perfect game of Hanabi-Very-Small. Choices 2 and 3 play, 4 names red.
#[test]
fn a_perfect_game_earns_five() {
    let mut table = batch(json!({"variant": "very_small"}));
    let deck = ["R1", "R2", "R3", "R4", "R5", "R1", "R1", "R2", "R3", "R4"];
    let start = json!({"init": {"deck": deck}});
    table.reset(&start, 0).unwrap();
    let mask = table.slabs().key::<u8>(id::ACTION_MASK, 0).unwrap();
    // Player 1 holds R3 and R4: red, 3 and 4 can be named; nothing can be discarded. Player 1 waits.
    let expected = [
        [0, 0, 1, 1, 1, 0, 0, 1, 1, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    assert_eq!(table.rows(mask, 0), expected.concat());
    let (rewards, before) = moves(&mut table, &[2, 4, 2, 2, 4, 2, 2]);
    assert_eq!(rewards, [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    assert_eq!(before["hands"], json!([["R5", "R1"], ["R1", "R2"]]));
    assert_eq!(before["hints"], json!([["R?", "??"], ["R?", "??"]]));
    let terminated = table.slabs().key::<u8>(id::TERMINATED, NO_GROUP);
    assert_eq!(table.rows(terminated.unwrap(), 0), [1]);
}

/// By hand: R1 is played, then R3 fails with the only life: the reward takes back what was earned.
#[test]
fn a_lost_game_takes_its_points_back() {
    let deck = ["R1", "R2", "R3", "R4"];
    for (loss, last) in [("zero", -1.0), ("keep", 0.0)] {
        let mut table = batch(json!({"variant": "very_small", "loss": loss}));
        table.reset(&json!({"init": {"deck": deck}}), 0).unwrap();
        let (rewards, before) = moves(&mut table, &[2, 2]);
        assert_eq!(rewards, [1.0, last]);
        assert_eq!(before["score"], 1);
    }
}

#[test]
fn a_game_can_begin_in_the_middle_and_not_after_its_end() {
    let mut table = batch(json!({"variant": "very_small"}));
    let deck = ["R1", "R2", "R3", "R4"];
    let start = json!({"init": {"deck": deck, "first_player": 1, "choices": [4, 2]}});
    table.reset(&start, 0).unwrap();
    let seen = table.locate(0).0.inspect(0).unwrap();
    assert_eq!(seen["player"], 1);
    assert_eq!(seen["fireworks"], json!([1]));
    assert_eq!(seen["hints"][0][0], "R?");
    let over = json!({"init": {"deck": deck, "choices": [3]}});
    let refused = table.reset(&over, 0).unwrap_err();
    assert!(
        refused.message.contains("a game that is not over"),
        "{refused}"
    );
}

/// Cards are neither made nor lost, tokens stay within bounds, and the fireworks are what was earned.
#[test]
fn cards_are_conserved_in_random_games() {
    for config in [
        json!({"max_life_tokens": 50}),
        json!({"players": 3, "variant": "small", "max_life_tokens": 4}),
        json!({"players": 5}),
    ] {
        let mut table = batch(config);
        let mut random = RandomPolicy::new(table.spec(), table.slabs(), 3, 0);
        table.reset(&json!({}), 0).unwrap();
        let before = table.locate(0).0.inspect(0).unwrap();
        let count = |seen: &Value| {
            let len = |list: &Value| list.as_array().unwrap().len() as u64;
            let hands: u64 = seen["hands"].as_array().unwrap().iter().map(len).sum();
            let fireworks = seen["fireworks"].as_array().unwrap().iter();
            let stacked: u64 = fireworks.map(|f| f.as_u64().unwrap()).sum();
            hands + stacked + len(&seen["discards"]) + seen["deck_size"].as_u64().unwrap()
        };
        for time in 0..2_000 {
            random.fill(&mut table.locate(0).0, 0, time).unwrap();
            table.step(0, 0).unwrap();
            let seen = table.locate(0).0.inspect(0).unwrap();
            assert_eq!(count(&seen), count(&before), "{seen}");
            assert!(seen["information_tokens"].as_u64() <= before["information_tokens"].as_u64());
            assert!(seen["life_tokens"].as_u64() <= before["life_tokens"].as_u64());
            assert!(seen["life_tokens"].as_u64() > Some(0), "{seen}");
        }
    }
}

#[test]
fn returns_of_random_games_are_scores_and_few() {
    for config in [json!({}), json!({"players": 4, "loss": "keep"})] {
        let keeps = config["loss"] == "keep";
        let games = random_games(&Subject::of::<Hanabi>(config), 1_000);
        for game in &games {
            let [score, hints, plays, misplays, discards, perfect, lost] = game.metrics[..] else {
                panic!("{:?}", game.metrics)
            };
            assert_eq!(game.returns[0][0], score);
            assert_eq!(hints + plays + misplays + discards, f64::from(game.length));
            assert_eq!(lost == 1.0, misplays == 3.0);
            assert_eq!(score, if lost == 1.0 && !keeps { 0.0 } else { plays });
            assert_eq!(perfect, 0.0);
        }
        let [score, error] = mean_and_error(&games, |game| game.metrics[0]);
        println!("random play scores {score:.3} ± {error:.3}");
        assert!(score < 3.0);
    }
}

/// The convention never guesses, so it never loses; Walton-Rivers et al. report 16 to 17 points for theirs.
#[test]
fn the_scripted_players_never_lose_and_beat_chance_by_far() {
    for players in 2..=5 {
        let subject = Subject::of::<Hanabi>(json!({"players": players}));
        let games = play(&subject, 200, 0, |_, _| true).unwrap();
        let [score, error] = mean_and_error(&games, |game| game.metrics[0]);
        println!("{players} scripted players score {score:.2} ± {error:.2}");
        assert!(
            games.iter().all(|game| game.metrics[6] == 0.0),
            "a game was lost"
        );
        assert!(score > 14.0, "{players} players: {score}");
        assert_beats_random(&subject, 50, 10.0, |_, _| true, |game| game.metrics[0]);
    }
    for variant in ["small", "very_small"] {
        let subject = Subject::of::<Hanabi>(json!({"variant": variant}));
        let [chance, score] =
            assert_beats_random(&subject, 200, 2.0, |_, _| true, |game| game.metrics[0]);
        println!("{variant}: {score:.2}, chance {chance:.2}");
    }
}

#[test]
fn the_table_is_drawn_and_written() {
    let mut table = batch(json!({}));
    let deck = ["R1", "R2", "Y1", "B5", "R1", "R3", "G1", "W1", "G1", "B2"];
    table
        .reset(&json!({"init": {"deck": deck, "choices": [15]}}), 0)
        .unwrap();
    let scene = table.locate(0).0.render(0, RenderMode::Scene).unwrap();
    let scene = Scene::from_json(std::str::from_utf8(&scene).unwrap()).unwrap();
    scene.check().unwrap();
    let text = scene.text.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "information 7/8   lives 3/3   deck 40",
            "fireworks  R0 Y0 G0 W0 B0",
            "  player 0  R1 R2 Y1 B5 R1  hints ?? ?? ?? ?? ??",
            "> player 1  R3 G1 W1 G1 B2  hints ?? ?1 ?1 ?1 ??",
            "discards ",
            "player 0 named rank 1 to player 1; player 1 to act, score 0",
        ]
    );
}
