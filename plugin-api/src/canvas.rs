//! What an environment author draws on.
//!
//! A [`Canvas`] collects a display list, a [`Scene`], in world coordinates of the author's choice;
//! the host owns the rasteriser and the font and turns the scene into pictures or text. Drawing
//! never fails: what cannot be drawn is counted, or becomes the host's one-line error.
//!
//! ```
//! # use palaestra_plugin_api::canvas::{Canvas, Color};
//! let (x, angle) = (0.3_f64, 0.1_f64);
//! let mut canvas = Canvas::new();
//! canvas.view(-2.4, -0.5, 2.4, 1.5);
//! canvas.line((-2.4, 0.0), (2.4, 0.0), Color::GREY);
//! canvas.rect((x - 0.2, -0.1), (x + 0.2, 0.1), Color::INK);
//! canvas.line((x, 0.0), (x + angle.sin(), angle.cos()), Color::group(1).pen(8.0));
//! canvas.caption("pole upright");
//! assert_eq!(canvas.into_scene().shapes.len(), 3);
//! ```
//!
//! Later shapes cover earlier ones. Line widths and text sizes are pixels of a 600 × 400 frame,
//! and scale with the frame the user asks for; everything else is in world units, y upwards.

mod characters;
mod color;
mod geometry;
mod scene;
mod shape;

pub use color::Color;
pub use geometry::{Area, Mapping, Point, View, clip_segment};
pub use scene::{MAX_GRID, MAX_JSON_BYTES, MAX_POINTS, Scene, SceneError};
pub use shape::{Align, Pen, Shape, Style};

/// How far a coloured cell stays from the lines of its grid, in cells.
const CELL_GAP: f32 = 0.04;

/// Collects what an environment draws.
#[derive(Debug, Default)]
pub struct Canvas {
    scene: Scene,
    points: usize,
}

impl Canvas {
    /// An empty canvas.
    pub fn new() -> Self {
        Self::default()
    }

    /// The part of the world that must be visible, at one scale for both axes. The host centres
    /// it; where the frame has another shape, more of the world shows.
    ///
    /// Call it with the same values at every step, or the picture jumps. Without a view the host
    /// fits one to the shapes.
    pub fn view(&mut self, x_min: f64, y_min: f64, x_max: f64, y_max: f64) {
        let view: View = [x_min, y_min, x_max, y_max].map(|v| v as f32).into();
        match scene::check_view(view) {
            Ok(()) => self.scene.view = Some(view),
            Err(mistake) => self.mistake(mistake),
        }
    }

    /// Like [`Canvas::view`], but each axis has its own scale and the view fills the frame: for
    /// axes of different quantities, such as a price over time.
    pub fn view_stretched(&mut self, x_min: f64, y_min: f64, x_max: f64, y_max: f64) {
        self.view(x_min, y_min, x_max, y_max);
        self.scene.stretch = true;
    }

    /// The colour behind everything, [`Color::PALE`] unless set.
    pub fn background(&mut self, color: Color) {
        self.scene.background = Some(color);
    }

    /// A disc, a ring, or both.
    pub fn circle(&mut self, center: impl Into<Point>, radius: f64, style: impl Into<Style>) {
        self.push(Shape::Circle {
            center: center.into(),
            radius: radius as f32,
            style: style.into(),
        });
    }

    /// A rectangle between two opposite corners.
    pub fn rect(&mut self, from: impl Into<Point>, to: impl Into<Point>, style: impl Into<Style>) {
        self.rounded_rect(from, to, 0.0, style);
    }

    /// A rectangle whose corners are rounded with radius `corner`.
    pub fn rounded_rect(
        &mut self,
        from: impl Into<Point>,
        to: impl Into<Point>,
        corner: f64,
        style: impl Into<Style>,
    ) {
        self.push(Shape::Rect {
            from: from.into(),
            to: to.into(),
            corner: corner as f32,
            style: style.into(),
        });
    }

    /// A straight line.
    pub fn line(&mut self, from: impl Into<Point>, to: impl Into<Point>, pen: impl Into<Pen>) {
        self.push(Shape::Polyline {
            points: vec![from.into(), to.into()],
            pen: pen.into(),
        });
    }

    /// Joined line segments through `points`.
    pub fn polyline<P: Into<Point> + Copy>(&mut self, points: &[P], pen: impl Into<Pen>) {
        self.push(Shape::Polyline {
            points: collect(points),
            pen: pen.into(),
        });
    }

    /// A closed polygon with corners `points`.
    pub fn polygon<P: Into<Point> + Copy>(&mut self, points: &[P], style: impl Into<Style>) {
        self.push(Shape::Polygon {
            points: collect(points),
            style: style.into(),
        });
    }

    /// A straight line with a head at `to`: a velocity, a force, a message.
    pub fn arrow(&mut self, from: impl Into<Point>, to: impl Into<Point>, pen: impl Into<Pen>) {
        self.push(Shape::Arrow {
            from: from.into(),
            to: to.into(),
            pen: pen.into(),
        });
    }

    /// Where something came from, oldest point first: the line fades towards the oldest.
    pub fn trail<P: Into<Point> + Copy>(&mut self, points: &[P], pen: impl Into<Pen>) {
        self.push(Shape::Trail {
            points: collect(points),
            pen: pen.into(),
        });
    }

    /// Where a moving thing is: the host draws a trail of where it was in the last pictures, so that the world need
    /// not remember. `id` is the same in every picture; what a picture leaves out begins a new trail later.
    pub fn track(&mut self, id: usize, at: impl Into<Point>, pen: impl Into<Pen>) {
        self.push(Shape::Track {
            id: u32::try_from(id).unwrap_or(u32::MAX),
            at: at.into(),
            pen: pen.into(),
        });
    }

    /// One line of text of height `size`, centred on a point.
    pub fn text(&mut self, at: impl Into<Point>, size: f64, text: impl Into<String>, color: Color) {
        self.text_aligned(at, size, text, color, Align::Center);
    }

    /// One line of text of height `size` that starts, is centred or ends at a point.
    pub fn text_aligned(
        &mut self,
        at: impl Into<Point>,
        size: f64,
        text: impl Into<String>,
        color: Color,
        align: Align,
    ) {
        self.push(Shape::Text {
            at: at.into(),
            size: size as f32,
            text: text.into(),
            color,
            align,
        });
    }

    /// Shows a grid of unit cells, row 0 at the top, and sets the view to it.
    ///
    /// [`Canvas::cell`] paints a cell; [`Canvas::cell_center`] places anything else.
    pub fn grid(&mut self, rows: usize, columns: usize) {
        let bound = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (rows, columns) = (bound(rows), bound(columns));
        match scene::check_grid(rows, columns) {
            Ok(()) => {
                self.scene.grid = Some([rows, columns]);
                self.scene.view = Some([0.0, 0.0, columns as f32, rows as f32].into());
            }
            Err(mistake) => self.mistake(mistake),
        }
    }

    /// Fills a cell of the grid; one outside the grid is skipped and counted.
    pub fn cell(&mut self, row: usize, column: usize, color: Color) {
        let Point { x, y } = self.cell_center(row, column);
        let half = 0.5 - CELL_GAP;
        self.push(Shape::Rect {
            from: (x - half, y - half).into(),
            to: (x + half, y + half).into(),
            corner: 0.08,
            style: color.into(),
        });
    }

    /// The middle of a cell of the grid; not a number outside the grid, so that whatever is drawn
    /// there is skipped and counted.
    pub fn cell_center(&self, row: usize, column: usize) -> Point {
        match self.scene.grid {
            Some([rows, columns]) if row < rows as usize && column < columns as usize => {
                (column as f32 + 0.5, rows as f32 - row as f32 - 0.5).into()
            }
            _ => (f32::NAN, f32::NAN).into(),
        }
    }

    /// What the colours mean, beside the picture.
    pub fn legend<S: AsRef<str>>(&mut self, entries: &[(S, Color)]) {
        self.scene.legend = entries
            .iter()
            .map(|(label, color)| (label.as_ref().to_owned(), *color))
            .collect();
    }

    /// A status line under the picture. The host itself shows name, episode, step and return.
    pub fn caption(&mut self, text: impl Into<String>) {
        self.scene.caption = text.into();
    }

    /// The picture as monospaced text, for terminals and logs; without one the host makes a rough
    /// one from the shapes.
    pub fn text_frame(&mut self, text: impl Into<String>) {
        self.scene.text = Some(text.into());
    }

    /// Whether nothing has been drawn or written: the environment has no rendering.
    pub fn is_empty(&self) -> bool {
        let scene = &self.scene;
        scene.shapes.is_empty() && scene.grid.is_none() && scene.text.is_none()
    }

    /// What was drawn.
    pub fn into_scene(self) -> Scene {
        self.scene
    }

    fn push(&mut self, shape: Shape) {
        if !shape.is_finite() {
            self.scene.skipped = self.scene.skipped.saturating_add(1);
        } else if self.points <= MAX_POINTS {
            // One shape over the limit is kept: by it the host knows that the scene is too large.
            self.points += shape::weight(&shape);
            self.scene.shapes.push(shape);
        }
    }

    fn mistake(&mut self, mistake: String) {
        self.scene.mistake.get_or_insert(mistake);
    }
}

fn collect<P: Into<Point> + Copy>(points: &[P]) -> Vec<Point> {
    points.iter().map(|&point| point.into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canvas_keeps_painting_order_and_frame() {
        let mut canvas = Canvas::new();
        assert!(canvas.is_empty());
        canvas.view(-1.0, -1.0, 1.0, 1.0);
        canvas.circle(
            (0.0, 0.0),
            0.5,
            Color::group(0).outlined(Color::INK.pen(1.0)),
        );
        canvas.polyline(&[[0.0, 0.0], [1.0, 1.0]], Color::GREY);
        canvas.legend(&[("agent", Color::group(0))]);
        canvas.caption("hello");
        assert!(!canvas.is_empty());
        let scene = canvas.into_scene();
        assert!(matches!(scene.shapes[0], Shape::Circle { radius: 0.5, .. }));
        assert!(matches!(&scene.shapes[1], Shape::Polyline { points, .. } if points.len() == 2));
        assert_eq!(Scene::from_json(&scene.to_json()).unwrap(), scene);
    }

    #[test]
    fn what_is_not_finite_is_skipped_and_counted() {
        let mut canvas = Canvas::new();
        canvas.circle((f64::NAN, 0.0), 1.0, Color::INK);
        canvas.circle((0.0, 0.0), f64::INFINITY, Color::INK);
        canvas.circle((1e300, 0.0), 1.0, Color::INK);
        canvas.line((0.0, 0.0), (1.0, 1.0), Color::INK.pen(f32::NAN));
        canvas.cell(0, 0, Color::INK);
        canvas.grid(2, 3);
        canvas.cell(2, 0, Color::INK);
        canvas.cell(1, 2, Color::INK);
        let scene = canvas.into_scene();
        assert_eq!((scene.skipped, scene.shapes.len()), (6, 1));
        assert!(scene.check().is_ok());
    }

    #[test]
    fn an_impossible_view_or_grid_is_the_scenes_error() {
        let mut canvas = Canvas::new();
        canvas.view(0.0, 0.0, f64::NAN, 1.0);
        let message = Scene::from_json(&canvas.into_scene().to_json()).unwrap_err();
        assert!(message.to_string().contains("found x 0 to NaN"));
        let mut canvas = Canvas::new();
        canvas.grid(0, usize::MAX);
        assert!(canvas.into_scene().check().is_err());
    }

    #[test]
    fn rows_count_from_the_top() {
        let mut canvas = Canvas::new();
        canvas.grid(3, 2);
        assert_eq!(canvas.cell_center(0, 1), (1.5_f32, 2.5_f32).into());
    }

    #[test]
    fn a_runaway_author_is_stopped_just_over_the_limit() {
        let mut canvas = Canvas::new();
        for _ in 0..1_000_000 {
            canvas.circle((0.0, 0.0), 1.0, Color::INK);
        }
        let scene = canvas.into_scene();
        assert_eq!(scene.shapes.len(), MAX_POINTS + 1);
        assert!(scene.check().is_err());
    }
}
