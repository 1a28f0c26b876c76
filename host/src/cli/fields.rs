//! A JSON Schema as rows for people: key, type, default, range, description.

use serde_json::Value;

/// Most levels of nested settings that are shown.
const MAX_DEPTH: usize = 8;

/// One setting of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its key, nested ones with dots: what `--set` takes.
    pub(crate) key: String,
    /// Its type.
    pub(crate) kind: String,
    /// Its default as JSON, empty when it has none.
    pub(crate) default: String,
    /// The values it may have, empty when all of its type.
    pub(crate) range: String,
    /// The author's words.
    pub(crate) description: String,
}

/// The settings of a schema, nested ones after the setting that holds them.
pub(crate) fn fields(schema: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(schema, schema, "", 0, &mut fields);
    fields
}

fn collect(root: &Value, node: &Value, prefix: &str, depth: usize, fields: &mut Vec<Field>) {
    let properties = resolve(root, node)
        .get("properties")
        .and_then(Value::as_object);
    for (key, property) in properties.into_iter().flatten() {
        let key = format!("{prefix}{key}");
        let shape = resolve(root, property);
        // What stands beside a reference wins over what it refers to.
        let own = |name: &str| property.get(name).or_else(|| shape.get(name));
        fields.push(Field {
            kind: kind(root, shape),
            default: own("default").map(Value::to_string).unwrap_or_default(),
            range: range(property)
                .or_else(|| range(shape))
                .or_else(|| form_range(root, shape))
                .unwrap_or_default(),
            description: own("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .replace('\n', " "),
            key: key.clone(),
        });
        if depth < MAX_DEPTH {
            collect(root, shape, &format!("{key}."), depth + 1, fields);
        }
    }
}

/// Follows a reference inside the document, a few hops at most.
fn resolve<'a>(root: &'a Value, mut node: &'a Value) -> &'a Value {
    for _ in 0..MAX_DEPTH {
        let pointer = node
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|r| r.strip_prefix('#'));
        match pointer.and_then(|p| root.pointer(p)) {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

fn kind(root: &Value, node: &Value) -> String {
    let words = |list: &[Value]| {
        list.iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or ")
    };
    match node.get("type") {
        Some(Value::String(word)) if word == "array" => match node.get("items") {
            Some(items) => format!("array of {}", kind(root, resolve(root, items))),
            None => word.clone(),
        },
        Some(Value::String(word)) => word.clone(),
        Some(Value::Array(several)) => words(several),
        _ => {
            let forms = ["anyOf", "oneOf"]
                .iter()
                .find_map(|k| node.get(*k)?.as_array());
            let mut kinds: Vec<String> = forms
                .into_iter()
                .flatten()
                .map(|form| kind(root, resolve(root, form)))
                .collect();
            kinds.dedup();
            match kinds.is_empty() {
                true => "any".to_owned(),
                false => kinds.join(" or "),
            }
        }
    }
}

/// The range that the first form of several has: a rate's is the same in all.
fn form_range(root: &Value, node: &Value) -> Option<String> {
    let forms = node.get("anyOf")?.as_array()?;
    forms.iter().find_map(|form| range(resolve(root, form)))
}

/// The values a node leaves: a range, a choice, a length.
fn range(node: &Value) -> Option<String> {
    if let Some(choices) = choices(node) {
        return Some(choices);
    }
    let limit = |name: &str| node.get(name).map(number);
    let low = limit("minimum")
        .map(|x| format!("{x} ≤ "))
        .or(limit("exclusiveMinimum").map(|x| format!("{x} < ")));
    let high = limit("maximum")
        .map(|x| format!(" ≤ {x}"))
        .or(limit("exclusiveMaximum").map(|x| format!(" < {x}")));
    if low.is_some() || high.is_some() {
        return Some(format!(
            "{}x{}",
            low.unwrap_or_default(),
            high.unwrap_or_default()
        ));
    }
    let count = |name: &str| node.get(name).and_then(Value::as_u64);
    match (count("minItems"), count("maxItems")) {
        (Some(low), Some(high)) if low == high => Some(format!("{low} items")),
        (Some(low), Some(high)) => Some(format!("{low} to {high} items")),
        (Some(low), None) => Some(format!("at least {low} items")),
        (None, Some(high)) => Some(format!("at most {high} items")),
        (None, None) => None,
    }
}

fn choices(node: &Value) -> Option<String> {
    let listed: Vec<String> = match (node.get("enum"), node.get("oneOf")) {
        (Some(Value::Array(values)), _) => values.iter().map(Value::to_string).collect(),
        (_, Some(Value::Array(forms))) => forms
            .iter()
            .map(|form| form.get("const").map(Value::to_string))
            .collect::<Option<_>>()?,
        _ => return None,
    };
    Some(listed.join(", "))
}

/// A limit without a needless `.0`.
fn number(limit: &Value) -> String {
    let text = limit.to_string();
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_a_schema_with_references_ranges_and_choices() {
        let schema = json!({
            "type": "object",
            "properties": {
                "force": {"type": "number", "default": 10.0, "exclusiveMinimum": 0.0, "maximum": 5.5, "description": "Push\n[N]."},
                "mode": {"oneOf": [{"type": "string", "const": "a"}, {"type": "string", "const": "b"}], "default": "a"},
                "noise": {"$ref": "#/$defs/Noise", "description": "Of the sensor."},
                "rate": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "object"}], "default": 1},
                "seats": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            },
            "$defs": {"Noise": {"type": "object", "description": "hidden", "properties": {"scale": {"type": ["number", "null"], "default": null}}}},
        });
        let rows: Vec<[String; 5]> = fields(&schema)
            .into_iter()
            .map(|f| [f.key, f.kind, f.default, f.range, f.description])
            .collect();
        let expected = [
            ["force", "number", "10.0", "0 < x ≤ 5.5", "Push [N]."],
            ["mode", "string", "\"a\"", "\"a\", \"b\"", ""],
            ["noise", "object", "", "", "Of the sensor."],
            ["noise.scale", "number or null", "null", "", ""],
            ["rate", "number or object", "1", "0 ≤ x", ""],
            ["seats", "array of integer", "", "2 items", ""],
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"properties": {"next": {"$ref": "#"}}});
        assert!(fields(&schema).len() <= MAX_DEPTH + 1);
    }
}
