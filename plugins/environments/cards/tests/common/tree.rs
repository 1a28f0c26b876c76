//! A whole game tree through `Environment::game_node`, and values, best responses and NashConv on it.

use std::collections::HashMap;

use palaestra_plugin_api::{environment::Environment, game_tree::GameNode};

/// Index of a node; children come after their parents.
pub(crate) type At = usize;

pub(crate) enum Node {
    /// Probability and child.
    Chance(Vec<(f64, At)>),
    Decision {
        /// Index of the information state.
        information: usize,
        children: Vec<At>,
    },
    Terminal(Vec<f64>),
}

pub(crate) struct Information {
    pub(crate) player: usize,
    pub(crate) name: String,
    pub(crate) moves: Vec<usize>,
    /// The nodes that are one to the player.
    pub(crate) nodes: Vec<At>,
}

#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) information: Vec<Information>,
    pub(crate) players: usize,
    names: HashMap<(usize, String), usize>,
}

/// Probabilities of the moves of every information state.
pub(crate) type Policy = Vec<Vec<f64>>;

impl Tree {
    pub(crate) fn of<E: Environment>(config: &E::Config) -> Self {
        let game = E::new(config).unwrap();
        let mut tree = Self {
            players: E::spec(config).unwrap().agents(),
            ..Self::default()
        };
        tree.grow(&game, &mut Vec::new());
        tree
    }

    fn grow<E: Environment>(&mut self, game: &E, history: &mut Vec<usize>) -> At {
        let at = self.nodes.len();
        self.nodes.push(Node::Terminal(Vec::new()));
        let node = game.game_node(history).unwrap();
        let mut child = |tree: &mut Self, taken: usize| {
            history.push(taken);
            let child = tree.grow(game, history);
            history.pop();
            child
        };
        self.nodes[at] = match node {
            GameNode::Chance { moves } => {
                let total: f64 = moves.iter().map(|m| m.1).sum();
                assert!((total - 1.0).abs() < 1e-12, "{moves:?}");
                Node::Chance(moves.iter().map(|&(m, p)| (p, child(self, m))).collect())
            }
            GameNode::Decision {
                player,
                moves,
                information_state,
            } => {
                let information = self.know(player, information_state, &moves, at);
                let children = moves.iter().map(|&m| child(self, m)).collect();
                Node::Decision {
                    information,
                    children,
                }
            }
            GameNode::Terminal { returns } => {
                assert_eq!(returns.len(), self.players);
                assert!(returns.iter().sum::<f64>().abs() < 1e-12, "zero-sum");
                Node::Terminal(returns)
            }
        };
        at
    }

    fn know(&mut self, player: usize, name: String, moves: &[usize], at: At) -> usize {
        let next = self.information.len();
        let index = *self.names.entry((player, name.clone())).or_insert(next);
        if index == next {
            self.information.push(Information {
                player,
                name,
                moves: moves.to_vec(),
                nodes: Vec::new(),
            });
        }
        let known = &mut self.information[index];
        assert_eq!(
            known.moves, moves,
            "one information state, one set of moves"
        );
        known.nodes.push(at);
        index
    }

    pub(crate) fn terminals(&self) -> usize {
        let ends = |node: &&Node| matches!(node, Node::Terminal(_));
        self.nodes.iter().filter(ends).count()
    }

    /// The policy whose probability of a move is `weight(information, move)`, normalised.
    pub(crate) fn policy(&self, weight: impl Fn(&Information, usize) -> f64) -> Policy {
        let row = |known: &Information| {
            let weights: Vec<f64> = known.moves.iter().map(|&m| weight(known, m)).collect();
            let total: f64 = weights.iter().sum();
            weights.iter().map(|w| w / total).collect()
        };
        self.information.iter().map(row).collect()
    }

    /// Expected return of a player from every node.
    fn values(&self, policy: &Policy, player: usize) -> Vec<f64> {
        let mut values = vec![0.0; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate().rev() {
            values[at] = match node {
                Node::Terminal(returns) => returns[player],
                Node::Chance(moves) => moves.iter().map(|&(p, child)| p * values[child]).sum(),
                Node::Decision {
                    information,
                    children,
                } => children
                    .iter()
                    .zip(&policy[*information])
                    .map(|(&child, p)| p * values[child])
                    .sum(),
            };
        }
        values
    }

    /// Expected return of a player from the start.
    pub(crate) fn value(&self, policy: &Policy, player: usize) -> f64 {
        self.values(policy, player)[0]
    }

    /// What a best response of `player` earns against the others' policy.
    pub(crate) fn best_response(&self, policy: &Policy, player: usize) -> f64 {
        // Probability that chance and the others lead to a node.
        let mut reach = vec![1.0; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            match node {
                Node::Terminal(_) => {}
                Node::Chance(moves) => moves.iter().for_each(|&(p, c)| reach[c] = reach[at] * p),
                Node::Decision {
                    information,
                    children,
                } => {
                    let own = self.information[*information].player == player;
                    for (&child, p) in children.iter().zip(&policy[*information]) {
                        reach[child] = reach[at] * if own { 1.0 } else { *p };
                    }
                }
            }
        }
        let mut best = BestResponse {
            tree: self,
            policy,
            player,
            reach,
            values: vec![None; self.nodes.len()],
            choices: vec![None; self.information.len()],
        };
        best.value(0)
    }

    /// What all players together could gain by deviating alone.
    pub(crate) fn nash_conv(&self, policy: &Policy) -> f64 {
        (0..self.players)
            .map(|player| self.best_response(policy, player) - self.value(policy, player))
            .sum()
    }
}

struct BestResponse<'a> {
    tree: &'a Tree,
    policy: &'a Policy,
    player: usize,
    reach: Vec<f64>,
    values: Vec<Option<f64>>,
    choices: Vec<Option<usize>>,
}

impl BestResponse<'_> {
    fn value(&mut self, at: At) -> f64 {
        if let Some(value) = self.values[at] {
            return value;
        }
        let tree = self.tree;
        let value = match &tree.nodes[at] {
            Node::Terminal(returns) => returns[self.player],
            Node::Chance(moves) => moves.iter().map(|&(p, c)| p * self.value(c)).sum(),
            Node::Decision {
                information,
                children,
            } if tree.information[*information].player == self.player => {
                let choice = self.choice(*information);
                self.value(children[choice])
            }
            Node::Decision {
                information,
                children,
            } => {
                let policy = &self.policy[*information];
                let branches = children.iter().zip(policy);
                branches.map(|(&child, p)| p * self.value(child)).sum()
            }
        };
        self.values[at] = Some(value);
        value
    }

    /// The move that is best over all nodes of an information state.
    fn choice(&mut self, information: usize) -> usize {
        if let Some(choice) = self.choices[information] {
            return choice;
        }
        let tree = self.tree;
        let known = &tree.information[information];
        let mut totals = vec![0.0; known.moves.len()];
        for &at in &known.nodes {
            let Node::Decision { children, .. } = &tree.nodes[at] else {
                unreachable!("information states are of decisions")
            };
            for (total, &child) in totals.iter_mut().zip(children) {
                *total += self.reach[at] * self.value(child);
            }
        }
        let best = (0..totals.len()).max_by(|&a, &b| totals[a].total_cmp(&totals[b]));
        self.choices[information] = best;
        best.unwrap()
    }
}
