//! Vectorised loops: bias and activation, their backward passes, sums.

use super::{functions, level::vectorised};

vectorised! {
    /// rows += bias, then tanh.
    fn bias_tanh(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_exact_mut(bias.len()) {
            for (x, b) in row.iter_mut().zip(bias) {
                *x = functions::tanh(*x + *b);
            }
        }
    }

    /// rows += bias, then max(0, x); NaN passes.
    fn bias_relu(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_exact_mut(bias.len()) {
            for (x, b) in row.iter_mut().zip(bias) {
                let y = *x + *b;
                *x = if y < 0.0 { 0.0 } else { y };
            }
        }
    }

    /// rows += bias.
    fn bias_add(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_exact_mut(bias.len()) {
            for (x, b) in row.iter_mut().zip(bias) {
                *x += *b;
            }
        }
    }

    /// d ← d·(1 - y²), y = tanh; the columns' sums are added to `bias`.
    fn tanh_backward(d: &mut [f32], y: &[f32], bias: &mut [f32]) {
        let width = bias.len();
        for (d, y) in d.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
            for ((d, y), b) in d.iter_mut().zip(y).zip(bias.iter_mut()) {
                let t = *d * (1.0 - *y * *y);
                *d = t;
                *b += t;
            }
        }
    }

    /// d ← d where y > 0, else 0; the columns' sums are added to `bias`.
    fn relu_backward(d: &mut [f32], y: &[f32], bias: &mut [f32]) {
        let width = bias.len();
        for (d, y) in d.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
            for ((d, y), b) in d.iter_mut().zip(y).zip(bias.iter_mut()) {
                let t = if *y > 0.0 { *d } else { 0.0 };
                *d = t;
                *b += t;
            }
        }
    }

    /// The sums of the columns of `rows`, added to `sums`.
    fn add_column_sums(rows: &[f32], sums: &mut [f32]) {
        for row in rows.chunks_exact(sums.len()) {
            for (x, s) in row.iter().zip(sums.iter_mut()) {
                *s += *x;
            }
        }
    }

    /// y += a·x.
    fn add_scaled(y: &mut [f32], a: f32, x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += a * *x;
        }
    }

    /// y += x.
    fn add(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += *x;
        }
    }

    /// y += a·b, element by element.
    fn add_product(y: &mut [f32], a: &[f32], b: &[f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y += *a * *b;
        }
    }

    /// x ← a·x.
    fn scale(x: &mut [f32], a: f32) {
        for x in x.iter_mut() {
            *x *= a;
        }
    }

    /// x ← eˣ.
    fn exp(x: &mut [f32]) {
        for x in x.iter_mut() {
            *x = functions::exp(*x);
        }
    }

    /// Σ x² into `sum[0]`, in f64 over eight interleaved partial sums: the same on every machine.
    fn square_sum(x: &[f32], sum: &mut [f64; 1]) {
        let mut lanes = [0.0f64; 8];
        let chunks = x.chunks_exact(8);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += f64::from(x) * f64::from(x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(x) * f64::from(x);
        }
        sum[0] += lanes.iter().sum::<f64>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vector code gives the bits of a scalar call.
    #[test]
    fn vectorised_functions_equal_scalar_ones() {
        let numbers: Vec<f32> = (0..1003).map(|i| (i as f32 - 500.0) * 0.19).collect();
        let mut found = numbers.clone();
        exp(&mut found);
        assert!(
            found
                .iter()
                .zip(&numbers)
                .all(|(y, &x)| *y == functions::exp(x))
        );
        let mut found = numbers.clone();
        bias_tanh(&mut found, &[0.25; 17]);
        assert!(
            found
                .iter()
                .zip(&numbers)
                .all(|(y, &x)| *y == functions::tanh(x + 0.25))
        );
    }
}
