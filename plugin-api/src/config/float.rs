//! The shortest decimal digits of a float, in constant context.
//!
//! Steele and White, "How to print floating-point numbers accurately" (1990), free-format, on plain big
//! integers: exact, and fast enough for the few constants of a config.

/// 0.d₁d₂… · 10^point.
pub(super) struct Digits {
    pub(super) digits: [u8; 17],
    pub(super) count: usize,
    pub(super) point: i32,
}

/// Digits of |x| that read back as the same f64.
pub(super) const fn shortest_f64(x: f64) -> Digits {
    assert!(
        x.is_finite(),
        "a default or bound of a config must be finite"
    );
    let bits = x.to_bits();
    shortest(
        bits & ((1 << 52) - 1),
        (bits >> 52) as i32 & 0x7ff,
        52,
        -1075,
    )
}

/// Digits of |x| that read back as the same f32.
pub(super) const fn shortest_f32(x: f32) -> Digits {
    assert!(
        x.is_finite(),
        "a default or bound of a config must be finite"
    );
    let bits = x.to_bits() as u64;
    shortest(bits & ((1 << 23) - 1), (bits >> 23) as i32 & 0xff, 23, -150)
}

/// `fraction` and `biased` are the fields of the format, `bits` the width of the fraction and
/// `least` such that a normal number is (2^bits + fraction) · 2^(biased + least).
const fn shortest(fraction: u64, biased: i32, bits: i32, least: i32) -> Digits {
    let mut out = Digits {
        digits: [0; 17],
        count: 1,
        point: 1,
    };
    if fraction == 0 && biased == 0 {
        return out;
    }
    let (mantissa, exponent) = match biased {
        0 => (fraction, least + 1),
        _ => (fraction + (1 << bits), biased + least),
    };
    // x = r / s; half of the gap to the neighbours is low / s below and (low << wide) / s above.
    let even = mantissa % 2 == 0;
    let wide = (fraction == 0 && biased > 1) as u32;
    let mut r = Big::from(mantissa);
    let mut s = Big::from(1);
    let mut low = Big::from(1);
    r.shift(1 + wide);
    s.shift(1 + wide);
    if exponent >= 0 {
        r.shift(exponent as u32);
        low.shift(exponent as u32);
    } else {
        s.shift(-exponent as u32);
    }
    // Scale so that 0.1 ≤ x / 10^point < 1, counting what rounds up to 1 as 1.
    out.point = 0;
    while reaches(&r, &low, wide, &s, even) {
        s.times(10);
        out.point += 1;
    }
    loop {
        r.times(10);
        low.times(10);
        if reaches(&r, &low, wide, &s, even) {
            break;
        }
        out.point -= 1;
    }
    out.count = 0;
    loop {
        let mut digit = 0;
        while r.compare(&s) >= 0 {
            r.subtract(&s);
            digit += 1;
        }
        let below = r.compare(&low) < even as i32;
        let above = reaches(&r, &low, wide, &s, even);
        if below || above {
            let mut twice = r;
            twice.shift(1);
            let up = above && (!below || twice.compare(&s) >= 0);
            out.digits[out.count] = digit + up as u8;
            out.count += 1;
            return out;
        }
        out.digits[out.count] = digit;
        out.count += 1;
        r.times(10);
        low.times(10);
    }
}

/// Whether r + (low << wide) is above s, or equal to it where the rounding of even mantissas allows that.
const fn reaches(r: &Big, low: &Big, wide: u32, s: &Big, even: bool) -> bool {
    let mut sum = *low;
    sum.shift(wide);
    sum.add(r);
    sum.compare(s) >= !even as i32
}

/// An unsigned integer below 2^1152, least limb first; limbs from `used` on are zero.
#[derive(Clone, Copy)]
struct Big {
    limbs: [u32; 36],
    used: usize,
}

impl Big {
    const fn from(value: u64) -> Self {
        let mut limbs = [0; 36];
        limbs[0] = value as u32;
        limbs[1] = (value >> 32) as u32;
        Self { limbs, used: 2 }
    }

    const fn times(&mut self, factor: u32) {
        let mut carry = 0;
        let mut i = 0;
        while i < self.used || carry > 0 {
            let product = self.limbs[i] as u64 * factor as u64 + carry;
            self.limbs[i] = product as u32;
            carry = product >> 32;
            i += 1;
        }
        self.used = i;
    }

    const fn shift(&mut self, mut bits: u32) {
        while bits > 0 {
            let step = if bits < 31 { bits } else { 31 };
            self.times(1 << step);
            bits -= step;
        }
    }

    const fn add(&mut self, other: &Big) {
        let mut carry = 0;
        let mut i = 0;
        while i < self.used || i < other.used || carry > 0 {
            let sum = self.limbs[i] as u64 + other.limbs[i] as u64 + carry;
            self.limbs[i] = sum as u32;
            carry = sum >> 32;
            i += 1;
        }
        self.used = i;
    }

    /// Requires self ≥ other.
    const fn subtract(&mut self, other: &Big) {
        let mut borrow = 0;
        let mut i = 0;
        while i < self.used {
            let difference = self.limbs[i] as i64 - other.limbs[i] as i64 - borrow;
            self.limbs[i] = difference as u32;
            borrow = (difference < 0) as i64;
            i += 1;
        }
    }

    /// −1, 0 or 1 for less, equal or greater.
    const fn compare(&self, other: &Big) -> i32 {
        let mut i = if self.used > other.used {
            self.used
        } else {
            other.used
        };
        while i > 0 {
            i -= 1;
            if self.limbs[i] != other.limbs[i] {
                return if self.limbs[i] < other.limbs[i] {
                    -1
                } else {
                    1
                };
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(digits: &Digits) -> String {
        let written: String = digits.digits[..digits.count]
            .iter()
            .map(|d| char::from(b'0' + d))
            .collect();
        format!("0.{written}e{}", digits.point)
    }

    /// As many digits as std's shortest form of the same number.
    fn count_of(shown: &str) -> usize {
        let mantissa = shown
            .split('e')
            .next()
            .unwrap_or_default()
            .replace(['.', '-'], "");
        mantissa
            .trim_start_matches('0')
            .trim_end_matches('0')
            .len()
            .max(1)
    }

    fn check_f64(x: f64) {
        let digits = shortest_f64(x);
        assert_eq!(text(&digits).parse(), Ok(x.abs()), "{x:e}");
        assert_eq!(digits.count, count_of(&format!("{x:e}")), "{x:e}");
    }

    fn check_f32(x: f32) {
        let digits = shortest_f32(x);
        assert_eq!(text(&digits).parse(), Ok(x.abs()), "{x:e}");
        assert_eq!(digits.count, count_of(&format!("{x:e}")), "{x:e}");
    }

    #[test]
    fn digits_are_the_fewest_that_read_back() {
        let edges = [
            0.0,
            1.0,
            0.1,
            0.3,
            9.5,
            1e22,
            1e23,
            5e-324,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::EPSILON,
        ];
        edges.into_iter().for_each(check_f64);
        [0.0, 0.1, 1e-45, f32::MAX, f32::MIN_POSITIVE, f32::EPSILON]
            .into_iter()
            .for_each(check_f32);
        (-1074..1024).map(|e| 2f64.powi(e)).for_each(check_f64);
        (-149..128).map(|e| 2f32.powi(e)).for_each(check_f32);
        // Weyl's sequence over the bit patterns: every exponent, all kinds of fractions.
        let bits = (1..=if cfg!(miri) { 20 } else { 20_000 })
            .map(|i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for bits in bits {
            if f64::from_bits(bits).is_finite() {
                check_f64(f64::from_bits(bits));
            }
            let short = f32::from_bits((bits >> 32) as u32);
            if short.is_finite() {
                check_f32(short);
            }
        }
    }
}
