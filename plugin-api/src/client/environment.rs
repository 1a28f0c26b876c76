//! A handle on one environment object.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Context,
    call::{bytes, call, json as json_call},
};
use crate::{
    abi::{
        COUNTERFACTUAL, CounterfactualVtable, EnvironmentFactory, EnvironmentObject,
        EnvironmentVtable, GAME_TREE, GameTreeVtable, MakeOptions, RenderMode, SCRIPTED,
        ScriptedVtable, Slab, SlabTable, Source, Text,
    },
    error::{Error, Result},
    game_tree::GameNode,
    sdk::EnvironmentEntry,
    spec::EnvironmentSpec,
    trace::{Joint, TraceCase},
};

/// What to make: which environment, how configured, how many and with which seeds.
#[derive(Clone, Debug)]
pub struct MakeEnvironment {
    /// Full id.
    pub id: String,
    /// Configuration, a JSON object.
    pub config: Value,
    /// Seed of the run.
    pub run_seed: u64,
    /// Global index of the first instance.
    pub first_instance: u64,
    /// Number of instances.
    pub instances: usize,
    /// Separates random streams; see [`crate::rng`].
    pub purpose: u64,
}

impl MakeEnvironment {
    /// One instance with defaults and seed 0.
    pub fn new(id: impl Into<String>) -> Self {
        let config = Value::Object(serde_json::Map::new());
        Self {
            id: id.into(),
            config,
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

/// What `step_exact` saw, before any reset.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ExactStep {
    /// The inspection.
    pub state: Value,
    /// Rewards in f64, `[group][agent]`.
    pub rewards: Vec<Vec<f64>>,
    /// Whether the episode ended in a terminal state.
    pub terminated: bool,
}

/// One environment object. Moves between threads, is never shared; dropped with its handle.
pub struct EnvironmentHandle {
    object: EnvironmentObject,
    spec: EnvironmentSpec,
    instances: usize,
    /// The services must outlive the object.
    _context: Context,
}

// SAFETY: the contract lets an object move between threads, one call at a time.
unsafe impl Send for EnvironmentHandle {}

impl EnvironmentHandle {
    /// Makes an object through a factory of a loaded plugin.
    pub fn make(
        factory: &'static EnvironmentFactory,
        context: &Context,
        what: &MakeEnvironment,
    ) -> Result<Self> {
        let request = json!({"id": what.id, "config": what.config}).to_string();
        let mut object = EnvironmentObject {
            this: std::ptr::null_mut(),
            vtable: std::ptr::null(),
        };
        let (raw, options) = (context.raw(), what.options());
        // SAFETY: the factory is static, and all arguments live through the call.
        call(|error| unsafe {
            (factory.make)(Text::new(&request), &raw, &options, &mut object, error)
        })?;
        Self::adopt(object, context, what.instances)
    }

    /// Makes an object of an environment that is compiled into this program, through the same vtable.
    pub fn in_process(entry: &EnvironmentEntry, what: &MakeEnvironment) -> Result<Self> {
        let object = (entry.make)(&what.config.to_string(), &what.options())?;
        Self::adopt(object, &Context::default(), what.instances)
    }

    fn adopt(object: EnvironmentObject, context: &Context, instances: usize) -> Result<Self> {
        if object.this.is_null() || object.vtable.is_null() {
            return Err(Error::plugin(
                "make: expected an object, found a null pointer",
            ));
        }
        let mut handle = Self {
            object,
            spec: EnvironmentSpec::new(
                "",
                1,
                crate::spec::Space::real(1),
                crate::spec::Space::real(1),
            ),
            instances,
            _context: context.clone(),
        };
        let size = handle.vtable().size;
        if size < size_of::<EnvironmentVtable>() as u64 {
            // Without the full table even `destroy` is not known to exist: leak the object.
            std::mem::forget(handle);
            return Err(Error::plugin(format!(
                "vtable: expected at least {} bytes, found {size}",
                size_of::<EnvironmentVtable>()
            )));
        }
        handle.spec = handle.read_spec()?;
        handle.spec.validate()?;
        Ok(handle)
    }

    fn vtable(&self) -> &EnvironmentVtable {
        // SAFETY: `adopt` has checked the pointer, and vtables are static.
        unsafe { &*self.object.vtable }
    }

    /// The spec that came with the object.
    pub fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    /// Number of instances.
    pub fn instances(&self) -> usize {
        self.instances
    }

    /// Asks the object for its spec again.
    pub fn read_spec(&self) -> Result<EnvironmentSpec> {
        // SAFETY: `&self` on a handle that is not `Sync`: no other call is running.
        json_call("spec", |out, error| unsafe {
            (self.vtable().spec)(self.object.this, out, error)
        })
    }

    /// Binds slabs.
    ///
    /// # Safety
    /// The slabs must stay valid until the next `bind`, `unbind` or drop, and no slab may be read or
    /// written by anybody else during a call on this handle.
    pub unsafe fn bind(&mut self, slabs: &[Slab]) -> Result<()> {
        let table = SlabTable {
            slabs: slabs.as_ptr(),
            len: slabs.len() as u64,
        };
        // SAFETY: the table lives through the call; the slabs as the caller promises.
        call(|error| unsafe { (self.vtable().bind)(self.object.this, &table, error) })
    }

    /// Forgets the bound slabs.
    pub fn unbind(&mut self) {
        // SAFETY: the handle is exclusive.
        unsafe { (self.vtable().unbind)(self.object.this) }
    }

    /// Starts new episodes where the mask is not 0 (everywhere without one) and writes slot `write`.
    pub fn reset(&mut self, mask: Option<&[u8]>, options: &Value, write: usize) -> Result<()> {
        let mask = self.mask(mask)?;
        let options = options.to_string();
        // SAFETY: the mask has one byte per instance; the text lives through the call.
        call(|error| unsafe {
            (self.vtable().reset)(
                self.object.this,
                mask,
                Text::new(&options),
                write as u32,
                error,
            )
        })
    }

    /// As [`reset`](Self::reset) without options; allocates nothing on this side of the boundary.
    pub fn restart(&mut self, mask: &[u8], write: usize) -> Result<()> {
        let mask = self.mask(Some(mask))?;
        // SAFETY: as for `reset`.
        call(|error| unsafe {
            (self.vtable().reset)(self.object.this, mask, Text::new("{}"), write as u32, error)
        })
    }

    /// Advances every instance: actions from slot `read`, everything else to slot `write`.
    #[inline]
    pub fn step(&mut self, read: usize, write: usize) -> Result<()> {
        // SAFETY: the handle is exclusive, and what it has bound is valid.
        call(|error| unsafe {
            (self.vtable().step)(self.object.this, read as u32, write as u32, error)
        })
    }

    /// The cold path of replays: a step with f64 actions `[group][agent][component]`.
    pub fn step_exact(&mut self, actions: &[Vec<Vec<f64>>], write: usize) -> Result<ExactStep> {
        let actions = json!(actions).to_string();
        let this = self.object.this;
        // SAFETY: as for `step`.
        json_call("step_exact", |out, error| unsafe {
            (self.vtable().step_exact)(this, Text::new(&actions), write as u32, out, error)
        })
    }

    /// Options that take effect at the next reset of the masked instances.
    pub fn set_options(&mut self, mask: Option<&[u8]>, options: &Value) -> Result<()> {
        let mask = self.mask(mask)?;
        let options = options.to_string();
        // SAFETY: as for `reset`.
        call(|error| unsafe {
            (self.vtable().set_options)(self.object.this, mask, Text::new(&options), error)
        })
    }

    /// Everything that one instance is.
    pub fn snapshot(&mut self, instance: usize) -> Result<Vec<u8>> {
        let this = self.object.this;
        // SAFETY: the handle is exclusive.
        bytes(|out, error| unsafe { (self.vtable().snapshot)(this, instance as u64, out, error) })
    }

    /// Makes one instance what a snapshot says and writes its rows at slot `write`.
    pub fn restore(&mut self, instance: usize, mut snapshot: &[u8], write: usize) -> Result<()> {
        let source = Source::from_slice(&mut snapshot);
        let this = self.object.this;
        // SAFETY: the source lives through the call.
        call(|error| unsafe {
            (self.vtable().restore)(this, instance as u64, &source, write as u32, error)
        })
    }

    /// Makes instance `to` a copy of instance `from`.
    pub fn clone_instance(&mut self, from: usize, to: usize, write: usize) -> Result<()> {
        let this = self.object.this;
        // SAFETY: the handle is exclusive.
        call(|error| unsafe {
            (self.vtable().clone_instance)(this, from as u64, to as u64, write as u32, error)
        })
    }

    /// The exact state of one instance.
    pub fn inspect(&mut self, instance: usize) -> Result<Value> {
        let this = self.object.this;
        // SAFETY: the handle is exclusive.
        json_call("inspect", |out, error| unsafe {
            (self.vtable().inspect)(this, instance as u64, out, error)
        })
    }

    /// One frame, in the form of the mode.
    pub fn render(&mut self, instance: usize, mode: RenderMode) -> Result<Vec<u8>> {
        let this = self.object.this;
        // SAFETY: the handle is exclusive.
        bytes(|out, error| unsafe {
            (self.vtable().render)(this, instance as u64, mode as u32, out, error)
        })
    }

    /// Rewards of another joint action from the present state, `[group][agent]`.
    pub fn counterfactual(
        &mut self,
        instance: usize,
        actions: &[Vec<Vec<f64>>],
    ) -> Result<Vec<Vec<f64>>> {
        let this = self.object.this;
        // SAFETY: the handle is exclusive; the extension lives as long as the object.
        let table = unsafe {
            let found = (self.vtable().extension)(this, Text::new(COUNTERFACTUAL));
            found.cast::<CounterfactualVtable>().as_ref()
        };
        let table = table.ok_or_else(|| {
            Error::unsupported("counterfactual rewards: not offered by this environment")
        })?;
        let actions = json!(actions).to_string();
        // SAFETY: the text lives through the call.
        json_call("counterfactual", |out, error| unsafe {
            (table.rewards)(this, instance as u64, Text::new(&actions), out, error)
        })
    }

    /// What the world's own scripted baseline does from the present state of one instance.
    pub fn scripted(&mut self, instance: usize) -> Result<Joint> {
        let this = self.object.this;
        // SAFETY: the handle is exclusive; the extension lives as long as the object.
        let table = unsafe {
            let found = (self.vtable().extension)(this, Text::new(SCRIPTED));
            found.cast::<ScriptedVtable>().as_ref()
        };
        let table = table.ok_or_else(|| {
            Error::unsupported("scripted baseline: not offered by this environment")
        })?;
        // SAFETY: the handle is exclusive.
        json_call("scripted", |out, error| unsafe {
            (table.actions)(this, instance as u64, out, error)
        })
    }

    /// The node that `history` leads to from the root of the game.
    pub fn game_node(&mut self, history: &[usize]) -> Result<GameNode> {
        let this = self.object.this;
        // SAFETY: the handle is exclusive; the extension lives as long as the object.
        let table = unsafe {
            let found = (self.vtable().extension)(this, Text::new(GAME_TREE));
            found.cast::<GameTreeVtable>().as_ref()
        };
        let table = table
            .ok_or_else(|| Error::unsupported("game tree: not offered by this environment"))?;
        let history = json!(history).to_string();
        // SAFETY: the text lives through the call.
        json_call("game_node", |out, error| unsafe {
            (table.node)(this, Text::new(&history), out, error)
        })
    }

    fn mask(&self, mask: Option<&[u8]>) -> Result<*const u8> {
        match mask {
            None => Ok(std::ptr::null()),
            Some(mask) if mask.len() == self.instances => Ok(mask.as_ptr()),
            Some(mask) => Err(Error::new(
                crate::ErrorKind::Host,
                format!(
                    "mask: expected {} instances, found {}",
                    self.instances,
                    mask.len()
                ),
            )),
        }
    }
}

impl Drop for EnvironmentHandle {
    fn drop(&mut self) {
        // SAFETY: the handle owns the object, and nothing uses it afterwards.
        unsafe { (self.vtable().destroy)(self.object.this) }
    }
}

/// Reads a trace document through the plugin that claims it.
pub(crate) fn read_trace(
    factory: &'static EnvironmentFactory,
    id: &str,
    document: &str,
) -> Result<Vec<TraceCase>> {
    // SAFETY: the factory is static; the texts live through the call.
    json_call("trace", |out, error| unsafe {
        (factory.trace)(Text::new(id), Text::new(document), out, error)
    })
}

impl EnvironmentFactory {
    /// Reads a trace document (JSON) that environment `id` claims.
    pub fn trace_cases(&'static self, id: &str, document: &str) -> Result<Vec<TraceCase>> {
        read_trace(self, id, document)
    }
}
