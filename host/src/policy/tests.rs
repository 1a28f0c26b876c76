//! What policy wrappers do, by hand.

use palaestra_plugin_api::spec::{EnvironmentSpec, GroupSpec, Space};
use serde_json::{Value, json};

use super::*;

/// Two agents that see two features and choose one of three, and one that sees one and acts on a box.
fn world() -> EnvironmentSpec {
    let mut spec = EnvironmentSpec::new("good", 2, Space::real(2), Space::discrete(3));
    let action = Space::bounds(&[-2.0, 0.0], &[2.0, 10.0]);
    let mut bad = GroupSpec::new("bad", 1, Space::bounded(1, -1.0, 1.0), action);
    bad.no_op = Some(vec![0.0, 0.0]);
    spec.groups.push(bad);
    spec
}

fn wrappers(texts: &[&str]) -> Vec<WrapperSpec> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn view(groups: &[usize], texts: &[&str], instances: usize) -> PolicyView {
    PolicyView::new(&world(), groups, &wrappers(texts), instances).unwrap()
}

fn refused(base: &EnvironmentSpec, texts: &[&str]) -> String {
    let groups: Vec<_> = (0..base.groups.len()).collect();
    let error = PolicyView::new(base, &groups, &wrappers(texts), 1)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.kind.exit_code(), 2, "{error}");
    error.message
}

/// Observes group 0 of one instance (two agents).
fn see(view: &mut PolicyView, base: [f32; 4], first: [u8; 2], last: Option<[i32; 2]>) -> Vec<f32> {
    let mut out = vec![f32::NAN; 2 * view.spec().groups[0].observation.width()];
    let action = last.as_ref().map(|last| ActionRows::Choices(last));
    view.observe(0, &base, &first, action, &mut out).unwrap();
    out
}

#[test]
fn every_kind_is_read_by_its_name_and_has_a_schema() {
    for kind in KINDS {
        serde_json::from_str::<Value>(kind.schema).unwrap();
        check(&WrapperSpec::new(kind.name)).unwrap();
    }
}

#[test]
fn wrong_names_and_settings_are_refused_on_one_line() {
    let says = |text: &str| check(&text.parse().unwrap()).unwrap_err().message;
    assert_eq!(
        says("NormalizeObservation"),
        "wrapper \"NormalizeObservation\" not found; did you mean NormaliseObservation?"
    );
    assert_eq!(
        says("TimeLimit"),
        "wrapper \"TimeLimit\" not found; it changes the world: list it under wrappers, outside of the algorithm"
    );
    assert!(says("Recolour").contains("expected one of NormaliseObservation, NormaliseReward"));
    let message = says("FrameStack.frames=0");
    assert!(
        message.starts_with("config FrameStack: /frames: expected 1 ≤ x"),
        "{message}"
    );
    assert!(says("FrameStack.frame=3").contains("/frame"));
    assert!(says("AgentId.size=3").contains("/size"));
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let mut images = EnvironmentSpec::new("g", 1, Space::image(8, 8, 3), Space::discrete(2));
    assert_eq!(
        refused(&images, &["NormaliseObservation"]),
        "wrapper NormaliseObservation (group g): expected real observations to normalise, found bytes"
    );
    assert!(refused(&images, &["FrameStack"]).ends_with("expected real observations, found bytes"));
    images.groups[0].observation = Space::discrete(5);
    assert!(refused(&images, &["AgentId"]).ends_with("expected real observations, found choices"));
    assert_eq!(
        refused(&world(), &["RescaleAction"]),
        "wrapper RescaleAction (group good): expected real actions, found choices; leave it out"
    );
    let open = EnvironmentSpec::new(
        "g",
        1,
        Space::real(1),
        Space::bounds(&[0.0], &[f64::INFINITY]),
    );
    let message = refused(&open, &["RescaleAction"]);
    assert!(
        message.contains("found [0, inf] of component 0; ClipAction"),
        "{message}"
    );
    // Clipped actions have no bounds that could be rescaled to; the other way round they do.
    let boxed = EnvironmentSpec::new("g", 1, Space::real(1), Space::bounded(1, -1.0, 1.0));
    assert!(refused(&boxed, &["ClipAction", "RescaleAction"]).contains("found [-inf, inf]"));
    PolicyView::new(&boxed, &[0], &wrappers(&["RescaleAction", "ClipAction"]), 1).unwrap();
    assert!(refused(&world(), &["AgentId", "NormaliseObservation"]).contains("list it first"),);
    assert!(
        refused(&world(), &["NormaliseObservation", "NormaliseObservation"])
            .contains("found twice")
    );
}

#[test]
fn without_wrappers_everything_passes_unchanged() {
    let mut view = view(&[0], &[], 1);
    assert_eq!(view.spec(), &world());
    assert!(view.is_identity(0) && view.is_identity(1) && !view.changes_reward());
    assert_eq!(
        see(&mut view, [1.0, 2.0, 3.0, 4.0], [1, 1], None),
        [1.0, 2.0, 3.0, 4.0]
    );
    let mut out = [0.0; 2];
    view.act(1, &[7.0, -3.0], &mut out);
    assert_eq!(out, [7.0, -3.0]);
    view.reward(0, &[1.5, -2.0], &[0, 0], None, &mut out);
    assert_eq!(out, [1.5, -2.0]);
    assert_eq!(view.statistics(), json!({"good": {}}));
}

#[test]
fn normalised_observations_are_gymnasiums_once_the_statistics_are_golden() {
    let mut view = view(&[0], &["NormaliseObservation"], 1);
    // Nothing learned yet: mean 0, variance 1.
    let out = see(&mut view, [0.5, 30.0, -0.25, -30.0], [1, 1], None);
    assert_eq!(out, [0.5, 10.0, -0.25, -10.0]);
    let rows = [1.0, 10.0, 3.0, 10.0];
    view.learn_statistics(0, &mut [(&rows[..], None)].into_iter());
    let out = see(&mut view, [5.0, 10.03125, 1e9, -1e9], [0, 0], None);
    // (5 - 1.9999000049997500)/√(1.0001999799985 + 1e-8), with 30 digits.
    let near = |found: f32, exact: f64| (f64::from(found) - exact).abs() < 1e-7;
    assert!(near(out[0], 2.999_800_044_988_503), "{out:?}");
    assert!(near(out[1], 0.446_805_875_305_543), "{out:?}");
    assert_eq!(&out[2..], [10.0, -10.0]);
    let bounds = view.spec().groups[0].observation.bounds_of(1);
    assert_eq!(bounds, (-10.0, 10.0));
    assert_eq!(
        view.spec().groups[1],
        world().groups[1],
        "not this policy's"
    );
}

#[test]
fn only_living_agents_and_finite_rows_count_and_time_comes_before_instances() {
    let all: Vec<[f32; 4]> = (0..5)
        .map(|t| [0, 1, 2, 3].map(|i| (t * 4 + i) as f32 * 0.37))
        .collect();
    let alive = [[1_u8, 1], [1, 0], [0, 0], [1, 1], [0, 1]];
    let mut view_a = view(&[0], &["NormaliseObservation"], 1);
    let slots = all.iter().zip(&alive);
    view_a.learn_statistics(
        0,
        &mut slots.map(|(rows, alive)| (&rows[..], Some(&alive[..]))),
    );
    // The same rows one by one in the order (t, agent), without the dead and with a broken one among them.
    let mut kept: Vec<f32> = vec![f32::NAN, 1.0];
    for (rows, alive) in all.iter().zip(&alive) {
        for agent in (0..2).filter(|&agent| alive[agent] != 0) {
            kept.extend(&rows[agent * 2..agent * 2 + 2]);
        }
    }
    let mut view_b = view(&[0], &["NormaliseObservation"], 1);
    view_b.learn_statistics(0, &mut [(&kept[..], None)].into_iter());
    assert_eq!(view_a.statistics(), view_b.statistics());
    assert_eq!(
        view_a.statistics()["good"]["observation"]["count"],
        json!(6.0001)
    );
    // Several slots of few rows are one slot of many.
    let mut view_c = view(&[0], &["NormaliseObservation"], 1);
    view_c.learn_statistics(0, &mut kept.chunks(2).map(|row| (row, None)));
    assert_eq!(view_c.statistics(), view_b.statistics());
}

#[test]
fn normalised_rewards_divide_by_the_deviation_of_the_discounted_return_golden() {
    let mut view = view(&[1], &["NormaliseReward.gamma=0.5"], 1);
    assert!(view.changes_reward() && view.is_identity(1));
    let mut out = [0.0];
    // Returns 1, 2.5, 0.25, each a fragment of its own: Gymnasium's variance after each, with 40 digits.
    let golden = [
        (1.0, 0.000_199_970_003_999_500_06),
        (2.0, 0.562_674_983_594_953),
        (-1.0, 0.875_056_246_389_067_1),
    ];
    for (reward, variance) in golden {
        view.reward(1, &[reward], &[0], None, &mut out);
        view.learn_statistics(1, &mut std::iter::empty());
        let found = view.statistics()["bad"]["reward"]["variance"][0]
            .as_f64()
            .unwrap();
        assert!((found / variance - 1.0).abs() < 1e-12, "{found} {variance}");
    }
    view.freeze_statistics();
    view.reward(1, &[2.0], &[0], None, &mut out);
    assert!(
        (f64::from(out[0]) - 2.138_021_206_488_172_5).abs() < 1e-6,
        "{out:?}"
    );
    view.reward(1, &[-1e6], &[0], None, &mut out);
    assert_eq!(out, [-10.0]);
    assert_eq!(view.spec().reward_range, (Some(-10.0), Some(10.0)));
}

#[test]
fn the_return_ends_with_its_episode_and_absent_agents_have_none() {
    let statistics = |steps: &[([f32; 2], [u8; 2], [u8; 2])]| {
        let mut view = view(&[0], &["NormaliseReward.gamma=1"], 1);
        for (reward, ended, counted) in steps {
            view.reward(0, reward, ended, Some(counted), &mut [0.0; 2]);
        }
        view.learn_statistics(0, &mut std::iter::empty());
        view.statistics()["good"]["reward"].clone()
    };
    // Agent 0: returns 1, 3, then 4 anew; agent 1 plays the middle step only, with return 5.
    let found = statistics(&[
        ([1.0, 9.0], [0, 0], [1, 0]),
        ([2.0, 5.0], [1, 1], [1, 1]),
        ([4.0, 7.0], [0, 0], [1, 0]),
    ]);
    let expected = statistics(&[
        ([1.0, 0.0], [1, 1], [1, 0]),
        ([3.0, 5.0], [1, 1], [1, 1]),
        ([4.0, 0.0], [1, 1], [1, 0]),
    ]);
    assert_eq!(found, expected);
    assert_eq!(found["count"], json!(4.0001));
}

#[test]
fn stacks_hold_the_last_frames_and_begin_anew_with_each_episode() {
    let mut repeat = view(&[0], &["FrameStack.frames=3"], 1);
    let mut zeros = view(&[0], &["FrameStack.frames=3,padding=zeros"], 1);
    let row = |x: f32| [x, x + 0.5, -x, -x - 0.5];
    see(&mut repeat, row(1.0), [1, 1], None);
    let out = see(&mut zeros, row(1.0), [1, 1], None);
    assert_eq!(out[..6], [0.0, 0.0, 0.0, 0.0, 1.0, 1.5]);
    let out = see(&mut repeat, row(2.0), [0, 0], None);
    assert_eq!(out[..6], [1.0, 1.5, 1.0, 1.5, 2.0, 2.5]);
    assert_eq!(out[6..], [-1.0, -1.5, -1.0, -1.5, -2.0, -2.5]);
    // The second agent's episode ends: what it saw last does not disturb what comes next.
    let mut last = [0.0; 12];
    let action = [0, 0];
    repeat
        .observe_final(0, 0, &row(8.0), ActionRows::Choices(&action), &mut last)
        .unwrap();
    assert_eq!(last[6..], [-1.0, -1.5, -2.0, -2.5, -8.0, -8.5]);
    let out = see(&mut repeat, row(3.0), [0, 1], Some(action));
    assert_eq!(out[..6], [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]);
    assert_eq!(out[6..], [-3.0, -3.5, -3.0, -3.5, -3.0, -3.5]);
    let Space::Box { shape, parts, .. } = &repeat.spec().groups[0].observation else {
        panic!("expected a box")
    };
    assert_eq!(shape, &[6]);
    let parts: Vec<_> = parts
        .iter()
        .map(|(name, width)| (name.as_str(), *width))
        .collect();
    assert_eq!(
        parts,
        [
            ("observation[t-2]", 2),
            ("observation[t-1]", 2),
            ("observation", 2)
        ]
    );
}

#[test]
fn agents_know_who_they_are_and_what_they_proposed() {
    let mut view = view(&[0], &["AgentId", "LastAction"], 1);
    let out = see(&mut view, [1.0, 2.0, 3.0, 4.0], [1, 1], None);
    assert_eq!(
        out,
        [
            1.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 0.0, 1.0, 0.0, 0.0, 0.0
        ]
    );
    let mut last = [0.0; 14];
    view.observe_final(0, 0, &[9.0; 4], ActionRows::Choices(&[2, 0]), &mut last)
        .unwrap();
    assert_eq!(last[4..7], [0.0, 0.0, 1.0]);
    let out = see(&mut view, [1.0, 2.0, 3.0, 4.0], [0, 1], Some([2, 0]));
    assert_eq!(
        (&out[4..7], &out[11..14]),
        (&[0.0, 0.0, 1.0][..], &[0.0; 3][..])
    );
    view.spec().validate().unwrap();
}

#[test]
fn a_last_real_action_is_the_policys_own_in_either_order() {
    for texts in [
        ["LastAction", "RescaleAction"],
        ["RescaleAction", "LastAction"],
    ] {
        let mut view = view(&[1], &texts, 2);
        let mut out = [0.0; 6];
        let action = [0.25, -1.0, 0.5, 0.75];
        view.observe(
            1,
            &[7.0, 8.0],
            &[0, 1],
            Some(ActionRows::Real(&action)),
            &mut out,
        )
        .unwrap();
        assert_eq!(out, [7.0, 0.25, -1.0, 8.0, 0.0, 0.0]);
        assert_eq!(view.spec().groups[1].observation.bounds_of(1), (-1.0, 1.0));
    }
}

#[test]
fn real_actions_are_rescaled_and_cut_to_the_worlds_bounds() {
    let mut out = [0.0; 4];
    let rescale = view(&[1], &["RescaleAction"], 2);
    rescale.act(1, &[-1.0, -1.0, 0.5, 1.0], &mut out);
    assert_eq!(out, [-2.0, 0.0, 1.0, 10.0]);
    rescale.act(1, &[-9.0, 9.0, 0.0, 0.0], &mut out);
    assert_eq!(out, [-2.0, 10.0, 0.0, 5.0]);
    let group = &rescale.spec().groups[1];
    assert_eq!(group.action.bounds_of(1), (-1.0, 1.0));
    assert_eq!(group.no_op, Some(vec![0.0, -1.0]));
    assert!(rescale.changes_action(1) && !rescale.changes_observation(1));
    let clip = view(&[1], &["ClipAction"], 2);
    clip.act(1, &[-3.0, 3.0, 3.0, -3.0], &mut out);
    assert_eq!(out, [-2.0, 3.0, 2.0, 0.0]);
    assert_eq!(
        clip.spec().groups[1].action.bounds_of(0),
        (f64::NEG_INFINITY, f64::INFINITY)
    );
    let both = view(&[1], &["RescaleAction", "ClipAction"], 2);
    both.act(1, &[-3.0, 3.0, 0.5, 0.0], &mut out);
    assert_eq!(out, [-2.0, 10.0, 1.0, 5.0]);
}

const ALL: [&str; 5] = [
    "NormaliseObservation",
    "FrameStack.frames=2",
    "AgentId",
    "LastAction",
    "NormaliseReward",
];

/// A deterministic life of a view of three instances: everything it gave between two steps.
fn live(view: &mut PolicyView, steps: std::ops::Range<usize>) -> Vec<f32> {
    let width = 6 * view.spec().groups[0].observation.width();
    let mut seen = Vec::new();
    for t in steps {
        let base: Vec<f32> = (0..12)
            .map(|i| ((t * 12 + i) as f32 * 0.71).sin())
            .collect();
        let first: Vec<u8> = (0..6)
            .map(|i| u8::from((t + i / 2).is_multiple_of(5)))
            .collect();
        let action: Vec<i32> = (0..6).map(|i| ((t * 7 + i) % 3) as i32).collect();
        let (mut out, mut reward) = (vec![0.0; width], vec![0.0; 6]);
        let choices = ActionRows::Choices(&action);
        view.reward(0, &base[..6], &first, None, &mut reward);
        let last = &mut out[..width / 3];
        view.observe_final(0, 1, &base[4..8], choices, last)
            .unwrap();
        seen.extend_from_slice(last);
        view.observe(0, &base, &first, Some(choices), &mut out)
            .unwrap();
        seen.extend(out.iter().chain(&reward));
        if t % 4 == 3 {
            view.learn_statistics(0, &mut [(&base[..], None)].into_iter());
        }
    }
    seen
}

#[test]
fn a_loaded_view_goes_on_to_the_bit_in_the_middle_of_a_fragment() {
    let mut whole = view(&[0], &ALL, 3);
    live(&mut whole, 0..10);
    let text = whole.save().to_string();
    let mut resumed = view(&[0], &ALL, 3);
    resumed.load(&serde_json::from_str(&text).unwrap()).unwrap();
    let (expected, found) = (live(&mut whole, 10..30), live(&mut resumed, 10..30));
    assert_eq!(found, expected);
    assert_eq!(resumed.save(), whole.save());
    let mut other = view(&[0], &ALL, 4);
    let error = other.load(&whole.save()).unwrap_err();
    assert_eq!(error.kind.exit_code(), 2, "{error}");
}

#[test]
fn statistics_travel_between_views_of_any_size_and_stay_when_frozen() {
    let mut learner = view(&[0], &ALL, 3);
    live(&mut learner, 0..8);
    let statistics: Value = serde_json::from_str(&learner.statistics().to_string()).unwrap();
    let mut evaluator = view(&[0], &ALL, 1);
    evaluator.set_statistics(&statistics).unwrap();
    evaluator.freeze_statistics();
    assert!(!evaluator.learns_statistics(0) && learner.learns_statistics(0));
    see(&mut evaluator, [0.1, 0.2, 0.3, 0.4], [1, 1], None);
    evaluator.reward(0, &[3.0, 4.0], &[0, 0], None, &mut [0.0; 2]);
    evaluator.learn_statistics(0, &mut [(&[5.0_f32; 4][..], None)].into_iter());
    assert_eq!(evaluator.statistics(), learner.statistics());
    let error = evaluator.set_statistics(&json!({})).unwrap_err();
    assert_eq!(
        error.message,
        "policy statistics: /good: expected a value, found none"
    );
    let mut other = statistics;
    other["good"]["observation"]["mean"] = json!([1.0]);
    let error = evaluator.set_statistics(&other).unwrap_err();
    assert_eq!(
        error.message,
        "policy statistics of good: /observation/mean: expected 2 numbers, found 1"
    );
}

#[test]
fn slices_of_another_size_are_refused() {
    let mut view = view(&[0], &["LastAction"], 1);
    let mut out = [0.0; 10];
    let mut says = |base: &[f32], first: &[u8], action: &[i32]| {
        let action = Some(ActionRows::Choices(action));
        view.observe(0, base, first, action, &mut out)
            .unwrap_err()
            .message
    };
    assert_eq!(
        says(&[0.0; 3], &[1; 2], &[0; 2]),
        "policy view: expected 4 observations, found 3"
    );
    assert!(says(&[0.0; 4], &[1; 1], &[0; 2]).contains("flags"));
    assert!(says(&[0.0; 4], &[1; 2], &[0; 3]).contains("action components"));
}
