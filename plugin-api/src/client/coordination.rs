//! A handle on one mechanism object.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Context, ExchangePort, Lend, Lending, TablePlan,
    call::{call, json as json_call},
    exchange::{Link, vtable},
    stream::{read_from, write_to},
};
use crate::{
    abi::{
        CoordinationFactory, CoordinationObject, CoordinationVtable, MakeOptions, Sink, SlabTable,
        Status, Text,
    },
    coordination::{MechanismDescription, Place},
    error::{Error, Result},
    host::Host,
    sdk::MechanismEntry,
    spec::EnvironmentSpec,
};

/// What to make: which mechanism, how configured, and for which environment.
#[derive(Clone, Debug)]
pub struct MakeMechanism {
    /// Full id.
    pub id: String,
    /// Configuration, a JSON object.
    pub config: Value,
    /// The environment as earlier mechanisms have left it.
    pub spec: EnvironmentSpec,
    /// Seed of the run.
    pub run_seed: u64,
    /// Global index of the first instance.
    pub first_instance: u64,
    /// Instances of the tables of `observe`, `arbitrate` and `share`.
    pub instances: usize,
    /// Separates random streams; see [`crate::rng`].
    pub purpose: u64,
}

impl MakeMechanism {
    /// One instance with defaults and seed 0.
    pub fn new(id: impl Into<String>, spec: EnvironmentSpec) -> Self {
        let config = Value::Object(serde_json::Map::new());
        Self {
            id: id.into(),
            config,
            spec,
            run_seed: 0,
            first_instance: 0,
            instances: 1,
            purpose: 0,
        }
    }

    fn options(&self) -> MakeOptions {
        MakeOptions {
            size: size_of::<MakeOptions>() as u64,
            run_seed: self.run_seed,
            first_instance: self.first_instance,
            instances: self.instances as u64,
            purpose: self.purpose,
            exchange: std::ptr::null(),
        }
    }
}

/// The object itself; its handle, and the algorithm that it was given to, keep it alive.
pub(crate) struct Owner {
    link: Arc<Link>,
    /// At an address of its own: algorithms are given it.
    object: Box<CoordinationObject>,
    /// The services must outlive the object.
    _context: Context,
}

// SAFETY: as for `Link`, through which every call goes.
unsafe impl Send for Owner {}
// SAFETY: as above.
unsafe impl Sync for Owner {}

impl Owner {
    /// Excludes all other calls on the object.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// The object, for an algorithm that this owner outlives.
    pub(crate) fn raw(&self) -> *const CoordinationObject {
        &raw const *self.object
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(object) = self.link.lock().take() {
            // SAFETY: the link is closed, and nobody else can reach the object.
            unsafe { (vtable(&object).destroy)(object.this) }
        }
    }
}

/// One mechanism object. Dropped with its handle and the algorithm that exchanges through it.
///
/// Calls exclude each other and those of that algorithm: one waits for the other.
pub struct CoordinationHandle {
    owner: Arc<Owner>,
    description: Arc<MechanismDescription>,
    bound: Lending,
}

impl CoordinationHandle {
    /// Makes an object through a factory of a loaded plugin.
    pub fn make(
        factory: &'static CoordinationFactory,
        context: &Context,
        what: &MakeMechanism,
    ) -> Result<Self> {
        let request = json!({"id": what.id, "config": what.config, "spec": what.spec}).to_string();
        let mut object = CoordinationObject {
            this: std::ptr::null_mut(),
            vtable: std::ptr::null(),
        };
        let (raw, options) = (context.raw(), what.options());
        // SAFETY: the factory is static, and all arguments live through the call.
        call(|error| unsafe {
            (factory.make)(Text::new(&request), &raw, &options, &mut object, error)
        })?;
        Self::adopt(object, context)
    }

    /// Makes an object of a mechanism that is compiled into this program, through the same vtable.
    pub fn in_process(entry: &MechanismEntry, what: &MakeMechanism) -> Result<Self> {
        let context = Context::default();
        let place = Place {
            spec: what.spec.clone(),
            run_seed: what.run_seed,
            instances: what.instances,
            purpose: what.purpose,
            host: Host::new(context.raw()),
        };
        let object = (entry.make)(&what.config.to_string(), &place)?;
        Self::adopt(object, &context)
    }

    fn adopt(object: CoordinationObject, context: &Context) -> Result<Self> {
        if object.this.is_null() || object.vtable.is_null() {
            let message = "make: expected an object, found a null pointer";
            return Err(Error::plugin(message));
        }
        // SAFETY: checked above; vtables are static.
        let (size, expected) = unsafe {
            let size = (*object.vtable).size;
            (size, size_of::<CoordinationVtable>() as u64)
        };
        if size < expected {
            // Without the full table even `destroy` is not known to exist: leak the object.
            let message = format!("vtable: expected at least {expected} bytes, found {size}");
            return Err(Error::plugin(message));
        }
        let owner = Owner {
            // SAFETY: `Owner` closes the link before it destroys the object.
            link: unsafe { Link::new(Some(object)) },
            object: Box::new(object),
            _context: context.clone(),
        };
        let mut handle = Self {
            owner: Arc::new(owner),
            description: Arc::default(),
            bound: Lending::default(),
        };
        handle.description = Arc::new(handle.describe()?);
        handle.description.validate()?;
        Ok(handle)
    }

    /// Runs one call on the object.
    fn on<R>(&self, body: impl FnOnce(&CoordinationVtable, &CoordinationObject) -> R) -> R {
        let _alone = self.owner.link.lock();
        let object = &*self.owner.object;
        // SAFETY: the handle keeps the object alive.
        body(unsafe { vtable(object) }, object)
    }

    fn call(
        &self,
        body: impl FnOnce(&CoordinationVtable, &CoordinationObject, *const Sink) -> Status,
    ) -> Result<()> {
        self.on(|table, object| call(|error| body(table, object, error)))
    }

    fn describe(&self) -> Result<MechanismDescription> {
        self.on(|table, object| {
            // SAFETY: `on` excludes other calls; this holds for every block below.
            json_call("description", |out, error| unsafe {
                (table.describe)(object.this, out, error)
            })
        })
    }

    /// The description that came with the object.
    pub fn description(&self) -> &MechanismDescription {
        &self.description
    }

    /// The spec with the features and action heads that the mechanism adds.
    pub fn compose(&mut self, spec: &EnvironmentSpec) -> Result<EnvironmentSpec> {
        let text = json!(spec).to_string();
        let composed: EnvironmentSpec = self.on(|table, object| {
            // SAFETY: the text lives through the call.
            json_call("spec", |out, error| unsafe {
                (table.compose)(object.this, Text::new(&text), out, error)
            })
        })?;
        composed.validate()?;
        Ok(composed)
    }

    /// Binds the slabs that `observe`, `arbitrate` and `share` use; their owners are lent to each call.
    pub fn bind(&mut self, plan: &TablePlan) -> Result<()> {
        let slabs = plan.slabs();
        let table = SlabTable {
            slabs: slabs.as_ptr(),
            len: slabs.len() as u64,
        };
        // SAFETY: the table lives through the call, its memory as long as `bound`.
        self.call(|t, object, error| unsafe { (t.bind)(object.this, &table, error) })?;
        self.bound = plan.lending();
        Ok(())
    }

    /// Forgets the bound slabs.
    pub fn unbind(&mut self) {
        // SAFETY: no arguments.
        self.on(|table, object| unsafe { (table.unbind)(object.this) });
        self.bound = Lending::default();
    }

    /// Port `observe`: writes the features of a slot.
    pub fn observe(&mut self, lent: &mut [&mut dyn Lend], slot: usize) -> Result<()> {
        self.bound.check("observe", lent)?;
        // SAFETY: everything that is bound has been lent.
        self.call(|t, object, error| unsafe { (t.observe)(object.this, slot as u32, error) })
    }

    /// Port `arbitrate`: the proposed joint action of a slot to the executed one.
    pub fn arbitrate(&mut self, lent: &mut [&mut dyn Lend], slot: usize) -> Result<()> {
        self.bound.check("arbitrate", lent)?;
        // SAFETY: as for `observe`.
        self.call(|t, object, error| unsafe { (t.arbitrate)(object.this, slot as u32, error) })
    }

    /// Port `share`: the rewards of a slot to learning rewards.
    pub fn share(&mut self, lent: &mut [&mut dyn Lend], slot: usize) -> Result<()> {
        self.bound.check("share", lent)?;
        // SAFETY: as for `observe`.
        self.call(|t, object, error| unsafe { (t.share)(object.this, slot as u32, error) })
    }

    /// The exchange port, for gradient checks and hosts; closed when the object ends.
    pub fn port(&self) -> ExchangePort {
        ExchangePort::new(self.owner.link.clone(), self.description.clone())
    }

    /// Writes everything that the mechanism is, parameters excepted.
    pub fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        self.on(|t, object| {
            // SAFETY: the sink lives through the call.
            write_to(out, |sink, error| unsafe {
                (t.snapshot)(object.this, sink, error)
            })
        })
    }

    /// Makes the mechanism what a snapshot says.
    pub fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        self.on(|t, object| {
            // SAFETY: the source lives through the call.
            read_from(from, |source, error| unsafe {
                (t.restore)(object.this, source, error)
            })
        })
    }

    pub(crate) fn owner(&self) -> &Arc<Owner> {
        &self.owner
    }
}
