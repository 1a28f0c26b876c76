//! How fast the machine is while it measures: figures of shared machines differ by a factor of two from hour to hour.

use std::{hint::black_box, time::Instant};

/// Links of the chain.
const LINKS: u32 = 100_000_000;
/// Measurements, of which the middle one counts.
const RUNS: usize = 5;

/// Nanoseconds of a multiplication of integers and two lesser operations that wait for each other: five cycles on the
/// processors of our time. Squares, because a compiler sees through chains of sums and products with constants.
pub(super) fn nanoseconds() -> f64 {
    let mut runs = [(); RUNS].map(|()| {
        let start = Instant::now();
        let mut x = black_box(1_u64);
        for _ in 0..LINKS {
            x = x.wrapping_mul(x | 5).wrapping_add(3);
        }
        black_box(x);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(LINKS)
    });
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

/// The widest vectors that environments are compiled for and this machine has.
pub(super) fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vl") {
            return "AVX-512";
        }
        if is_x86_feature_detected!("avx2") {
            return "AVX2";
        }
    }
    "the least vectors of its kind"
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_processor_does_a_link_in_less_than_five_cycles_of_seven_gigahertz() {
        let link = super::nanoseconds();
        assert!(link > 5.0 / 7.0, "{link} ns");
    }
}
