//! Scene shapes, from world units to painted pixels.

use palaestra_plugin_api::canvas::{Area, Color, Mapping, Pen, Point, Shape, Style};

use super::font::Face;
use super::paint::{Label, Painter, PixelPen};

/// Shades of a trail: enough to look smooth, few enough for a GIF palette.
const TRAIL_SHADES: usize = 14;
/// A trail's width at its oldest point over that at its newest.
const TRAIL_TAPER: f64 = 0.35;
/// Cells smaller than this many pixels show no lines between them.
const SMALLEST_LINED_CELL: f64 = 5.0;
/// Font sizes in pixels.
const TEXT_SIZES: [f64; 2] = [4.0, 400.0];
/// Widest line in pixels.
const WIDEST: f64 = 2000.0;

/// Where the world lies on the picture, and what is behind it.
#[derive(Clone, Copy)]
pub(super) struct Stage {
    /// World to pixels.
    pub(super) mapping: Mapping,
    /// Pixels per unit of a 600 × 400 frame, for widths and text.
    pub(super) unit: f64,
    /// Colour behind the shapes.
    pub(super) background: Color,
}

impl Stage {
    fn pen(&self, pen: Pen) -> PixelPen {
        PixelPen {
            color: pen.color,
            width: (f64::from(pen.width) * self.unit).clamp(0.0, WIDEST),
        }
    }

    fn outline(&self, style: &Style) -> Option<PixelPen> {
        style.outline.map(|pen| self.pen(pen))
    }

    fn points(&self, points: &[Point]) -> Vec<[f64; 2]> {
        points.iter().map(|&p| self.mapping.point(p)).collect()
    }

    /// Paints one finite shape.
    pub(super) fn draw(&self, painter: &mut Painter<'_>, shape: &Shape) {
        match shape {
            Shape::Circle {
                center,
                radius,
                style,
            } => painter.circle(
                self.mapping.point(*center),
                self.mapping.length(*radius),
                style.fill,
                self.outline(style),
            ),
            Shape::Rect {
                from,
                to,
                corner,
                style,
            } => painter.rounded_rect(
                self.area(*from, *to),
                self.mapping.length(*corner),
                style.fill,
                self.outline(style),
            ),
            Shape::Polygon { points, style } => {
                painter.polygon(&self.points(points), style.fill, self.outline(style));
            }
            Shape::Polyline { points, pen } => {
                painter.polyline(&self.points(points), self.pen(*pen));
            }
            Shape::Arrow { from, to, pen } => {
                let [tail, tip] = [*from, *to].map(|p| self.mapping.point(p));
                arrow(painter, tail, tip, self.pen(*pen), self.unit);
            }
            // Whoever follows tracks has put trails in their place.
            Shape::Track { .. } => {}
            Shape::Trail { points, pen } => self.trail(painter, &self.points(points), *pen),
            Shape::Text {
                at,
                size,
                text,
                color,
                align,
            } => {
                let label = Label {
                    text,
                    face: Face::Sans,
                    size: (f64::from(*size) * self.unit).clamp(TEXT_SIZES[0], TEXT_SIZES[1]),
                    color: *color,
                    align: *align,
                };
                painter.label(self.mapping.point(*at), label);
            }
        }
    }

    /// The picture area between two opposite corners.
    fn area(&self, from: Point, to: Point) -> Area {
        let [a, b] = [from, to].map(|p| self.mapping.point(p));
        Area {
            left: a[0].min(b[0]),
            top: a[1].min(b[1]),
            width: (a[0] - b[0]).abs(),
            height: (a[1] - b[1]).abs(),
        }
    }

    /// A trail in bands: each is opaque and nearer to the background the older it is, so that
    /// overlapping joints leave no spots.
    fn trail(&self, painter: &mut Painter<'_>, points: &[[f64; 2]], pen: Pen) {
        let pen = self.pen(pen);
        let points = subdivided(points, TRAIL_SHADES);
        let segments = points.len().saturating_sub(1);
        let shades = segments.min(TRAIL_SHADES);
        for shade in 0..shades {
            let [start, end] = [shade, shade + 1].map(|s| s * segments / shades);
            let newness = (shade + 1) as f64 / shades as f64;
            let band = PixelPen {
                color: self
                    .background
                    .mix(pen.color, (0.08 + 0.77 * newness) as f32),
                width: pen.width * (TRAIL_TAPER + (1.0 - TRAIL_TAPER) * newness),
            };
            painter.polyline(&points[start..=end], band);
        }
    }

    /// A grid's cells and, where there is room, the lines between them, on whole pixels.
    pub(super) fn grid(&self, painter: &mut Painter<'_>, [rows, columns]: [u32; 2]) {
        let corner = |x: u32, y: u32| self.mapping.point((x as f32, y as f32).into());
        let [left, bottom] = corner(0, 0).map(f64::round);
        let [right, top] = corner(columns, rows).map(f64::round);
        let rule = self.unit.round().max(1.0);
        let (width, height) = (right - left, bottom - top);
        let rect = |left, top, width, height| Area {
            left,
            top,
            width,
            height,
        };
        painter.pixels(rect(left, top, width + rule, height + rule), Color::WHITE);
        let lined = width / f64::from(columns) >= SMALLEST_LINED_CELL
            && height / f64::from(rows) >= SMALLEST_LINED_CELL;
        for row in (0..=rows).filter(|row| lined || [0, rows].contains(row)) {
            let y = corner(0, row)[1].round();
            painter.pixels(rect(left, y, width + rule, rule), Color::LIGHT);
        }
        for column in (0..=columns).filter(|column| lined || [0, columns].contains(column)) {
            let x = corner(column, 0)[0].round();
            painter.pixels(rect(x, top, rule, height + rule), Color::LIGHT);
        }
    }
}

/// The same path with each segment cut into equal parts, so that there are at least `parts`.
fn subdivided(points: &[[f64; 2]], parts: usize) -> Vec<[f64; 2]> {
    let pieces = parts.div_ceil(points.len().saturating_sub(1).max(1));
    let inner = points.windows(2).flat_map(|pair| {
        (0..pieces).map(|piece| {
            let t = piece as f64 / pieces as f64;
            [0, 1].map(|axis| pair[0][axis] + t * (pair[1][axis] - pair[0][axis]))
        })
    });
    inner.chain(points.last().copied()).collect()
}

/// A line that ends in a filled head; a short one shrinks its head.
fn arrow(painter: &mut Painter<'_>, tail: [f64; 2], tip: [f64; 2], pen: PixelPen, unit: f64) {
    let (dx, dy) = (tip[0] - tail[0], tip[1] - tail[1]);
    let length = dx.hypot(dy);
    if length < 0.5 {
        painter.circle(tip, pen.width / 2.0, Some(pen.color), None);
        return;
    }
    let (ux, uy) = (dx / length, dy / length);
    let head = (3.5 * pen.width).max(6.0 * unit).min(0.6 * length);
    let half = head * 0.45;
    let neck = [tip[0] - ux * head, tip[1] - uy * head];
    // The shaft runs a little into the head, so that no gap shows between them.
    let joint = [tip[0] - ux * head * 0.8, tip[1] - uy * head * 0.8];
    painter.polyline(&[tail, joint], pen);
    let barbs = [
        tip,
        [neck[0] - uy * half, neck[1] + ux * half],
        [neck[0] + uy * half, neck[1] - ux * half],
    ];
    painter.polygon(&barbs, Some(pen.color), None);
}
