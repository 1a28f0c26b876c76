//! An algorithm object behind the ABI, and the factory that makes it.

mod entries;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    guard::entry,
    guarded::{Blame, Guarded},
};
use crate::{
    abi::{AlgorithmObject, CoordinationObject, HostContext, MakeOptions, Sink, Status, Text},
    algorithm::{Algorithm, AlgorithmCapabilities, AlgorithmRequest, Setting},
    client::{ExchangePort, Link},
    config,
    coordination::MechanismDescription,
    error::{Error, ErrorKind, Result},
    host::Host,
    table::Table,
};
use entries::Entries;

/// One object: the author's algorithm and everything the SDK keeps for it.
struct Adapter<A> {
    algorithm: A,
    capabilities: AlgorithmCapabilities,
    /// Names of the controlled groups.
    groups: Vec<String>,
    table: Table<'static>,
    connection: Option<Connection>,
}

impl<A> Blame for Adapter<A> {}

/// The way to the exchange mechanism, open during the calls of the algorithm only: in between, the host may
/// call the mechanism itself.
struct Connection {
    link: Arc<Link>,
    object: CoordinationObject,
}

impl Connection {
    /// # Safety
    /// The object must outlive the connection, and be called by nobody else while it is open.
    unsafe fn new(object: CoordinationObject) -> Self {
        // SAFETY: closed for now; `open` as the caller promises.
        let link = unsafe { Link::new(None) };
        Self { link, object }
    }

    fn open(&self) -> Opened {
        *self.link.lock() = Some(self.object);
        Opened(self.link.clone())
    }
}

/// Closes the link when the call of the algorithm ends, however it ends.
struct Opened(Arc<Link>);

impl Drop for Opened {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

impl<A: Algorithm> Adapter<A> {
    fn configure(&mut self, changes: &str) -> Result<()> {
        let changes: Map<String, Value> =
            serde_json::from_str(changes).map_err(|e| Error::config(format!("changes: {e}")))?;
        let tunable = &self.capabilities.tunable;
        if let Some(name) = changes.keys().find(|name| !tunable.contains(name)) {
            let message = format!("expected one of {tunable:?}, found {name:?}");
            return Err(Error::config(message));
        }
        self.algorithm.configure(&changes)
    }

    /// Reads a list of group names; only controlled ones have weights here.
    fn groups(&self, names: &str) -> Result<Vec<String>> {
        let names: Vec<String> =
            serde_json::from_str(names).map_err(|e| Error::config(format!("groups: {e}")))?;
        match names.iter().find(|name| !self.groups.contains(name)) {
            None => Ok(names),
            Some(name) => Err(Error::config(format!(
                "groups: expected some of {:?}, found {name:?}",
                self.groups
            ))),
        }
    }
}

/// Makes an object of an algorithm.
///
/// # Safety
/// The mechanism that the options name, if any, must outlive the object.
unsafe fn make<A: Algorithm>(
    request: &AlgorithmRequest,
    host: Host,
    options: &MakeOptions,
) -> Result<AlgorithmObject> {
    let within = |e: String| Error::config(format!("config {}: {e}", A::ID));
    let config: A::Config = config::parse(&request.config.to_string()).map_err(within)?;
    // SAFETY: forwarded from the caller.
    let connection = unsafe { connect(request.exchange.as_ref(), options)? };
    let port = |c: &Connection| {
        request
            .exchange
            .clone()
            .map(|d| (c.link.clone(), Arc::new(d)))
    };
    let port = connection.as_ref().and_then(port);
    let setting = Setting {
        role: request.role,
        spec: request.spec.clone(),
        controlled: request.controlled.clone(),
        run_seed: options.run_seed,
        instances: options.instances as usize,
        purpose: options.purpose,
        host,
        exchange: port.map(|(link, description)| ExchangePort::new(link, description)),
    };
    check_controlled(request)?;
    let _open = connection.as_ref().map(Connection::open);
    let capabilities = A::capabilities(&config, &setting)?;
    capabilities.check(request)?;
    let groups = setting.controlled_groups().map(|(_, g)| g.name.clone());
    let groups = groups.collect();
    let this = Guarded::into_raw(Adapter {
        algorithm: A::new(&config, &setting)?,
        capabilities,
        groups,
        table: Table::new(),
        connection,
    });
    let vtable = Entries::<A>::VTABLE;
    Ok(AlgorithmObject { this, vtable })
}

/// Authors index the groups of their setting: wrong ones must not get that far.
fn check_controlled(request: &AlgorithmRequest) -> Result<()> {
    let nothing = AlgorithmCapabilities {
        message_width: request.exchange.as_ref().map_or(0, |m| m.message_width),
        ..AlgorithmCapabilities::default()
    };
    nothing.check(request)
}

/// # Safety
/// As for [`make`].
unsafe fn connect(
    description: Option<&MechanismDescription>,
    options: &MakeOptions,
) -> Result<Option<Connection>> {
    // SAFETY: forwarded from the caller.
    match (unsafe { options.exchange.as_ref() }, description) {
        (None, None) => Ok(None),
        // SAFETY: forwarded from the caller; a connection is open during calls of the algorithm only.
        (Some(object), Some(_)) => Ok(Some(unsafe { Connection::new(*object) })),
        _ => {
            let message = "exchange: expected a mechanism and its description, found one of them";
            Err(Error::new(ErrorKind::Host, message))
        }
    }
}

/// An algorithm that a plugin exports; collected with `inventory`.
pub struct AlgorithmEntry {
    id: &'static str,
    pub(crate) make: unsafe fn(&AlgorithmRequest, Host, &MakeOptions) -> Result<AlgorithmObject>,
}

impl AlgorithmEntry {
    /// The entry of an [`Algorithm`].
    pub const fn of<A: Algorithm>() -> Self {
        Self {
            id: A::ID,
            make: make::<A>,
        }
    }
}

inventory::collect!(AlgorithmEntry);

/// Reads a request and finds its entry among those of the plugin.
///
/// # Safety
/// All pointers must be those of the `make` call.
pub(crate) unsafe extern "C" fn make_algorithm(
    request: Text,
    host: *const HostContext,
    options: *const MakeOptions,
    out: *mut AlgorithmObject,
    error: *const Sink,
) -> Status {
    // SAFETY: the caller follows the rules of `AlgorithmFactory::make`.
    unsafe {
        entry(error, || {
            let request: AlgorithmRequest = serde_json::from_str(request.as_str()?)
                .map_err(|e| Error::new(ErrorKind::Host, format!("request: {e}")))?;
            let found = inventory::iter::<AlgorithmEntry>
                .into_iter()
                .find(|e| e.id == request.id);
            let Some(found) = found else {
                let message = format!("algorithm {:?} is not in this plugin", request.id);
                return Err(Error::config(message));
            };
            out.write((found.make)(&request, Host::new(*host), &*options)?);
            Ok(())
        })
    }
}
