use super::*;
use palaestra_plugin_api::rng::{EnvRng, purpose};

fn numbers(count: usize, stream: u64) -> Vec<f32> {
    let mut rng = EnvRng::new(7, stream, 0, purpose::CHECK);
    (0..count).map(|_| rng.range(-1.0, 1.0) as f32).collect()
}

fn exact(a: View<'_>, b: View<'_>) -> Vec<f64> {
    let at = |v: &View<'_>, i: usize, j: usize| {
        f64::from(v.data[i * v.row_stride + j * v.column_stride])
    };
    let mut c = Vec::new();
    for i in 0..a.rows {
        for j in 0..b.columns {
            c.push((0..a.columns).map(|p| at(&a, i, p) * at(&b, p, j)).sum());
        }
    }
    c
}

fn levels() -> Vec<Level> {
    [Level::Baseline, Level::Avx2, Level::Avx512]
        .into_iter()
        .filter(|&level| level <= Level::machine())
        .collect()
}

/// Sizes around every tile edge, each with all four combinations of transposition, written and accumulated.
#[test]
fn products_are_right_for_every_shape_and_level() {
    for (m, k, n) in [
        (1, 1, 1),
        (3, 5, 7),
        (4, 18, 64),
        (13, 64, 33),
        (33, 300, 5),
        (12, 256, 16),
        (40, 513, 41),
        (5, 0, 3),
    ] {
        let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
        for transposed in 0..4 {
            let a = if transposed & 1 == 0 {
                View::new(&a, m, k)
            } else {
                View::new(&a, k, m).transposed()
            };
            let b = if transposed & 2 == 0 {
                View::new(&b, k, n)
            } else {
                View::new(&b, n, k).transposed()
            };
            let truth = exact(a, b);
            for level in levels() {
                let mut c = vec![0.5; m * n];
                matmul_on(level, &mut c, a, b, false);
                let written = c
                    .iter()
                    .zip(&truth)
                    .all(|(&c, &t)| (f64::from(c) - t).abs() < 1e-4);
                matmul_on(level, &mut c, a, b, true);
                let added = c
                    .iter()
                    .zip(&truth)
                    .all(|(&c, &t)| (f64::from(c) - 2.0 * t).abs() < 2e-4);
                assert!(
                    written && added,
                    "{m}x{k}x{n}, transposed {transposed}, {level:?}"
                );
            }
        }
    }
}

/// A row's bits depend on no other row; AVX2 and AVX-512 give the same ones.
#[test]
fn a_row_has_the_same_bits_in_every_batch() {
    let (rows, k, n) = (77, 301, 37);
    let (a, b) = (numbers(rows * k, 3), numbers(k * n, 4));
    let mut results = Vec::new();
    for level in levels() {
        let mut all = vec![0.0; rows * n];
        matmul_on(
            level,
            &mut all,
            View::new(&a, rows, k),
            View::new(&b, k, n),
            false,
        );
        for count in [1, 2, 4, 5, 12, 31, 32, 60] {
            for first in [0, 3, rows - count] {
                let mut part = vec![0.0; count * n];
                let a = &a[first * k..(first + count) * k];
                matmul_on(
                    level,
                    &mut part,
                    View::new(a, count, k),
                    View::new(&b, k, n),
                    false,
                );
                assert_eq!(
                    part,
                    all[first * n..(first + count) * n],
                    "{level:?}, {count} rows from {first}"
                );
            }
        }
        if level != Level::Baseline {
            results.push(all);
        }
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
#[should_panic(expected = "inner sizes")]
fn sizes_that_do_not_fit_are_refused() {
    matmul(
        &mut [0.0; 4],
        View::new(&[0.0; 6], 2, 3),
        View::new(&[0.0; 4], 2, 2),
        false,
    );
}

/// Large products, whole and with a part left over, forwards and as a gradient sums them up.
#[test]
fn threads_change_no_bit() {
    let (m, k, n) = (1501, 130, 128);
    let (a, b, d) = (numbers(m * k, 3), numbers(k * n, 4), numbers(m * n, 5));
    let products = || {
        let (mut c, mut e) = (vec![0.0; m * n], vec![0.25; k * n]);
        matmul(&mut c, View::new(&a, m, k), View::new(&b, k, n), false);
        let transposed = View::new(&a, m, k).transposed();
        matmul(&mut e, transposed, View::new(&d, m, n), true);
        (c, e)
    };
    let alone = products();
    crate::threads::allow(3);
    let together = products();
    crate::threads::allow(1);
    assert!(
        m * k * n / PRODUCTS_PER_THREAD >= 3,
        "large enough to be shared out"
    );
    assert_eq!(together, alone);
}
