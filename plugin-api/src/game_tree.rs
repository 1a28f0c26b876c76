//! The environment as an extensive-form game: what `game-tree/1` tells of a node.

use serde::{Deserialize, Serialize};

/// A node of the tree, reached by the moves from the root (chance moves included).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GameNode {
    /// Chance moves: each possible move with its probability; they sum to 1.
    Chance {
        /// Moves and probabilities.
        moves: Vec<(usize, f64)>,
    },
    /// A player moves.
    Decision {
        /// Index of the player (agent, over all groups in order).
        player: usize,
        /// Legal moves.
        moves: Vec<usize>,
        /// What the player knows: equal strings are one information set.
        information_state: String,
    },
    /// The game is over.
    Terminal {
        /// Return of every player.
        returns: Vec<f64>,
    },
}
