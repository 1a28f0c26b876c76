//! What is checked: one environment with one configuration.

use serde_json::Value;

use super::{CheckReport, Status, run_all};
use crate::{
    batch::BatchEnvironment,
    client::{EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    error::Result,
    sdk::{EnvironmentEntry, guard::catch},
};

/// Makes an object.
type Make<'a> = dyn Fn(&MakeEnvironment) -> Result<EnvironmentHandle> + 'a;

/// One environment with one configuration, and how to make objects of it.
pub struct Subject<'a> {
    /// Full id.
    pub id: String,
    /// Configuration, a JSON object.
    pub config: Value,
    make: Box<Make<'a>>,
}

impl<'a> Subject<'a> {
    /// An environment that `make` makes.
    pub fn new(
        id: impl Into<String>,
        config: Value,
        make: impl Fn(&MakeEnvironment) -> Result<EnvironmentHandle> + 'a,
    ) -> Self {
        Self {
            id: id.into(),
            config,
            make: Box::new(make),
        }
    }

    /// An environment that is compiled into this program.
    pub fn of<E: Environment>(config: Value) -> Self {
        Self::in_process(E::ID, EnvironmentEntry::of::<E>(), config)
    }

    /// A batch environment that is compiled into this program.
    pub fn of_batch<E: BatchEnvironment>(config: Value) -> Self {
        Self::in_process(E::ID, EnvironmentEntry::of_batch::<E>(), config)
    }

    /// Every environment that the plugin under test exports, with its default configuration, in the order of ids. The
    /// test must use something of the plugin's crate, or the linker leaves the exports out.
    ///
    /// # Panics
    /// When there are none.
    pub fn exported() -> Vec<Subject<'static>> {
        let entries = inventory::iter::<EnvironmentEntry>.into_iter();
        let mut subjects: Vec<_> = entries
            .map(|entry| Subject::in_process(entry.id, *entry, no_settings()))
            .collect();
        assert!(
            !subjects.is_empty(),
            "environments: expected some to be exported, found none; use the plugin's crate in this test"
        );
        subjects.sort_by(|a, b| a.id.cmp(&b.id));
        subjects
    }

    fn in_process(id: &str, entry: EnvironmentEntry, config: Value) -> Self {
        // A panic while an object is made is caught here as the factory of a loaded plugin catches it.
        Self::new(id, config, move |what| {
            catch(|| EnvironmentHandle::in_process(&entry, what)).and_then(|made| made)
        })
    }

    /// Makes an object; id and configuration of the request are taken as they are.
    ///
    /// # Errors
    /// What the environment refuses.
    pub fn make(&self, what: &MakeEnvironment) -> Result<EnvironmentHandle> {
        (self.make)(what)
    }

    /// A request for one instance with this id and configuration.
    pub fn request(&self, run_seed: u64) -> MakeEnvironment {
        MakeEnvironment {
            config: self.config.clone(),
            run_seed,
            ..MakeEnvironment::new(&self.id)
        }
    }
}

/// Runs every check on an environment with its default configuration.
///
/// # Panics
/// When a check fails or crashes: one line for each.
pub fn assert_conformant<E: Environment>() {
    assert_conforms(&Subject::of::<E>(no_settings()));
}

/// Runs every check on a batch environment with its default configuration.
///
/// # Panics
/// When a check fails or crashes: one line for each.
pub fn assert_batch_conformant<E: BatchEnvironment>() {
    assert_conforms(&Subject::of_batch::<E>(no_settings()));
}

fn no_settings() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Runs every check on an environment with any configuration.
///
/// # Panics
/// When a check fails or crashes: one line for each.
pub fn assert_conforms(subject: &Subject<'_>) {
    let reports = run_all(subject, 0);
    let bad: Vec<&CheckReport> = reports
        .iter()
        .filter(|r| matches!(r.status, Status::Failed | Status::Crashed))
        .collect();
    let lines: String = bad.iter().map(|r| format!("\n  {r}")).collect();
    assert!(
        bad.is_empty(),
        "{} with {}: {} of {} checks did not pass:{lines}",
        subject.id,
        subject.config,
        bad.len(),
        reports.len()
    );
}
