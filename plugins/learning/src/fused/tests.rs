//! Fused operations against composite ones, against finite differences, and against inference.

use super::*;
use crate::composite;
use crate::gradient_check::finite_differences;
use crate::networks::{Activation, Dense, Gru, Input, Linear, Mlp, Module, Parameter, Path};
use crate::tensor::{GradientTape, Matrix, Scalar, Vector, fork, matrix, values};
use palaestra_plugin_api::rng::{EnvRng, purpose};

type Recorded = GradientTape<Cpu>;

fn numbers(count: usize, stream: u64) -> Vec<f32> {
    let mut rng = EnvRng::new(3, stream, 0, purpose::CHECK);
    (0..count).map(|_| rng.range(-1.0, 1.0) as f32).collect()
}

fn tensor(rows: usize, columns: usize, stream: u64) -> Matrix<Cpu> {
    matrix(
        &Cpu::default(),
        numbers(rows * columns, stream),
        rows,
        columns,
    )
    .unwrap()
}

fn mlp(activation: Activation) -> Mlp<Cpu> {
    let mut rng = EnvRng::new(5, 0, 0, purpose::INITIALISATION);
    Mlp::uniform(
        &Cpu::default(),
        &[7, 19, 33, 5],
        (activation, activation),
        &mut rng,
    )
    .unwrap()
}

fn gru() -> Gru<Cpu> {
    Gru::uniform(
        &Cpu::default(),
        7,
        11,
        &mut EnvRng::new(6, 0, 0, purpose::INITIALISATION),
    )
    .unwrap()
}

/// Σ y·c for fixed numbers c.
fn weighted(y: Matrix<Cpu, Recorded>) -> Scalar<Cpu, Recorded> {
    let (rows, columns) = *y.shape();
    (y * tensor(rows, columns, 99)).sum()
}

fn gradient<S: Shape>(gradients: &mut Gradients<f32, Cpu>, of: &Tensor<S, f32, Cpu>) -> Vec<f32> {
    gradients.get_or_alloc_mut(of).unwrap().to_vec()
}

#[track_caller]
fn expect_close(what: &str, fused: &[f32], composite: &[f32]) {
    assert_eq!(fused.len(), composite.len());
    let worst = fused
        .iter()
        .zip(composite)
        .map(|(a, b)| (a - b).abs() / (1.0 + b.abs()))
        .fold(0.0, f32::max);
    assert!(
        worst < 5e-6,
        "{what}: fused and composite differ by {worst}"
    );
    assert!(
        composite.iter().any(|&x| x != 0.0),
        "{what}: nothing to compare"
    );
}

/// For operations without parameters.
struct Nothing;

impl Module<Cpu> for Nothing {
    fn visit<'a>(&'a self, _: &Path<'_>, _: &mut dyn FnMut(&Path<'_>, &'a Parameter<Cpu>)) {}

    fn visit_mut<'a>(&'a mut self, _: &mut dyn FnMut(&'a mut Parameter<Cpu>)) {}
}

/// One pass with each implementation: the output, then the gradients of `x`, `h` and all parameters.
///
/// The input has a second consumer and the network is used twice, so every backward pass has to accumulate.
fn both<M: Module<Cpu>>(
    module: &M,
    inputs: &[Matrix<Cpu>],
    run: impl Fn(bool, Vec<Matrix<Cpu, Recorded>>) -> Matrix<Cpu, Recorded>,
) {
    let pass = |fused: bool| {
        let traced = |scale: f32| -> Vec<Matrix<Cpu, Recorded>> {
            inputs
                .iter()
                .map(|x| x.retaped::<Recorded>() * scale)
                .collect()
        };
        let y = run(
            fused,
            inputs.iter().map(|x| x.retaped::<Recorded>()).collect(),
        );
        let output = y.as_vec();
        let again = weighted(run(fused, traced(-0.5)));
        let mut loss = weighted(y) + again;
        for x in inputs {
            loss = loss + weighted(x.retaped::<Recorded>());
        }
        let mut gradients = loss.backward();
        let of_inputs: Vec<_> = inputs.iter().map(|x| gradient(&mut gradients, x)).collect();
        let of_parameters: Vec<_> = module
            .parameters()
            .iter()
            .map(|p| gradient(&mut gradients, &p.values))
            .collect();
        (output, of_inputs, of_parameters)
    };
    let (fused, composite) = (pass(true), pass(false));
    expect_close("output", &fused.0, &composite.0);
    for (i, (a, b)) in fused.1.iter().zip(&composite.1).enumerate() {
        expect_close(&format!("gradient of input {i}"), a, b);
    }
    for (i, (a, b)) in fused.2.iter().zip(&composite.2).enumerate() {
        expect_close(&format!("gradient of parameter {i}"), a, b);
    }
}

#[test]
fn dense_equals_composite() {
    for activation in [Activation::Tanh, Activation::Relu, Activation::Identity] {
        let mlp = mlp(activation);
        let layers: Vec<Dense<'_, Cpu>> = mlp.layers().iter().map(Linear::dense).collect();
        for rows in [1, 6, 37] {
            both(&mlp, &[tensor(rows, 7, 1)], |fused, mut x| {
                let x = Input::Traced(x.remove(0));
                if fused {
                    dense(&layers, x)
                } else {
                    composite::dense(&layers, x)
                }
                .unwrap()
            });
        }
    }
}

#[test]
fn gru_equals_composite() {
    let gru = gru();
    let (steps, n) = (4, 3);
    let first = [0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
    for flags in [None, Some(&first[..])] {
        both(
            &gru,
            &[tensor(steps * n, 7, 1), tensor(n, 11, 2)],
            |fused, mut x| {
                let (h, x) = (x.pop().unwrap(), x.pop().unwrap());
                let (x, h, weights) = (Input::Traced(x), Input::Traced(h), gru.weights());
                if fused {
                    super::gru(&weights, x, h, flags)
                } else {
                    composite::gru(&weights, x, h, flags)
                }
                .unwrap()
            },
        );
    }
}

#[test]
fn functions_with_gradients_equal_composite() {
    let x = tensor(5, 3, 1);
    let (rows, all) = (numbers(5, 2), numbers(15, 3));
    both(&Nothing, std::slice::from_ref(&x), |fused, mut x| {
        let (x, values, slope) = (x.remove(0), rows.clone(), all.clone());
        let y: Vector<Cpu, Recorded> = if fused {
            rows_with_gradient(x, values, slope)
        } else {
            composite::rows_with_gradient(x, values, slope)
        }
        .unwrap();
        y.reshape_like(&(5, 1))
    });
    both(&Nothing, std::slice::from_ref(&x), |fused, mut x| {
        let (x, values, slope) = (x.remove(0), numbers(15, 4), all.clone());
        if fused {
            pointwise_with_gradient(x, values, slope)
        } else {
            composite::pointwise_with_gradient(x, values, slope)
        }
        .unwrap()
    });
    both(&Nothing, &[x], |fused, mut x| {
        let (x, slope) = (x.remove(0).reshape_like(&(15,)), all.clone());
        let y = if fused {
            mean_with_gradient(x, 0.3, slope)
        } else {
            composite::mean_with_gradient(x, 0.3, slope)
        };
        y.unwrap().reshape_like(&(1, 1))
    });
}

#[test]
fn beside_equals_composite() {
    both(
        &Nothing,
        &[tensor(5, 3, 1), tensor(5, 4, 2)],
        |fused, mut x| {
            let (right, left) = (x.pop().unwrap(), x.pop().unwrap());
            if fused {
                crate::tensor::beside(left, right)
            } else {
                composite::beside(left, right)
            }
            .unwrap()
        },
    );
}

#[test]
fn repeated_equals_composite() {
    both(&Nothing, &[tensor(1, 4, 1)], |fused, mut x| {
        let x = x.remove(0).reshape_like(&(4,));
        if fused {
            crate::tensor::repeated(x, 5)
        } else {
            composite::repeated(x, 5)
        }
        .unwrap()
    });
}

#[test]
fn dense_gradients_equal_finite_differences() {
    let mut mlp = mlp(Activation::Tanh);
    let x = tensor(9, 7, 1);
    let loss = |mlp: &Mlp<Cpu>| weighted(mlp.forward::<Recorded>(Input::Data(x.clone())).unwrap());
    let mut gradients = loss(&mlp).backward();
    let found: Vec<f32> = mlp
        .parameters()
        .iter()
        .flat_map(|p| gradient(&mut gradients, &p.values))
        .collect();
    let start = mlp.flat();
    let mut value = |at: &[f32]| {
        mlp.set_flat(at).unwrap();
        f64::from(loss(&mlp).as_vec()[0])
    };
    finite_differences("dense", &start, &found, &mut value);
}

#[test]
fn gru_gradients_equal_finite_differences() {
    let mut gru = gru();
    let (x, h) = (tensor(12, 7, 1), tensor(3, 11, 2));
    let first = [0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
    let loss = |gru: &Gru<Cpu>| {
        let y = gru
            .unroll::<Recorded>(Input::Data(x.clone()), Input::Data(h.clone()), Some(&first))
            .unwrap();
        weighted(y)
    };
    let mut gradients = loss(&gru).backward();
    let found: Vec<f32> = gru
        .parameters()
        .iter()
        .flat_map(|p| gradient(&mut gradients, &p.values))
        .collect();
    let start = gru.flat();
    let mut value = |at: &[f32]| {
        gru.set_flat(at).unwrap();
        f64::from(loss(&gru).as_vec()[0])
    };
    finite_differences("gru", &start, &found, &mut value);
}

/// Steps chained by hand give the unrolled operation's values, bit for bit, and its gradients.
#[test]
fn gru_steps_equal_the_unrolled_sequence() {
    let gru = gru();
    let (steps, n) = (5, 2);
    let (x, h) = (tensor(steps * n, 7, 1), tensor(n, 11, 2));
    let unrolled = gru
        .unroll::<Recorded>(Input::Data(x.clone()), Input::Traced(h.retaped()), None)
        .unwrap();
    let rows = values(&x);
    let mut state: Matrix<Cpu, Recorded> = h.retaped();
    let mut tape = Recorded::default();
    let mut chained = Vec::new();
    for t in 0..steps {
        let input = matrix(
            &Cpu::default(),
            rows[t * n * 7..(t + 1) * n * 7].to_vec(),
            n,
            7,
        )
        .unwrap();
        let next = gru.step(Input::Data(input), Input::Traced(state)).unwrap();
        let (for_loss, forward) = fork(next);
        let (for_loss, recorded) = for_loss.split_tape();
        tape = tape.merge(recorded);
        chained.push(for_loss);
        state = forward;
    }
    let concatenated: Vec<f32> = chained.iter().flat_map(values).collect();
    assert_eq!(concatenated, values(&unrolled));

    let weights = values(&tensor(steps * n, 11, 99));
    let mut loss: Scalar<Cpu, Recorded> = Cpu::default().zeros().put_tape(tape);
    for (t, y) in chained.iter().enumerate() {
        let part = weights[t * n * 11..(t + 1) * n * 11].to_vec();
        loss =
            loss + (y.retaped::<Recorded>() * matrix(&Cpu::default(), part, n, 11).unwrap()).sum();
    }
    let (mut a, mut b) = (weighted(unrolled).backward(), loss.backward());
    for parameter in gru.parameters() {
        expect_close(
            "chained steps",
            &gradient(&mut b, &parameter.values),
            &gradient(&mut a, &parameter.values),
        );
    }
    expect_close("first state", &gradient(&mut b, &h), &gradient(&mut a, &h));
}

/// Acting and learning compute the same bits, and a row's bits do not depend on its batch.
#[test]
fn inference_equals_training_bit_for_bit_in_any_batch() {
    for activation in [Activation::Tanh, Activation::Relu] {
        let mlp = mlp(activation);
        let x = tensor(70, 7, 1);
        let trained = values(&mlp.forward::<Recorded>(Input::Data(x.clone())).unwrap());
        let (frozen, rows) = (mlp.freeze(), values(&x));
        for count in [1, 3, 16, 70] {
            for start in (0..=70 - count).step_by(count) {
                let mut y = vec![f32::NAN; count * 5];
                frozen.infer(&rows[start * 7..(start + count) * 7], &mut y);
                assert_eq!(y, trained[start * 5..(start + count) * 5]);
            }
        }
    }
    let gru = gru();
    let (x, h) = (tensor(40, 7, 1), tensor(40, 11, 2));
    let trained = values(
        &gru.step::<Recorded>(Input::Data(x.clone()), Input::Data(h.clone()))
            .unwrap(),
    );
    let (frozen, rows, states) = (gru.freeze(), values(&x), values(&h));
    for row in 0..40 {
        let mut next = vec![f32::NAN; 11];
        frozen.step(
            &rows[row * 7..(row + 1) * 7],
            &states[row * 11..(row + 1) * 11],
            &mut next,
        );
        assert_eq!(next, trained[row * 11..(row + 1) * 11]);
    }
}

/// Two critics that started equal keep their gradients apart; a clone of a tensor would not.
#[test]
fn copies_share_no_gradient() {
    let (one, mut two) = (mlp(Activation::Tanh), mlp(Activation::Tanh));
    two.copy_from(&one).unwrap();
    assert_eq!(one.flat(), two.flat());
    let x = tensor(4, 7, 1);
    let mut gradients = weighted(one.forward::<Recorded>(Input::Data(x)).unwrap()).backward();
    assert!(
        gradient(&mut gradients, &one.layers()[0].weight.values)
            .iter()
            .any(|&g| g != 0.0)
    );
    assert!(
        gradient(&mut gradients, &two.layers()[0].weight.values)
            .iter()
            .all(|&g| g == 0.0)
    );
}

#[test]
fn sizes_that_do_not_fit_are_errors() {
    let (mlp, gru) = (mlp(Activation::Tanh), gru());
    let wrong = mlp
        .forward::<Recorded>(Input::Data(tensor(2, 6, 1)))
        .err()
        .unwrap();
    assert_eq!(wrong.message, "mlp: expected input [≥ 1, 7], found [2, 6]");
    let wrong = gru.unroll::<Recorded>(
        Input::Data(tensor(5, 7, 1)),
        Input::Data(tensor(2, 11, 1)),
        None,
    );
    assert!(
        wrong
            .err()
            .unwrap()
            .message
            .contains("whole number of steps")
    );
    assert!(matrix(&Cpu::default(), vec![0.0; 5], 2, 3).is_err());
    assert!(Mlp::<Cpu>::new(vec![]).is_err());
}
