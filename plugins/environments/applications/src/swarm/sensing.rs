//! Who senses whom and what: the nearest robots and targets within range.

use palaestra_plugin_api::environment::Observe;

use super::{State, Swarm, Task};

/// Something sensed: squared distance and index. Infinitely far when there is nothing.
pub(super) type Sensed = (f64, usize);
pub(super) const NOTHING: Sensed = (f64::INFINITY, 0);

impl Swarm {
    /// Neighbours of every working robot.
    pub(super) fn sense(&mut self) {
        let positions = &self.state.positions;
        self.cells.rebuild(positions);
        let range = self.config.sensing_range;
        let rows = self.neighbors.chunks_exact_mut(self.config.num_neighbors);
        for (robot, row) in rows.enumerate().filter(|(r, _)| self.state.working[*r]) {
            row.fill(NOTHING);
            let mut farthest = range * range;
            self.cells.near(positions[robot], range, |other, distance| {
                // Most are too far: one comparison for them.
                if distance <= farthest && other != robot {
                    insert(row, (distance, other));
                    farthest = farthest.min(row[row.len() - 1].0);
                }
                farthest
            });
        }
    }

    /// The nearest target of every robot, of those that are not found.
    pub(super) fn sense_targets(&mut self) {
        let State { targets, found, .. } = &self.state;
        let range = self.config.sensing_range;
        let reach = range * range;
        self.nearest_target.fill(NOTHING);
        for (index, &target) in targets.iter().enumerate().filter(|(i, _)| !found[*i]) {
            self.cells.near(target, range, |robot, distance| {
                if distance <= reach && distance < self.nearest_target[robot].0 {
                    self.nearest_target[robot] = (distance, index);
                }
                reach
            });
        }
    }

    /// Marks the targets that working robots find; gives how many are new.
    pub(super) fn search(&mut self) -> usize {
        let State {
            working,
            targets,
            found,
            ..
        } = &mut self.state;
        let range = self.config.detection_range;
        let reach = range * range;
        let mut new = 0;
        for (&target, found) in targets.iter().zip(found).filter(|(_, found)| !**found) {
            self.cells.near(target, range, |robot, distance| {
                *found |= working[robot] && distance < reach;
                reach
            });
            new += usize::from(*found);
        }
        new
    }

    /// Whom a robot senses, the nearest first.
    #[inline(always)]
    pub(super) fn neighbors_of(&self, robot: usize) -> &[Sensed] {
        let count = self.config.num_neighbors;
        &self.neighbors[robot * count..(robot + 1) * count]
    }

    #[inline(always)]
    pub(super) fn observe(&self, out: &mut Observe<'_>) {
        let State {
            positions,
            working,
            targets,
            ..
        } = &self.state;
        let (scale, reach) = (1.0 / self.config.size, 1.0 / self.config.sensing_range);
        let own_target = usize::from(self.config.task == Task::Search);
        for (robot, &own) in positions.iter().enumerate() {
            let row = out.observation(robot);
            row.fill(0.0);
            if !working[robot] {
                continue;
            }
            row[..2].copy_from_slice(&own.map(|x| (x * scale).min(1.0) as f32));
            let neighbors = self.neighbors_of(robot).iter().map(|&(distance, other)| {
                let mark = if working[other] { 1.0 } else { -1.0 };
                (distance, positions[other], mark)
            });
            let target = self.nearest_target[robot..][..own_target]
                .iter()
                .map(|&(distance, target)| (distance, targets[target], 1.0));
            for (to, (distance, place, mark)) in
                row[2..].chunks_exact_mut(3).zip(neighbors.chain(target))
            {
                if distance.is_finite() {
                    let part = |axis: usize| ((place[axis] - own[axis]) * reach).clamp(-1.0, 1.0);
                    to.copy_from_slice(&[part(0) as f32, part(1) as f32, mark]);
                }
            }
        }
    }
}

/// Puts something sensed into its place among the nearest; the farthest falls out, and of equals the later.
#[inline(always)]
fn insert(nearest: &mut [Sensed], new: Sensed) {
    let before = |a: Sensed, b: Sensed| a.0 < b.0 || (a.0 == b.0 && a.1 < b.1);
    let mut at = nearest.len() - 1;
    if !before(new, nearest[at]) {
        return;
    }
    while at > 0 && before(new, nearest[at - 1]) {
        nearest[at] = nearest[at - 1];
        at -= 1;
    }
    nearest[at] = new;
}

/// Square of a distance.
#[inline(always)]
pub(super) fn square(a: [f64; 2], b: [f64; 2]) -> f64 {
    let [dx, dy] = [a[0] - b[0], a[1] - b[1]];
    dx * dx + dy * dy
}
