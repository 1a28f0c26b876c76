//! Linear layers one after the other.

use palaestra_plugin_api::rng::EnvRng;
use palaestra_plugin_api::{Error, Result};

use super::frozen::{FrozenDense, FrozenMlp};
use super::linear::check_input;
use super::{Activation, Dense, Input, Linear, Module, Parameter, Path};
use crate::device::Backend;
use crate::tensor::{Matrix, Tape};

/// A multi-layer perceptron.
#[derive(Debug)]
pub struct Mlp<D: Backend> {
    layers: Vec<Linear<D>>,
}

impl<D: Backend> Mlp<D> {
    /// Layers in order; each takes what the one before gives.
    ///
    /// # Errors
    /// When there is none, or two that follow each other do not fit.
    pub fn new(layers: Vec<Linear<D>>) -> Result<Self> {
        let fits = layers
            .windows(2)
            .all(|pair| pair[0].dense().outputs() == pair[1].dense().inputs());
        if layers.is_empty() || !fits {
            let sizes: Vec<_> = layers
                .iter()
                .map(|layer| layer.weight.shape().to_vec())
                .collect();
            return Err(Error::plugin(format!(
                "mlp: expected layers that fit each other, found {sizes:?}"
            )));
        }
        Ok(Self { layers })
    }

    /// Layers of the given `sizes` (inputs, hidden…, outputs): `hidden` between them, `last` at the end. Orthogonal
    /// weights, gain √2 in hidden layers and `gain` in the last, biases of zero: the usual start for PPO (Andrychowicz
    /// et al. 2021; a small last gain keeps the first policy near uniform).
    ///
    /// # Errors
    /// When `sizes` has fewer than two entries, or the device is out of memory.
    pub fn orthogonal(
        device: &D,
        sizes: &[usize],
        (hidden, last): (Activation, Activation),
        gain: f64,
        rng: &mut EnvRng,
    ) -> Result<Self> {
        let count = sizes.len().saturating_sub(1);
        let layers = (0..count).map(|i| {
            let (activation, gain) = if i + 1 == count {
                (last, gain)
            } else {
                (hidden, std::f64::consts::SQRT_2)
            };
            Linear::orthogonal(device, (sizes[i], sizes[i + 1]), activation, gain, rng)
        });
        Self::new(layers.collect::<Result<_>>()?)
    }

    /// As [`orthogonal`](Self::orthogonal), but weights and biases uniform in ±1/√inputs.
    ///
    /// # Errors
    /// As [`orthogonal`](Self::orthogonal).
    pub fn uniform(
        device: &D,
        sizes: &[usize],
        (hidden, last): (Activation, Activation),
        rng: &mut EnvRng,
    ) -> Result<Self> {
        let count = sizes.len().saturating_sub(1);
        let layers = (0..count).map(|i| {
            let activation = if i + 1 == count { last } else { hidden };
            Linear::uniform(device, (sizes[i], sizes[i + 1]), activation, rng)
        });
        Self::new(layers.collect::<Result<_>>()?)
    }

    /// The layers.
    pub fn layers(&self) -> &[Linear<D>] {
        &self.layers
    }

    /// The layers, to rescale the last one (see [`normalise`](crate::normalise)).
    pub fn layers_mut(&mut self) -> &mut [Linear<D>] {
        &mut self.layers
    }

    /// Width of the input.
    pub fn inputs(&self) -> usize {
        self.layers[0].dense().inputs()
    }

    /// Width of the output.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].dense().outputs()
    }

    /// `[n, inputs]` to `[n, outputs]`, one operation of the tape.
    ///
    /// # Errors
    /// When x has another width or no rows.
    pub fn forward<T: Tape<f32, D>>(&self, x: Input<D, T>) -> Result<Matrix<D, T>> {
        check_input("mlp", x.shape(), self.inputs())?;
        let layers: Vec<Dense<'_, D>> = self.layers.iter().map(Linear::dense).collect();
        D::dense(&layers, x)
    }

    /// A copy of the weights for inference.
    pub fn freeze(&self) -> FrozenMlp {
        FrozenMlp {
            layers: self.layers.iter().map(FrozenDense::new).collect(),
        }
    }
}

impl<D: Backend> Module<D> for Mlp<D> {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>)) {
        for (index, layer) in self.layers.iter().enumerate() {
            layer.visit(&at.index(index), visitor);
        }
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>)) {
        for layer in &mut self.layers {
            layer.visit_mut(visitor);
        }
    }
}
