//! What a mechanism or its caller does wrong is named, and kills nobody.

use palaestra_plugin_api::{Error, ErrorKind, coordination::Gradients};
use serde_json::json;

use super::{Call, make, spec};

/// Every call on a mechanism that panics in `trap`: the errors of two rounds.
fn all_calls(trap: &str) -> Vec<Error> {
    let mut handle = make(json!({"panic_in": trap})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 1);
    let mut errors = Vec::new();
    for _ in 0..2 {
        errors.extend(handle.compose(&spec()).err());
        match port.exchange(call.exchange(false, true)) {
            Err(e) => errors.push(e),
            Ok(open) => {
                let mut call = call.clone();
                let gradients = Gradients {
                    d_inbox: &call.inbox,
                    d_state_out: None,
                    d_messages: &mut call.messages,
                    d_state_in: &mut call.state_in,
                    d_parameters: &mut call.parameters,
                };
                errors.extend(open.unwrap().backward(gradients).err());
            }
        }
        errors.extend(handle.observe(&mut [], 0).err());
        errors.extend(handle.arbitrate(&mut [], 0).err());
        errors.extend(handle.share(&mut [], 0).err());
        errors.extend(handle.snapshot(&mut Vec::new()).err());
        errors.extend(handle.restore(&mut &[0; 8][..]).err());
    }
    errors
}

#[test]
fn a_panic_is_named_and_ends_the_object() {
    let calls = [
        "compose",
        "exchange",
        "backward",
        "observe",
        "arbitrate",
        "share",
        "snapshot",
        "restore",
    ];
    for trap in calls {
        let errors = all_calls(trap);
        let panics: Vec<_> = errors
            .iter()
            .filter(|e| e.kind == ErrorKind::Panicked)
            .collect();
        let named = format!("({trap}): panicked");
        assert!(panics[0].message.contains(&named), "{}", panics[0]);
        assert!(
            panics[0].message.ends_with(&format!("trapped in {trap}")),
            "{}",
            panics[0]
        );
        assert!(
            panics.len() > 5,
            "{trap}: calls went on after the panic: {errors:?}"
        );
        for later in &panics[1..] {
            let refused = "refused after an earlier panic";
            assert!(later.message.ends_with(refused), "{later}");
        }
    }
}

#[test]
fn panics_before_there_is_an_object_are_errors() {
    for trap in ["new", "describe"] {
        let error = make(json!({"panic_in": trap})).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Panicked);
        assert!(
            error.message.ends_with(&format!("trapped in {trap}")),
            "{error}"
        );
    }
}

#[test]
fn panicking_destructors_are_survived() {
    drop(make(json!({"panic_in": "drop"})).unwrap());
    let handle = make(json!({"panic_in": "saved"})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 1);
    let open: Vec<_> = (0..3)
        .map(|_| port.exchange(call.exchange(false, true)).unwrap())
        .collect();
    std::mem::forget(open);
    // All three activations panic, one after the other.
    drop(handle);
    let handle = make(json!({"panic_in": "saved"})).unwrap();
    let port = handle.port();
    drop(port.exchange(call.exchange(false, true)).unwrap());
    let error = port.exchange(call.exchange(false, true)).unwrap_err();
    let refused = "mechanism test/Relay-v0: (exchange): refused after an earlier panic";
    assert_eq!(error.message, refused);
}

#[test]
fn a_description_that_contradicts_itself_names_the_place() {
    let cases = [
        (
            "inbox_width",
            "/inbox_width: expected at least 1 with an exchange port, found 0",
        ),
        (
            "names",
            "/parameters/1: expected a unique name, found \"weight\"",
        ),
        (
            "shape",
            "/parameters/0 (weight): expected at least one value, found [2, 0]",
        ),
        (
            "ports",
            "/message_width: expected none without an exchange port, found 3",
        ),
        ("no_ports", "/ports: expected at least one port, found none"),
    ];
    for (wrong, expected) in cases {
        let error = make(json!({"wrong": wrong})).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Plugin);
        assert_eq!(
            error.message,
            format!("test/Relay-v0: description {expected}")
        );
    }
}

#[test]
fn wrong_lengths_are_refused_before_the_mechanism_is_called() {
    // Called, it would panic.
    let handle = make(json!({"panic_in": "exchange"})).unwrap();
    let port = handle.port();
    type Cut = fn(&mut Call);
    let cut: [(&str, Cut); 7] = [
        ("parameters: expected 1 × 1 × 8 values, found 7", |c| {
            c.parameters.truncate(7)
        }),
        ("messages: expected 4 × 3 × 3 values, found 35", |c| {
            c.messages.truncate(35)
        }),
        ("mask: expected 4 × 3 × 1 values, found 11", |c| {
            c.mask = Some(vec![1; 11])
        }),
        ("state_in: expected 4 × 3 × 2 values, found 0", |c| {
            c.state_in.clear()
        }),
        ("keys: expected 4 × 1 × 1 values, found 5", |c| {
            c.keys.push(0)
        }),
        ("extras: expected 4 × 1 × 3 values, found 13", |c| {
            c.extras.push(0.0)
        }),
        ("inbox: expected 4 × 3 × 2 values, found 25", |c| {
            c.inbox.push(0.0)
        }),
    ];
    for (expected, change) in cut {
        let mut call = Call::new(&port, 1);
        change(&mut call);
        let error = port.exchange(call.exchange(false, true)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Plugin);
        let named = format!("mechanism test/Relay-v0: (exchange): {expected}");
        assert_eq!(error.message, named);
    }
}

#[test]
fn a_wrong_setting_names_its_place() {
    let error = make(json!({"loss": 2})).err().unwrap();
    let expected = "config test/Relay-v0: /loss: expected 0 ≤ x ≤ 1, found 2";
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Config, expected)
    );
}
