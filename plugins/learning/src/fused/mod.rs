//! The CPU's operations, each with its own backward pass, written on dfdx's public interface.
//!
//! A backward closure may take (not copy) the gradient of its own output: every consumer has run by then. What is
//! needed again is copied, since dfdx does not lend out a tensor's numbers.

mod dense;
mod gradient;
mod gru;

pub(crate) use dense::dense;
pub(crate) use gradient::{
    mean_with_gradient, pointwise_with_gradient, read_gradient, rows_with_gradient, write_gradient,
};
pub(crate) use gru::gru;

use dfdx::prelude::*;

use crate::kernels::scratch;
use crate::tensor;

/// The numbers of a tensor in a scratch buffer.
fn contents<S: Shape>(tensor: &Tensor<S, f32, Cpu>) -> Vec<f32> {
    let mut buffer = scratch::take(tensor.shape().num_elements());
    tensor::read(tensor, &mut buffer);
    buffer
}

#[cfg(test)]
mod tests;
