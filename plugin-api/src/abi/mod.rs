//! Everything that crosses the plugin boundary, and nothing else.
//!
//! Cold things (specs, configs, metadata) cross as JSON text through [`Text`] and [`Sink`]; hot
//! things (observations, actions, rewards, weights) as [`Slab`]s of host-owned memory, a whole
//! batch per call. The same vtables serve two doors: the Rust door, whose layouts `abi_stable`
//! checks at load time, and the C door (`include/palaestra_plugin.h`).
//!
//! Authors never see this module: the SDK fills it in. Hosts use it through [`crate::client`].
#![allow(unsafe_code)]
#![allow(non_local_definitions)]

mod algorithm;
mod coordination;
mod environment;
mod host;
mod root;
mod slab;
mod text;

pub use algorithm::*;
pub use coordination::*;
pub use environment::*;
pub use host::*;
pub use root::*;
pub use slab::*;
pub use text::*;

/// Version of the ABI; frozen at 1.0, grown only by extensions looked up by id.
pub const ABI_VERSION: &str = "1.0";

/// While the ABI is a draft, host and plugin must carry exactly the same number.
pub const ABI_DRAFT: u32 = 1;
