use palaestra_plugin_api::{
    serde_json::{from_value, to_value},
    testing::{
        Subject,
        baseline::{Played, assert_beats_random},
    },
};

use super::*;
use crate::scenario::SCENARIOS;

fn battle(scenario: &str) -> Battle {
    Battle::new(&from_value(json!({"scenario": scenario})).unwrap()).unwrap()
}

/// `3m` with units at these places.
fn placed(allies: Value, enemies: Value) -> Battle {
    let mut battle = battle("3m");
    let init: Init = from_value(json!({"allies": allies, "enemies": enemies})).unwrap();
    battle.place(&init).unwrap();
    battle
}

fn at(x: f32, y: f32) -> Value {
    json!({"position": [x, y]})
}

fn dead() -> Value {
    json!({"position": [1, 1], "health": 0})
}

/// What an agent observes, and what it may do.
fn seen(battle: &Battle, agent: usize) -> (Vec<f32>, Vec<usize>) {
    let (field, mut sight) = (&battle.field, battle.sight.clone());
    let mut row = vec![f32::NAN; battle.layout.observation().width()];
    let mut mask = vec![9; battle.layout.actions()];
    sight.read(field);
    for before in 0..=agent {
        sight.look(field, before, &mut row);
    }
    sight.write_mask(&mut mask);
    let allowed = mask.iter().enumerate().filter(|(_, m)| **m == 1);
    (row, allowed.map(|(action, _)| action).collect())
}

/// The published sizes of SMAC.
#[test]
fn spaces_have_the_sizes_of_smac() {
    let sizes: Vec<_> = SCENARIOS
        .iter()
        .map(|scenario| {
            let config = from_value(json!({"scenario": scenario.name})).unwrap();
            let spec = Battle::spec(&config).unwrap();
            let group = &spec.groups[0];
            (
                group.observation.width(),
                spec.state.unwrap().width(),
                group.action.choices()[0],
                spec.max_episode_steps.unwrap(),
            )
        })
        .collect();
    assert_eq!(
        sizes,
        [
            (30, 48, 9, 60),
            (80, 168, 14, 120),
            (55, 98, 12, 70),
            (80, 120, 11, 120),
            (285, 1170, 36, 180)
        ]
    );
}

#[test]
fn an_unknown_scenario_is_refused_with_its_pointer() {
    let config: BattleConfig = from_value(json!({"scenario": "4m"})).unwrap();
    assert_eq!(
        Battle::spec(&config).unwrap_err().to_string(),
        "config /scenario: expected one of 3m, 8m, 5m_vs_6m, 2s3z, 27m_vs_30m, found \"4m\""
    );
}

/// By hand. Agent 0 is in the south-west corner; enemies are at 4.5 (may be attacked), 7.2 (is seen only), 20.
#[test]
fn an_agent_sees_what_is_in_sight_and_may_do_what_is_in_reach() {
    let battle = placed(
        json!([at(0.5, 0.5), {"position": [0.5, 5.0], "health": 9}, at(0.5, 9.5)]),
        json!([at(5.0, 0.5), {"position": [7.7, 0.5], "health": 15}, at(20.5, 0.5)]),
    );
    let (row, allowed) = seen(&battle, 0);
    let moves = [1.0, 0.0, 1.0, 0.0];
    let enemies = [
        [1.0, 0.5, 0.5, 0.0, 1.0],
        [0.0, 0.8, 0.8, 0.0, 15.0 / 45.0],
        [0.0; 5],
    ];
    // The other ally is at 9.0, just out of sight.
    let allies = [[1.0, 0.5, 0.0, 0.5, 0.2], [0.0; 5]];
    let expected = [
        &moves[..],
        enemies.as_flattened(),
        allies.as_flattened(),
        &[1.0],
    ]
    .concat();
    assert_eq!(row.len(), expected.len());
    for (found, expected) in row.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6, "{row:?}");
    }
    assert_eq!(allowed, [1, 2, 4, 6]);
}

#[test]
fn the_dead_see_nothing_do_nothing_and_are_not_seen() {
    let mut battle = placed(
        json!([at(10.0, 10.0), dead(), at(11.0, 10.0)]),
        json!([at(12.0, 10.0), dead(), at(13.0, 10.0)]),
    );
    let (row, allowed) = seen(&battle, 1);
    assert_eq!((row, allowed), (vec![0.0; 30], vec![0]));
    let (row, allowed) = seen(&battle, 0);
    assert_eq!(allowed, [1, 2, 3, 4, 5, 6, 8]);
    assert_eq!((&row[9..14], &row[19..24]), (&[0.0; 5][..], &[0.0; 5][..]));
    battle.advance(|_| STOP);
    assert_eq!(battle.last_actions, [Some(1), Some(0), Some(1)]);
}

/// By hand: middle at (16, 16), map of 32.
#[test]
fn the_state_is_allies_enemies_and_last_actions() {
    let mut battle = placed(
        json!([at(8.0, 16.0), dead(), dead()]),
        json!([at(28.0, 24.0), dead(), dead()]),
    );
    battle.field.units[0].cooldown = 7;
    battle.last_actions[2] = Some(3);
    let mut row = vec![f32::NAN; 48];
    battle
        .layout
        .write_state(&battle.field, &battle.last_actions, &mut row);
    let mut expected = vec![0.0; 48];
    expected[..4].copy_from_slice(&[1.0, 0.5, -0.25, 0.0]);
    expected[12..15].copy_from_slice(&[1.0, 0.375, 0.25]);
    expected[21 + 2 * 9 + 3] = 1.0;
    assert_eq!(row, expected);
}

/// By hand: 3 · 45 of health, 3 · 10 for deaths and 200 for the win are worth 20.
#[test]
fn the_reward_is_damage_deaths_and_the_win() {
    let mut battle = placed(
        json!([at(10.0, 10.0), dead(), dead()]),
        json!([{"position": [15, 10], "health": 6}, dead(), dead()]),
    );
    let toll = battle.advance(|_| BASIC_ACTIONS);
    assert_eq!((toll.damage, toll.kills), (6.0, 1));
    let reward = battle.reward(toll, true);
    assert!((reward - 216.0 * 20.0 / 365.0).abs() < 1e-12, "{reward}");
    let all = Toll {
        damage: 135.0,
        kills: 3,
    };
    assert!((battle.reward(all, true) - 20.0).abs() < 1e-12);
}

/// By hand: out of sight it walks to where the allies started, 9 and 16; then it hunts.
#[test]
fn the_script_walks_to_the_attack_point_and_attacks_the_nearest() {
    let orders = |enemy: Value| {
        let mut battle = placed(
            json!([at(9.0, 2.0), at(9.0, 31.0), dead()]),
            json!([enemy, dead(), dead()]),
        );
        battle.advance(|_| STOP);
        battle.orders[3]
    };
    assert_eq!(orders(at(30.0, 16.0)), Order::Walk([9.0, 16.0]));
    assert_eq!(orders(at(9.0, 25.0)), Order::Attack(1));
    assert_eq!(orders(at(9.0, 16.5)), Order::Attack(0));
}

#[test]
fn a_start_or_a_snapshot_that_cannot_be_is_refused() {
    let mut battle = battle("3m");
    let mut refused = |allies: Value, words: &str| {
        let enemies = json!([at(20.0, 1.0), at(20.0, 2.0), at(20.0, 3.0)]);
        let init: Init = from_value(json!({"allies": allies, "enemies": enemies})).unwrap();
        let error = battle.place(&init).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    refused(json!([at(1.0, 1.0)]), "expected 3 allies and 3 enemies");
    refused(json!([at(1.0, 1.0), at(33.0, 1.0), dead()]), "unit 1");
    refused(json!([dead(), dead(), dead()]), "a team that is dead");
    let mut saved = to_value(&battle).unwrap();
    assert!(from_value::<Battle>(saved.clone()).is_ok());
    saved["units"][0]["shot"] = json!(6);
    assert!(from_value::<Battle>(saved).is_err());
}

/// A team that shoots together wins battles that a random team loses. Five against six it loses, but at a price.
#[test]
fn the_scripted_team_beats_chance() {
    let subject = |scenario| Subject::of::<Battle>(json!({"scenario": scenario}));
    for (scenario, episodes, wins) in [
        ("3m", 100, 0.9),
        ("8m", 100, 0.95),
        ("2s3z", 100, 0.8),
        ("27m_vs_30m", 20, 0.95),
    ] {
        let won = |p: &Played| p.metrics[WIN];
        assert_beats_random(&subject(scenario), episodes, wins, |_, _| true, won);
    }
    let outnumbered = subject("5m_vs_6m");
    assert_beats_random(&outnumbered, 100, 20.0, |_, _| true, |p| p.total());
}
