//! Opening an admitted library: the one place where code of a plugin starts to run.
//!
//! Both doors end in the same factories. A library is opened `RTLD_NOW | RTLD_LOCAL` and never closed:
//! its vtables and threads may be in use for as long as the process lives.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::library::{
    AbiHeaderRef, LibHeader, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use palaestra_plugin_api::abi::{
    ABI_DRAFT, ALGORITHM_FACTORY, AlgorithmFactory, C_ENTRY_SYMBOL, CEntry, COORDINATION_FACTORY,
    CoordinationFactory, ENVIRONMENT_FACTORY, EnvironmentFactory, HostContext, PluginRootRef, Sink,
    Status, Text,
};
use palaestra_plugin_api::client::Context;

use crate::admit::Admitted;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Sha256;
use crate::manifest::{Door, Manifest};

/// A loaded plugin: the factories behind its door.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// Digest of the library's bytes.
    pub sha256: Sha256,
    /// What the library says about itself.
    pub manifest: &'static Manifest,
    /// Makes environments.
    pub environments: Option<&'static EnvironmentFactory>,
    /// Makes algorithms.
    pub algorithms: Option<&'static AlgorithmFactory>,
    /// Makes coordination mechanisms.
    pub coordination: Option<&'static CoordinationFactory>,
}

/// Opens an admitted library, or returns it when these very bytes are open already.
///
/// # Errors
/// Kind `Plugin`: the library cannot be opened, has no entry, another ABI or layout, or fails to start.
pub fn load(admitted: &Admitted) -> Result<Plugin> {
    static LOADED: OnceLock<Mutex<HashMap<Sha256, Plugin>>> = OnceLock::new();
    let loaded = LOADED.get_or_init(Mutex::default);
    let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(plugin) = loaded.get(&admitted.sha256) {
        return Ok(*plugin);
    }
    let about = |e: Error| e.within(format_args!("plugin {}", admitted.manifest.plugin));
    let plugin = open(admitted).map_err(about)?;
    loaded.insert(admitted.sha256, plugin);
    Ok(plugin)
}

fn open(admitted: &Admitted) -> Result<Plugin> {
    let library = dlopen(&admitted.copy)?;
    // The services given at start-up must live as long as the library: for ever.
    let context: &'static Context = Box::leak(Box::new(Context::default()));
    let host: &'static HostContext = Box::leak(Box::new(context.raw()));
    let mut plugin = Plugin {
        sha256: admitted.sha256,
        manifest: Box::leak(Box::new(admitted.manifest.clone())),
        environments: None,
        algorithms: None,
        coordination: None,
    };
    match admitted.manifest.door {
        Door::Rust => rust_door(library, host, &mut plugin)?,
        Door::C => c_door(library, host, &mut plugin)?,
    }
    Ok(plugin)
}

fn dlopen(copy: &Path) -> Result<&'static Library> {
    // SAFETY: the library is trusted: running its constructors is what was consented to.
    let library = unsafe { Library::open(Some(copy), RTLD_NOW | RTLD_LOCAL) };
    let library =
        library.map_err(|e| Error::plugin(format!("expected a loadable library, {e}")))?;
    Ok(Box::leak(Box::new(library)))
}

fn rust_door(
    library: &'static Library,
    host: &'static HostContext,
    plugin: &mut Plugin,
) -> Result<()> {
    let root = checked_root(library)?;
    // SAFETY: the context is leaked, and this is the first call.
    start(|error| unsafe { (root.init())(host, error) })?;
    let extension = |id: &str| {
        // SAFETY: the id is readable for the call.
        unsafe { (root.extension())(Text::new(id)) }
    };
    let refused = |e: palaestra_plugin_api::Error| Error::plugin(e.message);
    plugin.environments = extension(ENVIRONMENT_FACTORY)
        .get(ENVIRONMENT_FACTORY)
        .map_err(refused)?;
    plugin.algorithms = extension(ALGORITHM_FACTORY)
        .get(ALGORITHM_FACTORY)
        .map_err(refused)?;
    plugin.coordination = extension(COORDINATION_FACTORY)
        .get(COORDINATION_FACTORY)
        .map_err(refused)?;
    Ok(())
}

/// The root module, after abi_stable's handshake and layout check.
fn checked_root(library: &'static Library) -> Result<PluginRootRef> {
    // SAFETY: a library with this symbol and a manifest was made by `export_plugin!`; `upgrade` checks the
    // header's own magic before anything behind it is read.
    let header = unsafe {
        let symbol = library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes());
        let symbol = symbol
            .map_err(|_| Error::plugin("expected the root module of export_plugin!, found none"))?;
        (*symbol).upgrade().map_err(|e| summary(&e))?
    };
    check_layout(header)?;
    // SAFETY: the layouts agree, as just checked.
    unsafe { header.unchecked_layout::<PluginRootRef>() }.map_err(|e| {
        Error::plugin(format!(
            "expected a root module, {}",
            first_line(&e.to_string())
        ))
    })
}

/// A plugin can leave its layout out; one that does cannot be checked, so it is refused. The check runs
/// in both directions: abi_stable's own refuses an older plugin whose types are a prefix of ours.
fn check_layout(header: &'static LibHeader) -> Result<()> {
    let theirs = header.layout().ok_or_else(|| {
        Error::plugin(
            "expected type layouts to check, found none; build without disabling the layout check",
        )
    })?;
    let ours = <PluginRootRef as StableAbi>::LAYOUT;
    if check_layout_compatibility(ours, theirs).is_ok()
        || check_layout_compatibility(theirs, ours).is_ok()
    {
        return Ok(());
    }
    Err(Error::plugin(format!(
        "expected the type layouts of ABI draft {ABI_DRAFT}, found others; rebuild the plugin against this host"
    )))
}

fn c_door(
    library: &'static Library,
    host: &'static HostContext,
    plugin: &mut Plugin,
) -> Result<()> {
    // SAFETY: the manifest says that this symbol is a `CEntry`; its size and draft are checked before use.
    let entry: &'static CEntry = unsafe {
        let symbol = library.get::<&'static CEntry>(C_ENTRY_SYMBOL.as_bytes());
        *symbol.map_err(|_| {
            Error::plugin(format!("expected the symbol {C_ENTRY_SYMBOL}, found none"))
        })?
    };
    if entry.size < size_of::<CEntry>() as u64 || entry.abi_draft != ABI_DRAFT {
        return Err(Error::plugin(format!(
            "expected an entry of ABI draft {ABI_DRAFT}, found draft {}; rebuild the plugin against this host's header",
            entry.abi_draft
        )));
    }
    // SAFETY: as for the Rust door.
    start(|error| unsafe { (entry.init)(host, error) })?;
    // SAFETY: factories start with their size, which `sized` checks; they are static.
    unsafe {
        plugin.environments = sized(
            (entry.extension)(Text::new(ENVIRONMENT_FACTORY)).cast(),
            |f: &EnvironmentFactory| f.size,
        )?;
        plugin.algorithms = sized(
            (entry.extension)(Text::new(ALGORITHM_FACTORY)).cast(),
            |f: &AlgorithmFactory| f.size,
        )?;
        plugin.coordination = sized(
            (entry.extension)(Text::new(COORDINATION_FACTORY)).cast(),
            |f: &CoordinationFactory| f.size,
        )?;
    }
    Ok(())
}

/// A factory of the C door, unless it is absent or too small to be one.
///
/// # Safety
/// `factory` must be null or point to a static struct that begins with its size as `u64`.
unsafe fn sized<T>(factory: *const T, size: impl Fn(&T) -> u64) -> Result<Option<&'static T>> {
    // SAFETY: forwarded from the caller.
    match unsafe { factory.as_ref() } {
        Some(f) if size(f) < size_of::<T>() as u64 => Err(Error::plugin(format!(
            "expected a factory of {} bytes, found {}",
            size_of::<T>(),
            size(f)
        ))),
        found => Ok(found),
    }
}

fn start(init: impl FnOnce(*const Sink) -> Status) -> Result<()> {
    let mut message = Vec::new();
    let sink = Sink::to_vec(&mut message);
    match init(&sink) {
        0 => Ok(()),
        status => Err(Error::plugin(format!(
            "expected to start, failed with status {status}: {}",
            first_line(&String::from_utf8_lossy(&message))
        ))),
    }
}

/// abi_stable explains itself over many pages; a person gets the first line.
fn summary(error: &LibraryError) -> Error {
    Error::new(
        ErrorKind::Plugin,
        format!(
            "expected a compatible plugin interface, {}",
            first_line(&error.to_string())
        ),
    )
}

fn first_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|l| !l.is_empty())
        .unwrap_or("no reason given")
        .to_owned()
}
