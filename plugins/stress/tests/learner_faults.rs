//! A learner and a channel that fail do so with one line that names where, and a sound one does not fail.

use palaestra_plugin_api::{
    __private::MechanismEntry,
    Error, ErrorKind, Result,
    client::{CoordinationHandle, ExchangePort, MakeMechanism},
    coordination::{Exchange, Extras, Gradients, Mechanism as _},
    prelude::*,
    serde_json::{Value, json},
    testing::{
        Subject,
        training::{Settings, Training},
    },
};
use stress::{ExchangeFault, Faulty, FaultyExchange, LearnerFault, Sound, Spaces, Turns};

fn learner<E: Environment>(config: Value) -> Result<Training> {
    let settings = Settings {
        config,
        instances: 3,
        ..Settings::default()
    };
    Training::of::<Faulty>(&Subject::of::<E>(json!({})), &settings)
}

/// Trains, saves, restores: the first error.
fn run(fault: LearnerFault, at_call: u64) -> Result<()> {
    let mut training = learner::<Sound>(json!({"fault": fault, "at_call": at_call}))?;
    for count in 1..=3 {
        let (_, metrics) = training.iterate()?;
        assert_eq!(metrics["count"], f64::from(count));
        if fault == LearnerFault::LossNotANumber {
            assert!(metrics["loss"].is_nan() && metrics["value_loss"].is_nan());
            return Err(Error::plugin("loss"));
        }
    }
    let (mut snapshot, mut weights) = (Vec::new(), Vec::new());
    training.algorithm().snapshot(&mut snapshot)?;
    training.algorithm().restore(&mut &snapshot[..])?;
    training.algorithm().weights(&mut weights)?;
    training.algorithm().set_weights(&mut &weights[..], &[])
}

#[test]
fn a_learner_without_fault_learns_in_every_world() {
    for training in [
        learner::<Sound>(json!({})),
        learner::<Spaces>(json!({})),
        learner::<Turns>(json!({})),
    ] {
        let mut training = training.unwrap();
        for count in 1..=20 {
            assert_eq!(training.iterate().unwrap().1["count"], f64::from(count));
        }
    }
    run(LearnerFault::None, 1).unwrap();
}

#[test]
fn every_fault_of_a_learner_is_told() {
    use ErrorKind::{Config, Panicked, Plugin};
    for (fault, kind, told) in [
        (
            LearnerFault::RecurrentWidths,
            Plugin,
            "capabilities /recurrent: expected one width for each of 1 groups, found 2",
        ),
        (
            LearnerFault::ExtrasTwice,
            Plugin,
            "capabilities /extras/1: expected a unique name",
        ),
        (
            LearnerFault::NeitherOnNorOffPolicy,
            Plugin,
            "capabilities /trainable: expected on_policy or off_policy",
        ),
        (
            LearnerFault::UnknownNeed,
            Config,
            "expected slabs of this host, found a need for 9999",
        ),
        (
            LearnerFault::UnknownTask,
            Plugin,
            "tasks: expected a task below 0, found 4294967295",
        ),
        (LearnerFault::LossNotANumber, Plugin, "loss"),
        (LearnerFault::SnapshotBroken, Config, "snapshot: "),
        (
            LearnerFault::WeightsBroken,
            Config,
            "weights: expected one tensor \"policy/",
        ),
        (
            LearnerFault::PanicInNext,
            Panicked,
            "asked to panic in next",
        ),
        (LearnerFault::PanicInAct, Panicked, "asked to panic in act"),
        (
            LearnerFault::PanicInLearn,
            Panicked,
            "asked to panic in learn",
        ),
        (
            LearnerFault::PanicInSnapshot,
            Panicked,
            "asked to panic in snapshot",
        ),
        (
            LearnerFault::PanicInRestore,
            Panicked,
            "asked to panic in restore",
        ),
        (
            LearnerFault::PanicInWeights,
            Panicked,
            "asked to panic in weights",
        ),
        (LearnerFault::ErrorInAct, Plugin, "asked to fail in act"),
        (LearnerFault::ErrorInLearn, Plugin, "asked to fail in learn"),
        (
            LearnerFault::ErrorInSnapshot,
            Plugin,
            "asked to fail in snapshot",
        ),
        (
            LearnerFault::ErrorInRestore,
            Plugin,
            "asked to fail in restore",
        ),
    ] {
        let error = run(fault, 1).unwrap_err();
        assert!(
            error.kind == kind && error.to_string().contains(told),
            "{fault:?}: {error:?}"
        );
    }
    let outside = run(LearnerFault::ActionOutsideSpace, 5)
        .unwrap_err()
        .to_string();
    assert!(outside.contains("action"), "{outside}");
}

#[test]
fn a_fault_waits_for_its_call() {
    let config = json!({"fault": "panic_in_learn", "at_call": 3});
    let mut training = learner::<Sound>(config).unwrap();
    training.iterate().unwrap();
    training.iterate().unwrap();
    assert_eq!(training.iterate().unwrap_err().kind, ErrorKind::Panicked);
    let dead = training.algorithm().snapshot(&mut Vec::new());
    assert!(
        dead.is_err(),
        "an object that has panicked refuses further calls"
    );
}

fn channel(fault: ExchangeFault) -> Result<CoordinationHandle> {
    let spec = EnvironmentSpec::new("team", 3, Space::real(2), Space::discrete(2));
    let what = MakeMechanism {
        config: json!({"fault": fault, "width": 2}),
        ..MakeMechanism::new(FaultyExchange::ID, spec)
    };
    CoordinationHandle::in_process(&MechanismEntry::of::<FaultyExchange>(), &what)
}

/// Messages 1 to 6 of three agents, and ones on the way back: inbox and gradients.
fn exchange(port: &ExchangePort) -> Result<(Vec<f32>, [Vec<f32>; 2])> {
    let (mut inbox, mut d_messages, mut d_gain) = (vec![0.0; 6], vec![0.0; 6], vec![0.0]);
    let open = port.exchange(Exchange {
        rows: 1,
        agents: 3,
        parameters: &[0.5],
        messages: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        mask: None,
        context: None,
        state_in: &[],
        keys: &[0],
        extras: Extras::Draw(&mut []),
        save: true,
        inbox: &mut inbox,
        state_out: &mut [],
    })?;
    open.expect("saved").backward(Gradients {
        d_inbox: &[1.0, 0.0, 0.0, 0.0, 0.0, 2.0],
        d_state_out: None,
        d_messages: &mut d_messages,
        d_state_in: &mut [],
        d_parameters: &mut d_gain,
    })?;
    Ok((inbox, [d_messages, d_gain]))
}

#[test]
fn a_channel_without_fault_sums_the_others() {
    let handle = channel(ExchangeFault::None).unwrap();
    let (inbox, [d_messages, d_gain]) = exchange(&handle.port()).unwrap();
    assert_eq!(inbox, [4.0, 5.0, 3.0, 4.0, 2.0, 3.0]);
    assert_eq!(d_messages, [0.0, 1.0, 0.5, 1.0, 0.5, 0.0]);
    assert_eq!(d_gain, [8.0 + 2.0 * 6.0]);
}

#[test]
fn every_fault_of_a_channel_is_told() {
    use ErrorKind::{Panicked, Plugin};
    for (fault, kind, told) in [
        (
            ExchangeFault::NoInbox,
            Plugin,
            "description /inbox_width: expected at least 1",
        ),
        (
            ExchangeFault::EmptyParameter,
            Plugin,
            "description /parameters/0 (gain): expected at least one value",
        ),
        (
            ExchangeFault::PanicInExchange,
            Panicked,
            "asked to panic in exchange",
        ),
        (
            ExchangeFault::PanicInBackward,
            Panicked,
            "asked to panic in backward",
        ),
        (
            ExchangeFault::ErrorInExchange,
            Plugin,
            "asked to fail in exchange",
        ),
        (
            ExchangeFault::ErrorInBackward,
            Plugin,
            "asked to fail in backward",
        ),
    ] {
        let error = channel(fault)
            .and_then(|handle| exchange(&handle.port()))
            .unwrap_err();
        assert!(
            error.kind == kind && error.to_string().contains(told),
            "{fault:?}: {error:?}"
        );
    }
    // The factory of a loaded plugin would catch it.
    let describe = || channel(ExchangeFault::PanicInDescribe).map(drop);
    assert!(std::panic::catch_unwind(describe).is_err());
    let numbers = |fault| exchange(&channel(fault).unwrap().port()).unwrap();
    assert!(numbers(ExchangeFault::InboxNotANumber).0[0].is_nan());
    assert!(numbers(ExchangeFault::GradientNotANumber).1[1][0].is_nan());
    let width = || {
        channel(ExchangeFault::WidthVaries)
            .unwrap()
            .description()
            .message_width
    };
    assert_eq!(width() + 1, width());
}
