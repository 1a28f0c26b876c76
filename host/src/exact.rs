//! Numbers as JSON without losing a bit: saved state resumes as if it had never stopped.
//!
//! JSON has no NaN, no infinity and no sign of a zero that everybody keeps, and memory of agents that no
//! longer take part may hold any of them. So state goes as the bits of its numbers; figures that people read
//! go as numbers.

use palaestra_plugin_api::{Error, Result};
use serde_json::Value;

/// A number that is kept as its bits.
pub(crate) trait Exact: Copy {
    /// Its bits.
    fn bits(self) -> u64;
    /// The number of these bits; none when they are those of no such number.
    fn of_bits(bits: u64) -> Option<Self>;
}

impl Exact for f32 {
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
    fn of_bits(bits: u64) -> Option<Self> {
        bits.try_into().ok().map(Self::from_bits)
    }
}

impl Exact for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn of_bits(bits: u64) -> Option<Self> {
        Some(Self::from_bits(bits))
    }
}

impl Exact for u64 {
    fn bits(self) -> u64 {
        self
    }
    fn of_bits(bits: u64) -> Option<Self> {
        Some(bits)
    }
}

impl Exact for u32 {
    fn bits(self) -> u64 {
        self.into()
    }
    fn of_bits(bits: u64) -> Option<Self> {
        bits.try_into().ok()
    }
}

impl Exact for bool {
    fn bits(self) -> u64 {
        self.into()
    }
    fn of_bits(bits: u64) -> Option<Self> {
        (bits < 2).then_some(bits == 1)
    }
}

/// Numbers as an array of their bits.
pub(crate) fn save<T: Exact>(numbers: &[T]) -> Value {
    numbers.iter().map(|number| number.bits()).collect()
}

/// Reads what [`save`] gave under a key of an object.
///
/// # Errors
/// Kind `Config` when the key is missing or holds other than `to.len()` such numbers; `to` is then partly
/// written.
pub(crate) fn load<T: Exact>(object: &Value, key: &str, to: &mut [T]) -> Result<()> {
    let numbers = object.get(key).and_then(Value::as_array);
    let found = numbers.map_or(0, Vec::len);
    let wrong = || {
        Error::config(format!(
            "saved state: /{key}: expected {} numbers, found {found}",
            to.len()
        ))
    };
    let Some(numbers) = numbers.filter(|numbers| numbers.len() == to.len()) else {
        return Err(wrong());
    };
    for (to, number) in to.iter_mut().zip(numbers) {
        *to = number.as_u64().and_then(T::of_bits).ok_or_else(|| {
            Error::config(format!(
                "saved state: /{key}: expected the bits of a number, found {number}"
            ))
        })?;
    }
    Ok(())
}

/// The elements of an array under a key.
///
/// # Errors
/// Kind `Config` when the key is missing or does not hold `len` elements.
pub(crate) fn elements<'a>(object: &'a Value, key: &str, len: usize) -> Result<&'a [Value]> {
    let found = object.get(key).and_then(Value::as_array);
    match found {
        Some(elements) if elements.len() == len => Ok(elements),
        _ => Err(Error::config(format!(
            "saved state: /{key}: expected {len} elements, found {}",
            found.map_or(0, Vec::len)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn through_text<T: Exact>(numbers: &[T], to: &mut [T]) -> Result<()> {
        let text = json!({"x": save(numbers)}).to_string();
        load(&serde_json::from_str(&text).unwrap(), "x", to)
    }

    #[test]
    fn every_bit_comes_back() {
        let floats = [0.1_f32, -0.0, f32::NAN, f32::NEG_INFINITY, 1e-45];
        let mut back = [0.0; 5];
        through_text(&floats, &mut back).unwrap();
        assert_eq!(back.map(f32::to_bits), floats.map(f32::to_bits));
        let doubles = [0.1, -0.0, f64::NAN, f64::INFINITY, 5e-324, f64::MAX];
        let mut back = [0.0; 6];
        through_text(&doubles, &mut back).unwrap();
        assert_eq!(back.map(f64::to_bits), doubles.map(f64::to_bits));
        let mut back = [0; 2];
        through_text(&[u64::MAX, 0], &mut back).unwrap();
        assert_eq!(back, [u64::MAX, 0]);
        let mut back = [false; 2];
        through_text(&[true, false], &mut back).unwrap();
        assert_eq!(back, [true, false]);
    }

    #[test]
    fn other_state_is_refused() {
        let refused = |saved: Value| load(&saved, "x", &mut [0_u32; 2]).unwrap_err().message;
        assert_eq!(
            refused(json!({"x": [1]})),
            "saved state: /x: expected 2 numbers, found 1"
        );
        assert_eq!(
            refused(json!({"x": [1, 4294967296_u64]})),
            "saved state: /x: expected the bits of a number, found 4294967296"
        );
        assert!(refused(json!({})).contains("found 0"));
        assert!(refused(json!({"x": [1, -1]})).contains("found -1"));
    }
}
