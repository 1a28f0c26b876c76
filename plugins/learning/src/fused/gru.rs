//! A GRU over a whole sequence, one operation.

use dfdx::prelude::*;
use palaestra_plugin_api::Result;

use super::contents;
use crate::kernels::{
    elementwise, gates,
    matmul::{View, matmul},
    scratch,
};
use crate::networks::{Activation, GruWeights, Input, frozen::dense_rows};
use crate::tensor::{Matrix, device_error};

/// See [`Backend::gru`](crate::device::Backend::gru).
pub(crate) fn gru<T: Tape<f32, Cpu> + Merge<T>>(
    weights: &GruWeights<'_, Cpu>,
    input: Input<Cpu, T>,
    hidden: Input<Cpu, T>,
    first: Option<&[u8]>,
) -> Result<Matrix<Cpu, T>> {
    let (x, x_tape, x_wants) = input.split();
    let (h, h_tape, h_wants) = hidden.split();
    let mut tape = x_tape.merge(h_tape);
    let x = x.try_contiguous().map_err(device_error)?;
    let h = h.try_contiguous().map_err(device_error)?;
    let (rows, inputs) = *x.shape();
    let (n, width) = *h.shape();
    let steps = rows / n;
    let (state, gate) = (n * width, n * 3 * width);

    let x_values = contents(&x);
    let input_weight = contents(&weights.input_weight.values);
    let input_bias = contents(&weights.input_bias.values);
    let hidden_weight = contents(&weights.hidden_weight.values);
    let hidden_bias = contents(&weights.hidden_bias.values);

    // All steps' input products at once, then step by step. `before` is the (cleared) state in front of each step.
    let mut input_product = scratch::take(rows * 3 * width);
    dense_rows(
        &x_values,
        rows,
        &input_weight,
        &input_bias,
        Activation::Identity,
        &mut input_product,
    );
    let mut before = scratch::take(rows * width);
    let mut after = vec![0.0; rows * width];
    let mut saved = scratch::take(rows * 4 * width);
    let mut hidden_product = scratch::take(gate);
    tensor_into(&h, &mut before[..state]);
    for t in 0..steps {
        if t > 0 {
            before[t * state..(t + 1) * state].copy_from_slice(&after[(t - 1) * state..t * state]);
        }
        let here = &mut before[t * state..(t + 1) * state];
        clear_first(here, first, t * n, width);
        matmul(
            &mut hidden_product,
            View::new(here, n, width),
            View::new(&hidden_weight, width, 3 * width),
            false,
        );
        gates::forward(
            &input_product[t * gate..(t + 1) * gate],
            &hidden_product,
            &hidden_bias,
            here,
            &mut saved[t * n * 4 * width..(t + 1) * n * 4 * width],
            &mut after[t * state..(t + 1) * state],
        );
    }
    scratch::give_all([input_product, hidden_product, input_bias, hidden_bias]);
    let y: Matrix<Cpu> = x
        .device()
        .try_tensor_from_vec(after, (rows, width))
        .map_err(device_error)?;
    if !T::OWNS_TAPE {
        scratch::give_all([x_values, input_weight, hidden_weight, before, saved]);
        return Ok(y.put_tape(tape));
    }

    let (x_ghost, h_ghost, y_ghost) = (x.ghost(), h.ghost(), y.ghost());
    let input_ghosts = (
        weights.input_weight.values.ghost(),
        weights.input_bias.values.ghost(),
    );
    let hidden_ghosts = (
        weights.hidden_weight.values.ghost(),
        weights.hidden_bias.values.ghost(),
    );
    let first = first.map(<[u8]>::to_vec);
    tape.add_backward_op(move |gradients| {
        let d_after = std::mem::take(&mut **gradients.get_or_alloc_mut(&y_ghost)?);
        let mut d_input = scratch::take(rows * 3 * width);
        let mut d_hidden = scratch::take(rows * 3 * width);
        // dL/dh in front of the step after this one.
        let mut d = scratch::zeros(state);
        let hidden_transposed = View::new(&hidden_weight, width, 3 * width).transposed();
        for t in (0..steps).rev() {
            let (here, gates_here) = (t * state..(t + 1) * state, t * gate..(t + 1) * gate);
            elementwise::add(&mut d, &d_after[here.clone()]);
            gates::backward(
                &mut d,
                &saved[t * n * 4 * width..(t + 1) * n * 4 * width],
                &before[here],
                &mut d_input[gates_here.clone()],
                &mut d_hidden[gates_here.clone()],
                width,
            );
            matmul(
                &mut d,
                View::new(&d_hidden[gates_here], n, 3 * width),
                hidden_transposed,
                true,
            );
            clear_first(&mut d, first.as_deref(), t * n, width);
        }
        elementwise::add_column_sums(&d_input, gradients.get_or_alloc_mut(&input_ghosts.1)?);
        elementwise::add_column_sums(&d_hidden, gradients.get_or_alloc_mut(&hidden_ghosts.1)?);
        let d_input_rows = View::new(&d_input, rows, 3 * width);
        let x_transposed = View::new(&x_values, rows, inputs).transposed();
        matmul(
            gradients.get_or_alloc_mut(&input_ghosts.0)?,
            x_transposed,
            d_input_rows,
            true,
        );
        let before_transposed = View::new(&before, rows, width).transposed();
        let d_hidden_rows = View::new(&d_hidden, rows, 3 * width);
        matmul(
            gradients.get_or_alloc_mut(&hidden_ghosts.0)?,
            before_transposed,
            d_hidden_rows,
            true,
        );
        if x_wants {
            let weight = View::new(&input_weight, inputs, 3 * width).transposed();
            matmul(
                gradients.get_or_alloc_mut(&x_ghost)?,
                d_input_rows,
                weight,
                true,
            );
        }
        if h_wants {
            elementwise::add(gradients.get_or_alloc_mut(&h_ghost)?, &d);
        }
        scratch::give_all([
            x_values,
            input_weight,
            hidden_weight,
            before,
            saved,
            d_after,
            d_input,
            d_hidden,
            d,
        ]);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

fn tensor_into(tensor: &Matrix<Cpu>, into: &mut [f32]) {
    crate::tensor::read(tensor, into);
}

/// Zeros the rows that start an episode; `offset` is the index of the first row's flag.
fn clear_first(rows: &mut [f32], first: Option<&[u8]>, offset: usize, width: usize) {
    let Some(first) = first else { return };
    for (row, &flag) in rows.chunks_exact_mut(width).zip(&first[offset..]) {
        if flag != 0 {
            row.fill(0.0);
        }
    }
}
