//! Points, views, and the mapping from world coordinates to a picture.

use serde::{Deserialize, Serialize};

/// A point in world coordinates, y upwards; in JSON `[x, y]`.
///
/// Made from `(x, y)` or `[x, y]` of `f32` or `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Point {
    /// Horizontal coordinate, to the right.
    pub x: f32,
    /// Vertical coordinate, upwards.
    pub y: f32,
}

impl Point {
    pub(crate) fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<(f32, f32)> for Point {
    fn from((x, y): (f32, f32)) -> Self {
        Self { x, y }
    }
}

impl From<[f64; 2]> for Point {
    fn from([x, y]: [f64; 2]) -> Self {
        Self {
            x: x as f32,
            y: y as f32,
        }
    }
}

impl From<(f64, f64)> for Point {
    fn from((x, y): (f64, f64)) -> Self {
        [x, y].into()
    }
}

impl From<Point> for [f32; 2] {
    fn from(point: Point) -> Self {
        [point.x, point.y]
    }
}

/// The part of the world that must be visible; in JSON `[x_min, y_min, x_max, y_max]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 4]", into = "[f32; 4]")]
pub struct View {
    /// Left edge.
    pub x_min: f32,
    /// Lower edge.
    pub y_min: f32,
    /// Right edge, greater than `x_min`.
    pub x_max: f32,
    /// Upper edge, greater than `y_min`.
    pub y_max: f32,
}

impl View {
    /// Whether both spans are positive, finite and wider than single precision can blur.
    pub fn is_valid(self) -> bool {
        let span = |low: f32, high: f32| {
            low.is_finite()
                && high.is_finite()
                && (high - low).is_finite()
                && high - low > 1e-5 * low.abs().max(high.abs())
        };
        span(self.x_min, self.x_max) && span(self.y_min, self.y_max)
    }

    /// The view enlarged by `fraction` of its size on every side, and to a positive size.
    pub(crate) fn padded(self, fraction: f32) -> Self {
        let pad = |low: f32, high: f32| {
            let pad = (high - low) * fraction;
            let least = 1e-4 * low.abs().max(high.abs());
            if pad > least { pad } else { least.max(1e-3) }
        };
        let (x, y) = (pad(self.x_min, self.x_max), pad(self.y_min, self.y_max));
        Self {
            x_min: self.x_min - x,
            y_min: self.y_min - y,
            x_max: self.x_max + x,
            y_max: self.y_max + y,
        }
    }
}

impl From<[f32; 4]> for View {
    fn from([x_min, y_min, x_max, y_max]: [f32; 4]) -> Self {
        Self {
            x_min,
            y_min,
            x_max,
            y_max,
        }
    }
}

impl From<View> for [f32; 4] {
    fn from(view: View) -> Self {
        [view.x_min, view.y_min, view.x_max, view.y_max]
    }
}

/// An axis-aligned area of a picture, in pixels (or characters), y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Width, at least 0.
    pub width: f64,
    /// Height, at least 0.
    pub height: f64,
}

/// Takes world coordinates (y up) to picture coordinates (y down), the view centred in an area.
///
/// Computed in f64: a finite f32 never overflows.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    scale: [f64; 2],
    offset: [f64; 2],
}

impl Mapping {
    /// Fits a valid `view` into `area`. Unless `stretch`ed, a world unit is as long in both
    /// directions; `aspect` is a picture element's height over its width (1 for pixels).
    pub fn fit(view: View, stretch: bool, area: Area, aspect: f64) -> Self {
        let (x_min, x_max) = (f64::from(view.x_min), f64::from(view.x_max));
        let (y_min, y_max) = (f64::from(view.y_min), f64::from(view.y_max));
        let mut x = area.width / (x_max - x_min);
        let mut y = area.height / (y_max - y_min);
        if !stretch {
            x = x.min(y * aspect);
            y = x / aspect;
        }
        Self {
            scale: [x, -y],
            offset: [
                area.left + area.width / 2.0 - x * (x_min + x_max) / 2.0,
                area.top + area.height / 2.0 + y * (y_min + y_max) / 2.0,
            ],
        }
    }

    /// Picture coordinates of a world point.
    pub fn point(&self, point: Point) -> [f64; 2] {
        [
            self.offset[0] + self.scale[0] * f64::from(point.x),
            self.offset[1] + self.scale[1] * f64::from(point.y),
        ]
    }

    /// Picture length of a world length, along the axis with the smaller scale.
    pub fn length(&self, length: f32) -> f64 {
        f64::from(length) * self.scale[0].abs().min(self.scale[1].abs())
    }

    /// World coordinates of a point of the picture.
    pub fn inverse(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            (x - self.offset[0]) / self.scale[0],
            (y - self.offset[1]) / self.scale[1],
        ]
    }
}

/// The part of the segment `a`–`b` inside `area` (Liang and Barsky 1984), or none.
pub fn clip_segment(a: [f64; 2], b: [f64; 2], area: Area) -> Option<[[f64; 2]; 2]> {
    let low = [area.left, area.top];
    let high = [area.left + area.width, area.top + area.height];
    let delta = [b[0] - a[0], b[1] - a[1]];
    let (mut start, mut end) = (0.0_f64, 1.0_f64);
    for axis in 0..2 {
        if delta[axis] == 0.0 {
            if a[axis] < low[axis] || a[axis] > high[axis] {
                return None;
            }
            continue;
        }
        let first = (low[axis] - a[axis]) / delta[axis];
        let second = (high[axis] - a[axis]) / delta[axis];
        start = start.max(first.min(second));
        end = end.min(first.max(second));
    }
    // An untouched end keeps its exact coordinates. Ends far away leave no digits for the
    // crossing (or let it seem untouched), so both are brought inside by force.
    let bring = |point: [f64; 2]| [0, 1].map(|i| point[i].clamp(low[i], high[i]));
    let at = |t: f64| [0, 1].map(|i| a[i] + t * delta[i]);
    let first = bring(if start == 0.0 { a } else { at(start) });
    let last = bring(if end == 1.0 { b } else { at(end) });
    (start <= end).then_some([first, last])
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area {
        left: 10.0,
        top: 20.0,
        width: 100.0,
        height: 50.0,
    };

    #[test]
    fn a_view_is_centred_with_equal_scales() {
        let map = Mapping::fit([-1.0, -1.0, 1.0, 1.0].into(), false, AREA, 1.0);
        assert_eq!(map.point((0.0, 0.0).into()), [60.0, 45.0]);
        assert_eq!(map.point((1.0, 1.0).into()), [85.0, 20.0]);
        assert_eq!(map.length(1.0), 25.0);
        assert_eq!(map.inverse([85.0, 20.0]), [1.0, 1.0]);
    }

    #[test]
    fn a_stretched_view_fills_the_area() {
        let map = Mapping::fit([0.0, 0.0, 2.0, 10.0].into(), true, AREA, 1.0);
        assert_eq!(map.point((0.0, 0.0).into()), [10.0, 70.0]);
        assert_eq!(map.point((2.0, 10.0).into()), [110.0, 20.0]);
    }

    #[test]
    fn views_that_cannot_be_drawn_are_invalid() {
        assert!(View::from([0.0, 0.0, 1.0, 1.0]).is_valid());
        for bad in [
            [0.0, 0.0, 0.0, 1.0],
            [1.0, 0.0, 0.0, 1.0],
            [0.0, f32::NAN, 1.0, 1.0],
            [0.0, 0.0, f32::INFINITY, 1.0],
            [-3e38, 0.0, 3e38, 1.0],
            [1e9, 0.0, 1e9 + 64.0, 1.0],
        ] {
            assert!(!View::from(bad).is_valid(), "{bad:?}");
        }
    }

    #[test]
    fn segments_are_clipped_to_the_area() {
        let inside = [[20.0, 30.0], [40.0, 60.0]];
        assert_eq!(clip_segment(inside[0], inside[1], AREA), Some(inside));
        let across = clip_segment([-1e9, 45.0], [1e9, 45.0], AREA).unwrap();
        assert!((across[0][0] - 10.0).abs() < 1e-6 && (across[1][0] - 110.0).abs() < 1e-6);
        let ends = [-3e47, -1e10, 0.0, 50.0, 1e10, 2e47];
        for (a, b) in ends.iter().flat_map(|a| ends.map(|b| (*a, b))) {
            let far = clip_segment([a, b], [b, a / 3.0], AREA);
            for [x, y] in far.into_iter().flatten() {
                assert!((10.0..=110.0).contains(&x) && (20.0..=70.0).contains(&y));
            }
        }
        assert_eq!(clip_segment([0.0, 0.0], [200.0, 0.0], AREA), None);
        assert_eq!(clip_segment([0.0, 65.0], [30.0, 95.0], AREA), None);
    }
}
