//! Mean and spread of some values.

/// Number, mean and sum of squared deviations of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub count: u64,
    /// Their mean; 0 without values.
    pub mean: f64,
    /// Sum of the squares of their deviations from the mean.
    pub deviations: f64,
}

impl Moments {
    /// The moments of values, in their order.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.push(value));
        moments
    }

    /// Adds a value (Welford, 1962).
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.deviations += delta * (value - self.mean);
    }

    /// Adds the values behind other moments (Chan, Golub and LeVeque, 1979).
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (mine, theirs) = (self.count as f64, other.count as f64);
        let delta = other.mean - self.mean;
        self.count += other.count;
        self.mean += delta * (theirs / (mine + theirs));
        self.deviations += other.deviations + delta * delta * (mine * theirs / (mine + theirs));
    }

    /// Standard deviation of the sample (n - 1 in the denominator); 0 for fewer than two values.
    pub fn std(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Standard error of the mean; 0 for fewer than two values.
    pub fn standard_error(&self) -> f64 {
        (self.variance() / self.count.max(1) as f64).sqrt()
    }

    fn variance(&self) -> f64 {
        match self.count {
            0 | 1 => 0.0,
            count => (self.deviations / (count - 1) as f64).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_definition_golden() {
        let moments = Moments::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((moments.count, moments.mean), (8, 5.0));
        assert!((moments.std() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
        assert!((moments.standard_error() - (32.0_f64 / 7.0 / 8.0).sqrt()).abs() < 1e-15);
        assert_eq!(
            (
                Moments::of([3.0]).std(),
                Moments::default().standard_error()
            ),
            (0.0, 0.0)
        );
    }

    #[test]
    fn merged_moments_are_those_of_all_values_even_far_from_zero() {
        let values: Vec<f64> = (0..100).map(|i| 1e6 + f64::from(i * i % 17)).collect();
        let mut merged = Moments::default();
        values
            .chunks(7)
            .for_each(|part| merged.merge(&Moments::of(part.iter().copied())));
        let whole = Moments::of(values.iter().copied());
        assert_eq!(merged.count, 100);
        assert!(
            (merged.mean / whole.mean - 1.0).abs() < 1e-15
                && (merged.std() / whole.std() - 1.0).abs() < 1e-9
        );
    }
}
