use super::*;
use crate::golden::{agree, cases, expect, numbers, read};
use crate::gradient_check::finite_differences;
use crate::tensor::{GradientTape, matrix};

#[test]
fn golden_categorical_values_and_gradients() {
    let file = read("policy_learning.json");
    for case in cases(&file["categorical_pg"]) {
        let logits = numbers(&case["logits"]);
        let actions: Vec<i32> = numbers(&case["actions"])
            .iter()
            .map(|&a| a as i32)
            .collect();
        let advantage = numbers(&case["advantage"]);
        let n = actions.len();
        let categorical = Categorical::new(logits.len() / n).unwrap();
        let all = categorical.evaluate(&logits, None, &actions).unwrap();

        expect(
            "probabilities",
            &categorical.log_softmax(&logits, None).1,
            &case["probs"],
        );
        expect("entropy", &all.entropy, &case["entropy"]);
        expect(
            "entropy gradient",
            &all.entropy_gradient,
            &case["d_entropy_d_logits"],
        );
        let loss: f32 = -all
            .log_prob
            .iter()
            .zip(&advantage)
            .map(|(l, a)| l * a)
            .sum::<f32>()
            / n as f32;
        expect("policy loss", &[loss], &case["a2c_policy_loss_mean"]);
        let weights = advantage.iter().map(|a| -a / n as f32);
        let slope: Vec<f32> = weights
            .zip(all.log_prob_gradient.chunks_exact(categorical.width))
            .flat_map(|(w, row)| row.iter().map(move |g| w * g).collect::<Vec<_>>())
            .collect();
        expect("policy gradient", &slope, &case["grad_logits"]);
    }
}

const LOGITS: [f32; 10] = [0.3, -1.2, 2.0, 0.1, 0.7, -0.4, 0.9, 0.0, -0.3, 1.1];
const MASK: [u8; 10] = [1, 0, 1, 0, 0, 1, 1, 1, 1, 0];

#[test]
fn masked_multi_discrete_gradients_equal_finite_differences() {
    let categorical = Categorical::multi(&[3, 2]).unwrap();
    let actions = [2, 1, 1, 0];
    let all = categorical
        .evaluate(&LOGITS, Some(&MASK), &actions)
        .unwrap();
    let sum = |at: &[f32], pick: fn(&Evaluation) -> &Vec<f32>| {
        let all = categorical.evaluate(at, Some(&MASK), &actions).unwrap();
        pick(&all).iter().map(|&x| f64::from(x)).sum()
    };
    finite_differences("log-prob", &LOGITS, &all.log_prob_gradient, &mut |at| {
        sum(at, |all| &all.log_prob)
    });
    finite_differences("entropy", &LOGITS, &all.entropy_gradient, &mut |at| {
        sum(at, |all| &all.entropy)
    });
    assert!(
        all.entropy
            .iter()
            .chain(&all.entropy_gradient)
            .all(|x| x.is_finite())
    );
}

#[test]
fn unavailable_actions_are_never_chosen_and_get_no_gradient() {
    let categorical = Categorical::multi(&[3, 2]).unwrap();
    for key in 0..2000u64 {
        let (mut actions, mut log_prob) = ([0; 4], [0.0; 2]);
        categorical
            .sample(
                &LOGITS,
                Some(&MASK),
                &[key, key + 9],
                &mut actions,
                &mut log_prob,
            )
            .unwrap();
        let mut start = 0;
        for (choice, &action) in actions.iter().enumerate() {
            // Row 0's second choice has no available action: all count as available.
            assert!(choice == 1 || MASK[start + action as usize] == 1);
            start += [3, 2][choice % 2];
        }
        let again = categorical
            .evaluate(&LOGITS, Some(&MASK), &actions)
            .unwrap();
        assert_eq!(again.log_prob, log_prob);
        assert!(
            [1, 9]
                .iter()
                .all(|&i| again.log_prob_gradient[i] == 0.0 && again.entropy_gradient[i] == 0.0)
        );
    }
}

#[test]
fn samples_follow_the_probabilities_and_their_own_key_only() {
    let categorical = Categorical::new(5).unwrap();
    let probs = categorical.log_softmax(&LOGITS[..5], None).1;
    let row_keys: Vec<u64> = (0..40_000).map(palaestra_plugin_api::rng::mix64).collect();
    let logits = LOGITS[..5].repeat(row_keys.len());
    let (mut actions, mut log_prob) = (vec![0; row_keys.len()], vec![0.0; row_keys.len()]);
    categorical
        .sample(&logits, None, &row_keys, &mut actions, &mut log_prob)
        .unwrap();
    for (action, &p) in probs.iter().enumerate() {
        let share =
            actions.iter().filter(|&&a| a == action as i32).count() as f32 / row_keys.len() as f32;
        assert!(
            (share - p).abs() < 4.0 * (p / 40_000.0).sqrt(),
            "{share} {p}"
        );
    }
    let (mut one, mut its) = ([0], [0.0]);
    categorical
        .sample(&LOGITS[..5], None, &row_keys[777..778], &mut one, &mut its)
        .unwrap();
    assert_eq!((one[0], its[0]), (actions[777], log_prob[777]));
    categorical
        .greedy(&LOGITS[..5], None, &mut one, &mut its)
        .unwrap();
    assert_eq!(one[0], 2);
}

#[test]
fn on_the_tape_both_gradients_meet_in_the_logits() {
    let categorical = Categorical::multi(&[3, 2]).unwrap();
    let actions = [2, 1, 1, 0];
    let x = matrix(&Cpu::default(), LOGITS.to_vec(), 2, 5).unwrap();
    let traced = x.retaped::<GradientTape<Cpu>>();
    let (log_prob, entropy) = categorical.on_tape(traced, Some(&MASK), &actions).unwrap();
    let (log_prob, tape) = log_prob.split_tape();
    let (entropy, second) = entropy.split_tape();
    use dfdx::prelude::*;
    let loss = log_prob.put_tape(tape.merge(second)).sum::<(), _>()
        + entropy.retaped::<GradientTape<Cpu>>().sum::<(), _>() * 0.5;
    let found = loss.backward().get(&x).as_vec();
    let all = categorical
        .evaluate(&LOGITS, Some(&MASK), &actions)
        .unwrap();
    let expected: Vec<f32> = all
        .log_prob_gradient
        .iter()
        .zip(&all.entropy_gradient)
        .map(|(a, b)| a + 0.5 * b)
        .collect();
    assert!(agree(&found, &expected));
}

#[test]
fn faults_are_named() {
    let categorical = Categorical::new(5).unwrap();
    let fault = categorical.evaluate(&LOGITS, None, &[0, 5]).unwrap_err();
    assert_eq!(
        fault.message,
        "categorical: expected action 0 ≤ a < 5, found 5"
    );
    assert!(categorical.evaluate(&LOGITS[..7], None, &[0]).is_err());
    assert!(Categorical::multi(&[2, 0]).is_err());
    let nan = categorical
        .evaluate(&[f32::NAN, 0.0, 0.0, 0.0, 0.0], None, &[1])
        .unwrap();
    assert!(nan.log_prob[0].is_nan());
}
