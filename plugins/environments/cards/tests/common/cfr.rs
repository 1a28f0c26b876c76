//! Counterfactual regret minimisation, plain and "+" (Tammelin et al., 2015), with alternating updates.

use super::tree::{At, Node, Policy, Tree};

pub(crate) struct Cfr<'a> {
    tree: &'a Tree,
    /// Regret matching+ and linear averaging.
    plus: bool,
    iteration: f64,
    current: Policy,
    regrets: Policy,
    sums: Policy,
}

impl<'a> Cfr<'a> {
    pub(crate) fn new(tree: &'a Tree, plus: bool) -> Self {
        let current = tree.policy(|_, _| 1.0);
        let zeros: Policy = current.iter().map(|row| vec![0.0; row.len()]).collect();
        Self {
            tree,
            plus,
            iteration: 0.0,
            current,
            regrets: zeros.clone(),
            sums: zeros,
        }
    }

    pub(crate) fn iterate(&mut self) {
        self.iteration += 1.0;
        for player in 0..self.tree.players {
            self.walk(0, player, 1.0, 1.0);
            for (regrets, current) in self.regrets.iter_mut().zip(&mut self.current) {
                if self.plus {
                    regrets
                        .iter_mut()
                        .for_each(|regret| *regret = regret.max(0.0));
                }
                match_regrets(regrets, current);
            }
        }
    }

    /// The average policy over all iterations.
    pub(crate) fn average(&self) -> Policy {
        let mut average = self.sums.clone();
        for row in &mut average {
            let (total, moves): (f64, _) = (row.iter().sum(), row.len() as f64);
            for p in row {
                *p = if total > 0.0 { *p / total } else { 1.0 / moves };
            }
        }
        average
    }

    /// Value of a node to `player`; `own` and `others` are the probabilities that they lead there.
    fn walk(&mut self, at: At, player: usize, own: f64, others: f64) -> f64 {
        let tree = self.tree;
        let (information, children) = match &tree.nodes[at] {
            Node::Terminal(returns) => return returns[player],
            Node::Chance(moves) => {
                let values = moves.iter();
                return values
                    .map(|&(p, child)| p * self.walk(child, player, own, others * p))
                    .sum();
            }
            Node::Decision {
                information,
                children,
            } => (*information, children),
        };
        let policy = self.current[information].clone();
        if tree.information[information].player != player {
            let branches = children.iter().zip(&policy);
            return branches
                .map(|(&child, p)| p * self.walk(child, player, own, others * p))
                .sum();
        }
        let branches = children.iter().zip(&policy);
        let values: Vec<f64> = branches
            .map(|(&child, p)| self.walk(child, player, own * p, others))
            .collect();
        let value: f64 = values.iter().zip(&policy).map(|(v, p)| v * p).sum();
        let weight = if self.plus { self.iteration } else { 1.0 };
        for (i, p) in policy.iter().enumerate() {
            self.regrets[information][i] += others * (values[i] - value);
            self.sums[information][i] += weight * own * p;
        }
        value
    }
}

/// Probabilities in proportion to positive regrets; uniform without any.
fn match_regrets(regrets: &[f64], policy: &mut [f64]) {
    let total: f64 = regrets.iter().map(|regret| regret.max(0.0)).sum();
    let uniform = 1.0 / policy.len() as f64;
    for (p, regret) in policy.iter_mut().zip(regrets) {
        *p = if total > 0.0 {
            regret.max(0.0) / total
        } else {
            uniform
        };
    }
}
