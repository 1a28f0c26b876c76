//! An environment object behind the ABI: one batch, its vtable, and the entry that makes it.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Accounting, Memory, PerInstance,
    guard::{catch, entry, report},
    trampoline::Level,
};
use crate::{
    abi::{
        COUNTERFACTUAL, CounterfactualVtable, EnvironmentObject, EnvironmentVtable, MakeOptions, OK, Opaque,
        RenderMode, Sink, SlabTable, Source, Status, Text,
    },
    batch::{BatchEnvironment, BatchStep},
    canvas::Canvas,
    config,
    environment::Environment,
    error::{Error, ErrorKind, Result},
    rng::EnvRng,
    spec::EnvironmentSpec,
};

/// One object: the author's batch and everything the SDK keeps for it.
pub(crate) struct Batch<E> {
    pub(crate) env: E,
    pub(crate) spec: EnvironmentSpec,
    pub(crate) memory: Memory,
    pub(crate) books: Accounting,
    pub(crate) rngs: Vec<EnvRng>,
    pub(crate) level: Level,
    /// Slot that was written last: where the current rows are.
    pub(crate) last_write: usize,
    /// Set when a panic left the batch in an unknown state.
    poisoned: bool,
    ready: bool,
    /// `step_exact` asks for the inspection between step and reset.
    inspecting: bool,
    inspection: Value,
}

impl<E: BatchEnvironment> Batch<E> {
    pub(crate) fn make(config: &str, options: &MakeOptions) -> Result<Self> {
        let config: E::Config = config::parse(config).map_err(|e| Error::config(format!("config {}: {e}", E::ID)))?;
        let spec = E::spec(&config)?;
        spec.validate()?;
        if spec.flags.manual_reset && !E::ONE_CALL_SITE {
            return Err(Error::plugin("spec: expected automatic resets from a batch environment, found manual_reset"));
        }
        let instances = usize::try_from(options.instances).unwrap_or(0);
        if instances == 0 {
            return Err(Error::new(ErrorKind::Host, "instances: expected at least 1, found 0"));
        }
        let seeds = (options.run_seed, options.first_instance, options.purpose);
        Ok(Self {
            env: E::new(&config, instances)?,
            memory: Memory::own(&spec, instances)?,
            books: Accounting::new(&spec, instances, seeds),
            rngs: vec![EnvRng::new(0, 0, 0, 0); instances],
            level: Level::detect(),
            last_write: 0,
            poisoned: false,
            ready: false,
            inspecting: false,
            inspection: Value::Null,
            spec,
        })
    }

    fn bind(&mut self, table: &[crate::abi::Slab]) -> Result<()> {
        let mut memory = Memory::bind(&self.spec, self.memory.instances, table)?;
        memory.inherit(&mut self.memory);
        self.memory = memory;
        Ok(())
    }

    fn reset(&mut self, mask: Option<&[u8]>, options: &str, write: u32) -> Result<()> {
        let write = self.memory.check_slot(write)?;
        let request = json_object(options, "reset options")?;
        for i in 0..self.memory.instances {
            if mask.is_none_or(|m| m[i] != 0) {
                let Self { env, memory, books, rngs, .. } = self;
                if let Some(changed) = request.get("options") {
                    books.options[i] = Some(changed.clone());
                }
                books.begin(env, &mut memory.out, rngs, i, write, request.get("init"))?;
                books.clear(&mut memory.out, i, write);
            }
        }
        self.last_write = write;
        self.mark_ready();
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, read: u32, write: u32) -> Result<()> {
        if !self.ready {
            return Err(Error::new(ErrorKind::Host, "step: expected every instance to be reset first"));
        }
        let (read, write) = (self.memory.check_slot(read)?, self.memory.check_slot(write)?);
        self.last_write = write;
        self.step_on_level(read, write)
    }

    /// The whole step; see `trampoline`.
    #[inline(always)]
    pub(crate) fn step_all(&mut self, read: usize, write: usize) -> Result<()> {
        let Self { env, memory, books, rngs, .. } = self;
        memory.take_actions(read)?;
        books.prepare(&mut memory.out, write);
        env.step(&mut BatchStep { memory, rngs, read, write, waiting: &books.waiting });
        if self.inspecting {
            self.inspection = self.inspect_step(write);
        }
        let Self { env, memory, books, rngs, .. } = self;
        books.count(&mut memory.out, write);
        books.finish(env, memory, rngs, write)
    }

    #[cold]
    fn inspect_step(&self, write: usize) -> Value {
        let out = &self.memory.out;
        json!({
            "state": self.env.inspect(0),
            "rewards": out.groups.iter().map(|g| g.exact_rewards.clone()).collect::<Vec<_>>(),
            "terminated": out.terminated.slot(write)[0] != 0,
        })
    }

    fn step_exact(&mut self, actions: &str, write: u32) -> Result<Value> {
        if self.memory.instances != 1 {
            return Err(Error::new(ErrorKind::Host, "step_exact: expected an object of one instance"));
        }
        let actions = serde_json::from_str(actions).map_err(|e| Error::config(format!("actions: {e}")))?;
        self.memory.set_exact_actions(&self.spec, &actions)?;
        self.memory.actions.iter_mut().for_each(|a| a.exact = true);
        self.inspecting = true;
        let stepped = self.step(self.last_write as u32, write);
        self.inspecting = false;
        self.memory.actions.iter_mut().for_each(|a| a.exact = false);
        stepped?;
        Ok(std::mem::take(&mut self.inspection))
    }

    /// Notes whether every instance has an episode to step.
    pub(crate) fn mark_ready(&mut self) {
        self.ready = self.books.all_begun();
    }

    fn set_options(&mut self, mask: Option<&[u8]>, options: &str) -> Result<()> {
        let options = json_object(options, "options")?;
        for i in (0..self.memory.instances).filter(|&i| mask.is_none_or(|m| m[i] != 0)) {
            self.books.options[i] = Some(options.clone());
        }
        Ok(())
    }

    fn render(&self, instance: usize, mode: u32) -> Result<Vec<u8>> {
        if !self.spec.flags.render {
            return Err(Error::unsupported(format!("render: not offered by {}", E::ID)));
        }
        let mut canvas = Canvas::new();
        self.env.render(instance, &mut canvas);
        let scene = canvas.into_scene();
        match mode {
            m if m == RenderMode::Scene as u32 => serde_json::to_vec(&scene).map_err(|e| Error::plugin(format!("render: {e}"))),
            m if m == RenderMode::Text as u32 => {
                scene.to_text(80, 24).map(String::into_bytes).map_err(|e| Error::plugin(format!("render: {e}")))
            }
            _ => Err(Error::unsupported("render: expected mode scene or text")),
        }
    }

    /// Says where an error happened, and refuses a batch that a panic has left half done.
    #[cold]
    #[inline(never)]
    fn blame(&mut self, operation: &str, mut error: Error) -> Error {
        if error.kind == ErrorKind::Panicked {
            self.poisoned = true;
            let at = self.env.current().map(|i| format!(", env {}", self.books.first_instance + i as u64));
            error = error.within(format!("({operation}{})", at.unwrap_or_default()));
        }
        error
    }
}

fn json_object(text: &str, what: &str) -> Result<Value> {
    if text.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(Error::config(format!("{what}: expected a JSON object, found {other}"))),
        Err(e) => Err(Error::config(format!("{what}: {e}"))),
    }
}

/// Runs one entry on a batch: guarded, refused once poisoned, errors named.
///
/// # Safety
/// `this` must come from `make` of the same `E`, and no other call may be running on it.
#[inline(always)]
unsafe fn on<E: BatchEnvironment>(
    this: *mut Opaque,
    error: *const Sink,
    operation: &str,
    body: impl FnOnce(&mut Batch<E>) -> Result<()>,
) -> Status {
    // SAFETY: forwarded from the caller.
    let batch = unsafe { &mut *this.cast::<Batch<E>>() };
    if batch.poisoned {
        let refused = Error::new(ErrorKind::Panicked, format!("({operation}): refused after an earlier panic"));
        // SAFETY: forwarded from the caller.
        return unsafe { report(error, &refused) };
    }
    match catch(|| body(batch)).and_then(|result| result) {
        Ok(()) => OK,
        Err(e) => {
            let e = batch.blame(operation, e);
            // SAFETY: forwarded from the caller.
            unsafe { report(error, &e) }
        }
    }
}

/// Checks an instance index of a cold call.
fn instance<E>(batch: &Batch<E>, index: u64) -> Result<usize> {
    let n = batch.memory.instances;
    usize::try_from(index).ok().filter(|&i| i < n).ok_or_else(|| {
        Error::new(ErrorKind::Host, format!("instance: expected less than {n}, found {index}"))
    })
}

/// A null mask means all instances.
///
/// # Safety
/// A mask that is not null must hold one byte per instance.
unsafe fn mask<'a, E>(batch: &Batch<E>, mask: *const u8) -> Option<&'a [u8]> {
    // SAFETY: forwarded from the caller.
    (!mask.is_null()).then(|| unsafe { std::slice::from_raw_parts(mask, batch.memory.instances) })
}

/// The functions of the vtable. Their callers follow the thread and pointer rules of
/// [`EnvironmentVtable`]; every block relies on exactly those.
struct Entries<E>(std::marker::PhantomData<E>);

#[allow(clippy::undocumented_unsafe_blocks)] // each relies on the rules of the vtable, as said above
impl<E: BatchEnvironment> Entries<E> {
    unsafe extern "C" fn spec(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status {
        unsafe { on::<E>(this, error, "spec", |b| write_json(out, &b.spec)) }
    }
    unsafe extern "C" fn bind(this: *mut Opaque, table: *const SlabTable, error: *const Sink) -> Status {
        unsafe {
            on::<E>(this, error, "bind", |b| {
                let table = &*table;
                let slabs = if table.len == 0 { &[] } else { std::slice::from_raw_parts(table.slabs, table.len as usize) };
                b.bind(slabs)
            })
        }
    }
    unsafe extern "C" fn unbind(this: *mut Opaque) {
        unsafe { on::<E>(this, std::ptr::null(), "unbind", |b| b.bind(&[])) };
    }
    unsafe extern "C" fn reset(
        this: *mut Opaque,
        only: *const u8,
        options: Text,
        write: u32,
        error: *const Sink,
    ) -> Status {
        unsafe { on::<E>(this, error, "reset", |b| b.reset(mask(b, only), options.as_str()?, write)) }
    }
    unsafe extern "C" fn step(this: *mut Opaque, read: u32, write: u32, error: *const Sink) -> Status {
        unsafe { on::<E>(this, error, "step", |b| b.step(read, write)) }
    }
    unsafe extern "C" fn step_exact(
        this: *mut Opaque,
        actions: Text,
        write: u32,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        unsafe {
            on::<E>(this, error, "step_exact", |b| {
                let result = b.step_exact(actions.as_str()?, write)?;
                write_json(out, &result)
            })
        }
    }
    unsafe extern "C" fn set_options(
        this: *mut Opaque,
        only: *const u8,
        options: Text,
        error: *const Sink,
    ) -> Status {
        unsafe { on::<E>(this, error, "set_options", |b| b.set_options(mask(b, only), options.as_str()?)) }
    }
    unsafe extern "C" fn snapshot(this: *mut Opaque, index: u64, out: *const Sink, error: *const Sink) -> Status {
        unsafe {
            on::<E>(this, error, "snapshot", |b| {
                let saved = b.snapshot(instance(b, index)?)?;
                write_json(out, &saved)
            })
        }
    }
    unsafe extern "C" fn restore(
        this: *mut Opaque,
        index: u64,
        source: *const Source,
        write: u32,
        error: *const Sink,
    ) -> Status {
        unsafe {
            on::<E>(this, error, "restore", |b| {
                let bytes = (*source).read_to_end()?;
                b.restore(instance(b, index)?, &bytes, write)
            })
        }
    }
    unsafe extern "C" fn clone_instance(
        this: *mut Opaque,
        from: u64,
        to: u64,
        write: u32,
        error: *const Sink,
    ) -> Status {
        unsafe {
            on::<E>(this, error, "clone_instance", |b| {
                let (from, to) = (instance(b, from)?, instance(b, to)?);
                let saved = b.snapshot(from)?;
                b.load(to, saved, write)
            })
        }
    }
    unsafe extern "C" fn inspect(this: *mut Opaque, index: u64, out: *const Sink, error: *const Sink) -> Status {
        unsafe { on::<E>(this, error, "inspect", |b| write_json(out, &b.env.inspect(instance(b, index)?))) }
    }
    unsafe extern "C" fn render(
        this: *mut Opaque,
        index: u64,
        mode: u32,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        unsafe { on::<E>(this, error, "render", |b| (*out).put(&b.render(instance(b, index)?, mode)?)) }
    }
    unsafe extern "C" fn extension(this: *mut Opaque, id: Text) -> *const Opaque {
        let mut found = std::ptr::null();
        unsafe {
            on::<E>(this, std::ptr::null(), "extension", |b| {
                if b.spec.flags.counterfactual && id.as_str()? == COUNTERFACTUAL {
                    found = std::ptr::from_ref(Self::COUNTERFACTUAL).cast();
                }
                Ok(())
            })
        };
        found
    }
    unsafe extern "C" fn counterfactual(
        this: *mut Opaque,
        index: u64,
        actions: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        unsafe {
            on::<E>(this, error, "counterfactual", |b| {
                let actions: Vec<Vec<Vec<f64>>> =
                    serde_json::from_str(actions.as_str()?).map_err(|e| Error::config(format!("actions: {e}")))?;
                write_json(out, &b.env.counterfactual(instance(b, index)?, &actions)?)
            })
        }
    }
    unsafe extern "C" fn destroy(this: *mut Opaque) {
        let _ = catch(|| drop(unsafe { Box::from_raw(this.cast::<Batch<E>>()) }));
    }

    const COUNTERFACTUAL: &'static CounterfactualVtable = &CounterfactualVtable {
        size: size_of::<CounterfactualVtable>() as u64,
        rewards: Self::counterfactual,
    };
    const VTABLE: &'static EnvironmentVtable = &EnvironmentVtable {
        size: size_of::<EnvironmentVtable>() as u64,
        spec: Self::spec,
        bind: Self::bind,
        unbind: Self::unbind,
        reset: Self::reset,
        step: Self::step,
        step_exact: Self::step_exact,
        set_options: Self::set_options,
        snapshot: Self::snapshot,
        restore: Self::restore,
        clone_instance: Self::clone_instance,
        inspect: Self::inspect,
        render: Self::render,
        extension: Self::extension,
        destroy: Self::destroy,
    };
}

/// Writes a value as JSON text.
///
/// # Safety
/// `out` must be the sink that the caller handed over for this call.
unsafe fn write_json<T: serde::Serialize>(out: *const Sink, value: &T) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|e| Error::plugin(format!("json: {e}")))?;
    // SAFETY: forwarded from the caller.
    unsafe { (*out).put(&text) }
}

/// An environment that a plugin exports; collected with `inventory`.
pub struct EnvironmentEntry {
    pub(crate) id: &'static str,
    pub(crate) make: fn(config: &str, options: &MakeOptions) -> Result<EnvironmentObject>,
    pub(crate) trace: fn(document: &Value) -> Result<Value>,
}

impl EnvironmentEntry {
    /// The entry of an [`Environment`].
    pub const fn of<E: Environment>() -> Self {
        Self::of_batch::<PerInstance<E>>()
    }

    /// The entry of a [`BatchEnvironment`].
    pub const fn of_batch<E: BatchEnvironment>() -> Self {
        Self {
            id: E::ID,
            make: |config, options| {
                let batch = Box::new(Batch::<E>::make(config, options)?);
                Ok(EnvironmentObject { this: Box::into_raw(batch).cast(), vtable: Entries::<E>::VTABLE })
            },
            trace: |document| {
                let cases = E::trace_cases(document)?;
                serde_json::to_value(cases).map_err(|e| Error::plugin(format!("trace: {e}")))
            },
        }
    }
}

inventory::collect!(EnvironmentEntry);

/// `{"id": …, "config": {…}}`.
#[derive(Deserialize)]
pub(crate) struct MakeRequest {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) config: Value,
}

/// Reads a request and finds its entry among those of the plugin.
///
/// # Safety
/// `error`, `request` and `options` must be those of the `make` call.
pub(crate) unsafe extern "C" fn make_environment(
    request: Text,
    _host: *const crate::abi::HostContext,
    options: *const MakeOptions,
    out: *mut EnvironmentObject,
    error: *const Sink,
) -> Status {
    // SAFETY: the caller follows the rules of `EnvironmentFactory::make`.
    unsafe {
        entry(error, || {
            let request: MakeRequest = serde_json::from_str(request.as_str()?)
                .map_err(|e| Error::new(ErrorKind::Host, format!("request: {e}")))?;
            let found = find(&request.id)?;
            out.write((found.make)(&request.config.to_string(), &*options)?);
            Ok(())
        })
    }
}

/// Reads a trace document for one environment of the plugin.
///
/// # Safety
/// All pointers must be those of the `trace` call.
pub(crate) unsafe extern "C" fn read_trace(id: Text, document: Text, out: *const Sink, error: *const Sink) -> Status {
    // SAFETY: the caller follows the rules of `EnvironmentFactory::trace`.
    unsafe {
        entry(error, || {
            let document =
                serde_json::from_str(document.as_str()?).map_err(|e| Error::config(format!("trace: {e}")))?;
            write_json(out, &(find(id.as_str()?)?.trace)(&document)?)
        })
    }
}

fn find(id: &str) -> Result<&'static EnvironmentEntry> {
    inventory::iter::<EnvironmentEntry>
        .into_iter()
        .find(|e| e.id == id)
        .ok_or_else(|| Error::config(format!("environment {id:?} is not in this plugin")))
}
