//! Exponential, logarithm, hyperbolic tangent and softplus.
//!
//! The exponent is split off with bit arithmetic and the 1.5·2⁵² addition, never with a conversion instruction, so
//! that loops vectorise under SSE2 as well. Coefficients: our own Remez fits (e^r: 2⁻⁶¹; ln: 2⁻⁵⁸).

use super::{ROUND, blend, clamp, select};

/// ln 2 = `LN_2_HIGH + LN_2_LOW`; the high part has 38 bits, so that k times it is exact for |k| < 2¹⁵.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_0000);
const LN_2_LOW: f64 = f64::from_bits(0x3d7c_f79a_bc9e_3b3a);

/// Exponent bias of f64.
const BIAS: u64 = 1023;

/// e^x as 2ⁿ·(1 + fraction).
struct Reduced {
    /// n + 2·`BIAS`: positive, and half of it is the biased exponent of 2^(n/2).
    exponent: u64,
    /// e^r - 1, |r| ≤ ln 2 / 2.
    fraction: f64,
}

/// x = n·ln 2 + r for -746 ≤ x ≤ 710 (NaN passes into `fraction`).
#[inline(always)]
fn reduce(x: f64) -> Reduced {
    let shifted = x * core::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(2 * BIAS);
    Reduced {
        exponent,
        fraction: exp_minus_one_fraction(r),
    }
}

/// e^r - 1 for |r| ≤ ln 2 / 2.
#[inline(always)]
fn exp_minus_one_fraction(r: f64) -> f64 {
    // Estrin's scheme: pairs, then powers of r². Its short chains of dependent operations fill the pipelines.
    let r2 = r * r;
    let r4 = r2 * r2;
    let c01 = 0.5 + 0.166_666_666_666_666_77 * r;
    let c23 = 4.166_666_666_666_669e-2 + 8.333_333_333_321_66e-3 * r;
    let c45 = 1.388_888_888_887_016_5e-3 + 1.984_126_988_609_175_7e-4 * r;
    let c67 = 2.480_158_735_608_367_3e-5 + 2.755_724_421_759_691e-6 * r;
    let c89 = 2.755_724_559_579_991_7e-7 + 2.510_904_122_767_570_6e-8 * r;
    let high = c45 + c67 * r2 + (c89 + 2.092_375_619_135_665e-9 * r2) * r4;
    r + r2 * (c01 + c23 * r2 + high * r4)
}

/// e^x, within 1 ulp over all of f64.
///
/// Overflows to +∞ above 709.78, passes through the subnormals and is 0 below -745.14; e^-∞ = 0, e^∞ = ∞, NaN gives NaN.
#[inline(always)]
#[must_use]
pub fn exp(x: f64) -> f64 {
    let Reduced { exponent, fraction } = reduce(clamp(x, -746.0, 710.0));
    // 2ⁿ in two factors: n reaches 1024 and -1076, beyond one factor's range. Only the last product may round.
    let half = exponent >> 1;
    let rest = exponent.wrapping_sub(half);
    (1.0 + fraction) * f64::from_bits(half << 52) * f64::from_bits(rest << 52)
}

/// ln x, within 0.8 ulp over all positive f64, subnormals included.
///
/// ln 0 = -∞ (both zeros), ln ∞ = ∞; negative numbers and NaN give NaN.
#[inline(always)]
#[must_use]
pub fn ln(x: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = select(subnormal, x * 18_014_398_509_481_984.0, x); // 2⁵⁴
    let correction = select(subnormal, 54.0, 0.0);

    // scaled = 2ⁿ·m with √½ ≤ m < √2. The offset moves √½ to a power of two, so that n is a plain bit field.
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    let moved = scaled.to_bits().wrapping_add(ONE - SQRT_HALF);
    let m = f64::from_bits((moved & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF));
    // An integer below 2⁵² becomes an f64 by setting the exponent bits of 2⁵².
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    let n = f64::from_bits((moved >> 52) | TWO_52.to_bits()) - (TWO_52 + BIAS as f64) - correction;

    let result = ln_near_one(m - 1.0, n);
    // Added rather than selected: as nested selects the compiler merges these into one floating-point class test,
    // which SSE2 has no instruction for (twice the time). `result` is finite for every x.
    let result = result + select(x == 0.0, f64::NEG_INFINITY, 0.0);
    let result = result + select(x < 0.0, f64::NAN, 0.0);
    result + select(x < f64::INFINITY, 0.0, x)
}

/// n·ln 2 + ln(1 + f) for √½ ≤ 1 + f ≤ √2, through s = f/(2 + f), ln(1 + f) = ln((1 + s)/(1 - s)).
#[inline(always)]
fn ln_near_one(f: f64, n: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let z2 = z * z;
    let z4 = z2 * z2;
    let c01 = 0.666_666_666_666_673_5 + 0.399_999_999_994_110_9 * z;
    let c23 = 0.285_714_287_432_629_8 + 0.222_221_984_759_566_84 * z;
    let c45 = 0.181_835_697_413_329_47 + 0.153_139_032_071_433_5 * z;
    let p = c01 + c23 * z2 + (c45 + 0.147_975_081_138_886_66 * z2) * z4;
    // 2s = f - s·f, and s·f = f²/2 - s·f²/2: the small terms are gathered before f itself is added.
    let half_square = 0.5 * f * f;
    let small = s * (half_square + z * p) + n * LN_2_LOW;
    n * LN_2_HIGH - ((half_square - small) - f)
}

/// tanh x, within 1.5 ulp over all of f64.
///
/// ±1 from |x| ≈ 19.1 on, ±∞ included; `tanh(-0.0)` is `-0.0`; NaN gives NaN.
#[inline(always)]
#[must_use]
pub fn tanh(x: f64) -> f64 {
    let magnitude = x.abs();
    let far = magnitude > 0.625;

    // Far: 1 - 2u/(1 + u) with u = e^(-2|x|). tanh rounds to 1 long before 22, and -64 ≤ n ≤ 0 needs one factor.
    let Reduced { exponent, fraction } = reduce(-2.0 * select(magnitude > 22.0, 22.0, magnitude));
    let u = (1.0 + fraction) * f64::from_bits(exponent.wrapping_sub(BIAS) << 52);

    // Near: |x| - |x|³·P(x²)/Q(x²), which has no cancellation.
    let z = magnitude * magnitude;
    let p = 0.964_385_341_944_619_2 * z + 99.252_386_893_374_5;
    let p = p * z + 1_613.957_986_310_66;
    let q = z + 112.773_403_233_759_62;
    let q = q * z + 2_234.506_744_252_898_4;
    let q = q * z + 4_841.873_958_931_98;

    // One division serves both. Blended rather than selected, or the compiler makes two branches of the two forms.
    let quotient = blend(far, 2.0 * u, magnitude * z * p) / blend(far, 1.0 + u, q);
    (blend(far, 1.0, magnitude) - quotient).copysign(x)
}

/// ln(1 + e^x), within 1.7 ulp over all of f64, without overflow: max(x, 0) + ln(1 + e^-|x|).
///
/// e^x for very negative x (0 at -∞), x for large x (∞ at ∞); NaN gives NaN.
#[inline(always)]
#[must_use]
pub fn softplus(x: f64) -> f64 {
    let u = exp(-x.abs());
    // 1 + u = 2ⁿ(1 + f), n ∈ {0, 1}; f never needs the rounded sum 1 + u.
    let upper = u > core::f64::consts::SQRT_2 - 1.0;
    let f = select(upper, 0.5 * (u - 1.0), u);
    let n = select(upper, 1.0, 0.0);
    // Not `max`: a NaN must pass.
    let linear = select(x < 0.0, 0.0, x);
    linear + ln_near_one(f, n)
}
