//! One struct per plugin says everything about its settings: their types, defaults, ranges and words.
//!
//! [`#[config]`](macro@crate::config) turns that struct into serde, schemars and `Default` implementations *and*
//! into [`Config::SCHEMA`], the JSON Schema as a constant: it can be placed into a section of the plugin's
//! file and read there without running anything.
//!
//! ```
//! use palaestra_plugin_api::config::{self, Config};
//!
//! /// Settings of CartPole.
//! #[palaestra_plugin_api::config]
//! pub struct CartPoleConfig {
//!     /// Steps until truncation.
//!     #[config(default = 500, range = 1..=100_000)]
//!     pub max_episode_steps: u32,
//!     /// Force of a push [N].
//!     #[config(default = 10.0, above = 0.0)]
//!     pub force: f64,
//! }
//!
//! let settings: CartPoleConfig = config::parse(r#"{"force": 5}"#)?;
//! assert_eq!((settings.max_episode_steps, settings.force), (500, 5.0));
//! let refused = config::parse::<CartPoleConfig>(r#"{"force": 0}"#);
//! assert_eq!(refused, Err("/force: expected 0 < x, found 0".to_owned()));
//! assert!(CartPoleConfig::SCHEMA.contains(r#""exclusiveMinimum":0.0"#));
//! # Ok::<(), String>(())
//! ```
//!
//! A default outside its range does not compile:
//!
//! ```compile_fail,E0080
//! /// Settings.
//! #[palaestra_plugin_api::config]
//! pub struct Wrong {
//!     /// A probability.
//!     #[config(default = 1.5, range = 0.0..=1.0)]
//!     pub epsilon: f64,
//! }
//! ```
//!
//! How it works: the macro writes each type's settings as a constant [`Schema`] (plain data, so that any
//! nesting composes), [`text`] turns it into JSON at compile time, and the same data checks values at run
//! time. [`testing`] is what the test that the macro generates calls: schemars must agree.

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

mod check;
mod float;
mod rate;
mod schema;
pub mod testing;
pub mod text;
mod types;

pub use check::{Pointer, check_field, default_in_range};
pub use rate::{Line, Rate};
pub use schema::{Choice, Json, Kind, Property, Schema};
pub use types::{Constant, Container, Number, Of, Scalar, bound};

/// A type that a field of a `#[config]` struct may have.
///
/// Implemented for `bool`, integers to 64 bits, `f32`, `f64`, `String`, `Option`, `Vec`, arrays up to 32,
/// `BTreeMap<String, _>`, [`Rate`] (a number or a schedule) and every `#[config]` type; not meant to be implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a `#[config]` type",
    label = "not a config type",
    note = "use bool, an integer, f32, f64, String, Option, Vec, an array, BTreeMap<String, _>, Rate or another #[config] type"
)]
pub trait ConfigType {
    /// The schema of a value of this type.
    const SHAPE: Schema;
    /// `Self::default()` as JSON.
    const DEFAULT: Json;

    /// Checks what the type alone does not say: ranges, and that numbers are finite.
    ///
    /// `schema` is the schema at this place (a field narrows its type's), `at` names the place.
    ///
    /// # Errors
    /// `/pointer: expected X, found Y` for the first value at fault.
    fn check(&self, schema: &Schema, at: &Pointer<'_>) -> Result<(), String>;
}

/// The settings of a plugin: what [`#[config]`](macro@crate::config) implements.
pub trait Config:
    ConfigType + Default + Clone + Debug + PartialEq + Serialize + DeserializeOwned + JsonSchema
{
    /// The JSON Schema (draft 2020-12) as text, built at compile time.
    const SCHEMA: &'static str;

    /// Checks every range, also those of nested settings.
    ///
    /// # Errors
    /// `/pointer: expected X, found Y` for the first value at fault, such as `/force: expected 0 ≤ x, found -1`.
    fn validate(&self) -> Result<(), String> {
        self.check(&Self::SHAPE, &Pointer::ROOT)
    }
}

/// Reads settings from JSON and validates them; nothing, `null` and `{}` mean the defaults.
///
/// # Errors
/// `/pointer: expected X, found Y` for the first value at fault (without `/pointer: ` when it is the whole
/// text), or what is wrong with the text as JSON.
pub fn parse<C: Config>(json: &str) -> Result<C, String> {
    if matches!(json.trim(), "" | "null" | "{}") {
        return Ok(C::default());
    }
    let document = serde_json::from_str(json)
        .map_err(|error| format!("expected JSON, found malformed text: {error}"))?;
    // The schema first: it knows the place, and serde would take an array for a struct.
    if let Some(fault) = check::fault(&document, &C::SHAPE, &Pointer::ROOT) {
        return Err(fault);
    }
    let config: C = serde_json::from_str(json)
        .map_err(|error| format!("expected settings as in the schema, found {error}"))?;
    config.validate()?;
    Ok(config)
}
