//! The display list a [`Canvas`](super::Canvas) collects and the host draws.
//!
//! It crosses the plugin boundary as JSON text. Anything may come back from there, so the host
//! calls [`Scene::from_json`] and [`Scene::check`] before it draws.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::color::Color;
use super::geometry::{Point, View};

/// Most points (a circle counts as one) a scene may hold.
pub const MAX_POINTS: usize = 200_000;
/// Most bytes a scene's JSON may have.
pub const MAX_JSON_BYTES: usize = 32 << 20;
/// Most rows and most columns of a grid.
pub const MAX_GRID: u32 = 1_000;

/// A line's colour and width.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pen {
    /// Colour of the line.
    pub color: Color,
    /// Width in pixels of a 600 × 400 frame; the host scales it with the frame.
    pub width: f32,
}

impl From<Color> for Pen {
    /// A pen two pixels wide.
    fn from(color: Color) -> Self {
        color.pen(2.0)
    }
}

/// How a closed shape is painted. Made from a [`Color`] (filled), from a [`Pen`] (outlined), or
/// by [`Color::outlined`] (both).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Style {
    /// Colour inside, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<Color>,
    /// Line around it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Pen>,
}

impl From<Color> for Style {
    fn from(color: Color) -> Self {
        Self {
            fill: Some(color),
            outline: None,
        }
    }
}

impl From<Pen> for Style {
    fn from(pen: Pen) -> Self {
        Self {
            fill: None,
            outline: Some(pen),
        }
    }
}

/// Where a text's position lies on it, horizontally; vertically it is always the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// The text starts at its position.
    Left,
    /// The text is centred on its position.
    #[default]
    Center,
    /// The text ends at its position.
    Right,
}

/// One thing to draw; positions, radii and corners in world units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A disc or ring; round even in a stretched view.
    Circle {
        /// Centre.
        center: Point,
        /// Radius; a negative one draws nothing.
        radius: f32,
        /// Paint.
        style: Style,
    },
    /// An axis-aligned rectangle.
    Rect {
        /// One corner.
        from: Point,
        /// The opposite corner.
        to: Point,
        /// Radius of its rounded corners, 0 for sharp ones.
        corner: f32,
        /// Paint.
        style: Style,
    },
    /// A closed polygon.
    Polygon {
        /// Its corners, in order.
        points: Vec<Point>,
        /// Paint.
        style: Style,
    },
    /// Joined line segments.
    Polyline {
        /// Its points, in order.
        points: Vec<Point>,
        /// Line.
        pen: Pen,
    },
    /// A straight line with a head at its end.
    Arrow {
        /// Tail.
        from: Point,
        /// Tip.
        to: Point,
        /// Line; the head grows with the width.
        pen: Pen,
    },
    /// A path that fades and thins towards its first point, as a thing that moved leaves behind.
    Trail {
        /// Its points, oldest first.
        points: Vec<Point>,
        /// Line at the newest point.
        pen: Pen,
    },
    /// Where one moving thing is. Whoever shows several pictures of an episode follows it, and draws a
    /// [`Trail`](Self::Trail) of where it was in place of this; alone it is nothing to see.
    Track {
        /// Which thing it is, the same in every picture.
        id: u32,
        /// Where it is.
        at: Point,
        /// Line at the newest point.
        pen: Pen,
    },
    /// One line of text.
    Text {
        /// Where it is anchored.
        at: Point,
        /// Height of the font in pixels of a 600 × 400 frame.
        size: f32,
        /// The characters; control characters are left out.
        text: String,
        /// Colour.
        color: Color,
        /// Horizontal anchor.
        #[serde(default)]
        align: Align,
    },
}

impl Shape {
    /// What places the shape, as a list or as single points, and its other sizes.
    fn parts(&self) -> (&[Point], [Option<Point>; 2], [f32; 2]) {
        match self {
            Self::Circle {
                center,
                radius,
                style,
            } => (&[], [Some(*center), None], [*radius, outline_width(style)]),
            Self::Rect {
                from,
                to,
                corner,
                style,
            } => (
                &[],
                [Some(*from), Some(*to)],
                [*corner, outline_width(style)],
            ),
            Self::Polygon { points, style } => (points, [None; 2], [outline_width(style), 0.0]),
            Self::Polyline { points, pen } | Self::Trail { points, pen } => {
                (points, [None; 2], [pen.width, 0.0])
            }
            Self::Arrow { from, to, pen } => (&[], [Some(*from), Some(*to)], [pen.width, 0.0]),
            Self::Track { at, pen, .. } => (&[], [Some(*at), None], [pen.width, 0.0]),
            Self::Text { at, size, .. } => (&[], [Some(*at), None], [*size, 0.0]),
        }
    }

    /// Every point that places the shape.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let (many, few, _) = self.parts();
        many.iter().copied().chain(few.into_iter().flatten())
    }

    /// Whether every coordinate and size is a finite number.
    pub fn is_finite(&self) -> bool {
        let (_, _, sizes) = self.parts();
        self.points().all(Point::is_finite) && sizes.iter().all(|size| size.is_finite())
    }
}

fn outline_width(style: &Style) -> f32 {
    style.outline.map_or(0.0, |pen| pen.width)
}

/// One picture: shapes in painting order, what frames them, and what is written around them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scene {
    /// The visible part of the world; without one, the host fits it to the shapes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// Whether the two axes may have different scales.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stretch: bool,
    /// Colour behind everything; [`Color::PALE`] without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Color>,
    /// Rows and columns of a grid of unit cells under the shapes, its lower left corner at (0, 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<[u32; 2]>,
    /// What to draw, first at the bottom.
    #[serde(default)]
    pub shapes: Vec<Shape>,
    /// Labels and their colours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legend: Vec<(String, Color)>,
    /// A line under the picture.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// The author's own text rendering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Shapes left out because a coordinate was not finite or a cell outside the grid.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u32,
    /// The author's first mistake that makes the scene impossible to draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistake: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Why a scene cannot be drawn, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SceneError(pub(crate) String);

impl fmt::Display for SceneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SceneError {}

impl Scene {
    /// The scene as JSON text; numbers that are not finite become `null`, which
    /// [`Scene::from_json`] refuses.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a scene holds no map and no failing serializer")
    }

    /// Reads a scene from JSON text and checks it.
    ///
    /// # Errors
    /// Text that is too long or not a scene, and whatever [`Scene::check`] refuses.
    pub fn from_json(text: &str) -> Result<Self, SceneError> {
        if text.len() > MAX_JSON_BYTES {
            return Err(SceneError(format!(
                "scene: expected at most {MAX_JSON_BYTES} bytes of JSON, found {}; draw fewer shapes",
                text.len()
            )));
        }
        let scene: Self = serde_json::from_str(text).map_err(|error| {
            SceneError(format!(
                "scene: expected the JSON of a scene, found {error}; build it with Canvas"
            ))
        })?;
        scene.check()?;
        Ok(scene)
    }

    /// Whether the scene can be drawn: no recorded mistake, a valid view, a grid and a number of
    /// points within [`MAX_GRID`] and [`MAX_POINTS`]. Shapes that are not finite pass: they are
    /// left out when drawing.
    ///
    /// # Errors
    /// The first of these that fails.
    pub fn check(&self) -> Result<(), SceneError> {
        if let Some(mistake) = &self.mistake {
            return Err(SceneError(one_line(mistake)));
        }
        if let Some(view) = self.view {
            check_view(view).map_err(SceneError)?;
        }
        if let Some([rows, columns]) = self.grid {
            check_grid(rows, columns).map_err(SceneError)?;
        }
        let points: usize = self.shapes.iter().map(weight).sum();
        if points > MAX_POINTS {
            return Err(SceneError(format!(
                "scene: expected at most {MAX_POINTS} points, found {points}; draw fewer shapes"
            )));
        }
        self.visible().map(|_| ())
    }

    /// The view to show: the author's, else the grid, else the finite shapes with a margin, else
    /// the unit square.
    ///
    /// # Errors
    /// The shapes lie so far apart that no view holds them.
    pub fn visible(&self) -> Result<View, SceneError> {
        if let Some(view) = self.view {
            return Ok(view);
        }
        if let Some([rows, columns]) = self.grid {
            return Ok([0.0, 0.0, columns as f32, rows as f32].into());
        }
        let mut bounds: Option<[f32; 4]> = None;
        for shape in self.shapes.iter().filter(|shape| shape.is_finite()) {
            let radius = match shape {
                Shape::Circle { radius, .. } => radius.max(0.0),
                _ => 0.0,
            };
            for Point { x, y } in shape.points() {
                let own = [x - radius, y - radius, x + radius, y + radius];
                let [x0, y0, x1, y1] = bounds.unwrap_or(own);
                bounds = Some([
                    x0.min(own[0]),
                    y0.min(own[1]),
                    x1.max(own[2]),
                    y1.max(own[3]),
                ]);
            }
        }
        let view = bounds.map_or(View::from([0.0, 0.0, 1.0, 1.0]), |bounds| {
            View::from(bounds).padded(0.05)
        });
        check_view(view).map_err(SceneError)?;
        Ok(view)
    }
}

/// A shape's share of [`MAX_POINTS`]: its points, and its characters in tens.
pub(super) fn weight(shape: &Shape) -> usize {
    match shape {
        Shape::Text { text, .. } => 1 + text.len() / 10,
        Shape::Polygon { points, .. }
        | Shape::Polyline { points, .. }
        | Shape::Trail { points, .. } => points.len().max(1),
        _ => 1,
    }
}

pub(super) fn check_view(view: View) -> Result<(), String> {
    if view.is_valid() {
        return Ok(());
    }
    let [x_min, y_min, x_max, y_max] = view.into();
    Err(format!(
        "scene view: expected finite x_min < x_max and y_min < y_max, \
         found x {x_min} to {x_max}, y {y_min} to {y_max}; call canvas.view with the visible world"
    ))
}

pub(super) fn check_grid(rows: u32, columns: u32) -> Result<(), String> {
    if (1..=MAX_GRID).contains(&rows) && (1..=MAX_GRID).contains(&columns) {
        return Ok(());
    }
    Err(format!(
        "scene grid: expected 1 to {MAX_GRID} rows and columns, found {rows} × {columns}; \
         draw the part around the agents"
    ))
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dots(count: usize) -> Scene {
        let dot = Shape::Circle {
            center: (0.0, 0.0).into(),
            radius: 1.0,
            style: Color::INK.into(),
        };
        Scene {
            shapes: vec![dot; count],
            ..Scene::default()
        }
    }

    #[test]
    fn json_round_trips_and_stays_compact() {
        let scene = dots(1);
        let text = scene.to_json();
        assert_eq!(
            text,
            r##"{"shapes":[{"circle":{"center":[0.0,0.0],"radius":1.0,"style":{"fill":"#1f242b"}}}]}"##
        );
        assert_eq!(Scene::from_json(&text).unwrap(), scene);
        assert_eq!(Scene::from_json("{}").unwrap(), Scene::default());
    }

    #[test]
    fn what_is_no_scene_is_refused_on_one_line() {
        let null = r##"{"shapes":[{"circle":{"center":[null,0],"radius":1,"style":{}}}]}"##;
        let flat = r#"{"view":[0,0,0,0]}"#;
        let grid = r#"{"grid":[0,4000000000]}"#;
        let mistake = r#"{"mistake":"two\nlines"}"#;
        let far = r##"{"shapes":[{"arrow":{"from":[-3e38,0],"to":[3e38,1],"pen":{"color":"#000000","width":1}}}]}"##;
        for bad in ["", "7", "{\"shapes\":3}", null, flat, grid, mistake, far] {
            let message = Scene::from_json(bad).unwrap_err().to_string();
            assert!(!message.contains('\n') && !message.is_empty(), "{message}");
        }
        let message = Scene::from_json(flat).unwrap_err().to_string();
        assert!(message.starts_with("scene view: expected finite x_min < x_max"));
    }

    #[test]
    fn too_many_points_are_refused() {
        assert!(dots(MAX_POINTS).check().is_ok());
        let message = dots(1_000_000).check().unwrap_err().to_string();
        assert_eq!(
            message,
            "scene: expected at most 200000 points, found 1000000; draw fewer shapes"
        );
    }

    #[test]
    fn without_a_view_the_finite_shapes_are_shown() {
        let mut scene = dots(1);
        let mut stray = scene.shapes[0].clone();
        if let Shape::Circle { center, .. } = &mut stray {
            center.x = f32::NAN;
        }
        scene.shapes.push(stray);
        let view = scene.visible().unwrap();
        assert_eq!(<[f32; 4]>::from(view), [-1.1, -1.1, 1.1, 1.1]);
    }
}
