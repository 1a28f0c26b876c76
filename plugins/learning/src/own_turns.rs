//! Turn-based worlds: an agent's transitions from one of its own turns to the next.
//!
//! Where only one agent acts at a time, an agent is rewarded at other agents' steps too. Its own transition runs from
//! a step where it acts to its next such step or to the end of the episode, and all rewards between belong to it,
//! undiscounted: γ and λ count own turns. The reward of a whole hand of poker so reaches the last decision at once.

use palaestra_plugin_api::{Error, Result};

/// A fragment of a turn-based world; time-major slabs `[steps, columns]` unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct TurnFragment<'a> {
    /// Columns: agents times instances.
    pub columns: usize,
    /// Whether the agent acts at step t; `[steps + 1, columns]`: behind the fragment too.
    pub acting: &'a [u8],
    /// r_t, also at others' steps.
    pub rewards: &'a [f32],
    /// V at step t, of interest where the agent acts; `[steps + 1, columns]`.
    pub values: &'a [f32],
    /// V of the final observation where transition t was truncated; ignored elsewhere.
    pub final_values: &'a [f32],
    /// Whether the episode ended with transition t because the task did.
    pub terminated: &'a [u8],
    /// Whether it was cut off.
    pub truncated: &'a [u8],
}

/// Estimates at the agents' own turns, `[steps, columns]`.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnTurns {
    /// Advantages by GAE; 0 where not valid.
    pub advantages: Vec<f32>,
    /// Advantage + V: the critic's targets; 0 where not valid.
    pub targets: Vec<f32>,
    /// All rewards from this turn to before the agent's next; 0 where not valid.
    pub rewards: Vec<f32>,
    /// 1 where the agent acted and its transition is complete. The last turn before the end of the fragment is
    /// complete only if the agent acts again right behind it.
    pub valid: Vec<u8>,
}

/// GAE (Schulman et al. 2016) over own turns. With R_t = Σ r from own turn t to before the next one, t':
///
/// ```text
/// δ_t = R_t + γ·V(s_{t'}) - V(s_t)         A_t = δ_t + γλ·A_{t'}
/// ```
///
/// At the end of an episode there is no t': V is 0 behind a terminal step, the final observation's behind a cut.
///
/// # Errors
/// When sizes do not fit.
pub fn own_turn_gae(fragment: &TurnFragment<'_>, gamma: f32, lambda: f32) -> Result<OwnTurns> {
    let steps = fragment.steps()?;
    let columns = fragment.columns;
    let count = steps * columns;
    let mut all = OwnTurns {
        advantages: vec![0.0; count],
        targets: vec![0.0; count],
        rewards: vec![0.0; count],
        valid: vec![0; count],
    };
    for column in 0..columns {
        // What follows the step at hand, from the agent's point of view.
        let behind = steps * columns + column;
        let mut next = match fragment.acting[behind] {
            0 => Next::Unknown,
            _ => Next::Value {
                value: fragment.values[behind],
                advantage: 0.0,
            },
        };
        let mut reward = 0.0;
        for t in (0..steps).rev() {
            let i = t * columns + column;
            if fragment.terminated[i] != 0 {
                (next, reward) = (
                    Next::Value {
                        value: 0.0,
                        advantage: 0.0,
                    },
                    0.0,
                );
            } else if fragment.truncated[i] != 0 {
                (next, reward) = (
                    Next::Value {
                        value: fragment.final_values[i],
                        advantage: 0.0,
                    },
                    0.0,
                );
            }
            reward += fragment.rewards[i];
            if fragment.acting[i] == 0 {
                continue;
            }
            let mut advantage = 0.0;
            if let Next::Value {
                value,
                advantage: following,
            } = next
            {
                let delta = reward + gamma * value - fragment.values[i];
                advantage = delta + gamma * lambda * following;
                all.advantages[i] = advantage;
                all.targets[i] = advantage + fragment.values[i];
                all.rewards[i] = reward;
                all.valid[i] = 1;
            }
            next = Next::Value {
                value: fragment.values[i],
                advantage,
            };
            reward = 0.0;
        }
    }
    Ok(all)
}

/// What comes after an own turn.
#[derive(Clone, Copy)]
enum Next {
    /// The fragment ends first.
    Unknown,
    /// A state of this value, where the agent has this advantage.
    Value { value: f32, advantage: f32 },
}

impl TurnFragment<'_> {
    fn steps(&self) -> Result<usize> {
        let len = self.rewards.len();
        let same = [
            self.final_values.len(),
            self.terminated.len(),
            self.truncated.len(),
        ];
        let longer = [self.acting.len(), self.values.len()];
        let fits = self.columns > 0
            && len.is_multiple_of(self.columns)
            && same.iter().all(|&other| other == len)
            && longer.iter().all(|&other| other == len + self.columns);
        if fits {
            return Ok(len / self.columns);
        }
        Err(Error::plugin(format!(
            "own turns: expected slabs of {len} elements and two of {}, found {same:?} and {longer:?}",
            len + self.columns
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::returns::{Fragment, gae, next_values};

    /// A hand of Kuhn poker, by hand: agent 0 checks, agent 1 bets, agent 0 calls and loses 2; then a second hand
    /// in which agent 0 bets, agent 1 folds. Steps 0 1 2 | 3 4.
    #[test]
    fn two_hands_of_kuhn_poker_by_hand() {
        let acting = [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0];
        let rewards = [0., 0., 0., 0., -2., 2., 0., 0., 1., -1.];
        let values = [0.1, 9., 9., 0.3, -0.4, 9., 0.5, 9., 9., -0.6, 0.7, 9.];
        let terminated = [0, 0, 0, 0, 1, 1, 0, 0, 1, 1];
        let fragment = TurnFragment {
            columns: 2,
            acting: &acting,
            rewards: &rewards,
            values: &values,
            final_values: &[0.0; 10],
            terminated: &terminated,
            truncated: &[0; 10],
        };
        let (gamma, lambda) = (0.9f32, 0.8f32);
        let found = own_turn_gae(&fragment, gamma, lambda).unwrap();
        // Agent 0: turns at 0, 2 (ends -2), 3 (ends +1). Agent 1: turns at 1 (ends +2), 4 (ends -1).
        let call = -2.0 - -0.4;
        let check = (0.0 + gamma * -0.4 - 0.1) + gamma * lambda * call;
        let expected = [
            check,
            0.,
            0.,
            2.0 - 0.3,
            call,
            0.,
            1.0 - 0.5,
            0.,
            0.,
            -1.0 - -0.6,
        ];
        assert!(
            crate::golden::agree(&found.advantages, &expected),
            "{:?}",
            found.advantages
        );
        assert_eq!(found.valid, [1, 0, 0, 1, 1, 0, 1, 0, 0, 1]);
        assert_eq!(found.rewards, [0., 0., 0., 2., -2., 0., 1., 0., 0., -1.]);
        assert!((found.targets[0] - (check + 0.1)).abs() < 1e-6);
    }

    #[test]
    fn an_open_turn_is_left_out_unless_the_agent_acts_right_behind() {
        let fragment = |acting| TurnFragment {
            columns: 1,
            acting,
            rewards: &[1.0, 2.0],
            values: &[0.5, 9.0, 0.25],
            final_values: &[0.0; 2],
            terminated: &[0; 2],
            truncated: &[0; 2],
        };
        assert_eq!(
            own_turn_gae(&fragment(&[1, 0, 0]), 0.5, 1.0).unwrap().valid,
            [0, 0]
        );
        let closed = own_turn_gae(&fragment(&[1, 0, 1]), 0.5, 1.0).unwrap();
        assert_eq!(
            (closed.valid, closed.advantages),
            (vec![1, 0], vec![3.0 + 0.125 - 0.5, 0.0])
        );
    }

    /// Where every agent acts at every step, own turns are steps.
    #[test]
    fn equals_gae_when_all_act_always() {
        let rewards = [0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 0.7, 0.8];
        let values = [0.3, 0.1, -0.5, 0.2, 0.9, 0.4, 0.6, -0.1, 0.35, 0.45];
        let (terminated, truncated) = ([0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0]);
        let final_values = [0., 0., 0., 0.77, 0., 0., 0., 0.];
        let finals = [crate::returns::FinalValue {
            step: 1,
            column: 1,
            value: 0.77,
        }];
        let next = next_values(&values[..8], &values[8..], &finals).unwrap();
        let usual = Fragment {
            columns: 2,
            rewards: &rewards,
            values: &values[..8],
            next_values: &next,
            terminated: &terminated,
            truncated: &truncated,
        };
        let turns = TurnFragment {
            columns: 2,
            acting: &[1; 10],
            rewards: &rewards,
            values: &values,
            final_values: &final_values,
            terminated: &terminated,
            truncated: &truncated,
        };
        let found = own_turn_gae(&turns, 0.9, 0.7).unwrap();
        assert!(crate::golden::agree(
            &found.advantages,
            &gae(&usual, 0.9, 0.7).unwrap()
        ));
        assert_eq!(found.valid, [1; 8]);
        assert!(
            own_turn_gae(
                &TurnFragment {
                    acting: &[1; 8],
                    ..turns
                },
                0.9,
                0.7
            )
            .is_err()
        );
    }
}
