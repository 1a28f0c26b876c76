//! Hanabi: players who see everybody's cards but their own build fireworks together, and hints are scarce.
//!
//! Rules, order of actions and encoding of the Hanabi Learning Environment (Bard et al., "The Hanabi challenge: a new
//! frontier for AI research", 2019); episodes of its version 0.0.4 are replayed bit by bit (`trace_of_hanabi`).
//!
//! Every colour has three cards of rank 1, one of the highest rank and two of each rank between: 50 cards. Hands are
//! five cards, four with four or five players. In turn a player plays a card, discards one for an information token,
//! or spends a token to name all cards of a colour or of a rank in another player's hand. A played card must be the
//! next of its colour's firework, or it is discarded and a life token is lost; a complete firework gives a token back.
//! Whoever plays or discards draws a card.
//!
//! `variant` gives the numbers of the presets "Hanabi-Full", "Hanabi-Small" (2 colours, hands of 2, 3 information
//! tokens, 1 life) and "Hanabi-Very-Small" (the same with 1 colour); each can be set by itself.
//!
//! | observation, in bits (n players, c colours, r ranks, h cards in a hand, d in the deck) | width | full, n = 2 |
//! |---|---|---|
//! | hands of the others in order of turns, the oldest card first: kind one-hot, colour by colour | (n - 1)·h·c·r | 125 |
//! | for each player, oneself first, whether a card is missing | n | 2 |
//! | cards left to draw, thermometer | d - n·h | 40 |
//! | firework of each colour: its highest rank, one-hot | c·r | 25 |
//! | information tokens, thermometer | tokens | 8 |
//! | life tokens, thermometer | lives | 3 |
//! | discards: for each kind a thermometer as long as it has cards | d | 50 |
//! | last action: who (from oneself), play, discard, colour or rank, whose hand (from oneself), colour, rank, which cards were named, place in the hand, kind, whether it fitted, whether it gave a token | 2·n + 4 + c + r + 2·h + c·r + 2 | 55 |
//! | with `card_knowledge`, for each card, one's own hand first: the kinds that hints leave, the colour and the rank that were named | n·h·(c·r + c + r) | 350 |
//!
//! That is 658, 956, 1041 and 1280 for 2 to 5 players of the full game. All players observe at every step. The global
//! state is player 0's hand, player 0's observation, and whose turn it is.
//!
//! | action | meaning | legal |
//! |---|---|---|
//! | 0 to h - 1 | discard a card, the oldest is 0 | if an information token is missing |
//! | h to 2·h - 1 | play a card | |
//! | then (n - 1)·c | name a colour to the next player, the one after, … | with a token, and a card of it there |
//! | then (n - 1)·r | name a rank, in the same order | with a token, and a card of it there |
//!
//! The acting mask names whose turn it is; the mask of those who wait has only choice 0, which is ignored.
//!
//! | | when |
//! |---|---|
//! | reward | to everybody the change of the score, which is the number of cards on the fireworks; with `loss` "zero", as in the Learning Environment, losing the last life takes it all back, with "keep" the score stays |
//! | terminated | no lives, all fireworks complete, or everybody had one more turn after the last card was drawn |
//! | truncated | never |
//!
//! Metrics: `score`, `hints`, `plays` (cards that fitted), `misplays`, `discards`, `perfect` (all complete), `lost`
//! (no lives). `init` of the reset options gives the cards in the order in which they are dealt, hand by hand, the
//! rest of them at random; who begins; and moves that have been made:
//! `{"deck": ["R1", "Y2"], "first_player": 0, "choices": [5]}`. Colours are R, Y, G, W, B. The scripted baseline never
//! guesses: two of it score 19.2 on average, five 15.9.

mod convention;
mod knowledge;
mod observation;
mod picture;
mod position;
mod rules;
mod start;
mod trace;

use palaestra_plugin_api::{
    prelude::*,
    serde_json::{Value, json},
    spec::Element,
    trace::TraceCase,
};

use crate::turns;
use position::{End, Position};
use rules::{Move, Rules};
use start::Saved;

/// Metrics, in order.
const SCORE: usize = 0;
const HINTS: usize = 1;
const PLAYS: usize = 2;
const MISPLAYS: usize = 3;
const DISCARDS: usize = 4;
const PERFECT: usize = 5;
const LOST: usize = 6;
/// The choice of those who wait.
const WAIT: usize = 0;

/// Numbers of cards and tokens.
#[palaestra_plugin_api::config]
pub enum Variant {
    /// 5 colours, hands of 5 or 4, 8 information tokens, 3 lives.
    Full,
    /// 2 colours, hands of 2, 3 information tokens, 1 life.
    Small,
    /// 1 colour, hands of 2, 3 information tokens, 1 life.
    VerySmall,
}

/// What a game without lives is worth.
#[palaestra_plugin_api::config]
pub enum Loss {
    /// Nothing.
    Zero,
    /// The cards on the fireworks.
    Keep,
}

/// Settings of Hanabi.
#[palaestra_plugin_api::config]
pub struct HanabiConfig {
    /// Numbers of cards and tokens where they are not set.
    pub variant: Variant,
    /// Number of players.
    #[config(default = 2, range = 2..=5)]
    pub players: usize,
    /// Number of colours, 1 to 5.
    #[config(range = 1..=5)]
    pub colors: Option<usize>,
    /// Number of ranks, 1 to 5; 5 unless set.
    #[config(range = 1..=5)]
    pub ranks: Option<usize>,
    /// Cards in a hand, 1 to 8.
    #[config(range = 1..=8)]
    pub hand_size: Option<usize>,
    /// Information tokens, 0 to 50.
    #[config(range = 0..=50)]
    pub max_information_tokens: Option<usize>,
    /// Life tokens, 1 to 50.
    #[config(range = 1..=50)]
    pub max_life_tokens: Option<usize>,
    /// What a game without lives is worth.
    pub loss: Loss,
    /// Whether observations include what hints say of every card.
    #[config(default = true)]
    pub card_knowledge: bool,
    /// Whether a random player begins, instead of player 0.
    #[config(default = false)]
    pub random_first_player: bool,
}

/// One table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    try_from = "Saved",
    into = "Saved"
)]
pub struct Hanabi {
    config: HanabiConfig,
    rules: Rules,
    position: Position,
    first_player: usize,
    /// Moves so far; room for the longest game, so that a step allocates nothing.
    choices: Vec<u8>,
}

impl Environment for Hanabi {
    const ID: &'static str = "cards/Hanabi-v0";
    const DESCRIPTION: &'static str =
        "Two to five players build fireworks from cards that only the others see";
    const TRACES: &'static [&'static str] = &["Hanabi"];
    type Config = HanabiConfig;

    fn spec(config: &HanabiConfig) -> Result<EnvironmentSpec> {
        let rules = Rules::of(config)?;
        let sections = observation::sections(&rules);
        let observation = Space::Box {
            shape: vec![observation::width(&rules)],
            low: vec![Some(0.0)],
            high: vec![Some(1.0)],
            element: Element::F32,
            parts: sections
                .into_iter()
                .map(|(name, width)| (name.to_owned(), width))
                .collect(),
        };
        let action = Space::discrete(rules.choices());
        let mut spec = EnvironmentSpec::new("players", rules.players, observation, action);
        spec.groups[0].has_action_mask = true;
        spec.state = Some(Space::Box {
            shape: vec![observation::state_width(&rules)],
            low: vec![Some(0.0)],
            high: vec![Some(1.0)],
            element: Element::F32,
            parts: Vec::new(),
        });
        let lowest = match config.loss {
            Loss::Zero => -(rules.kinds() as f64 - 1.0),
            Loss::Keep => 0.0,
        };
        spec.reward_range = (Some(lowest), Some(1.0));
        spec.metrics = vec![
            Metric::last("score"),
            Metric::sum("hints"),
            Metric::sum("plays"),
            Metric::sum("misplays"),
            Metric::sum("discards"),
            Metric::last("perfect"),
            Metric::last("lost"),
        ];
        spec.flags.turn_based = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Cooperative, Tag::TurnBased];
        Ok(spec)
    }

    fn new(config: &HanabiConfig) -> Result<Self> {
        let rules = Rules::of(config)?;
        Ok(Self {
            config: config.clone(),
            position: Position::new(&rules),
            first_player: 0,
            choices: Vec::with_capacity(rules.longest()),
            rules,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.start(rng, options.init()?)?;
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let rules = self.rules;
        let before = self.position.score(&rules);
        let choice = actions.discrete(self.position.player);
        let last = self.position.play(&rules, choice);
        self.choices.push(choice as u8);
        let score = self.position.score(&rules);
        let gained = score as f64 - before as f64;
        (0..rules.players).for_each(|player| out.reward(player, gained));
        let counted = match (last.taken, last.scored) {
            (Move::Play(_), true) => PLAYS,
            (Move::Play(_), false) => MISPLAYS,
            (Move::Discard(_), _) => DISCARDS,
            _ => HINTS,
        };
        out.metric(SCORE, score as f64);
        out.metric(counted, 1.0);
        let end = self.position.end(&rules);
        let flag = |is: bool| f64::from(u8::from(is));
        out.metric(PERFECT, flag(end == Some(End::Complete)));
        out.metric(LOST, flag(end == Some(End::LivesLost)));
        out.terminate_if(end.is_some());
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let (rules, position) = (&self.rules, &self.position);
        let name = |kind| rules.name(kind);
        let hands = (0..rules.players).map(|player| position.hand(player));
        let hints = hands.clone().map(|hand| {
            let known = hand.knowledge().iter();
            known.map(|known| known.text(rules)).collect::<Vec<_>>()
        });
        let fireworks: Vec<usize> = (0..rules.colors).map(|c| position.firework(c)).collect();
        let discards: Vec<String> = (0..rules.kinds())
            .flat_map(|kind| std::iter::repeat_n(name(kind), position.discarded(kind)))
            .collect();
        let acting = position.end(rules).is_none();
        json!({
            "hands": hands.map(|hand| hand.kinds().map(name).collect::<Vec<_>>()).collect::<Vec<_>>(),
            "hints": hints.collect::<Vec<_>>(),
            "fireworks": fireworks,
            "discards": discards,
            "deck_size": position.undealt(rules),
            "information_tokens": position.information,
            "life_tokens": position.lives,
            "player": acting.then_some(position.player),
            "score": position.score(rules),
            "first_player": self.first_player,
            "choices": self.choices,
        })
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(&self.rules, &self.position, canvas);
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let choice = convention::choose(&self.rules, &self.position);
        Ok(turns::joint(
            self.rules.players,
            self.position.player,
            choice,
            WAIT,
        ))
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::cases(document)
    }
}

impl Hanabi {
    /// Writes everybody's observation, the state, the masks, and whose turn it is.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let (rules, position) = (&self.rules, &self.position);
        for player in 0..rules.players {
            observation::write(rules, position, player, out.observation(player));
        }
        observation::write_state(rules, position, out.state());
        if position.end(rules).is_none() {
            turns::give_turn(out, rules.players, position.player, WAIT, |choice| {
                position.is_legal(rules, choice)
            });
        }
    }
}

#[cfg(test)]
mod tests;
