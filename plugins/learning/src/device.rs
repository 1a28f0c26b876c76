//! The device that learning runs on, chosen at run time.
//!
//! Algorithms are generic over [`Backend`] and are built for the one that [`DeviceName::open`] returns. A device
//! that dfdx supports becomes a backend with an empty `impl`: the default methods are made of dfdx's own operations.
//! [`Cpu`] overrides them with fused operations. Rollouts always infer on the CPU (see
//! [`frozen`](crate::networks::frozen)).

use std::fmt;
use std::str::FromStr;

use dfdx::prelude::{Device as TensorDevice, *};
use palaestra_plugin_api::{Error, Result};

use crate::networks::{Dense, GruWeights, Input, Parameter};
use crate::tensor::{Matrix, Scalar, Vector};
use crate::{composite, fused};

/// A device's name in a configuration: `cpu`, `cuda:0`, `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DeviceName {
    /// The CPU.
    #[default]
    Cpu,
    /// The CUDA device of this index.
    Cuda(usize),
    /// The first CUDA device if there is one, else the CPU.
    Auto,
}

impl FromStr for DeviceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "cpu" => Ok(Self::Cpu),
            "auto" => Ok(Self::Auto),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| {
                    Error::config(format!(
                        "device: expected cpu, cuda:N or auto, found {text:?}"
                    ))
                }),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// A device that is open. One variant for each backend that this build has.
#[derive(Clone, Debug)]
pub enum Device {
    /// The CPU.
    Cpu(Cpu),
}

impl DeviceName {
    /// Opens the device.
    ///
    /// # Errors
    /// When a CUDA device is asked for and there is none: never a silent fallback.
    pub fn open(self) -> Result<Device> {
        match self {
            Self::Cpu | Self::Auto => {
                // dfdx's own products would start a thread pool of their own; work is shared out by the host.
                gemm_common::gemm::set_threading_threshold(usize::MAX);
                Ok(Device::Cpu(Cpu::default()))
            }
            Self::Cuda(_) => Err(Error::config(format!(
                "device: expected {self}, found a build of this plugin without CUDA; use device = \"cpu\" or \"auto\""
            ))),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_a_missing_gpu_is_said() {
        for (text, name) in [
            ("cpu", DeviceName::Cpu),
            ("cuda:1", DeviceName::Cuda(1)),
            ("auto", DeviceName::Auto),
        ] {
            assert_eq!(text.parse(), Ok(name));
            assert_eq!(name.to_string(), text);
        }
        let refused = "gpu".parse::<DeviceName>().unwrap_err();
        assert_eq!(
            refused.message,
            "device: expected cpu, cuda:N or auto, found \"gpu\""
        );
        assert!(
            DeviceName::Cuda(0)
                .open()
                .unwrap_err()
                .message
                .contains("without CUDA")
        );
        assert!(matches!(DeviceName::Auto.open(), Ok(Device::Cpu(_))));
    }
}
