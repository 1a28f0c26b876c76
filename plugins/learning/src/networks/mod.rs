//! Networks with sizes known at run time.
//!
//! A network is a [`Module`]: it names its parameters, and everything else (optimiser, weights file, copies) works
//! on those names. A network is never cloned: a clone would share the identity under which dfdx keeps gradients, and
//! the gradients of two critics would merge. [`Module::copy_from`] copies values into a network made anew.

mod activation;
pub mod frozen;
mod gru;
pub mod initialise;
mod linear;
mod mlp;
mod module;
mod network;
mod parameter;

pub use activation::Activation;
pub use frozen::{FrozenGru, FrozenMlp};
pub use gru::{Gru, GruWeights};
pub use linear::{Dense, Linear};
pub use mlp::Mlp;
pub use module::{Module, Path};
pub use network::{FrozenNetwork, Network, NetworkShape, Recurrence};
pub use parameter::Parameter;

use crate::device::Backend;
use crate::tensor::{Matrix, NoneTape, PutTape, SplitTape, Tape};

/// What goes into a network.
pub enum Input<D: Backend, T = NoneTape> {
    /// Data, of which no gradient is wanted: the output starts a tape of its own.
    Data(Matrix<D>),
    /// The output of another operation: its tape goes on, and it receives a gradient.
    Traced(Matrix<D, T>),
}

impl<D: Backend, T: Tape<f32, D>> Input<D, T> {
    /// The matrix, its tape, and whether its gradient is wanted.
    pub(crate) fn split(self) -> (Matrix<D>, T, bool) {
        match self {
            Self::Data(matrix) => (matrix, T::default(), false),
            Self::Traced(matrix) => {
                let (matrix, tape) = matrix.split_tape();
                (matrix, tape, true)
            }
        }
    }

    /// The matrix on its tape.
    pub(crate) fn traced(self) -> Matrix<D, T> {
        match self {
            Self::Data(matrix) => matrix.put_tape(T::default()),
            Self::Traced(matrix) => matrix,
        }
    }

    /// `[rows, columns]`.
    pub(crate) fn shape(&self) -> (usize, usize) {
        use dfdx::prelude::HasShape;
        match self {
            Self::Data(matrix) => *matrix.shape(),
            Self::Traced(matrix) => *matrix.shape(),
        }
    }
}
