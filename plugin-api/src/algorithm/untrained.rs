//! Weights of an algorithm that has none: a safetensors file without tensors.

use std::io::{Read, Write};

use crate::error::{Error, Result};

/// Length of the header (little-endian), and the header.
const NO_TENSORS: &[u8] = b"\x02\0\0\0\0\0\0\0{}";

pub(super) fn weights(out: &mut dyn Write) -> Result<()> {
    Ok(out.write_all(NO_TENSORS)?)
}

pub(super) fn set_weights(from: &mut dyn Read, id: &str) -> Result<()> {
    let mut file = Vec::new();
    from.take(1 << 16).read_to_end(&mut file)?;
    let (length, rest) = file.split_at_checked(8).unwrap_or((&[], &[]));
    let length = length.try_into().map(u64::from_le_bytes);
    let header = length
        .ok()
        .and_then(|len| rest.get(..usize::try_from(len).ok()?));
    let header = header.map(serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>);
    match header {
        // Metadata is no tensor.
        Some(Ok(names)) if names.keys().all(|name| name == "__metadata__") => Ok(()),
        _ => Err(Error::config(format!(
            "weights: expected no tensors for {id}, found some"
        ))),
    }
}
