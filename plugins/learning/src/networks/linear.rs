//! One linear layer with its activation.

use palaestra_plugin_api::rng::EnvRng;
use palaestra_plugin_api::{Error, Result};

use super::frozen::{FrozenDense, FrozenMlp};
use super::{Activation, Input, Module, Parameter, Path, initialise};
use crate::device::Backend;
use crate::tensor::{Matrix, Tape};

/// y = activation(x·W + b), W `[inputs, outputs]`, b `[outputs]`.
#[derive(Debug)]
pub struct Linear<D: Backend> {
    /// `[inputs, outputs]`.
    pub weight: Parameter<D>,
    /// `[outputs]`.
    pub bias: Parameter<D>,
    /// Applied to the sum.
    pub activation: Activation,
}

/// A layer's parts, borrowed: what a [`Backend`] computes with.
#[derive(Debug)]
pub struct Dense<'a, D: Backend> {
    /// `[inputs, outputs]`.
    pub weight: &'a Parameter<D>,
    /// `[outputs]`.
    pub bias: &'a Parameter<D>,
    /// Applied to the sum.
    pub activation: Activation,
}

// Derived, these would ask the device to be `Copy`.
impl<D: Backend> Clone for Dense<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Backend> Copy for Dense<'_, D> {}

impl<D: Backend> Dense<'_, D> {
    /// Width of x.
    pub fn inputs(&self) -> usize {
        self.weight.shape()[0]
    }

    /// Width of y.
    pub fn outputs(&self) -> usize {
        self.weight.shape()[1]
    }
}

impl<D: Backend> Linear<D> {
    /// A layer with an orthogonal weight of the given gain and a bias of zeros.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn orthogonal(
        device: &D,
        (inputs, outputs): (usize, usize),
        activation: Activation,
        gain: f64,
        rng: &mut EnvRng,
    ) -> Result<Self> {
        let weight = initialise::orthogonal(inputs, outputs, gain, rng);
        Self::from_values(
            device,
            (inputs, outputs),
            activation,
            weight,
            vec![0.0; outputs],
        )
    }

    /// A layer with weight and bias uniform in ±1/√inputs (PyTorch's default).
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn uniform(
        device: &D,
        (inputs, outputs): (usize, usize),
        activation: Activation,
        rng: &mut EnvRng,
    ) -> Result<Self> {
        let bound = 1.0 / (inputs.max(1) as f64).sqrt();
        let weight = initialise::uniform(inputs * outputs, bound, rng);
        let bias = initialise::uniform(outputs, bound, rng);
        Self::from_values(device, (inputs, outputs), activation, weight, bias)
    }

    /// A layer with the given numbers.
    ///
    /// # Errors
    /// When their counts do not fit, or the device is out of memory.
    pub fn from_values(
        device: &D,
        (inputs, outputs): (usize, usize),
        activation: Activation,
        weight: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<Self> {
        Ok(Self {
            weight: Parameter::new(device, &[inputs, outputs], weight)?,
            bias: Parameter::new(device, &[outputs], bias)?,
            activation,
        })
    }

    /// The parts, borrowed.
    pub fn dense(&self) -> Dense<'_, D> {
        Dense {
            weight: &self.weight,
            bias: &self.bias,
            activation: self.activation,
        }
    }

    /// `[n, inputs]` to `[n, outputs]`, one operation of the tape.
    ///
    /// # Errors
    /// When x has another width or no rows.
    pub fn forward<T: Tape<f32, D>>(&self, x: Input<D, T>) -> Result<Matrix<D, T>> {
        check_input("linear layer", x.shape(), self.dense().inputs())?;
        D::dense(&[self.dense()], x)
    }
}

/// dfdx panics on sizes that do not fit, so they are checked in front of it.
pub(super) fn check_input(
    what: &str,
    (rows, columns): (usize, usize),
    inputs: usize,
) -> Result<()> {
    if rows == 0 || columns != inputs {
        return Err(Error::plugin(format!(
            "{what}: expected input [≥ 1, {inputs}], found [{rows}, {columns}]"
        )));
    }
    Ok(())
}

impl<D: Backend> Linear<D> {
    /// A copy of the weights for inference: a network of one layer.
    pub fn freeze(&self) -> FrozenMlp {
        FrozenMlp {
            layers: vec![FrozenDense::new(self)],
        }
    }
}

impl<D: Backend> Module<D> for Linear<D> {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>)) {
        visitor(&at.part("weight"), &self.weight);
        visitor(&at.part("bias"), &self.bias);
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>)) {
        visitor(&mut self.weight);
        visitor(&mut self.bias);
    }
}
