//! JSON values and JSON Schemas as constants.

/// A JSON value known at compile time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any integer of up to 64 bits.
    Integer(i128),
    /// A finite f64.
    Float(f64),
    /// A finite f32, written with the digits an f32 needs.
    Float32(f32),
    /// A string, not yet escaped.
    String(&'static str),
    /// An array.
    Array(&'static [Json]),
    /// An array of so many equal values.
    Repeat(&'static Json, usize),
    /// An object.
    Object(&'static [(&'static str, Json)]),
}

impl Json {
    /// `self < other`, between numbers; false when either is NaN or not a number.
    pub(super) const fn less(self, other: Json) -> bool {
        match (self, other) {
            (Json::Integer(a), Json::Integer(b)) => a < b,
            (a, b) => a.as_f64() < b.as_f64(),
        }
    }

    /// `self ≤ other`, between numbers; false when either is NaN or not a number.
    pub(super) const fn at_most(self, other: Json) -> bool {
        match (self, other) {
            (Json::Integer(a), Json::Integer(b)) => a <= b,
            (a, b) => a.as_f64() <= b.as_f64(),
        }
    }

    const fn as_f64(self) -> f64 {
        match self {
            Json::Integer(x) => x as f64,
            Json::Float(x) => x,
            Json::Float32(x) => x as f64,
            _ => f64::NAN,
        }
    }
}

/// What a schema says of one place: its kind, and what a field adds.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What values are allowed.
    pub kind: Kind,
    /// Whether `null` is allowed too.
    pub nullable: bool,
    /// In words; empty for none.
    pub description: &'static str,
    /// The value when the key is missing.
    pub default: Option<Json>,
    /// x ≥ this.
    pub minimum: Option<Json>,
    /// x > this.
    pub exclusive_minimum: Option<Json>,
    /// x ≤ this.
    pub maximum: Option<Json>,
    /// x < this.
    pub exclusive_maximum: Option<Json>,
}

/// The kinds of values.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// An integer of a Rust type.
    Integer {
        /// JSON Schema's `format`, such as `uint32`.
        format: &'static str,
        /// The type's least value.
        least: i128,
        /// The type's greatest value.
        greatest: i128,
    },
    /// A float.
    Number {
        /// JSON Schema's `format`: `float` or `double`.
        format: &'static str,
    },
    /// A number or a straight line: [`Rate`](super::Rate).
    Rate,
    /// Any string.
    String,
    /// One of these strings.
    Choice(&'static [Choice]),
    /// An array of equal items.
    Array {
        /// Each item.
        items: &'static Schema,
        /// How many, when that is fixed.
        length: Option<usize>,
    },
    /// An object with any keys and equal values.
    Map(&'static Schema),
    /// An object with these keys, each optional.
    Object(&'static [Property]),
}

/// One string of [`Kind::Choice`]: a variant of a `#[config]` enum.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The string.
    pub name: &'static str,
    /// In words.
    pub description: &'static str,
}

/// One key of [`Kind::Object`]: a field of a `#[config]` struct.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The key.
    pub name: &'static str,
    /// Its value.
    pub schema: Schema,
}

impl Schema {
    /// The schema that says no more than the kind.
    pub const fn of(kind: Kind) -> Self {
        Self {
            kind,
            nullable: false,
            description: "",
            default: None,
            minimum: None,
            exclusive_minimum: None,
            maximum: None,
            exclusive_maximum: None,
        }
    }
}
