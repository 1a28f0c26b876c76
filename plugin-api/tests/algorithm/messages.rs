//! An algorithm and the mechanism that its policy talks through.

use palaestra_plugin_api::{
    __private::MechanismEntry,
    client::{CoordinationHandle, MakeMechanism},
    coordination::{Exchange, Extras, Mechanism as _},
    prelude::*,
};
use serde_json::json;

use super::{
    acting::Desk,
    learning::Fragment,
    make_with, request, spec,
    subject::{STOLEN, Sums},
};

fn mechanism() -> CoordinationHandle {
    const ENTRY: MechanismEntry = MechanismEntry::of::<Sums>();
    CoordinationHandle::in_process(&ENTRY, &MakeMechanism::new(Sums::ID, spec())).unwrap()
}

#[test]
fn messages_go_out_in_act_and_gradients_come_back_in_learn() {
    let mechanism = mechanism();
    let mut handle = make_with(request(json!({})), Some(&mechanism)).unwrap();
    // The algorithm keeps its mechanism alive.
    drop(mechanism);
    let mut desk = Desk::new();
    desk.bind(&mut handle);
    desk.act(&mut handle, 0, false);
    // Two agents send 1, the gain is 2.
    assert_eq!(desk.told(0), 4.0);
    // Σ over 4 rows of (sum 2 × two agents' gradients of 1).
    assert_eq!(
        Fragment::new().learn(&mut handle).unwrap()["gradient"],
        16.0
    );
    desk.act(&mut handle, 1, false);
    // An exchange is still open: it is released with the algorithm.
    drop(handle);
}

#[test]
fn the_port_is_closed_outside_the_calls_of_its_algorithm() {
    let mechanism = mechanism();
    let mut handle = make_with(request(json!({})), Some(&mechanism)).unwrap();
    let mut desk = Desk::new();
    desk.bind(&mut handle);
    desk.act(&mut handle, 0, false);
    let stolen = STOLEN.take().unwrap();
    let use_it = || {
        stolen.exchange(Exchange {
            rows: 1,
            agents: 2,
            parameters: &[1.0],
            messages: &[1.0, 1.0],
            mask: None,
            context: None,
            state_in: &[],
            keys: &[0],
            extras: Extras::Draw(&mut []),
            save: false,
            inbox: &mut [0.0, 0.0],
            state_out: &mut [],
        })
    };
    let closed =
        "mechanism test/Sums-v0: port: expected a call during those of its owner, found it closed";
    assert_eq!(use_it().unwrap_err().message, closed);
    drop((handle, mechanism));
    assert_eq!(use_it().unwrap_err().message, closed);
}

#[test]
fn host_and_algorithm_take_turns_on_one_mechanism() {
    let mut mechanism = mechanism();
    let mut handle = make_with(request(json!({})), Some(&mechanism)).unwrap();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            let mut desk = Desk::new();
            desk.bind(&mut handle);
            for _ in 0..200 {
                desk.act(&mut handle, 0, false);
                assert_eq!(desk.told(0), 4.0);
            }
        });
        for _ in 0..200 {
            mechanism.compose(&spec()).unwrap();
        }
    });
}

#[test]
fn a_mechanism_that_does_not_fit_is_refused() {
    let mechanism = mechanism();
    for (asks, expected) in [
        (
            "messages",
            "expected messages of width 3, found 1 in test/Sums-v0",
        ),
        (
            "silence",
            "expected no exchange of messages, found test/Sums-v0; choose an algorithm that communicates",
        ),
    ] {
        let refused = make_with(request(json!({"asks": asks})), Some(&mechanism));
        let error: Error = refused.err().unwrap();
        assert_eq!(
            error.message,
            format!("algorithm test/Tally-v0: {expected}")
        );
    }
}

#[test]
fn a_panicking_mechanism_is_named_and_its_algorithm_lives_on() {
    let mechanism = mechanism();
    let mut handle = make_with(request(json!({"gain": -1})), Some(&mechanism)).unwrap();
    let (mut desk, fragment) = (Desk::new(), Fragment::new());
    desk.bind(&mut handle);
    desk.act(&mut handle, 0, false);
    let error = fragment.learn(&mut handle).unwrap_err();
    assert_eq!(error.exit_code(), 3);
    let named = "(learn): mechanism test/Sums-v0: (backward): panicked";
    assert!(error.message.starts_with(named), "{error}");
    handle.snapshot(&mut Vec::new()).unwrap();
    let error = handle.act(&mut [&mut desk.memory], 0, false).unwrap_err();
    let refused = "(act): mechanism test/Sums-v0: (exchange): refused after an earlier panic";
    assert_eq!(error.message, refused);
}
