//! Painting in pixels: polygons, lines, discs and text on one picture.
//!
//! Coordinates are f64 and may lie anywhere: what leaves the picture is clipped here, so that the
//! rasteriser below only sees numbers its fixed-point arithmetic can hold.

use palaestra_plugin_api::canvas::{Align, Area, Color, clip_segment};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

use super::font::{Coverage, Face, Fonts};

/// Radii above this are drawn as flat as the picture can show.
const LARGEST_RADIUS: f64 = 1e5;
/// Cubic Bézier arms for a quarter circle.
const ARC: f64 = 0.552_284_75;

/// A picture being painted.
pub(super) struct Painter<'a> {
    pub(super) pixmap: &'a mut Pixmap,
    pub(super) fonts: &'a mut Fonts,
}

/// A pen in pixels.
#[derive(Clone, Copy)]
pub(super) struct PixelPen {
    pub(super) color: Color,
    pub(super) width: f64,
}

/// One line of text and how it is set.
#[derive(Clone, Copy)]
pub(super) struct Label<'a> {
    pub(super) text: &'a str,
    pub(super) face: Face,
    /// Font size in pixels.
    pub(super) size: f64,
    pub(super) color: Color,
    pub(super) align: Align,
}

impl Painter<'_> {
    /// The picture and `margin` pixels around it.
    fn reach(&self, margin: f64) -> Area {
        Area {
            left: -margin,
            top: -margin,
            width: f64::from(self.pixmap.width()) + 2.0 * margin,
            height: f64::from(self.pixmap.height()) + 2.0 * margin,
        }
    }

    /// Fills and outlines the polygon through `points`.
    pub(super) fn polygon(
        &mut self,
        points: &[[f64; 2]],
        fill: Option<Color>,
        outline: Option<PixelPen>,
    ) {
        let margin = 2.0 + outline.map_or(0.0, |pen| pen.width);
        let points = clip_polygon(points, self.reach(margin));
        if let Some(path) = path(&points, true) {
            self.path(&path, fill, outline);
        }
    }

    /// Draws joined segments through `points`, with round ends and joints.
    pub(super) fn polyline(&mut self, points: &[[f64; 2]], pen: PixelPen) {
        let reach = self.reach(2.0 + pen.width);
        let mut run: Vec<[f64; 2]> = Vec::with_capacity(points.len());
        for pair in points.windows(2) {
            let Some([a, b]) = clip_segment(pair[0], pair[1], reach) else {
                continue;
            };
            // A run goes on where the segment starts at its end; else it left the picture.
            if run.last() != Some(&a) {
                self.stroke(&run, pen);
                run.clear();
                run.push(a);
            }
            run.push(b);
        }
        self.stroke(&run, pen);
    }

    fn stroke(&mut self, points: &[[f64; 2]], pen: PixelPen) {
        match points {
            [] | [_] => {}
            [first, rest @ ..] if rest.iter().all(|point| point == first) => {
                self.circle(*first, pen.width / 2.0, Some(pen.color), None);
            }
            _ => {
                if let Some(path) = path(points, false) {
                    self.path(&path, None, Some(pen));
                }
            }
        }
    }

    /// Fills and outlines a circle; a tiny one stays visible as a dot.
    pub(super) fn circle(
        &mut self,
        center: [f64; 2],
        radius: f64,
        fill: Option<Color>,
        outline: Option<PixelPen>,
    ) {
        if radius <= 0.0 {
            return;
        }
        let margin = 2.0 + outline.map_or(0.0, |pen| pen.width);
        if radius > LARGEST_RADIUS {
            self.polygon(&flat_circle(center, radius), fill, outline);
            return;
        }
        let radius = radius.max(0.75);
        let reach = self.reach(margin + radius);
        let apart =
            |axis: usize, low: f64, size: f64| center[axis] < low || center[axis] > low + size;
        if apart(0, reach.left, reach.width) || apart(1, reach.top, reach.height) {
            return;
        }
        let circle = PathBuilder::from_circle(center[0] as f32, center[1] as f32, radius as f32);
        if let Some(path) = circle {
            self.path(&path, fill, outline);
        }
    }

    /// Fills and outlines a rectangle with rounded corners.
    pub(super) fn rounded_rect(
        &mut self,
        area: Area,
        corner: f64,
        fill: Option<Color>,
        outline: Option<PixelPen>,
    ) {
        let reach = self.reach(2.0 * LARGEST_RADIUS);
        let corner = corner.clamp(0.0, area.width.min(area.height) / 2.0);
        let (right, bottom) = (area.left + area.width, area.top + area.height);
        let holds = area.left >= reach.left
            && area.top >= reach.top
            && right <= reach.left + reach.width
            && bottom <= reach.top + reach.height;
        // Corners that far away are not seen.
        if corner < 0.25 || !holds {
            let corners = [
                [area.left, area.top],
                [right, area.top],
                [right, bottom],
                [area.left, bottom],
            ];
            self.polygon(&corners, fill, outline);
        } else if let Some(path) = rounded_path(area, corner) {
            self.path(&path, fill, outline);
        }
    }

    /// Fills whole pixels, without anti-aliasing: crisp rules and panels.
    pub(super) fn pixels(&mut self, area: Area, color: Color) {
        let (left, top) = (area.left.round() as f32, area.top.round() as f32);
        let (width, height) = (area.width.round() as f32, area.height.round() as f32);
        if let Some(rect) = Rect::from_xywh(left, top, width, height) {
            self.pixmap
                .fill_rect(rect, &paint(color, false), Transform::identity(), None);
        }
    }

    /// Covers everything but a rounded area.
    pub(super) fn surround(&mut self, area: Area, corner: f64, color: Color) {
        let (width, height) = (self.pixmap.width() as f32, self.pixmap.height() as f32);
        let (Some(inner), Some(outer)) = (
            rounded_path(area, corner),
            Rect::from_xywh(0.0, 0.0, width, height),
        ) else {
            return;
        };
        let mut builder = PathBuilder::new();
        builder.push_rect(outer);
        builder.push_path(&inner);
        if let Some(path) = builder.finish() {
            let paint = paint(color, true);
            self.pixmap.fill_path(
                &path,
                &paint,
                FillRule::EvenOdd,
                Transform::identity(),
                None,
            );
        }
    }

    fn path(&mut self, path: &Path, fill: Option<Color>, outline: Option<PixelPen>) {
        let identity = Transform::identity();
        if let Some(color) = fill {
            let paint = paint(color, true);
            self.pixmap
                .fill_path(path, &paint, FillRule::Winding, identity, None);
        }
        if let Some(pen) = outline.filter(|pen| pen.width > 0.0) {
            let stroke = Stroke {
                width: pen.width as f32,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            self.pixmap
                .stroke_path(path, &paint(pen.color, true), &stroke, identity, None);
        }
    }

    /// Writes a line of text whose middle height is at `y`.
    pub(super) fn label(&mut self, [x, y]: [f64; 2], label: Label<'_>) {
        let Label { text, face, .. } = label;
        let size = label.size as f32;
        let width = f64::from(self.fonts.width(face, size, text));
        let left = match label.align {
            Align::Left => x,
            Align::Center => x - width / 2.0,
            Align::Right => x - width,
        };
        // Half the height of a capital below the middle.
        let baseline = y + 0.35 * label.size;
        let reach = self.reach(1e4);
        if left.abs() > reach.width || baseline.abs() > reach.height {
            return;
        }
        let (columns, rows) = (self.pixmap.width() as i32, self.pixmap.height() as i32);
        let data = self.pixmap.data_mut();
        let blend = |x: i32, y: i32, glyph: &Coverage| {
            for (index, &coverage) in glyph.alpha.iter().enumerate() {
                let column = x + glyph.left + (index % glyph.width) as i32;
                let row = y + glyph.top + (index / glyph.width) as i32;
                if (0..columns).contains(&column) && (0..rows).contains(&row) && coverage > 0 {
                    let start = (row as usize * columns as usize + column as usize) * 4;
                    lay(&mut data[start..start + 3], label.color, coverage);
                }
            }
        };
        self.fonts
            .draw((face, size), text, left as f32, baseline as f32, blend);
    }
}

/// Blends a colour over an opaque pixel.
fn lay(pixel: &mut [u8], color: Color, coverage: u8) {
    let weight = u32::from(coverage) * u32::from(color.a) / 255;
    for (under, over) in pixel.iter_mut().zip([color.r, color.g, color.b]) {
        let mixed = u32::from(*under) * (255 - weight) + u32::from(over) * weight;
        *under = ((mixed + 127) / 255) as u8;
    }
}

fn paint(color: Color, anti_alias: bool) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias,
        ..Paint::default()
    };
    paint.set_color_rgba8(color.r, color.g, color.b, color.a);
    paint
}

fn path(points: &[[f64; 2]], close: bool) -> Option<Path> {
    let (first, rest) = points.split_first()?;
    let mut builder = PathBuilder::with_capacity(points.len() + 2, points.len());
    builder.move_to(first[0] as f32, first[1] as f32);
    for point in rest {
        builder.line_to(point[0] as f32, point[1] as f32);
    }
    if close {
        builder.close();
    }
    builder.finish()
}

fn rounded_path(area: Area, corner: f64) -> Option<Path> {
    let (l, t) = (area.left, area.top);
    let (r, b) = (l + area.width, t + area.height);
    let (c, arm) = (corner, corner * (1.0 - ARC));
    let mut builder = PathBuilder::new();
    let mut quarter = |from: [f64; 2], control: [[f64; 2]; 2], to: [f64; 2], first: bool| {
        let [x, y] = from.map(|v| v as f32);
        if first {
            builder.move_to(x, y);
        } else {
            builder.line_to(x, y);
        }
        let [a, b] = control.map(|point| point.map(|v| v as f32));
        builder.cubic_to(a[0], a[1], b[0], b[1], to[0] as f32, to[1] as f32);
    };
    quarter([r - c, t], [[r - arm, t], [r, t + arm]], [r, t + c], true);
    quarter([r, b - c], [[r, b - arm], [r - arm, b]], [r - c, b], false);
    quarter([l + c, b], [[l + arm, b], [l, b - arm]], [l, b - c], false);
    quarter([l, t + c], [[l, t + arm], [l + arm, t]], [l + c, t], false);
    builder.close();
    builder.finish()
}

/// A circle too large for curves, as a polygon; its sides are shorter where the picture is.
fn flat_circle([x, y]: [f64; 2], radius: f64) -> Vec<[f64; 2]> {
    let nearest = (-y).atan2(-x);
    (-512..512)
        .map(|side: i32| {
            // Cubing puts most corners near the direction of the picture.
            let t = f64::from(side) / 512.0;
            let angle = nearest + std::f64::consts::PI * t * t * t;
            [x + radius * angle.cos(), y + radius * angle.sin()]
        })
        .collect()
}

/// The part of a polygon inside an area (Sutherland and Hodgman 1974).
fn clip_polygon(points: &[[f64; 2]], area: Area) -> Vec<[f64; 2]> {
    let (right, bottom) = (area.left + area.width, area.top + area.height);
    let inside_all =
        |p: &[f64; 2]| p[0] >= area.left && p[0] <= right && p[1] >= area.top && p[1] <= bottom;
    let mut kept = points.to_vec();
    if kept.iter().all(inside_all) {
        return kept;
    }
    for (axis, bound, sign) in [
        (0, area.left, 1.0),
        (0, right, -1.0),
        (1, area.top, 1.0),
        (1, bottom, -1.0),
    ] {
        let input = std::mem::take(&mut kept);
        let Some(mut previous) = input.last().copied() else {
            break;
        };
        for point in input {
            let before = (previous[axis] - bound) * sign;
            let after = (point[axis] - bound) * sign;
            if (before < 0.0) != (after < 0.0) {
                let t = before / (before - after);
                let other = 1 - axis;
                let mut crossing = [0.0; 2];
                crossing[axis] = bound;
                crossing[other] = previous[other] + t * (point[other] - previous[other]);
                kept.push(crossing);
            }
            if after >= 0.0 {
                kept.push(point);
            }
            previous = point;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area {
        left: 0.0,
        top: 0.0,
        width: 10.0,
        height: 10.0,
    };

    #[test]
    fn polygons_are_clipped_to_the_area() {
        let inside = [[1.0, 1.0], [9.0, 1.0], [5.0, 9.0]];
        assert_eq!(clip_polygon(&inside, AREA), inside);
        let huge = [[-1e30, -1e30], [1e30, -1e30], [1e30, 1e30], [-1e30, 1e30]];
        let clipped = clip_polygon(&huge, AREA);
        assert_eq!(clipped.len(), 4);
        for corner in [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]] {
            assert!(clipped.contains(&corner), "{clipped:?}");
        }
        assert!(clip_polygon(&[[20.0, 0.0], [30.0, 0.0], [20.0, 5.0]], AREA).is_empty());
        assert!(clip_polygon(&[], AREA).is_empty());
    }

    #[test]
    fn blending_covers_fully_and_not_at_all() {
        let mut pixel = [10, 20, 30];
        lay(&mut pixel, Color::WHITE, 0);
        assert_eq!(pixel, [10, 20, 30]);
        lay(&mut pixel, Color::rgb(1, 2, 3), 255);
        assert_eq!(pixel, [1, 2, 3]);
    }
}
