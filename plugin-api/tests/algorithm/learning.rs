//! Learning from fragments, tuning, snapshots, weights.

use palaestra_plugin_api::{
    Error, ErrorKind,
    abi::{DType, NO_GROUP, id},
    algorithm::{Amount, Collect},
    client::{SlabMemory, TablePlan},
    layout::SlabLayout,
    serde_json::{Map, Value},
};
use serde_json::json;

use super::{acting::Desk, make};

const STEPS: usize = 3;
const INSTANCES: usize = 4;

/// A fragment: rows in one memory, lists of ended episodes in another.
pub(crate) struct Fragment {
    rows: SlabMemory,
    lists: SlabMemory,
}

impl Fragment {
    pub(crate) fn new() -> Self {
        let layout = |id, group, dtype, shape: &[usize], ended| SlabLayout {
            id,
            group,
            dtype,
            shape: shape.to_vec(),
            ended,
        };
        let rows = vec![
            layout(id::LEARNING_REWARD, 0, DType::F32, &[2], false),
            layout(id::TERMINATED, NO_GROUP, DType::U8, &[], false),
        ];
        let lists = vec![
            layout(id::ENDED_COUNT, NO_GROUP, DType::U32, &[], true),
            layout(id::ENDED_ROW, NO_GROUP, DType::U32, &[], true),
            layout(id::FINAL_OBSERVATION, 0, DType::F32, &[2, 2], true),
        ];
        let mut fragment = Self {
            rows: SlabMemory::new(rows, STEPS + 1, INSTANCES),
            lists: SlabMemory::new(lists, 1, STEPS * INSTANCES),
        };
        let reward = fragment
            .rows
            .slabs()
            .key::<f32>(id::LEARNING_REWARD, 0)
            .unwrap();
        for slot in 1..=STEPS {
            fragment.rows.rows_mut(reward, slot).fill(0.5);
        }
        fragment
    }

    /// Notes that instance `i` ended with step `t`.
    fn end(&mut self, t: usize, i: usize, last: f32) {
        let count = self
            .lists
            .slabs()
            .key::<u32>(id::ENDED_COUNT, NO_GROUP)
            .unwrap();
        let row = self
            .lists
            .slabs()
            .key::<u32>(id::ENDED_ROW, NO_GROUP)
            .unwrap();
        let seen = self
            .lists
            .slabs()
            .key::<f32>(id::FINAL_OBSERVATION, 0)
            .unwrap();
        let entry = self.lists.rows(count, 0)[0] as usize;
        self.lists.rows_mut(row, 0)[entry] = (t * INSTANCES + i) as u32;
        self.lists.rows_mut(seen, 0)[entry * 4] = last;
        self.lists.rows_mut(count, 0)[0] += 1;
    }

    pub(crate) fn learn(
        &self,
        handle: &mut palaestra_plugin_api::client::AlgorithmHandle,
    ) -> Result<palaestra_plugin_api::algorithm::Metrics, Error> {
        let plan = TablePlan::new().with(&self.rows).with(&self.lists);
        handle.learn(&plan, &[&self.rows, &self.lists])
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_fragment_shows_rewards_and_where_episodes_ended() {
    let (mut handle, mut fragment) = (make(json!({})).unwrap(), Fragment::new());
    fragment.end(0, 3, 1.5);
    fragment.end(2, 1, -2.0);
    let metrics = fragment.learn(&mut handle).unwrap();
    let names: Vec<_> = metrics.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["end of 1 at 2", "end of 3 at 0", "nothing", "paid", "steps"]
    );
    assert_eq!(metrics["paid"], 0.5 * (STEPS * INSTANCES * 2) as f64);
    assert_eq!(metrics["steps"], STEPS as f64);
    assert_eq!(
        (metrics["end of 3 at 0"], metrics["end of 1 at 2"]),
        (1.5, -2.0)
    );
    assert!(metrics["nothing"].is_nan());
}

#[test]
fn a_fragment_must_be_lent_and_complete() {
    let (mut handle, fragment) = (make(json!({})).unwrap(), Fragment::new());
    let plan = TablePlan::new().with(&fragment.rows).with(&fragment.lists);
    let error = handle.learn(&plan, &[&fragment.rows]).unwrap_err();
    assert_eq!(
        error.message,
        "learn: expected all memory of the table to be lent"
    );
    let plan = TablePlan::new().with_some(&fragment.rows, |id, _| id != id::LEARNING_REWARD);
    let error = handle.learn(&plan, &[&fragment.rows]).unwrap_err();
    let expected =
        "(learn): slab 13 (learning_reward) of group 0: expected in the table, found none";
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Host, expected)
    );
    // A refusal is no panic.
    fragment.learn(&mut handle).unwrap();
}

#[test]
fn a_list_longer_than_its_room_is_refused() {
    let (mut handle, mut fragment) = (make(json!({})).unwrap(), Fragment::new());
    let count = fragment
        .lists
        .slabs()
        .key::<u32>(id::ENDED_COUNT, NO_GROUP)
        .unwrap();
    fragment.lists.rows_mut(count, 0)[0] = 13;
    let error = fragment.learn(&mut handle).unwrap_err();
    assert!(
        error
            .message
            .ends_with("expected room for 13 entries, found 12"),
        "{error}"
    );
}

#[test]
fn tuning_takes_effect_and_wrong_values_are_refused() {
    let (mut handle, fragment) = (make(json!({})).unwrap(), Fragment::new());
    handle.configure(&object(json!({"scale": 10}))).unwrap();
    assert_eq!(fragment.learn(&mut handle).unwrap()["paid"], 120.0);
    for (changes, expected) in [
        (
            json!({"scale": 0}),
            "(configure): /scale: expected 0 < x, found 0",
        ),
        (
            json!({"steps": 5}),
            "(configure): expected one of [\"scale\"], found \"steps\"",
        ),
    ] {
        let error = handle.configure(&object(changes)).unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::Config, expected)
        );
    }
    assert_eq!(fragment.learn(&mut handle).unwrap()["paid"], 240.0);
    let collect = handle.what_next().unwrap();
    assert_eq!(collect, Collect::steps(8));
    assert_eq!(collect.amount, Amount::Steps(8));
}

#[test]
fn resuming_equals_never_having_stopped() {
    let (mut handle, fragment, mut desk) = (make(json!({})).unwrap(), Fragment::new(), Desk::new());
    desk.bind(&mut handle);
    desk.act(&mut handle, 0, false);
    fragment.learn(&mut handle).unwrap();
    let mut saved = Vec::new();
    handle.snapshot(&mut saved).unwrap();
    let mut resumed = make(json!({})).unwrap();
    resumed.restore(&mut &saved[..]).unwrap();
    let both = [&mut handle, &mut resumed].map(|h| fragment.learn(h).unwrap()["paid"]);
    assert_eq!(both, [24.0, 24.0]);
    let snapshots = [&mut handle, &mut resumed].map(|h| {
        let mut bytes = Vec::new();
        h.snapshot(&mut bytes).unwrap();
        bytes
    });
    assert_eq!(snapshots[0], snapshots[1]);
    let error = resumed.restore(&mut &saved[..saved.len() - 1]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Io);
    assert!(error.message.starts_with("(restore): stream: "), "{error}");
}

#[test]
fn weights_load_for_controlled_groups() {
    let (mut handle, fragment) = (make(json!({})).unwrap(), Fragment::new());
    fragment.learn(&mut handle).unwrap();
    let mut weights = Vec::new();
    handle.weights(&mut weights).unwrap();
    let mut other = make(json!({})).unwrap();
    other.set_weights(&mut &weights[..], &["pair"]).unwrap();
    assert_eq!(fragment.learn(&mut other).unwrap()["paid"], 24.0);
    let error = other
        .set_weights(&mut &weights[..], &["single"])
        .unwrap_err();
    let expected = "(set_weights): groups: expected some of [\"pair\"], found \"single\"";
    assert_eq!(error.message, expected);
}
