//! Default values, as a configuration's schema states them.

use serde_json::{Map, Value};

use crate::schema_node::resolve;

/// The configuration that leaving everything out stands for.
pub fn defaults(schema: &Value) -> Value {
    apply_defaults(schema, &Value::Object(Map::new()))
}

/// `config` with the schema's default for every key it leaves out, at every level it goes into itself.
///
/// A default is taken as it is written: it is complete by definition.
pub fn apply_defaults(schema: &Value, config: &Value) -> Value {
    let mut filled = config.clone();
    fill(schema, schema, &mut filled);
    filled
}

fn fill(root: &Value, node: &Value, value: &mut Value) {
    let node = resolve(root, node);
    for part in node
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        fill(root, part, value);
    }
    match value {
        Value::Object(map) => {
            let properties = node.get("properties").and_then(Value::as_object);
            for (key, property) in properties.into_iter().flatten() {
                if let Some(value) = map.get_mut(key) {
                    fill(root, property, value);
                } else if let Some(default) = default_of(root, property) {
                    map.insert(key.clone(), default.clone());
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = node.get("items") {
                items.iter_mut().for_each(|item| fill(root, schema, item));
            }
        }
        _ => {}
    }
}

/// The default written beside a reference wins over the one of what it refers to.
fn default_of<'a>(root: &'a Value, property: &'a Value) -> Option<&'a Value> {
    property
        .get("default")
        .or_else(|| resolve(root, property).get("default"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_left_out_is_filled_in_and_what_is_given_stays() {
        let schema = json!({
            "properties": {
                "force": {"type": "number", "default": 10.0},
                "seed": {"type": "integer"},
                "noise": {"$ref": "#/$defs/Noise", "default": {"scale": 0.5}},
                "agents": {"items": {"$ref": "#/$defs/Noise"}, "default": []},
            },
            "allOf": [{"properties": {"limit": {"default": null}}}],
            "$defs": {"Noise": {"properties": {
                "scale": {"default": 1.0}, "kind": {"default": "normal"}}}},
        });
        let empty = json!({
            "force": 10.0, "noise": {"scale": 0.5}, "agents": [], "limit": null});
        assert_eq!(defaults(&schema), empty);
        let given = json!({"force": 1, "noise": {"kind": "none"}, "agents": [{}], "other": 3});
        let full = json!({
            "force": 1, "noise": {"scale": 1.0, "kind": "none"}, "limit": null, "other": 3,
            "agents": [{"scale": 1.0, "kind": "normal"}]});
        assert_eq!(apply_defaults(&schema, &given), full);
        assert_eq!(apply_defaults(&schema, &full), full);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let circle = json!({"$ref": "#"});
        assert_eq!(defaults(&circle), json!({}));
        let list = json!({"properties": {"next": {"$ref": "#", "default": {}}}});
        assert_eq!(defaults(&list), json!({"next": {}}));
        let missing = json!({"properties": {"a": {"$ref": "#/$defs/none"}}});
        assert_eq!(
            apply_defaults(&missing, &json!({"a": {}})),
            json!({"a": {}})
        );
    }
}
