//! One batch behind two doors, the vtable and a plain call: what the cost of the ABI is measured with.

use std::hint::black_box;

use super::{batch::Batch, guarded::Guarded, vtable::Entries};
use crate::{
    abi::MakeOptions,
    batch::BatchEnvironment,
    client::{Key, MakeEnvironment, SlabElement, Slabs, call::call},
    error::Result,
    layout::environment_slabs,
};

/// The very batch that an object of `E` is.
pub struct DirectBatch<E> {
    // Declared first, dropped first: it holds addresses of the slabs.
    batch: Guarded<Batch<E>>,
    slabs: Slabs,
}

impl<E: BatchEnvironment> DirectBatch<E> {
    /// Makes a batch over slabs of its own, and resets it.
    ///
    /// # Errors
    /// What the environment refuses.
    pub fn new(what: &MakeEnvironment, slots: usize) -> Result<Self> {
        let options = MakeOptions {
            size: size_of::<MakeOptions>() as u64,
            run_seed: what.run_seed,
            first_instance: what.first_instance,
            instances: what.instances as u64,
            purpose: what.purpose,
            exchange: std::ptr::null(),
        };
        let mut batch = Batch::<E>::make(&what.config.to_string(), &options)?;
        let slabs = Slabs::new(environment_slabs(&batch.spec), slots, what.instances);
        batch.bind(&slabs.table(&(0..what.instances)))?;
        batch.reset(None, "{}", 0)?;
        Ok(Self {
            batch: Guarded::new(batch),
            slabs,
        })
    }

    /// A step as a host's handle makes it: vtable, panic guard, error sink.
    ///
    /// # Errors
    /// As the step of an object.
    #[inline]
    pub fn step_through_vtable(&mut self, read: u32, write: u32) -> Result<()> {
        let vtable = black_box(Entries::<E>::VTABLE);
        let this = std::ptr::from_mut(&mut self.batch).cast();
        // SAFETY: the functions are those of this batch, which is borrowed and whose slabs live beside it.
        call(|error| unsafe { (vtable.step)(this, read, write, error) })
    }

    /// The same step without the boundary.
    ///
    /// # Errors
    /// As the step of an object.
    #[inline]
    pub fn step(&mut self, read: u32, write: u32) -> Result<()> {
        self.batch.object_mut().step(read, write)
    }

    /// Its slabs.
    pub fn slabs(&self) -> &Slabs {
        &self.slabs
    }

    /// Rows of a slab at a slot, to write.
    pub fn rows_mut<T: SlabElement>(&mut self, key: Key<T>, slot: usize) -> &mut [T] {
        // SAFETY: `&mut self` excludes everybody else; the batch runs only under `&mut self`.
        unsafe { self.slabs.rows_mut(key, slot, &(0..self.slabs.instances())) }
    }
}
