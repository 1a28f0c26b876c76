//! Axes: which part of the data is shown, where it lies on the picture, and lines in it.

use palaestra_plugin_api::canvas::{Align, Canvas, Color};

use super::{Line, MARGINS, Point, SIZE, TEXT, pair};

/// Ticks of an axis, about.
const TICKS: f64 = 6.0;
/// Part of the training returns, at either end, that may leave the picture: single bad episodes
/// must not flatten everything else.
const OUTLIERS: f64 = 0.02;

/// Data to picture: the ranges that are shown, and their ticks.
#[derive(Debug, PartialEq)]
pub(super) struct Axes {
    low: Point,
    high: Point,
    ticks: [Vec<f64>; 2],
}

impl Axes {
    pub(super) fn around(
        seeds: &[Line],
        main: &Line,
        training: &[Vec<Point>],
        random: Option<f64>,
    ) -> Self {
        let lines = || seeds.iter().chain([main]);
        let steps = lines()
            .flat_map(|line| &line.mean)
            .chain(training.iter().flatten())
            .map(|point| point[0]);
        let last = steps.fold(1.0, f64::max);
        let mut values: Vec<f64> = training.iter().flatten().map(|p| p[1]).collect();
        values.sort_by(f64::total_cmp);
        let cut = (values.len() as f64 * OUTLIERS) as usize;
        let values = &values[cut..values.len() - cut];
        let shown = lines()
            .flat_map(|line| line.edge(1.0).chain(line.edge(-1.0)))
            .map(|point| point[1])
            .chain(values.iter().copied())
            .chain(random);
        let (mut low, mut high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // Ranges are computed in quarters of f64's, so that no difference overflows.
        let limit = f64::MAX / 8.0;
        (low, high) = (low.max(-limit), high.min(limit));
        let room = ((high - low) * 0.05).max(low.abs().max(high.abs()) * 1e-3);
        let room = if room > 0.0 { room } else { 0.5 };
        (low, high) = (low - room, high + room);
        Self {
            low: [0.0, low],
            high: [last * 1.01, high],
            ticks: [ticks(0.0, last * 1.01), ticks(low, high)],
        }
    }

    /// Where a part of each axis, 0 to 1, lies on the picture.
    pub(super) fn inside(&self, [x, y]: Point) -> Point {
        let [left, below, right, above] = MARGINS;
        let [width, height] = SIZE;
        [
            left + x * (width - left - right),
            below + y * (height - below - above),
        ]
    }

    /// Where a point of the data lies; what is too high or too low lies on the edge.
    pub(super) fn place(&self, point: Point) -> Point {
        self.inside([0, 1].map(|axis| {
            let part = (point[axis] - self.low[axis]) / (self.high[axis] - self.low[axis]);
            part.clamp(0.0, 1.0)
        }))
    }

    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let [left, bottom] = self.inside([0.0, 0.0]);
        let [right, top] = self.inside([1.0, 1.0]);
        for &tick in &self.ticks[1] {
            let [_, y] = self.place([0.0, tick]);
            canvas.line((left, y), (right, y), Color::LIGHT.alpha(0.6).pen(0.6));
            let text = number(tick, &self.ticks[1]);
            canvas.text_aligned((left - 6.0, y), TEXT, text, Color::DARK, Align::Right);
        }
        for &tick in &self.ticks[0] {
            let [x, _] = self.place([tick, 0.0]);
            canvas.line((x, bottom), (x, bottom - 4.0), Color::GREY.pen(0.8));
            canvas.text((x, bottom - 13.0), TEXT, steps(tick), Color::DARK);
        }
        canvas.line((left, bottom), (right, bottom), Color::GREY.pen(0.8));
        canvas.line((left, bottom), (left, top), Color::GREY.pen(0.8));
        let middle = (left + right) / 2.0;
        canvas.text((middle, 12.0), TEXT, "environment steps", Color::INK);
    }

    pub(super) fn line(&self, canvas: &mut Canvas, points: &[Point], color: Color, width: f32) {
        let points: Vec<_> = points.iter().map(|&p| pair(self.place(p))).collect();
        match points.as_slice() {
            [] => {}
            // A line of one point would not be seen.
            [only] => canvas.circle(*only, 1.0 + f64::from(width), color),
            _ => canvas.polyline(&points, color.pen(width)),
        }
    }

    pub(super) fn band(&self, canvas: &mut Canvas, line: &Line, color: Color) {
        if line.mean.len() > 1 {
            let edge = line.edge(1.0).chain(line.edge(-1.0).rev());
            let corners: Vec<_> = edge.map(|p| pair(self.place(p))).collect();
            canvas.polygon(&corners, color);
        } else if line.mean.len() == 1 {
            let ends: Vec<_> = line.edge(1.0).chain(line.edge(-1.0)).collect();
            let ends = ends.iter().map(|&p| pair(self.place(p)));
            canvas.polyline(&ends.collect::<Vec<_>>(), color.pen(3.0));
        }
    }

    pub(super) fn dashes(&self, canvas: &mut Canvas, value: f64, color: Color) {
        let [left, y] = self.place([0.0, value]);
        let [right, _] = self.place([self.high[0], value]);
        dashed(canvas, left, right, y, color);
    }
}

/// A horizontal line of dashes.
pub(super) fn dashed(canvas: &mut Canvas, left: f64, right: f64, y: f64, color: Color) {
    let mut x = left;
    while x < right {
        canvas.line((x, y), ((x + 5.0).min(right), y), color.pen(1.2));
        x += 9.0;
    }
}

/// Round numbers within a range: 1, 2 or 5 times a power of ten apart.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / TICKS;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let first = (low / step).ceil();
    (0..20)
        .map(|index| (first + f64::from(index)) * step)
        .take_while(|tick| *tick <= high)
        // No negative zero.
        .map(|tick| tick + 0.0)
        .collect()
}

/// A tick with as many decimals as its axis needs.
fn number(tick: f64, ticks: &[f64]) -> String {
    let step = match ticks {
        [a, b, ..] => b - a,
        _ => tick.abs(),
    };
    let largest = ticks.iter().fold(0.0, |l: f64, t| l.max(t.abs()));
    if !(1e-4..1e7).contains(&largest) && largest > 0.0 {
        return format!("{tick:.1e}");
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{tick:.decimals$}")
}

/// A number of steps: `40 k`, `1.5 M`.
fn steps(count: f64) -> String {
    let (value, unit) = match count {
        c if c >= 1e9 => (c / 1e9, " G"),
        c if c >= 1e6 => (c / 1e6, " M"),
        c if c >= 1e3 => (c / 1e3, " k"),
        c => (c, ""),
    };
    format!("{}{unit}", (value * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(ticks(0.0, 100_000.0), [0.0, 2e4, 4e4, 6e4, 8e4, 1e5]);
        assert_eq!(ticks(-210.0, 12.0), [-200.0, -150.0, -100.0, -50.0, 0.0]);
        let small = ticks(-0.03, 0.03);
        let text: Vec<_> = small.iter().map(|t| number(*t, &small)).collect();
        assert_eq!(
            text,
            ["-0.03", "-0.02", "-0.01", "0.00", "0.01", "0.02", "0.03"]
        );
        assert_eq!(
            [0.0, 40_000.0, 1_500_000.0].map(steps),
            ["0", "40 k", "1.5 M"]
        );
    }
}
