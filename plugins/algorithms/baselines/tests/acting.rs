//! The baselines through their vtables: every action space, masks, turns, seats, keys.

use palaestra_plugin_api::{
    __private::AlgorithmEntry,
    abi::{DType, NO_GROUP, id},
    algorithm::{Algorithm, AlgorithmRequest, Role},
    client::{AlgorithmHandle, MakeAlgorithm, SlabElement, SlabMemory, TablePlan},
    layout::{SlabLayout, action_dtype},
    prelude::*,
    rng,
};
use serde_json::json;

use baselines::{NoOp, Random};
use palaestra_plugin_api::serde_json;

/// Groups of every action space, the first two under masks.
fn spec() -> EnvironmentSpec {
    let mut spec = EnvironmentSpec::new("pair", 2, Space::real(2), Space::discrete(5));
    spec.groups[0].has_action_mask = true;
    spec.groups[0].no_op = Some(vec![3.0]);
    let mut add = |name: &str, agents, action| {
        let group = GroupSpec::new(name, agents, Space::real(1), action);
        spec.groups.push(group);
    };
    let choices = vec![3, 2];
    add("several", 1, Space::MultiDiscrete { choices });
    add("bits", 1, Space::MultiBinary { n: 3 });
    let (low, high) = (
        [-1.0, 0.5, f64::NEG_INFINITY, f64::NEG_INFINITY],
        [2.0, f64::INFINITY, -0.5, f64::INFINITY],
    );
    add("real", 2, Space::bounds(&low, &high));
    spec.groups[1].has_action_mask = true;
    spec
}

/// An algorithm over rows of its own.
struct Desk {
    handle: AlgorithmHandle,
    memory: SlabMemory,
    instances: usize,
}

impl Desk {
    /// With turns, deaths and seats where `flags`.
    fn new<A: Algorithm>(instances: usize, flags: bool) -> Self {
        let spec = spec();
        let request = AlgorithmRequest {
            id: A::ID.into(),
            config: json!({}),
            role: Role::Evaluator,
            spec: spec.clone(),
            controlled: vec![0, 1, 2, 3],
            exchange: None,
        };
        let what = MakeAlgorithm {
            instances,
            ..MakeAlgorithm::new(request)
        };
        let mut handle =
            AlgorithmHandle::in_process(&AlgorithmEntry::of::<A>(), &what, None).unwrap();
        let mut layouts = vec![layout(id::KEY, NO_GROUP, DType::U64, vec![])];
        for (g, group) in (0..).zip(&spec.groups) {
            let wide = |width| vec![group.agents, width];
            let (dtype, width) = (action_dtype(group), group.action.width());
            layouts.push(layout(id::PROPOSED_ACTION, g, dtype, wide(width)));
            if group.has_action_mask {
                let choices = group.action.choices().iter().sum();
                layouts.push(layout(id::ACTION_MASK, g, DType::U8, wide(choices)));
            }
            let ids = [id::ALIVE, id::ACTING, id::CONTROLLED];
            for id in ids.into_iter().filter(|_| flags) {
                layouts.push(layout(id, g, DType::U8, vec![group.agents]));
            }
        }
        let mut memory = SlabMemory::new(layouts.clone(), 1, instances);
        handle.bind(&TablePlan::new().with(&memory)).unwrap();
        for l in layouts.iter().filter(|l| l.dtype == DType::U8) {
            let key = memory.slabs().key::<u8>(l.id, l.group).unwrap();
            memory.rows_mut(key, 0).fill(1);
        }
        let mut desk = Self {
            handle,
            memory,
            instances,
        };
        let keys = desk.rows_mut::<u64>(id::KEY, NO_GROUP).iter_mut();
        (0..)
            .zip(keys)
            .for_each(|(i, key)| *key = rng::key(7, i, 0, 0, rng::purpose::ACTIONS));
        desk
    }

    fn rows_mut<T: SlabElement>(&mut self, id: u32, group: u32) -> &mut [T] {
        let key = self.memory.slabs().key(id, group).unwrap();
        self.memory.rows_mut(key, 0)
    }

    fn actions<T: SlabElement>(&mut self, group: u32) -> Vec<T> {
        self.rows_mut(id::PROPOSED_ACTION, group).to_vec()
    }

    fn act(&mut self) -> Result<()> {
        self.handle.act(&mut [&mut self.memory], 0, false)
    }

    /// All actions, row by row.
    fn by_row(&mut self) -> Vec<Vec<f64>> {
        let mut rows = vec![Vec::new(); self.instances];
        for g in 0..3 {
            let actions = self.actions::<i32>(g);
            let part = actions.chunks_exact(actions.len() / self.instances);
            let all = rows.iter_mut().zip(part);
            all.for_each(|(row, part)| row.extend(part.iter().map(|&a| f64::from(a))));
        }
        let actions = self.actions::<f32>(3);
        let part = actions.chunks_exact(actions.len() / self.instances);
        let all = rows.iter_mut().zip(part);
        all.for_each(|(row, part)| row.extend(part.iter().map(|&a| f64::from(a))));
        rows
    }
}

fn layout(id: u32, group: u32, dtype: DType, shape: Vec<usize>) -> SlabLayout {
    SlabLayout {
        id,
        group,
        dtype,
        shape,
        ended: false,
    }
}

/// How often each of `n` values comes.
fn counts(values: impl IntoIterator<Item = i32>, n: usize) -> Vec<usize> {
    let mut counts = vec![0; n];
    values.into_iter().for_each(|v| counts[v as usize] += 1);
    counts
}

/// Within five standard deviations of `total / n`.
fn is_uniform(counts: &[usize]) -> bool {
    let (total, n) = (counts.iter().sum::<usize>() as f64, counts.len() as f64);
    let deviation = (total / n * (1.0 - 1.0 / n)).sqrt();
    let off = |count: usize| (count as f64 - total / n).abs();
    counts.iter().all(|&count| off(count) < 5.0 * deviation)
}

#[test]
fn random_choices_are_uniform_over_what_is_allowed() {
    let mut desk = Desk::new::<Random>(8_000, false);
    // The second agent of the pair may do 1 or 4 only; the component of two choices is settled.
    for mask in desk.rows_mut::<u8>(id::ACTION_MASK, 0).chunks_exact_mut(10) {
        mask[5..].copy_from_slice(&[0, 1, 0, 0, 1]);
    }
    for mask in desk.rows_mut::<u8>(id::ACTION_MASK, 1).chunks_exact_mut(5) {
        mask[3..].copy_from_slice(&[0, 1]);
    }
    desk.act().unwrap();
    let pair = desk.actions::<i32>(0);
    let of = |actions: &[i32], width: usize, c: usize, n: usize| {
        counts(actions.iter().skip(c).step_by(width).copied(), n)
    };
    assert!(is_uniform(&of(&pair, 2, 0, 5)), "{:?}", of(&pair, 2, 0, 5));
    let second = of(&pair, 2, 1, 5);
    assert_eq!([second[0], second[2], second[3]], [0; 3]);
    assert!(is_uniform(&[second[1], second[4]]), "{second:?}");
    let several = desk.actions::<i32>(1);
    assert!(is_uniform(&of(&several, 2, 0, 3)));
    assert_eq!(of(&several, 2, 1, 2), [0, 8_000]);
    let bits = desk.actions::<i32>(2);
    assert!((0..3).all(|c| is_uniform(&of(&bits, 3, c, 2))));
}

#[test]
fn random_reals_stay_within_their_bounds_and_fill_them() {
    let mut desk = Desk::new::<Random>(4_000, false);
    desk.act().unwrap();
    let real = desk.actions::<f32>(3);
    let component = |c: usize| real.iter().skip(c).step_by(4).map(|&x| f64::from(x));
    let mean = |c: usize| component(c).sum::<f64>() / component(c).count() as f64;
    // Uniform on [-1, 2]; 0.5 + Exp(1); -0.5 - Exp(1); normal. Five standard errors of 8000 samples.
    for (c, expected, deviation) in [(0, 0.5, 0.87), (1, 1.5, 1.0), (2, -1.5, 1.0), (3, 0.0, 1.0)] {
        let off = (mean(c) - expected).abs();
        assert!(off < 5.0 * deviation / 8_000_f64.sqrt(), "{c}: {off}");
    }
    assert!(component(0).all(|x| (-1.0..=2.0).contains(&x)));
    assert!(component(1).all(|x| x >= 0.5) && component(2).all(|x| x <= -0.5));
    let below = component(3).filter(|x| x.abs() < 1.0).count() as f64 / 8_000.0;
    assert!((below - 0.6827).abs() < 0.03, "{below}");
}

#[test]
fn a_row_acts_by_its_key_alone() {
    let (mut all, mut part) = (Desk::new::<Random>(6, false), Desk::new::<Random>(2, false));
    all.act().unwrap();
    let whole = all.by_row();
    assert_ne!(whole[0], whole[1]);
    // Another object with rows 3 and 4, as another shard would have them.
    let keys = all.rows_mut::<u64>(id::KEY, NO_GROUP).to_vec();
    part.rows_mut(id::KEY, NO_GROUP)
        .copy_from_slice(&keys[3..5]);
    part.act().unwrap();
    assert_eq!(part.by_row(), whole[3..5]);
    // What one agent may do changes no other agent's action.
    all.rows_mut::<u8>(id::ACTION_MASK, 0)[..5].copy_from_slice(&[0, 0, 0, 1, 0]);
    all.act().unwrap();
    assert_eq!(all.by_row()[0][1..], whole[0][1..]);
}

#[test]
fn an_agent_without_a_turn_idles_and_one_of_another_seat_is_left_alone() {
    let mut desk = Desk::new::<Random>(40, true);
    desk.rows_mut::<i32>(id::PROPOSED_ACTION, 0).fill(-9);
    desk.rows_mut::<f32>(id::PROPOSED_ACTION, 3).fill(-9.0);
    for row in 0..40 {
        desk.rows_mut::<u8>(id::CONTROLLED, 0)[2 * row + 1] = 0;
        desk.rows_mut::<u8>(id::CONTROLLED, 3)[2 * row] = 0;
        desk.rows_mut::<u8>(id::ACTING, 0)[2 * row] = u8::from(row % 2 == 0);
        desk.rows_mut::<u8>(id::ALIVE, 3)[2 * row + 1] = 0;
        // Nobody may do anything in a row of its own: dead agents need no choice.
        desk.rows_mut::<u8>(id::ALIVE, 1)[row] = u8::from(row != 5);
    }
    desk.rows_mut::<u8>(id::ACTION_MASK, 1)[25..30].fill(0);
    desk.act().unwrap();
    let pair = desk.actions::<i32>(0);
    let (first, second): (Vec<_>, Vec<_>) = pair.chunks(2).map(|p| (p[0], p[1])).unzip();
    assert_eq!(second, [-9; 40]);
    assert!(first.iter().skip(1).step_by(2).all(|&a| a == 3), "no-op");
    assert!(first.iter().step_by(2).any(|&a| a != 3), "{first:?}");
    assert_eq!(desk.actions::<i32>(1)[10..12], [0, 0]);
    for agents in desk.actions::<f32>(3).chunks(8) {
        assert_eq!(agents, [-9.0, -9.0, -9.0, -9.0, 0.0, 0.5, -0.5, 0.0]);
    }
}

#[test]
fn no_op_does_nothing_that_is_allowed() {
    let mut desk = Desk::new::<NoOp>(2, false);
    desk.rows_mut::<u8>(id::ACTION_MASK, 0)[..5].copy_from_slice(&[0, 1, 1, 0, 1]);
    desk.act().unwrap();
    let real = [0.0, 0.5, -0.5, 0.0];
    let rest = [[0.0; 5].as_slice(), &real, &real].concat();
    let rows = desk.by_row();
    assert_eq!(rows[0], [&[1.0, 3.0], &rest[..]].concat());
    assert_eq!(rows[1], [&[3.0, 3.0], &rest[..]].concat());
}

#[test]
fn a_mask_without_a_choice_is_the_environments_fault() {
    let mut desk = Desk::new::<Random>(3, false);
    desk.rows_mut::<u8>(id::ACTION_MASK, 1)[13..15].fill(0);
    let error = desk.act().unwrap_err();
    let expected = "action mask of instance 2, group \"several\", agent 0: expected an allowed choice, found none";
    assert!(error.message.ends_with(expected), "{error}");
    assert_eq!(error.exit_code(), 3);
}

#[test]
fn there_is_nothing_to_learn() {
    let mut desk = Desk::new::<Random>(1, false);
    let capabilities = desk.handle.capabilities();
    assert!(!capabilities.trainable && !capabilities.on_policy && !capabilities.off_policy);
    let error = desk.handle.learn(&TablePlan::new(), &[]).unwrap_err();
    assert!(
        error.message.contains("core/Random-v0 learns nothing"),
        "{error}"
    );
}
