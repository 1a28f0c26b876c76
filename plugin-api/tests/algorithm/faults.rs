//! Panics in every call, and when the object ends.

use palaestra_plugin_api::{Error, ErrorKind, serde_json::Map};
use serde_json::json;

use super::{acting::Desk, learning::Fragment, make};

/// Every call on an algorithm that panics in `trap`: the errors of two rounds.
fn all_calls(trap: &str) -> Vec<Error> {
    let mut handle = make(json!({"panic_in": trap})).unwrap();
    let (mut desk, fragment) = (Desk::new(), Fragment::new());
    desk.bind(&mut handle);
    let mut errors = Vec::new();
    for _ in 0..2 {
        errors.extend(handle.what_next().err());
        errors.extend(handle.act(&mut [&mut desk.memory], 0, false).err());
        errors.extend(fragment.learn(&mut handle).err());
        errors.extend(handle.configure(&Map::new()).err());
        errors.extend(handle.snapshot(&mut Vec::new()).err());
        errors.extend(handle.restore(&mut &[0; 16][..]).err());
        errors.extend(handle.weights(&mut Vec::new()).err());
        errors.extend(handle.set_weights(&mut &[0; 8][..], &[]).err());
    }
    errors
}

#[test]
fn a_panic_is_named_and_ends_the_object() {
    let calls = [
        "next",
        "act",
        "learn",
        "configure",
        "snapshot",
        "restore",
        "weights",
        "set_weights",
    ];
    for (i, trap) in calls.into_iter().enumerate() {
        let errors = all_calls(trap);
        assert!(
            errors.iter().all(|e| e.kind == ErrorKind::Panicked),
            "{errors:?}"
        );
        // The one that panics, the rest of the first round, the whole second round.
        assert_eq!(errors.len(), 1 + (7 - i) + 8, "{trap}: {errors:?}");
        let named = format!("({trap}): panicked");
        assert!(errors[0].message.starts_with(&named), "{}", errors[0]);
        assert!(
            errors[0].message.ends_with(&format!("trapped in {trap}")),
            "{}",
            errors[0]
        );
        for later in &errors[1..] {
            assert!(
                later.message.ends_with("): refused after an earlier panic"),
                "{later}"
            );
        }
    }
}

#[test]
fn panics_before_there_is_an_object_are_errors() {
    for trap in ["capabilities", "new"] {
        let error = make(json!({"panic_in": trap})).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Panicked);
        assert!(
            error.message.ends_with(&format!("trapped in {trap}")),
            "{error}"
        );
    }
}

#[test]
fn a_panicking_destructor_is_survived() {
    drop(make(json!({"panic_in": "drop"})).unwrap());
}
