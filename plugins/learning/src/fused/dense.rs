//! Linear layers with activations, one operation for all.

use dfdx::prelude::*;
use palaestra_plugin_api::Result;

use super::contents;
use crate::kernels::{
    elementwise,
    matmul::{View, matmul},
    scratch,
};
use crate::networks::{Activation, Dense, Input, frozen::dense_rows};
use crate::tensor::{Matrix, device_error};

/// What the backward pass needs of one layer.
struct Saved {
    weight: Vec<f32>,
    inputs: usize,
    outputs: usize,
    activation: Activation,
    /// The layer's output; empty where the derivative does not need it.
    output: Vec<f32>,
}

/// See [`Backend::dense`](crate::device::Backend::dense).
pub(crate) fn dense<T: Tape<f32, Cpu>>(
    layers: &[Dense<'_, Cpu>],
    input: Input<Cpu, T>,
) -> Result<Matrix<Cpu, T>> {
    let (x, mut tape, wants_gradient) = input.split();
    let x = x.try_contiguous().map_err(device_error)?;
    let rows = x.shape().0;
    let x_values = contents(&x);

    let mut saved: Vec<Saved> = Vec::with_capacity(layers.len());
    for layer in layers {
        let (weight, bias) = (contents(&layer.weight.values), contents(&layer.bias.values));
        let mut output = scratch::take(rows * layer.outputs());
        let input = saved.last().map_or(&x_values, |previous| &previous.output);
        dense_rows(input, rows, &weight, &bias, layer.activation, &mut output);
        scratch::give(bias);
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        saved.push(Saved {
            weight,
            inputs,
            outputs,
            activation: layer.activation,
            output,
        });
    }

    let last = saved.last_mut().expect("an mlp has at least one layer");
    let keep = T::OWNS_TAPE && last.activation != Activation::Identity;
    let output = if keep {
        last.output.clone()
    } else {
        std::mem::take(&mut last.output)
    };
    let y: Matrix<Cpu> = x
        .device()
        .try_tensor_from_vec(output, (rows, last.outputs))
        .map_err(device_error)?;

    if !T::OWNS_TAPE {
        release(saved, x_values);
        return Ok(y.put_tape(tape));
    }
    let (x_ghost, y_ghost) = (x.ghost(), y.ghost());
    let ghosts: Vec<_> = layers
        .iter()
        .map(|layer| (layer.weight.values.ghost(), layer.bias.values.ghost()))
        .collect();
    tape.add_backward_op(move |gradients| {
        let mut d = std::mem::take(&mut **gradients.get_or_alloc_mut(&y_ghost)?);
        for index in (0..saved.len()).rev() {
            let layer = &saved[index];
            let input = if index == 0 {
                &x_values
            } else {
                &saved[index - 1].output
            };
            let (weight_ghost, bias_ghost) = &ghosts[index];

            let d_bias = gradients.get_or_alloc_mut(bias_ghost)?;
            match layer.activation {
                Activation::Tanh => elementwise::tanh_backward(&mut d, &layer.output, d_bias),
                Activation::Relu => elementwise::relu_backward(&mut d, &layer.output, d_bias),
                Activation::Identity => elementwise::add_column_sums(&d, d_bias),
            }
            let d_rows = View::new(&d, rows, layer.outputs);
            let d_weight = gradients.get_or_alloc_mut(weight_ghost)?;
            matmul(
                d_weight,
                View::new(input, rows, layer.inputs).transposed(),
                d_rows,
                true,
            );

            let weight = View::new(&layer.weight, layer.inputs, layer.outputs).transposed();
            if index > 0 {
                let mut next = scratch::take(rows * layer.inputs);
                matmul(&mut next, d_rows, weight, false);
                scratch::give(std::mem::replace(&mut d, next));
            } else if wants_gradient {
                matmul(gradients.get_or_alloc_mut(&x_ghost)?, d_rows, weight, true);
            }
        }
        scratch::give(d);
        release(saved, x_values);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

fn release(saved: Vec<Saved>, x_values: Vec<f32>) {
    scratch::give(x_values);
    for layer in saved {
        scratch::give(layer.weight);
        scratch::give(layer.output);
    }
}
