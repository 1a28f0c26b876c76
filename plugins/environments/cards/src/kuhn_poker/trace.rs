//! Reads OpenSpiel's tree of the game: every terminal history, and every information state.

use palaestra_plugin_api::{
    Error, Result,
    serde::{Deserialize, de::DeserializeOwned},
    serde_json::{Map, Value, json},
    trace::{Expected, Joint, SLAB_TOLERANCE, STATE_TOLERANCE, TraceCase, TraceStep},
};

use super::{PLAYERS, RANKS};

/// One way through the game.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct History {
    cards: [usize; PLAYERS],
    betting: Vec<usize>,
    chance_prob: f64,
    returns: [f64; PLAYERS],
    /// Player, information state, legal actions and action of each decision.
    steps: Vec<(usize, String, Vec<usize>, usize)>,
}

/// What a player knows when it is its turn.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct InformationState {
    player: usize,
    legal: Vec<usize>,
    tensor: Vec<f64>,
}

/// One case per terminal history, and one per information state and card of the other player.
pub(super) fn cases(document: &Value) -> Result<Vec<TraceCase>> {
    let histories: Vec<History> = read(document, "terminal_histories")?;
    let states: Map<String, Value> = read(document, "infosets")?;
    let mut cases: Vec<_> = histories.iter().map(terminal_case).collect();
    for (name, value) in &states {
        let state = InformationState::deserialize(value)
            .map_err(|e| Error::config(format!("trace /infosets/{name}: {e}")))?;
        let own = name
            .chars()
            .next()
            .and_then(|card| card.to_digit(10))
            .map(|card| card as usize);
        let own = own.filter(|&card| card < RANKS).ok_or_else(|| {
            Error::config(format!(
                "trace /infosets: expected a name that begins with a card, found {name:?}"
            ))
        })?;
        let others = (0..RANKS).filter(|&card| card != own);
        cases.extend(others.map(|other| information_state_case(name, &state, own, other)));
    }
    Ok(cases)
}

fn read<T: DeserializeOwned>(document: &Value, member: &str) -> Result<T> {
    T::deserialize(&document[member]).map_err(|e| Error::config(format!("trace /{member}: {e}")))
}

/// Plays a terminal history; at each decision compares player, information state and legal actions.
fn terminal_case(history: &History) -> TraceCase {
    let decision = |t: usize| match history.steps.get(t) {
        Some((player, state, legal, _)) => decides(*player, state, legal, None),
        None => Expected {
            rewards: Some(vec![history.returns.to_vec()]),
            ..Expected::default()
        },
    };
    let played: Vec<usize> = history.steps.iter().map(|step| step.3).collect();
    let mut case = play(
        format!("cards {:?}, betting {:?}", history.cards, history.betting),
        history.cards,
        &played,
        decision,
    );
    case.start
        .state
        .insert("chance_probability".into(), json!(history.chance_prob));
    if let Some(last) = case.steps.last_mut() {
        last.expected.state.extend([
            ("cards".into(), json!(history.cards)),
            ("betting".into(), json!(history.betting)),
            ("player".into(), Value::Null),
        ]);
    }
    let end = case.steps.len();
    for (t, step) in case.steps.iter_mut().enumerate() {
        step.expected.terminated = Some(t + 1 == end);
        if t + 1 < end {
            step.expected.rewards = Some(vec![vec![0.0; PLAYERS]]);
        }
    }
    case
}

/// Plays to an information state and compares its tensor.
fn information_state_case(
    name: &str,
    state: &InformationState,
    own: usize,
    other: usize,
) -> TraceCase {
    let cards = if state.player == 0 {
        [own, other]
    } else {
        [other, own]
    };
    let played: Vec<usize> = name
        .chars()
        .skip(1)
        .map(|letter| usize::from(letter == 'b'))
        .collect();
    let reached = |t: usize| {
        if t == played.len() {
            decides(state.player, name, &state.legal, Some(&state.tensor))
        } else {
            Expected::default()
        }
    };
    play(
        format!("information state {name}, other card {other}"),
        cards,
        &played,
        reached,
    )
}

/// A case that plays `actions`; `expected(t)` is seen after t of them.
fn play(
    name: String,
    cards: [usize; PLAYERS],
    actions: &[usize],
    expected: impl Fn(usize) -> Expected,
) -> TraceCase {
    let step = |(t, &action): (usize, &usize)| {
        let mut joint = vec![vec![0.0]; PLAYERS];
        joint[t % PLAYERS] = vec![action as f64];
        TraceStep {
            actions: vec![joint],
            expected: expected(t + 1),
        }
    };
    TraceCase {
        name,
        config: json!({}),
        init: json!({"cards": cards}),
        start: expected(0),
        steps: actions.iter().enumerate().map(step).collect(),
        state_tolerance: STATE_TOLERANCE,
        slab_tolerance: SLAB_TOLERANCE,
    }
}

/// What must be seen when a player is to act: its own row of everything.
fn decides(player: usize, state: &str, legal: &[usize], tensor: Option<&[f64]>) -> Expected {
    let mask = (0..2)
        .map(|action| f64::from(u8::from(legal.contains(&action))))
        .collect();
    let mut expected = Expected {
        masks: Some(only(player, mask)),
        observations: tensor.map(|tensor| only(player, tensor.to_vec())),
        acting: Some(vec![(0..PLAYERS).map(|p| p == player).collect()]),
        ..Expected::default()
    };
    expected.state.insert("player".into(), json!(player));
    expected.state.insert(
        "information_state".into(),
        json!({player.to_string(): state}),
    );
    expected
}

/// A row for one player; the other's is not compared.
fn only(player: usize, row: Vec<f64>) -> Joint {
    let mut rows = vec![Vec::new(); PLAYERS];
    rows[player] = row;
    vec![rows]
}
