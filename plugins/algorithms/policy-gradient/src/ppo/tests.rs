//! What only the inside shows: gradients of the whole policy, advantages by hand, memories at cuts.

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/common/mechanism.rs"]
mod mechanism;
#[path = "../../tests/common/noise.rs"]
mod noise;

use common::{Gym, Outcome, World};
use mechanism::Echo;
use noise::Noise;
use palaestra_learning::{
    device::Backend,
    networks::Module,
    tensor::{self, Cpu},
};
use palaestra_plugin_api::{
    Error, Result,
    algorithm::{Algorithm, AlgorithmCapabilities, Metrics, Setting},
    prelude::*,
    serde_json::{Value, json},
    table::Table,
};

use super::*;
use super::{
    batch::Batch,
    frozen::{Rows, Run, Step},
    judging::Judge,
    minibatch::Minibatch,
};

/// What a probe does with a fragment instead of learning.
trait Look: Send + 'static {
    fn look(learner: &mut Learner<Cpu>, table: &Table<'_>) -> Result<Metrics>;
}

/// PPO whose `learn` is a look inside.
struct Probe<L>(Learner<Cpu>, Collect, std::marker::PhantomData<L>);

impl<L: Look> Algorithm for Probe<L> {
    const ID: &'static str = "test/Probe-v0";
    const DESCRIPTION: &'static str = "A look inside";
    type Config = PpoConfig;

    fn capabilities(config: &PpoConfig, setting: &Setting) -> Result<AlgorithmCapabilities> {
        Ppo::capabilities(config, setting)
    }
    fn new(config: &PpoConfig, setting: &Setting) -> Result<Self> {
        let learner = Learner::new(Cpu::default(), PpoConfig::of(config)?, setting)?;
        Ok(Self(
            learner,
            Collect::steps(config.num_steps),
            std::marker::PhantomData,
        ))
    }
    fn next(&mut self) -> Result<Collect> {
        Ok(self.1.clone())
    }
    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        self.0.act(rows, slot, greedy)
    }
    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        L::look(&mut self.0, fragment)
    }
}

/// The gradient of every minibatch of several passes against finite differences, with a step of Adam after each.
struct Gradients;

impl Look for Gradients {
    fn look(learner: &mut Learner<Cpu>, table: &Table<'_>) -> Result<Metrics> {
        let mut batch = Batch::read(table, &learner.rules, &learner.plans)?;
        assert!(batch.is_finite() && learner.judge(table, &mut batch)?);
        learner.scale(&mut batch)?;
        let length = learner.rules.config.sequence_length;
        if learner.rules.recurrent_width() > 0 {
            batch.pad(length);
        }
        let weights = learner.weights_now();
        let (mut worst, mut checked, mut largest) = (0.0f64, 0, 0.0f64);
        for epoch in 0..2 {
            for part in learner.parts(&batch, epoch, length)? {
                let memories = learner.memories();
                let how = (
                    learner.plans.as_slice(),
                    &learner.rules,
                    memories.as_slice(),
                );
                let minibatch = Minibatch::new(&learner.device, &batch, how, part)?;
                let start = learner.networks.flat();
                let found = gradient(learner, &minibatch, &batch)?;
                largest = found
                    .iter()
                    .fold(largest, |most, x| most.max(f64::from(x.abs())));
                let value = |learner: &mut Learner<Cpu>, at: &[f32]| -> Result<f64> {
                    learner.networks.set_flat(at)?;
                    let how = (learner.plans.as_slice(), &learner.rules, &batch);
                    let (loss, _) = minibatch.loss(&learner.networks, how, weights)?;
                    Ok(f64::from(tensor::values(&loss)[0]))
                };
                let mut at = start.clone();
                for i in (epoch..start.len()).step_by(3) {
                    at[i] = start[i] + STEP;
                    let above = value(learner, &at)?;
                    at[i] = start[i] - STEP;
                    let below = value(learner, &at)?;
                    at[i] = start[i];
                    let slope = (above - below) / f64::from(2.0 * STEP);
                    worst = worst.max((slope - f64::from(found[i])).abs());
                    checked += 1;
                }
                learner.networks.set_flat(&start)?;
                learner.step(Some(&minibatch), &batch, weights, 1e-2)?;
            }
        }
        let metrics = [
            ("worst", worst),
            ("checked", f64::from(checked)),
            ("largest", largest),
        ];
        Ok(metrics.map(|(name, x)| (name.to_owned(), x)).into())
    }
}

const STEP: f32 = 1.0 / 512.0;

fn gradient(learner: &Learner<Cpu>, minibatch: &Minibatch<Cpu>, batch: &Batch) -> Result<Vec<f32>> {
    let how = (learner.plans.as_slice(), &learner.rules, batch);
    let (loss, _) = minibatch.loss(&learner.networks, how, learner.weights_now())?;
    let (_, mut gradients) = tensor::backward(loss)?;
    let mut all = Vec::new();
    for parameter in learner.networks.parameters() {
        let mut part = vec![0.0; parameter.len()];
        Cpu::read_gradient(&mut gradients, parameter, &mut part)?;
        all.extend(part);
    }
    Ok(all)
}

fn small(more: Value) -> Value {
    let mut config = json!({
        "num_steps": 8, "sequence_length": 3, "hidden": [5], "num_minibatches": 2, "ent_coef": 0.1,
        "clip_coef": 10.0, "vf_coef": 0.7,
    });
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    config
}

/// Feed-forward and recurrent, with messages that arrive at once or late, over passes of minibatches: the gradient by
/// every parameter of actors, critics and mechanism.
#[test]
fn gradients_of_the_whole_policy_equal_finite_differences() {
    for (more, delays) in [
        (json!({}), None),
        (json!({"recurrent": 4}), None),
        (json!({"shared_trunk": true, "recurrent": 4}), Some(true)),
        (
            json!({"critic": "central", "huber_delta": 0.5, "value_norm": true}),
            Some(false),
        ),
        (
            json!({"recurrent": 4, "critic": "central", "share": "none"}),
            Some(true),
        ),
        (json!({}), Some(true)),
    ] {
        let mechanism = delays.map(|delays| Echo::handle(Noise::spec(), delays));
        let mut gym =
            Gym::<Noise>::new::<Probe<Gradients>>(small(more.clone()), 3, mechanism.as_ref());
        gym.play(false);
        gym.learn().unwrap();
        gym.turn();
        gym.play(false);
        let found = gym.learn().unwrap();
        assert!(
            found["checked"] > 100.0 && found["largest"] > 0.05,
            "{more}: {found:?}"
        );
        assert!(
            found["worst"] < 1e-3 * found["largest"].max(1.0),
            "{more} {delays:?}: {found:?}"
        );
    }
}

/// Values of final observations by playing the episode again from its first step.
struct Finals;

impl Look for Finals {
    fn look(learner: &mut Learner<Cpu>, table: &Table<'_>) -> Result<Metrics> {
        let batch = Batch::read(table, &learner.rules, &learner.plans)?;
        let cuts = palaestra_learning::transitions::cuts(table)?;
        let (mut compared, mut worst) = (0, 0.0f64);
        for (k, plan) in learner.plans.iter().enumerate() {
            let policy = &learner.acting.policies[k];
            let judge = Judge {
                plan,
                policy,
                scale: (0.5, 2.0),
            };
            let unit = &batch.units[k];
            let found = judge.finals(&learner.rules, table, &batch.common, unit, &cuts)?;
            let (n, members) = (batch.instances, plan.unit.len());
            let mut last = Vec::new();
            plan.unit.gather_final_observations(table, &mut last)?;
            for (cut, values) in cuts.iter().zip(found.chunks(members)) {
                let began = (0..=cut.step)
                    .rev()
                    .find(|t| unit.transitions.first[(t * n + cut.instance) * members] != 0);
                let Some(began) = began else { continue };
                let mut memory = vec![0.0; members * policy.memory()];
                let mut step = Step::default();
                let mut run = |seen: &[f32], row: usize, memory: &[f32]| {
                    let (mut actor, mut critic) = (Vec::new(), Vec::new());
                    plan.actor
                        .assemble(seen, &[], [row].into_iter(), &mut actor);
                    critic.clone_from(&actor);
                    let rows = Rows {
                        actor: &actor,
                        critic: &critic,
                        memory,
                    };
                    policy.run(rows, members, Run::Both, &mut step);
                    step.clone()
                };
                for t in began..=cut.step {
                    memory = run(&unit.seen, t * n + cut.instance, &memory).memory;
                }
                let expected = run(&last, cut.entry, &memory).values;
                for (value, expected) in values.iter().zip(expected) {
                    let expected = f64::from(expected) * 2.0 + 0.5;
                    worst = worst.max((f64::from(value.value) - expected).abs());
                    compared += 1;
                }
            }
        }
        Ok([
            ("compared".into(), f64::from(compared)),
            ("worst".into(), worst),
        ]
        .into())
    }
}

#[test]
fn a_cut_episode_is_worth_its_final_observation_with_the_memory_of_then() {
    for more in [
        json!({"recurrent": 4}),
        json!({"recurrent": 4, "shared_trunk": true}),
        json!({}),
    ] {
        let config = small(more.clone());
        let mut gym = Gym::<Noise>::new::<Probe<Finals>>(config, 3, None);
        gym.play(false);
        let found = gym.learn().unwrap();
        assert!(found["compared"] >= 6.0, "{more}: {found:?}");
        assert!(found["worst"] < 1e-6, "{more}: {found:?}");
    }
}

/// Two agents by turns; an episode is four steps, the last pays the first agent 1 and the second -1.
struct Turns(u32);

impl World for Turns {
    fn spec() -> EnvironmentSpec {
        let mut spec = EnvironmentSpec::new("player", 2, Space::real(1), Space::discrete(2));
        spec.flags.turn_based = true;
        spec
    }
    fn new(_: usize) -> Self {
        Self(0)
    }
    fn reset(&mut self) {
        self.0 = 0;
    }
    fn observe(&self, agent: usize, into: &mut [f32]) {
        into[0] = self.0 as f32 + 0.1 * agent as f32;
    }
    fn acting(&self, agent: usize) -> bool {
        self.0 as usize % 2 == agent
    }
    fn step(&mut self, _: &[Vec<f32>]) -> Outcome {
        self.0 += 1;
        let rewards = if self.0 == 4 {
            vec![1.0, -1.0]
        } else {
            vec![0.25, 0.5]
        };
        Outcome {
            rewards,
            terminated: self.0 == 4,
            truncated: false,
        }
    }
}

/// Advantages over own turns, written out.
struct ByHand;

impl Look for ByHand {
    fn look(learner: &mut Learner<Cpu>, table: &Table<'_>) -> Result<Metrics> {
        let mut batch = Batch::read(table, &learner.rules, &learner.plans)?;
        if !learner.judge(table, &mut batch)? {
            return Err(Error::plugin("not finite"));
        }
        let unit = &batch.units[0];
        let v = &unit.values;
        // One instance, two agents: (t, agent) at 2·t + agent. γ 0.5, λ 0.25.
        // Agent 0 acts at steps 0 and 2; what it is paid at 0 and 1 belongs to its first turn, the rest to its second.
        let last = [1.25 - v[4], -1.0 - v[7]];
        let first = [
            0.5 + 0.5 * v[4] - v[0] + 0.125 * last[0],
            1.0 + 0.5 * v[7] - v[3] + 0.125 * last[1],
        ];
        let expected = [first[0], 0.0, 0.0, first[1], last[0], 0.0, 0.0, last[1]];
        let wrong = unit.advantages[..8]
            .iter()
            .zip(expected)
            .map(|(a, b)| f64::from((a - b).abs()));
        let active = [1, 0, 0, 1, 1, 0, 0, 1];
        let flags = unit.transitions.active[..8] == active;
        Ok([
            ("worst".into(), wrong.fold(0.0, f64::max)),
            ("flags".into(), f64::from(u8::from(flags))),
        ]
        .into())
    }
}

#[test]
fn advantages_count_own_turns() {
    let config = json!({"num_steps": 8, "hidden": [4], "gamma": 0.5, "gae_lambda": 0.25});
    let mut gym = Gym::<Turns>::new::<Probe<ByHand>>(config, 1, None);
    gym.play(false);
    let found = gym.learn().unwrap();
    assert!(found["worst"] < 1e-6 && found["flags"] == 1.0, "{found:?}");
}
