//! Initial weights, from the contract's own generator (purpose
//! [`INITIALISATION`](palaestra_plugin_api::rng::purpose::INITIALISATION)).

use palaestra_plugin_api::rng::EnvRng;

/// Uniform in \[-bound, bound).
pub fn uniform(count: usize, bound: f64, rng: &mut EnvRng) -> Vec<f32> {
    (0..count)
        .map(|_| rng.range(-bound, bound) as f32)
        .collect()
}

/// A `[rows, columns]` matrix with orthonormal rows or columns, whichever are fewer, times `gain` (Saxe et al. 2014).
///
/// Standard normal numbers, made orthonormal in order by Gram and Schmidt's process, each vector twice: that is
/// accurate, and uniform over all such matrices.
pub fn orthogonal(rows: usize, columns: usize, gain: f64, rng: &mut EnvRng) -> Vec<f32> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| rng.normal()).collect();
        for _ in 0..2 {
            for other in &basis {
                let overlap = dot(&vector, other);
                for (x, y) in vector.iter_mut().zip(other) {
                    *x -= overlap * y;
                }
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        // Normal vectors of this length are never so close to dependent; a draw that is would be noise.
        if norm > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= norm);
            basis.push(vector);
        }
    }
    let mut matrix = vec![0.0; rows * columns];
    for (i, vector) in basis.iter().enumerate() {
        for (j, &x) in vector.iter().enumerate() {
            let (row, column) = if rows <= columns { (i, j) } else { (j, i) };
            matrix[row * columns + column] = (gain * x) as f32;
        }
    }
    matrix
}

/// `count` matrices `[rows, columns]`, made one after the other, side by side: `[rows, count·columns]`.
pub(super) fn side_by_side(
    count: usize,
    rows: usize,
    columns: usize,
    make: impl Fn(&mut EnvRng) -> Vec<f32>,
    rng: &mut EnvRng,
) -> Vec<f32> {
    let mut matrix = vec![0.0; rows * count * columns];
    for k in 0..count {
        let part = make(rng);
        for row in 0..rows {
            let start = (row * count + k) * columns;
            matrix[start..start + columns]
                .copy_from_slice(&part[row * columns..(row + 1) * columns]);
        }
    }
    matrix
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use palaestra_plugin_api::rng::purpose;

    #[test]
    fn orthogonal_matrices_are_orthogonal_with_the_gain() {
        for (rows, columns) in [(5, 5), (3, 8), (64, 6), (18, 64)] {
            let mut rng = EnvRng::new(1, 0, 0, purpose::INITIALISATION);
            let matrix = orthogonal(rows, columns, 0.5, &mut rng);
            let at = |i: usize, k: usize| {
                f64::from(if rows <= columns {
                    matrix[i * columns + k]
                } else {
                    matrix[k * columns + i]
                })
            };
            for i in 0..rows.min(columns) {
                for j in 0..rows.min(columns) {
                    let product: f64 = (0..rows.max(columns)).map(|k| at(i, k) * at(j, k)).sum();
                    assert!(
                        (product - if i == j { 0.25 } else { 0.0 }).abs() < 1e-6,
                        "{rows}x{columns}"
                    );
                }
            }
        }
    }

    #[test]
    fn uniform_numbers_fill_their_range() {
        let numbers = uniform(
            10_000,
            0.2,
            &mut EnvRng::new(1, 0, 0, purpose::INITIALISATION),
        );
        let spread = numbers.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        assert!((0.199..=0.2).contains(&spread));
        assert!(numbers.iter().sum::<f32>().abs() / 1e4 < 0.005);
    }
}
