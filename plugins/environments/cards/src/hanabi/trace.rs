//! Reads episodes of the Hanabi Learning Environment: the deal, move uids, and what everybody saw after each move.

use palaestra_plugin_api::{
    Error, Result, config,
    serde::de::DeserializeOwned,
    serde_json::{Value, json},
    trace::{Expected, Joint, SLAB_TOLERANCE, STATE_TOLERANCE, TraceCase, TraceStep},
};

use super::{HanabiConfig, WAIT, observation, rules::Rules};
use crate::turns;

/// Members of the inspection that the reference has too.
const STATE: [&str; 6] = [
    "player",
    "score",
    "fireworks",
    "information_tokens",
    "life_tokens",
    "deck_size",
];
/// Bits of a hexadecimal digit.
const DIGIT: usize = 4;

pub(super) fn cases(document: &Value) -> Result<Vec<TraceCase>> {
    let cases: Vec<Value> = read("cases", &document["cases"]).map_err(|e| e.within("trace"))?;
    let case = |(i, value)| case(value).map_err(|e: Error| e.within(format!("trace /cases/{i}")));
    cases.iter().enumerate().map(case).collect()
}

fn case(case: &Value) -> Result<TraceCase> {
    let config = settings(case);
    let parsed = config::parse::<HanabiConfig>(&config.to_string()).map_err(Error::config)?;
    let rules = Rules::of(&parsed)?;
    let mut start = seen(&rules, |name| &case["start"][name])?;
    let mut player: Option<usize> = read("start/player", &case["start"]["player"])?;
    let choices: Vec<usize> = read("actions", &case["actions"])?;
    let mut steps = Vec::with_capacity(choices.len());
    for (t, choice) in choices.into_iter().enumerate() {
        let mover = player
            .ok_or_else(|| Error::config(format!("/player: expected one before move {t}")))?;
        let mut expected = seen(&rules, |name| &case[name][t])?;
        let reward: f64 = read("rewards", &case["rewards"][t])?;
        expected.rewards = Some(vec![vec![reward; rules.players]]);
        expected.terminated = Some(read("terminated", &case["terminated"][t])?);
        expected.truncated = Some(false);
        steps.push(TraceStep {
            actions: turns::joint(rules.players, mover, choice, WAIT),
            expected,
        });
        player = read("player", &case["player"][t])?;
    }
    let first_player = case["init"]["first_player"].clone();
    start.state.insert("first_player".into(), first_player);
    Ok(TraceCase {
        name: read("name", &case["name"])?,
        config,
        init: case["init"].clone(),
        start,
        steps,
        state_tolerance: STATE_TOLERANCE,
        slab_tolerance: SLAB_TOLERANCE,
    })
}

/// Our settings for the reference's: those of a preset are our own defaults, so that these are compared too.
fn settings(case: &Value) -> Value {
    let theirs = &case["parameters"];
    let mut config = match &case["preset"] {
        Value::Null => theirs.clone(),
        preset => json!({"variant": preset, "players": theirs["players"]}),
    };
    if let Some(members) = config.as_object_mut() {
        members.remove("observation_type");
    }
    config["card_knowledge"] = json!(theirs["observation_type"] != 0);
    config
}

/// What is compared after a move; `of` gives a member as it was then.
fn seen<'a>(rules: &Rules, of: impl Fn(&'static str) -> &'a Value) -> Result<Expected> {
    let width = observation::width(rules);
    let packed: Vec<String> = read("obs", of("obs"))?;
    let rows = packed.iter().map(|digits| unpacked(digits, width));
    let mut expected = Expected {
        observations: Some(vec![rows.collect::<Result<_>>()?]),
        ..Expected::default()
    };
    for name in STATE {
        expected.state.insert(name.into(), of(name).clone());
    }
    // Nobody acts once the game is over.
    if let Some(player) = read::<Option<usize>>("player", of("player"))? {
        let legal: Vec<usize> = read("legal", of("legal"))?;
        let allowed = |choice| f64::from(u8::from(legal.contains(&choice)));
        let mut masks: Joint = vec![vec![Vec::new(); rules.players]];
        masks[0][player] = (0..rules.choices()).map(allowed).collect();
        expected.masks = Some(masks);
        let acts = |other| other == player;
        expected.acting = Some(vec![(0..rules.players).map(acts).collect()]);
    }
    Ok(expected)
}

/// The first `width` bits of hexadecimal digits.
fn unpacked(digits: &str, width: usize) -> Result<Vec<f64>> {
    let digit = |digit: char| digit.to_digit(16);
    let values: Option<Vec<u32>> = digits.chars().map(digit).collect();
    let values = values.filter(|values| values.len() == width.div_ceil(DIGIT));
    let values = values.ok_or_else(|| {
        let count = width.div_ceil(DIGIT);
        Error::config(format!(
            "/obs: expected {count} hexadecimal digits, found {digits:?}"
        ))
    })?;
    let bit = |i: usize| values[i / DIGIT] >> (DIGIT - 1 - i % DIGIT) & 1;
    Ok((0..width).map(|i| f64::from(bit(i))).collect())
}

fn read<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|e| Error::config(format!("/{name}: {e}")))
}
