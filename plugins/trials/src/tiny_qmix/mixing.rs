//! The two-layer monotone mixer as a pure function with all its derivatives.

use palaestra_plugin_api::math;

/// What the hypernetworks give for each row, before absolute values are taken.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    /// `[rows, agents, embed]`: w¹.
    pub(super) first: Vec<f32>,
    /// `[rows, embed]`: b¹.
    pub(super) bias: Vec<f32>,
    /// `[rows, embed]`: w².
    pub(super) second: Vec<f32>,
    /// `[rows]`: v.
    pub(super) value: Vec<f32>,
}

/// Q_tot and its derivatives.
#[derive(Clone, Debug)]
pub(super) struct Mixed {
    /// Q_tot, `[rows]`.
    pub(super) total: Vec<f32>,
    /// ∂Q_tot/∂Q_a, `[rows, agents]`: never negative.
    pub(super) d_values: Vec<f32>,
    /// ∂Q_tot/∂ of each of [`Weights`]; that of v is 1.
    pub(super) d_weights: Weights,
}

/// QMIX's mixer (Rashid et al. 2018, figure 2), row by row:
///
/// ```text
/// hidden_k = elu(Σ_a Q_a·|w¹_ak| + b¹_k)
/// Q_tot    = Σ_k hidden_k·|w²_k| + v
/// ```
///
/// `values` is `[rows, agents]`. The absolute values make Q_tot grow with every Q_a.
pub(super) fn mix(values: &[f32], weights: &Weights, agents: usize) -> Mixed {
    let rows = weights.value.len();
    let embed = weights.bias.len() / rows.max(1);
    let mut mixed = Mixed {
        total: weights.value.clone(),
        d_values: vec![0.0; values.len()],
        d_weights: Weights {
            first: vec![0.0; weights.first.len()],
            bias: vec![0.0; weights.bias.len()],
            second: vec![0.0; weights.second.len()],
            value: vec![1.0; rows],
        },
    };
    for row in 0..rows {
        let q = &values[row * agents..][..agents];
        for k in 0..embed {
            let at = row * embed + k;
            let first = |a: usize| (row * agents + a) * embed + k;
            let sum: f32 = (0..agents)
                .map(|a| q[a] * weights.first[first(a)].abs())
                .sum();
            let (hidden, slope) = elu(sum + weights.bias[at]);
            let second = weights.second[at];
            mixed.total[row] += hidden * second.abs();
            mixed.d_weights.second[at] = hidden * sign(second);
            let d = slope * second.abs();
            mixed.d_weights.bias[at] = d;
            for (a, q) in q.iter().enumerate() {
                let w = weights.first[first(a)];
                mixed.d_weights.first[first(a)] = d * q * sign(w);
                mixed.d_values[row * agents + a] += d * w.abs();
            }
        }
    }
    mixed
}

/// x for x > 0, else eˣ - 1; and the derivative.
fn elu(x: f32) -> (f32, f32) {
    if x > 0.0 {
        return (x, 1.0);
    }
    let power = math::exp(f64::from(x));
    ((power - 1.0) as f32, power as f32)
}

/// Derivative of the absolute value, 0 at 0.
fn sign(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::serde_json::{self, Value};

    use super::*;

    fn numbers(value: &Value) -> Vec<f32> {
        match value {
            Value::Array(items) => items.iter().flat_map(numbers).collect(),
            one => vec![one.as_f64().expect("a number") as f32],
        }
    }

    /// state·matrix + bias.
    fn affine(state: &[f32], p: &Value, name: &str) -> Vec<f32> {
        let (w, mut y) = (
            numbers(&p[format!("{name}_w")]),
            numbers(&p[format!("{name}_b")]),
        );
        let width = y.len();
        for (i, x) in state.iter().enumerate() {
            for (j, y) in y.iter_mut().enumerate() {
                *y += x * w[i * width + j];
            }
        }
        y
    }

    #[test]
    fn golden_qmix_mixer() {
        let folder = std::env::var("PALAESTRA_REFERENCE")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference").to_owned());
        let text = std::fs::read_to_string(format!("{folder}/golden/value_learning.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let mut compared = 0;
        for mixer in file["qmix_mixer"].as_array().unwrap() {
            let (p, agents) = (&mixer["params"], mixer["n_agents"].as_u64().unwrap());
            for case in mixer["cases"].as_array().unwrap() {
                let state = numbers(&case["state"]);
                let inner: Vec<f32> = affine(&state, p, "v1").iter().map(|x| x.max(0.0)).collect();
                let weights = Weights {
                    first: affine(&state, p, "hw1"),
                    bias: affine(&state, p, "hb1"),
                    second: affine(&state, p, "hw2"),
                    value: affine(&inner, p, "v2"),
                };
                let mixed = mix(&numbers(&case["agent_qs"]), &weights, agents as usize);
                let expected = numbers(&case["q_tot"]);
                assert!((mixed.total[0] - expected[0]).abs() < 1e-4 * (1.0 + expected[0].abs()));
                for (d, expected) in mixed.d_values.iter().zip(numbers(&case["dqtot_dq"])) {
                    assert!((d - expected).abs() < 1e-4 * (1.0 + expected.abs()));
                }
                compared += 1;
            }
        }
        assert!(compared > 0, "no case found");
    }

    #[test]
    fn derivatives_equal_finite_differences() {
        let number = |i: usize| ((i * 37 % 19) as f32 - 9.0) * 0.13 + 0.02;
        let numbers = |from: usize, n: usize| (from..from + n).map(number).collect::<Vec<_>>();
        let (rows, agents, embed) = (3, 2, 4);
        let values = numbers(3, rows * agents);
        let weights = Weights {
            first: numbers(11, rows * agents * embed),
            bias: numbers(5, rows * embed),
            second: numbers(7, rows * embed),
            value: numbers(1, rows),
        };
        let mixed = mix(&values, &weights, agents);
        let check = |found: &[f32], move_one: &dyn Fn(usize, f32) -> (Vec<f32>, Weights)| {
            let per_row = found.len() / rows;
            for (i, found) in found.iter().enumerate() {
                let total = |by: f32| {
                    let (values, weights) = move_one(i, by);
                    mix(&values, &weights, agents).total[i / per_row]
                };
                let slope = (total(1e-2) - total(-1e-2)) / 2e-2;
                assert!((slope - found).abs() < 2e-3, "{i}: {slope}, {found}");
            }
        };
        check(&mixed.d_values, &|i, by| {
            let mut moved = values.clone();
            moved[i] += by;
            (moved, weights.clone())
        });
        type Part = fn(&mut Weights) -> &mut Vec<f32>;
        let parts: [Part; 4] = [
            |w| &mut w.first,
            |w| &mut w.bias,
            |w| &mut w.second,
            |w| &mut w.value,
        ];
        for part in parts {
            check(part(&mut mixed.d_weights.clone()), &|i, by| {
                let mut moved = weights.clone();
                part(&mut moved)[i] += by;
                (values.clone(), moved)
            });
        }
    }
}
