//! The root module of the Rust door (`abi_stable`) and the entry of the C door.

use abi_stable::{
    StableAbi, abi_stability::abi_checking::check_layout_compatibility,
    declare_root_module_statics, library::RootModule, package_version_strings,
    sabi_types::VersionStrings, type_layout::TypeLayout,
};

use super::{HostContext, Opaque, Sink, Status, Text};
use crate::error::{Error, Result};

/// Name of the linker section that holds the manifest (JSON, readable without running anything).
pub const MANIFEST_SECTION: &str = ".rlmeta";

/// Symbol of the C door: a static [`CEntry`].
pub const C_ENTRY_SYMBOL: &str = "palaestra_plugin_entry";

/// An interface found by id, with the layout that its side was compiled with.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct Extension {
    /// Layout of what `pointer` points to.
    pub layout: &'static TypeLayout,
    /// A static value of the extension's type, or null when the id is unknown.
    pub pointer: *const Opaque,
}

impl Extension {
    /// Wraps a static value.
    pub const fn new<T: StableAbi>(value: &'static T) -> Self {
        Self {
            layout: T::LAYOUT,
            pointer: std::ptr::from_ref(value).cast(),
        }
    }

    /// The id is unknown.
    pub const fn none() -> Self {
        Self {
            layout: <Opaque as StableAbi>::LAYOUT,
            pointer: std::ptr::null(),
        }
    }

    /// The extension as a `T`, when it is there and its layout is ours.
    pub fn get<T: StableAbi>(self, id: &str) -> Result<Option<&'static T>> {
        if self.pointer.is_null() {
            return Ok(None);
        }
        check_layout_compatibility(T::LAYOUT, self.layout).map_err(|_| {
            Error::plugin(format!(
                "extension {id}: expected this host's layout, found another; rebuild the plugin"
            ))
        })?;
        // SAFETY: the layouts agree, and extensions are static.
        Ok(Some(unsafe { &*self.pointer.cast::<T>() }))
    }
}

/// The root of a Rust plugin. Frozen at 1.0.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRootRef, prefix_fields = PluginRootPrefix)))]
#[sabi(missing_field(panic))]
pub struct PluginRoot {
    /// `[any thread]` Writes the manifest as JSON: the text of the manifest section.
    pub manifest: unsafe extern "C" fn(out: *const Sink, error: *const Sink) -> Status,
    /// `[once, before anything else]` Hands over the host's services.
    pub init: unsafe extern "C" fn(host: *const HostContext, error: *const Sink) -> Status,
    /// `[any thread]` An interface by id.
    #[sabi(last_prefix_field)]
    pub extension: unsafe extern "C" fn(id: Text) -> Extension,
}

impl RootModule for PluginRootRef {
    declare_root_module_statics! {PluginRootRef}
    const BASE_NAME: &'static str = "palaestra_plugin";
    const NAME: &'static str = "palaestra_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// The entry of the C door: what the symbol [`C_ENTRY_SYMBOL`] points to.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct CEntry {
    /// Size of this struct in bytes.
    pub size: u64,
    /// Must equal the host's draft number.
    pub abi_draft: u32,
    /// Zero.
    pub reserved: u32,
    /// As in [`PluginRoot::init`].
    pub init: unsafe extern "C" fn(host: *const HostContext, error: *const Sink) -> Status,
    /// The factory with this id, or null. Factories start with their size.
    pub extension: unsafe extern "C" fn(id: Text) -> *const Opaque,
}
