//! What a manifest may and may not say.

use super::*;
use serde_json::json;

fn good() -> Value {
    json!({
        "palaestra": 1,
        "abi": {"version": "1.0", "draft": 1},
        "plugin": "classic-control",
        "version": "0.1.0",
        "license": "MIT",
        "description": "five classics",
        "panic": "unwind",
        "arch": consts::ARCH,
        "os": consts::OS,
        "profile": "release",
        "door": "rust",
        "exports": [{
            "kind": "environment",
            "id": "classic/CartPole-v1",
            "description": "balance a pole",
            "traces": ["CartPole-v1"],
            "schema": {"type": "object"},
        }],
    })
}

/// The good manifest with the value at `pointer` replaced, or removed by `null`.
fn with(pointer: &str, value: Value) -> Result<Manifest> {
    let mut manifest = good();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = manifest.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(map), Value::Null) => drop(map.remove(key)),
        (Value::Object(map), value) => drop(map.insert(key.to_owned(), value)),
        _ => panic!("{pointer} does not lead into an object"),
    }
    Manifest::parse(manifest.to_string().as_bytes())
}

#[track_caller]
fn refused(pointer: &str, value: Value, message: &str) {
    let error = with(pointer, value).unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn a_good_manifest_reads_with_padding_and_unknown_fields() {
    let mut json = good();
    json["later"] = json!({"more": [1, 2]});
    json["exports"][0]["later"] = json!(true);
    let mut bytes = json.to_string().into_bytes();
    bytes.extend_from_slice(b" \n\0\0 \0");
    let manifest = Manifest::parse(&bytes).unwrap();
    assert_eq!(manifest.version, Version::new(0, 1, 0));
    assert_eq!(manifest.exports[0].id.to_string(), "classic/CartPole-v1");
    assert_eq!(manifest.exports[0].traces, ["CartPole-v1"]);
    let again = Manifest::parse(serde_json::to_string(&manifest).unwrap().as_bytes());
    assert_eq!(again.unwrap(), manifest);
}

#[test]
fn fields_that_may_be_left_out() {
    let mut json = good();
    for field in ["license", "description", "profile"] {
        json.as_object_mut().unwrap().remove(field);
    }
    json["exports"] = json!([{"kind": "algorithm", "id": "core/PPO-v0"}, null]);
    let manifest = Manifest::parse(json.to_string().as_bytes()).unwrap();
    assert_eq!(manifest.exports.len(), 1);
    assert_eq!(manifest.exports[0].schema, json!({}));
}

#[test]
fn another_abi_is_refused_before_the_rest_is_read() {
    refused(
        "/abi/draft",
        json!(2),
        "abi draft: expected 1, found 2; rebuild",
    );
    refused(
        "/abi/draft",
        json!(null),
        "abi draft: expected 1, found none",
    );
    refused(
        "/abi/version",
        json!("2.0"),
        "abi version: expected 1.x, found 2.0",
    );
    refused(
        "/abi/version",
        json!(""),
        "abi version: expected 1.x, found nothing",
    );
    refused("/palaestra", json!(2), "format: expected 1, found 2");
    let error = Manifest::parse(br#"{"palaestra": 7, "abi": {"version": "9.0"}}"#).unwrap_err();
    assert!(error.message.contains("format: expected 1"), "{error}");
}

#[test]
fn panic_abort_is_refused_for_rust_alone() {
    refused(
        "/panic",
        json!("abort"),
        "panic: expected unwind, found abort; set panic",
    );
    let mut json = good();
    (json["panic"], json["door"]) = (json!("abort"), json!("c"));
    assert!(Manifest::parse(json.to_string().as_bytes()).is_ok());
}

#[test]
fn other_machines_are_refused() {
    refused("/arch", json!("riscv64"), "found riscv64");
    refused("/os", json!("plan9"), "found plan9");
}

#[test]
fn names_are_checked() {
    refused(
        "/exports/0/id",
        json!("CartPole"),
        "expected namespace/Name-vN",
    );
    refused("/exports/0/kind", json!("wrapper"), "wrapper");
    refused("/plugin", json!("../evil"), "plugin: expected a name");
    refused("/plugin", json!(""), "found nothing");
    refused("/version", json!("1.0"), "an error");
    refused(
        "/exports/0/schema",
        json!(3),
        "schema: expected an object, found 3",
    );
    refused("/description", json!("a\u{1b}[2Jb"), "control characters");
    refused("/exports/0/traces", json!(["a\nb"]), "control characters");
    refused("/door", json!("window"), "window");
    refused("/exports", json!(null), "missing field `exports`");
}

#[test]
fn an_id_twice_is_refused_within_one_kind_only() {
    let mut json = good();
    let twin = json["exports"][0].clone();
    json["exports"].as_array_mut().unwrap().push(twin);
    let error = Manifest::parse(json.to_string().as_bytes()).unwrap_err();
    let message = "manifest exports: expected every id once, \
                   found environment classic/CartPole-v1 twice";
    assert_eq!(error.message, message);
    json["exports"][1]["kind"] = json!("algorithm");
    assert!(Manifest::parse(json.to_string().as_bytes()).is_ok());
}

#[test]
fn what_is_not_json_is_refused_on_one_line() {
    for bytes in [
        &b""[..],
        b"\0\0",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{\"palaestra\":\n1}x",
    ] {
        let error = Manifest::parse(bytes).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(!error.message.contains('\n'), "{error}");
    }
}
