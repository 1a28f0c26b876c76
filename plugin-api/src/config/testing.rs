//! The constant schema against schemars: what the test that `#[config]` generates calls.
//!
//! The two forms are the same JSON but for these points, all settled here and in the macro's attributes:
//!
//! - `$schema` and `title` stand at the root only, nested types are inlined without a title;
//! - a unit enum is `enum` with `enumDescriptions` ([`plain_enum`]) and not schemars' `oneOf` of constants,
//!   because validators can then name the choices;
//! - schemars widens an `f32` to an f64 (0.1 becomes 0.10000000149011612), the constant has the digits an
//!   `f32` needs: both are compared as the latter (`shorten`);
//! - the range of a [`Rate`](super::Rate) stands at each of its numbers ([`spread_range`]).

use schemars::Schema;
use serde_json::{Map, Value};

use super::{Config, parse, text};

/// Checks that the constant schema equals schemars', and that the defaults pass every door unchanged.
///
/// # Panics
/// With the first difference.
pub fn assert_matches_schemars<C: Config>() {
    let written: Value = serde_json::from_str(C::SCHEMA).expect("the constant schema is JSON");
    let derived = schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<C>();
    if let Some(difference) = difference(&shorten(written), &shorten(derived.to_value()), "") {
        panic!("the constant schema differs from schemars' at {difference}");
    }

    let default = C::default();
    assert_eq!(default.validate(), Ok(()), "the defaults are valid");
    let text = serde_json::to_string(&default).expect("the defaults are JSON");
    assert_eq!(
        parse::<C>(&text).as_ref(),
        Ok(&default),
        "the defaults read back as written"
    );
    let constant =
        serde_json::from_str(&text::json(&C::DEFAULT)).expect("the constant default is JSON");
    let serialised = serde_json::to_value(&default).expect("the defaults are JSON");
    assert_eq!(
        shorten(constant),
        shorten(serialised),
        "the constant default is Default's"
    );
}

/// Turns schemars' `oneOf` of constant strings into `enum` and `enumDescriptions`.
pub fn plain_enum(schema: &mut Schema) {
    let Some(Value::Array(variants)) = schema.remove("oneOf") else {
        return;
    };
    let member = |variant: &Value, key| variant.get(key).cloned().unwrap_or_default();
    let names = variants.iter().map(|v| member(v, "const")).collect();
    let descriptions = variants.iter().map(|v| member(v, "description")).collect();
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), Value::Array(names));
    schema.insert("enumDescriptions".to_owned(), Value::Array(descriptions));
}

/// Moves a range from beside `anyOf`, where objects would pass it, to every number in the forms.
pub fn spread_range(schema: &mut Schema) {
    if schema.get("anyOf").is_none() {
        return;
    }
    let keywords = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"];
    let range = keywords.map(|keyword| (keyword, schema.remove(keyword)));
    if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
        forms.iter_mut().for_each(|form| narrow(form, &range));
    }
}

fn narrow(form: &mut Value, range: &[(&str, Option<Value>)]) {
    let Some(members) = form.as_object_mut() else {
        return;
    };
    if members.get("type").is_some_and(|kind| kind == "number") {
        for (keyword, bound) in range {
            let bound = bound.clone().map(|bound| ((*keyword).to_owned(), bound));
            members.extend(bound);
        }
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(|p| narrow(p, range));
    }
}

/// Rewrites every number that is exactly an f32 with the digits an f32 needs.
fn shorten(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let wide = number.as_f64().unwrap_or_default();
            let narrow = wide as f32;
            let exact = f64::from(narrow) == wide;
            let short = narrow.to_string().parse().unwrap_or(wide);
            Value::from(if exact { short } else { wide })
        }
        Value::Array(items) => items.into_iter().map(shorten).collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (key, shorten(value)))
                .collect(),
        ),
        other => other,
    }
}

/// The first place where two documents differ.
fn difference(written: &Value, derived: &Value, at: &str) -> Option<String> {
    let (Value::Object(a), Value::Object(b)) = (written, derived) else {
        return (written != derived)
            .then(|| format!("{at:?}: schemars has {derived}, the constant {written}"));
    };
    let missing = Value::from("nothing");
    let keys: Map<_, _> = a
        .iter()
        .chain(b)
        .map(|(key, _)| (key.clone(), Value::Null))
        .collect();
    keys.keys().find_map(|key| {
        let (a, b) = (
            a.get(key).unwrap_or(&missing),
            b.get(key).unwrap_or(&missing),
        );
        difference(a, b, &format!("{at}/{key}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{self, ConfigType, Json, Kind, Pointer, Property};

    #[test]
    fn a_difference_is_found_at_any_depth() {
        let written = json!({"a": {"b": [1, 2]}, "c": 1});
        assert_eq!(difference(&written, &written.clone(), ""), None);
        let other = json!({"a": {"b": [1, 3]}, "c": 1});
        let found = difference(&written, &other, "");
        assert_eq!(
            found.as_deref(),
            Some("\"/a/b\": schemars has [1,3], the constant [1,2]")
        );
        let more = json!({"a": {"b": [1, 2]}, "c": 1, "d": 0});
        assert!(difference(&written, &more, "").is_some_and(|d| d.starts_with("\"/d\"")));
        assert!(difference(&more, &written, "").is_some_and(|d| d.starts_with("\"/d\"")));
    }

    #[test]
    fn only_widened_f32_are_shortened() {
        let value = json!([f64::from(0.1f32), 0.1, 0.1 + f64::EPSILON, 1e300, 3, -0.5]);
        assert_eq!(
            shorten(value),
            json!([0.1, 0.1, 0.1 + f64::EPSILON, 1e300, 3, -0.5])
        );
    }

    // A config written by hand whose constant schema has another default than `Default`.
    #[derive(
        Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
    )]
    #[serde(default, deny_unknown_fields)]
    struct Drifted {
        dt: f64,
    }

    impl Default for Drifted {
        fn default() -> Self {
            Self { dt: 0.02 }
        }
    }

    impl ConfigType for Drifted {
        const SHAPE: config::Schema = config::Schema::of(Kind::Object(&[Property {
            name: "dt",
            schema: config::Schema {
                default: Some(Json::Float(0.03)),
                ..f64::SHAPE
            },
        }]));
        const DEFAULT: Json = Json::Object(&[("dt", Json::Float(0.03))]);

        fn check(&self, _: &config::Schema, _: &Pointer<'_>) -> Result<(), String> {
            Ok(())
        }
    }

    impl Config for Drifted {
        const SCHEMA: &'static str = {
            const BYTES: [u8; text::schema_length("Drifted", &Drifted::SHAPE)] =
                text::schema("Drifted", &Drifted::SHAPE);
            text::as_text(&BYTES)
        };
    }

    #[test]
    #[should_panic(expected = r#""/properties/dt/default": schemars has 0.02, the constant 0.03"#)]
    fn a_drifted_schema_fails_the_generated_test() {
        assert_matches_schemars::<Drifted>();
    }
}
