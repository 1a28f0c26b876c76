//! What the plugin boundary costs: the same monomorphised step through the vtable and called directly.
//!
//! Blocks of calls through both doors of one and the same batch take turns; the median of the paired ratios
//! is printed as JSON. The boundary must cost less than 3 % at 256 instances.
//!
//! ```text
//! cargo run --release -p palaestra --example abi_cost -- [instances] [blocks]
//! ```

use std::{hint::black_box, time::Instant};

use palaestra::rollout::median;
use palaestra_plugin_api::{__private::DirectBatch, abi::id, client::MakeEnvironment, prelude::*};
use serde_json::{Value, json};

/// Calls of one timed block.
const CALLS: u32 = 2_000;
/// Pairs of blocks before the first that counts.
const WARM_UP: usize = 20;

/// A cart on a line, pushed left or right: about as little work as an environment can be.
struct Cart {
    position: Vec<f64>,
    velocity: Vec<f64>,
}

/// No settings.
#[palaestra_plugin_api::config]
struct CartConfig {}

impl BatchEnvironment for Cart {
    const ID: &'static str = "bench/Cart-v0";
    const DESCRIPTION: &'static str = "A cart on a line.";
    type Config = CartConfig;

    fn spec(_: &CartConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("carts", 1, Space::real(2), Space::discrete(2));
        spec.max_episode_steps = Some(200);
        Ok(spec)
    }

    fn new(_: &CartConfig, instances: usize) -> Result<Self> {
        Ok(Self {
            position: vec![0.0; instances],
            velocity: vec![0.0; instances],
        })
    }

    fn reset(
        &mut self,
        i: usize,
        rng: &mut EnvRng,
        _: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        (self.position[i], self.velocity[i]) = (rng.range(-0.5, 0.5), 0.0);
        out.observation(0)
            .copy_from_slice(&[self.position[i] as f32, 0.0]);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, batch: &mut BatchStep<'_>) {
        let ([cart], instances) = batch.arrays::<1>();
        let state = self.position.iter_mut().zip(&mut self.velocity);
        let rows = cart
            .discrete
            .iter()
            .zip(cart.observation.chunks_exact_mut(2));
        let ends = cart.reward.iter_mut().zip(instances.terminated.iter_mut());
        for (((position, velocity), (action, observation)), (reward, terminated)) in
            state.zip(rows).zip(ends)
        {
            *velocity += 0.02 * (f64::from(*action) - 0.5);
            *position += 0.02 * *velocity;
            observation[0] = *position as f32;
            observation[1] = *velocity as f32;
            *reward = 1.0 - *position * *position;
            *terminated = u8::from(position.abs() > 1.0);
        }
    }

    fn save(&self, i: usize) -> Result<Value> {
        Ok(json!([self.position[i], self.velocity[i]]))
    }

    fn load(&mut self, i: usize, saved: &Value) -> Result<()> {
        let [position, velocity] =
            <[f64; 2]>::deserialize(saved).map_err(|e| Error::config(format!("snapshot: {e}")))?;
        (self.position[i], self.velocity[i]) = (position, velocity);
        Ok(())
    }
}

/// Nanoseconds of a block of steps between two slots.
#[inline(always)]
fn block(mut step: impl FnMut(u32, u32) -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    for call in 0..CALLS {
        step(call % 2, (call + 1) % 2)?;
    }
    Ok(start.elapsed().as_nanos() as f64)
}

#[inline(never)]
fn through(batch: &mut DirectBatch<Cart>) -> Result<f64> {
    block(|read, write| black_box(&mut *batch).step_through_vtable(read, write))
}

#[inline(never)]
fn direct(batch: &mut DirectBatch<Cart>) -> Result<f64> {
    block(|read, write| black_box(&mut *batch).step(read, write))
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default| {
        arguments
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (instances, blocks): (usize, usize) = (argument(256), argument(400));
    let what = MakeEnvironment {
        instances,
        ..MakeEnvironment::new(Cart::ID)
    };
    let mut batch = DirectBatch::<Cart>::new(&what, 2)?;
    #[allow(clippy::expect_used)] // the spec above has one discrete group
    let key = batch
        .slabs()
        .key::<i32>(id::ACTION, 0)
        .expect("choices have an action slab");
    for slot in 0..2 {
        let actions = batch.rows_mut(key, slot).iter_mut().enumerate();
        actions.for_each(|(i, action)| *action = (i % 2) as i32);
    }
    let (mut ratios, mut times) = (Vec::new(), [Vec::new(), Vec::new()]);
    for pair in 0..blocks + WARM_UP {
        // Who goes first alternates: a clock that drifts favours neither.
        let (abi, plain) = if pair % 2 == 0 {
            let abi = through(&mut batch)?;
            (abi, direct(&mut batch)?)
        } else {
            let plain = direct(&mut batch)?;
            (through(&mut batch)?, plain)
        };
        if pair >= WARM_UP {
            ratios.push(abi / plain);
            times[0].push(abi);
            times[1].push(plain);
        }
    }
    let per_step = |times: &[f64]| median(times) / (f64::from(CALLS) * instances as f64);
    let (ratio, abi, plain) = (median(&ratios), per_step(&times[0]), per_step(&times[1]));
    let report = json!({
        "instances": instances,
        "blocks": blocks,
        "ns_per_env_step_abi": abi,
        "ns_per_env_step_direct": plain,
        "ratio": ratio,
        "within_3_percent": ratio <= 1.03,
    });
    println!("{report:#}");
    Ok(())
}
