//! Tensors with run-time shapes, and the operations that carry hand-written gradients onto the tape.
//!
//! dfdx's types under short names, so that algorithm code names dfdx rarely. Three operations
//! ([`rows_with_gradient`], [`pointwise_with_gradient`], [`mean_with_gradient`]) turn any pure function that returns
//! values and derivatives into a node of the tape, on every device.

use std::fmt::Display;

use dfdx::prelude::*;
use palaestra_plugin_api::{Error, ErrorKind, Result};

use crate::device::Backend;

pub use dfdx::prelude::{Cpu, Gradients, Merge, NoneTape, OwnedTape, PutTape, SplitTape, Tape};

/// `[n]`, f32.
pub type Vector<D, T = NoneTape> = Tensor<(usize,), f32, D, T>;
/// `[rows, columns]`, f32.
pub type Matrix<D, T = NoneTape> = Tensor<(usize, usize), f32, D, T>;
/// One number, f32.
pub type Scalar<D, T = NoneTape> = Tensor<(), f32, D, T>;
/// The tape that training records on. A fresh one is `GradientTape::<D>::default()`.
pub type GradientTape<D> = OwnedTape<f32, D>;

/// The device's own error (out of memory) as the kit's.
pub(crate) fn device_error(error: impl Display) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("device: expected room for a tensor, found {error}"),
    )
}

/// A row-major matrix on the device.
///
/// # Errors
/// When `values` does not have `rows · columns` elements, or the device is out of memory.
pub fn matrix<D: Backend>(
    device: &D,
    values: Vec<f32>,
    rows: usize,
    columns: usize,
) -> Result<Matrix<D>> {
    if values.len() != rows * columns {
        return Err(Error::plugin(format!(
            "matrix [{rows}, {columns}]: expected {} values, found {}",
            rows * columns,
            values.len()
        )));
    }
    device
        .try_tensor_from_vec(values, (rows, columns))
        .map_err(device_error)
}

/// A vector on the device.
///
/// # Errors
/// When the device is out of memory.
pub fn vector<D: Backend>(device: &D, values: Vec<f32>) -> Result<Vector<D>> {
    let len = values.len();
    device
        .try_tensor_from_vec(values, (len,))
        .map_err(device_error)
}

/// The values of a contiguous tensor, row-major.
pub(crate) fn read<S: Shape, D: Backend, T>(tensor: &Tensor<S, f32, D, T>, into: &mut [f32]) {
    tensor.copy_into(into);
}

/// The values of a vector or matrix on the host, row-major.
pub fn values<S: Shape, D: Backend, T>(tensor: &Tensor<S, f32, D, T>) -> Vec<f32> {
    tensor.as_vec()
}

/// A matrix `[n, 1]` as a vector `[n]`: what a value head gives.
///
/// # Errors
/// When the matrix does not have exactly one column.
pub fn column<D: Backend, T: Tape<f32, D>>(matrix: Matrix<D, T>) -> Result<Vector<D, T>> {
    let (rows, columns) = *matrix.shape();
    if columns != 1 {
        return Err(Error::plugin(format!(
            "column of a matrix: expected width 1, found {columns}"
        )));
    }
    matrix.try_reshape_like(&(rows,)).map_err(device_error)
}

/// The same matrix twice: the first carries the tape, the second starts an empty one. The gradients of both meet
/// in the one tensor.
pub fn fork<D: Backend, T: Tape<f32, D>>(matrix: Matrix<D, T>) -> (Matrix<D, T>, Matrix<D, T>) {
    let (matrix, tape) = matrix.split_tape();
    let second = matrix.retaped::<T>();
    (matrix.put_tape(tape), second)
}

/// Columns of two matrices side by side: `[rows, a]` and `[rows, b]` to `[rows, a + b]`.
///
/// # Errors
/// When the rows differ, or the device is out of memory.
pub fn beside<D: Backend, T: Tape<f32, D> + Merge<T>>(
    left: Matrix<D, T>,
    right: Matrix<D, T>,
) -> Result<Matrix<D, T>> {
    let (a, b) = (left.shape().0, right.shape().0);
    if a != b {
        return Err(Error::plugin(format!(
            "beside: expected matrices of as many rows, found {a} and {b}"
        )));
    }
    D::beside(left, right)
}

/// A vector `[width]` as each of so many rows, `[rows, width]`.
///
/// # Errors
/// When the device is out of memory.
pub fn repeated<D: Backend, T: Tape<f32, D> + Merge<T>>(
    x: Vector<D, T>,
    rows: usize,
) -> Result<Matrix<D, T>> {
    D::repeated(x, rows)
}

/// y\[i\] = `values`\[i\] as a function of row i of x, with ∂y\[i\]/∂x\[i, j\] = `gradient`\[i·width + j\].
///
/// # Errors
/// When the sizes do not match x's, or the device is out of memory.
pub fn rows_with_gradient<D: Backend, T: Tape<f32, D>>(
    x: Matrix<D, T>,
    values: Vec<f32>,
    gradient: Vec<f32>,
) -> Result<Vector<D, T>> {
    let (rows, columns) = *x.shape();
    expect_sizes(
        "row function",
        (rows, values.len()),
        (rows * columns, gradient.len()),
    )?;
    D::rows_with_gradient(x, values, gradient)
}

/// y\[i, j\] = `values`\[i, j\] as a function of x\[i, j\] alone, with its derivative there.
///
/// # Errors
/// As [`rows_with_gradient`].
pub fn pointwise_with_gradient<D: Backend, T: Tape<f32, D>>(
    x: Matrix<D, T>,
    values: Vec<f32>,
    gradient: Vec<f32>,
) -> Result<Matrix<D, T>> {
    let (rows, columns) = *x.shape();
    expect_sizes(
        "pointwise function",
        (rows * columns, values.len()),
        (rows * columns, gradient.len()),
    )?;
    D::pointwise_with_gradient(x, values, gradient)
}

/// A scalar function of a vector, with ∂value/∂x\[i\] = `gradient`\[i\].
///
/// # Errors
/// As [`rows_with_gradient`].
pub fn mean_with_gradient<D: Backend, T: Tape<f32, D>>(
    x: Vector<D, T>,
    value: f32,
    gradient: Vec<f32>,
) -> Result<Scalar<D, T>> {
    let (len,) = *x.shape();
    expect_sizes("scalar function", (1, 1), (len, gradient.len()))?;
    D::mean_with_gradient(x, value, gradient)
}

/// Σ weight·loss: several losses as one, on one tape.
///
/// # Errors
/// When there is none, or the device is out of memory.
pub fn combine<D: Backend, T: Tape<f32, D> + Merge<T>>(
    losses: impl IntoIterator<Item = (f32, Scalar<D, T>)>,
) -> Result<Scalar<D, T>> {
    let mut total: Option<Scalar<D, T>> = None;
    for (weight, loss) in losses {
        let part = loss.try_mul(weight).map_err(device_error)?;
        total = Some(match total {
            None => part,
            Some(total) => total.try_add(part).map_err(device_error)?,
        });
    }
    total.ok_or_else(|| Error::plugin("combine: expected ≥ 1 losses, found none"))
}

/// A loss's value, and its gradients for the optimiser.
///
/// # Errors
/// When the device is out of memory.
pub fn backward<D: Backend>(loss: Scalar<D, GradientTape<D>>) -> Result<(f32, Gradients<f32, D>)> {
    let mut value = [0.0];
    read(&loss, &mut value);
    Ok((value[0], loss.try_backward().map_err(device_error)?))
}

fn expect_sizes(what: &str, values: (usize, usize), gradient: (usize, usize)) -> Result<()> {
    if values.0 == values.1 && gradient.0 == gradient.1 {
        return Ok(());
    }
    Err(Error::plugin(format!(
        "{what}: expected {} values and {} derivatives, found {} and {}",
        values.0, gradient.0, values.1, gradient.1
    )))
}
