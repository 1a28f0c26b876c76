//! `#[config]`: schema, defaults, parsing and the words of errors, as a plugin author meets them.

use std::collections::BTreeMap;

use palaestra_plugin_api::config::{Config, parse};
use serde_json::{Value, json};

const FORCE: f64 = 10.0;
const MAX_STEPS: u32 = 100_000;
const OPTIMISER: &str = "adam";

/// Settings of a cart with everything on it.
///
/// The second paragraph has "quotes", a \ backslash
/// and a wrapped line — ≤ 1 µs.
#[palaestra_plugin_api::config]
pub struct CartConfig {
    /// Steps until truncation.
    #[config(default = 500, range = 1..=MAX_STEPS)]
    pub max_episode_steps: u32,
    /// Force of a push [N].
    #[config(default = FORCE, range = 0.0..)]
    pub force: f64,
    /// Learning rate.
    #[config(default = 3e-4, above = 0.0, range = ..=0.1)]
    pub learning_rate: f32,
    /// Steering range [rad].
    #[config(default = -std::f64::consts::FRAC_PI_2, range = -std::f64::consts::PI..std::f64::consts::PI)]
    pub angle: f64,
    /// Which reward is paid.
    #[config(default = RewardKind::Shaped)]
    pub reward: RewardKind,
    /// Nested settings.
    pub physics: PhysicsConfig,
    /// Names of the agents.
    pub names: Vec<String>,
    /// Optimiser.
    #[config(default = OPTIMISER)]
    pub optimiser: String,
    /// Payoff matrix.
    pub payoff: Option<Vec<Vec<f64>>>,
    /// Prisoner's dilemma.
    #[config(default = vec![vec![-1.0, -3.0], vec![0.0, -2.0]])]
    pub dilemma: Vec<Vec<f64>>,
    /// Start state.
    #[config(default = [0.0, 0.5, FORCE, 1e-7])]
    pub start: [f64; 4],
    /// Gains, one for each wheel.
    #[config(default = [0.1; 3])]
    pub gains: [f32; 3],
    /// Seed of the map, if fixed.
    #[config(default = Some(u64::MAX))]
    pub map_seed: Option<u64>,
    /// Which noise, if any.
    pub noise: Option<NoiseKind>,
    /// Weights by name.
    pub weights: BTreeMap<String, f64>,
    /// More physics.
    pub stages: [PhysicsConfig; 2],
    /// Physics of a trailer.
    pub trailer: Option<PhysicsConfig>,
    /// Small things.
    #[config(default = 7, range = ..=9)]
    pub small: u8,
    /// Signed things.
    #[config(default = -3, range = -5..5)]
    pub signed: i64,
    /// Whether to draw.
    #[config(default = true)]
    pub draw: bool,
    /// A key that is a Rust keyword.
    pub r#type: NoiseKind,
}

/// Physics.
#[palaestra_plugin_api::config]
pub struct PhysicsConfig {
    /// Time step [s].
    #[config(default = 0.02, above = 0.0)]
    pub dt: f64,
    /// Substeps.
    #[config(default = 1, range = 1..)]
    pub substeps: usize,
}

/// Which reward is paid.
#[palaestra_plugin_api::config]
pub enum RewardKind {
    /// At the goal only.
    Sparse,
    /// At each step.
    #[config(default)]
    Shaped,
}

/// Which noise.
#[palaestra_plugin_api::config]
pub enum NoiseKind {
    /// No noise.
    None,
    /// White noise.
    WhiteNoise,
}

/// No settings.
#[palaestra_plugin_api::config]
struct Nothing {}

fn schema<C: Config>() -> Value {
    serde_json::from_str(C::SCHEMA).unwrap()
}

fn refused<C: Config>(json: &str) -> String {
    parse::<C>(json).unwrap_err()
}

#[test]
fn the_schema_is_known_in_constant_context() {
    const LENGTH: usize = PhysicsConfig::SCHEMA.len();
    static SECTION: [u8; LENGTH] = {
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(PhysicsConfig::SCHEMA.as_bytes());
        bytes
    };
    let expected = concat!(
        r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"PhysicsConfig","#,
        r#""description":"Physics.","type":"object","properties":{"#,
        r#""dt":{"description":"Time step [s].","type":"number","format":"double","exclusiveMinimum":0.0,"default":0.02},"#,
        r#""substeps":{"description":"Substeps.","type":"integer","format":"uint","minimum":1,"default":1}},"#,
        r#""additionalProperties":false}"#,
    );
    assert_eq!(std::str::from_utf8(&SECTION), Ok(expected));
}

#[test]
fn a_field_has_its_words_its_type_its_default_and_its_range() {
    let schema = schema::<CartConfig>();
    assert_eq!(
        schema["description"],
        "Settings of a cart with everything on it.\n\nThe second paragraph has \"quotes\", a \\ backslash \
         and a wrapped line — ≤ 1 µs."
    );
    let expected = [
        r#"{"description": "Steps until truncation.", "type": "integer", "format": "uint32",
            "minimum": 1, "maximum": 100000, "default": 500}"#,
        r#"{"description": "Force of a push [N].", "type": "number", "format": "double",
            "minimum": 0.0, "default": 10.0}"#,
        r#"{"description": "Learning rate.", "type": "number", "format": "float",
            "exclusiveMinimum": 0.0, "maximum": 0.1, "default": 0.0003}"#,
        r#"{"description": "Steering range [rad].", "type": "number", "format": "double",
            "minimum": -3.141592653589793, "exclusiveMaximum": 3.141592653589793,
            "default": -1.5707963267948966}"#,
        r#"{"description": "Which reward is paid.", "type": "string", "enum": ["sparse", "shaped"],
            "enumDescriptions": ["At the goal only.", "At each step."], "default": "shaped"}"#,
        r#"{"description": "Which noise, if any.", "type": ["string", "null"],
            "enum": ["none", "white_noise", null], "enumDescriptions": ["No noise.", "White noise."],
            "default": null}"#,
        r#"{"description": "Payoff matrix.", "type": ["array", "null"], "default": null,
            "items": {"type": "array", "items": {"type": "number", "format": "double"}}}"#,
        r#"{"description": "Start state.", "type": "array", "minItems": 4, "maxItems": 4,
            "items": {"type": "number", "format": "double"}, "default": [0.0, 0.5, 10.0, 1e-7]}"#,
        r#"{"description": "Weights by name.", "type": "object", "default": {},
            "additionalProperties": {"type": "number", "format": "double"}}"#,
        r#"{"description": "Seed of the map, if fixed.", "type": ["integer", "null"],
            "format": "uint64", "minimum": 0, "default": 18446744073709551615}"#,
        r#"{"description": "A key that is a Rust keyword.", "type": "string", "default": "none",
            "enum": ["none", "white_noise"], "enumDescriptions": ["No noise.", "White noise."]}"#,
    ];
    let names = [
        "max_episode_steps",
        "force",
        "learning_rate",
        "angle",
        "reward",
        "noise",
        "payoff",
        "start",
        "weights",
        "map_seed",
        "type",
    ];
    for (name, expected) in names.into_iter().zip(expected) {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(schema["properties"][name], expected, "{name}");
    }
    let physics = &schema["properties"]["physics"];
    assert_eq!(physics["description"], "Nested settings.");
    assert_eq!(physics["default"], json!({"dt": 0.02, "substeps": 1}));
    assert_eq!(
        physics["properties"],
        self::schema::<PhysicsConfig>()["properties"]
    );
    assert_eq!(physics["additionalProperties"], false);
    assert_eq!(physics.get("title"), None);
}

#[test]
fn defaults_are_those_written() {
    let config = CartConfig::default();
    assert_eq!(
        (config.max_episode_steps, config.force, config.learning_rate),
        (500, 10.0, 3e-4)
    );
    assert_eq!(
        (config.reward, config.noise, config.r#type),
        (RewardKind::Shaped, None, NoiseKind::None)
    );
    assert_eq!(
        config.physics,
        PhysicsConfig {
            dt: 0.02,
            substeps: 1
        }
    );
    assert_eq!(config.stages[1], config.physics);
    assert_eq!(config.dilemma, [[-1.0, -3.0], [0.0, -2.0]]);
    assert_eq!(
        (config.start, config.gains),
        ([0.0, 0.5, 10.0, 1e-7], [0.1; 3])
    );
    assert_eq!((config.optimiser.as_str(), config.names.len()), ("adam", 0));
    assert_eq!(
        (config.map_seed, config.small, config.signed, config.draw),
        (Some(u64::MAX), 7, -3, true)
    );
    for nothing in ["", " ", "{}", "null", "\n{}\n"] {
        assert_eq!(
            parse::<CartConfig>(nothing).as_ref(),
            Ok(&config),
            "{nothing:?}"
        );
    }
}

#[test]
fn given_keys_replace_defaults_and_integers_are_floats_too() {
    let text = r#"{"force": 5, "learning_rate": 0.1, "physics": {"dt": 1}, "payoff": [[1, 2.5]], "weights": {"a/b": 3},
        "reward": "sparse", "map_seed": null, "type": "white_noise"}"#;
    let expected = CartConfig {
        force: 5.0,
        learning_rate: 0.1, // its upper bound, in f32
        physics: PhysicsConfig {
            dt: 1.0,
            ..Default::default()
        },
        payoff: Some(vec![vec![1.0, 2.5]]),
        weights: BTreeMap::from([("a/b".to_owned(), 3.0)]),
        reward: RewardKind::Sparse,
        map_seed: None,
        r#type: NoiseKind::WhiteNoise,
        ..Default::default()
    };
    assert_eq!(parse(text), Ok(expected));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let cases = [
        (r#"{"force": -1}"#, "/force: expected 0 ≤ x, found -1"),
        (
            r#"{"max_episode_steps": 0}"#,
            "/max_episode_steps: expected 1 ≤ x ≤ 100000, found 0",
        ),
        (
            r#"{"max_episode_steps": -1}"#,
            "/max_episode_steps: expected 1 ≤ x ≤ 100000, found -1",
        ),
        (
            r#"{"max_episode_steps": 1.5}"#,
            "/max_episode_steps: expected an integer, found 1.5",
        ),
        (
            r#"{"learning_rate": 0}"#,
            "/learning_rate: expected 0 < x ≤ 0.1, found 0",
        ),
        (
            r#"{"learning_rate": 0.11}"#,
            "/learning_rate: expected 0 < x ≤ 0.1, found 0.11",
        ),
        (
            r#"{"learning_rate": 1e300}"#,
            "/learning_rate: expected 0 < x ≤ 0.1, found inf",
        ),
        (
            r#"{"gains": [0, 1, -1e39]}"#,
            "/gains/2: expected a finite number, found -inf",
        ),
        (
            r#"{"angle": 4}"#,
            "/angle: expected -3.141592653589793 ≤ x < 3.141592653589793, found 4",
        ),
        (r#"{"small": 10}"#, "/small: expected 0 ≤ x ≤ 9, found 10"),
        (r#"{"signed": 5}"#, "/signed: expected -5 ≤ x < 5, found 5"),
        (
            r#"{"signed": 1e30}"#,
            "/signed: expected an integer, found 1e+30",
        ),
        (
            r#"{"physics": {"dt": 0}}"#,
            "/physics/dt: expected 0 < x, found 0",
        ),
        (
            r#"{"physics": {"dt": "fast"}}"#,
            r#"/physics/dt: expected a number, found "fast""#,
        ),
        (
            r#"{"physics": {"dq": 1}}"#,
            "/physics/dq: expected one of dt, substeps, found an unknown key",
        ),
        (
            r#"{"physics": null}"#,
            "/physics: expected an object, found null",
        ),
        (
            r#"{"stages": [{}, {"substeps": 0}]}"#,
            "/stages/1/substeps: expected 1 ≤ x, found 0",
        ),
        (r#"{"stages": [{}]}"#, "/stages: expected 2 items, found 1"),
        (
            r#"{"trailer": {"dt": -0.5}}"#,
            "/trailer/dt: expected 0 < x, found -0.5",
        ),
        (
            r#"{"trailer": 7}"#,
            "/trailer: expected an object or null, found 7",
        ),
        (
            r#"{"reward": "dense"}"#,
            r#"/reward: expected "sparse" or "shaped", found "dense""#,
        ),
        (r#"{"draw": 1}"#, "/draw: expected true or false, found 1"),
        (
            r#"{"names": ["a", 2]}"#,
            "/names/1: expected a string, found 2",
        ),
        (
            r#"{"payoff": [[1], [true]]}"#,
            "/payoff/1/0: expected a number, found true",
        ),
        (
            r#"{"map_seed": -1}"#,
            "/map_seed: expected 0 ≤ x ≤ 18446744073709551615, found -1",
        ),
        (
            r#"{"weights": {"a/b~c": []}}"#,
            "/weights/a~1b~0c: expected a number, found []",
        ),
        (
            r#"{"physics": [0.1, 2]}"#,
            "/physics: expected an object, found [0.1,2]",
        ),
        ("[]", "expected an object, found []"),
        ("7", "expected an object, found 7"),
    ];
    for (text, expected) in cases {
        assert_eq!(refused::<CartConfig>(text), expected, "{text}");
    }
    assert_eq!(
        refused::<Nothing>(r#"{"a": 1}"#),
        "/a: expected no settings, found an unknown key"
    );
}

#[test]
fn malformed_and_ambiguous_text_is_refused() {
    let malformed = [
        "{",
        "{} {}",
        r#"{"force": }"#,
        r#"{"force": NaN}"#,
        r#"{"force": 1e999}"#,
    ];
    for text in malformed {
        let error = refused::<CartConfig>(text);
        assert!(
            error.starts_with("expected JSON, found malformed text: "),
            "{text}: {error}"
        );
        assert!(error.contains("line 1 column"), "{text}: {error}");
    }
    let twice = refused::<CartConfig>(r#"{"force": 1, "force": 2}"#);
    assert!(
        twice.starts_with("expected settings as in the schema, found duplicate field `force`"),
        "{twice}"
    );
}

#[test]
fn a_value_that_json_cannot_hold_is_refused() {
    let nan = CartConfig {
        force: f64::NAN,
        ..Default::default()
    };
    assert_eq!(
        nan.validate(),
        Err("/force: expected 0 ≤ x, found NaN".to_owned())
    );
    let infinite = CartConfig {
        payoff: Some(vec![vec![0.0, f64::INFINITY]]),
        ..Default::default()
    };
    assert_eq!(
        infinite.validate(),
        Err("/payoff/0/1: expected a finite number, found inf".to_owned())
    );
}

#[test]
#[allow(unnameable_test_items)] // the generated test
fn a_config_may_be_local_to_a_function() {
    /// Local.
    #[palaestra_plugin_api::config]
    struct Local {
        /// A number.
        #[config(default = 2, range = 1..=3)]
        x: i8,
    }
    assert_eq!(
        parse::<Local>(r#"{"x": 4}"#),
        Err("/x: expected 1 ≤ x ≤ 3, found 4".to_owned())
    );
    assert_eq!(schema::<Local>()["properties"]["x"]["minimum"], 1);
}
