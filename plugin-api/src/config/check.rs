//! Values against a [`Schema`], and the words for what is wrong.

use std::fmt::{self, Display};

use serde_json::Value;

use super::ConfigType;
use super::rate;
use super::schema::{Choice, Json, Kind, Property, Schema};

/// A place in a JSON document, printed as a JSON pointer (RFC 6901).
#[derive(Clone, Copy, Debug)]
pub struct Pointer<'a> {
    step: Option<(&'a Pointer<'a>, Step<'a>)>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Pointer<'a> {
    /// The whole document.
    pub const ROOT: Self = Self { step: None };

    /// The member `key` of the object here.
    pub fn key(&'a self, key: &'a str) -> Self {
        Self {
            step: Some((self, Step::Key(key))),
        }
    }

    /// Item `index` of the array here.
    pub fn index(&'a self, index: usize) -> Self {
        Self {
            step: Some((self, Step::Index(index))),
        }
    }

    /// `/pointer: expected X, found Y`, without the pointer at the root.
    pub(super) fn expected(&self, expected: impl Display, found: impl Display) -> String {
        match self.step {
            None => format!("expected {expected}, found {found}"),
            Some(_) => format!("{self}: expected {expected}, found {found}"),
        }
    }
}

impl Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            None => Ok(()),
            Some((parent, Step::Key(key))) => {
                write!(f, "{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Some((parent, Step::Index(index))) => write!(f, "{parent}/{index}"),
        }
    }
}

/// Checks one field of a struct.
///
/// # Errors
/// As [`ConfigType::check`].
pub fn check_field<T: ConfigType>(
    value: &T,
    property: &Property,
    at: &Pointer<'_>,
) -> Result<(), String> {
    value.check(&property.schema, &at.key(property.name))
}

/// Whether the default of a field is finite and in the range, where it is a number or a line of numbers.
pub const fn default_in_range(property: &Property) -> bool {
    match property.schema.default {
        // `null` of an `Option`: the range binds the value that may be there.
        Some(Json::Null) | None => true,
        Some(Json::Object(values)) if matches!(property.schema.kind, Kind::Rate) => {
            let line = rate::line(&property.schema);
            let mut valid = values.len() == line.len();
            let mut i = 0;
            while valid && i < line.len() {
                let value = values[i].1;
                valid = is_finite(value) && in_range(value, &line[i].schema);
                i += 1;
            }
            valid
        }
        Some(value) => is_finite(value) && in_range(value, &property.schema),
    }
}

const fn is_finite(x: Json) -> bool {
    match x {
        Json::Float(x) => x.is_finite(),
        Json::Float32(x) => x.is_finite(),
        _ => true,
    }
}

/// Whether a number is in the range of its schema; NaN is in no range.
const fn in_range(x: Json, schema: &Schema) -> bool {
    !(matches!(schema.minimum, Some(bound) if !bound.at_most(x))
        || matches!(schema.exclusive_minimum, Some(bound) if !bound.less(x))
        || matches!(schema.maximum, Some(bound) if !x.at_most(bound))
        || matches!(schema.exclusive_maximum, Some(bound) if !x.less(bound)))
}

/// Checks that a number is finite and in range.
pub(super) fn check_number(x: Json, schema: &Schema, at: &Pointer<'_>) -> Result<(), String> {
    if is_finite(x) && in_range(x, schema) {
        return Ok(());
    }
    let range = range(schema);
    let expected = if range.is_empty() {
        "a finite number"
    } else {
        &range
    };
    Err(at.expected(expected, number(x)))
}

/// The range of a schema in words: `0 < x ≤ 1`; empty when there is none.
fn range(schema: &Schema) -> String {
    // `above = 0` on an unsigned field: the type's own minimum says nothing more.
    let low = match (schema.minimum, schema.exclusive_minimum) {
        (Some(at_least), Some(above)) if above.less(at_least) => format!("{} ≤ ", number(at_least)),
        (_, Some(above)) => format!("{} < ", number(above)),
        (Some(at_least), None) => format!("{} ≤ ", number(at_least)),
        (None, None) => String::new(),
    };
    let high = match (schema.maximum, schema.exclusive_maximum) {
        (Some(at_most), Some(below)) if at_most.less(below) => format!(" ≤ {}", number(at_most)),
        (_, Some(below)) => format!(" < {}", number(below)),
        (Some(at_most), None) => format!(" ≤ {}", number(at_most)),
        (None, None) => String::new(),
    };
    if low.is_empty() && high.is_empty() {
        String::new()
    } else {
        format!("{low}x{high}")
    }
}

/// A number in as few signs as say it all.
fn number(x: Json) -> String {
    fn short<F: Display + fmt::LowerExp>(x: F, size: f64) -> String {
        if size == 0.0 || !size.is_finite() || (1e-5..1e16).contains(&size) {
            x.to_string()
        } else {
            format!("{x:e}")
        }
    }
    match x {
        Json::Integer(x) => x.to_string(),
        Json::Float32(x) => short(x, f64::from(x.abs())),
        Json::Float(x) => short(x, x.abs()),
        other => unreachable!("{other:?} is never compared with a range"),
    }
}

/// The first place where a document departs from a schema; none when it conforms.
pub(super) fn fault(value: &Value, schema: &Schema, at: &Pointer<'_>) -> Option<String> {
    let expected = |what: &str| {
        let or_null = if schema.nullable { " or null" } else { "" };
        Some(at.expected(format_args!("{what}{or_null}"), Found(value)))
    };
    match (schema.kind, value) {
        (_, Value::Null) if schema.nullable => None,
        (Kind::Boolean, Value::Bool(_)) | (Kind::String, Value::String(_)) => None,
        (Kind::Boolean, _) => expected("true or false"),
        (Kind::String, _) => expected("a string"),
        (Kind::Choice(choices), Value::String(name)) if choices.iter().any(|c| c.name == name) => {
            None
        }
        (Kind::Choice(choices), _) => expected(&one_of(choices)),
        (
            Kind::Integer {
                least, greatest, ..
            },
            _,
        ) => match integer(value) {
            None => expected("an integer"),
            Some(x) => {
                let mut limits = *schema;
                // What the type can hold is a limit too, though the schema leaves it to `format`.
                if !(least..=greatest).contains(&x) {
                    limits.minimum = limits.minimum.or(Some(Json::Integer(least)));
                    limits.maximum = limits.maximum.or(Some(Json::Integer(greatest)));
                }
                check_number(Json::Integer(x), &limits, at).err()
            }
        },
        (Kind::Number { format }, _) => match value.as_f64() {
            None => expected("a number"),
            // As the f32 it becomes: a bound of 0.1 is not quite the f64 of that name.
            Some(x) if format == "float" => check_number(Json::Float32(x as f32), schema, at).err(),
            Some(x) => check_number(Json::Float(x), schema, at).err(),
        },
        (Kind::Rate, Value::Number(_)) => fault(value, &rate::number(schema), at),
        (Kind::Rate, Value::Object(members)) => {
            let line = rate::line(schema);
            let wrong = members
                .iter()
                .find_map(|(key, value)| member_fault(key, value, &line, at));
            let lacks = |key: &&str| !members.contains_key(*key);
            let missing = || rate::KEYS.iter().copied().find(lacks);
            wrong.or_else(|| missing().map(|key| at.key(key).expected("a value", "none")))
        }
        (Kind::Rate, _) => expected("a number or {from, to, steps}"),
        (Kind::Array { items, length }, Value::Array(values)) => match length {
            Some(length) if length != values.len() => {
                Some(at.expected(format_args!("{length} items"), values.len()))
            }
            _ => values
                .iter()
                .enumerate()
                .find_map(|(i, value)| fault(value, items, &at.index(i))),
        },
        (Kind::Array { .. }, _) => expected("an array"),
        (Kind::Map(values), Value::Object(members)) => members
            .iter()
            .find_map(|(key, value)| fault(value, values, &at.key(key))),
        (Kind::Object(properties), Value::Object(members)) => members
            .iter()
            .find_map(|(key, value)| member_fault(key, value, properties, at)),
        (Kind::Map(_) | Kind::Object(_), _) => expected("an object"),
    }
}

fn member_fault(
    key: &str,
    value: &Value,
    properties: &[Property],
    at: &Pointer<'_>,
) -> Option<String> {
    let here = at.key(key);
    match properties.iter().find(|p| p.name == key) {
        Some(property) => fault(value, &property.schema, &here),
        None if properties.is_empty() => Some(here.expected("no settings", "an unknown key")),
        None => {
            let names: Vec<_> = properties.iter().map(|p| p.name).collect();
            Some(here.expected(
                format_args!("one of {}", names.join(", ")),
                "an unknown key",
            ))
        }
    }
}

fn one_of(choices: &[Choice]) -> String {
    let names: Vec<_> = choices.iter().map(|c| format!("{:?}", c.name)).collect();
    names.join(" or ")
}

fn integer(value: &Value) -> Option<i128> {
    value
        .as_i64()
        .map(i128::from)
        .or_else(|| value.as_u64().map(i128::from))
}

/// What was found, cut after 60 characters.
struct Found<'a>(&'a Value);

impl Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        match text.char_indices().nth(60) {
            None => f.write_str(&text),
            Some((end, _)) => write!(f, "{}…", &text[..end]),
        }
    }
}
