//! Two learners that share their gradients are one learner.

mod common;

use std::sync::{Arc, Barrier, Mutex, atomic::AtomicU8};

use common::{Gym, Outcome, World};
use palaestra_plugin_api::{
    abi::{DType, LogLevel, OK, ReduceOp, Status, id},
    algorithm::Metrics,
    client::{Context, Services},
    prelude::*,
    serde_json::{Value, json},
};
use policy_gradient::Mappo;

/// Services of one rank, whose numbers meet those of the others in rank order.
struct Rank {
    rank: usize,
    meeting: Arc<Meeting>,
    cancelled: AtomicU8,
}

struct Meeting {
    barrier: Barrier,
    brought: Mutex<Vec<Vec<u8>>>,
}

/// Combines numbers of one type.
macro_rules! combine {
    ($type:ty, $op:expr, $all:expr, $data:expr) => {
        for (i, to) in $data.chunks_exact_mut(size_of::<$type>()).enumerate() {
            let at = i * size_of::<$type>();
            let read = |bytes: &Vec<u8>| {
                let bytes = bytes[at..at + size_of::<$type>()].try_into().unwrap();
                <$type>::from_le_bytes(bytes)
            };
            let values = $all.iter().map(read);
            let all = match $op {
                ReduceOp::Sum => values.sum::<$type>(),
                ReduceOp::Max => values.fold(<$type>::NEG_INFINITY, <$type>::max),
                ReduceOp::Min => values.fold(<$type>::INFINITY, <$type>::min),
            };
            to.copy_from_slice(&all.to_le_bytes());
        }
    };
}

impl Services for Rank {
    fn log(&self, _: LogLevel, _: &str, _: &str) {}
    fn metric(&self, _: &str, _: f64) {}
    fn cancel_flag(&self) -> &AtomicU8 {
        &self.cancelled
    }
    fn rank_and_world(&self) -> (u32, u32) {
        (self.rank as u32, 2)
    }
    fn all_reduce(&self, op: ReduceOp, dtype: DType, data: &mut [u8]) -> Status {
        self.meeting.brought.lock().unwrap()[self.rank] = data.to_vec();
        self.meeting.barrier.wait();
        {
            let all = self.meeting.brought.lock().unwrap();
            assert_eq!(
                all[0].len(),
                all[1].len(),
                "ranks meet with the same numbers"
            );
            match dtype {
                DType::F32 => combine!(f32, op, all, data),
                DType::F64 => combine!(f64, op, all, data),
                other => panic!("no numbers: {other:?}"),
            }
        }
        self.meeting.barrier.wait();
        OK
    }
}

/// Two agents that see noise and are paid for its sign.
struct Noise {
    rng: EnvRng,
    seen: f32,
    step: u32,
}

impl World for Noise {
    fn spec() -> EnvironmentSpec {
        EnvironmentSpec::new("team", 2, Space::real(1), Space::discrete(2))
    }
    fn new(instance: usize) -> Self {
        let rng = EnvRng::new(6, instance as u64, 0, 0);
        Self {
            rng,
            seen: 0.0,
            step: 0,
        }
    }
    fn reset(&mut self) {
        self.step = 0;
        self.seen = self.rng.range(-1.0, 1.0) as f32;
    }
    fn observe(&self, agent: usize, into: &mut [f32]) {
        into[0] = self.seen + agent as f32;
    }
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        let right = actions
            .iter()
            .filter(|a| (a[0] > 0.5) == (self.seen > 0.0))
            .count();
        self.step += 1;
        self.seen = self.rng.range(-1.0, 1.0) as f32;
        Outcome {
            rewards: vec![right as f32; 2],
            terminated: false,
            truncated: self.step == 6,
        }
    }
}

fn settings() -> Value {
    json!({
        "num_steps": 16, "update_epochs": 4, "num_minibatches": 1, "hidden": [8], "lr": 1e-3,
        "whole_episodes": false, "finite_horizon": false, "target_kl": 0.02, "recurrent": 4,
    })
}

/// Three updates of one rank's worlds; with `poison` the second fragment of this rank has a NaN.
fn rank(
    range: std::ops::Range<usize>,
    context: &Context,
    poison: bool,
) -> (Vec<f32>, Vec<Metrics>) {
    let mut gym = Gym::<Noise>::of_rank::<Mappo>(settings(), range, None, context).unwrap();
    let update = |k| {
        gym.play(false);
        if poison && k == 1 {
            gym.row::<f32>(id::LEARNING_REWARD, 0, 3)[1] = f32::NAN;
        }
        let metrics = gym.learn().unwrap();
        gym.turn();
        metrics
    };
    let metrics = (0..3).map(update).collect();
    let bytes = gym.weights();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let (numbers, _) = bytes[8 + length..].as_chunks::<4>();
    (
        numbers.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        metrics,
    )
}

/// Two ranks, the second with a NaN or without.
fn two(poison: bool) -> Vec<(Vec<f32>, Vec<Metrics>)> {
    let meeting = Arc::new(Meeting {
        barrier: Barrier::new(2),
        brought: Mutex::new(vec![Vec::new(); 2]),
    });
    let start = |k: usize| {
        let meeting = meeting.clone();
        std::thread::spawn(move || {
            let context = Context::new(Rank {
                rank: k,
                meeting,
                cancelled: AtomicU8::new(0),
            });
            rank(4 * k..4 * k + 4, &context, poison && k == 1)
        })
    };
    let threads: Vec<_> = (0..2).map(start).collect();
    threads.into_iter().map(|t| t.join().unwrap()).collect()
}

#[test]
fn two_ranks_learn_as_one_with_all_instances() {
    let (alone, metrics) = rank(0..8, &Context::default(), false);
    let both = two(false);
    assert!(both[0].0 == both[1].0, "ranks hold the same bits");
    let far = alone.iter().zip(&both[0].0).map(|(a, b)| (a - b).abs());
    let far = far.fold(0.0, f32::max);
    assert!(far < 2e-4, "one learner and two differ by {far}");
    let passes = |all: &[Metrics]| all.iter().map(|m| m["epochs"]).collect::<Vec<_>>();
    assert_eq!(passes(&metrics), passes(&both[1].1));
}

#[test]
fn a_fault_on_one_rank_skips_the_update_on_all() {
    let both = two(true);
    assert!(both[0].0 == both[1].0, "ranks hold the same bits");
    for (_, metrics) in &both {
        let skipped: Vec<f64> = metrics.iter().map(|m| m["skipped_updates"]).collect();
        assert_eq!(skipped, [0.0, 1.0, 1.0]);
    }
}
