//! What every network offers: its parameters by name.

use std::fmt;

use palaestra_plugin_api::{Error, Result};

use super::Parameter;
use crate::device::Backend;

/// The name of a part: `actor/layers/0/weight`. Written only when it is displayed.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole: its parts' names have nothing in front.
    pub const ROOT: Self = Self {
        parent: None,
        step: Step::Name(""),
    };

    /// The part of this name.
    pub fn part(&'a self, name: &'a str) -> Self {
        Self {
            parent: Some(self),
            step: Step::Name(name),
        }
    }

    /// Item `index` of a list of parts.
    pub fn index(&'a self, index: usize) -> Self {
        Self {
            parent: Some(self),
            step: Step::Index(index),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        if parent.parent.is_some() {
            write!(f, "{parent}/")?;
        }
        match self.step {
            Step::Name(name) => f.write_str(name),
            Step::Index(index) => write!(f, "{index}"),
        }
    }
}

/// A network, or anything made of parameters.
pub trait Module<D: Backend> {
    /// Shows every parameter with its name, in a fixed order.
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<D>));

    /// Shows every parameter, in the order of [`visit`](Self::visit).
    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<D>));

    /// All parameters, in order.
    fn parameters(&self) -> Vec<&Parameter<D>> {
        let mut all = Vec::new();
        self.visit(&Path::ROOT, &mut |_, parameter| all.push(parameter));
        all
    }

    /// All parameters, in order.
    fn parameters_mut(&mut self) -> Vec<&mut Parameter<D>> {
        let mut all = Vec::new();
        self.visit_mut(&mut |parameter| all.push(parameter));
        all
    }

    /// All parameters with their names, in order.
    fn named_parameters(&self) -> Vec<(String, &Parameter<D>)> {
        let mut all = Vec::new();
        self.visit(&Path::ROOT, &mut |path, parameter| {
            all.push((path.to_string(), parameter))
        });
        all
    }

    /// How many numbers there are in all.
    fn size(&self) -> usize {
        self.parameters()
            .iter()
            .map(|parameter| parameter.len())
            .sum()
    }

    /// All numbers, in order.
    fn flat(&self) -> Vec<f32> {
        let mut all = vec![0.0; self.size()];
        let mut rest = all.as_mut_slice();
        for parameter in self.parameters() {
            let (part, after) = rest.split_at_mut(parameter.len());
            parameter.read(part);
            rest = after;
        }
        all
    }

    /// Sets all numbers, in the order of [`flat`](Self::flat).
    ///
    /// # Errors
    /// When the count differs; nothing is changed then.
    fn set_flat(&mut self, values: &[f32]) -> Result<()> {
        let size = self.size();
        if values.len() != size {
            return Err(Error::plugin(format!(
                "network: expected {size} numbers, found {}",
                values.len()
            )));
        }
        let mut rest = values;
        for parameter in self.parameters_mut() {
            let (part, after) = rest.split_at(parameter.len());
            parameter.set(part)?;
            rest = after;
        }
        Ok(())
    }

    /// Copies another network's numbers: a target network, a frozen opponent. Identities stay apart.
    ///
    /// # Errors
    /// When the sizes differ.
    fn copy_from(&mut self, other: &Self) -> Result<()>
    where
        Self: Sized,
    {
        self.set_flat(&other.flat())
    }

    /// θ ← (1 - τ)·θ + τ·θ_online: a target network that follows slowly (Lillicrap et al. 2016).
    ///
    /// # Errors
    /// When the sizes differ.
    fn follow(&mut self, online: &Self, tau: f32) -> Result<()>
    where
        Self: Sized,
    {
        let target = self.flat();
        let mut online = online.flat();
        for (online, target) in online.iter_mut().zip(target) {
            *online = (1.0 - tau) * target + tau * *online;
        }
        self.set_flat(&online)
    }
}
