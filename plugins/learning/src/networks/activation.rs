//! Activations of a layer.

/// What a layer does to x·W + b.
#[derive(Debug, Copy, PartialEq, Eq)]
#[palaestra_plugin_api::config]
pub enum Activation {
    /// tanh x.
    #[default]
    Tanh,
    /// max(0, x).
    Relu,
    /// x.
    Identity,
}
