//! Gradients against finite differences: of our own operations, and of those of dfdx that composite code relies on.
//!
//! dfdx 0.13 has operations whose gradients are silently wrong. The check below finds them, and shows that it does:
//! whoever adds an operation to `composite` adds it to the list here.

use dfdx::prelude::*;

/// Fails unless `gradient` is the derivative of `value` at `start`, by central differences in f32.
#[track_caller]
pub(crate) fn finite_differences(
    what: &str,
    start: &[f32],
    gradient: &[f32],
    value: &mut dyn FnMut(&[f32]) -> f64,
) {
    const STEP: f32 = 1.0 / 256.0;
    assert_eq!(start.len(), gradient.len());
    let mut at = start.to_vec();
    let scale = gradient
        .iter()
        .fold(0.0f64, |most, &g| most.max(f64::from(g).abs()));
    assert!(scale > 0.0, "{what}: the gradient is zero everywhere");
    for (i, &found) in gradient.iter().enumerate() {
        at[i] = start[i] + STEP;
        let (above, high) = (value(&at), at[i]);
        at[i] = start[i] - STEP;
        let (below, low) = (value(&at), at[i]);
        at[i] = start[i];
        let slope = (above - below) / f64::from(high - low);
        assert!(
            (slope - f64::from(found)).abs() <= 1e-3 * scale.max(1.0),
            "{what}: derivative {i}: expected {slope}, found {found}"
        );
    }
}

type Tape64 = OwnedTape<f64, Cpu>;
type Matrix64<T = NoneTape> = Tensor<(usize, usize), f64, Cpu, T>;
type Vector64<T = NoneTape> = Tensor<(usize,), f64, Cpu, T>;
type Scalar64 = Tensor<(), f64, Cpu, Tape64>;

/// A sum with uneven weights, so that no symmetry hides a mistake.
fn weighted<S: Shape>(x: Tensor<S, f64, Cpu, Tape64>) -> Scalar64 {
    let count = x.shape().num_elements();
    let weights = (0..count)
        .map(|i| ((i * 37 % 11) as f64 - 5.0) * 0.3)
        .collect();
    let weights: Vector64 = Cpu::default().tensor_from_vec(weights, (count,));
    (x.reshape_like(&(count,)) * weights).sum()
}

/// The largest error of f's gradient at a `[3, 4]` matrix, where x also has a second consumer whose backward pass
/// runs first: every backward pass has to accumulate.
fn worst_error(f: &dyn Fn(Matrix64<Tape64>) -> Scalar64) -> f64 {
    let device = Cpu::default();
    let start: Vec<f64> = (0..12)
        .map(|i| ((i * 29 % 13) as f64 - 6.0) * 0.17 + 0.05)
        .collect();
    let value = |values: &[f64]| {
        let x: Matrix64<Tape64> = device
            .tensor_from_vec(values.to_vec(), (3, 4))
            .leaky_traced();
        let (x, tape) = x.split_tape();
        let second = x.retaped::<Tape64>();
        let loss = f(x.clone().put_tape(tape)) + weighted(second.sin());
        (x, loss)
    };
    let (x, loss) = value(&start);
    let gradient = loss.backward().get(&x).as_vec();
    let mut worst: f64 = 0.0;
    for (i, found) in gradient.iter().enumerate() {
        let moved = |step: f64| {
            let mut at = start.clone();
            at[i] += step;
            value(&at).1.array()
        };
        let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        worst = worst.max((slope - found).abs() / (1.0 + slope.abs()));
    }
    worst
}

fn transposed(x: Matrix64<Tape64>) -> Matrix64<Tape64> {
    x.permute::<_, Axes2<1, 0>>()
}

/// The operations that `composite` and the tests are made of.
#[test]
fn operations_in_use_have_right_gradients() {
    let k: Matrix64 =
        Cpu::default().tensor_from_vec((0..12).map(|i| 0.3 - 0.1 * f64::from(i)).collect(), (3, 4));
    let w: Matrix64 = Cpu::default().tensor_from_vec(
        (0..20).map(|i| 0.1 * f64::from(i % 7) - 0.2).collect(),
        (4, 5),
    );
    let bias: Vector64 = Cpu::default().tensor_from_vec(vec![0.1, -0.2, 0.3, 0.4], (4,));
    type Case<'a> = (&'a str, Box<dyn Fn(Matrix64<Tape64>) -> Scalar64 + 'a>);
    let cases: Vec<Case<'_>> = vec![
        ("add", Box::new(|x| weighted(x + k.clone()))),
        ("sub", Box::new(|x| weighted(k.retaped::<Tape64>() - x))),
        ("mul", Box::new(|x| weighted(x * k.clone()))),
        ("scale", Box::new(|x| weighted(x * 0.7 + 0.2))),
        ("tanh", Box::new(|x| weighted(x.tanh()))),
        ("relu", Box::new(|x| weighted(x.relu()))),
        ("sigmoid", Box::new(|x| weighted(x.sigmoid()))),
        ("exp", Box::new(|x| weighted(x.exp()))),
        ("matmul left", Box::new(|x| weighted(x.matmul(w.clone())))),
        (
            "matmul right",
            Box::new(|x| weighted(transposed(k.retaped::<Tape64>()).matmul(x))),
        ),
        (
            "contiguous after permute",
            Box::new(|x| weighted(transposed(x).contiguous().tanh())),
        ),
        (
            "sum of columns",
            Box::new(|x| weighted(x.sum::<(usize,), Axis<0>>())),
        ),
        (
            "sum of rows",
            Box::new(|x| weighted(x.sum::<(usize,), Axis<1>>())),
        ),
        ("mean", Box::new(|x| x.mean::<(), _>())),
        ("square", Box::new(|x| weighted(x.square()))),
        (
            "log_softmax",
            Box::new(|x| weighted(x.log_softmax::<Axis<1>>())),
        ),
        (
            "broadcast bias",
            Box::new(|x| {
                let bias = bias.retaped::<Tape64>() + x.sum::<(usize,), Axis<0>>();
                weighted(bias.broadcast_like::<_, Axis<0>>(&(6usize, 4usize)) * 1.5)
            }),
        ),
        (
            "used twice",
            Box::new(|x| {
                let y = x.tanh();
                let z = y.retaped::<Tape64>().exp();
                weighted(z * y)
            }),
        ),
    ];
    for (name, f) in cases {
        let error = worst_error(&*f);
        assert!(error < 1e-6, "{name}: the gradient is wrong by {error}");
    }
}

/// What dfdx gets wrong without a word: the check must see it. When one of these lines fails, dfdx has changed.
#[test]
fn the_check_finds_the_known_silent_errors() {
    let slice = |x: Matrix64<Tape64>| weighted(x.slice((1..3, 1..4)));
    assert!(
        worst_error(&slice) > 0.01,
        "slice overwrites the gradient of its input"
    );
    let permuted = |x: Matrix64<Tape64>| weighted(transposed(x).log_softmax::<Axis<1>>());
    assert!(
        worst_error(&permuted) > 0.01,
        "log_softmax of a permuted view"
    );
}
