//! Validation errors in the words of this project.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::schema_node::{holder, resolve};
use crate::suggest::nearest;
use crate::validate::Problem;

/// What is wrong with a value that has no default and is not there.
pub(crate) const MISSING: &str = "expected a value, found none";
/// Most characters of a wrong value that are quoted.
const MAX_QUOTED: usize = 60;
/// Most keys or values that are listed as the known ones.
const MAX_LISTED: usize = 16;

/// The problems that one validation error stands for: one for each unknown key, one otherwise.
pub(crate) fn explain(schema: &Value, error: &ValidationError<'_>) -> Vec<Problem> {
    let pointer = error.instance_path().to_string();
    let value = error.instance().as_ref();
    let keywords = holder(schema, error.schema_path().as_str());
    let one = |message: String| {
        vec![Problem {
            pointer: pointer.clone(),
            message,
        }]
    };
    let expected = |what: String| one(format!("expected {what}, found {}", quote(value)));
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .map(|key| Problem {
                pointer: format!("{pointer}/{}", escape(key)),
                message: unknown_key(key, keywords),
            })
            .collect(),
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            vec![Problem {
                pointer: format!("{pointer}/{}", escape(key)),
                message: MISSING.to_owned(),
            }]
        }
        ValidationErrorKind::Type { kind } => {
            let found = describe(value);
            one(format!("expected {}, found {found}", types(kind)))
        }
        ValidationErrorKind::Minimum { limit }
        | ValidationErrorKind::Maximum { limit }
        | ValidationErrorKind::ExclusiveMinimum { limit }
        | ValidationErrorKind::ExclusiveMaximum { limit } => {
            let range = keywords.and_then(range);
            expected(range.unwrap_or_else(|| format!("a value within {}", number(limit))))
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            expected(format!("a multiple of {multiple_of}"))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            one(not_among(&options.iter().collect::<Vec<_>>(), value))
        }
        ValidationErrorKind::Constant { expected_value } => expected(quote(expected_value)),
        ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MaxItems { .. } => {
            let count = value.as_array().map_or(0, Vec::len);
            one(counted(keywords, "Items", count, "items"))
        }
        ValidationErrorKind::MinLength { .. } | ValidationErrorKind::MaxLength { .. } => {
            let count = value.as_str().map_or(0, |s| s.chars().count());
            one(counted(keywords, "Length", count, "characters"))
        }
        ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::MaxProperties { .. } => {
            let count = value.as_object().map_or(0, serde_json::Map::len);
            one(counted(keywords, "Properties", count, "keys"))
        }
        ValidationErrorKind::AdditionalItems { limit } => {
            let count = value.as_array().map_or(0, Vec::len);
            one(format!("expected at most {limit} items, found {count}"))
        }
        ValidationErrorKind::UniqueItems => expected("items that all differ".to_owned()),
        ValidationErrorKind::Pattern { pattern } => {
            expected(format!("text that matches {pattern}"))
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            no_form_fits(schema, keywords, context, error)
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            expected("a value of one form only".to_owned())
        }
        _ => expected(format!("a value that fits the schema ({error})")),
    }
}

/// Explains the one form that was nearly met, or lists what the forms are.
fn no_form_fits(
    schema: &Value,
    keywords: Option<&Value>,
    context: &[Vec<ValidationError<'static>>],
    error: &ValidationError<'_>,
) -> Vec<Problem> {
    let at = error.instance_path().as_str();
    let without = |is_other: fn(&ValidationError<'_>, &str) -> bool| -> Vec<_> {
        context
            .iter()
            .filter(|errors| !errors.iter().any(|e| is_other(e, at)))
            .collect()
    };
    // A missing key tells forms apart only where several could be meant.
    let mut meant = without(has_other_type);
    if meant.len() > 1 {
        meant = without(|e, at| has_other_type(e, at) || lacks_a_key(e, at));
    }
    if let [errors] = meant[..] {
        return errors.iter().flat_map(|e| explain(schema, e)).collect();
    }
    let forms: Vec<&Value> = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|keyword| keywords?.get(keyword)?.as_array())
        .flatten()
        .map(|form| resolve(schema, form))
        .collect();
    let value = error.instance().as_ref();
    let message = match constants(&forms) {
        Some(values) => not_among(&values, value),
        None => {
            let mut words: Vec<String> = forms.iter().map(|form| form_word(form)).collect();
            words.dedup();
            format!("expected {}, found {}", words.join(" or "), describe(value))
        }
    };
    vec![Problem {
        pointer: at.to_owned(),
        message,
    }]
}

/// Whether `error` shows that a form was not meant at all, rather than meant and filled in wrongly.
fn has_other_type(error: &ValidationError<'_>, at: &str) -> bool {
    match error.kind() {
        ValidationErrorKind::Type { .. } | ValidationErrorKind::Enum { .. } => {
            error.instance_path().as_str() == at
        }
        // Also one level down, as the tag in {"kind": "linear", …}.
        ValidationErrorKind::Constant { .. } => true,
        _ => false,
    }
}

fn lacks_a_key(error: &ValidationError<'_>, at: &str) -> bool {
    matches!(error.kind(), ValidationErrorKind::Required { .. })
        && error.instance_path().as_str() == at
}

/// The values that are allowed, if every form is a list of constants.
fn constants<'a>(forms: &[&'a Value]) -> Option<Vec<&'a Value>> {
    let mut values = Vec::new();
    for form in forms {
        match (
            form.get("const"),
            form.get("enum").and_then(Value::as_array),
        ) {
            (Some(value), _) => values.push(value),
            (None, Some(several)) => values.extend(several),
            (None, None) => return None,
        }
    }
    (!values.is_empty()).then_some(values)
}

fn form_word(form: &Value) -> String {
    if let Some(values) = constants(&[form]) {
        return values
            .iter()
            .map(|value| quote(value))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    match form.get("type") {
        Some(Value::String(word)) => word.clone(),
        Some(Value::Array(words)) => words
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "another form".to_owned(),
    }
}

fn unknown_key(key: &str, keywords: Option<&Value>) -> String {
    let known: Vec<&str> = keywords
        .and_then(|k| k.get("properties")?.as_object())
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    match nearest(key, known.iter().copied()) {
        Some(meant) => format!("unknown key; did you mean {meant}?"),
        None if (1..=MAX_LISTED).contains(&known.len()) => {
            format!("unknown key; known are {}", known.join(", "))
        }
        None => "unknown key".to_owned(),
    }
}

fn not_among(options: &[&Value], value: &Value) -> String {
    let listed: Vec<String> = options
        .iter()
        .take(MAX_LISTED)
        .map(|option| quote(option))
        .collect();
    let more = if options.len() > MAX_LISTED {
        ", …"
    } else {
        ""
    };
    let found = quote(value);
    let words = options.iter().filter_map(|option| option.as_str());
    let meant = value.as_str().and_then(|typed| nearest(typed, words));
    let next = meant.map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"));
    format!(
        "expected one of {}{more}, found {found}{next}",
        listed.join(", ")
    )
}

fn counted(keywords: Option<&Value>, suffix: &str, count: usize, unit: &str) -> String {
    let limit = |prefix: &str| keywords?.get(format!("{prefix}{suffix}"))?.as_u64();
    let wanted = match (limit("min"), limit("max")) {
        (Some(low), Some(high)) if low == high => format!("{low}"),
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => "another number of".to_owned(),
    };
    format!("expected {wanted} {unit}, found {count}")
}

/// The range that the four keywords leave, as `0 < x ≤ 1`.
fn range(keywords: &Value) -> Option<String> {
    let side = |inclusive: &str, exclusive: &str, inner: fn(f64, f64) -> bool| {
        let inclusive = keywords.get(inclusive).map(|limit| (limit, '≤'));
        let exclusive = keywords.get(exclusive).map(|limit| (limit, '<'));
        let value = |(limit, _): (&Value, char)| limit.as_f64().unwrap_or(f64::NAN);
        match (inclusive, exclusive) {
            (Some(i), Some(e)) => Some(if inner(value(i), value(e)) { i } else { e }),
            (one, other) => one.or(other),
        }
    };
    let low = side("minimum", "exclusiveMinimum", |i, e| i > e)
        .map_or_else(String::new, |(limit, sign)| {
            format!("{} {sign} ", number(limit))
        });
    let high = side("maximum", "exclusiveMaximum", |i, e| i < e)
        .map_or_else(String::new, |(limit, sign)| {
            format!(" {sign} {}", number(limit))
        });
    (!low.is_empty() || !high.is_empty()).then(|| format!("{low}x{high}"))
}

/// A limit without a needless `.0`.
fn number(limit: &Value) -> String {
    let text = limit.to_string();
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(several) => several
            .iter()
            .map(|one| one.to_string())
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// A value with its type, where the value alone does not say it.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => format!("boolean {value}"),
        Value::Number(_) => format!("number {value}"),
        Value::String(_) => format!("string {}", quote(value)),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

/// A value as JSON, cut off when long.
fn quote(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A key as a token of a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
