//! From names and a few settings to an experiment that leaves nothing open.

use palaestra_plugin_api::{Error, Result};
use palaestra_registry::{Kind, validate::ConfigSchema};
use serde_json::{Map, Value};

use super::{Experiment, read::without_nulls};
use crate::{
    policy,
    session::{AlgorithmMaker, EnvironmentMaker, MechanismMaker, Session},
    wrappers::{self, WrapperSpec},
};

/// An experiment in full, and what makes its objects.
#[derive(Clone)]
pub struct Resolved {
    /// The experiment with full ids, all settings of all plugins and wrappers, and all numbers. Settings that are null
    /// are left out, which means the same.
    pub experiment: Experiment,
    /// Makes the environment.
    pub environment: EnvironmentMaker,
    /// Make the algorithms, in the order of the experiment.
    pub algorithms: Vec<AlgorithmMaker>,
    /// Make the mechanisms, in the order of the experiment.
    pub mechanisms: Vec<MechanismMaker>,
    /// Remarks on how names were understood.
    pub notes: Vec<String>,
}

impl Experiment {
    /// Resolves names, checks every setting and fills in all defaults, and loads the plugins.
    ///
    /// # Errors
    /// An unknown name, a wrong setting, an untrusted plugin, or one that cannot be loaded.
    pub fn resolve(&self, session: &Session) -> Result<Resolved> {
        let mut experiment = self.filled();
        experiment.check_groups()?;
        let mut notes = Vec::new();

        let section = &mut experiment.environment;
        let config = Value::Object(section.config.clone());
        let environment = session.environment(&section.name, &config)?;
        section.name = environment.id().to_owned();
        section.config = plain(
            session,
            Kind::Environment,
            environment.id(),
            environment.config(),
        )?;
        notes.extend_from_slice(environment.notes());

        for wrapper in &mut experiment.wrappers {
            wrappers::make(wrapper)?;
            complete(wrapper, wrappers::KINDS.iter().map(|k| (k.name, k.schema)))?;
        }

        let mut algorithms = Vec::with_capacity(experiment.algorithm.len());
        for section in &mut experiment.algorithm {
            let config = Value::Object(section.config.clone());
            let algorithm = session.algorithm(&section.name, &config)?;
            section.name = algorithm.id().to_owned();
            section.config = plain(session, Kind::Algorithm, algorithm.id(), algorithm.config())?;
            notes.extend_from_slice(algorithm.notes());
            for wrapper in &mut section.wrappers {
                policy::check(wrapper)?;
                complete(wrapper, policy::KINDS.iter().map(|k| (k.name, k.schema)))?;
            }
            algorithms.push(algorithm);
        }

        let mut mechanisms = Vec::with_capacity(experiment.coordination.len());
        for section in &mut experiment.coordination {
            let config = Value::Object(section.config.clone());
            let mechanism = session.mechanism(&section.name, &config)?;
            section.name = mechanism.id().to_owned();
            section.config = plain(
                session,
                Kind::Coordination,
                mechanism.id(),
                mechanism.config(),
            )?;
            notes.extend_from_slice(mechanism.notes());
            mechanisms.push(mechanism);
        }
        Ok(Resolved {
            experiment,
            environment,
            algorithms,
            mechanisms,
            notes,
        })
    }
}

/// A complete configuration without nulls, which means the same.
///
/// # Errors
/// Kind `Config` where it would not: a null whose key has another default.
fn plain(session: &Session, kind: Kind, id: &str, config: &Value) -> Result<Map<String, Value>> {
    let given = config.as_object().cloned().unwrap_or_default();
    let plain = without_nulls(given);
    let schema = &session.registry().resolve(kind, id)?.entry.export.schema;
    same(&ConfigSchema::new(id, schema)?, id, config, plain)
}

/// Fills in the settings that a wrapper leaves out.
fn complete(
    wrapper: &mut WrapperSpec,
    mut kinds: impl Iterator<Item = (&'static str, &'static str)>,
) -> Result<()> {
    let Some((name, schema)) = kinds.find(|(name, _)| *name == wrapper.name) else {
        return Ok(());
    };
    let schema: Value = serde_json::from_str(schema)
        .map_err(|e| Error::config(format!("schema {name}: expected JSON, found: {e}")))?;
    let schema = ConfigSchema::new(name, &schema)?;
    let full = schema.complete(&wrapper.config)?;
    let given = full.as_object().cloned().unwrap_or_default();
    wrapper.config = Value::Object(same(&schema, name, &full, without_nulls(given))?);
    Ok(())
}

fn same(
    schema: &ConfigSchema,
    name: &str,
    full: &Value,
    plain: Map<String, Value>,
) -> Result<Map<String, Value>> {
    if schema.complete(&Value::Object(plain.clone()))? == *full {
        return Ok(plain);
    }
    Err(Error::config(format!(
        "config {name}: expected null only where leaving the setting out means the same, found it elsewhere; \
         give a value"
    )))
}
