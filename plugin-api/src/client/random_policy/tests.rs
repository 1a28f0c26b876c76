use super::*;

const STREAM: Stream = Stream {
    base: 0x0123_4567_89ab_cdef,
    first_row: 0,
};

#[test]
fn the_bits_never_change() {
    let mut actions = [0; 12];
    free(&mut actions, 10, STREAM);
    let mut real_actions = [0.0; 4];
    let bounds = [
        (-1.0, 1.0),
        (0.0, f64::INFINITY),
        (f64::NEG_INFINITY, 0.0),
        (f64::NEG_INFINITY, f64::INFINITY),
    ];
    real(&mut real_actions, &bounds, STREAM);
    let bits = real_actions.map(f32::to_bits);
    assert_eq!((actions, bits), (GOLDEN_CHOICES, GOLDEN_REALS));
}

/// Computed from the description by another program.
const GOLDEN_CHOICES: [i32; 12] = [3, 2, 7, 9, 7, 5, 3, 4, 4, 3, 5, 9];
const GOLDEN_REALS: [u32; 4] = [1_061_099_521, 1_065_540_300, 3_197_433_133, 3_212_301_724];

#[test]
fn every_instruction_set_gives_the_same_choices() {
    let (mut wide, mut narrow) = (vec![0; 1001], vec![0; 1001]);
    for n in [1, 2, 3, 18, i32::MAX as u32] {
        free(&mut wide, n, STREAM);
        free_rows(
            &mut narrow,
            n,
            0,
            (STREAM.base as u32, (STREAM.base >> 32) as u32),
        );
        assert_eq!(wide, narrow);
    }
}

#[test]
fn a_part_of_the_rows_gets_what_the_whole_gets() {
    let (mut whole, mut part) = (vec![0; 100], vec![0; 37]);
    free(&mut whole, 1000, STREAM);
    free(
        &mut part,
        1000,
        Stream {
            first_row: 50,
            ..STREAM
        },
    );
    assert_eq!(whole[50..87], part);
    let bounds = [(-1.0, 1.0); 2];
    let (mut whole, mut part) = (vec![0.0; 200], vec![0.0; 20]);
    real(&mut whole, &bounds, STREAM);
    real(
        &mut part,
        &bounds,
        Stream {
            first_row: 50,
            ..STREAM
        },
    );
    assert_eq!(whole[100..120], part);
}

/// Pearson's statistic of counts that should be equal, for `counts.len() - 1` degrees of freedom.
fn chi_square(counts: &[u32]) -> f64 {
    let expected = counts.iter().sum::<u32>() as f64 / counts.len() as f64;
    counts
        .iter()
        .map(|&c| (f64::from(c) - expected).powi(2) / expected)
        .sum()
}

#[test]
fn choices_are_uniform_over_rows_and_times_and_free_of_pairs() {
    // Over rows of one time, over times of one row; then pairs of neighbours of both.
    let at = |time: u64, rows: &mut [i32]| {
        free(
            rows,
            4,
            Stream {
                base: key(3, u64::MAX, 0, time, 1),
                first_row: 0,
            },
        )
    };
    let mut table = vec![[0; 64]; 4096];
    for (time, rows) in table.iter_mut().enumerate() {
        at(time as u64, rows);
    }
    let mut pairs = [[0; 16]; 2];
    let mut singles = [0; 4];
    for t in 1..table.len() {
        for r in 1..64 {
            let now = table[t][r];
            singles[now as usize] += 1;
            pairs[0][(now * 4 + table[t - 1][r]) as usize] += 1;
            pairs[1][(now * 4 + table[t][r - 1]) as usize] += 1;
        }
    }
    // 99.99 % quantiles of 3 and 15 degrees of freedom: 21.1 and 44.3.
    assert!(chi_square(&singles) < 21.1, "{singles:?}");
    assert!(pairs.iter().all(|p| chi_square(p) < 44.3), "{pairs:?}");
}

#[test]
fn masks_leave_equal_chances_to_what_they_allow() {
    let mut counts = [0; 5];
    for row in 0..30_000 {
        counts[pick(&[0, 1, 1, 0, 1], STREAM.word(row, 0)).unwrap()] += 1;
    }
    assert_eq!((counts[0], counts[3]), (0, 0));
    // 99.99 % quantile of 2 degrees of freedom.
    assert!(
        chi_square(&[counts[1], counts[2], counts[4]]) < 18.4,
        "{counts:?}"
    );
    assert_eq!(pick(&[0, 0], 7), None);
}

#[test]
fn a_component_alone_is_drawn_as_the_first_of_several() {
    for (low, high) in [(-1.0, 1.0), (0.1, 0.1 + 1e-7), (-1e308, 1e308)] {
        let (mut alone, mut pairs) = ([0.0; 37], [0.0; 74]);
        real(&mut alone, &[(low, high)], STREAM);
        real(&mut pairs, &[(low, high); 2], STREAM);
        assert!(alone.iter().eq(pairs.iter().step_by(2)), "{low} to {high}");
    }
}

#[test]
fn boxes_stay_in_their_bounds_and_have_the_right_mean_and_spread() {
    let moments = |low: f64, high: f64| {
        let mut values = vec![0.0; 40_000];
        real(&mut values, &[(low, high)], STREAM);
        assert!(
            values
                .iter()
                .all(|&v| f64::from(v) >= low && f64::from(v) <= high && v.is_finite())
        );
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / 40_000.0;
        let variance = values
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / 40_000.0;
        (mean, variance)
    };
    // Five standard errors of 40,000 draws around the mean; 4 % around the variance.
    let near = |(mean, variance): (f64, f64), m: f64, v: f64| {
        (mean - m).abs() < 5.0 * (v / 40_000.0).sqrt() && (variance / v - 1.0).abs() < 0.04
    };
    let infinite = f64::INFINITY;
    assert!(near(moments(-2.0, 4.0), 1.0, 3.0));
    assert!(near(moments(3.0, infinite), 4.0, 1.0));
    assert!(near(moments(-infinite, -3.0), -4.0, 1.0));
    assert!(near(moments(-infinite, infinite), 0.0, 1.0));
    // Bounds that no f32 equals, and a range that an f64 cannot hold.
    moments(0.1, 0.1 + 1e-7);
    let mut huge = [0.0; 64];
    real(&mut huge, &[(-1e308, 1e308)], STREAM);
}
