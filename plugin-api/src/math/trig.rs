//! Sine and cosine: three-part Cody–Waite reduction to |r| ≤ π/4, then one polynomial each.
//!
//! The nearest multiple k of π/2 is found by adding 1.5·2⁵², which leaves k in the low bits of the sum: no
//! conversion instruction, so SSE2 and AVX2 vectorise it too. The first two parts of π/2 have 33 bits, so k times
//! them is exact up to |k| = 2²⁰. Coefficients: our own Remez fits, relative error 2⁻⁵⁸ and 2⁻⁶⁴.

use super::ROUND;

/// π/2 = `HALF_PI_1 + HALF_PI_2 + HALF_PI_3`, to 119 bits.
const HALF_PI_1: f64 = f64::from_bits(0x3ff9_21fb_5440_0000);
const HALF_PI_2: f64 = f64::from_bits(0x3dd0_b461_1a60_0000);
const HALF_PI_3: f64 = f64::from_bits(0x3ba3_198a_2e03_7073);

/// Largest argument, 2³⁰. The sine of a larger one would be noise, so it is NaN.
const ARGUMENT_MAX: f64 = 1_073_741_824.0;

/// Sine and cosine of `x`, in radians.
///
/// Both are within 1.2 ulp for |x| ≤ 10⁵ and 5 ulp for |x| ≤ 10⁶. Up to 2³⁰ the reduction loses accuracy, to an
/// absolute error of 10⁻⁷; beyond 2³⁰, as for ±∞ and NaN, both are NaN. `sin(-0.0)` is `-0.0`.
#[inline(always)]
#[must_use]
pub fn sin_cos(x: f64) -> (f64, f64) {
    let shifted = x * core::f64::consts::FRAC_2_PI + ROUND;
    let k = shifted - ROUND;

    // π/2·k subtracted in three parts; x - kπ/2 = r - tail. The first subtraction is exact, and what the second
    // rounds off is recovered in the tail.
    let first = x - k * HALF_PI_1;
    let second = k * HALF_PI_2;
    let r = first - second;
    let tail = (second - (first - r)) + k * HALF_PI_3;

    let sine = sine(r, tail).to_bits();
    let cosine = cosine(r, tail).to_bits();

    // Odd quadrants exchange the two; quadrants 2 and 3 negate the sine, 1 and 2 the cosine.
    let quadrant = shifted.to_bits();
    let odd = 0u64.wrapping_sub(quadrant & 1);
    let exchange = (sine ^ cosine) & odd;
    let sine_sign = (quadrant & 2) << 62;
    let cosine_sign = (quadrant.wrapping_add(1) & 2) << 62;
    // All bits set is a NaN; a NaN argument fails the comparison too.
    let outside = u64::from(x.abs() <= ARGUMENT_MAX).wrapping_sub(1);
    (
        f64::from_bits((sine ^ exchange ^ sine_sign) | outside),
        f64::from_bits((cosine ^ exchange ^ cosine_sign) | outside),
    )
}

/// Sine of `x`, in radians; as [`sin_cos`].
#[inline(always)]
#[must_use]
pub fn sin(x: f64) -> f64 {
    sin_cos(x).0
}

/// Cosine of `x`, in radians; as [`sin_cos`].
#[inline(always)]
#[must_use]
pub fn cos(x: f64) -> f64 {
    sin_cos(x).1
}

/// sin(r - tail) for |r| ≤ π/4; the tail is so small that its second order does not show.
#[inline(always)]
fn sine(r: f64, tail: f64) -> f64 {
    let z = r * r;
    let z2 = z * z;
    let c01 = 8.333_333_333_322_37e-3 * z - 0.166_666_666_666_666_32;
    let c23 = 2.755_731_367_866_412e-6 * z - 1.984_126_982_977_116_2e-4;
    let c45 = 1.589_666_649_248_553_5e-10 * z - 2.505_075_596_115_654_3e-8;
    let p = c01 + (c23 + c45 * z2) * z2;
    // `+ 0.0` turns the -0 of a zero argument into +0, which keeps sin(-0) = -0.
    r + (r * (z * p + 0.0) - tail)
}

/// cos(r - tail) for |r| ≤ π/4, as [`sine`].
#[inline(always)]
fn cosine(r: f64, tail: f64) -> f64 {
    let z = r * r;
    let z2 = z * z;
    let c01 = 4.166_666_666_666_66e-2 - 1.388_888_888_887_406_4e-3 * z;
    let c23 = 2.480_158_728_944_346_5e-5 - 2.755_731_434_065_498_7e-7 * z;
    let c45 = 2.087_572_162_316_008e-9 - 1.135_955_930_319_456e-11 * z;
    let p = c01 + (c23 + c45 * z2) * z2;
    let half = 0.5 * z;
    let one = 1.0 - half;
    // What 1 - z/2 rounds off is recovered.
    one + (((1.0 - one) - half) + (z2 * p + r * tail))
}
