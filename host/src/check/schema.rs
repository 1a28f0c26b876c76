//! Random configurations from a JSON Schema: plausible ones, and ones that are wrong somewhere.
//!
//! Whether a configuration fits is for the validator to say; this only has to reach many sides of it.

use palaestra_plugin_api::rng::EnvRng;
use serde_json::{Map, Number, Value, json};

/// Deepest nesting that is followed.
const DEPTH: usize = 8;

/// A configuration: each setting of the schema left out or given, all of them plausible.
pub(super) fn plausible(schema: &Value, rng: &mut EnvRng) -> Value {
    object(schema, resolve(schema, schema), rng, 0)
}

/// A configuration with one thing that is probably wrong.
pub(super) fn implausible(schema: &Value, rng: &mut EnvRng) -> Value {
    let mut config = plausible(schema, rng);
    let Some(members) = config.as_object_mut() else {
        return config;
    };
    let names: Vec<String> = properties(resolve(schema, schema))
        .map(|(name, _)| name.clone())
        .collect();
    if names.is_empty() || rng.bernoulli(0.1) {
        members.insert("no_such_setting".into(), json!(1));
        return config;
    }
    let name = names[rng.below(names.len() as u64) as usize].clone();
    let place = members.entry(name).or_insert(Value::Null);
    // Sometimes a member of what is there, so that nested settings are reached too.
    let place = match place {
        Value::Object(inner) if !inner.is_empty() && rng.bernoulli(0.7) => {
            let nth = rng.below(inner.len() as u64) as usize;
            inner
                .values_mut()
                .nth(nth)
                .unwrap_or(&mut Value::Null)
                .clone_from(&wrong(rng));
            return config;
        }
        Value::Array(items) if !items.is_empty() && rng.bernoulli(0.7) => {
            let nth = rng.below(items.len() as u64) as usize;
            &mut items[nth]
        }
        other => other,
    };
    *place = wrong(rng);
    config
}

/// A value that few settings take.
fn wrong(rng: &mut EnvRng) -> Value {
    match rng.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!("no such value"),
        3 => json!(-1),
        4 => json!(0),
        5 => json!(i64::MIN),
        6 => json!(u64::MAX),
        7 => json!(-1e308),
        8 => json!(1e308),
        9 => json!(0.5),
        10 => json!([[[]], {}, null]),
        11 => json!({"no_such_setting": {}}),
        12 => json!("x".repeat(100_000)),
        _ => (0..60).fold(json!(1), |inner, _| json!([inner])),
    }
}

fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    let target = node
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.strip_prefix('#'));
    target
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(node)
}

fn properties(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    node.get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn value(root: &Value, node: &Value, rng: &mut EnvRng, depth: usize) -> Value {
    let node = resolve(root, node);
    if let Some(default) = node
        .get("default")
        .filter(|_| depth > DEPTH || rng.bernoulli(0.15))
    {
        return default.clone();
    }
    if depth > DEPTH {
        return Value::Null;
    }
    if let Some(fixed) = node.get("const") {
        return fixed.clone();
    }
    for keyword in ["enum", "anyOf", "oneOf"] {
        if let Some(options) = node
            .get(keyword)
            .and_then(Value::as_array)
            .filter(|o| !o.is_empty())
        {
            let chosen = &options[rng.below(options.len() as u64) as usize];
            return if keyword == "enum" {
                chosen.clone()
            } else {
                value(root, chosen, rng, depth + 1)
            };
        }
    }
    match kind(node, rng) {
        "boolean" => json!(rng.bernoulli(0.5)),
        "integer" => integer(node, rng),
        "number" => number(node, rng),
        "string" => json!(["", "a", "text of some length", "ünïcödé"][rng.below(4) as usize]),
        "array" => array(root, node, rng, depth),
        "object" => object(root, node, rng, depth),
        _ => Value::Null,
    }
}

/// The type, one of them where several are allowed.
fn kind<'a>(node: &'a Value, rng: &mut EnvRng) -> &'a str {
    match node.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) if !kinds.is_empty() => kinds
            [rng.below(kinds.len() as u64) as usize]
            .as_str()
            .unwrap_or("null"),
        _ if node.get("properties").is_some() => "object",
        _ => "null",
    }
}

/// The range to draw from: the schema's, or around the default where it has none.
fn range(node: &Value) -> (f64, f64) {
    let at = |keys: [&str; 2]| {
        keys.iter()
            .find_map(|k| node.get(*k).and_then(Value::as_f64))
    };
    let scale = node
        .get("default")
        .and_then(Value::as_f64)
        .map_or(10.0, |d| 10.0 * d.abs().max(1.0));
    let low = at(["minimum", "exclusiveMinimum"]);
    let high = at(["maximum", "exclusiveMaximum"]);
    match (low, high) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low + scale),
        (None, Some(high)) => (high - scale, high),
        (None, None) => (-scale, scale),
    }
}

/// A bound itself now and then, otherwise anything between; mostly near the default where the range is wide.
fn between(node: &Value, rng: &mut EnvRng) -> f64 {
    let (low, high) = range(node);
    match rng.below(10) {
        0 => low,
        1 => high,
        2..=5 => {
            let center = node
                .get("default")
                .and_then(Value::as_f64)
                .unwrap_or(low)
                .clamp(low.min(high), high.max(low));
            let width = 4.0 * center.abs().max(1.0);
            rng.range(low.max(center - width), high.min(center + width))
        }
        _ => rng.range(low, high),
    }
}

fn integer(node: &Value, rng: &mut EnvRng) -> Value {
    let drawn = between(node, rng).round();
    if drawn >= 0.0 {
        json!(drawn as u64)
    } else {
        json!(drawn as i64)
    }
}

fn number(node: &Value, rng: &mut EnvRng) -> Value {
    Number::from_f64(between(node, rng)).map_or(json!(0), Value::Number)
}

fn array(root: &Value, node: &Value, rng: &mut EnvRng, depth: usize) -> Value {
    let count = |key: &str| node.get(key).and_then(Value::as_u64);
    let least = count("minItems").unwrap_or(0).min(1_000);
    let most = count("maxItems")
        .unwrap_or(least + 4)
        .clamp(least, least + 8);
    let length = least + rng.below(most - least + 1);
    match node.get("items") {
        Some(items) => (0..length)
            .map(|_| value(root, items, rng, depth + 1))
            .collect(),
        None => Value::Array(Vec::new()),
    }
}

fn object(root: &Value, node: &Value, rng: &mut EnvRng, depth: usize) -> Value {
    let required: Vec<&str> = node
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut members = Map::new();
    for (name, property) in properties(node) {
        if required.contains(&name.as_str()) || rng.bernoulli(0.6) {
            members.insert(name.clone(), value(root, property, rng, depth + 1));
        }
    }
    if let Some(others) = node.get("additionalProperties").filter(|o| o.is_object()) {
        for name in ["one", "two"].iter().take(rng.below(3) as usize) {
            members.insert((*name).into(), value(root, others, rng, depth + 1));
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use palaestra_registry::validate::ConfigSchema;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "limit": {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 500},
                "force": {"type": "number", "exclusiveMinimum": 0.0, "default": 10.0},
                "mode": {"type": "string", "enum": ["sparse", "shaped"], "default": "shaped"},
                "noise": {"anyOf": [{"$ref": "#/$defs/Noise"}, {"type": "null"}], "default": null},
                "start": {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}},
                "seed": {"type": ["integer", "null"], "minimum": 0},
            },
            "$defs": {"Noise": {"type": "object", "additionalProperties": false,
                "properties": {"scale": {"type": "number", "minimum": 0.0, "maximum": 1.0}}, "required": ["scale"]}},
        })
    }

    #[test]
    fn plausible_configurations_mostly_fit_and_use_every_setting() {
        let (schema, mut rng) = (schema(), EnvRng::new(1, 0, 0, 9));
        let validator = ConfigSchema::new("test", &schema).unwrap();
        let configs: Vec<Value> = (0..400).map(|_| plausible(&schema, &mut rng)).collect();
        let fitting = configs
            .iter()
            .filter(|c| validator.problems(c).is_empty())
            .count();
        assert!(fitting > 300, "{fitting} of 400");
        for name in ["limit", "force", "mode", "noise", "start", "seed"] {
            assert!(
                configs.iter().any(|c| c.get(name).is_some())
                    && configs.iter().any(|c| c.get(name).is_none())
            );
        }
        assert!(configs.iter().any(|c| c.pointer("/noise/scale").is_some()));
    }

    #[test]
    fn implausible_configurations_mostly_do_not_fit_and_all_can_be_written() {
        let (schema, mut rng) = (schema(), EnvRng::new(2, 0, 0, 9));
        let validator = ConfigSchema::new("test", &schema).unwrap();
        let configs: Vec<Value> = (0..400).map(|_| implausible(&schema, &mut rng)).collect();
        let fitting = configs
            .iter()
            .filter(|c| validator.problems(c).is_empty())
            .count();
        assert!(fitting < 120, "{fitting} of 400");
        assert!(
            configs
                .iter()
                .all(|c| serde_json::from_str::<Value>(&c.to_string()).is_ok())
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let circle =
            json!({"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]});
        plausible(&circle, &mut EnvRng::new(3, 0, 0, 9));
    }
}
