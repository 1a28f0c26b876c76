//! Updates that were skipped because something was not finite.

use palaestra_plugin_api::{Error, Result};
use serde::{Deserialize, Serialize};

/// Counts skipped updates, and gives up when too many follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skips {
    total: u64,
    in_a_row: u32,
}

impl Skips {
    /// Takes note of an update.
    ///
    /// # Errors
    /// It was skipped, and more than `most` in a row were.
    pub fn record(&mut self, skipped: bool, most: u32) -> Result<()> {
        if !skipped {
            self.in_a_row = 0;
            return Ok(());
        }
        self.total += 1;
        self.in_a_row += 1;
        if self.in_a_row > most {
            return Err(Error::plugin(format!(
                "updates: expected finite observations, rewards and losses, found {} updates without in a row",
                self.in_a_row
            ))
            .with_next("lower the learning rate or look for NaN in the environment"));
        }
        Ok(())
    }

    /// Skipped so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Whether all numbers are finite.
#[must_use]
pub fn all_finite(values: &[f32]) -> bool {
    // Any NaN or infinity survives the sum of zeros; eight sums so that they vectorise.
    let mut sums = [0.0f32; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x * 0.0;
        }
    }
    sums.iter().chain(rest).all(|x| (x * 0.0) == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_in_a_row_are_an_error() {
        let mut skips = Skips::default();
        for _ in 0..3 {
            skips.record(true, 2).unwrap();
            skips.record(true, 2).unwrap();
            skips.record(false, 2).unwrap();
        }
        skips.record(true, 2).unwrap();
        skips.record(true, 2).unwrap();
        let error = skips.record(true, 2).unwrap_err();
        assert!(error.message.contains("found 3 updates without in a row"));
        assert_eq!(skips.total(), 9);
    }

    #[test]
    fn one_bad_number_is_found_anywhere() {
        for len in [1, 7, 8, 19] {
            let mut values = vec![1e30; len];
            assert!(all_finite(&values));
            for i in 0..len {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let good = std::mem::replace(&mut values[i], bad);
                    assert!(!all_finite(&values));
                    values[i] = good;
                }
            }
        }
        assert!(all_finite(&[]));
    }
}
