//! A number that may change over training: a learning rate, ε, a clipping range.

use std::borrow::Cow;

use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::ConfigType;
use super::check::{Pointer, check_field, check_number};
use super::schema::{Json, Kind, Property, Schema};
use super::types::{Constant, Number, Of, Scalar};

/// A setting that is a number, or a straight line from one number to another over training.
///
/// In JSON a number, or `{"from": 1.0, "to": 0.05, "steps": 10000}`. A field's range binds all its numbers;
/// `steps` is at least 1. The default of a field is a number or `Rate::linear(from, to, steps)`.
///
/// ```
/// use palaestra_plugin_api::config::{self, Rate};
///
/// /// Settings.
/// #[palaestra_plugin_api::config]
/// struct Settings {
///     /// Learning rate of Adam.
///     #[config(default = 3e-4, above = 0.0)]
///     lr: Rate,
///     /// Probability of a random action.
///     #[config(default = Rate::linear(1.0, 0.05, 10_000), range = 0.0..=1.0)]
///     epsilon: Rate,
/// }
///
/// let settings: Settings = config::parse(r#"{"lr": {"from": 1e-3, "to": 1e-4, "steps": 100}}"#)?;
/// assert_eq!([0, 50, 200].map(|step| settings.lr.at(step)), [1e-3, 5.5e-4, 1e-4]);
/// assert_eq!(settings.epsilon.at(5_000), 0.525);
/// # Ok::<(), String>(())
/// ```
///
/// A line that leaves the range does not compile:
///
/// ```compile_fail,E0080
/// use palaestra_plugin_api::config::Rate;
///
/// /// Settings.
/// #[palaestra_plugin_api::config]
/// struct Settings {
///     /// Probability of a random action.
///     #[config(default = Rate::linear(1.0, -0.05, 10_000), range = 0.0..=1.0)]
///     epsilon: Rate,
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rate {
    /// The same value always.
    Constant(f64),
    /// A straight line, constant afterwards.
    Linear(Line),
}

/// From one value to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Value at step 0.
    pub from: f64,
    /// Value from step `steps` on.
    pub to: f64,
    /// Environment steps from one to the other, at least 1.
    pub steps: u64,
}

impl Rate {
    /// A straight line over so many environment steps, constant afterwards.
    #[must_use]
    pub const fn linear(from: f64, to: f64, steps: u64) -> Self {
        Self::Linear(Line { from, to, steps })
    }

    /// The value at an environment step.
    #[must_use]
    pub fn at(&self, step: u64) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Linear(Line { to, steps, .. }) if step >= steps => to,
            Self::Linear(Line { from, to, steps }) => {
                from + (to - from) * (step as f64 / steps as f64)
            }
        }
    }
}

impl From<f64> for Rate {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

impl Default for Rate {
    /// Zero.
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

/// The keys of a line, all required.
pub(super) const KEYS: [&str; 3] = ["from", "to", "steps"];

const DESCRIPTIONS: [&str; 3] = [
    "Value at step 0.",
    "Value from step `steps` on.",
    "Environment steps from one to the other.",
];

/// The schema of a number of a rate, with the range of the rate's.
pub(super) const fn number(rate: &Schema) -> Schema {
    Schema {
        minimum: rate.minimum,
        exclusive_minimum: rate.exclusive_minimum,
        maximum: rate.maximum,
        exclusive_maximum: rate.exclusive_maximum,
        ..<f64 as ConfigType>::SHAPE
    }
}

/// The keys of a line with their schemas, by the schema of the rate.
pub(super) const fn line(rate: &Schema) -> [Property; 3] {
    const fn property(key: usize, schema: Schema) -> Property {
        Property {
            name: KEYS[key],
            schema: Schema {
                description: DESCRIPTIONS[key],
                ..schema
            },
        }
    }
    let steps = Schema {
        minimum: Some(Json::Integer(1)),
        ..<u64 as ConfigType>::SHAPE
    };
    [
        property(0, number(rate)),
        property(1, number(rate)),
        property(2, steps),
    ]
}

impl ConfigType for Rate {
    const SHAPE: Schema = Schema::of(Kind::Rate);
    const DEFAULT: Json = Json::Float(0.0);

    fn check(&self, schema: &Schema, at: &Pointer<'_>) -> Result<(), String> {
        match self {
            Self::Constant(value) => check_number(Json::Float(*value), schema, at),
            Self::Linear(values) => {
                let line = line(schema);
                check_field(&values.from, &line[0], at)?;
                check_field(&values.to, &line[1], at)?;
                check_field(&values.steps, &line[2], at)
            }
        }
    }
}

impl Scalar for Rate {
    type Literal = f64;
    type Json<C: Constant<f64>> = Of<Rate, C>;

    fn from_literal(literal: f64) -> Self {
        Self::Constant(literal)
    }
}

impl<C: Constant<f64>> Constant<Json> for Of<Rate, C> {
    const VALUE: Json = Json::Float(C::VALUE);
}

impl Number for Rate {
    type Bound = f64;
    type Value = Self;
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> schemars::Schema {
        json_schema!({"anyOf": [
            {"type": "number", "format": "double"},
            {
                "type": "object",
                "properties": {
                    "from": {"description": DESCRIPTIONS[0], "type": "number", "format": "double"},
                    "to": {"description": DESCRIPTIONS[1], "type": "number", "format": "double"},
                    "steps": {
                        "description": DESCRIPTIONS[2],
                        "type": "integer", "format": "uint64", "minimum": 1
                    },
                },
                "required": KEYS,
                "additionalProperties": false,
            },
        ]})
    }
}
