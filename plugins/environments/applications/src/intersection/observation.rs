//! What a vehicle senses.

use palaestra_plugin_api::prelude::*;

use super::{Intersection, IntersectionConfig, ROUTES, Status, crossing::square};

/// Numbers about the vehicle itself, and where among them its route and what follows it begin.
const ITSELF: usize = 8;
const ROUTE: usize = 3;
const INSIDE: usize = ROUTE + ROUTES;
const PASSED: usize = INSIDE + 1;
/// Numbers about another one.
const EACH: usize = 7;

/// The space of observations.
pub(super) fn space(config: &IntersectionConfig) -> Space {
    let itself = [-1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let other = [0.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0];
    let low = [itself.to_vec(), other.repeat(config.num_neighbors)].concat();
    Space::bounds(&low, &vec![1.0; low.len()])
}

impl Intersection {
    /// Writes observations: zeros for those that are gone, and but for a mark for those that have passed.
    #[inline(always)]
    pub(super) fn observe(&self, out: &mut Observe<'_>) {
        for (index, vehicle) in self.state.vehicles.iter().enumerate() {
            let row = out.observation(index);
            row.fill(0.0);
            match vehicle.status {
                Status::Driving => self.sense(index, row),
                Status::Arrived => row[PASSED] = 1.0,
                Status::Absent | Status::Collided => {}
            }
        }
    }

    #[inline(always)]
    fn sense(&self, index: usize, row: &mut [f32]) {
        let (config, own) = (&self.config, &self.state.vehicles[index]);
        let range = config.sensing_range;
        let way = |way: f64| (way / range).clamp(-1.0, 1.0) as f32;
        row[0] = way(own.way);
        row[1] = (own.speed / config.speed_limit) as f32;
        row[2] = (own.acceleration / config.max_deceleration).clamp(-1.0, 1.0) as f32;
        row[ROUTE + own.route as usize] = 1.0;
        let inside = (0.0..self.crossing.length(own.route)).contains(&own.way);
        row[INSIDE] = f32::from(u8::from(inside));
        let pose = self.poses[index];
        let [forward, side] = pose.heading;
        // Ahead and to the left of the own heading.
        let frame = |[x, y]: [f64; 2]| [x * forward + y * side, y * forward - x * side];
        let velocity = |v: usize| {
            let speed = self.state.vehicles[v].speed;
            self.poses[v].heading.map(|part| part * speed)
        };
        let mine = velocity(index);
        let mut last = (-1.0, 0);
        for to in row[ITSELF..].chunks_exact_mut(EACH) {
            let Some((distance, other)) = self.next_nearest(index, last) else {
                break;
            };
            last = (distance, other);
            let (there, theirs) = (self.poses[other].position, velocity(other));
            let place = frame([there[0] - pose.position[0], there[1] - pose.position[1]]);
            let moves = frame([theirs[0] - mine[0], theirs[1] - mine[1]]);
            let fast = 2.0 * config.speed_limit;
            let vehicle = &self.state.vehicles[other];
            let meets = self.crossing.meet(own.path(), vehicle.path());
            to[0] = 1.0;
            for axis in 0..2 {
                to[1 + axis] = way(place[axis]);
                to[3 + axis] = (moves[axis] / fast).clamp(-1.0, 1.0) as f32;
            }
            to[5] = way(vehicle.way);
            to[6] = f32::from(u8::from(meets));
        }
    }

    /// The nearest in range of those farther than the last one found; of equals the first by index.
    #[inline(always)]
    fn next_nearest(&self, index: usize, last: (f64, usize)) -> Option<(f64, usize)> {
        let range = self.config.sensing_range * self.config.sensing_range;
        let mut nearest = None;
        let mut least = (range, usize::MAX);
        for (other, vehicle) in self.state.vehicles.iter().enumerate() {
            if other == index || !vehicle.drives() {
                continue;
            }
            let found = (
                square(self.poses[index].position, self.poses[other].position),
                other,
            );
            if found > last && found < least {
                (nearest, least) = (Some(found), found);
            }
        }
        nearest
    }
}
