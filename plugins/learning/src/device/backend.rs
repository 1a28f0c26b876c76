//! What a device must offer.

use dfdx::prelude::{Device as TensorDevice, *};
use palaestra_plugin_api::Result;

use crate::networks::{Dense, GruWeights, Input, Parameter};
use crate::tensor::{Matrix, Scalar, Vector, device_error};
use crate::{composite, fused};

/// What the kit needs of a device; the default methods suit every device that dfdx has.
pub trait Backend: TensorDevice<f32> + 'static {
    /// Linear layers with activations, one after the other: x·W + b, then the activation.
    fn dense<T: Tape<f32, Self>>(
        layers: &[Dense<'_, Self>],
        input: Input<Self, T>,
    ) -> Result<Matrix<Self, T>> {
        composite::dense(layers, input)
    }

    /// A GRU over `steps` steps: `[steps·n, inputs]` and the first hidden state `[n, width]` to `[steps·n, width]`,
    /// all time-major. The state is cleared in front of a step where `first`\[t·n + i\] is not 0.
    fn gru<T: Tape<f32, Self> + Merge<T>>(
        weights: &GruWeights<'_, Self>,
        input: Input<Self, T>,
        hidden: Input<Self, T>,
        first: Option<&[u8]>,
    ) -> Result<Matrix<Self, T>> {
        composite::gru(weights, input, hidden, first)
    }

    /// See [`tensor::beside`](crate::tensor::beside), which checks the sizes.
    fn beside<T: Tape<f32, Self> + Merge<T>>(
        left: Matrix<Self, T>,
        right: Matrix<Self, T>,
    ) -> Result<Matrix<Self, T>> {
        composite::beside(left, right)
    }

    /// See [`tensor::repeated`](crate::tensor::repeated).
    fn repeated<T: Tape<f32, Self> + Merge<T>>(
        x: Vector<Self, T>,
        rows: usize,
    ) -> Result<Matrix<Self, T>> {
        composite::repeated(x, rows)
    }

    /// See [`tensor::rows_with_gradient`](crate::tensor::rows_with_gradient), which checks the sizes.
    fn rows_with_gradient<T: Tape<f32, Self>>(
        x: Matrix<Self, T>,
        values: Vec<f32>,
        gradient: Vec<f32>,
    ) -> Result<Vector<Self, T>> {
        composite::rows_with_gradient(x, values, gradient)
    }

    /// See [`tensor::pointwise_with_gradient`](crate::tensor::pointwise_with_gradient), which checks the sizes.
    fn pointwise_with_gradient<T: Tape<f32, Self>>(
        x: Matrix<Self, T>,
        values: Vec<f32>,
        gradient: Vec<f32>,
    ) -> Result<Matrix<Self, T>> {
        composite::pointwise_with_gradient(x, values, gradient)
    }

    /// See [`tensor::mean_with_gradient`](crate::tensor::mean_with_gradient), which checks the sizes.
    fn mean_with_gradient<T: Tape<f32, Self>>(
        x: Vector<Self, T>,
        value: f32,
        gradient: Vec<f32>,
    ) -> Result<Scalar<Self, T>> {
        composite::mean_with_gradient(x, value, gradient)
    }

    /// The gradient of a parameter into `into` (zeros when nothing flowed).
    fn read_gradient(
        gradients: &mut Gradients<f32, Self>,
        parameter: &Parameter<Self>,
        into: &mut [f32],
    ) -> Result<()> {
        composite::read_gradient(gradients, parameter, into)
    }

    /// Replaces the gradient of a parameter.
    fn write_gradient(
        gradients: &mut Gradients<f32, Self>,
        parameter: &Parameter<Self>,
        values: &[f32],
    ) -> Result<()> {
        composite::write_gradient(gradients, parameter, values)
    }

    /// The gradient of a contiguous tensor, for the backward passes of operations that leave the device.
    fn gradient_of<S: Shape>(
        gradients: &mut Gradients<f32, Self>,
        tensor: &Tensor<S, f32, Self>,
    ) -> std::result::Result<Vec<f32>, Self::Err> {
        composite::gradient_of(gradients, tensor)
    }

    /// Adds to the gradient of a contiguous tensor.
    fn add_gradient<S: Shape>(
        gradients: &mut Gradients<f32, Self>,
        tensor: &Tensor<S, f32, Self>,
        values: Vec<f32>,
    ) -> std::result::Result<(), Self::Err> {
        composite::add_gradient(gradients, tensor, values)
    }
}

impl Backend for Cpu {
    fn dense<T: Tape<f32, Self>>(
        layers: &[Dense<'_, Self>],
        input: Input<Self, T>,
    ) -> Result<Matrix<Self, T>> {
        fused::dense(layers, input)
    }

    fn gru<T: Tape<f32, Self> + Merge<T>>(
        weights: &GruWeights<'_, Self>,
        input: Input<Self, T>,
        hidden: Input<Self, T>,
        first: Option<&[u8]>,
    ) -> Result<Matrix<Self, T>> {
        fused::gru(weights, input, hidden, first)
    }

    fn beside<T: Tape<f32, Self> + Merge<T>>(
        left: Matrix<Self, T>,
        right: Matrix<Self, T>,
    ) -> Result<Matrix<Self, T>> {
        (left, right)
            .try_concat_along(Axis::<1>)
            .map_err(|error| device_error(format!("{error:?}")))
    }

    fn repeated<T: Tape<f32, Self> + Merge<T>>(
        x: Vector<Self, T>,
        rows: usize,
    ) -> Result<Matrix<Self, T>> {
        let shape = (rows, x.shape().0);
        x.try_broadcast_like::<_, Axis<0>>(&shape)
            .and_then(|wide| wide.try_contiguous())
            .map_err(device_error)
    }

    fn rows_with_gradient<T: Tape<f32, Self>>(
        x: Matrix<Self, T>,
        values: Vec<f32>,
        gradient: Vec<f32>,
    ) -> Result<Vector<Self, T>> {
        fused::rows_with_gradient(x, values, gradient)
    }

    fn pointwise_with_gradient<T: Tape<f32, Self>>(
        x: Matrix<Self, T>,
        values: Vec<f32>,
        gradient: Vec<f32>,
    ) -> Result<Matrix<Self, T>> {
        fused::pointwise_with_gradient(x, values, gradient)
    }

    fn mean_with_gradient<T: Tape<f32, Self>>(
        x: Vector<Self, T>,
        value: f32,
        gradient: Vec<f32>,
    ) -> Result<Scalar<Self, T>> {
        fused::mean_with_gradient(x, value, gradient)
    }

    fn read_gradient(
        gradients: &mut Gradients<f32, Self>,
        parameter: &Parameter<Self>,
        into: &mut [f32],
    ) -> Result<()> {
        fused::read_gradient(gradients, parameter, into)
    }

    fn write_gradient(
        gradients: &mut Gradients<f32, Self>,
        parameter: &Parameter<Self>,
        values: &[f32],
    ) -> Result<()> {
        fused::write_gradient(gradients, parameter, values)
    }

    fn gradient_of<S: Shape>(
        gradients: &mut Gradients<f32, Self>,
        tensor: &Tensor<S, f32, Self>,
    ) -> std::result::Result<Vec<f32>, Self::Err> {
        Ok(gradients.get_or_alloc_mut(tensor)?.to_vec())
    }

    fn add_gradient<S: Shape>(
        gradients: &mut Gradients<f32, Self>,
        tensor: &Tensor<S, f32, Self>,
        values: Vec<f32>,
    ) -> std::result::Result<(), Self::Err> {
        crate::kernels::elementwise::add(gradients.get_or_alloc_mut(tensor)?, &values);
        Ok(())
    }
}

/// Operations of dfdx's own, on kernels that were compiled when this library was built.
#[cfg(feature = "cuda")]
impl Backend for Cuda {}
