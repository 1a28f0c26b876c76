//! Networks for acting: plain weights on the CPU, no tape, no allocation once warm.
//!
//! A frozen network is a copy; make a new one after each update. It computes each row by itself (see the matrix
//! products' own notes), so an action does not depend on which other rows share the batch, and gives the same bits
//! as the training pass.

use super::{Activation, Gru, Linear};
use crate::device::Backend;
use crate::kernels::{
    elementwise, gates,
    matmul::{View, matmul},
    scratch,
};

/// A linear layer's numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FrozenDense {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) activation: Activation,
}

impl FrozenDense {
    pub(crate) fn new<D: Backend>(layer: &Linear<D>) -> Self {
        Self {
            weight: layer.weight.to_vec(),
            bias: layer.bias.to_vec(),
            activation: layer.activation,
        }
    }

    fn inputs(&self) -> usize {
        self.weight.len() / self.bias.len().max(1)
    }
}

/// y = activation(x·weight + bias) for `rows` rows, into `y`.
pub(crate) fn dense_rows(
    x: &[f32],
    rows: usize,
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut [f32],
) {
    let (inputs, outputs) = (x.len() / rows, bias.len());
    matmul(
        y,
        View::new(x, rows, inputs),
        View::new(weight, inputs, outputs),
        false,
    );
    match activation {
        Activation::Tanh => elementwise::bias_tanh(y, bias),
        Activation::Relu => elementwise::bias_relu(y, bias),
        Activation::Identity => elementwise::bias_add(y, bias),
    }
}

/// An [`Mlp`](super::Mlp)'s weights.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenMlp {
    pub(crate) layers: Vec<FrozenDense>,
}

impl FrozenMlp {
    /// Layers one after the other; none, when there are none.
    pub(crate) fn of<D: Backend>(layers: &mut dyn Iterator<Item = &Linear<D>>) -> Option<Self> {
        let layers: Vec<FrozenDense> = layers.map(FrozenDense::new).collect();
        (!layers.is_empty()).then_some(Self { layers })
    }

    /// Width of the input.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs()
    }

    /// Width of the output.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].bias.len()
    }

    /// `x` `[rows, inputs]` into `y` `[rows, outputs]`.
    ///
    /// # Panics
    /// When the slices do not hold the same whole number of rows.
    pub fn infer(&self, x: &[f32], y: &mut [f32]) {
        let rows = y.len() / self.outputs();
        assert_eq!(
            (x.len(), y.len()),
            (rows * self.inputs(), rows * self.outputs()),
            "mlp: whole rows"
        );
        if rows == 0 {
            return;
        }
        let last = self.layers.len() - 1;
        let mut current: Option<Vec<f32>> = None;
        for layer in &self.layers[..last] {
            let mut next = scratch::take(rows * layer.bias.len());
            let input = current.as_deref().unwrap_or(x);
            dense_rows(
                input,
                rows,
                &layer.weight,
                &layer.bias,
                layer.activation,
                &mut next,
            );
            if let Some(used) = current.replace(next) {
                scratch::give(used);
            }
        }
        let layer = &self.layers[last];
        dense_rows(
            current.as_deref().unwrap_or(x),
            rows,
            &layer.weight,
            &layer.bias,
            layer.activation,
            y,
        );
        if let Some(used) = current {
            scratch::give(used);
        }
    }
}

/// A [`Gru`]'s weights.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenGru {
    input_weight: Vec<f32>,
    input_bias: Vec<f32>,
    hidden_weight: Vec<f32>,
    hidden_bias: Vec<f32>,
    width: usize,
}

impl FrozenGru {
    pub(crate) fn new<D: Backend>(gru: &Gru<D>) -> Self {
        Self {
            input_weight: gru.input_weight.to_vec(),
            input_bias: gru.input_bias.to_vec(),
            hidden_weight: gru.hidden_weight.to_vec(),
            hidden_bias: gru.hidden_bias.to_vec(),
            width: gru.width(),
        }
    }

    /// Width of the input.
    pub fn inputs(&self) -> usize {
        self.input_weight.len() / (3 * self.width)
    }

    /// Width of the hidden state.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One step: `x` `[rows, inputs]` and `hidden` `[rows, width]` into `next` `[rows, width]`. The caller clears
    /// the hidden state where an episode starts.
    ///
    /// # Panics
    /// When the slices do not hold the same whole number of rows.
    pub fn step(&self, x: &[f32], hidden: &[f32], next: &mut [f32]) {
        let (width, inputs) = (self.width, self.inputs());
        let rows = hidden.len() / width;
        assert_eq!(
            (hidden.len(), next.len(), x.len()),
            (rows * width, rows * width, rows * inputs),
            "gru: whole rows"
        );
        if rows == 0 {
            return;
        }
        let mut input = scratch::take(rows * 3 * width);
        let mut product = scratch::take(rows * 3 * width);
        let mut saved = scratch::take(rows * 4 * width);
        dense_rows(
            x,
            rows,
            &self.input_weight,
            &self.input_bias,
            Activation::Identity,
            &mut input,
        );
        let weight = View::new(&self.hidden_weight, width, 3 * width);
        matmul(&mut product, View::new(hidden, rows, width), weight, false);
        gates::forward(
            &input,
            &product,
            &self.hidden_bias,
            hidden,
            &mut saved,
            next,
        );
        scratch::give_all([input, product, saved]);
    }
}
