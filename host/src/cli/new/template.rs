//! The crates that `palaestra new` starts from: the workspace's own templates, which its tests build.

/// One template crate.
#[derive(Debug)]
pub(crate) struct Template {
    /// What it is an example of.
    pub(crate) what: &'static str,
    /// Its type; the module is the same in lower case.
    pub(crate) type_name: &'static str,
    /// Name of its library, without prefix and suffix.
    pub(crate) library: &'static str,
    /// `src/lib.rs`.
    pub(crate) root: &'static str,
    /// The module's file.
    pub(crate) source: &'static str,
    /// Name and text of its parts that are files of their own, in the module's folder.
    pub(crate) parts: &'static [(&'static str, &'static str)],
    /// `README.md`.
    pub(crate) readme: &'static str,
    /// Whether it uses the learning kit.
    pub(crate) learns: bool,
    /// Types that its source uses beside those of [`PRELUDE`](super::name::PRELUDE).
    pub(crate) taken: &'static [&'static str],
    /// What to try once it is trusted; `ID` stands for its id.
    pub(crate) try_it: &'static [&'static str],
}

/// The files of a template crate.
macro_rules! template {
    ($folder:literal, $module:literal, $($field:ident: $value:expr),* $(,)?) => {
        Template {
            root: include_str!(concat!("../../../../plugins/", $folder, "/src/lib.rs")),
            source: include_str!(concat!("../../../../plugins/", $folder, "/src/", $module, ".rs")),
            readme: include_str!(concat!("../../../../plugins/", $folder, "/README.md")),
            $($field: $value),*
        }
    };
}

/// A small, complete environment.
pub(crate) const ENVIRONMENT: Template = template!(
    "template", "beacon",
    what: "environment",
    type_name: "Beacon",
    library: "template",
    parts: &[],
    learns: false,
    taken: &["Subject", "Value"],
    try_it: &["palaestra check LIBRARY", "palaestra render ID --plugin-dir target/release"],
);

/// A small, complete learner.
pub(crate) const ALGORITHM: Template = template!(
    "template-algorithm", "ascent",
    what: "algorithm",
    type_name: "Ascent",
    library: "template_algorithm",
    parts: &[
        ("team.rs", include_str!("../../../../plugins/template-algorithm/src/ascent/team.rs")),
        ("tests.rs", include_str!("../../../../plugins/template-algorithm/src/ascent/tests.rs")),
    ],
    learns: true,
    taken: &[
        "ActionKind", "Activation", "Adam", "AdamSettings", "AdamState", "Algorithm",
        "AlgorithmCapabilities", "Categorical", "Collect", "Cpu", "FinalValue", "Fragment",
        "FrozenMlp", "GradientTape", "Input", "Lamps", "Loss", "Metrics", "Mlp", "Module",
        "Moments", "NamedTensors", "Networks", "Parameter", "Path", "Range", "Rate", "Read", "Rollout",
        "Saved", "Setting", "Settings", "Share", "Skips", "SlabElement", "Subject", "Table", "Team",
        "Training", "Transitions", "Unit", "ValueError", "Write",
    ],
    try_it: &[
        "palaestra describe ID --plugin-dir target/release",
        "palaestra train classic/CartPole-v1 ID --plugin-dir target/release",
    ],
);

/// A small learned channel.
pub(crate) const COORDINATION: Template = template!(
    "template-coordination", "relay",
    what: "coordination mechanism",
    type_name: "Relay",
    library: "template_coordination",
    parts: &[],
    learns: false,
    taken: &[
        "Backward", "Call", "CoordinationHandle", "Exchange", "ExchangePort", "Extras",
        "Gradients", "MakeMechanism", "Mechanism", "MechanismDescription", "MechanismEntry",
        "OpenExchange", "Parameter", "Place", "Port", "Saved", "Topology", "Value", "Volume",
    ],
    try_it: &[
        "palaestra describe ID --plugin-dir target/release",
        "palaestra train mpe/SimpleSpread-v3 core/MAPPO-v0 --coordination ID --plugin-dir target/release",
    ],
);
