//! A mechanism's learned parameters as a network's.

use palaestra_plugin_api::{Result, coordination::MechanismDescription, rng::EnvRng};

use crate::device::Backend;
use crate::networks::{Module, Parameter, Path};

/// A mechanism's learned parameters, by its own names.
#[derive(Debug)]
pub struct ChannelParameters<D: Backend> {
    pub(super) parts: Vec<(String, Parameter<D>)>,
}

impl<D: Backend> ChannelParameters<D> {
    /// With the initial values that the mechanism asks for.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn new(device: &D, mechanism: &MechanismDescription, rng: &mut EnvRng) -> Result<Self> {
        let all = mechanism.initial_parameters(rng);
        let mut start = 0;
        let mut parts = Vec::with_capacity(mechanism.parameters.len());
        for declared in &mechanism.parameters {
            let end = start + declared.len();
            // One or two axes here; the numbers and their order stay.
            let shape = match declared.shape.as_slice() {
                [] => vec![1],
                [one] => vec![*one],
                [first, rest @ ..] => vec![*first, rest.iter().product()],
            };
            let parameter = Parameter::new(device, &shape, all[start..end].to_vec())?;
            parts.push((declared.name.clone(), parameter));
            start = end;
        }
        Ok(Self { parts })
    }
}

impl<D: Backend> Module<D> for ChannelParameters<D> {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>)) {
        for (name, parameter) in &self.parts {
            visitor(&at.part(name), parameter);
        }
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>)) {
        for (_, parameter) in &mut self.parts {
            visitor(parameter);
        }
    }
}
