//! A gated recurrent unit (Cho et al. 2014, reset gate after the product as in cuDNN and PyTorch).

use palaestra_plugin_api::rng::EnvRng;
use palaestra_plugin_api::{Error, Result};

use super::frozen::FrozenGru;
use super::linear::check_input;
use super::{Input, Module, Parameter, Path, initialise};
use crate::device::Backend;
use crate::tensor::{Matrix, Merge, Tape};

/// ```text
/// r  = σ(x·W_ir + b_ir + h·W_hr + b_hr)
/// z  = σ(x·W_iz + b_iz + h·W_hz + b_hz)
/// n  = tanh(x·W_in + b_in + r·(h·W_hn + b_hn))
/// h' = (1 - z)·n + z·h
/// ```
///
/// The three gates lie side by side, in the order r, z, n.
#[derive(Debug)]
pub struct Gru<D: Backend> {
    /// `[inputs, 3·width]`.
    pub input_weight: Parameter<D>,
    /// `[3·width]`.
    pub input_bias: Parameter<D>,
    /// `[width, 3·width]`.
    pub hidden_weight: Parameter<D>,
    /// `[3·width]`.
    pub hidden_bias: Parameter<D>,
}

/// A GRU's parts, borrowed: what a [`Backend`] computes with.
#[derive(Debug)]
pub struct GruWeights<'a, D: Backend> {
    /// `[inputs, 3·width]`.
    pub input_weight: &'a Parameter<D>,
    /// `[3·width]`.
    pub input_bias: &'a Parameter<D>,
    /// `[width, 3·width]`.
    pub hidden_weight: &'a Parameter<D>,
    /// `[3·width]`.
    pub hidden_bias: &'a Parameter<D>,
}

// Derived, these would ask the device to be `Copy`.
impl<D: Backend> Clone for GruWeights<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Backend> Copy for GruWeights<'_, D> {}

impl<D: Backend> Gru<D> {
    /// Orthogonal weights (gain 1, each gate by itself), biases of zero.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn orthogonal(device: &D, inputs: usize, width: usize, rng: &mut EnvRng) -> Result<Self> {
        let input_weight = initialise::side_by_side(
            3,
            inputs,
            width,
            |rng| initialise::orthogonal(inputs, width, 1.0, rng),
            rng,
        );
        let hidden_weight = initialise::side_by_side(
            3,
            width,
            width,
            |rng| initialise::orthogonal(width, width, 1.0, rng),
            rng,
        );
        Self::from_values(
            device,
            inputs,
            width,
            [
                input_weight,
                vec![0.0; 3 * width],
                hidden_weight,
                vec![0.0; 3 * width],
            ],
        )
    }

    /// Weights and biases uniform in ±1/√width (PyTorch's default).
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn uniform(device: &D, inputs: usize, width: usize, rng: &mut EnvRng) -> Result<Self> {
        let bound = 1.0 / (width.max(1) as f64).sqrt();
        let sizes = [inputs * 3 * width, 3 * width, width * 3 * width, 3 * width];
        Self::from_values(
            device,
            inputs,
            width,
            sizes.map(|size| initialise::uniform(size, bound, rng)),
        )
    }

    /// A unit with the given numbers: input weight, input bias, hidden weight, hidden bias.
    ///
    /// # Errors
    /// When their counts do not fit, or the device is out of memory.
    pub fn from_values(
        device: &D,
        inputs: usize,
        width: usize,
        values: [Vec<f32>; 4],
    ) -> Result<Self> {
        let [input_weight, input_bias, hidden_weight, hidden_bias] = values;
        Ok(Self {
            input_weight: Parameter::new(device, &[inputs, 3 * width], input_weight)?,
            input_bias: Parameter::new(device, &[3 * width], input_bias)?,
            hidden_weight: Parameter::new(device, &[width, 3 * width], hidden_weight)?,
            hidden_bias: Parameter::new(device, &[3 * width], hidden_bias)?,
        })
    }

    /// Width of the input.
    pub fn inputs(&self) -> usize {
        self.input_weight.shape()[0]
    }

    /// Width of the hidden state.
    pub fn width(&self) -> usize {
        self.hidden_weight.shape()[0]
    }

    /// The parts, borrowed.
    pub fn weights(&self) -> GruWeights<'_, D> {
        GruWeights {
            input_weight: &self.input_weight,
            input_bias: &self.input_bias,
            hidden_weight: &self.hidden_weight,
            hidden_bias: &self.hidden_bias,
        }
    }

    /// One step: `[n, inputs]` and h `[n, width]` to h' `[n, width]`, one operation of the tape. Gradients reach
    /// both inputs, so steps may be chained with anything between them.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn step<T: Tape<f32, D> + Merge<T>>(
        &self,
        x: Input<D, T>,
        hidden: Input<D, T>,
    ) -> Result<Matrix<D, T>> {
        self.unroll(x, hidden, None)
    }

    /// All steps of a sequence, one operation of the tape: x `[steps·n, inputs]`, time-major, and the state in front
    /// of the first step `[n, width]`, to the state behind each step `[steps·n, width]`. Where `first`\[t·n + i\] is
    /// not 0, an episode starts with step t and the state in front of it is cleared.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn unroll<T: Tape<f32, D> + Merge<T>>(
        &self,
        x: Input<D, T>,
        hidden: Input<D, T>,
        first: Option<&[u8]>,
    ) -> Result<Matrix<D, T>> {
        check_input("gru", x.shape(), self.inputs())?;
        check_input("gru, hidden state", hidden.shape(), self.width())?;
        let (rows, n) = (x.shape().0, hidden.shape().0);
        if !rows.is_multiple_of(n) || first.is_some_and(|first| first.len() != rows) {
            return Err(Error::plugin(format!(
                "gru: expected a whole number of steps of {n} rows with as many flags, found {rows} rows and {} flags",
                first.map_or(rows, <[u8]>::len)
            )));
        }
        D::gru(&self.weights(), x, hidden, first)
    }

    /// A copy of the weights for inference.
    pub fn freeze(&self) -> FrozenGru {
        FrozenGru::new(self)
    }
}

impl<D: Backend> Module<D> for Gru<D> {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>)) {
        visitor(&at.part("input_weight"), &self.input_weight);
        visitor(&at.part("input_bias"), &self.input_bias);
        visitor(&at.part("hidden_weight"), &self.hidden_weight);
        visitor(&at.part("hidden_bias"), &self.hidden_bias);
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>)) {
        visitor(&mut self.input_weight);
        visitor(&mut self.input_bias);
        visitor(&mut self.hidden_weight);
        visitor(&mut self.hidden_bias);
    }
}
