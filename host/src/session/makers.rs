//! Makers: one configured environment, algorithm or mechanism, ready to make objects.

use std::sync::{Arc, OnceLock};

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    abi::{AlgorithmFactory, CoordinationFactory, EnvironmentFactory},
    algorithm::{AlgorithmRequest, Role},
    client::{
        AlgorithmHandle, Context, CoordinationHandle, EnvironmentBatch, EnvironmentHandle,
        MakeAlgorithm, MakeEnvironment, MakeMechanism,
    },
    coordination::MechanismDescription,
    spec::EnvironmentSpec,
};
use serde_json::{Value, json};

/// Where objects come from: what all three kinds of makers know.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) id: String,
    pub(super) plugin: String,
    pub(super) version: String,
    pub(super) sha256: String,
    pub(super) config: Value,
    pub(super) notes: Vec<String>,
    pub(super) context: Context,
}

/// Puts the plugin's name before an error that is its fault, or that names the call in which it came up.
fn blame(plugin: &str, error: Error) -> Error {
    let of_call = error.message.starts_with('(');
    match error.kind {
        ErrorKind::Plugin | ErrorKind::Panicked => {
            let gap = if of_call { " " } else { ": " };
            Error {
                message: format!("plugin {plugin}{gap}{}", error.message),
                ..error
            }
        }
        _ if of_call => Error {
            message: format!("plugin {plugin} {}", error.message),
            ..error
        },
        _ => error,
    }
}

/// What every maker tells of where its objects come from.
macro_rules! origin {
    ($maker:ident) => {
        impl $maker {
            /// Full id.
            pub fn id(&self) -> &str {
                &self.origin.id
            }

            /// Name of the plugin.
            pub fn plugin(&self) -> &str {
                &self.origin.plugin
            }

            /// Version of the plugin.
            pub fn version(&self) -> &str {
                &self.origin.version
            }

            /// Digest of the plugin's library, in hexadecimal digits.
            pub fn sha256(&self) -> &str {
                &self.origin.sha256
            }

            /// The configuration with all defaults.
            pub fn config(&self) -> &Value {
                &self.origin.config
            }

            /// Remarks on how the name was understood.
            pub fn notes(&self) -> &[String] {
                &self.origin.notes
            }

            /// Puts the plugin's name before an error that is its fault.
            pub fn blame(&self, error: Error) -> Error {
                blame(&self.origin.plugin, error)
            }
        }
    };
}
origin!(EnvironmentMaker);
origin!(AlgorithmMaker);
origin!(MechanismMaker);

/// Makes objects of one configured environment.
#[derive(Clone)]
pub struct EnvironmentMaker {
    pub(super) origin: Origin,
    pub(super) factory: &'static EnvironmentFactory,
}

impl EnvironmentMaker {
    /// A request for this environment with seed 0 and one instance.
    pub fn request(&self) -> MakeEnvironment {
        MakeEnvironment {
            config: self.origin.config.clone(),
            ..MakeEnvironment::new(&self.origin.id)
        }
    }

    /// Makes one object; id and configuration of the request are taken as they are.
    ///
    /// # Errors
    /// What the plugin refuses, named.
    pub fn make(&self, what: &MakeEnvironment) -> Result<EnvironmentHandle> {
        EnvironmentHandle::make(self.factory, &self.origin.context, what).map_err(|e| self.blame(e))
    }

    /// Makes a batch of shards with `slots` time slots.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn batch(
        &self,
        what: &MakeEnvironment,
        shards: usize,
        slots: usize,
    ) -> Result<EnvironmentBatch> {
        EnvironmentBatch::new(what, shards, slots, |part| self.make(part))
    }

    /// The factory behind it.
    pub fn factory(&self) -> &'static EnvironmentFactory {
        self.factory
    }
}

/// Makes objects of one configured algorithm.
#[derive(Clone)]
pub struct AlgorithmMaker {
    pub(super) origin: Origin,
    pub(super) factory: &'static AlgorithmFactory,
}

impl AlgorithmMaker {
    /// A request for this algorithm with seed 0 and one instance, controlling the given groups of a spec.
    pub fn request(
        &self,
        role: Role,
        spec: EnvironmentSpec,
        controlled: Vec<usize>,
    ) -> MakeAlgorithm {
        MakeAlgorithm::new(AlgorithmRequest {
            id: self.origin.id.clone(),
            config: self.origin.config.clone(),
            role,
            spec,
            controlled,
            exchange: None,
        })
    }

    /// Makes one object, with the mechanism that its messages go through, if any. What does not fit is refused.
    ///
    /// # Errors
    /// What the composition or the plugin refuses, named.
    pub fn make(
        &self,
        what: &MakeAlgorithm,
        mechanism: Option<&CoordinationHandle>,
    ) -> Result<AlgorithmHandle> {
        AlgorithmHandle::make(self.factory, &self.origin.context, what, mechanism)
            .map_err(|e| self.blame(e))
    }
}

/// Makes objects of one configured mechanism.
#[derive(Clone)]
pub struct MechanismMaker {
    pub(super) origin: Origin,
    pub(super) factory: &'static CoordinationFactory,
    /// What the first object said of itself, and for which environment: weights of one object have to fit another.
    pub(super) described: Arc<OnceLock<(EnvironmentSpec, MechanismDescription)>>,
}

impl MechanismMaker {
    /// A request for this mechanism with seed 0 and one instance.
    pub fn request(&self, spec: EnvironmentSpec) -> MakeMechanism {
        MakeMechanism {
            config: self.origin.config.clone(),
            ..MakeMechanism::new(&self.origin.id, spec)
        }
    }

    /// Makes one object.
    ///
    /// # Errors
    /// What the plugin refuses, named; an object that describes itself otherwise than the first one did.
    pub fn make(&self, what: &MakeMechanism) -> Result<CoordinationHandle> {
        let made = CoordinationHandle::make(self.factory, &self.origin.context, what)
            .map_err(|e| self.blame(e))?;
        let found = made.description();
        let now = || (what.spec.clone(), found.clone());
        let (spec, expected) = self.described.get_or_init(now);
        if *spec == what.spec && expected != found {
            let difference = difference(expected, found);
            let message = format!("{}: description {difference}", self.id());
            return Err(self.blame(Error::plugin(message)));
        }
        Ok(made)
    }
}

/// The first field in which the description of an object differs from that of the first one.
fn difference(first: &MechanismDescription, other: &MechanismDescription) -> String {
    let (first, other) = (json!(first), json!(other));
    let fields = first.as_object().into_iter().flatten();
    let differs = fields.filter(|&(name, value)| *value != other[name]);
    let differs = differs.map(|(name, expected)| {
        let found = &other[name];
        format!("/{name}: expected {expected} as of the object before, found {found}")
    });
    differs.take(1).collect()
}
