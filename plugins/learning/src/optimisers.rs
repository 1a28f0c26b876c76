//! Adam with clipping by the global norm and one all-reduce, and its exact state.

use dfdx::prelude::{AdamConfig, Gradients, WeightDecay};
use palaestra_plugin_api::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::device::Backend;
use crate::kernels::{elementwise, scratch};
use crate::networks::{Module, Parameter};
use crate::tensor::device_error;

/// Adam's settings other than the learning rate, which each step is given (see [`Rate`](palaestra_plugin_api::config::Rate)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSettings {
    /// Decay of the two moments.
    pub betas: [f64; 2],
    /// In the denominator, behind the root. PPO uses 10⁻⁵.
    pub epsilon: f64,
    /// Decoupled weight decay (Loshchilov and Hutter 2019), times the learning rate; 0 for none.
    pub weight_decay: f64,
    /// Gradients are scaled down to this global norm when theirs is larger; infinity never scales.
    pub max_grad_norm: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 0.0,
            max_grad_norm: f64::INFINITY,
        }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The global norm of the reduced gradients before clipping.
    pub grad_norm: f64,
    /// Whether the parameters moved; they do not when the norm is not finite.
    pub applied: bool,
}

/// Adam (Kingma and Ba 2015) on one module's parameters:
///
/// ```text
/// m ← β₁m + (1 - β₁)g        v ← β₂v + (1 - β₂)g²
/// θ ← θ - α·m̂/(√v̂ + ε),      m̂ = m/(1 - β₁ᵗ), v̂ = v/(1 - β₂ᵗ)
/// ```
///
/// Moments are kept per parameter of the module it was first used with. `Send`, unlike dfdx's own.
#[derive(Debug)]
pub struct Adam<D: Backend> {
    settings: AdamSettings,
    steps: u32,
    first: Gradients<f32, D>,
    second: Gradients<f32, D>,
}

/// All that a step depends on besides parameters and gradients; restored, training goes on with the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamState {
    /// Steps applied.
    pub steps: u32,
    /// m of all parameters, in the module's order.
    pub first: Vec<f32>,
    /// v of all parameters, in the module's order.
    pub second: Vec<f32>,
}

/// Combines the flat gradients of all ranks in place, such as a mean over the host's all-reduce. Called exactly once
/// a step on every rank, whatever the gradients hold.
pub type Reduce<'a> = &'a mut dyn FnMut(&mut [f32]) -> Result<()>;

impl<D: Backend> Adam<D> {
    /// An optimiser that has made no step.
    #[must_use]
    pub fn new(settings: AdamSettings) -> Self {
        Self {
            settings,
            steps: 0,
            first: Gradients::leaky(),
            second: Gradients::leaky(),
        }
    }

    /// Steps applied so far.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// One step against the gradients of a loss.
    ///
    /// The gradients are reduced once, then judged and clipped as a whole; a norm that is not finite skips the step
    /// on every rank alike.
    ///
    /// # Errors
    /// When `reduce` fails or the device is out of memory.
    pub fn step(
        &mut self,
        module: &mut impl Module<D>,
        mut gradients: Gradients<f32, D>,
        learning_rate: f64,
        reduce: Option<Reduce<'_>>,
    ) -> Result<Step> {
        let mut parameters = module.parameters_mut();
        let size = parameters.iter().map(|parameter| parameter.len()).sum();
        let mut flat = scratch::take(size);
        each_part(&mut flat, &mut parameters, |part, parameter| {
            D::read_gradient(&mut gradients, parameter, part)
        })?;
        if let Some(reduce) = reduce {
            reduce(&mut flat)?;
        }

        let mut square_sum = [0.0];
        elementwise::square_sum(&flat, &mut square_sum);
        let grad_norm = square_sum[0].sqrt();
        let applied = grad_norm.is_finite();
        if applied {
            self.steps += 1;
            // As PyTorch's `clip_grad_norm_`: a little below the limit.
            let scale = self.settings.max_grad_norm / (grad_norm + 1e-6);
            if scale < 1.0 {
                elementwise::scale(&mut flat, scale as f32);
            }
            // Gradients from afresh: on some devices one can only be added to.
            let mut clipped = Gradients::leaky();
            let config = self.config(learning_rate);
            each_part(&mut flat, &mut parameters, |part, parameter| {
                D::write_gradient(&mut clipped, parameter, part)?;
                self.move_parameter(&config, parameter, &mut clipped)
            })?;
        }
        scratch::give(flat);
        Ok(Step { grad_norm, applied })
    }

    fn config(&self, learning_rate: f64) -> AdamConfig {
        let decay = self.settings.weight_decay;
        AdamConfig {
            lr: learning_rate,
            betas: self.settings.betas,
            eps: self.settings.epsilon,
            weight_decay: (decay != 0.0).then_some(WeightDecay::Decoupled(decay)),
        }
    }

    fn move_parameter(
        &mut self,
        config: &AdamConfig,
        parameter: &mut Parameter<D>,
        gradients: &mut Gradients<f32, D>,
    ) -> Result<()> {
        let values = &mut parameter.values;
        let gradient = gradients.get_or_alloc_mut(values).map_err(device_error)?;
        let first = self.first.get_or_alloc_mut(values).map_err(device_error)?;
        let second = self.second.get_or_alloc_mut(values).map_err(device_error)?;
        let step = i32::try_from(self.steps).unwrap_or(i32::MAX);
        config
            .try_update(step, values, first, second, gradient)
            .map_err(device_error)
    }

    /// The state, with the module whose parameters it belongs to.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn state(&mut self, module: &impl Module<D>) -> Result<AdamState> {
        let mut state = AdamState {
            steps: self.steps,
            first: vec![0.0; module.size()],
            second: vec![0.0; module.size()],
        };
        let (mut first, mut second) = (state.first.as_mut_slice(), state.second.as_mut_slice());
        for parameter in module.parameters() {
            let (here, rest) = first.split_at_mut(parameter.len());
            D::read_gradient(&mut self.first, parameter, here)?;
            first = rest;
            let (here, rest) = second.split_at_mut(parameter.len());
            D::read_gradient(&mut self.second, parameter, here)?;
            second = rest;
        }
        Ok(state)
    }

    /// Goes back to a state.
    ///
    /// # Errors
    /// When its size is not the module's; nothing changes then.
    pub fn restore(&mut self, module: &impl Module<D>, state: &AdamState) -> Result<()> {
        let size = module.size();
        if state.first.len() != size || state.second.len() != size {
            return Err(Error::plugin(format!(
                "adam state: expected {size} moments of each kind, found {} and {}",
                state.first.len(),
                state.second.len()
            )));
        }
        self.steps = state.steps;
        (self.first, self.second) = (Gradients::leaky(), Gradients::leaky());
        let mut start = 0;
        for parameter in module.parameters() {
            let end = start + parameter.len();
            D::write_gradient(&mut self.first, parameter, &state.first[start..end])?;
            D::write_gradient(&mut self.second, parameter, &state.second[start..end])?;
            start = end;
        }
        Ok(())
    }
}

/// Visits each parameter with its part of a flat slice.
fn each_part<D: Backend>(
    mut flat: &mut [f32],
    parameters: &mut [&mut Parameter<D>],
    mut visit: impl FnMut(&mut [f32], &mut Parameter<D>) -> Result<()>,
) -> Result<()> {
    for parameter in parameters {
        let (part, rest) = flat.split_at_mut(parameter.len());
        visit(part, parameter)?;
        flat = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
