//! The functions behind a plugin's root module, the same for every plugin.

use std::sync::OnceLock;

use super::{
    algorithm::make_algorithm,
    coordination::make_mechanism,
    entry::{make_environment, read_trace},
    guard::{catch, entry, install_panic_hook},
};
use crate::{
    abi::{
        ALGORITHM_FACTORY, AlgorithmFactory, COORDINATION_FACTORY, CoordinationFactory,
        ENVIRONMENT_FACTORY, EnvironmentFactory, Extension, HostContext, Sink, Status, Text,
    },
    host::Host,
};

static HOST: OnceLock<Host> = OnceLock::new();

/// The services given to the plugin as a whole; objects carry their own.
pub(crate) fn host() -> Option<&'static Host> {
    HOST.get()
}

static ENVIRONMENTS: EnvironmentFactory = EnvironmentFactory {
    size: size_of::<EnvironmentFactory>() as u64,
    make: make_environment,
    trace: read_trace,
};

static ALGORITHMS: AlgorithmFactory = AlgorithmFactory {
    size: size_of::<AlgorithmFactory>() as u64,
    make: make_algorithm,
};

static COORDINATION: CoordinationFactory = CoordinationFactory {
    size: size_of::<CoordinationFactory>() as u64,
    make: make_mechanism,
};

/// `PluginRoot::init`.
///
/// # Safety
/// The pointers must be those of the `init` call; the context must stay valid.
pub unsafe extern "C" fn init(host: *const HostContext, error: *const Sink) -> Status {
    // SAFETY: forwarded from the caller.
    unsafe {
        entry(error, || {
            install_panic_hook();
            if let Some(context) = host.as_ref() {
                // A second `init` keeps the first host.
                let _ = HOST.set(Host::new(*context));
            }
            Ok(())
        })
    }
}

/// `PluginRoot::extension`.
///
/// # Safety
/// `id` must be readable for the call.
pub unsafe extern "C" fn extension(id: Text) -> Extension {
    catch(|| {
        // SAFETY: forwarded from the caller.
        match unsafe { id.as_str() } {
            Ok(ENVIRONMENT_FACTORY) => Extension::new(&ENVIRONMENTS),
            Ok(ALGORITHM_FACTORY) => Extension::new(&ALGORITHMS),
            Ok(COORDINATION_FACTORY) => Extension::new(&COORDINATION),
            _ => Extension::none(),
        }
    })
    .unwrap_or_else(|_| Extension::none())
}

/// `PluginRoot::manifest` for a manifest text.
///
/// # Safety
/// The sinks must be those of the call.
pub unsafe fn manifest(text: &[u8], out: *const Sink, error: *const Sink) -> Status {
    // SAFETY: forwarded from the caller.
    unsafe { entry(error, || (*out).put(text)) }
}
