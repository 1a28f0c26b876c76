//! Traces of MPE2 with other settings than its defaults: one document holds several tasks, and each case names its
//! own (`task`) and the settings (`config`, by our names).

use palaestra_plugin_api::{
    prelude::{Error, Result},
    serde_json::{Value, json},
};

/// `env` of the document.
pub(crate) const NAME: &str = "mpe2 (other settings)";

/// The cases of the task that claims these names.
pub(crate) fn own(document: &Value, claimed: &[&str]) -> Result<Value> {
    let cases = document["cases"]
        .as_array()
        .ok_or_else(|| Error::config("trace /cases: expected an array"))?;
    let own = |case: &&Value| {
        case["task"]
            .as_str()
            .is_some_and(|task| claimed.contains(&task))
    };
    let cases: Vec<_> = cases.iter().filter(own).cloned().collect();
    Ok(json!({ "cases": cases }))
}
