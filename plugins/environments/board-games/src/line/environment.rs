//! A board with its settings as an environment.

use palaestra_plugin_api::{
    config::Config,
    game_tree::GameNode,
    prelude::*,
    serde_json::Value,
    trace::{self, TraceCase},
};

use super::{Position, Rules};

/// The settings of a game, which make it one: its name, and the rules that follow from them.
pub trait LineConfig: Config + Send + 'static {
    /// Id of the environment.
    const ID: &'static str;
    /// One line about it.
    const DESCRIPTION: &'static str;
    /// Names of its reference traces.
    const TRACES: &'static [&'static str];

    /// Board and goal.
    fn rules(&self) -> Rules;
}

/// One board.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    bound = "C: LineConfig",
    try_from = "Saved<C>",
    into = "Saved<C>"
)]
pub struct LineGame<C> {
    config: C,
    position: Position,
}

/// A game as it is written.
#[derive(Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    deny_unknown_fields,
    bound = "C: LineConfig"
)]
struct Saved<C> {
    /// Settings.
    config: C,
    /// Choices so far.
    moves: Vec<usize>,
}

impl<C> From<LineGame<C>> for Saved<C> {
    fn from(game: LineGame<C>) -> Self {
        Self {
            moves: game.position.moves(),
            config: game.config,
        }
    }
}

impl<C: LineConfig> TryFrom<Saved<C>> for LineGame<C> {
    type Error = Error;

    fn try_from(Saved { config, moves }: Saved<C>) -> Result<Self> {
        config.validate().map_err(Error::config)?;
        let position = Position::after(config.rules(), &moves)?;
        Ok(Self { config, position })
    }
}

impl<C: LineConfig> Environment for LineGame<C> {
    const ID: &'static str = C::ID;
    const DESCRIPTION: &'static str = C::DESCRIPTION;
    const TRACES: &'static [&'static str] = C::TRACES;
    type Config = C;

    fn spec(config: &C) -> Result<EnvironmentSpec> {
        config.rules().spec()
    }

    fn new(config: &C) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            position: Position::new(config.rules()),
        })
    }

    fn reset(
        &mut self,
        _rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.position.reset(options, out)
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.position.step(actions, out);
    }

    fn inspect(&self) -> Value {
        self.position.inspect()
    }

    fn render(&self, canvas: &mut Canvas) {
        self.position.draw(canvas);
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(self.position.scripted())
    }

    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        Position::node(self.config.rules(), history)
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::standard_cases(document, |case| case["config"].clone(), Self::spec)
    }
}
