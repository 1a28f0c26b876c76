//! A mechanism object behind the ABI: its ports, and the activations that it keeps under tokens.

mod entries;

use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use super::{
    guard::entry,
    guarded::{Blame, Guarded},
};
use crate::{
    abi::{CoordinationObject, ExchangeCall, HostContext, MakeOptions, Sink, Status, Text},
    config,
    coordination::{Exchange, Mechanism, MechanismDescription, Place, Port},
    error::{Error, ErrorKind, Result},
    host::Host,
    spec::EnvironmentSpec,
    table::Table,
};
use entries::Entries;

/// One object: the author's mechanism and everything the SDK keeps for it.
pub(crate) struct Adapter<M: Mechanism> {
    mechanism: M,
    description: MechanismDescription,
    table: Table<'static>,
    saved: HashMap<u64, Saved<M::Saved>>,
    /// The token that was given last; 0 before the first.
    last_token: u64,
    /// Parameters of the last saved exchange: as a rule those of the next.
    parameters: Arc<[f32]>,
}

impl<M: Mechanism> Blame for Adapter<M> {}

/// What one exchange keeps for its way back.
struct Saved<T> {
    activations: T,
    rows: usize,
    agents: usize,
    parameters: Arc<[f32]>,
}

/// Makes an object of a mechanism.
fn make<M: Mechanism>(config: &str, place: &Place) -> Result<CoordinationObject> {
    let within = |e: String| Error::config(format!("config {}: {e}", M::ID));
    let config: M::Config = config::parse(config).map_err(within)?;
    let mechanism = M::new(&config, place)?;
    let mut description = mechanism.describe();
    description.id = M::ID.into();
    description.validate().map_err(|e| e.within(M::ID))?;
    let this = Guarded::into_raw(Adapter {
        mechanism,
        description,
        table: Table::new(),
        saved: HashMap::new(),
        last_token: 0,
        parameters: Arc::new([]),
    });
    let vtable = Entries::<M>::VTABLE;
    Ok(CoordinationObject { this, vtable })
}

impl<M: Mechanism> Adapter<M> {
    fn offers(&self, port: Port) -> Result<()> {
        if self.description.has(port) {
            return Ok(());
        }
        Err(Error::unsupported(format!("not offered by {}", M::ID)))
    }

    fn exchange(&mut self, call: Exchange<'_>) -> Result<u64> {
        let (rows, agents, save) = (call.rows, call.agents, call.save);
        if save && *self.parameters != *call.parameters {
            self.parameters = call.parameters.into();
        }
        let activations = self.mechanism.exchange(call)?;
        if !save {
            return Ok(0);
        }
        self.last_token += 1;
        let parameters = self.parameters.clone();
        let saved = Saved {
            activations,
            rows,
            agents,
            parameters,
        };
        self.saved.insert(self.last_token, saved);
        Ok(self.last_token)
    }

    fn take(&mut self, token: u64) -> Result<Saved<M::Saved>> {
        self.saved.remove(&token).ok_or_else(|| {
            let message =
                format!("token: expected an open one, found {token}, used or never given");
            Error::new(ErrorKind::Host, message)
        })
    }

    /// `(rows, agents)` as lengths that do not overflow with any declared width.
    fn size(&self, call: &ExchangeCall) -> Result<(usize, usize)> {
        let d = &self.description;
        let widest = [
            d.message_width,
            d.inbox_width,
            d.state_width,
            d.extras_width,
            1,
        ];
        let widest = widest.into_iter().max().unwrap_or(1);
        let (rows, agents) = (call.rows as usize, call.agents as usize);
        let bytes = rows
            .checked_mul(agents)
            .and_then(|n| n.checked_mul(widest))
            .and_then(|n| n.checked_mul(size_of::<u64>()));
        if agents == 0 || bytes.is_none_or(|n| n > isize::MAX as usize) {
            let message = format!("expected rows of at least one agent, found {rows} × {agents}");
            return Err(Error::new(ErrorKind::Host, message));
        }
        Ok((rows, agents))
    }
}

/// A mechanism that a plugin exports; collected with `inventory`.
pub struct MechanismEntry {
    id: &'static str,
    pub(crate) make: fn(config: &str, place: &Place) -> Result<CoordinationObject>,
}

impl MechanismEntry {
    /// The entry of a [`Mechanism`].
    pub const fn of<M: Mechanism>() -> Self {
        Self {
            id: M::ID,
            make: make::<M>,
        }
    }
}

inventory::collect!(MechanismEntry);

/// `{"id": …, "config": {…}, "spec": {…}}`.
#[derive(Deserialize)]
struct Request {
    id: String,
    #[serde(default)]
    config: Value,
    spec: EnvironmentSpec,
}

/// Reads a request and finds its entry among those of the plugin.
///
/// # Safety
/// All pointers must be those of the `make` call.
pub(crate) unsafe extern "C" fn make_mechanism(
    request: Text,
    host: *const HostContext,
    options: *const MakeOptions,
    out: *mut CoordinationObject,
    error: *const Sink,
) -> Status {
    // SAFETY: the caller follows the rules of `CoordinationFactory::make`.
    unsafe {
        entry(error, || {
            let request: Request = serde_json::from_str(request.as_str()?)
                .map_err(|e| Error::new(ErrorKind::Host, format!("request: {e}")))?;
            let found = inventory::iter::<MechanismEntry>
                .into_iter()
                .find(|e| e.id == request.id);
            let Some(found) = found else {
                let message = format!("mechanism {:?} is not in this plugin", request.id);
                return Err(Error::config(message));
            };
            let options = &*options;
            let place = Place {
                spec: request.spec,
                run_seed: options.run_seed,
                instances: options.instances as usize,
                purpose: options.purpose,
                host: Host::new(*host),
            };
            out.write((found.make)(&request.config.to_string(), &place)?);
            Ok(())
        })
    }
}
