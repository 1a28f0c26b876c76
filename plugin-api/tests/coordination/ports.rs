//! The ports beside the network: tables, composition, snapshots.

use palaestra_plugin_api::{
    ErrorKind,
    abi::{DType, id},
    client::{CoordinationHandle, SlabMemory, TablePlan},
    coordination::Port,
    layout::SlabLayout,
    rng::EnvRng,
};
use serde_json::json;

use super::{make, spec};

const INSTANCES: usize = 3;

fn memory() -> SlabMemory {
    let layout = |id, dtype, shape: &[usize]| SlabLayout {
        id,
        group: 0,
        dtype,
        shape: shape.to_vec(),
        ended: false,
    };
    let layouts = vec![
        layout(id::FEATURES, DType::F32, &[2, 1]),
        layout(id::REWARD, DType::F32, &[2]),
        layout(id::LEARNING_REWARD, DType::F32, &[2]),
        layout(id::PROPOSED_ACTION, DType::I32, &[2, 1]),
        layout(id::ACTION, DType::I32, &[2, 1]),
    ];
    SlabMemory::new(layouts, 2, INSTANCES)
}

fn bound() -> (CoordinationHandle, SlabMemory) {
    let (mut handle, memory) = (make(json!({})).unwrap(), memory());
    handle.bind(&TablePlan::new().with(&memory)).unwrap();
    (handle, memory)
}

#[test]
fn every_port_works_on_its_slot() {
    let (mut handle, mut memory) = bound();
    let key = |id| memory.slabs().key::<f32>(id, 0).unwrap();
    let (features, reward, shared) = (key(id::FEATURES), key(id::REWARD), key(id::LEARNING_REWARD));
    let chosen = |id| memory.slabs().key::<i32>(id, 0).unwrap();
    let (proposed, executed) = (chosen(id::PROPOSED_ACTION), chosen(id::ACTION));
    memory
        .rows_mut(reward, 1)
        .copy_from_slice(&[1.0, 3.0, 0.0, 0.0, -1.0, 0.0]);
    memory
        .rows_mut(proposed, 1)
        .copy_from_slice(&[-1, 1, -2, 2, 0, 0]);
    handle.share(&mut [&mut memory], 1).unwrap();
    handle.observe(&mut [&mut memory], 1).unwrap();
    handle.arbitrate(&mut [&mut memory], 1).unwrap();
    assert_eq!(memory.rows(shared, 1), [2.0, 2.0, 0.0, 0.0, -0.5, -0.5]);
    assert_eq!(memory.rows(features, 1), [1.0; 6]);
    assert_eq!(memory.rows(executed, 1), [1, 1, 2, 2, 0, 0]);
    assert_eq!(memory.rows(shared, 0), [0.0; 6], "slot 0 is not ours");
}

#[test]
fn calls_are_refused_without_the_memory_they_reach() {
    let (mut handle, mut memory) = bound();
    let expected = "observe: expected all memory of the table to be lent";
    assert_eq!(handle.observe(&mut [], 0).unwrap_err().message, expected);
    let mut other = self::memory();
    assert!(handle.observe(&mut [&mut other], 0).is_err());
    handle.observe(&mut [&mut other, &mut memory], 0).unwrap();
    let error = handle.observe(&mut [&mut memory], 2).unwrap_err();
    let expected = "(observe): slab 16 (features) of group 0: slot: expected less than 2, found 2";
    assert_eq!(error.message, expected);
    handle.unbind();
    let error = handle.observe(&mut [], 0).unwrap_err();
    let expected = "(observe): slab 16 (features) of group 0: expected in the table, found none";
    assert_eq!(error.message, expected);
}

#[test]
fn ports_that_are_not_described_are_refused() {
    let mut handle = make(json!({"wrong": "only_exchange"})).unwrap();
    assert!(handle.description().has(Port::Exchange));
    let error = handle.share(&mut [], 0).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert_eq!(error.message, "(share): not offered by test/Relay-v0");
}

#[test]
fn composition_changes_the_spec_and_is_checked() {
    let composed = make(json!({})).unwrap().compose(&spec()).unwrap();
    assert_eq!(composed.groups[0].observation.width(), 3);
    assert_eq!(composed.groups[1], spec().groups[1]);
    let error = make(json!({"wrong": "compose"}))
        .unwrap()
        .compose(&spec())
        .unwrap_err();
    let expected = "(compose): spec /groups/0 (pair) /observation: ";
    assert!(error.message.starts_with(expected), "{error}");
}

#[test]
fn a_snapshot_continues_elsewhere_and_a_short_one_is_refused() {
    let (mut handle, mut memory) = bound();
    handle.observe(&mut [&mut memory], 0).unwrap();
    let mut saved = Vec::new();
    handle.snapshot(&mut saved).unwrap();
    let (mut other, mut memory) = bound();
    other.restore(&mut &saved[..]).unwrap();
    other.observe(&mut [&mut memory], 0).unwrap();
    let features = memory.slabs().key::<f32>(id::FEATURES, 0).unwrap();
    assert_eq!(memory.rows(features, 0), [2.0; 6]);
    let error = other.restore(&mut &saved[..5]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Io);
    assert!(error.message.starts_with("(restore): stream: "), "{error}");
}

#[test]
fn a_broken_stream_is_the_cause_that_is_told() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = make(json!({})).unwrap().snapshot(&mut Full).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Io, "stream: disk full")
    );
}

#[test]
fn parameters_start_as_described() {
    let handle = make(json!({})).unwrap();
    let description = handle.description();
    assert_eq!(description.range("memory"), Some(6..8));
    assert_eq!(description.range("none"), None);
    let draw = |seed| description.initial_parameters(&mut EnvRng::new(seed, 0, 0, 6));
    let first = draw(1);
    assert_eq!(first.len(), 8);
    assert_eq!(first, draw(1));
    assert_ne!(first, draw(2));
    let bound = 1.0 / 3.0_f32.sqrt();
    assert!(
        first[..6].iter().all(|x| x.abs() <= bound && *x != 0.0),
        "{first:?}"
    );
    assert_eq!(description.volume.of(3), 9.0);
}
