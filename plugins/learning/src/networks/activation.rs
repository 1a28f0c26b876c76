//! Activations of a layer.

/// What a layer does to x·W + b.
#[palaestra_plugin_api::config]
pub enum Activation {
    /// tanh x.
    Tanh,
    /// max(0, x).
    Relu,
    /// x.
    Identity,
}
