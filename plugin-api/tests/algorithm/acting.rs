//! Acting: from keys, for the controlled groups, on lent memory.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{DType, NO_GROUP, id},
    client::{
        AlgorithmHandle, EnvironmentBatch, EnvironmentHandle, Key, MakeEnvironment, SlabMemory,
        TablePlan,
    },
    layout::SlabLayout,
    prelude::*,
};
use serde_json::json;

use super::{make, spec};

const INSTANCES: usize = 4;

/// What an algorithm acts on.
pub(crate) struct Desk {
    pub(crate) memory: SlabMemory,
    key: Key<u64>,
    action: Key<i32>,
    extras: Key<f32>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let layout = |id, group, dtype, shape: &[usize]| SlabLayout {
            id,
            group,
            dtype,
            shape: shape.to_vec(),
            ended: false,
        };
        let layouts = vec![
            layout(id::KEY, NO_GROUP, DType::U64, &[]),
            layout(id::PROPOSED_ACTION, 0, DType::I32, &[2, 1]),
            layout(id::EXTRAS, 0, DType::F32, &[2, 2]),
            layout(id::PROPOSED_ACTION, 1, DType::I32, &[1, 3]),
        ];
        let mut memory = SlabMemory::new(layouts, 2, INSTANCES);
        let key = memory.slabs().key(id::KEY, NO_GROUP).unwrap();
        for slot in 0..2 {
            for (i, k) in memory.rows_mut::<u64>(key, slot).iter_mut().enumerate() {
                *k = 10 * i as u64 + slot as u64;
            }
        }
        Self {
            key,
            action: memory.slabs().key(id::PROPOSED_ACTION, 0).unwrap(),
            extras: memory.slabs().key(id::EXTRAS, 0).unwrap(),
            memory,
        }
    }

    pub(crate) fn bind(&self, handle: &mut AlgorithmHandle) {
        handle.bind(&TablePlan::new().with(&self.memory)).unwrap();
    }

    /// Acts and gives the actions of the slot.
    pub(crate) fn act(
        &mut self,
        handle: &mut AlgorithmHandle,
        slot: usize,
        greedy: bool,
    ) -> Vec<i32> {
        handle.act(&mut [&mut self.memory], slot, greedy).unwrap();
        self.memory.rows(self.action, slot).to_vec()
    }

    pub(crate) fn told(&self, slot: usize) -> f32 {
        self.memory.rows(self.extras, slot)[1]
    }
}

#[test]
fn actions_come_from_keys_and_not_from_the_order_of_calls() {
    let (mut handle, mut desk) = (make(json!({})).unwrap(), Desk::new());
    desk.bind(&mut handle);
    let first = [
        desk.act(&mut handle, 0, false),
        desk.act(&mut handle, 1, false),
    ];
    let again = [
        desk.act(&mut handle, 1, false),
        desk.act(&mut handle, 0, false),
    ];
    assert_eq!([&first[0], &first[1]], [&again[1], &again[0]]);
    assert_ne!(first[0], first[1]);
    assert!(first[0].iter().all(|a| (0..5).contains(a)), "{first:?}");
    assert_eq!(desk.act(&mut handle, 0, true), [0; 8]);
    assert_eq!(desk.memory.rows(desk.extras, 1)[0], -5.0_f32.ln());
    let other = desk
        .memory
        .slabs()
        .key::<i32>(id::PROPOSED_ACTION, 1)
        .unwrap();
    assert_eq!(
        desk.memory.rows(other, 0),
        [0; 12],
        "group 1 is not controlled"
    );
}

#[test]
fn a_moved_row_keeps_its_action() {
    let (mut handle, mut desk) = (make(json!({})).unwrap(), Desk::new());
    desk.bind(&mut handle);
    let before = desk.act(&mut handle, 0, false);
    desk.memory.rows_mut(desk.key, 0).reverse();
    let mut after: Vec<_> = desk
        .act(&mut handle, 0, false)
        .chunks(2)
        .map(<[_]>::to_vec)
        .collect();
    after.reverse();
    assert_eq!(before, after.concat());
}

#[test]
fn act_is_refused_without_its_memory_and_beyond_its_slots() {
    let (mut handle, mut desk) = (make(json!({})).unwrap(), Desk::new());
    let error = handle.act(&mut [], 0, false).unwrap_err();
    assert_eq!(
        error.message,
        "(act): slab 52 (key): expected in the table, found none"
    );
    desk.bind(&mut handle);
    let error = handle.act(&mut [], 0, false).unwrap_err();
    assert_eq!(
        error.message,
        "act: expected all memory of the table to be lent"
    );
    let error = handle.act(&mut [&mut desk.memory], 2, false).unwrap_err();
    assert_eq!(
        error.message,
        "(act): slab 52 (key): slot: expected less than 2, found 2"
    );
}

#[test]
fn tables_of_different_instances_are_refused() {
    let mut handle = make(json!({})).unwrap();
    let desk = Desk::new();
    let state = SlabLayout {
        id: id::STATE,
        group: NO_GROUP,
        dtype: DType::F32,
        shape: vec![2],
        ended: false,
    };
    let wide = SlabMemory::new(vec![state.clone()], 2, INSTANCES + 1);
    let plan = TablePlan::new().with(&desk.memory).with(&wide);
    let error = handle.bind(&plan).unwrap_err();
    assert_eq!(
        error.message,
        "(bind): slab 32 (state): expected 4 instances, found 5"
    );
    // Ids that nobody knows are nobody's business.
    let unknown = SlabLayout { id: 9999, ..state };
    let unknown = SlabMemory::new(vec![unknown], 2, INSTANCES + 1);
    handle
        .bind(&TablePlan::new().with(&desk.memory).with(&unknown))
        .unwrap();
}

/// A world that shows its step.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Clock(f32);

/// No settings.
#[config]
struct ClockConfig {}

impl Environment for Clock {
    const ID: &'static str = "test/Clock-v0";
    const DESCRIPTION: &'static str = "Shows its step";
    type Config = ClockConfig;

    fn spec(_: &ClockConfig) -> Result<EnvironmentSpec> {
        Ok(spec())
    }
    fn new(_: &ClockConfig) -> Result<Self> {
        Ok(Self(0.0))
    }
    fn reset(&mut self, _: &mut EnvRng, _: &ResetOptions<'_>, out: &mut Observe<'_>) -> Result<()> {
        out.observation(0).fill(self.0);
        Ok(())
    }
    fn step(&mut self, _: &mut EnvRng, _: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.0 += 1.0;
        out.observation(0).fill(self.0);
    }
}

#[test]
fn an_algorithm_sees_what_a_lent_environment_wrote() {
    const ENTRY: EnvironmentEntry = EnvironmentEntry::of::<Clock>();
    let what = MakeEnvironment {
        instances: INSTANCES,
        ..MakeEnvironment::new(Clock::ID)
    };
    let make_shard = |part: &MakeEnvironment| EnvironmentHandle::in_process(&ENTRY, part);
    let mut batch = EnvironmentBatch::new(&what, 2, 2, make_shard).unwrap();
    batch.reset(&json!({}), 0).unwrap();
    let (mut handle, mut desk) = (make(json!({})).unwrap(), Desk::new());
    let plan = TablePlan::new().with(&batch).with(&desk.memory);
    handle.bind(&plan).unwrap();
    batch.step(0, 1).unwrap();
    batch.step(1, 0).unwrap();
    for (slot, told) in [(0, 2.0), (1, 1.0)] {
        handle
            .act(&mut [&mut batch, &mut desk.memory], slot, false)
            .unwrap();
        assert_eq!(desk.told(slot), told);
    }
    assert!(
        handle.act(&mut [&mut desk.memory], 0, false).is_err(),
        "the batch was not lent"
    );
}
