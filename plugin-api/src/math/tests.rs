//! Goldens: correctly rounded values from 200-bit arithmetic, and the exact bits of these implementations.

use super::*;
use std::hint::black_box;

type Function = fn(f64) -> f64;

const FUNCTIONS: [(&str, Function); 6] = [
    ("sin", |x| sin(x)),
    ("cos", |x| cos(x)),
    ("exp", |x| exp(x)),
    ("ln", |x| ln(x)),
    ("tanh", |x| tanh(x)),
    ("softplus", |x| softplus(x)),
];

fn function(name: &str) -> Function {
    FUNCTIONS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("no function {name}"))
        .1
}

#[test]
fn golden_values_are_within_two_ulp_and_never_change() {
    let mut cases = [0; FUNCTIONS.len()];
    for line in include_str!("goldens.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let bits = |field: &str| u64::from_str_radix(field, 16).unwrap();
        let (x, exact) = (f64::from_bits(bits(fields[1])), bits(fields[2]));
        let difference: i64 = fields[3].parse().unwrap();
        let found = function(fields[0])(black_box(x)).to_bits();
        assert!(difference.abs() <= 2);
        assert_eq!(
            found as i64 - exact as i64,
            difference,
            "{}({x:e})",
            fields[0]
        );
        let index = FUNCTIONS.iter().position(|(name, _)| *name == fields[0]);
        cases[index.unwrap()] += 1;
    }
    assert!(cases.iter().all(|&count| count >= 70), "{cases:?}");
}

/// Arguments of every magnitude a function is meant for.
fn sweep(name: &str) -> Vec<f64> {
    let mut rng = crate::rng::EnvRng::new(0, 0, 0, crate::rng::purpose::CHECK);
    let wide = match name {
        "sin" | "cos" => 1e5,
        "ln" => 1e300,
        _ => 745.0,
    };
    let sign = |x: f64| if name == "ln" { x.abs() } else { x };
    (0..20_000)
        .map(|i| sign(rng.range(-1.0, 1.0) * [0.1, 1.0, 20.0, wide][i % 4]))
        .collect()
}

#[test]
fn golden_digest_of_a_sweep_is_the_same_in_a_vectorised_loop_and_call_by_call() {
    let digest = |values: &[f64]| {
        values.iter().fold(0, |h, value: &f64| {
            crate::rng::mix64(h ^ value.to_bits()).wrapping_add(1)
        })
    };
    macro_rules! check {
        ($($name:ident: $golden:expr,)*) => {$(
            let arguments = sweep(stringify!($name));
            let mut looped = vec![0.0; arguments.len()];
            for (value, &x) in looped.iter_mut().zip(&arguments) {
                *value = $name(x);
            }
            let called: Vec<f64> = arguments.iter().map(|&x| $name(black_box(x))).collect();
            assert_eq!(digest(&looped), digest(&called), stringify!($name));
            assert_eq!(digest(&called), $golden, stringify!($name));
        )*};
    }
    check! {
        sin: 0x24e7_7cc8_4d0b_7888,
        cos: 0xe53b_3029_88e1_18bf,
        exp: 0x81e3_1bce_f963_1771,
        ln: 0xddfd_71d6_d5cb_2fc8,
        tanh: 0xa8df_5498_dc67_c15d,
        softplus: 0xb65d_614c_1e74_2e67,
    }
}

#[test]
fn special_values() {
    let infinity = f64::INFINITY;
    let bits = |x: f64| x.to_bits();
    for name in ["sin", "cos"] {
        let f = function(name);
        for x in [infinity, -infinity, f64::NAN, f64::MAX, 1.1e9] {
            assert!(f(x).is_nan(), "{name}({x})");
        }
    }
    for (name, f) in FUNCTIONS {
        assert!(f(f64::NAN).is_nan() && f(-f64::NAN).is_nan(), "{name}");
    }
    assert_eq!(bits(sin(-0.0)), bits(-0.0));
    assert_eq!(bits(tanh(-0.0)), bits(-0.0));
    assert_eq!(cos(-0.0), 1.0);

    assert_eq!(
        (exp(infinity), exp(710.0), exp(f64::MAX)),
        (infinity, infinity, infinity)
    );
    assert_eq!(
        (exp(-infinity), exp(-746.0), exp(f64::MIN)),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(bits(exp(-745.13)), 1);

    assert_eq!((ln(0.0), ln(-0.0)), (-infinity, -infinity));
    assert_eq!((ln(infinity), bits(ln(1.0))), (infinity, 0));
    assert!(ln(-1.0).is_nan() && ln(-infinity).is_nan() && ln(-5e-324).is_nan());

    assert_eq!(
        (tanh(infinity), tanh(-infinity), tanh(20.0)),
        (1.0, -1.0, 1.0)
    );
    assert_eq!((softplus(infinity), softplus(-infinity)), (infinity, 0.0));
    assert_eq!((softplus(f64::MAX), softplus(800.0)), (f64::MAX, 800.0));
}

#[test]
fn identities_hold_to_rounding() {
    for x in sweep("tanh") {
        let (s, c) = sin_cos(x);
        assert!((s * s + c * c - 1.0).abs() < 1e-15, "{x}");
        assert_eq!((bits(sin(-x)), bits(cos(-x))), (bits(-s), bits(c)), "{x}");
        assert_eq!(bits(tanh(-x)), bits(-tanh(x)), "{x}");
        assert!(
            tanh(x).abs() <= 1.0 && s.abs() <= 1.0 && c.abs() <= 1.0,
            "{x}"
        );
        if x.abs() < 700.0 {
            assert!((ln(exp(x)) - x).abs() <= 2e-16 * (1.0 + x.abs()), "{x}");
        }
    }

    fn bits(x: f64) -> u64 {
        x.to_bits()
    }
}

#[test]
fn an_absurd_angle_loses_accuracy_smoothly() {
    for i in 0..20_000 {
        let x = 1e6 + f64::from(i) * 53_000.123;
        let (s, c) = sin_cos(x);
        assert!(
            (s - x.sin()).abs() < 1e-7 && (c - x.cos()).abs() < 1e-7,
            "{x}"
        );
    }
}
