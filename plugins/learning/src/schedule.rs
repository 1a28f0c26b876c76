//! A rate that may change over training: a number, or `{"from": …, "to": …, "steps": …}`.

use palaestra_plugin_api::{Error, Result};
use serde::{Deserialize, Serialize};

/// A constant, or a straight line from one value to another over so many environment steps, constant afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Schedule {
    /// The same value always.
    Constant(f64),
    /// A straight line.
    Linear(Line),
}

/// From one value to another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The value at step 0.
    pub from: f64,
    /// The value from step `steps` on.
    pub to: f64,
    /// How many environment steps it takes; at least 1.
    pub steps: u64,
}

impl Schedule {
    /// The value at an environment step.
    #[must_use]
    pub fn at(&self, step: u64) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Linear(Line { to, steps, .. }) if step >= steps => to,
            Self::Linear(Line { from, to, steps }) => {
                from + (to - from) * (step as f64 / steps as f64)
            }
        }
    }

    /// Checks that every value is finite and within [low, high].
    ///
    /// # Errors
    /// `expected …, found …` without a subject: the caller knows the field's pointer.
    pub fn check(&self, low: f64, high: f64) -> Result<()> {
        let (ends, steps) = match *self {
            Self::Constant(value) => ([value, value], 1),
            Self::Linear(Line { from, to, steps }) => ([from, to], steps),
        };
        if steps == 0 {
            return Err(Error::config("expected steps ≥ 1, found 0"));
        }
        match ends.iter().find(|value| !(low..=high).contains(*value)) {
            None => Ok(()),
            Some(value) => Err(Error::config(format!(
                "expected {low} ≤ x ≤ {high}, found {value}"
            ))),
        }
    }
}

impl From<f64> for Schedule {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_line() {
        let constant: Schedule = serde_json::from_str("3e-4").unwrap();
        assert_eq!([constant.at(0), constant.at(u64::MAX)], [3e-4, 3e-4]);
        let line: Schedule =
            serde_json::from_str(r#"{"from": 1.0, "to": 0.0, "steps": 100}"#).unwrap();
        assert_eq!(
            [line.at(0), line.at(25), line.at(100), line.at(101)],
            [1.0, 0.75, 0.0, 0.0]
        );
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"from":1.0,"to":0.0,"steps":100}"#
        );
    }

    #[test]
    fn faults_are_refused() {
        assert!(
            serde_json::from_str::<Schedule>(r#"{"from": 1.0, "to": 0.0, "step": 100}"#).is_err()
        );
        let never = Schedule::Linear(Line {
            from: 1.0,
            to: 0.0,
            steps: 0,
        });
        assert_eq!(
            never.check(0.0, 1.0).unwrap_err().message,
            "expected steps ≥ 1, found 0"
        );
        let high = Schedule::Constant(1.5).check(0.0, 1.0).unwrap_err();
        assert_eq!(high.message, "expected 0 ≤ x ≤ 1, found 1.5");
        assert!(Schedule::Constant(f64::NAN).check(0.0, 1.0).is_err());
    }
}
