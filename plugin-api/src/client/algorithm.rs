//! A handle on one algorithm object.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    sync::{Arc, MutexGuard},
};

use serde_json::{Map, Value, json};

use super::{
    Context, CoordinationHandle, Lend, Lending, TablePlan,
    call::{call, json as json_call},
    coordination::Owner,
    stream::{read_from, write_to},
};
use crate::{
    abi::{
        ACT_GREEDY, AlgorithmFactory, AlgorithmObject, AlgorithmVtable, CoordinationObject,
        MakeOptions, Sink, SlabTable, Status, Text,
    },
    algorithm::{AlgorithmCapabilities, AlgorithmRequest, Collect, Metrics},
    error::{Error, Result},
    host::Host,
    sdk::AlgorithmEntry,
};

/// What to make: which algorithm, for which composition, and with which seeds.
#[derive(Clone, Debug)]
pub struct MakeAlgorithm {
    /// Id, configuration, role and composition; `exchange` is taken from the mechanism.
    pub request: AlgorithmRequest,
    /// Seed of the run.
    pub run_seed: u64,
    /// Global index of the first instance.
    pub first_instance: u64,
    /// Rows (instances) of one inference batch.
    pub instances: usize,
    /// Separates random streams; see [`crate::rng`].
    pub purpose: u64,
}

impl MakeAlgorithm {
    /// One instance and seed 0.
    pub fn new(request: AlgorithmRequest) -> Self {
        Self {
            request,
            run_seed: 0,
            first_instance: 0,
            instances: 1,
            purpose: 0,
        }
    }

    /// The request and options, with the mechanism that policies exchange messages through.
    fn composed(&self, mechanism: Option<&CoordinationHandle>) -> (AlgorithmRequest, MakeOptions) {
        let mut request = self.request.clone();
        request.exchange = mechanism.map(|m| m.description().clone());
        let raw = |m: &CoordinationHandle| -> *const CoordinationObject { m.owner().raw() };
        let options = MakeOptions {
            size: size_of::<MakeOptions>() as u64,
            run_seed: self.run_seed,
            first_instance: self.first_instance,
            instances: self.instances as u64,
            purpose: self.purpose,
            exchange: mechanism.map_or(std::ptr::null(), raw),
        };
        (request, options)
    }
}

/// One algorithm object. Moves between threads, is never shared; dropped with its handle.
pub struct AlgorithmHandle {
    object: AlgorithmObject,
    capabilities: AlgorithmCapabilities,
    bound: Lending,
    /// Outlives the object; its other callers wait while the algorithm runs.
    mechanism: Option<Arc<Owner>>,
    /// The services must outlive the object.
    _context: Context,
}

// SAFETY: the contract lets an object move between threads, one call at a time.
unsafe impl Send for AlgorithmHandle {}

impl AlgorithmHandle {
    /// Makes an object through a factory of a loaded plugin, with the mechanism for its messages, if any.
    ///
    /// # Errors
    /// Whatever the plugin refuses: a configuration, or a composition that does not fit.
    pub fn make(
        factory: &'static AlgorithmFactory,
        context: &Context,
        what: &MakeAlgorithm,
        mechanism: Option<&CoordinationHandle>,
    ) -> Result<Self> {
        let (request, options) = what.composed(mechanism);
        let text = json!(request).to_string();
        let mut object = AlgorithmObject {
            this: std::ptr::null_mut(),
            vtable: std::ptr::null(),
        };
        let raw = context.raw();
        let alone = mechanism.map(|m| m.owner().link().lock());
        // SAFETY: the factory is static, all arguments live through the call, and `adopt` keeps the mechanism.
        call(|error| unsafe {
            (factory.make)(Text::new(&text), &raw, &options, &mut object, error)
        })?;
        drop(alone);
        Self::adopt(object, context, &request, mechanism)
    }

    /// Makes an object of an algorithm that is compiled into this program, through the same vtable.
    ///
    /// # Errors
    /// As for [`AlgorithmHandle::make`].
    pub fn in_process(
        entry: &AlgorithmEntry,
        what: &MakeAlgorithm,
        mechanism: Option<&CoordinationHandle>,
    ) -> Result<Self> {
        Self::in_process_with(entry, &Context::default(), what, mechanism)
    }

    /// As [`AlgorithmHandle::in_process`], with services of the caller's: collectives, threads.
    ///
    /// # Errors
    /// As for [`AlgorithmHandle::make`].
    pub fn in_process_with(
        entry: &AlgorithmEntry,
        context: &Context,
        what: &MakeAlgorithm,
        mechanism: Option<&CoordinationHandle>,
    ) -> Result<Self> {
        let (request, options) = what.composed(mechanism);
        let alone = mechanism.map(|m| m.owner().link().lock());
        // SAFETY: `adopt` keeps the mechanism as long as the object.
        let object = unsafe { (entry.make)(&request, Host::new(context.raw()), &options)? };
        drop(alone);
        Self::adopt(object, context, &request, mechanism)
    }

    fn adopt(
        object: AlgorithmObject,
        context: &Context,
        request: &AlgorithmRequest,
        mechanism: Option<&CoordinationHandle>,
    ) -> Result<Self> {
        if object.this.is_null() || object.vtable.is_null() {
            let message = "make: expected an object, found a null pointer";
            return Err(Error::plugin(message));
        }
        // SAFETY: checked above; vtables are static.
        let size = unsafe { (*object.vtable).size };
        let expected = size_of::<AlgorithmVtable>() as u64;
        if size < expected {
            // Without the full table even `destroy` is not known to exist: leak the object.
            let message = format!("vtable: expected at least {expected} bytes, found {size}");
            return Err(Error::plugin(message));
        }
        let mut handle = Self {
            object,
            capabilities: AlgorithmCapabilities::default(),
            bound: Lending::default(),
            mechanism: mechanism.map(|m| m.owner().clone()),
            _context: context.clone(),
        };
        handle.capabilities = handle.on(|table, this| {
            // SAFETY: nothing but sinks is passed.
            json_call("capabilities", |out, error| unsafe {
                (table.capabilities)(this, out, error)
            })
        })?;
        handle.capabilities.check(request)?;
        Ok(handle)
    }

    fn alone(&self) -> Option<MutexGuard<'_, Option<CoordinationObject>>> {
        self.mechanism.as_ref().map(|m| m.link().lock())
    }

    /// Runs one call on the object, which may call its mechanism.
    fn on<R>(&self, body: impl FnOnce(&AlgorithmVtable, *mut crate::abi::Opaque) -> R) -> R {
        let _alone = self.alone();
        // SAFETY: `adopt` has checked the pointer, and vtables are static.
        body(unsafe { &*self.object.vtable }, self.object.this)
    }

    fn call(
        &mut self,
        body: impl FnOnce(&AlgorithmVtable, *mut crate::abi::Opaque, *const Sink) -> Status,
    ) -> Result<()> {
        self.on(|table, this| call(|error| body(table, this, error)))
    }

    /// What the algorithm can do in this composition.
    pub fn capabilities(&self) -> &AlgorithmCapabilities {
        &self.capabilities
    }

    /// Binds the slabs that `act` reads and writes; their owners are lent to each call.
    pub fn bind(&mut self, plan: &TablePlan) -> Result<()> {
        let slabs = plan.slabs();
        let table = table(&slabs);
        // SAFETY: the table lives through the call, its memory as long as `bound`.
        self.call(|t, this, error| unsafe { (t.bind)(this, &table, error) })?;
        self.bound = plan.lending();
        Ok(())
    }

    /// Forgets the bound slabs.
    pub fn unbind(&mut self) {
        // SAFETY: the handle is exclusive; this holds for every block below.
        self.on(|t, this| unsafe { (t.unbind)(this) });
        self.bound = Lending::default();
    }

    /// What to collect next.
    pub fn what_next(&mut self) -> Result<Collect> {
        self.on(|t, this| {
            // SAFETY: nothing but sinks is passed.
            json_call("collect", |out, error| unsafe {
                (t.next)(this, out, error)
            })
        })
    }

    /// Acts at a slot, exploring or greedy.
    pub fn act(&mut self, lent: &mut [&mut dyn Lend], slot: usize, greedy: bool) -> Result<()> {
        self.bound.check("act", lent)?;
        let flags = if greedy { ACT_GREEDY } else { 0 };
        // SAFETY: everything that is bound has been lent.
        self.call(|t, this, error| unsafe { (t.act)(this, slot as u32, flags, error) })
    }

    /// Learns from a fragment; numbers that JSON has not (infinity) arrive as NaN.
    pub fn learn(&mut self, fragment: &TablePlan, lent: &[&dyn Lend]) -> Result<Metrics> {
        fragment.lending().check_shared("learn", lent)?;
        let slabs = fragment.slabs();
        let table = table(&slabs);
        let metrics: BTreeMap<String, Option<f64>> = self.on(|t, this| {
            // SAFETY: everything that the fragment shows has been lent, and is read only.
            json_call("metrics", |out, error| unsafe {
                (t.learn)(this, &table, out, error)
            })
        })?;
        let known = |(name, value): (String, Option<f64>)| (name, value.unwrap_or(f64::NAN));
        Ok(metrics.into_iter().map(known).collect())
    }

    /// Changes tunable fields in place.
    pub fn configure(&mut self, changes: &Map<String, Value>) -> Result<()> {
        let text = json!(changes).to_string();
        // SAFETY: the text lives through the call.
        self.call(|t, this, error| unsafe { (t.configure)(this, Text::new(&text), error) })
    }

    /// Writes everything: resuming equals never having stopped.
    pub fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        self.on(|t, this| {
            // SAFETY: the sink lives through the call.
            write_to(out, |sink, error| unsafe {
                (t.snapshot)(this, sink, error)
            })
        })
    }

    /// Makes the algorithm what a snapshot says.
    pub fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        self.on(|t, this| {
            // SAFETY: the source lives through the call.
            read_from(from, |source, error| unsafe {
                (t.restore)(this, source, error)
            })
        })
    }

    /// Writes the named tensors `policy/<group>/…` as safetensors.
    pub fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        // SAFETY: the sink lives through the call.
        self.on(|t, this| write_to(out, |sink, error| unsafe { (t.weights)(this, sink, error) }))
    }

    /// Loads named tensors for some groups; for all when there are none.
    pub fn set_weights(&mut self, from: &mut dyn Read, groups: &[&str]) -> Result<()> {
        let text = json!(groups).to_string();
        self.on(|t, this| {
            // SAFETY: source and text live through the call.
            read_from(from, |source, error| unsafe {
                (t.set_weights)(this, source, Text::new(&text), error)
            })
        })
    }
}

fn table(slabs: &[crate::abi::Slab]) -> SlabTable {
    SlabTable {
        slabs: slabs.as_ptr(),
        len: slabs.len() as u64,
    }
}

impl Drop for AlgorithmHandle {
    fn drop(&mut self) {
        // SAFETY: the handle owns the object, and nothing uses it afterwards.
        self.on(|table, this| unsafe { (table.destroy)(this) });
    }
}
