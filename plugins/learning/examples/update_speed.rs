//! CPU time of one PPO minibatch update and of inference, one thread, as JSON: microseconds.
//!
//! The network is 18→64→64→(5 logits + 1 value), tanh; an update is the forward pass, PPO's loss, the backward pass,
//! clipping and one step of Adam. `benches/update_speed_torch.py` measures the same in PyTorch:
//!
//! ```text
//! cargo run --release -p palaestra-learning --example update_speed > ours.json
//! python plugins/learning/benches/update_speed_torch.py ours.json
//! ```

use palaestra_learning::Result;
use palaestra_learning::distributions::Categorical;
use palaestra_learning::losses::{self, ValueError};
use palaestra_learning::networks::{Activation, Gru, Input, Linear, Mlp, Module, Parameter, Path};
use palaestra_learning::optimisers::{Adam, AdamSettings};
use palaestra_learning::tensor::{self, Cpu, GradientTape};
use palaestra_plugin_api::rng::{EnvRng, purpose};
use rustix::time::{ClockId, clock_gettime};

const OBSERVATION: usize = 18;
const ACTIONS: usize = 5;

struct ActorCritic {
    trunk: Mlp<Cpu>,
    policy: Linear<Cpu>,
    value: Linear<Cpu>,
}

impl ActorCritic {
    fn new() -> Result<Self> {
        let (device, mut rng) = (
            Cpu::default(),
            EnvRng::new(0, 0, 0, purpose::INITIALISATION),
        );
        let hidden = (Activation::Tanh, Activation::Tanh);
        Ok(Self {
            trunk: Mlp::orthogonal(
                &device,
                &[OBSERVATION, 64, 64],
                hidden,
                2f64.sqrt(),
                &mut rng,
            )?,
            policy: Linear::orthogonal(
                &device,
                (64, ACTIONS),
                Activation::Identity,
                0.01,
                &mut rng,
            )?,
            value: Linear::orthogonal(&device, (64, 1), Activation::Identity, 1.0, &mut rng)?,
        })
    }
}

impl Module<Cpu> for ActorCritic {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<Cpu>)) {
        self.trunk.visit(&at.part("trunk"), visitor);
        self.policy.visit(&at.part("policy"), visitor);
        self.value.visit(&at.part("value"), visitor);
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<Cpu>)) {
        self.trunk.visit_mut(visitor);
        self.policy.visit_mut(visitor);
        self.value.visit_mut(visitor);
    }
}

struct Minibatch {
    observations: Vec<f32>,
    actions: Vec<i32>,
    old_log_prob: Vec<f32>,
    advantages: Vec<f32>,
    targets: Vec<f32>,
}

impl Minibatch {
    fn new(rows: usize) -> Self {
        let mut rng = EnvRng::new(1, rows as u64, 0, purpose::CHECK);
        let mut numbers = |count: usize| {
            (0..count)
                .map(|_| rng.range(-1.0, 1.0) as f32)
                .collect::<Vec<_>>()
        };
        Self {
            observations: numbers(rows * OBSERVATION),
            actions: (0..rows).map(|i| (i * 7 % ACTIONS) as i32).collect(),
            old_log_prob: numbers(rows).iter().map(|x| 0.1 * x - 1.6).collect(),
            advantages: numbers(rows),
            targets: numbers(rows),
        }
    }
}

fn update(
    net: &mut ActorCritic,
    adam: &mut Adam<Cpu>,
    batch: &Minibatch,
    categorical: &Categorical,
) -> Result<f32> {
    let rows = batch.actions.len();
    let x = tensor::matrix(
        &Cpu::default(),
        batch.observations.clone(),
        rows,
        OBSERVATION,
    )?;
    let (features, also) = tensor::fork(net.trunk.forward::<GradientTape<Cpu>>(Input::Data(x))?);
    let logits = net.policy.forward(Input::Traced(features))?;
    let values = tensor::column(net.value.forward(Input::Traced(also))?)?;

    let (log_prob, entropy) = categorical.on_tape(logits, None, &batch.actions)?;
    let policy = losses::on_tape(log_prob, |x| {
        Ok(losses::clipped_policy(x, &batch.old_log_prob, &batch.advantages, None, 0.2)?.0)
    })?;
    let entropy = losses::on_tape(entropy, |x| losses::mean(x, None))?;
    let value = losses::on_tape(values, |x| {
        losses::value(x, &batch.targets, None, ValueError::Square, None)
    })?;
    let (loss, gradients) = tensor::backward(tensor::combine([
        (1.0, policy),
        (1.0, value),
        (-0.01, entropy),
    ])?)?;
    adam.step(net, gradients, 3e-4, None)?;
    Ok(loss)
}

/// One update of a GRU 64→64 over 32 steps of 32 rows, loss mean h².
fn gru_time() -> Result<f64> {
    let (device, mut rng) = (
        Cpu::default(),
        EnvRng::new(0, 0, 0, purpose::INITIALISATION),
    );
    let mut gru = Gru::uniform(&device, 64, 64, &mut rng)?;
    let mut adam = Adam::new(AdamSettings::default());
    let x: Vec<f32> = (0..32 * 32 * 64)
        .map(|_| rng.range(-1.0, 1.0) as f32)
        .collect();
    median(|| {
        let x = tensor::matrix(&device, x.clone(), 32 * 32, 64)?;
        let start = tensor::matrix(&device, vec![0.0; 32 * 64], 32, 64)?;
        let h = gru.unroll::<GradientTape<Cpu>>(Input::Data(x), Input::Data(start), None)?;
        let numbers = tensor::values(&h);
        let squares = numbers
            .chunks(64)
            .map(|row| row.iter().map(|x| x * x / 64.0).sum())
            .collect();
        let slopes = numbers.iter().map(|x| x / 32.0).collect();
        let squares = tensor::rows_with_gradient(h, squares, slopes)?;
        let loss = losses::on_tape(squares, |x| losses::mean(x, None))?;
        adam.step(&mut gru, tensor::backward(loss)?.1, 3e-4, None)
            .map(drop)
    })
}

/// CPU time of this thread in microseconds: other processes on the machine do not count.
fn cpu_time() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 * 1e-3
}

/// Median CPU time of `work` in microseconds, over samples of at least 200 µs.
fn median(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut sample = |repeats: u32| -> Result<f64> {
        let start = cpu_time();
        for _ in 0..repeats {
            work()?;
        }
        Ok((cpu_time() - start) / f64::from(repeats))
    };
    sample(30)?;
    let repeats = (200.0 / sample(30)?).ceil().clamp(1.0, 1000.0) as u32;
    let begin = cpu_time();
    let mut times = Vec::new();
    while cpu_time() - begin < 8e5 || times.len() < 50 {
        times.push(sample(repeats)?);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn main() -> Result<()> {
    let categorical = Categorical::new(ACTIONS)?;
    let mut lines = Vec::new();
    for rows in [64, 256, 1024, 4096] {
        let mut net = ActorCritic::new()?;
        let mut adam = Adam::new(AdamSettings {
            epsilon: 1e-5,
            max_grad_norm: 0.5,
            ..AdamSettings::default()
        });
        let batch = Minibatch::new(rows);
        let time = median(|| update(&mut net, &mut adam, &batch, &categorical).map(drop))?;
        lines.push(format!("  \"update_{rows}\": {time:.2}"));
    }
    lines.push(format!("  \"gru_32x32x64\": {:.2}", gru_time()?));
    let net = ActorCritic::new()?;
    let heads = [net.policy, net.value].map(|head| Mlp::new(vec![head]).map(|head| head.freeze()));
    let [policy, value] = heads;
    let (trunk, policy, value) = (net.trunk.freeze(), policy?, value?);
    for rows in [1, 16, 256] {
        let x = Minibatch::new(rows).observations;
        let (mut h, mut logits, mut v) = (
            vec![0.0; rows * 64],
            vec![0.0; rows * ACTIONS],
            vec![0.0; rows],
        );
        let time = median(|| {
            trunk.infer(&x, &mut h);
            policy.infer(&h, &mut logits);
            value.infer(&h, &mut v);
            Ok(())
        })?;
        lines.push(format!("  \"inference_{rows}\": {time:.2}"));
    }
    println!("{{\n{}\n}}", lines.join(",\n"));
    Ok(())
}
