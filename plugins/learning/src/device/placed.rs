//! An object on the device that a configuration names.

use dfdx::prelude::Cpu;
#[cfg(feature = "cuda")]
use dfdx::prelude::Cuda;
use palaestra_plugin_api::Result;

use super::{Backend, DeviceName, name::Opened};

/// The same object on every device: what an algorithm is generic over.
pub trait Family {
    /// What an object is made from.
    type From<'a>;
    /// The object on a device; must not hand out the device to anything outside of itself.
    type On<D: Backend>;
    /// What all of them are to their owner, such as `dyn Learner`.
    type Face: ?Sized;

    /// Makes the object.
    ///
    /// # Errors
    /// Whatever it meets.
    fn make<D: Backend>(device: D, from: Self::From<'_>) -> Result<Self::On<D>>;

    /// The object as its owner sees it.
    fn face<D: Backend>(object: &Self::On<D>) -> &Self::Face;

    /// The object as its owner sees it.
    fn face_mut<D: Backend>(object: &mut Self::On<D>) -> &mut Self::Face;
}

/// An object of a family on the device it was made for.
pub struct Placed<F: Family>(Place<F>);

enum Place<F: Family> {
    Cpu(Box<F::On<Cpu>>),
    #[cfg(feature = "cuda")]
    Cuda(Box<F::On<Cuda>>),
}

// SAFETY: on the CPU the object is `Send` by itself. On CUDA it is the same but for the device, which dfdx makes not
// `Send` for one field, the handle of a second stream. CUDA's handles may be used from any thread, cudarc makes the
// device's context the thread's before each use, and every clone of the device moves along inside the object.
#[allow(unsafe_code)]
unsafe impl<F: Family> Send for Placed<F> where F::On<Cpu>: Send {}

impl<F: Family> Placed<F> {
    /// Opens the device and makes the object there. `say` is given the line about what `auto` came to.
    ///
    /// # Errors
    /// A device that is not there (never a silent fallback), and whatever making the object meets.
    pub fn new(name: DeviceName, from: F::From<'_>, say: impl FnOnce(&str)) -> Result<Self> {
        let (opened, note) = name.open()?;
        if let Some(note) = note {
            say(&note);
        }
        Ok(Self(match opened {
            Opened::Cpu(device) => Place::Cpu(Box::new(F::make(device, from)?)),
            #[cfg(feature = "cuda")]
            Opened::Cuda(device) => Place::Cuda(Box::new(F::make(device, from)?)),
        }))
    }

    /// The object.
    pub fn get(&self) -> &F::Face {
        match &self.0 {
            Place::Cpu(object) => F::face(object),
            #[cfg(feature = "cuda")]
            Place::Cuda(object) => F::face(object),
        }
    }

    /// The object.
    pub fn get_mut(&mut self) -> &mut F::Face {
        match &mut self.0 {
            Place::Cpu(object) => F::face_mut(object),
            #[cfg(feature = "cuda")]
            Place::Cuda(object) => F::face_mut(object),
        }
    }
}
