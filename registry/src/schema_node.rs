//! Walking a JSON Schema: references inside the document, and the keywords an error points at.

use serde_json::Value;

/// Longest chain of references that is followed; a longer one is taken for a circle.
const MAX_HOPS: usize = 32;

/// `node`, or what it refers to within `root`; the last node reached when a reference leads nowhere.
pub(crate) fn resolve<'a>(root: &'a Value, mut node: &'a Value) -> &'a Value {
    for _ in 0..MAX_HOPS {
        match referred(root, node) {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

fn referred<'a>(root: &'a Value, node: &Value) -> Option<&'a Value> {
    let pointer = node.get("$ref")?.as_str()?.strip_prefix('#')?;
    root.pointer(pointer)
}

/// The schema object whose keyword the evaluation path `path` ends in: `/properties/a/$ref/minimum` leads
/// to the object that holds `minimum`, through the reference.
pub(crate) fn holder<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let (parents, _keyword) = path.rsplit_once('/')?;
    let tokens = parents.split('/').skip(1);
    tokens.into_iter().try_fold(root, |node, token| {
        let key = token.replace("~1", "/").replace("~0", "~");
        match (node, key.as_str()) {
            (_, "$ref") => referred(root, node),
            (Value::Array(items), index) => items.get(index.parse::<usize>().ok()?),
            (node, key) => node.get(key),
        }
    })
}
