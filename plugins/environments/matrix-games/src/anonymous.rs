//! Rounds of anonymous games, in which a payoff depends on one's own action and on the total of all.
//!
//! A player's share of a round is one look-up, and what all are paid and measured by is read off it in one pass.

use crate::tables::Tables;

/// What a cell gives its player and adds to the metrics of all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) payoff: f64,
    /// Part of the players' cooperation.
    pub(crate) cooperation: f32,
    /// 1 where the player would have gained by another action.
    pub(crate) unstable: f32,
}

/// Plays a round of every instance: joint actions `[n · players]` to cells and rewards of the same shape, and metrics.
#[inline(always)]
pub(crate) fn play(
    tables: &Tables,
    actions: &[i32],
    cells: &mut [u32],
    rewards: &mut [f64],
    metrics: &mut [f32],
) {
    match tables.metrics.len() {
        3 => play_measured::<3>(tables, actions, cells, rewards, metrics),
        _ => play_measured::<2>(tables, actions, cells, rewards, metrics),
    }
}

#[inline(always)]
fn play_measured<const METRICS: usize>(
    tables: &Tables,
    actions: &[i32],
    cells: &mut [u32],
    rewards: &mut [f64],
    metrics: &mut [f32],
) {
    let metrics = metrics.as_chunks_mut::<METRICS>().0;
    match tables.players {
        4 => play_fixed::<4, METRICS>(tables, actions, cells, rewards, metrics),
        6 => play_fixed::<6, METRICS>(tables, actions, cells, rewards, metrics),
        8 => play_fixed::<8, METRICS>(tables, actions, cells, rewards, metrics),
        players => {
            let rounds = actions
                .chunks_exact(players)
                .zip(cells.chunks_exact_mut(players));
            let paid = rewards.chunks_exact_mut(players).zip(metrics);
            for ((joint, cells), (rewards, metrics)) in rounds.zip(paid) {
                find_cells(tables, joint, cells);
                *metrics = pay(&tables.shares, cells, rewards);
            }
        }
    }
}

/// For a common number of players: the loops over them are unrolled, and that which finds the cells goes through wide
/// vectors.
#[inline(always)]
fn play_fixed<const PLAYERS: usize, const METRICS: usize>(
    tables: &Tables,
    actions: &[i32],
    cells: &mut [u32],
    rewards: &mut [f64],
    metrics: &mut [[f32; METRICS]],
) {
    let cells = cells.as_chunks_mut::<PLAYERS>().0;
    for (joint, cells) in actions.as_chunks::<PLAYERS>().0.iter().zip(&mut *cells) {
        find_cells(tables, joint, cells);
    }
    pay_fixed(
        &tables.shares,
        cells,
        rewards.as_chunks_mut::<PLAYERS>().0,
        metrics,
    );
}

/// Not inlined, as [`look_up`](crate::lookup::look_up) is not: there is nothing in it for wide vectors.
#[inline(never)]
fn pay_fixed<const PLAYERS: usize, const METRICS: usize>(
    shares: &[Share],
    cells: &[[u32; PLAYERS]],
    rewards: &mut [[f64; PLAYERS]],
    metrics: &mut [[f32; METRICS]],
) {
    for (cells, (rewards, metrics)) in cells.iter().zip(rewards.iter_mut().zip(metrics)) {
        *metrics = pay(shares, cells, rewards);
    }
}

#[inline(always)]
fn find_cells(tables: &Tables, joint: &[i32], cells: &mut [u32]) {
    let totals = (tables.stage_cells / tables.choices) as u32;
    let total: u32 = joint.iter().map(|&action| action as u32).sum();
    for (&own, cell) in joint.iter().zip(cells) {
        *cell = own as u32 * totals + total;
    }
}

/// Pays the players of one round by their cells, and measures it.
#[inline(always)]
fn pay<const METRICS: usize>(
    shares: &[Share],
    cells: &[u32],
    rewards: &mut [f64],
) -> [f32; METRICS] {
    let (mut welfare, mut cooperation, mut unstable) = (0.0, 0.0, 0.0);
    for (&cell, reward) in cells.iter().zip(rewards) {
        let share = shares[cell as usize];
        *reward = share.payoff;
        welfare += share.payoff;
        cooperation += share.cooperation;
        unstable += share.unstable;
    }
    let equilibrium = f32::from(u8::from(unstable == 0.0));
    let all = [welfare as f32, equilibrium, cooperation];
    std::array::from_fn(|metric| all[metric])
}
