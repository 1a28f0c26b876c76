//! The gates of a GRU, between the two matrix products of a step.
//!
//! ```text
//! r  = σ(i_r + g_r)            z  = σ(i_z + g_z)
//! n  = tanh(i_n + r·g_n)       h' = n + z·(h - n)
//! ```
//!
//! i = x·W_i + b_i and g = h·W_h + b_h, each `[rows, 3·width]` in the order r, z, n (Cho et al. 2014, in the form
//! with the reset gate after the product).

use super::{
    functions::{sigmoid, tanh},
    level::vectorised,
};

vectorised! {
    /// One step over all rows. `saved` receives r, z, n and g_n, `[rows, 4·width]`.
    fn forward(input: &[f32], hidden_product: &[f32], bias: &[f32], hidden: &[f32], saved: &mut [f32], next: &mut [f32]) {
        let width = bias.len() / 3;
        let (bias_r, rest) = bias.split_at(width);
        let (bias_z, bias_n) = rest.split_at(width);
        let rows = input
            .chunks_exact(3 * width)
            .zip(hidden_product.chunks_exact(3 * width))
            .zip(hidden.chunks_exact(width))
            .zip(saved.chunks_exact_mut(4 * width))
            .zip(next.chunks_exact_mut(width));
        for ((((i, g), h), saved), next) in rows {
            let (i_r, rest) = i.split_at(width);
            let (i_z, i_n) = rest.split_at(width);
            let (g_r, rest) = g.split_at(width);
            let (g_z, g_n) = rest.split_at(width);
            let (saved_r, rest) = saved.split_at_mut(width);
            let (saved_z, rest) = rest.split_at_mut(width);
            let (saved_n, saved_g) = rest.split_at_mut(width);
            // Two loops: one with all fourteen streams would not be vectorised.
            for j in 0..width {
                saved_r[j] = sigmoid(i_r[j] + (g_r[j] + bias_r[j]));
                saved_z[j] = sigmoid(i_z[j] + (g_z[j] + bias_z[j]));
                saved_g[j] = g_n[j] + bias_n[j];
            }
            for j in 0..width {
                let n = tanh(i_n[j] + saved_r[j] * saved_g[j]);
                saved_n[j] = n;
                next[j] = n + saved_z[j] * (h[j] - n);
            }
        }
    }

    /// The gradients of one step over all rows: `d` is dL/dh' on entry and the part of dL/dh that does not pass
    /// through g on return; `d_input` and `d_product` become dL/di and dL/dg.
    fn backward(d: &mut [f32], saved: &[f32], hidden: &[f32], d_input: &mut [f32], d_product: &mut [f32], width: usize) {
        let rows = d
            .chunks_exact_mut(width)
            .zip(saved.chunks_exact(4 * width))
            .zip(hidden.chunks_exact(width))
            .zip(d_input.chunks_exact_mut(3 * width))
            .zip(d_product.chunks_exact_mut(3 * width));
        for ((((d, saved), h), d_i), d_g) in rows {
            let (r, rest) = saved.split_at(width);
            let (z, rest) = rest.split_at(width);
            let (n, g) = rest.split_at(width);
            let (d_ir, rest) = d_i.split_at_mut(width);
            let (d_iz, d_in) = rest.split_at_mut(width);
            let (d_gr, rest) = d_g.split_at_mut(width);
            let (d_gz, d_gn) = rest.split_at_mut(width);
            for j in 0..width {
                let d_n = d[j] * (1.0 - z[j]) * (1.0 - n[j] * n[j]);
                d_iz[j] = d[j] * (h[j] - n[j]) * z[j] * (1.0 - z[j]);
                d_in[j] = d_n;
                d_gn[j] = d_n * r[j];
                d_ir[j] = d_n * g[j] * r[j] * (1.0 - r[j]);
                d[j] *= z[j];
            }
            d_gr.copy_from_slice(d_ir);
            d_gz.copy_from_slice(d_iz);
        }
    }
}
