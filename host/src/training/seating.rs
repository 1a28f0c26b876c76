//! Who sits where: which policy plays each agent, constant within an episode.

use palaestra_plugin_api::rng::{key, mix64, purpose};

/// How the seats of an instance are drawn when an episode starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Seating {
    /// Every agent is played by the policy that controls its group: seat 0.
    Own,
    /// In a share of the episodes one agent is the learner (seat 0), and all others are played by one frozen
    /// opponent (seats 1, 2, …, `opponents`).
    SelfPlay {
        /// Share of the episodes that have an opponent.
        share: f64,
        /// Opponents to choose from.
        opponents: u32,
    },
}

impl Seating {
    /// Writes the seats of all `agents` of one instance, over all groups in order.
    pub(super) fn draw(&self, run_seed: u64, instance: u64, episode: u64, seats: &mut [u32]) {
        seats.fill(0);
        let &Self::SelfPlay { share, opponents } = self else {
            return;
        };
        let key = key(run_seed, instance, episode, 0, purpose::SEATING);
        if opponents == 0 || unit(key) >= share {
            return;
        }
        let learner = below(mix64(key ^ 1), seats.len());
        let opponent = 1 + below(mix64(key ^ 2), opponents as usize) as u32;
        seats.fill(opponent);
        seats[learner] = 0;
    }
}

/// Uniform in [0, 1).
fn unit(word: u64) -> f64 {
    (word >> 11) as f64 / (1u64 << 53) as f64
}

fn below(word: u64, n: usize) -> usize {
    ((u128::from(word) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_learner_sits_among_one_opponent_in_the_share_of_the_episodes() {
        let seating = Seating::SelfPlay {
            share: 0.75,
            opponents: 3,
        };
        let (mut played, mut seat_of_learner, mut met) = (0, [0; 3], [0; 3]);
        for episode in 0..4000 {
            let mut seats = [9; 3];
            seating.draw(7, 5, episode, &mut seats);
            let learners = seats.iter().filter(|&&s| s == 0).count();
            assert!(learners == 3 || learners == 1, "{seats:?}");
            if learners == 1 {
                played += 1;
                let at = seats.iter().position(|&s| s == 0).unwrap();
                let others = seats[(at + 1) % 3];
                assert_eq!(seats[(at + 2) % 3], others);
                seat_of_learner[at] += 1;
                met[others as usize - 1] += 1;
            }
        }
        assert!((2900..3100).contains(&played), "{played}");
        let even = |counts: [i32; 3]| counts.iter().all(|c| (900..1100).contains(c));
        assert!(
            even(seat_of_learner) && even(met),
            "{seat_of_learner:?} {met:?}"
        );
    }

    #[test]
    fn seats_belong_to_the_episode_and_to_nothing_else() {
        let seating = Seating::SelfPlay {
            share: 1.0,
            opponents: 5,
        };
        let draw = |instance, episode| {
            let mut seats = [0; 4];
            seating.draw(1, instance, episode, &mut seats);
            seats
        };
        assert_eq!(draw(3, 8), draw(3, 8));
        assert!((0..50).any(|e| draw(3, e) != draw(4, e)));
        let mut own = [7; 4];
        Seating::Own.draw(1, 0, 0, &mut own);
        assert_eq!(own, [0; 4]);
    }
}
