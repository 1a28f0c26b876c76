//! The display list a [`Canvas`](super::Canvas) collects and the host draws.
//!
//! It crosses the plugin boundary as JSON text. Anything may come back from there, so the host
//! calls [`Scene::from_json`] and [`Scene::check`] before it draws.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::color::Color;
use super::geometry::{Point, View};
use super::shape::{Shape, weight};

/// Most points (a circle counts as one) a scene may hold.
pub const MAX_POINTS: usize = 200_000;
/// Most bytes a scene's JSON may have.
pub const MAX_JSON_BYTES: usize = 32 << 20;
/// Most rows and most columns of a grid.
pub const MAX_GRID: u32 = 1_000;

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
