//! The same operations out of dfdx's own: right on every device, slower. Also the reference that the fused
//! operations are tested against.
//!
//! Columns are picked by products with matrices of zeros and ones: dfdx's `slice` overwrites gradients on the CPU. On CUDA
//! dfdx compiles copies into another layout, `stack` and `concat` when they are first used, with headers that may not be
//! there: none of them are used here.

use dfdx::prelude::*;
use palaestra_plugin_api::Result;

use crate::device::Backend;
use crate::networks::{Activation, Dense, GruWeights, Input, Parameter};
use crate::tensor::{Matrix, Scalar, Vector, device_error, matrix, vector};

/// x·W + b.
fn affine<D: Backend, T: Tape<f32, D>>(
    x: Matrix<D, T>,
    weight: &Parameter<D>,
    bias: &Parameter<D>,
) -> Result<Matrix<D, T>> {
    let y = x
        .try_matmul(weight.as_matrix::<T>()?)
        .map_err(device_error)?;
    let shape = *y.shape();
    let bias = bias
        .as_vector::<T>()
        .try_broadcast_like::<_, Axis<0>>(&shape)
        .map_err(device_error)?;
    y.try_add(bias).map_err(device_error)
}

/// See [`Backend::dense`].
pub(crate) fn dense<D: Backend, T: Tape<f32, D>>(
    layers: &[Dense<'_, D>],
    input: Input<D, T>,
) -> Result<Matrix<D, T>> {
    let mut x = input.traced();
    for layer in layers {
        x = affine(x, layer.weight, layer.bias)?;
        x = match layer.activation {
            Activation::Tanh => x.try_tanh(),
            Activation::Relu => x.try_relu(),
            Activation::Identity => Ok(x),
        }
        .map_err(device_error)?;
    }
    Ok(x)
}

/// Ones at (offset + i, i): `x·selector` picks columns.
fn selector<D: Backend>(device: &D, from: usize, count: usize, offset: usize) -> Result<Matrix<D>> {
    let mut ones = vec![0.0; from * count];
    for i in 0..count {
        ones[(offset + i) * count + i] = 1.0;
    }
    matrix(device, ones, from, count)
}

/// Ones at (i, offset + i): `x·placer` puts columns among others of zeros.
fn placer<D: Backend>(device: &D, count: usize, of: usize, offset: usize) -> Result<Matrix<D>> {
    let mut ones = vec![0.0; count * of];
    for i in 0..count {
        ones[i * of + offset + i] = 1.0;
    }
    matrix(device, ones, count, of)
}

/// The rows of these indices.
fn rows_at<D: Backend, T: Tape<f32, D>>(
    x: Matrix<D, T>,
    indices: Vec<usize>,
) -> Result<Matrix<D, T>> {
    let count = indices.len();
    let indices: Tensor<(usize,), usize, D> = x
        .device()
        .try_tensor_from_vec(indices, (count,))
        .map_err(device_error)?;
    x.try_gather(indices).map_err(device_error)
}

/// `[n, width]` as the rows of step t, `[steps·n, width]` with zeros elsewhere.
fn at_step<D: Backend, T: Tape<f32, D>>(
    x: Matrix<D, T>,
    t: usize,
    rows: usize,
) -> Result<Matrix<D, T>> {
    let n = x.shape().0;
    let device = x.device().clone();
    let all = rows_at(x, (0..rows).map(|row| row % n).collect())?;
    let keep = (0..rows).map(|row| f32::from(u8::from(row / n == t)));
    let keep = vector(&device, keep.collect())?
        .try_broadcast_like::<_, Axis<1>>(all.shape())
        .map_err(device_error)?;
    all.try_mul(keep).map_err(device_error)
}

/// See [`Backend::beside`].
pub(crate) fn beside<D: Backend, T: Tape<f32, D> + Merge<T>>(
    left: Matrix<D, T>,
    right: Matrix<D, T>,
) -> Result<Matrix<D, T>> {
    let (a, b) = (left.shape().1, right.shape().1);
    let device = left.device().clone();
    let place = |x: Matrix<D, T>, width, offset| {
        let placer = placer(&device, width, a + b, offset)?;
        x.try_matmul(placer).map_err(device_error)
    };
    let (left, right) = (place(left, a, 0)?, place(right, b, a)?);
    left.try_add(right).map_err(device_error)
}

/// See [`Backend::gru`].
pub(crate) fn gru<D: Backend, T: Tape<f32, D> + Merge<T>>(
    weights: &GruWeights<'_, D>,
    input: Input<D, T>,
    hidden: Input<D, T>,
    first: Option<&[u8]>,
) -> Result<Matrix<D, T>> {
    let device = weights.input_weight.device().clone();
    let (rows, (n, width)) = (input.shape().0, hidden.shape());
    let product = affine(input.traced(), weights.input_weight, weights.input_bias)?;
    let gates: Vec<Matrix<D>> = (0..3)
        .map(|k| selector(&device, 3 * width, width, k * width))
        .collect::<Result<_>>()?;
    let gate = |x: &Matrix<D, T>, k: usize| {
        x.with_empty_tape()
            .try_matmul(gates[k].clone())
            .map_err(device_error)
    };
    let (product, mut tape) = product.split_tape();

    let mut hidden = hidden.traced();
    let mut outputs: Option<Matrix<D, T>> = None;
    for t in 0..rows / n {
        if let Some(first) = first {
            let keep = first[t * n..(t + 1) * n]
                .iter()
                .flat_map(|&flag| vec![f32::from(flag == 0); width])
                .collect();
            hidden = hidden
                .try_mul(matrix(&device, keep, n, width)?)
                .map_err(device_error)?;
        }
        let product = product.clone().put_tape(std::mem::take(&mut tape));
        let i = rows_at(product, (t * n..(t + 1) * n).collect())?;
        let g = affine(
            hidden.with_empty_tape(),
            weights.hidden_weight,
            weights.hidden_bias,
        )?;

        let (i, i_tape) = i.split_tape();
        let (g, g_tape) = g.split_tape();
        let (h, h_tape) = hidden.split_tape();
        let (i, g) = (i.retaped::<T>(), g.retaped::<T>());
        let sum = |k: usize| gate(&i, k)?.try_add(gate(&g, k)?).map_err(device_error);
        let r = sum(0)?.try_sigmoid().map_err(device_error)?;
        let z = sum(1)?.try_sigmoid().map_err(device_error)?;
        let reset = r.try_mul(gate(&g, 2)?).map_err(device_error)?;
        let candidate = gate(&i, 2)?
            .try_add(reset)
            .and_then(|sum| sum.try_tanh())
            .map_err(device_error)?;
        // h' = n + z·(h - n)
        let (candidate, candidate_tape) = candidate.split_tape();
        let change = h
            .retaped::<T>()
            .try_sub(candidate.retaped::<T>())
            .map_err(device_error)?;
        let change = z.try_mul(change).map_err(device_error)?;
        let next = change
            .try_add(candidate.put_tape(candidate_tape))
            .map_err(device_error)?;

        let (next, next_tape) = next.split_tape();
        let all = next_tape.merge(i_tape).merge(g_tape).merge(h_tape);
        hidden = next.retaped::<T>();
        let placed = at_step(next.put_tape(all), t, rows)?;
        outputs = Some(match outputs {
            None => placed,
            Some(outputs) => outputs.try_add(placed).map_err(device_error)?,
        });
    }
    Ok(outputs.expect("a sequence has at least one step"))
}

/// See [`Backend::repeated`].
pub(crate) fn repeated<D: Backend, T: Tape<f32, D> + Merge<T>>(
    x: Vector<D, T>,
    rows: usize,
) -> Result<Matrix<D, T>> {
    let width = x.shape().0;
    let ones = matrix(x.device(), vec![1.0; rows], rows, 1)?.put_tape(T::default());
    let row = x.try_reshape_like(&(1, width)).map_err(device_error)?;
    ones.try_matmul(row).map_err(device_error)
}

/// x·gradient summed over each row, plus what makes it `values`.
pub(crate) fn rows_with_gradient<D: Backend, T: Tape<f32, D>>(
    x: Matrix<D, T>,
    values: Vec<f32>,
    gradient: Vec<f32>,
) -> Result<Vector<D, T>> {
    let (rows, columns) = *x.shape();
    let device = x.device().clone();
    let slope = matrix(&device, gradient, rows, columns)?;
    let linear: Vector<D, T> = x
        .try_mul(slope)
        .and_then(|product| product.try_sum::<_, Axis<1>>())
        .map_err(device_error)?;
    let rest = values
        .iter()
        .zip(linear.as_vec())
        .map(|(value, linear)| value - linear)
        .collect();
    linear.try_add(vector(&device, rest)?).map_err(device_error)
}

/// x·gradient, plus what makes it `values`.
pub(crate) fn pointwise_with_gradient<D: Backend, T: Tape<f32, D>>(
    x: Matrix<D, T>,
    values: Vec<f32>,
    gradient: Vec<f32>,
) -> Result<Matrix<D, T>> {
    let (rows, columns) = *x.shape();
    let device = x.device().clone();
    let linear = x
        .try_mul(matrix(&device, gradient, rows, columns)?)
        .map_err(device_error)?;
    let rest = values
        .iter()
        .zip(linear.as_vec())
        .map(|(value, linear)| value - linear)
        .collect();
    linear
        .try_add(matrix(&device, rest, rows, columns)?)
        .map_err(device_error)
}

/// Σ x·gradient, plus what makes it `value`.
pub(crate) fn mean_with_gradient<D: Backend, T: Tape<f32, D>>(
    x: Vector<D, T>,
    value: f32,
    gradient: Vec<f32>,
) -> Result<Scalar<D, T>> {
    let slope = vector(x.device(), gradient)?;
    let linear: Scalar<D, T> = x
        .try_mul(slope)
        .and_then(|product| product.try_sum::<(), _>())
        .map_err(device_error)?;
    let rest = value - linear.as_vec()[0];
    linear.try_add(rest).map_err(device_error)
}

/// See [`Backend::read_gradient`].
pub(crate) fn read_gradient<D: Backend>(
    gradients: &mut Gradients<f32, D>,
    parameter: &Parameter<D>,
    into: &mut [f32],
) -> Result<()> {
    gradients
        .try_alloc_for(&parameter.values)
        .map_err(device_error)?;
    gradients.get(&parameter.values).copy_into(into);
    Ok(())
}

/// dfdx has no setter for a gradient on any device: the backward pass of Σ p·c adds c to p's.
pub(crate) fn write_gradient<D: Backend>(
    gradients: &mut Gradients<f32, D>,
    parameter: &Parameter<D>,
    values: &[f32],
) -> Result<()> {
    let mut now = vec![0.0; values.len()];
    read_gradient(gradients, parameter, &mut now)?;
    let difference = values
        .iter()
        .zip(&now)
        .map(|(wanted, now)| wanted - now)
        .collect();
    let slope = vector(parameter.device(), difference)?;
    let taken = std::mem::replace(gradients, Gradients::leaky());
    let sum: Scalar<D, OwnedTape<f32, D>> = parameter
        .values
        .clone()
        .traced(taken)
        .try_mul(slope)
        .and_then(|product| product.try_sum::<(), _>())
        .map_err(device_error)?;
    *gradients = sum.try_backward().map_err(device_error)?;
    Ok(())
}

/// See [`Backend::gradient_of`].
pub(crate) fn gradient_of<S: Shape, D: Backend>(
    gradients: &mut Gradients<f32, D>,
    tensor: &Tensor<S, f32, D>,
) -> std::result::Result<Vec<f32>, D::Err> {
    gradients.try_alloc_for(tensor)?;
    Ok(gradients.get(tensor).as_vec())
}

/// As [`write_gradient`]: the backward pass of Σ x·c adds c.
pub(crate) fn add_gradient<S: Shape, D: Backend>(
    gradients: &mut Gradients<f32, D>,
    tensor: &Tensor<S, f32, D>,
    values: Vec<f32>,
) -> std::result::Result<(), D::Err> {
    let slope = tensor
        .device()
        .try_tensor_from_vec(values, *tensor.shape())?;
    let taken = std::mem::replace(gradients, Gradients::leaky());
    let product = tensor.clone().traced(taken).try_mul(slope)?;
    let count = product.shape().num_elements();
    let sum: Scalar<D, OwnedTape<f32, D>> =
        product.try_reshape_like(&(count,))?.try_sum::<(), _>()?;
    *gradients = sum.try_backward()?;
    Ok(())
}
