use super::*;
use crate::golden::{cases, expect, expect_not, flags, number, numbers, read};
use serde_json::Value;

/// A case's slabs: one column.
struct Slabs {
    rewards: Vec<f32>,
    values: Vec<f32>,
    next_values: Vec<f32>,
    terminated: Vec<u8>,
    truncated: Vec<u8>,
}

impl Slabs {
    /// `values_T_plus_1` holds V(s_0..=s_T).
    fn with_all_values(case: &Value) -> Self {
        let all = numbers(&case["values_T_plus_1"]);
        let terminated = flags(&case["terminated"]);
        Self {
            rewards: numbers(&case["rewards"]),
            values: all[..all.len() - 1].to_vec(),
            next_values: all[1..].to_vec(),
            truncated: vec![0; terminated.len()],
            terminated,
        }
    }

    fn fragment(&self) -> Fragment<'_> {
        Fragment {
            columns: 1,
            rewards: &self.rewards,
            values: &self.values,
            next_values: &self.next_values,
            terminated: &self.terminated,
            truncated: &self.truncated,
        }
    }
}

fn gae_case(case: &Value) -> Slabs {
    let values = numbers(&case["values"]);
    let truncated = flags(&case["truncated"]);
    let finals: Vec<FinalValue> = numbers(&case["value_of_final_obs_if_truncated"])
        .iter()
        .enumerate()
        .filter(|(step, _)| truncated[*step] != 0)
        .map(|(step, &value)| FinalValue {
            step,
            column: 0,
            value,
        })
        .collect();
    Slabs {
        rewards: numbers(&case["rewards"]),
        next_values: next_values(&values, &[number(&case["bootstrap_value"])], &finals).unwrap(),
        values,
        terminated: flags(&case["terminated"]),
        truncated,
    }
}

#[test]
fn golden_gae() {
    let file = read("returns.json");
    let mut mistakes = 0;
    for case in cases(&file["gae"]["cases"]) {
        let slabs = gae_case(case);
        let advantages = gae(
            &slabs.fragment(),
            number(&case["gamma"]),
            number(&case["lambda_"]),
        )
        .unwrap();
        expect("advantages", &advantages, &case["advantages"]);
        expect(
            "returns",
            &value_targets(&advantages, &slabs.values),
            &case["returns"],
        );
        let wrong = case.get("WRONG_done_shifted");
        mistakes += usize::from(expect_not("gae", &advantages, &case["advantages"], wrong));
        let normalised = crate::normalise::standardise(&advantages, None);
        expect(
            "population",
            &normalised,
            &case["adv_normalised_population_std"],
        );
    }
    assert!(mistakes > 0, "no case tells the shifted form");
}

#[test]
fn golden_n_step() {
    let file = read("returns.json");
    for case in cases(&file["n_step"]["cases"]) {
        let slabs = Slabs::with_all_values(case);
        let n = number(&case["n"]) as usize;
        let targets = n_step(&slabs.fragment(), number(&case["gamma"]), n).unwrap();
        expect("n-step", &targets, &case["targets"]);
    }
}

#[test]
fn golden_lambda_return() {
    let file = read("returns.json");
    for case in cases(&file["lambda_return"]["cases"]) {
        let slabs = Slabs::with_all_values(case);
        let found = lambda_return(
            &slabs.fragment(),
            number(&case["gamma"]),
            number(&case["lambda_"]),
        )
        .unwrap();
        expect("λ-return", &found, &case["lambda_returns"]);
    }
}

#[test]
fn golden_v_trace() {
    let file = read("returns.json");
    let mut mistakes = 0;
    for case in cases(&file["vtrace"]["cases"]) {
        let values = numbers(&case["values"]);
        let terminated = flags(&case["done"]);
        let slabs = Slabs {
            rewards: numbers(&case["rewards"]),
            next_values: next_values(&values, &[number(&case["bootstrap_value"])], &[]).unwrap(),
            truncated: vec![0; values.len()],
            values,
            terminated,
        };
        let ratios: Vec<f32> = numbers(&case["log_pi"])
            .iter()
            .zip(numbers(&case["log_mu"]))
            .map(|(pi, mu)| (pi - mu).exp())
            .collect();
        let settings = OffPolicy {
            gamma: number(&case["gamma"]),
            lambda: number(&case["lambda_"]),
            rho_bar: number(&case["rho_bar"]),
            c_bar: number(&case["c_bar"]),
            policy_rho_bar: number(&case["pg_rho_bar"]),
        };
        let found = v_trace(&slabs.fragment(), &ratios, settings).unwrap();
        expect("v-trace targets", &found.targets, &case["vs"]);
        expect(
            "v-trace advantages",
            &found.policy_advantages,
            &case["pg_advantage"],
        );
        let wrong = case.get("WRONG_without_cumulative_c_product");
        mistakes += usize::from(expect_not("v-trace", &found.targets, &case["vs"], wrong));
    }
    assert!(mistakes > 0, "no case tells the form without the product");
}

#[test]
fn golden_retrace_family() {
    let file = read("returns.json");
    for case in cases(&file["retrace_family"]["cases"]) {
        let rows =
            |name: &str| -> Vec<Vec<f32>> { cases(&case[name]).iter().map(numbers).collect() };
        let (q, pi, mu) = (rows("q"), rows("pi"), rows("mu"));
        let actions: Vec<usize> = numbers(&case["actions"])
            .iter()
            .map(|&a| a as usize)
            .collect();
        let steps = actions.len();
        let (gamma, lambda) = (number(&case["gamma"]), number(&case["lambda_"]));
        let slabs = Slabs {
            rewards: numbers(&case["rewards"]),
            values: (0..steps).map(|t| q[t][actions[t]]).collect(),
            next_values: (1..=steps)
                .map(|t| q[t].iter().zip(&pi[t]).map(|(q, p)| q * p).sum())
                .collect(),
            terminated: flags(&case["terminated"]),
            truncated: vec![0; steps],
        };
        let with = |trace: &dyn Fn(f32, f32) -> f32| {
            let traces: Vec<f32> = (0..steps)
                .map(|t| trace(pi[t][actions[t]], mu[t][actions[t]]))
                .collect();
            retrace(&slabs.fragment(), &traces, gamma).unwrap()
        };
        let targets = case["targets"].as_object().expect("targets by name");
        assert_eq!(targets.len(), 4);
        expect(
            "retrace",
            &with(&|pi, mu| retrace_trace(pi, mu, lambda)),
            &targets["retrace"],
        );
        expect(
            "tree backup",
            &with(&|pi, _| tree_backup_trace(pi, lambda)),
            &targets["tree_backup"],
        );
        expect(
            "q(λ)",
            &with(&|_, _| q_pi_lambda_trace(lambda)),
            &targets["q_pi_lambda_harutyunyan"],
        );
        expect(
            "importance",
            &with(&importance_trace),
            &targets["importance_sampling"],
        );
    }
}

/// Columns do not touch each other, and GAE with λ = 1 is the full return minus the value.
#[test]
fn columns_are_independent_and_estimators_agree_at_their_limits() {
    let file = read("returns.json");
    let case = &cases(&file["gae"]["cases"])[0];
    let slabs = gae_case(case);
    let wide = |x: &[f32]| -> Vec<f32> { x.iter().flat_map(|&x| [x, 2.0 * x, 0.0]).collect() };
    let wide_flags = |x: &[u8]| -> Vec<u8> { x.iter().flat_map(|&x| [x, x, 0]).collect() };
    let (rewards, values, next) = (
        wide(&slabs.rewards),
        wide(&slabs.values),
        wide(&slabs.next_values),
    );
    let (terminated, truncated) = (wide_flags(&slabs.terminated), wide_flags(&slabs.truncated));
    let fragment = Fragment {
        columns: 3,
        rewards: &rewards,
        values: &values,
        next_values: &next,
        terminated: &terminated,
        truncated: &truncated,
    };
    let one = gae(&slabs.fragment(), 0.9, 0.8).unwrap();
    let three = gae(&fragment, 0.9, 0.8).unwrap();
    for (t, &a) in one.iter().enumerate() {
        assert_eq!(
            [three[3 * t], three[3 * t + 1], three[3 * t + 2]],
            [a, 2.0 * a, 0.0]
        );
    }
    let full = n_step(&slabs.fragment(), 0.9, 1000).unwrap();
    let by_gae = value_targets(&gae(&slabs.fragment(), 0.9, 1.0).unwrap(), &slabs.values);
    let by_lambda = lambda_return(&slabs.fragment(), 0.9, 1.0).unwrap();
    assert!(crate::golden::agree(&by_gae, &full) && crate::golden::agree(&by_lambda, &full));
}

#[test]
fn sizes_that_do_not_fit_are_errors() {
    assert!(next_values(&[0.0; 5], &[0.0; 2], &[]).is_err());
    let outside = FinalValue {
        step: 2,
        column: 0,
        value: 1.0,
    };
    assert!(next_values(&[0.0; 4], &[0.0; 2], &[outside]).is_err());
    let fragment = Fragment {
        columns: 2,
        rewards: &[0.0; 4],
        values: &[0.0; 4],
        next_values: &[0.0; 3],
        terminated: &[0; 4],
        truncated: &[0; 4],
    };
    assert!(
        gae(&fragment, 0.9, 0.9)
            .unwrap_err()
            .message
            .starts_with("fragment: expected slabs of one size")
    );
}
