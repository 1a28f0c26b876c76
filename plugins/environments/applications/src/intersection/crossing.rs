//! The crossing: two roads of one lane each way, driven on the right.
//!
//! The first arm is the road from the south; the others follow counter-clockwise. A way is measured from the stop
//! line, negative before it; within the crossing it is straight or a quarter of a circle.

use palaestra_plugin_api::{
    Result, math,
    prelude::{Deserialize, Serialize},
    serde,
};
use std::f64::consts::FRAC_PI_2;

use super::{IntersectionConfig, config::MOST};
use crate::state::invalid;

/// Arms of the crossing.
pub(super) const ARMS: usize = 4;
/// Ways from an arm.
pub(super) const ROUTES: usize = 3;
/// Half of the side of the crossing, in lanes: a lane and what the kerb is cut by.
const HALF: f64 = 1.5;
/// Distance between the points of a way at which it is compared with another [m].
const SAMPLE: f64 = 1.0;

/// Where a vehicle turns to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde", rename_all = "snake_case")]
pub(super) enum Route {
    Left,
    #[default]
    Straight,
    Right,
}

impl Route {
    pub(super) const ALL: [Self; ROUTES] = [Self::Left, Self::Straight, Self::Right];

    /// The arm by which a vehicle leaves.
    pub(super) fn exit(self, arm: usize) -> usize {
        let turned = match self {
            Self::Right => 1,
            Self::Straight => 2,
            Self::Left => 3,
        };
        (arm + turned) % ARMS
    }
}

/// Where a vehicle is and where to it drives, as a vector of length 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pose {
    pub(super) position: [f64; 2],
    pub(super) heading: [f64; 2],
}

/// What follows from the settings.
#[derive(Clone, Debug)]
pub(super) struct Crossing {
    pub(super) lane: f64,
    /// Half of the side of the crossing.
    pub(super) half: f64,
    /// Length of each way within the crossing.
    pub(super) lengths: [f64; ROUTES],
    /// Whether a way from the first arm meets that of a route from an arm so many further.
    meets: [[[bool; ROUTES]; ARMS]; ROUTES],
}

impl Crossing {
    pub(super) fn new(config: &IntersectionConfig) -> Result<Self> {
        check(config)?;
        let (lane, half) = (config.lane_width, HALF * config.lane_width);
        let mut crossing = Self {
            lane,
            half,
            lengths: [
                FRAC_PI_2 * (half + 0.5 * lane),
                2.0 * half,
                FRAC_PI_2 * (half - 0.5 * lane),
            ],
            meets: [[[false; ROUTES]; ARMS]; ROUTES],
        };
        // Between the largest distance that is a collision and that of the lanes of a road.
        let near = 0.5 * (config.vehicle_size + lane);
        for own in Route::ALL {
            let way = crossing.samples(0, own);
            for arm in 0..ARMS {
                for route in Route::ALL {
                    let other = crossing.samples(arm, route);
                    let meet = |a: &[f64; 2]| other.iter().any(|&b| square(*a, b) < near * near);
                    crossing.meets[own as usize][arm][route as usize] = way.iter().any(meet);
                }
            }
        }
        Ok(crossing)
    }

    /// Points of a way: in the crossing and a lane beyond it.
    fn samples(&self, arm: usize, route: Route) -> Vec<[f64; 2]> {
        let count = ((self.length(route) + self.lane) / SAMPLE) as usize;
        (0..=count)
            .map(|i| self.pose(arm, route, i as f64 * SAMPLE).position)
            .collect()
    }

    /// Length of a way within the crossing.
    #[inline(always)]
    pub(super) fn length(&self, route: Route) -> f64 {
        self.lengths[route as usize]
    }

    /// Whether two ways cross, join, or begin on the same arm.
    #[inline(always)]
    pub(super) fn meet(&self, (arm, route): (usize, Route), other: (usize, Route)) -> bool {
        let further = (other.0 + ARMS - arm) % ARMS;
        self.meets[route as usize][further][other.1 as usize]
    }

    /// Where a vehicle is that has come so far beyond its stop line.
    #[inline(always)]
    pub(super) fn pose(&self, arm: usize, route: Route, way: f64) -> Pose {
        let (half, middle) = (self.half, 0.5 * self.lane);
        let length = self.length(route);
        let (position, heading) = if way <= 0.0 || route == Route::Straight {
            ([middle, way - half], [0.0, 1.0])
        } else {
            let (side, radius) = match route {
                Route::Right => (1.0, half - middle),
                _ => (-1.0, half + middle),
            };
            if way < length {
                let (sine, cosine) = math::sin_cos(way / radius);
                let position = [side * (half - radius * cosine), radius * sine - half];
                (position, [side * sine, cosine])
            } else {
                let across = radius - half;
                ([side * (half + way - length), across], [side, 0.0])
            }
        };
        Pose {
            position: turned(position, arm),
            heading: turned(heading, arm),
        }
    }
}

fn check(config: &IntersectionConfig) -> Result<()> {
    let room = config.room();
    if !(config.num_vehicles..=MOST).contains(&room) {
        let expected = format!("num_vehicles = {} ≤ x ≤ {MOST}", config.num_vehicles);
        return Err(invalid("/max_vehicles", expected, room));
    }
    if config.vehicle_size >= config.lane_width {
        let expected = format!("below lane_width = {}", config.lane_width);
        return Err(invalid("/vehicle_size", expected, config.vehicle_size));
    }
    if config.safe_distance < config.vehicle_size {
        let expected = format!("at least vehicle_size = {}", config.vehicle_size);
        return Err(invalid("/safe_distance", expected, config.safe_distance));
    }
    if config.start_spacing < 2.0 * config.vehicle_size {
        let expected = format!("at least twice vehicle_size = {}", config.vehicle_size);
        return Err(invalid("/start_spacing", expected, config.start_spacing));
    }
    if config.max_deceleration < config.deceleration {
        let expected = format!("at least deceleration = {}", config.deceleration);
        let found = config.max_deceleration;
        return Err(invalid("/max_deceleration", expected, found));
    }
    Ok(())
}

/// A vector turned counter-clockwise by a number of quarters.
#[inline(always)]
fn turned([x, y]: [f64; 2], quarters: usize) -> [f64; 2] {
    match quarters {
        0 => [x, y],
        1 => [-y, x],
        2 => [-x, -y],
        _ => [y, -x],
    }
}

/// Square of a distance.
#[inline(always)]
pub(super) fn square(a: [f64; 2], b: [f64; 2]) -> f64 {
    let [dx, dy] = [a[0] - b[0], a[1] - b[1]];
    dx * dx + dy * dy
}

/// Square of the least distance of two that move straight and evenly from `a` to `b` in the same time.
#[inline(always)]
pub(super) fn closest(a: [[f64; 2]; 2], b: [[f64; 2]; 2]) -> f64 {
    let from = [a[0][0] - b[0][0], a[0][1] - b[0][1]];
    let to = [a[1][0] - b[1][0], a[1][1] - b[1][1]];
    let way = [to[0] - from[0], to[1] - from[1]];
    let length = way[0] * way[0] + way[1] * way[1];
    let ahead = -(from[0] * way[0] + from[1] * way[1]);
    let part = if length > 0.0 {
        (ahead / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    square([from[0] + part * way[0], from[1] + part * way[1]], [0.0; 2])
}
