//! `--seed`: one seed, a range, or a list.

use std::str::FromStr;

/// Most seeds of one command.
const MOST: u64 = 10_000;

/// Seeds in the order in which they are trained; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seeds(Vec<u64>);

impl Seeds {
    pub(super) fn as_slice(&self) -> &[u64] {
        &self.0
    }
}

impl From<u64> for Seeds {
    fn from(seed: u64) -> Self {
        Self(vec![seed])
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("expected a seed, a range such as 0..5 or a list such as 1,4,7, found {text:?}")
        };
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (number(from)?, number(to)?);
            let seeds = from..to;
            if seeds.is_empty() || to - from > MOST {
                return Err(wrong());
            }
            return Ok(Self(seeds.collect()));
        }
        let seeds = text.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(seeds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_or_list() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|s| s.0);
        assert_eq!(seeds("3"), Ok(vec![3]));
        assert_eq!(seeds("0..5"), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(seeds("1, 4,7"), Ok(vec![1, 4, 7]));
        for text in ["", "x", "5..5", "5..2", "1..", "-1", "0..100000", "1,,2"] {
            assert!(seeds(text).unwrap_err().contains("0..5"), "{text}");
        }
    }
}
