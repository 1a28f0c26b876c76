//! One named array of trainable numbers.

use dfdx::prelude::*;
use palaestra_plugin_api::{Error, Result};

use crate::device::Backend;
use crate::tensor::{self, Matrix, Vector};

/// An array of one or two dimensions that is trained. Not `Clone`: see [`networks`](super).
#[derive(Debug)]
pub struct Parameter<D: Backend> {
    /// All numbers, row-major.
    pub(crate) values: Vector<D>,
    shape: Vec<usize>,
}

impl<D: Backend> Parameter<D> {
    /// A parameter of the given shape, row-major.
    ///
    /// # Errors
    /// When `values` does not fit the shape, the shape does not have one or two dimensions, or the device is out
    /// of memory.
    pub fn new(device: &D, shape: &[usize], values: Vec<f32>) -> Result<Self> {
        let count: usize = shape.iter().product();
        if !(1..=2).contains(&shape.len()) || count != values.len() {
            return Err(Error::plugin(format!(
                "parameter of shape {shape:?}: expected one or two dimensions and {count} values, found {}",
                values.len()
            )));
        }
        Ok(Self {
            values: tensor::vector(device, values)?,
            shape: shape.to_vec(),
        })
    }

    /// One or two dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many numbers it has.
    pub fn len(&self) -> usize {
        self.values.shape().0
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The device it lives on.
    pub fn device(&self) -> &D {
        self.values.device()
    }

    /// A copy of the numbers, row-major.
    pub fn to_vec(&self) -> Vec<f32> {
        self.values.as_vec()
    }

    /// The numbers into a slice of equal length.
    pub(crate) fn read(&self, into: &mut [f32]) {
        self.values.copy_into(into);
    }

    /// Replaces the numbers; the identity (under which optimisers know it) stays.
    ///
    /// # Errors
    /// When the count differs.
    pub fn set(&mut self, values: &[f32]) -> Result<()> {
        if values.len() != self.len() {
            return Err(Error::plugin(format!(
                "parameter of shape {:?}: expected {} values, found {}",
                self.shape,
                self.len(),
                values.len()
            )));
        }
        self.values.copy_from(values);
        Ok(())
    }

    /// The parameter as a vector on a new tape; its gradient is the parameter's.
    pub fn as_vector<T: Tape<f32, D>>(&self) -> Vector<D, T> {
        self.values.retaped::<T>()
    }

    /// A two-dimensional parameter as a matrix on a new tape (a vector becomes one row); its gradient is the
    /// parameter's.
    pub fn as_matrix<T: Tape<f32, D>>(&self) -> Result<Matrix<D, T>> {
        let columns = self.shape[self.shape.len() - 1];
        let rows = self.len() / columns.max(1);
        self.values
            .retaped::<T>()
            .try_reshape_like(&(rows, columns))
            .map_err(tensor::device_error)
    }
}
