//! What does not fit is refused when it is composed, with the reason; and what the door says about us.

use palaestra_plugin_api::{
    __private::AlgorithmEntry,
    ErrorKind,
    abi::NO_GROUP,
    abi::id,
    algorithm::*,
    client::{AlgorithmHandle, MakeAlgorithm},
    prelude::*,
    table::Table,
};
use serde_json::{Value, json};

use super::{make, make_with, request};

#[test]
fn what_the_composition_lacks_is_named() {
    let cases = [
        (
            "state",
            "expected a global state, found none in the environment; choose an algorithm without one",
        ),
        (
            "state rows",
            "expected state rows, found none in this composition",
        ),
        (
            "channel rows",
            "expected mechanism_extras rows, found none in this composition",
        ),
        (
            "unknown rows",
            "expected slabs of this host, found a need for 4711",
        ),
        (
            "messages",
            "expected a mechanism for messages of width 3, found none; add a coordination mechanism",
        ),
    ];
    for (asks, expected) in cases {
        let error = make(json!({"asks": asks})).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Config, "{asks}");
        assert_eq!(
            error.message,
            format!("algorithm test/Tally-v0: {expected}")
        );
    }
}

#[test]
fn capabilities_that_contradict_themselves_blame_the_plugin() {
    let cases = [
        (
            "recurrent",
            "/recurrent: expected one width for each of 1 groups, found 3",
        ),
        (
            "extras",
            "/extras/1: expected a unique name and at least one value, found \"log_prob\" of width 1",
        ),
        (
            "nothing",
            "/trainable: expected on_policy or off_policy, found neither",
        ),
    ];
    for (asks, expected) in cases {
        let error = make(json!({"asks": asks})).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Plugin, "{asks}");
        assert_eq!(
            error.message,
            format!("algorithm test/Tally-v0: capabilities {expected}")
        );
    }
}

#[test]
fn groups_and_their_actions_must_fit() {
    let bits = AlgorithmRequest {
        controlled: vec![0, 1],
        ..request(json!({}))
    };
    let error = make_with(bits, None).err().unwrap();
    let expected = "algorithm test/Tally-v0: expected discrete actions, found multi-binary ones in group \
                    \"single\"; choose another algorithm";
    assert_eq!(error.message, expected);
    for controlled in [vec![], vec![2], vec![0, 0]] {
        let wrong = AlgorithmRequest {
            controlled,
            ..request(json!({}))
        };
        let error = make_with(wrong, None).err().unwrap();
        let expected = "controlled: expected ascending indices of 2 groups, found ";
        assert!(error.message.contains(expected), "{error}");
    }
    let mut unmasked = request(json!({}));
    unmasked.spec.groups[0].has_action_mask = false;
    let error = make_with(unmasked, None).err().unwrap();
    assert!(
        error
            .message
            .ends_with("expected action_mask rows, found none in this composition"),
        "{error}"
    );
}

#[test]
fn settings_are_checked_and_unknown_names_refused() {
    let error = make(json!({"steps": 0})).err().unwrap();
    let expected = "config test/Tally-v0: /steps: expected 1 ≤ x ≤ 100, found 0";
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Config, expected)
    );
    let other = AlgorithmRequest {
        id: "test/Other-v0".into(),
        ..request(json!({}))
    };
    let error = make_with(other, None).err().unwrap();
    assert_eq!(
        error.message,
        "algorithm \"test/Other-v0\" is not in this plugin"
    );
}

#[test]
fn capabilities_arrive_as_declared() {
    let handle = make(json!({})).unwrap();
    let capabilities = handle.capabilities();
    assert_eq!(capabilities.actions, [ActionKind::Discrete]);
    assert_eq!(capabilities.extras_width(), 2);
    assert!(capabilities.needs.contains(&id::KEY));
    let text = serde_json::to_value(capabilities).unwrap();
    assert_eq!(text["learns_from"], "proposed");
    assert_eq!(
        serde_json::from_value::<AlgorithmCapabilities>(text).unwrap(),
        *capabilities
    );
}

/// Nothing but what an algorithm must have.
struct Idle;

/// No settings.
#[config]
struct IdleConfig {}

impl Algorithm for Idle {
    const ID: &'static str = "test/Idle-v0";
    const DESCRIPTION: &'static str = "Does nothing";
    type Config = IdleConfig;

    fn capabilities(_: &IdleConfig, _: &Setting) -> Result<AlgorithmCapabilities> {
        Ok(AlgorithmCapabilities::default())
    }
    fn new(_: &IdleConfig, _: &Setting) -> Result<Self> {
        Ok(Self)
    }
    fn act(&mut self, _: &mut Table<'_>, _: usize, _: bool) -> Result<()> {
        Ok(())
    }
}

#[test]
fn an_algorithm_without_weights_behaves() {
    const ENTRY: AlgorithmEntry = AlgorithmEntry::of::<Idle>();
    let what = MakeAlgorithm::new(AlgorithmRequest {
        controlled: vec![0, 1],
        role: Role::Evaluator,
        ..request(json!({}))
    });
    let mut idle = AlgorithmHandle::in_process(&ENTRY, &what, None).unwrap();
    let mut weights = Vec::new();
    idle.weights(&mut weights).unwrap();
    assert_eq!(
        weights, b"\x02\0\0\0\0\0\0\0{}",
        "a safetensors file without tensors"
    );
    idle.set_weights(&mut &weights[..], &[]).unwrap();
    let tensor = br#"{"policy/pair/w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#;
    let mut file = (tensor.len() as u64).to_le_bytes().to_vec();
    file.extend(tensor);
    for wrong in [&file[..], &file[..20], &[]] {
        let error = idle.set_weights(&mut &*wrong, &[]).unwrap_err();
        let expected = "(set_weights): weights: expected no tensors for test/Idle-v0, found some";
        assert_eq!(error.message, expected);
    }
    let mut snapshot = Vec::new();
    idle.snapshot(&mut snapshot).unwrap();
    idle.restore(&mut &snapshot[..]).unwrap();
    assert_eq!(idle.what_next().unwrap(), Collect::steps(1));
    let fragment = palaestra_plugin_api::client::TablePlan::new();
    let error = idle.learn(&fragment, &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert_eq!(error.message, "(learn): test/Idle-v0 learns nothing");
}

#[test]
fn the_manifest_names_algorithms_and_mechanisms() {
    unsafe extern "C" {
        /// First byte of the manifest of this test's own plugin.
        static palaestra_plugin_manifest: u8;
    }
    let mut text = Vec::new();
    while !text.ends_with(b"null]}") {
        // SAFETY: the manifest is a static that ends with `null]}`.
        text.push(unsafe { *(&raw const palaestra_plugin_manifest).add(text.len()) });
    }
    let manifest: Value = serde_json::from_slice(&text).unwrap();
    let exports = manifest["exports"].as_array().unwrap();
    let named: Vec<_> = exports
        .iter()
        .map(|e| (e["kind"].as_str(), e["id"].as_str()))
        .collect();
    let expected = [
        (Some("algorithm"), Some("test/Tally-v0")),
        (Some("coordination"), Some("test/Sums-v0")),
        (None, None),
    ];
    assert_eq!(named, expected);
    assert_eq!(exports[0]["schema"]["properties"]["steps"]["maximum"], 100);
}

#[test]
fn a_table_reads_and_writes_apart() {
    let (seen, mut hidden) = ([1.0f32, 2.0], [0.0f32; 4]);
    let mut table = Table::new();
    table.add(id::OBSERVATION, 0, &[1, 2, 1], &seen).unwrap();
    table
        .add_mut(id::RECURRENT, 0, &[2, 2, 1], &mut hidden)
        .unwrap();
    let error = table.rows_mut::<f32>(id::OBSERVATION, 0, 0).unwrap_err();
    assert_eq!(
        error.message,
        "slab 1 (observation) of group 0: expected a slab to write, found a read-only one"
    );
    let error = table.rows::<u8>(id::OBSERVATION, 0, 0).unwrap_err();
    assert_eq!(
        error.message,
        "slab 1 (observation) of group 0: expected elements of F32, found a view of U8"
    );
    let at = |slot| (id::RECURRENT, 0, slot);
    let (now, then) = table.read_write::<f32, f32>(at(0), at(1)).unwrap();
    then[1] = now[1] + 7.0;
    assert!(table.read_write::<f32, f32>(at(1), at(1)).is_err());
    assert_eq!(
        table.all::<f32>(id::RECURRENT, 0).unwrap(),
        [0.0, 0.0, 0.0, 7.0]
    );
    assert_eq!(
        (
            table.instances(),
            table.slots(),
            table.row(id::RECURRENT, 0)
        ),
        (2, 1, Some(1))
    );
    let slot = table.at_slot(1);
    assert!(slot.has(id::RECURRENT, 0) && !slot.has(id::OBSERVATION, 0));
    assert_eq!(slot.rows::<f32>(id::RECURRENT, 0, 0).unwrap(), [0.0, 7.0]);
    drop(slot);
    for shape in [&[2usize, 1][..], &[1, 2, 2], &[2]] {
        assert!(
            table.add(id::STATE, NO_GROUP, shape, &seen[..]).is_err(),
            "{shape:?}"
        );
    }
    assert!(
        table.add(id::OBSERVATION, 0, &[1, 2], &seen).is_err(),
        "twice"
    );
}
