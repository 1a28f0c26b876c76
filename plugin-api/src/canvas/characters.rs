//! A rough picture of a scene in characters, for terminals and logs.
//!
//! A colour of group `i` becomes the letter `A` + i, other colours a mark by their lightness;
//! lines follow their slope. An author who wants better gives the canvas a text frame.

use super::color::Color;
use super::geometry::{Area, Mapping, Point, View, clip_segment};
use super::scene::{Scene, SceneError};
use super::shape::{Align, Shape, Style};

/// Height of a terminal's character over its width.
const CHARACTER_ASPECT: f64 = 2.0;
/// Sides of the polygon that stands for a circle's outline.
const CIRCLE_SIDES: usize = 48;

impl Scene {
    /// The shapes as at most `columns` × `rows` characters, then legend and caption, each on a
    /// line of its own. A grid that fits gets one character a cell, separated by spaces.
    ///
    /// # Errors
    /// Whatever [`Scene::check`] refuses.
    pub fn to_text(&self, columns: usize, rows: usize) -> Result<String, SceneError> {
        self.check()?;
        let (columns, rows) = (columns.clamp(1, 400), rows.clamp(1, 200));
        let mut page = match self.grid {
            Some([r, c]) if r as usize <= rows && c as usize * 2 <= columns + 1 => {
                let view = [0.0, 0.0, c as f32, r as f32].into();
                Page::new(c as usize, r as usize, view, true, '.')
            }
            _ => Page::new(columns, rows, self.visible()?, self.stretch, ' '),
        };
        for shape in self.shapes.iter().filter(|shape| shape.is_finite()) {
            page.draw(shape);
        }
        let mut text = page.into_text(self.grid.is_some());
        let mut line = |content: &str| {
            if !content.is_empty() {
                text.push_str(content);
                text.push('\n');
            }
        };
        let legend: Vec<String> = self
            .legend
            .iter()
            .map(|(label, color)| format!("{} {label}", mark(*color)))
            .collect();
        line(&legend.join("   "));
        line(&self.caption);
        Ok(text)
    }
}

/// The letter of a group's colour.
fn letter(color: Color) -> Option<char> {
    let opaque = Color { a: 255, ..color };
    (0..Color::GROUP_COUNT)
        .find(|&index| Color::group(index) == opaque)
        .map(|index| char::from(b'A' + index as u8))
}

/// The character that fills a shape of this colour.
fn mark(color: Color) -> char {
    letter(color).unwrap_or_else(|| match color.lightness() {
        l if l < 0.35 => '#',
        _ if color == Color::ACCENT => '*',
        l if l < 0.65 => '+',
        l if l < 0.9 => '.',
        _ => ' ',
    })
}

/// The character of a line in direction (`dx`, `dy`), y downwards, both in characters.
fn slope(dx: f64, dy: f64) -> char {
    let steepness = (dy * CHARACTER_ASPECT).abs() / dx.abs().max(1e-12);
    match steepness {
        s if s < 0.5 => '-',
        s if s > 3.0 => '|',
        _ if dx * dy > 0.0 => '\\',
        _ => '/',
    }
}

struct Page {
    cells: Vec<char>,
    columns: usize,
    rows: usize,
    mapping: Mapping,
}

impl Page {
    fn new(columns: usize, rows: usize, view: View, stretch: bool, empty: char) -> Self {
        let area = Area {
            left: 0.0,
            top: 0.0,
            width: columns as f64,
            height: rows as f64,
        };
        Self {
            cells: vec![empty; columns * rows],
            columns,
            rows,
            mapping: Mapping::fit(view, stretch, area, CHARACTER_ASPECT),
        }
    }

    fn into_text(self, grid: bool) -> String {
        let separator = if grid { " " } else { "" };
        let mut text = String::with_capacity(self.cells.len() * 2);
        for row in self.cells.chunks(self.columns) {
            let row: Vec<String> = row.iter().map(char::to_string).collect();
            text.push_str(row.join(separator).trim_end());
            text.push('\n');
        }
        text
    }

    fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Circle {
                center,
                radius,
                style,
            } => self.circle(*center, *radius, style),
            Shape::Rect {
                from, to, style, ..
            } => {
                let corners = [*from, (to.x, from.y).into(), *to, (from.x, to.y).into()];
                self.closed(&corners, style);
            }
            Shape::Polygon { points, style } => self.closed(points, style),
            Shape::Polyline { points, pen } => self.lines(points, letter(pen.color)),
            Shape::Trail { points, pen } => {
                let faint = letter(pen.color).map_or('.', |c| c.to_ascii_lowercase());
                self.lines(points, Some(faint));
            }
            Shape::Track { .. } => {}
            Shape::Arrow { from, to, pen } => {
                self.lines(&[*from, *to], letter(pen.color));
                let (tail, tip) = (self.mapping.point(*from), self.mapping.point(*to));
                let (dx, dy) = (tip[0] - tail[0], (tip[1] - tail[1]) * CHARACTER_ASPECT);
                let head = match (dx.abs() > dy.abs(), dx > 0.0, dy > 0.0) {
                    (true, true, _) => '>',
                    (true, false, _) => '<',
                    (false, _, true) => 'v',
                    (false, _, false) => '^',
                };
                self.put(tip, head);
            }
            Shape::Text {
                at, text, align, ..
            } => self.write(*at, text, *align),
        }
    }

    /// Sets the character that holds a point of the page.
    fn put(&mut self, [x, y]: [f64; 2], mark: char) {
        let inside = x >= 0.0 && y >= 0.0 && x < self.columns as f64 && y < self.rows as f64;
        if inside {
            self.cells[y as usize * self.columns + x as usize] = mark;
        }
    }

    fn circle(&mut self, center: Point, radius: f32, style: &Style) {
        if radius <= 0.0 {
            return;
        }
        let (cx, cy, r) = (f64::from(center.x), f64::from(center.y), f64::from(radius));
        let corners = [(cx - r, cy - r).into(), (cx + r, cy + r).into()];
        match (style.fill, style.outline) {
            (Some(color), _) => self.fill(&corners, center, color, |[x, y]| {
                (x - cx).powi(2) + (y - cy).powi(2) <= r * r
            }),
            (None, Some(pen)) => {
                let ring: Vec<Point> = (0..=CIRCLE_SIDES)
                    .map(|side| side as f64 / CIRCLE_SIDES as f64 * std::f64::consts::TAU)
                    .map(|angle| (cx + r * angle.cos(), cy + r * angle.sin()).into())
                    .collect();
                self.lines(&ring, letter(pen.color));
            }
            (None, None) => {}
        }
    }

    fn closed(&mut self, corners: &[Point], style: &Style) {
        let Some(&first) = corners.first() else {
            return;
        };
        match (style.fill, style.outline) {
            (Some(color), _) => {
                let n = corners.len() as f64;
                let mean = |part: fn(&Point) -> f32| {
                    corners.iter().map(|p| f64::from(part(p))).sum::<f64>() / n
                };
                let middle = (mean(|p| p.x), mean(|p| p.y)).into();
                self.fill(corners, middle, color, |at| inside(corners, at));
            }
            (None, Some(pen)) => {
                let mut closed = corners.to_vec();
                closed.push(first);
                self.lines(&closed, letter(pen.color));
            }
            (None, None) => {}
        }
    }

    /// Marks the characters near `points` whose middle is inside, and at least the one at `middle`.
    fn fill(
        &mut self,
        points: &[Point],
        middle: Point,
        color: Color,
        inside: impl Fn([f64; 2]) -> bool,
    ) {
        if color.a < 64 {
            return;
        }
        let mark = mark(color);
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for &point in points {
            let at = self.mapping.point(point);
            for axis in 0..2 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
            }
        }
        // Casts saturate, so far-away shapes end at the page's edge.
        let columns = low[0] as usize..(high[0].ceil().max(0.0) as usize).min(self.columns);
        let rows = low[1] as usize..(high[1].ceil().max(0.0) as usize).min(self.rows);
        let mut found = false;
        for row in rows {
            for column in columns.clone() {
                let at = [column as f64 + 0.5, row as f64 + 0.5];
                if inside(self.mapping.inverse(at)) {
                    self.put(at, mark);
                    found = true;
                }
            }
        }
        if !found {
            self.put(self.mapping.point(middle), mark);
        }
    }

    /// Draws joined segments with `mark`, or by their slope.
    fn lines(&mut self, points: &[Point], mark: Option<char>) {
        let page = Area {
            left: 0.0,
            top: 0.0,
            width: self.columns as f64,
            height: self.rows as f64,
        };
        for pair in points.windows(2) {
            let (a, b) = (self.mapping.point(pair[0]), self.mapping.point(pair[1]));
            let Some([a, b]) = clip_segment(a, b, page) else {
                continue;
            };
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let steps = dx.abs().max(dy.abs()).ceil().max(1.0);
            let mark = mark.unwrap_or_else(|| slope(dx, dy));
            for step in 0..=steps as usize {
                let t = step as f64 / steps;
                self.put([a[0] + t * dx, a[1] + t * dy], mark);
            }
        }
    }

    fn write(&mut self, at: Point, text: &str, align: Align) {
        let shown: Vec<char> = text
            .chars()
            .filter(|c| !c.is_control())
            .take(self.columns)
            .collect();
        let [x, y] = self.mapping.point(at);
        let left = match align {
            Align::Left => x,
            Align::Center => x - (shown.len() as f64 - 1.0) / 2.0,
            Align::Right => x - (shown.len() as f64 - 1.0),
        };
        for (index, character) in shown.into_iter().enumerate() {
            self.put([left + index as f64, y], character);
        }
    }
}

/// Whether a polygon contains a point, by the even-odd rule.
fn inside(corners: &[Point], [x, y]: [f64; 2]) -> bool {
    let mut inside = false;
    let mut previous = corners[corners.len() - 1];
    for &corner in corners {
        let (x0, y0) = (f64::from(previous.x), f64::from(previous.y));
        let (x1, y1) = (f64::from(corner.x), f64::from(corner.y));
        if (y0 > y) != (y1 > y) && x < x0 + (y - y0) / (y1 - y0) * (x1 - x0) {
            inside = !inside;
        }
        previous = corner;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::super::Canvas;
    use super::*;

    #[test]
    fn a_cart_pole_reads_as_one_golden() {
        let mut canvas = Canvas::new();
        canvas.view(-2.4, -0.5, 2.4, 1.3);
        canvas.line((-9.0, 0.0), (9.0, 0.0), Color::GREY);
        canvas.rect((-0.4, -0.15), (0.4, 0.15), Color::INK);
        canvas.line((0.0, 0.0), (0.5, 1.05), Color::group(1).pen(8.0));
        canvas.caption("balanced");
        let text = canvas.into_scene().to_text(48, 9).unwrap();
        let expected = "
                            B
                            B
                          BB
                         B
                        B
--------------------####B###--------------------


balanced
";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_grid_world_reads_as_one_character_a_cell_golden() {
        let mut canvas = Canvas::new();
        canvas.grid(3, 4);
        canvas.cell(0, 3, Color::DARK);
        canvas.cell(1, 1, Color::LIGHT.mix(Color::WHITE, 0.5));
        canvas.circle(canvas.cell_center(2, 0), 0.3, Color::group(0));
        canvas.circle(canvas.cell_center(2, 3), 0.3, Color::group(1));
        canvas.text(canvas.cell_center(0, 0), 12.0, "G", Color::INK);
        canvas.legend(&[("hider", Color::group(0)), ("seeker", Color::group(1))]);
        let text = canvas.into_scene().to_text(80, 24).unwrap();
        let expected = "G . . #\n.   . .\nA . . B\nA hider   B seeker\n";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn arrows_trails_and_outlines_have_their_marks() {
        let mut canvas = Canvas::new();
        canvas.view(0.0, 0.0, 16.0, 8.0);
        canvas.arrow((1.0, 7.0), (9.0, 7.0), Color::DARK);
        canvas.trail(&[(1.0, 5.0), (6.0, 5.0)], Color::group(2));
        canvas.rect((10.0, 1.0), (14.0, 5.0), Color::DARK.pen(1.0));
        canvas.circle((3.0, 2.0), 0.1, Color::group(0));
        let text = canvas.into_scene().to_text(32, 8).unwrap();
        for expected in ["--->", "cccccc", "|", "A"] {
            assert!(text.contains(expected), "{expected} in\n{text}");
        }
    }

    #[test]
    fn far_and_degenerate_shapes_neither_panic_nor_hang() {
        let mut canvas = Canvas::new();
        canvas.view(0.0, 0.0, 1.0, 1.0);
        canvas.line((-3e38, -3e38), (3e38, 3e38), Color::DARK);
        canvas.circle((0.0, 3e38), 3e38, Color::group(0));
        canvas.rect((-3e38, -3e38), (3e38, 0.25), Color::INK);
        canvas.polygon::<(f64, f64)>(&[], Color::INK);
        canvas.polygon(&[(0.5, 0.5)], Color::group(1));
        canvas.circle((0.5, 0.5), -1.0, Color::INK);
        canvas.text((3e38, 0.0), 1e30, "far\u{1b}[2J", Color::INK);
        let scene = canvas.into_scene();
        let text = scene.to_text(20, 10).unwrap();
        assert!(text.lines().nth(9).unwrap().starts_with('#'), "\n{text}");
        for (columns, rows) in [(0, 0), (1, 1), (usize::MAX, usize::MAX)] {
            scene.to_text(columns, rows).unwrap();
        }
    }
}
