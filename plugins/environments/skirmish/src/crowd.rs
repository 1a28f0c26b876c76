//! Bodies that overlap push each other apart.

use std::array::from_fn;

use crate::{
    combat::Unit,
    lanes::{FIELD_BLOCKS, LANES, Lanes, NOWHERE, differences, less, squares},
};

/// The bodies of those who live, in the order of the units.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    blocks: [Block; FIELD_BLOCKS],
}

/// Some bodies, lane by lane.
#[derive(Clone, Copy, Debug)]
struct Block {
    x: Lanes,
    y: Lanes,
    radius: Lanes,
}

/// One body.
#[derive(Clone, Copy, Debug)]
struct Body {
    place: [f32; 2],
    radius: f32,
}

impl Crowd {
    /// Room for a crowd.
    pub(crate) const fn new() -> Self {
        let nobody = Block {
            x: [NOWHERE; LANES],
            y: [NOWHERE; LANES],
            radius: [0.0; LANES],
        };
        Self {
            blocks: [nobody; FIELD_BLOCKS],
        }
    }

    /// Moves each of two bodies by half of what they overlap, one pair after the other, and within the map.
    #[inline(always)]
    pub(crate) fn push_apart(&mut self, units: &mut [Unit], size: [f32; 2]) {
        let living = units.iter().filter(|unit| unit.is_alive());
        for (index, unit) in living.enumerate() {
            let radius = unit.kind.stats().radius;
            let place = unit.position;
            self.push(index, Body { place, radius }, size);
        }
        let living = units.iter_mut().filter(|unit| unit.is_alive());
        for (index, unit) in living.enumerate() {
            let block = &self.blocks[index / LANES];
            unit.position = [block.x[index % LANES], block.y[index % LANES]];
        }
    }

    /// Adds a body, parted from all before it.
    #[inline(always)]
    fn push(&mut self, index: usize, mut body: Body, size: [f32; 2]) {
        let (whole, rest) = self.blocks[..=index / LANES].split_at_mut(index / LANES);
        for block in whole {
            // Most touch nobody: that is found out for several at a time.
            if let Some(first) = block.first_touched(&body) {
                for lane in first..LANES {
                    body = block.part(lane, body, size);
                }
            }
        }
        let (block, lane) = (&mut rest[0], index % LANES);
        for lane in 0..lane {
            body = block.part(lane, body, size);
        }
        block.radius[lane] = body.radius;
        [block.x[lane], block.y[lane]] = body.place;
    }
}

impl Block {
    /// The first lane with a body that this one overlaps.
    #[inline(always)]
    fn first_touched(&self, body: &Body) -> Option<usize> {
        let square = squares(&differences(body.place, &self.x, &self.y));
        let room: Lanes = from_fn(|lane| body.radius + self.radius[lane]);
        let touched = less(&square, &from_fn(|lane| room[lane] * room[lane]));
        if touched.iter().fold(0, |any, mask| any | mask) == 0 {
            return None;
        }
        touched.iter().position(|&mask| mask != 0)
    }

    /// Parts a body from another one if they overlap, at the same place to north and south.
    #[inline(always)]
    fn part(&mut self, lane: usize, body: Body, [width, height]: [f32; 2]) -> Body {
        let [x, y] = body.place;
        let (dx, dy) = (x - self.x[lane], y - self.y[lane]);
        let room = body.radius + self.radius[lane];
        let square = dx * dx + dy * dy;
        if square >= room * room {
            return body;
        }
        let way = square.sqrt();
        let push = 0.5 * (room - way);
        let [ux, uy] = if way > 0.0 {
            [dx / way, dy / way]
        } else {
            [0.0, 1.0]
        };
        self.x[lane] = within(self.x[lane] - push * ux, width);
        self.y[lane] = within(self.y[lane] - push * uy, height);
        let place = [within(x + push * ux, width), within(y + push * uy, height)];
        Body { place, ..body }
    }
}

/// The nearest coordinate on a map of this size.
#[inline(always)]
fn within(x: f32, size: f32) -> f32 {
    if x < 0.0 {
        0.0
    } else if x > size {
        size
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::rng::EnvRng;

    use super::*;
    use crate::units::UnitType::{Marine, Stalker, Zealot};

    /// What the lanes must come to: one pair after the other.
    fn pair_by_pair(units: &mut [Unit], size: [f32; 2]) {
        for a in 1..units.len() {
            for b in 0..a {
                let (one, other) = (units[a], units[b]);
                let room = one.kind.stats().radius + other.kind.stats().radius;
                let [dx, dy] = [0, 1].map(|axis| one.position[axis] - other.position[axis]);
                let way = (dx * dx + dy * dy).sqrt();
                if dx * dx + dy * dy < room * room && one.is_alive() && other.is_alive() {
                    let toward = if way > 0.0 {
                        [dx / way, dy / way]
                    } else {
                        [0.0, 1.0]
                    };
                    let push = 0.5 * (room - way);
                    for axis in 0..2 {
                        let pushed =
                            |x: f32, by: f32| (x + by * toward[axis]).clamp(0.0, size[axis]);
                        units[a].position[axis] = pushed(one.position[axis], push);
                        units[b].position[axis] = pushed(other.position[axis], -push);
                    }
                }
            }
        }
    }

    #[test]
    fn a_crowd_is_pushed_apart_pair_by_pair() {
        let mut rng = EnvRng::new(5, 0, 0, 0);
        let mut crowd = Crowd::new();
        for count in (1..=FIELD_BLOCKS * LANES).cycle().take(640) {
            let mut units: Vec<Unit> = (0..count)
                .map(|_| {
                    let kind = [Marine, Stalker, Zealot][rng.below(3) as usize];
                    // On whole numbers, so that some stand at the same place.
                    let place = [rng.below(9) as f32, rng.below(7) as f32 * 0.5];
                    let mut unit = Unit::new(kind, place);
                    unit.health *= rng.below(4).min(1) as f32;
                    unit
                })
                .collect();
            let mut expected = units.clone();
            pair_by_pair(&mut expected, [8.0, 3.0]);
            crowd.push_apart(&mut units, [8.0, 3.0]);
            assert_eq!(units, expected);
        }
    }
}
