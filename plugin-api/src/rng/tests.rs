//! Golden values, computed by an independent implementation in unbounded integers, and statistics of the streams.

use super::*;

/// A stream that every golden below starts from.
fn stream() -> EnvRng {
    EnvRng::new(42, 7, 3, purpose::ACTIONS)
}

fn take<T>(n: usize, mut draw: impl FnMut(&mut EnvRng) -> T) -> Vec<T> {
    let mut rng = stream();
    (0..n).map(|_| draw(&mut rng)).collect()
}

#[test]
fn golden_xoshiro256_plus_plus_as_published() {
    let mut rng = EnvRng::from_state([1, 2, 3, 4]);
    let expected = [
        41_943_041,
        58_720_359,
        3_588_806_011_781_223,
        3_591_011_842_654_386,
        9_228_616_714_210_784_205,
        9_973_669_472_204_895_162,
        14_011_001_112_246_962_877,
        12_406_186_145_184_390_807,
        15_849_039_046_786_891_736,
        10_450_023_813_501_588_000,
    ];
    for value in expected {
        assert_eq!(rng.next_u64(), value);
    }
}

#[test]
fn golden_mix64_is_the_finaliser_of_published_splitmix64() {
    let expected = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    let mut word = 1_234_567u64;
    for value in expected {
        word = word.wrapping_add(GAMMA);
        assert_eq!(mix64(word), value);
    }
}

#[test]
fn golden_seeding() {
    let cases: [([u64; 4], [u64; 4]); 3] = [
        (
            [0; 4],
            [
                0x78ae_5a9a_6b5f_d45e,
                0xb989_5a2b_6859_2df1,
                0x4d93_6ece_81fe_4f66,
                0x4f26_a0bb_6e39_6ff7,
            ],
        ),
        (
            [42, 7, 3, 1],
            [
                0xbfe1_a21b_4efb_f8b3,
                0xa13a_54ed_1a07_7fa6,
                0x1ade_8741_4cd7_a783,
                0xbde2_9402_6a43_9277,
            ],
        ),
        (
            [u64::MAX; 4],
            [
                0x1d52_796b_1cd5_4a0d,
                0x15a5_51ce_04ba_d2c9,
                0xaddb_4f0b_ce00_844f,
                0xb092_b795_7bb2_43d2,
            ],
        ),
    ];
    for ([run_seed, instance, episode, purpose], state) in cases {
        let rng = EnvRng::new(run_seed, instance, episode, purpose);
        assert_eq!(rng.state(), state);
    }
}

#[test]
fn golden_key() {
    assert_eq!(key(0, 0, 0, 0, 0), 0x348c_3d1a_f8be_c8e5);
    assert_eq!(key(42, 7, 3, 11, 1), 0x7138_0f2a_076d_e477);
    let m = u64::MAX;
    assert_eq!(key(m, m, m, m, m), 0xd987_df81_f92d_2d97);
}

#[test]
fn golden_uniform_and_range() {
    assert_eq!(
        take(4, |rng| rng.uniform().to_bits()),
        [
            0x3fe9_d7c8_3c1c_875b,
            0x3fed_5c9a_2ebe_7bf1,
            0x3fd0_a6a6_218f_e502,
            0x3fd9_5064_04f2_5ec8
        ]
    );
    assert_eq!(
        take(4, |rng| rng.range(-2.0, 3.0).to_bits()),
        [
            0x4000_4dba_4b23_a932,
            0x4004_b3c0_ba6e_1aee,
            0xbfe6_5f60_ac18_437c,
            0xbf96_e0be_7442_6180
        ]
    );
}

#[test]
fn golden_below() {
    assert_eq!(
        take(12, |rng| rng.below(10)),
        [8, 9, 2, 3, 9, 9, 2, 2, 7, 1, 7, 9]
    );
    // A quarter of the words is rejected for this bound.
    let bound = (1 << 63) + (1 << 62) + 1;
    let mut rng = stream();
    let values: Vec<u64> = (0..5).map(|_| rng.below(bound)).collect();
    assert_eq!(
        values,
        [
            11_173_062_788_659_291_163,
            12_694_412_703_073_545_052,
            3_599_487_041_457_292_990,
            5_472_203_464_481_987_296,
            3_852_364_568_297_187_372
        ]
    );
    assert_eq!(
        rng.state(),
        [
            0xf320_7eb4_de8d_8b7e,
            0xba28_a61b_c32b_a4f8,
            0x6588_a316_760c_6f2f,
            0xc311_c3fc_fff3_7a0f
        ]
    );
}

#[test]
fn golden_normal() {
    // Correctly rounded values of √(-2 ln u)·cos 2πv; ours may differ by a few units in the last place, and the
    // difference is part of the golden.
    let reference: [(u64, i64); 6] = [
        (0x3ff9_3cdb_d110_6e8a, 0),
        (0xbfe3_ae13_a8b8_d36a, 0),
        (0x4000_0d55_fa45_e4f3, -1),
        (0xbfce_2b0a_7b6d_a90c, -2),
        (0x3ff6_59ee_bd5c_9e9f, 0),
        (0x3ff8_7642_3b80_43bc, 0),
    ];
    let values = take(6, |rng| rng.normal().to_bits());
    for (value, (exact, difference)) in values.into_iter().zip(reference) {
        assert_eq!(value as i64 - exact as i64, difference, "{value:#018x}");
    }
}

#[test]
fn golden_bernoulli_shuffle_and_choice() {
    let draws: Vec<u8> = take(12, |rng| rng.bernoulli(0.3).into());
    assert_eq!(draws, [0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0]);

    let mut items: Vec<u32> = (0..10).collect();
    stream().shuffle(&mut items);
    assert_eq!(items, [6, 3, 0, 1, 4, 5, 7, 2, 9, 8]);

    assert_eq!(
        take(16, |rng| rng.choice(&[0.0, 1.0, 0.5, 0.0, 2.5, 0.0])),
        [4, 4, 2, 4, 4, 4, 2, 2, 4, 1, 4, 4, 1, 4, 4, 1]
    );
}

#[test]
fn serialises_as_its_four_words_and_resumes() {
    let mut rng = stream();
    rng.normal();
    let text = serde_json::to_string(&rng).unwrap();
    assert_eq!(text, serde_json::to_string(&rng.state()).unwrap());
    let mut restored: EnvRng = serde_json::from_str(&text).unwrap();
    assert_eq!(restored, rng);
    assert_eq!(EnvRng::from_state(rng.state()), rng);
    assert_eq!(restored.normal().to_bits(), rng.normal().to_bits());
}

#[test]
fn a_state_of_zeros_is_refused() {
    let error = serde_json::from_str::<EnvRng>("[0,0,0,0]").unwrap_err();
    assert!(error.to_string().contains("expected a word other than 0"));
    assert!(std::panic::catch_unwind(|| EnvRng::from_state([0; 4])).is_err());
}

#[test]
fn impossible_requests_panic_with_what_was_expected() {
    let nothing = std::panic::catch_unwind(|| stream().below(0)).unwrap_err();
    assert_eq!(
        nothing.downcast_ref(),
        Some(&"below: expected n > 0, found 0")
    );
    for weights in [
        &[][..],
        &[0.0, 0.0],
        &[1.0, -0.5],
        &[1.0, f64::NAN],
        &[f64::INFINITY],
    ] {
        let choose = move || stream().choice(weights);
        assert!(std::panic::catch_unwind(choose).is_err(), "{weights:?}");
    }
}

#[test]
fn edges_of_bernoulli_and_choice() {
    let mut rng = stream();
    for _ in 0..1000 {
        assert!(!rng.bernoulli(0.0) && !rng.bernoulli(f64::NAN) && rng.bernoulli(1.0));
        assert_eq!(rng.choice(&[0.0, 3.0, 0.0]), 1);
        assert_eq!(rng.below(1), 0);
    }
    let mut nothing: [u8; 0] = [];
    rng.shuffle(&mut nothing);
}

/// χ² of counts against equal expectations.
fn chi_square(counts: &[u64]) -> f64 {
    let expected = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
    let square = |&count: &u64| (count as f64 - expected).powi(2) / expected;
    counts.iter().map(square).sum()
}

#[test]
fn uniform_and_below_fill_their_cells_evenly() {
    let mut rng = stream();
    let (mut cells, mut pairs, mut thirteen) = ([0; 100], [0; 100], [0; 13]);
    for _ in 0..200_000 {
        let (x, y) = (rng.uniform(), rng.uniform());
        cells[(x * 100.0) as usize] += 1;
        pairs[(x * 10.0) as usize * 10 + (y * 10.0) as usize] += 1;
        thirteen[rng.below(13) as usize] += 1;
    }
    // 99 and 12 degrees of freedom: these bounds are passed by chance once in 10⁴ seeds.
    for (name, value, bound) in [
        ("cells", chi_square(&cells), 160.0),
        ("pairs", chi_square(&pairs), 160.0),
        ("below 13", chi_square(&thirteen), 39.0),
    ] {
        assert!(value < bound, "{name}: χ² {value}");
    }
}

#[test]
fn below_is_unbiased_where_a_plain_product_is_not() {
    // Of 3·2⁶² values, multiplication alone would give every third one twice the weight.
    let mut rng = stream();
    let mut thirds = [0; 3];
    for _ in 0..90_000 {
        thirds[(rng.below(3 << 62) % 3) as usize] += 1;
    }
    assert!(chi_square(&thirds) < 18.4, "{thirds:?}");
}

#[test]
fn normal_has_the_moments_and_tails_of_a_standard_normal() {
    let mut rng = stream();
    let n = 400_000;
    let (mut sums, mut beyond_two) = ([0.0; 4], 0u32);
    for _ in 0..n {
        let x = rng.normal();
        for (power, sum) in (1..).zip(&mut sums) {
            *sum += x.powi(power);
        }
        beyond_two += u32::from(x.abs() > 2.0);
    }
    // Moments 0, 1, 0, 3, with variances 1, 2, 15, 96: four standard errors.
    for (index, (mean, variance)) in [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)]
        .into_iter()
        .enumerate()
    {
        let found = sums[index] / f64::from(n);
        let bound = 4.0 * f64::sqrt(variance / f64::from(n));
        assert!(
            (found - mean).abs() < bound,
            "moment {}: {found}",
            index + 1
        );
    }
    let fraction = f64::from(beyond_two) / f64::from(n);
    assert!((fraction - 0.045_500_26).abs() < 4.0 * f64::sqrt(0.0455 * 0.9545 / f64::from(n)));
}

#[test]
fn shuffle_and_choice_have_the_right_frequencies() {
    let mut rng = stream();
    let mut permutations = [0; 27];
    let mut chosen = [0u64; 3];
    for _ in 0..60_000 {
        let mut items = [0usize, 1, 2];
        rng.shuffle(&mut items);
        permutations[items[0] * 9 + items[1] * 3 + items[2]] += 1;
        chosen[rng.choice(&[1.0, 2.0, 3.0])] += 1;
    }
    let seen: Vec<u64> = permutations
        .into_iter()
        .filter(|&count| count > 0)
        .collect();
    assert_eq!(seen.len(), 6);
    assert!(chi_square(&seen) < 25.7, "{seen:?}");
    for (count, expected) in chosen.into_iter().zip([10_000.0, 20_000.0, 30_000.0]) {
        assert!(
            (count as f64 - expected).abs() < 4.0 * f64::sqrt(expected),
            "{chosen:?}"
        );
    }
}

#[test]
fn streams_of_neighbours_are_unrelated() {
    // First words of neighbouring instances, episodes, purposes and seeds: 64 fair bits each, half of them shared
    // with any neighbour's.
    let first = |a, b, c, d| EnvRng::new(a, b, c, d).next_u64();
    let mut distances = [0u32; 4];
    let n = 4000;
    for i in 0..n {
        let here = first(0, i, 0, 0);
        distances[0] += (here ^ first(0, i + 1, 0, 0)).count_ones();
        distances[1] += (here ^ first(0, i, 1, 0)).count_ones();
        distances[2] += (here ^ first(0, i, 0, 1)).count_ones();
        distances[3] += (here ^ first(1, i, 0, 0)).count_ones();
    }
    for distance in distances {
        // Mean 32, standard deviation 4 / √4000 = 0.063.
        let mean = f64::from(distance) / n as f64;
        assert!((mean - 32.0).abs() < 0.26, "{mean}");
    }
}

#[test]
fn every_argument_of_a_key_reaches_every_bit() {
    let arguments = [3u64, 5, 7, 9, 1];
    let of = |a: [u64; 5]| key(a[0], a[1], a[2], a[3], a[4]);
    let base = of(arguments);
    for position in 0..5 {
        let mut reached = 0;
        for bit in 0..64 {
            let mut changed = arguments;
            changed[position] ^= 1 << bit;
            reached |= base ^ of(changed);
        }
        assert_eq!(reached, u64::MAX, "argument {position}");
    }
    // A key is not its episode's stream seed, and its arguments are not interchangeable.
    assert_ne!(key(0, 1, 2, 3, 0), key(0, 2, 1, 3, 0));
    let mut keys: Vec<u64> = (0..100_000)
        .map(|i| key(0, i / 100, 0, i % 100, 1))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100_000);
}
