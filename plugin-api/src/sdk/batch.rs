//! One environment object: the author's batch and everything the SDK keeps for it.

use serde_json::{Value, json};

use super::{Accounting, Memory, guarded::Blame, trampoline::Level};
use crate::{
    abi::{MakeOptions, RenderMode, Slab},
    batch::{BatchEnvironment, BatchStep},
    canvas::Canvas,
    config,
    error::{Error, ErrorKind, Result},
    rng::EnvRng,
    spec::EnvironmentSpec,
    trace::Joint,
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
    ready: bool,
    /// `step_exact` asks for the inspection between step and reset.
    inspecting: bool,
    inspection: Value,
}

impl<E: BatchEnvironment> Batch<E> {
    pub(crate) fn make(config: &str, options: &MakeOptions) -> Result<Self> {
        let config: E::Config =
            config::parse(config).map_err(|e| Error::config(format!("config {}: {e}", E::ID)))?;
        let spec = E::spec(&config).map_err(of_setting::<E>)?;
        spec.validate()?;
        if spec.flags.manual_reset && !E::ONE_CALL_SITE {
            return Err(Error::plugin(
                "spec: expected automatic resets from a batch environment, found manual_reset",
            ));
        }
        let instances = usize::try_from(options.instances).unwrap_or(0);
        if instances == 0 {
            return Err(Error::new(
                ErrorKind::Host,
                "instances: expected at least 1, found 0",
            ));
        }
        let seeds = (options.run_seed, options.first_instance, options.purpose);
        Ok(Self {
            env: E::new(&config, instances).map_err(of_setting::<E>)?,
            memory: Memory::own(&spec, instances)?,
            books: Accounting::new(&spec, instances, seeds),
            rngs: vec![EnvRng::new(0, 0, 0, 0); instances],
            level: Level::detect(),
            last_write: 0,
            ready: false,
            inspecting: false,
            inspection: Value::Null,
            spec,
        })
    }

    pub(crate) fn bind(&mut self, table: &[Slab]) -> Result<()> {
        let mut memory = Memory::bind(&self.spec, self.memory.instances, table)?;
        memory.inherit(&mut self.memory);
        self.memory = memory;
        Ok(())
    }

    pub(crate) fn reset(&mut self, mask: Option<&[u8]>, options: &str, write: u32) -> Result<()> {
        let write = self.memory.check_slot(write)?;
        let request = json_object(options, "reset options")?;
        if let Some(manual) = request.get("manual_reset").and_then(Value::as_bool) {
            self.books.set_manual_reset(manual);
        }
        for i in 0..self.memory.instances {
            if mask.is_none_or(|m| m[i] != 0) {
                let Self {
                    env,
                    memory,
                    books,
                    rngs,
                    ..
                } = self;
                if let Some(changed) = request.get("options") {
                    books.set_options(i, Some(changed.clone()));
                }
                books.begin(env, memory, rngs, &[i as u32], write, request.get("init"))?;
                books.clear(&mut memory.out, i, write);
            }
        }
        self.last_write = write;
        self.mark_ready();
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn step(&mut self, read: u32, write: u32) -> Result<()> {
        if !self.ready {
            return Err(Error::new(
                ErrorKind::Host,
                "step: expected every instance to be reset first",
            ));
        }
        let (read, write) = (
            self.memory.check_slot(read)?,
            self.memory.check_slot(write)?,
        );
        self.last_write = write;
        self.step_on_level(read, write)
    }

    /// The whole step; see `trampoline`.
    #[inline(always)]
    pub(crate) fn step_all(&mut self, read: usize, write: usize) -> Result<()> {
        let Self {
            env,
            memory,
            books,
            rngs,
            ..
        } = self;
        memory.take_actions(read)?;
        books.prepare(&mut memory.out, write, env.writes_all());
        env.step(&mut BatchStep {
            memory,
            rngs,
            read,
            write,
            waiting: &books.waiting,
        });
        if self.inspecting {
            self.inspection = self.inspect_step(write);
        }
        let Self {
            env,
            memory,
            books,
            rngs,
            ..
        } = self;
        books.count(&mut memory.out, write);
        books.finish(env, memory, rngs, write)
    }

    #[cold]
    fn inspect_step(&self, write: usize) -> Value {
        let out = &self.memory.out;
        json!({
            "state": self.env.inspect(0),
            "rewards": out.groups.iter().map(|g| g.exact_rewards.to_vec()).collect::<Vec<_>>(),
            "terminated": out.terminated.slot(write)[0] != 0,
        })
    }

    pub(crate) fn step_exact(&mut self, actions: &str, write: u32) -> Result<Value> {
        if self.memory.instances != 1 {
            return Err(Error::new(
                ErrorKind::Host,
                "step_exact: expected an object of one instance",
            ));
        }
        let actions =
            serde_json::from_str(actions).map_err(|e| Error::config(format!("actions: {e}")))?;
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

    pub(crate) fn set_options(&mut self, mask: Option<&[u8]>, options: &str) -> Result<()> {
        let options = json_object(options, "options")?;
        for i in (0..self.memory.instances).filter(|&i| mask.is_none_or(|m| m[i] != 0)) {
            self.books.set_options(i, Some(options.clone()));
        }
        Ok(())
    }

    /// What the scripted baseline does now in one instance; refused when it is not a joint action of the spec.
    pub(crate) fn scripted(&self, instance: usize) -> Result<Joint> {
        let mut rng = self.books.scripted_rng(instance).ok_or_else(|| {
            Error::new(
                ErrorKind::Host,
                "scripted: expected an instance that was reset",
            )
        })?;
        let joint = self.env.scripted(instance, &mut rng)?;
        let fits = joint.len() == self.spec.groups.len()
            && joint.iter().zip(&self.spec.groups).all(|(agents, group)| {
                let width = group.action.width();
                agents.len() == group.agents && agents.iter().all(|action| action.len() == width)
            });
        if fits {
            Ok(joint)
        } else {
            Err(Error::plugin(
                "scripted: expected a joint action [group][agent][component] of the spec, found another shape",
            ))
        }
    }

    pub(crate) fn render(&self, instance: usize, mode: u32) -> Result<Vec<u8>> {
        if !self.spec.flags.render {
            return Err(Error::unsupported(format!(
                "render: not offered by {}",
                E::ID
            )));
        }
        let mut canvas = Canvas::new();
        self.env.render(instance, &mut canvas);
        let scene = canvas.into_scene();
        match mode {
            m if m == RenderMode::Scene as u32 => {
                serde_json::to_vec(&scene).map_err(|e| Error::plugin(format!("render: {e}")))
            }
            m if m == RenderMode::Text as u32 => scene
                .to_text(80, 24)
                .map(String::into_bytes)
                .map_err(|e| Error::plugin(format!("render: {e}"))),
            _ => Err(Error::unsupported("render: expected mode scene or text")),
        }
    }
}

impl<E: BatchEnvironment> Blame for Batch<E> {
    /// Only a panic needs to be placed: other errors name what they are about.
    #[cold]
    #[inline(never)]
    fn blame(&self, operation: &str, error: Error) -> Error {
        if error.kind != ErrorKind::Panicked {
            return error;
        }
        let at = self
            .env
            .current()
            .map(|i| format!(", env {}", self.books.first_instance + i as u64));
        error.within(format!("({operation}{})", at.unwrap_or_default()))
    }
}

/// Says of which environment a setting is refused: authors write `config /pointer: …`, or the pointer alone.
#[cold]
fn of_setting<E: BatchEnvironment>(error: Error) -> Error {
    let bare = error.message.strip_prefix("config ");
    let message = bare.unwrap_or(&error.message);
    if error.kind == ErrorKind::Config && message.starts_with('/') {
        return Error::config(format!("config {}: {message}", E::ID));
    }
    error
}

fn json_object(text: &str, what: &str) -> Result<Value> {
    if text.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(other) => Err(Error::config(format!(
            "{what}: expected a JSON object, found {other}"
        ))),
        Err(e) => Err(Error::config(format!("{what}: {e}"))),
    }
}
