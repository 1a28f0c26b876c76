//! Matrix games: normal-form games for any number of players, played once or repeatedly.
//!
//! | id | players | what is hard |
//! |---|---|---|
//! | `matrix/NormalForm-v0` | 1 to 16 | whatever the payoff tensor of the settings says |
//! | `matrix/PrisonersDilemma-v0` | 2 | defecting always pays, mutual cooperation pays more |
//! | `matrix/IteratedPrisonersDilemma-v0` | 2 | the same with a memory: reciprocity can pay |
//! | `matrix/StagHunt-v0` | 2 | the better equilibrium is the riskier |
//! | `matrix/Chicken-v0` | 2 | somebody must give way |
//! | `matrix/Coordination-v0` | 2 to 6 | choose the same, best the best |
//! | `matrix/BattleOfSexes-v0` | 2 | agree, though each prefers another place |
//! | `matrix/MatchingPennies-v0` | 2 | zero-sum, no pure equilibrium |
//! | `matrix/RockPaperScissors-v0` | 2 | zero-sum and cyclic |
//! | `matrix/Climbing-v0` | 2 | the optimum is surrounded by penalties |
//! | `matrix/Penalty-v0` | 2 | two optima; a mix of them is punished |
//! | `matrix/TwoStep-v0` | 2 | the first choice is worth what the second makes of it |
//! | `matrix/PublicGoods-v0` | any | what is given away is multiplied and shared by all |
//! | `matrix/NPlayerStagHunt-v0` | any | enough hunters must come |
//! | `matrix/VolunteersDilemma-v0` | any | one must pay for all |
//! | `matrix/Minority-v0` | odd | be where the others are not |
//!
//! # Common to all
//!
//! | observation | meaning |
//! |---|---|
//! | `memory` = 0 | as many zeros as there are players (as EPyMARL has it) |
//! | the same in the games for any number of players | one zero |
//! | per remembered round, the last one first | actions one-hot: one's own, then those of the players after it, in a circle |
//! | the same in the games for any number of players | one's own action one-hot, and the sum of all action numbers / its largest |
//!
//! Rounds before the first are zeros. Where players have different numbers of actions, action masks leave each
//! its own.
//!
//! | | when |
//! |---|---|
//! | reward | the payoff of the round; in a common-payoff game every player is paid it, not a share |
//! | terminated | after `rounds` rounds, or earlier: each next round follows with probability `discount` |
//! | truncated | never |
//!
//! The length of an episode is drawn at its start, which is the same to players that do not see it. `init` of the
//! reset options: `{"history": [[0, 1]], "rounds_left": 3}`. Metrics, mean per round: `welfare`, the sum of all
//! payoffs; `equilibrium`, 1 where no player would have gained by another action alone; `cooperation`, the share of
//! players that cooperated, where an action is called so. With one round (and in the two-step game) the
//! environment is also a game tree, in which players move one after another without seeing each other's move. The
//! scripted baseline plays the game's [`solution`], the iterated prisoner's dilemma tit for tat.
//!
//! [`game`] says what a game is, [`presets`] has one file for each, [`batch`] plays them all.

mod anonymous;
pub mod batch;
pub mod game;
mod lookup;
mod picture;
pub mod presets;
pub mod rules;
mod saved;
pub mod solution;
mod tables;
mod tree;

pub use batch::{MatrixGame, Preset};
pub use game::{Game, Payoffs, Stage};
pub use presets::*;

palaestra_plugin_api::export_plugin!(batch_environments: [
    MatrixGame<NormalForm>,
    MatrixGame<PrisonersDilemma>,
    MatrixGame<IteratedPrisonersDilemma>,
    MatrixGame<StagHunt>,
    MatrixGame<Chicken>,
    MatrixGame<Coordination>,
    MatrixGame<BattleOfSexes>,
    MatrixGame<MatchingPennies>,
    MatrixGame<RockPaperScissors>,
    MatrixGame<Climbing>,
    MatrixGame<Penalty>,
    MatrixGame<TwoStep>,
    MatrixGame<PublicGoods>,
    MatrixGame<NPlayerStagHunt>,
    MatrixGame<VolunteersDilemma>,
    MatrixGame<Minority>,
]);
