//! Named tensors as safetensors: weights for evaluation, opponents, actors and export.

use std::collections::BTreeMap;

use palaestra_plugin_api::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::device::Backend;
use crate::networks::{Module, Path};

/// One tensor of f32 on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// All numbers, row-major.
    pub values: Vec<f32>,
}

/// Tensors by name, such as `policy/good/actor/0/weight`, in the names' order.
pub type NamedTensors = BTreeMap<String, NamedTensor>;

/// Adds a module's parameters under `prefix/…`.
pub fn collect<D: Backend>(module: &impl Module<D>, prefix: &str, into: &mut NamedTensors) {
    module.visit(&Path::ROOT, &mut |path, parameter| {
        let tensor = NamedTensor {
            shape: parameter.shape().to_vec(),
            values: parameter.to_vec(),
        };
        into.insert(format!("{prefix}/{path}"), tensor);
    });
}

/// Sets a module's parameters from those under `prefix/…`.
///
/// # Errors
/// When one is missing or has another shape; nothing is changed then.
pub fn apply<D: Backend>(
    module: &mut impl Module<D>,
    prefix: &str,
    from: &NamedTensors,
) -> Result<()> {
    let mut flat = Vec::with_capacity(module.size());
    for (name, parameter) in module.named_parameters() {
        let name = format!("{prefix}/{name}");
        let tensor = from.get(&name).ok_or_else(|| {
            Error::config(format!("weights: expected a tensor {name:?}, found none"))
        })?;
        if tensor.shape != parameter.shape() || tensor.values.len() != parameter.len() {
            return Err(Error::config(format!(
                "weights, {name}: expected shape {:?}, found {:?}",
                parameter.shape(),
                tensor.shape
            )));
        }
        flat.extend_from_slice(&tensor.values);
    }
    module.set_flat(&flat)
}

/// The tensors as the bytes of a safetensors file, with text metadata; equal tensors give equal bytes.
///
/// # Errors
/// When a tensor's shape does not fit its numbers.
pub fn to_bytes(tensors: &NamedTensors, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let bytes: Vec<Vec<u8>> = tensors
        .values()
        .map(|tensor| tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let mut views = Vec::with_capacity(tensors.len());
    for ((name, tensor), bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map_err(|_| {
            Error::plugin(format!(
                "weights, {name}: expected as many numbers as shape {:?} has, found {}",
                tensor.shape,
                tensor.values.len()
            ))
        })?;
        views.push((name.as_str(), view));
    }
    // The library keeps metadata in a hash map, whose order is random: more than one entry would not be repeatable.
    let text = serde_json::to_string(metadata)
        .map_err(|error| Error::plugin(format!("weights metadata: {error}")))?;
    let entry = (!metadata.is_empty()).then(|| [("palaestra".to_owned(), text)].into());
    safetensors::serialize(views, entry).map_err(|error| Error::plugin(format!("weights: {error}")))
}

/// What [`to_bytes`] wrote, or another program's safetensors file of f32 tensors (without metadata then).
///
/// # Errors
/// When the bytes are not a whole safetensors file or hold another type than f32.
pub fn from_bytes(bytes: &[u8]) -> Result<(NamedTensors, BTreeMap<String, String>)> {
    let broken = |found: &dyn std::fmt::Display| {
        Error::config(format!(
            "weights: expected a whole safetensors file, found {found}"
        ))
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| broken(&error))?;
    let metadata = match header
        .metadata()
        .as_ref()
        .and_then(|all| all.get("palaestra"))
    {
        None => BTreeMap::new(),
        Some(text) => serde_json::from_str(text).map_err(|error| broken(&error))?,
    };
    let file = SafeTensors::deserialize(bytes).map_err(|error| broken(&error))?;
    let mut tensors = NamedTensors::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(Error::config(format!(
                "weights, {name}: expected f32, found {:?}",
                view.dtype()
            )));
        }
        let values = view
            .data()
            .chunks_exact(4)
            .map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]]))
            .collect();
        tensors.insert(
            name.to_owned(),
            NamedTensor {
                shape: view.shape().to_vec(),
                values,
            },
        );
    }
    Ok((tensors, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{Activation, Gru, Mlp};
    use crate::tensor::Cpu;
    use palaestra_plugin_api::rng::{EnvRng, purpose};

    fn networks(seed: u64) -> (Mlp<Cpu>, Gru<Cpu>) {
        let (device, mut rng) = (
            Cpu::default(),
            EnvRng::new(seed, 0, 0, purpose::INITIALISATION),
        );
        let activations = (Activation::Relu, Activation::Identity);
        let mlp = Mlp::orthogonal(&device, &[3, 4, 2], activations, 1.0, &mut rng).unwrap();
        (mlp, Gru::orthogonal(&device, 4, 5, &mut rng).unwrap())
    }

    #[test]
    fn networks_survive_a_file_bit_for_bit() {
        let ((mlp, gru), (mut other_mlp, mut other_gru)) = (networks(1), networks(2));
        let mut all = NamedTensors::new();
        collect(&mlp, "policy/good/actor", &mut all);
        collect(&gru, "policy/good/memory", &mut all);
        assert_eq!(all["policy/good/actor/0/weight"].shape, [3, 4]);
        assert_eq!(all["policy/good/memory/hidden_bias"].shape, [15]);
        let metadata = BTreeMap::from([
            ("id".to_owned(), "x".to_owned()),
            ("b".to_owned(), "y".to_owned()),
        ]);
        let bytes = to_bytes(&all, &metadata).unwrap();
        assert_eq!(bytes, to_bytes(&all.clone(), &metadata).unwrap());
        let (read, text) = from_bytes(&bytes).unwrap();
        assert_eq!((&read, &text), (&all, &metadata));
        apply(&mut other_mlp, "policy/good/actor", &read).unwrap();
        apply(&mut other_gru, "policy/good/memory", &read).unwrap();
        assert_eq!(
            (other_mlp.flat(), other_gru.flat()),
            (mlp.flat(), gru.flat())
        );
    }

    #[test]
    fn broken_files_and_wrong_shapes_are_refused_and_change_nothing() {
        let (mut mlp, gru) = networks(1);
        let before = mlp.flat();
        let mut all = NamedTensors::new();
        collect(&mlp, "a", &mut all);
        let bytes = to_bytes(&all, &BTreeMap::new()).unwrap();
        for cut in [0, 4, 9, 40, bytes.len() - 1] {
            assert!(from_bytes(&bytes[..cut]).is_err(), "{cut} bytes");
        }
        let missing = apply(&mut mlp, "b", &all).unwrap_err();
        assert_eq!(
            missing.message,
            "weights: expected a tensor \"b/0/weight\", found none"
        );
        all.get_mut("a/1/bias").unwrap().shape = vec![1, 2];
        assert!(
            apply(&mut mlp, "a", &all)
                .unwrap_err()
                .message
                .contains("expected shape [2], found [1, 2]")
        );
        assert_eq!(mlp.flat(), before);
        assert_eq!(gru.named_parameters()[0].0, "input_weight");
    }
}
