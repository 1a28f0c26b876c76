//! Every check notices its fault, and only its fault.

use palaestra_plugin_api::{
    serde_json::json,
    testing::{CHECKS, CheckReport, Status, Subject, run_all},
};
use stress::{FaultKind, Misbehaving};

fn reports(fault: FaultKind) -> Vec<CheckReport> {
    run_all(&Subject::of::<Misbehaving>(json!({"fault": fault})), 1)
}

fn of_status(reports: &[CheckReport], status: Status) -> Vec<&str> {
    reports
        .iter()
        .filter(|r| r.status == status)
        .map(|r| r.check.as_str())
        .collect()
}

/// The fault fails `check`; nothing else fails or crashes.
#[track_caller]
fn fails_only(fault: FaultKind, check: &str) {
    let reports = reports(fault);
    let failed = of_status(&reports, Status::Failed);
    let lines: Vec<String> = reports.iter().map(ToString::to_string).collect();
    assert_eq!(failed, [check], "{lines:#?}");
    assert_eq!(of_status(&reports, Status::Crashed), [""; 0], "{lines:#?}");
}

/// The fault crashes exactly these checks, naming what panicked; nothing fails.
#[track_caller]
fn crashes(fault: FaultKind, checks: &[&str], message: &str) {
    let reports = reports(fault);
    assert_eq!(of_status(&reports, Status::Crashed), checks);
    assert_eq!(of_status(&reports, Status::Failed), [""; 0]);
    for report in reports.iter().filter(|r| r.status == Status::Crashed) {
        assert!(
            report.detail.contains(message) && !report.detail.contains('\n'),
            "{report}"
        );
    }
}

macro_rules! faults {
    ($($test:ident: $fault:ident fails $check:literal;)*) => { $(
        #[test]
        fn $test() {
            fails_only(FaultKind::$fault, $check);
        }
    )* };
}

faults! {
    a_no_op_outside_its_space: NoOpOutsideSpace fails "spaces-well-formed";
    a_spec_that_varies: SpecVaries fails "spaces-stable";
    a_first_observation_out_of_bounds: ResetOutsideSpace fails "reset-in-space";
    an_observation_out_of_bounds: StepOutsideSpace fails "step-in-space";
    an_observation_that_is_nan: ObservationNotANumber fails "step-in-space";
    an_observation_that_is_not_written: ObservationMissing fails "step-in-space";
    a_reward_that_is_nan: RewardNotFinite fails "reward-finite";
    a_start_with_nobody_alive: NobodyAlive fails "flags-clear-after-reset";
    a_reset_that_counts_objects: ResetVaries fails "reset-determinism";
    a_step_that_counts_steps: StepVaries fails "episode-determinism";
    a_generator_of_its_own: SeedIgnored fails "seed-divergence";
    instances_that_see_each_other: InstancesShare fails "instance-isolation";
    an_instance_that_knows_its_place: BatchSizeMatters fails "vector-equals-scalar";
    a_limit_other_than_configured: LimitDiffers fails "truncation-at-limit";
    a_last_observation_that_is_not_written: FinalObservationMissing fails "final-observation-kept";
    a_mask_without_choice: MaskWithoutChoice fails "action-mask-valid";
    an_agent_that_comes_back: AgentRevives fails "agents-never-revive";
    a_reward_beyond_its_range: RewardOutsideRange fails "returns-within-bounds";
    a_counterfactual_of_something_else: CounterfactualOfAnother fails "counterfactual-is-paid";
    a_snapshot_that_forgets: SnapshotForgets fails "snapshot-roundtrip-mid-episode";
    a_snapshot_that_may_be_anything: SnapshotAcceptsAnything fails "snapshot-invalid-refused";
}

/// A fault that only the C door can have: the SDK checks actions itself.
const IMPOSSIBLE_IN_RUST: &[&str] = &["bad-action-refused"];

#[test]
fn every_check_has_a_fault() {
    let source = include_str!("faults.rs");
    let faulted = |name: &str| {
        source.contains(&format!("fails \"{name}\";")) || IMPOSSIBLE_IN_RUST.contains(&name)
    };
    let without: Vec<_> = CHECKS
        .iter()
        .map(|c| c.name)
        .filter(|name| !faulted(name))
        .collect();
    assert_eq!(without, [""; 0]);
}

#[test]
fn an_early_end_is_worth_a_look() {
    let reports = reports(FaultKind::TruncatesEarly);
    assert_eq!(
        of_status(&reports, Status::Warning),
        ["truncation-at-limit"]
    );
    assert_eq!(of_status(&reports, Status::Failed), [""; 0]);
}

#[test]
fn a_report_comes_again_from_its_seed() {
    for seed in [0, 77] {
        let subject = Subject::of::<Misbehaving>(json!({"fault": "step_outside_space"}));
        let (first, second) = (run_all(&subject, seed), run_all(&subject, seed));
        assert_eq!(first, second);
        assert!(first.iter().all(|r| r.seed == seed));
    }
}

#[test]
fn a_panic_while_made_is_told_once() {
    crashes(
        FaultKind::PanicInSpec,
        &["spaces-well-formed"],
        "asked to panic in spec",
    );
    crashes(
        FaultKind::PanicInNew,
        &["spaces-well-formed"],
        "asked to panic in new",
    );
}

#[test]
fn panics_of_calls_crash_what_makes_the_call() {
    crashes(
        FaultKind::PanicInInspect,
        &["episode-determinism"],
        "asked to panic in inspect",
    );
    crashes(
        FaultKind::PanicInRender,
        &["episode-determinism"],
        "asked to panic in render",
    );
    let snapshots = ["snapshot-roundtrip-mid-episode", "snapshot-invalid-refused"];
    crashes(
        FaultKind::PanicInSnapshot,
        &snapshots,
        "asked to panic in snapshot",
    );
}

#[test]
fn panics_of_reset_and_step_crash_whatever_runs() {
    for fault in [
        FaultKind::PanicInReset,
        FaultKind::PanicInStep,
        FaultKind::PanicPayload,
    ] {
        let reports = reports(fault);
        let crashed = of_status(&reports, Status::Crashed);
        assert!(crashed.len() > 10, "{fault:?}: {crashed:?}");
        assert_eq!(of_status(&reports, Status::Failed), [""; 0]);
        let of_reset = reports.iter().filter(|r| r.status == Status::Crashed);
        let place = if fault == FaultKind::PanicInReset {
            "(reset"
        } else {
            "(step, env"
        };
        assert!(
            of_reset.clone().all(|r| r.detail.starts_with(place)),
            "{:#?}",
            of_reset.collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_panic_of_drop_stays_in_the_plugin() {
    let reports = reports(FaultKind::PanicInDrop);
    // Restoring drops the world that is replaced.
    let crashed = of_status(&reports, Status::Crashed);
    assert!(
        crashed.iter().all(|c| c.starts_with("snapshot-")),
        "{crashed:?}"
    );
    assert_eq!(of_status(&reports, Status::Failed), [""; 0]);
}
