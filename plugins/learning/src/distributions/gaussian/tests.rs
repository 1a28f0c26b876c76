use super::*;
use crate::golden::{agree, cases, expect, number, numbers, read};
use crate::gradient_check::finite_differences;
use crate::tensor::{GradientTape, matrix};

/// SAC's actor loss α·log π(a) - Q(a) with Q(a) = -Σ (a - target)²: value and gradients.
#[test]
fn golden_squashed_gaussian() {
    let file = read("policy_learning.json");
    for case in cases(&file["sac"]) {
        let (mean, log_std) = (numbers(&case["mean"]), numbers(&case["log_std"]));
        let (noise, target) = (numbers(&case["noise"]), numbers(&case["target"]));
        let alpha = number(&case["alpha"]);
        let gaussian = DiagonalGaussian::new(mean.len()).unwrap();
        let all = gaussian.squashed(&mean, &log_std, &noise).unwrap();
        expect("action", &all.action, &case["action"]);
        expect("log-probability", &all.log_prob, &case["log_prob"]);

        let q: f32 = -all
            .action
            .iter()
            .zip(&target)
            .map(|(a, t)| (a - t) * (a - t))
            .sum::<f32>();
        expect(
            "actor loss",
            &[alpha * all.log_prob[0] - q],
            &case["actor_loss"],
        );
        let gradient = |log_prob: &[f32], action: &[f32]| -> Vec<f32> {
            (0..mean.len())
                .map(|i| alpha * log_prob[i] + 2.0 * (all.action[i] - target[i]) * action[i])
                .collect()
        };
        let d_mean = gradient(&all.log_prob_mean_gradient, &all.action_mean_gradient);
        let d_log_std = gradient(&all.log_prob_log_std_gradient, &all.action_log_std_gradient);
        expect("mean gradient", &d_mean, &case["grad_mean"]);
        expect("log-std gradient", &d_log_std, &case["grad_log_std"]);
        let wrong = numbers(&case["WRONG_actor_grad_if_action_detached"]["grad_mean"]);
        assert!(
            !agree(&d_mean, &wrong),
            "the action's own gradient is missing"
        );
        let next = numbers(&case["pre_tanh"]);
        let by_u = gaussian.evaluate(&mean, &log_std, &next).unwrap().log_prob[0];
        let corrected = by_u - next.iter().map(|&u| squash_correction(u)).sum::<f32>();
        expect("log-probability from u", &[corrected], &case["log_prob"]);
    }
}

const MEAN: [f32; 6] = [0.3, -0.5, 1.0, 0.0, 0.2, -0.9];
const LOG_STD: [f32; 3] = [-0.5, 0.1, 0.4];
const U: [f32; 6] = [0.1, 0.4, -0.7, 1.3, 0.0, -1.1];

#[test]
fn gaussian_gradients_equal_finite_differences_on_the_tape() {
    let gaussian = DiagonalGaussian::new(3).unwrap();
    let device = Cpu::default();
    let parameter = Parameter::new(&device, &[3], LOG_STD.to_vec()).unwrap();
    let mean = matrix(&device, MEAN.to_vec(), 2, 3).unwrap();
    let (log_prob, entropy) = gaussian
        .on_tape(mean.retaped::<GradientTape<Cpu>>(), &parameter, &U)
        .unwrap();
    use dfdx::prelude::*;
    let loss = log_prob.sum::<(), _>() + entropy.sum::<(), _>() * 0.5;
    let gradients = loss.backward();
    let value = |mean: &[f32], log_std: &[f32]| {
        let all = gaussian.evaluate(mean, log_std, &U).unwrap();
        all.log_prob
            .iter()
            .zip(&all.entropy)
            .map(|(l, h)| f64::from(*l) + 0.5 * f64::from(*h))
            .sum()
    };
    finite_differences("mean", &MEAN, &gradients.get(&mean).as_vec(), &mut |at| {
        value(at, &LOG_STD)
    });
    finite_differences(
        "log-std",
        &LOG_STD,
        &gradients.get(&parameter.values).as_vec(),
        &mut |at| value(&MEAN, at),
    );
}

#[test]
fn samples_have_the_distribution_and_depend_on_their_key_only() {
    let gaussian = DiagonalGaussian::new(3).unwrap();
    let row_keys: Vec<u64> = (0..20_000).map(palaestra_plugin_api::rng::mix64).collect();
    let mean = MEAN[..3].repeat(row_keys.len());
    let (mut u, mut log_prob) = (vec![0.0; mean.len()], vec![0.0; row_keys.len()]);
    gaussian
        .sample(&mean, &LOG_STD, &row_keys, &mut u, &mut log_prob)
        .unwrap();
    for j in 0..3 {
        let column: Vec<f64> = u.iter().skip(j).step_by(3).map(|&x| f64::from(x)).collect();
        let average = column.iter().sum::<f64>() / column.len() as f64;
        let spread = (column.iter().map(|x| (x - average).powi(2)).sum::<f64>()
            / column.len() as f64)
            .sqrt();
        let std = f64::from(LOG_STD[j]).exp();
        assert!(
            (average - f64::from(MEAN[j])).abs() < 0.03 * std && (spread / std - 1.0).abs() < 0.03
        );
    }
    let (mut one, mut its) = ([0.0; 3], [0.0]);
    gaussian
        .sample(&MEAN[..3], &LOG_STD, &row_keys[99..100], &mut one, &mut its)
        .unwrap();
    assert_eq!((&one[..], its[0]), (&u[297..300], log_prob[99]));
}

#[test]
fn the_correction_is_stable_far_out() {
    for (u, expected) in [
        (0.0, 0.0),
        (20.0, -38.613_705),
        (-20.0, -38.613_705),
        (0.5, -0.240_229_02),
    ] {
        assert!((squash_correction(u) - expected).abs() < 1e-5, "{u}");
    }
}
