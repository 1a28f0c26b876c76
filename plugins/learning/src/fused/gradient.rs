//! Values with derivatives that were formed in the forward pass.

use dfdx::prelude::*;
use palaestra_plugin_api::Result;

use crate::kernels::{elementwise, scratch};
use crate::networks::Parameter;
use crate::tensor::{Matrix, Scalar, Vector, device_error};

/// See [`tensor::rows_with_gradient`](crate::tensor::rows_with_gradient).
pub(crate) fn rows_with_gradient<T: Tape<f32, Cpu>>(
    x: Matrix<Cpu, T>,
    values: Vec<f32>,
    gradient: Vec<f32>,
) -> Result<Vector<Cpu, T>> {
    let (x, mut tape) = x.try_contiguous().map_err(device_error)?.split_tape();
    let (rows, columns) = *x.shape();
    let y: Vector<Cpu> = x
        .device()
        .try_tensor_from_vec(values, (rows,))
        .map_err(device_error)?;
    let (x_ghost, y_ghost) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let d = std::mem::take(&mut **gradients.get_or_alloc_mut(&y_ghost)?);
        let d_x = gradients.get_or_alloc_mut(&x_ghost)?;
        let rows = d_x
            .chunks_exact_mut(columns)
            .zip(gradient.chunks_exact(columns))
            .zip(&d);
        for ((d_x, gradient), &d) in rows {
            for (d_x, &g) in d_x.iter_mut().zip(gradient) {
                *d_x += d * g;
            }
        }
        scratch::give_all([d, gradient]);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// See [`tensor::pointwise_with_gradient`](crate::tensor::pointwise_with_gradient).
pub(crate) fn pointwise_with_gradient<T: Tape<f32, Cpu>>(
    x: Matrix<Cpu, T>,
    values: Vec<f32>,
    gradient: Vec<f32>,
) -> Result<Matrix<Cpu, T>> {
    let (x, mut tape) = x.try_contiguous().map_err(device_error)?.split_tape();
    let y: Matrix<Cpu> = x
        .device()
        .try_tensor_from_vec(values, *x.shape())
        .map_err(device_error)?;
    let (x_ghost, y_ghost) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let d = std::mem::take(&mut **gradients.get_or_alloc_mut(&y_ghost)?);
        elementwise::add_product(gradients.get_or_alloc_mut(&x_ghost)?, &d, &gradient);
        scratch::give_all([d, gradient]);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// See [`tensor::mean_with_gradient`](crate::tensor::mean_with_gradient).
pub(crate) fn mean_with_gradient<T: Tape<f32, Cpu>>(
    x: Vector<Cpu, T>,
    value: f32,
    gradient: Vec<f32>,
) -> Result<Scalar<Cpu, T>> {
    let (x, mut tape) = x.try_contiguous().map_err(device_error)?.split_tape();
    let y: Scalar<Cpu> = x
        .device()
        .try_tensor_from_vec(vec![value], ())
        .map_err(device_error)?;
    let (x_ghost, y_ghost) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let d = gradients.get_or_alloc_mut(&y_ghost)?[0];
        elementwise::add_scaled(gradients.get_or_alloc_mut(&x_ghost)?, d, &gradient);
        scratch::give(gradient);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// See [`Backend::read_gradient`](crate::device::Backend::read_gradient).
pub(crate) fn read_gradient(
    gradients: &mut Gradients<f32, Cpu>,
    parameter: &Parameter<Cpu>,
    into: &mut [f32],
) -> Result<()> {
    into.copy_from_slice(
        gradients
            .get_or_alloc_mut(&parameter.values)
            .map_err(device_error)?,
    );
    Ok(())
}

/// See [`Backend::write_gradient`](crate::device::Backend::write_gradient).
pub(crate) fn write_gradient(
    gradients: &mut Gradients<f32, Cpu>,
    parameter: &Parameter<Cpu>,
    values: &[f32],
) -> Result<()> {
    gradients
        .get_or_alloc_mut(&parameter.values)
        .map_err(device_error)?
        .copy_from_slice(values);
    Ok(())
}
